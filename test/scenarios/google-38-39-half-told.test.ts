import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { attend, createMeeting, type PresenceInput } from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, type GoogleStage, HOUR, openGoogleStage } from './google-stage.ts';

/** Attendance of which Google tells only a part, or tells it late: what is missing proves nobody absent. */
let stage: GoogleStage;
afterEach(() => stage.close());

const START = Date.parse('2026-09-08T08:00:00Z');
const END = START + HOUR;

function book(organizer = ADA): string {
  const { id } = createMeeting(stage.world, {
    organizer,
    guests: [organizer === BO ? ADA : BO],
    title: 'Talk #mentoring',
    start: '2026-09-08T10:00',
    minutes: 60,
    conference: 'meet',
  });
  return id;
}

/** Books, lets people meet, and leaves the daemon at the end of the meeting. */
async function meet(people: PresenceInput[], organizer?: string): Promise<void> {
  const meeting = book(organizer);
  await stage.pollDue();
  await stage.advance(END - stage.world.now());
  if (people.length > 0) attend(stage.world, { meeting, people });
}

/** Lets time pass in steps until so many hours after the end. */
async function passTo(hours: number, step = 2): Promise<void> {
  for (;;) {
    const left = END + hours * HOUR - stage.world.now();
    if (left <= 0) return;
    await stage.advance(Math.min(left, step * HOUR));
    await stage.settled();
  }
}

const session = async () => {
  const [row] = await stage.rows(sql<{ outcome: string | null; reason: string | null; settled: boolean }>`
    select outcome, outcome_reason as reason, settled_at is not null as settled from mentoring.session`);
  return row;
};
const attendance = async () =>
  (
    await stage.rows(sql<{ status: string }>`
      select status from mentoring.attendance order by email`)
  ).map(({ status }) => status);
const DIRECTORY = 'https://www.googleapis.com/auth/admin.directory.user.readonly';
const BOTH: PresenceInput[] = [
  { person: ADA, minutes: [[0, 55]] },
  { person: BO, minutes: [[0, 55]] },
];

describe('38. Meet', () => {
  test('a call with an empty list of people is asked about again: it exists because somebody came', async () => {
    stage = await openGoogleStage();
    const meeting = book();
    await stage.pollDue();
    stage.faults.add({ path: /\/participants\?/, times: 1, fault: { kind: 'empty_object' } });
    // The first look is late enough to be the last.
    await stage.away(END + 4 * HOUR - stage.world.now(), () =>
      attend(stage.world, { meeting, people: BOTH }),
    );
    await stage.settled();
    expect(stage.asked('/participants?')).toBe(1);
    expect(await stage.rows(sql`select kind from cadenced.evidence`)).toEqual([]);
    expect(await attendance()).not.toContain('absent');
    await passTo(5);
    expect(await session()).toEqual({ outcome: 'held', reason: 'both_present', settled: true });
  });

  test('a grant to name people that comes days late names those of the days before; it was asked for once', async () => {
    stage = await openGoogleStage({
      before: ({ google }) => void google.grantedScopes.delete(DIRECTORY),
    });
    await meet(BOTH);
    await passTo(60);
    expect(await session()).toEqual({ outcome: 'unknown', reason: 'guest_only', settled: true });
    expect(stage.logged.filter((line) => line.includes('may not name participants'))).toHaveLength(1);
    stage.google.grantedScopes.add(DIRECTORY);
    await passTo(72);
    expect(await session()).toEqual({ outcome: 'held', reason: 'both_present', settled: true });
    // Nothing is left to ask.
    expect(await stage.rows(sql`select state, due_at from cadenced.harvest`)).toEqual([
      { state: 'final', due_at: null },
    ]);
  });

  test('a record that comes days late counts, and nobody waited for it', async () => {
    stage = await openGoogleStage();
    stage.world.habits.meetLagMs = 3 * DAY;
    await meet(BOTH);
    await passTo(37);
    expect(await session()).toEqual({ outcome: 'unknown', reason: 'no_record', settled: true });
    const asked = () => stage.asked('/v2/conferenceRecords?');
    const before = asked();
    await passTo(24 * 3.5, 12);
    expect(asked() - before).toBe(1);
    // A failure does not take back what was said.
    stage.faults.add({ path: '/v2/conferenceRecords', times: 1, fault: { kind: 'status', status: 403 } });
    await stage.advance(DAY);
    await stage.settled();
    expect(await session()).toEqual({ outcome: 'unknown', reason: 'no_record', settled: true });
    await passTo(24 * 6, 12);
    expect(await session()).toEqual({ outcome: 'held', reason: 'both_present', settled: true });
  });

  test('a meeting without any record is looked at now and then while Google would keep one, then no more', async () => {
    stage = await openGoogleStage();
    await meet([]);
    await passTo(37);
    const before = stage.asked('/v2/conferenceRecords?');
    await passTo(24 * 40, 24);
    expect(stage.asked('/v2/conferenceRecords?') - before).toBe(5);
    expect(await session()).toEqual({ outcome: 'unknown', reason: 'no_record', settled: true });
    expect(await stage.rows(sql`select state, due_at from cadenced.harvest`)).toEqual([
      { state: 'final', due_at: null },
    ]);
  });
});

