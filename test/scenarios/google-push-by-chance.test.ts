import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { createRandom, EDITS as EDITS_OF_PEOPLE, editAtRandom } from '../../src/sandbox/world/index.ts';
import { ADA, BO, type GoogleStage, openGoogleStage } from './google-stage.ts';

/**
 * Edits by chance, told by push alone, some of it doubled and late. What push and the looks after it have stored is
 * then compared with the whole calendar: a reconcile must find nothing to heal. Where notifications are lost, one
 * poll comes first, as it would by itself.
 */
let stage: GoogleStage;
afterEach(() => stage.close());

const EDITS = 24;

test.each([
  [11, 0],
  [12, 0],
  [13, 0.4],
])(
  'whatever is edited (seed %i, %d of the pushes lost), push and polls tell all of it',
  async (seed, pushLost) => {
    stage = await openGoogleStage({
      push: true,
      seed,
      habits: { pushLost, pushTwice: 0.3, maxPage: 3, emptyPages: 0.2 },
    });
    await stage.pushed();
    const random = createRandom(seed).fork('edits');
    const told: string[] = [];
    for (let edit = 0; told.length < EDITS; edit += 1) {
      const done = editAtRandom(stage.world, {
        random,
        groups: [[ADA, BO]],
        tag: '#mentoring',
        // Something to work on first; and chance often cancels more than it books.
        edits: told.length < 6 ? ['book'] : ['book', 'book', 'book', ...EDITS_OF_PEOPLE],
      });
      if (done === null) continue;
      told.push(done);
      // Pushes that follow each other within a second are followed once; here nobody waits for that second.
      await sql`update cadenced.calendar set push_taken_at = push_taken_at - interval '2 seconds'`.execute(
        stage.workshop.db,
      );
      if (edit % 4 === 0) await stage.pushed();
    }
    await stage.pushed();
    // The look after ten seconds, or the next poll.
    await stage.pollDue();
    expect(
      stage.google.push.deliveries().some(({ state, status }) => state === 'exists' && status === 202),
    ).toBe(true);
    expect(
      stage.google.push.deliveries().some(({ state, status }) => state === 'exists' && status === null),
    ).toBe(pushLost > 0);
    await sql`update cadenced.calendar set reconcile_wanted = true`.execute(stage.workshop.db);
    await stage.pollDue();
    const drift = await stage.rows(
      sql`select calendar, state, drift from mentoring.sync_health order by calendar`,
    );
    expect({ drift, told }).toEqual({
      drift: [
        { calendar: ADA, state: 'active', drift: 0 },
        { calendar: BO, state: 'active', drift: 0 },
      ],
      told,
    });
  },
);
