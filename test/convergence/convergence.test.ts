import { afterAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../support/postgres.ts';
import { Divergence, play, type Run } from './harness.ts';
import { FEWEST_EDITS, planOf, type Step } from './plan.ts';
import { coverage, failing } from './report.ts';
import { shrink } from './shrink.ts';

/** One seed of one's own choice with CONVERGENCE_SEED; `node test/convergence/run.ts --seeds 500` for a long run. */
const chosen = process.env.CONVERGENCE_SEED;
const SEEDS = chosen ? [Number(chosen)] : [1, 2];
/** Few runs are spent on shrinking here: a test that fails should say so soon. */
const SHRINKING = 25;

const runs: Run[] = [];

async function inFreshDatabase(seed: number, steps: readonly Step[]): Promise<Run> {
  await using database = await createTestDatabase();
  // Awaited here: the database must outlive the run.
  return await play(database.url, seed, steps);
}

describe('random edits at both providers, faults on the wire, and the database afterwards', () => {
  afterAll(() => {
    if (runs.length > 0) process.stdout.write(`\n${coverage(runs)}\n`);
  });

  it.for(SEEDS)('says what is true (seed %i)', { timeout: 600_000 }, async (seed) => {
    try {
      runs.push(await inFreshDatabase(seed, planOf(seed)));
    } catch (error) {
      if (!(error instanceof Divergence)) throw error;
      const smallest = await shrink(error, (steps) => inFreshDatabase(seed, steps), SHRINKING);
      expect.fail(failing(smallest));
    }
    const run = runs.at(-1);
    expect(run?.edits).toBeGreaterThanOrEqual(FEWEST_EDITS);
    for (const provider of ['google', 'microsoft']) {
      expect(run?.covered.get(`fault: lost cursor (${provider})`)).toBeGreaterThan(0);
      expect(run?.covered.get(`push: lost (${provider})`)).toBeGreaterThan(0);
      expect(run?.covered.get(`push: heard (${provider})`)).toBeGreaterThan(0);
    }
  });

  it('plays the same run for the same seed', { timeout: 600_000 }, async () => {
    const [run] = runs;
    if (run === undefined) expect.fail('there is no run to compare with: the first seed failed');
    const again = await inFreshDatabase(run.seed, planOf(run.seed));
    // How much each reading found may differ where calendars were read at the same time.
    const played = ({ story }: Run) => story.filter((line) => !/ rows|notifications|told:/.test(line));
    expect(played(again)).toEqual(played(run));
  });
});
