import { type Kysely, sql, type Transaction } from 'kysely';
import { DateTime } from 'luxon';
import type { QuietHours } from '../domain/program.ts';
import { planReminderTimes, REMINDERS_A_DAY, type ReminderPlan, SUPPRESSIONS } from '../domain/reminders.ts';
import type { DB } from './database.generated.ts';

/** Mails are made this long before the longest offset of any program reaches a session. */
export const REMINDERS_AHEAD_DAYS = 2;

/**
 * Plans the reminders of the given sessions: one mail for every invited person and every offset of the program
 * (`domain/reminders.ts` says when, and when not). A constant number of statements however many sessions are
 * given; a second call writes nothing. Call it in the transaction that changed the sessions, before outbound
 * events are appended: their lock is the last one every transaction takes.
 *
 * - A mail is made once for a session, person and offset. While it waits, a moved start re-times it; if it has
 *   left already, a moved start makes a new one, whose key names the new start.
 * - A cancelled session, a decliner, somebody no longer invited or an offset no longer in the policy: what waits
 *   is suppressed with the reason, and comes back when the reason goes.
 * - Nobody gets more than three a day of their own zone; the earliest three go.
 */
export async function planReminders(
  trx: Transaction<DB>,
  sessionIds: readonly number[],
  now: Date,
): Promise<void> {
  if (sessionIds.length === 0) return;
  const ids = [...new Set(sessionIds)];
  // People in order, so that two calendars' syncs that meet in one person wait instead of deadlocking.
  await sql`
    select person_id from cadenced.person
     where person_id in (select person_id from cadenced.participant where session_id = any (${ids}::bigint[])
                          union
                         select person_id from cadenced.mail
                          where session_id = any (${ids}::bigint[]) and kind = 'reminder')
     order by person_id for no key update`.execute(trx);
  const invited = await loadInvited(trx, ids);
  const known = await loadReminders(trx, ids);
  const changes = decide(invited, known, now);
  await insertReminders(trx, changes.fresh);
  await updateReminders(trx, changes.changed);
  const touched = [...changes.fresh, ...changes.changed].map((mail) => mail.personId);
  await capADay(trx, [...new Set(touched)], now);
}

type Invited = {
  readonly sessionId: number;
  readonly mentorshipId: number;
  readonly startsAt: Date;
  readonly cancelled: boolean;
  readonly personId: number;
  readonly address: string;
  readonly zone: string;
  readonly declined: boolean;
  readonly otherSideDeclined: boolean;
  readonly offsets: readonly string[];
  readonly quiet: QuietHours | null;
};

async function loadInvited(trx: Transaction<DB>, ids: readonly number[]): Promise<Invited[]> {
  const { rows } = await sql<Invited>`
    select session.session_id as "sessionId", session.mentorship_id as "mentorshipId",
           session.starts_at as "startsAt", session.status = 'cancelled' as cancelled,
           participant.person_id as "personId", person.address,
           coalesce(person.time_zone, program.time_zone) as zone,
           participant.rsvp = 'declined' as declined,
           coalesce((select bool_and(other.rsvp = 'declined')
                       from cadenced.participant other
                      where other.session_id = participant.session_id
                        and other.person_id <> participant.person_id
                        and (other.role <> participant.role or participant.role = 'peer')), false)
             as "otherSideDeclined",
           coalesce(rules.policy -> 'reminders', '[]') as offsets,
           nullif(rules.policy -> 'quietHours', 'null') as quiet
      from cadenced.session
      join cadenced.participant on participant.session_id = session.session_id
      join cadenced.person on person.person_id = participant.person_id
      join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
      join cadenced.program on program.program_id = mentorship.program_id
      left join cadenced.program_policy rules
        on rules.program_id = program.program_id and rules.valid_until is null
     where session.session_id = any (${[...ids]}::bigint[])
     order by session.session_id, participant.person_id`.execute(trx);
  return rows;
}

