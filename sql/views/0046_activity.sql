-- Which mentorships are alive, how long they last, and how they end. "Now" and "ever in a month" are different
-- questions and have different views.

create view mentoring.mentorship_activity as
select rules.program, rules.mentorship, rules.starts_on, rules.ends_on, mentorship.planned_ends_on,
       standing.in_date, standing.paused, standing.past_grace,
       standing.in_date and not standing.paused and standing.past_grace as counted,
       greatest(2 * rules.every_days, 30) as window_days,
       held.last_held_at, ahead.next_session_at,
       verdict.active,
       case when standing.in_date and not standing.paused and ahead.next_session_at is not null then true
            else verdict.active end as active_or_booked,
       standing.ended,
       case when standing.ended then round((rules.ends_on - rules.starts_on + 1) / 30.4375, 1) end
         as match_length_months,
       case when standing.in_date then round((rules.today - rules.starts_on + 1) / 30.4375, 1) end as open_months,
       case when standing.ended then rules.ends_on < mentorship.planned_ends_on end as ended_early,
       time.paused_days
  from cadenced.mentorship_rules rules
  join cadenced.mentorship on mentorship.mentorship_id = rules.mentorship_id
 cross join lateral (
   select rules.starts_on <= rules.today and (rules.ends_on is null or rules.ends_on >= rules.today) as in_date,
          rules.paused @> rules.today as paused,
          coalesce(rules.ends_on < rules.today, false) as ended,
          rules.today > cadenced.add_active_days(rules.starts_on, rules.first_session_days + rules.grace_days,
                                                 rules.free) as past_grace
   offset 0
 ) as standing
 cross join lateral (
   select max(session.starts_at) filter (where session.outcome = 'held' and session.settled_at is not null)
            as last_held_at,
          max(session.starts_at) filter (where session.status = 'scheduled'
                                           and session.outcome is distinct from 'cancelled'
                                           and (session.settled_at is null or session.outcome = 'unknown'))
            as last_unknown_at
     from cadenced.session
    where session.mentorship_id = rules.mentorship_id and session.starts_at <= rules.now
   offset 0
 ) as held
  left join lateral (
   select session.starts_at as next_session_at
     from cadenced.session
    where session.mentorship_id = rules.mentorship_id
      and session.starts_at > rules.now
      and session.status = 'scheduled'
      -- A session that a whole side declined is not a plan to meet.
      and not exists (select from cadenced.participant
                       where participant.session_id = session.session_id
                       group by participant.role
                      having bool_and(participant.rsvp = 'declined'))
    order by session.starts_at limit 1
 ) as ahead on true
 cross join lateral (
   select cadenced.days_within(rules.paused, daterange(rules.starts_on,
            greatest(least(rules.today, rules.ends_on) + 1, rules.starts_on))) as paused_days,
          since.held_on, since.unknown_on,
          rules.today - since.held_on - cadenced.days_within(rules.paused, daterange(since.held_on + 1, rules.today + 1))
            as held_days_ago,
          rules.today - since.unknown_on
            - cadenced.days_within(rules.paused, daterange(since.unknown_on + 1, rules.today + 1)) as unknown_days_ago
     from (select cadenced.local_date(held.last_held_at, rules.time_zone) as held_on,
                  cadenced.local_date(held.last_unknown_at, rules.time_zone) as unknown_on) as since
   offset 0
 ) as time
 cross join lateral (
   select case when not standing.in_date or standing.paused then false
               when time.held_on is not null and time.held_days_ago <= greatest(2 * rules.every_days, 30) then true
               when time.unknown_on is not null and time.unknown_days_ago <= greatest(2 * rules.every_days, 30) then null
               else false end as active
 ) as verdict;
