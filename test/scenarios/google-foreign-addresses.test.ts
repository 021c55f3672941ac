import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { attend, createMeeting } from '../../src/sandbox/world/index.ts';
import { BO, type GoogleStage, HOUR, openGoogleStage } from './google-stage.ts';

/**
 * People of another organisation. Google refuses to let us speak for them in the words in which it refuses a grant that
 * is missing for everybody.
 */
const OUTSIDER = 'ada@elsewhere.example';
let stage: GoogleStage;
afterEach(() => stage.close());

const told = (part: string) => stage.logged.filter((line) => line.includes(part));

describe('14. unauthorized_client', () => {
  test('for an organizer outside concerns that meeting, which is given up; nobody is alarmed about Meet', async () => {
    stage = await openGoogleStage({
      adaOutside: true,
      ada: OUTSIDER,
      habits: { foreignSubjects: 'unauthorized_client' },
    });
    const meeting = createMeeting(stage.world, {
      organizer: OUTSIDER,
      guests: [BO],
      title: 'Talk #mentoring',
      start: '2026-09-08T10:00',
      minutes: 60,
      conference: 'meet',
    });
    await stage.pollDue();
    const end = Date.parse('2026-09-08T09:00:00Z');
    await stage.advance(end - stage.world.now());
    attend(stage.world, { meeting: meeting.id, people: [{ person: BO, minutes: [[0, 55]] }] });
    await stage.advance(HOUR);
    await stage.settled();
    expect(
      await stage.rows(sql`select state, attempts, last_answer as answer from cadenced.harvest`),
    ).toEqual([{ state: 'cannot_tell', attempts: 1, answer: 'external_organizer' }]);
    expect(told('refuses to tell of meetings')).toEqual([]);
  });

  test('for a row of the roster concerns that calendar', async () => {
    stage = await openGoogleStage({
      ada: OUTSIDER,
      habits: { foreignSubjects: 'unauthorized_client' },
      before: ({ world }) => {
        world.person(OUTSIDER).provider = 'none';
      },
    });
    stage.logged.length = 0;
    // What is said three times in more than an hour is believed.
    for (let time = 0; time < 3; time += 1) {
      await sql`update cadenced.calendar set first_strike_at = first_strike_at - interval '61 minutes'`.execute(
        stage.workshop.db,
      );
      await stage.pollDue();
    }
    expect(
      await stage.rows(sql`select calendar, state, reason from mentoring.sync_health order by calendar`),
    ).toEqual([
      { calendar: OUTSIDER, state: 'gone', reason: 'account_unknown' },
      { calendar: BO, state: 'active', reason: null },
    ]);
    expect(told('no calendar of a provider can be read')).toEqual([]);
  });

  test('where Meet was granted for nobody, is the grant that is missing, whoever organizes', async () => {
    stage = await openGoogleStage({
      adaOutside: true,
      ada: OUTSIDER,
      habits: { foreignSubjects: 'unauthorized_client' },
      before: ({ google }) =>
        void google.grantedScopes.delete('https://www.googleapis.com/auth/meetings.space.readonly'),
    });
    createMeeting(stage.world, {
      organizer: OUTSIDER,
      guests: [BO],
      title: 'Talk #mentoring',
      start: '2026-09-08T10:00',
      minutes: 60,
      conference: 'meet',
    });
    await stage.pollDue();
    await stage.advance(Date.parse('2026-09-08T10:00:00Z') - stage.world.now());
    await stage.settled();
    expect(await stage.rows(sql`select state, last_answer as answer from cadenced.harvest`)).toEqual([
      { state: 'waiting', answer: 'no_permission' },
    ]);
    expect(told('refuses to tell of meetings')).toHaveLength(1);
  });
});
