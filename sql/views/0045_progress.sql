-- How mentorships and people come along: what an administrator compares with benchmarks or joins to a table of HR.

create view mentoring.mentorship_progress as
select rules.program, rules.mentorship, rules.starts_on, rules.ends_on,
       held.held, held.first_held_at, held.last_held_at,
       held.first_on - rules.starts_on as days_to_first,
       case when held.held = 0 and rules.today > rules.starts_on
            then least(rules.today, rules.ends_on) - rules.starts_on end as days_waiting,
       case when held.first_on <= rules.starts_on + 10 then true
            when rules.today > rules.starts_on + 10 then false end as first_by_day_10,
       case when held.in_six_months >= 6 then true
            when rules.today > rules.starts_on + interval '6 months' then false end as six_by_month_six,
       round(gaps.median::numeric, 1) as gap_days_median, round(gaps.p90::numeric, 1) as gap_days_p90,
       rules.today - held.last_on
         - cadenced.days_within(rules.paused, daterange(held.last_on + 1, greatest(rules.today + 1, held.last_on + 1)))
         as days_since_last_held,
       round(held.held * 30 / nullif(active.days, 0)::numeric, 2) as held_per_30_days,
       started.late as late_starts,
       case when started.known > 0 then round(started.late::numeric / started.known, 4) end as late_start_rate,
       round(started.delay, 1) as start_delay_minutes,
       held.lead_days as booking_lead_days
  from cadenced.mentorship_rules rules
 cross join lateral (
   select count(*) as held, min(session.starts_at) as first_held_at, max(session.starts_at) as last_held_at,
          cadenced.local_date(min(session.starts_at), rules.time_zone) as first_on,
          cadenced.local_date(max(session.starts_at), rules.time_zone) as last_on,
          count(*) filter (where cadenced.local_date(session.starts_at, rules.time_zone)
                                 < (rules.starts_on + interval '6 months')::date) as in_six_months,
          round(avg(extract(epoch from session.starts_at - session.first_seen_at) / 86400)
                  filter (where session.first_seen_at < session.starts_at), 1) as lead_days
     from cadenced.session
    where session.mentorship_id = rules.mentorship_id and session.outcome = 'held'
   offset 0
 ) as held
 cross join lateral (
   select greatest(days.until_on - rules.starts_on + 1, 0)
            - cadenced.days_within(rules.paused, daterange(rules.starts_on, greatest(days.until_on + 1, rules.starts_on)))
            as days
     from (select least(rules.today, coalesce(rules.ends_on, rules.today)) as until_on) as days
 ) as active
 cross join lateral (
   select percentile_cont(0.5) within group (order by gap.days) as median,
          percentile_cont(0.9) within group (order by gap.days) as p90
     from (select met.met_on - met.before_on
                    - cadenced.days_within(rules.paused, daterange(met.before_on + 1, greatest(met.met_on, met.before_on + 1)))
                    as days
             from (select cadenced.local_date(session.starts_at, rules.time_zone) as met_on,
                          cadenced.local_date(lag(session.starts_at) over (order by session.starts_at), rules.time_zone)
                            as before_on
                     from cadenced.session
                    where session.mentorship_id = rules.mentorship_id and session.outcome = 'held') as met
            where met.before_on is not null) as gap
 ) as gaps
 cross join lateral (
   select count(*) as known, count(*) filter (where second.minutes > 5) as late, avg(greatest(second.minutes, 0)) as delay
     from cadenced.session
    cross join lateral (
      -- A session begins when the later of the two sides has come.
      select extract(epoch from max(side.joined_at) - session.starts_at) / 60 as minutes
        from (select min(participant.joined_at) as joined_at
                from cadenced.participant
               where participant.session_id = session.session_id and participant.status = 'attended'
               group by participant.role, case when participant.role = 'peer' then participant.person_id end) as side
      having count(side.joined_at) >= 2
    ) as second
    where session.mentorship_id = rules.mentorship_id and session.outcome = 'held'
 ) as started;
