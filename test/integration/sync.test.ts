import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/domain/failure.ts';
import type { SyncStore } from '../../src/ports/sync-store.ts';
import { syncCalendar } from '../../src/usecases/sync-calendar.ts';
import {
  ANNA,
  BEN,
  CEM,
  createSyncWorld,
  DAY,
  event,
  guestCopy,
  HOUR,
  NOW,
  people,
  type SyncWorld,
  TUESDAY,
  text,
  weekly,
} from './sync-world.ts';

let world: SyncWorld;
afterEach(() => world.close());

const later = { updatedAt: NOW - HOUR };
const untold = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => event(`s${n + from}`, TUESDAY + (n + from) * DAY));
const signal = () => new AbortController().signal;

describe('passes', () => {
  test('a first pass finds what is tagged, a second finds nothing, an incremental one the change', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.putSeries('m', weekly('m', TUESDAY, 4));
    anna.put(event('s', TUESDAY + DAY), event('dentist', TUESDAY, { text: text('dentist'), people: [] }));
    const first = await world.sync(ANNA);
    expect(first).toMatchObject({ complete: true, kind: 'full', failure: null, applied: { sessions: 5 } });
    expect(await world.booked()).toHaveLength(5);
    expect(await world.events()).toEqual(Array.from({ length: 5 }, () => 'session.scheduled'));
    expect(await world.state(ANNA)).toMatchObject({ state: 'active', cursor: 'cursor-1', full: false });
    expect(await world.rows(sql`select from cadenced.event_copy where source_id = 'dentist'`)).toEqual([]);
    expect(await world.rows(sql`select from cadenced.staged_copy`)).toEqual([]);

    anna.pages = null;
    const before = await world.dump();
    expect(await world.sync(ANNA)).toMatchObject({ kind: 'changes', applied: { occurrences: 0, events: 0 } });
    expect(await world.sync(ANNA, { full: true })).toMatchObject({
      kind: 'full',
      applied: { occurrences: 0 },
    });
    expect(await world.sync(ANNA, { reconcile: true })).toMatchObject({ kind: 'reconcile', drift: 0 });
    expect(await world.dump()).toEqual(before);

    anna.put(event('s', TUESDAY + 2 * DAY, later));
    expect(await world.sync(ANNA)).toMatchObject({ kind: 'changes', applied: { occurrences: 1, events: 1 } });
    expect(await world.booked()).toContain(TUESDAY + 2 * DAY);
    expect((await world.events()).at(-1)).toBe('session.rescheduled');
  });

  test('a cursor that is lost mid-way is followed by one full pass, and nothing of the first is kept', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(...untold(3));
    await world.sync(ANNA);
    const ids = (await world.sessions()).map((session) => session.id);
    anna.put(event('s1', TUESDAY + 9 * DAY, later));
    anna.put(event('s9', TUESDAY + 20 * DAY));
    anna.failing = { page: 1, problem: failure.gone('cursor_lost'), onlyWithCursor: true };
    const report = await world.sync(ANNA);
    expect(report).toMatchObject({ complete: true, kind: 'full', failure: null });
    expect(anna.calls).toEqual(['full', 'changes cursor-1', 'full']);
    expect((await world.sessions()).map((session) => session.id)).toEqual(expect.arrayContaining(ids));
    expect(await world.booked()).toEqual([TUESDAY, TUESDAY + 2 * DAY, TUESDAY + 9 * DAY, TUESDAY + 20 * DAY]);
    expect(await world.rows(sql`select from cadenced.staged_copy`)).toEqual([]);
  });

  test('a cursor that a full pass cannot finish is no sign of a calendar that is gone', async () => {
    world = await createSyncWorld();
    world.calendar(ANNA).failing = { page: 0, problem: failure.gone('cursor_lost') };
    for (let hour = 0; hour < 4; hour += 1) {
      expect((await world.sync(ANNA)).failure).toMatchObject({ kind: 'gone' });
      await sql`update cadenced.calendar set first_strike_at = first_strike_at - interval '1 hour'`.execute(
        world.db,
      );
    }
    expect(await world.state(ANNA)).toMatchObject({ state: 'active', strikes: 0 });
  });

  test('a crash between pages leaves nothing but the old cursor, and the next pass tells everything', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(...untold(1));
    await world.sync(ANNA);
    anna.put(event('a', TUESDAY + 5 * DAY));
    anna.put(event('b', TUESDAY + 6 * DAY));
    const before = await world.dump();
    anna.failing = { page: 1, problem: failure.transient('reset') };
    expect((await world.sync(ANNA)).failure).toMatchObject({ kind: 'transient' });
    expect(await world.dump()).toEqual(before);
    expect(await world.state(ANNA)).toMatchObject({ state: 'active', cursor: 'cursor-1' });
    anna.failing = null;
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([TUESDAY, TUESDAY + 5 * DAY, TUESDAY + 6 * DAY]);
  });

  test('more than is held in memory goes over the stage, in the order of arrival, and is forgotten with a failure', async () => {
    let stagings = 0;
    const around = (store: SyncStore): SyncStore => ({
      ...store,
      stage: (...rows) => {
        stagings += 1;
        return store.stage(...rows);
      },
    });
    world = await createSyncWorld({ around });
    const anna = world.calendar(ANNA);
    anna.put(event('first', TUESDAY));
    await world.sync(ANNA);
    expect(stagings).toBe(0);
    const many = Array.from({ length: 520 }, (_, n) => event(`s${n}`, TUESDAY + (n + 1) * HOUR));
    const tell = () => {
      anna.pages = null;
      anna.put(...many);
      anna.put(event('s1', TUESDAY + 600 * HOUR, later), event('last', TUESDAY + 601 * HOUR));
      anna.remove('s2', NOW);
    };
    tell();
    anna.failing = { page: 2, problem: failure.transient('reset') };
    const before = await world.dump();
    expect((await world.sync(ANNA)).failure).toMatchObject({ kind: 'transient' });
    expect(await world.dump()).toEqual(before);
    expect(await world.rows(sql`select from cadenced.staged_copy`)).toEqual([]);
    expect(stagings).toBe(1);
    anna.failing = null;
    tell();
    expect(await world.sync(ANNA)).toMatchObject({ complete: true, applied: { occurrences: 520 } });
    expect(await world.rows(sql`select from cadenced.staged_copy`)).toEqual([]);
    const booked = await world.booked();
    expect(booked).toHaveLength(521);
    expect(booked).toContain(TUESDAY + 600 * HOUR);
    expect(booked).not.toContain(TUESDAY + 2 * HOUR);
    expect(booked).not.toContain(TUESDAY + 3 * HOUR);
  });

  test('what is deleted on a later page than it stands on is gone, dated or not', async () => {
    for (const updatedAt of [null, NOW]) {
      world = await createSyncWorld();
      const anna = world.calendar(ANNA);
      await world.sync(ANNA);
      const known = event('known', TUESDAY + DAY);
      anna.put(known);
      await world.sync(ANNA);
      anna.put(event('new', TUESDAY), { ...known, ...later });
      anna.remove('new', updatedAt);
      anna.remove('known', updatedAt);
      await world.sync(ANNA);
      expect(await world.booked()).toEqual([]);
      if (updatedAt === null) await world.close();
    }
  });

  test('a stalled pass whose calendar was read meanwhile writes nothing', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(...untold(2));
    await world.sync(ANNA);
    const id = await world.idOf(ANNA);
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    anna.put(event('s0', TUESDAY + 30 * DAY, later));
    anna.gate = { page: 0, until: held.promise, reached: reached.resolve };
    const stalled = syncCalendar(world.deps, id, {}, signal());
    await reached.promise;
    anna.gate = null;
    anna.put(event('s1', TUESDAY + 40 * DAY, later));
    await world.sync(ANNA);
    const between = await world.dump();
    held.resolve();
    expect(await stalled).toMatchObject({ complete: false, applied: { applied: false } });
    expect(await world.dump()).toEqual(between);
  });

  test('an abort is no failure of the calendar', async () => {
    world = await createSyncWorld();
    world.calendar(ANNA).put(event('s', TUESDAY));
    const stop = new AbortController();
    stop.abort();
    await expect(syncCalendar(world.deps, await world.idOf(ANNA), {}, stop.signal)).rejects.toThrow();
    expect(await world.state(ANNA)).toMatchObject({ state: 'active', strikes: 0 });
  });

  test('an odd title stops no calendar', async () => {
    world = await createSyncWorld();
    const title = `#mentoring ${'x'.repeat(288)}😀😀`;
    world
      .calendar(ANNA)
      .put(
        event('long', TUESDAY, { text: text(title) }),
        event('half', TUESDAY + DAY, { text: text('#mentoring \ud83d') }),
        event('nul', TUESDAY + 2 * DAY, { text: text('#mentoring \0 null') }),
      );
    expect(await world.sync(ANNA)).toMatchObject({ failure: null, complete: true });
    expect(await world.booked()).toHaveLength(3);
    const titles = await world.rows(
      sql<{ title: string }>`select title from cadenced.occurrence order by starts_at`,
    );
    expect(titles.map((row) => row.title)).toEqual([
      `${title.slice(0, -4)}😀`,
      '#mentoring \ufffd',
      '#mentoring  null',
    ]);
  });

  test('an apply that fails leaves nothing: no session, no mail, no event, no cursor', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(event('s', NOW + 2 * DAY));
    await sql`
      create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$`.execute(
      world.db,
    );
    await sql`create trigger refuse before insert on cadenced.outbound_event execute function public.refuse()`.execute(
      world.db,
    );
    await expect(world.sync(ANNA)).rejects.toThrow('refused');
    // Not at once again, and ever more rarely.
    const left = async () => {
      const [row] = await world.rows(sql<{ left: number }>`
        select extract(epoch from next_poll_at - now())::float8 as left
          from cadenced.calendar where address = ${ANNA}`);
      return row?.left ?? 0;
    };
    expect(await left()).toBeGreaterThan(10);
    await expect(world.sync(ANNA)).rejects.toThrow('refused');
    await expect(world.sync(ANNA)).rejects.toThrow('refused');
    expect(await left()).toBeGreaterThan(40);
    for (const table of ['occurrence', 'session', 'mail', 'outbound_event', 'event_copy'])
      expect(await world.rows(sql`select from ${sql.table(`cadenced.${table}`)}`)).toEqual([]);
    expect(await world.state(ANNA)).toMatchObject({ cursor: null, full: true });
    await sql`drop trigger refuse on cadenced.outbound_event`.execute(world.db);
    await world.sync(ANNA);
    expect(await world.booked()).toHaveLength(1);
    expect(await world.events()).toEqual(['session.scheduled']);
    expect(await world.rows(sql`select from cadenced.mail where kind = 'reminder'`)).not.toEqual([]);
  });
});

