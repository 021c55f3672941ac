import type { Instant } from './observation.ts';
import { HOUR, type ObservedSlot, originalOf, originalsOf, push, type StoredSlot } from './slots.ts';

/** How far a guess may reach in a series. */

/**
 * Half the shortest distance between two slots of one series; `Infinity` where there is no second slot. The parts of a
 * split are looked at apart: on different weekdays the last of one and the first of the other may be a day apart. So may
 * what was over when the series was moved as a whole and the place that was laid out for it again, and what stands on no
 * calendar any more and keeps its old place: they count only where what stands ahead tells no interval.
 */
export function halfInterval(
  stored: readonly StoredSlot[],
  observed: readonly ObservedSlot[],
  now: Instant,
): number {
  const shortest = (starts: readonly Instant[]): number => {
    const ordered = [...new Set(starts)].sort((a, b) => a - b);
    let gap = Number.POSITIVE_INFINITY;
    for (let i = 1; i < ordered.length; i += 1) {
      const distance = (ordered[i] as number) - (ordered[i - 1] as number);
      // Slots minutes apart are twins of one slot, not a series.
      if (distance >= HOUR) gap = Math.min(gap, distance);
    }
    return gap;
  };
  // Every calendar's part counts, whichever is read: what one pass adds must not let the next one reach further. What is
  // stored and what is shown stay apart, as a series may stand on another weekday by now.
  const partsOf = (slots: readonly StoredSlot[]): Instant[][] => {
    const parts = new Map<string | null, Instant[]>();
    for (const slot of slots) {
      const original = originalsOf(slot)[0] as number;
      const elsewhere = slot.seriesElsewhere.map((id) => `elsewhere ${id}`);
      if (slot.seriesId !== null || elsewhere.length === 0) push(parts, slot.seriesId, original);
      for (const part of elsewhere) push(parts, part, original);
    }
    for (const slot of observed) push(parts, `shown ${slot.seriesId}`, originalOf(slot));
    return [...parts.values()];
  };
  const ahead = Math.min(...partsOf(stored.filter((slot) => slot.end > now && slot.stands)).map(shortest));
  if (ahead !== Number.POSITIVE_INFINITY) return ahead / 2;
  const parts = partsOf(stored);
  const interval = Math.min(...parts.map(shortest));
  // Where no part has two slots, what lies between the parts is all there is to go by.
  return (interval === Number.POSITIVE_INFINITY ? shortest(parts.flat()) : interval) / 2;
}

/** The stored slots with the series that they belong to on the observed calendar once these matches are stored. */
export function asTaken(
  stored: readonly StoredSlot[],
  observed: ReadonlyArray<readonly [at: number, slot: ObservedSlot]>,
  matches: ReadonlyArray<number | null>,
): StoredSlot[] {
  const slots = [...stored];
  for (const [at, { seriesId }] of observed) {
    const match = matches[at] ?? null;
    if (match !== null && seriesId !== null) slots[match] = { ...(slots[match] as StoredSlot), seriesId };
  }
  return slots;
}
