import { sql } from 'kysely';
import { DateTime } from 'luxon';
import pg from 'pg';
import { asPeopleRunIt } from './as-people-run-it.ts';
import { median, openBench, serveMicrosoft } from './microsoft-served.ts';

/**
 * How long it takes from a change on somebody's calendar to the changed row in the database: Graph's notification,
 * our answer, the job, the round, the plan and its commit. The stand-in notifies at once; Graph takes up to minutes.
 *
 *   node test/bench/microsoft-push.ts [rounds]
 */
async function bench(rounds: number): Promise<void> {
  const stand = await openBench(import.meta.filename, 5);
  const { workshop, daemon } = stand;
  const listener = new pg.Client({ connectionString: stand.databaseUrl });
  try {
    await listener.connect();
    await sql`create function public.tell() returns trigger language plpgsql as
              $$ begin perform pg_notify('stored', extract(epoch from new.starts_at)::text); return null; end $$`.execute(
      workshop.db,
    );
    await sql`create trigger tell after update of starts_at on cadenced.occurrence
              for each row execute function public.tell()`.execute(workshop.db);
    await listener.query('listen stored');
    await daemon.start();
    await daemon.dispatcher.settled();
    const { rows } = await sql<{ verified: number }>`
      select count(*)::int as verified from cadenced.channel where state = 'verified'`.execute(workshop.db);
    if (rows[0]?.verified !== 10) throw new Error(`${rows[0]?.verified} of 10 channels work`);
    const figures: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      // Pushes within a second of a pass wait for it to be over; this measures one that comes alone.
      await sql`select pg_sleep(1.3)`.execute(workshop.db);
      const stored = new Promise<number>((resolve) => {
        listener.once('notification', () => resolve(Date.now()));
      });
      const start = DateTime.utc()
        .plus({ days: 3 + round })
        .toFormat("yyyy-MM-dd'T'HH:mm");
      const movedAt = await stand.move(start);
      const took = (await stored) - movedAt;
      if (round > 0) figures.push(took);
    }
    process.stdout.write(
      `from a change to the stored change by push, ${rounds} rounds: median ${median(figures)} ms ` +
        `(target 250), longest ${Math.max(...figures)} ms\n`,
    );
  } finally {
    await daemon.stop();
    await listener.end();
    await stand.close();
  }
}

asPeopleRunIt(import.meta.filename);
if (process.argv[2] === 'serve') await serveMicrosoft(Number(process.argv[3]));
else await bench(Number(process.argv[2] ?? 20));
