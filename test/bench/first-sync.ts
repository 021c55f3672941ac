import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auth, calendar as calendarApi } from 'googleapis/build/src/apis/calendar/index.js';
import { type Kysely, sql } from 'kysely';
import { DateTime } from 'luxon';
import { createGoogle } from '../../src/providers/google/index.ts';
import { PAGE_FIELDS } from '../../src/providers/google/wire.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { locateProject } from '../../src/runtime/locate.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createFaults } from '../../src/sandbox/faults.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../../src/sandbox/google/server.ts';
import { createMeeting } from '../../src/sandbox/world/index.ts';
import { World } from '../../src/sandbox/world/world.ts';
import { parsePolicy } from '../../src/settings/policy-file.ts';
import type { DB } from '../../src/store/database.generated.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { prepareDatabase } from '../../src/store/migrate.ts';
import { createDatabaseClient, createPool } from '../../src/store/pool.ts';
import { writePrograms } from '../../src/store/programs.ts';
import { createRosterStore } from '../../src/store/roster.ts';
import { createSyncStore } from '../../src/store/sync-store.ts';
import { importRoster } from '../../src/usecases/import-roster.ts';
import { sightAt, syncCalendar } from '../../src/usecases/sync-calendar.ts';
import { asPeopleRunIt } from './as-people-run-it.ts';

/**
 * How long the first sync of a busy calendar takes, against a yardstick in the same run: fetching and parsing the
 * same pages with the same client and copying the tagged rows into a table.
 *
 *   node test/bench/first-sync.ts [rounds]
 *
 * The stand-in for Google runs in a process of its own, so that only our own work is on our clock.
 */
const EVENTS = 5_000;
const TAGGED_EVERY = 20;
const MENTOR = 'mentor@bench.example';
const MENTEE = 'mentee@bench.example';

type Served = Pick<GoogleSandbox, 'url' | 'tokenUrl' | 'serviceAccountKey'>;

async function serve(): Promise<void> {
  const world = new World({ seed: 1, start: Date.now() });
  world.addPerson({ name: 'Mentor', address: MENTOR });
  world.addPerson({ name: 'Mentee', address: MENTEE });
  const first = DateTime.utc().startOf('day');
  for (let at = 0; at < EVENTS; at += 1) {
    const start = first.plus({ days: (at % 120) - 20, hours: 7 + (at % 10), minutes: at % 60 });
    createMeeting(world, {
      organizer: MENTOR,
      guests: [{ address: MENTEE }],
      title: at % TAGGED_EVERY === 0 ? `Talk ${at} #mentoring` : `Status ${at}`,
      body: `<p>Agenda ${at}</p><ul><li>one</li><li>two</li></ul>`,
      start: start.toFormat("yyyy-MM-dd'T'HH:mm"),
      zone: 'UTC',
      minutes: 30,
      conference: at % 3 === 0 ? 'meet' : null,
    });
  }
  const sandbox = await startGoogleSandbox(world, {
    faults: createFaults({ seed: 1, now: () => world.now() }),
    habits: { maxPage: 2500, emptyPages: 0 },
  });
  const { url, tokenUrl, serviceAccountKey } = sandbox;
  process.send?.({ url, tokenUrl, serviceAccountKey } satisfies Served);
  process.on('disconnect', () => void sandbox.close().then(() => process.exit(0)));
}

async function yardstick(served: Served, db: Kysely<DB>): Promise<number> {
  const jwt = new auth.JWT({
    email: served.serviceAccountKey.client_email,
    key: served.serviceAccountKey.private_key,
    scopes: ['https://www.googleapis.com/auth/calendar.events.readonly'],
    subject: MENTOR,
  });
  jwt.transporter.interceptors.request.add({
    resolved: async (request) => {
      if (request.url.href === 'https://oauth2.googleapis.com/token') request.url = new URL(served.tokenUrl);
      return request;
    },
  });
  const client = calendarApi({ version: 'v3', auth: jwt, rootUrl: served.url });
  const tagged: object[] = [];
  let pageToken: string | undefined;
  do {
    const { data } = await client.events.list({
      calendarId: 'primary',
      singleEvents: false,
      showDeleted: true,
      maxResults: 2500,
      // The same pages: the same selection of fields, too, which the other side has to make.
      fields: PAGE_FIELDS,
      timeMin: new Date(sightAt(Date.now()).from).toISOString(),
      ...(pageToken ? { pageToken } : {}),
    });
    for (const event of data.items ?? []) if (event.summary?.includes('#mentoring')) tagged.push(event);
    pageToken = data.nextPageToken ?? undefined;
  } while (pageToken);
  await sql`insert into public.copied (payload) select value from jsonb_array_elements(${JSON.stringify(tagged)}::jsonb)`.execute(
    db,
  );
  return tagged.length;
}

