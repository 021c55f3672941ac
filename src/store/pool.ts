import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Log } from '../runtime/log.ts';
import type { DB } from './database.generated.ts';
import { errorCode } from './problem.ts';

export type PoolOptions = {
  readonly url: string;
  /** Most connections at once. */
  readonly max: number;
  /** Shown to administrators in pg_stat_activity. */
  readonly applicationName: string;
  readonly log: Log;
  /** A statement that runs longer is cancelled by the server. Default 30 s. */
  readonly statementTimeoutMs?: number;
};

/**
 * A pool whose connections speak UTC, refuse unqualified table names, and give up on statements and idle
 * transactions that would hold locks for ever. Values arrive as: bigint -> number (a value past 2^53 is an
 * error), timestamptz -> Date, date -> 'YYYY-MM-DD', interval -> ISO 8601 text such as 'P14D', numeric -> string.
 *
 * A database that goes away fails the statements that run and those that follow; it never ends the process, and
 * the pool connects again when it is back.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  // Statements rather than startup parameters: PgBouncer refuses connections that bring parameters it
  // does not know.
  const session = [
    `set time zone 'UTC'`,
    `set intervalstyle = 'iso_8601'`,
    // Our statements are many and short: compiling the long ones costs more than it ever saves.
    `set jit = off`,
    // A database user called like a schema gets that schema at the head of the default path, and unqualified
    // names would mean other tables for it than for everybody else. With no path they mean nothing to anybody.
    `set search_path = ''`,
    `set statement_timeout = ${Math.trunc(statementTimeoutMs)}`,
    `set idle_in_transaction_session_timeout = ${Math.trunc(2 * statementTimeoutMs)}`,
  ].join('; ');
  // The pool waits for the promise before it lends the connection out; its types do not say so.
  const openSession = (client: pg.ClientBase): unknown => client.query(session);
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    types: VALUE_TYPES,
    onConnect: openSession,
  });
  const lost = (error: Error) => {
    // An ended pool is done before its connections are; a server stopped right after cuts them off.
    if (pool.ending) return;
    options.log.warn({ reason: errorCode(error) ?? 'connection_lost' }, 'a database connection was lost');
  };
  pool.on('error', lost);
  // The pool stops listening while a connection is lent out; lost between two statements of a transaction, it
  // would end the process as an unheard 'error' event.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** The typed query builder over a pool. Destroying it ends the pool. */
export function createDatabaseClient(pool: pg.Pool): Kysely<DB> {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}

const { builtins } = pg.types;
const INT8_ARRAY = 1016;
const DATE_ARRAY = 1182;
const INTERVAL_ARRAY = 1187;
const TEXT_ARRAY = 1009;

// The driver's types know no array types by number, its table of parsers does.
const driverParser = pg.types.getTypeParser as (oid: number, format: string) => (value: string) => unknown;
const parseTextArray = driverParser(TEXT_ARRAY, 'text') as (value: string) => (string | null)[];

const PARSERS: ReadonlyMap<number, (value: string) => unknown> = new Map<number, (value: string) => unknown>([
  [builtins.INT8, safeInteger],
  [INT8_ARRAY, (value) => parseTextArray(value).map((item) => (item === null ? null : safeInteger(item)))],
  // The driver would make a date a Date at midnight of the machine's zone: another day elsewhere.
  [builtins.DATE, (value) => value],
  [DATE_ARRAY, parseTextArray],
  [builtins.INTERVAL, (value) => value],
  [INTERVAL_ARRAY, parseTextArray],
]);

const VALUE_TYPES: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    const own = format === 'binary' ? undefined : PARSERS.get(oid);
    return own ?? driverParser(oid, format ?? 'text');
  },
};

/** Keys and counts fit a number; what does not must fail loudly rather than lose its last digits. */
function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the bigint ${text} is not a safe integer`);
  return value;
}
