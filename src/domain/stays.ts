import type { Instant } from './observation.ts';

/**
 * Time spent together. A person may be in a call with two devices at once, leave and come back, or dial in
 * beside the laptop: joins are united before anything is counted, else an hour becomes two.
 */

/** Half-open, `from <= until`. */
export type Stay = { readonly from: Instant; readonly until: Instant };

/** The same time without overlaps, in order. Empty stays vanish. */
export function united(stays: readonly Stay[]): Stay[] {
  const sorted = stays
    .filter((stay) => stay.until > stay.from)
    .sort((one, other) => one.from - other.from || one.until - other.until);
  const result: Stay[] = [];
  for (const stay of sorted) {
    const last = result.at(-1);
    if (last !== undefined && stay.from <= last.until) {
      result[result.length - 1] = { from: last.from, until: Math.max(last.until, stay.until) };
    } else {
      result.push({ from: stay.from, until: stay.until });
    }
  }
  return result;
}

/** The time in which both were there. */
export function shared(one: readonly Stay[], other: readonly Stay[]): Stay[] {
  const [left, right] = [united(one), united(other)];
  const result: Stay[] = [];
  for (const a of left) {
    for (const b of right) {
      const stay = { from: Math.max(a.from, b.from), until: Math.min(a.until, b.until) };
      if (stay.until > stay.from) result.push(stay);
    }
  }
  return united(result);
}

/** The time in which at least two of the given people were there. */
export function anyTwo(people: ReadonlyArray<readonly Stay[]>): Stay[] {
  const pairs = people.flatMap((one, index) => people.slice(index + 1).map((other) => shared(one, other)));
  return united(pairs.flat());
}

/** Milliseconds, every moment counted once. */
export function lasted(stays: readonly Stay[]): number {
  return united(stays).reduce((sum, stay) => sum + stay.until - stay.from, 0);
}

/** How long both sides must be together: the larger of the minutes and the share of the scheduled time. */
export function minimumMs(
  scheduled: { readonly from: Instant; readonly until: Instant },
  minimum: { readonly minutes: number; readonly share: number },
): number {
  return Math.max(minimum.minutes * 60_000, minimum.share * (scheduled.until - scheduled.from));
}

/** Minutes to two decimals, as the tables keep them. */
export function minutesOf(milliseconds: number): number {
  return Math.round(milliseconds / 600) / 100;
}
