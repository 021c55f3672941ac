import { type Kysely, sql } from 'kysely';
import type { DB } from '../../src/store/database.generated.ts';

/** What steers the work itself changes with every look and says nothing about what is known. */
const BOOKKEEPING = new Set(['clock', 'staged_copy', 'view_set']);
const CALENDAR_STEERING = [
  'sync_generation',
  'cursor',
  'next_poll_at',
  'next_probe_at',
  'hold_until',
  'config_fault',
  'last_attempt_at',
  'last_complete_pass_at',
  'last_full_pass_at',
  'last_reconcile_at',
  'reconcile_at',
  'full_pass_wanted',
  'reconcile_wanted',
  'drift',
  'strikes',
  'failures',
  'untagged_seen',
  'hidden_seen',
  'left_out_seen',
  'window_from',
  'window_until',
  'first_strike_at',
  'push_taken_at',
  'pushed_at',
  'look_again_at',
  'channels_due_at',
];

/** Every row of every table of the daemon, by table, without what only steers the work. */
export async function dumpTables(db: Kysely<DB>): Promise<Record<string, readonly unknown[]>> {
  const { rows: tables } = await sql<{ name: string }>`
    select tablename as name from pg_catalog.pg_tables where schemaname = 'cadenced' order by tablename`.execute(
    db,
  );
  const dump: Record<string, readonly unknown[]> = {};
  for (const { name } of tables) {
    if (BOOKKEEPING.has(name)) continue;
    const left = name === 'calendar' ? CALENDAR_STEERING : name === 'event_copy' ? ['revision'] : [];
    const { rows } = await sql<{ row: unknown }>`
      select to_jsonb(its) - ${left}::text[] as row from ${sql.table(`cadenced.${name}`)} its order by to_jsonb(its)::text`.execute(
      db,
    );
    dump[name] = rows.map(({ row }) => row);
  }
  return dump;
}
