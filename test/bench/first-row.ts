import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * From `npm start` to session rows that can be queried, on a machine that never started it before: the time until
 * the line that counts the sessions found in all calendars, which is later than the first row.
 *
 *   node test/bench/first-row.ts [rounds]
 */
const rounds = Number(process.argv[2] ?? 3);
const SEEN = 'found ';

async function once(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'cadenced-bench-'));
  // As root the server runs as nobody, who must get through.
  chmodSync(home, 0o711);
  const begin = performance.now();
  const child = spawn('npm', ['start'], {
    env: { ...process.env, CADENCED_DATA_DIR: home },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { promise: seen, resolve: see } = Promise.withResolvers<number>();
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    if (printed.includes(SEEN)) see(performance.now() - begin);
  });
  const ms = await Promise.race([
    seen,
    ended.then(() => {
      throw new Error(`it ended before a session was found:\n${printed}`);
    }),
  ]);
  if (child.pid) process.kill(-child.pid, 'SIGINT');
  await ended;
  rmSync(home, { recursive: true, force: true });
  return ms;
}

const figures: number[] = [];
for (let round = 0; round < rounds; round += 1) figures.push(await once());
const median = figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0;
process.stdout.write(
  `npm start to all sessions found, new data directory: median ${(median / 1000).toFixed(1)} s of ${rounds} (target 8 s to the first)\n`,
);
