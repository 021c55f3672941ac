import { DateTime, IANAZone } from 'luxon';
import { uidAtGoogle } from '../world/identifiers.ts';
import { occurrenceAt } from '../world/occurrences.ts';
import type { World } from '../world/world.ts';
import { invalidParameter, REFUSALS, refuse } from './errors.ts';
import type { EventRef } from './event-resource.ts';

/** The parameters of events.list, read and checked as Google checks them. */
export interface EventQuery {
  syncToken: string | null;
  pageToken: string | null;
  timeMin: number | null;
  timeMax: number | null;
  updatedMin: number | null;
  singleEvents: boolean;
  showDeleted: boolean;
  maxResults: number;
  maxAttendees: number | null;
  orderBy: 'startTime' | 'updated' | null;
  iCalUID: string | null;
  q: string | null;
  privateExtendedProperty: string[];
  sharedExtendedProperty: string[];
  eventTypes: string[];
  timeZone: string | null;
  /** Whether the listing ends in a sync token: searches and orders do not. */
  syncable: boolean;
  /** What may not change between a sync token's making and its use. */
  parameters: string;
}

/** May not stand beside a sync token, https://developers.google.com/workspace/calendar/api/v3/reference/events/list. */
const FORBIDDEN_WITH_SYNC_TOKEN = [
  'iCalUID',
  'orderBy',
  'privateExtendedProperty',
  'q',
  'sharedExtendedProperty',
  'timeMin',
  'timeMax',
  'updatedMin',
];
/** A listing narrowed or ordered by one of these gives no sync token. */
const NOT_SYNCABLE = FORBIDDEN_WITH_SYNC_TOKEN.filter((name) => name !== 'timeMin' && name !== 'timeMax');
const DEFAULT_PAGE = 250;
const LARGEST_PAGE = 2500;

/** Reads a query. Refuses with 400 what Google refuses. */
export function readQuery(raw: unknown): EventQuery {
  const all = (raw ?? {}) as Record<string, string | string[] | undefined>;
  const many = (name: string): string[] => [all[name] ?? []].flat();
  const one = (name: string): string | null => many(name)[0] ?? null;
  const syncToken = one('syncToken');
  if (syncToken !== null) {
    const forbidden = FORBIDDEN_WITH_SYNC_TOKEN.find((name) => all[name] !== undefined);
    const message = 'Sync token cannot be used with list restrictions.';
    if (forbidden !== undefined) return refuse(invalidParameter(forbidden, message));
    if (one('showDeleted') === 'false') return refuse(invalidParameter('showDeleted', message));
  }
  const timeMin = instant(one('timeMin'));
  const timeMax = instant(one('timeMax'));
  if (timeMin !== null && timeMax !== null && timeMin >= timeMax) return refuse(REFUSALS.timeRangeEmpty);
  const singleEvents = one('singleEvents') === 'true';
  const orderBy = one('orderBy');
  if (orderBy !== null && orderBy !== 'startTime' && orderBy !== 'updated') {
    return refuse(invalidParameter('orderBy'));
  }
  if (orderBy === 'startTime' && !singleEvents) {
    return refuse(
      invalidParameter('orderBy', 'The requested ordering is not available for the particular query.'),
    );
  }
  const timeZone = one('timeZone');
  if (timeZone !== null && !IANAZone.isValidZone(timeZone)) return refuse(invalidParameter('timeZone'));
  const eventTypes = many('eventTypes');
  return {
    syncToken,
    pageToken: one('pageToken'),
    timeMin,
    timeMax,
    updatedMin: instant(one('updatedMin')),
    singleEvents,
    showDeleted: one('showDeleted') === 'true',
    maxResults: Math.min(count(one('maxResults'), 'maxResults') ?? DEFAULT_PAGE, LARGEST_PAGE),
    maxAttendees: count(one('maxAttendees'), 'maxAttendees'),
    orderBy,
    iCalUID: one('iCalUID'),
    q: one('q'),
    privateExtendedProperty: many('privateExtendedProperty'),
    sharedExtendedProperty: many('sharedExtendedProperty'),
    eventTypes,
    timeZone,
    syncable: NOT_SYNCABLE.every((name) => all[name] === undefined),
    parameters: `${singleEvents ? 'single' : 'series'} ${eventTypes.toSorted().join(',')}`,
  };
}

/** Whether an entry is asked for by type, UID, words or properties. */
export function matches(query: EventQuery, ref: EventRef, world: World): boolean {
  const { meeting, copy } = ref;
  if (query.eventTypes.length > 0 && !query.eventTypes.includes(meeting.eventType)) return false;
  const reader = world.person(copy.person);
  if (query.iCalUID !== null && uidAtGoogle(meeting, reader) !== query.iCalUID) return false;
  if (!holds(copy.privateProperties, query.privateExtendedProperty)) return false;
  if (!holds(meeting.sharedProperties, query.sharedExtendedProperty)) return false;
  if (query.updatedMin !== null && world.updatedAt(copy.person, meeting, ref.slot) < query.updatedMin) {
    return false;
  }
  return query.q === null || mentions(ref, query.q, world.now());
}

/** Google looks for whole words in the texts and the guests' addresses. */
function mentions(ref: EventRef, q: string, now: number): boolean {
  const occurrence = occurrenceAt(ref.meeting, ref.slot, now);
  const guests = occurrence.guests.flatMap((guest) => [guest.address, guest.name]);
  const text = [occurrence.title, occurrence.body, ref.meeting.location, ...guests].join(' ').toLowerCase();
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function holds(properties: Record<string, string>, wanted: string[]): boolean {
  return wanted.every((constraint) => {
    const [key = '', ...value] = constraint.split('=');
    return properties[key] === value.join('=');
  });
}

/** RFC 3339 with an offset, nothing less. */
function instant(text: string | null): number | null {
  if (text === null) return null;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text)) {
    return refuse(REFUSALS.badRequest);
  }
  const at = DateTime.fromISO(text);
  return at.isValid ? at.startOf('second').toMillis() : refuse(REFUSALS.badRequest);
}

function count(text: string | null, name: string): number | null {
  if (text === null) return null;
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : refuse(invalidParameter(name));
}
