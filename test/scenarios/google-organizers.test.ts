import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import type { GoogleHabits } from '../../src/sandbox/google/context.ts';
import {
  cancelMeeting,
  changeOrganizer,
  createMeeting,
  deleteCopy,
  type Meeting,
  type MeetingInput,
} from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, type GoogleStage, openGoogleStage } from './google-stage.ts';

/**
 * The mentor hands a meeting over to a colleague whose calendar nobody here can read (Google's `move`). On the mentor's
 * calendar that looks as if the meeting had been called off; on the mentee's it stands and names somebody else.
 */
const CY = 'cy@school.example';
let stage: GoogleStage;
afterEach(() => stage.close());

const open = (habits: Partial<GoogleHabits> = {}) =>
  openGoogleStage({ habits, before: ({ world }) => void world.addPerson({ name: 'Cy', address: CY }) });
const book = (given: Partial<MeetingInput> = {}): Meeting =>
  createMeeting(stage.world, {
    organizer: ADA,
    guests: [BO],
    title: 'Talk #mentoring',
    start: '2026-09-15T10:00',
    minutes: 60,
    ...given,
  });
const handOver = (meeting: Meeting, organizer = CY) =>
  changeOrganizer(stage.world, { meeting: meeting.id, organizer });

/** Reads one calendar alone, so that it tells first. */
async function poll(address: string): Promise<void> {
  await sql`update cadenced.calendar set next_poll_at = now() where address = ${address}`.execute(
    stage.workshop.db,
  );
  await stage.settled();
}
const sessions = () =>
  stage.rows(sql<{ id: number; status: string; reschedules: number }>`
    select session_id as id, status, reschedules from mentoring.session order by scheduled_start`);
const told = () =>
  stage.rows(sql<{ type: string }>`
    select type from mentoring.outbound_event where type like 'session.%' order by position`);
const reminders = () =>
  stage.rows(sql<{ id: number; status: string }>`
    select mail_id as id, status from mentoring.reminder_log where kind = 'reminder' order by mail_id`);

describe('a meeting that goes to an organizer whom nobody here can read', () => {
  test.each([
    ['once', undefined, 1],
    ['every week', 'FREQ=WEEKLY;COUNT=3', 3],
  ])("held %s: stays when the guest's copy tells of it first", async (_, rule, count) => {
    stage = await open();
    const meeting = book(rule === undefined ? {} : { rule });
    await stage.pollDue();
    const [before, news] = [await sessions(), await told()];
    expect(before).toHaveLength(count);
    handOver(meeting);
    await poll(BO);
    await poll(ADA);
    expect(await sessions()).toEqual(before);
    for (const wish of ['full_pass_wanted', 'reconcile_wanted']) {
      await sql`update cadenced.calendar set ${sql.ref(wish)} = true`.execute(stage.workshop.db);
      await stage.pollDue();
      expect(await sessions()).toEqual(before);
    }
    expect(await told()).toEqual(news);
    const standing = await stage.rows(sql<{ organizer: string }>`
      select distinct organizer from cadenced.occurrence where cancelled_at is null`);
    expect(standing).toEqual([{ organizer: CY }]);
  });

  test("comes back as the same session with the same reminders when the old organizer's mark was read first", async () => {
    stage = await open();
    const meeting = book();
    await stage.pollDue();
    await stage.advance(6 * DAY);
    await stage.settled();
    const [before, mails] = [await sessions(), await reminders()];
    expect(mails.map(({ status }) => status)).toEqual(['queued', 'queued']);
    handOver(meeting);
    await poll(ADA);
    expect(await sessions()).toMatchObject([{ status: 'cancelled' }]);
    await poll(BO);
    expect(await sessions()).toEqual(before);
    expect(await reminders()).toEqual(mails);
    expect((await told()).map(({ type }) => type)).toEqual([
      'session.scheduled',
      'session.cancelled',
      'session.scheduled',
    ]);
  });

  test.each<[string, (meeting: Meeting) => void, string]>([
    [
      'is called off when the new organizer calls it off',
      (meeting) => cancelMeeting(stage.world, { meeting: meeting.id }),
      'cancelled',
    ],
    [
      'stays when the guest removes their own copy',
      (meeting) => deleteCopy(stage.world, { meeting: meeting.id, person: BO }),
      'scheduled',
    ],
    [
      'comes back to the old organizer, who calls it off',
      (meeting) => {
        handOver(meeting, ADA);
        cancelMeeting(stage.world, { meeting: meeting.id });
      },
      'cancelled',
    ],
  ])('%s', async (_, happens, status) => {
    // With details, or Google would not say who removed a copy.
    stage = await open({ sparseTombstones: 0 });
    const meeting = book();
    await stage.pollDue();
    handOver(meeting);
    await poll(BO);
    await poll(ADA);
    happens(meeting);
    await stage.pollDue();
    expect(await sessions()).toMatchObject([{ status }]);
  });

  test('was held: what becomes of it afterwards does not make it called off before', async () => {
    stage = await open();
    const meeting = book();
    await stage.pollDue();
    handOver(meeting);
    await poll(BO);
    await poll(ADA);
    await stage.advance(9 * DAY);
    cancelMeeting(stage.world, { meeting: meeting.id });
    await stage.pollDue();
    expect(await sessions()).toMatchObject([{ status: 'ended' }]);
  });
});
