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
        await writeVerdicts(trx, decided, now);
        const renumbered = decided.filter((one) => one.renumbers).map((one) => one.mentorshipId);
        const numbers = await renumber(trx, [...new Set(renumbered)], decided);
        await queueDrafts(trx, tell(decided, numbers));
        return decided;
      }),
  };
}

async function renumber(
  trx: Transaction<DB>,
  mentorshipIds: readonly number[],
  decided: readonly Decided[],
): Promise<SessionNumbers> {
  await renumberSessions(trx, mentorshipIds);
  const ids = decided.map((one) => one.sessionId);
  return {
    ordinals: ids.length === 0 ? new Map() : await loadOrdinals(trx, ids),
    stages: mentorshipIds.length === 0 ? [] : await loadStagesReached(trx, mentorshipIds),
  };
}

/** Writes verdicts of sessions that the transaction has locked. */
async function writeVerdicts(trx: Transaction<DB>, decided: readonly Decided[], now: Date): Promise<void> {
  if (decided.length === 0) return;
  await sql`
    update cadenced.session
       set outcome = made.outcome, outcome_reason = made.reason, overlap_minutes = made.overlap,
           start_delay_minutes = made.delay,
           evidence_tier = made.tier, provisional_at = coalesce(session.provisional_at, ${now}),
           settled_at = case when made.settled then coalesce(session.settled_at, ${now}) else session.settled_at end,
           next_judgement_at = made."nextAt"
      from jsonb_to_recordset(${JSON.stringify(
        decided.map(({ sessionId, verdict, wasSettled }) => ({
          sessionId,
          outcome: verdict.outcome,
          reason: verdict.reason,
          overlap: verdict.overlapMinutes,
          delay: verdict.startDelayMinutes,
          tier: verdict.tier,
          settled: verdict.settled,
          nextAt: wasSettled || verdict.nextAt === null ? null : new Date(verdict.nextAt).toISOString(),
        })),
      )}::jsonb)
        as made ("sessionId" bigint, outcome text, reason text, overlap numeric, delay numeric, tier text, settled boolean,
                 "nextAt" timestamptz)
     where session.session_id = made."sessionId"`.execute(trx);
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
 * Numbers the held sessions of the mentorships anew, by start, and names their stages. An evidence that comes late
 * may make an earlier session held: those after it then move up by one.
 */
async function renumberSessions(trx: Transaction<DB>, mentorshipIds: readonly number[]): Promise<void> {
  if (mentorshipIds.length === 0) return;
  await sql`
    select mentorship_id from cadenced.mentorship
     where mentorship_id = any (${[...mentorshipIds]}::bigint[])
     order by mentorship_id for no key update`.execute(trx);
  await sql`
    with numbered as (
      select session.session_id, place.ordinal, stage.name as stage
        from cadenced.session
        join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
        left join cadenced.program_policy rules
          on rules.program_id = mentorship.program_id and rules.valid_until is null
        left join (select session_id, row_number() over (partition by mentorship_id order by starts_at, session_id)
                            as ordinal
                     from cadenced.session
                    where mentorship_id = any (${[...mentorshipIds]}::bigint[]) and outcome = 'held') as place
          on place.session_id = session.session_id
        left join lateral (
          select item ->> 'name' as name
            from jsonb_array_elements(coalesce(rules.policy -> 'stages', '[]')) as item
           where (item ->> 'fromSession')::int <= place.ordinal
           order by (item ->> 'fromSession')::int desc limit 1
        ) as stage on true
       where session.mentorship_id = any (${[...mentorshipIds]}::bigint[])
         and (place.ordinal is not null or session.ordinal is not null)
    )
    update cadenced.session
       set ordinal = numbered.ordinal, stage = numbered.stage
      from numbered
     where session.session_id = numbered.session_id
       and (session.ordinal, session.stage) is distinct from (numbered.ordinal::int, numbered.stage)`.execute(
    trx,
  );
}

/** Every stage that the mentorships have reached by a settled session; told once each by its fact key. */
async function loadStagesReached(
  trx: Transaction<DB>,
  mentorshipIds: readonly number[],
): Promise<StageReached[]> {
  const { rows } = await sql<StageReached>`
    select distinct on (session.mentorship_id, session.stage)
           session.mentorship_id as "mentorshipId", session.session_id as "sessionId", session.ordinal,
           session.stage, session.ends_at as "reachedAt"
      from cadenced.session
     where session.mentorship_id = any (${[...mentorshipIds]}::bigint[])
       and session.outcome = 'held' and session.settled_at is not null and session.stage is not null
     order by session.mentorship_id, session.stage, session.starts_at, session.session_id`.execute(trx);
  return rows;
}

async function loadOrdinals(
  trx: Transaction<DB>,
  sessionIds: readonly number[],
): Promise<SessionNumbers['ordinals']> {
  const { rows } = await sql<{ id: number; ordinal: number | null; stage: string | null }>`
    select session_id as id, ordinal, stage from cadenced.session
     where session_id = any (${[...sessionIds]}::bigint[])`.execute(trx);
  return new Map(rows.map(({ id, ...rest }) => [id, rest]));
}
