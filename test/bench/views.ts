import pg from 'pg';
import { backendMs } from './cpu-time.ts';
import { FULL, fill, openBenchCluster, option, sizeFrom } from './filled-database.ts';
import { type Question, questionsOf } from './view-questions.ts';

/**
 * How fast the views answer on a year of 2,000 programs, 200,000 mentorships and 5 million sessions.
 *
 *   node test/bench/views.ts [--share 1] [--keep DIR] [--view NAME] [--plans]
 *
 * The views are those of the catalogue, whichever they are by then; each is asked by every key that it has, by
 * program, and by time (`view-questions.ts`). Prints for each question its target, the median of five, planning and
 * writing the answer included, how much of it was processor time, and what the plan reads. Times are the server's, so
 * that a busy client does not count; on a machine that others use as well, believe the processor time. Fails when a
 * question takes longer than its target.
 *
 * --share  fills only this part of the full size
 * --keep   a folder that keeps the filled cluster: filling takes minutes, asking does not
 * --view   only this view
 * --plans  prints the plan of whatever is too slow
 */
const ROUNDS = 5;
/** A question that takes so long is not asked again. */
const GIVE_UP_MS = 60_000;

type Plan = {
  readonly 'Index Name'?: string;
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly Plans?: Plan[];
};
type Explained = { readonly Plan: Plan; readonly 'Planning Time': number; readonly 'Execution Time': number };

function reads(plan: Plan): string[] {
  const own =
    plan['Index Name'] ??
    (plan['Node Type'] === 'Seq Scan' ? `all of ${plan['Relation Name'] ?? '?'}` : undefined);
  return [...(own === undefined ? [] : [own]), ...(plan.Plans ?? []).flatMap(reads)];
}

type Measured = { readonly ms: number; readonly cpu: number; readonly rows: number; readonly plan: string };

async function measure(client: pg.Client, backend: number, { view, where }: Question): Promise<Measured> {
  const times: number[] = [];
  const cpus: number[] = [];
  let last: Explained | undefined;
  // Once before, so that the pages are as warm as those of anybody who asks twice.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const before = backendMs(backend);
    const { rows } = await client.query<{ 'QUERY PLAN': Explained[] }>(
      `explain (analyze, timing off, serialize text, format json) select * from mentoring.${view} where ${where}`,
    );
    last = rows[0]?.['QUERY PLAN'][0];
    if (last === undefined) throw new Error('explain gave no plan');
    const ms = last['Planning Time'] + last['Execution Time'];
    const cpu = backendMs(backend) - before;
    if (ms > GIVE_UP_MS / 6) return { ms, cpu, rows: rowsOf(last), plan: readsOf(last) };
    if (round === 0) continue;
    times.push(ms);
    cpus.push(cpu);
  }
  if (last === undefined) throw new Error('nothing was asked');
  return {
    ms: median(times),
    cpu: median(cpus),
    rows: rowsOf(last),
    plan: readsOf(last),
  };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const rowsOf = (explained: Explained) => explained.Plan['Actual Rows'] ?? 0;
const readsOf = (explained: Explained) => [...new Set(reads(explained.Plan))].join(', ');

type Line = Question & { readonly measured: Measured | null };

async function ask(client: pg.Client, backend: number, question: Question): Promise<Line> {
  try {
    return { ...question, measured: await measure(client, backend, question) };
  } catch (problem) {
    // query_canceled: the statement timeout.
    if (problem instanceof pg.DatabaseError && problem.code === '57014')
      return { ...question, measured: null };
    throw problem;
  }
}

function print({ view, filter, most, measured }: Line): void {
  const ms = measured === null ? `> ${GIVE_UP_MS}` : measured.ms.toFixed(1);
  const cpu = measured === null ? '' : measured.cpu.toFixed(1);
  const met = measured !== null && measured.ms <= most;
  say(
    `${view.padEnd(21)} ${filter.padEnd(16)} ${String(measured?.rows ?? '').padStart(7)} ${ms.padStart(9)} ${cpu.padStart(8)} ` +
      `${String(most).padStart(6)} ${met ? 'met ' : 'MISS'}  ${measured?.plan ?? ''}`,
  );
}

async function printPlan(client: pg.Client, { view, where }: Question): Promise<void> {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers) select * from mentoring.${view} where ${where}`,
  );
  for (const row of rows) say(`    ${row['QUERY PLAN']}`);
}

const say = (line: string) => process.stdout.write(`${line}\n`);

const share = option('share');
const size = share === undefined ? FULL : sizeFrom(Number(share));
const cluster = await openBenchCluster(option('keep'), false);
const client = new pg.Client({ connectionString: cluster.url });
try {
  if (!cluster.filled) {
    say(`filling ${size.programs} programs, ${size.mentorships} mentorships, ${size.sessions} sessions`);
    await fill(cluster.pool, size, say);
  }
  await client.connect();
  // As the documentation asks of whoever reads.
  await client.query(`set jit = off; set statement_timeout = ${GIVE_UP_MS}`);
  const { rows: own } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const backend = own[0]?.pid ?? 0;
  const questions = await questionsOf(client, option('view'));
  say(
    `${'view'.padEnd(21)} ${'filter'.padEnd(16)} ${'rows'.padStart(7)} ${'median'.padStart(9)} ${'cpu'.padStart(8)} ${'target'.padStart(6)} ms    reads`,
  );
  const missed: Line[] = [];
  for (const question of questions) {
    const line = await ask(client, backend, question);
    print(line);
    if (line.measured !== null && line.measured.ms <= line.most) continue;
    missed.push(line);
    if (process.argv.includes('--plans') && line.measured !== null) await printPlan(client, question);
  }
  say(`${questions.length - missed.length} of ${questions.length} questions met their target`);
  if (missed.length > 0) process.exitCode = 1;
} finally {
  await client.end();
  await cluster.close();
}
