import { expect, test } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { prepareDatabase } from '../../src/store/migrate.ts';
import { createPool } from '../../src/store/pool.ts';
import { printSchema } from '../../src/store/schema-print.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { sqlDirectory } from './sql-directory.ts';

const log = silentLog();

async function printed(files: Record<string, string>): Promise<string> {
  await using database = await createTestDatabase({ empty: true });
  using sql = sqlDirectory(files);
  const pool = createPool({ url: database.url, max: 1, applicationName: 'test', log });
  try {
    await prepareDatabase(pool, { sqlDir: sql.path, log });
    const client = await pool.connect();
    return await printSchema(client).finally(() => client.release());
  } finally {
    await pool.end();
  }
}

const FILES = {
  'migrations/0001_visit.sql': `
    create function cadenced.now() returns timestamptz language sql stable return pg_catalog.now();
    comment on function cadenced.now() is 'Business time.';
    create table cadenced.visit (
      visit_id bigint generated always as identity primary key,
      place text not null constraint visit_place_is_known check (place in ('here', 'there')),
      at timestamptz not null default cadenced.now(),
      minutes int generated always as (length(place)) stored
    );
    comment on table cadenced.visit is 'Who came.';
    comment on column cadenced.visit.place is 'Where.';
    create index visit_by_place on cadenced.visit (place) where minutes > 3;
    create table cadenced.note (visit_id bigint references cadenced.visit);`,
  'views/0001_visit.sql': `
    create view mentoring.visit with (security_barrier = true) as select place, at from cadenced.visit;
    comment on view mentoring.visit is 'Visits.';
    grant select on mentoring.visit to public;`,
};

test('prints what others rely on: names, types, constraints, indexes, comments, grants', async () => {
  const text = await printed(FILES);
  for (const line of [
    '  place text not null  -- Where.',
    '  visit_id bigint generated always as identity not null',
    '  at timestamp with time zone default cadenced.now() not null',
    '  minutes integer generated always as (length(place)) stored',
    '  constraint visit_pkey PRIMARY KEY (visit_id)',
    '  constraint note_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES cadenced.visit(visit_id)',
    'CREATE INDEX visit_by_place ON cadenced.visit USING btree (place) WHERE (minutes > 3);',
    '-- Visits.',
    'create view mentoring.visit (',
    ') with (security_barrier=true);',
    'grant select on table mentoring.visit to (public);',
    '-- Business time.',
    'create function cadenced.now() returns timestamp with time zone language sql stable;',
    'grant execute on cadenced.now() to (public);',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).toMatch(/constraint visit_place_is_known CHECK/);
});

test('the same schema prints the same, another one does not', async () => {
  const [once, again, other] = await Promise.all([
    printed(FILES),
    printed(FILES),
    printed({ ...FILES, 'migrations/0002_more.sql': 'alter table cadenced.visit add note text;' }),
  ]);
  expect(again).toBe(once);
  expect(other).not.toBe(once);
});
