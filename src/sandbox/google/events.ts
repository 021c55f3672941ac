import type { FastifyInstance, FastifyRequest } from 'fastify';
import { copyStatus, hasSlot, timesAt } from '../world/occurrences.ts';
import type { Meeting } from '../world/types.ts';
import type { Calendar } from '../world/world.ts';
import { type OpenCalendar, openCalendar } from './access.ts';
import type { GoogleContext } from './context.ts';
import { invalidParameter, REFUSALS, refuse } from './errors.ts';
import { type EventQuery, matches, readQuery } from './event-query.ts';
import { type CalendarView, type EventRef, eventId, eventResource } from './event-resource.ts';
import {
  changedEntries,
  entriesOf,
  goneSince,
  instancesOf,
  laidOut,
  seriesGone,
  shuffled,
} from './listing.ts';
import { createPages, type Listing, type Pages, readSyncToken, writeSyncToken } from './pages.ts';

interface CalendarPath {
  calendarId: string;
}
interface EventPath extends CalendarPath {
  eventId: string;
}

/** The Calendar API's reading half: events.list, events.get and events.instances. */
export function registerEvents(app: FastifyInstance, context: GoogleContext): void {
  const pages = createPages(context);

  app.get<{ Params: CalendarPath }>('/calendar/v3/calendars/:calendarId/events', async (request) => {
    const calendar = openCalendar(context, request, request.params.calendarId);
    const query = readQuery(request.query);
    return page(context, pages, request, calendar, query, () => begin(context, calendar, query, request));
  });

  app.get<{ Params: EventPath }>('/calendar/v3/calendars/:calendarId/events/:eventId', async (request) => {
    const calendar = openCalendar(context, request, request.params.calendarId);
    const ref = findEvent(context, calendar, request.params.eventId);
    const gone = goneSince(ref);
    // For a while a deleted event is still shown as cancelled, then it is told to be deleted, then unknown.
    const age = gone === null ? 0 : context.world.now() - gone;
    if (age > context.habits.tombstonesKeptMs) return refuse(REFUSALS.notFound);
    if (age > DELETED_SHOWN_MS) return refuse(REFUSALS.deleted);
    return eventResource(context, viewOf(calendar, readQuery(request.query)), ref);
  });

  app.get<{ Params: EventPath }>(
    '/calendar/v3/calendars/:calendarId/events/:eventId/instances',
    async (request) => {
      const calendar = openCalendar(context, request, request.params.calendarId);
      const query = readQuery(request.query);
      if (query.syncToken !== null) return refuse(invalidParameter('syncToken'));
      return page(context, pages, request, calendar, query, () => {
        const { meeting, copy } = findEvent(context, calendar, request.params.eventId);
        if (meeting.recurrence === null) return refuse(REFUSALS.badRequest);
        const refs = instancesOf(context.world, meeting, copy, { from: query.timeMin, until: query.timeMax });
        const shown = refs.filter((ref) => query.showDeleted || goneSince(ref) === null);
        return listing(context.world.calendar(calendar.owner.id), shown, request, false);
      });
    },
  );
}

/** For so long a deleted event is still given, as cancelled. */
const DELETED_SHOWN_MS = 24 * 3_600_000;

function begin(
  context: GoogleContext,
  open: OpenCalendar,
  query: EventQuery,
  request: FastifyRequest,
): Listing {
  const { world } = context;
  const calendar = world.calendar(open.owner.id);
  if (query.syncToken !== null) {
    const after = sequenceOf(query, request, calendar);
    const changed = changedEntries(world, calendar, after, query.singleEvents)
      // A deleted series is told once; its occurrences do not each arrive.
      .filter((ref) => query.singleEvents || ref.slot === null || !seriesGone(ref))
      .filter((ref) => matches(query, ref, world));
    return listing(calendar, shuffled(changed, calendar.seq), request, true);
  }
  if (query.updatedMin !== null && query.updatedMin < world.now() - context.habits.tombstonesKeptMs) {
    return refuse(REFUSALS.updatedMinTooLongAgo);
  }
  const window = { from: query.timeMin, until: query.timeMax };
  const refs = (query.singleEvents ? laidOut(world, calendar, window) : entriesOf(world, calendar, window))
    .filter((ref) => matches(query, ref, world))
    .filter((ref) => isListed(context, query, ref));
  return listing(calendar, ordered(context, refs, query), request, query.syncable);
}

/** The sequence a sync token stands for. Refuses tokens that expired, never were, or meant something else. */
function sequenceOf(query: EventQuery, request: FastifyRequest, calendar: Calendar): number {
  const point = query.syncToken === null ? null : readSyncToken(query.syncToken);
  if (request.fault?.kind === 'expired_cursor') return refuse(REFUSALS.fullSyncRequired);
  if (point === null || point.owner !== calendar.owner.id) return refuse(invalidParameter('syncToken'));
  if (point.generation !== calendar.tokenGeneration) return refuse(REFUSALS.fullSyncRequired);
  // Google calls other parameters than the first time undefined behaviour; here they are refused, to be noticed.
  if (point.parameters !== query.parameters) return refuse(invalidParameter('syncToken'));
  return point.seq;
}

/** Deleted entries are shown on request and for a while; cancelled occurrences as long as their series lives. */
function isListed(context: GoogleContext, query: EventQuery, ref: EventRef): boolean {
  const gone = goneSince(ref);
  if (gone === null) return true;
  if (ref.slot !== null && !query.singleEvents) return !seriesGone(ref);
  const isRecent = context.world.now() - gone <= context.habits.tombstonesKeptMs;
  return (query.showDeleted || query.updatedMin !== null) && isRecent;
}

