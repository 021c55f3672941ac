import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { prepareDatabase } from '../../src/store/migrate.ts';
import { createPool } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { sqlDirectory } from './sql-directory.ts';

const log = silentLog();
let database: TestDatabase;
let pool: Pool;
let pools: Pool[] = [];

function open(max = 2, url = database.url): Pool {
  const opened = createPool({ url, max, applicationName: 'test', log });
  pools.push(opened);
  return opened;
}

beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  pool = open();
});

afterEach(async () => {
  await Promise.all(pools.map((it) => it.end()));
  pools = [];
  await database.drop();
});

const PEOPLE = 'create table cadenced.person (person_id bigint primary key, name text);';
const PEOPLE_VIEW = 'create view mentoring.person as select person_id, name from cadenced.person;';

async function value(statement: string): Promise<unknown> {
  const { rows } = await pool.query<{ value: unknown }>(`select (${statement}) as value`);
  return rows[0]?.value;
}

describe('migrations', () => {
  test('are applied in order, once, and reported', async () => {
    using sql = sqlDirectory({
      'migrations/0002_rename.sql': 'alter table cadenced.person rename column name to full_name;',
      'migrations/0001_people.sql': PEOPLE,
    });
    const first = await prepareDatabase(pool, { sqlDir: sql.path, log });
    expect(first.applied).toEqual(['0001_people', '0002_rename']);
    const second = await prepareDatabase(pool, { sqlDir: sql.path, log });
    expect(second).toEqual({ applied: [], rolesToCreate: [] });
  });

  test('an empty folder is a database without tables, not an error', async () => {
    using sql = sqlDirectory({});
    expect(await prepareDatabase(pool, { sqlDir: sql.path, log })).toEqual({
      applied: [],
      rolesToCreate: [],
    });
  });

  test('ten starters at once all succeed and one of them applies', async () => {
    using sql = sqlDirectory({
      'roles.sql': 'create role mentoring_reader nologin;',
      'migrations/0001_people.sql': `${PEOPLE} select pg_catalog.pg_sleep(0.2);`,
      'views/0001_person.sql': PEOPLE_VIEW,
    });
    const starters = Array.from({ length: 10 }, () => open(1));
    const prepared = await Promise.all(
      starters.map((starter) => prepareDatabase(starter, { sqlDir: sql.path, log })),
    );
    expect(prepared.map((it) => it.applied).filter((it) => it.length > 0)).toEqual([['0001_people']]);
    expect(await value('select count(*)::int4 from mentoring.person')).toBe(0);
  });

  test('two databases of one server are prepared at once although roles belong to both', async () => {
    await using other = await createTestDatabase({ empty: true });
    using sql = sqlDirectory({ 'roles.sql': 'create role cadenced_test_shared nologin;' });
    const both = await Promise.all(
      [open(1), open(1, other.url)].map((it) => prepareDatabase(it, { sqlDir: sql.path, log })),
    );
    expect(both.map((it) => it.rolesToCreate)).toEqual([[], []]);
    await pool.query('drop role cadenced_test_shared');
  });

  test('an applied file that was edited afterwards is refused by name', async () => {
    using sql = sqlDirectory({ 'migrations/0001_people.sql': PEOPLE });
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    sql.write('migrations/0001_people.sql', `${PEOPLE} -- harmless?`);
    await expect(prepareDatabase(pool, { sqlDir: sql.path, log })).rejects.toMatchObject({
      kind: 'config',
      code: 'migration_edited',
      message: expect.stringContaining('sql/migrations/0001_people.sql') as string,
    });
  });

  test('line ends of another system are no edit', async () => {
    using sql = sqlDirectory({ 'migrations/0001_people.sql': `${PEOPLE}\n-- end\n` });
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    sql.write('migrations/0001_people.sql', `${PEOPLE}\r\n-- end\r\n`);
    expect((await prepareDatabase(pool, { sqlDir: sql.path, log })).applied).toEqual([]);
  });

  test('a failing file rolls everything back, those before it included, and says where it failed', async () => {
    using sql = sqlDirectory({
      'migrations/0001_people.sql': PEOPLE,
      'migrations/0002_broken.sql': 'create table cadenced.half ();\n\nselect no_such_column;',
    });
    await expect(prepareDatabase(pool, { sqlDir: sql.path, log })).rejects.toMatchObject({
      kind: 'bug',
      code: 'sql_file_failed',
      message: expect.stringMatching(/0002_broken\.sql:3: column "no_such_column" does not exist/) as string,
    });
    expect(await value(`to_regnamespace('cadenced')`)).toBeNull();
    sql.write('migrations/0002_broken.sql', 'select 1;');
    const mended = await prepareDatabase(pool, { sqlDir: sql.path, log });
    expect(mended.applied).toEqual(['0001_people', '0002_broken']);
  });

  test('a database prepared by a newer version is refused', async () => {
    using sql = sqlDirectory({
      'migrations/0001_people.sql': PEOPLE,
      'migrations/0002_new.sql': 'select 1;',
    });
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    sql.remove('migrations/0002_new.sql');
    await expect(prepareDatabase(pool, { sqlDir: sql.path, log })).rejects.toMatchObject({
      kind: 'config',
      code: 'database_newer',
    });
  });

  test('a number used twice and a file outside the numbering are refused before anything runs', async () => {
    using twice = sqlDirectory({
      'migrations/0001_a.sql': 'select 1;',
      'migrations/0001_b.sql': 'select 1;',
    });
    await expect(prepareDatabase(pool, { sqlDir: twice.path, log })).rejects.toMatchObject({
      code: 'sql_number_taken_twice',
    });
    using stray = sqlDirectory({ 'migrations/later.sql': 'select 1;' });
    await expect(prepareDatabase(pool, { sqlDir: stray.path, log })).rejects.toMatchObject({
      code: 'sql_file_misnamed',
    });
  });

  test('run longer than a statement of the daemon may', async () => {
    using sql = sqlDirectory({ 'migrations/0001_slow.sql': 'select pg_catalog.pg_sleep(0.3);' });
    const hasty = createPool({
      url: database.url,
      max: 1,
      applicationName: 'test',
      log,
      statementTimeoutMs: 50,
    });
    pools.push(hasty);
    expect((await prepareDatabase(hasty, { sqlDir: sql.path, log })).applied).toEqual(['0001_slow']);
    await expect(hasty.query('select pg_catalog.pg_sleep(1)')).rejects.toMatchObject({ code: '57014' });
  });

  test('the connection goes back to the pool fit for use, after success and after failure', async () => {
    const single = open(1);
    using bad = sqlDirectory({ 'migrations/0001_broken.sql': 'selct;' });
    await expect(prepareDatabase(single, { sqlDir: bad.path, log })).rejects.toThrow();
    const state = await single.query(
      `select current_setting('lock_timeout') as lock, pg_current_xact_id_if_assigned() is null as outside`,
    );
    expect(state.rows).toEqual([{ lock: '0', outside: true }]);
  });
});

