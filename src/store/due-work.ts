import { type Kysely, sql } from 'kysely';
import type { DueWork, WorkFinder } from '../ports/due-work.ts';
import { isCadenceDue } from './cadence.ts';
import { channelsDue, type PushTerms } from './channels.ts';
import { readBusinessTime } from './clock.ts';
import type { DB } from './database.generated.ts';
import { takeUpPlans } from './planned-sessions.ts';
import { SECOND_LOOK_IS_DUE } from './spoken-words.ts';

/**
 * Finds what is due. Polls, retries and webhooks follow the machine's clock, everything else business time.
 * @param reconcileEvery ISO 8601 interval after which a calendar's whole window is compared again
 * @param push whose calendars can be watched
 */
export function createWorkFinder(db: Kysely<DB>, reconcileEvery: string, push: PushTerms): WorkFinder {
  return {
    takeUpPlans: () => takeUpPlans(db),
    async find(limit) {
      const now = await readBusinessTime(db);
      // What was read before there was a due time, or by a rarer rhythm, is late when the longest wait is over.
      // A parked calendar is compared again after an hour: only a second look may release what the brake holds.
      await sql`
        update cadenced.calendar set reconcile_wanted = true, next_poll_at = least(next_poll_at, now())
         where retired_at is null and not reconcile_wanted and not full_pass_wanted
           and state in ('active', 'parked', 'throttled')
           and (reconcile_at <= ${now}::timestamptz
                or last_reconcile_at <= ${now}::timestamptz - 1.25 * ${reconcileEvery}::interval
                or (parked is not null
                    and to_timestamp((parked ->> 'since')::double precision / 1000)
                        <= ${now}::timestamptz - interval '1 hour'))`.execute(db);
      // The earliest instead of "any that is due": the planner does not know that hardly any is, and to find one of
      // many it would read the table. The order says the same of mails and deliveries; inside of
      // `exists` it would be left out.
      const { rows } = await sql<DueWork>`
        select coalesce((select array_agg(calendar_id) from (
                 select calendar_id from cadenced.calendar
                  where retired_at is null and look_again_at is not null
                    and (next_poll_at <= now() or ${SECOND_LOOK_IS_DUE})
                  order by look_again_at, calendar_id limit ${limit}) due), '{}') as pushed,
               coalesce((select array_agg(calendar_id) from (
                 select calendar_id from cadenced.calendar
                  where retired_at is null and look_again_at is null and next_poll_at <= now()
                  order by next_poll_at, calendar_id limit ${limit}) due), '{}') as calendars,
               exists (select from ${channelsDue(push, 1, now)} as due) as channels,
               coalesce((select min(due_at) from cadenced.harvest) <= ${now}, false) as evidence,
               coalesce((select min(next_judgement_at) from cadenced.session) <= ${now}, false) as judgements,
               ${isCadenceDue(now)} as cadence,
               exists (select from cadenced.stale_month) as months,
               coalesce((select true from cadenced.mail
                        where status in ('queued', 'sending') and due_at <= ${now}
                          and coalesce(next_attempt_at <= now(), true)
                        order by due_at limit 1), false) as mails,
               coalesce((select true from cadenced.webhook_delivery delivery
                         join cadenced.webhook_endpoint endpoint using (endpoint_id)
                        where delivery.status = 'pending' and delivery.next_attempt_at <= now()
                          and endpoint.state = 'active'
                        order by delivery.next_attempt_at limit 1), false) as webhooks`.execute(db);
      return (
        rows[0] ?? {
          pushed: [],
          calendars: [],
          channels: false,
          evidence: false,
          judgements: false,
          cadence: false,
          months: false,
          mails: false,
          webhooks: false,
        }
      );
    },
  };
}