describe('series', () => {
  test('one that is deleted cancels what is ahead, once, and leaves what is over', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.putSeries('m', weekly('m', TUESDAY - 21 * DAY, 6));
    await world.sync(ANNA);
    anna.remove('m', NOW);
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([TUESDAY - 21 * DAY, TUESDAY - 14 * DAY]);
    expect((await world.events()).filter((type) => type === 'session.cancelled')).toHaveLength(4);
    const before = await world.dump();
    anna.pages = [
      [{ kind: 'removed', sourceId: 'm', seriesId: null, certainty: 'explicit', updatedAt: NOW }],
    ];
    await world.sync(ANNA);
    expect(await world.dump()).toEqual(before);
  });

  test('an ambiguous removal is looked up before it is believed', async () => {
    world = await createSyncWorld({ providerOf: { [ANNA]: 'microsoft' } });
    const anna = world.calendar(ANNA);
    anna.put(event('moved', TUESDAY), event('gone', TUESDAY + DAY));
    await world.sync(ANNA);
    anna.copies = [event('moved', TUESDAY + 200 * DAY, later)];
    const look = (sourceId: string) =>
      ({ kind: 'removed', sourceId, seriesId: null, certainty: 'look', updatedAt: null }) as const;
    anna.pages = [[look('moved'), look('gone'), look('unknown')]];
    await world.sync(ANNA);
    expect(anna.calls.filter((call) => call.startsWith('look'))).toEqual([
      'look moved',
      'look gone',
      'look gone',
    ]);
    expect(await world.booked()).toEqual([TUESDAY + 200 * DAY]);
  });

  test('an ambiguous removal of one occurrence lists its series anew', async () => {
    world = await createSyncWorld({ providerOf: { [ANNA]: 'microsoft' } });
    const anna = world.calendar(ANNA);
    anna.putSeries('m', weekly('m', TUESDAY, 4));
    await world.sync(ANNA);
    anna.remove(`m_${TUESDAY + 7 * DAY}`, null, 'look');
    await world.sync(ANNA);
    expect(anna.calls.slice(-2)).toEqual(['look m', 'instances m']);
    expect(await world.booked()).toEqual([TUESDAY, TUESDAY + 14 * DAY, TUESDAY + 21 * DAY]);
  });

  test('a window that grew old is replaced by a new one, which cancels nothing that fell off its back', async () => {
    world = await createSyncWorld({ providerOf: { [ANNA]: 'microsoft' } });
    const anna = world.calendar(ANNA);
    const oldest = NOW - 34 * DAY;
    anna.put(event('old', oldest), ...untold(3, 20));
    anna.putSeries('m', weekly('m', TUESDAY, 16));
    await world.sync(ANNA);
    const before = await world.booked();
    expect(before[0]).toBe(oldest);
    anna.copies = anna.copies.filter((copy) => copy.sourceId !== 'old');
    anna.putSeries('m', weekly('m', TUESDAY, 40));
    anna.pages = null;
    await world.advance(8 * DAY);
    expect(await world.sync(ANNA)).toMatchObject({ kind: 'full', complete: true });
    const after = await world.booked();
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after.length).toBeGreaterThan(before.length);
    expect(await world.sync(ANNA)).toMatchObject({ kind: 'changes', applied: { occurrences: 0 } });
  });

  test('a cursor of another mapping is not used', async () => {
    world = await createSyncWorld();
    await world.sync(ANNA);
    await sql`update cadenced.calendar set cursor_version = 'v0'`.execute(world.db);
    expect(await world.sync(ANNA)).toMatchObject({ kind: 'full' });
    expect(await world.sync(ANNA)).toMatchObject({ kind: 'changes' });
  });

  test('one that the listing calls gone takes nothing away by itself', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.putSeries('m', weekly('m', TUESDAY, 3));
    await world.sync(ANNA);
    const [series] = anna.series.values();
    if (!series) throw new Error('no series');
    anna.series.clear();
    anna.pages = [[{ kind: 'series', series }]];
    await world.sync(ANNA);
    expect(await world.booked()).toHaveLength(3);
  });
});

