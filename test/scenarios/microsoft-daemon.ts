import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { DateTime } from 'luxon';
import { composeDaemon, type Daemon, openWorkshop, type Workshop } from '../../src/compose.ts';
import { createLog } from '../../src/runtime/log.ts';
import { createFaults, type Faults } from '../../src/sandbox/faults.ts';
import {
  type MicrosoftHabits,
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { World } from '../../src/sandbox/world/index.ts';
import { loadSettings, renderMistakes } from '../../src/settings/settings.ts';
import { importRoster } from '../../src/usecases/import-roster.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { ADA, BO, START } from './microsoft-stage.ts';

/**
 * The whole daemon on Graph's stand-in: real HTTP both ways, its jobs and its dispatcher, a real database, one moved
 * clock. Ada mentors Bo. For cases in which the parts are right by themselves and only their play together can fail.
 */

const POLICY = `programs:
  - name: Pathways
    time_zone: Europe/Berlin
    live_from: 2026-01-01
    tags: ["#mentoring"]
    cadence: { every: P14D }
`;
const ROSTER = `program,mentorship,role,email,name,time_zone,calendar,starts_on,ends_on,aliases,language
Pathways,ada-bo,mentor,${ADA},Ada,,microsoft,2026-01-01,,,
Pathways,ada-bo,mentee,${BO},Bo,,microsoft,2026-01-01,,,`;

export interface MicrosoftDaemon {
  readonly world: World;
  readonly sandbox: MicrosoftSandbox;
  readonly faults: Faults;
  readonly workshop: Workshop;
  readonly daemon: Daemon;
  /** Every line that was logged, as it was written. */
  readonly logged: string[];
  readonly notifications: string;
  rows<T>(statement: ReturnType<typeof sql<T>>): Promise<T[]>;
  booked(): Promise<string[]>;
  /** Requests the stand-in was asked whose path or query matches. */
  asked(path: RegExp): number;
  /** Makes every calendar due, as time would. */
  pollDue(): Promise<void>;
  advance(ms: number): Promise<void>;
  /** Runs a command of ours in a process of its own. */
  command(...words: string[]): { readonly pid: number; readonly ended: Promise<number | null> };
  close(): Promise<void>;
}

export async function openMicrosoftDaemon(
  options: { readonly habits?: Partial<MicrosoftHabits>; readonly push?: boolean } = {},
): Promise<MicrosoftDaemon> {
  const world = new World({ seed: 7, start: START });
  world.clock.stop();
  for (const [name, address] of [
    ['Ada', ADA],
    ['Bo', BO],
  ] as const) {
    world.addPerson({ name, address, provider: 'microsoft' });
  }
  const faults = createFaults({ now: () => world.now() });
  const sandbox = await startMicrosoftSandbox(world, {
    faults,
    habits: { latencyMs: 0, notificationDelayMs: 0, ...options.habits },
  });
  const database = await createTestDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'cadenced-scenario-'));
  const config = join(folder, 'cadenced.yaml');
  writeFileSync(config, POLICY);
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const env = {
    CADENCED_CONFIG: config,
    CADENCED_CLOCK: START,
    CADENCED_PORT: String(port),
    CADENCED_METRICS_PORT: '0',
    CADENCED_SEAL_KEYS: randomBytes(32).toString('base64'),
    CADENCED_MICROSOFT_TENANT: sandbox.tenant,
    CADENCED_MICROSOFT_CLIENT_ID: sandbox.clientId,
    CADENCED_MICROSOFT_CLIENT_SECRET: sandbox.clientSecret,
    CADENCED_MICROSOFT_GRAPH_URL: sandbox.graphUrl,
    CADENCED_MICROSOFT_TOKEN_URL: sandbox.tokenUrl,
    ...(options.push ? { CADENCED_PUBLIC_URL: publicUrl } : {}),
  };
  const loaded = loadSettings({ env });
  if (!loaded.ok) throw new Error(renderMistakes(loaded.mistakes).join('\n'));
  const logged: string[] = [];
  const log = createLog({
    format: 'json',
    level: 'info',
    destination: { write: (line) => logged.push(line) },
  });
  const workshop = await openWorkshop(loaded.settings, database.url, log, 'daemon');
  const clockTo = () => workshop.moveClock(DateTime.fromMillis(world.now(), { zone: 'utc' }));
  await clockTo();
  const imported = await importRoster(workshop.roster, ROSTER, false);
  if (imported.outcome === 'refused') throw new Error(JSON.stringify(imported));
  const daemon = composeDaemon(workshop, database.url);
  const rows = async <T>(statement: ReturnType<typeof sql<T>>) => (await statement.execute(workshop.db)).rows;
  return {
    world,
    sandbox,
    faults,
    workshop,
    daemon,
    logged,
    notifications: `${publicUrl}/notifications/microsoft`,
    rows,
    async booked() {
      const found = await rows(sql<{ start: string }>`
        select to_char(starts_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI') as start
          from cadenced.session where status = 'scheduled' order by starts_at`);
      return found.map(({ start }) => start);
    },
    asked: (path) => faults.log.entries().filter(({ url }) => path.test(url)).length,
    async pollDue() {
      await sql`update cadenced.calendar set next_poll_at = now()`.execute(workshop.db);
      await daemon.dispatcher.settled();
    },
    async advance(ms) {
      world.clock.advance(ms);
      await clockTo();
    },
    command(...words) {
      const child = spawn(process.execPath, ['src/main.ts', ...words], {
        env: { ...process.env, ...env, DATABASE_URL: database.url },
        stdio: 'ignore',
      });
      if (child.pid === undefined) throw new Error(`could not be started: ${words.join(' ')}`);
      return {
        pid: child.pid,
        ended: new Promise((resolve) => child.once('close', resolve)),
      };
    },
    async close() {
      await daemon.stop();
      await workshop.close();
      await sandbox.close();
      await database.drop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The public address must be known before the server listens: it is told to Graph. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