comment on view mentoring.mentorship_progress is 'How every mentorship comes along: first session, gaps, pace, punctuality, benchmarks. Paused days count nowhere.';
comment on column mentoring.mentorship_progress.program is 'Name of the program.';
comment on column mentoring.mentorship_progress.mentorship is 'Name of the mentorship.';
comment on column mentoring.mentorship_progress.starts_on is 'First day, as in the roster.';
comment on column mentoring.mentorship_progress.ends_on is 'Last day; NULL = open.';
comment on column mentoring.mentorship_progress.held is 'Held sessions so far.';
comment on column mentoring.mentorship_progress.first_held_at is 'Start of the first held session; NULL = not yet.';
comment on column mentoring.mentorship_progress.last_held_at is 'Start of the last held session.';
comment on column mentoring.mentorship_progress.days_to_first is 'Days from the first day to the first held session; NULL = not yet, see days_waiting.';
comment on column mentoring.mentorship_progress.days_waiting is 'Days since the first day of a mentorship that has not met yet, until its last day at most. Average days_to_first only beside these.';
comment on column mentoring.mentorship_progress.first_by_day_10 is 'Benchmark: first held session within ten days; NULL while there is time left.';
comment on column mentoring.mentorship_progress.six_by_month_six is 'Benchmark: six held sessions within six months; NULL while there is time left.';
comment on column mentoring.mentorship_progress.gap_days_median is 'Median of the days between held sessions.';
comment on column mentoring.mentorship_progress.gap_days_p90 is 'Nine of ten gaps are not longer than this many days.';
comment on column mentoring.mentorship_progress.days_since_last_held is 'Days since the last held session; NULL = never.';
comment on column mentoring.mentorship_progress.held_per_30_days is 'Held sessions for each 30 days in which the mentorship was running.';
comment on column mentoring.mentorship_progress.late_starts is 'Held sessions at which the second side came more than five minutes after the scheduled start.';
comment on column mentoring.mentorship_progress.late_start_rate is 'late_starts / held sessions of which both arrivals are recorded.';
comment on column mentoring.mentorship_progress.start_delay_minutes is 'Mean minutes from the scheduled start until both sides were there; early arrivals are no delay.';
comment on column mentoring.mentorship_progress.booking_lead_days is 'Mean days from when a held session was first seen to its start: a lower bound of how early it was booked.';

create view mentoring.program_progress as
select program.name as program, first.mentorships, first.have_met, first.mentorships - first.have_met as not_met,
       first.days_to_first_median, first.days_to_first_p90, first.days_waiting_median, first.days_waiting_longest,
       gaps.gaps, gaps.gap_days_median, gaps.gap_days_p90
  from cadenced.program
 cross join lateral (
   select cadenced.local_date((select cadenced.now()), program.time_zone) as today offset 0
 ) as clock
 cross join lateral (
   select count(*) as mentorships, count(each.days_to_first) as have_met,
          round((percentile_cont(0.5) within group (order by each.days_to_first))::numeric, 1) as days_to_first_median,
          round((percentile_cont(0.9) within group (order by each.days_to_first))::numeric, 1) as days_to_first_p90,
          round((percentile_cont(0.5) within group (order by each.days_waiting))::numeric, 1) as days_waiting_median,
          max(each.days_waiting) as days_waiting_longest
     from (select held.first_on - mentorship.starts_on as days_to_first,
                  case when held.first_on is null
                       then least(clock.today, mentorship.ends_on) - mentorship.starts_on end as days_waiting
             from cadenced.mentorship
            cross join lateral (
              select cadenced.local_date(min(session.starts_at), program.time_zone) as first_on
                from cadenced.session
               where session.mentorship_id = mentorship.mentorship_id and session.outcome = 'held'
            ) as held
            where mentorship.program_id = program.program_id and mentorship.starts_on <= clock.today) as each
 ) as first
 cross join lateral (
   select count(*) as gaps,
          round((percentile_cont(0.5) within group (order by gap.days))::numeric, 1) as gap_days_median,
          round((percentile_cont(0.9) within group (order by gap.days))::numeric, 1) as gap_days_p90
     from (select met.met_on - met.before_on
                    - case when met.paused is null then 0
                           else cadenced.days_within(met.paused,
                                  daterange(met.before_on + 1, greatest(met.met_on, met.before_on + 1))) end as days
             from (select pauses.days as paused, cadenced.local_date(session.starts_at, program.time_zone) as met_on,
                          cadenced.local_date(lag(session.starts_at) over (partition by session.mentorship_id
                                                                            order by session.starts_at),
                                              program.time_zone) as before_on
                     from cadenced.mentorship
                    cross join lateral (
                      select range_agg(daterange(pause.from_on, pause.until_on, '[]')) as days
                        from cadenced.mentorship_pause pause
                       where pause.mentorship_id = mentorship.mentorship_id
                    ) as pauses
                    -- The offset has them read by index, whatever the planner thinks of many mentorships.
                    cross join lateral (
                      select session.mentorship_id, session.starts_at from cadenced.session
                       where session.mentorship_id = mentorship.mentorship_id and session.outcome = 'held'
                      offset 0) as session
                    where mentorship.program_id = program.program_id) as met
            where met.before_on is not null) as gap
 ) as gaps;
