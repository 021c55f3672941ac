import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { TIME_LIMITS } from '../../src/providers/google/client.ts';
import type { Fault } from '../../src/sandbox/faults.ts';
import { cancelMeeting, createMeeting, type MeetingInput } from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, type GoogleStage, HOUR, openGoogleStage } from './google-stage.ts';

/** Faults of the wire on the whole daemon: what is tried again, how often, and that nobody else pays for it. */
let stage: GoogleStage;
afterEach(() => stage.close());

/** No waits between attempts, and time-outs that end while somebody looks. */
const HASTY = {
  google: { sleep: async () => undefined, timeLimits: { list: 300, other: 300, token: 2_000 } },
};
const book = (given: Partial<MeetingInput> = {}) =>
  createMeeting(stage.world, {
    organizer: ADA,
    guests: [BO],
    title: 'Talk #mentoring',
    start: '2026-09-15T10:00',
    minutes: 60,
    ...given,
  });
const sessions = () =>
  stage.rows(sql<{ id: number; status: string }>`
    select session_id as id, scheduled_start as start, status from mentoring.session order by scheduled_start`);
const cursors = () =>
  stage.rows(sql<{ cursor: string | null }>`select cursor from cadenced.calendar order by calendar_id`);
const health = () =>
  stage.rows(sql<{ calendar: string; state: string; reason: string | null }>`
    select calendar, state, reason from mentoring.sync_health order by calendar`);
const listsOf = (address: string) =>
  stage.faults.log
    .entries()
    .filter((entry) => entry.mailbox === address && entry.path.endsWith('/primary/events'));
const told = (part: string) => stage.logged.filter((line) => line.includes(part));
const only = (address: string, fault: Fault, times?: number) =>
  stage.faults.add({ mailbox: address, path: '/primary/events', fault, ...(times && { times }) });

describe('8. Rate limits', () => {
  test.each<[string, Fault, number, number]>([
    ['403 rateLimitExceeded twice', { kind: 'status', status: 403, reason: 'rateLimitExceeded' }, 2, 3_000],
    ['403 userRateLimitExceeded', { kind: 'status', status: 403, reason: 'userRateLimitExceeded' }, 1, 1_000],
    ['429 with Retry-After: 7', { kind: 'status', status: 429, retryAfter: 7 }, 1, 7_000],
  ])('%s: waited out, while the other calendar goes on', async (_, fault, times, waits) => {
    stage = await openGoogleStage();
    book();
    stage.faults.log.clear();
    only(ADA, fault, times);
    const began = performance.now();
    const polling = stage.pollDue();
    const refused = await stage.faults.log.waitFor(
      ({ mailbox, status }) => mailbox === ADA && status === ('status' in fault ? fault.status : 0),
    );
    await stage.faults.log.waitFor(({ mailbox, status }) => mailbox === BO && status === 200);
    // Bo was read while Ada waits.
    expect(performance.now() - began).toBeLessThan(waits + 6_000);
    expect(refused.done).toBe(true);
    await polling;
    expect(performance.now() - began).toBeGreaterThan(waits);
    expect(
      listsOf(ADA)
        .slice(0, times + 1)
        .map(({ status }) => status === 200),
    ).toEqual([...Array.from({ length: times }, () => false), true]);
    expect(await sessions()).toHaveLength(1);
    expect((await health()).map(({ state }) => state)).toEqual(['active', 'active']);
  });

  test('429 that asks for more than a worker may wait goes back to the schedule', async () => {
    stage = await openGoogleStage();
    stage.faults.log.clear();
    only(ADA, { kind: 'status', status: 429, retryAfter: 600 });
    await stage.pollDue();
    expect(listsOf(ADA).length).toBeLessThanOrEqual(2);
    expect(await health()).toEqual([
      { calendar: ADA, state: 'throttled', reason: 'rate_limited' },
      { calendar: BO, state: 'active', reason: null },
    ]);
    const [row] = await stage.rows(sql<{ wait: number }>`
      select extract(epoch from next_poll_at - now())::float8 as wait from cadenced.calendar where address = ${ADA}`);
    expect(row?.wait).toBeGreaterThan(590);
  });

  test.each<[string, Fault, string, number]>([
    ['429', { kind: 'status', status: 429, retryAfter: 600 }, 'rate_limited', 590],
    ['a used-up quota', { kind: 'status', status: 403, reason: 'quotaExceeded' }, 'quota_exhausted', 3_590],
  ])(
    '%s: nothing that happens meanwhile, no push and no restart cuts the wait short; what was wished for is done after it',
    async (_, fault, reason, waits) => {
      stage = await openGoogleStage({ push: true, habits: { webhooks: 'accepted' } });
      await stage.pushed();
      const rule = only(ADA, fault);
      await stage.pollDue();
      const [ada] = await health();
      expect(ada).toEqual({ calendar: ADA, state: 'throttled', reason });
      const next = () =>
        stage.rows(sql<{ at: Date; wait: number }>`
          select next_poll_at as at, extract(epoch from next_poll_at - now())::float8 as wait
            from cadenced.calendar where address = ${ADA}`);
      const [row] = await next();
      expect(row?.wait).toBeGreaterThan(waits);
      expect(row?.wait).toBeLessThan(1.25 * waits + 30);
      stage.faults.remove(rule);
      stage.faults.log.clear();
      // A push, and a meeting of Bo's that is looked up on Ada's calendar.
      book({ organizer: BO, guests: [ADA] });
      await stage.pushed();
      await stage.pollDue();
      expect(await sessions()).toHaveLength(1);
      expect(await stage.rows(sql`select 1 from cadenced.wanted_meeting`)).toHaveLength(1);
      // A day on, the comparison is due.
      await stage.advance(2 * DAY);
      await stage.settled();
      await sql`update cadenced.calendar set next_poll_at = now(), full_pass_wanted = true`.execute(
        stage.workshop.db,
      );
      await stage.away(HOUR);
      expect(listsOf(ADA)).toEqual([]);
      expect((await next())[0]?.at).toEqual(row?.at);
      expect(listsOf(BO)).not.toEqual([]);
      await sql`update cadenced.calendar set hold_until = now()`.execute(stage.workshop.db);
      await stage.pollDue();
      expect(await health()).toContainEqual({ calendar: ADA, state: 'active', reason: null });
      expect(listsOf(ADA).some(({ query }) => query.syncToken === undefined)).toBe(true);
      expect(await stage.rows(sql`select 1 from cadenced.wanted_meeting`)).toEqual([]);
    },
  );
});

