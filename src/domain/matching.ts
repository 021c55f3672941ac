import { splitStampOf } from './lineage.ts';
import type { CalendarDate, Instant } from './observation.ts';

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

/** An occurrence that is stored already. Originals are those of all its copies: each provider keeps its own. */
export interface StoredSlot {
  readonly originalStarts: readonly Instant[];
  readonly originalDates: readonly CalendarDate[];
  readonly start: Instant;
  readonly end: Instant;
  /** Its series on the observed calendar, or its last one where it stands on none; `null` for a single event. */
  readonly seriesId: string | null;
  /** The same on other calendars, whose ids are their own. */
  readonly seriesElsewhere: readonly string[];
  /** UIDs of the copies that stand on any calendar. */
  readonly uids: readonly string[];
  /** A copy stands on any calendar: where it does not, the originals are those of the last one that did. */
  readonly stands: boolean;
  /** Ids of the copies that stand on the observed calendar. */
  readonly sourceIds: readonly string[];
  /** Ids of copies that stood there once. */
  readonly formerIds: readonly string[];
  /**
   * `held`: a copy stands on the observed calendar and this pass does not take it away. `vacated`: this pass takes
   * away what stood there. `elsewhere`: no copy stands there.
   */
  readonly here: 'held' | 'vacated' | 'elsewhere';
  /** When the copies that stand on the observed calendar begin: what shows such a time again tells nothing new. */
  readonly startsHere: readonly Instant[];
  /** A verdict that counts was given: nothing but evidence changes it. */
  readonly settled: boolean;
  /** The organizer's copy stands on another calendar that is read, at the time that is stored: its word is awaited. */
  readonly awaitsOrganizer: boolean;
}

