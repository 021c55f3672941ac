import { failure } from '../../domain/failure.ts';
import { instanceDateOfUid, lineageOfUid, lineageWithoutUid } from '../../domain/lineage.ts';
import type {
  CalendarDate,
  ChangedItem,
  Instant,
  LeftOut,
  Listing,
  ObservedCopy,
  ObservedPerson,
  ObservedSeries,
  Rsvp,
  TagText,
} from '../../domain/observation.ts';
import { conferenceOf } from './conference.ts';
import { dateIn, ianaZone, inRange, instantOf, instantOfText } from './time.ts';
import { type WireEvent, type WireMaster, wireEvent } from './wire.ts';

/** Graph shows at most this many attendees. */
const ATTENDEES_SHOWN = 500;

const RESPONSES: Readonly<Record<string, Rsvp>> = {
  organizer: 'accepted',
  accepted: 'accepted',
  declined: 'declined',
  tentativelyAccepted: 'tentative',
};

export type EventKind = 'single' | 'occurrence' | 'exception' | 'series';

const KINDS: Readonly<Record<string, EventKind>> = {
  singleInstance: 'single',
  occurrence: 'occurrence',
  exception: 'exception',
  seriesMaster: 'series',
};

/** What a row is. Answers that were narrowed or shortened may lack `type`; then its fields tell. */
export function kindOf(event: WireEvent): EventKind {
  const kind = KINDS[event.type ?? ''];
  if (kind !== undefined) return kind;
  if (event.seriesMasterId) return 'occurrence';
  return event.recurrence ? 'series' : 'single';
}

/**
 * One row of `calendarView/delta`, or why it is left out.
 * @param owner the calendar's address, lower-case
 */
export function readChange(row: unknown, owner: string): ChangedItem | LeftOut {
  const parsed = wireEvent.safeParse(row);
  if (!parsed.success) return 'malformed';
  const event = parsed.data;
  if (event['@removed']) {
    // Graph says "deleted" also of what only left the window, or never was in it.
    return { kind: 'removed', sourceId: event.id, seriesId: null, certainty: 'look', updatedAt: null };
  }
  const kind = kindOf(event);
  if (kind === 'series') return { kind, series: readSeries(event, owner) };
  if (kind === 'single') {
    const copy = readCopy(event, owner);
    return typeof copy === 'string' ? copy : { kind, copy };
  }
  const { id: sourceId, seriesMasterId: seriesId } = event;
  if (!seriesId) return 'malformed';
  return kind === 'exception'
    ? { kind, sourceId, seriesId, people: invitedTo(event), text: textOf(event), copy: null }
    : { kind, sourceId, seriesId };
}

/** The rows of one delta page, with a count of those left out. */
export function readChanges(
  rows: readonly unknown[],
  owner: string,
): { readonly items: ChangedItem[]; readonly leftOut: Partial<Record<LeftOut, number>> } {
  const items: ChangedItem[] = [];
  const leftOut: Partial<Record<LeftOut, number>> = {};
  for (const row of rows) {
    const item = readChange(row, owner);
    if (typeof item === 'string') leftOut[item] = (leftOut[item] ?? 0) + 1;
    else items.push(item);
  }
  return { items, leftOut };
}

/**
 * The rows of a complete list, `calendarView` or `instances`.
 * @throws Failure `bug`/`malformed_event` for a row that cannot be read: leaving it out would say that
 *   the session is gone
 */
export function readListing(
  events: readonly WireEvent[],
  owner: string,
  ownersZone: string | null = null,
): Listing {
  const copies: ObservedCopy[] = [];
  for (const event of events) {
    // Some answers name the master beside its occurrences; it is never a session itself.
    if (kindOf(event) === 'series' || event['@removed']) continue;
    const copy = readCopy(event, owner, ownersZone);
    if (copy === 'malformed') throw malformed();
    if (typeof copy !== 'string') copies.push(copy);
  }
  return { copies, cancelled: [] };
}

/** Rows of a complete list in their wire shape. @throws as `readListing` */
export function listedEvents(rows: readonly unknown[]): WireEvent[] {
  return rows.map((row) => {
    const parsed = wireEvent.safeParse(row);
    if (!parsed.success) throw malformed();
    return parsed.data;
  });
}

function malformed() {
  return failure.bug('malformed_event', {
    provider: 'microsoft',
    detail: 'an event in a complete list cannot be read',
  });
}

/**
 * Whether a row of a series is thinner than its master may be: exceptions arrive with an empty subject or body. One whose
 * text a person emptied looks the same, and its master's text counts for it: better a tag too many than a session lost.
 */
