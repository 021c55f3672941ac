import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { attend, createMeeting, type PresenceInput } from '../../src/sandbox/world/index.ts';
import { ADA, ADMIN, BO, DAY, type GoogleStage, HOUR, openGoogleStage } from './google-stage.ts';

let stage: GoogleStage;
afterEach(() => stage.close());

const START = '2026-09-08T08:00:00Z';
const book = () =>
  createMeeting(stage.world, {
    organizer: ADA,
    guests: [BO],
    title: 'Talk #mentoring',
    start: '2026-09-08T10:00',
    minutes: 60,
    conference: 'meet',
  });

/** Books, lets the meeting happen as told, and brings the daemon to `hours` after its end. */
async function meet(people: PresenceInput[], hours = 50): Promise<void> {
  const meeting = book();
  await stage.pollDue();
  await stage.advance(Date.parse(START) + HOUR - stage.world.now());
  if (people.length > 0) attend(stage.world, { meeting: meeting.id, people });
  await passTo(hours);
}
async function passTo(hours: number): Promise<void> {
  for (;;) {
    const left = Date.parse(START) + HOUR + hours * HOUR - stage.world.now();
    if (left <= 0) return;
    await stage.advance(Math.min(left, 2 * HOUR));
    await stage.settled();
  }
}
const session = async () => {
  const [row] = await stage.rows(sql<{
    outcome: string | null;
    outcome_reason: string | null;
    settled: boolean;
  }>`
    select outcome, outcome_reason, settled_at is not null as settled from mentoring.session`);
  return row;
};
const attendance = () =>
  stage.rows(sql<{ email: string; status: string; minutes: number | null }>`
    select email, status, round(minutes)::int as minutes from mentoring.attendance order by email`);
const evidence = (source: string) =>
  stage.rows(sql<{ kind: string; reference: string; count: number }>`
    select kind, reference, count(*)::int as count from cadenced.evidence where source = ${source}
     group by kind, reference order by reference`);

describe('38. Meet', () => {
  test('rejoins, a companion device, a phone and somebody unknown: minutes are united, the unknown stay unknown', async () => {
    stage = await openGoogleStage();
    await meet([
      {
        person: ADA,
        minutes: [
          [0, 20],
          [25, 60],
        ],
      },
      { person: BO, minutes: [[5, 55]] },
      { person: BO, minutes: [[10, 40]], device: 'android' },
      { anonymous: 'Somebody', minutes: [[0, 10]] },
      { phone: '+4930123456', minutes: [[0, 10]] },
    ]);
    expect(await session()).toEqual({ outcome: 'held', outcome_reason: expect.anything(), settled: true });
    expect(await attendance()).toEqual([
      { email: ADA, status: 'attended', minutes: 55 },
      { email: BO, status: 'attended', minutes: 50 },
    ]);
    const kinds = (await evidence('meet')).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'guest')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'device')).toHaveLength(1);
    const asked = stage.faults.log.entries().filter(({ path }) => path === '/v2/conferenceRecords');
    expect(asked.length).toBeGreaterThan(0);
    for (const entry of asked) {
      // The organizer is impersonated: nobody else is answered.
      expect(entry.mailbox).toBe(ADA);
      expect(entry.query.filter?.[0]).toMatch(
        /^space\.meeting_code = "[a-z]{3}-[a-z]{4}-[a-z]{3}" AND start_time>=/,
      );
    }
  });

  test('two records of one evening, another of last week under the same code, and a call that goes on: each to its own', async () => {
    stage = await openGoogleStage({ startsOn: '2026-08-01' });
    stage.world.clock.set(Date.parse('2026-08-25T06:00:00Z'));
    const series = createMeeting(stage.world, {
      organizer: ADA,
      guests: [BO],
      title: 'Talk #mentoring',
      start: '2026-09-01T10:00',
      minutes: 60,
      rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=4',
      conference: 'meet',
    });
    stage.world.clock.set(Date.parse('2026-09-07T06:00:00Z'));
    const both = (slot: string, minutes: [number, number][]) =>
      attend(stage.world, {
        meeting: series.id,
        slot,
        people: [ADA, BO].map((person) => ({ person, minutes })),
      });
    both('2026-09-01T08:00:00Z', [[0, 35]]);
    await stage.pollDue();
    // They drop out, come back, and stay twenty minutes longer than booked.
    both(START, [
      [0, 20],
      [30, 80],
    ]);
    await passTo(5 / 60);
    const [early] = stage.faults.log
      .entries()
      .filter(({ url }) => url.includes('/v2/conferenceRecords?') && url.includes('2026-09-08'));
    expect(early?.status).toBe(200);
    // The second record of this evening is open: it is looked at again, and kept when it is whole.
    const records = async () => (await evidence('meet')).filter(({ kind }) => kind === 'record');
    expect(await records()).toHaveLength(2);
    await passTo(50);
    const minutes = await stage.rows(sql<{ day: string; outcome: string; minutes: number[] }>`
      select to_char(scheduled_start at time zone 'UTC', 'MM-DD') as day, outcome,
             array_agg(round(minutes)::int order by email) as minutes
        from mentoring.session join mentoring.attendance using (session_id)
       where scheduled_start < '2026-09-10' group by 1, 2 order by 1`);
    expect(minutes).toEqual([
      { day: '09-01', outcome: 'held', minutes: [35, 35] },
      { day: '09-08', outcome: 'held', minutes: [70, 70] },
    ]);
    expect(await records()).toHaveLength(3);
  });

  test('no record is unknown, never a no-show; what was kept outlives the thirty days', async () => {
    stage = await openGoogleStage();
    await meet([]);
    expect(await session()).toMatchObject({ outcome: 'unknown', outcome_reason: 'no_record' });
    expect((await attendance()).map(({ status }) => status)).toEqual(['unknown', 'unknown']);
  });

  test('a record that Google has deleted since keeps its result', async () => {
    stage = await openGoogleStage();
    await meet([
      { person: ADA, minutes: [[0, 55]] },
      { person: BO, minutes: [[0, 55]] },
    ]);
    const before = [await session(), await attendance()];
    await stage.advance(40 * DAY);
    await stage.pollDue();
    expect([await session(), await attendance()]).toEqual(before);
  });
});

