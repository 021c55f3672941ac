import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../src/runtime/log.ts';
import { syncCalendar } from '../../src/usecases/sync-calendar.ts';
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

describe('12 one id in several versions', () => {
  const version = (day: number, hour: number, fields: Row = {}) =>
    event({
      start: at(`2026-03-${day}T09:00`),
      end: at(`2026-03-${day}T10:00`),
      lastModifiedDateTime: `2026-03-09T${hour}:00:00Z`,
      ...fields,
    });
  const other = event({
    id: 'e2',
    iCalUId: 'other@x',
    start: at('2026-03-18T09:00'),
    end: at('2026-03-18T10:00'),
  });

  test('in the first round, the older on a later page: the newer one stands', async () => {
    serve([[version(20, 10)], [version(17, 9)]]);
    await stage.sync();
    expect(await stage.booked()).toEqual(['2026-03-20T09:00']);
    const told = await stage.events();
    await stage.sync(ADA, { full: true });
    expect(await stage.events()).toEqual(told);
  });

  test.each<[string, Row[][]]>([
    [
      'newer, newer again, then older',
      [
        [version(20, 10), version(20, 10)],
        [other, version(18, 9)],
      ],
    ],
    ['older, then newer', [[version(18, 9)], [version(20, 10), other]]],
    ['older between two of the newer', [[version(20, 10)], [version(18, 9), other], [version(20, 10)]]],
    ['equally old, and the last one counts', [[version(18, 10)], [other], [version(20, 10)]]],
  ])('in a later round (%s), and the round replayed: the latest state, told once', async (_what, pages) => {
    serve([[version(17, 8)]]);
    await stage.sync();
    const { cursor } = await stage.state();
    /** The same round again and again: delta promises no more than at least once. */
    const replayed: WireServer['graph'] = (request, response) => {
      const page = Number(new URL(request.url, wire.url).searchParams.get('$skiptoken') ?? 0);
      const last = page >= pages.length - 1;
      return json(response, 200, {
        value: pages[page] ?? [],
        ...(last
          ? { '@odata.deltaLink': `${wire.url}${DELTA_LINK}` }
          : { '@odata.nextLink': `${wire.url}${MAILBOX}/calendarView/delta?$skiptoken=${page + 1}` }),
      });
    };
    wire.graph = replayed;
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes' });
    const events = await stage.events();
    expect(events.toSorted()).toEqual(['session.rescheduled', 'session.scheduled', 'session.scheduled']);
    expect(await stage.booked()).toEqual(['2026-03-18T09:00', '2026-03-20T09:00']);
    for (let time = 0; time < 2; time += 1) {
      await sql`update cadenced.calendar set cursor = ${cursor} where address = ${ADA}`.execute(stage.db);
      expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes', applied: { events: 0 } });
    }
    expect(await stage.events()).toEqual(events);
    expect(await stage.booked()).toEqual(['2026-03-18T09:00', '2026-03-20T09:00']);
  });
});

