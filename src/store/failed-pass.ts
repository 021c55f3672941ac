import { type Kysely, sql } from 'kysely';
import type { Failure } from '../domain/failure.ts';
import type { Instant, Provider } from '../domain/observation.ts';
import { calendarEventDraft } from './calendar-events.ts';
import type { DB } from './database.generated.ts';
import { appendOutboundEvents } from './outbound.ts';

/** What a pass that failed says of its calendar: the state, and when it is tried again. */

/** How long a calendar that cannot be read is left alone, by state. Policies take more than an hour to act. */
const PROBE_EVERY_MS = { denied: 3_600_000, needs_consent: 3_600_000, gone: 86_400_000 } as const;
/**
 * Not-found answers that make a calendar gone: this many in a row, over more than an hour. Google answers 404 both to
 * what no longer exists and to what can no longer be seen: https://developers.google.com/workspace/calendar/api/guides/errors
 */
const STRIKES = 3;
const FIRST_BACKOFF_MS = 15_000;

/** Refusals that only the person (or whoever consents for them) can mend. */
const CONSENT = new Set(['grant_refused', 'session_control', 'token_refused']);

type Unreadable = keyof typeof PROBE_EVERY_MS;

function isUnreadable(state: string): state is Unreadable {
  return state in PROBE_EVERY_MS;
}

/** The state that a failure puts a calendar in by itself; `null` leaves the state alone. */
function stateAfter(problem: Failure, state: string, struckOut: boolean): Unreadable | 'throttled' | null {
  switch (problem.kind) {
    case 'throttled':
      // Whoever is told to wait at a probe has not learnt that the calendar can be read.
      return isUnreadable(state) ? null : 'throttled';
    case 'gone':
      // A 404 may be lost access, a hiccup, or the end: only repeated over time is it believed.
      return struckOut ? 'gone' : null;
    case 'auth':
      // A refused token is for its person to renew; a refused calendar is for an administrator to grant.
      return CONSENT.has(problem.code) ? 'needs_consent' : 'denied';
    case 'permanent':
      return 'denied';
    case 'config':
      // A wrong key or scope is everybody's: it is told once by whoever configures, not once a calendar.
      return null;
    case 'transient':
    case 'bug':
      return null;
  }
}

interface FailedCalendar {
  readonly provider: Provider;
  readonly address: string;
  readonly state: string;
  readonly strikes: number;
  readonly long_enough: boolean;
  readonly failures: number;
  readonly last_complete_pass_at: Date | null;
}

/** Writes down that a pass failed, and tells when the calendar was lost by it. */
export async function recordFailure(
  db: Kysely<DB>,
  calendarId: number,
  problem: Failure,
  now: Instant,
  pollEveryMs: number,
): Promise<void> {
  // A provider that forgets its cursors again and again still has the calendar.
  const strike = problem.kind === 'gone' && problem.code !== 'cursor_lost';
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<FailedCalendar>`
      update cadenced.calendar set
        strikes = strikes + case when ${strike} then 1 else 0 end,
        first_strike_at = case when ${strike} then coalesce(first_strike_at, now()) else first_strike_at end,
        failures = failures + 1
       where calendar_id = ${calendarId}
      returning provider, address, state, strikes, failures, last_complete_pass_at,
                coalesce(first_strike_at < now() - interval '1 hour', false) as long_enough`.execute(trx);
    const calendar = rows[0];
    if (!calendar) return;
    const struckOut = strike && calendar.strikes >= STRIKES && calendar.long_enough;
    const becomes = stateAfter(problem, calendar.state, struckOut);
    const state = becomes ?? calendar.state;
    const asked = problem.kind === 'throttled' || problem.retryAfterMs !== undefined;
    // Never less than was asked for; what we wait by our own measure is spread either way.
    await sql`
      update cadenced.calendar set
        state = ${state},
        state_reason = case when ${becomes !== null} then ${problem.code} else state_reason end,
        state_since = case when state = ${state} then state_since else ${new Date(now)} end,
        next_probe_at = case when ${isUnreadable(state)} then now() + wait end,
        next_poll_at = now() + wait,
        hold_until = case when ${asked} then now() + wait end
        from (select greatest(${seconds(problem.retryAfterMs ?? 0)} * (1 + random() / 4),
                              ${seconds(backoffMs(problem, calendar, state, pollEveryMs))} * (0.75 + random() / 2)) as wait) as its
       where calendar_id = ${calendarId}`.execute(trx);
    if (isUnreadable(state) && !isUnreadable(calendar.state)) {
      await appendOutboundEvents(trx, [
        calendarEventDraft('calendar.disconnected', { ...calendar, state }, new Date(now), {
          reason: problem.code,
          last_complete_pass_at: calendar.last_complete_pass_at,
        }),
      ]);
    }
  });
}

function seconds(ms: number) {
  return sql`make_interval(secs => ${ms / 1000}::double precision)`;
}

/**
 * How long we wait of our own accord: doubling, never rarer than the poll itself. An unreadable calendar has its own
 * rhythm, unless its probe was not let through: that is made up for.
 */
function backoffMs(
  problem: Failure,
  { failures }: FailedCalendar,
  state: string,
  pollEveryMs: number,
): number {
  if (isUnreadable(state) && problem.kind !== 'throttled') return PROBE_EVERY_MS[state];
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 20), pollEveryMs);
}
