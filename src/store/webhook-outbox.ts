import { type Kysely, sql } from 'kysely';
import { DateTime } from 'luxon';
import { beginDelivery, type DeliveryState, ENDPOINT_FAILING_LIMIT_MS } from '../domain/delivery-schedule.ts';
import type { OutboundData, OutboundEventType } from '../domain/outbound.ts';
import type { ClaimedDelivery, WebhookOutbox } from '../ports/webhook-outbox.ts';
import type { DB } from './database.generated.ts';
import type { Seal } from './seal.ts';

interface DueRow {
  event_id: string;
  endpoint_id: number;
  attempts: number;
  next_attempt_at: Date;
  last_status: number | null;
  last_error: string | null;
  url: string;
  sealed_secrets: string[];
  content_type: 'application/json' | 'application/cloudevents+json';
  type: OutboundEventType;
  sequence: number;
  occurred_at: Date;
  payload: OutboundData[OutboundEventType];
}

const utc = (at: Date) => DateTime.fromJSDate(at, { zone: 'utc' });

/** Deliveries as rows: what is pending is taken under a lease, so that replicas share the work and none repeats it. */
export function createWebhookOutbox(db: Kysely<DB>, seal: Seal): WebhookOutbox {
  return {
    async claim(limit, leaseMs, now) {
      return db.transaction().execute(async (trx) => {
        const { rows } = await sql<DueRow>`
          select delivery.event_id, delivery.endpoint_id, delivery.attempts, delivery.next_attempt_at,
                 delivery.last_status, delivery.last_error, endpoint.url, endpoint.sealed_secrets,
                 endpoint.content_type, event.type, event.sequence, event.occurred_at, event.payload
            from cadenced.webhook_delivery delivery
            join cadenced.webhook_endpoint endpoint
              on endpoint.endpoint_id = delivery.endpoint_id and endpoint.state = 'active'
            join cadenced.outbound_event event on event.event_id = delivery.event_id
           where delivery.status = 'pending' and delivery.next_attempt_at <= ${now}
           order by delivery.next_attempt_at, event.position
           limit ${limit}
             for update of delivery skip locked`.execute(trx);
        const taken = rows.flatMap((row) => {
          const state: DeliveryState = {
            eventId: row.event_id,
            status: 'pending',
            attempts: row.attempts,
            nextAttemptAt: utc(row.next_attempt_at),
            lastStatus: row.last_status,
            lastError: row.last_error,
          };
          const begun = beginDelivery(state, utc(now), leaseMs);
          return begun ? [{ row, begun }] : [];
        });
        await writeStates(
          trx,
          taken.map(({ row, begun }) => ({ endpointId: row.endpoint_id, state: begun })),
        );
        return taken
          .filter(({ begun }) => begun.status === 'pending')
          .map(
            ({ row, begun }): ClaimedDelivery => ({
              begun,
              endpointId: row.endpoint_id,
              endpoint: {
                url: row.url,
                secrets: row.sealed_secrets.map((sealed) => seal.open(sealed)),
                contentType: row.content_type,
              },
              event: {
                id: row.event_id,
                type: row.type,
                sequence: row.sequence,
                occurredAt: row.occurred_at,
                data: row.payload,
              },
            }),
          );
      });
    },

    async settle(claimed, after, disable) {
      await db.transaction().execute(async (trx) => {
        await writeStates(trx, [{ endpointId: claimed.endpointId, state: after }], claimed.begun.attempts);
        const failed = after.status !== 'delivered';
        await sql`
          update cadenced.webhook_endpoint set
            failing_since = case when ${failed} then coalesce(failing_since, now()) end,
            state = case when ${disable} or (${failed} and failing_since < now() - ${`${ENDPOINT_FAILING_LIMIT_MS} milliseconds`}::interval)
                         then 'disabled' else state end,
            state_reason = case when ${disable} then 'answered_410'
                                when ${failed} and failing_since < now() - ${`${ENDPOINT_FAILING_LIMIT_MS} milliseconds`}::interval
                                then 'failing_for_five_days' else state_reason end
           where endpoint_id = ${claimed.endpointId}
             and (${failed} or failing_since is not null)`.execute(trx);
      });
    },

    async nextDue() {
      const { rows } = await sql<{ due: Date | null }>`
        select min(delivery.next_attempt_at) as due
          from cadenced.webhook_delivery delivery
          join cadenced.webhook_endpoint endpoint using (endpoint_id)
         where delivery.status = 'pending' and endpoint.state = 'active'`.execute(db);
      return rows[0]?.due ?? null;
    },
  };
}

/** @param ifAttempts writes only while this attempt is still the newest, unless it was delivered */
async function writeStates(
  db: Kysely<DB>,
  states: ReadonlyArray<{ endpointId: number; state: DeliveryState }>,
  ifAttempts: number | null = null,
): Promise<void> {
  const rows = states.map(({ endpointId, state }) => ({
    event_id: state.eventId,
    endpoint_id: endpointId,
    status: state.status,
    attempts: state.attempts,
    next_attempt_at: state.nextAttemptAt?.toISO() ?? null,
    last_status: state.lastStatus,
    last_error: state.lastError,
  }));
  if (rows.length === 0) return;
  await sql`
    update cadenced.webhook_delivery delivery set
      status = its.status, attempts = its.attempts, next_attempt_at = its.next_attempt_at,
      last_status = its.last_status, last_error = its.last_error,
      delivered_at = case when its.status = 'delivered' then coalesce(delivery.delivered_at, now()) end
      from jsonb_populate_recordset(null::cadenced.webhook_delivery, ${JSON.stringify(rows)}::jsonb) its
     where delivery.event_id = its.event_id and delivery.endpoint_id = its.endpoint_id
       and (${ifAttempts}::integer is null or delivery.attempts = ${ifAttempts} or its.status = 'delivered')`.execute(
    db,
  );
}
