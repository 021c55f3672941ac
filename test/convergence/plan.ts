import { createRandom, type Random } from '../../src/sandbox/world/index.ts';
import { type AnyEdit, RARE_WEIGHTS, WEIGHTS } from './edits.ts';
import { TROUBLES, type Trouble } from './troubles.ts';

/**
 * The steps of a run, made from its seed before anything happens. Every step draws from a source of its own, so that
 * a step can be left out while the others do what they did: that is how a failing run shrinks.
 */
export type Step = { readonly number: number } & (
  | { readonly does: 'edit'; readonly edit: AnyEdit }
  /** One calendar, perhaps with trouble on the wire, perhaps with an edit in the middle of the pass. */
  | {
      readonly does: 'sync';
      readonly wish: 'changes' | 'full' | 'reconcile';
      readonly provider: 'google' | 'microsoft' | null;
      readonly trouble: Trouble | null;
      readonly meanwhile: AnyEdit | null;
    }
  /** Several calendars at the same time, one of them perhaps twice. */
  | { readonly does: 'burst'; readonly trouble: Trouble | null }
  | { readonly does: 'wait'; readonly minutes: number }
  /** Notifications arrive, or do not, and what they make due is read. From one provider some are surely lost. */
  | { readonly does: 'tell'; readonly loses: 'google' | 'microsoft' | null; readonly trouble: Trouble | null }
  /** Everything is read, or only what push made due and what it lost; then everything is compared. */
  | { readonly does: 'compare'; readonly by: 'poll' | 'push' }
);

type Doing = Step extends infer S ? (S extends Step ? Omit<S, 'number'> : never) : never;

export const FEWEST_EDITS = 60;

/**
 * A run of some seventy edits over some four weeks.
 * @param rare with edits that few people make
 */
export function planOf(seed: number, rare = false): Step[] {
  const weights = Object.entries(rare ? RARE_WEIGHTS : WEIGHTS) as [AnyEdit, number][];
  const random = createRandom(seed).fork('plan');
  const steps: Doing[] = [];
  for (let at = 0; at < 8; at += 1) steps.push({ does: 'edit', edit: 'book' });
  steps.push({ does: 'edit', edit: 'book by category' }, { does: 'compare', by: 'poll' });
  const lost: readonly Doing[] = (['google', 'microsoft'] as const).flatMap((provider) =>
    (['lost cursor', 'lost mid-round'] as const).map((trouble): Doing => {
      return { does: 'sync', wish: 'changes', provider, trouble, meanwhile: null };
    }),
  );
  const rounds = 11;
  for (let round = 0; round < rounds; round += 1) {
    for (let edits = 4 + random.below(4); edits > 0; edits -= 1) {
      steps.push({ does: 'edit', edit: anyEdit(random, weights) });
      if (random.below(2) === 0) steps.push({ does: 'wait', minutes: 1 + random.below(40) });
      if (random.below(3) === 0) steps.push(aSync(random, weights));
    }
    // A cursor is lost in the midst of everything, with changes waiting behind it.
    const due = lost[round % 3 === 1 ? Math.floor(round / 3) % lost.length : -1];
    if (due !== undefined) steps.push(due);
    if (random.below(3) === 0)
      steps.push({ does: 'burst', trouble: random.below(2) === 0 ? null : random.pick(TROUBLES) });
    const loses = ([null, 'google', 'microsoft'] as const)[round % 3] ?? null;
    if (loses !== null || random.below(2) === 0)
      steps.push({ does: 'tell', loses, trouble: random.below(4) === 0 ? random.pick(TROUBLES) : null });
    if (random.below(5) < 3) steps.push({ does: 'compare', by: random.below(3) === 0 ? 'poll' : 'push' });
    steps.push({
      does: 'wait',
      minutes: random.pick([90, 300, 14 * 60, 26 * 60, 3 * 24 * 60, 5 * 24 * 60]),
    });
  }
  return steps.map((step, number): Step => ({ ...step, number }) as Step);
}

function aSync(random: Random, weights: readonly [AnyEdit, number][]): Doing {
  return {
    does: 'sync',
    wish: random.pick(['changes', 'changes', 'changes', 'changes', 'full', 'reconcile']),
    provider: null,
    trouble: random.below(3) === 0 ? random.pick(TROUBLES) : null,
    meanwhile: random.below(5) === 0 ? anyEdit(random, weights) : null,
  };
}

function anyEdit(random: Random, weights: readonly [AnyEdit, number][]): AnyEdit {
  let left = random.below(weights.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [kind, weight] of weights) {
    left -= weight;
    if (left < 0) return kind;
  }
  return 'book';
}

/** One step in plain words, for whoever reads a failing run. */
export function words(step: Step): string {
  switch (step.does) {
    case 'edit':
      return step.edit;
    case 'sync':
      return `sync (${step.wish}${step.trouble === null ? '' : `, ${step.trouble}`}${step.meanwhile === null ? '' : `, meanwhile ${step.meanwhile}`})`;
    case 'burst':
      return `sync several at once${step.trouble === null ? '' : ` (${step.trouble})`}`;
    case 'wait':
      return `${step.minutes} minutes pass`;
    case 'tell':
      return `notifications${step.loses === null ? '' : `, some of ${step.loses} lost`}${step.trouble === null ? '' : ` (${step.trouble})`}`;
    case 'compare':
      return step.by === 'poll' ? 'compare' : 'compare after push';
  }
}