describe('the brake', () => {
  test('parks what is inferred, shows it, and lets go after a second complete pass an hour later', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(...untold(10));
    await world.sync(ANNA);
    anna.copies = untold(2);
    anna.pages = null;
    const parked = await world.sync(ANNA, { reconcile: true });
    expect(parked).toMatchObject({ kind: 'reconcile', applied: { parked: 8 } });
    expect(await world.state(ANNA)).toMatchObject({ state: 'parked', state_reason: 'mass_deletion' });
    expect(await world.booked()).toHaveLength(10);
    // The rest applies, and an incremental pass changes nothing about it.
    anna.put(event('new', TUESDAY + 30 * DAY));
    await world.advance(2 * HOUR);
    await world.sync(ANNA);
    expect(await world.booked()).toHaveLength(11);
    expect((await world.state(ANNA)).parked?.lineages).toHaveLength(8);
    await world.sync(ANNA, { reconcile: true });
    expect(await world.booked()).toHaveLength(3);
    expect(await world.state(ANNA)).toMatchObject({ state: 'active', parked: null });
    expect((await world.events()).filter((type) => type === 'session.cancelled')).toHaveLength(8);
  });

  test('is released by a person, and ends by itself when the meetings are back', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(...untold(4));
    await world.sync(ANNA);
    anna.copies = [];
    anna.pages = null;
    await world.sync(ANNA, { full: true });
    expect(await world.state(ANNA)).toMatchObject({ state: 'parked' });
    anna.copies = untold(4);
    await world.sync(ANNA, { full: true });
    expect(await world.state(ANNA)).toMatchObject({ state: 'active', parked: null });
    anna.copies = [];
    await world.sync(ANNA, { full: true });
    await sql`update cadenced.calendar set approved_until = now() + interval '1 hour', reconcile_wanted = true`.execute(
      world.db,
    );
    expect(await world.sync(ANNA)).toMatchObject({ kind: 'reconcile' });
    expect(await world.booked()).toEqual([]);
  });

  test('never holds what a provider says', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(...untold(10));
    await world.sync(ANNA);
    for (let n = 0; n < 10; n += 1) anna.remove(`s${n}`, NOW);
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([]);
    expect(await world.state(ANNA)).toMatchObject({ state: 'active' });
  });
});

