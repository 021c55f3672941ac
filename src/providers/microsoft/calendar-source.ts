import { lineageOfUid } from '../../domain/lineage.ts';
import type { Listing, LookedUp, ObservedCopy, Window } from '../../domain/observation.ts';
import type { CalendarRef, CalendarSource } from '../../ports/calendar-source.ts';
import { type Ask, type Graph, PREFER } from './client.ts';
import { unreadable } from './failures.ts';
import { completing, isItemGone, masterOf } from './masters.ts';
import { pagesFrom } from './pages.ts';
import { bounds, eventPath } from './paths.ts';
import { type Pieces, viewPages } from './pieces.ts';
import {
  calledOffDates,
  completedFrom,
  datedWith,
  isThin,
  kindOf,
  listedEvents,
  readCopy,
  readListing,
  readSeries,
} from './reading.ts';
import type { ReadChanges } from './rounds.ts';
import { instantOf, instantOfText } from './time.ts';
import { EVENT_FIELDS, resourceOf, type WireEvent, type WireMaster, wireEvent } from './wire.ts';

/** Raised when a row is read in another way, so that everything is read again. */
const MAPPING = 3;
const DAY_MS = 86_400_000;
/** How far a moved occurrence is looked for; further ones are found by the daily reconcile. */
const MOVED_MS = 14 * DAY_MS;
/** Long enough to hold an occurrence of any series that still has one, a yearly one included. */
const SERIES_LOOK_MS = 400 * DAY_MS;

/** Where everything is asked: Graph, and who knows what to ask where a window is too much for it. */
type At = { readonly graph: Graph; readonly pieces: Pieces };

/** Reads mailboxes' default calendars through Microsoft Graph. */
export function createCalendarSource(graph: Graph, pieces: Pieces, changes: ReadChanges): CalendarSource {
  const at: At = { graph, pieces };
  return {
    provider: 'microsoft',
    cursorVersion: `calendarView/delta;${PREFER};mapping=${MAPPING}`,

    changes,

    async instances(calendar, seriesId, window, signal) {
      const ask = asking(calendar, signal);
      // Who is believed here at once loses the series until it changes again, and a full pass would take it for gone.
      const listing =
        (await listingOf(at, calendar, seriesId, window, ask)) ??
        (await listingOf(at, calendar, seriesId, window, ask));
      if (listing !== null) return listing;
      // Denied twice, it is still not gone while the calendar shows it: then it is read from there.
      const shown: WireEvent[] = [];
      for await (const page of viewPages(graph, pieces, calendar, window, ask)) {
        shown.push(...listedEvents(page.value).filter((row) => row.seriesMasterId === seriesId));
      }
      return { ...readListing(shown, calendar.address, calendar.timeZone), gone: shown.length === 0 };
    },

    async lookUp(calendar, sourceId, signal) {
      const ask = asking(calendar, signal);
      let event: WireEvent;
      try {
        const { body } = await graph.get(`${eventPath(calendar, sourceId)}?$select=${EVENT_FIELDS}`, ask);
        event = resourceOf(wireEvent, body);
      } catch (error) {
        if (isItemGone(error)) return { found: 'gone' };
        throw error;
      }
      return lookedUp(at, calendar, sourceId, event, ask);
    },

    async *snapshot(calendar, window, signal) {
      const ask = asking(calendar, signal);
      const completed = completing(graph, calendar, ask);
      for await (const page of viewPages(graph, pieces, calendar, window, ask)) {
        const rows = await completed(listedEvents(page.value));
        yield readListing(rows, calendar.address, calendar.timeZone) satisfies Listing;
      }
    },

    async copiesOf(calendar, meeting, signal) {
      const ask = asking(calendar, signal);
      const completed = completing(graph, calendar, ask);
      const copies: ObservedCopy[] = [];
      // iCalUId differs between the occurrences of a series and cannot be filtered by its common part.
      for await (const page of viewPages(graph, pieces, calendar, meeting.window, ask)) {
        const rows = listedEvents(page.value).filter(
          ({ iCalUId }) => iCalUId == null || lineageOfUid(iCalUId) === meeting.lineage,
        );
        const listed = readListing(await completed(rows), calendar.address, calendar.timeZone).copies;
        copies.push(...listed.filter((copy) => copy.lineage === meeting.lineage));
      }
      return copies;
    },
  };
}

/** A series by its own list; `null` where Graph says that there is no such series. */
async function listingOf(
  at: At,
  calendar: CalendarRef,
  seriesId: string,
  window: Window,
  ask: Ask,
): Promise<(Listing & { readonly gone: boolean }) | null> {
  try {
    const master = await masterOf(at.graph, calendar, seriesId, ask);
    // A series that was made a single event keeps its id, and Graph refuses to list instances of it.
    if (kindOf(master) !== 'series') return { copies: [], cancelled: [], gone: true };
    const listed = await instancesOf(at.graph, calendar, seriesId, window, ask);
    // Nothing promises that occurrences name their series by the id which the series itself has.
    const names = new Set([seriesId, master.id, ...listed.map((row) => row.seriesMasterId)]);
    const calledOff = await calledOffOf(at, calendar, master, names, window, ask);
    const known = new Set(listed.map((row) => row.id));
    const rows = [...listed, ...calledOff.filter((row) => !known.has(row.id))].map((row) =>
      isThin(row) ? completedFrom(master, row) : row,
    );
    const { copies, cancelled } = readListing(rows, calendar.address, calendar.timeZone);
    return { copies: copies.map((copy) => datedWith(master, copy)), cancelled, gone: false };
  } catch (error) {
    if (isItemGone(error)) return null;
    throw error;
  }
}

