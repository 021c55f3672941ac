import { type Kysely, sql, type Transaction } from 'kysely';
import { type Failure, retryable } from '../domain/failure.ts';
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
/**
 * How long a calendar is left alone that a wrong setting keeps from being read, at most; and how often one of all those
 * with the same fault asks, so that it is noticed soon when somebody has mended it.
 */
const MOST_CONFIG_BACKOFF_MS = 1_800_000;
const CONFIG_ASKED_EVERY_MS = 60_000;

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
    // A wrong key or scope is everybody's: it is told once to whoever configures, and no calendar is to blame.
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
    const own = await backoffMs(trx, problem, calendar, state, pollEveryMs);
    // Never less than was asked for; what we wait by our own measure is spread either way.
    await sql`
      update cadenced.calendar set
        state = ${state},
        state_reason = case when ${becomes !== null} then ${problem.code} else state_reason end,
        state_since = case when state = ${state} then state_since else ${new Date(now)} end,
        -- What says nothing about the calendar does not say either that the setting was mended.
        config_fault = case when ${problem.kind === 'config'} then ${problem.code}
          when ${retryable(problem.kind) || problem.kind === 'bug'} then config_fault end,
        next_probe_at = case when ${isUnreadable(state)} then now() + wait end,
        next_poll_at = now() + wait,
        hold_until = case when ${asked} then now() + wait end
        from (select greatest(${seconds(problem.retryAfterMs ?? 0)} * (1 + random() / 4),
                              ${seconds(own)} * (0.75 + random() / 2)) as wait) as its
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
async function backoffMs(
  trx: Transaction<DB>,
  problem: Failure,
  { provider, failures }: FailedCalendar,
  state: string,
  pollEveryMs: number,
): Promise<number> {
  if (isUnreadable(state) && problem.kind !== 'throttled') return PROBE_EVERY_MS[state];
  const most = problem.kind === 'config' ? await mostConfigMs(trx, provider, problem.code) : pollEveryMs;
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 20), most);
}

/** The more calendars have the fault, the rarer each of them asks. */
async function mostConfigMs(trx: Transaction<DB>, provider: Provider, code: string): Promise<number> {
  const enough = MOST_CONFIG_BACKOFF_MS / CONFIG_ASKED_EVERY_MS;
  const { rows } = await sql<{ others: number }>`
    select count(*)::int as others from (
      select from cadenced.calendar
       where provider = ${provider} and config_fault = ${code} and retired_at is null limit ${enough}) as few`.execute(
    trx,
  );
  return Math.max(rows[0]?.others ?? 0, 1) * CONFIG_ASKED_EVERY_MS;
}

/** Over how long the calendars are spread that become due together because a setting was mended. */
const MENDED_SPREAD = '1 minute';

/**
 * A calendar was read that a setting had kept from it: whoever else was kept by the same need not wait on. Those that
 * ask soon are left alone, so that a thousand calendars that come back do not wake each other a thousand times.
 */
export async function wakeMended(db: Kysely<DB>, provider: Provider, code: string): Promise<void> {
  await sql`
    update cadenced.calendar set next_poll_at = now() + random() * ${MENDED_SPREAD}::interval
     where calendar_id in (
       -- One that is locked is being read, or woken by somebody else.
       select calendar_id from cadenced.calendar
        where provider = ${provider} and config_fault = ${code} and retired_at is null
          and state in ('active', 'parked', 'throttled') and next_poll_at > now() + ${MENDED_SPREAD}::interval
        order by calendar_id for no key update skip locked)`.execute(db);
}
