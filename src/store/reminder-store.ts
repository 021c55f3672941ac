import { type Kysely, sql, type Transaction } from 'kysely';
import type { ReminderStore } from '../ports/reminder-store.ts';
import type { DB } from './database.generated.ts';
import { longestReminderDays, planReminders, REMINDERS_AHEAD_DAYS } from './reminders.ts';
import { inTransaction } from './transaction.ts';

/** The reminders' side of the store. What a sync plans goes through `planReminders`, in the sync's own transaction. */
export function createReminderStore(db: Kysely<DB>): ReminderStore {
  return {
    async daysAhead() {
      const days = await longestReminderDays(db);
      return days === 0 ? 0 : days + REMINDERS_AHEAD_DAYS;
    },
    comingSessions: (window, page) => comingSessions(db, window, page),
    replan: (sessionIds, now) => inTransaction(db, (trx) => planReminders(trx, sessionIds, now)),
    nudge: (now) => inTransaction(db, (trx) => queueNudges(trx, now)),
  };
}

/** By start and not by id: each page goes on where the last one ended, instead of sorting the whole window again. */
async function* comingSessions(
  db: Kysely<DB>,
  window: { readonly now: Date; readonly until: Date },
  limit: number,
): AsyncGenerator<readonly number[]> {
  // As text: a Date would lose the microseconds, and with them the place.
  let after: { readonly start: string; readonly id: number } = { start: window.now.toISOString(), id: 0 };
  for (;;) {
    const { rows } = await sql<{ id: number; start: string }>`
      select session_id as id, starts_at::text as start
        from cadenced.session
       where (starts_at, session_id) > (${after.start}::timestamptz, ${after.id}::bigint)
         and starts_at > ${window.now} and starts_at <= ${window.until}
       order by starts_at, session_id limit ${limit}`.execute(db);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => row.id);
    after = last;
  }
}

/** How long before its time an unbooked plan is spoken of. */
const NUDGE_AHEAD_DAYS = 3;

async function queueNudges(trx: Transaction<DB>, now: Date): Promise<number> {
  const { rows } = await sql<{ queued: number }>`
    with queued as (
      insert into cadenced.mail (fact_key, kind, mentorship_id, person_id, to_address, due_at, expires_at)
      select 'nudge/' || plan.plan_id || '/' || person.person_id, 'nudge', plan.mentorship_id, person.person_id,
             person.address, ${now}, plan.starts_at
        from cadenced.planned_session plan
        join cadenced.membership on membership.mentorship_id = plan.mentorship_id
        join cadenced.person on person.person_id = membership.person_id
       where plan.session_id is null and plan.withdrawn_at is null
         and plan.starts_at > ${now}
         and plan.starts_at <= ${now}::timestamptz + make_interval(days => ${NUDGE_AHEAD_DAYS})
      on conflict (fact_key) do nothing
      returning 1
    ), overtaken as (
      -- Booked or withdrawn since: nobody is told to do what is done.
      update cadenced.mail set status = 'suppressed', reason = 'booked_meanwhile'
       where mail.kind = 'nudge' and mail.status = 'queued'
         and exists (select from cadenced.planned_session plan
                      where mail.fact_key ^@ ('nudge/' || plan.plan_id || '/')
                        and plan.mentorship_id = mail.mentorship_id
                        and (plan.session_id is not null or plan.withdrawn_at is not null))
    )
    select count(*)::int as queued from queued`.execute(trx);
  return rows[0]?.queued ?? 0;
}
