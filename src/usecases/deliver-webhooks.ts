import { DateTime } from 'luxon';
import { planDelivery } from '../domain/delivery-schedule.ts';
import { outboundEvent } from '../domain/outbound.ts';
import type { ClaimedDelivery, WebhookOutbox } from '../ports/webhook-outbox.ts';
import type { WebhookTransport } from '../ports/webhook-transport.ts';
import type { Log } from '../runtime/log.ts';

export interface DeliverWebhooksDeps {
  readonly outbox: WebhookOutbox;
  readonly transport: WebhookTransport;
  readonly log: Log;
  /** A URI-reference that names this installation in every event. */
  readonly source: string;
  readonly random: () => number;
}

/** Attempts at once. A slow receiver holds one of them, never the others. */
const AT_ONCE = 10;
/** Longer than the transport's time-out, so that a lease outlives its attempt. */
const LEASE_MS = 60_000;

/** Sends what is due, in the order of the events, and says what became of it. Signatures carry the machine's time. */
export async function deliverWebhooks(
  deps: DeliverWebhooksDeps,
  signal: AbortSignal,
): Promise<{ delivered: number; failed: number }> {
  const counts = { delivered: 0, failed: 0 };
  while (!signal.aborted) {
    const claimed = await deps.outbox.claim(AT_ONCE, LEASE_MS, new Date());
    if (claimed.length === 0) return counts;
    const results = await Promise.all(claimed.map((delivery) => attempt(deps, delivery)));
    for (const delivered of results) counts[delivered ? 'delivered' : 'failed'] += 1;
  }
  return counts;
}

async function attempt(deps: DeliverWebhooksDeps, claimed: ClaimedDelivery): Promise<boolean> {
  const { event, endpoint, begun } = claimed;
  const body = JSON.stringify(
    outboundEvent(event.type, event.data, {
      id: event.id,
      source: deps.source,
      occurredAt: DateTime.fromJSDate(event.occurredAt, { zone: 'utc' }),
      sequence: event.sequence,
    }),
  );
  const result = await deps.transport.deliverOnce(endpoint, { id: event.id, body }, DateTime.utc());
  const after = planDelivery(begun, result, DateTime.utc(), deps.random());
  await deps.outbox.settle(claimed, after, result.outcome === 'disable');
  if (result.outcome !== 'delivered') {
    deps.log.warn(
      {
        event: event.id,
        type: event.type,
        endpoint: claimed.endpointId,
        status: result.status,
        code: result.error,
      },
      'a webhook was not accepted',
    );
  }
  return result.outcome === 'delivered';
}
