import { type Kysely, sql } from 'kysely';
import type { TagRule } from '../domain/program.ts';
import type { TagSearch } from '../domain/tags.ts';
import type { CalendarAtRest, SyncStore } from '../ports/sync-store.ts';
import { applyPass } from './apply-pass.ts';
import { loadCandidateSearch } from './candidates.ts';
import type { DB } from './database.generated.ts';
import { recordFailure } from './failed-pass.ts';
import { SECOND_LOOK_AGAIN, SECOND_LOOK_IS_DUE } from './spoken-words.ts';
import { discardStaged, knownNames, stageRows } from './staging.ts';

export interface SyncStoreOptions {
  /** How often a calendar is polled; spread by +-25 %. */
  readonly pollEveryMs: number;
  /** The same while a push channel that works is open; as often when not given. */
  readonly pollWithPushMs?: number;
  /** How often a calendar's whole window is compared again; spread by +-25 %; a day when not given. */
  readonly reconcileEveryMs?: number;
}

const A_DAY_MS = 86_400_000;
/** The sync's side of the store. */
export function createSyncStore(db: Kysely<DB>, options: SyncStoreOptions): SyncStore {
  return {
    async begin(calendarId, ifDue = false) {
      const { rows } = await sql<{ calendar: Omit<CalendarAtRest, 'candidates'>; candidates: boolean }>`
        update cadenced.calendar set last_attempt_at = (select cadenced.now()), push_taken_at = now(),
               look_again_at = case when look_again_at > now() then look_again_at
                 when pushed_at + ${SECOND_LOOK_AGAIN}::interval > now() then pushed_at + ${SECOND_LOOK_AGAIN}::interval end
         where calendar_id = ${calendarId} and retired_at is null
           and (not ${ifDue} or next_poll_at <= now() or ${SECOND_LOOK_IS_DUE})
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
      applyPass(db, calendarId, pass, {
        pollWithPushMs: options.pollEveryMs,
        reconcileEveryMs: A_DAY_MS,
        ...options,
      }),
    fail: (calendarId, problem, now) => recordFailure(db, calendarId, problem, now, options.pollEveryMs),
  };
}
