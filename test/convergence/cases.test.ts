import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  addGuest,
  cancelMeeting,
  cancelOccurrence,
  convertSeriesToSingle,
  createMeeting,
  deleteCopy,
  editMeeting,
  type Meeting,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  removeTag,
  setCategory,
  splitSeries,
} from '../../src/sandbox/world/index.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openStage, type Stage } from './stage.ts';

/** What seeds have found, and what the rules say of the past, one by one: both providers into one database. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let stage: Stage;
let drop: () => Promise<void>;
beforeEach(async () => {
  const database = await createTestDatabase();
  drop = () => database.drop();
  stage = await openStage(database.url, 7);
});
afterEach(async () => {
  await stage.close();
  await drop();
});

/** One line a session: its id, when it begins, how it stands. */
interface Row {
  readonly id: number;
  readonly start: string;
  readonly status: string;
  readonly reschedules: number;
}

async function sessions(mentorship: string): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select session_id as id, to_char(starts_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI') as start, status, reschedules
      from cadenced.session join cadenced.mentorship using (mentorship_id)
     where mentorship.key = ${mentorship} order by session_id`.execute(stage.db);
  return rows;
}

/** Reads every calendar, those named last and in the given order. */
async function readAll(...order: string[]): Promise<void> {
  const calendars = [...stage.calendars].sort(
    (one, other) => order.indexOf(one.address) - order.indexOf(other.address),
  );
  for (const { id } of calendars) expect((await stage.sync(id))?.complete).toBe(true);
}

const toInstant = async (instant: string) => stage.advance(Date.parse(`${instant}:00Z`) - stage.world.now());

test('a guest of one occurrence of a series at Google is read again when that occurrence changes', async () => {
  const series = createMeeting(stage.world, {
    organizer: 'ada@north.example',
    guests: ['ben@north.example'],
    title: 'Session #mentoring',
    start: '2026-09-15T10:00',
    rule: 'FREQ=WEEKLY;COUNT=4',
  });
  const slot = Date.parse('2026-09-22T08:00:00Z');
  addGuest(stage.world, { meeting: series.id, slot, guest: 'hal@north.example' });
  await readAll();
  await readAll();
  expect(await sessions('Circle')).toMatchObject([{ start: '2026-09-22T08:00', status: 'scheduled' }]);
  await stage.advance(HOUR);
  editMeeting(stage.world, { meeting: series.id, slot, title: 'Something else' });
  await readAll();
  expect(await sessions('Circle')).toMatchObject([{ start: '2026-09-22T08:00', status: 'cancelled' }]);
});

test.each([
  ['the organizer first', ['ada@north.example', 'dan@south.example']],
  ['the guest first', ['dan@south.example', 'ada@north.example']],
])('an Outlook guest of one occurrence follows it when it is used again (%s)', async (_who, order) => {
  const series = createMeeting(stage.world, {
    organizer: 'ada@north.example',
    guests: ['ben@north.example'],
    title: 'Session #mentoring',
    start: '2026-09-08T10:00',
    rule: 'FREQ=WEEKLY;COUNT=4',
  });
  const slot = Date.parse('2026-09-15T08:00:00Z');
  addGuest(stage.world, { meeting: series.id, slot, guest: 'dan@south.example' });
  await readAll(...order);
  await toInstant('2026-09-16T06:00');
  // Further than half a week: nobody can guess it.
  moveOccurrence(stage.world, { meeting: series.id, slot, start: slot + 5 * DAY });
  await readAll(...order);
  await readAll(...order);
  for (const { id } of stage.calendars) await stage.sync(id, { reconcile: true });
  expect(await sessions('Circle')).toMatchObject([
    { start: '2026-09-15T08:00', status: 'scheduled', reschedules: 0 },
    { start: '2026-09-20T08:00', status: 'scheduled' },
  ]);
});

test.each([
  ['the organizer first', ['ada@north.example', 'gus@south.example']],
  ['the guest first', ['gus@south.example', 'ada@north.example']],
])(
  'an Outlook guest of one occurrence that was moved before anybody saw them is its guest (%s)',
  async (_who, order) => {
    const series = createMeeting(stage.world, {
      organizer: 'ada@north.example',
      guests: ['ben@north.example'],
      title: 'Session #mentoring',
      start: '2026-09-12T16:15',
      rule: 'FREQ=MONTHLY',
    });
    await readAll();
    const slot = Date.parse('2026-10-12T14:15:00Z');
    addGuest(stage.world, { meeting: series.id, slot, guest: 'gus@south.example' });
    moveOccurrence(stage.world, { meeting: series.id, slot, start: slot + 2 * DAY });
    await readAll(...order);
    await readAll(...order);
    for (const { id } of stage.calendars) await stage.sync(id, { reconcile: true });
    const standing = (await sessions('Ada & Ben')).filter(({ status }) => status === 'scheduled');
    expect(standing.slice(0, 3)).toMatchObject([
      { start: '2026-09-12T14:15', reschedules: 0 },
      { start: '2026-10-14T14:15', reschedules: 1 },
      { start: '2026-11-12T15:15', reschedules: 0 },
    ]);
    const { rows } = await sql<{ address: string }>`
    select address from cadenced.event_copy join cadenced.calendar using (calendar_id)
      join cadenced.session using (occurrence_id)
     where session_id = ${standing[1]?.id} and removed_at is null order by address`.execute(stage.db);
    expect(rows.map(({ address }) => address)).toEqual([
      'ada@north.example',
      'ben@north.example',
      'gus@south.example',
    ]);
  },
);

test('a meeting that comes back marked on a guest copy alone is looked for at its organizer again', async () => {
  const series = createMeeting(stage.world, {
    organizer: 'eve@north.example',
    guests: ['fay@south.example'],
    title: 'Session #mentoring',
    start: '2026-09-15T10:00',
    rule: 'FREQ=WEEKLY;COUNT=4',
  });
  await readAll();
  const slot = Date.parse('2026-09-22T08:00:00Z');
  cancelOccurrence(stage.world, { meeting: series.id, slot });
  await readAll();
  await stage.advance(HOUR);
  removeTag(stage.world, { meeting: series.id, tag: '#mentoring' });
  setCategory(stage.world, { meeting: series.id, person: 'fay@south.example', category: 'Mentoring' });
  await readAll();
  await stage.advance(HOUR);
  // Two days on, and those that were called off are back.
  moveSeries(stage.world, { meeting: series.id, weekday: 'TH', time: '12:00' });
  await readAll('eve@north.example', 'fay@south.example');
  await readAll();
  expect(
    (await sessions('Eve & Fay')).filter(({ status }) => status === 'scheduled').map(({ start }) => start),
  ).toEqual(['2026-09-17T10:00', '2026-09-24T10:00', '2026-10-01T10:00', '2026-10-08T10:00']);
});

test('a calendar that can be read again decides in that very pass', async () => {
  const [organizer, guest] = ['cyd@south.example', 'dan@south.example'];
  const meeting = createMeeting(stage.world, {
    organizer,
    guests: [guest],
    title: 'Session #mentoring',
    start: '2026-09-15T10:00',
  });
  await readAll();
  const cyd = stage.calendars.find(({ address }) => address === organizer)?.id ?? 0;
  const path = '/v1.0/users/.*(calendarView|events)';
  const enough = stage.trouble('403', { path, mailbox: organizer, fault: { kind: 'status', status: 403 } });
  expect((await stage.sync(cyd))?.failure?.kind).toBe('permanent');
  enough();
  // The guest's copy is gone and says nothing: only the organizer's calendar knows.
  deleteCopy(stage.world, { meeting: meeting.id, person: guest });
  cancelMeeting(stage.world, { meeting: meeting.id });
  await readAll(guest, organizer);
  expect(await sessions('Cyd & Dan')).toMatchObject([{ start: '2026-09-15T08:00', status: 'cancelled' }]);
});

test('a series split between two readings leaves nothing that only its guest was seen to have', async () => {
  const series = createMeeting(stage.world, {
    organizer: 'dan@south.example',
    guests: ['cyd@south.example'],
    title: 'Session #mentoring',
    start: '2026-09-15T10:00',
    rule: 'FREQ=DAILY;COUNT=4',
  });
  const cyd = stage.calendars.find(({ address }) => address === 'cyd@south.example')?.id ?? 0;
  await stage.sync(cyd);
  await stage.advance(HOUR);
  // At Outlook the second half is another meeting.
  splitSeries(stage.world, { meeting: series.id, slot: '2026-09-17T08:00:00Z', time: '14:00' });
  await readAll('dan@south.example', 'cyd@south.example');
  expect((await sessions('Cyd & Dan')).filter(({ status }) => status === 'scheduled')).toMatchObject([
    { start: '2026-09-15T08:00' },
    { start: '2026-09-16T08:00' },
    { start: '2026-09-17T12:00' },
    { start: '2026-09-18T12:00' },
  ]);
});

test('a series made a single event between two readings leaves nothing that only its guest was seen to have', async () => {
  const series = createMeeting(stage.world, {
    organizer: 'eve@north.example',
    guests: ['fay@south.example'],
    title: 'Session #mentoring',
    start: '2026-09-20T10:45',
    rule: 'FREQ=MONTHLY',
  });
  const fay = stage.calendars.find(({ address }) => address === 'fay@south.example')?.id ?? 0;
  await stage.sync(fay);
  expect((await sessions('Eve & Fay')).length).toBeGreaterThan(2);
  await stage.advance(HOUR);
  convertSeriesToSingle(stage.world, { meeting: series.id, slot: '2026-09-20T08:45:00Z' });
  await readAll('fay@south.example', 'eve@north.example');
  expect((await sessions('Eve & Fay')).filter(({ status }) => status === 'scheduled')).toMatchObject([
    { start: '2026-09-20T08:45' },
  ]);
});

test('an occurrence that was held on another day stays there when an edit of all shows it in its place', async () => {
  const series = createMeeting(stage.world, {
    organizer: 'gus@south.example',
    guests: ['hal@north.example'],
    title: 'Session #mentoring',
    start: '2026-09-17T10:00',
    zone: 'Europe/Berlin',
    rule: 'FREQ=WEEKLY;COUNT=3',
  });
  const slot = Date.parse('2026-09-17T08:00:00Z');
  moveOccurrence(stage.world, { meeting: series.id, slot, start: slot - 2 * DAY });
  await readAll();
  await toInstant('2026-09-19T06:00');
  // The same weekday and hour as ever, and what single occurrences had of their own is lost.
  moveSeries(stage.world, { meeting: series.id, weekday: 'TH', time: '10:00' });
  await readAll();
  expect(await sessions('Gus & Hal')).toMatchObject([
    { start: '2026-09-15T08:00', reschedules: 0 },
    { start: '2026-09-24T08:00' },
    { start: '2026-10-01T08:00' },
  ]);
});

describe('a meeting put off before it began, of which a verdict was given at its old time', () => {
  async function judgedAndRead(settledAt: string | null): Promise<void> {
    const meeting = createMeeting(stage.world, {
      organizer: 'ada@north.example',
      guests: ['ben@north.example'],
      title: 'Session #mentoring',
      start: '2026-09-15T10:00',
    });
    await readAll();
    await toInstant('2026-09-15T07:00');
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-18T10:00' });
    await toInstant('2026-09-16T06:00');
    await sql`
      update cadenced.session set outcome = 'unknown', outcome_reason = 'no_record', evidence_tier = 'none',
             provisional_at = '2026-09-15T12:00Z', settled_at = ${settledAt}::timestamptz`.execute(stage.db);
    await readAll();
    await readAll();
  }
  const verdicts = async () =>
    (
      await sql<object>`
        select to_char(starts_at at time zone 'utc', 'MM-DD') as day, outcome,
               next_judgement_at = ends_at + interval '3 hours' as "isJudgedAnew"
          from cadenced.session order by session_id`.execute(stage.db)
    ).rows;

  test('a provisional one is taken back', async () => {
    await judgedAndRead(null);
    expect(await verdicts()).toEqual([{ day: '09-18', outcome: null, isJudgedAnew: true }]);
  });

  test('a settled one stays, and the new time is a session too', async () => {
    await judgedAndRead('2026-09-16T05:00Z');
    expect(await verdicts()).toMatchObject([
      { day: '09-15', outcome: 'unknown' },
      { day: '09-18', outcome: null, isJudgedAnew: true },
    ]);
  });
});

/** Whoever is read first, the organizer's date decides: either order stands here at each provider. */
describe.each([
  ['Google, the organizer first', 'Ada & Ben', 'ada@north.example', 'ben@north.example', 'organizer'],
  ['Outlook, the guest first', 'Cyd & Dan', 'cyd@south.example', 'dan@south.example', 'guest'],
  ['Google before its guest in Outlook', 'Eve & Fay', 'eve@north.example', 'fay@south.example', 'organizer'],
  ['Google before its organizer in Outlook', 'Gus & Hal', 'gus@south.example', 'hal@north.example', 'guest'],
] as const)('what was edited while nobody looked (%s)', (_where, mentorship, mentor, mentee, isFirst) => {
  const book = (rule?: string): Meeting =>
    createMeeting(stage.world, {
      organizer: mentor,
      guests: [mentee],
      title: 'Session #mentoring',
      // Tuesday, 08:00 UTC.
      start: '2026-09-15T10:00',
      zone: 'Europe/Berlin',
      ...(rule === undefined ? {} : { rule }),
    });
  const slot = Date.parse('2026-09-15T08:00:00Z');
  const read = () => (isFirst === 'organizer' ? readAll(mentor, mentee) : readAll(mentee, mentor));
  /** Books, has it read, and goes to the instant. */
  async function bookedAndRead(until: string, rule?: string): Promise<Meeting> {
    const meeting = book(rule);
    await read();
    await read();
    await toInstant(until);
    return meeting;
  }

  test('a single put off before it began is the same session, ahead', async () => {
    const meeting = await bookedAndRead('2026-09-15T07:00');
    const [was] = await sessions(mentorship);
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-18T10:00' });
    await toInstant('2026-09-16T06:00');
    await read();
    await read();
    expect(await sessions(mentorship)).toEqual([
      { id: was?.id, start: '2026-09-18T08:00', status: 'scheduled', reschedules: 1 },
    ]);
  });

  test('a single put off before it began is the same session, though it is over by now', async () => {
    const meeting = await bookedAndRead('2026-09-15T07:00');
    const [was] = await sessions(mentorship);
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-16T10:00' });
    await toInstant('2026-09-17T06:00');
    await read();
    await read();
    expect(await sessions(mentorship)).toEqual([
      { id: was?.id, start: '2026-09-16T08:00', status: 'scheduled', reschedules: 1 },
    ]);
  });

  test('a single dragged to next week after it was over leaves its session and makes another', async () => {
    const meeting = await bookedAndRead('2026-09-16T06:00');
    const [was] = await sessions(mentorship);
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-22T10:00' });
    await toInstant('2026-09-17T06:00');
    await read();
    await read();
    const rows = await sessions(mentorship);
    expect(rows).toMatchObject([
      { id: was?.id, start: '2026-09-15T08:00', status: 'scheduled', reschedules: 0 },
      { start: '2026-09-22T08:00', status: 'scheduled' },
    ]);
    // From then on it is another: moved once more it takes nothing with it.
    await stage.advance(HOUR);
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-23T10:00' });
    await read();
    expect(await sessions(mentorship)).toMatchObject([
      { id: was?.id, start: '2026-09-15T08:00' },
      { id: rows[1]?.id, start: '2026-09-23T08:00', reschedules: 1 },
    ]);
  });

  test('one used again is a session of its own, though that is over by now', async () => {
    const meeting = await bookedAndRead('2026-09-16T06:00');
    const [was] = await sessions(mentorship);
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-17T10:00' });
    await toInstant('2026-09-18T06:00');
    await read();
    await read();
    expect(await sessions(mentorship)).toMatchObject([
      { id: was?.id, start: '2026-09-15T08:00', status: 'scheduled', reschedules: 0 },
      { start: '2026-09-17T08:00', status: 'scheduled' },
    ]);
  });

  test('the past that somebody sets right afterwards stays as it was', async () => {
    const meeting = await bookedAndRead('2026-09-16T06:00');
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-15T15:00' });
    await toInstant('2026-09-17T06:00');
    await read();
    await read();
    expect(await sessions(mentorship)).toMatchObject([{ start: '2026-09-15T08:00', reschedules: 0 }]);
  });

  test('an occurrence put off before it began is the same session', async () => {
    const series = await bookedAndRead('2026-09-15T07:00', 'FREQ=WEEKLY;COUNT=3');
    const before = await sessions(mentorship);
    moveOccurrence(stage.world, { meeting: series.id, slot, start: slot + 3 * DAY });
    await toInstant('2026-09-16T06:00');
    await read();
    await read();
    expect(await sessions(mentorship)).toMatchObject([
      { id: before[0]?.id, start: '2026-09-18T08:00', status: 'scheduled', reschedules: 1 },
      { id: before[1]?.id, start: '2026-09-22T08:00', reschedules: 0 },
      { id: before[2]?.id, start: '2026-09-29T08:00', reschedules: 0 },
    ]);
  });

  test('an occurrence dragged ahead after it was over leaves its session and makes another', async () => {
    const series = await bookedAndRead('2026-09-16T06:00', 'FREQ=WEEKLY;COUNT=3');
    const before = await sessions(mentorship);
    moveOccurrence(stage.world, { meeting: series.id, slot, start: slot + 2 * DAY });
    await toInstant('2026-09-18T06:00');
    await read();
    await read();
    expect(await sessions(mentorship)).toMatchObject([
      { id: before[0]?.id, start: '2026-09-15T08:00', reschedules: 0 },
      { id: before[1]?.id, start: '2026-09-22T08:00', reschedules: 0 },
      { id: before[2]?.id, start: '2026-09-29T08:00', reschedules: 0 },
      { start: '2026-09-17T08:00', status: 'scheduled' },
    ]);
  });

  test('a series moved as a whole takes along what had not begun, and leaves what was over', async () => {
    const series = await bookedAndRead('2026-09-16T06:00', 'FREQ=WEEKLY;COUNT=3');
    const before = await sessions(mentorship);
    moveSeries(stage.world, { meeting: series.id, weekday: 'MO', time: '09:00' });
    await toInstant('2026-09-24T06:00');
    await read();
    await read();
    expect(await sessions(mentorship)).toMatchObject([
      { id: before[0]?.id, start: '2026-09-15T08:00', reschedules: 0 },
      { id: before[1]?.id, start: '2026-09-21T07:00', reschedules: 1 },
      { id: before[2]?.id, start: '2026-09-28T07:00', reschedules: 1 },
    ]);
  });

  test('a series called off leaves an occurrence that was over, though its last edit is older than it', async () => {
    const series = await bookedAndRead('2026-09-14T06:00', 'FREQ=WEEKLY;COUNT=3');
    const before = await sessions(mentorship);
    editMeeting(stage.world, { meeting: series.id, slot, title: 'Special session #mentoring' });
    await toInstant('2026-09-16T06:00');
    cancelMeeting(stage.world, { meeting: series.id });
    await read();
    // A calendar that held nothing else is believed at the second look.
    await stage.advance(2 * HOUR);
    for (const { id } of stage.calendars) await stage.sync(id, { reconcile: true });
    await read();
    expect(await sessions(mentorship)).toMatchObject([
      { id: before[0]?.id, start: '2026-09-15T08:00', status: 'scheduled' },
      { id: before[1]?.id, start: '2026-09-22T08:00', status: 'cancelled' },
      { id: before[2]?.id, start: '2026-09-29T08:00', status: 'cancelled' },
    ]);
  });
});
