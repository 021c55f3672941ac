import { randomBytes } from 'node:crypto';
import { locateProject } from '../../src/runtime/locate.ts';
import { createLog } from '../../src/runtime/log.ts';
import { createDatabase, dropDatabase, urlOfDatabase } from '../../src/store/databases.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { prepareDatabase } from '../../src/store/migrate.ts';
import { createPool } from '../../src/store/pool.ts';
import { openScratch } from '../support/scratch.ts';

export interface Databases {
  readonly serverUrl: string;
  /** The prepared database that the others are copies of. */
  readonly template: string;
  /** A prepared and empty database; `drop` it afterwards. */
  create(): Promise<{ readonly url: string; drop(): Promise<void> }>;
  close(): Promise<void>;
}

/**
 * Databases for a run of its own, outside of the test runner: on TEST_DATABASE_URL, else on an embedded server.
 * @param sharedTemplate the template of somebody who opened databases on this server and closes them
 */
export async function openDatabases(
  serverUrl: string | undefined,
  sharedTemplate?: string,
): Promise<Databases> {
  const log = createLog({ format: 'plain', level: 'warn', destination: process.stderr });
  const embedded = serverUrl ? null : await startEmbedded(log);
  const url = serverUrl || (embedded?.url ?? '');
  const prefix = `cadenced_converge_${randomBytes(4).toString('hex')}_`;
  const template = sharedTemplate ?? `${prefix}template`;
  if (sharedTemplate === undefined) await prepareTemplate(url, template, log);
  let made = 0;
  return {
    serverUrl: url,
    template,
    async create() {
      made += 1;
      const name = `${prefix}${made}`;
      await createDatabase(url, name, template);
      return { url: urlOfDatabase(url, name), drop: () => dropDatabase(url, name) };
    },
    async close() {
      if (sharedTemplate === undefined) await dropDatabase(url, template);
      await embedded?.stop();
    },
  };
}

async function prepareTemplate(url: string, template: string, log: ReturnType<typeof createLog>) {
  const pool = createPool({
    url: await createDatabase(url, template),
    max: 1,
    applicationName: 'cadenced convergence setup',
    log,
  });
  try {
    await prepareDatabase(pool, { sqlDir: locateProject().sql, log });
  } finally {
    await pool.end();
  }
}

async function startEmbedded(log: ReturnType<typeof createLog>) {
  const scratch = openScratch('converge');
  const server = await startEmbeddedPostgres({ dataDir: scratch.path, durable: false, log });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      scratch[Symbol.dispose]();
    },
  };
}
