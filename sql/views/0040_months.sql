-- What the months are counted from. A rate is published three ways with its coverage, because what is unknown must
-- neither vanish nor accuse.

create view cadenced.session_fact as
select session.session_id, session.occurrence_id, session.mentorship_id, program.program_id,
       program.name as program, mentorship.key as mentorship, session.starts_at,
       counted.month, session.outcome, session.outcome_reason, session.reschedules, session.overlap_minutes,
       session.start_delay_minutes,
       extract(epoch from session.ends_at - session.starts_at) / 60 as scheduled_minutes,
       coalesce(session.starts_at - session.cancelled_at < interval '24 hours', false) as late,
       counted.counts, counted.left_out,
       case when counted.counts = 'cancelled' then cadenced.called_off_by(session) end as cancelled_by,
       -- A session that moved before its first start was kept has slipped nobody knows how far.
       case when session.reschedules > 0
            then extract(epoch from session.starts_at - session.first_starts_at) / 86400 end as slip_days,
       -- One that was over, or running, when it was first seen was booked nobody knows when.
       case when session.first_seen_at < session.starts_at
            then extract(epoch from session.starts_at - session.first_seen_at) / 86400 end as lead_days
  from cadenced.program
 -- Holidays by the rules in force at the time; what lies before the first rules goes by these. Worked out once a
 -- program, and the pauses once a mentorship, not once a session.
 cross join lateral (
   select range_agg(
            tstzrange((holiday ->> 'from')::date::timestamp at time zone program.time_zone,
                      ((holiday ->> 'until')::date + 1)::timestamp at time zone program.time_zone)
            * tstzrange(case when rules.earlier then rules.valid_from end, rules.valid_until)) as during
     from (select policy.policy, policy.valid_from, policy.valid_until,
                  lag(true, 1, false) over (order by policy.valid_from) as earlier
             from cadenced.program_policy policy
            where policy.program_id = program.program_id) as rules
    cross join jsonb_array_elements(coalesce(rules.policy -> 'holidays', '[]')) as holiday
 ) as holidays
  join cadenced.mentorship on mentorship.program_id = program.program_id
 cross join lateral (
   select range_agg(daterange(pause.from_on, pause.until_on, '[]')) as days
     from cadenced.mentorship_pause pause
    where pause.mentorship_id = mentorship.mentorship_id
 ) as paused
  join cadenced.session on session.mentorship_id = mentorship.mentorship_id
 -- Worked out once a session: without the fence it would be, for every count that asks for it.
 cross join lateral (
   select date_trunc('month', left_out.local)::date as month, left_out.because as left_out,
          case
            when session.outcome = 'cancelled' or (session.status = 'cancelled' and session.outcome is null)
              then 'cancelled'
            when session.settled_at is null then 'pending'
            when left_out.because is not null then 'paused'
            else session.outcome
          end as counts
     from (select begun.local,
                  case
                    when paused.days @> begun.local::date then 'pause'
                    when holidays.during @> session.starts_at then 'holiday'
                    when begun.local::date > mentorship.ends_on then 'end'
                  end as because
             from (select session.starts_at at time zone program.time_zone as local offset 0) as begun) as left_out
   offset 0
 ) as counted;
comment on view cadenced.session_fact is 'Every session with the month and the one column of the monthly views that it counts in, and what is measured about it.';

create view cadenced.session_count as
select fact.session_id, fact.occurrence_id, fact.mentorship_id, fact.program_id, fact.program, fact.mentorship,
       fact.starts_at, fact.month, fact.counts,
       1 as scheduled,
       (fact.counts = 'held')::int as held,
       (fact.counts = 'too_short')::int as too_short,
       (fact.counts = 'one_sided')::int as one_sided,
       (fact.counts = 'no_one')::int as no_one,
       (fact.counts = 'cancelled')::int as cancelled,
       (fact.counts = 'unknown')::int as unknown,
       (fact.counts = 'pending')::int as pending,
       (fact.counts = 'paused')::int as paused,
       (fact.counts = 'cancelled' and fact.late)::int as late_cancelled,
       (fact.reschedules > 0)::int as rescheduled,
       (fact.counts = 'no_one' or (fact.counts = 'one_sided'
         and fact.outcome_reason is not distinct from 'mentor_absent'))::int
         as mentor_no_show,
       (fact.counts = 'no_one' or (fact.counts = 'one_sided'
         and fact.outcome_reason is not distinct from 'mentee_absent'))::int
         as mentee_no_show,
       (fact.counts = 'one_sided' and fact.outcome_reason is not distinct from 'peer_absent')::int as peer_no_show,
       (fact.counts = 'paused' and fact.left_out = 'holiday')::int as on_holiday,
       (fact.counts = 'paused' and fact.left_out = 'end')::int as after_end,
       (fact.cancelled_by is not distinct from 'mentor')::int as cancelled_by_mentor,
       (fact.cancelled_by is not distinct from 'mentee')::int as cancelled_by_mentee,
       (fact.cancelled_by is not distinct from 'peer')::int as cancelled_by_peer,
       (fact.cancelled_by is not distinct from 'other')::int as cancelled_by_other,
       fact.reschedules as moves,
       (fact.counts = 'held' and fact.start_delay_minutes is not null)::int as starts_known,
       coalesce(fact.counts = 'held' and fact.start_delay_minutes > 5, false)::int as late_starts,
       case when fact.counts = 'held' then greatest(fact.start_delay_minutes, 0) end as start_delay_minutes,
       case when fact.counts in ('held', 'paused') and fact.outcome = 'held' then fact.overlap_minutes end as minutes,
       case when fact.counts <> 'cancelled' then fact.scheduled_minutes end as scheduled_minutes,
       fact.slip_days, fact.lead_days
  from cadenced.session_fact fact;
