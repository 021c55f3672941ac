import { randomBytes, randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { DateTime } from 'luxon';
import { createHttpServer } from '../../src/http/server.ts';
import { createGoogle } from '../../src/providers/google/index.ts';
import { createMicrosoft } from '../../src/providers/microsoft/index.ts';
import { createLog } from '../../src/runtime/log.ts';
import { createFaults, type FaultRule, type Faults } from '../../src/sandbox/faults.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../../src/sandbox/google/server.ts';
import {
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { type PersonInput, World } from '../../src/sandbox/world/index.ts';
import { parsePolicy } from '../../src/settings/policy-file.ts';
import { createChannelStore } from '../../src/store/channels.ts';
import { alignDatabaseClock } from '../../src/store/clock.ts';
import type { DB } from '../../src/store/database.generated.ts';
import { createDatabaseClient, createPool } from '../../src/store/pool.ts';
import { writePrograms } from '../../src/store/programs.ts';
import { createRosterStore } from '../../src/store/roster.ts';
import { createSyncStore } from '../../src/store/sync-store.ts';
import { acceptHints } from '../../src/usecases/accept-notification.ts';
import { importRoster } from '../../src/usecases/import-roster.ts';
import { createChannelKeeper } from '../../src/usecases/keep-channels.ts';
import { type SyncDeps, type SyncReport, syncCalendar } from '../../src/usecases/sync-calendar.ts';

import { type Notification, openPostOffice } from './post-office.ts';

/**
 * One run's own organisation: people at both providers, both stand-ins on loopback, a database of its own, and the
 * real adapters and the real sync between them, the daemon's own HTTP face for what the providers tell. Time stands
 * still until somebody moves it.
 */

export const START = '2026-09-07T06:00:00Z';
export const PROGRAM = 'Pathways';
export const ZONE = 'Europe/Berlin';

const PEOPLE: readonly (PersonInput & { readonly address: string })[] = [
  { name: 'Ada', address: 'ada@north.example', provider: 'google' },
  { name: 'Ben', address: 'ben@north.example', provider: 'google', aliases: ['ben.b@north.example'] },
  { name: 'Cyd', address: 'cyd@south.example', provider: 'microsoft', aliases: ['c.doe@south.example'] },
  { name: 'Dan', address: 'dan@south.example', provider: 'microsoft', foreignUid: 'raw' },
  { name: 'Eve', address: 'eve@north.example', provider: 'google', foreignUid: 'lower' },
  { name: 'Fay', address: 'fay@south.example', provider: 'microsoft', foreignUid: 'wrapped' },
  { name: 'Gus', address: 'gus@south.example', provider: 'microsoft', zone: 'America/New_York' },
  { name: 'Hal', address: 'hal@north.example', provider: 'google', foreignUid: 'upper' },
  { name: 'Ivy', address: 'ivy@elsewhere.example', provider: 'none' },
];

export interface Member {
  readonly address: string;
  readonly role: 'mentor' | 'mentee';
}
export interface Mentorship {
  readonly name: string;
  readonly members: readonly Member[];
  /** Last day, ISO; empty while it is open. */
  readonly endsOn: string;
}

const pair = (name: string, mentor: string, mentee: string, endsOn = ''): Mentorship => ({
  name,
  endsOn,
  members: [
    { address: mentor, role: 'mentor' },
    { address: mentee, role: 'mentee' },
  ],
});

/** Pairs at one provider, at the other, mixed either way (one of them ends during the run), and a circle. */
export const MENTORSHIPS: readonly Mentorship[] = [
  pair('Ada & Ben', 'ada@north.example', 'ben@north.example'),
  pair('Cyd & Dan', 'cyd@south.example', 'dan@south.example'),
  pair('Eve & Fay', 'eve@north.example', 'fay@south.example'),
  pair('Gus & Hal', 'gus@south.example', 'hal@north.example', '2026-10-20'),
  {
    name: 'Circle',
    endsOn: '',
    members: [
      { address: 'ada@north.example', role: 'mentor' },
      { address: 'dan@south.example', role: 'mentee' },
      { address: 'hal@north.example', role: 'mentee' },
      { address: 'ivy@elsewhere.example', role: 'mentee' },
    ],
  },
];

const POLICY = `programs:
  - name: ${PROGRAM}
    time_zone: ${ZONE}
    live_from: 2026-09-01
    tags:
      - "#mentoring"
      - category: Mentoring
      - { property: programme, value: mentoring }
    cadence: { every: P14D }
    reminders: [P1D, PT1H]
`;

export interface Stage {
  readonly world: World;
  readonly faults: Faults;
  readonly google: GoogleSandbox;
  readonly microsoft: MicrosoftSandbox;
  readonly db: Kysely<DB>;
  readonly calendars: readonly { readonly id: number; readonly address: string; readonly provider: string }[];
  /** Moves business time everywhere: in the world, in the database, for whoever was told to wait. */
  advance(milliseconds: number): Promise<void>;
  /** Lets every wait that a provider asked for be over. */
  waitOut(): void;
  sync(calendarId: number, wish?: { full?: boolean; reconcile?: boolean }): Promise<SyncReport | null>;
  /** Opens, renews and closes channels, as fell due. */
  keepChannels(): Promise<void>;
  /** Notifications that are under way, by the address of the calendar they tell of; those of one channel in order. */
  underWay(): Promise<Map<string, Notification[]>>;
  /** Hands a notification to the daemon, as it came. */
  handOn(notification: Notification): Promise<void>;
  /** Nothing comes of these any more: lost, or handed on. */
  forget(notifications: Iterable<Notification>): void;
  /** Calendars that would be read now, because a notification, a new channel or another calendar asked for it. */
  due(): Promise<number[]>;
  /** Runs `act` once, when the next `after` requests have arrived: an edit in the middle of a pass. */
  interrupt(after: number, act: () => void): () => void;
  /** How often each fault was acted out, by provider and kind. */
  readonly fired: Map<string, number>;
  /** Adds a rule whose hits are counted; gives the function that takes it away. */
  trouble(name: string, rule: FaultRule): () => number;
  close(): Promise<void>;
}

/** @param databaseUrl a prepared and empty database; the caller drops it */
export async function openStage(databaseUrl: string, seed: number): Promise<Stage> {
  const log = createLog({ format: 'plain', level: 'fatal', destination: process.stderr });
  const world = new World({ seed, start: START });
  world.clock.stop();
  for (const person of PEOPLE) world.addPerson(person);

  let interruption: { left: number; act: () => void } | null = null;
  const rules = createFaults({ seed, now: () => world.now() });
  const faults: Faults = {
    ...rules,
    match(request) {
      if (interruption !== null && --interruption.left <= 0) {
        const { act } = interruption;
        interruption = null;
        act();
      }
      return rules.match(request);
    },
  };
  const google = await startGoogleSandbox(world, {
    faults,
    habits: { maxPage: 4, emptyPages: 0.15, sparseTombstones: 0.4 },
  });
  const microsoft = await startMicrosoftSandbox(world, {
    faults,
    habits: { pageSize: 5, latencyMs: 0, notificationDelayMs: 0, strayRemovals: 0.2 },
  });

  const pool = createPool({ url: databaseUrl, max: 10, applicationName: 'cadenced convergence', log });
  const db = createDatabaseClient(pool);
  const now = (): DateTime<true> => DateTime.fromMillis(world.now(), { zone: 'utc' }) as DateTime<true>;
  await alignDatabaseClock(db, now());
  const policy = parsePolicy(POLICY, 'the convergence run');
  if (!policy.ok) throw new Error(JSON.stringify(policy));
  await writePrograms(db, policy.policy.programs, null, now().toJSDate());
  const imported = await importRoster(createRosterStore(db), rosterCsv(), false);
  if (imported.outcome === 'refused') throw new Error(JSON.stringify(imported));

  // Waits are lived through at once: only what the other side is asked, and when, matters here.
  let slept = 0;
  const pacing = {
    random: () => 0,
    sleep: async (ms: number) => {
      slept += ms;
      // A turn of the event loop, so that whoever waits together is served in turn.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const providers = {
    google: createGoogle(
      {
        serviceAccountKey: google.serviceAccountKey,
        apiUrl: google.url,
        tokenUrl: google.tokenUrl,
        maxInFlight: 16,
      },
      { log, now: () => world.now(), ...pacing },
    ),
    microsoft: createMicrosoft(
      {
        tenant: microsoft.tenant,
        clientId: microsoft.clientId,
        clientSecret: microsoft.clientSecret,
        graphUrl: microsoft.graphUrl,
        tokenUrl: microsoft.tokenUrl,
        maxInFlight: 4,
      },
      { log, now: () => world.now(), ...pacing, elapsed: () => world.now() + slept },
    ),
  };
  const deps: SyncDeps = {
    store: createSyncStore(db, { pollEveryMs: 300_000, pollWithPushMs: 300_000 }),
    sources: { google: providers.google.calendar, microsoft: providers.microsoft.calendar },
    clock: { now },
    log,
    newPassId: randomUUID,
  };
  const channels = createChannelStore(db, { providers: ['google', 'microsoft'], reachable: true });
  const accept = acceptHints({
    store: channels,
    readers: {
      google: providers.google.readNotification,
      microsoft: providers.microsoft.readNotification,
    },
    clock: { now },
    // What is due stands in the database; here nobody sleeps who had to be woken.
    wake: () => undefined,
    onHint: () => undefined,
  });
  const http = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    log,
    acceptNotification: async (provider, headers, _query, body) => {
      await accept(provider, headers, body);
      return { status: 202 };
    },
    events: async () => [],
    eventsToken: null,
    metrics: null,
    isReady: async () => true,
    readFreshness: async () => ({ isFresh: true, calendars: 8, stale: 0, oldestCompletePassAt: null }),
    limits: { notifications: 1_000_000 },
  });
  await http.listen();
  const office = await openPostOffice(http.url);
  /** Person (world key) by channel, of all there ever were: a notification may outlive its channel. */
  const watched = new Map<string, string>();
  const keeper = createChannelKeeper({
    store: channels,
    services: { google: providers.google.push, microsoft: providers.microsoft.push },
    url: (provider) => office.url(provider),
    clock: { now },
    log,
    // The id says when a channel is renewed: by chance, the same seed would play another run each time.
    newChannelId: () => `80000000${randomUUID().slice(8)}`,
    newSecret: () => randomBytes(32).toString('base64url'),
  });
  const { rows: calendars } = await sql<{ id: number; address: string; provider: string }>`
    select calendar_id as id, address, provider from cadenced.calendar order by calendar_id`.execute(db);
  const fired = new Map<string, number>();
  return {
    world,
    faults,
    google,
    microsoft,
    db,
    calendars,
    fired,
    async advance(milliseconds) {
      world.clock.advance(milliseconds);
      await alignDatabaseClock(db, now());
    },
    waitOut() {
      slept += 3_600_000;
    },
    sync: (calendarId, wish = {}) => syncCalendar(deps, calendarId, wish, new AbortController().signal),
    async keepChannels() {
      await keeper.keep(new AbortController().signal);
      for (const { id, person } of [...google.push.channels(), ...microsoft.subscriptions.active()])
        watched.set(id, person);
    },
    async underWay() {
      await google.push.idle();
      await microsoft.subscriptions.delivered();
      const known = (channel: string) => {
        const person = watched.get(channel);
        return person === undefined ? '' : (world.person(person).addresses[0] ?? '');
      };
      // In one order whatever the order of arrival, so that the same seed plays the same run.
      const told = Map.groupBy(office.held(), ({ channel }) => known(channel));
      return new Map([...told].toSorted(([one], [other]) => (one < other ? -1 : 1)));
    },
    handOn: (notification) => office.handOn(notification),
    forget: (notifications) => office.forget(notifications),
    async due() {
      // Pushes that follow each other within a second are followed once; nobody waits for that second here.
      const { rows } = await sql<{ id: number }>`
        select calendar_id as id from cadenced.calendar
         where retired_at is null and next_poll_at <= now() + interval '1 second' order by calendar_id`.execute(
        db,
      );
      return rows.map(({ id }) => id);
    },
    interrupt(after, act) {
      const mine = { left: after, act };
      interruption = mine;
      return () => {
        if (interruption === mine) interruption = null;
      };
    },
    trouble(name, rule) {
      const id = rules.add(rule);
      return () => {
        const hits = rules.rules().find((known) => known.id === id)?.hits ?? 0;
        if (hits > 0) fired.set(name, (fired.get(name) ?? 0) + hits);
        rules.remove(id);
        return hits;
      };
    },
    async close() {
      await office.close();
      await http.close();
      await google.close();
      await microsoft.close();
      await db.destroy();
    },
  };
}

function rosterCsv(): string {
  const rows = MENTORSHIPS.flatMap(({ name, endsOn, members }) =>
    members.map(({ address, role }) => {
      const person = PEOPLE.find((one) => one.address === address);
      const aliases = (person?.aliases ?? []).join(';');
      return [
        PROGRAM,
        name,
        role,
        address,
        person?.name,
        ZONE,
        person?.provider,
        '2026-08-01',
        endsOn,
        aliases,
      ].join(',');
    }),
  );
  return `program,mentorship,role,email,name,time_zone,calendar,starts_on,ends_on,aliases\n${rows.join('\n')}\n`;
}
