import { sql, type Transaction } from 'kysely';
import { isNameless, type NamelessCopy, sharedLineages } from '../domain/nameless.ts';
import type { StagedCopy } from '../domain/pass.ts';
import type { DB } from './database.generated.ts';

/**
 * The staged copies with the lineages under which they are stored, or are to be stored: one without a UID goes by its
 * id on this calendar, and keeps the lineage it was given when it was first seen. Asks nothing where all have a UID.
 */
export async function withStoredLineages(
  trx: Transaction<DB>,
  calendarId: number,
  copies: readonly StagedCopy[],
): Promise<readonly StagedCopy[]> {
  const nameless = copies.filter(isNameless);
  if (nameless.length === 0) return copies;
  const lineages = await storedLineages(trx, calendarId, nameless);
  const fresh = nameless.filter(
    (copy) => !lineages.has(copy.sourceId) && copy.status !== 'cancelled' && copy.organizer !== null,
  );
  if (fresh.length > 0) {
    // Calendars that show one meeting for the first time take turns: each would find nothing of the others.
    await lockSlots(trx, fresh);
    const stored = await storedBeside(trx, calendarId, fresh);
    const [owner] = await ownersOf(trx, calendarId);
    const arriving = fresh.map((copy) => ({ ...copy, calendarId, ownerAddresses: owner?.addresses ?? [] }));
    const shared = sharedLineages(
      // One that was told twice is one.
      [...new Map(arriving.map((copy) => [copy.sourceId, copy])).values()],
      stored.filter((copy) => copy.calendarId === calendarId),
      stored.filter((copy) => copy.calendarId !== calendarId),
    );
    for (const copy of fresh) {
      const lineage = shared.get(copy.lineage);
      if (lineage !== undefined) lineages.set(copy.sourceId, lineage);
    }
  }
  return copies.map((copy) =>
    isNameless(copy) ? { ...copy, lineage: lineages.get(copy.sourceId) ?? copy.lineage } : copy,
  );
}

async function storedLineages(
  trx: Transaction<DB>,
  calendarId: number,
  copies: readonly StagedCopy[],
): Promise<Map<string, string>> {
  const { rows } = await sql<{ source_id: string; lineage: string }>`
    select source_id, lineage from cadenced.event_copy
     where calendar_id = ${calendarId} and removed_at is null
       and source_id = any (${copies.map((copy) => copy.sourceId)})`.execute(trx);
  return new Map(rows.map((row) => [row.source_id, row.lineage]));
}

/** In the order of the keys, and before any lineage is locked, so that nobody waits in a circle. */
async function lockSlots(trx: Transaction<DB>, copies: readonly StagedCopy[]): Promise<void> {
  const slots = copies.map(({ organizer, start, end }) => `nameless ${organizer} ${start} ${end}`);
  await sql`
    select pg_advisory_xact_lock(key)
      from (select distinct hashtextextended(slot, 0) as key from unnest(${slots}::text[]) slot order by 1) keys`.execute(
    trx,
  );
}

async function ownersOf(
  trx: Transaction<DB>,
  calendarId: number,
): Promise<Array<{ readonly addresses: string[] }>> {
  const { rows } = await sql<{ addresses: string[] }>`
    select array(select calendar.address union
                 select address from cadenced.person_address
                  where person_address.person_id = calendar.person_id) as addresses
      from cadenced.calendar where calendar_id = ${calendarId}`.execute(trx);
  return rows;
}

/**
 * Nameless copies of the same organizers and times that stand on this calendar, and on those of the people invited. A
 * former calendar of the same owner is no second witness.
 */
async function storedBeside(
  trx: Transaction<DB>,
  calendarId: number,
  copies: readonly StagedCopy[],
): Promise<NamelessCopy[]> {
  const slots = copies.map(({ organizer, start, end }) => ({ organizer, start, end }));
  const addresses = [...new Set(copies.flatMap((copy) => copy.people.map((person) => person.address)))];
  const { rows } = await sql<{ copy: NamelessCopy }>`
    with reader as materialized (
      select calendar_id, address, person_id from cadenced.calendar where calendar_id = ${calendarId}
      union
      select calendar.calendar_id, calendar.address, calendar.person_id
        from cadenced.calendar
       where calendar.retired_at is null
         and (calendar.address = any (${addresses})
              or calendar.person_id in (select person_id from cadenced.person_address
                                         where address = any (${addresses})))
         and calendar.person_id is distinct from
             (select person_id from cadenced.calendar mine where mine.calendar_id = ${calendarId})
    )
    select jsonb_build_object(
             'lineage', copy.lineage, 'calendarId', copy.calendar_id, 'organizer', copy.organizer,
             'start', slot.start, 'end', slot.end, 'title', copy.title, 'private', copy.private,
             'people', copy.people, 'peopleOmitted', copy.people_omitted,
             'ownerAddresses', array(select reader.address union
                                     select address from cadenced.person_address
                                      where person_address.person_id = reader.person_id)) as copy
      from reader
      join cadenced.event_copy copy on copy.calendar_id = reader.calendar_id
      join (select distinct * from jsonb_to_recordset(${JSON.stringify(slots)}::jsonb)
              as slot(organizer text, start double precision, "end" double precision)) slot
        on slot.organizer = copy.organizer and to_timestamp(slot.start / 1000.0) = copy.starts_at
       and to_timestamp(slot."end" / 1000.0) = copy.ends_at
     where copy.removed_at is null and copy.status <> 'cancelled' and copy.uid is null
       and copy.series_id is null and copy.original_start is null and copy.original_date is null`.execute(
    trx,
  );
  return rows.map((row) => row.copy);
}
