import { type Kysely, sql, type Transaction } from 'kysely';
import type { Instant } from '../domain/observation.ts';
import type { ParticipantVerdict } from '../domain/verdict.ts';
import type { Decided, SessionNumbers, StageReached, VerdictStore } from '../ports/verdict-store.ts';
import type { DB } from './database.generated.ts';
import { queueDrafts } from './drafts.ts';
import { lockDueSessions } from './due-sessions.ts';
import { inTransaction } from './transaction.ts';

/** The judge's side of the store. */
export function createVerdictStore(db: Kysely<DB>): VerdictStore {
  return {
    judgeDue: (now, share, decide, tell) =>
      inTransaction(db, async (trx) => {
        const decided = (await lockDueSessions(trx, now, share)).map((due) => decide(due));
        if (decided.length === 0) return decided;
        const renumbered = decided.filter((one) => one.renumbers).map((one) => one.mentorshipId);
        const numbers = await writeVerdicts(trx, decided, [...new Set(renumbered)], now);
        await queueDrafts(trx, tell(decided, numbers));
        return decided;
      }),
  };
}

/**
 * Writes verdicts of sessions that the transaction has locked, and numbers the held sessions of the given
 * mentorships anew.
 */
async function writeVerdicts(
  trx: Transaction<DB>,
  decided: readonly Decided[],
  mentorshipIds: readonly number[],
  now: Date,
): Promise<SessionNumbers> {
  const written = await writeSessions(trx, decided, mentorshipIds, now);
  await writeParticipants(trx, decided);
  await writeHistory(trx, decided, now);
  return {
    ordinals: new Map(written.map(({ id, ordinal, stage }) => [id, { ordinal, stage }])),
    stages: await loadStagesReached(
      trx,
      mentorshipIds,
      written.filter((row) => row.stage !== null).map((row) => row.id),
    ),
  };
}

type WrittenSession = { readonly id: number; readonly ordinal: number | null; readonly stage: string | null };

/**
 * Numbers held sessions by start and names their stages. An evidence that comes late may make an earlier session
 * held: those after it then move up by one. Verdicts and numbers go in with one statement, because every further
 * write of a row costs as much as the first: all indexes again, and all triggers.
 * @returns the rows that were written: all that were judged, and those whose number or stage changed
 */
async function writeSessions(
  trx: Transaction<DB>,
  decided: readonly Decided[],
  mentorshipIds: readonly number[],
  now: Date,
): Promise<WrittenSession[]> {
  if (mentorshipIds.length > 0) {
    await sql`
      select mentorship_id from cadenced.mentorship
       where mentorship_id = any (${[...mentorshipIds]}::bigint[])
       order by mentorship_id for no key update`.execute(trx);
  }
  const { rows } = await sql<WrittenSession>`
    with made as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(
        decided.map(({ sessionId, verdict, wasSettled }) => ({
          id: sessionId,
          outcome: verdict.outcome,
          reason: verdict.reason,
          overlap: verdict.overlapMinutes,
          delay: verdict.startDelayMinutes,
          tier: verdict.tier,
          settled: verdict.settled,
          next_at: wasSettled || verdict.nextAt === null ? null : new Date(verdict.nextAt).toISOString(),
        })),
      )}::jsonb)
        as (id bigint, outcome text, reason text, overlap numeric, delay numeric, tier text, settled boolean,
             next_at timestamptz)
    ), held as (
      select session_id, mentorship_id, starts_at from cadenced.session
       where mentorship_id = any (${[...mentorshipIds]}::bigint[]) and outcome = 'held'
         and session_id not in (select id from made)
       union all
      select session.session_id, session.mentorship_id, session.starts_at
        from made join cadenced.session on session.session_id = made.id
       where made.outcome = 'held' and session.mentorship_id = any (${[...mentorshipIds]}::bigint[])
    ), stage as materialized (
      select rules.program_id, stage.value ->> 'name' as name, (stage.value ->> 'fromSession')::int as begins,
             lead((stage.value ->> 'fromSession')::int) over (
               partition by rules.program_id order by (stage.value ->> 'fromSession')::int) as ends
        from cadenced.program_policy rules
       cross join lateral jsonb_array_elements(coalesce(rules.policy -> 'stages', '[]')) as stage (value)
       where rules.valid_until is null
         and rules.program_id in (select program_id from cadenced.mentorship
                                   where mentorship_id = any (${[...mentorshipIds]}::bigint[]))
    ), numbered as materialized (
      select place.session_id, place.ordinal, stage.name as stage
        from (select session_id, mentorship_id,
                     (row_number() over (partition by mentorship_id order by starts_at, session_id))::int as ordinal
                from held) as place
        join cadenced.mentorship on mentorship.mentorship_id = place.mentorship_id
        left join stage
          on stage.program_id = mentorship.program_id
         and place.ordinal >= stage.begins and (stage.ends is null or place.ordinal < stage.ends)
    ), next as materialized (
      select session_id, numbered.ordinal, numbered.stage, made.*
        from numbered full join made on made.id = numbered.session_id
    )
    update cadenced.session
       set outcome = case when judged then next.outcome else session.outcome end,
           outcome_reason = case when judged then next.reason else session.outcome_reason end,
           overlap_minutes = case when judged then next.overlap else session.overlap_minutes end,
           start_delay_minutes = case when judged then next.delay else session.start_delay_minutes end,
           evidence_tier = case when judged then next.tier else session.evidence_tier end,
           provisional_at = case when judged then coalesce(session.provisional_at, ${now})
                                 else session.provisional_at end,
           settled_at = case when next.settled then coalesce(session.settled_at, ${now}) else session.settled_at end,
           next_judgement_at = case when judged then next.next_at else session.next_judgement_at end,
           ordinal = case when renumbers then next.ordinal else session.ordinal end,
           stage = case when renumbers then next.stage else session.stage end
      from (select coalesce(next.session_id, next.id) as target, next.id is not null as judged, next.*,
                   next.session_id is not null or its.mentorship_id = any (${[...mentorshipIds]}::bigint[]) as renumbers
              from next join cadenced.session its on its.session_id = coalesce(next.session_id, next.id)
             where next.id is not null
                or (its.ordinal, its.stage) is distinct from (next.ordinal, next.stage)) as next
     where session.session_id = next.target
    returning session.session_id as id, session.ordinal, session.stage`.execute(trx);
  return rows;
}