comment on view mentoring.program_progress is 'How the mentorships of a program come along: first sessions and gaps. Medians, because a few long ones would carry a mean away.';
comment on column mentoring.program_progress.program is 'Name of the program.';
comment on column mentoring.program_progress.mentorships is 'Mentorships that have begun: have_met + not_met.';
comment on column mentoring.program_progress.have_met is 'Those that have held a session.';
comment on column mentoring.program_progress.not_met is 'Those that have not yet, or ended without. Their time to the first session is not known: read days_to_first only beside days_waiting.';
comment on column mentoring.program_progress.days_to_first_median is 'time_to_first_session: median of the days from the first day to the first held session, of those that have met.';
comment on column mentoring.program_progress.days_to_first_p90 is 'Nine of ten of these are not longer.';
comment on column mentoring.program_progress.days_waiting_median is '"Not yet, N days": median of the days since the first day of those that have not met, until their last day at most.';
comment on column mentoring.program_progress.days_waiting_longest is 'The longest of these.';
comment on column mentoring.program_progress.gaps is 'Gaps between consecutive held sessions of a mentorship.';
comment on column mentoring.program_progress.gap_days_median is 'Median of their calendar days in the program''s zone, paused days not counted.';
comment on column mentoring.program_progress.gap_days_p90 is 'Nine of ten gaps are not longer than this many days.';

create view mentoring.cohort as
select joined.program, joined.person_id as participant_id, joined.name, joined.email,
       joined.role, joined.mentorships, joined.joined_on, joined.ended_on, joined.ended_on is not null as ended,
       coalesce(came.attended, 0) as attended, came.first_attended_at, came.last_attended_at
  -- Grouped over plain joins, so that whoever asks for one program or one person has only theirs counted.
  from (select program.program_id, program.name as program, person.person_id, person.name, person.address as email,
               membership.role, count(*) as mentorships, min(mentorship.starts_on) as joined_on,
               case when bool_and(mentorship.ends_on < (select cadenced.now())::date) then max(mentorship.ends_on) end
                 as ended_on
          from cadenced.program
          join cadenced.mentorship on mentorship.program_id = program.program_id
          join cadenced.membership on membership.mentorship_id = mentorship.mentorship_id
          join cadenced.person on person.person_id = membership.person_id
         group by program.program_id, person.person_id, membership.role) as joined
  left join lateral (
   select count(distinct session.occurrence_id) as attended, min(session.starts_at) as first_attended_at,
          max(session.starts_at) as last_attended_at
     from cadenced.membership
     join cadenced.mentorship on mentorship.mentorship_id = membership.mentorship_id
     join cadenced.session on session.mentorship_id = mentorship.mentorship_id
     join cadenced.participant on participant.session_id = session.session_id
                              and participant.person_id = membership.person_id
    where membership.person_id = joined.person_id and membership.role = joined.role
      and mentorship.program_id = joined.program_id
      and session.outcome = 'held' and session.settled_at is not null and participant.status = 'attended'
 ) as came on true;
comment on view mentoring.cohort is 'Who was in a program, since when, and how often they met: to be joined to a table of people who stayed or were promoted. It shows company, not cause.';
comment on column mentoring.cohort.program is 'Name of the program.';
comment on column mentoring.cohort.participant_id is 'The person.';
comment on column mentoring.cohort.name is 'Name, as in the roster.';
comment on column mentoring.cohort.email is 'Primary address: the key to your own table.';
comment on column mentoring.cohort.role is 'mentor, mentee or peer; who is both has two rows.';
comment on column mentoring.cohort.mentorships is 'Mentorships of the person in this role.';
comment on column mentoring.cohort.joined_on is 'First day of the first of them.';
comment on column mentoring.cohort.ended_on is 'Last day of the last of them, when all have ended.';
comment on column mentoring.cohort.ended is 'Whether all of them have ended.';
comment on column mentoring.cohort.attended is 'Settled held meetings the person provably attended; a meeting of several mentorships once.';
comment on column mentoring.cohort.first_attended_at is 'Start of the first of them.';
comment on column mentoring.cohort.last_attended_at is 'Start of the last of them.';

