import { createHash } from 'node:crypto';
import { DateTime } from 'luxon';
import { type Failure, failure, isFailure } from '../../domain/failure.ts';
import { wrappedUid } from '../../domain/lineage.ts';
import type {
  ChangePage,
  Instant,
  Listing,
  LookedUp,
  ObservedCopy,
  Window,
} from '../../domain/observation.ts';
import type { CalendarRef, CalendarSource } from '../../ports/calendar-source.ts';
import type { GoogleClient } from './client.ts';
import { type CalendarContext, readChangePage, readListing, readLookedUp } from './reading.ts';
import { EVENT_FIELDS, type EventsPage, PAGE_FIELDS, readEvent, readEventsPage } from './wire.ts';

/** Raised when the same answer is read differently, so that every calendar is read again from the start. */
const MAPPING_VERSION = 2;
/** The owner is impersonated, so their own calendar needs no further right and no address in the URL. */
const CALENDAR_ID = 'primary';
/** Half a million events; more is a loop of page tokens, not a calendar. */
const MAX_PAGES = 200;

const PAGE = { calendarId: CALENDAR_ID, maxResults: 2500, fields: PAGE_FIELDS };
/**
 * The parameters of the token stream, equal on every request of a token's life
 * (https://developers.google.com/workspace/calendar/api/guides/sync). Never `singleEvents`: with a token, one touch of
 * an endless series then delivers hundreds of instances for decades to come.
 */
const STREAM = { ...PAGE, singleEvents: false, showDeleted: true };

/** Not every `gone`: the account itself may be, and that says nothing about one event. */
const NO_SUCH_EVENT: ReadonlySet<string> = new Set(['not_found', 'deleted', 'gone']);

/** Reads people's own calendars through `client`. */
export function createCalendarSource(client: GoogleClient): CalendarSource {
  const list = (calendar: CalendarRef, query: object, syncs: boolean, signal: AbortSignal) =>
    pagesOf((pageToken) =>
      client.perform(
        {
          operation: 'events.list',
          purpose: 'calendar',
          subject: calendar.address,
          send: (apis, identity, options) =>
            apis.calendar.events.list({ ...PAGE, ...query, ...pageToken, ...identity }, options),
          read: (body) => understood(readEventsPage(body, 'events.list', syncs)),
        },
        signal,
      ),
    );

  async function* changes(
    calendar: CalendarRef,
    cursor: string | null,
    window: Window,
    signal: AbortSignal,
  ): AsyncGenerator<ChangePage> {
    // The start bounds how much past a first pull brings; later pulls bring what changed, whenever it takes place.
    const place = cursor === null ? { timeMin: isoOf(window.from) } : { syncToken: cursor };
    try {
      for await (const page of list(calendar, { ...STREAM, ...place }, true, signal))
        yield readChangePage(page, contextOf(calendar, page));
    } catch (error) {
      throw isFailure(error) ? withoutPlace(error, cursor !== null) : error;
    }
  }

  async function* snapshot(
    calendar: CalendarRef,
    window: Window,
    signal: AbortSignal,
  ): AsyncGenerator<Listing> {
    const query = { singleEvents: true, showDeleted: true, ...boundsOf(window) };
    // Like the stream it ends with a token, which nobody uses: without one it was cut off, and what it lacks not gone.
    for await (const page of list(calendar, query, true, signal))
      yield readListing(page, contextOf(calendar, page), 'events.list');
  }

  async function instances(calendar: CalendarRef, seriesId: string, window: Window, signal: AbortSignal) {
    const pages = pagesOf((pageToken) =>
      client.perform(
        {
          operation: 'events.instances',
          purpose: 'calendar',
          subject: calendar.address,
          send: (apis, identity, options) =>
            apis.calendar.events.instances(
              {
                ...PAGE,
                eventId: seriesId,
                showDeleted: true,
                ...boundsOf(window),
                ...pageToken,
                ...identity,
              },
              options,
            ),
          read: (body) => understood(readEventsPage(body, 'events.instances', false)),
        },
        signal,
      ),
    );
    try {
      return { ...(await gathered(calendar, pages, 'events.instances')), gone: false };
    } catch (error) {
      const isDenied = isFailure(error) && NO_SUCH_EVENT.has(error.code);
      if (!isFailure(error) || (error.status !== 400 && !isDenied)) throw error;
      // What was a series may be a single event by now, and of that Google lists no instances.
      const { found } = await lookUp(calendar, seriesId, signal);
      if (found === 'single' || found === 'gone') return { copies: [], cancelled: [], gone: true };
      if (!isDenied) throw error;
      // One "not found" may be a fault, or the calendar's own: the series still stands, and is read next time.
      throw failure.transient('series_denied', {
        provider: 'google',
        status: error.status,
        detail: 'events.instances',
      });
    }
  }

  async function lookUp(calendar: CalendarRef, sourceId: string, signal: AbortSignal): Promise<LookedUp> {
    try {
      const event = await client.perform(
        {
          operation: 'events.get',
          purpose: 'calendar',
          subject: calendar.address,
          send: (apis, identity, options) =>
            apis.calendar.events.get(
              { calendarId: CALENDAR_ID, eventId: sourceId, fields: EVENT_FIELDS, ...identity },
              options,
            ),
          read: readEvent,
        },
        signal,
      );
      return readLookedUp(event, { address: calendar.address, zone: null, accessRole: null });
    } catch (error) {
      if (!isFailure(error) || !NO_SUCH_EVENT.has(error.code)) throw error;
      // Google says 404 to an unknown event and to a calendar we may not see alike; only the first means gone.
      if (error.code === 'not_found') await assertReadable(calendar, signal);
      return { found: 'gone' };
    }
  }

  /** @throws Failure when the calendar as a whole does not answer */
  async function assertReadable(calendar: CalendarRef, signal: AbortSignal): Promise<void> {
    await list(calendar, { maxResults: 1, singleEvents: false }, false, signal).next();
  }

  async function copiesOf(
    calendar: CalendarRef,
    meeting: { readonly uid: string; readonly lineage: string; readonly window: Window },
    signal: AbortSignal,
  ): Promise<readonly ObservedCopy[]> {
    const found = new Map<string, ObservedCopy>();
    for (const iCalUID of writingsOf(meeting)) {
      const query = { iCalUID, singleEvents: true, ...boundsOf(meeting.window) };
      const { copies } = await gathered(calendar, list(calendar, query, false, signal), 'events.list');
      for (const copy of copies) if (copy.lineage === meeting.lineage) found.set(copy.sourceId, copy);
    }
    return [...found.values()];
  }

  return {
    provider: 'google',
    cursorVersion: `${MAPPING_VERSION}:${createHash('sha256').update(JSON.stringify(STREAM)).digest('hex').slice(0, 16)}`,
    changes,
    instances,
    lookUp,
    snapshot,
    copiesOf,
  };
}