describe('39. Reports', () => {
  test('a call that names its event is of that session, held three hours late', async () => {
    stage = await openGoogleStage({ admin: true });
    await meet([ADA, BO].map((person) => ({ person, minutes: [[240, 295]] })));
    await passTo(50);
    expect(await session()).toEqual({ outcome: 'held', reason: 'both_present', settled: true });
  });

  test('a call at the time of one session that names another under the same link is of the other', async () => {
    stage = await openGoogleStage({ admin: true });
    // Meet has lost its record.
    stage.world.habits.meetKeptMs = 0;
    const [early, late] = ['2026-09-08T10:00', '2026-09-08T11:00'].map((start) =>
      createMeeting(stage.world, {
        organizer: ADA,
        guests: [BO],
        title: 'Talk #mentoring',
        start,
        minutes: 60,
        conference: 'meet',
      }),
    );
    if (early === undefined || late === undefined) throw new Error('nothing was booked');
    late.conference = early.conference;
    await stage.pollDue();
    await stage.advance(END + HOUR - stage.world.now());
    attend(stage.world, {
      meeting: early.id,
      people: [ADA, BO].map((person) => ({ person, minutes: [[65, 115]] })),
    });
    await passTo(52);
    expect(
      await stage.rows(sql`select outcome, outcome_reason from mentoring.session order by scheduled_start`),
    ).toEqual([
      { outcome: 'held', outcome_reason: 'both_present' },
      { outcome: 'unknown', outcome_reason: 'no_record' },
    ]);
  });

  test('entries of one call that come a day apart are both read', async () => {
    stage = await openGoogleStage({ admin: true });
    // Meet has lost its record.
    stage.world.habits.meetKeptMs = 0;
    await meet([
      { person: ADA, minutes: [[0, 55]], reportsLagMs: HOUR },
      { person: BO, minutes: [[0, 55]], reportsLagMs: 30 * HOUR },
    ]);
    await passTo(46);
    expect(await session()).toMatchObject({ outcome: 'unknown', settled: false });
    await passTo(49);
    expect(await session()).toEqual({ outcome: 'held', reason: 'both_present', settled: true });
  });

  const OUTSIDER = 'ada@elsewhere.example';

  test('of a call organized elsewhere the log may show our own people only: who is not in it may have been there', async () => {
    stage = await openGoogleStage({
      admin: true,
      adaOutside: true,
      ada: OUTSIDER,
      habits: { reportsForeignCalls: 'own people' },
    });
    await meet(
      [
        { person: OUTSIDER, minutes: [[0, 55]] },
        { person: BO, minutes: [[0, 55]] },
      ],
      OUTSIDER,
    );
    await passTo(60);
    expect(await session()).toEqual({ outcome: 'unknown', reason: 'no_record', settled: true });
    expect(await attendance()).toEqual(['unknown', 'attended']);
  });

  test('where Meet shows everybody of the same call, that the log does not say who organized it takes nothing away', async () => {
    stage = await openGoogleStage({ admin: true, habits: { reportsNameOrganizer: false } });
    await meet([{ person: ADA, minutes: [[0, 30]] }]);
    await passTo(60);
    expect(await session()).toEqual({ outcome: 'one_sided', reason: 'mentee_absent', settled: true });
  });

  test('where nothing but the log tells, and not who organized, nobody is absent', async () => {
    stage = await openGoogleStage({ admin: true, habits: { reportsNameOrganizer: false } });
    // Meet has lost its record.
    stage.world.habits.meetKeptMs = 0;
    await meet([{ person: ADA, minutes: [[0, 30]] }]);
    await passTo(60);
    expect(await session()).toEqual({ outcome: 'unknown', reason: 'no_record', settled: true });
  });
});
