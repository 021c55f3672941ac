import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../src/domain/failure.ts';
import { instanceDateOfUid } from '../../src/domain/lineage.ts';
import type { ObservedCopy } from '../../src/domain/observation.ts';
import { participantOf } from '../../src/providers/microsoft/attendance.ts';
import { answerFailure } from '../../src/providers/microsoft/failures.ts';
import { readNotification } from '../../src/providers/microsoft/notification.ts';
import {
  calledOffDates,
  kindOf,
  listedEvents,
  readChanges,
  readCopy,
  readListing,
  readSeries,
} from '../../src/providers/microsoft/reading.ts';
import { dateIn, ianaZone, instantOfText } from '../../src/providers/microsoft/time.ts';
import {
  deltaPageOf,
  pageOf,
  resourceOf,
  wireAttendanceRecord,
  wireEvent,
  wireMaster,
  wireMeeting,
  wireReport,
  wireReportInFull,
  wireSubscription,
} from '../../src/providers/microsoft/wire.ts';

/**
 * Every recorded and published answer of Graph, with what a person reading the file finds in it. A file that is
 * not in the table fails: its meaning has to be written down before it may be believed.
 */

const OWNER = 'reader@corpus.example';
const folder = process.env.CADENCED_CORPUS;

type Counts = {
  readonly copies?: number;
  readonly series?: number;
  readonly people?: number;
  readonly cancelled?: number;
  readonly private?: number;
  readonly allDay?: number;
  /** Copies with an original date. */
  readonly dated?: number;
  /** Copies whose UID names another date than their start does in the zone they were made in. */
  readonly misdated?: number;
  readonly teams?: number;
};
type Meaning =
  | { readonly as: 'list' | 'event'; readonly has: Counts }
  | {
      readonly as: 'delta';
      readonly items: Readonly<Record<string, number>>;
      readonly leftOut: number;
      readonly last: boolean;
    }
  | {
      readonly as: 'meetings' | 'reports' | 'records' | 'report';
      readonly count: number;
      readonly intervals?: number;
    }
  /** What a POST of Graph's notifier says, hint by hint. */
  | { readonly as: 'notification'; readonly says: string; readonly secret: string }
  | { readonly as: 'subscription' | 'subscriptions'; readonly until: string }
  /** What a master tells of its series: the dates called off. */
  | { readonly as: 'master'; readonly calledOff: readonly string[] }
  | { readonly as: 'zones'; readonly zones: readonly (string | null)[] }
  | { readonly as: 'failure'; readonly kind: string; readonly code: string }
  /** Nothing a calendar reader may find an event, or the absence of events, in. */
  | { readonly as: 'something else' };

const list = (has: Counts): Meaning => ({ as: 'list', has });
const event = (has: Counts): Meaning => ({ as: 'event', has });
const delta = (items: Record<string, number>, last: boolean, leftOut = 0): Meaning => ({
  as: 'delta',
  items,
  leftOut,
  last,
});
const notification = (says: string, secret: string): Meaning => ({ as: 'notification', says, secret });
const subscription = (until: string): Meaning => ({ as: 'subscription', until });
const other: Meaning = { as: 'something else' };

