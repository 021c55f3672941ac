import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import {
  cancelOccurrence,
  createMeeting,
  editMeeting,
  type MeetingInput,
} from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, type GoogleStage, openGoogleStage, START } from './google-stage.ts';

/** Shapes of entries that mislead, on the whole daemon: what belongs to another scenario's second half. */
let stage: GoogleStage;
afterEach(() => stage.close());

const book = (given: Partial<MeetingInput> = {}) =>
  createMeeting(stage.world, {
    organizer: ADA,
    guests: [BO],
    title: 'Talk #mentoring',
    start: '2026-09-15T10:00',
    minutes: 60,
    ...given,
  });
const sessions = () =>
  stage.rows(sql<{ start: string; status: string }>`
    select to_char(scheduled_start at time zone 'UTC', 'MM-DD HH24:MI') as start, status
      from mentoring.session order by scheduled_start, session_id`);
const people = () =>
  stage.rows(
    sql<{ email: string; rsvp: string }>`select email, rsvp from mentoring.attendance order by email`,
  );
const told = (type: string) => stage.rows(sql`select 1 from mentoring.outbound_event where type = ${type}`);
const seen = () =>
  stage.rows(sql<{ hidden: number; leftOut: number }>`
    select hidden_seen::int as hidden, left_out_seen::int as "leftOut" from mentoring.sync_health order by calendar`);
const at = (text: string) => Date.parse(text) - stage.world.now();

test('18. Cancelled exception of a series that is not ours: ignored without error', async () => {
  stage = await openGoogleStage({ habits: { sparseTombstones: 1 } });
  const foreign = book({ title: 'Stand-up', rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=6' });
  await stage.pollDue();
  cancelOccurrence(stage.world, { meeting: foreign.id, slot: '2026-09-22T08:00:00Z' });
  await stage.pollDue();
  expect(await sessions()).toEqual([]);
  expect(await stage.rows(sql`select distinct state, failures from cadenced.calendar`)).toEqual([
    { state: 'active', failures: 0 },
  ]);
});

test('24. A weekly series across the end of summer time: reminders follow', async () => {
  stage = await openGoogleStage();
  book({ start: '2026-10-20T10:00', rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=2' });
  await stage.pollDue();
  expect((await sessions()).map(({ start }) => start)).toEqual(['10-20 08:00', '10-27 09:00']);
  for (const day of ['2026-10-18T06:00:00Z', '2026-10-25T06:00:00Z']) {
    await stage.advance(at(day));
    await stage.settled();
  }
  const due = await stage.rows(sql<{ due: string }>`
    select distinct to_char(due_at at time zone 'UTC', 'MM-DD HH24:MI') as due
      from mentoring.reminder_log where kind = 'reminder' order by 1`);
  expect(due.map((row) => row.due)).toEqual(['10-19 08:00', '10-26 09:00']);
});

test('25. An all-day event in a calendar far from UTC is on no other day, and no session', async () => {
  stage = await openGoogleStage();
  stage.world.person(ADA).zone = 'America/Los_Angeles';
  book({ allDay: true, start: '2026-09-15' });
  book({ title: 'Talk #mentoring', start: '2026-09-15T10:00', zone: 'America/Los_Angeles' });
  await stage.pollDue();
  expect(await sessions()).toEqual([{ start: '09-15 17:00', status: 'scheduled' }]);
});

test('26. A tag that stands in shared properties alone', async () => {
  stage = await openGoogleStage({ tags: ', { property: mentoring, value: "yes" }' });
  book({ title: 'Talk', sharedProperties: { mentoring: 'yes' } });
  book({ title: 'Talk', sharedProperties: { mentoring: 'no' }, start: '2026-09-16T10:00' });
  await stage.pollDue();
  expect((await sessions()).map(({ start }) => start)).toEqual(['09-15 08:00']);
  expect(await told('session.scheduled')).toHaveLength(1);
});

test('27. A session that becomes private to a reader is kept with everybody in it, and others are counted as hidden', async () => {
  stage = await openGoogleStage();
  const meeting = book();
  await stage.pollDue();
  const before = [await sessions(), await people()];
  stage.google.habits.ownRole = 'reader';
  editMeeting(stage.world, { meeting: meeting.id, visibility: 'private' });
  book({ title: 'Talk #mentoring', start: '2026-09-16T10:00', visibility: 'private' });
  for (const wish of ['reconcile_wanted', 'full_pass_wanted']) {
    await sql`update cadenced.calendar set ${sql.ref(wish)} = true`.execute(stage.workshop.db);
    await stage.pollDue();
    expect([await sessions(), await people()]).toEqual(before);
  }
  expect(await told('session.cancelled')).toEqual([]);
  expect((await seen()).every(({ hidden }) => hidden >= 1)).toBe(true);
});

test('28. Guests that are left out of a list are still invited; a room is nobody', async () => {
  stage = await openGoogleStage({ adaOutside: true });
  const room = { address: 'room-7@resource.calendar.google.com', kind: 'resource' as const };
  const meeting = book({ guests: [BO, 'cem@school.example', room] });
  await stage.pollDue();
  const invited = [ADA, BO];
  expect((await people()).map(({ email }) => email)).toEqual(invited);
  // From now on Bo sees nobody but himself, and that says nothing about Ada.
  editMeeting(stage.world, { meeting: meeting.id, hideGuests: true });
  await stage.pollDue();
  expect((await sessions()).map(({ status }) => status)).toEqual(['scheduled']);
  expect((await people()).map(({ email }) => email)).toEqual(invited);
  expect(await told('session.cancelled')).toEqual([]);
});

test('30. A date of the year 0 is left out by count and stops nothing', async () => {
  stage = await openGoogleStage();
  // A first pull is bounded by its window, so such an entry comes with a change.
  book({ start: '0000-12-30T10:00' });
  book();
  await stage.pollDue();
  expect(await sessions()).toEqual([{ start: '09-15 08:00', status: 'scheduled' }]);
  expect(await seen()).toEqual([
    { hidden: 0, leftOut: 1 },
    { hidden: 0, leftOut: 1 },
  ]);
});

test('40. Every request names whom it is charged to without naming them, and is counted for the day', async () => {
  stage = await openGoogleStage({ pairs: 2 });
  book({ rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=6' });
  await stage.pollDue();
  await stage.settled();
  const asked = stage.faults.log.entries().filter(({ path }) => path !== '/token');
  const usersOf = new Map<string | null, Set<string | null>>();
  for (const { mailbox, quotaUser, url } of asked) {
    expect(quotaUser).toMatch(/^[0-9a-f]{1,40}$/);
    expect(url).not.toContain('@');
    usersOf.set(mailbox, (usersOf.get(mailbox) ?? new Set()).add(quotaUser));
  }
  // One each, and nobody's twice: else all share the service account's 600 a minute.
  expect([...usersOf.values()].map((users) => users.size)).toEqual([1, 1, 1, 1, 1, 1]);
  expect(new Set([...usersOf.values()].flatMap((users) => [...users])).size).toBe(6);
  const metrics = await (await fetch(`${stage.daemon.http.metricsUrl}/metrics`)).text();
  const [, today] = /cadenced_provider_requests_today\{provider="google"\} (\d+)/.exec(metrics) ?? [];
  expect(Number(today)).toBe(asked.length);
  expect(stage.world.now() - Date.parse(START)).toBeLessThan(DAY);
});
