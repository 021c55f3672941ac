import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { attend, createMeeting, type Meeting, type World } from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, type GoogleStage, HOUR, openGoogleStage, START } from './google-stage.ts';

/**
 * What Google still holds is asked for, however late: Meet keeps a record for 30 days and the administrator's log 180,
 * and neither a first start nor an outage is a reason to call a session unknown.
 */
let stage: GoogleStage;
afterEach(() => stage.close());

const at = (days: number, hour = 8) => Date.parse(START.replace('06:00', '00:00')) + days * DAY + hour * HOUR;
const local = (instant: number) => new Date(instant + 2 * HOUR).toISOString().slice(0, 16);

/** Books a meeting two days ahead, as things were then. */
function booked(world: World, start: number): Meeting {
  const now = world.now();
  world.clock.set(Math.min(now, start - 2 * DAY));
  const meeting = createMeeting(world, {
    organizer: ADA,
    guests: [BO],
    title: 'Talk #mentoring',
    start: local(start),
    minutes: 60,
    conference: 'meet',
  });
  world.clock.set(now);
  return meeting;
}
const held = (world: World, meeting: Meeting) =>
  attend(world, {
    meeting: meeting.id,
    people: [ADA, BO].map((person) => ({ person, minutes: [[0, 55]] as [number, number][] })),
  });
function past(world: World, days: number): void {
  const now = world.now();
  const meeting = booked(world, at(days));
  world.clock.set(at(days) + HOUR);
  held(world, meeting);
  world.clock.set(now);
}
const verdicts = () =>
  stage.rows(sql<{ day: string; verdict: string }>`
    select to_char(scheduled_start at time zone 'UTC', 'MM-DD') as day,
           concat_ws(' ', outcome, outcome_reason, case when settled_at is null then 'open' end) as verdict
      from mentoring.session order by scheduled_start`);
/** Business time in hours, so that what falls due on the way is done at its time. */
async function pass(hours: number): Promise<void> {
  for (let passed = 0; passed < hours; passed += 6) {
    await stage.advance(6 * HOUR);
    await stage.settled();
  }
}

describe('a first start', () => {
  const before = ({ world }: { readonly world: World }) => {
    for (const days of [-33, -20, -2]) past(world, days);
  };

  test('asks Meet about every meeting of its thirty days', async () => {
    stage = await openGoogleStage({ before, startsOn: '2026-08-01' });
    await stage.pollDue();
    expect(await verdicts()).toEqual([
      { day: '08-05', verdict: 'unknown expired' },
      { day: '08-18', verdict: 'held both_present' },
      { day: '09-05', verdict: 'held both_present' },
    ]);
  });

  test('asks the log about what Meet has forgotten', async () => {
    stage = await openGoogleStage({ before, startsOn: '2026-08-01', admin: true });
    await stage.pollDue();
    expect(await verdicts()).toEqual([
      { day: '08-05', verdict: 'held both_present' },
      { day: '08-18', verdict: 'held both_present' },
      // Not two days over: the log may still add to it.
      { day: '09-05', verdict: 'held both_present open' },
    ]);
    // Two or three days of log for each meeting, each read once and not once a meeting.
    const days = stage.faults.log
      .entries()
      .filter(({ path, query }) => path.startsWith('/admin/reports/') && query.pageToken === undefined)
      .map(({ query }) => query.startTime?.[0]);
    expect(days.length).toBeLessThanOrEqual(9);
  });
});

describe('twenty days away', () => {
  test.each([false, true])(
    'what was known and what was booked and held meanwhile is proven by Meet (the log asked: %s)',
    async (admin) => {
      stage = await openGoogleStage({ admin });
      const known = booked(stage.world, at(3));
      await stage.pollDue();
      await stage.away(20 * DAY, () => {
        held(stage.world, known);
        held(stage.world, booked(stage.world, at(10)));
      });
      // What is judged before its calendar has been read again is looked at once more ten minutes later.
      await stage.advance(11 * 60_000);
      await stage.settled();
      expect(await verdicts()).toEqual([
        { day: '09-10', verdict: 'held both_present' },
        { day: '09-17', verdict: 'held both_present' },
      ]);
    },
  );

  test('a delegation that was taken back and is given again after twenty days brings the records', async () => {
    stage = await openGoogleStage();
    const meeting = booked(stage.world, at(1));
    await stage.pollDue();
    await stage.advance(at(1) + HOUR - stage.world.now());
    held(stage.world, meeting);
    const scope = 'https://www.googleapis.com/auth/meetings.space.readonly';
    stage.google.grantedScopes.delete(scope);
    stage.google.revokeAccessTokens();
    await pass(20 * 24);
    expect(await verdicts()).toEqual([{ day: '09-08', verdict: 'unknown no_permission' }]);
    const refused = stage.logged.filter((line) => line.includes('a conference source refuses'));
    expect(refused).toHaveLength(1);
    stage.google.grantedScopes.add(scope);
    await pass(24);
    expect(await verdicts()).toEqual([{ day: '09-08', verdict: 'held both_present' }]);
  });
});