/** A copy as it was observed just now. */
export interface ObservedSlot {
  readonly sourceId: string;
  readonly seriesId: string | null;
  readonly uid: string | null;
  readonly originalStart: Instant | null;
  readonly originalDate: CalendarDate | null;
  readonly start: Instant;
  /** One that is off is where it was: nobody moved it. */
  readonly status: 'confirmed' | 'tentative' | 'cancelled';
  readonly ownerIsOrganizer: boolean;
  readonly updatedAt: Instant | null;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** How far a lone slot that another calendar told of may lie from this calendar's: less than a day, as no other is known. */
const LONE_REACH = 12 * HOUR;

function utcDate(instant: Instant): CalendarDate {
  return new Date(instant).toISOString().slice(0, 10);
}

/** A single event has no original; where one side is single (a conversion), its start stands in. */
export const originalOf = (slot: ObservedSlot): Instant => slot.originalStart ?? slot.start;
const originalsOf = (slot: StoredSlot): readonly Instant[] =>
  slot.originalStarts.length > 0 ? slot.originalStarts : [slot.start];
export const dateOf = (slot: ObservedSlot): CalendarDate => slot.originalDate ?? utcDate(originalOf(slot));
const datesOf = (slot: StoredSlot): readonly CalendarDate[] =>
  slot.originalDates.length > 0 ? slot.originalDates : originalsOf(slot).map(utcDate);
/** Outlook's single event that is one occurrence of a series: the date is what it was made with, the start may have moved. */
export const hasDateOnly = (slot: ObservedSlot): boolean =>
  slot.originalStart === null && slot.originalDate !== null;

/**
 * The past is not rewritten: what was over when somebody gave its event another time stays, and the event (dragged to
 * next week, to use it again) becomes an occurrence of its own. When nobody looked in time, the source's date of the
 * change tells which it was: one from before the old start moved what had not begun. The organizer's date decides, so
 * that the order in which calendars are read does not.
 */
function mayMeet(stored: StoredSlot, observed: ObservedSlot, now: Instant): boolean {
  if (stored.end > now || observed.start === stored.start) return true;
  if (stored.startsHere.includes(observed.start)) return true;
  if (observed.updatedAt === null) return observed.start <= now;
  if (observed.updatedAt < stored.start) return !stored.settled;
  // A time that was over as well when it was set is only how the past is shown: a series that was moved as a whole.
  if (observed.start <= observed.updatedAt) return true;
  return stored.awaitsOrganizer && !observed.ownerIsOrganizer;
}

/**
 * What the splits of a series say, by the stamps that Google puts into the UIDs of its parts. Slots share their UIDs,
 * and every pair of slots asks.
 */
function splits(): {
  /**
   * A split hands occurrences on to a part with a later stamp, never back: what an earlier part shows beside a slot of
   * a later one is another occurrence, though it falls on the same day.
   */
  mayFollow: (uids: ReadonlyArray<string | null>, observed: ObservedSlot) => boolean;
  /**
   * A part began at its split, so that nothing of before was handed on to it. A day is left for zones.
   */
  liesBeforePart: (stored: StoredSlot, observed: ObservedSlot) => boolean;
} {
  const known = new Map<string | null, { stamp: string; began: Instant }>();
  const partOf = (uid: string | null): { stamp: string; began: Instant } => {
    const found = known.get(uid);
    if (found) return found;
    const stamp = splitStampOf(uid);
    const [year, month, day] = [stamp.slice(0, 4), stamp.slice(4, 6), stamp.slice(6, 8)].map(Number);
    const began = stamp === '' ? Number.NEGATIVE_INFINITY : Date.UTC(year ?? 0, (month ?? 0) - 1, day);
    known.set(uid, { stamp, began });
    return { stamp, began };
  };
  return {
    mayFollow: (uids, observed) => uids.every((uid) => partOf(uid).stamp <= partOf(observed.uid).stamp),
    liesBeforePart(stored, observed) {
      const { stamp, began } = partOf(observed.uid);
      if (stored.uids.some((uid) => partOf(uid).stamp === stamp)) return false;
      return Math.max(stored.start, ...originalsOf(stored)) < began - DAY;
    },
  };
}

/**
 * The same occurrence by its original start, where it may still come to stand on the observed calendar. A guest of one
 * occurrence alone has it in Outlook without the original start: that of the place it left tells.
 */
function isSlotOf(
  stored: StoredSlot | undefined,
  observed: ObservedSlot,
  left: ReadonlySet<Instant>,
): boolean {
  if (stored === undefined || stored.here === 'held') return false;
  if (observed.originalStart !== null) return stored.originalStarts.includes(observed.originalStart);
  return stored.originalStarts.length === 0 || stored.originalStarts.some((original) => left.has(original));
}

/**
 * How far an observed copy lies from a stored slot. A single event has no original: made of an occurrence that had been
 * moved, or shown to a guest of that one alone, it stands where that one stands.
 */
function distanceOf(stored: StoredSlot, observed: ObservedSlot): number {
  const isSingle = observed.originalStart === null && observed.originalDate === null;
  const places = isSingle ? [...originalsOf(stored), stored.start] : originalsOf(stored);
  return Math.min(...places.map((place) => Math.abs(place - originalOf(observed))));
}

const twinKey = (slot: ObservedSlot): string =>
  `${originalOf(slot)}/${hasDateOnly(slot) ? dateOf(slot) : ''}`;

/**
 * Half the shortest distance between two slots of one series; `Infinity` where there is no second slot. The parts of a
 * split are looked at apart: on different weekdays the last of one and the first of the other may be a day apart. So may
 * what was over when the series was moved as a whole and the place that was laid out for it again, and what stands on no
 * calendar any more and keeps its old place: they count only where what stands ahead tells no interval.
 */
function halfInterval(
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
function asTaken(
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

function push<K>(map: Map<K, number[]>, key: K, value: number): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}

function index<K>(
  slots: readonly StoredSlot[],
  keysOf: (slot: StoredSlot, at: number) => readonly K[],
): Map<K, number[]> {
  const map = new Map<K, number[]>();
  for (const [at, slot] of slots.entries()) for (const key of new Set(keysOf(slot, at))) push(map, key, at);
  return map;
}
