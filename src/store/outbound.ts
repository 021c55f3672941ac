import { sql, type Transaction } from 'kysely';
import type { OutboundDraft } from '../domain/drafts.ts';
import type { DB } from './database.generated.ts';

/** The key of `cadenced.serialise_outbound_events()`. */
const WRITERS_TAKE_TURNS = 1667327077;

/**
 * Appends events in the caller's transaction, and a pending delivery for every active endpoint that wants the type.
 * The lock is taken in a statement of its own: a statement sees the rows that were there when it began, so one that
 * waited for the lock inside would count sequences from before the writer it waited for.
 * @returns how many were new
 */
export async function appendOutboundEvents(
  trx: Transaction<DB>,
  drafts: readonly OutboundDraft[],
): Promise<number> {
  if (drafts.length === 0) return 0;
  await sql`select pg_advisory_xact_lock(${WRITERS_TAKE_TURNS})`.execute(trx);
  const { rows } = await sql<{ appended: number }>`
    with draft as (
      select ordinality, type, subject, fact_key, occurred_at, payload
        from rows from (jsonb_to_recordset(${JSON.stringify(
          drafts.map((draft) => ({
            type: draft.type,
            subject: draft.subject,
            fact_key: draft.factKey,
            occurred_at: draft.occurredAt.toISOString(),
            payload: draft.payload,
          })),
        )}::jsonb)
          as (type text, subject text, fact_key text, occurred_at timestamptz, payload jsonb)) with ordinality
    ), fresh as (
      select distinct on (fact_key) draft.*
        from draft
       where not exists (select from cadenced.outbound_event earlier where earlier.fact_key = draft.fact_key)
       order by fact_key, ordinality
    ), appended as (
      insert into cadenced.outbound_event (event_id, fact_key, type, subject, sequence, occurred_at, payload)
      select 'evt_' || replace(gen_random_uuid()::text, '-', ''), fact_key, type, subject,
             row_number() over (partition by subject order by ordinality)
               + coalesce((select max(earlier.sequence) from cadenced.outbound_event earlier
                            where earlier.subject = fresh.subject), 0),
             occurred_at, payload
        from fresh
       order by ordinality
      returning event_id, type
    ), deliveries as (
      insert into cadenced.webhook_delivery (event_id, endpoint_id, next_attempt_at)
      select appended.event_id, endpoint.endpoint_id, now()
        from appended
        join cadenced.webhook_endpoint endpoint
          on endpoint.state = 'active'
         and (endpoint.types = '{}' or appended.type = any (endpoint.types))
      returning 1
    )
    select count(*)::int as appended from appended`.execute(trx);
  return rows[0]?.appended ?? 0;
}
