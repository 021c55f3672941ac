import { join } from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg, { type ClientBase, type Pool, type PoolClient } from 'pg';
import { isFailure } from '../domain/failure.ts';
import type { Log } from '../runtime/log.ts';
import { errorCode, problem } from './problem.ts';
import { applyWherePermitted } from './roles.ts';
import { readNumberedSql, readSql, type SqlFile } from './sql-files.ts';
import { appliedViewSet, createViewSet, dropViewSet, viewSetHash } from './views.ts';

export type PrepareOptions = {
  /** Holds migrations/, views/ and, where there are any, roles.sql and grants.sql. */
  readonly sqlDir: string;
  readonly log: Log;
};

export type Prepared = {
  /** Names of the migrations that were applied now. */
  readonly applied: string[];
  /** Statements this database user may not run; a database administrator has to. Empty when nothing is missing. */
  readonly rolesToCreate: string[];
};

const LEDGER = { schema: 'cadenced', table: 'migration', lock: 'migration_lock' } as const;
// Any number nobody else uses: the first eight bytes of "cadenced" would not fit the signed range.
const PREPARE_LOCK = 2_026_112_100;
const OLDEST_SERVER = 150_000;
const LOCK_NOT_AVAILABLE = '55P03';
const TOLERATED_SKEW_MS = 5_000;

/**
 * Brings the database to what this version expects: roles, migrations in order, the views, the grants; all in one
 * transaction, so that a failure leaves the old version's database as it was. Starters that come at once wait for
 * each other and all succeed. Throws a Failure whose message says what to do; the caller must not go on then.
 */
export async function prepareDatabase(pool: Pool, options: PrepareOptions): Promise<Prepared> {
  const client = await connect(pool);
  let broken: Error | undefined;
  try {
    await checkServer(client, options.log);
    await client.query('begin');
    const prepared = await prepareInTransaction(client, options);
    await client.query('commit');
    return prepared;
  } catch (error) {
    await client.query('rollback').catch((lost: Error) => {
      broken = lost;
    });
    throw isFailure(error) ? error : unexpected(error);
  } finally {
    client.release(broken);
  }
}

async function prepareInTransaction(client: PoolClient, options: PrepareOptions): Promise<Prepared> {
  const { sqlDir, log } = options;
  // Waiting for another starter and building an index may take longer than any statement of the daemon.
  await client.query('set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0');
  await client.query('select pg_catalog.pg_advisory_xact_lock($1)', [PREPARE_LOCK]);
  // A table lock is another matter: behind an administrator's forgotten transaction, everybody else would queue
  // up behind us. Better to give up and be started again.
  await client.query(`set local lock_timeout = '30s'`);

  await createLedger(client);
  const roles = await applyOptional(client, join(sqlDir, 'roles.sql'));
  const migrations = readNumberedSql(join(sqlDir, 'migrations'));
  const pending = await pendingMigrations(client, migrations);
  const views = readNumberedSql(join(sqlDir, 'views'));
  const viewsStale = pending.length > 0 || (await appliedViewSet(client)) !== viewSetHash(views);

  // Views hold on to the columns they read, so they have to go before a table can change.
  const keepsake = viewsStale ? await dropViewSet(client) : undefined;
  await runMigrations(client, migrations);
  if (keepsake !== undefined) await createViewSet(client, views, keepsake, (file) => runFile(client, file));
  const grants = await applyOptional(client, join(sqlDir, 'grants.sql'));

  const applied = pending.map((file) => file.name);
  if (applied.length > 0) log.info({ applied }, 'the database schema was brought up to date');
  return { applied, rolesToCreate: [...roles, ...grants] };
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    const code = errorCode(error);
    const refused = code?.startsWith('28') === true || code === '3D000';
    throw problem(
      refused ? 'config' : 'transient',
      refused ? 'database_refuses_us' : 'database_unreachable',
      refused
        ? `PostgreSQL refuses the connection (${code}): check user, password and database name in DATABASE_URL.`
        : `PostgreSQL does not answer (${code ?? 'no code'}): check host and port in DATABASE_URL, and that it runs.`,
      error,
    );
  }
}

async function checkServer(client: ClientBase, log: Log): Promise<void> {
  const { rows } = await client.query<{ version: number; encoding: string; now: Date }>(
    `select current_setting('server_version_num')::int4 as version,
            current_setting('server_encoding') as encoding, clock_timestamp() as now`,
  );
  const server = rows[0];
  if (server === undefined) throw problem('bug', 'server_said_nothing', 'PostgreSQL answered no row.');
  if (server.version < OLDEST_SERVER) {
    const major = Math.trunc(server.version / 10_000);
    throw problem(
      'config',
      'server_too_old',
      `This is PostgreSQL ${major}; cadenced needs 15 or newer. Upgrade it, or unset DATABASE_URL to use the ` +
        'embedded one.',
    );
  }
  if (server.encoding !== 'UTF8') {
    throw problem(
      'config',
      'encoding_not_utf8',
      `The database's encoding is ${server.encoding}; names and titles need UTF8. Make a new database with ` +
        `"create database ... encoding 'UTF8' template template0" and point DATABASE_URL to it.`,
    );
  }
  const skewMs = Math.abs(server.now.getTime() - Date.now());
  if (skewMs > TOLERATED_SKEW_MS) {
    // Views judge by the database's clock, reminders by ours: apart, they contradict each other.
    log.warn(
      { skewMs },
      'the clocks of the database and of this machine differ; check NTP or the time zone setup',
    );
  }
}

