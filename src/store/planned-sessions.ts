import { type Kysely, sql, type Transaction } from 'kysely';
import type { DB } from './database.generated.ts';
import { inTransaction } from './transaction.ts';

/**
 * Binds the plans of the given mentorships to the sessions that match them, as `cadenced.bind_plans` says: the same
 * rule as for a plan that is written down by another program, so that it is written once and in SQL.
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
  await sql`select cadenced.bind_plans(${[...mentorshipIds]}::bigint[])`.execute(trx);
}

/** Takes notice of plans that other programs wrote: their calendars become due, and what is known is bound. */
export async function takeUpPlans(db: Kysely<DB>): Promise<void> {
  const { rows } = await sql`select from cadenced.changed_plan limit 1`.execute(db);
  if (rows.length > 0) await inTransaction(db, (trx) => sql`select cadenced.take_up_plans()`.execute(trx));
}

/**
 * The mentorships that have a plan to bind, or to let go: of the changed ones those with any plan, and of those that
 * this calendar carries the ones with an open plan, which may have been written after the event. Mostly nobody.
 */
export async function mentorshipsToBind(
  trx: Transaction<DB>,
  calendarId: number,
  changed: readonly number[],
): Promise<readonly number[]> {
  const { rows } = await sql<{ mentorship_id: number }>`
    select mentorship_id from cadenced.planned_session
     where mentorship_id = any (${[...changed]}::bigint[])
     union
    select plan.mentorship_id
      from (select membership.mentorship_id
              from cadenced.calendar join cadenced.membership on membership.person_id = calendar.person_id
             where calendar.calendar_id = ${calendarId}
             union
            select mentorship.mentorship_id
              from cadenced.calendar join cadenced.mentorship on mentorship.program_id = calendar.program_id
             where calendar.calendar_id = ${calendarId}) as carried
      join cadenced.planned_session plan on plan.mentorship_id = carried.mentorship_id
     where plan.session_id is null and plan.withdrawn_at is null
       and plan.ends_at > (select cadenced.now()) - interval '35 days'`.execute(trx);
  return rows.map((row) => row.mentorship_id);
}
