-- What became of the mails, and what followed. It describes: who is reminded and who is not differ in more than the
-- mail, so that no share here says what a reminder brings about.

create view mentoring.reminder_outcome as
select program.name as program, counted.month, counted.kind, counted.mails, counted.queued, counted.accepted,
       counted.bounced, counted.suppressed, counted.bounced_reasons, counted.suppressed_reasons,
       counted.reminded, counted.attended as reminded_attended, counted.unknown as reminded_unknown,
       cadenced.verified_share(counted.attended, counted.reminded - counted.unknown, counted.reminded)
         as attended_after_reminder_verified,
       cadenced.share(counted.attended, counted.reminded) as attended_after_reminder_lower,
       cadenced.share(counted.attended + counted.unknown, counted.reminded) as attended_after_reminder_upper,
       cadenced.share(counted.reminded - counted.unknown, counted.reminded) as attended_after_reminder_coverage
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
            as suppressed_reasons,
          sum(by_reason.reminded)::bigint as reminded, sum(by_reason.attended)::bigint as attended,
          sum(by_reason.unknown)::bigint as unknown
     from (select told.month, told.kind, told.became, told.reason, sum(told.mails)::bigint as mails,
                  count(participant.person_id) as reminded,
                  count(*) filter (where participant.status = 'attended') as attended,
                  count(participant.person_id) filter (where coalesce(participant.status, 'unknown') = 'unknown')
                    as unknown
             -- However many reminders somebody got for a session, they came to it once.
             from (select coalesce(fact.month, cadenced.month_of(mail.due_at, program.time_zone)) as month, mail.kind,
                          became.it as became, fact.eligible, mail.session_id, mail.person_id,
                          case when became.it in ('bounced', 'suppressed') then coalesce(mail.reason, 'none') end as reason,
                          count(*) as mails
                     from cadenced.mentorship
                     join cadenced.mail on mail.mentorship_id = mentorship.mentorship_id
                    cross join lateral (
                      select case mail.status when 'queued' then 'queued' when 'sending' then 'queued'
                                              when 'sent' then 'accepted' when 'suppressed' then 'suppressed'
                                              else 'bounced' end as it
                    ) as became
                     -- Fenced, so that pauses and holidays are not worked out for every mail.
                     left join (select fact.session_id, fact.month,
                                       fact.counts in ('held', 'too_short', 'one_sided', 'no_one', 'unknown') as eligible
                                  from cadenced.session_fact fact
                                 where fact.program_id = program.program_id
                                offset 0) as fact on fact.session_id = mail.session_id
                    where mentorship.program_id = program.program_id
                    group by 1, 2, 3, 4, 5, 6, 7) as told
             left join cadenced.participant
               on told.kind = 'reminder' and told.became = 'accepted' and told.eligible
              and participant.session_id = told.session_id and participant.person_id = told.person_id
            group by told.month, told.kind, told.became, told.reason) as by_reason
    group by by_reason.month, by_reason.kind
 ) as counted;
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