describe('several calendars', () => {
  test('of one meeting, read at the same time, make one occurrence, again and again', async () => {
    world = await createSyncWorld();
    const all = [ANNA, BEN, CEM];
    const ids = await Promise.all(all.map((address) => world.idOf(address)));
    const together = () => Promise.all(ids.map((id) => syncCalendar(world.deps, id, {}, signal())));
    await together();
    for (let round = 0; round < 4; round += 1) {
      const meetings = Array.from({ length: 8 }, (_, n) =>
        event(`r${round}n${n}`, TUESDAY + (round * 8 + n) * HOUR * 3, { people: people(ANNA, BEN, CEM) }),
      );
      world.calendar(ANNA).put(...meetings);
      world.calendar(BEN).put(...meetings.toReversed().map((one) => guestCopy(one, `b${one.sourceId}`)));
      world.calendar(CEM).put(...meetings.map((one) => guestCopy(one, `c${one.sourceId}`)));
      for (const report of await together()) expect(report).toMatchObject({ complete: true, failure: null });
    }
    const [count] = await world.rows(sql<{ occurrences: number; copies: number; sessions: number }>`
      select (select count(*) from cadenced.occurrence) as occurrences,
             (select count(*) from cadenced.event_copy where removed_at is null) as copies,
             (select count(*) from cadenced.session) as sessions`);
    expect(count).toEqual({ occurrences: 32, copies: 96, sessions: 64 });
    expect(await world.events()).toHaveLength(64);
    // What one calendar asked of another while that was being read is answered by the next pass.
    await together();
    const before = await world.dump();
    await together();
    expect(await world.dump()).toEqual(before);
  });

  test("a category on one person's copy is looked for on the other's calendar, where the copy is untagged", async () => {
    world = await createSyncWorld();
    const meeting = event('s', TUESDAY, { text: text('Talk') });
    world.calendar(ANNA).put(meeting);
    await world.sync(ANNA);
    await world.sync(BEN);
    await world.policies({ tags: [{ kind: 'category', category: 'Mentoring' }] });
    world.calendar(BEN).put(
      guestCopy(meeting, 'b', {
        text: text('Talk', { categories: ['mentoring'] }),
        ownerResponse: 'tentative',
      }),
    );
    await world.sync(ANNA);
    await world.sync(BEN);
    expect(await world.booked()).toEqual([TUESDAY]);
    const [woken] = await world.rows(sql<{ due: boolean }>`
      select next_poll_at <= now() as due from cadenced.calendar where address = ${ANNA}`);
    expect(woken).toEqual({ due: true });
    world.calendar(ANNA).pages = null;
    await world.sync(ANNA);
    expect(world.calendar(ANNA).calls.at(-1)).toBe('copies of s@google.com');
    expect(await world.rows(sql`select from cadenced.event_copy where removed_at is null`)).toHaveLength(2);
    expect(await world.rows(sql`select from cadenced.wanted_meeting`)).toEqual([]);
    // The organizer's copy decides from now on.
    world.calendar(ANNA).put({ ...meeting, ...later, start: TUESDAY + DAY, end: TUESDAY + DAY + HOUR });
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([TUESDAY + DAY]);
  });

  test('both parts of a split are looked for by the name of each', async () => {
    world = await createSyncWorld();
    await world.policies({ tags: [{ kind: 'category', category: 'Mentoring' }] });
    const parts = [
      weekly('s', TUESDAY, 2, { text: text('Talk') }),
      weekly('s_R20261201T090000', TUESDAY + 21 * DAY, 2, { text: text('Talk') }),
    ];
    await world.sync(ANNA);
    await world.sync(BEN);
    for (const part of parts) {
      const marked = part.map((copy) =>
        guestCopy(copy, `b ${copy.sourceId}`, {
          seriesId: `b ${copy.seriesId}`,
          text: text('Talk', { categories: ['Mentoring'] }),
        }),
      );
      world.calendar(ANNA).copies.push(...part);
      world.calendar(BEN).putSeries(`b ${part[0]?.seriesId}`, marked);
    }
    await world.sync(BEN);
    await world.sync(ANNA);
    const asked = world.calendar(ANNA).calls.filter((call) => call.startsWith('copies of'));
    expect(asked).toEqual(['copies of s@google.com', 'copies of s_R20261201T090000@google.com']);
    expect(await world.rows(sql`select from cadenced.wanted_meeting`)).toEqual([]);
    expect(await world.rows(sql`select from cadenced.event_copy where removed_at is null`)).toHaveLength(8);
  });

  test('a guest who deletes the copy that carried the tag cancels nothing', async () => {
    world = await createSyncWorld();
    await world.policies({ tags: [{ kind: 'category', category: 'Mentoring' }] });
    const meeting = event('s', TUESDAY, { text: text('Talk') });
    world.calendar(BEN).put(guestCopy(meeting, 'b'));
    await world.sync(BEN);
    expect(await world.booked()).toEqual([]);
    world
      .calendar(BEN)
      .put(guestCopy(meeting, 'b', { ...later, text: text('Talk', { categories: ['Mentoring'] }) }));
    await world.sync(BEN);
    world.calendar(ANNA).put(meeting);
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([TUESDAY]);
    world.calendar(BEN).remove('b', NOW);
    await world.sync(BEN);
    expect(await world.booked()).toEqual([TUESDAY]);
  });
});

