import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import { locateProject } from '../runtime/locate.ts';
import type { Log } from '../runtime/log.ts';
import type { Settings } from '../settings/settings.ts';
import type { DB } from '../store/database.generated.ts';
import { type Inspection, inspectDatabase } from '../store/inspection.ts';
import { createDatabaseClient, createPool } from '../store/pool.ts';
import { hasDatabase, type OpenDatabase, withDatabase } from './open.ts';

/** A database that is only looked at. */
export interface Look {
  readonly database: OpenDatabase;
  readonly inspection: Inspection;
  readonly db: Kysely<DB>;
}

const POOL_SIZE = 4;

/**
 * Opens the database without preparing it: a command that only looks must neither migrate the database of an older
 * daemon that runs on it, nor write the programs of another configuration into it.
 * @param run gets null where no embedded database was ever made
 * @throws Failure that says what to do when the database cannot be reached
 */
export async function withLook(
  settings: Settings,
  log: Log,
  run: (look: Look | null) => Promise<number>,
): Promise<number> {
  if (!hasDatabase(settings)) return run(null);
  return withDatabase(settings, log, async (database) => {
    const pool: Pool = createPool({
      url: database.url,
      max: POOL_SIZE,
      applicationName: 'cadenced status',
      log,
    });
    const db = createDatabaseClient(pool);
    try {
      const inspection = await inspectDatabase(pool, locateProject().sql);
      return await run({ database, inspection, db });
    } finally {
      await db.destroy();
    }
  });
}