describe('views', () => {
  const base = { 'migrations/0001_people.sql': PEOPLE, 'views/0001_person.sql': PEOPLE_VIEW };

  test('are made anew when a file changes, and a view whose file is gone goes', async () => {
    using sql = sqlDirectory({
      ...base,
      'views/0002_extra.sql': 'create view mentoring.extra as select 1 as x;',
    });
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    sql.remove('views/0002_extra.sql');
    sql.write('views/0001_person.sql', 'create view mentoring.person as select name from cadenced.person;');
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    expect(await value(`to_regclass('mentoring.extra')`)).toBeNull();
    const columns = await pool.query(
      `select column_name from information_schema.columns where table_schema = 'mentoring' and table_name = 'person'`,
    );
    expect(columns.rows).toEqual([{ column_name: 'name' }]);
  });

  test('are left alone while nothing changed', async () => {
    using sql = sqlDirectory(base);
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    const before = await value(`'mentoring.person'::regclass::oid::int8`);
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    expect(await value(`'mentoring.person'::regclass::oid::int8`)).toBe(before);
  });

  test('step aside for a migration that changes a column they read', async () => {
    using sql = sqlDirectory(base);
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    sql.write('migrations/0002_type.sql', 'alter table cadenced.person alter column name type varchar(80);');
    expect((await prepareDatabase(pool, { sqlDir: sql.path, log })).applied).toEqual(['0002_type']);
    expect(await value(`to_regclass('mentoring.person')::text`)).toBe('mentoring.person');
  });

  test('that use each other and functions among them are renewed in one go', async () => {
    using sql = sqlDirectory({
      ...base,
      'views/0002_function.sql': `
        create function mentoring.find(text) returns setof mentoring.person stable language sql
        begin atomic select person_id, name from mentoring.person where name = $1; end;
        create view mentoring.found as select * from mentoring.find('Ada');
        create function mentoring.touch() returns trigger language plpgsql as 'begin return null; end';
        create trigger touch instead of insert on mentoring.person for each row execute function mentoring.touch();`,
    });
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    sql.write('views/0001_person.sql', `${PEOPLE_VIEW} comment on view mentoring.person is 'People.';`);
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    expect(await value('select count(*)::int4 from mentoring.found')).toBe(0);
    expect(await value(`obj_description('mentoring.person'::regclass)`)).toBe('People.');
  });

  test('a function that a migration made survives', async () => {
    using sql = sqlDirectory({
      ...base,
      'migrations/0002_clock.sql': `create function cadenced.tick() returns int language sql return 1;`,
      'views/0002_tick.sql': 'create view mentoring.tick as select cadenced.tick() as tick;',
    });
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    sql.write('views/0002_tick.sql', 'create view mentoring.tick as select cadenced.tick() as tock;');
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    expect(await value('select tock from mentoring.tick')).toBe(1);
  });

  test("an administrator's views on ours are put back with owner, grants and comment", async () => {
    using sql = sqlDirectory(base);
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    await pool.query(`
      create role "cadenced_test BI" nologin;
      create schema bi;
      create view bi.names with (security_barrier = true) as select name from mentoring.person;
      create view bi.short as select left(name, 1) as initial from bi.names;
      comment on view bi.short is 'It''s theirs';
      grant select on bi.short to "cadenced_test BI";
      grant select on mentoring.person to "cadenced_test BI";`);
    sql.write('views/0001_person.sql', 'create view mentoring.person as select name from cadenced.person;');
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    expect(await value('select count(*)::int4 from bi.short')).toBe(0);
    expect(await value(`obj_description('bi.short'::regclass)`)).toBe("It's theirs");
    expect(await value(`select reloptions::text from pg_class where oid = 'bi.names'::regclass`)).toBe(
      '{security_barrier=true}',
    );
    for (const view of ['bi.short', 'mentoring.person']) {
      expect(await value(`has_table_privilege('cadenced_test BI', '${view}', 'select')`)).toBe(true);
    }
    await pool.query('drop owned by "cadenced_test BI"; drop role "cadenced_test BI"');
  });

  test("an administrator's view that no longer fits stops the upgrade, names itself, and nothing changes", async () => {
    using sql = sqlDirectory(base);
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    await pool.query('create view public.theirs as select person_id from mentoring.person');
    sql.write('views/0001_person.sql', 'create view mentoring.person as select name from cadenced.person;');
    await expect(prepareDatabase(pool, { sqlDir: sql.path, log })).rejects.toMatchObject({
      kind: 'config',
      code: 'dependent_view_broken',
      message: expect.stringContaining('public.theirs') as string,
    });
    expect(await value('select count(*)::int4 from public.theirs')).toBe(0);
  });

  test('something on our views that cannot be put back stops the upgrade and is named', async () => {
    using sql = sqlDirectory(base);
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    await pool.query('create materialized view public.cached as select name from mentoring.person');
    sql.write('views/0001_person.sql', `${PEOPLE_VIEW} -- changed`);
    await expect(prepareDatabase(pool, { sqlDir: sql.path, log })).rejects.toMatchObject({
      code: 'views_in_use',
      message: expect.stringContaining('materialized view public.cached') as string,
    });
  });
});

