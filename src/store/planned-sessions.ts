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
  // Two calendars applied at once must not give one plan to two sessions. In order, so that neither waits in turn.
  await sql`
    select mentorship_id from cadenced.mentorship
     where mentorship_id = any (${[...mentorshipIds]}::bigint[])
     order by mentorship_id for no key update`.execute(trx);
  await sql`
    update cadenced.planned_session plan set session_id = null
      from cadenced.session
     where plan.mentorship_id = any (${[...mentorshipIds]}::bigint[])
       and session.session_id = plan.session_id
       and session.status = 'cancelled'`.execute(trx);
  await bindNearest(
    trx,
    mentorshipIds,
    sql`plan.reference is not null and exists (
          select from cadenced.event_copy copy
           where copy.occurrence_id = session.occurrence_id and copy.removed_at is null
             and copy.matched @> jsonb_build_array(jsonb_build_object('rule', 'plan:' || plan.reference)))`,
  );
  await bindNearest(
    trx,
    mentorshipIds,
    sql`session.starts_at between plan.starts_at - plan.tolerance and plan.starts_at + plan.tolerance`,
  );
}

/**
 * Nearest pairs first; each round binds every pair that is the nearest for both sides, so a handful of rounds
 * settle any tangle, and a round that binds nothing ends it.
 */
async function bindNearest(
  trx: Transaction<DB>,
  mentorshipIds: readonly number[],
  fits: ReturnType<typeof sql>,
): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ plan_id: number }>`
      with pair as (
        select plan.plan_id, session.session_id,
               abs(extract(epoch from session.starts_at - plan.starts_at)) as distance
          from cadenced.planned_session plan
          join cadenced.session
            on session.mentorship_id = plan.mentorship_id and session.status = 'scheduled'
         where plan.mentorship_id = any (${[...mentorshipIds]}::bigint[])
           and plan.session_id is null and plan.withdrawn_at is null
           and not exists (select from cadenced.planned_session other where other.session_id = session.session_id)
           and ${fits}
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

/** The mentorships that this calendar carries and that have a plan to bind: it may have been written after the event. */
export async function mentorshipsWithOpenPlans(
  trx: Transaction<DB>,
  calendarId: number,
): Promise<readonly number[]> {
  const { rows } = await sql<{ mentorship_id: number }>`
    select distinct plan.mentorship_id
      from cadenced.calendar
      join cadenced.mentorship
        on mentorship.program_id = calendar.program_id
        or mentorship.mentorship_id in (select membership.mentorship_id from cadenced.membership
                                         where membership.person_id = calendar.person_id)
      join cadenced.planned_session plan on plan.mentorship_id = mentorship.mentorship_id
     where calendar.calendar_id = ${calendarId}
       and plan.session_id is null and plan.withdrawn_at is null
       and plan.ends_at > (select cadenced.now()) - interval '35 days'`.execute(trx);
  return rows.map((row) => row.mentorship_id);
}