async function createLedger(client: ClientBase): Promise<void> {
  // `if not exists` asks for the right to create even when it is there, and a careful administrator may have made
  // the schemas beforehand and kept that right.
  for (const schema of ['cadenced', 'mentoring']) {
    const { rowCount } = await client.query('select from pg_catalog.pg_namespace where nspname = $1', [
      schema,
    ]);
    if (rowCount === 0) await client.query(`create schema ${pg.escapeIdentifier(schema)}`);
  }
  await client.query(`
    create table if not exists cadenced.migration_checksum (
      name text primary key,
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      applied_at timestamptz not null default pg_catalog.clock_timestamp()
    );
    comment on table cadenced.migration_checksum is 'The content of every applied migration file, so that an edited one is noticed.';
    create table if not exists cadenced.view_set (
      only_row boolean primary key default true check (only_row),
      sha256 text not null,
      objects text[] not null
    );
    comment on table cadenced.view_set is 'Which set of files in sql/views stands, and what it made.';
  `);
}

async function applyOptional(client: ClientBase, path: string): Promise<string[]> {
  try {
    return await applyWherePermitted(client, readSql(path));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The files not yet applied. Throws when the database knows files that we do not, or with other content. */
async function pendingMigrations(client: ClientBase, files: readonly SqlFile[]): Promise<SqlFile[]> {
  const { rows } = await client.query<{ name: string; sha256: string }>(
    'select name, sha256 from cadenced.migration_checksum order by name',
  );
  const known = new Map(files.map((file) => [file.name, file]));
  const unknown = rows.filter((row) => !known.has(row.name)).map((row) => row.name);
  if (unknown.length > 0) {
    throw problem(
      'config',
      'database_newer',
      `The database was prepared by a newer cadenced: it has ${unknown.join(', ')}, which this version does not ` +
        'know. Run that newer version, or restore a backup from before it.',
    );
  }
  const edited = rows.filter((row) => known.get(row.name)?.sha256 !== row.sha256).map((row) => row.name);
  if (edited.length > 0) {
    throw problem(
      'config',
      'migration_edited',
      `Applied migrations were edited afterwards: ${edited.map((name) => `sql/migrations/${name}.sql`).join(', ')}. ` +
        'Put them back as they were and write the change as a new file with the next number.',
    );
  }
  const applied = new Set(rows.map((row) => row.name));
  return files.filter((file) => !applied.has(file.name));
}

async function runMigrations(client: PoolClient, files: readonly SqlFile[]): Promise<void> {
  const migrations: Record<string, Migration> = {};
  // The migrator tidies up after a failure with a query of its own and reports that one's "transaction is aborted".
  let first: unknown;
  for (const file of files) {
    migrations[file.name] = {
      async up(db: Kysely<unknown>) {
        await runFile(client, file).catch((error: unknown) => {
          first = error;
          throw error;
        });
        await sql`insert into cadenced.migration_checksum (name, sha256) values (${file.name}, ${file.sha256})`.execute(
          db,
        );
      },
    };
  }
  const migrator = new Migrator({
    db: clientAsDatabase(client),
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableSchema: LEDGER.schema,
    migrationTableName: LEDGER.table,
    migrationLockTableName: LEDGER.lock,
    // Ours surrounds it, so that the views go and come back with the tables they read.
    disableTransactions: true,
  });
  const { error } = await migrator.migrateToLatest().catch((thrown: unknown) => ({ error: thrown }));
  if (error !== undefined) throw asError(first ?? error);
}

/** The migrator takes a database; this one is a single connection that is already inside our transaction. */
function clientAsDatabase(client: PoolClient): Kysely<unknown> {
  const lent = {
    query: client.query.bind(client),
    release: () => undefined,
  } as unknown as PoolClient;
  const pool = { connect: () => Promise.resolve(lent), end: () => Promise.resolve() };
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool: pool as unknown as Pool }) });
}

async function runFile(client: ClientBase, file: SqlFile): Promise<void> {
  try {
    await client.query(file.text);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    const line = file.text.slice(0, Number(error.position ?? 1) - 1).split('\n').length;
    const where = error.position === undefined ? file.path : `${file.path}:${line}`;
    // Our own SQL failed on our own tables: its message is ours to show, and without it nobody can mend it.
    const busy = error.code === LOCK_NOT_AVAILABLE;
    throw problem(
      busy ? 'transient' : 'bug',
      busy ? 'schema_locked' : 'sql_file_failed',
      busy
        ? `${where}: a table stayed locked for 30 s by another connection. Nothing was changed; find it in ` +
            'pg_stat_activity, end it, and start again.'
        : `${where}: ${error.message} (SQLSTATE ${error.code ?? 'unknown'}). Nothing was changed.`,
      error,
    );
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : unexpected(error);
}

function unexpected(error: unknown): Error {
  const code = errorCode(error);
  const said = error instanceof pg.DatabaseError ? `: ${error.message}` : '';
  // SQLSTATE classes 08 and 57P: the connection or the server went away under us.
  const gone = code === undefined || code.startsWith('08') || code.startsWith('57P') || code.startsWith('E');
  return problem(
    code === '42501' ? 'config' : gone ? 'transient' : 'bug',
    code === '42501' ? 'database_rights_missing' : 'database_not_prepared',
    code === '42501'
      ? `The database user lacks a right${said}. Make it the owner of the database, or of the schemas cadenced and ` +
          'mentoring. Nothing was changed.'
      : `The database could not be prepared (${code ?? 'connection lost'}${said}). Nothing was changed.`,
    error,
  );
}