const MEANINGS: Readonly<Record<string, Meaning>> = {
  'graph-docs-delta/calendarview-delta.page1.json': delta({ single: 2 }, false),
  'graph-docs-delta/calendarview-delta.page2.json': delta({ single: 2 }, false),
  'graph-docs-delta/calendarview-delta.page3.json': delta({ single: 1 }, true),
  'graph-docs-delta/calendarview-delta.page4.json': delta({ removed: 1, single: 1 }, true),
  'graph-docs-notify/change-notification.created.json': notification('changed', 'secretClientValue'),
  'graph-docs-notify/lifecycle.missed.json': notification('missed', '<secretClientState>'),
  'graph-docs-notify/lifecycle.reauthorizationRequired-v2.json': notification(
    'renew',
    '{secret client state}',
  ),
  'graph-docs-notify/lifecycle.reauthorizationRequired.json': notification('renew', '<secretClientState>'),
  'graph-docs-notify/lifecycle.subscriptionRemoved.json': notification('removed', '<secretClientState>'),
  'graph-docs-series/master.exceptions-and-cancelled.json': {
    as: 'master',
    calledOff: ['2020-04-30', '2020-05-07', '2020-05-14'],
  },
  // Two single-occurrence invitations: singles whose UIDs carry the dates. The Teams links stand in the bodies.
  'graph-docs/get_v1-0-groups-calendarView-startdatetime-enddatetime.json': list({
    copies: 2,
    people: 4,
    dated: 2,
    teams: 2,
  }),
  'graph-docs/get_v1-0-groups-events.json': event({ series: 1 }),
  'graph-docs/get_v1-0-groups-events~2.json': list({ series: 1 }),
  // Placeholders without an id or a time.
  'graph-docs/get_v1-0-me-calendar-calendarView-startdatetime-enddatetime.json': other,
  'graph-docs/get_v1-0-me-calendar-events.json': other,
  'graph-docs/get_v1-0-me-calendarView-startdatetime-enddatetime.json': other,
  'graph-docs/get_v1-0-me-calendarView-delta-startdatetime-enddatetime.json': delta({}, false, 1),
  'graph-docs/patch_v1-0-me-events.json': other,
  'graph-docs/get_v1-0-me-calendar-events-filter-startswith-subject.json': list({
    copies: 1,
    people: 2,
    teams: 1,
  }),
  'graph-docs/get_v1-0-me-events-expand-multiValueExtendedProperties-filter-id-eq.json': event({
    copies: 1,
    people: 3,
  }),
  // One exception and three occurrences, without UIDs: dated by their starts.
  'graph-docs/get_v1-0-me-events-instances-startdatetime-enddatetime-select-subject-bodyPreview-seriesMaster.json':
    list({ copies: 4, dated: 4 }),
  'graph-docs/get_v1-0-me-events-select-subject-body-bodyPreview-organizer-attendees-start-end-location-hide.json':
    event({ copies: 1, people: 2 }),
  'graph-docs/get_v1-0-me-events-select-subject-body-bodyPreview-organizer-attendees-start-end-location-loca.json':
    event({ copies: 1, people: 2 }),
  'graph-docs/get_v1-0-me-events-select-subject-body-bodyPreview-organizer-attendees-start-end-location.json':
    list({ copies: 1, people: 2 }),
  'graph-docs/get_v1-0-me-mailboxSettings.json': other,
  'graph-docs/get_v1-0-me-onlineMeetings-attendanceReports-attendanceRecords.json': {
    as: 'records',
    count: 2,
    intervals: 2,
  },
  'graph-docs/get_v1-0-me-onlineMeetings-attendanceReports-expand-attendanceRecords.json': {
    as: 'report',
    count: 1,
    intervals: 3,
  },
  'graph-docs/get_v1-0-me-onlineMeetings-attendanceReports.json': { as: 'reports', count: 2 },
  'graph-docs/get_v1-0-me-onlineMeetings-filter-JoinWebUrl-eq.json': { as: 'meetings', count: 1 },
  'graph-docs/get_v1-0-me-outlook-supportedTimeZones-TimeZoneStandard.json': {
    as: 'zones',
    zones: ['Etc/GMT+12', 'US/Samoa', 'Etc/GMT+11', 'US/Aleutian'],
  },
  'graph-docs/get_v1-0-me-outlook-supportedTimeZones.json': {
    as: 'zones',
    zones: ['Etc/GMT+12', 'Pacific/Apia', 'Etc/GMT+11', 'America/Adak'],
  },
  'graph-docs/get_v1-0-subscriptions.json': subscription('2016-11-20T18:23:45.935Z'),
  'graph-docs/get_v1-0-subscriptions~2.json': { as: 'subscriptions', until: '2018-03-12T05:00:00.000Z' },
  'graph-docs/patch_v1-0-groups-calendar-events.json': event({ copies: 1, people: 5 }),
  'graph-docs/patch_v1-0-me-mailboxSettings.json': other,
  'graph-docs/patch_v1-0-subscriptions.json': subscription('2016-11-22T18:23:45.935Z'),
  'graph-docs/post_v1-0-groups-events.json': event({ copies: 1, people: 2 }),
  'graph-docs/post_v1-0-me-calendars-events.json': event({ copies: 1, people: 2 }),
  'graph-docs/post_v1-0-me-events.json': event({ copies: 1, people: 3 }),
  'graph-docs/post_v1-0-subscriptions.json': subscription('2016-11-20T18:23:45.935Z'),
  'placeos-vcr/office365-calendars.0a4704.json': other,
  'placeos-vcr/office365-events.01.json': event({ copies: 1, people: 3, private: 1 }),
  'placeos-vcr/office365-events.02.json': list({ copies: 1, people: 3, private: 1 }),
  'placeos-vcr/office365-events.03.json': event({ copies: 1, people: 3, private: 1 }),
  'placeos-vcr/office365-events.04.json': other,
  'placeos-vcr/office365-events.06.json': other,
  // An empty list of attachments looks like any other empty list.
  'placeos-vcr/office365-events.09.json': list({}),
  'placeos-vcr/office365-events.10.json': event({ copies: 1, people: 3, allDay: 1 }),
  'placeos-vcr/office365-recurrence.01.json': list({}),
  'placeos-vcr/office365-recurrence.02.json': event({ series: 1 }),
  'placeos-vcr/office365-recurrence.03.json': list({ copies: 8, people: 24, private: 8, dated: 8 }),
  'placeos-vcr/office365-recurrence.04.json': event({ series: 1 }),
  'placeos-vcr/office365-recurrence.05.json': event({ copies: 1, people: 3 }),
  'placeos-vcr/office365-recurrence.06.json': list({ copies: 1, people: 3 }),
  'placeos-vcr/office365-recurrence.09.json': event({ series: 1 }),
  'placeos-vcr/office365-recurrence.10.json': list({ copies: 5, people: 15, private: 5, dated: 5 }),
  'placeos-vcr/office365-recurrence.11.json': event({ series: 1 }),
  'placeos-vcr/office365-recurrence.12.json': list({ copies: 4, people: 12, dated: 4 }),
  'placeos-vcr/office365-recurrence.18.json': event({ series: 1 }),
  'placeos-vcr/office365-recurrence.19.json': list({ copies: 2, people: 6, private: 2, dated: 2 }),
  'placeos-vcr/office365-users.9e7387.json': { as: 'failure', kind: 'auth', code: 'token_refused' },
};