/**
 * Follows page tokens, and asks for the next page before it hands one over: reading thousands of events takes us as
 * long as a part of the next answer takes Google. The tokens live only a short time: when one is refused, the list is
 * begun anew, once; what was yielded before comes again, and whoever stages rows by their id loses nothing by it.
 */
async function* pagesOf(
  fetch: (place: { readonly pageToken?: string }) => Promise<EventsPage>,
): AsyncGenerator<EventsPage> {
  let pageToken: string | null = null;
  let begunAnew = false;
  let coming = fetch({});
  for (let fetched = 0; fetched < MAX_PAGES; fetched++) {
    let page: EventsPage;
    try {
      page = await coming;
    } catch (error) {
      if (pageToken === null || begunAnew || !refusesPlace(error)) throw error;
      begunAnew = true;
      pageToken = null;
      coming = fetch({});
      continue;
    }
    pageToken = page.nextPageToken;
    if (pageToken !== null) {
      coming = fetch({ pageToken });
      // Until it is awaited, its failure is nobody's unhandled rejection.
      coming.catch(() => undefined);
    }
    yield page;
    if (pageToken === null) return;
  }
  throw failure.permanent('endless_paging', { provider: 'google', detail: `more than ${MAX_PAGES} pages` });
}

function refusesPlace(error: unknown): error is Failure {
  return isFailure(error) && (error.status === 410 || error.status === 400);
}

/** What a refused place in the stream means: with a cursor it is lost, without one the whole list must be retried. */
function withoutPlace(error: Failure, hadCursor: boolean): Failure {
  if (error.status !== 410 && error.code !== 'cursor_lost' && error.code !== 'page_token_lost') return error;
  const facts = { provider: 'google', status: error.status, detail: error.detail } as const;
  return hadCursor ? failure.gone('cursor_lost', facts) : failure.transient('paging_lost', facts);
}

/** A calendar of which we see only when its owner is busy shows no tag and no person: that is no sight of it. */
function understood(page: EventsPage): EventsPage {
  if (page.accessRole !== 'freeBusyReader' && page.accessRole !== 'none') return page;
  throw failure.auth('free_busy_only', { provider: 'google', detail: `access role ${page.accessRole}` });
}

async function gathered(
  calendar: CalendarRef,
  pages: AsyncIterable<EventsPage>,
  operation: string,
): Promise<Listing> {
  const copies = new Map<string, ObservedCopy>();
  const cancelled = new Map<string, Listing['cancelled'][number]>();
  for await (const page of pages) {
    const listing = readListing(page, contextOf(calendar, page), operation);
    for (const copy of listing.copies) copies.set(copy.sourceId, copy);
    for (const instance of listing.cancelled) cancelled.set(instance.sourceId, instance);
  }
  return { copies: [...copies.values()], cancelled: [...cancelled.values()] };
}

function contextOf(calendar: CalendarRef, page: EventsPage): CalendarContext {
  return { address: calendar.address, zone: page.timeZone, accessRole: page.accessRole };
}

function boundsOf(window: Window): { readonly timeMin: string; readonly timeMax: string } {
  return { timeMin: isoOf(window.from), timeMax: isoOf(window.until) };
}

/** RFC 3339 in UTC without milliseconds, which Google ignores. */
function isoOf(instant: Instant): string {
  const written = DateTime.fromMillis(instant, { zone: 'utc' }).toISO({ suppressMilliseconds: true });
  if (written === null) throw failure.bug('invalid_instant', { provider: 'google' });
  return written;
}

/** The ways a UID may stand on a Google calendar: as given, without a split's stamp, an Outlook id in either case. */
function writingsOf(meeting: { readonly uid: string; readonly lineage: string }): ReadonlySet<string> {
  const outlook = /^[0-9A-F]+$/.test(meeting.lineage);
  // Seen from Outlook, the second half of a split is found only by the UID that Outlook wrapped, stamp and all.
  const wrapped = wrappedUid(meeting.uid);
  return new Set([
    wrapped ?? meeting.uid,
    meeting.lineage,
    ...(outlook ? [meeting.lineage.toLowerCase()] : []),
  ]);
}
