import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addGuest,
  addTag,
  cancelMeeting,
  cancelOccurrence,
  changeOrganizer,
  createMeeting,
  deleteCopy,
  detachOccurrence,
  editMeeting,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  removeGuest,
  respond,
  setPersonState,
  setProperty,
  shareCalendar,
  splitSeries,
} from '../../src/sandbox/world/index.ts';
import { type Bench, openBench, reasonOf } from './google-client.ts';

const SERIES = { singleEvents: 'false', showDeleted: 'true', maxResults: '2500' };
const EVENTS = '/calendar/v3/calendars/ada%40north.example/events';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.close());

function single(title: string, start = '2026-10-07T09:00') {
  return createMeeting(bench.world, {
    organizer: 'ada@north.example',
    guests: ['cyd@north.example'],
    title,
    start,
  });
}

describe('a listing', () => {
  it('writes a series once, in the fields Google uses', async () => {
    const meeting = bench.weekly();
    const { items } = await bench.all(SERIES);
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      kind: 'calendar#event',
      id: meeting.eventId,
      status: 'confirmed',
      summary: 'Catch-up #mentoring',
      iCalUID: `${meeting.eventId}@google.com`,
      organizer: { email: 'ada@north.example', self: true },
      start: { dateTime: '2026-10-06T10:00:00+02:00', timeZone: 'Europe/Berlin' },
      end: { dateTime: '2026-10-06T10:45:00+02:00', timeZone: 'Europe/Berlin' },
      recurrence: ['RRULE:FREQ=WEEKLY;BYDAY=TU'],
      conferenceData: { conferenceSolution: { key: { type: 'hangoutsMeet' } } },
      eventType: 'default',
    });
    expect(items[0]?.etag).toMatch(/^"\d{16}"$/);
    expect(items[0]?.attendees).toEqual([
      {
        email: 'ada@north.example',
        displayName: 'Ada North',
        organizer: true,
        self: true,
        responseStatus: 'accepted',
      },
      { email: 'cyd@north.example', displayName: 'Cyd North', responseStatus: 'needsAction' },
    ]);
  });

  it('pages, gives the sync token on the last page alone, and insists on the same query', async () => {
    for (let index = 0; index < 5; index += 1) single(`Meeting ${index}`);
    const first = await bench.page({ maxResults: '2' });
    expect([first.items.length, first.nextSyncToken]).toEqual([2, undefined]);
    const { items, pages, token } = await bench.all({ maxResults: '2' });
    expect([new Set(items.map(({ id }) => id)).size, pages, token.length > 10]).toEqual([5, 3, true]);
    const other = await bench.get(EVENTS, { maxResults: '3', pageToken: first.nextPageToken ?? '' });
    expect([other.status, reasonOf(other).location]).toEqual([400, 'pageToken']);
  });

  it('shows empty pages before more comes', async () => {
    bench.google.habits.emptyPages = 1;
    single('One');
    single('Two');
    const { items, pages } = await bench.all({ maxResults: '1' });
    expect([items.length, pages]).toEqual([2, 4]);
  });

  it('misses nothing that changes while it is being paged', async () => {
    for (let index = 0; index < 4; index += 1) single(`Meeting ${index}`);
    const first = await bench.page({ maxResults: '2' });
    const late = single('Booked in between');
    let page = first;
    while (page.nextPageToken !== undefined) {
      page = await bench.page({ maxResults: '2', pageToken: page.nextPageToken });
    }
    const delta = await bench.all({ syncToken: page.nextSyncToken ?? '', maxResults: '2' });
    expect(delta.items.map(({ id }) => id)).toEqual([late.eventId]);
  });

  it.each([
    'timeMin',
    'timeMax',
    'updatedMin',
    'q',
    'iCalUID',
    'orderBy',
    'privateExtendedProperty',
    'sharedExtendedProperty',
  ])('refuses %s beside a sync token', async (name) => {
    const { token } = await bench.all();
    const answer = await bench.get(EVENTS, { syncToken: token, [name]: '2026-10-01T00:00:00Z' });
    expect([answer.status, reasonOf(answer).location]).toEqual([400, name]);
  });

  it('refuses an explicit showDeleted=false beside a sync token, and other parameters than before', async () => {
    const { token } = await bench.all(SERIES);
    expect((await bench.get(EVENTS, { syncToken: token, showDeleted: 'false' })).status).toBe(400);
    expect((await bench.get(EVENTS, { syncToken: token, singleEvents: 'true' })).status).toBe(400);
    expect((await bench.get(EVENTS, { syncToken: 'not a token' })).status).toBe(400);
  });

  it('refuses an empty window and times without an offset', async () => {
    const empty = await bench.get(EVENTS, {
      timeMin: '2026-10-02T00:00:00Z',
      timeMax: '2026-10-02T00:00:00Z',
    });
    expect([empty.status, reasonOf(empty).reason]).toEqual([400, 'timeRangeEmpty']);
    expect((await bench.get(EVENTS, { timeMin: '2026-10-02T00:00:00' })).status).toBe(400);
    expect((await bench.get(EVENTS, { orderBy: 'startTime' })).status).toBe(400);
  });

  it('bounds the first list by the window, and lays series out on request', async () => {
    bench.weekly();
    single('Far off', '2027-06-01T09:00');
    const window = { timeMin: '2026-10-10T00:00:00Z', timeMax: '2026-11-01T00:00:00Z' };
    expect((await bench.all({ ...SERIES, ...window })).items.map((item) => item.recurrence)).toEqual([
      ['RRULE:FREQ=WEEKLY;BYDAY=TU'],
    ]);
    const laidOut = await bench.all({ ...window, singleEvents: 'true', orderBy: 'startTime' });
    expect(laidOut.items.map((item) => item.start)).toMatchObject([
      { dateTime: '2026-10-13T10:00:00+02:00' },
      { dateTime: '2026-10-20T10:00:00+02:00' },
      { dateTime: '2026-10-27T10:00:00+01:00' },
    ]);
    expect(laidOut.token).toBe('');
  });

  it('finds by words, UID and properties, without a sync token', async () => {
    const tagged = bench.weekly();
    const other = single('Lunch');
    setProperty(bench.world, {
      meeting: other.id,
      person: 'ada@north.example',
      key: 'kind',
      value: 'session',
    });
    const ids = async (query: Record<string, string>) => {
      const { items, token } = await bench.all(query);
      expect(token).toBe('');
      return items.map(({ id }) => id);
    };
    expect(await ids({ q: '#MENTORING' })).toEqual([tagged.eventId]);
    expect(await ids({ iCalUID: other.uid })).toEqual([other.eventId]);
    expect(await ids({ privateExtendedProperty: 'kind=session' })).toEqual([other.eventId]);
    const guests = await bench.all({ privateExtendedProperty: 'kind=session' }, 'cyd@north.example');
    expect(guests.items).toEqual([]);
  });

  it('cuts answers down to the fields asked for', async () => {
    bench.weekly();
    const page = await bench.page({ fields: 'kind,nextSyncToken,items(id,start/dateTime)' });
    expect(Object.keys(page).toSorted()).toEqual(['items', 'kind', 'nextSyncToken']);
    expect(page.items[0]).toEqual({
      id: expect.any(String),
      start: { dateTime: '2026-10-06T10:00:00+02:00' },
    });
    expect((await bench.get(EVENTS, { fields: 'items(id' })).status).toBe(400);
  });

  it('writes days without a time for all-day events', async () => {
    createMeeting(bench.world, {
      organizer: 'ada@north.example',
      title: 'Off',
      start: '2026-10-09',
      allDay: true,
    });
    const { items } = await bench.all();
    expect(items[0]).toMatchObject({ start: { date: '2026-10-09' }, end: { date: '2026-10-10' } });
    expect(items[0]).not.toHaveProperty('attendees');
  });
});

