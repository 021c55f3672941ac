import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { beginStory, openStage, playStep, type Stage } from '../../src/cli/sandbox-stage.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { openScratch } from '../support/scratch.ts';

/** The database is killed under the running daemon, in the middle of its work, and comes back. */
let scratch: ReturnType<typeof openScratch>;
let server: EmbeddedPostgres;
let stage: Stage;
const ends: Array<() => Promise<unknown>> = [];

beforeAll(async () => {
  scratch = openScratch('outage');
  server = await startEmbeddedPostgres({ dataDir: scratch.path, durable: true, log: silentLog() });
  stage = await openStage({
    seed: 2,
    databaseUrl: server.url,
    log: silentLog(),
    atEnd: (_, stop) => ends.push(stop),
  });
}, 60_000);

afterAll(async () => {
  for (const stop of ends.toReversed()) await stop();
  await server.stop();
  scratch[Symbol.dispose]();
});

async function untilItAnswers(): Promise<void> {
  await vi.waitFor(() => sql`select 1`.execute(stage.workshop.db), { timeout: 30_000, interval: 100 });
}

test('a daemon whose database was killed goes on where it was, and the story ends as it should', async () => {
  await beginStory(stage);
  const { steps, expected } = stage.scenario;
  const [first, ...rest] = steps;
  if (!first) throw new Error('a story has steps');
  await playStep(stage, first);

  // Every calendar is due, so that passes are under way when the server dies without a word.
  await sql`update cadenced.calendar set next_poll_at = now()`.execute(stage.workshop.db);
  await stage.daemon.dispatcher.dispatch();
  const killed = server.pid;
  process.kill(killed, 'SIGKILL');
  await vi.waitFor(() => expect(server.pid).not.toBe(killed), { timeout: 30_000, interval: 50 });
  await untilItAnswers();

  const health = await fetch(`${stage.daemon.http.url}/healthz`);
  expect(health.status).toBe(200);
  await vi.waitFor(async () => expect((await fetch(`${stage.daemon.http.url}/readyz`)).status).toBe(200), {
    timeout: 30_000,
    interval: 200,
  });

  // A job whose worker never learnt that it had it is given back by its heartbeat; in life time passes meanwhile.
  await vi.waitFor(
    async () => {
      const { rows: active } = await sql`select 1 from pgboss.job where state = 'active'`.execute(
        stage.workshop.db,
      );
      expect(active).toEqual([]);
    },
    { timeout: 120_000, interval: 500 },
  );

  for (const step of rest) await playStep(stage, step);
  const { rows } = await sql<{ outcome: string; sessions: number }>`
    select outcome, count(*)::int as sessions from mentoring.session where status <> 'scheduled' and outcome is not null
     group by outcome`.execute(stage.workshop.db);
  const outcomes = Object.fromEntries(rows.map((row) => [row.outcome, row.sessions]));
  expect({ no_one: 0, ...outcomes }).toEqual(expected.outcomes);
  const received = stage.receiver.received().map((webhook) => webhook.id);
  const { rows: events } = await sql<{ events: number }>`
    select count(*)::int as events from cadenced.outbound_event`.execute(stage.workshop.db);
  // At least once: a delivery whose receipt was lost with the database is repeated under the same id.
  expect(new Set(received).size).toBe(events[0]?.events);
}, 240_000);
