import type { CalendarDate, Instant } from './observation.ts';

/**
 * Which stored occurrence an observed copy belongs to. Providers change their ids when a series is split, when its
 * time of day or weekday changes, when an event moves between calendars; so the match is found once, step by step
 * from certain to likely, and then stored:
 *
 * 1. the provider's id, where a copy on this calendar carried it before;
 * 2. the original instant;
 * 3. the original date, where only one unmatched slot on each side has it (a changed time of day);
 * 4. the nearest unmatched slots, no further apart than half the series' interval (a changed weekday).
 *
 * Steps 1 and 2 may bring two observed copies to one occurrence: a split at the same time leaves such a twin.
 */

/** An occurrence that is stored already. Originals are those of all its copies: each provider keeps its own. */
export interface StoredSlot {
  readonly originalStarts: readonly Instant[];
  readonly originalDates: readonly CalendarDate[];
  readonly start: Instant;
  readonly end: Instant;
  /** Ids that copies on the observed calendar carry or carried. */
  readonly sourceIds: readonly string[];
}

/** A copy as it was observed just now. */
export interface ObservedSlot {
  readonly sourceId: string;
  readonly originalStart: Instant | null;
  readonly originalDate: CalendarDate | null;
  readonly start: Instant;
}

const HOUR = 3_600_000;

function utcDate(instant: Instant): CalendarDate {
  return new Date(instant).toISOString().slice(0, 10);
}

/** A single event has no original; where one side is single (a conversion), its start stands in. */
const originalOf = (slot: ObservedSlot): Instant => slot.originalStart ?? slot.start;
const originalsOf = (slot: StoredSlot): readonly Instant[] =>
  slot.originalStarts.length > 0 ? slot.originalStarts : [slot.start];
const dateOf = (slot: ObservedSlot): CalendarDate => slot.originalDate ?? utcDate(originalOf(slot));
const datesOf = (slot: StoredSlot): readonly CalendarDate[] =>
  slot.originalDates.length > 0 ? slot.originalDates : originalsOf(slot).map(utcDate);

/**
 * The past is not rewritten: what has ended is never carried into the future. Such a copy (an event dragged to next
 * week after it was over) becomes an occurrence of its own.
 */
const mayMeet = (stored: StoredSlot, observed: ObservedSlot, now: Instant): boolean =>
  !(stored.end <= now && observed.start > now);

/** Half the shortest distance between two slots of the series; a lone slot may move any distance. */
function halfInterval(stored: readonly StoredSlot[], observed: readonly ObservedSlot[]): number {
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
  const gap = Math.min(
    shortest(stored.map((slot) => originalsOf(slot)[0] as number)),
    shortest(observed.map(originalOf)),
  );
  return gap / 2;
}

/**
 * Matches the copies observed on one calendar to the stored occurrences of the same lineage.
 * @returns for each observed slot the index of its stored slot, or `null`: it is a new occurrence
 */
export function matchSlots(
  stored: readonly StoredSlot[],
  observed: readonly ObservedSlot[],
  now: Instant,
): Array<number | null> {
  const matches: Array<number | null> = observed.map(() => null);
  const taken = new Set<number>();
  const nearestOf = (candidates: readonly number[], slot: ObservedSlot): number | null => {
    let best: number | null = null;
    for (const at of candidates) {
      const candidate = stored[at] as StoredSlot;
      if (!mayMeet(candidate, slot, now)) continue;
      if (
        best === null ||
        Math.abs(candidate.start - slot.start) < Math.abs((stored[best] as StoredSlot).start - slot.start)
      ) {
        best = at;
      }
    }
    return best;
  };
  const settle = (at: number, match: number | null) => {
    if (match === null) return;
    matches[at] = match;
    taken.add(match);
  };

  const bySourceId = index(stored, (slot) => slot.sourceIds);
  const byInstant = index(stored, originalsOf);
  for (const [at, slot] of observed.entries())
    settle(at, nearestOf(bySourceId.get(slot.sourceId) ?? [], slot));
  for (const [at, slot] of observed.entries()) {
    if (matches[at] === null) settle(at, nearestOf(byInstant.get(originalOf(slot)) ?? [], slot));
  }

  // A lineage of one single event has no other slot it could be.
  const onlyStored = stored.length === 1 ? (stored[0] as StoredSlot) : null;
  const onlyObserved = observed.length === 1 ? (observed[0] as ObservedSlot) : null;
  if (
    onlyStored &&
    onlyObserved &&
    !taken.has(0) &&
    onlyStored.originalStarts.length === 0 &&
    onlyObserved.originalStart === null
  ) {
    if (mayMeet(onlyStored, onlyObserved, now)) settle(0, 0);
  }

  const openStored = () => stored.map((_, at) => at).filter((at) => !taken.has(at));
  const openObserved = () => observed.map((_, at) => at).filter((at) => matches[at] === null);

  const storedOnDate = new Map<CalendarDate, number[]>();
  for (const at of openStored()) {
    for (const date of new Set(datesOf(stored[at] as StoredSlot))) push(storedOnDate, date, at);
  }
  const observedOnDate = new Map<CalendarDate, number[]>();
  for (const at of openObserved()) push(observedOnDate, dateOf(observed[at] as ObservedSlot), at);
  for (const [date, those] of observedOnDate) {
    const candidates = (storedOnDate.get(date) ?? []).filter((at) => !taken.has(at));
    if (those.length !== 1 || candidates.length !== 1) continue;
    const [at, match] = [those[0] as number, candidates[0] as number];
    if (mayMeet(stored[match] as StoredSlot, observed[at] as ObservedSlot, now)) settle(at, match);
  }

  const reach = halfInterval(stored, observed);
  const pairs: Array<{ distance: number; at: number; match: number }> = [];
  for (const at of openObserved()) {
    const slot = observed[at] as ObservedSlot;
    for (const match of openStored()) {
      const candidate = stored[match] as StoredSlot;
      const distance = Math.min(
        ...originalsOf(candidate).map((original) => Math.abs(original - originalOf(slot))),
      );
      if (distance <= reach && mayMeet(candidate, slot, now)) pairs.push({ distance, at, match });
    }
  }
  pairs.sort((a, b) => a.distance - b.distance || a.at - b.at || a.match - b.match);
  for (const { at, match } of pairs) if (matches[at] === null && !taken.has(match)) settle(at, match);
  return matches;
}

function push<K>(map: Map<K, number[]>, key: K, value: number): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}

function index<K>(
  slots: readonly StoredSlot[],
  keysOf: (slot: StoredSlot) => readonly K[],
): Map<K, number[]> {
  const map = new Map<K, number[]>();
  for (const [at, slot] of slots.entries()) for (const key of new Set(keysOf(slot))) push(map, key, at);
  return map;
}
