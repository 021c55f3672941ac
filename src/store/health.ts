import { type Kysely, sql } from 'kysely';
import { DateTime } from 'luxon';
import type { Provider } from '../domain/observation.ts';
import { type OutboundData, type OutboundEventType, outboundEvent } from '../domain/outbound.ts';
import type { DB } from './database.generated.ts';

/** Whether Postgres answers and holds our schema. */
export async function isDatabaseReady(db: Kysely<DB>): Promise<boolean> {
  const { rows } = await sql<{ ready: boolean }>`
    select to_regclass('cadenced.session') is not null and to_regclass('mentoring.session') is not null as ready`.execute(
    db,
  );
  return rows[0]?.ready ?? false;
}

const UNREADABLE = sql`state in ('denied', 'gone', 'needs_consent')`;
/** What fails again and again is dark though nobody refused it: an expired secret, a provider that is down. */
const UNREAD = sql`(failures >= 3 and last_complete_pass_at < (select cadenced.now()) - interval '30 minutes'
  or coalesce(last_complete_pass_at, '-infinity') < (select cadenced.now()) - interval '1 day')`;

/** How fresh our sight is: a calendar that should be readable and was not read in a day is stale. */
export async function readFreshness(db: Kysely<DB>): Promise<{
  isFresh: boolean;
  calendars: number;
  stale: number;
  oldestCompletePassAt: string | null;
}> {
  const { rows } = await sql<{ calendars: number; stale: number; oldest: Date | null }>`
    select count(*)::int as calendars,
           (count(*) filter (where ${UNREADABLE} or ${UNREAD}))::int as stale,
           min(last_complete_pass_at) as oldest
      from cadenced.calendar where retired_at is null`.execute(db);
  const { calendars = 0, stale = 0, oldest = null } = rows[0] ?? {};
  return {
    // One person's revoked consent is told as an event; sight is lost when a quarter of all calendars is dark.
    isFresh: stale * 4 <= calendars,
    calendars,
    stale,
    oldestCompletePassAt: oldest?.toISOString() ?? null,
  };
}

/** Calendars of one provider that are not read, for the same reason as far as one is known. */
export interface Unread {
  readonly provider: Provider;
  readonly count: number;
  /** The first few of them by address. */
  readonly some: readonly string[];
  /** Passes in a row that failed, where most did. */
  readonly failures: number;
  /** When the one was last read completely that was read longest ago; `null` where none ever was. */
  readonly since: Date | null;
  readonly reason: string | null;
  /** The reason is a setting, a grant or a scope. */
  readonly ofSettings: boolean;
}

/** Calendars that nobody refused and that are not read all the same, and all that a setting keeps from being read. */
export async function readUnread(db: Kysely<DB>): Promise<readonly Unread[]> {
  const { rows } = await sql<Unread>`
    with unread as (
      select provider, address, failures, last_complete_pass_at, config_fault is not null as "ofSettings",
             -- Why something is held back, or was not tried, is no reason of a failure.
             coalesce(config_fault, case when failures > 0 and state <> 'parked' then state_reason end) as reason
        from cadenced.calendar
       where retired_at is null and (config_fault is not null or not ${UNREADABLE} and ${UNREAD}))
    select provider, count(*)::int as count, (array_agg(address order by address collate "C"))[1:3] as some,
           max(failures)::int as failures, min(last_complete_pass_at) as since, reason, "ofSettings"
      from unread
     group by provider, reason, "ofSettings", failures > 0, last_complete_pass_at is null
     order by since nulls first, provider, reason`.execute(db);
  return rows;
}

/** The events after a position, as webhooks carry them. */
export async function readEvents(db: Kysely<DB>, source: string, after: string, limit: number) {
  const { rows } = await sql<{
    position: number;
    event_id: string;
    type: OutboundEventType;
    sequence: number;
    occurred_at: Date;
    payload: OutboundData[OutboundEventType];
  }>`
    select position, event_id, type, sequence, occurred_at, payload
      from cadenced.outbound_event where position > ${after}::bigint order by position limit ${limit}`.execute(
    db,
  );
  return rows.map((row) => ({
    position: String(row.position),
    event: outboundEvent(row.type, row.payload, {
      id: row.event_id,
      source,
      occurredAt: DateTime.fromJSDate(row.occurred_at, { zone: 'utc' }),
      sequence: row.sequence,
    }),
  }));
}
