-- Counts and rates by month. A rate is published three ways with its coverage, because what is unknown must neither
-- vanish nor accuse.

create view cadenced.session_fact as
select session.session_id, session.occurrence_id, session.mentorship_id, program.program_id,
       program.name as program, mentorship.key as mentorship,
       date_trunc('month', session.starts_at at time zone program.time_zone)::date as month,
       session.outcome, session.outcome_reason, session.reschedules, session.overlap_minutes,
       extract(epoch from session.ends_at - session.starts_at) / 60 as scheduled_minutes,
       coalesce(session.starts_at - session.cancelled_at < interval '24 hours', false) as late,
       case
         when session.outcome = 'cancelled' or (session.status = 'cancelled' and session.outcome is null)
           then 'cancelled'
         when session.settled_at is null then 'pending'
         when exists (select from cadenced.mentorship_pause pause
                       where pause.mentorship_id = session.mentorship_id
                         and (session.starts_at at time zone program.time_zone)::date
                             between pause.from_on and pause.until_on) then 'paused'
         else session.outcome
       end as counts
  from cadenced.session
  join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id;
comment on view cadenced.session_fact is 'Every session with the month and the one column of the monthly views that it counts in.';

create view mentoring.program_month as
select program, month,
       scheduled, held, too_short, one_sided, no_one, cancelled, unknown, pending, paused, late_cancelled,
       rescheduled, mentor_no_show, mentee_no_show, eligible, hours, scheduled_hours,
       cadenced.verified_share(held, known, eligible) as attendance_rate_verified,
       cadenced.share(held, eligible) as attendance_rate_lower,
       cadenced.share(held + unknown, eligible) as attendance_rate_upper,
       cadenced.verified_share(one_sided + no_one, known, eligible) as no_show_rate_verified,
       cadenced.share(one_sided + no_one, eligible) as no_show_rate_lower,
       cadenced.share(one_sided + no_one + unknown, eligible) as no_show_rate_upper,
       cadenced.verified_share(late_cancelled, known + late_cancelled, eligible + late_cancelled)
         as late_cancellation_rate_verified,
       cadenced.share(late_cancelled, eligible + late_cancelled) as late_cancellation_rate_lower,
       cadenced.share(late_cancelled, eligible + late_cancelled) as late_cancellation_rate_upper,
       cadenced.verified_share(cancelled, scheduled, scheduled) as cancellation_rate_verified,
       cadenced.share(cancelled, scheduled) as cancellation_rate_lower,
       cadenced.share(cancelled, scheduled) as cancellation_rate_upper,
       cadenced.verified_share(rescheduled, scheduled, scheduled) as reschedule_rate_verified,
       cadenced.share(rescheduled, scheduled) as reschedule_rate_lower,
       cadenced.share(rescheduled, scheduled) as reschedule_rate_upper,
       cadenced.share(known, eligible) as coverage
  from (select program, month,
               sum(scheduled)::bigint as scheduled, sum(held)::bigint as held, sum(too_short)::bigint as too_short,
               sum(one_sided)::bigint as one_sided, sum(no_one)::bigint as no_one,
               sum(cancelled)::bigint as cancelled, sum(unknown)::bigint as unknown,
               sum(pending)::bigint as pending, sum(paused)::bigint as paused,
               sum(late_cancelled)::bigint as late_cancelled, sum(rescheduled)::bigint as rescheduled,
               sum(mentor_no_show)::bigint as mentor_no_show, sum(mentee_no_show)::bigint as mentee_no_show,
               sum(eligible)::bigint as eligible, sum(eligible - unknown)::bigint as known,
               round(coalesce(sum(minutes), 0) / 60, 2) as hours,
               round(sum(scheduled_minutes) / 60, 2) as scheduled_hours
          -- Counted by meeting first: one meeting of three mentorships is three sessions, but one hour.
          from (select fact.program,
                    fact.month, fact.occurrence_id,
                    count(*) as scheduled,
                    count(*) filter (where fact.counts = 'held') as held,
                    count(*) filter (where fact.counts = 'too_short') as too_short,
                    count(*) filter (where fact.counts = 'one_sided') as one_sided,
                    count(*) filter (where fact.counts = 'no_one') as no_one,
                    count(*) filter (where fact.counts = 'cancelled') as cancelled,
                    count(*) filter (where fact.counts = 'unknown') as unknown,
                    count(*) filter (where fact.counts = 'pending') as pending,
                    count(*) filter (where fact.counts = 'paused') as paused,
                    count(*) filter (where fact.counts in ('held', 'too_short', 'one_sided', 'no_one', 'unknown'))
                      as eligible,
                    count(*) filter (where fact.counts = 'cancelled' and fact.late) as late_cancelled,
                    count(*) filter (where fact.reschedules > 0) as rescheduled,
                    count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                       and fact.outcome_reason = 'mentor_absent')) as mentor_no_show,
                    count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                       and fact.outcome_reason = 'mentee_absent')) as mentee_no_show,
                    max(fact.overlap_minutes) filter (where fact.counts in ('held', 'paused')
                                                        and fact.outcome = 'held') as minutes,
                    coalesce(max(fact.scheduled_minutes) filter (where fact.counts <> 'cancelled'), 0)
                      as scheduled_minutes
               from cadenced.session_fact fact
              group by fact.program, fact.month, fact.occurrence_id) as meeting
         group by program, month) as counted;
