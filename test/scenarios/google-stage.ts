import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { sql } from 'kysely';
import { DateTime } from 'luxon';
import { composeDaemon, type Daemon, openWorkshop, type Tuning, type Workshop } from '../../src/compose.ts';
import { createLog } from '../../src/runtime/log.ts';
import { createFaults, type Faults } from '../../src/sandbox/faults.ts';
import type { GoogleHabits } from '../../src/sandbox/google/context.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../../src/sandbox/google/server.ts';
import { World } from '../../src/sandbox/world/index.ts';
import { loadSettings, renderMistakes } from '../../src/settings/settings.ts';
import { importRoster } from '../../src/usecases/import-roster.ts';
import { createTestDatabase } from '../support/postgres.ts';

/**
 * The whole daemon on Google's stand-in: real HTTP both ways, a real database, one moved clock. Ada mentors Bo; further
 * pairs where a scenario needs many calendars.
 */
export const START = '2026-09-07T06:00:00Z';
export const ADA = 'ada@school.example';
export const BO = 'bo@school.example';
export const ADMIN = 'admin@school.example';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

const CONFIG = 'scenario:config.yaml';
const KEY = 'scenario:key.json';
const policy = (tags: string) => `programs:
  - name: oak
    time_zone: Europe/Berlin
    live_from: 2026-09-01
    tags: ["#mentoring"${tags}]
    cadence: { every: P14D }
    reminders: [P1D]
`;

export interface GoogleStage {
  readonly world: World;
  readonly google: GoogleSandbox;
  readonly faults: Faults;
  readonly workshop: Workshop;
  /** The one that runs now. */
  readonly daemon: Daemon;
  readonly notifications: string;
  /** Every line that was logged, as it was written. */
  readonly logged: string[];
  /** Lets everything that is due happen. */
  settled(): Promise<void>;
  /** Lets what the notifier has under way arrive, and what follows from it happen. */
  pushed(): Promise<void>;
  advance(milliseconds: number): Promise<void>;
  /** Stops the daemon, lets time pass and things happen, and starts another one on the same database. */
  away(milliseconds: number, meanwhile?: () => void): Promise<void>;
  rows<T>(statement: ReturnType<typeof sql<T>>): Promise<T[]>;
  /** How many requests came whose path and query hold the text. */
  asked(part: string): number;
  /** Makes every readable calendar due, as time would. */
  pollDue(): Promise<void>;
  close(): Promise<void>;
}

