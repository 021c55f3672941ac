import { DateTime } from 'luxon';
import { googleInstanceId, uidAtGoogle } from '../world/identifiers.ts';
import { copyStatus, occurrenceAt, ownResponse } from '../world/occurrences.ts';
import { compactUtc, localOf } from '../world/recurrence.ts';
import type { Copy, Guest, Meeting, Occurrence, Person, Response } from '../world/types.ts';
import { rowKey } from '../world/world.ts';
import { conferenceFields } from './conference-fields.ts';
import type { GoogleContext } from './context.ts';

/** One entry of a calendar: `slot` names an occurrence, null a single event or a series' master. */
export interface EventRef {
  meeting: Meeting;
  copy: Copy;
  slot: number | null;
}

/** How the reader sees the calendar. */
export interface CalendarView {
  owner: Person;
  accessRole: Person['accessRole'];
  /** The zone in which times are written. */
  timeZone: string;
  maxAttendees: number | null;
}

export type EventResource = Record<string, unknown>;

/** The id of an entry on a Google calendar. */
export function eventId({ meeting, slot }: Pick<EventRef, 'meeting' | 'slot'>): string {
  return slot === null ? meeting.eventId : googleInstanceId(meeting, slot);
}

/** An event as Google writes it, https://developers.google.com/workspace/calendar/api/v3/reference/events. */
export function eventResource(context: GoogleContext, view: CalendarView, ref: EventRef): EventResource {
  const status = copyStatus(ref.meeting, ref.copy, ref.slot);
  if (status !== 'live') return tombstone(context, view, ref);
  return fullEvent(context, view, ref, 'confirmed');
}

/**
 * A deleted entry. Only the id is promised; the organizer's own calendar often still shows the rest, as does that of
 * a guest who removed it, and now and then even the series an occurrence belonged to is left out.
 */
function tombstone(context: GoogleContext, view: CalendarView, ref: EventRef): EventResource {
  const id = eventId(ref);
  const chance = context.random.fork(`tombstone ${id} ${ref.copy.person}`).next();
  if (chance < context.habits.sparseTombstones) return { id, status: 'cancelled' };
  if (ref.copy.isOrganizer && ref.slot === null) return fullEvent(context, view, ref, 'cancelled');
  if (ref.slot === null && removedByOwner(ref)) return fullEvent(context, view, ref, 'cancelled');
  const base = { kind: 'calendar#event', etag: etag(context, ref), id, status: 'cancelled' };
  return ref.slot === null ? base : { ...base, ...instanceFields(ref, view) };
}

/** A guest took it off their own calendar, and nobody had called it off before: Google takes that for declining it. */
function removedByOwner({ meeting, copy }: EventRef): boolean {
  return copy.deletedAt !== null && meeting.cancelledAt === null && copy.uninvitedAt === null;
}

function fullEvent(
  context: GoogleContext,
  view: CalendarView,
  ref: EventRef,
  status: 'confirmed' | 'cancelled',
): EventResource {
  const { meeting, copy, slot } = ref;
  const occurrence = occurrenceAt(meeting, slot, context.world.now());
  const when = {
    ...(slot === null ? recurrenceFields(meeting) : instanceFields(ref, view)),
    start: eventTime(meeting, occurrence.start, view),
    end: eventTime(meeting, occurrence.end, view),
  };
  const frame = {
    kind: 'calendar#event',
    etag: etag(context, ref),
    id: eventId(ref),
    status,
    htmlLink: `https://www.google.com/calendar/event?eid=${Buffer.from(eventId(ref)).toString('base64url')}`,
    created: new Date(copy.createdAt).toISOString(),
    updated: new Date(context.world.updatedAt(copy.person, meeting, slot)).toISOString(),
  };
  const isPrivate = meeting.visibility === 'private' || meeting.visibility === 'confidential';
  if (view.accessRole === 'freeBusyReader' || (isPrivate && view.accessRole !== 'owner')) {
    return { ...frame, ...when, visibility: 'private', iCalUID: uidAtGoogle(meeting, view.owner) };
  }
  const { location, description, ...conference } = conferenceFields(meeting, occurrence);
  return {
    ...frame,
    summary: occurrence.title,
    ...(description === '' ? {} : { description }),
    ...(location === '' ? {} : { location }),
    ...people(context, view, ref, occurrence),
    ...when,
    iCalUID: uidAtGoogle(meeting, view.owner),
    sequence: Math.max(0, meeting.sequence),
    ...(meeting.visibility === 'default' ? {} : { visibility: meeting.visibility }),
    ...extendedProperties(meeting, copy),
    ...conference,
    ...(meeting.hideGuests ? { guestsCanSeeOtherGuests: false } : {}),
    reminders: { useDefault: true },
    eventType: meeting.eventType,
  };
}

