import { localDate } from '../world/identifiers.ts';
import { copyStatus, occurrenceAt, occurrencesOf, type Span } from '../world/occurrences.ts';
import { slotsOf } from '../world/recurrence.ts';
import type { Copy, Meeting, Occurrence, Person } from '../world/types.ts';
import type { Calendar, World } from '../world/world.ts';

/** One event as a mailbox holds it. */
export interface MailboxEvent {
  readonly type: 'singleInstance' | 'seriesMaster' | 'occurrence' | 'exception';
  readonly reader: Person;
  readonly copy: Copy;
  readonly meeting: Meeting;
  /** The original start; null for singles and masters. An invitation to one occurrence keeps its slot. */
  readonly slot: number | null;
  /** What takes place; for a master its first occurrence. */
  readonly occurrence: Occurrence;
  /** Called off by the organizer and still lying on an attendee's calendar. */
  readonly isCancelled: boolean;
}

/** Everything of one meeting that lies on a mailbox's calendar, its master first. */
export function eventsOfCopy(
  world: World,
  calendar: Calendar,
  copy: Copy,
  span: Span | null,
): MailboxEvent[] {
  const meeting = world.meeting(copy.meeting);
  if (meeting.recurrence === null) return singleEvents(world, calendar, copy, meeting, span);
  const now = world.now();
  const slots = occurrencesOf(meeting, now, span ?? undefined);
  const onlyOccurrences = copy.occurrencesOnly;
  const occurrences = slots.flatMap((occurrence) => {
    const standing = standingOf(meeting, copy, occurrence.slot);
    if (standing === 'absent') return [];
    // An override may belong to somebody else's view only; it is an exception for everybody all the same.
    // So is an occurrence with categories of its own: a plain one has nothing but its series'.
    const ofOwner = occurrence.slot === null ? undefined : copy.slots.get(occurrence.slot);
    const differs = occurrence.isException || ofOwner?.categories != null;
    const type = onlyOccurrences ? 'singleInstance' : differs ? 'exception' : 'occurrence';
    const own = { reader: calendar.owner, copy, meeting, slot: occurrence.slot, occurrence };
    return [{ ...own, type, isCancelled: standing === 'cancelled' } satisfies MailboxEvent];
  });
  if (onlyOccurrences) return occurrences;
  const master = masterOf(world, calendar, copy);
  return master === null ? [] : [master, ...occurrences];
}

/** The series master of a copy; null when the series is not on the calendar (any more) or was never a series. */
export function masterOf(world: World, calendar: Calendar, copy: Copy): MailboxEvent | null {
  const meeting = world.meeting(copy.meeting);
  if (meeting.recurrence === null) return null;
  // Somebody invited to single occurrences has no series on the calendar: its standing is absent, too.
  const standing = standingOf(meeting, copy, null);
  if (standing === 'absent') return null;
  const now = world.now();
  const first = slotsOf(meeting, now)[0] ?? null;
  return {
    type: 'seriesMaster',
    reader: calendar.owner,
    copy,
    meeting,
    slot: null,
    // The series' own words and times, never those of an exception that happens to be its first occurrence.
    occurrence: {
      ...occurrenceAt({ ...meeting, overrides: new Map(), recurrence: null }, null, now),
      meeting,
      ...(first === null ? {} : { start: first, end: first + meeting.minutes * 60_000 }),
    },
    isCancelled: standing === 'cancelled',
  };
}

/** Everything on a calendar within a span, masters included where one of their occurrences is. */
export function eventsWithin(world: World, calendar: Calendar, span: Span): MailboxEvent[] {
  return [...calendar.copies.values()].flatMap((copy) => {
    const events = eventsOfCopy(world, calendar, copy, span);
    return events.every((event) => event.type === 'seriesMaster') ? [] : events;
  });
}

/** This mailbox's id of an event, in the format asked for. */
export function eventId(world: World, event: MailboxEvent, immutable: boolean): string {
  return idOf(world, event.copy, event.meeting, event.type === 'seriesMaster' ? null : event.slot, immutable);
}

