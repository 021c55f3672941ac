import { parseArgs } from 'node:util';
import { openDatabases } from './databases.ts';
import { Divergence, play, type Run } from './harness.ts';
import { planOf, type Step } from './plan.ts';
import { coverage, failing } from './report.ts';
import { shrink } from './shrink.ts';

/**
 * Many seeds in a row: `node test/convergence/run.ts --seeds 500 --from 1`. Ends with 1 when a seed failed.
 * `--steps 3,5,8` plays only these steps; `--no-shrink` reports a failing seed as it was.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      steps: { type: 'string' },
      'no-shrink': { type: 'boolean', default: false },
    },
  });
  const from = Number(values.from);
  const only = values.steps?.split(',').map(Number);
  const databases = await openDatabases(process.env.TEST_DATABASE_URL);
  const inFreshDatabase = async (seed: number, steps: readonly Step[]): Promise<Run> => {
    const database = await databases.create();
    try {
      return await play(database.url, seed, steps);
    } finally {
      await database.drop();
    }
  };
  const runs: Run[] = [];
  const failed: number[] = [];
  try {
    for (let seed = from; seed < from + Number(values.seeds); seed += 1) {
      const steps = planOf(seed).filter(({ number }) => only?.includes(number) ?? true);
      try {
        const run = await inFreshDatabase(seed, steps);
        runs.push(run);
        process.stdout.write(`seed ${seed}: ${run.edits} edits, ${run.seconds.toFixed(1)} s\n`);
      } catch (error) {
        if (!(error instanceof Divergence)) throw error;
        failed.push(seed);
        const smallest = values['no-shrink']
          ? error
          : await shrink(error, (fewer) => inFreshDatabase(seed, fewer));
        process.stdout.write(`${failing(smallest)}\n`);
      }
    }
  } finally {
    await databases.close();
  }
  process.stdout.write(`${coverage(runs)}\nfailed: ${failed.length === 0 ? 'none' : failed.join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
