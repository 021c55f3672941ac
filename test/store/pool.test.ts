import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { createDatabaseClient, createPool } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { listeningLog, openFolder } from './embedded-process.ts';

const log = silentLog();

describe('values and sessions', () => {
  let database: TestDatabase;
  let pool: ReturnType<typeof createPool>;
  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
    pool = createPool({
      url: database.url,
      max: 2,
      applicationName: 'pool test',
      log,
      statementTimeoutMs: 200,
    });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  async function value(expression: string, parameters: unknown[] = []): Promise<unknown> {
    const { rows } = await pool.query<{ value: unknown }>(`select ${expression} as value`, parameters);
    return rows[0]?.value;
  }

  test.each([
    [`9007199254740991::bigint`, 9007199254740991],
    [`array[1, null]::bigint[]`, [1, null]],
    [`null::bigint`, null],
    [`date '2026-03-29'`, '2026-03-29'],
    [`array[date '2026-03-29']`, ['2026-03-29']],
    [`interval '14 days'`, 'P14D'],
    [`array[interval '1 month 90 minutes']`, ['P1MT1H30M']],
    [`12.50::numeric`, '12.50'],
    [`timestamptz '2026-03-29 02:30:00+02'`, new Date('2026-03-29T00:30:00Z')],
    [`'{"a": [1]}'::jsonb`, { a: [1] }],
  ])('%s arrives as %j', async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
    // With a parameter the driver takes its other protocol; the values must be the same.
    expect(await value(`case when $1::boolean then ${expression} end`, [true])).toEqual(expected);
  });

  test('a bigint that a number cannot hold is an error, not another number', async () => {
    await expect(value('9007199254740993::bigint')).rejects.toThrow(RangeError);
    expect(await value('1::bigint')).toBe(1);
  });

  test('sessions speak UTC, name themselves, and know no unqualified tables', async () => {
    expect(await value(`current_setting('TimeZone')`)).toBe('UTC');
    expect(await value(`current_setting('application_name')`)).toBe('pool test');
    await pool.query('create table public.somewhere ()');
    await expect(pool.query('select from somewhere')).rejects.toMatchObject({ code: '42P01' });
  });

  test('a statement that takes too long is cancelled', async () => {
    await expect(value('pg_catalog.pg_sleep(5)')).rejects.toMatchObject({ code: '57014' });
  });

  test('the query builder runs over the pool', async () => {
    const db = createDatabaseClient(pool);
    const { rows } = await db.executeQuery<{ one: number }>({
      ...db.selectNoFrom((eb) => eb.lit(1).as('one')).compile(),
    });
    expect(rows).toEqual([{ one: 1 }]);
  });
});

test('a database that goes away fails its callers, ends nothing, and is used again when it is back', async () => {
  using folder = openFolder();
  const heard = listeningLog();
  const server = await startEmbeddedPostgres({ dataDir: folder.path, durable: true, log: heard.log });
  const pool = createPool({ url: server.url, max: 3, applicationName: 'test', log: heard.log });
  await pool.query('create table public.kept as select 42 as answer');
  const lent = await pool.connect();
  await lent.query('begin');
  const cut = new Promise((resolve) => lent.once('end', resolve));
  const running = pool.query('select pg_catalog.pg_sleep(20)');
  const failed = expect(running).rejects.toThrow();
  process.kill(server.pid, 'SIGKILL');
  await failed;
  await cut;
  await expect(lent.query('commit')).rejects.toThrow();
  lent.release(true);
  await heard.line('is back');
  const { rows } = await pool.query('select answer from public.kept');
  expect(rows).toEqual([{ answer: 42 }]);
  await pool.end();
  await server.stop();
});
