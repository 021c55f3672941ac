import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChangedItem, ObservedCopy } from '../../../src/domain/observation.ts';
import {
  type CalendarContext,
  readChangePage,
  readListing,
  readLookedUp,
} from '../../../src/providers/google/reading.ts';
import { type EventsPage, readEvent, readEventsPage } from '../../../src/providers/google/wire.ts';

const OWNER: CalendarContext = { address: 'ada@school.example', zone: 'Europe/Berlin', accessRole: 'owner' };

const SINGLE = {
  id: 'abc',
  etag: '"1"',
  status: 'confirmed',
  updated: '2026-11-20T10:00:00.123Z',
  iCalUID: 'abc@google.com',
  summary: 'Talk #mentoring',
  start: { dateTime: '2026-11-24T10:00:00+01:00', timeZone: 'Europe/Berlin' },
  end: { dateTime: '2026-11-24T11:00:00+01:00', timeZone: 'Europe/Berlin' },
  organizer: { email: 'Ada@School.example', self: true },
};
const INSTANCE = {
  ...SINGLE,
  id: 'abc_20261124T090000Z',
  recurringEventId: 'abc',
  originalStartTime: SINGLE.start,
};

function page(items: readonly unknown[]): EventsPage {
  return {
    items,
    nextPageToken: null,
    nextSyncToken: 's',
    timeZone: OWNER.zone,
    accessRole: OWNER.accessRole,
  };
}

function change(raw: unknown, calendar = OWNER): ChangedItem {
  const [item] = readChangePage(page([raw]), calendar).items;
  if (item === undefined) throw new Error('nothing was read');
  return item;
}

function copyOf(changes: object, calendar = OWNER): ObservedCopy {
  const { copies } = readListing(page([{ ...SINGLE, ...changes }]), calendar, 'events.list');
  if (copies[0] === undefined) throw new Error('no copy was read');
  return copies[0];
}

