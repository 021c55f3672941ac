import type { CalendarDate, Instant, ObservedPerson } from './observation.ts';

/**
 * Single events without an iCalendar UID. Nothing names what such copies have in common, so each would be a meeting of
 * its own on every calendar. Two of them are taken for one meeting when they say the same of it (organizer, start, end,
 * and title, where none of the two is private), each names whose calendar the other stands on, and no third one could
 * be meant on either calendar: one organizer may well invite two people to the same hour under the same title.
 *
 * Occurrences of a series are left apart: theirs would have to be told from each other as well, and one wrong pair
 * would join all of them.
 */

/** What is compared of a copy, observed or stored. */
export interface NamelessCopy {
  readonly lineage: string;
  readonly calendarId: number;
  readonly organizer: string | null;
  readonly start: Instant;
  readonly end: Instant;
  readonly title: string | null;
  readonly private: boolean;
  readonly people: readonly ObservedPerson[];
  readonly peopleOmitted: boolean;
  /** Every address of whose calendar it stands on. */
  readonly ownerAddresses: readonly string[];
}

/** Whether a copy is a single event without a UID. */
export function isNameless(copy: {
  readonly uid: string | null;
  readonly seriesId: string | null;
  readonly originalStart: Instant | null;
  readonly originalDate: CalendarDate | null;
}): boolean {
  return [copy.uid, copy.seriesId, copy.originalStart, copy.originalDate].every((value) => value === null);
}

/**
 * The lineages that new nameless copies of one calendar share with copies on others.
 * @param arriving those that are not stored yet
 * @param here those that stand on the same calendar
 * @param elsewhere those that stand on calendars of other people
 * @returns by the lineage that each had by itself; those that stay alone are left out
 */
export function sharedLineages(
  arriving: readonly NamelessCopy[],
  here: readonly NamelessCopy[],
  elsewhere: readonly NamelessCopy[],
): Map<string, string> {
  const taken = new Set(here.map((copy) => copy.lineage));
  const onThisCalendar = [...arriving, ...here];
  const shared = new Map<string, string>();
  for (const copy of arriving) {
    const others = elsewhere.filter((other) => !taken.has(other.lineage) && isSameMeeting(copy, other));
    const [lineage, ...more] = new Set(others.map((other) => other.lineage));
    if (lineage === undefined || more.length > 0) continue;
    const rivals = onThisCalendar.filter((one) => others.some((other) => isSameMeeting(one, other)));
    if (rivals.length === 1) shared.set(copy.lineage, lineage);
  }
  return shared;
}

function isSameMeeting(one: NamelessCopy, other: NamelessCopy): boolean {
  if (one.organizer === null || one.organizer !== other.organizer) return false;
  if (one.start !== other.start || one.end !== other.end) return false;
  if (!one.private && !other.private && one.title !== other.title) return false;
  const named = [names(one, other), names(other, one)];
  return named.includes('yes') && !named.includes('no');
}

/** Whether `one` invites whose calendar `other` stands on. */
function names(one: NamelessCopy, other: NamelessCopy): 'yes' | 'no' | 'unsaid' {
  if (one.people.some((person) => other.ownerAddresses.includes(person.address))) return 'yes';
  return one.peopleOmitted ? 'unsaid' : 'no';
}
