import type { Divergence, Run } from './harness.ts';
import { words } from './plan.ts';

/** Kinds of transition with their counts, of all runs together. */
export function coverage(runs: readonly Run[]): string {
  const total = new Map<string, number>();
  for (const { covered } of runs) {
    for (const [what, count] of covered) total.set(what, (total.get(what) ?? 0) + count);
  }
  const lines = [...total]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([what, count]) => `${String(count).padStart(6)}  ${what}`);
  const sum = (of: (run: Run) => number) => runs.reduce((all, run) => all + of(run), 0);
  return [
    `${runs.length} runs, ${sum((run) => run.edits)} edits, ${sum((run) => run.comparisons)} comparisons, ` +
      `${sum((run) => run.over)} sessions over, ${sum((run) => run.undecided)} edited and over before they were read`,
    ...lines,
  ].join('\n');
}

/** A failing run: what was wrong, its shortest story, and how to see it again. */
export function failing(failed: Divergence, rare = false): string {
  const again = `node test/convergence/run.ts --from ${failed.seed} --seeds 1${rare ? ' --rare' : ''}`;
  return [
    `seed ${failed.seed}: the database is not what the sandbox says is true`,
    failed.message,
    'after:',
    ...failed.story.map((one) => `  ${one}`),
    `steps: ${failed.steps.map((step) => `${step.number} ${words(step)}`).join('; ')}`,
    `again: ${again}`,
    `only these steps: ${again} --steps ${failed.steps.map((step) => step.number).join(',')}`,
  ].join('\n');
}
