import { type Kysely, sql } from 'kysely';
import type { DB } from './database.generated.ts';
import { errorCode } from './problem.ts';

/** What the statements of `sql/views` answer: the key of the row that was made, or why it was refused. */
export type Said = { readonly ok: true; readonly id: number } | { readonly ok: false; readonly why: string };

/**
 * An administrator's word about a session, or about one person in it.
 * @param status of the session: met, not_met, withdrawn; of a person: attended, absent, excused, unknown, withdrawn
 */
export function correctAttendance(
  db: Kysely<DB>,
  word: {
    readonly sessionId: number;
    readonly status: string;
    readonly by: string;
    readonly reason: string;
    readonly email: string | null;
  },
): Promise<Said> {
  return say(
    sql`select mentoring.correct_attendance(${word.sessionId}, ${word.status}, ${word.by}, ${word.reason},
                                            ${word.email}) as id`,
    db,
  );
}

/**
 * Days (ISO dates, both included, in the program's zone) on which a mentorship, or a person, owes no session. `by` is
 * kept beside it, and so is who was signed in to the database.
 */
export function pause(
  db: Kysely<DB>,
  whose: { readonly program: string; readonly mentorship: string } | { readonly email: string },
  days: {
    readonly from: string;
    readonly until: string;
    readonly reason: string | null;
    readonly by: string | null;
  },
): Promise<Said> {
  return say(
    'email' in whose
      ? sql`select mentoring.pause_person(${whose.email}, ${days.from}, ${days.until}, ${days.reason},
                                        ${days.by}) as id`
      : sql`select mentoring.pause_mentorship(${whose.program}, ${whose.mentorship}, ${days.from}, ${days.until},
                                              ${days.reason}, ${days.by}) as id`,
    db,
  );
}

/** Ends a pause after the given day; `null` takes it back. The answer's id is the pause's. */
export async function endPause(
  db: Kysely<DB>,
  pauseId: number,
  after: string | null,
  by: string | null,
): Promise<Said> {
  const said = await say(
    sql`select case when mentoring.end_pause(${pauseId}, ${after}, ${by}) then ${pauseId}::bigint else 0 end as id`,
    db,
  );
  return said.ok && said.id === 0
    ? { ok: false, why: `there is no pause ${pauseId}. See mentoring.pause.` }
    : said;
}

/**
 * The functions refuse in plain words of their own under these codes: not null, foreign key, check, null argument.
 * A constraint of a table speaks under two of them as well, and then names itself.
 */
const REFUSALS = new Set(['23502', '23503', '23514', '22004']);

async function say(statement: ReturnType<typeof sql<{ id: number }>>, db: Kysely<DB>): Promise<Said> {
  try {
    const { rows } = await statement.execute(db);
    const id = rows[0]?.id;
    if (id === undefined) throw new Error('the statement returned no row');
    return { ok: true, id };
  } catch (refusal) {
    if (!(refusal instanceof Error) || !REFUSALS.has(errorCode(refusal) ?? '')) throw refusal;
    const hint = 'hint' in refusal && typeof refusal.hint === 'string' ? ` ${refusal.hint}` : '';
    return { ok: false, why: `${refusal.message}.${hint}` };
  }
}
