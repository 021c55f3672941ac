import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import {
  addTag,
  cancelMeeting,
  cancelOccurrence,
  moveMeeting,
  moveOccurrence,
  respond,
} from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, HOUR, type MicrosoftStage, openMicrosoftStage } from './microsoft-stage.ts';

/** Rounds of change tracking: what Graph's delta shows of a calendar, and what must come of it. */

let stage: MicrosoftStage;
afterEach(() => stage.close());

const SLOTS = [
  '2026-03-17T09:00',
  '2026-03-24T09:00',
  '2026-03-31T08:00',
  '2026-04-07T08:00',
  '2026-04-14T08:00',
];

test('01 an empty first page: keep following; the cursor is the last link, the preferences are the same', async () => {
  stage = await openMicrosoftStage({ habits: { emptyFirstPage: true } });
  stage.single();
  stage.single({ start: '2026-03-21T14:00' });
  expect(await stage.sync()).toMatchObject({ complete: true, kind: 'full' });
  expect(await stage.booked()).toEqual(['2026-03-20T13:00', '2026-03-21T13:00']);
  expect(stage.asked(/calendarView\/delta/)).toBe(2);
  expect((await stage.state()).cursor).toContain('deltatoken');
});

test('02 stubs of occurrences: sessions with words and people, none at the date of the master', async () => {
  stage = await openMicrosoftStage();
  stage.weekly({ start: '2024-03-05T10:00', rule: 'FREQ=WEEKLY' });
  await stage.sync();
  const sessions = await stage.sessions();
  expect(sessions).toHaveLength(23);
  expect(sessions.every(({ start }) => start >= '2026-02-03')).toBe(true);
  expect(await stage.rows(sql`select from cadenced.occurrence where title <> 'Session #mentoring'`)).toEqual(
    [],
  );
  expect(stage.asked(/\/instances\?/)).toBe(1);
});

test('04 hydration that fails once: nothing blank is seen, the cursor is not lost', async () => {
  stage = await openMicrosoftStage();
  const series = stage.weekly();
  stage.faults.add({ path: '/instances', times: 5, fault: { kind: 'status', status: 503 } });
  expect(await stage.sync()).toMatchObject({ complete: false, failure: { kind: 'transient' } });
  expect(await stage.occurrences()).toBe(0);
  expect((await stage.state()).cursor).toBeNull();
  await stage.sync();
  expect(await stage.booked()).toEqual(SLOTS);
  const { cursor } = await stage.state();
  addTag(stage.world, { meeting: series.id, tag: '#more' });
  stage.faults.add({ path: '/instances', times: 5, fault: { kind: 'status', status: 503 } });
  expect((await stage.sync()).failure).toMatchObject({ kind: 'transient' });
  expect((await stage.state()).cursor).toBe(cursor);
  expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes' });
});

test('05 a deleted occurrence, of which delta says nothing: it alone is cancelled', async () => {
  stage = await openMicrosoftStage();
  const series = stage.weekly();
  await stage.sync();
  const before = await stage.sessions();
  cancelOccurrence(stage.world, { meeting: series.id, slot: '2026-03-31T08:00:00Z' });
  await stage.sync();
  const after = await stage.sessions();
  expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  expect(after.filter(({ status }) => status === 'cancelled').map(({ start }) => start)).toEqual([SLOTS[2]]);
});

test('06 a series that was touched, nothing deleted: nothing is cancelled, nothing is told twice', async () => {
  stage = await openMicrosoftStage();
  const series = stage.weekly();
  await stage.sync();
  const before = await stage.events();
  respond(stage.world, { meeting: series.id, person: BO, response: 'accepted' });
  await stage.sync();
  expect(await stage.events()).toEqual(before);
  expect(await stage.booked()).toEqual(SLOTS);
});

