import pg from 'pg';
import { FULL, fill, openBenchCluster, sizeFrom } from './filled-database.ts';

/**
 * How fast the views answer on a year of 2,000 programs, 200,000 mentorships and 5 million sessions.
 *
 *   node test/bench/views.ts [share of the full size, default 1] [folder to keep the filled cluster in] [only this view]
 *
 * Prints a line a view and filter: the median and the best of five, planning and the way to the client included, and
 * which indexes the plan reads. On a busy machine the two lie far apart: then the best one is nearer to the truth. Fails when a filtered view takes longer than 50 ms, or program_month over everything 5 s.
 */
const ROUNDS = 5;
const FILTERED_MS = 50;
const ALL_PROGRAMS_MS = 5_000;

type Question = {
  readonly view: string;
  readonly filter: string;
  readonly where: string;
  readonly most: number;
};

/** A session is asked for with its keys, as an administrator who follows a number down to its evidence would. */
function questions(program: string, mentorship: string, email: string): Question[] {
  const ofProgram = `program = '${program}'`;
  const ofMentorship = `${ofProgram} and mentorship = '${mentorship}'`;
  const ofPerson = `email = '${email}'`;
  const sessions = `session_id in (select session_id from mentoring.session where ${ofMentorship})`;
  const one = (view: string, filter: string, where: string): Question => ({
    view,
    filter,
    where,
    most: FILTERED_MS,
  });
  const both = (view: string) => [one(view, 'program', ofProgram), one(view, 'mentorship', ofMentorship)];
  return [
    ...['session', 'unknown_session', 'planned_session', 'candidate_event', 'cadence', 'alert'].flatMap(both),
    ...['mentorship_month', 'mentorship_progress', 'pause', 'reminder_log'].flatMap(both),
    one('program_month', 'program', ofProgram),
    one('mentor_month', 'program', ofProgram),
    ...[
      'participant_month',
      'participant_attendance',
      'role_month',
      'reminder_outcome',
      'feedback_month',
    ].map((view) => one(view, 'program', ofProgram)),
    one('participant_month', 'person', ofPerson),
    one('participant_attendance', 'person', ofPerson),
    one('mentor_month', 'person', ofPerson),
    one('cohort', 'program', ofProgram),
    one('verification_coverage', 'program', ofProgram),
    one('unmatched_event', 'program', ofProgram),
    ...['attendance', 'evidence', 'outcome_history', 'feedback'].map((view) =>
      one(view, 'mentorship', sessions),
    ),
    one('outbound_event', 'subject', `subject = 'session/17'`),
    one('webhook_delivery', 'event', `event_id = 'evt_17'`),
    one('sync_health', 'calendar', `calendar = 'person17@example.org'`),
    { view: 'program_month', filter: 'everything', where: 'true', most: ALL_PROGRAMS_MS },
  ];
}

type Plan = {
  readonly 'Index Name'?: string;
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: Plan[];
};

function reads(plan: Plan): string[] {
  const own =
    plan['Index Name'] ??
    (plan['Node Type'] === 'Seq Scan' ? `all of ${plan['Relation Name'] ?? '?'}` : undefined);
  return [...(own === undefined ? [] : [own]), ...(plan.Plans ?? []).flatMap(reads)];
}

async function measure(
  client: pg.Client,
  question: Question,
): Promise<{ ms: number; best: number; rows: number; plan: string }> {
  const text = `select * from mentoring.${question.view} where ${question.where}`;
  const times: number[] = [];
  let rows = 0;
  // Once before, so that the pages are as warm as those of anybody who asks twice.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const begin = performance.now();
    rows = (await client.query(text)).rows.length;
    if (round > 0) times.push(performance.now() - begin);
  }
  const { rows: plans } = await client.query<{ 'QUERY PLAN': Array<{ Plan: Plan }> }>(
    `explain (format json) ${text}`,
  );
  const found = plans[0]?.['QUERY PLAN'][0]?.Plan;
  return {
    ms: times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0,
    best: Math.min(...times),
    rows,
    plan: [...new Set(found ? reads(found) : [])].join(', '),
  };
}

const say = (line: string) => process.stdout.write(`${line}\n`);

const size = process.argv[2] === undefined ? FULL : sizeFrom(Number(process.argv[2]));
const only = process.argv[4];
const cluster = await openBenchCluster(process.argv[3], false);
const client = new pg.Client({ connectionString: cluster.url });
try {
  if (!cluster.filled) {
    say(`filling ${size.programs} programs, ${size.mentorships} mentorships, ${size.sessions} sessions`);
    await fill(cluster.pool, size, say);
  }
  await client.connect();
  const { rows } = await client.query<{ program: string; mentorship: string; email: string }>(
    `select program.name as program, mentorship.key as mentorship, person.address as email
       from cadenced.program join cadenced.mentorship using (program_id)
       join cadenced.membership on membership.mentorship_id = mentorship.mentorship_id and membership.role = 'mentor'
       join cadenced.person using (person_id)
      where program_id = (select max(program_id) / 2 + 1 from cadenced.program) limit 1`,
  );
  const middle = rows[0];
  if (middle === undefined) throw new Error('the cluster is empty');
  let tooSlow = 0;
  say(
    `${'view'.padEnd(21)} ${'filter'.padEnd(11)} ${'rows'.padStart(6)} ${'median'.padStart(8)} ${'best'.padStart(8)} ms  reads`,
  );
  for (const question of questions(middle.program, middle.mentorship, middle.email)) {
    if (only !== undefined && question.view !== only) continue;
    const { ms, best, rows: count, plan } = await measure(client, question);
    if (ms > question.most) tooSlow += 1;
    const mark = ms > question.most ? ` (over ${question.most})` : '';
    say(
      `${question.view.padEnd(21)} ${question.filter.padEnd(11)} ${String(count).padStart(6)} ${ms.toFixed(1).padStart(8)} ${best.toFixed(1).padStart(8)}${mark}  ${plan}`,
    );
  }
  if (tooSlow > 0) {
    say(`${tooSlow} questions were too slow`);
    process.exitCode = 1;
  }
} finally {
  await client.end();
  await cluster.close();
}
