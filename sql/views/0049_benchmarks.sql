-- What a program wants its mentorships to have reached by when, and the stages they have come to.

create view mentoring.benchmark as
select rules.program, rules.mentorship, mark.name as benchmark, mark.sessions, mark.within,
       cadenced.end_of_day(mark.due_on, rules.time_zone) as due_at,
       reached.reached_at,
       case standing.state when 'attained' then true when 'missed' then false end as attained,
       standing.state,
       rules.today > mark.due_on and not coalesce(rules.ends_on < mark.due_on, false) as counted
  from cadenced.mentorship_rules rules
  left join lateral (
   select program_holidays.days from cadenced.program_holidays
    where program_holidays.program_id = rules.program_id
 ) as holidays on true
 -- Asked once a program, not once a mentorship: the planner remembers the answer.
 cross join lateral (
   select array_agg(one ->> 'name') as name, array_agg((one ->> 'sessions')::int) as sessions,
          array_agg(one ->> 'within') as within, array_agg(policy_days.from_on) as from_on,
          array_agg(case when policy_days.current then 'infinity' else policy_days.until_on end) as until_on
     from cadenced.policy_days
    -- Versions kept by releases before benchmarks could be chosen have the two that were fixed.
    cross join jsonb_array_elements(coalesce(policy_days.policy -> 'benchmarks',
      '[{"name": "first session", "sessions": 1, "within": "P10D"},
        {"name": "six sessions", "sessions": 6, "within": "P6M"}]')) as one
    where policy_days.program_id = rules.program_id and policy_days.from_on < policy_days.until_on
 ) as wanted
 cross join lateral (
   -- A benchmark counts when the rules in force on its due day have it.
   select distinct on (due.name) due.name, due.sessions, due.within, due.due_on
     from (select one.*, cadenced.add_active_days(
                           rules.starts_on, (rules.starts_on + one.within::interval)::date - rules.starts_on,
                           rules.paused + coalesce(holidays.days, '{}')) as due_on
             from unnest(wanted.name, wanted.sessions, wanted.within, wanted.from_on, wanted.until_on)
                    as one (name, sessions, within, from_on, until_on)) as due
    where due.due_on >= due.from_on and (due.due_on < due.until_on or due.until_on = 'infinity')
    order by due.name, due.due_on
 ) as mark
  left join lateral (
   select session.starts_at as reached_at
     from cadenced.session
    where session.mentorship_id = rules.mentorship_id and session.outcome = 'held' and session.settled_at is not null
    order by session.starts_at offset mark.sessions - 1 limit 1
 ) as reached on true
 cross join lateral (
   select case
            when reached.reached_at < cadenced.end_of_day(mark.due_on, rules.time_zone) then 'attained'
            when rules.ends_on < least(mark.due_on, rules.today) then 'ended'
            when rules.today <= mark.due_on then 'open'
            when mark.sessions <= (select count(*)
                   from cadenced.session
                  where session.mentorship_id = rules.mentorship_id
                    and session.starts_at < cadenced.end_of_day(mark.due_on, rules.time_zone)
                    and ((session.outcome = 'held' and session.settled_at is not null)
                         or (session.status = 'scheduled' and session.outcome is distinct from 'cancelled'
                             and (session.settled_at is null or session.outcome = 'unknown')))) then 'unverified'
            else 'missed'
          end as state
   offset 0
 ) as standing;
comment on view mentoring.benchmark is 'Every benchmark of every mentorship: by when it was to be reached, and when it was. Benchmarks are policy: benchmarks in the configuration file.';
comment on column mentoring.benchmark.program is 'Name of the program.';
comment on column mentoring.benchmark.mentorship is 'Name of the mentorship.';
comment on column mentoring.benchmark.benchmark is 'Name of the benchmark, as in the rules in force on its due day.';
comment on column mentoring.benchmark.sessions is 'How many held sessions it asks for.';
comment on column mentoring.benchmark.within is 'In which time from the first day (ISO 8601).';
comment on column mentoring.benchmark.due_at is 'When its last day is over, in the program''s zone; pauses and holidays moved it on.';
comment on column mentoring.benchmark.reached_at is 'milestone_reached_at: start of the held session with which the number was reached, in time or not; NULL = not yet.';
comment on column mentoring.benchmark.attained is 'Reached in time; false = the time is over; NULL = open, unverified or ended.';
comment on column mentoring.benchmark.state is 'attained, missed, open (there is time left), unverified (reached in time only if unknown or unsettled sessions were held) or ended (the mentorship ended before).';
comment on column mentoring.benchmark.counted is 'Its time is over and the mentorship ran until then: what the rates of mentoring.benchmark_attainment are taken of. Who got there early counts only when the others had their time, too.';

create view mentoring.benchmark_attainment as
select program, benchmark, sessions, within, mentorships, counted, attained, missed, unverified, open, attained_early, ended,
       cadenced.verified_share(attained, counted - unverified, counted) as benchmark_attainment_verified,
       cadenced.share(attained, counted) as benchmark_attainment_lower,
       cadenced.share(attained + unverified, counted) as benchmark_attainment_upper,
       cadenced.share(counted - unverified, counted) as coverage
  from (select program, benchmark, sessions, within, count(*) as mentorships,
               count(*) filter (where counted) as counted,
               count(*) filter (where counted and state = 'attained') as attained,
               count(*) filter (where counted and state = 'missed') as missed,
               count(*) filter (where counted and state = 'unverified') as unverified,
               count(*) filter (where not counted and state = 'open') as open,
               count(*) filter (where not counted and state = 'attained') as attained_early,
               count(*) filter (where not counted and state = 'ended') as ended
          from mentoring.benchmark
         group by program, benchmark, sessions, within) as summed;
comment on view mentoring.benchmark_attainment is 'How many mentorships of a program reached each benchmark in time.';
comment on column mentoring.benchmark_attainment.program is 'Name of the program.';
comment on column mentoring.benchmark_attainment.benchmark is 'Name of the benchmark. It has a row for each meaning it had.';
comment on column mentoring.benchmark_attainment.sessions is 'How many held sessions it asks for.';
comment on column mentoring.benchmark_attainment.within is 'In which time from the first day (ISO 8601).';
comment on column mentoring.benchmark_attainment.mentorships is 'Mentorships it applies to: counted + open + attained_early + ended.';
comment on column mentoring.benchmark_attainment.counted is 'Those whose time is over and that ran until then: attained + missed + unverified.';
comment on column mentoring.benchmark_attainment.attained is 'Of the counted, those that reached it in time.';
comment on column mentoring.benchmark_attainment.missed is 'Of the counted, those that did not.';
comment on column mentoring.benchmark_attainment.unverified is 'Of the counted, those that did only if unknown or unsettled sessions were held.';
comment on column mentoring.benchmark_attainment.open is 'Those that have time left and have not reached it. In no rate.';
comment on column mentoring.benchmark_attainment.attained_early is 'Those that reached it and whose time is not over, or that ended before it was. In no rate: beside those still open they would make it look better than it is.';
comment on column mentoring.benchmark_attainment.ended is 'Those that ended before and had not reached it. In no rate.';
comment on column mentoring.benchmark_attainment.benchmark_attainment_verified is 'attained / (counted - unverified); NULL under five, or when fewer than half are verified.';
comment on column mentoring.benchmark_attainment.benchmark_attainment_lower is 'attained / counted.';
comment on column mentoring.benchmark_attainment.benchmark_attainment_upper is '(attained + unverified) / counted.';
comment on column mentoring.benchmark_attainment.coverage is '(counted - unverified) / counted.';

create view mentoring.milestone as
select program.name as program, mentorship.key as mentorship, stage.name as stage, stage.from_session,
       reached.milestone_reached_at
  from cadenced.program
  join cadenced.program_policy policy on policy.program_id = program.program_id and policy.valid_until is null
 cross join lateral (
   select one ->> 'name' as name, (one ->> 'fromSession')::int as from_session
     from jsonb_array_elements(coalesce(policy.policy -> 'stages', '[]')) as one
 ) as stage
  join cadenced.mentorship on mentorship.program_id = program.program_id
  left join lateral (
   select session.starts_at as milestone_reached_at
     from cadenced.session
    where session.mentorship_id = mentorship.mentorship_id and session.outcome = 'held'
      and session.settled_at is not null
    order by session.starts_at offset stage.from_session - 1 limit 1
 ) as reached on true;
comment on view mentoring.milestone is 'When every mentorship reached each stage of its program, by the stages of now.';
comment on column mentoring.milestone.program is 'Name of the program.';
comment on column mentoring.milestone.mentorship is 'Name of the mentorship.';
comment on column mentoring.milestone.stage is 'Name of the stage.';
comment on column mentoring.milestone.from_session is 'The number of the held session with which it begins.';
comment on column mentoring.milestone.milestone_reached_at is 'Start of that session; NULL = not yet.';