comment on view mentoring.program_month is 'Counts and rates of each program by month.';
comment on column mentoring.program_month.program is 'Name of the program.';
comment on column mentoring.program_month.month is 'First day of the month, in the program''s zone; a session counts where its scheduled start lies.';
comment on column mentoring.program_month.scheduled is 'All sessions with their start in the month, cancelled and coming ones included. It is the sum of held, too_short, one_sided, no_one, cancelled, unknown, pending and paused.';
comment on column mentoring.program_month.held is 'Settled sessions at which both sides were present together for the program''s minimum, or which were confirmed as the program accepts.';
comment on column mentoring.program_month.too_short is 'Settled sessions to which both sides came, for less than the minimum together.';
comment on column mentoring.program_month.one_sided is 'Settled sessions to which one side came and the other provably did not.';
comment on column mentoring.program_month.no_one is 'Settled sessions to which provably nobody came.';
comment on column mentoring.program_month.cancelled is 'Sessions that were cancelled, or that a whole side declined.';
comment on column mentoring.program_month.unknown is 'Settled sessions nobody can say about. Neither held nor missed.';
comment on column mentoring.program_month.pending is 'Sessions still to come or not yet settled. In no rate.';
comment on column mentoring.program_month.paused is 'Sessions that began while the mentorship was paused. In no rate.';
comment on column mentoring.program_month.late_cancelled is 'Cancelled less than 24 hours before the start; part of cancelled.';
comment on column mentoring.program_month.rescheduled is 'Sessions moved at least once.';
comment on column mentoring.program_month.mentor_no_show is 'Sessions the mentor provably missed; those nobody came to included.';
comment on column mentoring.program_month.mentee_no_show is 'Sessions the mentee provably missed; those nobody came to included.';
comment on column mentoring.program_month.eligible is 'held + too_short + one_sided + no_one + unknown: what the rates are taken of.';
comment on column mentoring.program_month.hours is 'Hours both sides were together in held sessions, as recorded; a meeting of several mentorships once. Sessions confirmed by word alone have no recorded hours.';
comment on column mentoring.program_month.scheduled_hours is 'Booked hours of sessions not cancelled; a meeting of several mentorships once.';
comment on column mentoring.program_month.attendance_rate_verified is 'held / (eligible - unknown); NULL under five known sessions or when fewer than half are known.';
comment on column mentoring.program_month.attendance_rate_lower is 'held / eligible: as if every unknown session had been missed.';
comment on column mentoring.program_month.attendance_rate_upper is '(held + unknown) / eligible: as if every unknown session had been held.';
comment on column mentoring.program_month.no_show_rate_verified is '(one_sided + no_one) / (eligible - unknown); NULL as above. Absence is proven, never guessed.';
comment on column mentoring.program_month.no_show_rate_lower is '(one_sided + no_one) / eligible.';
comment on column mentoring.program_month.no_show_rate_upper is '(one_sided + no_one + unknown) / eligible.';
comment on column mentoring.program_month.late_cancellation_rate_verified is 'late_cancelled / (eligible - unknown + late_cancelled); NULL as above.';
comment on column mentoring.program_month.late_cancellation_rate_lower is 'late_cancelled / (eligible + late_cancelled).';
comment on column mentoring.program_month.late_cancellation_rate_upper is 'The same: what is unknown about attendance does not touch cancellations.';
comment on column mentoring.program_month.cancellation_rate_verified is 'cancelled / scheduled; NULL under five sessions.';
comment on column mentoring.program_month.cancellation_rate_lower is 'cancelled / scheduled.';
comment on column mentoring.program_month.cancellation_rate_upper is 'cancelled / scheduled.';
comment on column mentoring.program_month.reschedule_rate_verified is 'rescheduled / scheduled; NULL under five sessions.';
comment on column mentoring.program_month.reschedule_rate_lower is 'rescheduled / scheduled.';
comment on column mentoring.program_month.reschedule_rate_upper is 'rescheduled / scheduled.';
comment on column mentoring.program_month.coverage is '(eligible - unknown) / eligible: how much of the truth the verified rates rest on.';

