import type pg from 'pg';

/** One question to a view, with the milliseconds in which it has to be answered. */
export type Question = {
  readonly view: string;
  /** What it is asked by, for the reader. */
  readonly filter: string;
  readonly where: string;
  readonly most: number;
};

/** By one program, one mentorship or one key. */
const KEYED_MS = 50;
const ALL_PROGRAMS_MS = 5_000;
/** Six hours of everything: thousands of rows. */
const HOURS_MS = 500;

/** Columns that name one thing or person: whoever asks by one of them wants a handful of rows. */
const KEYS = /(_id|^email|_email|^mentorship|^calendar|^owner|^subject|^lineage)$/;
/** The time that a row is about, the first that a view has. */
const TIMES = [
  'scheduled_start',
  'starts_at',
  'month',
  'week',
  'due_at',
  'occurred_at',
  'decided_at',
  'given_at',
  'opened_at',
  'seen_at',
  'from_on',
  'joined_at',
];
/** Views that work mentorship by mentorship or month by month: nobody asks them for hours of everything. */
const NOT_BY_TIME_ALONE = /^(attendance|benchmark|evidence|outcome_history|cadence)$/;

type Column = { readonly view: string; readonly name: string; readonly type: string };

/**
 * Every view of the catalogue, asked by program, by mentorship, by every other key that it has, and by time. The
 * values are those of a row that is there, of a program in the middle.
 * @param only the name of one view
 */
export async function questionsOf(client: pg.Client, only: string | undefined): Promise<Question[]> {
  const { rows: columns } = await client.query<Column>(
    `select relation.relname as view, attribute.attname as name, format_type(attribute.atttypid, null) as type
       from pg_class relation
       join pg_namespace namespace on namespace.oid = relation.relnamespace and namespace.nspname = 'mentoring'
       join pg_attribute attribute on attribute.attrelid = relation.oid and attribute.attnum > 0
      where relation.relkind in ('v', 'm') and ($1::text is null or relation.relname = $1)
      order by relation.relname, attribute.attnum`,
    [only ?? null],
  );
  const { rows: middle } = await client.query<{ program: string }>(
    `select name as program from cadenced.program
      where program_id = (select max(program_id) / 2 + 1 from cadenced.program)`,
  );
  const program = middle[0]?.program;
  if (program === undefined) throw new Error('the cluster is empty');
  const views = Map.groupBy(columns, (column) => column.view);
  const questions: Question[] = [];
  for (const [view, its] of views) {
    const ofProgram = its.some(({ name }) => name === 'program') ? `program = ${literal(program)}` : null;
    const sample = await sampleOf(client, view, ofProgram);
    questions.push(...questionsTo(view, its, ofProgram, sample));
  }
  return questions;
}

type Sample = Readonly<Record<string, string | null>>;

/** A row of the view, every value as text. */
async function sampleOf(client: pg.Client, view: string, ofProgram: string | null): Promise<Sample> {
  const { rows } = await client.query<{ sample: Sample }>(
    `select to_jsonb(one) as sample from mentoring.${view} one where ${ofProgram ?? 'true'} limit 1 offset 7`,
  );
  return rows[0]?.sample ?? {};
}

function questionsTo(
  view: string,
  columns: readonly Column[],
  ofProgram: string | null,
  sample: Sample,
): Question[] {
  const one = (filter: string, where: string, most = KEYED_MS): Question => ({ view, filter, where, most });
  const questions: Question[] = [];
  const is = (name: string) => `${name} = ${literal(sample[name] ?? '')}`;
  if (ofProgram !== null) questions.push(one('program', ofProgram));
  const keys = columns.filter(({ name }) => KEYS.test(name) && (sample[name] ?? null) !== null);
  for (const { name } of keys) {
    if (ofProgram !== null && name === 'mentorship')
      questions.push(one('mentorship', `${ofProgram} and ${is(name)}`));
    questions.push(one(name === 'mentorship' ? 'mentorship alone' : name, is(name)));
  }
  const names = new Set(columns.map(({ name }) => name));
  if (names.has('position'))
    questions.push(
      one('position', `position > ${Number(sample.position ?? 0)}  order by position limit 100`),
    );
  const time = TIMES.find((name) => names.has(name));
  if (time !== undefined) {
    const quarter = `${time} >= now() - interval '3 months'`;
    if (ofProgram !== null) questions.push(one('program, quarter', `${ofProgram} and ${quarter}`));
    const hours = `${time} >= now() - interval '78 hours' and ${time} < now() - interval '72 hours'`;
    if (!NOT_BY_TIME_ALONE.test(view) && !names.has('month'))
      questions.push(one('six hours', hours, HOURS_MS));
  }
  if (view === 'program_month') questions.push(one('everything', 'true', ALL_PROGRAMS_MS));
  return questions;
}

function literal(value: string): string {
  return `'${String(value).replaceAll("'", "''")}'`;
}
