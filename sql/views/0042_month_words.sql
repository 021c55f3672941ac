-- What the columns of the three monthly views mean. Said once for all three, because they count alike.

comment on view mentoring.program_month is 'Counts and rates of each program by month.';
comment on column mentoring.program_month.program is 'Name of the program.';
comment on view mentoring.mentorship_month is 'Counts and rates of each mentorship by month.';
comment on column mentoring.mentorship_month.program is 'Name of the program.';
comment on column mentoring.mentorship_month.mentorship is 'Name of the mentorship.';
comment on view mentoring.mentor_month is 'Counts and rates of each mentor by month, over all mentorships of a program. Compare hours with what you ask of mentors.';
comment on column mentoring.mentor_month.program is 'Name of the program.';
comment on column mentoring.mentor_month.participant_id is 'The mentor.';
comment on column mentoring.mentor_month.name is 'Name, as in the roster.';
comment on column mentoring.mentor_month.email is 'Primary address.';

do $$
declare
  told record;
begin
  for told in
    select shown.view, meaning.column_name, meaning.definition
      from (values ('program_month'), ('mentorship_month'), ('mentor_month')) as shown (view)
     cross join (values
       ('month', 'First day of the month, in the program''s zone; a session counts where its scheduled start lies.'),
       ('scheduled', 'All sessions with their start in the month, cancelled and coming ones included. It is the sum of held, too_short, one_sided, no_one, cancelled, unknown, pending and paused.'),
       ('held', 'Settled sessions at which both sides were present together for the program''s minimum, or which were confirmed as the program accepts.'),
       ('too_short', 'Settled sessions to which both sides came, for less than the minimum together.'),
       ('one_sided', 'Settled sessions to which one side came and the other provably did not.'),
       ('no_one', 'Settled sessions to which provably nobody came.'),
       ('cancelled', 'Sessions that were cancelled, or that a whole side declined.'),
       ('unknown', 'Settled sessions nobody can say about. Neither held nor missed.'),
       ('pending', 'Sessions still to come or not yet settled. In no rate.'),
       ('paused', 'Settled sessions taken out of every rate: begun in a pause, on a holiday of the program (on_holiday), or after the end of the mentorship (after_end).'),
       ('late_cancelled', 'Cancelled less than 24 hours before the start; part of cancelled.'),
       ('rescheduled', 'Sessions moved at least once.'),
       ('mentor_no_show', 'Sessions the mentor provably missed; those nobody came to included.'),
       ('mentee_no_show', 'Sessions the mentee provably missed; those nobody came to included.'),
       ('eligible', 'held + too_short + one_sided + no_one + unknown: what the rates are taken of.'),
       ('hours', 'Hours both sides were together in held sessions, as recorded; a meeting of several mentorships once. Sessions confirmed by word alone have no recorded hours.'),
       ('scheduled_hours', 'Booked hours of sessions not cancelled; a meeting of several mentorships once.'),
       ('attendance_rate_verified', 'held / (eligible - unknown); NULL under five known sessions or when fewer than half are known.'),
       ('attendance_rate_lower', 'held / eligible: as if every unknown session had been missed.'),
       ('attendance_rate_upper', '(held + unknown) / eligible: as if every unknown session had been held.'),
       ('no_show_rate_verified', '(one_sided + no_one) / (eligible - unknown); NULL as above. Absence is proven, never guessed.'),
       ('no_show_rate_lower', '(one_sided + no_one) / eligible.'),
       ('no_show_rate_upper', '(one_sided + no_one + unknown) / eligible.'),
       ('late_cancellation_rate_verified', 'late_cancelled / (eligible - unknown + late_cancelled); NULL as above.'),
       ('late_cancellation_rate_lower', 'late_cancelled / (eligible + late_cancelled).'),
       ('late_cancellation_rate_upper', 'The same: what is unknown about attendance does not touch cancellations.'),
       ('cancellation_rate_verified', 'cancelled / scheduled; NULL under five sessions.'),
       ('cancellation_rate_lower', 'cancelled / scheduled.'),
       ('cancellation_rate_upper', 'cancelled / scheduled.'),
       ('reschedule_rate_verified', 'rescheduled / scheduled; NULL under five sessions.'),
       ('reschedule_rate_lower', 'rescheduled / scheduled.'),
       ('reschedule_rate_upper', 'rescheduled / scheduled.'),
       ('coverage', '(eligible - unknown) / eligible: how much of the truth the verified rates rest on.'),
       ('on_holiday', 'Settled sessions on a holiday of the program, by the rules in force at their start; part of paused.'),
       ('after_end', 'Settled sessions after the last day of their mentorship; part of paused.'),
       ('peer_no_show', 'Sessions to which of a group of peers provably only one came.'),
       ('both_absent', 'Sessions to which provably nobody came: no_one by the name under which no-shows are split. no_show counts are mentor_no_show + mentee_no_show + peer_no_show - both_absent.'),
       ('mentor_no_show_rate_verified', 'mentor_no_show / (eligible - unknown); NULL under five known sessions or when fewer than half are known.'),
       ('mentor_no_show_rate_lower', 'mentor_no_show / eligible: as if every mentor had come to the unknown sessions.'),
       ('mentor_no_show_rate_upper', '(mentor_no_show + unknown) / eligible: as if none had.'),
       ('mentee_no_show_rate_verified', 'mentee_no_show / (eligible - unknown); NULL as above.'),
       ('mentee_no_show_rate_lower', 'mentee_no_show / eligible.'),
       ('mentee_no_show_rate_upper', '(mentee_no_show + unknown) / eligible.'),
       ('both_absent_rate_verified', 'both_absent / (eligible - unknown); NULL as above.'),
       ('both_absent_rate_lower', 'both_absent / eligible.'),
       ('both_absent_rate_upper', '(both_absent + unknown) / eligible.'),
       ('cancelled_by_mentor', 'Of cancelled: called off by the mentor, who organized it and cancelled, or declined.'),
       ('cancelled_by_mentee', 'Of cancelled: called off by the mentee, who organized it and cancelled, or declined.'),
       ('cancelled_by_peer', 'Of cancelled: called off by a peer, or declined by so many that no two were left.'),
       ('cancelled_by_other', 'Of cancelled: called off by an organizer outside of the mentorship.'),
       ('cancelled_by_unknown', 'Of cancelled: nobody can say who called it off, because the entry only vanished, lost its tag or its people. The five cancelled_by columns add up to cancelled.'),
       ('moves', 'How often starts were moved, all sessions together.'),
       ('avg_moves', 'moves / scheduled.'),
       ('avg_slip_days', 'Mean days from the first start to the last one of moved sessions, negative when they were brought forward; a meeting of several mentorships once. NULL when none moved.'),
       ('median_slip_days', 'Median of the same days.'),
       ('avg_booking_lead_days', 'Mean days from when a session was first seen on a calendar to its start: a lower bound of how early it was booked. Sessions first seen after their start are left out; a meeting of several mentorships counts once.'),
       ('median_booking_lead_days', 'Median of the same days.'),
       ('starts_known', 'Held sessions of which both arrivals are recorded.'),
       ('late_starts', 'Of these, begun more than five minutes late: when the second side came.'),
       ('late_start_rate_verified', 'late_starts / starts_known; NULL when fewer than five, or fewer than half of the held sessions, are known.'),
       ('late_start_rate_lower', 'late_starts / held: as if every held session without recorded arrivals had begun in time.'),
       ('late_start_rate_upper', '(late_starts + held - starts_known) / held: as if each of them had begun late.'),
       ('late_start_coverage', 'starts_known / held.'),
       ('avg_start_delay_min', 'Mean minutes from the scheduled start until the second side had come, over starts_known; who is early counts as in time.')
     ) as meaning (column_name, definition)
  loop
    execute format('comment on column mentoring.%I.%I is %L', told.view, told.column_name, told.definition);
  end loop;
end
$$;