async function writeParticipants(trx: Transaction<DB>, decided: readonly Decided[]): Promise<void> {
  await sql`
    update cadenced.participant
       set status = made.status, minutes = made.minutes, joined_at = made.joined, left_at = made."left",
           evidence_tier = made.tier
      from jsonb_to_recordset(${JSON.stringify(
        decided.flatMap(({ sessionId, verdict }) =>
          verdict.participants.map((person) => ({ sessionId, ...person, ...times(person) })),
        ),
      )}::jsonb)
        as made ("sessionId" bigint, "personId" bigint, status text, minutes numeric, joined timestamptz,
                 "left" timestamptz, tier text)
     where participant.session_id = made."sessionId" and participant.person_id = made."personId"
       and (participant.status, participant.minutes, participant.joined_at, participant.left_at,
            participant.evidence_tier)
           is distinct from (made.status, made.minutes, made.joined, made."left", made.tier)`.execute(trx);
}

async function writeHistory(trx: Transaction<DB>, decided: readonly Decided[], now: Date): Promise<void> {
  const history = decided.filter((one) => one.because !== null);
  if (history.length === 0) return;
  await sql`
    insert into cadenced.outcome_history (session_id, outcome, outcome_reason, decided_at, because)
    select "sessionId", outcome, reason, ${now}, because
      from jsonb_to_recordset(${JSON.stringify(
        history.map(({ sessionId, verdict, because }) => ({
          sessionId,
          outcome: verdict.outcome,
          reason: verdict.reason,
          because,
        })),
      )}::jsonb)
        as made ("sessionId" bigint, outcome text, reason text, because text)`.execute(trx);
}

function times(person: ParticipantVerdict) {
  const iso = (at: Instant | null) => (at === null ? null : new Date(at).toISOString());
  return { joined: iso(person.joinedAt), left: iso(person.leftAt) };
}

/**
 * Stages of the mentorships that one of the given sessions is the first settled one of. Another one was written by
 * an earlier batch, which told of it; where a session is given once more, the fact key says that it was told.
 */
async function loadStagesReached(
  trx: Transaction<DB>,
  mentorshipIds: readonly number[],
  writtenIds: readonly number[],
): Promise<StageReached[]> {
  if (mentorshipIds.length === 0 || writtenIds.length === 0) return [];
  const { rows } = await sql<StageReached>`
    select * from (
      select distinct on (session.mentorship_id, session.stage)
             session.mentorship_id as "mentorshipId", session.session_id as "sessionId", session.ordinal,
             session.stage, session.ends_at as "reachedAt"
        from cadenced.session
       where session.mentorship_id = any (${[...mentorshipIds]}::bigint[])
         and session.outcome = 'held' and session.settled_at is not null and session.stage is not null
       order by session.mentorship_id, session.stage, session.starts_at, session.session_id) as first
     where first."sessionId" = any (${[...writtenIds]}::bigint[])`.execute(trx);
  return rows;
}
