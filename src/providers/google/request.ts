import PQueue from 'p-queue';
import { Failure, isFailure } from '../../domain/failure.ts';

/** What waits and what varies, given from outside so that tests need not live through it. */
export interface Pace {
  /** Resolves after the milliseconds, rejects when the signal aborts first. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** From 0 (included) to 1 (excluded). */
  random(): number;
}

/** A worker that waits longer than this keeps other calendars from their turn. */
const LONGEST_WAIT_MS = 20_000;
const LONGEST_STEP_MS = 64_000;
const MAX_ATTEMPTS = 5;
/** Each costs its whole time-out, so the second is the last. */
const MAX_TIMED_OUT_ATTEMPTS = 2;
/** No attempt begins later than this after the first: slow refusals must not hold a worker for minutes. */
const LAST_START_MS = 60_000;
const PER_CALENDAR = 4;

/**
 * Repeats an attempt that failed for a reason that passes. Google's rule for rate limits is a truncated
 * exponential wait with a random part (https://developers.google.com/workspace/calendar/api/guides/quota);
 * the client library has neither and ignores `Retry-After`. All waits together stay within 20 s.
 * @throws the last Failure; `throttled` carries in `retryAfterMs` the wait that was too long to be made here
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  pace: Pace & { readonly repeatable?: boolean },
  signal: AbortSignal,
  onRetry: (failed: Failure, waitMs: number) => void,
): Promise<T> {
  const begun = performance.now();
  let waited = 0;
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isFailure(error) || signal.aborted || !worthRepeating(error, made)) throw error;
      // A refusal for want of quota did nothing; a fault may have come after the deed.
      if (pace.repeatable === false && error.kind === 'transient') throw error;
      const wait = waitBefore(made + 1, error, pace.random());
      const tooLate = waited + wait > LONGEST_WAIT_MS || performance.now() - begun >= LAST_START_MS;
      if (tooLate || made >= MAX_ATTEMPTS) throw postponed(error, wait);
      onRetry(error, wait);
      await pace.sleep(wait, signal).catch(() => undefined);
      if (signal.aborted) throw error;
      waited += wait;
    }
  }
}

function worthRepeating(failed: Failure, made: number): boolean {
  if (failed.kind === 'throttled') return true;
  if (failed.kind !== 'transient') return false;
  return failed.code !== 'timed_out' || made < MAX_TIMED_OUT_ATTEMPTS;
}

/** Milliseconds before the `next`-th attempt (the first repetition is the 2nd). */
function waitBefore(next: number, failed: Failure, random: number): number {
  const jitter = random * 1000;
  if (failed.retryAfterMs !== undefined) return failed.retryAfterMs + jitter;
  const step = failed.kind === 'throttled' ? 1000 : 250;
  return Math.min(LONGEST_STEP_MS, step * 2 ** (next - 2) + jitter);
}

function postponed(failed: Failure, waitMs: number): Failure {
  if (failed.kind !== 'throttled') return failed;
  return new Failure('throttled', failed.code, {
    provider: 'google',
    status: failed.status,
    detail: failed.detail,
    retryAfterMs: Math.ceil(waitMs),
  });
}

/** Bounds on requests in flight: a few for each calendar, and one number for all of Google. */
export interface Lanes {
  /** Holds a place of the calendar for a whole exchange, its waits included: a throttled calendar slows itself. */
  ofCalendar<T>(calendar: string, signal: AbortSignal, exchange: () => Promise<T>): Promise<T>;
  /** Holds one of all places, for a single attempt only: whoever waits for a repetition blocks nobody else. */
  ofAll<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T>;
}

/** Builds the queues. `maxInFlight` is the number of requests to Google in flight at once, of all calendars. */
export function createLanes(maxInFlight: number): Lanes {
  const all = new PQueue({ concurrency: maxInFlight });
  const calendars = new Map<string, PQueue>();
  return {
    async ofCalendar(calendar, signal, exchange) {
      const lane = calendars.get(calendar) ?? new PQueue({ concurrency: PER_CALENDAR });
      calendars.set(calendar, lane);
      try {
        return await lane.add(exchange, { signal });
      } finally {
        // Thousands of calendars pass through; a lane that nobody waits in is not kept.
        if (lane.size === 0 && lane.pending === 0 && calendars.get(calendar) === lane)
          calendars.delete(calendar);
      }
    },
    ofAll: (signal, attempt) => all.add(attempt, { signal }),
  };
}

/** The share of a quota that this process allows itself, evened out: whoever comes too early waits for their turn. */
export interface Budget {
  /** Resolves when a request may go out. @returns the milliseconds it waited */
  take(signal: AbortSignal): Promise<number>;
}

/** Budgets of many, one for each key, that are forgotten once they are whole again. */
export interface Budgets {
  /** As `Budget.take`, of the share that belongs to the key. */
  take(key: string, perMinute: number, signal: AbortSignal): Promise<number>;
}

const BUDGETS_KEPT = 1_000;

/**
 * Builds budgets for the limit of each quota user, so that a mailbox of thousands of series is read slowly instead
 * of being refused for a minute, given up and begun anew, for ever.
 * @param burst how many requests of one key may go out at once after a rest
 */
export function createBudgets(burst: number, pace: Pace): Budgets {
  const known = new Map<string, { readonly budget: Budget; wholeAt: number }>();
  return {
    take(key, perMinute, signal) {
      const now = performance.now();
      if (known.size >= BUDGETS_KEPT) {
        for (const [other, { wholeAt }] of known) if (wholeAt <= now) known.delete(other);
      }
      const entry = known.get(key) ?? { budget: createBudget(perMinute, burst, pace), wholeAt: 0 };
      known.set(key, entry);
      // Each request pushes it back by its own share of the minute.
      entry.wholeAt = Math.max(entry.wholeAt, now) + 60_000 / perMinute;
      return entry.budget.take(signal);
    },
  };
}

/**
 * Builds a token bucket. Google counts in a sliding minute, so a burst today is a refusal in the next minute: a
 * storm of full passes after lost cursors is spread here, before Google has to refuse it.
 * @param perMinute requests a minute in the long run
 * @param burst how many may go out at once after a rest
 */
export function createBudget(perMinute: number, burst: number, pace: Pace): Budget {
  const apart = 60_000 / perMinute;
  let nextAt = Number.NEGATIVE_INFINITY;
  return {
    async take(signal) {
      const now = performance.now();
      nextAt = Math.max(nextAt, now - burst * apart) + apart;
      const wait = nextAt - now;
      if (wait <= 0) return 0;
      // Not all at the same moment as others that wait: a little later each, by chance.
      const waited = wait + pace.random() * apart;
      await pace.sleep(waited, signal);
      return waited;
    },
  };
}
