import { type Kysely, sql } from 'kysely';
import { DateTime } from 'luxon';
import type { AnswerKind, Question, Subscription } from '../domain/answer.ts';
import type { AnswerStore } from '../ports/answer-store.ts';
import type { DB } from './database.generated.ts';
import { recordAnswer } from './evidence.ts';
import { inTransaction } from './transaction.ts';

type QuestionRow = Omit<Question, 'start' | 'end' | 'person' | 'feedback'> & {
  readonly start: Date;
  readonly end: Date;
  readonly timeZone: string;
  readonly language: string;
  readonly rating: number | null;
  readonly comment: string | null;
  readonly gave: boolean;
};

/** Answers of people as evidence, their feedback, and who wants no mails. */
export function createAnswerStore(db: Kysely<DB>): AnswerStore {
  return {
    async loadQuestion(sessionId, personId, now) {
      const { rows } = await sql<QuestionRow>`
        select session.starts_at as start, session.ends_at as "end", program.name as program,
               coalesce(person.time_zone, program.time_zone) as "timeZone",
               coalesce(person.language, rules.policy ->> 'language', 'en') as language,
               rules.policy ->> 'feedbackUrl' as "feedbackUrl",
               coalesce((select jsonb_agg(jsonb_build_object('name', other.name, 'role', theirs.role)
                                          order by theirs.role, other.name)
                           from cadenced.participant theirs
                           join cadenced.person other on other.person_id = theirs.person_id
                          where theirs.session_id = session.session_id
                            and theirs.person_id <> participant.person_id), '[]') as others,
               ${lastAnswer(sessionId, personId)} as answer,
               feedback.feedback_id is not null as gave, feedback.rating, feedback.comment
          from cadenced.session
          join cadenced.participant on participant.session_id = session.session_id
          join cadenced.person on person.person_id = participant.person_id
          join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
          join cadenced.program on program.program_id = mentorship.program_id
          left join cadenced.program_policy rules
            on rules.program_id = program.program_id and rules.valid_until is null
          left join cadenced.feedback
            on feedback.session_id = session.session_id and feedback.person_id = participant.person_id
         where session.session_id = ${sessionId} and participant.person_id = ${personId}
           and session.ends_at <= ${now}`.execute(db);
      const [row] = rows;
      if (row === undefined) return null;
      const { start, end, timeZone, language, rating, comment, gave, ...rest } = row;
      return {
        ...rest,
        start: DateTime.fromJSDate(start, { zone: 'utc' }),
        end: DateTime.fromJSDate(end, { zone: 'utc' }),
        person: { timeZone, language },
        feedback: gave ? { rating, comment } : null,
      };
    },

    async recordAnswer({ sessionId, personId, kind, feedback }, now) {
      return inTransaction(db, async (trx) => {
        // Two clicks at once would both see the answer before them; the second waits here and finds the first. All
        // sessions of the meeting, in order, because that is what waking their judge locks.
        const { rows } = await sql<{ session_id: number }>`
          select session_id from cadenced.session
           where occurrence_id = (
             select session.occurrence_id from cadenced.session
               join cadenced.participant on participant.session_id = session.session_id
              where session.session_id = ${sessionId} and participant.person_id = ${personId}
                and session.ends_at <= ${now})
           order by session_id for no key update`.execute(trx);
        if (rows.length === 0) return false;
        const { rows: before } = await sql<{ answer: AnswerKind | null; said: number }>`
          select ${lastAnswer(sessionId, personId)} as answer,
                 (select count(*)::int from cadenced.evidence
                   where source = 'answer' and session_id = ${sessionId} and person_id = ${personId}) as said
        `.execute(trx);
        const [last] = before;
        if (last?.answer !== kind) {
          const reference = `page/${sessionId}/${personId}/${(last?.said ?? 0) + 1}`;
          await recordAnswer(trx, { sessionId, personId, kind, reference }, now);
        }
        if (feedback === null) {
          await sql`delete from cadenced.feedback
                     where session_id = ${sessionId} and person_id = ${personId}`.execute(trx);
        } else if (feedback !== undefined) {
          await sql`
            insert into cadenced.feedback (session_id, person_id, rating, comment, given_at)
            values (${sessionId}, ${personId}, ${feedback.rating}, ${feedback.comment}, ${now})
            on conflict (session_id, person_id) do update
               set rating = excluded.rating, comment = excluded.comment, given_at = excluded.given_at
             where (feedback.rating, feedback.comment) is distinct from (excluded.rating, excluded.comment)
          `.execute(trx);
        }
        return true;
      });
    },

    async loadSubscription(programId, personId) {
      const { rows } = await sql<Subscription>`
        select program.name as program, coalesce(person.language, rules.policy ->> 'language', 'en') as language,
               not exists (select from cadenced.mail_opt_out
                            where mail_opt_out.person_id = person.person_id
                              and mail_opt_out.program_id = program.program_id) as wanted
          from cadenced.program
          join cadenced.person on person.person_id = ${personId}
          left join cadenced.program_policy rules
            on rules.program_id = program.program_id and rules.valid_until is null
         where program.program_id = ${programId}`.execute(db);
      return rows[0] ?? null;
    },

    async changeSubscription(programId, personId, wanted, now) {
      if (wanted) {
        await sql`delete from cadenced.mail_opt_out
                   where person_id = ${personId} and program_id = ${programId}`.execute(db);
      } else {
        await sql`insert into cadenced.mail_opt_out (person_id, program_id, since)
                  values (${personId}, ${programId}, ${now})
                  on conflict (person_id, program_id) do nothing`.execute(db);
      }
    },
  };
}

/** What a person said last about a session, in the order in which it was learnt; null when it was taken back. */
function lastAnswer(sessionId: number, personId: number) {
  return sql<AnswerKind | null>`(
    select nullif(evidence.kind, 'withdrawn') from cadenced.evidence
     where evidence.source = 'answer' and evidence.session_id = ${sessionId} and evidence.person_id = ${personId}
     order by evidence.seen_at desc, evidence.evidence_id desc limit 1)`;
}