test('07 an exception: one session is moved, with the words of its series, none is left behind', async () => {
  stage = await openMicrosoftStage();
  const series = stage.weekly();
  await stage.sync();
  const before = await stage.sessions();
  moveOccurrence(stage.world, {
    meeting: series.id,
    slot: '2026-03-24T09:00:00Z',
    start: '2026-03-25T13:00:00Z',
  });
  await stage.sync();
  const after = await stage.sessions();
  expect(after.map(({ start }) => start)).toEqual([SLOTS[0], '2026-03-25T13:00', ...SLOTS.slice(2)]);
  expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  expect(await stage.events('session.rescheduled')).toHaveLength(1);
});

test('08 removal of an unknown id: nothing is asked, nothing is written', async () => {
  stage = await openMicrosoftStage();
  stage.single();
  const far = stage.single({ start: '2027-09-01T10:00', title: 'Untagged' });
  await stage.sync();
  moveMeeting(stage.world, { meeting: far.id, start: '2027-09-02T10:00' });
  cancelMeeting(stage.world, { meeting: far.id });
  const before = stage.asked(/./);
  await stage.sync();
  expect(stage.asked(/\/events\//)).toBe(0);
  expect(stage.asked(/./)).toBe(before + 1);
  expect(await stage.booked()).toHaveLength(1);
});

test('09 removal of a known id that was rescheduled out of the window: moved, not cancelled', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single();
  await stage.sync();
  moveMeeting(stage.world, { meeting: single.id, start: '2026-09-26T14:00' });
  await stage.sync();
  expect(await stage.booked()).toEqual(['2026-09-26T12:00']);
  expect(await stage.events()).toEqual(['session.scheduled', 'session.rescheduled']);
});

test('10 removal of a known id that is gone: cancelled once, told once, also when replayed', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single();
  await stage.sync();
  cancelMeeting(stage.world, { meeting: single.id });
  await stage.sync();
  await stage.sync(ADA, { full: true });
  await stage.sync(ADA, { reconcile: true });
  expect(await stage.booked()).toEqual([]);
  expect(await stage.events()).toEqual(['session.scheduled', 'session.cancelled']);
});

describe('"not found" that is a fault', () => {
  const EVENT = /\/events\/[^/?]+\?/;
  const denied = { kind: 'status', status: 404 } as const;
  const ofSeries: [string, { path: RegExp; times?: number }][] = [
    ['of the master, once', { path: EVENT, times: 1 }],
    ['of its instances, once', { path: /\/instances/, times: 1 }],
    ['of both, for as long as one asks', { path: /\/events\// }],
  ];

  test.each(ofSeries)('%s: a series the first round named is read all the same', async (_what, where) => {
    stage = await openMicrosoftStage();
    stage.weekly();
    stage.faults.add({ ...where, fault: denied });
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'full' });
    expect(await stage.booked()).toEqual(SLOTS);
  });

  test.each(ofSeries)('%s: what a later round tells of a series is not put off', async (_what, where) => {
    stage = await openMicrosoftStage();
    const series = stage.weekly();
    await stage.sync();
    cancelOccurrence(stage.world, { meeting: series.id, slot: '2026-03-31T08:00:00Z' });
    moveOccurrence(stage.world, {
      meeting: series.id,
      slot: '2026-04-07T08:00:00Z',
      start: '2026-04-08T08:00:00Z',
    });
    stage.faults.add({ ...where, fault: denied });
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes' });
    expect(await stage.booked()).toEqual([SLOTS[0], SLOTS[1], '2026-04-08T08:00', SLOTS[4]]);
  });

  test.each(ofSeries)('%s: a full pass does not take the series for gone', async (_what, where) => {
    stage = await openMicrosoftStage();
    stage.weekly();
    // Others stand, so that no brake holds what one series lost.
    for (let day = 20; day < 24; day += 1) stage.single({ start: `2026-03-${day}T14:00` });
    await stage.sync();
    stage.faults.add({ ...where, fault: denied });
    expect(await stage.sync(ADA, { full: true })).toMatchObject({ complete: true });
    expect(await stage.booked()).toHaveLength(SLOTS.length + 4);
    expect(await stage.events('session.cancelled')).toEqual([]);
  });

  test.each([
    ['once', 1],
    ['for as long as one asks', 99],
  ])('and a stray removal before it (%s): nothing is deleted', async (_what, times) => {
    stage = await openMicrosoftStage();
    stage.single();
    stage.single({ start: '2026-03-25T14:00' });
    stage.weekly({ start: '2026-03-12T10:00' });
    await stage.sync();
    const before = await stage.booked();
    stage.sandbox.habits.strayRemovals = 1;
    for (let round = 0; round < 8; round += 1) {
      stage.faults.add({ path: EVENT, times, fault: denied });
      expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes' });
      stage.faults.clear();
    }
    expect(stage.asked(EVENT)).toBeGreaterThan(8);
    expect(await stage.booked()).toEqual(before);
    expect(await stage.events('session.cancelled')).toEqual([]);
  });

  test('and a removal because it left the window before it: it is moved, not deleted', async () => {
    stage = await openMicrosoftStage();
    const single = stage.single();
    await stage.sync();
    moveMeeting(stage.world, { meeting: single.id, start: '2026-09-26T14:00' });
    stage.faults.add({ path: EVENT, times: 1, fault: denied });
    await stage.sync();
    expect(await stage.booked()).toEqual(['2026-09-26T12:00']);
    expect(await stage.events()).toEqual(['session.scheduled', 'session.rescheduled']);
  });

  test('removals that are true cost two questions each, and one look at the calendar for all of them', async () => {
    stage = await openMicrosoftStage();
    const gone = [20, 21, 22].map((day) => stage.single({ start: `2026-03-${day}T14:00` }));
    await stage.sync();
    for (const { id } of gone) cancelMeeting(stage.world, { meeting: id });
    await stage.sync();
    expect(stage.asked(EVENT)).toBe(6);
    expect(stage.asked(/calendarView\?/)).toBe(1);
    expect(await stage.booked()).toEqual([]);
  });
});

