import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { type Kysely, sql } from 'kysely';
import { DateTime } from 'luxon';
import type { Provider } from '../../src/domain/observation.ts';
import type { CalendarSource } from '../../src/ports/calendar-source.ts';
import { createGoogle } from '../../src/providers/google/index.ts';
import { createMicrosoft, type Microsoft } from '../../src/providers/microsoft/index.ts';
import { createLog, type LogLevel } from '../../src/runtime/log.ts';
import { createFaults, type Faults } from '../../src/sandbox/faults.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../../src/sandbox/google/server.ts';
import {
  type MicrosoftHabits,
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { createMeeting, type Meeting, type MeetingInput, World } from '../../src/sandbox/world/index.ts';
import { parsePolicy } from '../../src/settings/policy-file.ts';
import { alignDatabaseClock } from '../../src/store/clock.ts';
import type { DB } from '../../src/store/database.generated.ts';
import { createDatabaseClient, createPool } from '../../src/store/pool.ts';
import { writePrograms } from '../../src/store/programs.ts';
import { createRosterStore } from '../../src/store/roster.ts';
import { createSyncStore } from '../../src/store/sync-store.ts';
import { importRoster } from '../../src/usecases/import-roster.ts';
import { type SyncReport, syncCalendar } from '../../src/usecases/sync-calendar.ts';
import { createTestDatabase } from '../support/postgres.ts';

/**
 * One mentor in Outlook with three mentees, the stand-ins, the real adapter and the real sync into a database of its
 * own. Time stands still until it is moved; waits are lived through at once and written down.
 */

export const ADA = 'ada@south.example';
export const BO = 'bo@south.example';
export const FAY = 'fay@south.example';
/** Keeps a Google calendar. */
export const DANA = 'dana@north.example';
export const START = '2026-03-10T08:00:00Z';
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** The program's own mailbox: a tag where a test's rules say so. */
export const PROGRAM = 'mentoring@south.example';

const policyWith = (tags: string) => `programs:
  - name: Pathways
    time_zone: Europe/Berlin
    live_from: 2026-01-01
    tags: ${tags}
    cadence: { every: P14D }
`;

export interface SessionRow {
  readonly id: number;
  readonly occurrence: number;
  readonly mentorship: string;
  /** To the minute, UTC. */
  readonly start: string;
  readonly status: string;
  readonly reschedules: number;
}

export type MicrosoftStage = Awaited<ReturnType<typeof openMicrosoftStage>>;

export async function openMicrosoftStage(
  options: {
    readonly habits?: Partial<MicrosoftHabits>;
    readonly maxInFlight?: number;
    /** Another server in place of the sandbox's Graph and Entra. */
    readonly instead?: { readonly url: string; readonly tokenUrl: string; readonly tenant: string };
    readonly google?: boolean;
    /** Tag rules as the policy file writes them. */
    readonly tags?: string;
    /** Below warnings only where a test reads what is printed. */
    readonly logLevel?: LogLevel;
    readonly around?: (source: CalendarSource) => CalendarSource;
  } = {},
) {
  const world = new World({ seed: 7, start: START });
  world.clock.stop();
  const faults: Faults = createFaults({ now: () => world.now() });
  const sandbox: MicrosoftSandbox = await startMicrosoftSandbox(world, {
    faults,
    habits: { latencyMs: 0, pageSize: 3, notificationDelayMs: 0, ...options.habits },
  });
  const ada = world.addPerson({ name: 'Ada', address: ADA, provider: 'microsoft' });
  const bo = world.addPerson({ name: 'Bo', address: BO, provider: 'microsoft' });
  const fay = world.addPerson({ name: 'Fay', address: FAY, provider: 'microsoft', foreignUid: 'wrapped' });
  const dana = world.addPerson({ name: 'Dana', address: DANA, provider: 'google' });
  world.addPerson({ name: 'Pathways', address: PROGRAM, provider: 'microsoft' });
  const google: GoogleSandbox | null = options.google ? await startGoogleSandbox(world, { faults }) : null;

  const told: { level: string; msg: string; detail?: string }[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n').filter(Boolean)) {
        told.push(JSON.parse(line) as (typeof told)[number]);
      }
      done();
    },
  });
  const log = createLog({ format: 'json', level: options.logLevel ?? 'warn', destination });
  const database = await createTestDatabase();
  const pool = createPool({ url: database.url, max: 6, applicationName: 'test', log });
  const db: Kysely<DB> = createDatabaseClient(pool);
  const now = (): DateTime<true> => DateTime.fromMillis(world.now(), { zone: 'utc' }) as DateTime<true>;
  await alignDatabaseClock(db, now());
  const policy = parsePolicy(
    policyWith(options.tags ?? '["#mentoring", {category: Mentoring}]'),
    'the scenario',
  );
  if (!policy.ok) throw new Error(JSON.stringify(policy));
  await writePrograms(db, policy.policy.programs, null, now().toJSDate());
  const pairs = [BO, FAY, ...(google ? [DANA] : [])].map((mentee) =>
    [ADA, mentee]
      .map((address, at) =>
        [
          'Pathways',
          `Ada & ${mentee.split('@')[0]}`,
          at === 0 ? 'mentor' : 'mentee',
          address,
          address,
          'Europe/Berlin',
          address === DANA ? 'google' : 'microsoft',
          '2026-01-01',
          '',
          '',
        ].join(','),
      )
      .join('\n'),
  );
  const header = 'program,mentorship,role,email,name,time_zone,calendar,starts_on,ends_on,aliases';
  const imported = await importRoster(createRosterStore(db), [header, ...pairs].join('\n'), false);
  if (imported.outcome === 'refused') throw new Error(JSON.stringify(imported));

  const waits: number[] = [];
  let slept = 0;
  const pacing = {
    random: () => 0,
    elapsed: () => world.now() + slept,
    sleep: async (ms: number) => {
      waits.push(ms);
      slept += ms;
      // A turn of the event loop, so that whoever waits together is served in turn.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const microsoft: Microsoft = createMicrosoft(
    {
      tenant: options.instead?.tenant ?? sandbox.tenant,
      clientId: sandbox.clientId,
      clientSecret: sandbox.clientSecret,
      graphUrl: options.instead?.url ?? sandbox.graphUrl,
      tokenUrl: options.instead?.tokenUrl ?? sandbox.tokenUrl,
      maxInFlight: options.maxInFlight ?? 4,
    },
    { log, now: () => world.now(), ...pacing },
  );
  const sources: Partial<Record<Provider, CalendarSource>> = {
    microsoft: options.around?.(microsoft.calendar) ?? microsoft.calendar,
    ...(google && {
      google: createGoogle(
        {
          serviceAccountKey: google.serviceAccountKey,
          apiUrl: google.url,
          tokenUrl: google.tokenUrl,
          maxInFlight: 8,
        },
        { log, now: () => world.now(), ...pacing },
      ).calendar,
    }),
  };
  const fullPasses: string[] = [];
  const deps = {
    onFullPass: (_provider: Provider, reason: string) => void fullPasses.push(reason),
    store: createSyncStore(db, { pollEveryMs: 300_000, pollWithPushMs: 300_000 }),
    sources,
    clock: { now },
    log,
    newPassId: randomUUID,
  };
  const rows = async <T>(statement: ReturnType<typeof sql<T>>): Promise<T[]> =>
    (await statement.execute(db)).rows;

  const stage = {
    world,
    faults,
    sandbox,
    db,
    log,
    microsoft,
    waits,
    /** Why calendars were read in full, one word for each time. */
    fullPasses,
    now,
    deps,
    people: { ada, bo, fay, dana },
    rows,
    /** What the log told at this level. */
    told: (level: 'warn' | 'error') => told.filter((line) => line.level === level).map(({ msg }) => msg),
    /** Everything that was logged. */
    printed: () => told.map((line) => JSON.stringify(line)).join('\n'),
    /** What the log told beside the words: codes and numbers of requests. */
    details: () => told.flatMap(({ detail }) => detail ?? []),
    async idOf(address: string): Promise<number> {
      const [row] = await rows(sql<{ id: number }>`
        select calendar_id as id from cadenced.calendar where address = ${address}`);
      if (!row) throw new Error(`no calendar of ${address}`);
      return row.id;
    },
    async sync(address = ADA, wish: { full?: boolean; reconcile?: boolean } = {}): Promise<SyncReport> {
      const report = await syncCalendar(deps, await stage.idOf(address), wish, new AbortController().signal);
      if (!report) throw new Error(`${address} is retired`);
      return report;
    },
    async syncAll(...addresses: string[]): Promise<void> {
      for (const address of addresses.length > 0 ? addresses : [ADA, BO]) {
        const { failure } = await stage.sync(address);
        if (failure) throw failure;
      }
    },
    /** Moves business time everywhere. */
    async advance(ms: number): Promise<void> {
      world.clock.advance(ms);
      await alignDatabaseClock(db, now());
    },
    /** Lets the machine's clock pass for what the database holds of failures. */
    async hoursPass(hours: number): Promise<void> {
      await sql`update cadenced.calendar
                   set first_strike_at = first_strike_at - make_interval(secs => ${hours * 3600})`.execute(
        db,
      );
    },
    /** Every session of `Ada & Bo`, unless another mentorship is named. */
    async sessions(mentorship = 'Ada & bo'): Promise<SessionRow[]> {
      return rows(sql<SessionRow>`
        select session_id as id, session.occurrence_id as occurrence, mentorship.key as mentorship,
               to_char(starts_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI') as start, status, reschedules
          from cadenced.session join cadenced.mentorship using (mentorship_id)
         where mentorship.key = ${mentorship} order by starts_at`);
    },
    async booked(mentorship?: string): Promise<string[]> {
      return (await stage.sessions(mentorship))
        .filter(({ status }) => status === 'scheduled')
        .map(({ start }) => start);
    },
    async occurrences(): Promise<number> {
      const [row] = await rows(
        sql<{ count: number }>`select count(*)::int as count from cadenced.occurrence`,
      );
      return row?.count ?? 0;
    },
    async events(type?: string): Promise<string[]> {
      const all = await rows(
        sql<{ type: string }>`select type from cadenced.outbound_event order by position`,
      );
      return all.map((row) => row.type).filter((one) => type === undefined || one === type);
    },
    async state(address = ADA) {
      const [row] = await rows(sql<{
        state: string;
        reason: string | null;
        cursor: string | null;
        generation: number;
        since: Date;
        waits_ms: number;
      }>`select state, state_reason as reason, state_since as since, cursor, sync_generation as generation,
                (extract(epoch from next_poll_at - now()) * 1000)::int as waits_ms
           from cadenced.calendar where address = ${address}`);
      if (!row) throw new Error(`no calendar of ${address}`);
      return row;
    },
    /** How many requests the sandbox's Graph was asked whose path or query matches. */
    asked: (path: RegExp, mailbox?: string) =>
      faults.log
        .entries()
        .filter((entry) => path.test(entry.url) && (mailbox === undefined || entry.mailbox === mailbox))
        .length,
    weekly: (input: Partial<MeetingInput> = {}): Meeting =>
      createMeeting(world, {
        organizer: ADA,
        guests: [BO],
        title: 'Session #mentoring',
        start: '2026-03-17T10:00',
        rule: 'FREQ=WEEKLY;COUNT=5',
        conference: 'teams',
        ...input,
      }),
    single: (input: Partial<MeetingInput> = {}): Meeting =>
      createMeeting(world, {
        organizer: ADA,
        guests: [BO],
        title: 'Kick-off #mentoring',
        start: '2026-03-20T14:00',
        ...input,
      }),
    async close(): Promise<void> {
      await sandbox.close();
      await google?.close();
      await db.destroy();
      await database.drop();
    },
  };
  return stage;
}