function ordered(context: GoogleContext, refs: EventRef[], query: EventQuery): EventRef[] {
  const { world } = context;
  if (query.orderBy === null) return shuffled(refs, 1);
  const rank = (ref: EventRef): number =>
    query.orderBy === 'startTime'
      ? timesAt(ref.meeting, ref.slot).start
      : world.updatedAt(ref.copy.person, ref.meeting, ref.slot);
  return refs
    .map((ref) => ({ ref, rank: rank(ref) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ ref }) => ref);
}

function listing(calendar: Calendar, refs: EventRef[], request: FastifyRequest, syncable: boolean): Listing {
  return {
    owner: calendar.owner.id,
    query: withoutPageToken(request),
    refs,
    offset: 0,
    afterEmpty: false,
    seq: calendar.seq,
    generation: calendar.tokenGeneration,
    syncable,
  };
}

/** One page of a listing, new or continued. */
function page(
  context: GoogleContext,
  pages: Pages,
  request: FastifyRequest,
  open: OpenCalendar,
  query: EventQuery,
  start: () => Listing,
): unknown {
  const calendar = context.world.calendar(open.owner.id);
  const current = query.pageToken === null ? start() : continued(pages, query, request, calendar);
  const view = viewOf(open, query);
  const remaining = current.refs.length - current.offset;
  const isEmpty =
    request.fault?.kind === 'empty_page' ||
    (remaining > 0 && !current.afterEmpty && context.random.next() < context.habits.emptyPages);
  const size = isEmpty ? 0 : Math.min(query.maxResults, context.habits.maxPage, remaining);
  const again = request.fault?.kind === 'repeated_page' ? context.habits.maxPage : 0;
  const items = current.refs.slice(Math.max(0, current.offset - again), current.offset + size);
  const next = { ...current, offset: current.offset + size, afterEmpty: isEmpty };
  const isLast = !isEmpty && next.offset >= next.refs.length;
  const broken = request.fault?.kind === 'tokens' ? request.fault.shows : null;
  const shows = { next: broken ? broken === 'both' : !isLast, sync: broken ? broken === 'both' : isLast };
  return {
    kind: 'calendar#events',
    etag: `"p${calendar.seq}g${calendar.tokenGeneration}"`,
    summary: open.owner.addresses[0],
    description: '',
    updated: new Date(lastChange(calendar, context.world.now())).toISOString(),
    timeZone: view.timeZone,
    accessRole: open.accessRole,
    defaultReminders: open.accessRole === 'owner' ? [{ method: 'popup', minutes: 10 }] : [],
    ...(shows.next ? { nextPageToken: pages.keep(next) } : {}),
    ...(shows.sync && current.syncable
      ? {
          nextSyncToken: writeSyncToken({
            owner: current.owner,
            seq: current.seq,
            generation: current.generation,
            parameters: query.parameters,
          }),
        }
      : {}),
    items: items.map((ref) => eventResource(context, view, ref)),
  };
}

function continued(pages: Pages, query: EventQuery, request: FastifyRequest, calendar: Calendar): Listing {
  const known = pages.find(query.pageToken ?? '');
  if (request.fault?.kind === 'expired_cursor') return refuse(REFUSALS.fullSyncRequired);
  if (known === undefined || known.owner !== calendar.owner.id) return refuse(invalidParameter('pageToken'));
  if (known.query !== withoutPageToken(request)) return refuse(invalidParameter('pageToken'));
  if (known.generation !== calendar.tokenGeneration) {
    return refuse(query.syncToken === null ? invalidParameter('pageToken') : REFUSALS.fullSyncRequired);
  }
  return known;
}

function findEvent(context: GoogleContext, open: OpenCalendar, id: string): EventRef {
  const { world } = context;
  for (const copy of world.calendar(open.owner.id).copies.values()) {
    const meeting = world.meeting(copy.meeting);
    if (id !== meeting.eventId && !id.startsWith(`${meeting.instancePrefix}_`)) continue;
    const slot = id === meeting.eventId ? null : slotNamed(meeting, id, world.now());
    if (slot === undefined || copyStatus(meeting, copy, slot) === 'not_invited') continue;
    return { meeting, copy, slot };
  }
  return refuse(REFUSALS.notFound);
}

/** The occurrence an id names; undefined when the series has none there. */
function slotNamed(meeting: Meeting, id: string, now: number): number | undefined {
  const [, year, month, day, time] = /_(\d{4})(\d{2})(\d{2})(?:T(\d{6})Z)?$/.exec(id) ?? [];
  const clock = time === undefined ? '00:00:00' : time.replace(/(..)(..)(..)/, '$1:$2:$3');
  const slot = Date.parse(`${year}-${month}-${day}T${clock}Z`);
  return hasSlot(meeting, slot, now) && eventId({ meeting, slot }) === id ? slot : undefined;
}

function viewOf(open: OpenCalendar, query: EventQuery): CalendarView {
  return { ...open, timeZone: query.timeZone ?? open.owner.zone, maxAttendees: query.maxAttendees };
}

function lastChange(calendar: Calendar, now: number): number {
  return calendar.rows.size === 0
    ? now
    : Math.max(...[...calendar.rows.values()].map((row) => row.updatedAt));
}

/** Path and query without the page token, parameters sorted: two pages of one listing agree in it. */
function withoutPageToken(request: FastifyRequest): string {
  const url = new URL(request.url, 'http://sandbox.invalid');
  url.searchParams.delete('pageToken');
  url.searchParams.sort();
  return `${url.pathname}?${url.searchParams.toString()}`;
}
