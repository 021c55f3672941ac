import { type Kysely, sql } from 'kysely';
import { ANSWERABLE_DAYS } from '../domain/answer.ts';
import type { MailFacts, MailOutbox } from '../ports/mail-outbox.ts';
import { readBusinessTime } from './clock.ts';
import type { DB } from './database.generated.ts';

/**
 * Mails as rows. What a mail says is read when it leaves, not when it was planned: a reminder tells the time that
 * holds now. Cancellations that the brake holds back hold the mails of their sessions, too.
 */
export function createMailOutbox(db: Kysely<DB>): MailOutbox {
  return {
    async claim(limit, leaseMs) {
      const now = await readBusinessTime(db);
      const { rows } = await sql<{ mail_id: number }>`
        with expired as (
          update cadenced.mail set status = 'suppressed', reason = 'too_late', next_attempt_at = null
           where status in ('queued', 'sending') and expires_at <= ${now}
             -- Said for the index: nothing expires before it is due, and most of what waits is not.
             and due_at <= ${now}
             and coalesce(next_attempt_at <= now(), true)
        ), due as (
          select mail_id from cadenced.mail
           where status in ('queued', 'sending') and due_at <= ${now}
             and coalesce(expires_at > ${now}, true)
             and coalesce(next_attempt_at <= now(), true)
             and not exists (
               select from cadenced.session
                 join cadenced.event_copy copy on copy.occurrence_id = session.occurrence_id
                 join cadenced.calendar on calendar.calendar_id = copy.calendar_id
                where session.session_id = mail.session_id
                  and calendar.parked -> 'lineages' ? copy.lineage)
           order by due_at, mail_id
           limit ${limit}
             for update skip locked
        )
        update cadenced.mail set status = 'sending', attempts = attempts + 1,
               next_attempt_at = now() + make_interval(secs => ${leaseMs / 1000}::double precision)
          from due where due.mail_id = mail.mail_id
        returning mail.mail_id`.execute(db);
      return loadFacts(
        db,
        rows.map((row) => row.mail_id),
      );
    },

    async settle(mailId, outcome) {
      const again = outcome.status === 'queued' ? outcome.againInMs / 1000 : null;
      await sql`
        update cadenced.mail set
          status = ${outcome.status},
          reason = ${outcome.status === 'sent' ? null : outcome.reason},
          message_id = coalesce(${outcome.status === 'sent' ? outcome.messageId : null}, message_id),
          sent_at = case when ${outcome.status === 'sent'} then (select cadenced.now()) end,
          next_attempt_at = now() + make_interval(secs => ${again}::double precision)
         where mail_id = ${mailId} and status = 'sending'`.execute(db);
    },
  };
}

