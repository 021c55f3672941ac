import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import {
  addGuest,
  addTag,
  cancelMeeting,
  convertSingleToSeries,
  createMeeting,
  deleteCopy,
  editMeeting,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  respond,
} from '../../src/sandbox/world/index.ts';
import {
  ADA,
  BO,
  DANA,
  DAY,
  FAY,
  type MicrosoftStage,
  openMicrosoftStage,
  PROGRAM,
} from './microsoft-stage.ts';

/** One meeting on several calendars, of Outlook and of Google: who is believed about what. */

let stage: MicrosoftStage;
afterEach(() => stage.close());

const SLOTS = [
  '2026-03-17T09:00',
  '2026-03-24T09:00',
  '2026-03-31T08:00',
  '2026-04-07T08:00',
  '2026-04-14T08:00',
];

const rsvpOf = async (address: string) =>
  (
    await stage.rows(sql<{ rsvp: string }>`
      select rsvp from mentoring.attendance where email = ${address}
         and session_id in (select session_id from mentoring.session where mentorship = 'Ada & bo')`)
  ).map(({ rsvp }) => rsvp);

test('32 one meeting on three calendars, one of them invited to a single occurrence, one at Google: one session each', async () => {
  stage = await openMicrosoftStage({ google: true });
  const series = stage.weekly({ guests: [DANA] });
  addGuest(stage.world, { meeting: series.id, guest: FAY, slot: '2026-03-24T09:00:00Z' });
  for (const order of [
    [FAY, DANA, ADA],
    [DANA, ADA, FAY],
  ]) {
    await stage.syncAll(...order);
    expect(await stage.occurrences()).toBe(5);
    expect(await stage.booked('Ada & dana')).toHaveLength(5);
    expect(await stage.booked('Ada & fay')).toEqual(['2026-03-24T09:00']);
    const copies = await stage.rows(sql<{ calendars: number }>`
      select count(distinct calendar_id)::int as calendars from cadenced.event_copy
       group by occurrence_id order by 1`);
    expect(copies.map(({ calendars }) => calendars)).toEqual([2, 2, 2, 2, 3]);
  }
  moveOccurrence(stage.world, {
    meeting: series.id,
    slot: '2026-03-24T09:00:00Z',
    start: '2026-03-26T15:00:00Z',
  });
  await stage.syncAll(FAY, DANA, ADA);
  expect(await stage.occurrences()).toBe(5);
  expect(await stage.booked('Ada & fay')).toEqual(['2026-03-26T15:00']);
});

test('33 a meeting made at Google, wrapped in one Outlook mailbox and raw in another: one session', async () => {
  stage = await openMicrosoftStage({ google: true });
  createMeeting(stage.world, {
    organizer: DANA,
    guests: [ADA, FAY],
    title: 'Across #mentoring',
    start: '2026-03-19T10:00',
    conference: 'meet',
  });
  await stage.syncAll(FAY, ADA, DANA);
  expect(await stage.occurrences()).toBe(1);
  expect(await stage.booked('Ada & dana')).toEqual(['2026-03-19T09:00']);
  expect(await stage.booked('Ada & fay')).toEqual(['2026-03-19T09:00']);
});

