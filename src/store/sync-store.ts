import { type Kysely, sql } from 'kysely';
import type { Failure } from '../domain/failure.ts';
import type { Instant, Provider } from '../domain/observation.ts';
import type { TagRule } from '../domain/program.ts';
import type { TagSearch } from '../domain/tags.ts';
import type { CalendarAtRest, SyncStore } from '../ports/sync-store.ts';
import { applyPass } from './apply-pass.ts';
import { calendarEventDraft } from './calendar-events.ts';
import { loadCandidateSearch } from './candidates.ts';
import type { DB } from './database.generated.ts';
import { appendOutboundEvents } from './outbound.ts';
import { SECOND_LOOK_AGAIN } from './spoken-words.ts';
import { discardStaged, knownNames, stageRows } from './staging.ts';

export interface SyncStoreOptions {
  /** How often a calendar is polled; spread by +-25 %. */
  readonly pollEveryMs: number;
  /** The same while a push channel that works is open; as often when not given. */
  readonly pollWithPushMs?: number;
}

/** How long a calendar that cannot be read is left alone, by state. Policies take more than an hour to act. */
const PROBE_EVERY = { denied: '1 hour', needs_consent: '1 hour', gone: '1 day' } as const;
/**
 * Not-found answers that make a calendar gone: this many in a row, over more than an hour. Google answers 404 both to
 * what no longer exists and to what can no longer be seen: https://developers.google.com/workspace/calendar/api/guides/errors
 */
const STRIKES = 3;

/** The sync's side of the store. */
export function createSyncStore(db: Kysely<DB>, options: SyncStoreOptions): SyncStore {
  return {
    async begin(calendarId, ifDue = false) {
      const { rows } = await sql<{ calendar: Omit<CalendarAtRest, 'candidates'>; candidates: boolean }>`
        update cadenced.calendar set last_attempt_at = (select cadenced.now()), push_taken_at = now(),
               look_again_at = case when look_again_at > now() then look_again_at
                 when pushed_at + ${SECOND_LOOK_AGAIN}::interval > now() then pushed_at + ${SECOND_LOOK_AGAIN}::interval end
         where calendar_id = ${calendarId} and retired_at is null
           and (not ${ifDue} or next_poll_at <= now() or look_again_at <= now())
        returning jsonb_build_object(
          'calendarId', calendar_id, 'provider', provider, 'address', address, 'state', state,
          -- Of several programs the oldest that goes on: which one it is matters less than that it stays the same.
          'timeZone', coalesce(
             (select time_zone from cadenced.person where person.person_id = calendar.person_id),
             (select time_zone from cadenced.program where program.program_id = calendar.program_id),
             (select program.time_zone
                from cadenced.membership
                join cadenced.mentorship using (mentorship_id) join cadenced.program using (program_id)
               where membership.person_id = calendar.person_id
               order by mentorship.ends_on is not null, program_id limit 1)),
          'generation', sync_generation, 'cursor', cursor, 'cursorVersion', cursor_version,
          'window', case when window_from is null then null else jsonb_build_object(
             'from', (extract(epoch from window_from) * 1000)::bigint,
             'until', (extract(epoch from window_until) * 1000)::bigint) end,
          'fullPassWanted', full_pass_wanted, 'reconcileWanted', reconcile_wanted,
          'holdsCopies', exists (select from cadenced.event_copy
                                  where event_copy.calendar_id = calendar.calendar_id and removed_at is null),
          'wanted', (select coalesce(jsonb_agg(jsonb_build_object('lineage', lineage, 'uid', uid,
                       'window', jsonb_build_object(
                          'from', (extract(epoch from around_from) * 1000)::bigint,
                          'until', (extract(epoch from around_until) * 1000)::bigint)) order by lineage, uid), '[]')
                       from cadenced.wanted_meeting where wanted_meeting.calendar_id = calendar.calendar_id)
        ) as calendar,
          -- Most programs ask for none, and a poll that finds nothing should ask no more than it must.
          exists (select from cadenced.program_policy rules
                   where rules.valid_until is null and rules.policy -> 'candidates' = 'true')
          or exists (select from cadenced.candidate_event
                      where candidate_event.calendar_id = calendar.calendar_id) as candidates`.execute(db);
      const [row] = rows;
      if (row === undefined) return null;
      const candidates = row.candidates ? await loadCandidateSearch(db, calendarId) : null;
      return { ...row.calendar, candidates };
    },

    async tagSearches() {
      const { rows } = await sql<{ program: string; rules: TagRule[]; references: string[] | null }>`
        select program.name as program, policy.policy -> 'tags' as rules,
               (select array_agg(plan.reference order by plan.plan_id)
                  from cadenced.planned_session plan
                  join cadenced.mentorship on mentorship.mentorship_id = plan.mentorship_id
                 where mentorship.program_id = program.program_id and plan.reference is not null
                   and plan.withdrawn_at is null
                   and plan.ends_at > (select cadenced.now()) - interval '35 days') as references
          from cadenced.program
          join cadenced.program_policy policy
            on policy.program_id = program.program_id and policy.valid_until is null
         order by program.name`.execute(db);
      return rows.map((row): TagSearch => ({ ...row, references: row.references ?? [] }));
    },

    known: (calendarId, names) => knownNames(db, calendarId, names),
    stage: (calendarId, passId, rows) => stageRows(db, calendarId, passId, rows),
    discard: (calendarId, passId) => discardStaged(db, calendarId, passId),
    apply: (calendarId, pass) =>
      applyPass(db, calendarId, pass, { pollWithPushMs: options.pollEveryMs, ...options }),
    fail: (calendarId, problem, now) => recordFailure(db, calendarId, problem, now, options.pollEveryMs),
  };
}