type Known = {
  readonly mailId: number;
  readonly factKey: string;
  readonly sessionId: number;
  readonly personId: number;
  readonly status: string;
  readonly reason: string | null;
  readonly dueAt: Date;
  /** The start it was made for. */
  readonly expiresAt: Date;
};

async function loadReminders(trx: Transaction<DB>, ids: readonly number[]): Promise<Known[]> {
  const { rows } = await sql<Known>`
    select mail_id as "mailId", fact_key as "factKey", session_id as "sessionId", person_id as "personId",
           status, reason, due_at as "dueAt", expires_at as "expiresAt"
      from cadenced.mail
     where session_id = any (${[...ids]}::bigint[]) and kind = 'reminder'
     order by mail_id`.execute(trx);
  return rows;
}

type Fresh = {
  readonly factKey: string;
  readonly sessionId: number;
  readonly mentorshipId: number;
  readonly personId: number;
  readonly address: string;
  readonly dueAt: Date;
  readonly startsAt: Date;
  readonly suppressed: string | null;
};
type Changed = {
  readonly mailId: number;
  readonly personId: number;
  readonly dueAt: Date;
  readonly startsAt: Date;
  readonly suppressed: string | null;
};

function decide(invited: readonly Invited[], known: readonly Known[], now: Date) {
  // The latest mail of a session, person and offset; the key of a later one only adds the start.
  const latest = new Map(known.map((mail) => [mail.factKey.split('/').slice(0, 4).join('/'), mail]));
  const fresh: Fresh[] = [];
  const changed: Changed[] = [];
  const wanted = new Set<string>();
  for (const person of invited) {
    const facts = { ...person, startsAt: DateTime.fromJSDate(person.startsAt, { zone: 'utc' }) };
    for (const plan of planReminderTimes(facts, person.offsets, person.quiet, utc(now))) {
      const key = `reminder/${person.sessionId}/${person.personId}/${plan.offset}`;
      wanted.add(key);
      const mail = latest.get(key);
      const made = { ...person, dueAt: plan.dueAt.toJSDate(), suppressed: plan.suppressed };
      if (mail === undefined) {
        // A cancelled session that never had a reminder has nothing to take back.
        if (plan.suppressed !== 'session_cancelled') fresh.push({ ...made, factKey: key });
      } else if (mail.status === 'queued' || mail.status === 'suppressed') {
        if (!isSettled(mail, plan, person.startsAt, now)) changed.push({ ...made, mailId: mail.mailId });
      } else if (mail.expiresAt.getTime() !== person.startsAt.getTime() && plan.suppressed === null) {
        fresh.push({ ...made, factKey: `${key}/${person.startsAt.getTime() / 1000}` });
      }
    }
  }
  const stillInvited = new Set(invited.map((person) => `${person.sessionId}/${person.personId}`));
  for (const [key, mail] of latest) {
    if (wanted.has(key) || mail.status !== 'queued' || mail.expiresAt <= now) continue;
    const suppressed = stillInvited.has(`${mail.sessionId}/${mail.personId}`)
      ? 'not_in_policy'
      : 'not_invited';
    changed.push({ ...mail, startsAt: mail.expiresAt, suppressed });
  }
  return { fresh, changed };
}

/** Reasons that the next plan may take back. The others are the sender's, or were true at their time. */
const PASSING: ReadonlySet<string | null> = new Set(
  SUPPRESSIONS.filter(
    (reason) => reason !== 'too_late' && reason !== 'quiet_hours' && reason !== 'daily_cap',
  ),
);

/** Whether a waiting mail already is what the plan asks for. */
function isSettled(mail: Known, plan: ReminderPlan, startsAt: Date, now: Date): boolean {
  if (mail.expiresAt.getTime() !== startsAt.getTime()) return false;
  if (mail.status === 'suppressed') {
    if (plan.suppressed !== null) return mail.reason === plan.suppressed || !PASSING.has(mail.reason);
    return !PASSING.has(mail.reason);
  }
  if (plan.suppressed !== null) return !PASSING.has(plan.suppressed);
  // Due and still waiting: the sender is behind, which is no reason to plan it again.
  return mail.dueAt <= now || mail.dueAt.getTime() === plan.dueAt.toMillis();
}