describe('34 one meeting whose copies have no iCalUId', () => {
  const ORDERS: [string, string[]][] = [
    ['organizer first', [ADA, BO]],
    ['guest first', [BO, ADA]],
  ];
  const open = async () => {
    stage = await openMicrosoftStage();
    for (const { id } of Object.values(stage.people)) stage.sandbox.habits.withoutUids.add(id);
  };
  const standing = async () =>
    (
      await stage.rows(sql<{ calendars: number }>`
        select count(distinct calendar_id)::int as calendars from cadenced.event_copy
         where removed_at is null group by occurrence_id order by 1`)
    ).map(({ calendars }) => calendars);

  test.each(ORDERS)(
    '%s: one occurrence, which stays one when it is moved, renamed and called off',
    async (_what, order) => {
      await open();
      const single = stage.single();
      await stage.syncAll(...order);
      const [session] = await stage.sessions();
      expect(await standing()).toEqual([2]);
      moveMeeting(stage.world, { meeting: single.id, start: '2026-03-23T14:00' });
      editMeeting(stage.world, { meeting: single.id, title: 'Another #mentoring' });
      await stage.syncAll(...order);
      await stage.syncAll(...order.toReversed());
      expect(await stage.sessions()).toMatchObject([
        { id: session?.id, start: '2026-03-23T13:00', reschedules: 1 },
      ]);
      expect(await standing()).toEqual([2]);
      for (const address of order) {
        expect(await stage.sync(address, { full: true })).toMatchObject({
          complete: true,
          applied: { occurrences: 0 },
        });
        expect(await stage.sync(address, { reconcile: true })).toMatchObject({ drift: 0 });
      }
      cancelMeeting(stage.world, { meeting: single.id });
      await stage.syncAll(...order);
      expect(await stage.events()).toEqual(['session.scheduled', 'session.rescheduled', 'session.cancelled']);
    },
  );

  test('both at the same time: one occurrence', async () => {
    await open();
    for (let day = 20; day < 26; day += 1) stage.single({ start: `2026-03-${day}T14:00` });
    await Promise.all([stage.syncAll(ADA), stage.syncAll(BO)]);
    expect(await standing()).toEqual([2, 2, 2, 2, 2, 2]);
  });

  test('a group: one occurrence on three calendars', async () => {
    await open();
    stage.single({ guests: [BO, FAY] });
    await stage.syncAll(FAY, BO, ADA);
    expect(await standing()).toEqual([3]);
    expect(await stage.booked('Ada & fay')).toHaveLength(1);
  });

  test.each(ORDERS)('%s: a private one, which shows no title', async (_what, order) => {
    await open();
    stage.single({ visibility: 'private' });
    await stage.syncAll(...order);
    expect(await standing()).toEqual([2]);
  });

  test.each([
    ['organizer first', [ADA, BO, FAY]],
    ['guests first', [BO, FAY, ADA]],
  ])('two people at the same hour under the same title (%s): each pair has its own', async (_what, order) => {
    await open();
    stage.single({ guests: [BO] });
    stage.single({ guests: [FAY] });
    await stage.syncAll(...order);
    expect(await standing()).toEqual([2, 2]);
    expect(await stage.booked()).toHaveLength(1);
    expect(await stage.booked('Ada & fay')).toHaveLength(1);
  });

  test('the same pair twice at the same hour: nothing is guessed', async () => {
    await open();
    stage.single();
    stage.single();
    await stage.syncAll(ADA, BO);
    expect(await standing()).toEqual([1, 1, 1, 1]);
  });
});

test("35 an answer that was never sent stands on the guest's own copy, and nobody else's copy says otherwise", async () => {
  stage = await openMicrosoftStage();
  const single = stage.single({ guests: [BO, FAY] });
  await stage.syncAll(ADA);
  expect(await rsvpOf(BO)).toEqual(['none']);
  respond(stage.world, { meeting: single.id, person: BO, response: 'accepted', silent: true });
  await stage.syncAll(ADA, BO, FAY);
  expect(await rsvpOf(BO)).toEqual(['accepted']);
  addTag(stage.world, { meeting: single.id, tag: '#again' });
  await stage.syncAll(FAY, ADA);
  expect(await rsvpOf(BO)).toEqual(['accepted']);
  expect(await rsvpOf(ADA)).toEqual(['accepted']);
});

test.each([
  ['organizer first', [ADA, BO]],
  ['guest first', [BO, ADA]],
])(
  '36 the organizer calls it off, marked on one copy and gone on the other (%s): one cancellation',
  async (_what, order) => {
    stage = await openMicrosoftStage();
    const single = stage.single();
    await stage.syncAll();
    cancelMeeting(stage.world, { meeting: single.id });
    await stage.syncAll(...order);
    expect((await stage.sessions()).map(({ status }) => status)).toEqual(['cancelled']);
    expect(await stage.events()).toEqual(['session.scheduled', 'session.cancelled']);
  },
);