comment on view mentoring.mentorship_activity is 'Whether every mentorship is alive now, and how long it has lasted or did last.';
comment on column mentoring.mentorship_activity.program is 'Name of the program.';
comment on column mentoring.mentorship_activity.mentorship is 'Name of the mentorship.';
comment on column mentoring.mentorship_activity.starts_on is 'First day, as in the roster.';
comment on column mentoring.mentorship_activity.ends_on is 'Last day; NULL = open.';
comment on column mentoring.mentorship_activity.planned_ends_on is 'The latest last day that was given ahead of time; NULL = none was.';
comment on column mentoring.mentorship_activity.in_date is 'Today lies between the first and the last day.';
comment on column mentoring.mentorship_activity.paused is 'Today is a paused day.';
comment on column mentoring.mentorship_activity.past_grace is 'The time for the first session, and its grace, have passed.';
comment on column mentoring.mentorship_activity.counted is 'In date, past its grace and not paused: what the rate of active pairs is taken of.';
comment on column mentoring.mentorship_activity.window_days is 'Twice the interval of the cadence, at least 30: for so many days, paused ones not counted, a held session makes it active.';
comment on column mentoring.mentorship_activity.last_held_at is 'Start of the last settled held session.';
comment on column mentoring.mentorship_activity.next_session_at is 'Start of the next booked session that no side has declined.';
comment on column mentoring.mentorship_activity.active is 'active_pair: in date, not paused, and a held session in the last window_days. NULL = only if a session was held that nobody can say about, or that is not settled yet. This is about now; who ever met in a month stands in mentoring.program_activity_month.';
comment on column mentoring.mentorship_activity.active_or_booked is 'The same, or in date, not paused and a session is booked.';
comment on column mentoring.mentorship_activity.ended is 'The last day has passed.';
comment on column mentoring.mentorship_activity.match_length_months is 'Months (of 30.44 days) from the first to the last day, of an ended mentorship. Never average it without open_months beside it: those that go on are the longer ones.';
comment on column mentoring.mentorship_activity.open_months is 'Months so far of a mentorship that goes on.';
comment on column mentoring.mentorship_activity.ended_early is 'Whether it ended before its planned end; NULL = has not ended, or no end was planned.';
comment on column mentoring.mentorship_activity.paused_days is 'Paused days since the first day.';

create view mentoring.program_activity as
select program, in_date, paused, in_grace, counted, active_pairs, active, unverified, active_or_booked, booked_unverified,
       cadenced.verified_share(active, counted - unverified, counted) as active_pair_rate_verified,
       cadenced.share(active, counted) as active_pair_rate_lower,
       cadenced.share(active + unverified, counted) as active_pair_rate_upper,
       cadenced.share(counted - unverified, counted) as coverage,
       cadenced.verified_share(active_or_booked, counted - booked_unverified, counted) as active_or_booked_rate_verified,
       cadenced.share(active_or_booked, counted) as active_or_booked_rate_lower,
       cadenced.share(active_or_booked + booked_unverified, counted) as active_or_booked_rate_upper,
       cadenced.share(counted - booked_unverified, counted) as active_or_booked_coverage,
       ended, match_length_months_median, open_months_median
  from (select program,
               count(*) filter (where in_date) as in_date,
               count(*) filter (where in_date and paused) as paused,
               count(*) filter (where in_date and not paused and not past_grace) as in_grace,
               count(*) filter (where counted) as counted,
               count(*) filter (where active) as active_pairs,
               count(*) filter (where counted and active) as active,
               count(*) filter (where counted and active is null) as unverified,
               count(*) filter (where counted and active_or_booked) as active_or_booked,
               count(*) filter (where counted and active_or_booked is null) as booked_unverified,
               count(*) filter (where ended) as ended,
               round((percentile_cont(0.5) within group (order by match_length_months))::numeric, 1)
                 as match_length_months_median,
               round((percentile_cont(0.5) within group (order by open_months))::numeric, 1) as open_months_median
          from mentoring.mentorship_activity
         group by program) as counted;
