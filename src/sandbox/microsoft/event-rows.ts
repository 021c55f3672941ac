import { createHash } from 'node:crypto';
import { localDate, uidAtOutlook } from '../world/identifiers.ts';
import { categoriesAt, copyStatus, ownResponse } from '../world/occurrences.ts';
import { slotsOf } from '../world/recurrence.ts';
import type { Guest, Response } from '../world/types.ts';
import { isDraft } from '../world/unsent.ts';
import type { World } from '../world/world.ts';
import { eventId, idOf, type MailboxEvent } from './mailbox.ts';
import { dateTimeIn, originalStartIn, type Preferences, stamp } from './preferences.ts';
import { patternedRecurrence, zoneNames } from './recurrence-pattern.ts';

export type Row = Record<string, unknown>;

/** The sentinel by which Graph says "never" where a time must stand. */
const NEVER = '0001-01-01T00:00:00Z';

const RESPONSES: Readonly<Record<Response, string>> = {
  none: 'none',
  accepted: 'accepted',
  declined: 'declined',
  tentative: 'tentativelyAccepted',
};

/** An event with all its fields, as `/events/{id}`, `/instances` and plain `calendarView` print it. */
export function fullRow(world: World, event: MailboxEvent, preferences: Preferences): Row {
  const { meeting, occurrence, copy, reader } = event;
  const tag = etag(world, event);
  const html = bodyOf(event);
  const place = placeOf(event);
  const zone = zoneNames(meeting, reader).original;
  const isOccurrence = event.type === 'occurrence' || event.type === 'exception';
  return {
    '@odata.etag': `W/"${tag}"`,
    id: eventId(world, event, preferences.immutableIds),
    createdDateTime: stamp(copy.createdAt),
    lastModifiedDateTime: stamp(world.updatedAt(reader.id, meeting, event.slot)),
    changeKey: tag,
    categories: categoriesAt(copy, event.slot),
    transactionId: null,
    originalStartTimeZone: zone,
    originalEndTimeZone: zone,
    iCalUId: uidAtOutlook(meeting, reader, event.slot),
    reminderMinutesBeforeStart: 15,
    isReminderOn: !event.isCancelled,
    hasAttachments: false,
    subject: event.isCancelled ? `Canceled: ${occurrence.title}` : occurrence.title,
    bodyPreview: textOf(html).slice(0, 255),
    importance: 'normal',
    sensitivity: sensitivityOf(meeting.visibility),
    isAllDay: meeting.allDay,
    isCancelled: event.isCancelled,
    isOrganizer: copy.isOrganizer,
    responseRequested: true,
    seriesMasterId: isOccurrence ? idOf(world, copy, meeting, null, preferences.immutableIds) : null,
    showAs: showAsOf(event),
    type: event.type,
    webLink: `https://outlook.office365.com/owa/?itemid=${encodeURIComponent(eventId(world, event, false))}&exvsurl=1&path=/calendar/item`,
    onlineMeetingUrl: null,
    isOnlineMeeting: meeting.conference?.kind === 'teams',
    onlineMeetingProvider: meeting.conference?.kind === 'teams' ? 'teamsForBusiness' : 'unknown',
    allowNewTimeProposals: true,
    isDraft: isDraft(copy, event.slot),
    hideAttendees: meeting.hideGuests,
    ...(isOccurrence && event.slot !== null
      ? { originalStart: originalStartIn(allDayAware(event, event.slot), preferences) }
      : {}),
    responseStatus: ownStatus(event),
    body: {
      contentType: preferences.textBody ? 'text' : 'html',
      content: preferences.textBody ? textOf(html) : html,
    },
    start: dateTimeIn(occurrence.start, preferences, meeting.allDay),
    end: dateTimeIn(occurrence.end, preferences, meeting.allDay),
    location: {
      displayName: place,
      locationType: 'default',
      uniqueId: place,
      uniqueIdType: place === '' ? 'unknown' : 'private',
    },
    locations:
      place === ''
        ? []
        : [{ displayName: place, locationType: 'default', uniqueId: place, uniqueIdType: 'private' }],
    recurrence: event.type === 'seriesMaster' ? patternedRecurrence(meeting, reader) : null,
    attendees: attendeesOf(event),
    organizer: organizerOf(world, event),
    onlineMeeting: meeting.conference?.kind === 'teams' ? { joinUrl: meeting.conference.joinUrl } : null,
  };
}

/**
 * An event as `calendarView/delta` prints it: occurrences as bare stubs, exceptions without the words they share
 * with their series, everything else full.
 */
export function deltaRow(world: World, event: MailboxEvent, preferences: Preferences): Row {
  const full = fullRow(world, event, preferences);
  const typed: Row = { '@odata.type': '#microsoft.graph.event', ...full };
  if (event.type === 'occurrence') {
    const names = ['@odata.type', '@odata.etag', 'id', 'seriesMasterId', 'type', 'start', 'end'];
    return Object.fromEntries(names.map((name) => [name, typed[name]]));
  }
  if (event.type === 'exception' && event.occurrence.title === event.meeting.title) {
    const { subject: _subject, body: _body, bodyPreview: _preview, ...rest } = typed;
    return rest;
  }
  return typed;
}

