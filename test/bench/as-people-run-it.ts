import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { locateProject } from '../../src/runtime/locate.ts';

/** The flags of V8 that `npm run cadenced` gives to Node; the image and `npm start` have the same. */
export function flagsPeopleHave(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(locateProject().root, 'package.json'), 'utf8')) as {
    readonly scripts: { readonly cadenced: string };
  };
  return scripts.cadenced.split(' ').filter((word) => word.startsWith('--'));
}

/**
 * Runs the script that called it again with those flags, and ends this process with the other's code. Returns in a
 * process that has flags of its own (`node --max-semi-space-size=16 bench.ts`), so that others can be compared.
 */
export function asPeopleRunIt(script: string): void {
  const flags = flagsPeopleHave();
  const named = (flag: string) => flag.split('=')[0];
  if (process.execArgv.some((given) => flags.some((flag) => named(flag) === named(given)))) return;
  const args = [...flags, ...process.execArgv, script, ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  process.exit(status ?? 1);
}
