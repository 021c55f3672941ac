import type { CalendarDate, Instant } from './observation.ts';
import { asTaken, halfInterval } from './series-interval.ts';
import {
  dateOf,
  datesOf,
  distanceOf,
  HOUR,
  hasDateOnly,
  isSlotOf,
  mayMeet,
  type ObservedSlot,
  originalOf,
  originalsOf,
  push,
  type StoredSlot,
  splits,
  twinKey,
} from './slots.ts';

/**
 * Which stored occurrence an observed copy belongs to. Providers change their ids when a series is split, when its
 * time of day or weekday changes, when an event moves between calendars; so the match is found once, step by step
 * from certain to likely, and then stored:
 *
 * 1. the provider's id, where a copy on this calendar carries it;
 * 2. the original instant;
 * 3. an id that a copy on this calendar carried before;
 * 4. the original date, where only one unmatched slot on each side has it (a changed time of day);
 * 5. the nearest unmatched slots, no further apart than half the series' interval (a changed weekday).
 *
 * Steps 1 and 2 may bring two observed copies to one occurrence: a split at the same time leaves such a twin.
 * Steps 4 and 5 are guesses: they never take a slot whose copy still stands on the observed calendar, because a
 * pass over changes shows only some of the slots, and those it does not show have not moved.
 */

/** How far a lone slot that another calendar told of may lie from this calendar's: less than a day, as no other is known. */
const LONE_REACH = 12 * HOUR;

/**
 * Matches the copies observed on one calendar to the stored occurrences of the same lineage. The order of the
 * observed copies has no influence.
 * @returns for each observed slot the index of its stored slot, or `null`: it is a new occurrence
 */
