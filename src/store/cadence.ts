import { type Kysely, sql, type Transaction } from 'kysely';
import type { Drafts } from '../domain/drafts.ts';
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

/** How many mentorships are looked at in one transaction: a fraction of a second's work. */
const PAGE = 1_000;
/** How many programs' turns are taken together: many are small. */
const PROGRAMS = 50;
/** What passes with time alone, the days of the zone apart, is found after so long. */
const TURN = '1 hour';

/** The cadence watch's side of the store. */
export function createCadenceStore(db: Kysely<DB>): CadenceStore {
  return {
    async watch(now, decide) {
      const taken: Array<ReturnType<typeof decide>[number]> = [];
      /** Null: another watcher is under way. */
      const look = async (choose: (trx: Transaction<DB>) => Promise<Chosen>): Promise<Chosen | null> => {
        const done = await inTransaction(db, async (trx) => {
          if (!(await lockCadenceWatch(trx))) return null;
          const chosen = await choose(trx);
          const steps = decide(await loadWatched(trx, chosen.ids));
          await queueDrafts(trx, await writeSteps(trx, steps, now));
          return { chosen, steps };
        });
        taken.push(...(done?.steps ?? []));
        return done?.chosen ?? null;
      };
      let marked: Chosen | null;
      do marked = await look(takeMarked);
      while (marked?.goesOn);
      if (marked === null) return taken;
      for (;;) {
        const programs = await programsDue(db, now);
        if (programs.length === 0) return taken;
        for (let page: Chosen | null = { ids: [], goesOn: true }; page.goesOn; ) {
          const after: number = page.ids.at(-1) ?? 0;
          page = await look((trx) => pageOfMentorships(trx, programs, after, now));
          if (page === null) return taken;
        }
      }
    },
  };
}

type Chosen = {
  /** Mentorships. */
  readonly ids: readonly number[];
  /** There may be more. */
  readonly goesOn: boolean;
};

/**
 * Mentorships that something happened to since they were looked at. Their marks are removed before they are read, so
 * that a change which is committed later keeps the mark that it made.
 */
async function takeMarked(trx: Transaction<DB>): Promise<Chosen> {
  const { rows } = await sql<{ id: number }>`
    delete from cadenced.cadence_mark
     where ctid = any (array(select ctid from cadenced.cadence_mark order by mentorship_id limit ${PAGE}
                                for update skip locked))
    returning mentorship_id as id`.execute(trx);
  return { ids: [...new Set(rows.map((row) => row.id))], goesOn: rows.length === PAGE };
}

/**
 * Whether a program's turn has come. A turn that lies further ahead than any is one that was reckoned before the
 * business clock was put back.
 */
function isDue(now: Date) {
  return sql<boolean>`coalesce(cadence_look.look_at <= ${now}
                               or cadence_look.look_at > ${now}::timestamptz + ${TURN}::interval, true)`;
}

/** Whether any mentorship is to be compared with its alerts. */
export function isCadenceDue(now: Date) {
  return sql<boolean>`(
    exists (select from cadenced.cadence_mark)
    or exists (select from cadenced.program left join cadenced.cadence_look using (program_id)
                where ${isDue(now)}))`;
}

async function programsDue(db: Kysely<DB>, now: Date): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select program_id as id from cadenced.program left join cadenced.cadence_look using (program_id)
     where ${isDue(now)} order by program_id limit ${PROGRAMS}`.execute(db);
  return rows.map((row) => row.id);
}

/**
 * The mentorships of the programs that are still running or have an open alert, a page at a time. The last page ends
 * the programs' turn: whoever is interrupted before begins it again.
 * @param after the last id of the page before, 0 to begin
 */
async function pageOfMentorships(
  trx: Transaction<DB>,
  programs: readonly number[],
  after: number,
  now: Date,
): Promise<Chosen> {
  const { rows } = await sql<{ id: number }>`
    select mentorship_id as id from cadenced.mentorship
     where program_id = any (${[...programs]}::bigint[]) and mentorship_id > ${after}
       and (ends_on is null or ends_on >= ${now}::timestamptz::date - 2
            or exists (select from cadenced.alert
                        where alert.mentorship_id = mentorship.mentorship_id and alert.resolved_at is null))
     order by mentorship_id limit ${PAGE}`.execute(trx);
  const goesOn = rows.length === PAGE;
  if (!goesOn) await endTurn(trx, programs, now);
  return { ids: rows.map((row) => row.id), goesOn };
}

async function endTurn(trx: Transaction<DB>, programs: readonly number[], now: Date): Promise<void> {
  await sql`
    insert into cadenced.cadence_look (program_id, look_at)
    select program_id, least(cadenced.end_of_day(cadenced.local_date(${now}, time_zone), time_zone),
                             ${now}::timestamptz + ${TURN}::interval)
      from cadenced.program where program_id = any (${[...programs]}::bigint[])
     order by program_id
    on conflict (program_id) do update set look_at = excluded.look_at`.execute(trx);
}

/** @returns what the steps tell */
async function writeSteps(trx: Transaction<DB>, steps: readonly AlertStep[], now: Date): Promise<Drafts> {
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
  const told = steps.flatMap(({ write, tell }) => {
    const alertId =
      'open' in write ? opened.get(`${write.open.mentorshipId}/${write.open.kind}`) : write.change.alertId;
    return alertId === undefined ? [] : [tell(alertId)];
  });
  return { events: told.flatMap(({ events }) => events), mails: told.flatMap(({ mails }) => mails) };
}

/** The key of the lock under which one watcher at a time compares standings with alerts: "cadn". */
const ONE_WATCHER = 1667327086;

/** Whether this transaction is the only one that watches the cadence, until it ends. */
async function lockCadenceWatch(trx: Transaction<DB>): Promise<boolean> {
  const { rows } = await sql<{ mine: boolean }>`
    select pg_try_advisory_xact_lock(${ONE_WATCHER}) as mine`.execute(trx);
  return rows[0]?.mine ?? false;
}

/** Where the given mentorships stand, those left out for which there is nothing to do. */
async function loadWatched(db: Kysely<DB>, ids: readonly number[]): Promise<WatchedMentorship[]> {
  if (ids.length === 0) return [];
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
