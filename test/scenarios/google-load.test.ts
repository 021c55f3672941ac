import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { type GoogleStage, HOUR, openGoogleStage } from './google-stage.ts';

/** How the reading of many calendars is spread over time. */
let stage: GoogleStage;
afterEach(() => stage.close());

test('40. A fleet that was imported at once is compared over hours, nobody later than a quarter after the day', async () => {
  stage = await openGoogleStage({ pairs: 19 });
  const compared = async () => {
    const [row] = await stage.rows(sql<{ calendars: number }>`
      select count(*)::int as calendars from mentoring.sync_health where drift is not null`);
    return row?.calendars ?? 0;
  };
  await stage.advance(17 * HOUR);
  await stage.settled();
  expect(await compared()).toBe(0);
  const byHour: number[] = [];
  for (let hour = 18; hour <= 30; hour += 1) {
    const before = await compared();
    await stage.advance(HOUR);
    await stage.settled();
    byHour.push((await compared()) - before);
  }
  expect(byHour.reduce((sum, calendars) => sum + calendars, 0)).toBe(40);
  expect(byHour.filter((calendars) => calendars > 0).length).toBeGreaterThanOrEqual(6);
  expect(Math.max(...byHour)).toBeLessThan(20);
}, 60_000);
