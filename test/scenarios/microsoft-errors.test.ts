import { afterEach, describe, expect, test } from 'vitest';
import type { Fault } from '../../src/sandbox/faults.ts';
import { ADA, BO, DAY, HOUR, type MicrosoftStage, openMicrosoftStage } from './microsoft-stage.ts';

/**
 * Every refusal of a mailbox that is known, and the state it must lead to: said by Graph to each request of one
 * calendar, for as long as it takes to be believed. None may delete anything, move the cursor or touch another calendar.
 */

let stage: MicrosoftStage;
afterEach(() => stage.close());

interface Row {
  readonly fault: Fault;
  readonly failure: { readonly kind: string; readonly code: string };
  readonly state: string;
  readonly reason: string | null;
  /** Requests to the calendar in one pass. */
  readonly asked: number;
  /** How far away the next look is, in milliseconds, at least and at most. */
  readonly next: readonly [number, number];
  /** How often `calendar.disconnected` is told. */
  readonly told: 0 | 1;
}

const status = (number: number, reason?: string, retryAfter?: number): Fault => ({
  kind: 'status',
  status: number,
  ...(reason !== undefined && { reason }),
  ...(retryAfter !== undefined && { retryAfter }),
});

const gone = (reason: string, code: string): Row => ({
  fault: status(404, reason),
  failure: { kind: 'gone', code },
  state: 'gone',
  reason: code,
  asked: 1,
  next: [0.74 * DAY, 1.26 * DAY],
  told: 1,
});
/** Tried again within the pass, then at a growing distance; the calendar is not blamed. */
const passing = (fault: Fault, code: string): Row => ({
  fault,
  failure: { kind: 'transient', code },
  state: 'active',
  reason: null,
  asked: 5,
  next: [0.74 * 15_000, 6 * 60_000],
  told: 0,
});
/** A small question decides whether the window is too much for Graph. */
const overwhelmed = (number: number, reason: string): Row => ({
  ...passing(status(number, reason), 'server_error'),
  asked: 6,
});
/** Our mistake: repeating it would not help. */
const ours = (reason: string): Row => ({
  ...passing(status(400, reason), 'bad_request'),
  failure: { kind: 'bug', code: 'bad_request' },
  asked: 1,
});

const ROWS: Readonly<Record<string, Row>> = {
  '401 InvalidAuthenticationToken': {
    fault: status(401, 'InvalidAuthenticationToken'),
    failure: { kind: 'auth', code: 'token_refused' },
    state: 'needs_consent',
    reason: 'token_refused',
    asked: 2,
    next: [0.74 * HOUR, 1.26 * HOUR],
    told: 1,
  },
  ...Object.fromEntries(
    ['ErrorAccessDenied', 'extensionError', 'Forbidden'].map((code): [string, Row] => [
      `403 ${code}`,
      {
        fault: status(403, code),
        failure: { kind: 'permanent', code: 'access_denied' },
        state: 'denied',
        reason: 'access_denied',
        asked: 1,
        next: [0.74 * HOUR, 1.26 * HOUR],
        told: 1,
      },
    ]),
  ),
  '404 MailboxNotEnabledForRESTAPI': gone('MailboxNotEnabledForRESTAPI', 'no_mailbox'),
  '404 MailboxNotSupportedForRESTAPI': gone('MailboxNotSupportedForRESTAPI', 'no_mailbox'),
  '404 ErrorInvalidUser': { ...gone('ErrorInvalidUser', 'user_gone'), asked: 2 },
  '404 ResourceNotFound': { ...gone('ResourceNotFound', 'user_gone'), asked: 2 },
  '404 Request_ResourceNotFound': { ...gone('Request_ResourceNotFound', 'user_gone'), asked: 2 },
  '404 ErrorNonExistentMailbox': { ...gone('ErrorNonExistentMailbox', 'user_gone'), asked: 2 },
  '400 BadRequest': ours('BadRequest'),
  '400 ErrorInvalidIdMalformed': ours('ErrorInvalidIdMalformed'),
  '429 with five minutes': {
    fault: status(429, 'ApplicationThrottled', 300),
    failure: { kind: 'throttled', code: 'throttled' },
    state: 'throttled',
    reason: 'throttled',
    asked: 1,
    next: [299_000, 1.25 * 300_000],
    told: 0,
  },
  '429 without a time': {
    fault: status(429, 'ApplicationThrottled'),
    failure: { kind: 'throttled', code: 'throttled' },
    state: 'throttled',
    reason: 'throttled',
    asked: 5,
    next: [59_000, 6 * 60_000],
    told: 0,
  },
  '503 MailboxInfoStale': overwhelmed(503, 'MailboxInfoStale'),
  '500 UnknownError': overwhelmed(500, 'UnknownError'),
  '502 UnknownError': overwhelmed(502, 'UnknownError'),
  '503 UnknownError': overwhelmed(503, 'UnknownError'),
  '504 UnknownError': overwhelmed(504, 'UnknownError'),
  '200 with a page of HTML': passing({ kind: 'html', status: 200 }, 'unreadable_answer'),
  '200 cut off': passing({ kind: 'truncated' }, 'unreadable_answer'),
  '200 with nothing in it': { ...passing({ kind: 'empty_object' }, 'unreadable_answer'), asked: 1 },
  'no answer at all': passing({ kind: 'reset' }, 'network'),
};

