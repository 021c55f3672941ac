import { type Kysely, sql } from 'kysely';
import type { Provider } from '../domain/observation.ts';
import type { DB } from './database.generated.ts';

/** A calendar that is read. */
export interface KnownCalendar {
  readonly calendarId: number;
  readonly provider: Provider;
  readonly address: string;
}

/** Every calendar that is read, ordered by address. */
export async function listCalendars(db: Kysely<DB>): Promise<KnownCalendar[]> {
  const { rows } = await sql<{ calendar_id: number; provider: Provider; address: string }>`
    select calendar_id, provider, address from cadenced.calendar
     where retired_at is null order by address collate "C", provider`.execute(db);
  return rows.map(({ calendar_id, provider, address }) => ({ calendarId: calendar_id, provider, address }));
}

/**
 * The calendars that an address means: its own, or those of the person it is an alias of.
 * @param address lower-case
 */
export async function findCalendars(db: Kysely<DB>, address: string): Promise<KnownCalendar[]> {
  const { rows } = await sql<{ person_id: number }>`
    select person_id from cadenced.person_address where address = ${address}`.execute(db);
  const owner = rows[0]?.person_id ?? null;
  const { rows: ids } = await sql<{ calendar_id: number }>`
    select calendar_id from cadenced.calendar
     where retired_at is null and (address = ${address} or person_id = ${owner})`.execute(db);
  const wanted = new Set(ids.map((row) => row.calendar_id));
  return (await listCalendars(db)).filter((calendar) => wanted.has(calendar.calendarId));
}

/** A single event that was on a calendar and is not any more, by the provider's id. */
export interface DeletedEvent {
  readonly address: string;
  readonly sourceId: string;
}

/** Some single events that left a provider's calendars in the last 30 days, for as long as a trash may hold them. */
export async function listDeletedEvents(
  db: Kysely<DB>,
  provider: Provider,
  limit: number,
): Promise<DeletedEvent[]> {
  // In no order: whatever is found first ends the search, which no index serves.
  const { rows } = await sql<{ address: string; source_id: string }>`
    select calendar.address, copy.source_id
      from cadenced.event_copy copy join cadenced.calendar using (calendar_id)
     where calendar.provider = ${provider} and calendar.retired_at is null and calendar.state = 'active'
       and copy.removal in ('deleted', 'absent') and copy.series_id is null
       and copy.removed_at > (select cadenced.now()) - interval '30 days'
     limit ${limit}`.execute(db);
  return rows.map(({ address, source_id }) => ({ address, sourceId: source_id }));
}

/** A calendar whose held-back cancellations were released. */
export interface ReleasedCalendar extends KnownCalendar {
  /** How many meetings had been held back. */
  readonly meetings: number;
}

/**
 * Releases the brake of the given calendars where it holds something back: for an hour of real time they are
 * believed, and they are compared as a whole at once.
 */
export async function releaseBrake(
  db: Kysely<DB>,
  calendarIds: readonly number[],
): Promise<ReleasedCalendar[]> {
  const { rows } = await sql<{ calendar_id: number; provider: Provider; address: string; meetings: number }>`
    update cadenced.calendar
       set approved_until = now() + interval '1 hour', reconcile_wanted = true, next_poll_at = now()
     where calendar_id = any (${calendarIds}::bigint[]) and parked is not null and retired_at is null
    returning calendar_id, provider, address, jsonb_array_length(parked -> 'lineages') as meetings`.execute(
    db,
  );
  return rows.map(({ calendar_id, ...rest }) => ({ calendarId: calendar_id, ...rest }));
}
