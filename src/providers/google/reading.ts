import { DateTime } from 'luxon';
import { baseOfGoogleId, lineageOfUid, lineageWithoutUid } from '../../domain/lineage.ts';
import { instantOfIso, isZone } from '../../domain/notation.ts';
import type {
  CalendarDate,
  CancelledInstance,
  ChangedItem,
  ChangePage,
  Instant,
  LeftOut,
  Listing,
  LookedUp,
  ObservedCopy,
  ObservedPerson,
  ObservedSeries,
  Rsvp,
  TagText,
} from '../../domain/observation.ts';
import { conferenceOf } from './conference.ts';
import { malformedAnswer } from './failures.ts';
import { type EventsPage, type WireEvent, type WireTime, wireEvent } from './wire.ts';

/** What an event does not say itself. */
export interface CalendarContext {
  /** The owner's address, lower-case. */
  readonly address: string;
  /** The calendar's zone, IANA; `null` where the answer has none (`events.get`). Days without a clock need it. */
  readonly zone: string | null;
  /** Our rights on the calendar; `null` where the answer does not tell. */
  readonly accessRole: string | null;
}

/** Rights under which private events come without their content. */
const SEES_PRIVATE: ReadonlySet<string> = new Set(['owner', 'writer']);
const EARLIEST_YEAR = 1970;
const LATEST_YEAR = 2200;
/** `{series}_{stamp}` with the instance's original start in UTC; the stamp of an all-day instance is a date. */
const INSTANCE_ID = /^(?<series>.+)_(?<day>\d{8})(?:T(?<time>\d{6})Z)?$/;

const RESPONSES: Readonly<Record<string, Rsvp>> = {
  accepted: 'accepted',
  declined: 'declined',
  tentative: 'tentative',
};

/** One address, as all of the project writes it. */
export function normalisedAddress(address: string): string {
  return address.normalize('NFC').trim().toLowerCase();
}

/** What stands behind the last `@` of an address. */
export function mailDomain(address: string): string {
  return normalisedAddress(address.slice(address.lastIndexOf('@') + 1));
}

/** Reads one page of the token stream; what cannot be read is counted, never lost in silence. */
export function readChangePage(page: EventsPage, calendar: CalendarContext): ChangePage {
  const items: ChangedItem[] = [];
  const leftOut: Partial<Record<LeftOut, number>> = {};
  for (const raw of page.items) {
    const read = readChange(raw, calendar);
    if (typeof read === 'string') leftOut[read] = (leftOut[read] ?? 0) + 1;
    else items.push(read);
  }
  return { items, leftOut, cursor: page.nextSyncToken };
}

function readChange(raw: unknown, calendar: CalendarContext): ChangedItem | LeftOut {
  const parsed = wireEvent.safeParse(raw);
  if (!parsed.success) return 'malformed';
  const event = parsed.data;
  if (event.status === 'cancelled') {
    const { originalStart: _, ...removed } = readCancelled(event, calendar);
    return { kind: 'removed', certainty: 'explicit', ...removed };
  }
  if (isSeries(event)) return { kind: 'series', series: readSeries(event, calendar) };
  const copy = readCopy(event, calendar);
  if (event.recurringEventId) {
    return {
      kind: 'exception',
      sourceId: event.id,
      seriesId: event.recurringEventId,
      people: invitedTo(event),
      text: textOf(event),
      copy: typeof copy === 'string' ? null : copy,
    };
  }
  return typeof copy === 'string' ? copy : { kind: 'single', copy };
}

/**
 * Reads a page of a list from which absence will be concluded, so a row that cannot be read spoils the page; dates
 * out of range are the exception, since such a row lies outside every window.
 * @throws Failure `transient`/`malformed_answer`
 */
export function readListing(page: EventsPage, calendar: CalendarContext, operation: string): Listing {
  const copies: ObservedCopy[] = [];
  const cancelled: CancelledInstance[] = [];
  for (const raw of page.items) {
    const parsed = wireEvent.safeParse(raw);
    if (!parsed.success) throw malformedAnswer(operation, 'an unreadable event');
    if (parsed.data.status === 'cancelled') {
      cancelled.push(readCancelled(parsed.data, calendar));
      continue;
    }
    const copy = readCopy(parsed.data, calendar);
    if (copy === 'malformed') throw malformedAnswer(operation, 'an event without times');
    if (typeof copy !== 'string') copies.push(copy);
  }
  return { copies, cancelled };
}

