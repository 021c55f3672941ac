import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FaultRule } from '../../src/sandbox/faults.ts';
import { moveMeeting, setPersonState } from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, FAY, HOUR, type MicrosoftStage, openMicrosoftStage } from './microsoft-stage.ts';

/** Refusals, outages and limits of Graph and Entra, each with the state it must lead to. */

let stage: MicrosoftStage;
afterEach(() => stage.close());

const MINUTE = 60_000;

test('15 a nested sync code in a 400 is a reset; a 400 without one is not', async () => {
  stage = await openMicrosoftStage();
  stage.single();
  await stage.sync();
  stage.faults.add({
    path: 'deltatoken',
    times: 1,
    fault: { kind: 'status', status: 400, reason: 'resyncRequired' },
  });
  expect(await stage.sync()).toMatchObject({ complete: true, kind: 'full' });
  stage.faults.add({ path: 'deltatoken', times: 1, fault: { kind: 'status', status: 400 } });
  const { cursor } = await stage.state();
  expect((await stage.sync()).failure).toMatchObject({ kind: 'bug', code: 'bad_request' });
  expect((await stage.state()).cursor).toBe(cursor);
});

test('18 429 with Retry-After 300: that mailbox is left alone for so long, others are not, and no worker is held', async () => {
  stage = await openMicrosoftStage();
  stage.single();
  await stage.syncAll();
  stage.faults.add({ mailbox: ADA, times: 1, fault: { kind: 'status', status: 429, retryAfter: 300 } });
  expect((await stage.sync()).failure).toMatchObject({ kind: 'throttled', retryAfterMs: 300_000 });
  expect(stage.waits).toEqual([]);
  const { state, waits_ms } = await stage.state();
  expect(state).toBe('throttled');
  expect(waits_ms).toBeGreaterThan(299_000);
  const before = stage.asked(/./, ADA);
  expect((await stage.sync()).failure).toMatchObject({ kind: 'throttled' });
  expect(stage.asked(/./, ADA)).toBe(before);
  expect(await stage.sync(BO)).toMatchObject({ complete: true });
  await stage.advance(301_000);
  expect(await stage.sync()).toMatchObject({ complete: true });
  expect((await stage.state()).state).toBe('active');
});

test.each([
  ['none', undefined],
  ['a constant 1', 1],
])(
  '19 429 with %s as Retry-After: ever longer waits, a bounded number of requests',
  async (_what, retryAfter) => {
    stage = await openMicrosoftStage();
    const fault = { kind: 'status', status: 429, ...(retryAfter !== undefined && { retryAfter }) } as const;
    stage.faults.add({ mailbox: ADA, fault });
    expect((await stage.sync()).failure).toMatchObject({ kind: 'throttled' });
    expect(stage.asked(/./, ADA)).toBeLessThanOrEqual(5);
    const waits = stage.waits;
    expect(waits).toEqual(waits.toSorted((one, other) => one - other));
    expect(Math.max(...waits)).toBeGreaterThan(1_000);
  },
);

test('20 a burst of passes: two requests at a time for a mailbox, the cap for all, and nothing is throttled', async () => {
  stage = await openMicrosoftStage({
    habits: { latencyMs: 4, mailboxConcurrency: 2, pageSize: 1 },
    maxInFlight: 3,
  });
  for (let day = 12; day < 18; day += 1) stage.weekly({ start: `2026-03-${day}T10:00`, guests: [BO, FAY] });
  const calendar = (address: string, calendarId: number) => ({ address, calendarId });
  const window = { from: stage.world.now() - 35 * DAY, until: stage.world.now() + 120 * DAY };
  await Promise.all(
    Array.from({ length: 50 }, async (_, n) => {
      const who = calendar([ADA, ADA, BO, FAY][n % 4] ?? ADA, n);
      for await (const _page of stage.microsoft.calendar.snapshot(who, window, new AbortController().signal));
    }),
  );
  expect(stage.faults.log.maxInFlight(ADA)).toBe(2);
  expect(stage.faults.log.maxInFlight()).toBe(2);
  expect(stage.faults.log.maxTogether('microsoft')).toBeLessThanOrEqual(3);
  expect(stage.asked(/calendarView/)).toBeGreaterThanOrEqual(50);
  expect(stage.waits).toEqual([]);
});