export function matchSlots(
  stored: readonly StoredSlot[],
  observed: readonly ObservedSlot[],
  now: Instant,
): Array<number | null> {
  const matches: Array<number | null> = observed.map(() => null);
  /** Stored slot -> original instant of whoever took it first. */
  const taken = new Map<number, Instant>();
  const inOrder = [...observed.entries()].sort(
    ([, a], [, b]) =>
      originalOf(a) - originalOf(b) || a.start - b.start || (a.sourceId < b.sourceId ? -1 : 1),
  );
  const open = () => inOrder.filter(([at]) => matches[at] === null);
  const guessable = () => open().filter(([, slot]) => slot.status !== 'cancelled');
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
    if (!taken.has(match)) taken.set(match, originalOf(observed[at] as ObservedSlot));
  };

  // What another id of this pass still names is that one's.
  const shown = new Set(observed.map(({ sourceId }) => sourceId));
  const isNamed = (match: number) => stored[match]?.sourceIds.some((id) => shown.has(id)) ?? false;

  // Outlook makes ids of dates: an id at another original start is another's, where a later part of the series has what
  // it named, or shows it in this pass.
  const { mayFollow, liesBeforePart } = splits();
  const shownAt = Map.groupBy(observed, originalOf);
  const isHandedOn = (match: number, slot: ObservedSlot): boolean => {
    const was = stored[match] as StoredSlot;
    const originals = originalsOf(was);
    if (originals.includes(originalOf(slot))) return false;
    const parts = originals.flatMap((original) => shownAt.get(original) ?? []);
    return !mayFollow([...was.uids, ...parts.map(({ uid }) => uid)], slot);
  };

  // An id that stands belongs where it stands; one that was dragged along in time once stood elsewhere too.
  const byId = index(stored, (slot) => slot.sourceIds);
  const byFormerId = index(stored, (slot) => slot.formerIds);
  const byStart = index(stored, (slot) => [slot.start]);
  /** Observed slot -> the originals of the place it left: its event was used again after it was over. */
  const usedAgain = new Map<number, ReadonlySet<Instant>>();
  for (const [at, slot] of inOrder) {
    const named = (byId.get(slot.sourceId) ?? []).filter((match) => !isHandedOn(match, slot));
    // What another calendar has told of the same event already is nearer than the place it left.
    const left = named.some((match) => {
      const { start, end } = stored[match] as StoredSlot;
      return end <= now && start !== slot.start;
    });
    const originals = new Set(named.flatMap((match) => (stored[match] as StoredSlot).originalStarts));
    const arrived = left
      ? (byStart.get(slot.start) ?? []).filter(
          (match) => isSlotOf(stored[match], slot, originals) && !isNamed(match),
        )
      : [];
    settle(at, nearestOf([...arrived, ...named], slot));
    if (left && matches[at] === null) usedAgain.set(at, originals);
  }
  // What was used again is nobody else's place in the series: without an original start, or near one, it may look so.
  const mayGuess = (at: number, { originalStarts }: StoredSlot): boolean => {
    const originals = usedAgain.get(at);
    return (
      originals === undefined ||
      originalStarts.length === 0 ||
      originalStarts.some((original) => originals.has(original))
    );
  };

  // What took a slot by its id tells where the slot is now, as it will when this pass is stored.
  const byInstant = index(stored, (slot, at) => {
    const now = taken.get(at);
    if (now === undefined) return originalsOf(slot);
    return [...slot.originalStarts, now];
  });
  for (const [at, slot] of open()) {
    const original = originalOf(slot);
    const candidates = (byInstant.get(original) ?? []).filter((match) => {
      if ((taken.get(match) ?? original) !== original) return false;
      return !hasDateOnly(slot) || datesOf(stored[match] as StoredSlot).includes(dateOf(slot));
    });
    settle(at, nearestOf(candidates, slot));
  }

  // After the instants: Outlook makes ids of dates, and an occurrence that was moved meanwhile left its id to another.
  for (const [at, slot] of open()) {
    const candidates = (byFormerId.get(slot.sourceId) ?? []).filter(
      (match) => !taken.has(match) && !isHandedOn(match, slot),
    );
    settle(at, nearestOf(candidates, slot));
  }

  // A lineage of one single event has no other slot it could be.
  const [lone] = stored;
  const [loneObserved] = observed;
  if (
    stored.length === 1 &&
    observed.length === 1 &&
    lone &&
    loneObserved &&
    !taken.has(0) &&
    lone.here !== 'held' &&
    lone.originalStarts.length + lone.originalDates.length === 0 &&
    loneObserved.originalStart === null &&
    loneObserved.originalDate === null &&
    mayMeet(lone, loneObserved, now)
  ) {
    settle(0, 0);
  }

  const openStored = () =>
    [...stored.entries()].filter(([at, slot]) => !taken.has(at) && slot.here !== 'held');

  const storedOnDate = new Map<CalendarDate, number[]>();
  for (const [at, slot] of openStored()) {
    for (const date of new Set(datesOf(slot))) push(storedOnDate, date, at);
  }
  const observedOnDate = new Map<CalendarDate, number[]>();
  for (const [at, slot] of guessable()) push(observedOnDate, dateOf(slot), at);
  for (const [date, those] of observedOnDate) {
    const [at, other] = those;
    if (at === undefined || other !== undefined) continue;
    const is = observed[at] as ObservedSlot;
    // What it cannot be does not make it ambiguous: the place that an event left when it was used again.
    const [match, another] = (storedOnDate.get(date) ?? []).filter((one) => {
      const was = stored[one] as StoredSlot;
      return mayMeet(was, is, now) && mayFollow(was.uids, is) && mayGuess(at, was);
    });
    if (match !== undefined && another === undefined && !taken.has(match)) settle(at, match);
  }

  // Twins stay together, also where one of them was guessed.
  const slotOfTwin = new Map<string, number>();
  const joinsTwin = (slot: ObservedSlot): number | null => {
    const match = slotOfTwin.get(twinKey(slot));
    return match !== undefined && mayMeet(stored[match] as StoredSlot, slot, now) ? match : null;
  };
  for (const [at, slot] of inOrder) {
    const match = matches[at] ?? null;
    if (match !== null) slotOfTwin.set(twinKey(slot), match);
  }

  // A series has no other slot it could be where one alone lies ahead, left its place here, and one alone is shown.
  const shownOf = Map.groupBy(observed, ({ seriesId }) => seriesId);
  const aheadOf = Map.groupBy(
    stored.filter(({ end }) => end > now),
    ({ seriesId }) => seriesId,
  );
  const isLone = ({ here, seriesId }: StoredSlot, slot: ObservedSlot): boolean =>
    here === 'vacated' &&
    seriesId !== null &&
    seriesId === slot.seriesId &&
    shownOf.get(seriesId)?.length === 1 &&
    aheadOf.get(seriesId)?.length === 1;

  // Each guess tells more of the series; the next pass would know it from the start, so that this one looks again too.
  for (let before = -1; before < taken.size; ) {
    before = taken.size;
    const reach = halfInterval(asTaken(stored, inOrder, matches), observed, now);
    const pairs: Array<{ distance: number; at: number; match: number }> = [];
    const waiting = openStored();
    for (const [at, slot] of guessable()) {
      for (const [match, candidate] of waiting) {
        // A guess neither moves what is over nor lets what lies ahead be over, unless the source dates the change
        // before both: then nobody looked in time.
        const wasInTime = slot.updatedAt !== null && slot.updatedAt < slot.start;
        if (!mayMeet(candidate, slot, now) || (candidate.end > now && slot.start <= now && !wasInTime))
          continue;
        if (!mayFollow(candidate.uids, slot) || liesBeforePart(candidate, slot) || !mayGuess(at, candidate))
          continue;
        // Of a series and of an event by itself the interval says nothing where neither was the other on this calendar.
        const isConverted = (slot.originalStart === null) !== (candidate.originalStarts.length === 0);
        const within =
          candidate.here === 'elsewhere' && (isConverted || !Number.isFinite(reach))
            ? Math.min(reach, LONE_REACH)
            : reach;
        const distance = distanceOf(candidate, slot);
        if (distance <= within || isLone(candidate, slot)) pairs.push({ distance, at, match });
      }
    }
    // Sorting is stable: among equals the order of the slots decides, not that of the rows.
    pairs.sort((a, b) => a.distance - b.distance);
    for (const { at, match } of pairs) {
      const slot = observed[at] as ObservedSlot;
      if (matches[at] !== null || taken.has(match) || joinsTwin(slot) !== null) continue;
      settle(at, match);
      slotOfTwin.set(twinKey(slot), match);
    }
  }

  for (const [at, slot] of open()) settle(at, joinsTwin(slot));
  return matches;
}

function index<K>(
  slots: readonly StoredSlot[],
  keysOf: (slot: StoredSlot, at: number) => readonly K[],
): Map<K, number[]> {
  const map = new Map<K, number[]>();
  for (const [at, slot] of slots.entries()) for (const key of new Set(keysOf(slot, at))) push(map, key, at);
  return map;
}
