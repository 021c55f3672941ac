import { createHash } from 'node:crypto';
import {
  admin,
  type admin_directory_v1,
  type admin_reports_v1,
} from 'googleapis/build/src/apis/admin/index.js';
import { calendar, type calendar_v3 } from 'googleapis/build/src/apis/calendar/index.js';
import { meet, type meet_v2 } from 'googleapis/build/src/apis/meet/index.js';
import { type FailureKind, isFailure } from '../../domain/failure.ts';
import type { Log } from '../../runtime/log.ts';
import type { Credentials, JwtClient, Purpose } from './credentials.ts';
import { failureOfThrown } from './failures.ts';
import { createBudget, createBudgets, createLanes, type Pace, withRetries } from './request.ts';

export interface Apis {
  readonly calendar: calendar_v3.Calendar;
  readonly meet: meet_v2.Meet;
  readonly directory: admin_directory_v1.Admin;
  readonly reports: admin_reports_v1.Admin;
}

/** Parameters every request carries. */
export interface Identity {
  readonly auth: JwtClient;
  readonly quotaUser: string;
}

/** Options that every request must be given: the library's own retry is off, its missing time-out is ours. */
export interface SendOptions {
  readonly retry: false;
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** One request and how its answer is understood. `read` throws a Failure when the answer is not what it must be. */
export interface Call<T> {
  /** Google's name of the method, for logs and metrics. */
  readonly operation: string;
  readonly purpose: Purpose;
  /** The person in whose name it is made. */
  readonly subject: string;
  /** `false`: what may have been done in spite of a fault is not asked for again under the same name. */
  readonly repeatable?: false;
  send(apis: Apis, identity: Identity, options: SendOptions): Promise<{ readonly data: unknown }>;
  read(body: unknown): T;
}

/** What became of one request on the wire; Google bills by the day, so every one counts. */
export interface RequestReport {
  readonly provider: 'google';
  readonly operation: string;
  readonly outcome: 'ok' | FailureKind;
  /** Milliseconds it was held back to keep within the budget. */
  readonly waitedMs: number;
}

export interface GoogleClient {
  /**
   * Performs a call: waits for a place, fetches a token, repeats what passes, renews a refused token once.
   * @throws Failure, and nothing else
   */
  perform<T>(call: Call<T>, signal: AbortSignal): Promise<T>;
}

/** Milliseconds one attempt may take. Large pages need more than the rest. */
export interface TimeLimits {
  readonly list: number;
  readonly other: number;
  readonly token: number;
}
export const TIME_LIMITS: TimeLimits = { list: 60_000, other: 20_000, token: 10_000 };

/** What this process allows itself of the project's quota: requests a minute, and how many at once after a rest. */
export interface ProjectShare {
  readonly perMinute: number;
  readonly burst: number;
}
/** Of 10,000 a minute and project; the rest is left to other replicas and other programs of the project. */
export const PROJECT_SHARE: ProjectShare = { perMinute: 6_000, burst: 500 };
/**
 * Of what one quota user may: 600 a minute for Calendar and Meet, 2,400 for the Admin SDK. A burst counts in the next
 * minute as well, so burst and rate together stay below the limit.
 */
const USER_REQUESTS_PER_MINUTE: { readonly [P in Purpose]: number } = {
  calendar: 300,
  meet: 300,
  directory: 1_800,
  reports: 1_800,
};
const USER_BURST = 280;

const LARGE = new Set(['events.list', 'events.instances']);

/**
 * Builds the one door to Google's APIs.
 * @param options.apiUrl one origin for all APIs instead of Google's own; its path is ignored by the library
 */
export function createClient(options: {
  readonly credentials: Credentials;
  readonly apiUrl: string | undefined;
  readonly maxInFlight: number;
  readonly limits: TimeLimits;
  readonly share: ProjectShare;
  readonly pace: Pace;
  readonly log: Log;
  readonly onRequest: (report: RequestReport) => void;
}): GoogleClient {
  const { credentials, limits, share, pace, log } = options;
  const root = options.apiUrl === undefined ? {} : { rootUrl: options.apiUrl };
  const apis: Apis = {
    calendar: calendar({ version: 'v3', ...root }),
    meet: meet({ version: 'v2', ...root }),
    directory: admin({ version: 'directory_v1', ...root }),
    reports: admin({ version: 'reports_v1', ...root }),
  };
  const lanes = createLanes(options.maxInFlight);
  const budget = createBudget(share.perMinute, share.burst, pace);
  const users = createBudgets(USER_BURST, pace);

  /** Waits until the person's and the project's share allow a request. @returns the milliseconds it waited */
  async function turn({ subject, purpose }: Call<unknown>, signal: AbortSignal): Promise<number> {
    const own = await users.take(`${purpose} ${subject}`, USER_REQUESTS_PER_MINUTE[purpose], signal);
    return own + (await budget.take(signal));
  }

  async function attempt<T>(
    call: Call<T>,
    signal: AbortSignal,
    waitedMs: number,
    renewed: boolean,
  ): Promise<T> {
    const auth = await credentials.ready(call.subject, call.purpose, signal);
    const timeout = LARGE.has(call.operation) ? limits.list : limits.other;
    try {
      const identity = { auth, quotaUser: quotaUserOf(call.subject) };
      const answer = await call.send(apis, identity, { retry: false, timeout, signal });
      const understood = call.read(answer.data);
      options.onRequest({ provider: 'google', operation: call.operation, outcome: 'ok', waitedMs });
      return understood;
    } catch (error) {
      const failed = failureOfThrown(error, call.operation, signal);
      options.onRequest({ provider: 'google', operation: call.operation, outcome: failed.kind, waitedMs });
      if (failed.code !== 'token_refused') throw failed;
      credentials.forget(call.subject, call.purpose, auth);
      if (renewed) throw failed;
    }
    return attempt(call, signal, 0, true);
  }

  return {
    async perform(call, signal) {
      const onRetry = (failed: { code: string; kind: string }, waitMs: number) =>
        log.debug(
          { operation: call.operation, kind: failed.kind, code: failed.code, waitMs: Math.round(waitMs) },
          'google call is repeated',
        );
      try {
        return await lanes.ofCalendar(call.subject, signal, () =>
          withRetries(
            async () => {
              const waited = await turn(call, signal);
              return lanes.ofAll(signal, () => attempt(call, signal, waited, false));
            },
            { ...pace, repeatable: call.repeatable ?? true },
            signal,
            onRetry,
          ),
        );
      } catch (error) {
        throw isFailure(error) ? error : failureOfThrown(error, call.operation, signal);
      }
    },
  };
}

/**
 * Whom Google charges a request to. Without it all delegated requests share the service account's 600 a minute.
 * A hash, because at most 40 characters are allowed and the address need not stand in a URL.
 * https://developers.google.com/workspace/calendar/api/guides/quota
 */
export function quotaUserOf(subject: string): string {
  return createHash('sha256').update(subject).digest('hex').slice(0, 40);
}