test('11 removal of a master: everything ahead is cancelled, what is over is kept', async () => {
  stage = await openMicrosoftStage();
  const series = stage.weekly({ start: '2026-02-24T10:00' });
  await stage.sync();
  await stage.advance(DAY);
  cancelMeeting(stage.world, { meeting: series.id });
  await stage.sync();
  expect((await stage.sessions()).map(({ start, status }) => [start.slice(0, 10), status])).toEqual([
    ['2026-02-24', 'scheduled'],
    ['2026-03-03', 'scheduled'],
    ['2026-03-10', 'scheduled'],
    ['2026-03-17', 'cancelled'],
    ['2026-03-24', 'cancelled'],
  ]);
});

test('12 rows twice in a round, and a round replayed: the latest state, told once', async () => {
  stage = await openMicrosoftStage({ habits: { repeatRows: true, pageSize: 2 } });
  const meetings = Array.from({ length: 6 }, (_, n) => stage.single({ start: `2026-03-${20 + n}T14:00` }));
  await stage.sync();
  for (const { id } of meetings) addTag(stage.world, { meeting: id, tag: '#more' });
  moveMeeting(stage.world, { meeting: meetings[0]?.id ?? '', start: '2026-04-20T14:00' });
  const { cursor } = await stage.state();
  await stage.sync();
  const events = await stage.events();
  await sql`update cadenced.calendar set cursor = ${cursor} where address = ${ADA}`.execute(stage.db);
  await stage.sync();
  expect(await stage.events()).toEqual(events);
  expect(await stage.booked()).toContain('2026-04-20T12:00');
});

test('13 410 for the cursor: a full round; only what it lacks is cancelled, and only when it is complete', async () => {
  stage = await openMicrosoftStage();
  const series = stage.weekly({ start: '2026-02-24T10:00' });
  const single = stage.single();
  await stage.sync();
  stage.world.expireTokens();
  cancelMeeting(stage.world, { meeting: single.id });
  stage.faults.add({ path: 'skiptoken', skip: 1, times: 5, fault: { kind: 'reset' } });
  expect((await stage.sync()).failure).toMatchObject({ kind: 'transient' });
  expect((await stage.sessions()).filter(({ status }) => status === 'cancelled')).toEqual([]);
  stage.faults.clear();
  expect(await stage.sync()).toMatchObject({ complete: true, kind: 'full' });
  expect((await stage.sessions()).filter(({ status }) => status === 'cancelled')).toHaveLength(1);
  expect(series.id).toBeDefined();
  expect(await stage.sync()).toMatchObject({ kind: 'changes' });
  // The one that failed half-way is not counted beside the one that it became.
  expect(stage.fullPasses).toEqual(['no_cursor', 'cursor_lost']);
});

