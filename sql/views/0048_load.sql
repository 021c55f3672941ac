-- What mentors carry, against what they said they have room for.

-- Two lists by mentor and month, joined by all that one may ask for, so that both are read for one program or one
-- mentor alone.
create view mentoring.mentor_load as
select carried.program, carried.participant_id, carried.name, carried.email, carried.month::date as month,
       carried.mentorships, carried.mentorships_at_end, carried.paused, carried.mentees,
       coalesce(meeting.held, 0) as held, coalesce(meeting.unknown, 0) as unknown,
       round(coalesce(meeting.minutes, 0) / 60, 2) as verified_hours,
       capacity.mentorships as capacity, capacity.mentorships - carried.mentorships_at_end as free_places,
       cadenced.share(carried.mentorships_at_end, capacity.mentorships) as load,
       carried.mentorships_at_end > capacity.mentorships as over_capacity
  from (select program.program_id, program.name as program, person.person_id as participant_id, person.name,
               person.address as email, begin.month, count(*) as mentorships,
               count(*) filter (where at_end.counts) as mentorships_at_end,
               count(*) filter (where at_end.counts and mentor.paused @> at_end.day) as paused,
               coalesce(sum(mentor.mentees) filter (where at_end.counts), 0)::bigint as mentees
          from cadenced.program
          join cadenced.mentorship on mentorship.program_id = program.program_id
          join cadenced.membership
            on membership.mentorship_id = mentorship.mentorship_id and membership.role = 'mentor'
          join cadenced.person on person.person_id = membership.person_id
         cross join lateral (
           select cadenced.local_date((select cadenced.now()), program.time_zone) as today,
                  (select count(*) from cadenced.membership other
                    where other.mentorship_id = mentorship.mentorship_id and other.role = 'mentee') as mentees,
                  (select range_agg(daterange(pause.from_on, pause.until_on, '[]'))
                     from cadenced.mentorship_pause pause
                    where pause.mentorship_id = mentorship.mentorship_id) as paused
           offset 0
         ) as mentor
         cross join lateral generate_series(date_trunc('month', mentorship.starts_on::timestamp),
                                            least(mentorship.ends_on, mentor.today)::timestamp,
                                            interval '1 month') as begin (month)
         cross join lateral (
           select last.day, mentorship.ends_on is null or mentorship.ends_on >= last.day as counts
             from (select least((begin.month + interval '1 month')::date - 1, mentor.today) as day) as last
         ) as at_end
         where mentorship.starts_on <= mentor.today
         group by program.program_id, person.person_id, begin.month) as carried
  left join (
    -- By meeting first: one meeting of three mentorships is one hour of the mentor's time.
    select came.program, came.participant_id, came.email, came.month, count(*) filter (where came.held) as held,
           count(*) filter (where not came.held) as unknown, sum(came.minutes) as minutes
      from (select program.name as program, person.person_id as participant_id, person.address as email,
                   session.occurrence_id, clock.month,
                   bool_or(session.outcome = 'held' and participant.status = 'attended') as held,
                   max(session.overlap_minutes)
                     filter (where session.outcome = 'held' and participant.status = 'attended') as minutes
              from cadenced.program
              join cadenced.mentorship on mentorship.program_id = program.program_id
              join cadenced.session on session.mentorship_id = mentorship.mentorship_id
              join cadenced.participant on participant.session_id = session.session_id and participant.role = 'mentor'
              join cadenced.person on person.person_id = participant.person_id
             cross join lateral (
               select date_trunc('month', session.starts_at at time zone program.time_zone) as month offset 0
             ) as clock
             where session.settled_at is not null
               and (session.outcome = 'unknown'
                    or (session.outcome = 'held' and participant.status in ('attended', 'unknown')))
             group by program.program_id, person.person_id, session.occurrence_id, clock.month) as came
     group by came.program, came.participant_id, came.email, came.month
  ) as meeting
    on meeting.program = carried.program and meeting.participant_id = carried.participant_id
   and meeting.email = carried.email and meeting.month = carried.month
  left join cadenced.mentor_capacity capacity
    on capacity.program_id = carried.program_id and capacity.person_id = carried.participant_id;
comment on view mentoring.mentor_load is 'What every mentor carries in a month: mentorships and hours, against what they have room for. Who is too busy?';
comment on column mentoring.mentor_load.program is 'Name of the program.';
comment on column mentoring.mentor_load.participant_id is 'The mentor.';
comment on column mentoring.mentor_load.name is 'Name, as in the roster.';
comment on column mentoring.mentor_load.email is 'Primary address.';
comment on column mentoring.mentor_load.month is 'First day of the month, in the program''s zone. One row for each month in which they had a mentorship, up to the current one.';
comment on column mentoring.mentor_load.mentorships is 'Mentorships of theirs that ran on some day of the month.';
comment on column mentoring.mentor_load.mentorships_at_end is 'Mentorships that ran on its last day; in the current month, today.';
comment on column mentoring.mentor_load.paused is 'Of these, paused on that day. They keep their place.';
comment on column mentoring.mentor_load.mentees is 'Mentees of the mentorships that ran on that day.';
comment on column mentoring.mentor_load.held is 'Settled held meetings the mentor provably attended; a meeting of several mentorships once.';
comment on column mentoring.mentor_load.unknown is 'Settled meetings of the mentor that nobody can say about: they may have been hours, too.';
comment on column mentoring.mentor_load.verified_hours is 'Hours both sides were together in the held meetings, as recorded; a meeting of several mentorships once. Meetings confirmed by word alone have no recorded hours.';
comment on column mentoring.mentor_load.capacity is 'Mentorships at a time that they have room for, as the roster has it now; NULL = it does not say.';
comment on column mentoring.mentor_load.free_places is 'capacity - mentorships_at_end; below zero = too many.';
comment on column mentoring.mentor_load.load is 'mentorships_at_end / capacity; NULL when the capacity is zero or not known.';
comment on column mentoring.mentor_load.over_capacity is 'More mentorships than they have room for; NULL = not known.';