describe('a delta', () => {
  async function changes(token: string, as?: string) {
    const { items, token: next } = await bench.all({ ...SERIES, syncToken: token }, as);
    return { items, next };
  }

  it('is empty when nothing happened, and full state once however often something did', async () => {
    const meeting = bench.weekly();
    const { token } = await bench.all(SERIES);
    const quiet = await changes(token);
    expect(quiet.items).toEqual([]);
    editMeeting(bench.world, { meeting: meeting.id, title: 'First' });
    editMeeting(bench.world, { meeting: meeting.id, title: 'Second' });
    const { items, next } = await changes(quiet.next);
    expect(items).toMatchObject([{ id: meeting.eventId, summary: 'Second' }]);
    expect((await changes(next)).items).toEqual([]);
  });

  it('is not bounded by the window of the first list', async () => {
    const { token } = await bench.all({ ...SERIES, timeMax: '2026-11-01T00:00:00Z' });
    const far = single('Far off', '2031-01-07T09:00');
    expect((await changes(token)).items).toMatchObject([{ id: far.eventId }]);
  });

  it('tells a moved and a cancelled occurrence by ids made of their original starts', async () => {
    const meeting = bench.weekly();
    const { token } = await bench.all(SERIES);
    moveOccurrence(bench.world, {
      meeting: meeting.id,
      slot: '2026-10-13T08:00:00Z',
      start: '2026-10-14T13:00:00Z',
    });
    cancelOccurrence(bench.world, { meeting: meeting.id, slot: '2026-10-27T09:00:00Z' });
    const { items } = await changes(token);
    const byId = Object.fromEntries(items.map((item) => [item.id, item]));
    expect(byId[`${meeting.eventId}_20261013T080000Z`]).toMatchObject({
      status: 'confirmed',
      recurringEventId: meeting.eventId,
      originalStartTime: { dateTime: '2026-10-13T10:00:00+02:00' },
      start: { dateTime: '2026-10-14T15:00:00+02:00' },
    });
    expect(byId[`${meeting.eventId}_20261027T090000Z`]).toEqual({
      kind: 'calendar#event',
      etag: expect.any(String),
      id: `${meeting.eventId}_20261027T090000Z`,
      status: 'cancelled',
      recurringEventId: meeting.eventId,
      originalStartTime: { dateTime: '2026-10-27T10:00:00+01:00', timeZone: 'Europe/Berlin' },
    });
    expect(items).toHaveLength(2);
  });

  it('sometimes leaves of a cancelled occurrence nothing but its id', async () => {
    bench.google.habits.sparseTombstones = 1;
    const meeting = bench.weekly();
    const { token } = await bench.all(SERIES);
    cancelOccurrence(bench.world, { meeting: meeting.id, slot: '2026-10-13T08:00:00Z' });
    expect((await changes(token)).items).toEqual([
      { id: `${meeting.eventId}_20261013T080000Z`, status: 'cancelled' },
    ]);
  });

  it('tells a cancelled series once, in full to its organizer and bare to its guest', async () => {
    const meeting = bench.weekly();
    cancelOccurrence(bench.world, { meeting: meeting.id, slot: '2026-10-13T08:00:00Z' });
    const ada = await bench.all(SERIES);
    const cyd = await bench.all(SERIES, 'cyd@north.example');
    cancelMeeting(bench.world, { meeting: meeting.id });
    expect((await changes(ada.token)).items).toMatchObject([
      { id: meeting.eventId, status: 'cancelled', summary: 'Catch-up #mentoring' },
    ]);
    expect((await changes(cyd.token, 'cyd@north.example')).items).toEqual([
      { kind: 'calendar#event', etag: expect.any(String), id: meeting.eventId, status: 'cancelled' },
    ]);
  });

  it('shows a guest leaving to that guest alone', async () => {
    const meeting = bench.weekly();
    const ada = await bench.all(SERIES);
    const cyd = await bench.all(SERIES, 'cyd@north.example');
    deleteCopy(bench.world, { meeting: meeting.id, person: 'cyd@north.example' });
    expect((await changes(ada.token)).items).toEqual([]);
    expect((await changes(cyd.token, 'cyd@north.example')).items).toMatchObject([{ status: 'cancelled' }]);
  });

  it('leaves of a meeting that went to another organizer a bare id on the old calendar', async () => {
    const meeting = bench.weekly();
    const ada = await bench.all(SERIES);
    const cyd = await bench.all(SERIES, 'cyd@north.example');
    changeOrganizer(bench.world, { meeting: meeting.id, organizer: 'dee@away.example' });
    expect((await changes(ada.token)).items).toEqual([
      { kind: 'calendar#event', etag: expect.any(String), id: meeting.eventId, status: 'cancelled' },
    ]);
    const [guests] = (await changes(cyd.token, 'cyd@north.example')).items;
    expect(guests).toMatchObject({
      id: meeting.eventId,
      iCalUID: `${meeting.eventId}@google.com`,
      status: 'confirmed',
      organizer: { email: 'dee@away.example' },
    });
    expect(guests?.attendees).toMatchObject([
      { email: 'dee@away.example', organizer: true },
      { email: 'cyd@north.example', self: true },
      { email: 'ada@north.example', responseStatus: 'accepted' },
    ]);
    // Back again it is theirs as before, with the guest as a guest.
    changeOrganizer(bench.world, { meeting: meeting.id, organizer: 'ada@north.example' });
    expect((await changes(ada.token)).items).toMatchObject([
      { id: meeting.eventId, status: 'confirmed', organizer: { email: 'ada@north.example', self: true } },
    ]);
  });

  it('shows an occurrence that became an event of its own under the id it had, and a series without it', async () => {
    const meeting = bench.weekly();
    moveOccurrence(bench.world, {
      meeting: meeting.id,
      slot: '2026-10-13T08:00:00Z',
      start: '2026-10-14T08:00:00Z',
    });
    const { token } = await bench.all(SERIES);
    detachOccurrence(bench.world, { meeting: meeting.id, slot: '2026-10-13T08:00:00Z' });
    const { items } = await changes(token);
    const id = `${meeting.eventId}_20261013T080000Z`;
    const own = items.find((item) => item.id === id);
    expect(own).toMatchObject({ status: 'confirmed', iCalUID: `${meeting.eventId}@google.com` });
    expect(own).toMatchObject({ start: { dateTime: '2026-10-14T10:00:00+02:00' } });
    expect(Object.keys(own ?? {})).not.toContain('recurringEventId');
    expect(Object.keys(own ?? {})).not.toContain('originalStartTime');
    expect(items.filter((item) => item !== own)).toMatchObject([
      { id: meeting.eventId, status: 'confirmed' },
    ]);
    const instances = await bench.get(`${EVENTS}/${meeting.eventId}/instances`, {
      timeMin: '2026-10-06T00:00:00Z',
      timeMax: '2026-10-21T00:00:00Z',
    });
    expect((JSON.parse(instances.text) as { items: { id: string }[] }).items.map((item) => item.id)).toEqual([
      `${meeting.eventId}_20261006T080000Z`,
      `${meeting.eventId}_20261020T080000Z`,
    ]);
    expect((await bench.get(`${EVENTS}/${id}`)).status).toBe(200);
  });

  it('spreads an answer over every copy', async () => {
    const meeting = bench.weekly();
    const { token } = await bench.all(SERIES);
    respond(bench.world, { meeting: meeting.id, person: 'cyd@north.example', response: 'declined' });
    expect((await changes(token)).items[0]?.attendees).toMatchObject([{}, { responseStatus: 'declined' }]);
  });

  it('tells both halves of a split, the new one under a derived id', async () => {
    const meeting = bench.weekly();
    const { token } = await bench.all(SERIES);
    const next = splitSeries(bench.world, {
      meeting: meeting.id,
      slot: '2026-10-20T08:00:00Z',
      time: '11:00',
    });
    const { items } = await changes(token);
    expect(Object.fromEntries(items.map((item) => [item.id, item.recurrence]))).toEqual({
      [meeting.eventId]: ['RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20261019T215959Z'],
      [`${meeting.eventId}_R20261020T080000`]: ['RRULE:FREQ=WEEKLY;BYDAY=TU'],
    });
    const instances = await bench.get(`${EVENTS}/${next.eventId}/instances`, {
      timeMax: '2026-10-28T00:00:00Z',
    });
    expect(JSON.parse(instances.text)).toMatchObject({
      items: [
        { id: `${next.instancePrefix}_20261020T090000Z`, recurringEventId: next.eventId },
        { id: `${next.instancePrefix}_20261027T100000Z` },
      ],
    });
  });

  it('says nothing of exceptions that an edit of all swept away', async () => {
    const meeting = bench.weekly();
    moveOccurrence(bench.world, {
      meeting: meeting.id,
      slot: '2026-10-13T08:00:00Z',
      start: '2026-10-14T13:00:00Z',
    });
    const { token } = await bench.all(SERIES);
    moveSeries(bench.world, { meeting: meeting.id, weekday: 'TH' });
    expect((await changes(token)).items.map(({ id }) => id)).toEqual([meeting.eventId]);
  });

  it('explodes when a sync token meets singleEvents', async () => {
    const meeting = bench.weekly();
    const first = await bench.all({ singleEvents: 'true', timeMax: '2026-11-01T00:00:00Z' });
    expect(first.items).toHaveLength(4);
    editMeeting(bench.world, { meeting: meeting.id, title: 'Touched' });
    const delta = await bench.all({ singleEvents: 'true', syncToken: first.token });
    expect(delta.items.length).toBeGreaterThanOrEqual(700);
    expect(JSON.stringify(delta.items.at(-1)?.start) + JSON.stringify(delta.items[0]?.start)).toMatch(
      /20[34]\d-/,
    );
  });

  it('demands a full sync when tokens have expired, mid-paging too', async () => {
    for (let index = 0; index < 3; index += 1) single(`Meeting ${index}`);
    const { token } = await bench.all();
    single('Later');
    single('Later still');
    const first = await bench.page({ syncToken: token, maxResults: '1' });
    bench.world.expireTokens('ada@north.example');
    for (const query of [
      { syncToken: token },
      { syncToken: token, maxResults: '1', pageToken: first.nextPageToken ?? '' },
    ]) {
      const answer = await bench.get(EVENTS, query);
      expect([answer.status, reasonOf(answer).reason]).toEqual([410, 'fullSyncRequired']);
    }
    expect((await bench.all()).items).toHaveLength(5);
  });
});