describe('a database user with few rights', () => {
  test('prepares what it owns and gets the statements an administrator has to run', async () => {
    const user = `cadenced_test_plain_${database.name.slice(-6)}`;
    await pool.query(
      `create role ${user} login password 'plain'; grant create on database "${database.name}" to ${user}`,
    );
    using sql = sqlDirectory({
      'roles.sql': '-- who reads\ncreate role cadenced_test_reader nologin;',
      'grants.sql': 'grant usage on schema mentoring to cadenced_test_reader;',
      'migrations/0001_people.sql': PEOPLE,
      'views/0001_person.sql': PEOPLE_VIEW,
    });
    const url = new URL(database.url);
    url.username = user;
    url.password = 'plain';
    const plain = open(1, url.href);
    const prepared = await prepareDatabase(plain, { sqlDir: sql.path, log });
    expect(prepared).toEqual({
      applied: ['0001_people'],
      rolesToCreate: [
        'create role cadenced_test_reader nologin;',
        'grant usage on schema mentoring to cadenced_test_reader;',
      ],
    });
    // The administrator makes the role; at the next start the grants follow by themselves.
    await pool.query('create role cadenced_test_reader nologin');
    expect((await prepareDatabase(plain, { sqlDir: sql.path, log })).rolesToCreate).toEqual([]);
    expect(await value(`has_schema_privilege('cadenced_test_reader', 'mentoring', 'usage')`)).toBe(true);
    await pool.query(
      `drop owned by ${user}, cadenced_test_reader cascade; drop role ${user}; drop role cadenced_test_reader`,
    );
  });

  test('without the right to make schemas learns what is missing', async () => {
    const user = `cadenced_test_none_${database.name.slice(-6)}`;
    await pool.query(`create role ${user} login password 'none'`);
    using sql = sqlDirectory({});
    const url = new URL(database.url);
    url.username = user;
    url.password = 'none';
    await expect(prepareDatabase(open(1, url.href), { sqlDir: sql.path, log })).rejects.toMatchObject({
      kind: 'config',
      code: 'database_rights_missing',
    });
    await pool.query(`drop role ${user}`);
  });
});

test('an address where nobody answers and a database that does not exist are told apart', async () => {
  using sql = sqlDirectory({});
  const refused = new URL(database.url);
  refused.port = '1';
  await expect(prepareDatabase(open(1, refused.href), { sqlDir: sql.path, log })).rejects.toMatchObject({
    kind: 'transient',
    code: 'database_unreachable',
  });
  const missing = new URL(database.url);
  missing.pathname = '/no_such_database';
  await expect(prepareDatabase(open(1, missing.href), { sqlDir: sql.path, log })).rejects.toMatchObject({
    kind: 'config',
    code: 'database_refuses_us',
  });
});
