import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSeededWorld, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
beforeAll(async () => {
  world = await createSeededWorld({ now: '2026-05-01T12:00' });
});
afterAll(() => world.close());

/** Gives the mentorship one last day after another, on the first of May. @returns what is known of its end */
async function ends(...days: ReadonlyArray<string | null>) {
  await sql`update cadenced.mentorship set ends_on = null`.execute(world.db);
  for (const day of days) {
    await sql`update cadenced.mentorship set ends_on = ${day}`.execute(world.db);
  }
  await sql`update cadenced.clock set ahead_by = ahead_by + interval '1 year'`.execute(world.db);
  const [row] = await world.rows(sql<{ planned: string | null; early: boolean | null }>`
    select planned_ends_on::text as planned, ended_early as early from mentoring.mentorship_activity`);
  await sql`update cadenced.clock set ahead_by = ahead_by - interval '1 year'`.execute(world.db);
  return row;
}

describe('the planned end', () => {
  it.each([
    ['is the last day given ahead of time', ['2026-12-31'], '2026-12-31', false],
    ['stays when the mentorship is ended sooner', ['2026-12-31', '2026-04-30'], '2026-12-31', true],
    ['stays through a second word about it', ['2026-12-31', '2026-04-30', '2026-04-15'], '2026-12-31', true],
    ['moves on with an extension', ['2026-12-31', '2027-03-31'], '2027-03-31', false],
    ['is not what was told on the day itself', ['2026-05-01'], null, null],
    [
      'is forgotten when the mentorship is open again',
      ['2026-12-31', null, '2026-10-31'],
      '2026-10-31',
      false,
    ],
  ] as const)('%s', async (_, days, planned, early) => {
    expect(await ends(...days)).toEqual({ planned, early });
  });
});
