import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * Looks for what no property has met yet: other values than `npm test` plays, and more of them.
 *
 *   npm run test:properties -- [--times 20] [--seed 31] [test/domain ...]
 *
 * Without folders it takes those whose properties need no database. Ends with 1 when a property was broken; the
 * failure prints the seed that shows it again, and becomes a named case beside the property.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', default: '20' }, seed: { type: 'string', default: 'random' } },
});
const folders =
  positionals.length > 0
    ? positionals
    : ['test/domain', 'test/providers', 'test/settings', 'test/store/sql-files.test.ts', 'test/delivery'];
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', '--testTimeout=1800000', ...folders], {
  stdio: 'inherit',
  env: { ...process.env, PROPERTY_TIMES: values.times, PROPERTY_SEED: values.seed },
});
process.exitCode = status ?? 1;