/**
 * What a found event is. With immutable ids an event in Deleted Items keeps its id, so that finding it proves
 * nothing: it counts only while the calendar's view shows it.
 */
async function lookedUp(
  at: At,
  calendar: CalendarRef,
  sourceId: string,
  event: WireEvent,
  ask: Ask,
): Promise<LookedUp> {
  const kind = kindOf(event);
  if (kind === 'series') {
    if (!(await seriesIsShown(at, calendar, event, ask))) return { found: 'gone' };
    // By the id that was asked for, which its occurrences may know it by.
    return { found: 'series', series: { ...readSeries(event, calendar.address), seriesId: sourceId } };
  }
  if (kind !== 'single') {
    if (!event.seriesMasterId) throw unreadable('an occurrence without its series');
    return { found: 'instance', seriesId: event.seriesMasterId };
  }
  const copy = readCopy(event, calendar.address);
  if (typeof copy === 'string') throw unreadable('an event that cannot be read');
  // All-day events lie at midnight of the mailbox's zone, wherever that is.
  const slack = copy.allDay ? DAY_MS : 60_000;
  const around = { from: copy.start - slack, until: copy.end + slack };
  const shown = await viewShows(at, calendar, around, (row) => row.id === event.id, ask);
  return shown ? { found: 'single', copy } : { found: 'gone' };
}

/**
 * A master stands in no view; its occurrences do, and are known by their own ids: their series they may name otherwise.
 * A series that has none to show is not called gone.
 */
async function seriesIsShown(at: At, calendar: CalendarRef, master: WireEvent, ask: Ask): Promise<boolean> {
  const from = master.start ? instantOf(master.start) : null;
  if (from === null) throw unreadable('a series without a start');
  const window = { from: from - DAY_MS, until: from + SERIES_LOOK_MS };
  const seen = new Set<string>();
  const isIt = (row: WireEvent) => {
    seen.add(row.id);
    return row.seriesMasterId === master.id;
  };
  if (await viewShows(at, calendar, window, isIt, ask)) return true;
  const instances = await instancesOf(at.graph, calendar, master.id, window, ask);
  return instances.length === 0 || instances.some((row) => seen.has(row.id));
}

async function viewShows(
  at: At,
  calendar: CalendarRef,
  window: Window,
  isIt: (row: WireEvent) => boolean,
  ask: Ask,
): Promise<boolean> {
  const { graph, pieces } = at;
  for await (const page of viewPages(graph, pieces, calendar, window, ask, 'id,seriesMasterId,type')) {
    if (listedEvents(page.value).some(isIt)) return true;
  }
  return false;
}

async function instancesOf(
  graph: Graph,
  calendar: CalendarRef,
  seriesId: string,
  window: Window,
  ask: Ask,
): Promise<WireEvent[]> {
  const rows: WireEvent[] = [];
  const first = `${eventPath(calendar, seriesId)}/instances?${bounds(window)}&$select=${EVENT_FIELDS}`;
  for await (const page of pagesFrom(graph, first, ask)) rows.push(...listedEvents(page.value));
  return rows;
}

/**
 * What the organizer called off and still lies, marked, on a guest's calendar: `instances` leaves it out, and a
 * guest's session that is merely absent would look as if the guest had deleted it. The master names the dates.
 */
async function calledOffOf(
  { graph, pieces }: At,
  calendar: CalendarRef,
  master: WireMaster,
  names: ReadonlySet<string | null | undefined>,
  window: Window,
  ask: Ask,
): Promise<WireEvent[]> {
  if (master.isOrganizer) return [];
  const span = master.isCancelled ? window : spanOfCalledOff(calledOffDates(master), window);
  if (span === null) return [];
  const rows: WireEvent[] = [];
  for await (const page of viewPages(graph, pieces, calendar, span, ask)) {
    const calledOff = listedEvents(page.value).filter((row) => row.isCancelled);
    rows.push(...calledOff.filter((row) => row.seriesMasterId && names.has(row.seriesMasterId)));
  }
  return rows;
}

/** An occurrence may have been moved before it was called off, hence the room on either side of its date. */
function spanOfCalledOff(dates: readonly string[], window: Window): Window | null {
  const days = dates
    .map((date) => instantOfText(date))
    .filter((day) => day !== null)
    .filter((day) => day + MOVED_MS > window.from && day - MOVED_MS < window.until);
  if (days.length === 0) return null;
  return {
    from: Math.max(window.from, Math.min(...days) - MOVED_MS),
    until: Math.min(window.until, Math.max(...days) + MOVED_MS),
  };
}

function asking(calendar: CalendarRef, signal: AbortSignal): Ask {
  return { mailbox: calendar.address, signal };
}
