import { sql, type Transaction } from 'kysely';
import type { DB } from './database.generated.ts';

/**
 * Binds planned sessions to the sessions that match them, among the given mentorships: by the plan's reference
 * where an event carries it, else to the nearest session of that mentorship within the plan's tolerance. What a
 * cancelled session was bound to becomes open again. Binding twice changes nothing.
 */
export async function bindPlannedSessions(
  trx: Transaction<DB>,
  mentorshipIds: readonly number[],
): Promise<void> {
  if (mentorshipIds.length === 0) return;
  await sql`
    update cadenced.planned_session plan set session_id = null
      from cadenced.session
     where plan.mentorship_id = any (${mentorshipIds}::bigint[])
       and session.session_id = plan.session_id
       and session.status = 'cancelled'`.execute(trx);
  await sql`
    with bound_by_reference as (
      select distinct on (session.session_id) plan.plan_id, session.session_id
        from cadenced.planned_session plan
        join cadenced.session on session.mentorship_id = plan.mentorship_id and session.status = 'scheduled'
        join cadenced.event_copy copy on copy.occurrence_id = session.occurrence_id and copy.removed_at is null
       where plan.mentorship_id = any (${mentorshipIds}::bigint[])
         and plan.session_id is null and plan.withdrawn_at is null and plan.reference is not null
         and copy.matched @> jsonb_build_array(jsonb_build_object('rule', 'plan:' || plan.reference))
         and not exists (select from cadenced.planned_session other where other.session_id = session.session_id)
       order by session.session_id, abs(extract(epoch from session.starts_at - plan.starts_at)), plan.plan_id
    ), once_a_plan as (
      select distinct on (plan_id) plan_id, session_id from bound_by_reference order by plan_id, session_id
    )
    update cadenced.planned_session plan set session_id = once_a_plan.session_id
      from once_a_plan where once_a_plan.plan_id = plan.plan_id`.execute(trx);
  // Nearest pairs first; each round binds every pair that is the nearest for both sides, so a handful of rounds
  // settle any tangle, and a round that binds nothing ends it.
  for (;;) {
    const { rows } = await sql<{ plan_id: number }>`
      with pair as (
        select plan.plan_id, session.session_id,
               abs(extract(epoch from session.starts_at - plan.starts_at)) as distance
          from cadenced.planned_session plan
          join cadenced.session
            on session.mentorship_id = plan.mentorship_id and session.status = 'scheduled'
           and session.starts_at between plan.starts_at - plan.tolerance and plan.starts_at + plan.tolerance
         where plan.mentorship_id = any (${mentorshipIds}::bigint[])
           and plan.session_id is null and plan.withdrawn_at is null
           and not exists (select from cadenced.planned_session other where other.session_id = session.session_id)
      ), ranked as (
        select plan_id, session_id,
               row_number() over (partition by plan_id order by distance, session_id) as of_plan,
               row_number() over (partition by session_id order by distance, plan_id) as of_session
          from pair
      )
      update cadenced.planned_session plan set session_id = ranked.session_id
        from ranked
       where ranked.plan_id = plan.plan_id and of_plan = 1 and of_session = 1
      returning plan.plan_id`.execute(trx);
    if (rows.length === 0) return;
  }
}
