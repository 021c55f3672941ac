import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { json, startWireServer, TENANT, type WireServer } from '../providers/microsoft-wire-server.ts';
import { ADA, BO, type MicrosoftStage, openMicrosoftStage } from './microsoft-stage.ts';

/** Single exchanges that the stand-in never makes by itself: told byte by byte by a server that does as it is told. */

let stage: MicrosoftStage;
let wire: WireServer;
beforeEach(async () => {
  wire = await startWireServer();
  stage = await openMicrosoftStage({ instead: { url: wire.url, tokenUrl: wire.tokenUrl, tenant: TENANT } });
});
afterEach(async () => {
  await wire.close();
  await stage.close();
});

const MAILBOX = `/v1.0/users/${encodeURIComponent(ADA)}`;
const at = (dateTime: string) => ({ dateTime: `${dateTime}:00.0000000`, timeZone: 'UTC' });
const person = (address: string) => ({ emailAddress: { name: address, address } });
const GOID_HEAD = '040000008200E00074C5B7101A82E008';
/** A GlobalObjectId with the date of one instance in it. */
const goid = (date = '00000000') =>
  `${GOID_HEAD}${date}${'AB'.repeat(8)}${'00'.repeat(8)}10000000${'CD'.repeat(16)}`;

type Row = Record<string, unknown>;
const event = (fields: Row = {}): Row => ({
  id: 'e1',
  '@odata.etag': `W/"${JSON.stringify(fields).length}"`,
  type: 'singleInstance',
  seriesMasterId: null,
  iCalUId: goid(),
  subject: 'Session #mentoring',
  start: at('2026-03-17T09:00'),
  end: at('2026-03-17T10:00'),
  organizer: person(ADA),
  isOrganizer: true,
  attendees: [{ ...person(BO), type: 'required', status: { response: 'none' } }],
  sensitivity: 'normal',
  lastModifiedDateTime: '2026-03-09T08:00:00Z',
  ...fields,
});
const stub = (n: number): Row => ({
  id: `o${n}`,
  type: 'occurrence',
  seriesMasterId: 'm1',
  start: at('2026-03-17T09:00'),
  end: at('2026-03-17T10:00'),
});
const DELTA_LINK = `${MAILBOX}/calendarView/delta?$deltatoken=next`;

/** Answers delta with pages of rows, and other paths below the mailbox by what they hold. */
function serve(pages: Row[][], others: Record<string, Row> = {}): void {
  wire.graph = (asked, response) => {
    const { pathname, searchParams } = new URL(asked.url, wire.url);
    const place = pathname.slice(MAILBOX.length);
    if (place === '/calendarView/delta') {
      const page = Number(searchParams.get('$skiptoken') ?? 0);
      const last = page >= pages.length - 1;
      return json(response, 200, {
        value: searchParams.has('$deltatoken') ? [] : (pages[page] ?? []),
        ...(last
          ? { '@odata.deltaLink': `${wire.url}${DELTA_LINK}` }
          : { '@odata.nextLink': `${wire.url}${MAILBOX}/calendarView/delta?$skiptoken=${page + 1}` }),
      });
    }
    const body = others[place];
    if (body === undefined) return json(response, 404, { error: { code: 'ErrorItemNotFound', message: '' } });
    return json(response, 200, body);
  };
}
const asked = (place: string) => wire.asked.filter(({ url }) => url.includes(place)).length;