describe('11. Faults that pass', () => {
  test.each<[string, Fault, number]>([
    ['500', { kind: 'status', status: 500 }, 5],
    ['502 with a page of HTML', { kind: 'html', status: 502 }, 5],
    ['503', { kind: 'status', status: 503 }, 5],
    ['a socket that is reset', { kind: 'reset' }, 5],
    ['an answer that never begins', { kind: 'stall', where: 'headers' }, 2],
    ['an answer that never ends', { kind: 'stall', where: 'body' }, 2],
  ])(
    '%s: a bounded number of attempts, nothing is lost or left open, and it heals by itself',
    async (_, fault, attempts) => {
      stage = await openGoogleStage({ tuning: HASTY });
      book();
      await stage.pollDue();
      const before = [await sessions(), await cursors()];
      const rule = only(ADA, fault);
      stage.faults.log.clear();
      await stage.pollDue();
      // One poll, or two where one fell due by itself meanwhile.
      expect(listsOf(ADA).length % attempts).toBe(0);
      expect(listsOf(ADA).length).toBeLessThanOrEqual(2 * attempts);
      expect(stage.faults.log.inFlight(ADA)).toBe(0);
      expect([await sessions(), await cursors()]).toEqual(before);
      expect((await health()).map(({ state }) => state)).toEqual(['active', 'active']);
      expect(listsOf(BO).every(({ status }) => status === 200)).toBe(true);
      stage.faults.remove(rule);
      book({ start: '2026-09-16T10:00' });
      await stage.pollDue();
      expect(await sessions()).toHaveLength(2);
    },
    60_000,
  );

  test('an attempt may take as long as a large page needs, and no longer', () => {
    expect(TIME_LIMITS).toEqual({ list: 60_000, other: 20_000, token: 10_000 });
  });
});

