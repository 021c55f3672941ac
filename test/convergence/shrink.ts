import { Divergence, type Run } from './harness.ts';
import type { Step } from './plan.ts';

/**
 * Leaves out steps of a failing run for as long as it still fails: halves first, then ever smaller pieces.
 * @param replay plays the given steps in a fresh database
 * @param budget how many runs it may take
 */
export async function shrink(
  failed: Divergence,
  replay: (steps: readonly Step[]) => Promise<Run>,
  budget = 80,
): Promise<Divergence> {
  let smallest = failed;
  let left = budget;
  let pieces = 2;
  while (left > 0 && smallest.steps.length > 1) {
    const size = Math.ceil(smallest.steps.length / pieces);
    let shrunk = false;
    for (let from = 0; from < smallest.steps.length && left > 0; from += size) {
      const steps = smallest.steps.filter((_step, at) => at < from || at >= from + size);
      left -= 1;
      const again = await failureOf(replay, steps);
      if (again === null) continue;
      smallest = again;
      shrunk = true;
      pieces = Math.max(2, pieces - 1);
      break;
    }
    if (shrunk) continue;
    if (size === 1) break;
    pieces = Math.min(smallest.steps.length, pieces * 2);
  }
  return smallest;
}

async function failureOf(
  replay: (steps: readonly Step[]) => Promise<Run>,
  steps: readonly Step[],
): Promise<Divergence | null> {
  try {
    await replay(steps);
    return null;
  } catch (error) {
    if (error instanceof Divergence) return error;
    // With steps left out a run may stumble otherwise; that is another matter.
    return null;
  }
}