describe('health', () => {
  test('not found is believed after three times over an hour, told once, and taken back', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(event('s', TUESDAY));
    await world.sync(ANNA);
    anna.failing = { page: 0, problem: failure.gone('not_found', { status: 404 }) };
    for (let strike = 0; strike < 4; strike += 1) await world.sync(ANNA);
    expect(await world.state(ANNA)).toMatchObject({ state: 'active', strikes: 4 });
    await sql`update cadenced.calendar set first_strike_at = now() - interval '61 minutes'`.execute(world.db);
    await world.sync(ANNA);
    await world.sync(ANNA);
    expect(await world.state(ANNA)).toMatchObject({ state: 'gone', state_reason: 'not_found' });
    expect(await world.booked()).toEqual([TUESDAY]);
    anna.failing = null;
    await world.sync(ANNA);
    expect(await world.state(ANNA)).toMatchObject({ state: 'active', strikes: 0 });
    expect(await world.events()).toEqual([
      'session.scheduled',
      'calendar.disconnected',
      'calendar.reconnected',
    ]);
  });

  test('denied is told once, cancels nothing, and the other calendars go on', async () => {
    world = await createSyncWorld();
    const meeting = event('s', TUESDAY);
    world.calendar(ANNA).put(meeting);
    world.calendar(BEN).put(guestCopy(meeting, 'b'));
    await world.sync(ANNA);
    await world.sync(BEN);
    world.calendar(ANNA).failing = { page: 0, problem: failure.permanent('mailbox_denied', { status: 403 }) };
    for (let time = 0; time < 3; time += 1) await world.sync(ANNA);
    expect(await world.state(ANNA)).toMatchObject({ state: 'denied', state_reason: 'mailbox_denied' });
    // Nobody sees the organizer's copy any more: the guest's tells the time now.
    world
      .calendar(BEN)
      .put(guestCopy(meeting, 'b', { ...later, start: TUESDAY + DAY, end: TUESDAY + DAY + HOUR }));
    await world.sync(BEN);
    expect(await world.booked()).toEqual([TUESDAY + DAY]);
    world.calendar(ANNA).failing = null;
    await world.sync(ANNA);
    expect((await world.events()).filter((type) => type.startsWith('calendar'))).toEqual([
      'calendar.disconnected',
      'calendar.reconnected',
    ]);
  });

  test('drift is what a reconcile had to heal', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(...untold(5));
    await world.sync(ANNA);
    anna.copies = [
      ...untold(4).slice(1),
      event('lost', TUESDAY + 50 * DAY),
      event('s0', TUESDAY + HOUR, later),
    ];
    anna.pages = null;
    expect(await world.sync(ANNA, { reconcile: true })).toMatchObject({ kind: 'reconcile', drift: 3 });
    expect(await world.state(ANNA)).toMatchObject({ drift: 3, state: 'active' });
    expect(await world.sync(ANNA, { reconcile: true })).toMatchObject({ drift: 0 });
  });

  test('a comparison that fails every time is tried ever more rarely, though the changes before it are read', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(...untold(5));
    await world.sync(ANNA);
    anna.failingList = failure.bug('malformed_event');
    await sql`update cadenced.calendar set reconcile_wanted = true where address = ${ANNA}`.execute(world.db);
    const failures = () =>
      world.rows(sql`
        select failures, next_poll_at > now() + failures * interval '10 seconds' as waits
          from cadenced.calendar where address = ${ANNA}`);
    for (const times of [1, 2, 3, 4]) {
      expect((await world.sync(ANNA)).failure).toMatchObject({ code: 'malformed_event' });
      expect(await failures()).toEqual([{ failures: times, waits: true }]);
    }
    anna.failingList = null;
    expect(await world.sync(ANNA)).toMatchObject({ kind: 'reconcile', failure: null });
    expect(await failures()).toEqual([{ failures: 0, waits: true }]);
  });

  test('a store that fails to discard hides no failure', async () => {
    const around = (store: SyncStore): SyncStore => ({
      ...store,
      discard: () => Promise.reject(new Error('the connection is gone')),
    });
    world = await createSyncWorld({ around });
    world.calendar(ANNA).failing = { page: 0, problem: failure.transient('reset') };
    expect((await world.sync(ANNA)).failure).toMatchObject({ kind: 'transient', code: 'reset' });
  });
});
