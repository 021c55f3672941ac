import { type Kysely, sql, type Transaction } from 'kysely';
import {
  conferenceKindOf,
  firstHarvestAfterMs,
  HARVEST_SOURCES,
  harvestExpiresAfterMs,
  PROVISIONAL_AFTER_MS,
  SETTLED_AFTER_MS,
} from '../domain/harvest.ts';
import type { DB } from './database.generated.ts';

/** When a session without a verdict is judged; where a session is inserted, it is written with the row. */
export const FIRST_JUDGEMENT = sql`case when status = 'cancelled' then ends_at
  else ends_at + ${ms(PROVISIONAL_AFTER_MS)} end`;

/**
 * Says when the given sessions are judged. Call it in the transaction that moved, cancelled or reinstated them; a
 * second call writes nothing. Sessions that were inserted with their `FIRST_JUDGEMENT` have no need of it.
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
               when ends_at > ${now} or outcome is null then ${FIRST_JUDGEMENT}
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
}

/**
 * Takes back what was said of meetings at times that are no longer theirs: they were put off before they began, and
 * nobody looked until the old time was over. What evidence is kept stays kept; the providers are asked again about the
 * new time. Call it before {@link scheduleJudgement}; a settled verdict is never taken back.
 */
export async function takeBackVerdicts(
  trx: Transaction<DB>,
  occurrenceIds: readonly number[],
): Promise<void> {
  if (occurrenceIds.length === 0) return;
  const ids = [...occurrenceIds];
  await sql`
    with moved as (
      update cadenced.session
         set outcome = null, outcome_reason = null, overlap_minutes = null, start_delay_minutes = null, evidence_tier = null,
             provisional_at = null, next_judgement_at = null, ordinal = null, stage = null
       where occurrence_id = any (${ids}::bigint[]) and settled_at is null and outcome is not null
      returning session_id
    )
    update cadenced.participant
       set status = null, minutes = null, joined_at = null, left_at = null, evidence_tier = 'none'
      from moved
     where participant.session_id = moved.session_id`.execute(trx);
  await sql`delete from cadenced.harvest where occurrence_id = any (${ids}::bigint[])`.execute(trx);
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

/**
 * Says when the conference providers are asked about the meetings of the given sessions. Call it with every session
 * that was made, moved, cancelled or reinstated, in the same transaction; a second call writes nothing.
 */
export async function scheduleHarvests(
  trx: Transaction<DB>,
  sessionIds: readonly number[],
  now: Date,
): Promise<void> {
  if (sessionIds.length === 0) return;
  // Rows nobody has asked about yet follow their meeting; rows with an answer are history and stay.
  // No row is both: what is let go has no meeting to be asked about under that source.
  await sql`
    with let_go as (
      delete from cadenced.harvest
       using cadenced.occurrence
       where harvest.occurrence_id = occurrence.occurrence_id
         and occurrence.occurrence_id in (select occurrence_id from cadenced.session
                                           where session_id = any (${[...sessionIds]}::bigint[]))
         and harvest.attempts = 0
         and (occurrence.conference_kind is distinct from case when harvest.source = 'reports' then 'meet' else harvest.source end
              or not exists (select from cadenced.session
                              where session.occurrence_id = occurrence.occurrence_id
                                and session.status = 'scheduled'))
    )
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

/** Says whether the administrator's log of Meet is asked. What nobody asks any more, nobody waits for. */
export async function setReportsAsked(db: Kysely<DB>, asked: boolean): Promise<void> {
  await db.transaction().execute(async (trx) => {
    if (asked) {
      await sql`insert into cadenced.harvest_source (source) values ('reports') on conflict do nothing`.execute(
        trx,
      );
      // Meetings that were planned before it was set up, and those that took place without a proof for as long as the
      // log goes back: whatever was asked meanwhile and refused is asked again.
      const expires = harvestExpiresAfterMs('reports');
      await sql`
        insert into cadenced.harvest as known (occurrence_id, source, state, due_at)
        select occurrence_id, 'reports', 'waiting', ends_at + ${ms(firstHarvestAfterMs('reports'))}
          from cadenced.occurrence
         where conference_kind = 'meet' and conference_key is not null
           and ends_at > ${expires === null ? sql`'-infinity'` : sql`(select cadenced.now()) - ${ms(expires)}`}
           and exists (select from cadenced.session
                        where session.occurrence_id = occurrence.occurrence_id and session.status = 'scheduled'
                          and (occurrence.ends_at > (select cadenced.now()) or session.settled_at is null
                               or session.outcome = 'unknown'))
         order by occurrence_id
        on conflict (occurrence_id, source) do update
           set state = 'waiting', due_at = excluded.due_at, attempts = 0
         where known.state = 'cannot_tell' and known.last_answer = 'no_permission'`.execute(trx);
      return;
    }
    await sql`delete from cadenced.harvest_source where source = 'reports'`.execute(trx);
    await sql`delete from cadenced.harvest where source = 'reports' and attempts = 0`.execute(trx);
    await sql`
      update cadenced.harvest set state = 'cannot_tell', due_at = null, last_answer = 'no_permission'
       where source = 'reports' and state = 'waiting'`.execute(trx);
  });
}
