import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
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

describe('A channel that no row knows', () => {
  const notify = (id: string, resourceId: string) =>
    fetch(stage.notifications, {
      method: 'POST',
      headers: {
        'x-goog-channel-id': id,
        'x-goog-channel-token': 'A'.repeat(43),
        'x-goog-resource-id': resourceId,
        'x-goog-resource-state': 'exists',
      },
    });
  const stops = () => stage.asked('/channels/stop');

  test('as after a restored backup, is stopped when it speaks, and later than it is answered', async () => {
    stage = await openGoogleStage({ push: true });
    await stage.pushed();
    const lost = live();
    await sql`delete from cadenced.channel`.execute(stage.workshop.db);
    await sql`update cadenced.calendar set channels_due_at = null`.execute(stage.workshop.db);
    await stage.pushed();
    expect(live()).toHaveLength(4);
    // Whatever Google says to it, who notifies is answered first and alike.
    const rule = stage.faults.add({
      path: '/channels/stop',
      fault: { kind: 'status', status: 403, reason: 'forbidden' },
    });
    const [one] = lost;
    if (!one) throw new Error('no channel was opened');
    expect((await notify(one.id, one.resourceId)).status).toBe(202);
    await stage.settled();
    expect(stops()).toBe(1);
    stage.faults.remove(rule);
    createMeeting(stage.world, { organizer: ADA, guests: [BO], title: 'Talk', start: '2026-09-15T10:00' });
    await stage.pushed();
    await stage.settled();
    // The first was tried already; the other had not spoken before.
    expect(stops()).toBe(2);
    expect(lost.filter(({ stopped }) => stopped)).toHaveLength(1);
    expect(live()).toHaveLength(3);
  });

  test('may be made up by anybody: each is tried once, a hundred an hour, none that cannot be ours', async () => {
    stage = await openGoogleStage({ push: true });
    await stage.pushed();
    const invented = randomUUID();
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () => notify(invented, 'r1')),
      notify('not-a-uuid', 'r1'),
      notify(randomUUID(), 'not / a resource'),
      notify(randomUUID(), ''),
    ]);
    await stage.settled();
    expect(stops()).toBe(1);
    await notify(invented, 'r1');
    await stage.settled();
    expect(stops()).toBe(1);
    answers.push(...(await Promise.all(Array.from({ length: 200 }, () => notify(randomUUID(), 'r1')))));
    await stage.settled();
    expect(stops()).toBe(100);
    expect(new Set(await Promise.all(answers.map(async (it) => `${it.status} ${await it.text()}`)))).toEqual(
      new Set(['202 ']),
    );
    await stage.advance(HOUR + 60_000);
    await notify(randomUUID(), 'r1');
    await stage.settled();
    expect(stops()).toBe(101);
  });
});

describe('The token of a channel', () => {
  /** The hashes of tokens in a text, whichever they are: every run of as many characters as a token has. */
  function hashesIn(text: string): Set<string> {
    const found = new Set<string>();
    for (const [run] of text.matchAll(/[\w-]{43,}/g)) {
      for (let at = 0; at + 43 <= run.length; at += 1) {
        found.add(
          createHash('sha256')
            .update(run.slice(at, at + 43))
            .digest('hex'),
        );
      }
    }
    return found;
  }
  const tokens = async () =>
    (
      await stage.rows(sql<{ hash: string }>`select encode(secret_hash, 'hex') as hash from cadenced.channel`)
    ).map(({ hash }) => hash);

  test.each([400, 401, 503])('is not in the log when watching is refused with %i', async (status) => {
    stage = await openGoogleStage({
      push: true,
      before: ({ faults }) => void faults.add({ path: '/events/watch', fault: { kind: 'status', status } }),
    });
    await stage.settled();
    const refused = await tokens();
    expect(refused.length).toBeGreaterThanOrEqual(2);
    expect(stage.logged.some((line) => line.includes('no push channel was opened'))).toBe(true);
    const printed = hashesIn(stage.logged.join(''));
    expect(refused.filter((hash) => printed.has(hash))).toEqual([]);
    stage.faults.clear();
    await stage.advance(2 * HOUR);
    await stage.pushed();
    // So would one be found that is there.
    const token = live()[0]?.token ?? '';
    const [hash = ''] = hashesIn(`{"token":"${token}"}`);
    expect(await tokens()).toContain(hash);
  });
});
