import type { Kysely, Transaction } from 'kysely';
import type { DB } from './database.generated.ts';
import { errorCode } from './problem.ts';

/** deadlock_detected, serialization_failure: Postgres undid everything and asks for another try. */
const TRY_AGAIN = new Set(['40P01', '40001']);
const MOST_TRIES = 4;

/**
 * Runs a transaction, again when Postgres picked it as the victim of a deadlock. Locks are taken in one order
 * wherever that is known beforehand (sessions, harvests, people, outbound events); where verdicts of one mentorship
 * number the sessions of another transaction, it cannot be. `run` must do nothing outside of its transaction.
 */
export async function inTransaction<T>(
  db: Kysely<DB>,
  run: (trx: Transaction<DB>) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.transaction().execute(run);
    } catch (problem) {
      if (tries >= MOST_TRIES || !TRY_AGAIN.has(errorCode(problem) ?? '')) throw problem;
    }
  }
}
