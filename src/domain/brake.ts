import type { Instant } from './observation.ts';

/**
 * The brake: the riskiest thing a sync can do is believe a list that has too little in it. When a pass *infers*
 * (nobody said so, the events just were not there) that all meetings of a calendar are gone, or more than three and
 * more than 30 % of those with sessions ahead, those cancellations are held back. A second complete pass at least
 * an hour later that agrees releases them, or a person does. What a provider says explicitly is never held.
 */

export const BRAKE_COUNT = 3;
export const BRAKE_SHARE = 0.3;
export const BRAKE_AGREES_AFTER_MS = 3_600_000;

export interface BrakeState {
  /** What an earlier pass held back; `null` = nothing. */
  readonly parked: { readonly since: Instant; readonly lineages: readonly string[] } | null;
  /** A person released the brake until then. */
  readonly approved: boolean;
}

export interface Braked {
  /** Lineages whose inferred removals are not applied in this pass. */
  readonly hold: readonly string[];
  /** The calendar's new brake state. */
  readonly parked: BrakeState['parked'];
}

export function brake(input: {
  readonly now: Instant;
  readonly state: BrakeState;
  /** Only a complete pass may agree with an earlier one, or show that the meetings are back. */
  readonly complete: boolean;
  /** The copies on this calendar that carry sessions ahead. */
  readonly future: ReadonlyArray<{ readonly lineage: string; readonly goneByInference: boolean }>;
  readonly stillSeen: ReadonlySet<string>;
}): Braked {
  const { now, state, complete, future, stillSeen } = input;
  const all = new Set(future.map((copy) => copy.lineage));
  const gone = [...all].filter(
    (lineage) =>
      !stillSeen.has(lineage) && future.every((copy) => copy.lineage !== lineage || copy.goneByInference),
  );
  const tooMany =
    gone.length > 0 &&
    (gone.length === all.size || gone.length > Math.max(BRAKE_COUNT, BRAKE_SHARE * all.size));
  if (state.approved) return { hold: [], parked: null };
  if (!complete && !tooMany) return { hold: [], parked: state.parked };
  if (!tooMany) {
    // Few enough to believe, or back again. What was parked and is still gone stays until it has its hour.
    const waiting = state.parked?.lineages.filter((lineage) => gone.includes(lineage)) ?? [];
    if (waiting.length === 0 || !state.parked) return { hold: [], parked: null };
    if (now - state.parked.since >= BRAKE_AGREES_AFTER_MS) return { hold: [], parked: null };
    return { hold: waiting, parked: { since: state.parked.since, lineages: waiting } };
  }
  const agreed =
    complete && state.parked !== null && now - state.parked.since >= BRAKE_AGREES_AFTER_MS
      ? new Set(state.parked.lineages)
      : new Set<string>();
  const hold = gone.filter((lineage) => !agreed.has(lineage)).toSorted();
  if (hold.length === 0) return { hold: [], parked: null };
  const since = state.parked?.lineages.some((lineage) => hold.includes(lineage)) ? state.parked.since : now;
  return { hold, parked: { since, lineages: hold } };
}