create view mentoring.verification_coverage as
select fact.program, fact.month, count(*) as eligible,
       count(*) filter (where session.evidence_tier = 'conference_both') as conference_both,
       count(*) filter (where session.evidence_tier = 'conference_one') as conference_one,
       count(*) filter (where session.evidence_tier = 'human_both') as human_both,
       count(*) filter (where session.evidence_tier = 'human_one') as human_one,
       count(*) filter (where session.evidence_tier = 'rsvp_only') as rsvp_only,
       count(*) filter (where coalesce(session.evidence_tier, 'none') = 'none') as none
  from cadenced.session_fact fact
  join cadenced.session on session.session_id = fact.session_id
 where fact.counts in ('held', 'too_short', 'one_sided', 'no_one', 'unknown')
 group by fact.program, fact.month;
comment on view mentoring.verification_coverage is 'What the outcomes of a month rest on: eligible sessions by their strongest evidence.';
comment on column mentoring.verification_coverage.program is 'Name of the program.';
comment on column mentoring.verification_coverage.month is 'First day of the month, in the program''s zone.';
comment on column mentoring.verification_coverage.eligible is 'Settled sessions, neither cancelled nor in a pause: the sum of what follows.';
comment on column mentoring.verification_coverage.conference_both is 'A conference record shows both sides.';
comment on column mentoring.verification_coverage.conference_one is 'A conference record shows one side.';
comment on column mentoring.verification_coverage.human_both is 'Both sides said so.';
comment on column mentoring.verification_coverage.human_one is 'One side, or an administrator, said so.';
comment on column mentoring.verification_coverage.rsvp_only is 'Answers in the calendar only: they prove nothing.';
comment on column mentoring.verification_coverage.none is 'Nothing.';

create view mentoring.pause as
select pause.pause_id, program.name as program, mentorship.key as mentorship, null::bigint as participant_id,
       pause.from_on, pause.until_on, pause.reason, pause.source
  from cadenced.pause
  join cadenced.mentorship on mentorship.mentorship_id = pause.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id
 union all
select pause.pause_id, program.name, mentorship.key, pause.person_id, pause.from_on, pause.until_on, pause.reason,
       pause.source
  from cadenced.pause
  join cadenced.membership on membership.person_id = pause.person_id
  join cadenced.mentorship on mentorship.mentorship_id = membership.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id;
comment on view mentoring.pause is 'Days on which a mentorship owes no session. A pause of a person shows once for each mentorship of theirs.';
comment on column mentoring.pause.pause_id is 'Key of the pause: mentoring.end_pause takes it.';
comment on column mentoring.pause.program is 'Name of the program.';
comment on column mentoring.pause.mentorship is 'Name of the mentorship.';
comment on column mentoring.pause.participant_id is 'The person whose pause it is; NULL = the mentorship''s own.';
comment on column mentoring.pause.from_on is 'First day, in the program''s zone.';
comment on column mentoring.pause.until_on is 'Last day.';
comment on column mentoring.pause.reason is 'Why, in somebody''s words.';
comment on column mentoring.pause.source is 'statement (by SQL or a command) or roster (its columns paused_from and paused_until).';

create view mentoring.pause_history as
select history.pause_id, program.name as program, mentorship.key as mentorship, history.person_id as participant_id,
       history.change, history.from_on, history.until_on, history.reason, history.said_by, history.recorded_by,
       history.said_at
  from cadenced.pause_history history
  left join cadenced.mentorship on mentorship.mentorship_id = history.mentorship_id
  left join cadenced.program on program.program_id = mentorship.program_id;
comment on view mentoring.pause_history is 'Every word about a pause, who said it and when. Rows are added, never changed: a pause takes sessions out of every rate, and that must be explained later.';
comment on column mentoring.pause_history.pause_id is 'The pause; it may have been taken back since.';
comment on column mentoring.pause_history.program is 'Name of the program; NULL for a pause of a person, which concerns every program of theirs.';
comment on column mentoring.pause_history.mentorship is 'Name of the mentorship; NULL for a pause of a person.';
comment on column mentoring.pause_history.participant_id is 'The paused person; NULL for a pause of a mentorship.';
comment on column mentoring.pause_history.change is 'added, changed or taken_back.';
comment on column mentoring.pause_history.from_on is 'First day after the change.';
comment on column mentoring.pause_history.until_on is 'Last day after the change.';
comment on column mentoring.pause_history.reason is 'Why, in somebody''s words.';
comment on column mentoring.pause_history.said_by is 'Who said so, as they gave it; roster import for a file; NULL = they did not say.';
comment on column mentoring.pause_history.recorded_by is 'The database user who wrote it.';
comment on column mentoring.pause_history.said_at is 'When.';