/** Refusals that only the person (or whoever consents for them) can mend. */
const CONSENT = new Set(['grant_refused', 'session_control', 'token_refused']);

type Unreadable = 'denied' | 'gone' | 'needs_consent';

/** The state that a failure puts a calendar in by itself; `null` leaves the state alone. */
function stateAfter(problem: Failure, struckOut: boolean): Unreadable | 'throttled' | null {
  switch (problem.kind) {
    case 'throttled':
      return 'throttled';
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

async function recordFailure(
  db: Kysely<DB>,
  calendarId: number,
  problem: Failure,
  now: Instant,
  pollEveryMs: number,
): Promise<void> {
  // A provider that forgets its cursors again and again still has the calendar.
  const strike = problem.kind === 'gone' && problem.code !== 'cursor_lost';
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{
      provider: Provider;
      address: string;
      state: string;
      strikes: number;
      long_enough: boolean;
      failures: number;
      last_complete_pass_at: Date | null;
    }>`
      update cadenced.calendar set
        strikes = strikes + case when ${strike} then 1 else 0 end,
        first_strike_at = case when ${strike} then coalesce(first_strike_at, now()) else first_strike_at end,
        failures = failures + 1
       where calendar_id = ${calendarId}
      returning provider, address, state, strikes, failures, last_complete_pass_at,
                coalesce(first_strike_at < now() - interval '1 hour', false) as long_enough`.execute(trx);
    const calendar = rows[0];
    if (!calendar) return;
    const state =
      stateAfter(problem, strike && calendar.strikes >= STRIKES && calendar.long_enough) ?? calendar.state;
    const unreadable = state in PROBE_EVERY;
    // Doubling from fifteen seconds, never rarer than the poll itself; an unreadable calendar has its own rhythm.
    const backoffMs = Math.max(
      problem.retryAfterMs ?? 0,
      Math.min(15_000 * 2 ** Math.min(calendar.failures - 1, 20), pollEveryMs),
    );
    const probe = unreadable ? PROBE_EVERY[state as Unreadable] : null;
    await sql`
      update cadenced.calendar set
        state = ${state},
        state_reason = case when ${state} in ('active', 'parked') then state_reason else ${problem.code} end,
        state_since = case when state = ${state} then state_since else ${new Date(now)} end,
        next_probe_at = now() + ${probe}::interval,
        next_poll_at = now() + coalesce(${probe}::interval, make_interval(secs => ${backoffMs / 1000}::double precision * (0.75 + random() / 2)))
       where calendar_id = ${calendarId}`.execute(trx);
    if (unreadable && !(calendar.state in PROBE_EVERY)) {
      await appendOutboundEvents(trx, [
        calendarEventDraft('calendar.disconnected', { ...calendar, state }, new Date(now), {
          reason: problem.code,
          last_complete_pass_at: calendar.last_complete_pass_at,
        }),
      ]);
    }
  });
}
