-- What was planned, told and read.

create view mentoring.planned_session as
select planned_session.plan_id, program.name as program, mentorship.key as mentorship, planned_session.starts_at,
       planned_session.ends_at, planned_session.tolerance, planned_session.reference, planned_session.session_id,
       case when planned_session.withdrawn_at is not null then 'withdrawn'
            when planned_session.session_id is not null then 'bound'
            when planned_session.ends_at + planned_session.tolerance <= (select cadenced.now()) then 'missed'
            else 'open' end as state
  from cadenced.planned_session
  join cadenced.mentorship on mentorship.mentorship_id = planned_session.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id;
comment on view mentoring.planned_session is 'Sessions planned by another program before any calendar entry existed. Insert (program, mentorship, starts_at, ends_at [, tolerance, reference]) to plan one, update its times, tolerance or reference, delete to withdraw it. One whose session is known is bound at once.';
comment on column mentoring.planned_session.plan_id is 'Given on insert.';
comment on column mentoring.planned_session.program is 'Name of the program.';
comment on column mentoring.planned_session.mentorship is 'Name of the mentorship.';
comment on column mentoring.planned_session.starts_at is 'Planned start.';
comment on column mentoring.planned_session.ends_at is 'Planned end.';
comment on column mentoring.planned_session.tolerance is 'How far the calendar entry may lie from the plan; two days unless given.';
comment on column mentoring.planned_session.reference is 'Text that binds an entry that carries it in title or body, whatever its time.';
comment on column mentoring.planned_session.session_id is 'The session it is bound to; NULL = none yet.';
comment on column mentoring.planned_session.state is 'open, bound, missed (its time passed and nothing was booked), withdrawn.';

create view mentoring.reminder_log as
select mail.mail_id, mail.session_id, program.name as program, mentorship.key as mentorship,
       mail.person_id as participant_id, mail.kind, mail.due_at, mail.status, mail.sent_at, mail.reason
  from cadenced.mail
  left join cadenced.mentorship on mentorship.mentorship_id = mail.mentorship_id
  left join cadenced.program on program.program_id = mentorship.program_id;
comment on view mentoring.reminder_log is 'Every mail: what was sent, what waits, what was held back and why.';
comment on column mentoring.reminder_log.mail_id is 'Surrogate key.';
comment on column mentoring.reminder_log.session_id is 'The session it is about; NULL for mails about a mentorship.';
comment on column mentoring.reminder_log.program is 'Name of the program.';
comment on column mentoring.reminder_log.mentorship is 'Name of the mentorship.';
comment on column mentoring.reminder_log.participant_id is 'Who receives it; NULL for the coordinator.';
comment on column mentoring.reminder_log.kind is 'reminder, cadence_alert, cadence_digest, nudge or did_you_meet.';
comment on column mentoring.reminder_log.due_at is 'When it leaves.';
comment on column mentoring.reminder_log.status is 'queued, sending, sent (the mail server took it), suppressed, refused, failed.';
comment on column mentoring.reminder_log.sent_at is 'When the mail server took it.';
comment on column mentoring.reminder_log.reason is 'Why it was held back or failed: session_cancelled, declined, other_side_declined, not_invited, not_in_policy, too_late, quiet_hours, daily_cap, or the mailer''s.';

create view mentoring.outbound_event as
select outbound_event.event_id, outbound_event.position, outbound_event.type, outbound_event.subject,
       outbound_event.sequence, outbound_event.occurred_at, outbound_event.payload
  from cadenced.outbound_event;
comment on view mentoring.outbound_event is 'What happened, for other programs. Read on after the last position you saw: no row appears below it later.';
comment on column mentoring.outbound_event.event_id is 'The same in every delivery and replay.';
comment on column mentoring.outbound_event.position is 'Order of commit, with gaps.';
comment on column mentoring.outbound_event.type is 'Such as session.judged; the schemas stand in config/webhooks.';
comment on column mentoring.outbound_event.subject is 'What it is about.';
comment on column mentoring.outbound_event.sequence is 'Counts the events of one subject from 1.';
comment on column mentoring.outbound_event.occurred_at is 'When the fact was recorded.';
comment on column mentoring.outbound_event.payload is 'The data of the event.';

create view mentoring.webhook_delivery as
select webhook_delivery.event_id, webhook_endpoint.name as endpoint, webhook_delivery.status,
       webhook_delivery.attempts, webhook_delivery.next_attempt_at, webhook_delivery.last_status,
       webhook_delivery.last_error
  from cadenced.webhook_delivery
  join cadenced.webhook_endpoint on webhook_endpoint.endpoint_id = webhook_delivery.endpoint_id;
comment on view mentoring.webhook_delivery is 'What became of each event at each webhook.';
comment on column mentoring.webhook_delivery.event_id is 'The event.';
comment on column mentoring.webhook_delivery.endpoint is 'Name of the webhook.';
comment on column mentoring.webhook_delivery.status is 'pending, delivered, or dead (given up; can be replayed).';
comment on column mentoring.webhook_delivery.attempts is 'How often it was tried.';
comment on column mentoring.webhook_delivery.next_attempt_at is 'When it is tried next; NULL unless pending.';
comment on column mentoring.webhook_delivery.last_status is 'HTTP status of the last attempt; NULL = no answer.';
comment on column mentoring.webhook_delivery.last_error is 'Short reason of the last failure.';