test.each<[string, FaultRule['fault']]>([
  ['504 with a page of HTML', { kind: 'html', status: 504 }],
  ['an empty object', { kind: 'empty_object' }],
  ['a truncated answer', { kind: 'truncated' }],
  ['a connection reset', { kind: 'reset' }],
  ['500', { kind: 'status', status: 500 }],
  ['503 while the mailbox moves', { kind: 'status', status: 503, reason: 'MailboxInfoStale' }],
])(
  '21 %s: tried again within the deadline, the cursor unchanged, the calendar still ours',
  async (_what, fault) => {
    stage = await openMicrosoftStage();
    stage.single();
    await stage.sync();
    const before = await stage.state();
    const id = stage.faults.add({ path: 'calendarView/delta', fault });
    expect((await stage.sync()).failure).toMatchObject({ kind: 'transient' });
    expect(stage.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(20_000);
    expect(await stage.state()).toMatchObject({ state: 'active', cursor: before.cursor });
    expect(await stage.booked()).toHaveLength(1);
    stage.faults.remove(id);
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes' });
  },
);

test('22 401 in the middle of a round: a new token, the page again; two in a row are no loop', async () => {
  stage = await openMicrosoftStage({ habits: { pageSize: 1 } });
  for (let day = 20; day < 24; day += 1) stage.single({ start: `2026-03-${day}T14:00` });
  stage.faults.add({ path: 'skiptoken', times: 1, fault: { kind: 'status', status: 401 } });
  expect(await stage.sync()).toMatchObject({ complete: true });
  expect(stage.sandbox.entra.issued()).toBe(2);
  const before = stage.asked(/delta/);
  stage.faults.add({ path: 'deltatoken', fault: { kind: 'status', status: 401 } });
  expect((await stage.sync()).failure).toMatchObject({ kind: 'auth', code: 'token_refused' });
  expect(stage.asked(/delta/)).toBe(before + 2);
  expect(await stage.state()).toMatchObject({ state: 'needs_consent', reason: 'token_refused' });
  expect(await stage.events('calendar.disconnected')).toHaveLength(1);
});

test('25 403 for one mailbox: that one alone is denied, looked at again hourly, nothing is deleted, and it comes back', async () => {
  stage = await openMicrosoftStage();
  stage.weekly();
  await stage.syncAll();
  setPersonState(stage.world, { person: ADA, state: 'forbidden' });
  expect((await stage.sync()).failure).toMatchObject({ kind: 'permanent', code: 'access_denied' });
  const { state, waits_ms } = await stage.state();
  expect(state).toBe('denied');
  expect(waits_ms).toBeGreaterThan(0.74 * HOUR);
  expect(waits_ms).toBeLessThan(1.26 * HOUR);
  expect(await stage.sync(BO)).toMatchObject({ complete: true });
  expect(await stage.booked()).toHaveLength(5);
  setPersonState(stage.world, { person: ADA, state: 'active' });
  expect(await stage.sync()).toMatchObject({ complete: true });
  expect((await stage.state()).state).toBe('active');
  expect(await stage.events()).toEqual([
    ...Array.from({ length: 5 }, () => 'session.scheduled'),
    'calendar.disconnected',
    'calendar.reconnected',
  ]);
});

test('25 a refused mailbox whose probe is told to wait stays refused: what it last showed decides nothing, and its return is told once', async () => {
  stage = await openMicrosoftStage();
  const meeting = stage.single();
  await stage.syncAll();
  setPersonState(stage.world, { person: ADA, state: 'forbidden' });
  await stage.sync();
  const { since } = await stage.state();
  await stage.advance(MINUTE);
  moveMeeting(stage.world, { meeting: meeting.id, start: '2026-03-21T09:00' });
  await stage.sync(BO);
  const moved = await stage.booked();
  expect(moved).toEqual(['2026-03-21T08:00']);
  await stage.advance(HOUR);
  stage.faults.add({ mailbox: ADA, times: 1, fault: { kind: 'status', status: 503, retryAfter: 120 } });
  expect((await stage.sync()).failure).toMatchObject({ kind: 'throttled', retryAfterMs: 120_000 });
  const told = await stage.state();
  expect(told).toMatchObject({ state: 'denied', reason: 'access_denied', since });
  // The probe said nothing about the refusal, so the next one comes when it may.
  expect(told.waits_ms).toBeGreaterThan(119_000);
  expect(told.waits_ms).toBeLessThan(400_000);
  for (const wish of [{}, { reconcile: true }, { full: true }]) {
    await stage.sync(BO, wish);
    expect(await stage.booked()).toEqual(moved);
  }
  await stage.advance(HOUR);
  setPersonState(stage.world, { person: ADA, state: 'active' });
  expect(await stage.sync()).toMatchObject({ complete: true });
  expect(await stage.booked()).toEqual(moved);
  expect(await stage.events('session.rescheduled')).toHaveLength(1);
  expect(await stage.events('calendar.disconnected')).toHaveLength(1);
  expect(await stage.events('calendar.reconnected')).toHaveLength(1);
});

test.each([
  ['a fault that passes', { kind: 'status', status: 500 }],
  ['a wait', { kind: 'status', status: 429, retryAfter: 30 }],
] as const)('25 a refused mailbox goes on saying why, whatever its probe meets: %s', async (_what, fault) => {
  stage = await openMicrosoftStage();
  setPersonState(stage.world, { person: ADA, state: 'forbidden' });
  await stage.sync();
  const { state, reason, since } = await stage.state();
  expect({ state, reason }).toEqual({ state: 'denied', reason: 'access_denied' });
  await stage.advance(HOUR);
  stage.faults.add({ mailbox: ADA, fault });
  expect((await stage.sync()).complete).toBe(false);
  expect(await stage.state()).toMatchObject({ state, reason, since });
});

test('25 the mailbox that must be refused: an answer is an alarm, a refusal is well', async () => {
  stage = await openMicrosoftStage();
  const probe = () => stage.microsoft.probeRefused(FAY, new AbortController().signal);
  expect(await probe()).toMatchObject({ ok: false, mend: expect.stringContaining('Calendars.Read') });
  setPersonState(stage.world, { person: FAY, state: 'forbidden' });
  expect(await probe()).toMatchObject({ ok: true });
  setPersonState(stage.world, { person: FAY, state: 'no_mailbox' });
  expect(await probe()).toMatchObject({ ok: false });
});

test('26 no mailbox: believed after an hour of saying so, looked at daily, told once, and well again', async () => {
  stage = await openMicrosoftStage();
  stage.single();
  await stage.syncAll();
  setPersonState(stage.world, { person: ADA, state: 'no_mailbox' });
  for (let tries = 0; tries < 4; tries += 1) {
    expect((await stage.sync()).failure).toMatchObject({ kind: 'gone', code: 'no_mailbox' });
    await stage.hoursPass(0.5);
  }
  await stage.sync();
  const { state, reason, waits_ms } = await stage.state();
  expect({ state, reason }).toEqual({ state: 'gone', reason: 'no_mailbox' });
  expect(waits_ms).toBeGreaterThan(0.74 * DAY);
  expect(waits_ms).toBeLessThan(1.26 * DAY);
  await stage.sync();
  expect(await stage.events('calendar.disconnected')).toHaveLength(1);
  expect(await stage.booked()).toHaveLength(1);
  setPersonState(stage.world, { person: ADA, state: 'active' });
  await stage.sync();
  expect((await stage.state()).state).toBe('active');
});

describe('the token', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() }));
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

  test('23 the token endpoint is down for ten minutes, then takes requests and answers none: the last token serves, one request at a time, no mailbox is blamed', async () => {
    stage = await openMicrosoftStage();
    stage.single();
    await stage.syncAll();
    later(3_599_000 - 8 * MINUTE);
    const inFull = AbortSignal.timeout.bind(AbortSignal);
    const deadlines = vi.spyOn(AbortSignal, 'timeout');
    // Ten seconds are what Entra is given; all else may take its time.
    deadlines.mockImplementation((ms) => inFull(ms === 10_000 ? 20 : ms));
    let id = stage.faults.add({ path: 'oauth2', fault: { kind: 'status', status: 503 } });
    for (let minute = 0; minute < 7; minute += 1) {
      if (minute === 5) {
        stage.faults.remove(id);
        id = stage.faults.add({ path: 'oauth2', fault: { kind: 'stall', where: 'headers' } });
      }
      for (const report of await Promise.all([stage.sync(ADA), stage.sync(BO)])) {
        expect(report).toMatchObject({ complete: true });
      }
      later(MINUTE);
    }
    later(MINUTE);
    expect((await stage.sync()).failure).toMatchObject({ kind: 'transient', code: 'timeout' });
    expect(deadlines).toHaveBeenCalledWith(10_000);
    expect((await stage.state()).state).toBe('active');
    stage.faults.remove(id);
    expect(await stage.sync()).toMatchObject({ complete: true });
    expect(stage.asked(/oauth2/)).toBeLessThan(20);
  });

  test('24 the secret has expired: one alarm, at least five minutes between tries, no state of anybody changes, and it heals', async () => {
    stage = await openMicrosoftStage();
    stage.single();
    await stage.syncAll();
    stage.sandbox.entra.expireSecret();
    stage.sandbox.entra.revokeTokens();
    for (let minute = 0; minute < 15; minute += 1) {
      expect((await stage.sync(minute % 2 ? ADA : BO)).failure).toMatchObject({
        kind: 'config',
        code: 'secret_expired',
      });
      later(MINUTE);
    }
    // One at the start, then every five minutes.
    expect(stage.asked(/oauth2/) - 1).toBeLessThanOrEqual(3);
    expect(stage.told('error')).toEqual(['entra gives this application no token: a person must act']);
    expect((await stage.state()).state).toBe('active');
    expect(await stage.booked()).toHaveLength(1);
  });
});
