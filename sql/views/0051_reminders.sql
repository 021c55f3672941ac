-- What became of the mails, and what followed. It describes: who is reminded and who is not differ in more than the
-- mail, so that no share here says what a reminder brings about.

create view mentoring.reminder_outcome as
select program.name as program, mails.month, mails.kind, mails.mails, mails.queued, mails.accepted, mails.bounced,
       mails.suppressed, mails.bounced_reasons, mails.suppressed_reasons,
       coalesce(followed.reminded, 0) as reminded, coalesce(followed.attended, 0) as reminded_attended,
       coalesce(followed.unknown, 0) as reminded_unknown,
       cadenced.verified_share(followed.attended, followed.reminded - followed.unknown, followed.reminded)
         as attended_after_reminder_verified,
       cadenced.share(followed.attended, followed.reminded) as attended_after_reminder_lower,
       cadenced.share(followed.attended + followed.unknown, followed.reminded) as attended_after_reminder_upper,
       cadenced.share(followed.reminded - followed.unknown, followed.reminded) as attended_after_reminder_coverage
  from cadenced.program
 cross join lateral (
   select by_reason.month, by_reason.kind, sum(by_reason.mails)::bigint as mails,
          coalesce(sum(by_reason.mails) filter (where by_reason.became = 'queued'), 0)::bigint as queued,
          coalesce(sum(by_reason.mails) filter (where by_reason.became = 'accepted'), 0)::bigint as accepted,
          coalesce(sum(by_reason.mails) filter (where by_reason.became = 'bounced'), 0)::bigint as bounced,
          coalesce(sum(by_reason.mails) filter (where by_reason.became = 'suppressed'), 0)::bigint as suppressed,
          coalesce(jsonb_object_agg(by_reason.reason, by_reason.mails) filter (where by_reason.became = 'bounced'), '{}')
            as bounced_reasons,
          coalesce(jsonb_object_agg(by_reason.reason, by_reason.mails) filter (where by_reason.became = 'suppressed'), '{}')
            as suppressed_reasons
     from (select cadenced.month_of(coalesce(session.starts_at, mail.due_at), program.time_zone) as month, mail.kind,
                  case mail.status when 'queued' then 'queued' when 'sending' then 'queued' when 'sent' then 'accepted'
                                   when 'suppressed' then 'suppressed' else 'bounced' end as became,
                  coalesce(mail.reason, 'none') as reason, count(*) as mails
             from cadenced.mentorship
             join cadenced.mail on mail.mentorship_id = mentorship.mentorship_id
             left join cadenced.session on session.session_id = mail.session_id
            where mentorship.program_id = program.program_id
            group by 1, 2, 3, 4) as by_reason
    group by by_reason.month, by_reason.kind
 ) as mails
  left join lateral (
   select fact.month, count(*) as reminded,
          count(*) filter (where participant.status = 'attended') as attended,
          count(*) filter (where coalesce(participant.status, 'unknown') = 'unknown') as unknown
     -- However many reminders somebody got for a session, they came to it once.
     from (select distinct mail.session_id, mail.person_id
             from cadenced.mentorship
             join cadenced.mail on mail.mentorship_id = mentorship.mentorship_id
            where mentorship.program_id = program.program_id
              and mail.kind = 'reminder' and mail.status = 'sent') as reminded
     join cadenced.participant
       on participant.session_id = reminded.session_id and participant.person_id = reminded.person_id
     join cadenced.session_fact fact on fact.session_id = participant.session_id
    where fact.program_id = program.program_id
      and fact.counts in ('held', 'too_short', 'one_sided', 'no_one', 'unknown')
    group by fact.month
 ) as followed on mails.kind = 'reminder' and followed.month = mails.month;
comment on view mentoring.reminder_outcome is 'What became of the mails of each kind by month, and how many of those who were reminded came. Descriptive: it is no proof that reminders help, because who is reminded differs from who is not in more than the mail.';
comment on column mentoring.reminder_outcome.program is 'Name of the program.';
comment on column mentoring.reminder_outcome.month is 'First day of the month, in the program''s zone: of the session''s start, or, for a mail about no session, of when it is due.';
comment on column mentoring.reminder_outcome.kind is 'reminder, nudge, did_you_meet, cadence_alert or cadence_digest.';
comment on column mentoring.reminder_outcome.mails is 'All of them: queued + accepted + bounced + suppressed.';
comment on column mentoring.reminder_outcome.queued is 'Waiting to be sent.';
comment on column mentoring.reminder_outcome.accepted is 'Taken by the mail server. Whether they were read is not asked: nothing is tracked.';
comment on column mentoring.reminder_outcome.bounced is 'Refused by the mail server, or given up after the last attempt. A bounce that is mailed back later is not read, and counts as accepted.';
comment on column mentoring.reminder_outcome.suppressed is 'Held back on purpose.';
comment on column mentoring.reminder_outcome.bounced_reasons is 'How many bounced by which code: {code: mails}.';
comment on column mentoring.reminder_outcome.suppressed_reasons is 'How many were held back for which reason: {reason: mails}.';
comment on column mentoring.reminder_outcome.reminded is 'Invitations to eligible sessions before which the person''s reminder was accepted at least once. Only for kind reminder.';
comment on column mentoring.reminder_outcome.reminded_attended is 'Of reminded: came.';
comment on column mentoring.reminder_outcome.reminded_unknown is 'Of reminded: nobody can say whether they came.';
comment on column mentoring.reminder_outcome.attended_after_reminder_verified is 'reminded_attended / (reminded - reminded_unknown); NULL under five known or when fewer than half are known. No causal claim.';
comment on column mentoring.reminder_outcome.attended_after_reminder_lower is 'reminded_attended / reminded: as if nobody unknown had come.';
comment on column mentoring.reminder_outcome.attended_after_reminder_upper is '(reminded_attended + reminded_unknown) / reminded: as if everybody unknown had.';
comment on column mentoring.reminder_outcome.attended_after_reminder_coverage is '(reminded - reminded_unknown) / reminded.';
