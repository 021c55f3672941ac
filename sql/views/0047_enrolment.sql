-- Who takes part, who has somebody to meet, and who does meet.

create view mentoring.enrolment as
select program.name as program, known.person_id as participant_id, person.name, person.address as email, known.role,
       known.enrolled_on, known.ends_on, known.enrolled, known.enrolled and known.open_mentorships > 0 as matched,
       known.open_mentorships,
       case when known.enrolled and known.open_mentorships = 0
            then known.today - greatest(known.enrolled_on, known.last_ended_on + 1) end as days_waiting
  from cadenced.program
 cross join lateral (
   select each.person_id, each.role, clock.today, min(each.enrolled_on) as enrolled_on,
          case when bool_and(each.ends_on is not null) then max(each.ends_on) end as ends_on,
          bool_or(each.enrolled_on <= clock.today and (each.ends_on is null or each.ends_on >= clock.today)
                  or (each.mentorship_id is not null and (each.ends_on is null or each.ends_on >= clock.today)))
            as enrolled,
          count(*) filter (where each.mentorship_id is not null
                             and (each.ends_on is null or each.ends_on >= clock.today)) as open_mentorships,
          max(each.ends_on) filter (where each.mentorship_id is not null and each.ends_on < clock.today) as last_ended_on
     from (select cadenced.local_date((select cadenced.now()), program.time_zone) as today) as clock
    cross join lateral (
      select enrolment.person_id, enrolment.role, null::bigint as mentorship_id, enrolment.enrolled_on,
             enrolment.ends_on
        from cadenced.enrolment
       where enrolment.program_id = program.program_id
       union all
      select membership.person_id, membership.role, mentorship.mentorship_id, mentorship.starts_on, mentorship.ends_on
        from cadenced.mentorship
        join cadenced.membership on membership.mentorship_id = mentorship.mentorship_id
       where mentorship.program_id = program.program_id
    ) as each
    group by each.person_id, each.role, clock.today
 ) as known
  join cadenced.person on person.person_id = known.person_id;
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
select program, role, enrolled, matched, waiting, days_waiting_median, days_waiting_longest,
       cadenced.verified_share(matched, enrolled, enrolled) as match_rate_verified,
       cadenced.share(matched, enrolled) as match_rate_lower,
       cadenced.share(matched, enrolled) as match_rate_upper
  from (select person.program, person.role, count(*) as enrolled, count(*) filter (where person.matched) as matched,
               count(*) filter (where not person.matched) as waiting,
               round((percentile_cont(0.5) within group (order by person.days_waiting))::numeric, 1)
                 as days_waiting_median,
               max(person.days_waiting) as days_waiting_longest
          from (select enrolment.program, enrolment.role, enrolment.participant_id, bool_or(enrolment.matched) as matched,
                       case when not bool_or(enrolment.matched) then max(enrolment.days_waiting) end as days_waiting
                  from mentoring.enrolment
                 where enrolment.enrolled
                 group by grouping sets ((enrolment.program, enrolment.role, enrolment.participant_id),
                                         (enrolment.program, enrolment.participant_id))) as person
         group by person.program, person.role) as counted;
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
select program, role, days, participants, paused, engaged, unverified,
       cadenced.verified_share(engaged, participants - unverified, participants) as engagement_rate_verified,
       cadenced.share(engaged, participants) as engagement_rate_lower,
       cadenced.share(engaged + unverified, participants) as engagement_rate_upper,
       cadenced.share(participants - unverified, participants) as coverage
  from (select person.program, person.role, person.days,
               count(*) filter (where person.open) as participants,
               count(*) filter (where not person.open) as paused,
               count(*) filter (where person.open and person.engaged) as engaged,
               count(*) filter (where person.open and not person.engaged and person.unknown) as unverified
          from (select program.name as program, member.role, member.person_id, timespan.days,
                       bool_or(member.open) as open,
                       coalesce(bool_or(came.attended_on > program.today - timespan.days), false) as engaged,
                       coalesce(bool_or(came.unknown_on > program.today - timespan.days), false) as unknown
                  from (select program.program_id, program.name, program.time_zone,
                               cadenced.local_date((select cadenced.now()), program.time_zone) as today
                          from cadenced.program
                        offset 0) as program
                 cross join (values (30), (60), (90), (180), (365)) as timespan (days)
                 -- Members of whatever ran on some day of the time span; open: on some day without a pause.
                 cross join lateral (
                   select membership.person_id, membership.role,
                          bool_or(pauses.days is null or not pauses.days @> running.span) as open
                     from cadenced.mentorship
                    cross join lateral (
                      select daterange(greatest(mentorship.starts_on, program.today - timespan.days + 1),
                                       greatest(least(mentorship.ends_on, program.today) + 1,
                                                mentorship.starts_on,
                                                program.today - timespan.days + 1)) as span
                    ) as running
                    cross join lateral (
                      select range_agg(daterange(pause.from_on, pause.until_on, '[]')) as days
                        from cadenced.mentorship_pause pause
                       where pause.mentorship_id = mentorship.mentorship_id
                    ) as pauses
                     join cadenced.membership on membership.mentorship_id = mentorship.mentorship_id
                    where mentorship.program_id = program.program_id and not isempty(running.span)
                    group by membership.person_id, membership.role
                 ) as member
                  left join lateral (
                   select participant.person_id, participant.role,
                          max(cadenced.local_date(session.starts_at, program.time_zone))
                            filter (where session.outcome = 'held' and session.settled_at is not null
                                      and participant.status = 'attended') as attended_on,
                          max(cadenced.local_date(session.starts_at, program.time_zone))
                            filter (where session.settled_at is null or session.outcome = 'unknown'
                                       or (session.outcome = 'held' and participant.status = 'unknown')) as unknown_on
                     from cadenced.mentorship
                     join cadenced.session on session.mentorship_id = mentorship.mentorship_id
                     join cadenced.participant on participant.session_id = session.session_id
                    where mentorship.program_id = program.program_id
                      and session.starts_at <= (select cadenced.now())
                      and session.starts_at > (select cadenced.now()) - interval '367 days'
                      and (session.outcome = 'held'
                           or (session.status = 'scheduled' and session.outcome is distinct from 'cancelled'
                               and (session.settled_at is null or session.outcome = 'unknown')))
                    group by participant.person_id, participant.role
                 ) as came on came.person_id = member.person_id and came.role = member.role
                 group by grouping sets ((program.name, member.role, member.person_id, timespan.days),
                                         (program.name, member.person_id, timespan.days))) as person
         group by person.program, person.role, person.days) as counted;
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