describe('12. Answers that are not what they claim', () => {
  test.each<[string, Fault]>([
    ['cut off in the middle', { kind: 'truncated' }],
    ['empty', { kind: 'empty_object' }],
    ['with both tokens', { kind: 'tokens', shows: 'both' }],
    ['with neither token', { kind: 'tokens', shows: 'none' }],
  ])(
    '%s: a fault; the token stays and nothing is cancelled',
    async (_, fault) => {
      stage = await openGoogleStage({ tuning: HASTY });
      book();
      await stage.pollDue();
      const before = [await sessions(), await cursors()];
      const rule = stage.faults.add({ path: '/primary/events', fault });
      await stage.pollDue();
      expect([await sessions(), await cursors()]).toEqual(before);
      await sql`update cadenced.calendar set reconcile_wanted = true, full_pass_wanted = true`.execute(
        stage.workshop.db,
      );
      await stage.pollDue();
      expect([await sessions(), await cursors()]).toEqual(before);
      stage.faults.remove(rule);
    },
    60_000,
  );

  test('a daily comparison that ends without a token was cut off: what it lacks is not gone', async () => {
    stage = await openGoogleStage({ tuning: HASTY, habits: { maxPage: 7 } });
    for (const day of [14, 15, 16, 17, 18, 21, 22, 23]) book({ start: `2026-09-${day}T10:00` });
    await stage.pollDue();
    const before = await sessions();
    expect(before).toHaveLength(8);
    stage.faults.add({ path: 'singleEvents=true', fault: { kind: 'tokens', shows: 'none' } });
    const compared = () =>
      stage.rows(
        sql<{ at: Date }>`select last_reconcile_at as at from cadenced.calendar order by calendar_id`,
      );
    const last = await compared();
    await sql`update cadenced.calendar set reconcile_wanted = true`.execute(stage.workshop.db);
    stage.faults.log.clear();
    await stage.pollDue();
    expect(stage.asked('singleEvents=true')).toBeGreaterThan(0);
    expect(await sessions()).toEqual(before);
    expect(await compared()).toEqual(last);
  });

  test.each([1, 2])(
    'a list of a series denied %i times after the stream has shown it cancels nothing',
    async (times) => {
      stage = await openGoogleStage({ tuning: HASTY });
      for (const day of [14, 16, 17, 18]) book({ start: `2026-09-${day}T10:00` });
      const series = book({ rule: 'FREQ=WEEKLY;COUNT=6' });
      await stage.pollDue();
      const before = await sessions();
      expect(before).toHaveLength(10);
      stage.world.expireTokens();
      for (const address of [ADA, BO])
        stage.faults.add({
          mailbox: address,
          path: /\/primary\/events\/[^?]/,
          times,
          fault: { kind: 'status', status: 404, reason: 'notFound' },
        });
      await stage.pollDue();
      await stage.pollDue();
      expect(await sessions()).toEqual(before);
      // What became of it meanwhile is followed all the same.
      cancelMeeting(stage.world, { meeting: series.id });
      await stage.pollDue();
      expect((await sessions()).filter(({ status }) => status === 'cancelled')).toHaveLength(6);
    },
  );

  test.each<[string, Fault]>([
    ['pages that begin with what the page before ended with', { kind: 'repeated_page' }],
    ['pages without entries', { kind: 'empty_page' }],
  ])('%s: nothing twice, nothing lost', async (_, fault) => {
    stage = await openGoogleStage({ habits: { maxPage: 2 } });
    stage.faults.add({ path: 'pageToken=', probability: 0.5, fault });
    for (const day of [14, 15, 16, 17, 18, 21, 22]) book({ start: `2026-09-${day}T10:00` });
    await stage.pollDue();
    const all = await sessions();
    expect(all).toHaveLength(7);
    await sql`update cadenced.calendar set reconcile_wanted = true, full_pass_wanted = true`.execute(
      stage.workshop.db,
    );
    await stage.pollDue();
    expect(await sessions()).toEqual(all);
  });
});

describe('13. An access token that is refused although it looks valid', () => {
  const tokens = () => stage.asked('/token');

  test('once: one token more, one repetition, and on', async () => {
    stage = await openGoogleStage();
    book();
    stage.faults.log.clear();
    only(ADA, { kind: 'status', status: 401, reason: 'authError' }, 1);
    await stage.pollDue();
    expect(
      listsOf(ADA)
        .slice(0, 2)
        .map(({ status }) => status),
    ).toEqual([401, 200]);
    expect(tokens()).toBe(1);
    expect(await sessions()).toHaveLength(1);
  });

  test('again and again: not tried a third time, and the calendar says so', async () => {
    stage = await openGoogleStage();
    stage.faults.log.clear();
    const rule = only(ADA, { kind: 'status', status: 401, reason: 'authError' });
    await stage.pollDue();
    expect(listsOf(ADA).map(({ status }) => status)).toEqual([401, 401]);
    expect(await health()).toEqual([
      { calendar: ADA, state: 'needs_consent', reason: 'token_refused' },
      { calendar: BO, state: 'active', reason: null },
    ]);
    stage.faults.remove(rule);
    await sql`update cadenced.calendar set next_probe_at = now(), next_poll_at = now()`.execute(
      stage.workshop.db,
    );
    await stage.settled();
    expect((await health()).map(({ state }) => state)).toEqual(['active', 'active']);
  });
});