test('14 410 in the middle of the first round, again and again: at most three restarts an hour, one alarm, others go on', async () => {
  stage = await openMicrosoftStage();
  stage.weekly();
  const id = stage.faults.add({ path: 'skiptoken', mailbox: ADA, fault: { kind: 'expired_cursor' } });
  for (let minute = 0; minute < 50; minute += 5) {
    expect((await stage.sync()).complete).toBe(false);
    await stage.advance(5 * 60_000);
  }
  // The first round and its three restarts.
  expect(stage.asked(/startDateTime=.*delta|delta\?startDateTime/, ADA)).toBe(4);
  expect(await stage.state()).toMatchObject({ state: 'throttled', reason: 'restarts_exhausted' });
  expect(stage.told('error')).toEqual(['graph forgets each round of this calendar before it ends']);
  expect(await stage.sync(BO)).toMatchObject({ complete: true });
  stage.faults.remove(id);
  await stage.advance(HOUR);
  expect(await stage.sync()).toMatchObject({ complete: true });
  expect(await stage.state()).toMatchObject({ state: 'active' });
});

test('16 a crash between pages: nothing of the round is seen, and the next one tells everything once', async () => {
  stage = await openMicrosoftStage({ habits: { pageSize: 1 } });
  stage.single();
  await stage.sync();
  const { cursor } = await stage.state();
  for (let day = 21; day < 24; day += 1) stage.single({ start: `2026-03-${day}T14:00` });
  stage.faults.add({ path: 'skiptoken', skip: 1, times: 9, fault: { kind: 'reset' } });
  expect((await stage.sync()).failure).toMatchObject({ kind: 'transient', code: 'network' });
  expect(await stage.booked()).toHaveLength(1);
  expect((await stage.state()).cursor).toBe(cursor);
  stage.faults.clear();
  await stage.sync();
  expect(await stage.booked()).toHaveLength(4);
  expect(await stage.events()).toHaveLength(4);
});

