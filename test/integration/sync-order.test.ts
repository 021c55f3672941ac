import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { createDispatcher, QUEUES } from '../../src/jobs/dispatcher.ts';
import { createJobRunner } from '../../src/jobs/job-runner.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createWorkFinder } from '../../src/store/due-work.ts';
import { ANNA, BEN, CEM, createSyncWorld, type SyncWorld } from './sync-world.ts';

/** Who is read first when many are due. */
let world: SyncWorld;
afterEach(() => world.close());

const falls = (what: 'due' | 'pushed', calendarId: number) =>
  sql`update cadenced.calendar set next_poll_at = now(),
             look_again_at = case when ${what === 'pushed'} then now() + interval '10 seconds' end
       where calendar_id = ${calendarId}`.execute(world.db);

/** The queue and what fills it, with readings that do not end before they are let go on. Nothing is due at first. */
async function openQueue(places: { readonly atOnce: number; readonly keptForFirst?: number }) {
  world = await createSyncWorld();
  await sql`update cadenced.calendar set next_poll_at = now() + interval '1 hour'`.execute(world.db);
  const [anna, ben, cem] = await Promise.all([world.idOf(ANNA), world.idOf(BEN), world.idOf(CEM)]);
  const read: number[] = [];
  const goOn = Promise.withResolvers<void>();
  let told: () => void = () => undefined;
  const jobs = createJobRunner({
    connectionString: world.url,
    log: silentLog(),
    handlers: {
      [QUEUES.sync]: {
        ...places,
        async run({ calendarId = 0 }) {
          read.push(calendarId);
          told();
          await goOn.promise;
          await sql`update cadenced.calendar set next_poll_at = now() + interval '1 hour', look_again_at = null
                     where calendar_id = ${calendarId}`.execute(world.db);
        },
      },
    },
  });
  const dispatcher = createDispatcher({
    finder: createWorkFinder(world.db, 'P1D', { providers: [], reachable: false }),
    jobs: {
      ...jobs,
      enqueue: async (queue, some) => (queue === QUEUES.sync ? jobs.enqueue(queue, some) : 0),
    },
    clock: world.clock,
    log: silentLog(),
  });
  await jobs.start();
  return {
    anna,
    ben,
    cem,
    /** In their order. While a calendar is read it still counts as due and is asked for again, which comes to nothing. */
    read: () => [...new Set(read)],
    async readingOf(calendar: number) {
      const { promise, resolve } = Promise.withResolvers<void>();
      told = () => read.includes(calendar) && resolve();
      told();
      await promise;
    },
    async falls(what: 'due' | 'pushed', calendar: number) {
      await falls(what, calendar);
      await dispatcher.dispatch();
    },
    async letGo() {
      goOn.resolve();
      await jobs.drained();
    },
    async [Symbol.asyncDispose]() {
      goOn.resolve();
      await jobs.stop();
    },
  };
}

test('plans that cannot be taken up stop nothing else', async () => {
  await using queue = await openQueue({ atOnce: 1 });
  await sql`
    create or replace function cadenced.take_up_plans() returns integer
      language plpgsql as $$ begin raise exception 'refused'; end $$`.execute(world.db);
  await sql`insert into cadenced.changed_plan
            select mentorship_id, false from cadenced.mentorship limit 1`.execute(world.db);
  await queue.falls('due', queue.anna);
  await queue.readingOf(queue.anna);
  expect(queue.read()).toEqual([queue.anna]);
});

test('a calendar that a push made due is read next, though others wait longer and it waits among them', async () => {
  await using queue = await openQueue({ atOnce: 1 });
  const { anna, ben, cem } = queue;
  await queue.falls('due', anna);
  await queue.readingOf(anna);
  await queue.falls('due', ben);
  await queue.falls('due', cem);
  await queue.falls('pushed', cem);
  await queue.letGo();
  expect(queue.read()).toEqual([anna, cem, ben]);
});

test('a calendar that a push made due is read at once while polls that do not end hold every place they may take', async () => {
  await using queue = await openQueue({ atOnce: 2, keptForFirst: 1 });
  const { anna, ben, cem } = queue;
  await queue.falls('due', anna);
  await queue.readingOf(anna);
  await queue.falls('due', ben);
  await queue.falls('pushed', cem);
  await queue.readingOf(cem);
  expect(queue.read()).toEqual([anna, cem]);
  // Else the engine starts one that takes a quarter of an hour a second time beside itself.
  expect(
    await world.rows(sql`select distinct extract(epoch from expire_seconds * interval '1 second')::int as seconds
                           from pgboss.job where state = 'active'`),
  ).toEqual([{ seconds: 86_400 }]);
  await queue.letGo();
  expect(queue.read()).toEqual([anna, cem, ben]);
});