async function loadFacts(db: Kysely<DB>, mailIds: readonly number[]): Promise<MailFacts[]> {
  if (mailIds.length === 0) return [];
  const { rows } = await sql<{ facts: MailFacts }>`
    select jsonb_build_object(
        'mailId', mail.mail_id, 'kind', mail.kind, 'factKey', mail.fact_key, 'attempts', mail.attempts,
        'to', jsonb_build_object(
          'participantId', coalesce(mail.person_id::text, 'coordinator'), 'name', person.name,
          'address', mail.to_address, 'timeZone', coalesce(person.time_zone, program.time_zone),
          'language', coalesce(person.language, rules.policy ->> 'language', 'en')),
        'program', program.name, 'programId', program.program_id, 'personId', mail.person_id,
        'optedOut', exists (select from cadenced.mail_opt_out
                             where mail_opt_out.person_id = mail.person_id
                               and mail_opt_out.program_id = program.program_id),
        'coordinator', rules.policy ->> 'coordinator',
        'tag', (select tag ->> 'text' from jsonb_array_elements(rules.policy -> 'tags') with ordinality its(tag, place)
                 where tag ->> 'kind' = 'text' order by place limit 1),
        'session', case when session.session_id is not null then jsonb_build_object(
          'sessionId', session.session_id::text, 'status', session.status, 'start', session.starts_at,
          'end', session.ends_at, 'outcome', session.outcome,
          'answered', exists (select from cadenced.evidence
                               where evidence.session_id = session.session_id and evidence.source = 'answer'
                                 and evidence.person_id = mail.person_id),
          'revision', session.reschedules, 'title', occurrence.title,
          'isPrivate', occurrence.private,
          'conferenceUrl', case occurrence.conference_kind
            when 'meet' then 'https://meet.google.com/' || regexp_replace(occurrence.conference_key,
                 '^([a-z]{3})-?([a-z]{4})-?([a-z]{3})$', '\\1-\\2-\\3')
            else occurrence.conference_key end,
          'others', coalesce((select jsonb_agg(other.name order by participant.role, other.name)
                       from cadenced.participant join cadenced.person other using (person_id)
                      where participant.session_id = session.session_id
                        and other.person_id is distinct from mail.person_id), '[]'),
          'ordinal', number.ordinal,
          'stage', (select its.value ->> 'name' from jsonb_array_elements(rules.policy -> 'stages') its
                     where (its.value ->> 'fromSession')::int <= number.ordinal
                     order by (its.value ->> 'fromSession')::int desc limit 1),
          'talkingPoints', coalesce(rules.policy -> 'talkingPoints' -> number.ordinal::text,
            -- Past the last list the last one goes on serving: a session without points is a session of small talk.
            (select points.value from jsonb_each(rules.policy -> 'talkingPoints') points
              where points.key::int <= number.ordinal order by points.key::int desc limit 1), '[]')) end,
        'plan', case when plan.plan_id is not null then jsonb_build_object(
          'planId', plan.plan_id::text, 'start', plan.starts_at, 'end', plan.ends_at, 'reference', plan.reference,
          'open', plan.session_id is null and plan.withdrawn_at is null,
          'others', coalesce((select jsonb_agg(other.name order by membership.role, other.name)
                       from cadenced.membership join cadenced.person other using (person_id)
                      where membership.mentorship_id = plan.mentorship_id
                        and other.person_id is distinct from mail.person_id), '[]')) end,
        'alert', case when alert.alert_id is not null then jsonb_build_object(
          'alertId', alert.alert_id::text, 'level', alert.level, 'reasons', alert.reasons,
          'others', coalesce((select jsonb_agg(other.name order by membership.role, other.name)
                       from cadenced.membership join cadenced.person other using (person_id)
                      where membership.mentorship_id = alert.mentorship_id
                        and other.person_id is distinct from mail.person_id), '[]'),
          'lastHeld', (select last_held_at from mentoring.cadence
                        where cadence.program = program.name and cadence.mentorship = mentorship.key),
          'due', (select due_at from mentoring.cadence
                   where cadence.program = program.name and cadence.mentorship = mentorship.key),
          'resolved', alert.resolved_at is not null,
          'unverified', (select jsonb_build_object('sessionId', ended.session_id, 'end', ended.ends_at)
                           from cadenced.session ended
                           join cadenced.participant on participant.session_id = ended.session_id
                            and participant.person_id = mail.person_id
                          where ended.mentorship_id = alert.mentorship_id and ended.outcome = 'unknown'
                            and ended.ends_at <= (select cadenced.now())
                            and ended.ends_at > (select cadenced.now()) - make_interval(days => ${ANSWERABLE_DAYS})
                          order by ended.starts_at desc, ended.session_id desc limit 1)) end,
        'digest', case when mail.kind = 'cadence_digest' then jsonb_build_object(
          'items', coalesce((select jsonb_agg(jsonb_build_object(
                'people', (select jsonb_agg(member.name order by membership.role desc, member.name)
                             from cadenced.membership join cadenced.person member using (person_id)
                            where membership.mentorship_id = open.mentorship_id),
                'state', cadence.state, 'level', open.level, 'reasons', open.reasons,
                'lastHeld', cadence.last_held_at, 'nextSession', cadence.next_session_at)
                order by open.opened_at, open.alert_id)
              from cadenced.alert open
              join cadenced.mentorship theirs on theirs.mentorship_id = open.mentorship_id
               and theirs.program_id = program.program_id
              join mentoring.cadence on cadence.program = program.name and cadence.mentorship = theirs.key
             where open.resolved_at is null and not open.baselined and open.kind = 'at_risk'), '[]'),
          'resolved', (select count(*) from cadenced.alert over
                         join cadenced.mentorship theirs using (mentorship_id)
                        where theirs.program_id = program.program_id and not over.baselined
                          and over.resolved_at > (select cadenced.now()) - interval '1 day'),
          'unreadableCalendars', (select count(*) from cadenced.calendar
                where calendar.retired_at is null and calendar.state in ('denied', 'gone', 'needs_consent')
                  and (calendar.program_id = program.program_id or calendar.person_id in (
                    select membership.person_id from cadenced.membership
                      join cadenced.mentorship theirs using (mentorship_id)
                     where theirs.program_id = program.program_id)))) end
      ) as facts
      from cadenced.mail
      left join cadenced.person on person.person_id = mail.person_id
      left join cadenced.session on session.session_id = mail.session_id
      left join cadenced.occurrence on occurrence.occurrence_id = session.occurrence_id
      left join cadenced.alert on alert.alert_id = mail.alert_id
      left join cadenced.planned_session plan
        on mail.kind = 'nudge' and plan.plan_id::text = split_part(mail.fact_key, '/', 2)
      join cadenced.mentorship
        on mentorship.mentorship_id = coalesce(mail.mentorship_id, session.mentorship_id, alert.mentorship_id)
      join cadenced.program on program.program_id = mentorship.program_id
      left join cadenced.program_policy rules on rules.program_id = program.program_id and rules.valid_until is null
      left join lateral (
        select 1 + count(*)::int as ordinal from cadenced.session earlier
         where earlier.mentorship_id = session.mentorship_id and earlier.starts_at < session.starts_at
           and (earlier.outcome = 'held' or (earlier.status = 'scheduled' and earlier.settled_at is null
                                             and earlier.outcome is distinct from 'held'))
      ) number on true
     where mail.mail_id = any (${mailIds}::bigint[])
     order by mail.due_at, mail.mail_id`.execute(db);
  return rows.map((row) => row.facts);
}
