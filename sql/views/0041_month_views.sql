-- Counts and rates by month: of a program, a mentorship, a mentor. What the columns mean stands in 0042_month_words.sql.

create function cadenced.month_rates(
  scheduled bigint, held bigint, one_sided bigint, no_one bigint, cancelled bigint, unknown bigint, eligible bigint,
  late_cancelled bigint, rescheduled bigint, mentor_no_show bigint, mentee_no_show bigint, cancelled_by_somebody bigint,
  moves bigint, slip_known bigint, slip_days numeric, slip_days_median numeric, lead_known bigint, lead_days numeric,
  lead_days_median numeric, starts_known bigint, late_starts bigint, start_delay_minutes numeric
) returns table (
  attendance_rate_verified numeric, attendance_rate_lower numeric, attendance_rate_upper numeric,
  no_show_rate_verified numeric, no_show_rate_lower numeric, no_show_rate_upper numeric,
  late_cancellation_rate_verified numeric, late_cancellation_rate_lower numeric, late_cancellation_rate_upper numeric,
  cancellation_rate_verified numeric, cancellation_rate_lower numeric, cancellation_rate_upper numeric,
  reschedule_rate_verified numeric, reschedule_rate_lower numeric, reschedule_rate_upper numeric,
  coverage numeric,
  both_absent bigint, cancelled_by_unknown bigint,
  mentor_no_show_rate_verified numeric, mentor_no_show_rate_lower numeric, mentor_no_show_rate_upper numeric,
  mentee_no_show_rate_verified numeric, mentee_no_show_rate_lower numeric, mentee_no_show_rate_upper numeric,
  both_absent_rate_verified numeric, both_absent_rate_lower numeric, both_absent_rate_upper numeric,
  avg_moves numeric, avg_slip_days numeric, median_slip_days numeric,
  avg_booking_lead_days numeric, median_booking_lead_days numeric,
  late_start_rate_verified numeric, late_start_rate_lower numeric, late_start_rate_upper numeric,
  late_start_coverage numeric, avg_start_delay_min numeric
)
  language sql immutable parallel safe
begin atomic
  select cadenced.verified_share(held, eligible - unknown, eligible),
         cadenced.share(held, eligible),
         cadenced.share(held + unknown, eligible),
         cadenced.verified_share(one_sided + no_one, eligible - unknown, eligible),
         cadenced.share(one_sided + no_one, eligible),
         cadenced.share(one_sided + no_one + unknown, eligible),
         cadenced.verified_share(late_cancelled, eligible - unknown + late_cancelled, eligible + late_cancelled),
         cadenced.share(late_cancelled, eligible + late_cancelled),
         cadenced.share(late_cancelled, eligible + late_cancelled),
         cadenced.verified_share(cancelled, scheduled, scheduled),
         cadenced.share(cancelled, scheduled),
         cadenced.share(cancelled, scheduled),
         cadenced.verified_share(rescheduled, scheduled, scheduled),
         cadenced.share(rescheduled, scheduled),
         cadenced.share(rescheduled, scheduled),
         cadenced.share(eligible - unknown, eligible),
         no_one, cancelled - cancelled_by_somebody,
         cadenced.verified_share(mentor_no_show, eligible - unknown, eligible),
         cadenced.share(mentor_no_show, eligible),
         cadenced.share(mentor_no_show + unknown, eligible),
         cadenced.verified_share(mentee_no_show, eligible - unknown, eligible),
         cadenced.share(mentee_no_show, eligible),
         cadenced.share(mentee_no_show + unknown, eligible),
         cadenced.verified_share(no_one, eligible - unknown, eligible),
         cadenced.share(no_one, eligible),
         cadenced.share(no_one + unknown, eligible),
         round(moves::numeric / nullif(scheduled, 0), 2),
         round(slip_days / nullif(slip_known, 0), 1),
         round(slip_days_median, 1),
         round(lead_days / nullif(lead_known, 0), 1),
         round(lead_days_median, 1),
         -- Whether a held session began late is unknown where nobody recorded when people came.
         cadenced.verified_share(late_starts, starts_known, held),
         cadenced.share(late_starts, held),
         cadenced.share(late_starts + held - starts_known, held),
         cadenced.share(starts_known, held),
         round(start_delay_minutes / nullif(starts_known, 0), 1);
