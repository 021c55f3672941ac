import { type Kysely, sql, type Transaction } from 'kysely';
import type { MailDraft, OutboundDraft } from '../domain/drafts.ts';
import type {
  AlertChange,
  AlertStep,
  AlertToOpen,
  CadenceStore,
  WatchedMentorship,
} from '../ports/cadence-store.ts';
import type { DB } from './database.generated.ts';
import { queueDrafts } from './drafts.ts';
import { inTransaction } from './transaction.ts';

/** How many mentorships are looked at in one statement. */
const PAGE = 1_000;

/** The cadence watch's side of the store. */
export function createCadenceStore(db: Kysely<DB>): CadenceStore {
  return {
    watch: (now, decide) =>
      inTransaction(db, async (trx) => {
        const taken: Array<ReturnType<typeof decide>[number]> = [];
        if (!(await lockCadenceWatch(trx))) return taken;
        const events: OutboundDraft[] = [];
        const mails: MailDraft[] = [];
        for (let after = 0; ; ) {
          const page = await pageOfMentorships(trx, after, PAGE);
          const last = page.at(-1);
          if (last === undefined) break;
          after = last;
          const steps = decide(await loadWatched(trx, page));
          for (const { step, alertId } of await writeSteps(trx, steps, now)) {
            const drafts = step.tell(alertId);
            events.push(...drafts.events);
            mails.push(...drafts.mails);
          }
          taken.push(...steps);
        }
        await queueDrafts(trx, { mails, events });
        return taken;
      }),
  };
}

/** @returns each step with the id of its alert */
async function writeSteps(
  trx: Transaction<DB>,
  steps: readonly AlertStep[],
  now: Date,
): Promise<Array<{ readonly step: AlertStep; readonly alertId: number }>> {
  const opened = await openAlerts(
    trx,
    steps.flatMap(({ write }) => ('open' in write ? [write.open] : [])),
    now,
  );
  await changeAlerts(
    trx,
    steps.flatMap(({ write }) => ('change' in write ? [write.change] : [])),
    now,
  );
  return steps.flatMap((step) => {
    const { write } = step;
    const alertId =
      'open' in write ? opened.get(`${write.open.mentorshipId}/${write.open.kind}`) : write.change.alertId;
    return alertId === undefined ? [] : [{ step, alertId }];
  });
}

/** The key of the lock under which one watcher at a time compares standings with alerts: "cadn". */
const ONE_WATCHER = 1667327086;

/** Whether this transaction is the only one that watches the cadence, until it ends. */
async function lockCadenceWatch(trx: Transaction<DB>): Promise<boolean> {
  const { rows } = await sql<{ mine: boolean }>`
    select pg_try_advisory_xact_lock(${ONE_WATCHER}) as mine`.execute(trx);
  return rows[0]?.mine ?? false;
}

/**
 * The mentorships that are still running or have an open alert, a page at a time.
 * @param after the last id of the page before, 0 to begin
 */
async function pageOfMentorships(db: Kysely<DB>, after: number, limit: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select mentorship_id as id from cadenced.mentorship
     where mentorship_id > ${after}
       and (ends_on is null or ends_on >= cadenced.now()::date - 2
            or exists (select from cadenced.alert
                        where alert.mentorship_id = mentorship.mentorship_id and alert.resolved_at is null))
     order by mentorship_id limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}

/** Where the given mentorships stand, those left out for which there is nothing to do. */
async function loadWatched(db: Kysely<DB>, ids: readonly number[]): Promise<WatchedMentorship[]> {
  const { rows } = await sql<WatchedMentorship>`
    select cadence.mentorship_id as "mentorshipId", program.program_id as "programId", cadence.program,
           cadence.mentorship, program.time_zone as zone, program.live_from as "liveFrom",
           rules.policy ->> 'coordinator' as coordinator, nullif(rules.policy -> 'quietHours', 'null') as quiet,
           cadence.state, cadence.due_at as "dueAt", cadence.last_held_at as "lastHeldAt",
           cadence.next_session_at as "nextSessionAt", cadence.at_risk as "atRisk", cadence.reasons,
           cadence.unverified_since as "unverifiedSince", cadence.overdue_since as "overdueSince",
           coalesce(members.people, '[]') as people, coalesce(known.alerts, '[]') as alerts
      from mentoring.cadence
      join cadenced.program on program.name = cadence.program
      left join cadenced.program_policy rules
        on rules.program_id = program.program_id and rules.valid_until is null
     cross join lateral (
       select jsonb_agg(jsonb_build_object('personId', person.person_id, 'role', membership.role,
                                           'address', person.address, 'zone', person.time_zone)
                        order by person.person_id) as people
         from cadenced.membership join cadenced.person on person.person_id = membership.person_id
        where membership.mentorship_id = cadence.mentorship_id
     ) as members
     cross join lateral (
       select jsonb_agg(jsonb_build_object(
                'alertId', alert.alert_id, 'kind', alert.kind, 'level', alert.level,
                'openedAt', (extract(epoch from alert.opened_at) * 1000)::bigint,
                'baselined', alert.baselined, 'reasons', alert.reasons) order by alert.alert_id) as alerts
         from cadenced.alert
        where alert.mentorship_id = cadence.mentorship_id and alert.resolved_at is null
     ) as known
     where cadence.mentorship_id = any (${[...ids]}::bigint[])
       and (cadence.state in ('overdue', 'lapsed') or known.alerts is not null)
     order by cadence.mentorship_id`.execute(db);
  return rows;
}

/** Opens alerts. @returns the id of each, by mentorship and kind (`12/at_risk`) */
async function openAlerts(
  trx: Transaction<DB>,
  alerts: readonly AlertToOpen[],
  now: Date,
): Promise<Map<string, number>> {
  if (alerts.length === 0) return new Map();
  const { rows } = await sql<{ id: number; key: string }>`
    insert into cadenced.alert (mentorship_id, kind, opened_at, told_at, baselined, reasons)
    select "mentorshipId", kind, ${now}, case when told then ${now}::timestamptz end, baselined,
           array(select jsonb_array_elements_text(reasons))
      from jsonb_to_recordset(${JSON.stringify(alerts)}::jsonb)
        as made ("mentorshipId" bigint, kind text, told boolean, baselined boolean, reasons jsonb)
    returning alert_id as id, mentorship_id || '/' || kind as key`.execute(trx);
  return new Map(rows.map((row) => [row.key, row.id]));
}

async function changeAlerts(trx: Transaction<DB>, changes: readonly AlertChange[], now: Date): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    update cadenced.alert
       set level = made.level,
           reasons = case when made.resolved then alert.reasons
                          else array(select jsonb_array_elements_text(made.reasons)) end,
           told_at = case when made.told then ${now} else alert.told_at end,
           resolved_at = case when made.resolved then ${now}::timestamptz end
      from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb)
        as made ("alertId" bigint, level text, reasons jsonb, told boolean, resolved boolean)
     where alert.alert_id = made."alertId" and alert.resolved_at is null`.execute(trx);
}
