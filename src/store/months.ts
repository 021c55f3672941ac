import { type Kysely, sql } from 'kysely';
import type { DB } from './database.generated.ts';

/** A transaction is short enough that nothing has to wait for it, and long enough that a first count ends soon. */
const MONTHS_A_TIME = 500;

/**
 * Counts the months anew that changed since they were counted, and keeps their totals. Whoever reads
 * `mentoring.program_month` is told the truth before as well as after; this only spares him the counting.
 * @returns how many months; 0 also when another replica is at it
 */
export async function renewMonths(db: Kysely<DB>): Promise<number> {
  for (let total = 0; ; ) {
    const { rows } = await sql<{ renewed: number }>`
      select cadenced.renew_months(${MONTHS_A_TIME}) as renewed`.execute(db);
    const renewed = rows[0]?.renewed ?? 0;
    total += renewed;
    if (renewed < MONTHS_A_TIME) return total;
  }
}
