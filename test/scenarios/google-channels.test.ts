import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { createMeeting } from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, type GoogleStage, HOUR, openGoogleStage } from './google-stage.ts';

/** How many channels stay open at Google, which lists none: what is left open there speaks until it ends. */
let stage: GoogleStage;
afterEach(() => stage.close());

const live = () =>
  stage.google.push.channels().filter(({ stopped, expiresAt }) => !stopped && expiresAt > stage.world.now());
const push = async () =>
  (
    await stage.rows(sql<{ push: string | null }>`select push from mentoring.sync_health order by calendar`)
  ).map((one) => one.push);

test('36. Behind a firewall channels do not pile up, and a gate that opens is noticed by itself', async () => {
  stage = await openGoogleStage({ push: true, habits: { firewall: true } });
  await stage.pushed();
  expect(await push()).toEqual(['unverified', 'unverified']);
  const most: number[] = [];
  for (let hours = 0; hours < 4 * 24; hours += 6) {
    await stage.advance(6 * HOUR);
    await stage.pushed();
    most.push(live().length);
  }
  // One a calendar, once what was replaced is stopped.
  expect(Math.max(...most)).toBeLessThanOrEqual(2);
  // At 0, 6, 12, 24, 48, 72 and 96 hours, or a little later.
  expect(stage.google.push.channels().length).toBeLessThanOrEqual(2 * 7);
  stage.google.habits.firewall = false;
  await stage.advance(DAY + HOUR);
  await stage.pushed();
  await stage.settled();
  expect(await push()).toEqual(['verified', 'verified']);
  expect(live()).toHaveLength(2);
});

test('36. A gate that opens is noticed by the next change, through the channel that was silent', async () => {
  stage = await openGoogleStage({ push: true, habits: { firewall: true } });
  await stage.pushed();
  await stage.advance(7 * HOUR);
  await stage.pushed();
  stage.google.habits.firewall = false;
  createMeeting(stage.world, {
    organizer: ADA,
    guests: [BO],
    title: 'Talk #mentoring',
    start: '2026-09-15T10:00',
    minutes: 60,
  });
  await stage.pushed();
  expect(await push()).toEqual(['verified', 'verified']);
});
