import type { Kysely } from 'kysely';
import { didYouMean } from '../domain/did-you-mean.ts';
import { normalAddress } from '../domain/notation.ts';
import { findCalendars, type KnownCalendar, listCalendars } from '../store/calendars.ts';
import type { DB } from '../store/database.generated.ts';
import type { Io } from './io.ts';

/**
 * The calendars that `--calendar` names, or all without it. An unknown address is told, with the nearest known one.
 * @returns null when it was unknown
 */
export async function chooseCalendars(
  db: Kysely<DB>,
  typed: string | null,
  io: Io,
): Promise<readonly KnownCalendar[] | null> {
  if (typed === null) return listCalendars(db);
  const found = await findCalendars(db, normalAddress(typed));
  if (found.length > 0) return found;
  const known = await listCalendars(db);
  const near = didYouMean(
    typed,
    known.map(({ address }) => address),
  );
  io.stderr(
    `No calendar is read for ${typed}${near === null ? '.' : `; did you mean ${near}?`} ` +
      'Calendars come from the roster (column calendar) and from the mailboxes of the configuration.',
  );
  return null;
}