/** The id of a copy, or of one of its occurrences by original start. */
export function idOf(
  world: World,
  copy: Copy,
  meeting: Meeting,
  slot: number | null,
  immutable: boolean,
): string {
  const stem = immutable ? copy.immutableId : copy.eventId;
  return slot === null ? `${stem}AAA=` : `${stem}QAI${dateCode(world, meeting, slot)}AEYAAAAA=`;
}

/** The event behind an id of either format; null when it is not (or no longer) on the calendar. */
export function findEvent(world: World, calendar: Calendar, id: string): MailboxEvent | null {
  const copy = [...calendar.copies.values()].find(
    (candidate) => id.startsWith(candidate.eventId) || id.startsWith(candidate.immutableId),
  );
  if (copy === undefined) return null;
  const meeting = world.meeting(copy.meeting);
  const immutable = id.startsWith(copy.immutableId);
  if (idOf(world, copy, meeting, null, immutable) === id) {
    if (meeting.recurrence !== null) return masterOf(world, calendar, copy);
    return eventsOfCopy(world, calendar, copy, null)[0] ?? null;
  }
  const events = eventsOfCopy(world, calendar, copy, null);
  return events.find((event) => eventId(world, event, immutable) === id) ?? null;
}

/** A single event in Deleted Items: it keeps its ids there, and no view shows it. */
export function findInTrash(world: World, calendar: Calendar, id: string): MailboxEvent | null {
  for (const copy of calendar.copies.values()) {
    const meeting = world.meeting(copy.meeting);
    if (meeting.recurrence !== null || standingOf(meeting, copy, null) !== 'absent') continue;
    if (![true, false].some((immutable) => idOf(world, copy, meeting, null, immutable) === id)) continue;
    const occurrence = occurrenceAt(meeting, null, world.now());
    const type = 'singleInstance';
    return { type, reader: calendar.owner, copy, meeting, slot: null, occurrence, isCancelled: false };
  }
  return null;
}

/**
 * Outlook builds the id of an occurrence from the series' id and the original date: an exception keeps the id its
 * occurrence had, another time of day keeps all ids, another weekday changes them. A second occurrence on one date
 * (Outlook makes none, imported series may have them) gets a mark of its own.
 */
function dateCode(world: World, meeting: Meeting, slot: number): string {
  const zone = meeting.allDay ? 'UTC' : meeting.zone;
  const date = localDate(slot, zone);
  const bytes = Buffer.alloc(6);
  bytes.writeUInt32BE(Math.round(Date.parse(date) / 86_400_000), 0);
  const sameDate = slotsOf(meeting, world.now()).filter(
    (other) => Math.abs(other - slot) < 86_400_000 && localDate(other, zone) === date,
  );
  // An original start that the series has left keeps the id it had.
  bytes.writeUInt16BE(Math.max(0, sameDate.indexOf(slot)), 4);
  return bytes.toString('base64url');
}

function singleEvents(
  world: World,
  calendar: Calendar,
  copy: Copy,
  meeting: Meeting,
  span: Span | null,
): MailboxEvent[] {
  const standing = standingOf(meeting, copy, null);
  if (standing === 'absent') return [];
  return occurrencesOf(meeting, world.now(), span ?? undefined).map((occurrence) => ({
    type: 'singleInstance',
    reader: calendar.owner,
    copy,
    meeting,
    slot: null,
    occurrence,
    isCancelled: standing === 'cancelled',
  }));
}

/**
 * A cancellation takes the event off the organizer's calendar (it goes to Deleted Items), while an attendee's copy
 * stays and is marked.
 */
function standingOf(meeting: Meeting, copy: Copy, slot: number | null): 'live' | 'cancelled' | 'absent' {
  const status = copyStatus(meeting, copy, slot);
  if (status === 'live') return 'live';
  return status === 'cancelled' && !copy.isOrganizer ? 'cancelled' : 'absent';
}
