import { setTimeout as wait } from 'node:timers/promises';
import PQueue from 'p-queue';
import { type Failure, failure, retryable } from '../../domain/failure.ts';
import { thrownFailure } from './failures.ts';

/** Waiting, chance, and the machine's steady clock: replaced in tests, all of them together. */
export type Pacing = {
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<unknown>) | undefined;
  /** In [0, 1). */
  readonly random?: (() => number) | undefined;
  /** Milliseconds since any fixed moment. */
  readonly elapsed?: (() => number) | undefined;
};

export type Requester = {
  /**
   * Runs one attempt, again where that may help, within the limits of the mailbox and of the whole provider.
   * @param mailbox whose concurrency it counts against
   * @param repeat `once` where an attempt without an answer may have been done all the same, or where the first answer
   *   is the one that is wanted: it is made again only after a refusal (429, 401)
   * @throws Failure; `throttled` with `retryAfterMs` where waiting would take longer than a caller can hold on
   */
  run<T>(
    mailbox: string,
    attempt: () => Promise<T>,
    signal: AbortSignal,
    repeat?: 'may_repeat' | 'once',
  ): Promise<T>;
};

/** Graph allows four in flight per app and mailbox, and copies of its documentation disagree about the scope. */
const IN_FLIGHT_PER_MAILBOX = 2;
const MAX_ATTEMPTS = 5;
/** All waits of one request together. */
const MAX_WAIT_MS = 20_000;
/** No attempt begins later than this after the first, however short the waits were. */
const LAST_START_MS = 60_000;
const FIRST_DELAY_MS = 500;
/** Told to the scheduler when Graph throttles without saying for how long. */
const UNSTATED_THROTTLE_MS = 60_000;

/** The outcome of a turn in the queue that was not used. */
const BLOCKED = Symbol('blocked');

type Mailbox = { readonly queue: PQueue; users: number; blockedUntil: number };

/** A gate that is always open: every attempt is made at once, and once. For probing only. */
export const UNPACED: Requester = { run: (_mailbox, attempt) => attempt() };

/** Makes the one gate through which every request to Graph passes. */
export function createRequester(settings: { readonly maxInFlight: number }, pacing: Pacing): Requester {
  const sleep = pacing.sleep ?? ((ms, signal) => wait(ms, undefined, { signal }));
  const random = pacing.random ?? Math.random;
  const elapsed = pacing.elapsed ?? (() => performance.now());
  const all = new PQueue({ concurrency: settings.maxInFlight });
  const mailboxes = new Map<string, Mailbox>();

  function enter(key: string): Mailbox {
    const box = mailboxes.get(key) ?? {
      queue: new PQueue({ concurrency: IN_FLIGHT_PER_MAILBOX }),
      users: 0,
      blockedUntil: 0,
    };
    box.users += 1;
    mailboxes.set(key, box);
    return box;
  }

  function leave(key: string, box: Mailbox): void {
    box.users -= 1;
    if (box.users === 0 && box.blockedUntil <= elapsed()) mailboxes.delete(key);
  }

  /** Half to all of 0.5, 1, 2, 4 s: requests that failed together do not come back together. */
  const backoff = (tries: number) => FIRST_DELAY_MS * 2 ** (tries - 1) * (0.5 + random() / 2);

  /** One attempt, unless somebody ahead in the queue was throttled in the meantime. */
  async function takeTurn<T>(box: Mailbox, attempt: () => Promise<T>): Promise<T | typeof BLOCKED> {
    if (box.blockedUntil > elapsed()) return BLOCKED;
    try {
      return await attempt();
    } catch (error) {
      const failed = thrownFailure(error);
      // Before the turn ends, for the next one begins with its end.
      if (failed.kind === 'throttled') {
        box.blockedUntil = Math.max(box.blockedUntil, elapsed() + (failed.retryAfterMs ?? FIRST_DELAY_MS));
      }
      throw failed;
    }
  }

  async function tries<T>(
    box: Mailbox,
    attempt: () => Promise<T>,
    signal: AbortSignal,
    repeat: 'may_repeat' | 'once',
  ): Promise<T> {
    const begun = elapsed();
    let waited = 0;
    let renewed = false;
    for (let made = 1; ; made += 1) {
      const blocked = box.blockedUntil - elapsed();
      if (blocked > 0) {
        // Requests made while throttled still count against the quota.
        if (waited + blocked > MAX_WAIT_MS) {
          throw failure.throttled('throttled', { provider: 'microsoft', retryAfterMs: blocked });
        }
        waited += blocked;
        await sleep(blocked, signal);
      }
      let failed: Failure;
      try {
        const turn = () => takeTurn(box, attempt);
        const outcome = await box.queue.add(() => all.add(turn, { signal }), { signal });
        if (outcome !== BLOCKED) return outcome;
        made -= 1;
        continue;
      } catch (error) {
        failed = thrownFailure(error);
      }
      if (signal.aborted) throw failed;
      if (failed.kind === 'auth' && failed.code === 'token_refused' && !renewed) {
        // The token was revoked or outlived its welcome; the attempt fetches a new one, once.
        renewed = true;
        continue;
      }
      if (!retryable(failed.kind) || (repeat === 'once' && failed.kind !== 'throttled')) throw failed;
      const delay = Math.max(failed.retryAfterMs ?? 0, backoff(made));
      if (failed.kind === 'throttled') box.blockedUntil = Math.max(box.blockedUntil, elapsed() + delay);
      const tooLong = waited + delay > MAX_WAIT_MS || elapsed() - begun > LAST_START_MS;
      if (tooLong || made >= MAX_ATTEMPTS) throw handedBack(failed, delay);
      // A throttled mailbox is waited for above, together with everybody else who wants it.
      if (failed.kind === 'throttled') continue;
      waited += delay;
      await sleep(delay, signal);
    }
  }

  return {
    async run(key, attempt, signal, repeat = 'may_repeat') {
      const box = enter(key);
      try {
        return await tries(box, attempt, signal, repeat);
      } catch (error) {
        // A caller may abort with any reason of its own.
        throw signal.aborted ? failure.transient('aborted', { provider: 'microsoft' }) : thrownFailure(error);
      } finally {
        leave(key, box);
      }
    },
  };
}

/** What a scheduler is told: when the other side asked for a wait, that wait. */
function handedBack(failed: Failure, delay: number): Failure {
  const { detail, status } = failed;
  if (failed.kind === 'throttled') {
    const retryAfterMs = Math.max(failed.retryAfterMs ?? UNSTATED_THROTTLE_MS, delay);
    return failure.throttled(failed.code, { provider: 'microsoft', retryAfterMs, detail, status });
  }
  if ((failed.retryAfterMs ?? 0) > MAX_WAIT_MS) {
    return failure.throttled('unavailable', { provider: 'microsoft', retryAfterMs: delay, detail, status });
  }
  return failed;
}
