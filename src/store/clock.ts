import { type Kysely, sql } from 'kysely';
import { type DateTime, Duration } from 'luxon';
import type { DB } from './database.generated.ts';

/**
 * Sets `cadenced.now()` to what the daemon's clock shows. Called at every start, so that an offset left behind by an
 * earlier run cannot outlive it.
 * @param moved the instant that is "now"; `null` = the machine's clock
 */
export async function alignDatabaseClock(db: Kysely<DB>, moved: DateTime | null): Promise<void> {
  await sql`
    update cadenced.clock
       set ahead_by = coalesce(${moved?.toJSDate() ?? null}::timestamptz - clock_timestamp(), interval '0')`.execute(
    db,
  );
}

/** How far the database's business time runs ahead of the machine's. */
export async function databaseClockOffset(db: Kysely<DB>): Promise<Duration> {
  const { rows } = await sql<{ milliseconds: number }>`
    select (extract(epoch from ahead_by) * 1000)::double precision as milliseconds from cadenced.clock`.execute(
    db,
  );
  return Duration.fromMillis(rows[0]?.milliseconds ?? 0);
}

/**
 * Business time, for statements that look for what is due among millions of rows. As a value it tells the planner
 * how few those are; `(select cadenced.now())` hides that, and a bare call is made once for every row it is held
 * against.
 */
export async function readBusinessTime(db: Kysely<DB>): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select cadenced.now() as now`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a table gave no row');
  return row.now;
}