end;
comment on function cadenced.month_rates(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, numeric, numeric, bigint, numeric, numeric, bigint, bigint, numeric) is
  'What follows from the counts of a month, said once for every view that shows it. Written into the query that calls it.';

create view mentoring.program_month as
select counted.program, counted.month, counted.scheduled, counted.held, counted.too_short, counted.one_sided,
       counted.no_one, counted.cancelled, counted.unknown, counted.pending, counted.paused, counted.late_cancelled,
       counted.rescheduled, counted.mentor_no_show, counted.mentee_no_show, counted.eligible, counted.hours,
       counted.scheduled_hours, rates.attendance_rate_verified, rates.attendance_rate_lower,
       rates.attendance_rate_upper, rates.no_show_rate_verified, rates.no_show_rate_lower, rates.no_show_rate_upper,
       rates.late_cancellation_rate_verified, rates.late_cancellation_rate_lower, rates.late_cancellation_rate_upper,
       rates.cancellation_rate_verified, rates.cancellation_rate_lower, rates.cancellation_rate_upper,
       rates.reschedule_rate_verified, rates.reschedule_rate_lower, rates.reschedule_rate_upper, rates.coverage,
       counted.on_holiday, counted.after_end, counted.peer_no_show, rates.both_absent,
       rates.mentor_no_show_rate_verified, rates.mentor_no_show_rate_lower, rates.mentor_no_show_rate_upper,
       rates.mentee_no_show_rate_verified, rates.mentee_no_show_rate_lower, rates.mentee_no_show_rate_upper,
       rates.both_absent_rate_verified, rates.both_absent_rate_lower, rates.both_absent_rate_upper,
       counted.cancelled_by_mentor, counted.cancelled_by_mentee, counted.cancelled_by_peer,
       counted.cancelled_by_other, rates.cancelled_by_unknown, counted.moves, rates.avg_moves, rates.avg_slip_days,
       rates.median_slip_days, rates.avg_booking_lead_days, rates.median_booking_lead_days, counted.starts_known,
       counted.late_starts, rates.late_start_rate_verified, rates.late_start_rate_lower, rates.late_start_rate_upper,
       rates.late_start_coverage, rates.avg_start_delay_min
  from (select counts.*,
               counts.held + counts.too_short + counts.one_sided + counts.no_one + counts.unknown as eligible,
               round(counts.minutes / 60, 2) as hours, round(counts.scheduled_minutes / 60, 2) as scheduled_hours
          from cadenced.program_month_counts counts
         where counts.scheduled > 0) as counted
 cross join lateral cadenced.month_rates(
        counted.scheduled, counted.held, counted.one_sided, counted.no_one, counted.cancelled, counted.unknown,
        counted.eligible, counted.late_cancelled, counted.rescheduled, counted.mentor_no_show, counted.mentee_no_show,
        counted.cancelled_by_mentor + counted.cancelled_by_mentee + counted.cancelled_by_peer + counted.cancelled_by_other,
        counted.moves, counted.slip_known, counted.slip_days, counted.slip_days_median, counted.lead_known,
        counted.lead_days, counted.lead_days_median, counted.starts_known, counted.late_starts,
        counted.start_delay_minutes) as rates;

