import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Everything that has a target at full size, one after the other, on the same filled cluster:
 *
 *   node test/bench/full-size.ts --keep DIR [--share 1]
 *
 * Two thousand programs, 200,000 mentorships, 5 million sessions. Filling them takes some minutes and 9 GB, once.
 * Each script prints target and result of all it measures; the exit code is 0 only when every target was met.
 */
const passed = process.argv.slice(2);
const parts: Array<[script: string, ...args: string[]]> = [
  ['views.ts', ...passed],
  ['upkeep.ts', ...passed],
  ['judging.ts'],
];
for (const [script, ...args] of parts) {
  process.stdout.write(`\n${script}\n`);
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status } = spawnSync(process.execPath, [path, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