export function isThin(event: WireEvent): boolean {
  return (
    event.iCalUId == null ||
    event.organizer == null ||
    !event.subject ||
    !event.body?.content ||
    event.attendees == null
  );
}

/**
 * An occurrence or exception with the fields it lacks taken from its master. Its own values win; its times and
 * its own state never come from the master, whose start is that of the first occurrence.
 */
export function completedFrom(master: WireEvent, event: WireEvent): WireEvent {
  return {
    ...event,
    iCalUId: event.iCalUId ?? master.iCalUId,
    subject: event.subject || master.subject,
    body: event.body?.content ? event.body : master.body,
    categories: event.categories ?? master.categories,
    originalStartTimeZone: event.originalStartTimeZone ?? master.originalStartTimeZone,
    recurrence: event.recurrence ?? master.recurrence,
    isAllDay: event.isAllDay ?? master.isAllDay,
    isCancelled: event.isCancelled ?? master.isCancelled,
    isDraft: event.isDraft ?? master.isDraft,
    isOrganizer: event.isOrganizer ?? master.isOrganizer,
    organizer: event.organizer ?? master.organizer,
    attendees: event.attendees ?? master.attendees,
    hideAttendees: event.hideAttendees ?? master.hideAttendees,
    responseStatus: event.responseStatus ?? master.responseStatus,
    sensitivity: event.sensitivity ?? master.sensitivity,
    onlineMeeting: event.onlineMeeting ?? master.onlineMeeting,
    onlineMeetingUrl: event.onlineMeetingUrl ?? master.onlineMeetingUrl,
    location: event.location ?? master.location,
    locations: event.locations ?? master.locations,
    lastModifiedDateTime: event.lastModifiedDateTime ?? master.lastModifiedDateTime,
  };
}

/** The dates with which the occurrences that were called off had been made: ids `OID.{master}.{yyyy-MM-dd}` end in them. */
export function calledOffDates(master: WireMaster): CalendarDate[] {
  return (master.cancelledOccurrences ?? []).flatMap((id) => /\.(\d{4}-\d{2}-\d{2})$/.exec(id)?.[1] ?? []);
}

/**
 * An occurrence of a series that is off, dated no earlier than the series: an exception shows that mark under the date
 * of its own last edit, which may be weeks older, and believed it would call off what has taken place. Which of them
 * had been called off by themselves before, nothing tells for certain: those, too, count from then unless known already.
 */
export function datedWith(master: WireMaster, copy: ObservedCopy): ObservedCopy {
  const calledOffAt = master.isCancelled ? instantOfText(master.lastModifiedDateTime) : null;
  if (copy.status !== 'cancelled' || calledOffAt === null || copy.updatedAt === null) return copy;
  return { ...copy, updatedAt: Math.max(copy.updatedAt, calledOffAt) };
}

/** A master as the source of its series. */
export function readSeries(event: WireEvent, owner: string): ObservedSeries {
  return {
    seriesId: event.id,
    uid: event.iCalUId ?? null,
    lineage: lineageOfUid(event.iCalUId) ?? lineageWithoutUid(owner, event.id),
    ordinary: true,
    allDay: event.isAllDay === true,
    people: invitedTo(event),
    text: textOf(event),
    updatedAt: instantOfText(event.lastModifiedDateTime),
  };
}

function invitedTo(event: WireEvent): readonly ObservedPerson[] {
  return peopleOf(event, addressOf(event.organizer)).known;
}

/**
 * A single event, an occurrence or an exception as a copy on `owner`'s calendar, or why it is left out.
 * @param ownersZone dates what names no zone that exists (desktop Outlook makes zones of its own)
 */
