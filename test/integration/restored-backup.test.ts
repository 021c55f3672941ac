import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { failure } from '../../src/domain/failure.ts';
import {
  ANNA,
  createSyncWorld,
  DAY,
  event,
  HOUR,
  NOW,
  type SyncWorld,
  TUESDAY,
  weekly,
} from './sync-world.ts';

let world: SyncWorld;
afterEach(() => world.close());

const later = { updatedAt: NOW - HOUR };

/** Every row as a dump of the database would hold it. */
async function takeBackup(): Promise<void> {
  await sql`create schema backup`.execute(world.db);
  for (const name of await tables()) {
    await sql`create table ${sql.table(`backup.${name}`)} as table ${sql.table(`cadenced.${name}`)}`.execute(
      world.db,
    );
  }
}

async function restoreBackup(): Promise<void> {
  const names = await tables();
  await world.db.transaction().execute(async (trx) => {
    // As a restore does: rows are put back as they were, without what triggers and keys would make of them.
    await sql`set local session_replication_role = replica`.execute(trx);
    for (const name of names) await sql`delete from ${sql.table(`cadenced.${name}`)}`.execute(trx);
    for (const name of names) {
      await sql`insert into ${sql.table(`cadenced.${name}`)} overriding system value
                select * from ${sql.table(`backup.${name}`)}`.execute(trx);
    }
  });
}

async function tables(): Promise<string[]> {
  const rows = await world.rows<{ name: string }>(sql`
    select relname as name from pg_class
     where relnamespace = 'cadenced'::regnamespace and relkind = 'r' and relpersistence = 'p'
       and relname not like 'migration%' and relname <> 'view_set' order by relname`);
  return rows.map((row) => row.name);
}

test('a restored backup catches up by one full pass: sessions keep their ids, and nobody is mailed twice', async () => {
  world = await createSyncWorld();
  // Near enough for reminders to be queued.
  await world.advance(6 * DAY);
  const anna = world.calendar(ANNA);
  anna.putSeries('m', weekly('m', TUESDAY, 4));
  anna.put(
    event('kept', TUESDAY + DAY),
    event('moved', TUESDAY + 2 * DAY),
    event('called-off', TUESDAY + 3 * DAY),
  );
  await world.sync(ANNA);
  await sql`update cadenced.mail set status = 'sent', sent_at = cadenced.now()`.execute(world.db);
  const mails = () =>
    world.rows<{ fact_key: string; status: string }>(
      sql`select fact_key, status from cadenced.mail order by fact_key`,
    );
  const sent = (await mails()).map((mail) => mail.fact_key);
  expect(sent.length).toBeGreaterThan(0);
  const ids = async () =>
    new Map((await world.sessions()).map((session) => [Number(session.start), session.id] as const));
  const before = await ids();
  await takeBackup();

  anna.put(event('moved', TUESDAY + 9 * DAY, later), event('new', TUESDAY + 10 * DAY));
  anna.remove('called-off', NOW - HOUR);
  await world.sync(ANNA);
  const truth = await world.booked();
  await restoreBackup();
  expect(await world.booked()).not.toEqual(truth);

  // The provider has forgotten the old cursor meanwhile.
  anna.failing = { page: 0, problem: failure.gone('cursor_lost'), onlyWithCursor: true };
  expect(await world.sync(ANNA)).toMatchObject({ complete: true, kind: 'full', failure: null });
  expect(await world.booked()).toEqual(truth);
  const after = await ids();
  for (const [start, id] of before) {
    if (truth.includes(start)) expect(after.get(start)).toBe(id);
  }
  expect(after.get(TUESDAY + 9 * DAY)).toBe(before.get(TUESDAY + 2 * DAY));

  // What had been sent before the backup is known to have been sent, and is queued under no other name.
  const now = await mails();
  expect(now.filter((mail) => sent.includes(mail.fact_key)).map((mail) => mail.status)).toEqual(
    sent.map(() => 'sent'),
  );
  const twice = await world.rows(sql`
    select session_id, person_id, kind, due_at from cadenced.mail
     group by session_id, person_id, kind, due_at having count(*) > 1`);
  expect(twice).toEqual([]);
});
