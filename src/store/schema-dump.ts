import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { locateProject } from '../runtime/locate.ts';
import { createLog } from '../runtime/log.ts';
import { startEmbeddedPostgres } from './embedded/start.ts';
import { prepareDatabase } from './migrate.ts';
import { createPool } from './pool.ts';
import { printSchema } from './schema-print.ts';

type Printed = { readonly path: string; readonly text: string };

/**
 * Prepares a database of its own from sql/ and prints what follows from it: sql/schema.sql and the types of every
 * table and view for the query builder. Returns paths and texts; writes neither.
 */
export async function printFromScratch(): Promise<Printed[]> {
  const { root, sql } = locateProject();
  const log = createLog({ format: 'plain', level: 'warn', destination: process.stderr });
  const dataDir = mkdtempSync(join(tmpdir(), 'cadenced-schema-'));
  chmodSync(dataDir, 0o711); // the server may run as another user than we
  try {
    const server = await startEmbeddedPostgres({ dataDir, durable: false, log });
    try {
      const pool = createPool({ url: server.url, max: 1, applicationName: 'cadenced schema', log });
      try {
        await prepareDatabase(pool, { sqlDir: sql, log });
        const client = await pool.connect();
        const schema = await printSchema(client).finally(() => client.release());
        return [
          { path: join(sql, 'schema.sql'), text: schema },
          { path: join(root, 'src/store/database.generated.ts'), text: printTypes(server.url, dataDir) },
        ];
      } finally {
        await pool.end();
      }
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** TypeScript types by kysely-codegen, with the values the pool of this project really hands out. */
function printTypes(url: string, scratch: string): string {
  const manifest = createRequire(import.meta.url).resolve('kysely-codegen/package.json');
  const file = join(scratch, 'database.ts');
  const made = spawnSync(
    process.execPath,
    [
      join(dirname(manifest), 'dist/cli/bin.js'),
      ...['--dialect', 'postgres', '--date-parser', 'string', '--out-file', file, '--log-level', 'error'],
      ...['--type-mapping', JSON.stringify({ int8: 'number', interval: 'string' })],
    ],
    // By the environment, because other users of the machine can read command lines.
    { encoding: 'utf8', env: { DATABASE_URL: url } },
  );
  if (made.status !== 0) throw new Error(`kysely-codegen failed: ${made.stderr}${made.stdout}`);
  return readFileSync(file, 'utf8');
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const stale = (await printFromScratch()).filter(
    ({ path, text }) => !existsSync(path) || readFileSync(path, 'utf8') !== text,
  );
  for (const { path, text } of stale) {
    process.stdout.write(`${path} ${values.check ? 'does not follow from sql/' : 'written'}\n`);
    if (!values.check) writeFileSync(path, text);
  }
  if (values.check && stale.length > 0) {
    process.stdout.write('Run "node src/store/schema-dump.ts" and commit what it writes.\n');
    process.exitCode = 1;
  }
}