create view mentoring.mentorship_month as
select counted.program, counted.mentorship, counted.month, counted.scheduled, counted.held, counted.too_short,
       counted.one_sided, counted.no_one, counted.cancelled, counted.unknown, counted.pending, counted.paused,
       counted.late_cancelled, counted.rescheduled, counted.mentor_no_show, counted.mentee_no_show, counted.eligible,
       counted.hours, counted.scheduled_hours, rates.attendance_rate_verified, rates.attendance_rate_lower,
       rates.attendance_rate_upper, rates.no_show_rate_verified, rates.no_show_rate_lower, rates.no_show_rate_upper,
       rates.late_cancellation_rate_verified, rates.late_cancellation_rate_lower, rates.late_cancellation_rate_upper,
       rates.cancellation_rate_verified, rates.cancellation_rate_lower, rates.cancellation_rate_upper,
       rates.reschedule_rate_verified, rates.reschedule_rate_lower, rates.reschedule_rate_upper, rates.coverage,
       counted.on_holiday, counted.after_end, counted.peer_no_show, rates.both_absent,
       rates.mentor_no_show_rate_verified, rates.mentor_no_show_rate_lower, rates.mentor_no_show_rate_upper,
       rates.mentee_no_show_rate_verified, rates.mentee_no_show_rate_lower, rates.mentee_no_show_rate_upper,
       rates.both_absent_rate_verified, rates.both_absent_rate_lower, rates.both_absent_rate_upper,
       counted.cancelled_by_mentor, counted.cancelled_by_mentee, counted.cancelled_by_peer,
       counted.cancelled_by_other, rates.cancelled_by_unknown, counted.moves, rates.avg_moves, rates.avg_slip_days,
       rates.median_slip_days, rates.avg_booking_lead_days, rates.median_booking_lead_days, counted.starts_known,
       counted.late_starts, rates.late_start_rate_verified, rates.late_start_rate_lower, rates.late_start_rate_upper,
       rates.late_start_coverage, rates.avg_start_delay_min
  from (select counts.*, held + too_short + one_sided + no_one + unknown as eligible,
               round(minutes / 60, 2) as hours, round(scheduled_minutes / 60, 2) as scheduled_hours
          from (select fact.program, fact.mentorship, fact.month,
                       sum(fact.scheduled) as scheduled, sum(fact.held) as held, sum(fact.too_short) as too_short,
                       sum(fact.one_sided) as one_sided, sum(fact.no_one) as no_one, sum(fact.cancelled) as cancelled,
                       sum(fact.unknown) as unknown, sum(fact.pending) as pending, sum(fact.paused) as paused,
                       sum(fact.late_cancelled) as late_cancelled, sum(fact.rescheduled) as rescheduled,
                       sum(fact.mentor_no_show) as mentor_no_show, sum(fact.mentee_no_show) as mentee_no_show,
                       coalesce(sum(fact.minutes), 0) as minutes,
                       coalesce(sum(fact.scheduled_minutes), 0) as scheduled_minutes,
                       sum(fact.on_holiday) as on_holiday, sum(fact.after_end) as after_end,
                       sum(fact.peer_no_show) as peer_no_show, sum(fact.cancelled_by_mentor) as cancelled_by_mentor,
                       sum(fact.cancelled_by_mentee) as cancelled_by_mentee,
                       sum(fact.cancelled_by_peer) as cancelled_by_peer,
                       sum(fact.cancelled_by_other) as cancelled_by_other, sum(fact.moves) as moves,
                       count(fact.slip_days) as slip_known, coalesce(sum(fact.slip_days), 0) as slip_days,
                       percentile_cont(0.5) within group (order by fact.slip_days)::numeric as slip_days_median,
                       count(fact.lead_days) as lead_known, coalesce(sum(fact.lead_days), 0) as lead_days,
                       percentile_cont(0.5) within group (order by fact.lead_days)::numeric as lead_days_median,
                       sum(fact.starts_known) as starts_known, sum(fact.late_starts) as late_starts,
                       coalesce(sum(fact.start_delay_minutes), 0) as start_delay_minutes
                  from cadenced.session_count fact
                 group by fact.mentorship_id, fact.month, fact.program, fact.mentorship) as counts) as counted
 cross join lateral cadenced.month_rates(
        counted.scheduled, counted.held, counted.one_sided, counted.no_one, counted.cancelled, counted.unknown,
        counted.eligible, counted.late_cancelled, counted.rescheduled, counted.mentor_no_show, counted.mentee_no_show,
        counted.cancelled_by_mentor + counted.cancelled_by_mentee + counted.cancelled_by_peer + counted.cancelled_by_other,
        counted.moves, counted.slip_known, counted.slip_days, counted.slip_days_median, counted.lead_known,
        counted.lead_days, counted.lead_days_median, counted.starts_known, counted.late_starts,
        counted.start_delay_minutes) as rates;

