import fc from 'fast-check';
import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import type { ObservedCopy } from '../../src/domain/observation.ts';
import { runs } from '../support/properties.ts';
import {
  ANNA,
  BEN,
  CEM,
  createSyncWorld,
  DAY,
  event,
  guestCopy,
  HOUR,
  NOW,
  people,
  type SyncWorld,
  TUESDAY,
  text,
  weekly,
} from './sync-world.ts';

let world: SyncWorld;
afterEach(() => world.close());

const plain = { text: text('Coffee') };
/** What an administrator sees: mentorship and start. */
const listed = async () =>
  (
    await world.rows(sql<{ mentorship: string; starts_at: Date }>`
      select mentorship, starts_at from mentoring.candidate_event order by starts_at, mentorship`)
  ).map((row) => [row.mentorship, row.starts_at.getTime()]);

async function opened(): Promise<void> {
  world = await createSyncWorld();
  await world.policies({ candidates: true });
}

describe('candidates', () => {
  test('are not looked for unless a program asks: an untagged event leaves nothing but a count', async () => {
    world = await createSyncWorld();
    world.calendar(ANNA).put(event('s', TUESDAY, plain));
    const before = await world.dump();
    await world.sync(ANNA, { reconcile: true });
    expect(await listed()).toEqual([]);
    expect((await world.dump()).candidate_event).toEqual(before.candidate_event);
  });

  test('are untagged events that hold both sides: listed without a title, never counted', async () => {
    await opened();
    world
      .calendar(ANNA)
      .put(
        event('both', TUESDAY, plain),
        event('three', TUESDAY + DAY, { ...plain, people: people(ANNA, BEN, CEM) }),
        event('alone', TUESDAY, { ...plain, people: people(ANNA) }),
        event('stranger', TUESDAY, { ...plain, people: people(ANNA, 'x@y.org') }),
        event('private', TUESDAY + HOUR, { ...plain, private: true }),
        event('hidden', TUESDAY + HOUR, { ...plain, hidden: true }),
        event('day', TUESDAY + HOUR, { ...plain, allDay: true }),
        event('focus', TUESDAY + HOUR, { ...plain, ordinary: false }),
        event('off', TUESDAY + HOUR, { ...plain, status: 'cancelled' }),
        event('far', TUESDAY + 400 * DAY, plain),
        event('session', TUESDAY + 2 * DAY),
      );
    await world.sync(ANNA);
    expect(await listed()).toEqual([
      ['anna-ben', TUESDAY],
      ['anna-ben', TUESDAY + DAY],
      ['anna-cem', TUESDAY + DAY],
    ]);
    expect(await world.booked()).toEqual([TUESDAY + 2 * DAY]);
    expect(JSON.stringify(await world.dump())).not.toContain('Coffee');
    const months = await world.rows(
      sql<{ scheduled: number }>`select scheduled from mentoring.program_month`,
    );
    expect(months).toEqual([{ scheduled: 1 }]);
  });

  test('are one row for both calendars, and the owner takes part whoever is listed', async () => {
    await opened();
    const coffee = event('a', TUESDAY, plain);
    world.calendar(ANNA).put(coffee);
    world.calendar(BEN).put(guestCopy(coffee, 'b', { people: people(ANNA) }));
    await world.sync(ANNA);
    await world.sync(BEN);
    expect(await listed()).toEqual([['anna-ben', TUESDAY]]);
  });

  test('move, go, and become sessions', async () => {
    await opened();
    const anna = world.calendar(ANNA);
    anna.put(event('moves', TUESDAY, plain), event('goes', TUESDAY, plain), event('tagged', TUESDAY, plain));
    await world.sync(ANNA);
    const [first] = await world.rows(
      sql<{ at: Date }>`select min(seen_at) as at from cadenced.candidate_event`,
    );
    await world.advance(HOUR);
    anna.put(event('moves', TUESDAY + DAY, plain), event('tagged', TUESDAY + HOUR));
    anna.remove('goes', NOW);
    await world.sync(ANNA);
    expect(await listed()).toEqual([['anna-ben', TUESDAY + DAY]]);
    expect(await world.booked()).toEqual([TUESDAY + HOUR]);
    const seen = await world.rows(sql<{ at: Date }>`select seen_at as at from mentoring.candidate_event`);
    expect(seen).toEqual([first]);
  });

  test('that come and go within one reading leave nothing', async () => {
    await opened();
    const anna = world.calendar(ANNA);
    await world.sync(ANNA);
    anna.put(event('s', TUESDAY, plain));
    anna.put(event('s', TUESDAY));
    await world.sync(ANNA);
    expect(await listed()).toEqual([]);
    expect(await world.booked()).toEqual([TUESDAY]);
  });

  test('leave with an ambiguous removal, and come back with the comparison if they are still there', async () => {
    await opened();
    const anna = world.calendar(ANNA);
    anna.put(event('s', TUESDAY, plain));
    await world.sync(ANNA);
    anna.remove('s', null, 'look');
    anna.copies = [event('s', TUESDAY, plain)];
    await world.sync(ANNA);
    expect(await listed()).toEqual([]);
    await world.sync(ANNA, { reconcile: true });
    expect(await listed()).toEqual([['anna-ben', TUESDAY]]);
  });

  test('of a series appear with the comparison, follow its changes, and stay bounded', async () => {
    await opened();
    const anna = world.calendar(ANNA);
    anna.putSeries('w', weekly('w', TUESDAY, 60, plain));
    await world.sync(ANNA);
    const { length } = await listed();
    // The first pass is followed by the comparison that a new wish for candidates asks for, or is it.
    await world.sync(ANNA, { reconcile: true });
    const all = await listed();
    expect(all.length).toBeGreaterThanOrEqual(length);
    expect(all.length).toBeGreaterThan(10);
    expect(all.length).toBeLessThan(20);
    anna.putSeries('w', weekly('w', TUESDAY + HOUR, 2, plain));
    await world.sync(ANNA);
    expect(await listed()).toEqual([
      ['anna-ben', TUESDAY + HOUR],
      ['anna-ben', TUESDAY + HOUR + 7 * DAY],
    ]);
    anna.remove('w', NOW);
    await world.sync(ANNA);
    expect(await listed()).toEqual([]);
  });

  test('go when the series is tagged', async () => {
    await opened();
    const anna = world.calendar(ANNA);
    anna.putSeries('w', weekly('w', TUESDAY, 3, plain));
    await world.sync(ANNA, { reconcile: true });
    await world.sync(ANNA, { reconcile: true });
    expect(await listed()).toHaveLength(3);
    anna.putSeries('w', weekly('w', TUESDAY, 3));
    await world.sync(ANNA);
    expect(await listed()).toEqual([]);
    expect(await world.booked()).toHaveLength(3);
    expect((await world.dump()).candidate_event).toEqual([]);
  });

  test('are hidden at once when the other copy makes it a session', async () => {
    await opened();
    const coffee = event('a', TUESDAY, plain);
    world.calendar(ANNA).put(coffee);
    world.calendar(BEN).put(guestCopy(coffee, 'b', { text: text('Coffee', { categories: ['#mentoring'] }) }));
    await world.policies({ candidates: true, tags: [{ kind: 'category', category: '#mentoring' }] });
    await world.sync(ANNA);
    expect(await listed()).toEqual([['anna-ben', TUESDAY]]);
    await world.sync(BEN);
    expect(await world.booked()).toEqual([TUESDAY]);
    expect(await listed()).toEqual([]);
    await world.sync(ANNA);
    expect((await world.dump()).candidate_event).toEqual([]);
  });

  test('go when nobody asks any more, when a mentorship ends, and when they are long over', async () => {
    await opened();
    const anna = world.calendar(ANNA);
    anna.put(event('ben', TUESDAY, plain), event('cem', TUESDAY, { ...plain, people: people(ANNA, CEM) }));
    await world.sync(ANNA);
    expect(await listed()).toHaveLength(2);
    await world.roster({ 'anna-ben': [ANNA, BEN], 'anna-cem': [ANNA, 'dora@x.org'] });
    await world.sync(ANNA);
    expect(await listed()).toEqual([['anna-ben', TUESDAY]]);
    await world.policies({ candidates: false });
    expect((await world.dump()).candidate_event).toEqual([]);
    await world.policies({ candidates: true });
    const [wanted] = await world.rows(sql<{ reconcile_wanted: boolean }>`
      select reconcile_wanted from cadenced.calendar where address = ${ANNA}`);
    expect(wanted).toEqual({ reconcile_wanted: true });
    await world.sync(ANNA);
    expect(await listed()).toEqual([['anna-ben', TUESDAY]]);
    await world.advance(60 * DAY);
    await world.sync(ANNA);
    expect((await world.dump()).candidate_event).toEqual([]);
  });

  test('are what stands on the calendar, whatever was done to it in whichever order', async () => {
    await opened();
    const anna = world.calendar(ANNA);
    const changed = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      day: fc.integer({ min: -50, max: 160 }),
      what: fc.constantFrom('plain', 'plain', 'plain', 'tagged', 'private', 'cem', 'alone', 'gone', 'unsure'),
      sync: fc.boolean(),
    });
    const made = (id: string, day: number, what: string): ObservedCopy =>
      event(id, NOW + day * DAY, {
        ...(what === 'tagged' ? {} : plain),
        private: what === 'private',
        people: what === 'cem' ? people(ANNA, CEM) : what === 'alone' ? people(ANNA) : people(ANNA, BEN),
      });
    await fc.assert(
      fc.asyncProperty(fc.array(changed, { minLength: 1, maxLength: 12 }), async (edits) => {
        for (const { id, day, what, sync } of edits) {
          if (what === 'gone' || what === 'unsure')
            anna.remove(id, NOW, what === 'gone' ? 'explicit' : 'look');
          else anna.put(made(id, day, what));
          if (sync) await world.sync(ANNA);
        }
        await world.sync(ANNA);
        const midnight = Math.floor(NOW / DAY) * DAY;
        const expected = anna.copies
          .filter((copy) => copy.text.title === 'Coffee' && !copy.private && copy.people.length === 2)
          .filter((copy) => copy.start >= midnight - 35 * DAY && copy.start < midnight + 120 * DAY)
          // What became a session once stays one of ours, and is no candidate any more.
          .map((copy) => [
            copy.people[1]?.address === CEM ? 'anna-cem' : 'anna-ben',
            copy.start,
            copy.lineage,
          ]);
        const known = new Set(
          (
            await world.rows(
              sql<{
                lineage: string;
              }>`select distinct lineage from cadenced.event_copy where removed_at is null`,
            )
          ).map((row) => row.lineage),
        );
        // Nor does a session that is over go when its entry is untagged.
        const held = new Set(
          (await world.sessions())
            .filter((session) => session.status === 'scheduled')
            .map((session) => `${session.mentorship} ${session.start.getTime()}`),
        );
        const ought = expected
          .filter(([, , lineage]) => !known.has(String(lineage)))
          .map(([mentorship, start]) => `${mentorship} ${start}`)
          .filter((candidate) => !held.has(candidate));
        expect((await listed()).map((row) => row.join(' ')).toSorted()).toEqual(
          [...new Set(ought)].toSorted(),
        );
      }),
      { numRuns: runs(15), endOnFailure: true },
    );
  });
});
