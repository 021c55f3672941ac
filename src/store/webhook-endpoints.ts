import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { OutboundEventType } from '../domain/outbound.ts';
import type { DB } from './database.generated.ts';
import type { Seal } from './seal.ts';

/** A receiver of webhooks with what waits for it. */
export interface StoredEndpoint {
  readonly endpointId: number;
  readonly name: string;
  readonly url: string;
  /** Empty = all. */
  readonly types: readonly OutboundEventType[];
  readonly contentType: 'application/json' | 'application/cloudevents+json';
  readonly state: 'active' | 'paused' | 'disabled';
  readonly reason: string | null;
  readonly failingSince: Date | null;
  /** Two while a rotation lasts. */
  readonly secrets: number;
  readonly pending: number;
  readonly delivered: number;
  readonly dead: number;
}

export interface NewEndpoint {
  /** null = the host of the address, with a number behind it when that is taken. */
  readonly name: string | null;
  readonly url: string;
  readonly types: readonly OutboundEventType[];
  readonly contentType: StoredEndpoint['contentType'];
}

/** Which events `replay` queues: those given up, one, or all since an instant (business time). */
export type ReplayWish =
  | { readonly kind: 'dead' }
  | { readonly kind: 'event'; readonly eventId: string }
  | { readonly kind: 'since'; readonly since: Date };

const SECRET_BYTES = 32;
/** The key of `cadenced.serialise_outbound_events()`: while it is held no event appears. */
const WRITERS_TAKE_TURNS = 1667327077;

/** A Standard Webhooks secret: `whsec_` and base64. */
function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** Every receiver, by name. */
export async function listEndpoints(db: Kysely<DB>): Promise<StoredEndpoint[]> {
  const { rows } = await sql<StoredEndpoint>`
    select endpoint.endpoint_id as "endpointId", name, url, types, content_type as "contentType", state,
           state_reason as reason, failing_since as "failingSince", cardinality(sealed_secrets) as secrets,
           counts.pending, counts.delivered, counts.dead
      from cadenced.webhook_endpoint endpoint
      cross join lateral (
        select (count(*) filter (where status = 'pending'))::int as pending,
               (count(*) filter (where status = 'delivered'))::int as delivered,
               (count(*) filter (where status = 'dead'))::int as dead
          from cadenced.webhook_delivery delivery where delivery.endpoint_id = endpoint.endpoint_id) counts
     order by name collate "C"`.execute(db);
  return rows;
}

/**
 * Adds a receiver with a secret of its own.
 * @returns the name and the secret, which nobody can read again; null when the wished name is taken
 * @throws Failure `config/seal_key_missing`
 */
export async function addEndpoint(
  db: Kysely<DB>,
  seal: Seal,
  wanted: NewEndpoint,
): Promise<{ readonly name: string; readonly secret: string } | null> {
  const secret = newSecret();
  const base = wanted.name ?? new URL(wanted.url).hostname;
  for (let attempt = 1; ; attempt++) {
    const name = attempt === 1 ? base : `${base}-${attempt}`;
    const { rows } = await sql`
      insert into cadenced.webhook_endpoint (name, url, types, sealed_secrets, content_type)
      values (${name}, ${wanted.url}, ${wanted.types}::text[], ${[seal.seal(secret)]}::text[], ${wanted.contentType})
      on conflict (name) do nothing
      returning endpoint_id`.execute(db);
    if (rows.length > 0) return { name, secret };
    if (wanted.name !== null) return null;
  }
}

/**
 * The secrets of a receiver, newest first, opened.
 * @throws Failure `config/seal_key_missing` when no key opens them
 */
export async function openSecrets(db: Kysely<DB>, seal: Seal, endpointId: number): Promise<string[]> {
  const { rows } = await sql<{ sealed_secrets: string[] }>`
    select sealed_secrets from cadenced.webhook_endpoint where endpoint_id = ${endpointId}`.execute(db);
  return (rows[0]?.sealed_secrets ?? []).map((sealed) => seal.open(sealed));
}

/**
 * Puts a new secret in front; the one that led so far goes on signing beside it.
 * @returns the new secret
 * @throws Failure `config/seal_key_missing`
 */
export async function rotateSecret(db: Kysely<DB>, seal: Seal, endpointId: number): Promise<string> {
  const secret = newSecret();
  await sql`
    update cadenced.webhook_endpoint set sealed_secrets = array[${seal.seal(secret)}, sealed_secrets[1]]
     where endpoint_id = ${endpointId}`.execute(db);
  return secret;
}