describe('single events of a series', () => {
  it('reach somebody invited to one occurrence without the series', async () => {
    const meeting = bench.weekly({ guests: ['ben@south.example'] });
    addGuest(bench.world, { meeting: meeting.id, slot: '2026-10-13T08:00:00Z', guest: 'cyd@north.example' });
    const { items, token } = await bench.all(SERIES, 'cyd@north.example');
    expect(items).toMatchObject([
      { id: `${meeting.eventId}_20261013T080000Z`, recurringEventId: meeting.eventId },
    ]);
    const master = `/calendar/v3/calendars/primary/events/${meeting.eventId}`;
    expect((await bench.get(master, {}, 'cyd@north.example')).status).toBe(404);
    editMeeting(bench.world, { meeting: meeting.id, title: 'New name' });
    removeGuest(bench.world, {
      meeting: meeting.id,
      slot: '2026-10-13T08:00:00Z',
      guest: 'cyd@north.example',
    });
    const delta = await bench.all({ ...SERIES, syncToken: token }, 'cyd@north.example');
    expect(delta.items).toMatchObject([{ id: `${meeting.eventId}_20261013T080000Z`, status: 'cancelled' }]);
  });

  it('have their end told though the series was split before them and then moved as a whole', async () => {
    const meeting = bench.weekly({ guests: ['ben@south.example'] });
    addGuest(bench.world, { meeting: meeting.id, slot: '2026-10-13T08:00:00Z', guest: 'cyd@north.example' });
    const { token } = await bench.all(SERIES, 'cyd@north.example');
    splitSeries(bench.world, { meeting: meeting.id, slot: '2026-10-13T08:00:00Z' });
    moveSeries(bench.world, { meeting: meeting.id, time: '11:00' });
    const delta = await bench.all({ ...SERIES, syncToken: token }, 'cyd@north.example');
    expect(delta.items).toMatchObject([{ id: `${meeting.eventId}_20261013T080000Z`, status: 'cancelled' }]);
    expect((await bench.all(SERIES, 'cyd@north.example')).items).toEqual([]);
  });

  it('come back to who is invited again', async () => {
    const meeting = bench.weekly({ guests: ['ben@south.example'] });
    const alone = { meeting: meeting.id, slot: '2026-10-13T08:00:00Z', guest: 'cyd@north.example' };
    addGuest(bench.world, alone);
    moveSeries(bench.world, { meeting: meeting.id, time: '10:00' });
    expect((await bench.all(SERIES, 'cyd@north.example')).items).toMatchObject([{ status: 'cancelled' }]);
    addGuest(bench.world, alone);
    expect((await bench.all(SERIES, 'cyd@north.example')).items).toMatchObject([
      { id: `${meeting.eventId}_20261013T080000Z`, status: 'confirmed' },
    ]);
  });

  it('are laid out without end when no window is named', async () => {
    const meeting = bench.weekly({ rule: 'FREQ=DAILY' });
    const { items } = JSON.parse(
      (
        await bench.get(`${EVENTS}/${meeting.eventId}/instances`, {
          maxResults: '250',
          fields: 'items/id,nextPageToken',
        })
      ).text,
    ) as { items: unknown[] };
    expect(items).toHaveLength(250);
    bench.google.habits.maxPage = 2500;
    const all = await bench.get(`${EVENTS}/${meeting.eventId}/instances`, { maxResults: '2500' });
    expect((JSON.parse(all.text) as { items: unknown[] }).items).toHaveLength(730);
  });

  it('leave cancelled ones out unless they are asked for', async () => {
    const meeting = bench.weekly();
    cancelOccurrence(bench.world, { meeting: meeting.id, slot: '2026-10-13T08:00:00Z' });
    const window = { timeMin: '2026-10-01T00:00:00Z', timeMax: '2026-10-25T00:00:00Z' };
    const count = async (query: Record<string, string>) =>
      (
        JSON.parse((await bench.get(`${EVENTS}/${meeting.eventId}/instances`, query)).text) as {
          items: unknown[];
        }
      ).items.length;
    expect(await count(window)).toBe(2);
    expect(await count({ ...window, showDeleted: 'true' })).toBe(3);
  });
});