test.each(Object.entries(ROWS))('%s', async (_name, row) => {
  stage = await openMicrosoftStage();
  stage.weekly();
  await stage.syncAll();
  const before = await stage.state();
  const rule = stage.faults.add({ mailbox: ADA, fault: row.fault });
  const asked = stage.asked(/calendarView|\/users\//, ADA);
  expect((await stage.sync()).failure).toMatchObject(row.failure);
  expect(stage.asked(/calendarView|\/users\//, ADA) - asked).toBe(row.asked);
  // What is believed only when it was said for more than an hour is said for more than an hour.
  for (let more = 0; more < 2 && row.state === 'gone'; more += 1) {
    expect((await stage.state()).state).toBe('active');
    await stage.hoursPass(0.6);
    await stage.sync();
  }
  const { state, reason, cursor, waits_ms } = await stage.state();
  expect({ state, reason, cursor }).toEqual({ state: row.state, reason: row.reason, cursor: before.cursor });
  expect(waits_ms).toBeGreaterThanOrEqual(row.next[0]);
  expect(waits_ms).toBeLessThanOrEqual(row.next[1]);
  expect(await stage.booked()).toHaveLength(5);
  expect(await stage.events('session.cancelled')).toEqual([]);
  expect(await stage.events('calendar.disconnected')).toHaveLength(row.told);
  expect(await stage.sync(BO)).toMatchObject({ complete: true });

  stage.faults.remove(rule);
  await stage.advance(HOUR);
  expect(await stage.sync()).toMatchObject({ complete: true, kind: 'changes' });
  expect(await stage.state()).toMatchObject({ state: 'active', reason: null });
  expect(await stage.events('calendar.reconnected')).toHaveLength(row.told);
});

describe('a cursor that Graph no longer knows is followed by one full round, however it is said', () => {
  test.each([
    [410, undefined],
    [410, 'SyncStateNotFound'],
    [410, 'UnknownError'],
    [400, 'resyncRequired'],
    [400, 'SyncStateNotFound'],
    [400, 'syncStateInvalid'],
    [404, 'resyncRequired'],
    [403, 'SyncStateNotFound'],
  ])('%i %s', async (number, reason) => {
    stage = await openMicrosoftStage();
    stage.weekly();
    await stage.sync();
    stage.faults.add({ path: 'deltatoken', times: 1, fault: status(number, reason) });
    expect(await stage.sync()).toMatchObject({ complete: true, kind: 'full' });
    expect(await stage.state()).toMatchObject({ state: 'active', reason: null });
    expect(await stage.events('session.cancelled')).toEqual([]);
  });
});

test('a mistake of ours is told with the code and the number of the request, which support asks for', async () => {
  stage = await openMicrosoftStage();
  stage.faults.add({ mailbox: ADA, fault: status(400, 'ErrorInvalidIdMalformed') });
  await stage.sync();
  expect(stage.details().join()).toMatch(/ErrorInvalidIdMalformed, request-id [0-9a-f-]{36}/);
});
