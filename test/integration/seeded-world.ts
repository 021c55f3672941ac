import { resolve } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { DateTime } from 'luxon';
import type { ProgramPolicy } from '../../src/domain/program.ts';
import { fixedClock, type SettableClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createCadenceStore } from '../../src/store/cadence.ts';
import type { DB } from '../../src/store/database.generated.ts';
import { createEvidenceStore } from '../../src/store/evidence.ts';
import { scheduleHarvests, scheduleJudgement } from '../../src/store/judgement.ts';
import { createDatabaseClient, createPool } from '../../src/store/pool.ts';
import { createReminderStore } from '../../src/store/reminder-store.ts';
import { planReminders } from '../../src/store/reminders.ts';
import { createVerdictStore } from '../../src/store/verdict-store.ts';
import { createTestDatabase } from '../support/postgres.ts';

/** Where the program lives: a zone with summer time, far from UTC midnight. */
export const ZONE = 'Europe/Berlin';
export const SQL_DIR = resolve(import.meta.dirname, '../../sql');

export const POLICY: ProgramPolicy = {
  name: 'oak',
  timeZone: ZONE,
  liveFrom: null,
  tags: [{ kind: 'text', text: '#mentoring' }],
  cadence: { form: 'rolling', everyDays: 14, count: 1 },
  graceDays: 7,
  firstSessionDays: 10,
  endingDays: 14,
  unknown: 'held',
  attendance: { minimum: { minutes: 5, share: 0.2 }, accept: ['conference_both', 'human_both', 'human_one'] },
  reminders: ['P1D', 'PT1H'],
  talkingPoints: {},
  stages: [
    { name: 'getting to know', fromSession: 1 },
    { name: 'deepening', fromSession: 3 },
  ],
  benchmarks: [
    { name: 'first session', sessions: 1, within: 'P10D' },
    { name: 'six sessions', sessions: 6, within: 'P6M' },
  ],
  coordinator: 'coordinator@example.org',
  language: 'en',
  quietHours: null,
  holidays: [],
  feedbackUrl: null,
  candidates: false,
};

export type SessionSeed = {
  /** Local time in the program's zone, e.g. `2026-03-03T10:00`. */
  readonly at: string;
  readonly minutes?: number;
  readonly mentorship?: number;
  readonly occurrence?: number;
  readonly conference?: { readonly kind: 'meet' | 'teams' | 'other'; readonly key: string } | null;
  readonly firstSeenAt?: string;
  readonly cancelledAt?: string;
  readonly rsvp?: { readonly mentor?: string; readonly mentee?: string };
  /** Written as it stands, for tests of views that need no judge. */
  readonly settled?: { readonly outcome: string; readonly reason?: string; readonly overlap?: number };
};

export type SeededWorld = Awaited<ReturnType<typeof createSeededWorld>>;