test('03 stubs without their master in the stream: the master is asked for once, and all are filled', async () => {
  const instances = [17, 24, 31].map((day, n) => ({
    ...stub(n),
    iCalUId: goid(`07EA03${day.toString(16).padStart(2, '0').toUpperCase()}`),
    start: at(`2026-03-${day}T09:00`),
    end: at(`2026-03-${day}T10:00`),
    originalStart: `2026-03-${day}T09:00:00Z`,
  }));
  serve([instances.map((_, n) => stub(n))], {
    '/events/m1': event({
      id: 'm1',
      type: 'seriesMaster',
      start: at('2024-03-05T09:00'),
      end: at('2024-03-05T10:00'),
    }),
    '/events/m1/instances': { value: instances },
  });
  expect(await stage.sync()).toMatchObject({ complete: true });
  expect(await stage.booked()).toEqual(['2026-03-17T09:00', '2026-03-24T09:00', '2026-03-31T09:00']);
  expect(asked('/events/m1?')).toBe(1);
  expect(asked('/instances')).toBe(1);
});

test('12 an older row of an id on a later page: the newer one stands', async () => {
  const newer = event({
    start: at('2026-03-20T09:00'),
    end: at('2026-03-20T10:00'),
    lastModifiedDateTime: '2026-03-09T10:00:00Z',
  });
  serve([[newer], [event({ lastModifiedDateTime: '2026-03-09T09:00:00Z' })]]);
  await stage.sync();
  expect(await stage.booked()).toEqual(['2026-03-20T09:00']);
  const told = await stage.events();
  await stage.sync(ADA, { full: true });
  expect(await stage.events()).toEqual(told);
});

test('15 the sync code inside of a 400, spelled either way', async () => {
  serve([[event()]]);
  await stage.sync();
  for (const inner of ['innererror', 'innerError']) {
    let lost = 1;
    const healthy = wire.graph;
    wire.graph = (request, response) => {
      if (lost-- <= 0) return healthy(request, response);
      return json(response, 400, {
        error: { code: 'BadRequest', message: 'x', [inner]: { code: 'ResyncRequired' } },
      });
    };
    expect(await stage.sync()).toMatchObject({ kind: 'full', complete: true });
    wire.graph = healthy;
  }
});

test.each([
  ['null', null],
  ['malformed hex', `${GOID_HEAD}XYZ`],
  ['an odd number of digits', `${goid()}A`],
  ['too short', GOID_HEAD],
  ['empty', ''],
])('34 an iCalUId that is %s: the session is there, and stays the same one', async (_what, iCalUId) => {
  serve([[event({ iCalUId })]]);
  expect(await stage.sync()).toMatchObject({ complete: true });
  const [session] = await stage.sessions();
  serve([
    [
      event({
        iCalUId,
        start: at('2026-03-18T09:00'),
        end: at('2026-03-18T10:00'),
        lastModifiedDateTime: '2026-03-10T07:00:00Z',
      }),
    ],
  ]);
  await stage.sync(ADA, { full: true });
  expect(await stage.sessions()).toMatchObject([{ id: session?.id, start: '2026-03-18T09:00' }]);
});