comment on view mentoring.program_activity is 'How many mentorships of a program are alive now.';
comment on column mentoring.program_activity.program is 'Name of the program.';
comment on column mentoring.program_activity.in_date is 'Mentorships that run today. It is the sum of paused, in_grace and counted.';
comment on column mentoring.program_activity.paused is 'Of these, paused today. In no rate.';
comment on column mentoring.program_activity.in_grace is 'Of these, not paused and still within the time for the first session and its grace. In no rate.';
comment on column mentoring.program_activity.counted is 'Of these, the others: what the rates are taken of.';
comment on column mentoring.program_activity.active_pairs is 'Mentorships that are active (see mentoring.mentorship_activity), those in their grace included.';
comment on column mentoring.program_activity.active is 'Of the counted, active.';
comment on column mentoring.program_activity.unverified is 'Of the counted, active only if an unknown or unsettled session was held.';
comment on column mentoring.program_activity.active_or_booked is 'Of the counted, active or with a session booked.';
comment on column mentoring.program_activity.booked_unverified is 'Of the counted, nothing booked and active only if an unknown or unsettled session was held.';
comment on column mentoring.program_activity.active_pair_rate_verified is 'active / (counted - unverified); NULL under five, or when fewer than half are verified.';
comment on column mentoring.program_activity.active_pair_rate_lower is 'active / counted.';
comment on column mentoring.program_activity.active_pair_rate_upper is '(active + unverified) / counted.';
comment on column mentoring.program_activity.coverage is '(counted - unverified) / counted.';
comment on column mentoring.program_activity.active_or_booked_rate_verified is 'active_or_booked / (counted - booked_unverified); NULL as above.';
comment on column mentoring.program_activity.active_or_booked_rate_lower is 'active_or_booked / counted.';
comment on column mentoring.program_activity.active_or_booked_rate_upper is '(active_or_booked + booked_unverified) / counted.';
comment on column mentoring.program_activity.active_or_booked_coverage is '(counted - booked_unverified) / counted.';
comment on column mentoring.program_activity.ended is 'Mentorships that have ended.';
comment on column mentoring.program_activity.match_length_months_median is 'Median length of those that have ended.';
comment on column mentoring.program_activity.open_months_median is 'Median age of those that go on: their length is not known yet.';

create view mentoring.program_activity_month as
select program, month, complete, in_date, paused, counted, ever_active, unverified,
       cadenced.verified_share(ever_active, counted - unverified, counted) as ever_active_rate_verified,
       cadenced.share(ever_active, counted) as ever_active_rate_lower,
       cadenced.share(ever_active + unverified, counted) as ever_active_rate_upper,
       cadenced.share(counted - unverified, counted) as coverage,
       closed, closed_planned, closed_early,
       cadenced.verified_share(closed, in_date, in_date) as closure_rate_verified,
       cadenced.share(closed, in_date) as closure_rate_lower,
       cadenced.share(closed, in_date) as closure_rate_upper,
       cadenced.verified_share(closed_early, closed_planned, closed) as early_closure_rate_verified,
       cadenced.share(closed_early, closed) as early_closure_rate_lower,
       cadenced.share(closed_early + closed - closed_planned, closed) as early_closure_rate_upper,
       cadenced.share(closed_planned, closed) as early_closure_coverage
  from (select program.name as program, month.month::date as month,
               -- Two days after its end the last session of a month is settled.
               month.next_on + 2 <= clock.today as complete,
               count(*) as in_date,
               count(*) filter (where month.paused) as paused,
               count(*) filter (where not month.paused) as counted,
               count(*) filter (where not month.paused and month.held) as ever_active,
               count(*) filter (where not month.paused and month.held is not true and month.unknown) as unverified,
               count(*) filter (where month.closed) as closed,
               count(*) filter (where month.closed and month.planned_ends_on is not null) as closed_planned,
               count(*) filter (where month.closed and month.ends_on < month.planned_ends_on) as closed_early
          from cadenced.program
         cross join lateral (
           select cadenced.local_date((select cadenced.now()), program.time_zone) as today offset 0
         ) as clock
         cross join lateral (
           select mentorship.ends_on, mentorship.planned_ends_on, begin.month, span.next_on, begin.held, begin.unknown,
                  mentorship.ends_on < clock.today and mentorship.ends_on < span.next_on as closed,
                  pauses.days is not null
                    and pauses.days @> daterange(greatest(begin.month::date, mentorship.starts_on),
                                                 least(span.next_on, mentorship.ends_on + 1, clock.today + 1)) as paused
             from cadenced.mentorship
            cross join lateral (
              select range_agg(daterange(pause.from_on, pause.until_on, '[]')) as days
                from cadenced.mentorship_pause pause
               where pause.mentorship_id = mentorship.mentorship_id
            ) as pauses
            -- Its months, with what was held in them: read by index, mentorship by mentorship.
            cross join lateral (
              select each.month, bool_or(each.held) as held, bool_or(each.unknown) as unknown
                from (select generate_series(date_trunc('month', mentorship.starts_on::timestamp),
                                             least(mentorship.ends_on, clock.today)::timestamp,
                                             interval '1 month') as month,
                             null::boolean as held, null::boolean as unknown, true as listed
                       union all
                      select date_trunc('month', session.starts_at at time zone program.time_zone),
                             session.outcome is not distinct from 'held' and session.settled_at is not null,
                             session.status = 'scheduled' and session.outcome is distinct from 'cancelled'
                               and (session.settled_at is null or session.outcome = 'unknown'), false
                        from cadenced.session
                       where session.mentorship_id = mentorship.mentorship_id
                         and session.starts_at <= (select cadenced.now())) as each
               group by each.month
              having bool_or(each.listed)
            ) as begin
            cross join lateral (select (begin.month + interval '1 month')::date as next_on) as span
            where mentorship.program_id = program.program_id and mentorship.starts_on <= clock.today
         ) as month
         group by program.name, clock.today, month.month, month.next_on) as counted;