describe('21 an answer that does not come', () => {
  /** Time-outs as they are set, each lived through in a three-hundredth of its time. */
  function hastened(): number[] {
    const asked: number[] = [];
    const inFull = AbortSignal.timeout.bind(AbortSignal);
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      asked.push(ms);
      return inFull(ms / 300);
    });
    return asked;
  }
  afterEach(() => vi.restoreAllMocks());

  test.each<[string, string, WireServer['graph']]>([
    ['an empty 500', 'server_error', (_asked, response) => void response.writeHead(500).end()],
    ['headers that never arrive', 'timeout', () => undefined],
    [
      'a body that stalls',
      'timeout',
      (_asked, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"value":[');
      },
    ],
  ])(
    '%s: within the deadline, the cursor unchanged, and the calendar still ours',
    async (_what, code, graph) => {
      serve([[event()]]);
      await stage.sync();
      const before = await stage.state();
      const healthy = wire.graph;
      wire.graph = graph;
      const deadlines = hastened();
      const asked0 = wire.asked.length;
      expect((await stage.sync()).failure).toMatchObject({ kind: 'transient', code });
      expect(wire.asked.length - asked0).toBeLessThanOrEqual(6);
      expect(Math.max(...deadlines)).toBeLessThanOrEqual(60_000);
      expect(stage.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(20_000);
      expect(await stage.state()).toMatchObject({ state: 'active', cursor: before.cursor });
      expect(await stage.booked()).toEqual(['2026-03-17T09:00']);
      wire.graph = healthy;
      expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes' });
    },
  );
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

describe('38 a series across a change of the clocks', () => {
  /** 17:30 on Tuesdays in California: the next day in UTC, and an hour earlier there from 8 March on. */
  const DATES = ['2026-03-03', '2026-03-10', '2026-03-17'];
  const STARTS = ['2026-03-04T01:30', '2026-03-11T00:30', '2026-03-18T00:30'];
  const offsets = ['-08:00', '-07:00', '-07:00'];
  const rowsIn = (zone: string | null, form: 'Z' | 'offset', dated: boolean): Row[] =>
    DATES.map((date, n) =>
      event({
        ...stub(n + 1),
        iCalUId: goid(
          dated ? `07EA03${Number(date.slice(8)).toString(16).padStart(2, '0').toUpperCase()}` : undefined,
        ),
        start: at(STARTS[n] ?? ''),
        end: at((STARTS[n] ?? '').replace(':30', ':55')),
        originalStart: form === 'Z' ? `${STARTS[n]}:00Z` : `${date}T17:30:00${offsets[n]}`,
        originalStartTimeZone: zone,
      }),
    );
  const served = (rows: Row[], zone: string | null) => {
    const master = event({ id: 'm1', type: 'seriesMaster', originalStartTimeZone: zone });
    serve([[master, ...rows.map((_, n) => stub(n + 1))]], {
      '/events/m1': master,
      '/events/m1/instances': { value: rows },
    });
  };
  const dates = async () =>
    (
      await stage.rows(sql<{ day: string }>`
        select to_char(original_date, 'YYYY-MM-DD') as day from cadenced.occurrence order by starts_at`)
    ).map(({ day }) => day);

  test.each([
    ['Pacific Standard Time', 'Customized Time Zone'],
    ['America/Los_Angeles', 'Pacific Standard Time'],
    ['tzone://Microsoft/Custom', 'America/Los_Angeles'],
    ['', null],
  ])(
    'told in zone "%s", later in zone "%s" and with offsets: the same sessions on the same dates',
    async (one, other) => {
      const before = process.env.TZ;
      try {
        process.env.TZ = 'America/New_York';
        served(rowsIn(one, 'Z', true), one);
        expect(await stage.sync()).toMatchObject({ complete: true });
        expect((await stage.sessions()).map(({ start }) => start)).toEqual(STARTS);
        expect(await dates()).toEqual(DATES);
        const ids = (await stage.sessions()).map(({ id }) => id);
        const told = await stage.events();
        for (const [zone, form, TZ] of [
          [other, 'offset', 'Pacific/Tongatapu'],
          [one, 'offset', 'UTC'],
          [other, 'Z', 'America/Los_Angeles'],
        ] as const) {
          process.env.TZ = TZ;
          served(rowsIn(zone, form, true), zone);
          expect(await stage.sync(ADA, { full: true })).toMatchObject({ complete: true });
          expect((await stage.sessions()).map(({ id, start }) => [id, start])).toEqual(
            ids.map((id, n) => [id, STARTS[n]]),
          );
          expect(await dates()).toEqual(DATES);
        }
        expect(await stage.events()).toEqual(told);
      } finally {
        if (before === undefined) delete process.env.TZ;
        else process.env.TZ = before;
      }
    },
  );

  test.each([
    ['tzone://Microsoft/Custom', 'America/Los_Angeles', DATES],
    ['', 'America/Los_Angeles', DATES],
    [null, null, ['2026-03-04', '2026-03-11', '2026-03-18']],
  ])(
    'whose UIDs hold no dates, in zone "%s": dated in the zone of who has it, %s, else in their program’s',
    async (zone, own, expected) => {
      await sql`update cadenced.person set time_zone = ${own}`.execute(stage.db);
      served(rowsIn(zone, 'Z', false), zone);
      const lines: string[] = [];
      const log = createLog({
        format: 'json',
        level: 'info',
        destination: { write: (line) => lines.push(line) },
      });
      const id = await stage.idOf(ADA);
      await syncCalendar({ ...stage.deps, log }, id, {}, new AbortController().signal);
      expect(await dates()).toEqual(expected);
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { calendar: ADA, occurrences: 3, zone: own ?? 'Europe/Berlin' },
      ]);
    },
  );

  test.each(['Pacific Standard Time', 'Customized Time Zone'])(
    'whose UIDs hold no dates, in zone "%s": one date a session, kept when the zone is told otherwise',
    async (zone) => {
      served(rowsIn(zone, 'Z', false), zone);
      await stage.sync();
      const found = await dates();
      expect(new Set(found).size).toBe(3);
      const ids = (await stage.sessions()).map(({ id }) => id);
      served(rowsIn('America/Los_Angeles', 'offset', false), 'America/Los_Angeles');
      await stage.sync(ADA, { full: true });
      expect((await stage.sessions()).map(({ id }) => id)).toEqual(ids);
      expect(await stage.events('session.rescheduled')).toEqual([]);
    },
  );
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