create view mentoring.mentorship_month as
select program, mentorship, month,
       scheduled, held, too_short, one_sided, no_one, cancelled, unknown, pending, paused, late_cancelled,
       rescheduled, mentor_no_show, mentee_no_show, eligible, hours, scheduled_hours,
       cadenced.verified_share(held, known, eligible) as attendance_rate_verified,
       cadenced.share(held, eligible) as attendance_rate_lower,
       cadenced.share(held + unknown, eligible) as attendance_rate_upper,
       cadenced.verified_share(one_sided + no_one, known, eligible) as no_show_rate_verified,
       cadenced.share(one_sided + no_one, eligible) as no_show_rate_lower,
       cadenced.share(one_sided + no_one + unknown, eligible) as no_show_rate_upper,
       cadenced.verified_share(late_cancelled, known + late_cancelled, eligible + late_cancelled)
         as late_cancellation_rate_verified,
       cadenced.share(late_cancelled, eligible + late_cancelled) as late_cancellation_rate_lower,
       cadenced.share(late_cancelled, eligible + late_cancelled) as late_cancellation_rate_upper,
       cadenced.verified_share(cancelled, scheduled, scheduled) as cancellation_rate_verified,
       cadenced.share(cancelled, scheduled) as cancellation_rate_lower,
       cadenced.share(cancelled, scheduled) as cancellation_rate_upper,
       cadenced.verified_share(rescheduled, scheduled, scheduled) as reschedule_rate_verified,
       cadenced.share(rescheduled, scheduled) as reschedule_rate_lower,
       cadenced.share(rescheduled, scheduled) as reschedule_rate_upper,
       cadenced.share(known, eligible) as coverage
  from (select program, mentorship, month,
               sum(scheduled)::bigint as scheduled, sum(held)::bigint as held, sum(too_short)::bigint as too_short,
               sum(one_sided)::bigint as one_sided, sum(no_one)::bigint as no_one,
               sum(cancelled)::bigint as cancelled, sum(unknown)::bigint as unknown,
               sum(pending)::bigint as pending, sum(paused)::bigint as paused,
               sum(late_cancelled)::bigint as late_cancelled, sum(rescheduled)::bigint as rescheduled,
               sum(mentor_no_show)::bigint as mentor_no_show, sum(mentee_no_show)::bigint as mentee_no_show,
               sum(eligible)::bigint as eligible, sum(eligible - unknown)::bigint as known,
               round(coalesce(sum(minutes), 0) / 60, 2) as hours,
               round(sum(scheduled_minutes) / 60, 2) as scheduled_hours
          -- Counted by meeting first: one meeting of three mentorships is three sessions, but one hour.
          from (select fact.program,
                    fact.mentorship,
                    fact.month, fact.occurrence_id,
                    count(*) as scheduled,
                    count(*) filter (where fact.counts = 'held') as held,
                    count(*) filter (where fact.counts = 'too_short') as too_short,
                    count(*) filter (where fact.counts = 'one_sided') as one_sided,
                    count(*) filter (where fact.counts = 'no_one') as no_one,
                    count(*) filter (where fact.counts = 'cancelled') as cancelled,
                    count(*) filter (where fact.counts = 'unknown') as unknown,
                    count(*) filter (where fact.counts = 'pending') as pending,
                    count(*) filter (where fact.counts = 'paused') as paused,
                    count(*) filter (where fact.counts in ('held', 'too_short', 'one_sided', 'no_one', 'unknown'))
                      as eligible,
                    count(*) filter (where fact.counts = 'cancelled' and fact.late) as late_cancelled,
                    count(*) filter (where fact.reschedules > 0) as rescheduled,
                    count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                       and fact.outcome_reason = 'mentor_absent')) as mentor_no_show,
                    count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                       and fact.outcome_reason = 'mentee_absent')) as mentee_no_show,
                    max(fact.overlap_minutes) filter (where fact.counts in ('held', 'paused')
                                                        and fact.outcome = 'held') as minutes,
                    coalesce(max(fact.scheduled_minutes) filter (where fact.counts <> 'cancelled'), 0)
                      as scheduled_minutes
               from cadenced.session_fact fact
              group by fact.program, fact.mentorship, fact.month, fact.occurrence_id) as meeting
         group by program, mentorship, month) as counted;
