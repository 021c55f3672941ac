import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOfAnswer } from '../../src/providers/google/failures.ts';
import {
  type CalendarContext,
  readChangePage,
  readListing,
  readLookedUp,
} from '../../src/providers/google/reading.ts';
import { readEvent, readEventsPage } from '../../src/providers/google/wire.ts';

/**
 * Google's real and published answers, through the pure readers. What each file holds is written down here from
 * reading the files, so that a reader which quietly sees less fails.
 */
const corpus = process.env.CADENCED_CORPUS;
const folder = corpus === undefined ? undefined : join(corpus, 'google');

type Expected =
  /** A list of events: how many are single, how many are instances, and how many invitations they carry. */
  | {
      readonly list: {
        readonly singles: number;
        readonly instances: number;
        readonly people: number;
        readonly zone: string;
      };
    }
  | { readonly event: 'single' | 'series'; readonly people: number; readonly allDay?: true }
  /** An error body and what becomes of it. */
  | { readonly failure: string }
  /** A good answer of another kind: it must never pass as a list of events. */
  | { readonly other: string };

const EXPECTED: Readonly<Record<string, Expected>> = {
  'google-errors/400.timeRangeEmpty.json': { failure: 'permanent/timeRangeEmpty' },
  'google-errors/401.authError.json': { failure: 'auth/token_refused' },
  'google-errors/403.forbiddenForNonOrganizer.json': { failure: 'permanent/forbidden_for_non_organizer' },
  'google-errors/403.quotaExceeded.json': { failure: 'throttled/quota_exhausted' },
  'google-errors/403.rateLimitExceeded.json': { failure: 'throttled/rate_limited' },
  'google-errors/403.userRateLimitExceeded.json': { failure: 'throttled/rate_limited' },
  'google-errors/404.notFound.json': { failure: 'gone/not_found' },
  'google-errors/409.duplicate.json': { failure: 'permanent/duplicate' },
  'google-errors/410.deleted.json': { failure: 'gone/deleted' },
  'google-errors/410.updatedMinTooLongAgo.json': { failure: 'gone/cursor_lost' },
  'google-errors/412.conditionNotMet.json': { failure: 'permanent/conditionNotMet' },
  'google-errors/429.rateLimitExceeded.json': { failure: 'throttled/rate_limited' },
  'google-errors/500.backendError.json': { failure: 'transient/backend_error' },
  'placeos-vcr/google-calendars.33d1af.json': { failure: 'config/key_refused' },
  'placeos-vcr/google-calendars.ccc49f.json': { other: 'calendar#calendarList' },
  'placeos-vcr/google-events.01.json': { other: 'a token' },
  'placeos-vcr/google-events.02.json': { event: 'single', people: 2 },
  'placeos-vcr/google-events.03.json': {
    list: { singles: 1, instances: 3, people: 8, zone: 'Australia/Sydney' },
  },
  'placeos-vcr/google-events.05.json': { other: 'calendar#freeBusy' },
  'placeos-vcr/google-events.12.json': { event: 'single', people: 2 },
  'placeos-vcr/google-events.19.json': { event: 'single', people: 2 },
  'placeos-vcr/google-events.21.json': { event: 'single', people: 2, allDay: true },
  'placeos-vcr/google-recurrence.01.json': {
    list: { singles: 0, instances: 3, people: 6, zone: 'Australia/Sydney' },
  },
  'placeos-vcr/google-recurrence.05.json': { event: 'series', people: 2 },
  'placeos-vcr/google-recurrence.06.json': {
    list: { singles: 0, instances: 8, people: 16, zone: 'Australia/Sydney' },
  },
  'placeos-vcr/google-recurrence.08.json': { event: 'single', people: 2 },
  'placeos-vcr/google-recurrence.10.json': {
    list: { singles: 1, instances: 0, people: 2, zone: 'Australia/Sydney' },
  },
  'placeos-vcr/google-recurrence.12.json': { event: 'series', people: 2 },
  'placeos-vcr/google-recurrence.13.json': {
    list: { singles: 0, instances: 5, people: 10, zone: 'Australia/Sydney' },
  },
  'placeos-vcr/google-recurrence.14.json': { event: 'series', people: 2 },
  'placeos-vcr/google-recurrence.15.json': {
    list: { singles: 0, instances: 3, people: 6, zone: 'Australia/Sydney' },
  },
  'placeos-vcr/google-recurrence.20.json': { event: 'series', people: 2 },
  'placeos-vcr/google-recurrence.21.json': {
    list: { singles: 0, instances: 3, people: 6, zone: 'Australia/Sydney' },
  },
  'placeos-vcr/google-users.7d08a3.json': { failure: 'auth/token_refused' },
};

interface Recorded {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

function files(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .toSorted();
}

function read(name: string): Recorded {
  return JSON.parse(readFileSync(join(folder ?? '', name), 'utf8')) as Recorded;
}

const NOWHERE: CalendarContext = { address: 'owner@school.example', zone: null, accessRole: null };

function seen(expected: Expected, { status, headers, body }: Recorded): unknown {
  if ('failure' in expected) {
    const { kind, code } = failureOfAnswer({ status, body, headers: new Headers(headers) }, 'events.list');
    return { failure: status < 400 ? 'an answer' : `${kind}/${code}` };
  }
  if ('other' in expected) {
    expect(status).toBe(200);
    expect(() => readEventsPage(body, 'events.list', true)).toThrowError('malformed_answer');
    return expected;
  }
  expect(status).toBe(200);
  if ('event' in expected) {
    const found = readLookedUp(readEvent(body), NOWHERE);
    if (found.found === 'series') return { event: 'series', people: readEvent(body).attendees?.length };
    if (found.found !== 'single') return found;
    const { people, allDay } = found.copy;
    return { event: 'single', people: people.length, ...(allDay && { allDay }) };
  }
  const page = readEventsPage(body, 'events.list', true);
  const calendar = { address: NOWHERE.address, zone: page.timeZone, accessRole: page.accessRole };
  const { copies, cancelled } = readListing(page, calendar, 'events.list');
  const changes = readChangePage(page, calendar);
  expect(cancelled).toEqual([]);
  expect(changes.leftOut).toEqual({});
  expect(changes.items).toHaveLength(copies.length);
  expect(changes.cursor).not.toBeNull();
  for (const copy of copies) {
    expect(copy.end - copy.start).toBe(30 * 60_000);
    expect(copy.lineage).toBe(`${copy.seriesId ?? copy.sourceId}@google.com`);
    expect(copy.ownerIsOrganizer && !copy.hidden && !copy.peopleOmitted).toBe(true);
    // Every recorded series kept its times: an instance starts when it was made to start, at ten in Sydney.
    if (copy.seriesId !== null) expect(copy.originalStart).toBe(copy.start);
  }
  return {
    list: {
      singles: copies.filter((copy) => copy.seriesId === null).length,
      instances: copies.filter((copy) => copy.seriesId !== null).length,
      people: copies.reduce((sum, copy) => sum + copy.people.length, 0),
      zone: page.timeZone,
    },
  };
}

if (folder === undefined)
  process.stderr.write(
    'skipped: Google corpus, because CADENCED_CORPUS names no directory of recorded answers\n',
  );

describe.skipIf(folder === undefined)('Google corpus', () => {
  it('is known file by file', () => {
    expect(files(folder ?? '')).toEqual(Object.keys(EXPECTED).toSorted());
  });

  it.each(Object.entries(EXPECTED))('%s is understood', (name, expected) => {
    expect(seen(expected, read(name))).toEqual(expected);
  });
});