/** Reads the answer to a look at one id. @throws Failure `transient`/`malformed_answer` */
export function readLookedUp(event: WireEvent, calendar: CalendarContext): LookedUp {
  if (event.status === 'cancelled') return { found: 'gone' };
  if (isSeries(event)) return { found: 'series', series: readSeries(event, calendar) };
  if (event.recurringEventId) return { found: 'instance', seriesId: event.recurringEventId };
  const copy = readCopy(event, calendar);
  if (typeof copy === 'string') throw malformedAnswer('events.get', 'an event without usable times');
  return { found: 'single', copy };
}

function isSeries(event: WireEvent): boolean {
  return !event.recurringEventId && (event.recurrence?.length ?? 0) > 0;
}

function readSeries(event: WireEvent, calendar: CalendarContext): ObservedSeries {
  return {
    seriesId: event.id,
    uid: event.iCalUID ?? null,
    lineage: lineageOf(event, calendar),
    ordinary: isOrdinary(event),
    allDay: isAllDay(event),
    people: invitedTo(event),
    text: textOf(event),
    updatedAt: instantOf(event.updated),
  };
}

function invitedTo(event: WireEvent): readonly ObservedPerson[] {
  return peopleOf(event, organizerOf(event));
}

function organizerOf(event: WireEvent): string | null {
  return event.organizer?.email ? normalisedAddress(event.organizer.email) : null;
}

/** A cancelled event may be as little as an id and its status; then the id itself tells the series and the slot. */
function readCancelled(event: WireEvent, calendar: CalendarContext): CancelledInstance {
  const named = INSTANCE_ID.exec(event.id)?.groups;
  const slot = event.originalStartTime ? timeOf(event.originalStartTime, calendar) : slotOf(named, calendar);
  return {
    sourceId: event.id,
    seriesId: event.recurringEventId ?? named?.series ?? null,
    originalStart: slot,
    updatedAt: instantOf(event.updated),
    ...(removedByGuest(event) && { byGuest: true }),
  };
}

/**
 * Of a deleted event only the id is promised, but an event that its guest removed goes on to give its details
 * (https://developers.google.com/workspace/calendar/api/v3/reference/events, `status`), and removing it is declining
 * it. Both together are the guest's own doing; anything less may be the organizer's.
 */
function removedByGuest(event: WireEvent): boolean {
  if (!event.start || !event.organizer?.email || event.organizer.self === true) return false;
  return (event.attendees ?? []).some((one) => one.self === true && one.responseStatus === 'declined');
}

function slotOf(named: Record<string, string> | undefined, calendar: CalendarContext): Instant | null {
  if (named?.day === undefined) return null;
  const zone = named.time === undefined ? (calendar.zone ?? 'utc') : 'utc';
  const at = DateTime.fromISO(named.time === undefined ? named.day : `${named.day}T${named.time}`, { zone });
  return at.isValid ? at.toMillis() : null;
}

function readCopy(
  event: WireEvent,
  calendar: CalendarContext,
): ObservedCopy | 'malformed' | 'date_out_of_range' {
  const start = timeOf(event.start, calendar);
  // An event may have no end of its own (`endTimeUnspecified`); it then lasts no time.
  const end = event.end ? timeOf(event.end, calendar) : start;
  if (start === null || end === null || end < start) return 'malformed';
  if (!inRange(start) || !inRange(end)) return 'date_out_of_range';
  const original = event.recurringEventId ? originalOf(event, calendar) : NO_SLOT;
  if (original === null) return 'malformed';
  const hidden = isHidden(event, calendar);
  const own = event.attendees?.find((attendee) => attendee.self === true);
  const organizer = organizerOf(event);
  const ownerIsOrganizer = event.organizer?.self === true;
  return {
    sourceId: event.id,
    seriesId: event.recurringEventId || null,
    uid: event.iCalUID ?? null,
    lineage: lineageOf(event, calendar),
    originalStart: original.start,
    originalDate: original.date,
    start,
    end,
    timeZone: existingZone(event.start?.timeZone),
    allDay: isAllDay(event),
    ordinary: isOrdinary(event),
    status: event.status === 'tentative' ? 'tentative' : 'confirmed',
    unsent: false,
    organizer,
    ownerIsOrganizer,
    ownerResponse: own === undefined ? null : rsvpOf(own.responseStatus),
    people: peopleOf(event, organizer),
    peopleOmitted: hidden || peopleOmitted(event, ownerIsOrganizer),
    private: isPrivate(event),
    hidden,
    conference: conferenceOf(event),
    updatedAt: instantOf(event.updated),
    revision: event.etag ?? event.updated ?? '',
    text: textOf(event),
  };
}