async function insertReminders(trx: Transaction<DB>, fresh: readonly Fresh[]): Promise<void> {
  if (fresh.length === 0) return;
  await sql`
    insert into cadenced.mail
      (fact_key, kind, session_id, mentorship_id, person_id, to_address, due_at, expires_at, status, reason)
    select "factKey", 'reminder', "sessionId", "mentorshipId", "personId", address, "dueAt", "startsAt",
           case when suppressed is null then 'queued' else 'suppressed' end, suppressed
      from jsonb_to_recordset(${JSON.stringify(fresh)}::jsonb)
        as made ("factKey" text, "sessionId" bigint, "mentorshipId" bigint, "personId" bigint, address text,
                 "dueAt" timestamptz, "startsAt" timestamptz, suppressed text)
    on conflict (fact_key) do nothing`.execute(trx);
}

async function updateReminders(trx: Transaction<DB>, changed: readonly Changed[]): Promise<void> {
  if (changed.length === 0) return;
  await sql`
    update cadenced.mail
       set due_at = made."dueAt", expires_at = made."startsAt", reason = made.suppressed,
           status = case when made.suppressed is null then 'queued' else 'suppressed' end
      from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb)
        as made ("mailId" bigint, "dueAt" timestamptz, "startsAt" timestamptz, suppressed text)
     where mail.mail_id = made."mailId"
       and mail.status in ('queued', 'suppressed')`.execute(trx);
}

/** Suppresses what goes beyond the day's number, and brings back what the number now allows. */
async function capADay(trx: Transaction<DB>, personIds: readonly number[], now: Date): Promise<void> {
  if (personIds.length === 0) return;
  await sql`
    with ranked as (
      select mail.mail_id, mail.due_at,
             row_number() over (
               partition by mail.person_id,
                 (mail.due_at at time zone coalesce(person.time_zone, program.time_zone))::date
               order by mail.status in ('sent', 'sending') desc, mail.due_at, mail.mail_id) as place
        from cadenced.mail
        join cadenced.person on person.person_id = mail.person_id
        join cadenced.mentorship on mentorship.mentorship_id = mail.mentorship_id
        join cadenced.program on program.program_id = mentorship.program_id
       where mail.person_id = any (${[...personIds]}::bigint[])
         and mail.kind = 'reminder'
         and mail.due_at > ${now}::timestamptz - interval '1 day'
         and (mail.status in ('queued', 'sending', 'sent')
              or (mail.status = 'suppressed' and mail.reason = 'daily_cap'))
    )
    update cadenced.mail
       set status = case when ranked.place <= ${REMINDERS_A_DAY} then 'queued' else 'suppressed' end,
           reason = case when ranked.place <= ${REMINDERS_A_DAY} then null else 'daily_cap' end
      from ranked
     where mail.mail_id = ranked.mail_id
       and ((mail.status = 'queued' and ranked.place > ${REMINDERS_A_DAY})
            or (mail.status = 'suppressed' and ranked.place <= ${REMINDERS_A_DAY} and ranked.due_at > ${now}))
  `.execute(trx);
}

function utc(at: Date): DateTime {
  return DateTime.fromJSDate(at, { zone: 'utc' });
}

/** The longest time before a session at which any program reminds, in whole days; 0 when none does. */
export async function longestReminderDays(db: Kysely<DB>): Promise<number> {
  const { rows } = await sql<{ days: number }>`
    select coalesce(ceil(max(extract(epoch from (offsets.value)::interval)) / 86400), 0)::int as days
      from cadenced.program_policy
     cross join lateral jsonb_array_elements_text(coalesce(program_policy.policy -> 'reminders', '[]'))
             as offsets (value)
     where program_policy.valid_until is null`.execute(db);
  return rows[0]?.days ?? 0;
}
