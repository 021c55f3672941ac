'use strict';
// Runs before `npm start` and `npm test`, on whatever Node npm found. Plain old JavaScript on purpose: an old
// Node must be able to read it. The `node` package brings Node 24 through an install script; where install
// scripts were blocked, npm silently goes on with the machine's own Node, and the failure that follows (a syntax
// error in the first .ts file) would tell nobody what to do.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 18)) {
  process.stderr.write(
    [
      `cadenced needs Node 24.18 or newer; this is Node ${process.versions.node}.`,
      'The project brings its own Node as the npm package "node". It is missing, most likely because npm was',
      'told not to run install scripts. Run this once, then try again:',
      '',
      '    npm rebuild node --ignore-scripts=false',
      '',
      '',
    ].join('\n'),
  );
  process.exit(1);
}
