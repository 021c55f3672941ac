import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import {
  cancelMeeting,
  createMeeting,
  deleteCopy,
  type Meeting,
  removeGuest,
} from '../../src/sandbox/world/index.ts';
import { ADA, BO, type GoogleStage, openGoogleStage } from './google-stage.ts';

/**
 * The mentor organizes from elsewhere, and all we see is the mentee's copy at Google. Google shows an event that its
 * guest removed and one that its organizer called off both as cancelled; of the first it goes on to tell the details.
 */
let stage: GoogleStage;
afterEach(() => stage.close());

const sessions = () =>
  stage.rows(sql<{ status: string; reason: string | null }>`
    select status, cancel_reason as reason from mentoring.session order by scheduled_start`);

describe('where only a guest at Google can be seen', () => {
  test.each<[string, (meeting: Meeting) => void, object]>([
    [
      'a session stays when the guest removes it from their calendar',
      (meeting) => deleteCopy(stage.world, { meeting: meeting.id, person: BO }),
      { status: 'scheduled', reason: null },
    ],
    [
      'a session is called off when its organizer calls it off',
      (meeting) => cancelMeeting(stage.world, { meeting: meeting.id }),
      { status: 'cancelled', reason: 'removed_everywhere' },
    ],
    [
      'a session is called off when its guest is uninvited',
      (meeting) => removeGuest(stage.world, { meeting: meeting.id, guest: BO }),
      { status: 'cancelled', reason: 'removed_everywhere' },
    ],
  ])('%s, and a full pass or a reconcile changes nothing about it', async (_, happens, expected) => {
    stage = await openGoogleStage({ adaOutside: true, habits: { sparseTombstones: 0 } });
    const plain = { organizer: ADA, guests: [BO], title: 'Talk #mentoring', minutes: 60 };
    const meeting = createMeeting(stage.world, { ...plain, start: '2026-09-15T10:00' });
    // A second one that stands: an empty calendar would be another matter.
    createMeeting(stage.world, { ...plain, start: '2026-09-16T10:00' });
    await stage.pollDue();
    expect(await sessions()).toHaveLength(2);
    happens(meeting);
    await stage.pollDue();
    expect((await sessions())[0]).toEqual(expected);
    for (const wish of ['full_pass_wanted', 'reconcile_wanted']) {
      await sql`update cadenced.calendar set ${sql.ref(wish)} = true`.execute(stage.workshop.db);
      await stage.pollDue();
      expect((await sessions())[0]).toEqual(expected);
    }
  });
});