const NO_SLOT = { start: null, date: null } as const;

/** The slot an instance was made for. Its date is read in the series' zone: the same lesson at both ends of a day. */
function originalOf(
  event: WireEvent,
  calendar: CalendarContext,
): { readonly start: Instant; readonly date: CalendarDate } | null {
  const given = event.originalStartTime;
  const start = given ? timeOf(given, calendar) : slotOf(INSTANCE_ID.exec(event.id)?.groups, calendar);
  if (start === null) return null;
  if (given?.date) return { start, date: given.date };
  const zone = existingZone(given?.timeZone) ?? existingZone(event.start?.timeZone) ?? calendar.zone ?? 'utc';
  const date = DateTime.fromMillis(start, { zone }).toISODate();
  return date === null ? null : { start, date };
}

/** An instant, or for a day without a clock its midnight in the calendar's zone. `null` when it cannot be read. */
function timeOf(given: WireTime | null | undefined, calendar: CalendarContext): Instant | null {
  const text = given?.dateTime ?? given?.date;
  if (!text) return null;
  // The zone matters only to times without an offset; Google sends offsets, other writers may not have.
  const zone = (given?.dateTime ? existingZone(given.timeZone) : null) ?? calendar.zone ?? 'utc';
  return instantOfIso(text, zone);
}

function inRange(instant: Instant): boolean {
  const year = new Date(instant).getUTCFullYear();
  return year >= EARLIEST_YEAR && year <= LATEST_YEAR;
}

function instantOf(text: string | null | undefined): Instant | null {
  return text ? instantOfIso(text, 'utc') : null;
}

function existingZone(zone: string | null | undefined): string | null {
  return zone && isZone(zone) ? zone : null;
}

function lineageOf(event: WireEvent, calendar: CalendarContext): string {
  const own = baseOfGoogleId(event.recurringEventId || event.id);
  return lineageOfUid(event.iCalUID) ?? lineageWithoutUid(calendar.address, own);
}

function isAllDay(event: WireEvent): boolean {
  return Boolean(event.start?.date) && !event.start?.dateTime;
}

function isOrdinary(event: WireEvent): boolean {
  return (event.eventType || 'default') === 'default';
}

function isPrivate(event: WireEvent): boolean {
  return event.visibility === 'private' || event.visibility === 'confidential';
}

/** An owner's private event may have no title either; what we are not shown lacks everything. */
function isHidden(event: WireEvent, calendar: CalendarContext): boolean {
  if (calendar.accessRole !== null && SEES_PRIVATE.has(calendar.accessRole)) return false;
  const bare = !event.summary && !event.description && !event.attendees && event.organizer?.self !== true;
  return bare && (isPrivate(event) || calendar.accessRole === 'freeBusyReader');
}

function rsvpOf(response: string | null | undefined): Rsvp {
  return RESPONSES[response ?? ''] ?? 'none';
}

function peopleOf(event: WireEvent, organizer: string | null): readonly ObservedPerson[] {
  const people: ObservedPerson[] = [];
  for (const attendee of event.attendees ?? []) {
    if (attendee.resource === true || !attendee.email) continue;
    const address = normalisedAddress(attendee.email);
    people.push({
      address,
      name: attendee.displayName?.normalize('NFC').trim() || null,
      response: rsvpOf(attendee.responseStatus),
      organizer: attendee.organizer === true || address === organizer,
      optional: attendee.optional === true,
    });
  }
  return people;
}

/** Hidden guests: the list was cut, guests may not see each other, or somebody is listed without an address. */
function peopleOmitted(event: WireEvent, ownerIsOrganizer: boolean): boolean {
  if (event.attendeesOmitted === true) return true;
  if (event.guestsCanSeeOtherGuests === false && !ownerIsOrganizer) return true;
  return (event.attendees ?? []).some((attendee) => !attendee.email);
}

function textOf(event: WireEvent): TagText {
  const { private: own, shared } = event.extendedProperties ?? {};
  const properties = [...Object.entries(own ?? {}), ...Object.entries(shared ?? {})];
  return {
    title: event.summary ?? null,
    body: event.description ?? null,
    categories: [],
    properties: properties.map(([name, value]) => ({ name, value })),
  };
}
