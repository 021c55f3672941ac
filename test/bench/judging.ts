import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { renewMonths } from '../../src/store/months.ts';
import { createDatabaseClient } from '../../src/store/pool.ts';
import { createVerdictStore } from '../../src/store/verdict-store.ts';
import { judgeSessions } from '../../src/usecases/judge-sessions.ts';
import { cpuBetween, cpuTime } from './cpu-time.ts';
import { fill, openBenchCluster } from './filled-database.ts';

/**
 * How long it takes to judge and settle 100,000 sessions with the records of their conferences: what waits after a
 * long outage, or after the first sync of a large organisation.
 *
 *   node test/bench/judging.ts [sessions, default 100000]
 */
const MOST_SECONDS_FOR_100_000 = 30;

const sessions = Number(process.argv[2] ?? 100_000);
const say = (line: string) => process.stdout.write(`${line}\n`);
const cluster = await openBenchCluster(undefined, true);
const db = createDatabaseClient(cluster.pool);
try {
  const mentorships = Math.ceil(sessions / 20);
  // Two rounds more than are judged, because two are still to come.
  await fill(
    cluster.pool,
    { programs: Math.ceil(mentorships / 100), mentorships, sessions: 23 * mentorships },
    () => undefined,
  );
  await cluster.pool.query(
    'truncate cadenced.evidence, cadenced.harvest, cadenced.outcome_history, cadenced.outbound_event cascade',
  );
  await cluster.pool.query(
    `update cadenced.session set outcome = null, outcome_reason = null, settled_at = null, provisional_at = null,
            overlap_minutes = null, ordinal = null, stage = null, status = 'scheduled', cancelled_at = null,
            cancel_reason = null, evidence_tier = null, next_judgement_at = null`,
  );
  await cluster.pool.query(
    `update cadenced.participant set status = null, minutes = null, joined_at = null, left_at = null,
            evidence_tier = 'none'`,
  );
  const due = await cluster.pool.query(
    `update cadenced.session set next_judgement_at = ends_at + interval '48 hours'
      where session_id in (select session_id from cadenced.session
                            where ends_at < cadenced.now() - interval '49 hours' order by session_id limit $1)`,
    [sessions],
  );
  await cluster.pool.query(
    `insert into cadenced.evidence (occurrence_id, person_id, source, kind, from_at, until_at, reference, seen_at)
     select occurrence_id, null, 'meet', 'record', starts_at, ends_at, 'record', ends_at + interval '1 hour'
       from cadenced.session where next_judgement_at is not null
      union all
     select occurrence_id, person_id, 'meet', 'presence', starts_at, ends_at, 'presence-' || person_id,
            ends_at + interval '1 hour'
       from cadenced.session join cadenced.participant using (session_id) where next_judgement_at is not null`,
  );
  await cluster.pool.query(
    `insert into cadenced.harvest (occurrence_id, source, state, attempts, last_answer)
     select occurrence_id, 'meet', 'final', 3, 'records' from cadenced.session where next_judgement_at is not null`,
  );
  await cluster.pool.query('vacuum analyze');
  await cluster.pool.query('checkpoint');
  const before = cpuTime(cluster.pid);
  const begin = performance.now();
  const total = await judgeSessions({
    store: createVerdictStore(db),
    clock: systemClock(),
    log: silentLog(),
  });
  const seconds = (performance.now() - begin) / 1000;
  const cpu = cpuBetween(before, cpuTime(cluster.pid));
  const renewing = performance.now();
  const months = await renewMonths(db);
  const renewed = (performance.now() - renewing) / 1000;
  if (total.judged !== due.rowCount || total.settled !== due.rowCount) {
    throw new Error(
      `${due.rowCount} sessions were due, ${total.judged} were judged, ${total.settled} settled`,
    );
  }
  const allowed = (MOST_SECONDS_FOR_100_000 * total.judged) / 100_000;
  say(
    `${total.judged} sessions judged and settled in ${seconds.toFixed(1)} s (target ${allowed.toFixed(1)} s), ` +
      `processor time ${cpu.node.toFixed(1)} s here and ${cpu.postgres.toFixed(1)} s in Postgres`,
  );
  say(`${months} months renewed in ${renewed.toFixed(1)} s`);
  if (seconds > allowed) process.exitCode = 1;
} finally {
  // Ends the pool that the client stands on, too.
  await cluster.close();
}