comment on view mentoring.program_activity_month is 'Which mentorships ever met in a month, and how many ended in it. Not to be compared with mentoring.program_activity, which tells of now: whoever met once early in a month was active in it, and may not be any more.';
comment on column mentoring.program_activity_month.program is 'Name of the program.';
comment on column mentoring.program_activity_month.month is 'First day of the month, in the program''s zone.';
comment on column mentoring.program_activity_month.complete is 'Whether the month has been over for two days, so that its sessions are settled.';
comment on column mentoring.program_activity_month.in_date is 'Mentorships that ran on some day of the month.';
comment on column mentoring.program_activity_month.paused is 'Of these, paused on every day they ran. In no rate of activity.';
comment on column mentoring.program_activity_month.counted is 'Of these, the others.';
comment on column mentoring.program_activity_month.ever_active is 'Of the counted, those with a settled held session in the month.';
comment on column mentoring.program_activity_month.unverified is 'Of the counted, those with none, but with one that nobody can say about or that is not settled.';
comment on column mentoring.program_activity_month.ever_active_rate_verified is 'ever_active / (counted - unverified); NULL under five, or when fewer than half are verified.';
comment on column mentoring.program_activity_month.ever_active_rate_lower is 'ever_active / counted.';
comment on column mentoring.program_activity_month.ever_active_rate_upper is '(ever_active + unverified) / counted.';
comment on column mentoring.program_activity_month.coverage is '(counted - unverified) / counted.';
comment on column mentoring.program_activity_month.closed is 'Mentorships whose last day lies in the month and has passed.';
comment on column mentoring.program_activity_month.closed_planned is 'Of these, those for which an end had been planned.';
comment on column mentoring.program_activity_month.closed_early is 'Of these, those that ended before it.';
comment on column mentoring.program_activity_month.closure_rate_verified is 'closed / in_date; NULL under five.';
comment on column mentoring.program_activity_month.closure_rate_lower is 'closed / in_date.';
comment on column mentoring.program_activity_month.closure_rate_upper is 'The same: an end is known or has not come.';
comment on column mentoring.program_activity_month.early_closure_rate_verified is 'closed_early / closed_planned; NULL under five, or when an end was planned for fewer than half.';
comment on column mentoring.program_activity_month.early_closure_rate_lower is 'closed_early / closed: as if those without a planned end had ended in time.';
comment on column mentoring.program_activity_month.early_closure_rate_upper is '(closed_early + closed - closed_planned) / closed: as if they had ended early.';
comment on column mentoring.program_activity_month.early_closure_coverage is 'closed_planned / closed.';
