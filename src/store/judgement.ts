import { type Kysely, sql, type Transaction } from 'kysely';
import {
  conferenceKindOf,
  firstHarvestAfterMs,
  HARVEST_SOURCES,
  harvestExpiresAfterMs,
  PROVISIONAL_AFTER_MS,
  SETTLED_AFTER_MS,
} from '../domain/harvest.ts';
import type { Instant } from '../domain/observation.ts';
import type { ParticipantVerdict, Verdict } from '../domain/verdict.ts';
import type { DB } from './database.generated.ts';

/**
 * Says when the given sessions are judged and when the conference providers are asked about their meetings.
 * Call it in the transaction that made, moved, cancelled or reinstated them; a second call writes nothing.
 *
 * - Not yet ended: three hours after the end; a cancelled one at its end, because until then it may be reinstated.
 * - Ended and never judged: three hours after the end, which for history found at the first sync means at once.
 * - Ended, judged otherwise and now cancelled: at once. Sync lets that happen only for a cancellation that the
 *   source dates before the start, and such a one counts whenever it is learnt.
 * - Every other judged session keeps its time: what moves it is evidence, not a sync.
 */
export async function scheduleJudgement(
  trx: Transaction<DB>,
  sessionIds: readonly number[],
  now: Date,
): Promise<void> {
  if (sessionIds.length === 0) return;
  await sql`
    with planned as (
      select session_id,
             case
               when status = 'cancelled' and (ends_at > ${now} or outcome is null) then ends_at
               when ends_at > ${now} or outcome is null then ends_at + ${ms(PROVISIONAL_AFTER_MS)}
               when status = 'cancelled' and outcome <> 'cancelled'
                    and outcome_reason is distinct from 'although_cancelled' then ends_at
               when settled_at is not null then next_judgement_at
               else coalesce(next_judgement_at, ends_at + ${ms(SETTLED_AFTER_MS)})
             end as due_at
        from cadenced.session
       where session_id = any (${[...sessionIds]}::bigint[])
       order by session_id
         for update
    )
    update cadenced.session
       set next_judgement_at = planned.due_at
      from planned
     where session.session_id = planned.session_id
       and session.next_judgement_at is distinct from planned.due_at`.execute(trx);
  await scheduleHarvests(trx, sessionIds, now);
}

/** Sources that can be asked, with the offsets of their schedule, as rows for a join. */
const SOURCES = HARVEST_SOURCES.map((source) => {
  const expires = harvestExpiresAfterMs(source);
  return {
    source,
    kind: conferenceKindOf(source),
    first_after: `${firstHarvestAfterMs(source)} milliseconds`,
    expires_after: expires === null ? null : `${expires} milliseconds`,
  };
});

async function scheduleHarvests(
  trx: Transaction<DB>,
  sessionIds: readonly number[],
  now: Date,
): Promise<void> {
  // Rows nobody has asked about yet follow their meeting; rows with an answer are history and stay.
  await sql`
    delete from cadenced.harvest
     using cadenced.occurrence
     where harvest.occurrence_id = occurrence.occurrence_id
       and occurrence.occurrence_id in (select occurrence_id from cadenced.session
                                         where session_id = any (${[...sessionIds]}::bigint[]))
       and harvest.attempts = 0
       and (occurrence.conference_kind is distinct from case when harvest.source = 'reports' then 'meet' else harvest.source end
            or not exists (select from cadenced.session
                            where session.occurrence_id = occurrence.occurrence_id
                              and session.status = 'scheduled'))`.execute(trx);
  await sql`
    insert into cadenced.harvest as known (occurrence_id, source, state, due_at, last_answer)
    select occurrence.occurrence_id, source.source,
           case when expired then 'cannot_tell' else 'waiting' end,
           case when not expired then occurrence.ends_at + source.first_after end,
           case when expired then 'expired' end
      from cadenced.occurrence
      join jsonb_to_recordset(${JSON.stringify(SOURCES)}::jsonb)
             as source (source text, kind text, first_after interval, expires_after interval)
        on source.kind = occurrence.conference_kind
       and (source.source <> 'reports' or exists (select from cadenced.harvest_source where source = 'reports'))
     cross join lateral (
       select coalesce(occurrence.ends_at + source.expires_after <= ${now}, false) as expired
     ) as age
     where occurrence.occurrence_id in (select occurrence_id from cadenced.session
                                         where session_id = any (${[...sessionIds]}::bigint[])
                                           and status = 'scheduled')
       and occurrence.conference_key is not null
     order by occurrence.occurrence_id
    on conflict (occurrence_id, source) do update
       set state = excluded.state, due_at = excluded.due_at, last_answer = excluded.last_answer
     where known.attempts = 0
       and (known.state, known.due_at) is distinct from (excluded.state, excluded.due_at)`.execute(trx);
}