describe('kinds of rows in the stream', () => {
  it('tells single, series, exception and removal apart', () => {
    expect(change(SINGLE)).toMatchObject({ kind: 'single', copy: { sourceId: 'abc', seriesId: null } });
    expect(change({ ...SINGLE, recurrence: ['RRULE:FREQ=WEEKLY'] })).toMatchObject({
      kind: 'series',
      series: { seriesId: 'abc', lineage: 'abc@google.com', text: { title: 'Talk #mentoring' } },
    });
    expect(change(INSTANCE)).toMatchObject({ kind: 'exception', seriesId: 'abc' });
    expect(change({ ...INSTANCE, status: 'cancelled' })).toMatchObject({
      kind: 'removed',
      seriesId: 'abc',
      certainty: 'explicit',
    });
  });

  it('says who is invited to a series, and to an exception of it', () => {
    const invited = {
      attendees: [
        { email: 'Program@X.org', optional: true },
        { email: 'room@x.org', resource: true },
      ],
    };
    const people = [expect.objectContaining({ address: 'program@x.org', optional: true })];
    expect(change({ ...SINGLE, ...invited, recurrence: ['RRULE:FREQ=WEEKLY'] })).toMatchObject({
      series: { people },
    });
    expect(change({ ...INSTANCE, ...invited })).toMatchObject({ kind: 'exception', people });
  });

  it('reads a cancelled instance that is nothing but an id', () => {
    expect(change({ id: 'm_20261201T100000Z', status: 'cancelled' })).toEqual({
      kind: 'removed',
      sourceId: 'm_20261201T100000Z',
      seriesId: 'm',
      certainty: 'explicit',
      updatedAt: null,
    });
    expect(change({ id: 'm_R20261201T100000_20261208T100000Z', status: 'cancelled' })).toMatchObject({
      seriesId: 'm_R20261201T100000',
    });
    // The second part of a split series is a master, whatever its id ends in.
    expect(change({ id: 'm_R20261201T100000', status: 'cancelled' })).toMatchObject({ seriesId: null });
    expect(change({ id: '_6imported', status: 'cancelled' })).toMatchObject({ seriesId: null });
  });

  it('knows a guest who removed the event from an organizer who called it off', () => {
    const removed = {
      ...SINGLE,
      status: 'cancelled',
      organizer: { email: 'mentor@elsewhere.example' },
      attendees: [{ email: OWNER.address, self: true, responseStatus: 'declined' }],
    };
    expect(change(removed)).toMatchObject({ kind: 'removed', byGuest: true });
    expect(readListing(page([removed]), OWNER, 'events.list').cancelled).toMatchObject([{ byGuest: true }]);
    // Less than both signs may be the organizer's doing.
    for (const less of [
      { ...removed, attendees: [{ email: OWNER.address, self: true, responseStatus: 'accepted' }] },
      { ...removed, organizer: { email: OWNER.address, self: true } },
      { ...removed, start: undefined },
      { id: SINGLE.id, status: 'cancelled' },
    ]) {
      expect(change(less)).not.toHaveProperty('byGuest');
    }
  });

  it('tells the slot of a cancelled instance from its original start or its id', () => {
    const { cancelled } = readListing(
      page([
        { id: 'm_20261201T100000Z', status: 'cancelled' },
        { id: 'x', status: 'cancelled', recurringEventId: 'm', originalStartTime: SINGLE.start },
        { id: 'd_20261201', status: 'cancelled' },
      ]),
      OWNER,
      'events.list',
    );
    expect(cancelled.map((instance) => instance.originalStart)).toEqual([
      Date.parse('2026-12-01T10:00:00Z'),
      Date.parse('2026-11-24T09:00:00Z'),
      Date.parse('2026-11-30T23:00:00Z'),
    ]);
  });

  it('leaves out by count what cannot be read, and nothing else', () => {
    const year0 = { dateTime: '0000-12-30T00:00:00Z' };
    const read = readChangePage(
      page([SINGLE, { ...SINGLE, start: year0, end: year0 }, { ...SINGLE, id: '' }, { id: 'x' }, 'text']),
      OWNER,
    );
    expect(read.items).toHaveLength(1);
    expect(read.leftOut).toEqual({ date_out_of_range: 1, malformed: 3 });
  });

  it('accounts for every row of any page', () => {
    const row = fc.oneof(
      fc.anything(),
      fc.record(
        {
          id: fc.oneof(fc.constant('a'), fc.constant('a_20261201T100000Z'), fc.anything()),
          status: fc.constantFrom('confirmed', 'tentative', 'cancelled', 'new', null),
          start: fc.record({ dateTime: fc.oneof(fc.constant('2026-01-01T10:00:00Z'), fc.string()) }),
          end: fc.record({ date: fc.oneof(fc.constant('2026-01-02'), fc.string()) }),
          recurrence: fc.array(fc.string()),
          recurringEventId: fc.oneof(fc.string(), fc.constant(null)),
          iCalUID: fc.oneof(fc.string(), fc.constant(null)),
          attendees: fc.array(fc.record({ email: fc.oneof(fc.string(), fc.constant(null)) })),
          location: fc.webUrl(),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.array(row), (items) => {
        const read = readChangePage(page(items), OWNER);
        const leftOut = Object.values(read.leftOut).reduce((sum, count) => sum + count, 0);
        expect(read.items.length + leftOut).toBe(items.length);
      }),
    );
  });
});

describe('a copy', () => {
  it('carries times, identity and version', () => {
    expect(copyOf(INSTANCE)).toMatchObject({
      sourceId: 'abc_20261124T090000Z',
      seriesId: 'abc',
      uid: 'abc@google.com',
      lineage: 'abc@google.com',
      originalStart: Date.parse('2026-11-24T09:00:00Z'),
      originalDate: '2026-11-24',
      start: Date.parse('2026-11-24T09:00:00Z'),
      end: Date.parse('2026-11-24T10:00:00Z'),
      timeZone: 'Europe/Berlin',
      allDay: false,
      ordinary: true,
      status: 'confirmed',
      organizer: 'ada@school.example',
      ownerIsOrganizer: true,
      updatedAt: Date.parse('2026-11-20T10:00:00.123Z'),
      revision: '"1"',
      hidden: false,
      peopleOmitted: false,
    });
  });

  it('reads the original date in the series’ zone, not in UTC', () => {
    const late = { dateTime: '2026-11-24T06:00:00Z', timeZone: 'America/Los_Angeles' };
    expect(copyOf({ ...INSTANCE, originalStartTime: late }).originalDate).toBe('2026-11-23');
    // Without an original start the id still says it.
    expect(copyOf({ ...INSTANCE, originalStartTime: undefined })).toMatchObject({
      originalStart: Date.parse('2026-11-24T09:00:00Z'),
      originalDate: '2026-11-24',
    });
  });

  it('keeps the slot of a moved instance', () => {
    const moved = copyOf({
      ...INSTANCE,
      start: { dateTime: '2026-11-25T15:00:00+01:00' },
      end: { dateTime: '2026-11-25T16:00:00+01:00' },
    });
    expect(moved).toMatchObject({
      originalDate: '2026-11-24',
      start: Date.parse('2026-11-25T14:00:00Z'),
      timeZone: null,
    });
  });

  it('puts both parts of a split series in one lineage', () => {
    const second = copyOf({
      id: 'abc_20261208T100000Z',
      recurringEventId: 'abc_R20261201T100000',
      iCalUID: 'abc_R20261201T100000@google.com',
      originalStartTime: SINGLE.start,
    });
    expect(second.lineage).toBe('abc@google.com');
    expect(copyOf({ iCalUID: null }).lineage).toBe('no-uid:ada@school.example:abc');
  });

  it('places an all-day event in the calendar’s zone, never at UTC midnight', () => {
    const day = { start: { date: '2026-11-24' }, end: { date: '2026-11-25' } };
    const calendar = { ...OWNER, zone: 'America/Los_Angeles' };
    expect(copyOf(day, calendar)).toMatchObject({
      allDay: true,
      start: Date.parse('2026-11-24T08:00:00Z'),
      end: Date.parse('2026-11-25T08:00:00Z'),
    });
  });

  it.each(['focusTime', 'outOfOffice', 'workingLocation', 'birthday', 'fromGmail', 'futureType'])(
    'does not take %s for an ordinary event',
    (eventType) => {
      expect(copyOf({ eventType }).ordinary).toBe(false);
      expect(copyOf({ eventType: 'default' }).ordinary).toBe(true);
    },
  );

  it('lists people without rooms, addresses in one writing', () => {
    const copy = copyOf({
      attendees: [
        { email: ' Ada@School.example', organizer: true, self: true, responseStatus: 'accepted' },
        { email: 'bo@school.example', displayName: ' Bo ', optional: true, responseStatus: 'needsAction' },
        { email: 'room@resource.calendar.google.com', resource: true, responseStatus: 'accepted' },
        { email: 'no@school.example', responseStatus: 'declined', additionalGuests: 3 },
      ],
    });
    expect(copy.people).toEqual([
      { address: 'ada@school.example', name: null, response: 'accepted', organizer: true, optional: false },
      { address: 'bo@school.example', name: 'Bo', response: 'none', organizer: false, optional: true },
      { address: 'no@school.example', name: null, response: 'declined', organizer: false, optional: false },
    ]);
    expect(copy.ownerResponse).toBe('accepted');
    expect(copyOf({}).ownerResponse).toBeNull();
  });

  it('says when the list of people is not whole', () => {
    const guest = { organizer: { email: 'other@school.example' } };
    expect(copyOf({ attendeesOmitted: true }).peopleOmitted).toBe(true);
    expect(copyOf({ ...guest, guestsCanSeeOtherGuests: false }).peopleOmitted).toBe(true);
    expect(copyOf({ guestsCanSeeOtherGuests: false }).peopleOmitted).toBe(false);
    expect(copyOf({ attendees: [{ displayName: 'Nobody knows' }] }).peopleOmitted).toBe(true);
  });

  it('knows hidden from merely private', () => {
    const bare = { summary: undefined, organizer: undefined, visibility: 'private' };
    const reader = { ...OWNER, accessRole: 'reader' };
    expect(copyOf(bare, reader)).toMatchObject({ hidden: true, private: true, peopleOmitted: true });
    expect(copyOf({ ...bare, summary: 'Seen' }, reader)).toMatchObject({ hidden: false, private: true });
    expect(copyOf(bare, OWNER).hidden).toBe(false);
    expect(copyOf({ visibility: 'confidential' })).toMatchObject({ private: true, hidden: false });
  });

  it('gives the text that tags stand in', () => {
    const { text } = copyOf({
      description: '<b>#x</b>',
      extendedProperties: { private: { a: '1' }, shared: { b: '2' } },
    });
    expect(text).toEqual({
      title: 'Talk #mentoring',
      body: '<b>#x</b>',
      categories: [],
      properties: [
        { name: 'a', value: '1' },
        { name: 'b', value: '2' },
      ],
    });
  });
});

describe('where it takes place online', () => {
  const meet = { conferenceId: 'abc-mnop-xyz', conferenceSolution: { key: { type: 'hangoutsMeet' } } };
  const teams =
    'https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%22Tid%22%3a%221%22%7d&x=1';

  it.each([
    [{ conferenceData: meet }, { kind: 'meet', key: 'abcmnopxyz' }],
    [{ hangoutLink: 'https://meet.google.com/abc-mnop-xyz?authuser=0' }, { kind: 'meet', key: 'abcmnopxyz' }],
    [{ location: 'https://meet.google.com/abc-mnop-xyz' }, { kind: 'meet', key: 'abcmnopxyz' }],
    [
      { description: '<a href="https://meet.google.com/abc-mnop-xyz">x</a>' },
      { kind: 'meet', key: 'abcmnopxyz' },
    ],
    [
      { conferenceData: { entryPoints: [{ uri: 'tel:+1-1' }, { uri: teams }] } },
      { kind: 'teams', key: teams },
    ],
    [{ description: `<a href="${teams.replaceAll('&', '&amp;')}">Join</a>` }, { kind: 'teams', key: teams }],
    [
      {
        description: `https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(teams)}&data=1`,
      },
      { kind: 'teams', key: teams },
    ],
    [
      { location: 'https://teams.microsoft.com/meet/123?p=abc' },
      { kind: 'teams', key: 'https://teams.microsoft.com/meet/123?p=abc' },
    ],
    [
      { location: 'Room 1, https://us02web.zoom.us/j/123?pwd=secret.' },
      { kind: 'other', key: 'https://us02web.zoom.us/j/123' },
    ],
    [
      { location: 'https://school.webex.com/meet/ada' },
      { kind: 'other', key: 'https://school.webex.com/meet/ada' },
    ],
    [{ location: 'https://meet.google.com/lookup/team' }, null],
    [{ location: 'https://teams.microsoft.com/' }, null],
    [{ location: 'https://nozoom.us.example/j/1' }, null],
    [{ location: 'Canteen' }, null],
    [{ conferenceData: { createRequest: { status: { statusCode: 'failure' } } } }, null],
  ])('%j', (given, expected) => {
    expect(copyOf(given).conference).toEqual(expected);
  });
});

describe('whole answers', () => {
  it('takes a page only with its tokens in order', () => {
    const read =
      (body: unknown, syncs = true) =>
      () =>
        readEventsPage(body, 'events.list', syncs);
    const good = { kind: 'calendar#events', items: [] };
    expect(read({ ...good, nextSyncToken: 's' })()).toMatchObject({ nextSyncToken: 's', items: [] });
    expect(read({ ...good, nextPageToken: 'p', nextSyncToken: null })()).toMatchObject({
      nextPageToken: 'p',
    });
    for (const body of [
      {},
      '{"kind":"calendar#events","items":[',
      null,
      { items: [], nextSyncToken: 's' },
      good,
      { ...good, nextSyncToken: '' },
      { ...good, nextPageToken: 'p', nextSyncToken: 's' },
      { ...good, items: 'none', nextSyncToken: 's' },
    ])
      expect(read(body)).toThrowError(
        expect.objectContaining({ kind: 'transient', code: 'malformed_answer' }),
      );
    expect(read(good, false)()).toMatchObject({ nextPageToken: null, nextSyncToken: null });
  });

  it('refuses to conclude absence from a list with an unreadable event', () => {
    const listing = (item: unknown) => () => readListing(page([item]), OWNER, 'events.list');
    expect(listing({ ...SINGLE, start: undefined })).toThrowError('malformed_answer');
    expect(listing({ summary: 'no id' })).toThrowError('malformed_answer');
  });

  it('says what stands behind an id', () => {
    const look = (event: object) => readLookedUp(readEvent({ ...SINGLE, ...event }), OWNER);
    expect(look({})).toMatchObject({ found: 'single' });
    expect(look(INSTANCE)).toEqual({ found: 'instance', seriesId: 'abc' });
    expect(look({ recurrence: ['RRULE:FREQ=DAILY'] })).toMatchObject({ found: 'series' });
    expect(look({ status: 'cancelled' })).toEqual({ found: 'gone' });
    expect(() => readEvent({})).toThrowError('malformed_answer');
  });
});
