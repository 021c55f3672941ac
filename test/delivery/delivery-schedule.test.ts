import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import {
  ATTEMPT_DELAYS_MS,
  beginDelivery,
  type DeliveryResult,
  type DeliveryState,
  endpointExhausted,
  MAX_ATTEMPTS,
  newDelivery,
  planDelivery,
  replayDelivery,
} from '../../src/domain/delivery-schedule.ts';

const start = DateTime.utc(2026, 11, 21);
const LEASE_MS = 60_000;
const result: fc.Arbitrary<DeliveryResult> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<DeliveryResult>({ outcome: 'retry', status: 500, error: 'http_500' }) },
  {
    weight: 4,
    arbitrary: fc
      .integer({ min: 0, max: 10 * 24 * 3_600_000 })
      .map((retryAfterMs): DeliveryResult => ({ outcome: 'retry', status: 429, retryAfterMs })),
  },
  { weight: 1, arbitrary: fc.constant<DeliveryResult>({ outcome: 'delivered', status: 200 }) },
  { weight: 1, arbitrary: fc.constant<DeliveryResult>({ outcome: 'disable', status: 410 }) },
);
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** Follows one delivery: at each step a worker takes it and either settles it or dies under its lease. */
function follow(
  steps: readonly { result: DeliveryResult; random: number; dies: boolean }[],
): DeliveryState[] {
  let now: DateTime = start;
  let state = newDelivery('evt_1', now);
  const seen = [state];
  for (const step of steps) {
    if (state.nextAttemptAt === null) break;
    now = state.nextAttemptAt;
    const begun = beginDelivery(state, now, LEASE_MS);
    if (begun === null) throw new Error('a delivery that is due could not be taken');
    seen.push(begun);
    state = step.dies ? begun : planDelivery(begun, step.result, now.plus({ seconds: 1 }), step.random);
    seen.push(state);
  }
  return seen;
}

const steps = fc.array(fc.record({ result, random, dies: fc.boolean() }), { maxLength: 30 });

describe('the life of a delivery', () => {
  it('never lets two workers have it, before it is due or under a lease', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: LEASE_MS - 1 }), (path, early) => {
        for (const state of follow(path)) {
          if (state.nextAttemptAt === null) {
            expect(beginDelivery(state, start.plus({ years: 1 }), LEASE_MS)).toBeNull();
            continue;
          }
          const before = state.nextAttemptAt.minus({ milliseconds: 1 + early });
          expect(beginDelivery(state, before, LEASE_MS)).toBeNull();
        }
      }),
    );
  });

  it('keeps its id, never runs past the table and always ends', () => {
    fc.assert(
      fc.property(steps, (path) => {
        const states = follow(path);
        for (const state of states) {
          expect(state.eventId).toBe('evt_1');
          expect(state.attempts).toBeLessThanOrEqual(MAX_ATTEMPTS);
          expect(state.nextAttemptAt === null).toBe(state.status !== 'pending');
        }
        if (path.length > MAX_ATTEMPTS) expect(states.at(-1)?.nextAttemptAt).toBeNull();
      }),
    );
  });

  it('waits at least as long as the table and the receiver ask, and at most a day and a tenth', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: MAX_ATTEMPTS - 1 }),
        result,
        random,
        (attempts, answer, chance) => {
          const state: DeliveryState = { ...newDelivery('evt_1', start), attempts };
          const next = planDelivery(state, answer, start, chance);
          if (next.nextAttemptAt === null) {
            expect(answer.outcome).not.toBe('retry');
            return;
          }
          const wait = next.nextAttemptAt.diff(start).toMillis();
          const asked = Math.min(answer.retryAfterMs ?? 0, 24 * 3_600_000);
          expect(wait).toBeGreaterThanOrEqual(Math.max(ATTEMPT_DELAYS_MS[attempts] ?? 0, asked));
          expect(wait).toBeLessThanOrEqual(24 * 3_600_000 * 1.1 + 1);
        },
      ),
    );
  });

  it('is dead after the last of ten attempts over about 75 hours', () => {
    const failing = { result: { outcome: 'retry', error: 'timeout' } as const, random: 0, dies: false };
    const states = follow(Array.from({ length: 20 }, () => failing));
    const last = states.at(-1);
    expect(last).toMatchObject({ status: 'dead', attempts: 10, lastError: 'timeout', lastStatus: null });
    const hours = ATTEMPT_DELAYS_MS.reduce((sum, delay) => sum + delay, 0) / 3_600_000;
    expect(hours).toBeCloseTo(75.58, 1);
  });

  it('a worker that dies in the last attempt leaves a delivery that ends', () => {
    const dying = { result: { outcome: 'retry' } as const, random: 0, dies: true };
    const states = follow(Array.from({ length: 20 }, () => dying));
    expect(states.at(-1)).toMatchObject({ status: 'dead', attempts: 10 });
  });

  it('ignores a result that comes after the end', () => {
    const begun = beginDelivery(newDelivery('evt_1', start), start, LEASE_MS) as DeliveryState;
    const done = planDelivery(begun, { outcome: 'delivered', status: 200 }, start, 0);
    expect(planDelivery(begun, { outcome: 'retry', error: 'timeout' }, start, 0, done)).toEqual(done);
  });

  it('a worker whose lease was taken over changes nothing, unless it did deliver', () => {
    const first = beginDelivery(newDelivery('evt_1', start), start, LEASE_MS) as DeliveryState;
    const later = start.plus({ milliseconds: LEASE_MS });
    const second = beginDelivery(first, later, LEASE_MS) as DeliveryState;
    expect(planDelivery(first, { outcome: 'retry', error: 'timeout' }, later, 0, second)).toEqual(second);
    expect(planDelivery(first, { outcome: 'disable', status: 410 }, later, 0, second)).toEqual(second);
    const delivered = planDelivery(first, { outcome: 'delivered', status: 200 }, later, 0, second);
    expect(delivered).toMatchObject({ status: 'delivered', attempts: 2, nextAttemptAt: null });
  });

  it('is sent again on request under the same id', () => {
    const dead: DeliveryState = {
      ...newDelivery('evt_1', start),
      status: 'dead',
      attempts: 10,
      nextAttemptAt: null,
    };
    expect(replayDelivery(dead, start)).toEqual(newDelivery('evt_1', start));
  });
});

describe('an endpoint that only fails', () => {
  it.each([
    [null, false],
    [start.minus({ days: 4, hours: 23 }), false],
    [start.minus({ days: 5 }), true],
  ])('failing since %s', (since, expected) => {
    expect(endpointExhausted(since, start)).toBe(expected);
  });
});