export async function openGoogleStage(
  options: {
    readonly push?: boolean;
    readonly admin?: boolean;
    readonly habits?: Partial<GoogleHabits>;
    /** Further pairs beside Ada and Bo. */
    readonly pairs?: number;
    readonly seed?: number;
    /** When the mentorships begin. */
    readonly startsOn?: string;
    /** Ada is somebody outside: she organizes from a calendar that nobody here can read. */
    readonly adaOutside?: boolean;
    /** The address that Ada has instead. */
    readonly ada?: string;
    /** Ways of marking a meeting beside `#mentoring`, as YAML. */
    readonly tags?: string;
    readonly polling?: string;
    readonly tuning?: Tuning;
    /** Prepares the stand-in before the daemon first asks. */
    readonly before?: (stage: Pick<GoogleStage, 'world' | 'google' | 'faults'>) => void;
  } = {},
): Promise<GoogleStage> {
  const world = new World({ seed: options.seed ?? 5, start: START });
  const roster = ['program,mentorship,role,email,name,time_zone,calendar,starts_on,ends_on,aliases,language'];
  const ada = options.ada ?? ADA;
  const pair = (name: string, mentor: string, mentee: string) => {
    for (const [role, address] of [
      ['mentor', mentor],
      ['mentee', mentee],
    ] as const) {
      const outside = address === ada && options.adaOutside === true;
      world.addPerson({ name: address.split('@')[0] ?? '', address, ...(outside && { provider: 'none' }) });
      const calendar = outside ? 'none' : 'google';
      roster.push(
        `oak,${name},${role},${address},${address},,${calendar},${options.startsOn ?? '2026-09-01'},,,`,
      );
    }
  };
  pair('ada-bo', ada, BO);
  for (let index = 1; index <= (options.pairs ?? 0); index += 1) {
    pair(`pair-${index}`, `mentor${index}@school.example`, `mentee${index}@school.example`);
  }
  if (options.admin) world.addPerson({ name: 'Admin', address: ADMIN });
  const faults = createFaults({ seed: 1, now: () => world.now() });
  const google = await startGoogleSandbox(world, {
    faults,
    habits: { emptyPages: 0, ...options.habits },
    ...(options.admin ? { adminSubject: ADMIN } : {}),
  });
  options.before?.({ world, google, faults });
  const database = await createTestDatabase();
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const loaded = loadSettings({
    env: {
      CADENCED_CONFIG: CONFIG,
      CADENCED_CLOCK: START,
      CADENCED_PORT: String(port),
      CADENCED_METRICS_PORT: '0',
      CADENCED_SEAL_KEYS: randomBytes(32).toString('base64'),
      CADENCED_GOOGLE_KEY_FILE: KEY,
      CADENCED_GOOGLE_API_URL: google.url,
      CADENCED_GOOGLE_TOKEN_URL: google.tokenUrl,
      ...(options.push ? { CADENCED_PUBLIC_URL: publicUrl } : {}),
      ...(options.admin ? { CADENCED_GOOGLE_ADMIN_SUBJECT: ADMIN } : {}),
    },
    readText: (path) =>
      path === KEY
        ? JSON.stringify(google.serviceAccountKey)
        : policy(options.tags ?? '') + (options.polling ?? ''),
  });
  if (!loaded.ok) throw new Error(renderMistakes(loaded.mistakes).join('\n'));
  const logged: string[] = [];
  const log = createLog({
    format: 'json',
    level: 'debug',
    destination: { write: (line) => logged.push(line) },
  });
  const workshop = await openWorkshop(loaded.settings, database.url, log, 'daemon');
  await workshop.moveClock(DateTime.fromMillis(world.now(), { zone: 'utc' }));
  let daemon = composeDaemon(workshop, database.url, options.tuning);
  await daemon.start();
  const imported = await importRoster(workshop.roster, roster.join('\n'), false);
  if (imported.outcome === 'refused') throw new Error(JSON.stringify(imported));
  const stage: GoogleStage = {
    world,
    google,
    faults,
    workshop,
    get daemon() {
      return daemon;
    },
    logged,
    notifications: `${publicUrl}/notifications/google`,
    settled: () => daemon.dispatcher.settled(),
    async pushed() {
      // What a push leads to may be told of by another push.
      do {
        await google.push.idle();
        await daemon.dispatcher.settled();
      } while (google.push.deliveries().length > (await afterSettling(google)));
    },
    async advance(milliseconds) {
      world.clock.advance(milliseconds);
      await workshop.moveClock(DateTime.fromMillis(world.now(), { zone: 'utc' }));
    },
    async away(milliseconds, meanwhile) {
      await daemon.stop();
      await stage.advance(milliseconds);
      meanwhile?.();
      daemon = composeDaemon(workshop, database.url, options.tuning);
      await daemon.start();
      await stage.pollDue();
    },
    rows: async (statement) => (await statement.execute(workshop.db)).rows,
    asked: (part) => faults.log.entries().filter((entry) => entry.url.includes(part)).length,
    async pollDue() {
      await sql`update cadenced.calendar set next_poll_at = now() where coalesce(next_probe_at <= now(), true)`.execute(
        workshop.db,
      );
      await daemon.dispatcher.settled();
    },
    async close() {
      await daemon.stop();
      await workshop.close();
      await google.close();
      await database.drop();
    },
  };
  await stage.settled();
  return stage;
}

async function afterSettling(google: GoogleSandbox): Promise<number> {
  const told = google.push.deliveries().length;
  await google.push.idle();
  return told;
}

/**
 * The public address must be known before the server listens: it is told to the provider. A daemon that is started
 * again needs the same one, so it lies outside of what the system hands out to others meanwhile.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
