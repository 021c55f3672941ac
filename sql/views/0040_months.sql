-- Counts and rates by month. A rate is published three ways with its coverage, because what is unknown must neither
-- vanish nor accuse.

create view cadenced.session_fact as
select session.session_id, session.occurrence_id, session.mentorship_id, program.program_id,
       program.name as program, mentorship.key as mentorship, session.starts_at,
       counted.month, session.outcome, session.outcome_reason, session.reschedules, session.overlap_minutes,
       extract(epoch from session.ends_at - session.starts_at) / 60 as scheduled_minutes,
       coalesce(session.starts_at - session.cancelled_at < interval '24 hours', false) as late,
       counted.counts
  from cadenced.mentorship
  join cadenced.program on program.program_id = mentorship.program_id
 -- Looked up once a mentorship and not once a session.
 cross join lateral (
   select range_agg(daterange(pause.from_on, pause.until_on, '[]')) as days
     from cadenced.mentorship_pause pause
    where pause.mentorship_id = mentorship.mentorship_id
 ) as paused
  join cadenced.session on session.mentorship_id = mentorship.mentorship_id
 -- Worked out once a session: without the fence it would be, for every count that asks for it.
 cross join lateral (
   select cadenced.month_of(session.starts_at, program.time_zone) as month,
          case
            when session.outcome = 'cancelled' or (session.status = 'cancelled' and session.outcome is null)
              then 'cancelled'
            when session.settled_at is null then 'pending'
            when paused.days @> cadenced.local_date(session.starts_at, program.time_zone) then 'paused'
            else session.outcome
          end as counts
   offset 0
 ) as counted;
comment on view cadenced.session_fact is 'Every session with the month and the one column of the monthly views that it counts in.';

create function cadenced.count_months(of_program bigint, from_month date, until_month date)
  returns setof cadenced.program_month_total
  -- Planned for the program and months that are asked for: a plan for any of them reads everybody's sessions by time.
  language plpgsql stable parallel safe security definer set search_path = '' set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  select count_months.of_program, meeting.month,
         coalesce(sum(scheduled), 0)::bigint, coalesce(sum(held), 0)::bigint, coalesce(sum(too_short), 0)::bigint,
         coalesce(sum(one_sided), 0)::bigint, coalesce(sum(no_one), 0)::bigint, coalesce(sum(cancelled), 0)::bigint,
         coalesce(sum(unknown), 0)::bigint, coalesce(sum(pending), 0)::bigint, coalesce(sum(paused), 0)::bigint,
         coalesce(sum(late_cancelled), 0)::bigint, coalesce(sum(rescheduled), 0)::bigint,
         coalesce(sum(mentor_no_show), 0)::bigint, coalesce(sum(mentee_no_show), 0)::bigint,
         coalesce(sum(minutes), 0), coalesce(sum(scheduled_minutes), 0)
    -- Counted by meeting first: one meeting of three mentorships is three sessions, but one hour.
    from (select fact.month, count(*) as scheduled,
                 count(*) filter (where fact.counts = 'held') as held,
                 count(*) filter (where fact.counts = 'too_short') as too_short,
                 count(*) filter (where fact.counts = 'one_sided') as one_sided,
                 count(*) filter (where fact.counts = 'no_one') as no_one,
                 count(*) filter (where fact.counts = 'cancelled') as cancelled,
                 count(*) filter (where fact.counts = 'unknown') as unknown,
                 count(*) filter (where fact.counts = 'pending') as pending,
                 count(*) filter (where fact.counts = 'paused') as paused,
                 count(*) filter (where fact.counts = 'cancelled' and fact.late) as late_cancelled,
                 count(*) filter (where fact.reschedules > 0) as rescheduled,
                 count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                    and fact.outcome_reason = 'mentor_absent')) as mentor_no_show,
                 count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                    and fact.outcome_reason = 'mentee_absent')) as mentee_no_show,
                 max(fact.overlap_minutes) filter (where fact.counts in ('held', 'paused')
                                                     and fact.outcome = 'held') as minutes,
                 max(fact.scheduled_minutes) filter (where fact.counts <> 'cancelled') as scheduled_minutes
            from cadenced.session_fact fact
           where fact.program_id = count_months.of_program
             and fact.month between count_months.from_month and count_months.until_month
             -- No zone is further than a day from UTC: bounds that an index can use.
             and fact.starts_at >= (count_months.from_month - 1)::timestamp at time zone 'UTC'
             and fact.starts_at < (count_months.until_month + interval '1 month 1 day') at time zone 'UTC'
           group by fact.month, fact.occurrence_id) as meeting
   group by meeting.month;
end
$$;
comment on function cadenced.count_months(bigint, date, date) is 'What the sessions of a program add up to in each month from one to another that has any, counted from the sessions.';

