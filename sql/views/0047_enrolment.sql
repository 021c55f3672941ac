-- Who takes part, who has somebody to meet, and who does meet.

-- Flat, with both the program and the person in every branch: whoever asks for one of them has only its rows read.
create view mentoring.enrolment as
select known.program, known.participant_id, known.name, known.email, known.role, known.enrolled_on, known.ends_on,
       known.enrolled, known.enrolled and known.open_mentorships > 0 as matched, known.open_mentorships,
       case when known.enrolled and known.open_mentorships = 0
            then known.today - greatest(known.enrolled_on, known.last_ended_on + 1) end as days_waiting
  from (select each.program, each.participant_id, each.name, each.email, each.role, each.today,
               min(each.enrolled_on) as enrolled_on,
               case when bool_and(each.ends_on is not null) then max(each.ends_on) end as ends_on,
               bool_or(each.enrolled_on <= each.today and (each.ends_on is null or each.ends_on >= each.today)
                       or (each.in_mentorship and (each.ends_on is null or each.ends_on >= each.today)))
                 as enrolled,
               count(*) filter (where each.in_mentorship and (each.ends_on is null or each.ends_on >= each.today))
                 as open_mentorships,
               max(each.ends_on) filter (where each.in_mentorship and each.ends_on < each.today) as last_ended_on
          from (select program.name as program, cadenced.local_date((select cadenced.now()), program.time_zone) as today,
                       person.person_id as participant_id, person.name, person.address as email, enrolment.role,
                       enrolment.enrolled_on, enrolment.ends_on, false as in_mentorship
                  from cadenced.program
                  join cadenced.enrolment on enrolment.program_id = program.program_id
                  join cadenced.person on person.person_id = enrolment.person_id
                 union all
                select program.name, cadenced.local_date((select cadenced.now()), program.time_zone),
                       person.person_id, person.name, person.address, membership.role,
                       mentorship.starts_on, mentorship.ends_on, true
                  from cadenced.program
                  join cadenced.mentorship on mentorship.program_id = program.program_id
                  join cadenced.membership on membership.mentorship_id = mentorship.mentorship_id
                  join cadenced.person on person.person_id = membership.person_id) as each
         group by each.participant_id, each.role, each.program, each.name, each.email, each.today) as known;
comment on view mentoring.enrolment is 'Everybody who takes part or took part in a program: members of a mentorship, and those whom the roster names without one, because they wait.';
comment on column mentoring.enrolment.program is 'Name of the program.';
comment on column mentoring.enrolment.participant_id is 'The person.';
comment on column mentoring.enrolment.name is 'Name, as in the roster.';
comment on column mentoring.enrolment.email is 'Primary address.';
comment on column mentoring.enrolment.role is 'mentor, mentee or peer; who is both has two rows.';
comment on column mentoring.enrolment.enrolled_on is 'First day in the program in this role.';
comment on column mentoring.enrolment.ends_on is 'Last day; NULL = open.';
comment on column mentoring.enrolment.enrolled is 'Takes part today, or in a mentorship that has not ended.';
comment on column mentoring.enrolment.matched is 'Enrolled, and in a mentorship that has not ended; one that is still to begin counts.';
comment on column mentoring.enrolment.open_mentorships is 'Mentorships of theirs in this role that have not ended.';
comment on column mentoring.enrolment.days_waiting is 'Days since they enrolled, or since their last mentorship ended, of those who are enrolled and not matched.';

create view mentoring.match_rate as
select program.name as program, counted.role, counted.enrolled, counted.matched, counted.waiting,
       counted.days_waiting_median, counted.days_waiting_longest,
       cadenced.verified_share(counted.matched, counted.enrolled, counted.enrolled) as match_rate_verified,
       cadenced.share(counted.matched, counted.enrolled) as match_rate_lower,
       cadenced.share(counted.matched, counted.enrolled) as match_rate_upper
  from cadenced.program
 -- Program by program, so that whoever asks for one has only its people counted.
 cross join lateral (
   select person.role, count(*) as enrolled, count(*) filter (where person.matched) as matched,
          count(*) filter (where not person.matched) as waiting,
          round((percentile_cont(0.5) within group (order by person.days_waiting))::numeric, 1)
            as days_waiting_median,
          max(person.days_waiting) as days_waiting_longest
     from (select shown.role, bool_or(enrolment.matched) as matched,
                  case when not bool_or(enrolment.matched) then max(enrolment.days_waiting) end as days_waiting
             from mentoring.enrolment
            cross join lateral (values (enrolment.role), (null)) as shown (role)
            where enrolment.program = program.name and enrolment.enrolled
            group by shown.role, enrolment.participant_id) as person
    group by person.role
 ) as counted;
comment on view mentoring.match_rate is 'How many of the enrolled have somebody to meet, by role and for all. The roster has to name those who wait: rows without a mentorship.';
comment on column mentoring.match_rate.program is 'Name of the program.';
comment on column mentoring.match_rate.role is 'mentor, mentee or peer; NULL = everybody, each person once.';
comment on column mentoring.match_rate.enrolled is 'People enrolled today.';
comment on column mentoring.match_rate.matched is 'Of these, in at least one mentorship that has not ended.';
comment on column mentoring.match_rate.waiting is 'Of these, the others.';
comment on column mentoring.match_rate.days_waiting_median is 'Median of the days the others have waited so far.';
comment on column mentoring.match_rate.days_waiting_longest is 'The longest of these waits.';
comment on column mentoring.match_rate.match_rate_verified is 'matched / enrolled; NULL under five.';
comment on column mentoring.match_rate.match_rate_lower is 'matched / enrolled.';
comment on column mentoring.match_rate.match_rate_upper is 'The same: the roster knows, or does not say.';

