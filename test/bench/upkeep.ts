import type { Kysely } from 'kysely';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createCadenceStore } from '../../src/store/cadence.ts';
import { countChannels, createChannelStore, type PushTerms } from '../../src/store/channels.ts';
import type { DB } from '../../src/store/database.generated.ts';
import { createWorkFinder } from '../../src/store/due-work.ts';
import { createEvidenceStore } from '../../src/store/evidence.ts';
import { readFreshness } from '../../src/store/health.ts';
import { createMailOutbox } from '../../src/store/mail-outbox.ts';
import { renewMonths } from '../../src/store/months.ts';
import { createDatabaseClient, createPool } from '../../src/store/pool.ts';
import { createReminderStore } from '../../src/store/reminder-store.ts';
import { watchCadence } from '../../src/usecases/watch-cadence.ts';
import { backendMs } from './cpu-time.ts';
import { FULL, fill, openBenchCluster, option, sizeFrom } from './filled-database.ts';

/**
 * What the daemon asks of the database by itself, whether anything happens or not, with everything filled in.
 *
 *   node test/bench/upkeep.ts [--share 1] [--keep DIR]
 *
 * Prints a line a question: its target, the median of five (once where it takes seconds), and the processor time of
 * its server process. Fails when one takes longer than its target.
 */
const PUSH: PushTerms = { providers: ['google', 'microsoft'], reachable: true };
const DAY_MS = 86_400_000;

type Work = {
  readonly what: string;
  readonly most: number;
  readonly rounds: number;
  /** Makes something to do. Not measured. */
  readonly before?: string;
  readonly run: () => Promise<unknown>;
};

function works(db: Kysely<DB>): Work[] {
  const clock = systemClock();
  const now = clock.now().toJSDate();
  const watch = () => watchCadence({ store: createCadenceStore(db), clock, log: silentLog() });
  const finder = createWorkFinder(db, 'P1D', PUSH);
  const reminders = createReminderStore(db);
  const coming = { now, until: new Date(now.getTime() + 3 * DAY_MS) };
  const often = { rounds: 5 };
  return [
    // First, so that the rest finds what a daemon finds that has been running.
    {
      what: 'cadence, the turn of every mentorship',
      most: 90_000,
      rounds: 1,
      before: 'truncate cadenced.cadence_look',
      run: watch,
    },
    {
      what: 'months of all programs, after a mass load',
      most: 60_000,
      rounds: 1,
      before: 'insert into cadenced.stale_month select program_id, month from cadenced.program_month_total',
      run: () => renewMonths(db),
    },
    {
      what: 'due work, every second',
      most: 20,
      ...often,
      async run() {
        await finder.takeUpPlans();
        await finder.find(200);
      },
    },
    {
      what: 'plans of a thousand mentorships, written at once',
      most: 2_000,
      rounds: 3,
      before: `insert into cadenced.changed_plan
               select mentorship_id, false from cadenced.mentorship order by mentorship_id limit 1000`,
      run: () => finder.takeUpPlans(),
    },
    { what: 'cadence, nothing happened', most: 20, ...often, run: watch },
    {
      what: 'cadence, ten mentorships changed',
      most: 100,
      ...often,
      before: `update cadenced.session set reschedules = reschedules + 1
                where session_id in (select 1 + n * 400001 from generate_series(1, 10) n)`,
      run: watch,
    },
    {
      what: 'months, ten sessions changed',
      most: 250,
      ...often,
      before: `update cadenced.session set reschedules = reschedules + 1
                where session_id in (select 1 + n * 400001 from generate_series(1, 10) n)`,
      run: () => renewMonths(db),
    },
    {
      what: 'mails to send',
      most: 20,
      ...often,
      run: () => createMailOutbox(db).claim(50, 60_000),
    },
    {
      what: 'meetings to ask about',
      most: 20,
      ...often,
      run: () => createEvidenceStore(db).loadDueHarvests(now, 100),
    },
    { what: 'channels to keep', most: 20, ...often, run: () => createChannelStore(db, PUSH).due(100) },
    {
      what: 'sessions to remind of, every six hours',
      most: 5_000,
      ...often,
      run: async () => {
        for await (const _ of reminders.comingSessions(coming, 500));
      },
    },
    { what: 'plans to nudge about, every six hours', most: 5_000, ...often, run: () => reminders.nudge(now) },
    { what: '/freshness', most: 500, ...often, run: () => readFreshness(db) },
    { what: '/metrics, channels', most: 500, ...often, run: () => countChannels(db, PUSH) },
  ];
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const share = option('share');
const size = share === undefined ? FULL : sizeFrom(Number(share));
const cluster = await openBenchCluster(option('keep'), true);
// One connection, so that its server process is the one that works.
const pool = createPool({
  url: cluster.url,
  max: 1,
  applicationName: 'bench',
  log: silentLog(),
  statementTimeoutMs: 600_000,
});
const db = createDatabaseClient(pool);
try {
  if (!cluster.filled) {
    say(`filling ${size.programs} programs, ${size.mentorships} mentorships, ${size.sessions} sessions`);
    await fill(cluster.pool, size, say);
  }
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const backend = rows[0]?.pid ?? 0;
  let missed = 0;
  say(`${'work'.padEnd(42)} ${'median'.padStart(10)} ${'cpu'.padStart(10)} ${'target'.padStart(8)} ms`);
  for (const { what, most, rounds, before, run } of works(db)) {
    const times: number[] = [];
    const cpus: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      if (before !== undefined) await pool.query(before);
      const cpuBefore = backendMs(backend);
      const begin = performance.now();
      await run();
      times.push(performance.now() - begin);
      cpus.push(backendMs(backend) - cpuBefore);
    }
    const met = median(times) <= most;
    if (!met) missed += 1;
    say(
      `${what.padEnd(42)} ${median(times).toFixed(1).padStart(10)} ${median(cpus).toFixed(1).padStart(10)} ${String(most).padStart(8)} ${met ? 'met' : 'MISS'}`,
    );
  }
  if (missed > 0) process.exitCode = 1;
} finally {
  await db.destroy();
  await cluster.close();
}
