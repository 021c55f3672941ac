import { type Kysely, sql, type Transaction } from 'kysely';
import type { AnswerKind } from '../domain/answer.ts';
import type { Directory, Statement } from '../domain/evidence.ts';
import { conferenceKindOf, PROVISIONAL_AFTER_MS } from '../domain/harvest.ts';
import type { Conference } from '../domain/observation.ts';
import type { DueHarvest, EvidenceStore, HarvestResult } from '../ports/evidence-store.ts';
import type { DB } from './database.generated.ts';
import { inTransaction } from './transaction.ts';

/** Who is to be asked about which meeting, and what they said. */
export function createEvidenceStore(db: Kysely<DB>): EvidenceStore {
  return {
    loadDueHarvests: (now, limit) => loadDueHarvests(db, now, limit),
    loadDirectory: (asked) => loadDirectory(db, asked),
    recordHarvests: (results, now) => inTransaction(db, (trx) => recordHarvests(trx, results, now)),
  };
}

async function loadDueHarvests(db: Kysely<DB>, now: Date, limit: number): Promise<DueHarvest[]> {
  type Row = Omit<DueHarvest, 'conference'> & { kind: Conference['kind'] | null; key: string | null };
  const { rows } = await sql<Row>`
    select occurrence.occurrence_id as "occurrenceId", harvest.source, harvest.attempts,
           case when harvest.state = 'final' then harvest.last_answer end as word,
           occurrence.conference_kind as kind, occurrence.conference_key as key,
           coalesce(account.address, occurrence.organizer) as organizer,
           ${millis('occurrence.starts_at')} as start, ${millis('occurrence.ends_at')} as "end",
           near.meetings as neighbours
      from cadenced.harvest
      join cadenced.occurrence on occurrence.occurrence_id = harvest.occurrence_id
     cross join lateral (
       select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('occurrenceId', other.occurrence_id,
                                           'start', ${millis('other.starts_at')},
                                           'end', ${millis('other.ends_at')},
                                           'eventIds', named.ids))), '[]') as meetings
         from cadenced.occurrence other
         left join lateral (
           -- The log of Meet alone names events.
           select jsonb_agg(distinct event_copy.source_id) as ids
             from cadenced.event_copy
            where harvest.source = 'reports' and event_copy.occurrence_id = other.occurrence_id
         ) as named on true
        where other.conference_key = occurrence.conference_key
          and other.conference_kind = occurrence.conference_kind
          and other.starts_at between occurrence.starts_at - interval '1 day'
                                  and occurrence.starts_at + interval '1 day'
          and (other.status = 'scheduled' or other.occurrence_id = occurrence.occurrence_id)
     ) as near
      left join lateral (
        -- Google speaks in the name of primary addresses only, and an entry may name its organizer by an alias.
        select coalesce(calendar.address, case when person.calendar_provider <> 'microsoft' then person.address end) as address
          from cadenced.person_address
          join cadenced.person on person.person_id = person_address.person_id
          left join cadenced.calendar on calendar.person_id = person.person_id
           and calendar.provider = 'google' and calendar.retired_at is null
         where harvest.source <> 'teams' and person_address.address = occurrence.organizer
         limit 1
      ) as account on true
     where harvest.due_at <= ${now}
     order by harvest.due_at, harvest.occurrence_id
     limit ${limit}`.execute(db);
  return rows.map(({ kind, key, ...row }) => ({
    ...row,
    conference: kind === conferenceKindOf(row.source) && key !== null ? { kind, key } : null,
  }));
}

async function loadDirectory(
  db: Kysely<DB>,
  asked: Parameters<EvidenceStore['loadDirectory']>[0],
): Promise<Directory> {
  const accounts = await sql<{ key: string; personId: number }>`
    select provider || ':' || account_id as key, person_id as "personId"
      from cadenced.person_account
     where provider = ${asked.provider} and account_id = any (${[...asked.accounts]}::text[])`.execute(db);
  const addresses = await sql<{ key: string; personId: number }>`
    select address as key, person_id as "personId"
      from cadenced.person_address where address = any (${[...asked.addresses]}::text[])
     union
    select address, person_id from cadenced.person where address = any (${[...asked.addresses]}::text[])
  `.execute(db);
  const groups = await sql<{ address: string }>`
    select distinct address from cadenced.group_address
     where address = any (${[...asked.addresses]}::text[])`.execute(db);
  return {
    groups: new Set(groups.rows.map((row) => row.address)),
    byAccount: new Map(accounts.rows.map((row) => [row.key, row.personId])),
    byAddress: new Map(addresses.rows.map((row) => [row.key, row.personId])),
  };
}

async function recordHarvests(
  trx: Transaction<DB>,
  results: readonly HarvestResult[],
  now: Date,
): Promise<number> {
  if (results.length === 0) return 0;
  const learnt = results.flatMap((result) => result.learnt);
  const explained = await explainedBy(trx, learnt);
  // Sessions before harvests, as a sync takes them, and all of them at once.
  await sql`
    select session_id from cadenced.session
     where occurrence_id = any (${[...results.map((result) => result.occurrenceId), ...explained]}::bigint[])
     order by session_id for no key update`.execute(trx);
  const recorded = await insertStatements(trx, results, now);
  if (learnt.length > 0) {
    await sql`
      insert into cadenced.person_account (provider, account_id, person_id)
      select distinct on (provider, "accountId") provider, "accountId", "personId"
        from jsonb_to_recordset(${JSON.stringify(learnt)}::jsonb)
          as made (provider text, "accountId" text, "personId" bigint)
      on conflict (provider, account_id) do nothing`.execute(trx);
  }
  await sql`
    update cadenced.harvest
       set attempts = harvest.attempts + 1, state = made.state, due_at = made."dueAt",
           last_at = ${now}, last_answer = made.answer
      from jsonb_to_recordset(${JSON.stringify(
        results.map((result) => ({ ...result, state: result.final?.state ?? 'waiting', statements: [] })),
      )}::jsonb)
        as made ("occurrenceId" bigint, source text, state text, "dueAt" timestamptz, answer text)
     where harvest.occurrence_id = made."occurrenceId" and harvest.source = made.source`.execute(trx);
  const spoke = results.filter((result) => result.wakes).map((result) => result.occurrenceId);
  await wakeJudge(trx, [...new Set([...recorded, ...spoke, ...explained])], now);
  return recorded.length;
}