test('37 a guest takes it off their own calendar: the session stays, and that the copy is gone is on record', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single();
  await stage.syncAll();
  deleteCopy(stage.world, { meeting: single.id, person: BO });
  await stage.syncAll();
  expect(await stage.booked()).toHaveLength(1);
  expect(await stage.events()).toEqual(['session.scheduled']);
  expect(
    await stage.rows(sql`
      select address, removed_at is not null as removed
        from cadenced.event_copy join cadenced.calendar using (calendar_id) order by address`),
  ).toEqual([
    { address: ADA, removed: false },
    { address: BO, removed: true },
  ]);
});

test('40 a private event counts, and its words go nowhere: not into the log, events, mails or views', async () => {
  stage = await openMicrosoftStage();
  const word = 'Zwetschgenkuchen';
  stage.single({ title: `${word} #mentoring`, body: `<p>${word}</p>`, visibility: 'private' });
  stage.single({ title: `${word} untagged`, start: '2026-03-21T14:00' });
  await stage.syncAll();
  stage.faults.add({ mailbox: ADA, fault: { kind: 'status', status: 403 } });
  await stage.sync();
  expect(await stage.booked()).toEqual(['2026-03-20T13:00']);
  const tables = await stage.rows(sql<{ name: string }>`
    select table_schema || '.' || table_name as name from information_schema.tables
     where table_schema in ('cadenced', 'mentoring')`);
  for (const { name } of tables) {
    const [found] = await stage.rows(sql<{ leaks: number }>`
      select count(*)::int as leaks from ${sql.raw(name)} one where one::text like ${`%${word}%`}`);
    expect({ name, leaks: found?.leaks }).toEqual({ name, leaks: 0 });
  }
  expect([...stage.told('warn'), ...stage.told('error')].join()).not.toContain(word);
});

describe('the program mailbox as the only tag', () => {
  const open = async () => {
    stage = await openMicrosoftStage({ google: true, tags: `[{mailbox: ${PROGRAM}}]` });
  };

  test.each([
    ['Outlook', ADA, BO, 'Ada & bo'],
    ['Google', DANA, ADA, 'Ada & dana'],
  ])(
    'invited to a series, seen at once on the calendar of %s that holds it',
    async (_at, organizer, guest, pair) => {
      await open();
      await stage.syncAll(organizer);
      stage.weekly({ organizer, guests: [guest, PROGRAM], title: 'A talk' });
      stage.weekly({ organizer, guests: [guest], title: 'Another talk', start: '2026-03-18T10:00' });
      expect(await stage.sync(organizer)).toMatchObject({ complete: true, kind: 'changes' });
      expect(await stage.booked(pair)).toEqual(SLOTS);
    },
  );

  test.each([
    ['Outlook', ADA, BO, 'Ada & bo'],
    ['Google', DANA, ADA, 'Ada & dana'],
  ])(
    'invited later to a series of %s that was known to nobody, and to one occurrence',
    async (_at, organizer, guest, pair) => {
      await open();
      const series = stage.weekly({ organizer, guests: [guest], title: 'A talk' });
      const once = stage.weekly({
        organizer,
        guests: [guest],
        title: 'Another talk',
        start: '2026-03-18T10:00',
      });
      await stage.syncAll(organizer);
      expect(await stage.booked(pair)).toEqual([]);
      addGuest(stage.world, { meeting: series.id, guest: PROGRAM });
      addGuest(stage.world, { meeting: once.id, guest: PROGRAM, slot: '2026-03-25T09:00:00Z' });
      expect(await stage.sync(organizer)).toMatchObject({ complete: true, kind: 'changes' });
      expect((await stage.booked(pair)).filter((start) => SLOTS.includes(start))).toEqual(SLOTS);
      expect(await stage.booked(pair)).toContain('2026-03-25T09:00');
    },
  );
});

