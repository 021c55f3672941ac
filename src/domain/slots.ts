import { splitStampOf } from './lineage.ts';
import type { CalendarDate, Instant } from './observation.ts';

/** The places of a series: those that are stored, and those that a pass shows. */

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
  /**
   * When the copies that stand on the observed calendar begin: what shows such a time again tells nothing new, unless
   * it was sent to nobody before.
   */
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

export const HOUR = 3_600_000;

const DAY = 24 * HOUR;

function utcDate(instant: Instant): CalendarDate {
  return new Date(instant).toISOString().slice(0, 10);
}

/** A single event has no original; where one side is single (a conversion), its start stands in. */
export const originalOf = (slot: ObservedSlot): Instant => slot.originalStart ?? slot.start;

export const originalsOf = (slot: StoredSlot): readonly Instant[] =>
  slot.originalStarts.length > 0 ? slot.originalStarts : [slot.start];

export const dateOf = (slot: ObservedSlot): CalendarDate => slot.originalDate ?? utcDate(originalOf(slot));

export const datesOf = (slot: StoredSlot): readonly CalendarDate[] =>
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
export function mayMeet(stored: StoredSlot, observed: ObservedSlot, now: Instant): boolean {
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
export function splits(): {
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
export function isSlotOf(
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
export function distanceOf(stored: StoredSlot, observed: ObservedSlot): number {
  const isSingle = observed.originalStart === null && observed.originalDate === null;
  const places = isSingle ? [...originalsOf(stored), stored.start] : originalsOf(stored);
  return Math.min(...places.map((place) => Math.abs(place - originalOf(observed))));
}

export const twinKey = (slot: ObservedSlot): string =>
  `${originalOf(slot)}/${hasDateOnly(slot) ? dateOf(slot) : ''}`;

export function push<K>(map: Map<K, number[]>, key: K, value: number): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
