import { type Kysely, sql } from 'kysely';
import type { DueWork, WorkFinder } from '../ports/due-work.ts';
import { channelsDue, type PushTerms } from './channels.ts';
import type { DB } from './database.generated.ts';
import { takeUpPlans } from './planned-sessions.ts';

/**
 * Finds what is due. Polls, retries and webhooks follow the machine's clock, everything else business time.
 * @param reconcileEvery ISO 8601 interval after which a calendar's whole window is compared again
 * @param push whose calendars can be watched
 */
export function createWorkFinder(db: Kysely<DB>, reconcileEvery: string, push: PushTerms): WorkFinder {
  return {
    async find(limit) {
      await takeUpPlans(db);
      // A parked calendar is compared again after an hour: only a second look may release what the brake holds.
      await sql`
        update cadenced.calendar set reconcile_wanted = true, next_poll_at = least(next_poll_at, now())
         where retired_at is null and not reconcile_wanted and not full_pass_wanted
           and state in ('active', 'parked', 'throttled')
           and (last_reconcile_at <= cadenced.now() - ${reconcileEvery}::interval
                or to_timestamp((parked ->> 'since')::double precision / 1000) <= cadenced.now() - interval '1 hour')`.execute(
        db,
      );
      const { rows } = await sql<DueWork>`
        select coalesce((select array_agg(calendar_id) from (
                 select calendar_id from cadenced.calendar
                  where retired_at is null
                    and (next_poll_at <= now() or (look_again_at <= now() and state in ('active', 'parked')))
                  order by next_poll_at, calendar_id limit ${limit}) due), '{}') as calendars,
               exists (select from cadenced.calendar where ${channelsDue(push)}) as channels,
               exists (select from cadenced.harvest where due_at <= cadenced.now()) as evidence,
               exists (select from cadenced.session where next_judgement_at <= cadenced.now()) as judgements,
               exists (select from cadenced.mail
                        where status in ('queued', 'sending') and due_at <= cadenced.now()
                          and coalesce(next_attempt_at <= now(), true)) as mails,
               exists (select from cadenced.webhook_delivery delivery
                         join cadenced.webhook_endpoint endpoint using (endpoint_id)
                        where delivery.status = 'pending' and delivery.next_attempt_at <= now()
                          and endpoint.state = 'active') as webhooks`.execute(db);
      return (
        rows[0] ?? {
          calendars: [],
          channels: false,
          evidence: false,
          judgements: false,
          mails: false,
          webhooks: false,
        }
      );
    },
  };
}
