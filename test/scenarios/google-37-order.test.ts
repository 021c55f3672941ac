import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { syncDeps } from '../../src/compose.ts';
import type { Fault } from '../../src/sandbox/faults.ts';
import { createMeeting, moveMeeting } from '../../src/sandbox/world/index.ts';
import { syncCalendar } from '../../src/usecases/sync-calendar.ts';
import { ADA, BO, type GoogleStage, openGoogleStage } from './google-stage.ts';

let stage: GoogleStage;
afterEach(() => stage.close());

const book = (start = '2026-09-15T10:00') =>
  createMeeting(stage.world, {
    organizer: ADA,
    guests: [BO],
    title: 'Talk #mentoring',
    start,
    minutes: 60,
  });
const sessions = () =>
  stage.rows(sql<{ id: number; start: string; reschedules: number; status: string }>`
    select session_id as id, to_char(scheduled_start at time zone 'UTC', 'MM-DD HH24:MI') as start, reschedules, status
      from mentoring.session order by scheduled_start`);
const adas = async () => {
  const [row] = await stage.rows(sql<{ id: number; cursor: string }>`
    select calendar_id as id, cursor from cadenced.calendar where address = ${ADA}`);
  if (!row) throw new Error('Ada has no calendar');
  return row;
};
const want = (what: string) =>
  sql`update cadenced.calendar set ${sql.ref(what)} = true where address = ${ADA}`.execute(stage.workshop.db);
const listsOf = (address: string) =>
  stage.faults.log.entries().filter(({ mailbox, path }) => mailbox === address && path.endsWith('/events'));

const FULL = /\/events\?(?!.*syncToken).*singleEvents=false/;
const WHOLE_WINDOW = /\/events\?.*singleEvents=true/;

/** Keeps back Ada's next such answer, made as the calendar is then. */
function keepBack(path: RegExp) {
  const [made, leave] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const give = async (answer: string) => {
    made.resolve();
    await leave.promise;
    return answer;
  };
  stage.faults.add({ mailbox: ADA, path, times: 1, fault: { kind: 'late', give } });
  return { made: made.promise, leave: leave.resolve };
}

describe('37. Older data after newer', () => {
  test('a slow answer is the only question about its calendar; what a push tells meanwhile is read after it', async () => {
    stage = await openGoogleStage({ push: true });
    await stage.pushed();
    const meeting = book();
    await stage.google.push.idle();
    await stage.pollDue();
    const [before] = await sessions();
    expect(before).toMatchObject({ start: '09-15 08:00', reschedules: 0 });
    // As if the last poll had been a minute ago: a push that follows another within a second waits for its end.
    await sql`update cadenced.calendar set push_taken_at = now() - interval '1 minute',
                next_poll_at = case address when ${ADA} then now() else now() + interval '1 hour' end,
                full_pass_wanted = address = ${ADA}`.execute(stage.workshop.db);
    stage.faults.log.clear();
    const slow = keepBack(FULL);
    const polled = stage.settled();
    await slow.made;
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-15T12:00' });
    await stage.google.push.idle();
    // Bo was told of it as well: once he has been asked, Ada would have been.
    await stage.faults.log.waitFor(({ mailbox }) => mailbox === BO);
    expect(listsOf(ADA)).toHaveLength(1);
    slow.leave();
    await polled;
    // What came while a pass ran may not be in it: she is asked again by herself.
    await stage.faults.log.waitFor(({ mailbox, query }) => mailbox === ADA && query.syncToken !== undefined);
    await stage.settled();
    expect(listsOf(ADA).map(({ query }) => query.syncToken !== undefined)).toEqual([false, true]);
    expect(stage.faults.log.maxInFlight(ADA)).toBe(1);
    expect(await sessions()).toEqual([{ ...before, start: '09-15 10:00', reschedules: 1 }]);
  });

  test('a pass that somebody else began before and ends after is thrown away, with its cursor', async () => {
    stage = await openGoogleStage();
    const meeting = book();
    await stage.pollDue();
    const { id } = await adas();
    const slow = keepBack(FULL);
    const deps = syncDeps(stage.workshop, stage.daemon.providers);
    const stalled = syncCalendar(deps, id, { full: true }, new AbortController().signal);
    await slow.made;
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-15T12:00' });
    await stage.pollDue();
    const [newer, cursor] = [await sessions(), await adas()];
    expect(newer).toMatchObject([{ start: '09-15 10:00' }]);
    slow.leave();
    expect(await stalled).toMatchObject({ kind: 'full', complete: false, applied: { applied: false } });
    expect([await sessions(), await adas()]).toEqual([newer, cursor]);
  });

  test.each([
    ['full list', 'full_pass_wanted', FULL],
    ['comparison of the whole window', 'reconcile_wanted', WHOLE_WINDOW],
  ])('a %s that shows what was before a change takes nothing of it back', async (_, wish, path) => {
    stage = await openGoogleStage();
    const meeting = book();
    const answers: string[] = [];
    const give: Extract<Fault, { kind: 'late' }>['give'] = async (answer) => {
      answers.push(answer);
      return answers[0] ?? answer;
    };
    stage.faults.add({ mailbox: ADA, path, fault: { kind: 'late', give } });
    await want(wish);
    await stage.pollDue();
    expect(await sessions()).toMatchObject([{ start: '09-15 08:00' }]);
    moveMeeting(stage.world, { meeting: meeting.id, start: '2026-09-15T12:00' });
    await stage.pollDue();
    // What is new altogether is missing from such a list.
    book('2026-09-16T10:00');
    await stage.pollDue();
    const newer = await sessions();
    expect(newer).toMatchObject([
      { start: '09-15 10:00', reschedules: 1, status: 'scheduled' },
      { start: '09-16 08:00', reschedules: 0, status: 'scheduled' },
    ]);
    await want(wish);
    await stage.pollDue();
    expect(answers[0]).toContain('2026-09-15T10:00:00+02:00');
    expect(answers[0]).not.toContain('2026-09-16T10:00:00+02:00');
    expect(answers.at(-1)).toContain('2026-09-15T12:00:00+02:00');
    expect(await sessions()).toEqual(newer);
    await stage.pollDue();
    expect(await sessions()).toEqual(newer);
    const drift = await stage.rows(
      sql`select distinct coalesce(drift, 0) as drift from mentoring.sync_health`,
    );
    expect(drift).toEqual([{ drift: 0 }]);
  });
});
