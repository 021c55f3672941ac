import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { locateProject } from '../../src/runtime/locate.ts';
import { createLog } from '../../src/runtime/log.ts';
import { createDatabase, dropDatabase, urlOfDatabase } from '../../src/store/databases.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { prepareDatabase } from '../../src/store/migrate.ts';
import { createPool } from '../../src/store/pool.ts';
import { openScratch } from './scratch.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server every test file makes its own databases on, and the prepared one they are copies of. */
    postgres: { readonly url: string; readonly template: string; readonly prefix: string };
  }
}

let server: EmbeddedPostgres | undefined;
let scratch: ReturnType<typeof openScratch> | undefined;
let run: { url: string; prefix: string } | undefined;

/**
 * Once for the whole run: the server in TEST_DATABASE_URL (its user must be allowed to create databases), else an
 * embedded one without durability; on it one prepared database, which test files copy in some 30 ms.
 */
export async function setup(project: TestProject): Promise<void> {
  const log = createLog({ format: 'plain', level: 'warn', destination: process.stderr });
  let url = process.env.TEST_DATABASE_URL;
  if (!url) {
    scratch = openScratch('test');
    server = await startEmbeddedPostgres({ dataDir: scratch.path, durable: false, log });
    url = server.url;
  }
  // Runs on a shared server must not drop each other's databases.
  const prefix = `cadenced_test_${randomBytes(4).toString('hex')}_`;
  run = { url, prefix };
  const template = `${prefix}template`;
  const pool = createPool({
    url: await createDatabase(url, template),
    max: 1,
    applicationName: 'cadenced test setup',
    log,
  });
  try {
    await prepareDatabase(pool, { sqlDir: locateProject().sql, log });
  } catch (error) {
    // A schema that does not load must fail the tests that need it, not those of the pure domain beside them.
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `\nThe database for tests was not prepared; tests that use it will fail.\n${reason}\n\n`,
    );
  } finally {
    await pool.end();
  }
  project.provide('postgres', { url, template, prefix });
}

export async function teardown(): Promise<void> {
  if (server !== undefined) {
    await server.stop();
    scratch?.[Symbol.dispose]();
    return;
  }
  if (run === undefined) return;
  const { url, prefix } = run;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const left = await client.query<{ datname: string }>(
    'select datname from pg_catalog.pg_database where datname ^@ $1',
    [prefix],
  );
  await client.end();
  for (const { datname } of left.rows) await dropDatabase(url, datname);
}

export type TestDatabase = {
  readonly name: string;
  /** Superuser's URL of this database. */
  readonly url: string;
  /** Drops it, with whatever is still connected. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * A database of its own for a test file or a test: a copy of the prepared one, or empty (`{ empty: true }`).
 * Drop it in `afterAll`, or write `await using database = await createTestDatabase()`.
 */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  // Imported here because this file is also loaded outside of a test, where the test API refuses to be.
  const { inject } = await import('vitest');
  const { url, template, prefix } = inject('postgres');
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  await createDatabase(url, name, options.empty ? undefined : template);
  const drop = () => dropDatabase(url, name);
  return { name, url: urlOfDatabase(url, name), drop, [Symbol.asyncDispose]: drop };
}