async function timed<T>(run: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const begin = performance.now();
  const value = await run();
  return { ms: performance.now() - begin, value };
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function bench(rounds: number): Promise<void> {
  const child = fork(import.meta.filename, ['serve']);
  const served = await new Promise<Served>((resolve) =>
    child.once('message', (message) => resolve(message as Served)),
  );
  const dataDir = mkdtempSync(join(tmpdir(), 'cadenced-bench-'));
  const log = silentLog();
  const server = await startEmbeddedPostgres({ dataDir, durable: true, log });
  const pool = createPool({ url: server.url, max: 8, applicationName: 'bench', log });
  const db = createDatabaseClient(pool);
  try {
    await prepareDatabase(pool, { sqlDir: locateProject().sql, log });
    const policy = parsePolicy(
      'programs:\n  - {name: Bench, time_zone: UTC, tags: ["#mentoring"], cadence: {every: P14D}}\n',
      'bench',
    );
    if (!policy.ok) throw new Error('the bench wrote a configuration that is refused');
    await writePrograms(db, policy.policy.programs, 'google', new Date());
    const row = (role: string, email: string) =>
      `Bench,pair,${role},${email},${role},UTC,google,2020-01-01,,,`;
    const roster = `program,mentorship,role,email,name,time_zone,calendar,starts_on,ends_on,aliases,language\n${row('mentor', MENTOR)}\n${row('mentee', MENTEE)}\n`;
    const imported = await importRoster(createRosterStore(db), roster, false);
    if (imported.outcome !== 'applied') throw new Error(JSON.stringify(imported));
    await sql`create table public.copied (payload jsonb)`.execute(db);
    const { rows } = await sql<{ calendar_id: number }>`
      select calendar_id from cadenced.calendar where address = ${MENTOR}`.execute(db);
    const calendarId = rows[0]?.calendar_id ?? 0;
    const figures: Array<{ sync: number; copy: number }> = [];
    for (let round = 0; round <= rounds; round += 1) {
      await sql`truncate cadenced.event_copy, cadenced.occurrence, cadenced.session, cadenced.participant, cadenced.evidence,
                         cadenced.harvest, cadenced.outcome_history, cadenced.planned_session, cadenced.mail,
                         cadenced.outbound_event, cadenced.webhook_delivery, cadenced.feedback, public.copied cascade`.execute(
        db,
      );
      await sql`update cadenced.calendar set cursor = null, full_pass_wanted = true`.execute(db);
      const google = createGoogle(
        { ...served, apiUrl: served.url, maxInFlight: 16 },
        { log, now: () => Date.now() },
      );
      const deps = {
        store: createSyncStore(db, { pollEveryMs: 300_000, pollWithPushMs: 900_000 }),
        sources: { google: google.calendar },
        clock: systemClock(),
        log,
        newPassId: randomUUID,
      };
      // In turns, so that a machine that grows slower slows both.
      const copy = await timed(() => yardstick(served, db));
      const sync = await timed(() => syncCalendar(deps, calendarId, {}, new AbortController().signal));
      if (!sync.value?.complete)
        throw new Error(`the sync was not complete: ${sync.value?.failure?.message}`);
      if (copy.value !== EVENTS / TAGGED_EVERY || sync.value.applied?.sessions !== copy.value) {
        throw new Error(`${copy.value} rows were copied, ${sync.value.applied?.sessions} sessions found`);
      }
      if (round > 0) figures.push({ sync: sync.ms, copy: copy.ms });
    }
    const ratio = median(figures.map((figure) => figure.sync / figure.copy));
    process.stdout.write(
      `first sync of ${EVENTS} events, ${EVENTS / TAGGED_EVERY} of them tagged, ${rounds} rounds (medians):\n` +
        `  sync ${median(figures.map((figure) => figure.sync)).toFixed(0)} ms, ` +
        `fetch+parse+copy ${median(figures.map((figure) => figure.copy)).toFixed(0)} ms, ratio ${ratio.toFixed(2)} (target 1.6)\n`,
    );
  } finally {
    await db.destroy();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
    child.disconnect();
  }
}

asPeopleRunIt(import.meta.filename);
if (process.argv[2] === 'serve') await serve();
else await bench(Number(process.argv[2] ?? 7));