test('two a day, another time, another weekday, one moved to another day, one made a series: each session stays itself', async () => {
  stage = await openMicrosoftStage();
  const morning = stage.weekly({ start: '2026-03-17T08:00' });
  const evening = stage.weekly({ start: '2026-03-17T18:00' });
  await stage.syncAll();
  const before = await stage.sessions();
  const ids = new Set(before.map(({ id }) => id));
  expect(ids.size).toBe(10);
  moveSeries(stage.world, { meeting: evening.id, time: '07:00' });
  await stage.syncAll(BO, ADA);
  // Onto the day and the hour of the other series' next meeting, then on to a day that neither has.
  const second = before.find(({ start }) => start === '2026-03-24T17:00');
  for (const start of ['2026-03-31T06:00:00Z', '2026-03-27T09:00:00Z']) {
    moveOccurrence(stage.world, { meeting: evening.id, slot: '2026-03-24T06:00:00Z', start });
    await stage.syncAll(BO, ADA);
    const moved = (await stage.sessions()).find(({ id }) => id === second?.id);
    expect(moved?.start).toBe(start.slice(0, 16));
  }
  moveSeries(stage.world, { meeting: morning.id, weekday: 'TH', rule: 'FREQ=WEEKLY;BYDAY=TH;COUNT=5' });
  await stage.syncAll();
  const after = await stage.sessions();
  expect(new Set(after.map(({ id }) => id))).toEqual(ids);
  expect(after.every(({ status }) => status === 'scheduled')).toBe(true);
  const single = stage.single();
  await stage.syncAll();
  convertSingleToSeries(stage.world, { meeting: single.id, rule: 'FREQ=WEEKLY;COUNT=2' });
  await stage.syncAll();
  expect(await stage.sessions()).toHaveLength(12);
  expect(await stage.events('session.cancelled')).toEqual([]);
});

test.each([
  ['seen without its zone first', [FAY, DANA]],
  ['seen with its zone first', [DANA, FAY]],
])(
  'a series of which one calendar shows no zone, on another date there than where it was made (%s): each session stays itself',
  async (_what, order) => {
    stage = await openMicrosoftStage({ google: true });
    const series = stage.weekly({
      organizer: DANA,
      guests: [ADA, FAY],
      start: '2026-03-18T07:30',
      zone: 'Asia/Tokyo',
      rule: 'FREQ=DAILY;COUNT=4',
      conference: 'meet',
    });
    await stage.syncAll(...order);
    const zones = await stage.rows(sql<{ address: string; zone: string | null }>`
      select distinct address, time_zone as zone
        from cadenced.event_copy join cadenced.calendar using (calendar_id) order by 1`);
    expect(zones).toContainEqual({ address: DANA, zone: 'Asia/Tokyo' });
    expect(zones).not.toContainEqual({ address: FAY, zone: 'Asia/Tokyo' });
    const before = await stage.sessions('Ada & fay');
    expect(before.map(({ start }) => start)).toEqual([
      '2026-03-17T22:30',
      '2026-03-18T22:30',
      '2026-03-19T22:30',
      '2026-03-20T22:30',
    ]);
    expect(await stage.occurrences()).toBe(4);
    moveOccurrence(stage.world, {
      meeting: series.id,
      slot: '2026-03-18T22:30:00Z',
      start: '2026-03-24T09:00:00Z',
    });
    await stage.syncAll(...order);
    moveSeries(stage.world, { meeting: series.id, time: '09:30' });
    await stage.syncAll(...order);
    await stage.syncAll(...order.toReversed());
    const after = await stage.sessions('Ada & fay');
    expect(new Set(after.map(({ id }) => id))).toEqual(new Set(before.map(({ id }) => id)));
    expect(await stage.occurrences()).toBe(4);
    expect(await stage.events('session.cancelled')).toEqual([]);
  },
);

test('the whole story again in full and as a reconcile writes nothing', async () => {
  stage = await openMicrosoftStage();
  stage.weekly();
  stage.single();
  await stage.syncAll();
  await stage.advance(DAY);
  const before = await stage.events();
  for (const address of [ADA, BO]) {
    expect(await stage.sync(address, { full: true })).toMatchObject({
      applied: { occurrences: 0, events: 0 },
    });
    expect(await stage.sync(address, { reconcile: true })).toMatchObject({ drift: 0 });
  }
  expect(await stage.events()).toEqual(before);
});