/** A row of delta that only says "look again": the event was deleted, left the window or never was in it. */
export function removedRow(id: string): Row {
  return { '@odata.type': '#microsoft.graph.event', id, '@removed': { reason: 'deleted' } };
}

/** `cancelledOccurrences` of a series: `OID.{master id}.{date}` for each occurrence that is no longer there. */
export function cancelledOccurrences(world: World, master: MailboxEvent, masterId: string): string[] {
  const { meeting, copy } = master;
  const zone = meeting.allDay ? 'UTC' : meeting.zone;
  const gone = slotsOf(meeting, world.now()).filter((slot) => copyStatus(meeting, copy, slot) !== 'live');
  return [...gone, ...(meeting.recurrence?.exdates ?? [])]
    .sort((one, other) => one - other)
    .map((slot) => `OID.${masterId}.${localDate(slot, zone)}`);
}

function etag(world: World, event: MailboxEvent): string {
  const { copy, meeting, slot } = event;
  const draft = JSON.stringify([...(copy.unsent?.times ?? [])]);
  const state = `${copy.unsent === undefined ? '' : draft}${copy.immutableId} ${slot} ${meeting.sequence} ${world.updatedAt(event.reader.id, meeting, slot)}`;
  return createHash('sha256').update(state).digest('base64').slice(0, 31).concat('=');
}

/** The day of an all-day occurrence begins at midnight of the series' own zone, told in UTC. */
function allDayAware(event: MailboxEvent, slot: number): number {
  if (!event.meeting.allDay) return slot;
  const wall = new Date(slot).toISOString().slice(0, 10);
  return midnightIn(wall, event.meeting.zone);
}

function midnightIn(date: string, zone: string): number {
  const guess = Date.parse(`${date}T00:00:00Z`);
  const shown = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(guess);
  return guess - (Date.parse(`${shown.replace(' ', 'T')}Z`) - guess);
}

function bodyOf(event: MailboxEvent): string {
  const { conference } = event.meeting;
  const { body } = event.occurrence;
  // A Meet link reaches an Outlook mailbox as words only: in the place and in the text.
  const link =
    conference?.kind === 'meet'
      ? `<p>Join with Google Meet: https://meet.google.com/${conference.code}</p>`
      : conference?.kind === 'teams'
        ? `<p>Microsoft Teams meeting</p><p><a href="${conference.joinUrl.replaceAll('&', '&amp;')}">Join the meeting now</a></p>`
        : '';
  const content = body + link;
  return content === ''
    ? ''
    : `<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>${content}</body></html>`;
}

function placeOf(event: MailboxEvent): string {
  const { conference, location } = event.meeting;
  if (location !== '') return location;
  if (conference?.kind === 'meet') return `https://meet.google.com/${conference.code}`;
  return conference?.kind === 'teams' ? 'Microsoft Teams Meeting' : '';
}

function textOf(html: string): string {
  return html
    .replace(/<head>.*?<\/head>/gs, '')
    .replace(/<br\s*\/?>|<\/p>/gi, '\r\n')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&amp;', '&')
    .trim();
}

function sensitivityOf(visibility: MailboxEvent['meeting']['visibility']): string {
  return visibility === 'private' || visibility === 'confidential' ? visibility : 'normal';
}

function showAsOf(event: MailboxEvent): string {
  if (event.isCancelled) return 'free';
  if (event.copy.isOrganizer) return 'busy';
  const { response } = ownResponse(event.copy, event.slot);
  return response === 'accepted' ? 'busy' : response === 'declined' ? 'free' : 'tentative';
}

/** The mailbox owner's own answer. `notResponded` is what an attendee sees where the organizer sees `none`. */
function ownStatus(event: MailboxEvent): Row {
  if (event.copy.isOrganizer) return { response: 'organizer', time: NEVER };
  const { response, at } = ownResponse(event.copy, event.slot);
  if (response === 'none') return { response: 'notResponded', time: NEVER };
  return { response: RESPONSES[response], time: at === null ? NEVER : stamp(at) };
}

function attendeesOf(event: MailboxEvent): Row[] {
  const { meeting, copy, reader } = event;
  const isOwn = (guest: Guest): boolean => guest.person === reader.id;
  const shown =
    meeting.hideGuests && !copy.isOrganizer ? event.occurrence.guests.filter(isOwn) : event.occurrence.guests;
  return shown.map((guest) => {
    // Only the organizer's copy knows everybody's answer; the organizer's own answer is told to nobody, and an
    // attendee finds their own in `responseStatus`, not in this list.
    const told = copy.isOrganizer && guest.person !== meeting.organizer ? guest : null;
    return {
      type: guest.kind,
      status: {
        response: told === null ? 'none' : RESPONSES[told.response],
        time: told?.respondedAt == null ? NEVER : stamp(told.respondedAt),
      },
      emailAddress: { name: guest.name, address: guest.address },
    };
  });
}

function organizerOf(world: World, event: MailboxEvent): Row {
  const organizer = world.person(event.meeting.organizer);
  return { emailAddress: { name: organizer.name, address: organizer.addresses[0] ?? '' } };
}