test('17 the window rolls on after a week: what falls off its back is history, nothing is cancelled', async () => {
  stage = await openMicrosoftStage();
  stage.weekly({ start: '2026-02-03T10:00', rule: 'FREQ=WEEKLY;COUNT=26' });
  await stage.sync();
  const before = await stage.sessions();
  await stage.advance(6 * DAY);
  expect(await stage.sync()).toMatchObject({ kind: 'changes' });
  await stage.advance(DAY);
  stage.faults.add({ path: 'skiptoken', times: 5, fault: { kind: 'reset' } });
  expect((await stage.sync()).complete).toBe(false);
  // The old cursor still stands: the new window counts only when its round is whole.
  expect((await stage.state()).cursor).toContain('"from":1770076800000');
  stage.faults.clear();
  expect(await stage.sync()).toMatchObject({ kind: 'full', complete: true });
  expect(stage.fullPasses).toEqual(['no_cursor', 'window_moved']);
  expect((await stage.state()).cursor).toContain('"from":1770681600000');
  expect(await stage.events('session.cancelled')).toEqual([]);
  const after = await stage.sessions();
  expect(after.slice(0, before.length).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  expect(after.length).toBe(before.length + 1);
});

describe('a window that is too much for Graph (503 again and again)', () => {
  const rounds = () =>
    stage.faults.log.entries().flatMap(({ url, status }) => {
      const { pathname, searchParams } = new URL(url, 'http://graph');
      const from = searchParams.get('startDateTime');
      if (!pathname.endsWith('/delta') || from === null || status !== 200) return [];
      return [`${from.slice(0, 10)} ${searchParams.get('endDateTime')?.slice(0, 10)}`];
    });

  test('is read in pieces that cover the same days; nothing is out of sight, and the reason is shown', async () => {
    stage = await openMicrosoftStage({ habits: { widestRoundDays: 60 } });
    const single = stage.single();
    const far = stage.single({ start: '2026-07-06T14:00' });
    const series = stage.weekly({ start: '2026-02-03T10:00', rule: 'FREQ=WEEKLY;COUNT=26' });
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'full' });
    expect(rounds()).toEqual([
      '2026-02-03 2026-03-14',
      '2026-03-14 2026-04-22',
      '2026-04-22 2026-05-31',
      '2026-05-31 2026-07-08',
    ]);
    expect(await stage.booked()).toHaveLength(2 + 23);
    expect(await stage.state()).toMatchObject({ state: 'active', reason: 'window_in_pieces' });
    expect(stage.told('warn')).toContain('graph fails at this window: reading it in smaller pieces');

    const before = stage.asked(/./);
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes', applied: { events: 0 } });
    expect(stage.asked(/./)).toBe(before + 4);
    // From one piece into another: gone from one link, new at the other.
    moveMeeting(stage.world, { meeting: single.id, start: '2026-06-10T14:00' });
    cancelMeeting(stage.world, { meeting: far.id });
    cancelOccurrence(stage.world, { meeting: series.id, slot: '2026-05-19T08:00:00Z' });
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes' });
    expect(await stage.booked()).toContain('2026-06-10T12:00');
    expect(await stage.booked()).toHaveLength(1 + 22);
    expect(await stage.events('session.rescheduled')).toHaveLength(1);
    expect(await stage.events('session.cancelled')).toHaveLength(2);
    expect(await stage.sync(ADA, { reconcile: true })).toMatchObject({ complete: true, drift: 0 });
    expect(await stage.state()).toMatchObject({ state: 'active', reason: 'window_in_pieces' });
  });

  test('is tried whole again with the next generation, and the reason goes', async () => {
    stage = await openMicrosoftStage({ habits: { widestRoundDays: 100 } });
    stage.weekly();
    await stage.sync();
    expect(await stage.state()).toMatchObject({ reason: 'window_in_pieces' });
    stage.sandbox.habits.widestRoundDays = null;
    await stage.advance(7 * DAY);
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'full' });
    expect(await stage.state()).toMatchObject({ state: 'active', reason: null });
    expect(rounds().at(-1)).toBe('2026-02-10 2026-07-15');
    expect(await stage.events('session.cancelled')).toEqual([]);
  });

  test('even over twenty days is a failure of the pass, after a bounded number of requests', async () => {
    stage = await openMicrosoftStage({ habits: { widestRoundDays: 5 } });
    stage.weekly();
    expect((await stage.sync()).failure).toMatchObject({ kind: 'transient', code: 'server_error' });
    // The whole, a half, a quarter and an eighth, five times each, and three small questions between them.
    expect(stage.asked(/calendarView\/delta/)).toBe(4 * 5);
    expect(stage.asked(/calendarView\?/)).toBe(3);
    expect(await stage.state()).toMatchObject({ state: 'active', cursor: null });
  });

  test('is not suspected while the whole mailbox fails', async () => {
    stage = await openMicrosoftStage();
    stage.weekly();
    stage.faults.add({ path: 'calendarView', fault: { kind: 'status', status: 503 } });
    expect((await stage.sync()).failure).toMatchObject({ kind: 'transient', code: 'server_error' });
    expect(stage.asked(/calendarView\/delta/)).toBe(5);
    stage.faults.clear();
    expect(await stage.sync()).toMatchObject({ complete: true });
    expect((await stage.state()).reason).toBeNull();
    expect(rounds()).toEqual(['2026-02-03 2026-07-08']);
  });

  test('and that grew so under a cursor: given up after three passes in a row, and then read in pieces', async () => {
    stage = await openMicrosoftStage();
    stage.weekly();
    await stage.sync();
    const { cursor } = await stage.state();
    stage.sandbox.habits.widestRoundDays = 100;
    for (let pass = 0; pass < 2; pass += 1) {
      expect((await stage.sync()).failure).toMatchObject({ kind: 'transient', code: 'server_error' });
      expect((await stage.state()).cursor).toBe(cursor);
    }
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'full' });
    expect(await stage.state()).toMatchObject({ reason: 'window_in_pieces' });
    expect(await stage.events('session.cancelled')).toEqual([]);
    expect(await stage.booked()).toEqual(SLOTS);
  });
});