describe('14. What the token endpoint refuses', () => {
  const refuse = (status: number, reason: string) =>
    stage.faults.add({ path: '^/token', fault: { kind: 'status', status, reason } });
  /** Polls as an hour and more would, so that what is said three times is believed. */
  async function hours(): Promise<void> {
    for (let time = 0; time < 3; time += 1) {
      await sql`update cadenced.calendar set first_strike_at = first_strike_at - interval '61 minutes'`.execute(
        stage.workshop.db,
      );
      await stage.pollDue();
    }
  }

  test.each([
    ['unauthorized_client', 401, 'delegation_missing'],
    ['clock', 400, 'clock_skew'],
    ['no_verifier', 400, 'key_refused'],
    ['signature', 400, 'key_refused'],
    ['access_denied', 403, 'policy_refused'],
    ['admin_policy', 400, 'policy_refused'],
  ])('%s concerns everybody: told once, no calendar is blamed', async (reason, status, code) => {
    stage = await openGoogleStage({ pairs: 1 });
    stage.google.revokeAccessTokens();
    refuse(status, reason);
    await hours();
    expect(told('no calendar of a provider can be read').map((line) => JSON.parse(line).code)).toEqual([
      code,
    ]);
    expect(new Set((await health()).map(({ state }) => state))).toEqual(new Set(['active']));
    expect(
      await stage.rows(sql`select 1 from mentoring.outbound_event where type = 'calendar.disconnected'`),
    ).toEqual([]);
  });

  test.each([
    ['unknown_user', 400, 'gone', 'account_unknown'],
    ['no_address', 400, 'gone', 'account_unknown'],
    ['deleted_user', 400, 'gone', 'account_unknown'],
    ['malformed_subject', 400, 'gone', 'account_unknown'],
    ['session_control', 400, 'needs_consent', 'session_control'],
  ])(
    '%s concerns one person: theirs is put aside, nobody is alarmed about the rest',
    async (reason, status, state, because) => {
      stage = await openGoogleStage();
      // Refused for Ada alone: Bo's token stays good, and is not asked for.
      for (const [value, token] of [...stage.google.tokens]) {
        if (token.person === stage.world.person(ADA).id) stage.google.tokens.delete(value);
      }
      refuse(status, reason);
      await hours();
      expect(await health()).toEqual([
        { calendar: ADA, state, reason: because },
        { calendar: BO, state: 'active', reason: null },
      ]);
      expect(told('no calendar of a provider can be read')).toEqual([]);
    },
  );

  test('a fault of Google’s own is tried again and forgotten', async () => {
    stage = await openGoogleStage({ tuning: HASTY });
    stage.google.revokeAccessTokens();
    stage.faults.add({ path: '^/token', times: 3, fault: { kind: 'status', status: 503 } });
    book();
    await stage.pollDue();
    expect(await sessions()).toHaveLength(1);
    expect((await health()).map(({ state }) => state)).toEqual(['active', 'active']);
  });
});

test('16. Twenty questions at once on a cold client: one token', async () => {
  stage = await openGoogleStage({
    before: ({ world, faults }) => {
      // So slow that they overlap.
      faults.add({ path: '/instances', fault: { kind: 'delay', ms: 100 } });
      for (let index = 0; index < 20; index += 1) {
        createMeeting(world, {
          organizer: ADA,
          guests: [BO],
          title: `Series ${index} #mentoring`,
          start: `2026-09-15T${10 + Math.floor(index / 4)}:${15 * (index % 4)}`.replace(/:0$/, ':00'),
          minutes: 15,
          rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=2',
        });
      }
    },
  });
  await stage.settled();
  const expansions = stage.faults.log
    .entries()
    .filter(({ mailbox, path }) => mailbox === ADA && path.endsWith('/instances'));
  expect(expansions.length).toBeGreaterThanOrEqual(20);
  expect(Math.max(...expansions.map(({ inFlight }) => inFlight))).toBeGreaterThan(1);
  // One for each calendar; the world's people are two.
  expect(stage.asked('/token')).toBe(2);
  expect(await sessions()).toHaveLength(40);
});