create view mentoring.mentor_month as
select counted.program, counted.participant_id, counted.name, counted.email, counted.month, counted.scheduled,
       counted.held, counted.too_short, counted.one_sided, counted.no_one, counted.cancelled, counted.unknown,
       counted.pending, counted.paused, counted.late_cancelled, counted.rescheduled, counted.mentor_no_show,
       counted.mentee_no_show, counted.eligible, counted.hours, counted.scheduled_hours,
       rates.attendance_rate_verified, rates.attendance_rate_lower, rates.attendance_rate_upper,
       rates.no_show_rate_verified, rates.no_show_rate_lower, rates.no_show_rate_upper,
       rates.late_cancellation_rate_verified, rates.late_cancellation_rate_lower, rates.late_cancellation_rate_upper,
       rates.cancellation_rate_verified, rates.cancellation_rate_lower, rates.cancellation_rate_upper,
       rates.reschedule_rate_verified, rates.reschedule_rate_lower, rates.reschedule_rate_upper, rates.coverage,
       counted.on_holiday, counted.after_end, counted.peer_no_show, rates.both_absent,
       rates.mentor_no_show_rate_verified, rates.mentor_no_show_rate_lower, rates.mentor_no_show_rate_upper,
       rates.mentee_no_show_rate_verified, rates.mentee_no_show_rate_lower, rates.mentee_no_show_rate_upper,
       rates.both_absent_rate_verified, rates.both_absent_rate_lower, rates.both_absent_rate_upper,
       counted.cancelled_by_mentor, counted.cancelled_by_mentee, counted.cancelled_by_peer,
       counted.cancelled_by_other, rates.cancelled_by_unknown, counted.moves, rates.avg_moves, rates.avg_slip_days,
       rates.median_slip_days, rates.avg_booking_lead_days, rates.median_booking_lead_days, counted.starts_known,
       counted.late_starts, rates.late_start_rate_verified, rates.late_start_rate_lower, rates.late_start_rate_upper,
       rates.late_start_coverage, rates.avg_start_delay_min
  from (select counts.*, held + too_short + one_sided + no_one + unknown as eligible,
               round(minutes / 60, 2) as hours, round(scheduled_minutes / 60, 2) as scheduled_hours
          from (select program, participant_id, name, email, month,
                       coalesce(sum(scheduled), 0)::bigint as scheduled, coalesce(sum(held), 0)::bigint as held,
                       coalesce(sum(too_short), 0)::bigint as too_short,
                       coalesce(sum(one_sided), 0)::bigint as one_sided, coalesce(sum(no_one), 0)::bigint as no_one,
                       coalesce(sum(cancelled), 0)::bigint as cancelled, coalesce(sum(unknown), 0)::bigint as unknown,
                       coalesce(sum(pending), 0)::bigint as pending, coalesce(sum(paused), 0)::bigint as paused,
                       coalesce(sum(late_cancelled), 0)::bigint as late_cancelled,
                       coalesce(sum(rescheduled), 0)::bigint as rescheduled,
                       coalesce(sum(mentor_no_show), 0)::bigint as mentor_no_show,
                       coalesce(sum(mentee_no_show), 0)::bigint as mentee_no_show,
                       coalesce(sum(minutes), 0) as minutes, coalesce(sum(scheduled_minutes), 0) as scheduled_minutes,
                       coalesce(sum(on_holiday), 0)::bigint as on_holiday,
                       coalesce(sum(after_end), 0)::bigint as after_end,
                       coalesce(sum(peer_no_show), 0)::bigint as peer_no_show,
                       coalesce(sum(cancelled_by_mentor), 0)::bigint as cancelled_by_mentor,
                       coalesce(sum(cancelled_by_mentee), 0)::bigint as cancelled_by_mentee,
                       coalesce(sum(cancelled_by_peer), 0)::bigint as cancelled_by_peer,
                       coalesce(sum(cancelled_by_other), 0)::bigint as cancelled_by_other,
                       coalesce(sum(moves), 0)::bigint as moves, count(slip_days) as slip_known,
                       coalesce(sum(slip_days), 0) as slip_days,
                       percentile_cont(0.5) within group (order by slip_days)::numeric as slip_days_median,
                       count(lead_days) as lead_known, coalesce(sum(lead_days), 0) as lead_days,
                       percentile_cont(0.5) within group (order by lead_days)::numeric as lead_days_median,
                       coalesce(sum(starts_known), 0)::bigint as starts_known,
                       coalesce(sum(late_starts), 0)::bigint as late_starts,
                       coalesce(sum(start_delay_minutes), 0) as start_delay_minutes
                  -- Counted by meeting first: one meeting of three mentorships is three sessions, but one hour.
                  from (select fact.program, person.person_id as participant_id, person.name, person.address as email,
                               fact.month, fact.occurrence_id,
                               sum(fact.scheduled)::int as scheduled, sum(fact.held)::int as held,
                               sum(fact.too_short)::int as too_short, sum(fact.one_sided)::int as one_sided,
                               sum(fact.no_one)::int as no_one, sum(fact.cancelled)::int as cancelled,
                               sum(fact.unknown)::int as unknown, sum(fact.pending)::int as pending, sum(fact.paused)::int as paused,
                               sum(fact.late_cancelled)::int as late_cancelled, sum(fact.rescheduled)::int as rescheduled,
                               sum(fact.mentor_no_show)::int as mentor_no_show, sum(fact.mentee_no_show)::int as mentee_no_show,
                               sum(fact.on_holiday)::int as on_holiday, sum(fact.after_end)::int as after_end,
                               sum(fact.peer_no_show)::int as peer_no_show,
                               sum(fact.cancelled_by_mentor)::int as cancelled_by_mentor,
                               sum(fact.cancelled_by_mentee)::int as cancelled_by_mentee,
                               sum(fact.cancelled_by_peer)::int as cancelled_by_peer,
                               sum(fact.cancelled_by_other)::int as cancelled_by_other, sum(fact.moves)::int as moves,
                               sum(fact.starts_known)::int as starts_known, sum(fact.late_starts)::int as late_starts,
                               sum(fact.start_delay_minutes) as start_delay_minutes, max(fact.minutes) as minutes,
                               max(fact.scheduled_minutes) as scheduled_minutes, max(fact.slip_days) as slip_days,
                               max(fact.lead_days) as lead_days
                          from cadenced.session_count fact
                          join cadenced.participant
                            on participant.session_id = fact.session_id and participant.role = 'mentor'
                          join cadenced.person on person.person_id = participant.person_id
                         group by person.person_id, fact.month, fact.occurrence_id, fact.program) as meeting
                 group by participant_id, month, program, name, email) as counts) as counted
 cross join lateral cadenced.month_rates(
        counted.scheduled, counted.held, counted.one_sided, counted.no_one, counted.cancelled, counted.unknown,
        counted.eligible, counted.late_cancelled, counted.rescheduled, counted.mentor_no_show, counted.mentee_no_show,
        counted.cancelled_by_mentor + counted.cancelled_by_mentee + counted.cancelled_by_peer + counted.cancelled_by_other,
        counted.moves, counted.slip_known, counted.slip_days, counted.slip_days_median, counted.lead_known,
        counted.lead_days, counted.lead_days_median, counted.starts_known, counted.late_starts,
        counted.start_delay_minutes) as rates;
