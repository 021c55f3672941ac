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

test('a calendar that a push made due is read next, though others wait longer and it waits among them', async () => {
  world = await createSyncWorld();
  const [anna, ben, cem] = await Promise.all([world.idOf(ANNA), world.idOf(BEN), world.idOf(CEM)]);
  const falls = (what: 'due' | 'pushed', calendarId: number) =>
    sql`update cadenced.calendar set next_poll_at = now(),
               look_again_at = case when ${what === 'pushed'} then now() + interval '10 seconds' end
         where calendar_id = ${calendarId}`.execute(world.db);
  await sql`update cadenced.calendar set next_poll_at = now() + interval '1 hour'`.execute(world.db);
  const read: number[] = [];
  const began = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const jobs = createJobRunner({
    connectionString: world.url,
    log: silentLog(),
    handlers: {
      [QUEUES.sync]: {
        atOnce: 1,
        async run({ calendarId = 0 }) {
          read.push(calendarId);
          began.resolve();
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
  try {
    for (const calendar of [anna, ben, cem]) {
      await falls('due', calendar);
      await dispatcher.dispatch();
      await began.promise;
    }
    await falls('pushed', cem);
    await dispatcher.dispatch();
    goOn.resolve();
    await jobs.drained();
    // While a calendar is read it still counts as due and is asked for again, which comes to nothing.
    expect([...new Set(read)]).toEqual([anna, cem, ben]);
  } finally {
    goOn.resolve();
    await jobs.stop();
  }
});
