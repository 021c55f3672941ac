import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { openDatabases } from './databases.ts';
import type { Run } from './harness.ts';
import { coverage } from './report.ts';
import type { Orders, Outcome } from './worker.ts';

/**
 * Many seeds: `npm run converge -- --seeds 500 --from 1`. Ends with 1 when a seed failed.
 * `--workers 4` plays so many at a time (as many as there are cores, when absent), `--steps 3,5,8` only these steps;
 * `--rare` plays edits that few people make as well; `--no-shrink` reports a failing seed as it was.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      workers: { type: 'string', default: String(availableParallelism()) },
      steps: { type: 'string' },
      rare: { type: 'boolean', default: false },
      'no-shrink': { type: 'boolean', default: false },
    },
  });
  const [from, count, workers] = [Number(values.from), Number(values.seeds), Number(values.workers)];
  if (![from, count, workers].every((value) => Number.isInteger(value) && value > 0)) {
    process.stderr.write('--seeds, --from and --workers want whole numbers above 0\n');
    return 2;
  }
  const begun = performance.now();
  const seeds = Array.from({ length: count }, (_none, at) => from + at);
  const databases = await openDatabases(process.env.TEST_DATABASE_URL);
  const runs: Run[] = [];
  const failed: number[] = [];
  // Nobody reads on (a pipe into `head`): what is being played is finished, and the server stopped as always.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    seeds.length = 0;
  });
  const take = (outcome: Outcome): void => {
    if ('run' in outcome) {
      runs.push(outcome.run);
      process.stdout.write(
        `seed ${outcome.seed}: ${outcome.run.edits} edits, ${outcome.run.seconds.toFixed(1)} s\n`,
      );
    } else {
      failed.push(outcome.seed);
      process.stdout.write(`${outcome.failure}\n`);
    }
  };
  try {
    const orders: Orders = {
      serverUrl: databases.serverUrl,
      template: databases.template,
      steps: values.steps?.split(',').map(Number) ?? null,
      shrinks: !values['no-shrink'],
      rare: values.rare,
    };
    await Promise.all(
      Array.from({ length: Math.min(workers, count) }, () =>
        employ(orders, () => seeds.shift() ?? null, take),
      ),
    );
  } finally {
    await databases.close();
  }
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
  process.stdout.write(
    `${coverage(runs)}\n${count} seeds in ${minutes} minutes, failed: ${failed.length === 0 ? 'none' : failed.sort((a, b) => a - b).join(', ')}\n`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** One thread that plays seeds until there is none left. */
function employ(
  orders: Orders,
  nextSeed: () => number | null,
  take: (outcome: Outcome) => void,
): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: orders });
  return new Promise((resolve, reject) => {
    worker.on('message', (message: Outcome | 'ready') => {
      if (message !== 'ready') take(message);
      worker.postMessage(nextSeed());
    });
    worker.once('error', reject);
    worker.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`)),
    );
  });
}

process.exitCode = await main();