/** @returns the occurrences with a guest whose account nobody knew until now */
async function explainedBy(trx: Transaction<DB>, learnt: HarvestResult['learnt']): Promise<number[]> {
  if (learnt.length === 0) return [];
  const { rows } = await sql<{ occurrenceId: number }>`
    select distinct evidence.occurrence_id as "occurrenceId"
      from jsonb_to_recordset(${JSON.stringify(learnt)}::jsonb) as learnt (provider text, "accountId" text)
      join cadenced.evidence
        on evidence.kind = 'guest' and evidence.detail ->> 'account' = learnt."accountId"
       and learnt.provider = case evidence.source when 'teams' then 'microsoft' else 'google' end
     where not exists (select from cadenced.person_account known
                        where known.provider = learnt.provider and known.account_id = learnt."accountId")`.execute(
    trx,
  );
  return rows.map((row) => row.occurrenceId);
}

/** @returns the occurrence of every statement that was new */
async function insertStatements(
  trx: Transaction<DB>,
  results: readonly HarvestResult[],
  now: Date,
): Promise<number[]> {
  const statements = results.flatMap(({ occurrenceId, source, statements: made, final, answer }) => [
    ...made.map((statement) => ({ ...statement, occurrenceId, source, ...times(statement) })),
    ...(final === null || made.length > 0 || answer === 'records'
      ? []
      : [
          {
            occurrenceId,
            source,
            kind: final.state === 'final' ? 'no_record' : 'cannot_tell',
            reference: final.state === 'final' ? 'no_record' : `cannot_tell/${answer}`,
            detail: {},
          },
        ]),
  ]);
  if (statements.length === 0) return [];
  const { rows } = await sql<{ occurrenceId: number }>`
    insert into cadenced.evidence
      (occurrence_id, person_id, source, kind, from_at, until_at, reference, detail, seen_at)
    select "occurrenceId", "personId", source, kind, "from", "until", reference, detail, ${now}
      from jsonb_to_recordset(${JSON.stringify(statements)}::jsonb)
        as made ("occurrenceId" bigint, "personId" bigint, source text, kind text, "from" timestamptz,
                 "until" timestamptz, reference text, detail jsonb)
    on conflict (occurrence_id, source, reference) do nothing
    returning occurrence_id as "occurrenceId"`.execute(trx);
  return rows.map((row) => row.occurrenceId);
}

function times(statement: Statement) {
  return {
    from: statement.from === null ? null : new Date(statement.from).toISOString(),
    until: statement.until === null ? null : new Date(statement.until).toISOString(),
  };
}

async function wakeJudge(trx: Transaction<DB>, occurrenceIds: readonly number[], now: Date): Promise<void> {
  if (occurrenceIds.length === 0) return;
  await sql`
    with woken as (
      select session_id from cadenced.session
       where occurrence_id = any (${[...occurrenceIds]}::bigint[])
       order by session_id for update
    )
    update cadenced.session
       set next_judgement_at = least(coalesce(next_judgement_at, 'infinity'),
                                     greatest(${now}, ends_at + ${`${PROVISIONAL_AFTER_MS} ms`}::interval))
      from woken where session.session_id = woken.session_id`.execute(trx);
}

/** What a person says on the answer page. */
export type Answer = {
  readonly sessionId: number;
  /** Who says it. */
  readonly personId: number;
  readonly kind: AnswerKind;
  /** Names this statement, so that a repeated submit is kept once; a change of mind is another one. */
  readonly reference: string;
};

/**
 * Keeps a person's answer and wakes the judge. The last answer of a person counts.
 * @returns false when the session does not exist, has not ended, or the person was not invited to it, or the same
 *   answer is kept already
 */
export async function recordAnswer(trx: Transaction<DB>, answer: Answer, now: Date): Promise<boolean> {
  const { rows } = await sql<{ occurrenceId: number }>`
    insert into cadenced.evidence (occurrence_id, session_id, person_id, source, kind, reference, seen_at)
    select session.occurrence_id, session.session_id, participant.person_id, 'answer', ${answer.kind},
           ${answer.reference}, ${now}
      from cadenced.session
      join cadenced.participant on participant.session_id = session.session_id
     where session.session_id = ${answer.sessionId}
       and participant.person_id = ${answer.personId}
       and session.ends_at <= ${now}
    on conflict (occurrence_id, source, reference) do nothing
    returning occurrence_id as "occurrenceId"`.execute(trx);
  await wakeJudge(
    trx,
    rows.map((row) => row.occurrenceId),
    now,
  );
  return rows.length > 0;
}

function millis(column: string) {
  return sql`(extract(epoch from ${sql.ref(column)}) * 1000)::bigint`;
}