create function cadenced.renew_months(most integer) returns integer
  language plpgsql security definer set search_path = ''
as $$
declare
  renewed integer := 0;
  chosen record;
begin
  -- "cadm". One at a time: of two, the one that counted first could write last.
  if not pg_catalog.pg_try_advisory_xact_lock(1667327085) then return 0; end if;
  -- A program is counted from its first chosen month to its last at once: after a mass load that is all of its
  -- sessions read once instead of once a month.
  for chosen in
    select stale.program_id, array_agg(stale.month) as months, min(stale.month) as first, max(stale.month) as last
      from (select marked.program_id, marked.month from cadenced.stale_month marked
             group by marked.program_id, marked.month order by marked.program_id, marked.month
             limit renew_months.most) as stale
     group by stale.program_id
  loop
    -- One statement sees one state: a change whose mark it removes is counted, one that it does not see keeps its mark.
    with unmarked as (
      delete from cadenced.stale_month
       where stale_month.program_id = chosen.program_id and stale_month.month = any (chosen.months)
    ), counted as materialized (
      select total.* from cadenced.count_months(chosen.program_id, chosen.first, chosen.last) as total
       where total.month = any (chosen.months)
         and exists (select from cadenced.program where program.program_id = chosen.program_id)
    ), emptied as (
      delete from cadenced.program_month_total known
       where known.program_id = chosen.program_id and known.month = any (chosen.months)
         and known.month not in (select counted.month from counted)
    )
    insert into cadenced.program_month_total as known
    select * from counted
        on conflict (program_id, month) do update
       set (scheduled, held, too_short, one_sided, no_one, cancelled, unknown, pending, paused, late_cancelled,
            rescheduled, mentor_no_show, mentee_no_show, minutes, scheduled_minutes)
         = (excluded.scheduled, excluded.held, excluded.too_short, excluded.one_sided, excluded.no_one,
            excluded.cancelled, excluded.unknown, excluded.pending, excluded.paused, excluded.late_cancelled,
            excluded.rescheduled, excluded.mentor_no_show, excluded.mentee_no_show, excluded.minutes,
            excluded.scheduled_minutes);
    renewed := renewed + cardinality(chosen.months);
  end loop;
  return renewed;
end
$$;
comment on function cadenced.renew_months(integer) is 'Counts marked months, so many at most, and keeps their totals. Returns how many: 0 = nothing is left, or another transaction is at it.';

create view cadenced.program_month_counts as
select program.name as program, counts.*
  from cadenced.program
 -- Program by program, so that whoever asks for one program has only its marked months counted.
 cross join lateral (
   select total.* from cadenced.program_month_total total
    where total.program_id = program.program_id
      and not exists (select from cadenced.stale_month stale
                       where stale.program_id = total.program_id and stale.month = total.month)
    union all
   select total.*
     from (select distinct stale.month from cadenced.stale_month stale
            where stale.program_id = program.program_id) as marked
    cross join lateral cadenced.count_months(program.program_id, marked.month, marked.month) as total
 ) as counts;
comment on view cadenced.program_month_counts is 'The total of every program and month: the kept one where it holds, else counted now.';

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
  from (select counts.*,
               counts.held + counts.too_short + counts.one_sided + counts.no_one + counts.unknown as eligible,
               counts.held + counts.too_short + counts.one_sided + counts.no_one as known,
               round(counts.minutes / 60, 2) as hours, round(counts.scheduled_minutes / 60, 2) as scheduled_hours
          from cadenced.program_month_counts counts
         where counts.scheduled > 0) as counted;
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
  from (select fact.program, fact.mentorship, fact.month,
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
               count(*) filter (where fact.counts in ('held', 'too_short', 'one_sided', 'no_one')) as known,
               count(*) filter (where fact.counts = 'cancelled' and fact.late) as late_cancelled,
               count(*) filter (where fact.reschedules > 0) as rescheduled,
               count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                  and fact.outcome_reason = 'mentor_absent')) as mentor_no_show,
               count(*) filter (where fact.counts = 'no_one' or (fact.counts = 'one_sided'
                                  and fact.outcome_reason = 'mentee_absent')) as mentee_no_show,
               round(coalesce(sum(fact.overlap_minutes) filter (where fact.counts in ('held', 'paused')
                                                                  and fact.outcome = 'held'), 0) / 60, 2) as hours,
               round(coalesce(sum(fact.scheduled_minutes) filter (where fact.counts <> 'cancelled'), 0) / 60, 2)
                 as scheduled_hours
          from cadenced.session_fact fact
         group by fact.program, fact.mentorship, fact.month) as counted;
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
                    person.person_id as participant_id,
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
              group by fact.program, person.person_id, fact.month, fact.occurrence_id) as meeting
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