comment on view mentoring.mentorship_month is 'Counts and rates of each mentorship by month.';
comment on column mentoring.mentorship_month.program is 'Name of the program.';
comment on column mentoring.mentorship_month.mentorship is 'Name of the mentorship.';
comment on column mentoring.mentorship_month.month is 'First day of the month, in the program''s zone; a session counts where its scheduled start lies.';
comment on column mentoring.mentorship_month.scheduled is 'All sessions with their start in the month, cancelled and coming ones included. It is the sum of held, too_short, one_sided, no_one, cancelled, unknown, pending and paused.';
comment on column mentoring.mentorship_month.held is 'Settled sessions at which both sides were present together for the program''s minimum, or which were confirmed as the program accepts.';
comment on column mentoring.mentorship_month.too_short is 'Settled sessions to which both sides came, for less than the minimum together.';
comment on column mentoring.mentorship_month.one_sided is 'Settled sessions to which one side came and the other provably did not.';
comment on column mentoring.mentorship_month.no_one is 'Settled sessions to which provably nobody came.';
comment on column mentoring.mentorship_month.cancelled is 'Sessions that were cancelled, or that a whole side declined.';
comment on column mentoring.mentorship_month.unknown is 'Settled sessions nobody can say about. Neither held nor missed.';
comment on column mentoring.mentorship_month.pending is 'Sessions still to come or not yet settled. In no rate.';
comment on column mentoring.mentorship_month.paused is 'Sessions that began while the mentorship was paused. In no rate.';
comment on column mentoring.mentorship_month.late_cancelled is 'Cancelled less than 24 hours before the start; part of cancelled.';
comment on column mentoring.mentorship_month.rescheduled is 'Sessions moved at least once.';
comment on column mentoring.mentorship_month.mentor_no_show is 'Sessions the mentor provably missed; those nobody came to included.';
comment on column mentoring.mentorship_month.mentee_no_show is 'Sessions the mentee provably missed; those nobody came to included.';
comment on column mentoring.mentorship_month.eligible is 'held + too_short + one_sided + no_one + unknown: what the rates are taken of.';
comment on column mentoring.mentorship_month.hours is 'Hours both sides were together in held sessions, as recorded; a meeting of several mentorships once. Sessions confirmed by word alone have no recorded hours.';
comment on column mentoring.mentorship_month.scheduled_hours is 'Booked hours of sessions not cancelled; a meeting of several mentorships once.';
comment on column mentoring.mentorship_month.attendance_rate_verified is 'held / (eligible - unknown); NULL under five known sessions or when fewer than half are known.';
comment on column mentoring.mentorship_month.attendance_rate_lower is 'held / eligible: as if every unknown session had been missed.';
comment on column mentoring.mentorship_month.attendance_rate_upper is '(held + unknown) / eligible: as if every unknown session had been held.';
comment on column mentoring.mentorship_month.no_show_rate_verified is '(one_sided + no_one) / (eligible - unknown); NULL as above. Absence is proven, never guessed.';
comment on column mentoring.mentorship_month.no_show_rate_lower is '(one_sided + no_one) / eligible.';
comment on column mentoring.mentorship_month.no_show_rate_upper is '(one_sided + no_one + unknown) / eligible.';
comment on column mentoring.mentorship_month.late_cancellation_rate_verified is 'late_cancelled / (eligible - unknown + late_cancelled); NULL as above.';
comment on column mentoring.mentorship_month.late_cancellation_rate_lower is 'late_cancelled / (eligible + late_cancelled).';
comment on column mentoring.mentorship_month.late_cancellation_rate_upper is 'The same: what is unknown about attendance does not touch cancellations.';
comment on column mentoring.mentorship_month.cancellation_rate_verified is 'cancelled / scheduled; NULL under five sessions.';
comment on column mentoring.mentorship_month.cancellation_rate_lower is 'cancelled / scheduled.';
comment on column mentoring.mentorship_month.cancellation_rate_upper is 'cancelled / scheduled.';
comment on column mentoring.mentorship_month.reschedule_rate_verified is 'rescheduled / scheduled; NULL under five sessions.';
comment on column mentoring.mentorship_month.reschedule_rate_lower is 'rescheduled / scheduled.';
comment on column mentoring.mentorship_month.reschedule_rate_upper is 'rescheduled / scheduled.';
comment on column mentoring.mentorship_month.coverage is '(eligible - unknown) / eligible: how much of the truth the verified rates rest on.';