type Recorded = { status: number; headers: Record<string, string>; body: unknown };

const root = folder === undefined ? null : join(folder, 'microsoft');
const names = root === null ? [] : filesBelow(root);
if (root === null) process.stderr.write('corpus-microsoft: skipped, CADENCED_CORPUS names no directory\n');

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort();
}

function recorded(name: string): Recorded {
  return JSON.parse(readFileSync(join(root ?? '', name), 'utf8')) as Recorded;
}

function counted(copies: readonly ObservedCopy[], series: number): Counts {
  const where = (test: (copy: ObservedCopy) => boolean) => copies.filter(test).length;
  const counts = {
    copies: copies.length,
    series,
    people: copies.reduce((sum, copy) => sum + copy.people.length, 0),
    cancelled: where((copy) => copy.status === 'cancelled'),
    private: where((copy) => copy.private),
    allDay: where((copy) => copy.allDay),
    dated: where((copy) => copy.originalDate !== null),
    misdated: where(
      ({ uid, start, timeZone }) =>
        (instanceDateOfUid(uid) ?? dateIn(start, timeZone)) !== dateIn(start, timeZone),
    ),
    teams: where((copy) => copy.conference?.kind === 'teams'),
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function readList(body: unknown): Counts {
  const events = listedEvents(pageOf(body).value);
  const series = events.filter((row) => kindOf(row) === 'series').map((row) => readSeries(row, OWNER));
  return counted(readListing(events, OWNER).copies, series.length);
}

function readEvent(body: unknown): Counts {
  const row = resourceOf(wireEvent, body);
  if (kindOf(row) === 'series') return counted([], readSeries(row, OWNER).lineage ? 1 : 0);
  const copy = readCopy(row, OWNER);
  if (typeof copy === 'string') throw new Error(copy);
  return counted([copy], 0);
}

function intervalsOf(rows: readonly unknown[]): number {
  const ended = Date.UTC(2021, 9, 6);
  return rows
    .map((row) => participantOf(resourceOf(wireAttendanceRecord, row), undefined, ended))
    .reduce((sum, { intervals }) => sum + intervals.length, 0);
}

describe('the corpus of Graph answers', () => {
  it.skipIf(root === null)('holds no file whose meaning nobody wrote down, and none is missing', () => {
    expect(names).toEqual(Object.keys(MEANINGS).sort());
  });

  it.skipIf(root === null).each(names.length > 0 ? names : ['(no corpus)'])('%s', (name) => {
    const { status, headers, body } = recorded(name);
    const meaning = MEANINGS[name] ?? other;
    switch (meaning.as) {
      case 'list':
        expect(readList(body)).toEqual(meaning.has);
        break;
      case 'event':
        expect(readEvent(body)).toEqual(meaning.has);
        break;
      case 'delta': {
        const page = deltaPageOf(body);
        const { items, leftOut } = readChanges(page.value, OWNER);
        const kinds = Object.groupBy(items, ({ kind }) => kind);
        expect(Object.fromEntries(Object.entries(kinds).map(([kind, all]) => [kind, all.length]))).toEqual(
          meaning.items,
        );
        expect(Object.values(leftOut).reduce((sum, count) => sum + count, 0)).toBe(meaning.leftOut);
        expect('@odata.deltaLink' in page).toBe(meaning.last);
        break;
      }
      case 'meetings':
        expect(pageOf(body).value.map((row) => resourceOf(wireMeeting, row).id)).toHaveLength(meaning.count);
        break;
      case 'reports': {
        const reports = pageOf(body).value.map((row) => resourceOf(wireReport, row));
        expect(reports.filter((report) => instantOfText(report.meetingEndDateTime) !== null)).toHaveLength(
          meaning.count,
        );
        break;
      }
      case 'records':
        expect(pageOf(body).value).toHaveLength(meaning.count);
        expect(intervalsOf(pageOf(body).value)).toBe(meaning.intervals);
        break;
      case 'report': {
        const { attendanceRecords } = resourceOf(wireReportInFull, body);
        expect(attendanceRecords).toHaveLength(meaning.count);
        expect(intervalsOf(attendanceRecords)).toBe(meaning.intervals);
        break;
      }
      case 'notification':
        expect(readNotification(headers, body)).toMatchObject([
          { says: meaning.says, secret: meaning.secret, resourceId: null },
        ]);
        break;
      case 'subscription':
      case 'subscriptions': {
        const rows = meaning.as === 'subscription' ? [body] : pageOf(body).value;
        const ends = rows.map((row) => instantOfText(resourceOf(wireSubscription, row).expirationDateTime));
        expect(ends).toEqual([Date.parse(meaning.until)]);
        expect(refusedBy(() => readEvent(body))).toBe(true);
        break;
      }
      case 'master':
        expect(calledOffDates(resourceOf(wireMaster, body))).toEqual(meaning.calledOff);
        // Narrowed by $select: without a type it reads as a single event.
        expect(readEvent(body)).toEqual({ copies: 1 });
        break;
      case 'zones':
        expect(pageOf(body).value.map((row) => ianaZone((row as { alias: string }).alias))).toEqual(
          meaning.zones,
        );
        break;
      case 'failure': {
        expect(answerFailure(status, body, new Headers(headers), 0)).toMatchObject({
          kind: meaning.kind,
          code: meaning.code,
          status,
        });
        expect(() => readList(body)).toThrow();
        break;
      }
      case 'something else':
        expect(refusedBy(() => readList(body))).toBe(true);
        expect(refusedBy(() => readEvent(body))).toBe(true);
        break;
    }
  });
});

/** Whether a reader noticed that the answer is not its own. */
function refusedBy(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    return isFailure(error) || (error instanceof Error && error.message === 'malformed');
  }
}