comment on view cadenced.session_count is 'Every session as what it adds to each column of the monthly views.';

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
         coalesce(sum(minutes), 0), coalesce(sum(scheduled_minutes), 0), coalesce(sum(on_holiday), 0)::bigint,
         coalesce(sum(after_end), 0)::bigint, coalesce(sum(peer_no_show), 0)::bigint,
         coalesce(sum(cancelled_by_mentor), 0)::bigint, coalesce(sum(cancelled_by_mentee), 0)::bigint,
         coalesce(sum(cancelled_by_peer), 0)::bigint, coalesce(sum(cancelled_by_other), 0)::bigint,
         coalesce(sum(moves), 0)::bigint, count(slip_days), coalesce(sum(slip_days), 0),
         percentile_cont(0.5) within group (order by slip_days)::numeric, count(lead_days),
         coalesce(sum(lead_days), 0), percentile_cont(0.5) within group (order by lead_days)::numeric,
         coalesce(sum(starts_known), 0)::bigint, coalesce(sum(late_starts), 0)::bigint,
         coalesce(sum(start_delay_minutes), 0)
    -- Counted by meeting first: one meeting of three mentorships is three sessions, but one hour.
    from (select fact.month, sum(fact.scheduled) as scheduled, sum(fact.held) as held, sum(fact.too_short) as too_short,
                 sum(fact.one_sided) as one_sided, sum(fact.no_one) as no_one, sum(fact.cancelled) as cancelled,
                 sum(fact.unknown) as unknown, sum(fact.pending) as pending, sum(fact.paused) as paused,
                 sum(fact.late_cancelled) as late_cancelled, sum(fact.rescheduled) as rescheduled,
                 sum(fact.mentor_no_show) as mentor_no_show, sum(fact.mentee_no_show) as mentee_no_show,
                 sum(fact.on_holiday) as on_holiday, sum(fact.after_end) as after_end,
                 sum(fact.peer_no_show) as peer_no_show, sum(fact.cancelled_by_mentor) as cancelled_by_mentor,
                 sum(fact.cancelled_by_mentee) as cancelled_by_mentee,
                 sum(fact.cancelled_by_peer) as cancelled_by_peer, sum(fact.cancelled_by_other) as cancelled_by_other,
                 sum(fact.moves) as moves, sum(fact.starts_known) as starts_known,
                 sum(fact.late_starts) as late_starts, sum(fact.start_delay_minutes) as start_delay_minutes,
                 max(fact.minutes) as minutes, max(fact.scheduled_minutes) as scheduled_minutes,
                 max(fact.slip_days) as slip_days, max(fact.lead_days) as lead_days
            from cadenced.session_count fact
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
            rescheduled, mentor_no_show, mentee_no_show, minutes, scheduled_minutes, on_holiday, after_end,
            peer_no_show, cancelled_by_mentor, cancelled_by_mentee, cancelled_by_peer, cancelled_by_other, moves,
            slip_known, slip_days, slip_days_median, lead_known, lead_days, lead_days_median, starts_known,
            late_starts, start_delay_minutes)
         = (excluded.scheduled, excluded.held, excluded.too_short, excluded.one_sided, excluded.no_one,
            excluded.cancelled, excluded.unknown, excluded.pending, excluded.paused, excluded.late_cancelled,
            excluded.rescheduled, excluded.mentor_no_show, excluded.mentee_no_show, excluded.minutes,
            excluded.scheduled_minutes, excluded.on_holiday, excluded.after_end, excluded.peer_no_show,
            excluded.cancelled_by_mentor, excluded.cancelled_by_mentee, excluded.cancelled_by_peer,
            excluded.cancelled_by_other, excluded.moves, excluded.slip_known, excluded.slip_days,
            excluded.slip_days_median, excluded.lead_known, excluded.lead_days, excluded.lead_days_median,
            excluded.starts_known, excluded.late_starts, excluded.start_delay_minutes);
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