create view mentoring.mentor_month as
select program, participant_id, name, email, month,
       scheduled, held, too_short, one_sided, no_one, cancelled, unknown, pending, paused, late_cancelled,
       rescheduled, mentor_no_show, mentee_no_show, eligible, hours, scheduled_hours,
       cadenced.verified_share(held, known, eligible) as attendance_rate_verified,
       cadenced.share(held, eligible) as attendance_rate_lower,
       cadenced.share(held + unknown, eligible) as attendance_rate_upper,
       cadenced.verified_share(one_sided + no_one, known, eligible) as no_show_rate_verified,
       cadenced.share(one_sided + no_one, eligible) as no_show_rate_lower,
       cadenced.share(one_sided + no_one + unknown, eligible) as no_show_rate_upper,
       cadenced.verified_share(late_cancelled, known + late_cancelled, eligible + late_cancelled)
         as late_cancellation_rate_verified,
       cadenced.share(late_cancelled, eligible + late_cancelled) as late_cancellation_rate_lower,
       cadenced.share(late_cancelled, eligible + late_cancelled) as late_cancellation_rate_upper,
       cadenced.verified_share(cancelled, scheduled, scheduled) as cancellation_rate_verified,
       cadenced.share(cancelled, scheduled) as cancellation_rate_lower,
       cadenced.share(cancelled, scheduled) as cancellation_rate_upper,
       cadenced.verified_share(rescheduled, scheduled, scheduled) as reschedule_rate_verified,
       cadenced.share(rescheduled, scheduled) as reschedule_rate_lower,
       cadenced.share(rescheduled, scheduled) as reschedule_rate_upper,
       cadenced.share(known, eligible) as coverage
  from (select program, participant_id, name, email, month,
               sum(scheduled)::bigint as scheduled, sum(held)::bigint as held, sum(too_short)::bigint as too_short,
               sum(one_sided)::bigint as one_sided, sum(no_one)::bigint as no_one,
               sum(cancelled)::bigint as cancelled, sum(unknown)::bigint as unknown,
               sum(pending)::bigint as pending, sum(paused)::bigint as paused,
               sum(late_cancelled)::bigint as late_cancelled, sum(rescheduled)::bigint as rescheduled,
               sum(mentor_no_show)::bigint as mentor_no_show, sum(mentee_no_show)::bigint as mentee_no_show,
               sum(eligible)::bigint as eligible, sum(eligible - unknown)::bigint as known,
               round(coalesce(sum(minutes), 0) / 60, 2) as hours,
               round(sum(scheduled_minutes) / 60, 2) as scheduled_hours
          -- Counted by meeting first: one meeting of three mentorships is three sessions, but one hour.
          from (select fact.program,
                    participant.person_id as participant_id,
                    person.name,
                    person.address as email,
                    fact.month, fact.occurrence_id,
                    count(*) as scheduled,
                    count(*) filter (where fact.counts = 'held') as held,
                    count(*) filter (where fact.counts = 'too_short') as too_short,
                    count(*) filter (where fact.counts = 'one_sided') as one_sided,
                    count(*) filter (where fact.counts = 'no_one') as no_one,
                    count(*) filter (where fact.counts = 'cancelled') as cancelled,
                    count(*) filter (where fact.counts = 'unknown') as unknown,
                    count(*) filter (where fact.counts = 'pending') as pending,
                    count(*) filter (where fact.counts = 'paused') as paused,
                    count(*) filter (where fact.counts in ('held', 'too_short', 'one_sided', 'no_one', 'unknown'))
                      as eligible,
                    count(*) filter (where fact.counts = 'cancelled' and fact.late) as late_cancelled,
                    count(*) filter (where fact.reschedules > 0) as rescheduled,
                    count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                       and fact.outcome_reason = 'mentor_absent')) as mentor_no_show,
                    count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                       and fact.outcome_reason = 'mentee_absent')) as mentee_no_show,
                    max(fact.overlap_minutes) filter (where fact.counts in ('held', 'paused')
                                                        and fact.outcome = 'held') as minutes,
                    coalesce(max(fact.scheduled_minutes) filter (where fact.counts <> 'cancelled'), 0)
                      as scheduled_minutes
               from cadenced.session_fact fact
            join cadenced.participant on participant.session_id = fact.session_id and participant.role = 'mentor'
            join cadenced.person on person.person_id = participant.person_id
              group by fact.program, participant.person_id, person.name, person.address, fact.month, fact.occurrence_id) as meeting
         group by program, participant_id, name, email, month) as counted;
