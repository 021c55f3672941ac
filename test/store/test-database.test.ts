import { expect, test } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { createPool } from '../../src/store/pool.ts';
import { createTestDatabase } from '../support/postgres.ts';

test('two test databases are prepared alike and share nothing', async () => {
  await using first = await createTestDatabase();
  await using second = await createTestDatabase();
  const pools = [first, second].map(({ url }) =>
    createPool({ url, max: 1, applicationName: 'test', log: silentLog() }),
  );
  try {
    const [one, two] = pools;
    await one?.query('create table public.mark ()');
    const marks = await two?.query(`select to_regclass('public.mark') as mark`);
    expect(marks?.rows).toEqual([{ mark: null }]);
    const ledgers = await Promise.all(
      pools.map((pool) => pool.query('select name from cadenced.migration_checksum order by name')),
    );
    expect(ledgers[0]?.rows).toEqual(ledgers[1]?.rows);
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
});