function ms(milliseconds: number) {
  return sql`${`${milliseconds} milliseconds`}::interval`;
}

/** A verdict as it is written. */
export type Decided = {
  readonly sessionId: number;
  readonly verdict: Verdict;
  /** Why the history gets a row, or `null` when outcome and reason stay as they were. */
  readonly because: string | null;
  /** The session was settled before. */
  readonly wasSettled: boolean;
};

/** Writes verdicts of sessions that the transaction has locked. */
export async function writeVerdicts(
  trx: Transaction<DB>,
  decided: readonly Decided[],
  now: Date,
): Promise<void> {
  if (decided.length === 0) return;
  await sql`
    update cadenced.session
       set outcome = made.outcome, outcome_reason = made.reason, overlap_minutes = made.overlap,
           evidence_tier = made.tier, provisional_at = coalesce(session.provisional_at, ${now}),
           settled_at = case when made.settled then coalesce(session.settled_at, ${now}) else session.settled_at end,
           next_judgement_at = made."nextAt"
      from jsonb_to_recordset(${JSON.stringify(
        decided.map(({ sessionId, verdict, wasSettled }) => ({
          sessionId,
          outcome: verdict.outcome,
          reason: verdict.reason,
          overlap: verdict.overlapMinutes,
          tier: verdict.tier,
          settled: verdict.settled,
          nextAt: wasSettled || verdict.nextAt === null ? null : new Date(verdict.nextAt).toISOString(),
        })),
      )}::jsonb)
        as made ("sessionId" bigint, outcome text, reason text, overlap numeric, tier text, settled boolean,
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
export async function renumberSessions(
  trx: Transaction<DB>,
  mentorshipIds: readonly number[],
): Promise<void> {
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

/** The settled held session that began each stage of the mentorships, and the number of each given session. */
export type StageReached = {
  readonly mentorshipId: number;
  readonly sessionId: number;
  readonly ordinal: number;
  readonly stage: string;
  readonly reachedAt: Date;
};

/** Every stage that the mentorships have reached by a settled session; told once each by its fact key. */
export async function loadStagesReached(
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

export async function loadOrdinals(
  trx: Transaction<DB>,
  sessionIds: readonly number[],
): Promise<Map<number, { readonly ordinal: number | null; readonly stage: string | null }>> {
  const { rows } = await sql<{ id: number; ordinal: number | null; stage: string | null }>`
    select session_id as id, ordinal, stage from cadenced.session
     where session_id = any (${[...sessionIds]}::bigint[])`.execute(trx);
  return new Map(rows.map(({ id, ...rest }) => [id, rest]));
}

/** Says whether the administrator's log of Meet is asked. What nobody asks any more, nobody waits for. */
export async function setReportsAsked(db: Kysely<DB>, asked: boolean): Promise<void> {
  await db.transaction().execute(async (trx) => {
    if (asked) {
      await sql`insert into cadenced.harvest_source (source) values ('reports') on conflict do nothing`.execute(
        trx,
      );
      // Meetings that were planned before it was set up.
      await sql`
        insert into cadenced.harvest (occurrence_id, source, state, due_at)
        select occurrence_id, 'reports', 'waiting', ends_at + ${ms(firstHarvestAfterMs('reports'))}
          from cadenced.occurrence
         where conference_kind = 'meet' and ends_at > cadenced.now()
           and exists (select from cadenced.session
                        where session.occurrence_id = occurrence.occurrence_id and session.status = 'scheduled')
        on conflict (occurrence_id, source) do nothing`.execute(trx);
      return;
    }
    await sql`delete from cadenced.harvest_source where source = 'reports'`.execute(trx);
    await sql`delete from cadenced.harvest where source = 'reports' and attempts = 0`.execute(trx);
    await sql`
      update cadenced.harvest set state = 'cannot_tell', due_at = null, last_answer = 'no_permission'
       where source = 'reports' and state = 'waiting'`.execute(trx);
  });
}