comment on view mentoring.mentor_month is 'Counts and rates of each mentor by month, over all mentorships of a program. Compare hours with what you ask of mentors.';
comment on column mentoring.mentor_month.program is 'Name of the program.';
comment on column mentoring.mentor_month.participant_id is 'The mentor.';
comment on column mentoring.mentor_month.name is 'Name, as in the roster.';
comment on column mentoring.mentor_month.email is 'Primary address.';
comment on column mentoring.mentor_month.month is 'First day of the month, in the program''s zone; a session counts where its scheduled start lies.';
comment on column mentoring.mentor_month.scheduled is 'All sessions with their start in the month, cancelled and coming ones included. It is the sum of held, too_short, one_sided, no_one, cancelled, unknown, pending and paused.';
comment on column mentoring.mentor_month.held is 'Settled sessions at which both sides were present together for the program''s minimum, or which were confirmed as the program accepts.';
comment on column mentoring.mentor_month.too_short is 'Settled sessions to which both sides came, for less than the minimum together.';
comment on column mentoring.mentor_month.one_sided is 'Settled sessions to which one side came and the other provably did not.';
comment on column mentoring.mentor_month.no_one is 'Settled sessions to which provably nobody came.';
comment on column mentoring.mentor_month.cancelled is 'Sessions that were cancelled, or that a whole side declined.';
comment on column mentoring.mentor_month.unknown is 'Settled sessions nobody can say about. Neither held nor missed.';
comment on column mentoring.mentor_month.pending is 'Sessions still to come or not yet settled. In no rate.';
comment on column mentoring.mentor_month.paused is 'Sessions that began while the mentorship was paused. In no rate.';
comment on column mentoring.mentor_month.late_cancelled is 'Cancelled less than 24 hours before the start; part of cancelled.';
comment on column mentoring.mentor_month.rescheduled is 'Sessions moved at least once.';
comment on column mentoring.mentor_month.mentor_no_show is 'Sessions the mentor provably missed; those nobody came to included.';
comment on column mentoring.mentor_month.mentee_no_show is 'Sessions the mentee provably missed; those nobody came to included.';
comment on column mentoring.mentor_month.eligible is 'held + too_short + one_sided + no_one + unknown: what the rates are taken of.';
comment on column mentoring.mentor_month.hours is 'Hours both sides were together in held sessions, as recorded; a meeting of several mentorships once. Sessions confirmed by word alone have no recorded hours.';
comment on column mentoring.mentor_month.scheduled_hours is 'Booked hours of sessions not cancelled; a meeting of several mentorships once.';
comment on column mentoring.mentor_month.attendance_rate_verified is 'held / (eligible - unknown); NULL under five known sessions or when fewer than half are known.';
comment on column mentoring.mentor_month.attendance_rate_lower is 'held / eligible: as if every unknown session had been missed.';
comment on column mentoring.mentor_month.attendance_rate_upper is '(held + unknown) / eligible: as if every unknown session had been held.';
comment on column mentoring.mentor_month.no_show_rate_verified is '(one_sided + no_one) / (eligible - unknown); NULL as above. Absence is proven, never guessed.';
comment on column mentoring.mentor_month.no_show_rate_lower is '(one_sided + no_one) / eligible.';
comment on column mentoring.mentor_month.no_show_rate_upper is '(one_sided + no_one + unknown) / eligible.';
comment on column mentoring.mentor_month.late_cancellation_rate_verified is 'late_cancelled / (eligible - unknown + late_cancelled); NULL as above.';
comment on column mentoring.mentor_month.late_cancellation_rate_lower is 'late_cancelled / (eligible + late_cancelled).';
comment on column mentoring.mentor_month.late_cancellation_rate_upper is 'The same: what is unknown about attendance does not touch cancellations.';
comment on column mentoring.mentor_month.cancellation_rate_verified is 'cancelled / scheduled; NULL under five sessions.';
comment on column mentoring.mentor_month.cancellation_rate_lower is 'cancelled / scheduled.';
comment on column mentoring.mentor_month.cancellation_rate_upper is 'cancelled / scheduled.';
comment on column mentoring.mentor_month.reschedule_rate_verified is 'rescheduled / scheduled; NULL under five sessions.';
comment on column mentoring.mentor_month.reschedule_rate_lower is 'rescheduled / scheduled.';
comment on column mentoring.mentor_month.reschedule_rate_upper is 'rescheduled / scheduled.';
comment on column mentoring.mentor_month.coverage is '(eligible - unknown) / eligible: how much of the truth the verified rates rest on.';