describe('39. Reports', () => {
  test('call_ended that comes late, over pages, twice: who Meet cannot name is named, once', async () => {
    stage = await openGoogleStage({ admin: true, habits: { maxPage: 2, reportsLagMs: 50 * 60_000 } });
    // Meet keeps its own record to itself: the log alone knows.
    stage.google.grantedScopes.delete('https://www.googleapis.com/auth/meetings.space.readonly');
    await meet(
      [
        {
          person: ADA,
          minutes: [
            [0, 20],
            [25, 60],
          ],
        },
        { person: BO, minutes: [[5, 55]] },
        { phone: '+4930123456', minutes: [[0, 10]] },
      ],
      4,
    );
    // What may still come late proves nothing yet.
    expect((await evidence('reports')).filter(({ kind }) => kind === 'record')).toEqual([]);
    expect(await session()).not.toMatchObject({ outcome: 'one_sided' });
    await passTo(60);
    expect(await session()).toMatchObject({ outcome: 'held', settled: true });
    expect(await attendance()).toEqual([
      { email: ADA, status: 'attended', minutes: 55 },
      { email: BO, status: 'attended', minutes: 50 },
    ]);
    const kept = await evidence('reports');
    expect(kept.map(({ kind }) => kind).toSorted()).toEqual([
      'device',
      'presence',
      'presence',
      'presence',
      'record',
    ]);
    expect(kept.every(({ count }) => count === 1)).toBe(true);
    const asked = stage.faults.log.entries().filter(({ path }) => path.startsWith('/admin/reports/'));
    expect(asked.some(({ query }) => query.pageToken !== undefined)).toBe(true);
    expect(asked.every(({ mailbox }) => mailbox === ADMIN)).toBe(true);
    // The same day is asked for again and again: every reading overlaps the last.
    const days = asked
      .filter(({ query }) => query.pageToken === undefined)
      .map(({ query }) => query.startTime?.[0]);
    expect(days.filter((day) => day === '2026-09-08T00:00:00.000Z').length).toBeGreaterThan(2);
  });

  test('a mentee who did not come is absent only when the log must be complete', async () => {
    stage = await openGoogleStage({ admin: true });
    await meet([{ person: ADA, minutes: [[0, 30]] }], 60);
    expect(await session()).toMatchObject({ outcome: 'one_sided', settled: true });
    expect((await attendance()).map(({ status }) => status)).toEqual(['attended', 'absent']);
  });

  test('a log that is closed to us says so, and Meet is believed', async () => {
    stage = await openGoogleStage({
      admin: true,
      before: ({ google }) =>
        void google.grantedScopes.delete('https://www.googleapis.com/auth/admin.reports.audit.readonly'),
    });
    await meet([
      { person: ADA, minutes: [[0, 55]] },
      { person: BO, minutes: [[0, 55]] },
    ]);
    expect(await session()).toMatchObject({ outcome: 'held' });
    expect(await evidence('reports')).toEqual([]);
    // It may be opened yet, so it is asked again; nobody waits for it with the verdict.
    expect(
      await stage.rows(
        sql`select state, last_answer as answer from cadenced.harvest where source = 'reports'`,
      ),
    ).toEqual([{ state: 'waiting', answer: 'no_permission' }]);
  });

  test('is not asked where no administrator is named', async () => {
    stage = await openGoogleStage();
    await meet([{ person: ADA, minutes: [[0, 55]] }]);
    expect(stage.asked('/admin/reports/')).toBe(0);
    expect(await stage.rows(sql`select 1 from cadenced.harvest where source = 'reports'`)).toEqual([]);
  });
});