describe('one event', () => {
  it('is shown as cancelled for a day after its deletion, then as deleted', async () => {
    const meeting = single('Short-lived');
    const path = `${EVENTS}/${meeting.eventId}`;
    cancelMeeting(bench.world, { meeting: meeting.id });
    expect(JSON.parse((await bench.get(path)).text)).toMatchObject({ status: 'cancelled' });
    bench.world.clock.advance(2 * 86_400_000);
    const later = await bench.get(path);
    expect([later.status, reasonOf(later).reason]).toEqual([410, 'deleted']);
    expect((await bench.get(`${EVENTS}/unknown`)).status).toBe(404);
  });

  it('keeps its id when it moves to another day', async () => {
    const meeting = single('Moves');
    moveMeeting(bench.world, { meeting: meeting.id, start: '2026-10-20T09:00' });
    expect(JSON.parse((await bench.get(`${EVENTS}/${meeting.eventId}`)).text)).toMatchObject({
      id: meeting.eventId,
      start: { dateTime: '2026-10-20T09:00:00+02:00' },
      sequence: 1,
    });
  });

  it('made in Outlook carries the clean Global Object Id in lower case', async () => {
    const meeting = bench.weekly({
      organizer: 'ben@south.example',
      guests: ['ada@north.example'],
      conference: 'teams',
    });
    addTag(bench.world, { meeting: meeting.id, tag: '#more' });
    const [item] = (await bench.all(SERIES)).items;
    expect(item).toMatchObject({
      iCalUID: meeting.uid.toLowerCase(),
      organizer: { email: 'ben@south.example' },
      location: 'Microsoft Teams Meeting',
      description: expect.stringContaining('https://teams.microsoft.com/l/meetup-join/19%3ameeting_'),
    });
    expect(item).not.toHaveProperty('hangoutLink');
  });
});