describe('a plain list that is too much for Graph (504 again and again)', () => {
  const lists = () =>
    stage.faults.log.entries().flatMap(({ url, status }) => {
      const { pathname, searchParams } = new URL(url, 'http://graph');
      if (!pathname.endsWith('/calendarView') || searchParams.has('$select') || status !== 200) return [];
      return [
        `${searchParams.get('startDateTime')?.slice(0, 10)} ${searchParams.get('endDateTime')?.slice(0, 10)}`,
      ];
    });

  test('is read in pieces by the daily look, which heals and counts as ever, and cancels nothing', async () => {
    stage = await openMicrosoftStage({ habits: { widestViewDays: 60 } });
    const single = stage.single();
    stage.single({ start: '2026-07-06T14:00' });
    // Over the end of a piece: told twice, kept once.
    stage.single({ start: '2026-04-22T01:30', minutes: 60 });
    stage.weekly({ start: '2026-02-03T10:00', rule: 'FREQ=WEEKLY;COUNT=26' });
    await stage.sync();
    const before = await stage.booked();
    expect(await stage.sync(ADA, { reconcile: true })).toMatchObject({
      complete: true,
      kind: 'reconcile',
      drift: 0,
    });
    expect(lists()).toEqual([
      '2026-02-03 2026-03-14',
      '2026-03-14 2026-04-22',
      '2026-04-22 2026-05-31',
      '2026-05-31 2026-07-08',
    ]);
    expect(await stage.booked()).toEqual(before);
    moveMeeting(stage.world, { meeting: single.id, start: '2026-06-10T14:00' });
    stage.world.calendar(ADA).rows.clear();
    expect(await stage.sync(ADA, { reconcile: true })).toMatchObject({ complete: true, drift: 1 });
    expect(await stage.booked()).toContain('2026-06-10T12:00');
    expect(await stage.events('session.cancelled')).toEqual([]);
    expect(stage.told('warn')).toContain('graph fails at this window: reading it in smaller pieces');
  });

  test('even over twenty days is a failure of the pass, after a bounded number of requests', async () => {
    stage = await openMicrosoftStage();
    stage.weekly();
    await stage.sync();
    stage.sandbox.habits.widestViewDays = 5;
    expect((await stage.sync(ADA, { reconcile: true })).failure).toMatchObject({
      kind: 'transient',
      code: 'server_error',
    });
    expect(stage.asked(/calendarView\?/)).toBe(4 * 5 + 3);
    expect(await stage.booked()).toEqual(SLOTS);
  });

  test('is not suspected while every list of the mailbox fails', async () => {
    stage = await openMicrosoftStage();
    stage.weekly();
    await stage.sync();
    stage.faults.add({ path: /calendarView\?/, fault: { kind: 'status', status: 504 } });
    expect((await stage.sync(ADA, { reconcile: true })).failure).toMatchObject({ code: 'server_error' });
    expect(stage.asked(/calendarView\?/)).toBe(5 + 1);
  });
});

test('a quiet poll costs one request', async () => {
  stage = await openMicrosoftStage();
  stage.weekly();
  await stage.sync();
  const before = stage.asked(/./);
  expect(await stage.sync()).toMatchObject({ complete: true, applied: { occurrences: 0, events: 0 } });
  expect(stage.asked(/./)).toBe(before + 1);
});

test('a daily look at the whole window heals what the change stream lost, and counts it', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single();
  await stage.sync();
  moveMeeting(stage.world, { meeting: single.id, start: '2026-03-27T14:00' });
  const calendar = stage.world.calendar(ADA);
  calendar.rows.clear();
  await stage.sync();
  expect(await stage.booked()).toEqual(['2026-03-20T13:00']);
  expect(await stage.sync(ADA, { reconcile: true })).toMatchObject({ kind: 'reconcile', drift: 1 });
  expect(await stage.booked()).toEqual(['2026-03-27T13:00']);
});
