import type { DateTime } from 'luxon';

/**
 * When a webhook is tried again. The table is the one that Standard Webhooks 1.0 recommends
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Deliverability
 * and reliability"): ten attempts over about 75 hours, so that a receiver may be down for a weekend.
 */
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const ATTEMPT_DELAYS_MS: readonly number[] = [
  0,
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

export const MAX_ATTEMPTS = ATTEMPT_DELAYS_MS.length;
/** Spreads the retries of a receiver that came back, so that it is not knocked over again. */
const JITTER_SHARE = 0.1;
/** A receiver may ask for patience, not for oblivion. */
const LONGEST_RETRY_AFTER_MS = 24 * HOUR;
/** An endpoint that has failed at every attempt for this long is switched off and its owner told. */
export const ENDPOINT_FAILING_LIMIT_MS = 5 * 24 * HOUR;

/** `pending` until it was accepted or given up. While an attempt is under way it is pending under a lease. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'dead'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One event on its way to one endpoint. `eventId` never changes: it is the receiver's idempotency key. */
export type DeliveryState = {
  readonly eventId: string;
  readonly status: DeliveryStatus;
  /** Attempts begun. */
  readonly attempts: number;
  /** null exactly when the status is not `pending`. During an attempt: when its lease runs out. */
  readonly nextAttemptAt: DateTime | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
};

/** What one attempt came to, as data; no attempt throws. */
export type DeliveryResult = {
  /** `disable`: the receiver said 410 and wants nothing more, of this event or any other: switch its endpoint off. */
  readonly outcome: 'delivered' | 'retry' | 'disable';
  readonly status?: number;
  readonly retryAfterMs?: number;
  /** A stable short code (`timeout`, `address_not_allowed`, `http_503`), never the peer's own words. */
  readonly error?: string;
};

/** A delivery that is due at once. */
export function newDelivery(eventId: string, now: DateTime): DeliveryState {
  return { eventId, status: 'pending', attempts: 0, nextAttemptAt: now, lastStatus: null, lastError: null };
}

/**
 * Takes a delivery that is due, under a lease, or gives null: not due yet, ended, or somebody else's.
 * A lease that ran out (its worker died) is taken over; the attempt it had begun counts, because the receiver
 * may have seen it. When that was the last one the state given back is `dead`, so that an event that kills its
 * worker does not do so for ever.
 * `leaseMs` must exceed the transport's time-out.
 */
export function beginDelivery(state: DeliveryState, now: DateTime, leaseMs: number): DeliveryState | null {
  if (state.nextAttemptAt === null || state.nextAttemptAt.toMillis() > now.toMillis()) return null;
  if (state.attempts >= MAX_ATTEMPTS) return { ...state, status: 'dead', nextAttemptAt: null };
  return { ...state, attempts: state.attempts + 1, nextAttemptAt: now.plus({ milliseconds: leaseMs }) };
}

/**
 * The state after an attempt. `begun` is what beginDelivery gave to this worker and `current` what stands now:
 * when they differ in `attempts`, the lease ran out and the attempt belongs to somebody else, so that only a
 * success still counts. `random` is in [0, 1) and only ever lengthens a wait.
 */
export function planDelivery(
  begun: DeliveryState,
  result: DeliveryResult,
  now: DateTime,
  random: number,
  current: DeliveryState = begun,
): DeliveryState {
  if (current.status !== 'pending') return current;
  const seen = { lastStatus: result.status ?? null, lastError: result.error ?? null };
  if (result.outcome === 'delivered')
    return { ...current, ...seen, status: 'delivered', nextAttemptAt: null };
  if (current.attempts !== begun.attempts) return current;
  const delay = ATTEMPT_DELAYS_MS[begun.attempts];
  if (result.outcome === 'disable' || delay === undefined) {
    return { ...current, ...seen, status: 'dead', nextAttemptAt: null };
  }
  const asked = Math.min(result.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
  const wait = Math.ceil(Math.max(delay, asked) * (1 + JITTER_SHARE * random));
  return { ...current, ...seen, nextAttemptAt: now.plus({ milliseconds: wait }) };
}

/** A dead or delivered delivery sent again on request: same id, a fresh table. */
export function replayDelivery(state: DeliveryState, now: DateTime): DeliveryState {
  return newDelivery(state.eventId, now);
}

/**
 * Whether an endpoint has only failed for too long. `failingSince` is its first failure after its last
 * success (null: it is not failing).
 */
export function endpointExhausted(failingSince: DateTime | null, now: DateTime): boolean {
  return failingSince !== null && now.diff(failingSince).toMillis() >= ENDPOINT_FAILING_LIMIT_MS;
}