describe('38 zones', () => {
  test.each([
    'W. Europe Standard Time',
    'Europe/Berlin',
    'tzone://Microsoft/Custom',
    'Customized Time Zone',
    '',
    null,
  ])('named %s: the same instants and one session a date', async (zone) => {
    const before = process.env.TZ;
    process.env.TZ = 'America/New_York';
    try {
      const instance = (n: number, day: string, utc: string, originalStart: string): Row =>
        event({
          ...stub(n),
          iCalUId: goid(),
          start: at(`${day}T${utc}`),
          end: at(`${day}T${utc.replace(':00', ':45')}`),
          originalStart,
          originalStartTimeZone: zone,
        });
      const master = event({
        id: 'm1',
        type: 'seriesMaster',
        originalStartTimeZone: zone,
        recurrence: { range: { recurrenceTimeZone: zone } },
      });
      const rows = [
        instance(1, '2026-03-24', '09:00', '2026-03-24T09:00:00Z'),
        // The same instant as 08:00 UTC, told with an offset.
        instance(2, '2026-03-31', '08:00', '2026-03-31T04:00:00-04:00'),
      ];
      serve([[master, ...rows.map((_, n) => stub(n + 1))]], {
        '/events/m1': master,
        '/events/m1/instances': { value: rows },
      });
      expect(await stage.sync()).toMatchObject({ complete: true });
      expect(await stage.booked()).toEqual(['2026-03-24T09:00', '2026-03-31T08:00']);
      await stage.sync(ADA, { full: true });
      expect(await stage.sessions()).toHaveLength(2);
      expect(
        await stage.rows(
          sql`select to_char(original_date, 'YYYY-MM-DD') as day from cadenced.occurrence order by 1`,
        ),
      ).toEqual([{ day: '2026-03-24' }, { day: '2026-03-31' }]);
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });
});

test('39 an all-day event is no session, also at the edge of the window and in a mailbox at UTC+13', async () => {
  const allDay = (id: string, day: string, next: string) =>
    event({
      id,
      iCalUId: `${id}@x`,
      isAllDay: true,
      start: at(`${day}T00:00`),
      end: at(`${next}T00:00`),
      originalStartTimeZone: 'Tonga Standard Time',
    });
  serve([
    [allDay('inside', '2026-03-20', '2026-03-21'), allDay('edge', '2026-02-02', '2026-02-03'), event()],
  ]);
  expect(await stage.sync()).toMatchObject({ complete: true });
  expect(await stage.booked()).toEqual(['2026-03-17T09:00']);
});

describe('44 hostile links', () => {
  const foreign = [
    'https://graph.evil.example/v1.0/users/x',
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
  ];
  test.each(foreign)('to %s are refused, and no token goes there', async (link) => {
    wire.graph = (_asked, response) => json(response, 200, { value: [event()], '@odata.nextLink': link });
    expect((await stage.sync()).failure).toMatchObject({ kind: 'config', code: 'foreign_link' });
    expect(await stage.booked()).toEqual([]);
    expect(wire.asked).toHaveLength(1);
  });

  test('that lead back to themselves are cut', async () => {
    wire.graph = (_asked, response) =>
      json(response, 200, {
        value: [event()],
        '@odata.nextLink': `${wire.url}${MAILBOX}/calendarView/delta?$skiptoken=1`,
      });
    expect((await stage.sync()).failure).toMatchObject({ kind: 'transient', code: 'endless_pages' });
    expect(wire.asked).toHaveLength(2);
    expect(await stage.booked()).toEqual([]);
  });

  test('that never end are cut at a thousand pages', async () => {
    let page = 0;
    wire.graph = (_asked, response) => {
      page += 1;
      json(response, 200, {
        value: [],
        '@odata.nextLink': `${wire.url}${MAILBOX}/calendarView/delta?$skiptoken=${page}`,
      });
    };
    expect((await stage.sync()).failure).toMatchObject({ kind: 'transient', code: 'endless_pages' });
    expect(wire.asked).toHaveLength(1_000);
  });
});

test('45 an endless series of 5,000 stubs over many pages: one master, one list, bounded memory', async () => {
  const pages = Array.from({ length: 50 }, (_, page) =>
    Array.from({ length: 100 }, (__, n) => stub(page * 100 + n)),
  );
  const rows = Array.from({ length: 22 }, (_, week) => {
    const day = new Date(Date.UTC(2026, 1, 10 + 7 * week)).toISOString().slice(0, 10);
    return event({
      ...stub(week),
      start: at(`${day}T09:00`),
      end: at(`${day}T10:00`),
      originalStart: `${day}T09:00:00Z`,
    });
  });
  serve(pages, {
    '/events/m1': event({ id: 'm1', type: 'seriesMaster' }),
    '/events/m1/instances': { value: rows },
  });
  const before = process.memoryUsage().heapUsed;
  expect(await stage.sync()).toMatchObject({ complete: true });
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024);
  expect(asked('/events/m1?')).toBe(1);
  expect(asked('/instances')).toBe(1);
  expect(await stage.sessions()).toHaveLength(22);
});
