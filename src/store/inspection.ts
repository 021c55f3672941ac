import { join } from 'node:path';
import type { Pool } from 'pg';
import { errorCode, problem } from './problem.ts';
import { readNumberedSql } from './sql-files.ts';
import { viewSetHash } from './views.ts';

/** What a look at a database finds, without changing anything. */
export interface Inspection {
  readonly version: string;
  /** 15 or newer. */
  readonly recent: boolean;
  readonly encoding: string;
  /** How far its clock is from this machine's, in milliseconds. */
  readonly skewMs: number;
  /** Whether our user may make what a migration makes. */
  readonly mayMigrate: boolean;
  /** Migrations and `views` that this version has and the database has not. */
  readonly pending: readonly string[];
  /** Migrations that the database has and this version has not: it was prepared by a newer one. */
  readonly unknown: readonly string[];
  /** Roles of the contract that do not exist. */
  readonly missingRoles: readonly string[];
  /** How far business time runs ahead, ISO 8601; null = not at all, or not known. */
  readonly aheadBy: string | null;
}

export const ROLES = ['mentoring_reader', 'mentoring_planner', 'mentoring_evidence'] as const;

const OLDEST_SERVER = 150_000;

interface ServerRow {
  readonly version: string;
  readonly number: number;
  readonly encoding: string;
  readonly skew_ms: number;
  readonly may_migrate: boolean;
  readonly prepared: boolean;
  readonly roles: readonly string[];
}

/**
 * Looks at a database.
 * @param sqlDir holds migrations/ and views/
 * @throws Failure that says what to do when it cannot be reached
 */
export async function inspectDatabase(pool: Pool, sqlDir: string): Promise<Inspection> {
  const server = await readServer(pool);
  const seen = server.prepared ? await readLedger(pool) : { applied: [], views: null, aheadBy: null };
  const migrations = readNumberedSql(join(sqlDir, 'migrations')).map((file) => file.name);
  const viewsStale = seen.views !== viewSetHash(readNumberedSql(join(sqlDir, 'views')));
  return {
    version: server.version,
    recent: server.number >= OLDEST_SERVER,
    encoding: server.encoding,
    skewMs: server.skew_ms,
    mayMigrate: server.may_migrate,
    pending: [
      ...migrations.filter((name) => !seen.applied.includes(name)),
      ...(viewsStale ? ['the views'] : []),
    ],
    unknown: seen.applied.filter((name) => !migrations.includes(name)),
    missingRoles: ROLES.filter((role) => !server.roles.includes(role)),
    aheadBy: seen.aheadBy,
  };
}

async function readServer(pool: Pool): Promise<ServerRow> {
  const before = Date.now();
  try {
    const { rows } = await pool.query<Omit<ServerRow, 'skew_ms'> & { now: Date }>(
      `select split_part(current_setting('server_version'), ' ', 1) as version,
              current_setting('server_version_num')::int4 as number,
              current_setting('server_encoding') as encoding, clock_timestamp() as now,
              to_regclass('cadenced.migration_checksum') is not null as prepared,
              coalesce((select bool_and(pg_has_role(nspowner, 'usage')) from pg_namespace
                         where nspname in ('cadenced', 'mentoring')),
                       has_database_privilege(current_database(), 'create')) as may_migrate,
              coalesce((select array_agg(rolname::text) from pg_roles where rolname = any ($1)), '{}') as roles`,
      [ROLES],
    );
    const [row] = rows;
    if (row === undefined) throw problem('bug', 'server_said_nothing', 'PostgreSQL answered no row.');
    // The answer was made somewhere between asking and reading: no skew is claimed that the wait could explain.
    const at = row.now.getTime();
    const after = Date.now();
    return { ...row, skew_ms: at < before ? before - at : Math.max(at - after, 0) };
  } catch (error) {
    throw unreachable(error);
  }
}

async function readLedger(pool: Pool) {
  const { rows: applied } = await pool.query<{ name: string }>(
    'select name from cadenced.migration_checksum order by name',
  );
  const { rows: views } = await pool.query<{ sha256: string }>('select sha256 from cadenced.view_set');
  const { rows: known } = await pool.query<{ there: boolean }>(
    `select to_regclass('cadenced.clock') is not null as there`,
  );
  const { rows: clock } = known[0]?.there
    ? await pool.query<{ ahead_by: string }>(
        `select ahead_by from cadenced.clock where ahead_by <> interval '0'`,
      )
    : { rows: [] };
  return {
    applied: applied.map((row) => row.name),
    views: views[0]?.sha256 ?? null,
    aheadBy: clock[0]?.ahead_by ?? null,
  };
}

/** The driver's error as one that says what to do; its own text may hold the address with its password. */
function unreachable(error: unknown): Error {
  const code = errorCode(error);
  if (code?.startsWith('28') === true || code === '3D000') {
    return problem(
      'config',
      'database_refuses_us',
      `PostgreSQL refuses the connection (${code}): check user, password and database name in DATABASE_URL.`,
      error,
    );
  }
  if (code === '42501') {
    return problem(
      'config',
      'database_rights_missing',
      'PostgreSQL does not let this database user look at cadenced (42501): use the user that owns the schemas ' +
        'cadenced and mentoring, the one the daemon runs as.',
      error,
    );
  }
  return problem(
    'transient',
    'database_unreachable',
    `PostgreSQL does not answer (${code ?? 'no code'}): check host and port in DATABASE_URL, and that it runs.`,
    error,
  );
}