create view mentoring.engagement as
select program.name as program, counted.role, counted.days, counted.participants, counted.paused, counted.engaged,
       counted.unverified,
       cadenced.verified_share(counted.engaged, counted.participants - counted.unverified, counted.participants)
         as engagement_rate_verified,
       cadenced.share(counted.engaged, counted.participants) as engagement_rate_lower,
       cadenced.share(counted.engaged + counted.unverified, counted.participants) as engagement_rate_upper,
       cadenced.share(counted.participants - counted.unverified, counted.participants) as coverage
  from cadenced.program
 cross join lateral (
   select cadenced.local_date((select cadenced.now()), program.time_zone) as today offset 0
 ) as clock
 cross join lateral (
   -- When everybody last came, and when they may have come: read once for all five times.
   with came as materialized (
     select session.person_id, session.role,
            max(session.starts_at) filter (where session.attended) as attended_at,
            max(session.starts_at) filter (where session.unknown) as unknown_at
       from cadenced.mentorship
      -- The offset has the sessions of one mentorship read by index, whatever the planner thinks of many.
      cross join lateral (
        select participant.person_id, participant.role, session.starts_at,
               session.outcome = 'held' and session.settled_at is not null and participant.status = 'attended'
                 as attended,
               session.settled_at is null or session.outcome = 'unknown'
                 or (session.outcome = 'held' and participant.status = 'unknown') as unknown
          from cadenced.session
          join cadenced.participant on participant.session_id = session.session_id
         where session.mentorship_id = mentorship.mentorship_id
           and session.starts_at <= (select cadenced.now())
           and session.starts_at > (select cadenced.now()) - interval '367 days'
           and ((session.outcome = 'held' and session.settled_at is not null)
                or (session.status = 'scheduled' and session.outcome is distinct from 'cancelled'
                    and (session.settled_at is null or session.outcome = 'unknown')))
        offset 0) as session
      where mentorship.program_id = program.program_id
      group by session.person_id, session.role
   ), member as materialized (
     select membership.person_id, membership.role, mentorship.starts_on,
            least(mentorship.ends_on, clock.today) as until_on, membership.paused
       from cadenced.mentorship
      cross join lateral (
        select membership.person_id, membership.role, pauses.days as paused
          from cadenced.membership
         cross join (select range_agg(daterange(pause.from_on, pause.until_on, '[]')) as days
                       from cadenced.mentorship_pause pause
                      where pause.mentorship_id = mentorship.mentorship_id) as pauses
         where membership.mentorship_id = mentorship.mentorship_id
        offset 0) as membership
      where mentorship.program_id = program.program_id
        and mentorship.starts_on <= clock.today
        and (mentorship.ends_on is null or mentorship.ends_on > clock.today - 365)
   ), person as (
     select shown.role, member.person_id, timespan.days,
            bool_or(member.paused is null
                    or not member.paused @> daterange(greatest(member.starts_on, clock.today - timespan.days + 1),
                                                      member.until_on + 1)) as open,
            bool_or(cadenced.local_date(came.attended_at, program.time_zone) > clock.today - timespan.days)
              as engaged,
            bool_or(cadenced.local_date(came.unknown_at, program.time_zone) > clock.today - timespan.days)
              as unknown
       from member
      cross join (values (30), (60), (90), (180), (365)) as timespan (days)
      cross join lateral (values (member.role), (null)) as shown (role)
       left join came on came.person_id = member.person_id and came.role = member.role
      where member.until_on > clock.today - timespan.days
      group by shown.role, member.person_id, timespan.days
   )
   select person.role, person.days,
          count(*) filter (where person.open) as participants,
          count(*) filter (where not person.open) as paused,
          count(*) filter (where person.open and person.engaged) as engaged,
          count(*) filter (where person.open and person.engaged is not true and person.unknown) as unverified
     from person
    group by person.role, person.days
 ) as counted;
comment on view mentoring.engagement is 'How many of the people in a running mentorship met at all in the last 30, 60, 90, 180 and 365 days. Attendance, not answers to invitations.';
comment on column mentoring.engagement.program is 'Name of the program.';
comment on column mentoring.engagement.role is 'mentor, mentee or peer; NULL = everybody, each person once.';
comment on column mentoring.engagement.days is 'The last 30, 60, 90, 180 or 365 days, today included.';
comment on column mentoring.engagement.participants is 'People with a mentorship that ran on some day of this time that was no pause.';
comment on column mentoring.engagement.paused is 'People whose every mentorship of this time was paused throughout. In no rate.';
comment on column mentoring.engagement.engaged is 'Participants who provably attended a settled held session of this time.';
comment on column mentoring.engagement.unverified is 'Participants who did only if they attended a session that nobody can say about, or that is not settled.';
comment on column mentoring.engagement.engagement_rate_verified is 'engaged / (participants - unverified); NULL under five, or when fewer than half are verified.';
comment on column mentoring.engagement.engagement_rate_lower is 'engaged / participants.';
comment on column mentoring.engagement.engagement_rate_upper is '(engaged + unverified) / participants.';
comment on column mentoring.engagement.coverage is '(participants - unverified) / participants.';
