-- What mentors carry, against what they said they have room for.

create view mentoring.mentor_load as
select program.name as program, carried.person_id as participant_id, person.name, person.address as email,
       carried.month::date as month, carried.mentorships, carried.mentorships_at_end, carried.paused,
       carried.mentees, carried.held, carried.unknown, carried.verified_hours,
       capacity.mentorships as capacity, capacity.mentorships - carried.mentorships_at_end as free_places,
       cadenced.share(carried.mentorships_at_end, capacity.mentorships) as load,
       carried.mentorships_at_end > capacity.mentorships as over_capacity
  from cadenced.program
 cross join lateral (
   select cadenced.local_date((select cadenced.now()), program.time_zone) as today offset 0
 ) as clock
 cross join lateral (
   -- By meeting first: one meeting of three mentorships is one hour of the mentor's time.
   with meeting as materialized (
     select came.person_id, came.month, count(*) filter (where came.held) as held,
            count(*) filter (where not came.held) as unknown, sum(came.minutes) as minutes
       from (select session.person_id, session.occurrence_id, session.month,
                    bool_or(session.held) as held, max(session.minutes) filter (where session.held) as minutes
               from cadenced.mentorship
              -- The offset has the sessions of one mentorship read by index, whatever the planner thinks of many.
              cross join lateral (
                select participant.person_id, session.occurrence_id, session.overlap_minutes as minutes,
                       date_trunc('month', session.starts_at at time zone program.time_zone) as month,
                       session.outcome = 'held' and participant.status = 'attended' as held
                  from cadenced.session
                  join cadenced.participant on participant.session_id = session.session_id
                                           and participant.role = 'mentor'
                 where session.mentorship_id = mentorship.mentorship_id and session.settled_at is not null
                   and (session.outcome = 'unknown'
                        or (session.outcome = 'held' and participant.status in ('attended', 'unknown')))
                offset 0) as session
              where mentorship.program_id = program.program_id
              group by session.person_id, session.occurrence_id, session.month) as came
      group by came.person_id, came.month
   ), monthly as materialized (
     select mentor.person_id, begin.month, count(*) as mentorships,
            count(*) filter (where at_end.counts) as mentorships_at_end,
            count(*) filter (where at_end.counts and mentor.paused @> at_end.day) as paused,
            coalesce(sum(mentor.mentees) filter (where at_end.counts), 0)::bigint as mentees
       from cadenced.mentorship
      cross join lateral (
        select membership.person_id, pauses.days as paused,
               (select count(*) from cadenced.membership other
                 where other.mentorship_id = mentorship.mentorship_id and other.role = 'mentee') as mentees
          from cadenced.membership
         cross join (select range_agg(daterange(pause.from_on, pause.until_on, '[]')) as days
                       from cadenced.mentorship_pause pause
                      where pause.mentorship_id = mentorship.mentorship_id) as pauses
         where membership.mentorship_id = mentorship.mentorship_id and membership.role = 'mentor'
        offset 0) as mentor
      cross join lateral generate_series(date_trunc('month', mentorship.starts_on::timestamp),
                                         least(mentorship.ends_on, clock.today)::timestamp,
                                         interval '1 month') as begin (month)
      cross join lateral (
        select last.day, mentorship.ends_on is null or mentorship.ends_on >= last.day as counts
          from (select least((begin.month + interval '1 month')::date - 1, clock.today) as day) as last
      ) as at_end
      where mentorship.program_id = program.program_id and mentorship.starts_on <= clock.today
      group by mentor.person_id, begin.month
   )
   select monthly.*, coalesce(meeting.held, 0) as held, coalesce(meeting.unknown, 0) as unknown,
          round(coalesce(meeting.minutes, 0) / 60, 2) as verified_hours
     from monthly
     left join meeting on meeting.person_id = monthly.person_id and meeting.month = monthly.month
 ) as carried
 cross join lateral (select person.name, person.address from cadenced.person
                      where person.person_id = carried.person_id offset 0) as person
  left join cadenced.mentor_capacity capacity
    on capacity.program_id = program.program_id and capacity.person_id = carried.person_id;
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