create function mentoring.pause_mentorship(program text, mentorship text, from_on date, until_on date, reason text default null,
                                             by text default null)
  returns bigint
  language plpgsql security definer set search_path = ''
as $$
declare
  target bigint;
  made bigint;
begin
  select known.mentorship_id into target
    from cadenced.mentorship known join cadenced.program on program.program_id = known.program_id
   where program.name = pause_mentorship.program and known.key = pause_mentorship.mentorship;
  if target is null then
    raise exception 'there is no mentorship "%" in a program "%"', pause_mentorship.mentorship, pause_mentorship.program
      using errcode = 'foreign_key_violation', hint = 'See mentoring.cadence.';
  end if;
  perform pg_catalog.set_config('cadenced.said_by', coalesce(btrim(pause_mentorship.by), ''), true);
  insert into cadenced.pause (mentorship_id, from_on, until_on, reason)
  values (target, pause_mentorship.from_on, pause_mentorship.until_on, nullif(btrim(pause_mentorship.reason), ''))
  returning pause.pause_id into made;
  -- What the same transaction says next may be somebody else's word.
  perform pg_catalog.set_config('cadenced.said_by', '', true);
  return made;
end
$$;
comment on function mentoring.pause_mentorship(text, text, date, date, text, text) is
  'Takes the days from_on to until_on (both included, in the program''s zone) out of what a mentorship owes, and its sessions of those days out of every rate. by: who says so, kept in mentoring.pause_history. Returns pause_id.';

create function mentoring.pause_person(email text, from_on date, until_on date, reason text default null,
                                       by text default null)
  returns bigint
  language plpgsql security definer set search_path = ''
as $$
declare
  who bigint;
  made bigint;
begin
  select person.person_id into who from cadenced.person where person.address = lower(btrim(pause_person.email));
  if who is null then
    select alias.person_id into who from cadenced.person_address alias where alias.address = lower(btrim(pause_person.email));
  end if;
  if who is null then
    raise exception 'nobody in the roster has the address "%"', pause_person.email using errcode = 'foreign_key_violation';
  end if;
  perform pg_catalog.set_config('cadenced.said_by', coalesce(btrim(pause_person.by), ''), true);
  insert into cadenced.pause (person_id, from_on, until_on, reason)
  values (who, pause_person.from_on, pause_person.until_on, nullif(btrim(pause_person.reason), ''))
  returning pause.pause_id into made;
  -- What the same transaction says next may be somebody else's word.
  perform pg_catalog.set_config('cadenced.said_by', '', true);
  return made;
end
$$;
comment on function mentoring.pause_person(text, date, date, text, text) is
  'Pauses every mentorship of a person, those that are added later included. Days and result as for mentoring.pause_mentorship.';

create function mentoring.end_pause(pause_id bigint, after date default null, by text default null) returns boolean
  language plpgsql security definer set search_path = ''
as $$
declare
  known boolean;
begin
  if end_pause.after < (select pause.from_on from cadenced.pause where pause.pause_id = end_pause.pause_id) then
    raise exception 'the pause % begins after %', end_pause.pause_id, end_pause.after using errcode = 'check_violation',
      hint = 'Without a day the pause is taken back.';
  end if;
  perform pg_catalog.set_config('cadenced.said_by', coalesce(btrim(end_pause.by), ''), true);
  if end_pause.after is null then
    delete from cadenced.pause where pause.pause_id = end_pause.pause_id;
  else
    update cadenced.pause set until_on = end_pause.after where pause.pause_id = end_pause.pause_id;
  end if;
  known := found;
  perform pg_catalog.set_config('cadenced.said_by', '', true);
  return known;
end
$$;
comment on function mentoring.end_pause(bigint, date, text) is
  'Ends a pause after the given day, or takes it back as if it had never been; mentoring.pause_history keeps that it was. Returns false when there is no such pause.';