function recurrenceFields(meeting: Meeting): EventResource {
  if (meeting.recurrence === null) return {};
  const { rule, exdates } = meeting.recurrence;
  const excluded = exdates.map((date) =>
    meeting.allDay
      ? `EXDATE;VALUE=DATE:${compactUtc(date).slice(0, 8)}`
      : `EXDATE;TZID=${meeting.zone}:${localOf(date, meeting.zone).replaceAll(/[-:]/g, '')}00`,
  );
  return { recurrence: [...excluded, `RRULE:${rule}`] };
}

function instanceFields({ meeting, slot }: EventRef, view: CalendarView): EventResource {
  if (slot === null) return {};
  return { recurringEventId: meeting.eventId, originalStartTime: eventTime(meeting, slot, view) };
}

/** Times carry the offset of the calendar's zone and the name of the event's own. */
function eventTime(meeting: Meeting, instant: number, view: CalendarView): EventResource {
  if (meeting.allDay) return { date: localOf(instant, 'UTC').slice(0, 10) };
  const local = DateTime.fromMillis(instant, { zone: view.timeZone });
  return {
    dateTime: local.toISO({ suppressMilliseconds: true, includeOffset: true }),
    timeZone: meeting.zone,
  };
}

function people(
  context: GoogleContext,
  view: CalendarView,
  ref: EventRef,
  occurrence: Occurrence,
): EventResource {
  const organizer = context.world.person(ref.meeting.organizer);
  const self = (person: string | null): EventResource => (person === view.owner.id ? { self: true } : {});
  const organizerEmail = organizer.addresses[0] ?? '';
  const organizerCopy = context.world.copy(organizer.id, ref.meeting.id);
  const all = [
    {
      email: organizerEmail,
      displayName: organizer.name,
      organizer: true,
      ...self(organizer.id),
      responseStatus:
        organizerCopy === undefined
          ? 'accepted'
          : googleAnswer(ownResponse(organizerCopy, ref.slot).response),
    },
    ...occurrence.guests.map((guest) => attendee(view, ref, guest)),
  ];
  const only = all.filter((entry) => 'self' in entry);
  const hidden = ref.meeting.hideGuests && !ref.copy.isOrganizer;
  const tooMany = view.maxAttendees !== null && all.length > view.maxAttendees;
  return {
    creator: { email: organizerEmail, ...self(organizer.id) },
    organizer: { email: organizerEmail, displayName: organizer.name, ...self(organizer.id) },
    // Without guests Google names no attendees at all, not even the owner.
    ...(occurrence.guests.length === 0 ? {} : { attendees: hidden || tooMany ? only : all }),
    ...(occurrence.guests.length > 0 && (hidden || tooMany) ? { attendeesOmitted: true } : {}),
  };
}

function attendee(view: CalendarView, ref: EventRef, guest: Guest): EventResource {
  const isSelf = guest.person === view.owner.id;
  // A meeting made elsewhere reaches Google as mail: other guests' answers do not come with it.
  const own = removedByOwner(ref) ? 'declined' : ownResponse(ref.copy, ref.slot).response;
  const known = ref.meeting.home === 'google' || ref.copy.isOrganizer ? guest.response : 'none';
  return {
    email: guest.address,
    displayName: guest.name,
    ...(isSelf ? { self: true } : {}),
    ...(guest.kind === 'resource' ? { resource: true } : {}),
    ...(guest.kind === 'optional' ? { optional: true } : {}),
    responseStatus: googleAnswer(isSelf ? own : known),
  };
}

function googleAnswer(response: Response): string {
  return response === 'none' ? 'needsAction' : response;
}

function extendedProperties(meeting: Meeting, copy: Copy): EventResource {
  const own = copy.privateProperties;
  const shared = meeting.sharedProperties;
  const properties = {
    ...(Object.keys(own).length > 0 ? { private: own } : {}),
    ...(Object.keys(shared).length > 0 ? { shared } : {}),
  };
  return Object.keys(properties).length > 0 ? { extendedProperties: properties } : {};
}

/** Google's etags are twice the microseconds of the last change; the sequence keeps two changes apart. */
function etag(context: GoogleContext, ref: EventRef): string {
  const rows = context.world.calendar(ref.copy.person).rows;
  const row = rows.get(rowKey(ref.meeting.id, ref.slot)) ?? rows.get(rowKey(ref.meeting.id, null));
  const micros = (row?.updatedAt ?? ref.meeting.updatedAt) * 1000 + ((row?.seq ?? 0) % 1000);
  return `"${micros * 2}"`;
}
