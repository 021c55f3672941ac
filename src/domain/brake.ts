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
  /** What an earlier pass held back, and since when all of it is; `null` = nothing. */
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
  const there = new Set(future.filter((copy) => !copy.goneByInference).map((copy) => copy.lineage));
  const gone = [...all].filter((lineage) => !stillSeen.has(lineage) && !there.has(lineage));
  const earlier = state.parked?.lineages ?? [];
  if (state.approved) {
    // A pass over changes infers little: what was parked waits for the complete pass that the release asked for.
    const waiting = complete ? [] : earlier.filter((lineage) => !gone.includes(lineage));
    return {
      hold: [],
      parked: state.parked && waiting.length > 0 ? { ...state.parked, lineages: waiting } : null,
    };
  }
  const parkedBefore = new Set(earlier);
  const tooMany =
    gone.length > 0 &&
    (gone.length === all.size || gone.length > Math.max(BRAKE_COUNT, BRAKE_SHARE * all.size));
  const agreed = complete && state.parked !== null && now - state.parked.since >= BRAKE_AGREES_AFTER_MS;
  // Few enough are believed at once, save those that wait for their hour already.
  const hold = gone.filter((lineage) => (parkedBefore.has(lineage) ? !agreed : tooMany)).toSorted();
  // What a complete pass shows again is parked no longer; a pass over changes shows nothing about the others.
  const lineages = complete ? hold : [...new Set([...earlier, ...hold])].toSorted();
  if (lineages.length === 0) return { hold, parked: null };
  const grew = hold.some((lineage) => !parkedBefore.has(lineage));
  return { hold, parked: { since: grew || !state.parked ? now : state.parked.since, lineages } };
}