export function readCopy(
  event: WireEvent,
  owner: string,
  ownersZone: string | null = null,
): ObservedCopy | LeftOut {
  const start = event.start && instantOf(event.start);
  const end = event.end && instantOf(event.end);
  if (start == null || end == null || end < start) return 'malformed';
  if (!inRange(start) || !inRange(end)) return 'date_out_of_range';
  const kind = kindOf(event);
  const seriesId = kind === 'single' ? null : (event.seriesMasterId ?? null);
  if (kind !== 'single' && seriesId === null) return 'malformed';
  const zone = ianaZone(event.originalStartTimeZone) ?? ianaZone(event.recurrence?.range?.recurrenceTimeZone);
  const originalStart = kind === 'single' ? null : originalStartOf(event, kind, start);
  const organizer = addressOf(event.organizer);
  const ownerIsOrganizer = event.isOrganizer ?? organizer === owner;
  const people = peopleOf(event, organizer);
  return {
    sourceId: event.id,
    seriesId,
    uid: event.iCalUId ?? null,
    lineage: lineageOfUid(event.iCalUId) ?? lineageWithoutUid(owner, seriesId ?? event.id),
    originalStart,
    originalDate: originalDateOf(event, kind, originalStart ?? start, zone ?? ownersZone),
    start,
    end,
    timeZone: zone,
    allDay: event.isAllDay === true,
    ordinary: true,
    status: event.isCancelled ? 'cancelled' : 'confirmed',
    unsent: event.isDraft === true && ownerIsOrganizer,
    organizer,
    ownerIsOrganizer,
    ownerResponse: event.responseStatus?.response ? responseOf(event.responseStatus.response) : null,
    people: people.known,
    peopleOmitted: people.incomplete || (event.hideAttendees === true && !ownerIsOrganizer),
    private: !['normal', undefined, null].includes(event.sensitivity),
    hidden: event.subject == null && event.attendees == null && event.organizer == null,
    conference: conferenceOf(event),
    updatedAt: instantOfText(event.lastModifiedDateTime),
    revision: revisionOf(event),
    text: textOf(event),
  };
}

/**
 * An occurrence stands where it was made, so a missing `originalStart` is its start; of an exception nobody
 * knows. The text carries its own offset and is never combined with `originalStartTimeZone`.
 */
function originalStartOf(event: WireEvent, kind: EventKind, start: Instant): Instant | null {
  return instantOfText(event.originalStart) ?? (kind === 'occurrence' ? start : null);
}

/**
 * The date in the UID first: editing the series' time of day shifts `originalStart`, not the instance.
 * A single event has a date only where its UID names one: an invitation to one occurrence of a series.
 */
function originalDateOf(
  event: WireEvent,
  kind: EventKind,
  start: Instant,
  zone: string | null,
): CalendarDate | null {
  return instanceDateOfUid(event.iCalUId) ?? (kind === 'single' ? null : dateIn(start, zone));
}

/** Without an etag a row must never look unchanged, so all of it stands in. */
function revisionOf(event: WireEvent): string {
  return event['@odata.etag'] ?? event.changeKey ?? event.lastModifiedDateTime ?? JSON.stringify(event);
}

/** `notResponded` and `none` mean the same, seen from the two sides. */
function responseOf(response: string | null | undefined): Rsvp {
  return RESPONSES[response ?? ''] ?? 'none';
}

function textOf(event: WireEvent): TagText {
  return {
    title: event.subject ?? null,
    body: event.body?.content ?? null,
    categories: event.categories ?? [],
    properties: [],
  };
}

/** Invited people and the organizer, whom Graph often names only apart; rooms and equipment left out. */
function peopleOf(event: WireEvent, organizer: string | null) {
  const people = new Map<string, ObservedPerson>();
  const attendees = event.attendees ?? [];
  let incomplete = event.attendees == null || attendees.length >= ATTENDEES_SHOWN;
  for (const attendee of attendees) {
    if (attendee.type === 'resource') continue;
    const address = addressOf(attendee);
    if (address === null) {
      incomplete = true;
      continue;
    }
    // Asking for the organizer's response gives "none" from every calendar, their own included.
    const isOrganizer = address === organizer || attendee.status?.response === 'organizer';
    const response = isOrganizer ? 'accepted' : responseOf(attendee.status?.response);
    const known = people.get(address);
    if (known !== undefined && (known.response !== 'none' || response === 'none')) continue;
    const optional = attendee.type === 'optional';
    people.set(address, { address, name: nameOf(attendee), response, organizer: isOrganizer, optional });
  }
  if (organizer !== null && !people.has(organizer)) {
    const name = nameOf(event.organizer);
    people.set(organizer, {
      address: organizer,
      name,
      response: 'accepted',
      organizer: true,
      optional: false,
    });
  }
  return { known: [...people.values()], incomplete };
}

type WireRecipient = NonNullable<WireEvent['organizer']>;

/** `null` also for an Exchange directory name (`/O=EXCHANGELABS/...`), which no roster knows. */
function addressOf(recipient: WireRecipient | null | undefined): string | null {
  const address = recipient?.emailAddress?.address?.trim().normalize('NFC').toLowerCase();
  return address?.includes('@') ? address : null;
}

function nameOf(recipient: WireRecipient | null | undefined): string | null {
  return recipient?.emailAddress?.name?.trim() || null;
}