describe('access', () => {
  it('hides what may not be seen behind 404', async () => {
    expect((await bench.get(EVENTS, {}, 'cyd@north.example')).status).toBe(404);
    expect((await bench.get('/calendar/v3/calendars/nobody%40north.example/events')).status).toBe(404);
    expect((await bench.get('/calendar/v3/calendars/primary/events')).status).toBe(200);
  });

  it('tells a withdrawn consent from a switched-off service', async () => {
    setPersonState(bench.world, { person: 'ada@north.example', state: 'forbidden' });
    const forbidden = await bench.get(EVENTS);
    expect([forbidden.status, reasonOf(forbidden).reason]).toEqual([403, 'forbidden']);
    setPersonState(bench.world, { person: 'ada@north.example', state: 'no_mailbox' });
    expect(reasonOf(await bench.get(EVENTS)).reason).toBe('notACalendarUser');
  });

  it('strips private events for a reader who is not the owner', async () => {
    bench.weekly({ visibility: 'private' });
    shareCalendar(bench.world, {
      owner: 'ada@north.example',
      reader: 'cyd@north.example',
      accessRole: 'reader',
    });
    const answer = await bench.get(EVENTS, {}, 'cyd@north.example');
    const page = JSON.parse(answer.text) as { accessRole: string; items: Record<string, unknown>[] };
    expect(page.accessRole).toBe('reader');
    expect(page.items[0]).toMatchObject({ visibility: 'private', status: 'confirmed' });
    for (const hidden of ['summary', 'description', 'attendees', 'hangoutLink']) {
      expect(page.items[0]).not.toHaveProperty(hidden);
    }
    expect((await bench.all()).items[0]).toMatchObject({
      summary: 'Catch-up #mentoring',
      visibility: 'private',
    });
  });

  it('shows a guest of a hidden list nobody but themselves', async () => {
    bench.weekly({ guests: ['cyd@north.example', 'dee@away.example'], hideGuests: true });
    const [item] = (await bench.all(SERIES, 'cyd@north.example')).items;
    expect(item).toMatchObject({
      attendeesOmitted: true,
      attendees: [{ email: 'cyd@north.example', self: true }],
    });
  });
});