/** A prepared database with one program, one mentorship (Ada mentors Grace), a healthy calendar and a clock. */
export async function createSeededWorld(options: {
  readonly now: string;
  readonly startsOn?: string;
  readonly liveFrom?: string;
  readonly policy?: Partial<ProgramPolicy>;
}) {
  const database = await createTestDatabase();
  const pool = createPool({ url: database.url, max: 4, applicationName: 'test', log: silentLog() });
  const db: Kysely<DB> = createDatabaseClient(pool);
  const clock: SettableClock = fixedClock(instantIn(options.now));
  const one = async (statement: ReturnType<typeof sql<{ id: number }>>): Promise<number> => {
    const { rows } = await statement.execute(db);
    if (rows[0] === undefined) throw new Error('the statement returned no row');
    return rows[0].id;
  };
  const program = await one(sql`
    insert into cadenced.program (name, time_zone, live_from)
    values ('oak', ${ZONE}, ${options.liveFrom ?? '2020-01-01'}) returning program_id as id`);
  const policy = { ...POLICY, ...options.policy };
  await sql`insert into cadenced.program_policy (program_id, valid_from, policy)
            values (${program}, '2020-01-01', ${JSON.stringify(policy)}::jsonb)`.execute(db);
  const person = (address: string, name: string, zone: string | null = null) =>
    one(sql`insert into cadenced.person (address, name, time_zone) values (${address}, ${name}, ${zone})
            returning person_id as id`);
  const mentor = await person('ada@example.org', 'Ada');
  const mentee = await person('grace@example.org', 'Grace', 'America/New_York');
  await sql`insert into cadenced.person_address select address, person_id from cadenced.person`.execute(db);
  const mentorship = await one(sql`
    insert into cadenced.mentorship (program_id, key, starts_on)
    values (${program}, 'ada-grace', ${options.startsOn ?? '2026-01-01'}) returning mentorship_id as id`);
  await sql`insert into cadenced.membership (mentorship_id, person_id, role)
            values (${mentorship}, ${mentor}, 'mentor'), (${mentorship}, ${mentee}, 'mentee')`.execute(db);
  const calendar = await one(sql`
    insert into cadenced.calendar (provider, address, person_id) values ('google', 'ada@example.org', ${mentor})
    returning calendar_id as id`);

  const world = {
    db,
    clock,
    pool,
    url: database.url,
    ids: { program, mentorship, mentor, mentee, calendar },
    /** For every use case that runs on this database: the ports share no name, so one object can be all of them. */
    deps: {
      clock,
      log: silentLog(),
      store: {
        ...createEvidenceStore(db),
        ...createVerdictStore(db),
        ...createReminderStore(db),
        ...createCadenceStore(db),
      },
    },
    one,
    person,
    /** Moves business time, and keeps the calendar freshly read. */
    async travelTo(local: string): Promise<void> {
      clock.set(instantIn(local));
      await sql`update cadenced.clock set ahead_by = ${clock.now().toJSDate()}::timestamptz - now()`.execute(
        db,
      );
      await sql`update cadenced.calendar set last_complete_pass_at = ${clock.now().toJSDate()}
                 where state = 'active'`.execute(db);
    },
    async another(key: string, startsOn = '2026-01-01'): Promise<number> {
      const id = await one(sql`
        insert into cadenced.mentorship (program_id, key, starts_on) values (${program}, ${key}, ${startsOn})
        returning mentorship_id as id`);
      const other = await person(`${key}@example.org`, key);
      await sql`insert into cadenced.membership (mentorship_id, person_id, role)
                values (${id}, ${mentor}, 'mentor'), (${id}, ${other}, 'mentee')`.execute(db);
      return id;
    },
    /** Makes a session as a sync would, and plans what follows from it. @returns its ids */
    async session(seed: SessionSeed): Promise<{ session: number; occurrence: number }> {
      const start = instantIn(seed.at);
      const end = start.plus({ minutes: seed.minutes ?? 60 });
      const seen = (
        seed.firstSeenAt === undefined ? start.minus({ days: 7 }) : instantIn(seed.firstSeenAt)
      ).toJSDate();
      const cancelled = seed.cancelledAt === undefined ? null : instantIn(seed.cancelledAt).toJSDate();
      const owner = seed.mentorship ?? mentorship;
      const occurrence =
        seed.occurrence ??
        (await one(sql`
          insert into cadenced.occurrence
            (lineage, starts_at, ends_at, organizer, title, conference_kind, conference_key, first_seen_at)
          values (${`uid-${seed.at}-${owner}`}, ${start.toJSDate()}, ${end.toJSDate()}, 'ada@example.org', 'Talk',
                  ${seed.conference?.kind ?? null}, ${seed.conference?.key ?? null}, ${seen})
          returning occurrence_id as id`));
      const settled = seed.settled;
      const session = await one(sql`
        insert into cadenced.session
          (occurrence_id, mentorship_id, starts_at, ends_at, status, cancelled_at, cancel_reason, first_seen_at,
           outcome, outcome_reason, overlap_minutes, provisional_at, settled_at)
        values (${occurrence}, ${owner}, ${start.toJSDate()}, ${end.toJSDate()},
                ${cancelled === null ? 'scheduled' : 'cancelled'}, ${cancelled},
                ${cancelled === null ? null : 'cancelled'}, ${seen},
                ${settled?.outcome ?? null}, ${settled?.reason ?? null}, ${settled?.overlap ?? null},
                ${settled ? end.plus({ hours: 3 }).toJSDate() : null},
                ${settled ? end.plus({ hours: 48 }).toJSDate() : null})
        returning session_id as id`);
      await sql`
        insert into cadenced.participant (session_id, person_id, role, rsvp)
        select ${session}, person_id, role,
               case role when 'mentor' then ${seed.rsvp?.mentor ?? 'accepted'} else ${seed.rsvp?.mentee ?? 'accepted'} end
          from cadenced.membership where mentorship_id = ${owner}`.execute(db);
      if (settled === undefined) await world.plan(session);
      return { session, occurrence };
    },
    /** What a sync calls after it changed sessions. */
    plan(...sessions: number[]): Promise<void> {
      return db.transaction().execute(async (trx) => {
        await scheduleJudgement(trx, sessions, clock.now().toJSDate());
        await scheduleHarvests(trx, sessions, clock.now().toJSDate());
        await planReminders(trx, sessions, clock.now().toJSDate());
      });
    },
    async rows<T>(statement: ReturnType<typeof sql<T>>): Promise<T[]> {
      return (await statement.execute(db)).rows;
    },
    async close(): Promise<void> {
      await db.destroy();
      await database.drop();
    },
  };
  await world.travelTo(options.now);
  return world;
}

/** A local time of the program's zone as an instant. */
export function instantIn(local: string): DateTime<true> {
  const at = DateTime.fromISO(local, { zone: ZONE }).toUTC();
  if (!at.isValid) throw new RangeError(`not a time: ${local}`);
  return at as DateTime<true>;
}
