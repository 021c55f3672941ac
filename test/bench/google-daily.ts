import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { composeDaemon, openWorkshop, syncDeps, type Workshop } from '../../src/compose.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { loadSettings, renderMistakes } from '../../src/settings/settings.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { importRoster } from '../../src/usecases/import-roster.ts';
import { syncCalendar } from '../../src/usecases/sync-calendar.ts';
import { asPeopleRunIt } from './as-people-run-it.ts';
import { mentee, mentor, type Served, type Told, type Wish } from './google-stand-in.ts';

/**
 * What an ordinary day costs with Google: a poll that finds nothing, a push that becomes a stored change, and the
 * memory of one process that watches many calendars.
 *
 *   node test/bench/google-daily.ts [calendars]      1,000 unless said otherwise
 *
 * The stand-in and Postgres run in processes of their own.
 */
const QUIET_POLLS = 200;
const PUSHES = 40;
const CONFIG = 'bench:config.yaml';
const KEY = 'bench:key.json';
const POLICY = 'programs:\n  - {name: Bench, time_zone: UTC, tags: ["#mentoring"], cadence: {every: P14D}}\n';

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function bench(calendars: number): Promise<void> {
  const pairs = Math.ceil(calendars / 2);
  const child = fork(join(import.meta.dirname, 'google-stand-in.ts'), [String(pairs), '4']);
  const { served } = await heard(child, 'served');
  const dataDir = mkdtempSync(join(tmpdir(), 'cadenced-bench-'));
  const log = silentLog();
  const server = await startEmbeddedPostgres({ dataDir, durable: true, log });
  const workshop = await openWorkshop(settingsFor(served, await freePort()), server.url, log, 'daemon');
  const { db } = workshop;
  try {
    const rows = Array.from({ length: pairs }, (_, index) =>
      [
        ['mentor', mentor(index)],
        ['mentee', mentee(index)],
      ].map(([role, address]) => `Bench,pair${index},${role},${address},${address},UTC,google,2020-01-01,,,`),
    ).flat();
    const header = 'program,mentorship,role,email,name,time_zone,calendar,starts_on,ends_on,aliases,language';
    const imported = await importRoster(workshop.roster, [header, ...rows].join('\n'), false);
    if (imported.outcome !== 'applied') throw new Error(JSON.stringify(imported));

    const daemon = composeDaemon(workshop, server.url);
    await daemon.start();
    const began = performance.now();
    await daemon.dispatcher.settled();
    const first = performance.now() - began;
    const memory = process.memoryUsage().rss / 2 ** 20;
    const { rows: channels } = await sql<{ verified: number }>`
      select count(*)::int as verified from mentoring.sync_health where push = 'verified'`.execute(db);

    const latencies: number[] = [];
    for (let push = 0; push < PUSHES; push += 1) {
      // Every pair once: a calendar that was just read takes its next push a second later.
      const start = new Date(Date.now() + (10 + push) * 86_400_000).toISOString().slice(0, 16);
      const known = await countSessions(db);
      const answered = heard(child, 'booked');
      child.send({ ask: 'book', organizer: mentor(push), guest: mentee(push), start } satisfies Wish);
      const { at } = await answered;
      while ((await countSessions(db)) === known) {
        /* Each look is a round trip of its own to the database. */
      }
      latencies.push(Date.now() - at);
    }
    await daemon.dispatcher.settled();
    await daemon.stop();

    const deps = syncDeps(workshop, daemon.providers);
    const { rows: calendar } = await sql<{ calendar_id: number }>`
      select calendar_id from cadenced.calendar order by calendar_id limit 1`.execute(db);
    const id = calendar[0]?.calendar_id ?? 0;
    const quiet = () => syncCalendar(deps, id, {}, new AbortController().signal);
    for (let warm = 0; warm < 20; warm += 1) await quiet();
    const before = await requests(child);
    const cpu: number[] = [];
    for (let poll = 0; poll < QUIET_POLLS; poll += 1) {
      const usage = process.cpuUsage();
      await quiet();
      const { user, system } = process.cpuUsage(usage);
      cpu.push((user + system) / 1000);
    }
    const asked = ((await requests(child)) - before) / QUIET_POLLS;
    const most = process.resourceUsage().maxRSS / 2 ** 10;

    process.stdout.write(
      [
        `${pairs * 2} calendars with Google, ${channels[0]?.verified} of them with a verified push channel:`,
        `  first sync of all ${(first / 1000).toFixed(1)} s, resident memory after it ${memory.toFixed(0)} MB, at most ${most.toFixed(0)} MB in all (target 250)`,
        `  a push to a stored change ${median(latencies).toFixed(0)} ms at the median (target 200), ${Math.max(...latencies)} ms at most`,
        `  a poll that finds nothing ${asked.toFixed(2)} requests (target 1), ${median(cpu).toFixed(2)} ms of CPU at the median (target 5)`,
        '',
      ].join('\n'),
    );
  } finally {
    await workshop.close();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
    child.disconnect();
  }
}

async function countSessions(db: Workshop['db']): Promise<number> {
  const { rows } = await sql<{
    sessions: number;
  }>`select count(*)::int as sessions from cadenced.session`.execute(db);
  return rows[0]?.sessions ?? 0;
}

async function requests(child: ChildProcess): Promise<number> {
  const answered = heard(child, 'count');
  child.send({ ask: 'count' } satisfies Wish);
  return (await answered).requests;
}

function heard<T extends Told['told']>(child: ChildProcess, what: T): Promise<Extract<Told, { told: T }>> {
  return new Promise((resolve) => {
    const listen = (message: unknown) => {
      const told = message as Told;
      if (told.told !== what) return;
      child.off('message', listen);
      resolve(told as Extract<Told, { told: T }>);
    };
    child.on('message', listen);
  });
}

function settingsFor(served: Served, port: number) {
  const loaded = loadSettings({
    env: {
      CADENCED_CONFIG: CONFIG,
      CADENCED_PORT: String(port),
      CADENCED_METRICS_PORT: '0',
      CADENCED_PUBLIC_URL: `http://127.0.0.1:${port}`,
      CADENCED_SEAL_KEYS: randomBytes(32).toString('base64'),
      CADENCED_GOOGLE_KEY_FILE: KEY,
      CADENCED_GOOGLE_API_URL: served.url,
      CADENCED_GOOGLE_TOKEN_URL: served.tokenUrl,
    },
    readText: (path) => (path === KEY ? JSON.stringify(served.serviceAccountKey) : POLICY),
  });
  if (!loaded.ok) throw new Error(renderMistakes(loaded.mistakes).join('\n'));
  return loaded.settings;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

asPeopleRunIt(import.meta.filename);
await bench(Number(process.argv[2] ?? 1_000));