/** Drops the secret that a rotation left behind. */
export async function finishRotation(db: Kysely<DB>, endpointId: number): Promise<void> {
  await sql`
    update cadenced.webhook_endpoint set sealed_secrets = sealed_secrets[1:1]
     where endpoint_id = ${endpointId}`.execute(db);
}

/** Sends nothing any more until `resumeEndpoint`; what happens meanwhile is found again then. */
export async function pauseEndpoint(db: Kysely<DB>, endpointId: number): Promise<void> {
  await sql`
    update cadenced.webhook_endpoint set state = 'paused', state_reason = 'paused_by_administrator'
     where endpoint_id = ${endpointId}`.execute(db);
}

/** Switches a receiver off and gives up what waits for it. @returns how many deliveries were given up */
export async function disableEndpoint(db: Kysely<DB>, endpointId: number): Promise<number> {
  return db.transaction().execute(async (trx) => {
    await sql`
      update cadenced.webhook_endpoint set state = 'disabled', state_reason = 'disabled_by_administrator'
       where endpoint_id = ${endpointId}`.execute(trx);
    const { numAffectedRows = 0n } = await sql`
      update cadenced.webhook_delivery set status = 'dead', next_attempt_at = null, last_error = 'endpoint_disabled'
       where endpoint_id = ${endpointId} and status = 'pending'`.execute(trx);
    return Number(numAffectedRows);
  });
}

/**
 * Switches a receiver on. Events get deliveries for active receivers only, so those of a pause are queued now; those
 * that a disabled receiver missed are left to `replayEvents`, because nobody meant to keep them.
 * @returns how many events of the pause were queued
 */
export async function resumeEndpoint(db: Kysely<DB>, endpointId: number): Promise<number> {
  return db.transaction().execute(async (trx) => {
    // Without it an event could appear between the look and the switch, and belong to neither.
    await sql`select pg_advisory_xact_lock(${WRITERS_TAKE_TURNS})`.execute(trx);
    const { numAffectedRows = 0n } = await sql`
      insert into cadenced.webhook_delivery (event_id, endpoint_id, next_attempt_at)
      select event.event_id, endpoint.endpoint_id, now()
        from cadenced.webhook_endpoint endpoint
        join cadenced.outbound_event event on endpoint.types = '{}' or event.type = any (endpoint.types)
       where endpoint.endpoint_id = ${endpointId} and endpoint.state = 'paused'
         -- Whatever came after the newest it was given; before the first, after it was added. That is dated by the
         -- machine's clock and events by the business clock.
         and event.position > coalesce(
               (select max(given.position)
                  from cadenced.webhook_delivery delivery
                  join cadenced.outbound_event given on given.event_id = delivery.event_id
                 where delivery.endpoint_id = endpoint.endpoint_id),
               (select max(older.position)
                  from cadenced.outbound_event older, cadenced.clock
                 where older.occurred_at < endpoint.created_at + clock.ahead_by),
               0)
      on conflict do nothing`.execute(trx);
    await sql`
      update cadenced.webhook_endpoint set state = 'active', state_reason = null, failing_since = null
       where endpoint_id = ${endpointId}`.execute(trx);
    return Number(numAffectedRows);
  });
}

/**
 * Queues events once more, under the same ids and with fresh attempts.
 * @returns how many were queued; null when the one event does not exist
 */
export async function replayEvents(
  db: Kysely<DB>,
  endpointId: number,
  wish: ReplayWish,
): Promise<number | null> {
  if (wish.kind === 'dead') {
    const { numAffectedRows = 0n } = await sql`
      update cadenced.webhook_delivery
         set status = 'pending', attempts = 0, next_attempt_at = now(), last_status = null, last_error = null
       where endpoint_id = ${endpointId} and status = 'dead'`.execute(db);
    return Number(numAffectedRows);
  }
  const chosen =
    wish.kind === 'event' ? sql`event.event_id = ${wish.eventId}` : sql`event.occurred_at >= ${wish.since}`;
  const { numAffectedRows = 0n } = await sql`
    insert into cadenced.webhook_delivery as delivery (event_id, endpoint_id, next_attempt_at)
    select event.event_id, endpoint.endpoint_id, now()
      from cadenced.webhook_endpoint endpoint
      join cadenced.outbound_event event
        on ${wish.kind === 'event'} or endpoint.types = '{}' or event.type = any (endpoint.types)
     where endpoint.endpoint_id = ${endpointId} and ${chosen}
    on conflict (event_id, endpoint_id) do update
       set status = 'pending', attempts = 0, next_attempt_at = now(), last_status = null, last_error = null,
           delivered_at = null`.execute(db);
  const queued = Number(numAffectedRows);
  return wish.kind === 'event' && queued === 0 ? null : queued;
}
