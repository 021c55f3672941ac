-- Who came, counted by person and by role. A person is asked about the sessions they were invited to, and nothing
-- else: somebody whom a record cannot identify is unknown, never absent.

create view cadenced.participant_count as
select fact.program, fact.month, fact.occurrence_id, participant.person_id, participant.role,
       1 as invited,
       eligible.is::int as eligible,
       (eligible.is and participant.status is not distinct from 'attended')::int as attended,
       (eligible.is and participant.status is not distinct from 'absent')::int as absent,
       (eligible.is and participant.status is not distinct from 'excused')::int as excused,
       (eligible.is and coalesce(participant.status, 'unknown') = 'unknown')::int as unknown,
       fact.cancelled, fact.pending, fact.paused, fact.on_holiday, fact.after_end,
       case when fact.counts not in ('cancelled', 'pending') and participant.status = 'attended'
            then participant.minutes end as minutes
  from cadenced.session_count fact
  join cadenced.participant on participant.session_id = fact.session_id
 cross join lateral (
   select fact.counts in ('held', 'too_short', 'one_sided', 'no_one', 'unknown') as is
 ) as eligible;
comment on view cadenced.participant_count is 'Every invitation of every session as what it adds to the columns of the views about people.';

create function cadenced.participant_rates(eligible bigint, attended bigint, absent bigint, unknown bigint)
  returns table (
    participant_attendance_rate_verified numeric, participant_attendance_rate_lower numeric,
    participant_attendance_rate_upper numeric,
    participant_no_show_rate_verified numeric, participant_no_show_rate_lower numeric,
    participant_no_show_rate_upper numeric, coverage numeric)
  language sql immutable parallel safe
begin atomic
  select cadenced.verified_share(attended, eligible - unknown, eligible),
         cadenced.share(attended, eligible),
         cadenced.share(attended + unknown, eligible),
         cadenced.verified_share(absent, eligible - unknown, eligible),
         cadenced.share(absent, eligible),
         cadenced.share(absent + unknown, eligible),
         cadenced.share(eligible - unknown, eligible);
end;
comment on function cadenced.participant_rates(bigint, bigint, bigint, bigint) is 'What follows from the counts of a person, said once for every view that shows it. Written into the query that calls it.';

create view mentoring.participant_month as
select counted.program, counted.participant_id, counted.name, counted.email, counted.role, counted.month,
       counted.invited, counted.attended, counted.absent, counted.excused, counted.unknown, counted.eligible,
       counted.cancelled, counted.pending, counted.paused, counted.on_holiday, counted.after_end, counted.hours,
       rates.participant_attendance_rate_verified, rates.participant_attendance_rate_lower,
       rates.participant_attendance_rate_upper, rates.participant_no_show_rate_verified,
       rates.participant_no_show_rate_lower, rates.participant_no_show_rate_upper, rates.coverage
  from (select program, participant_id, name, email, role, month,
               sum(eligible)::bigint + sum(cancelled) + sum(pending) + sum(paused) as invited,
               sum(attended)::bigint as attended, sum(absent)::bigint as absent,
               sum(excused)::bigint as excused, sum(unknown)::bigint as unknown, sum(eligible)::bigint as eligible,
               sum(cancelled)::bigint as cancelled, sum(pending)::bigint as pending, sum(paused)::bigint as paused,
               sum(on_holiday)::bigint as on_holiday, sum(after_end)::bigint as after_end,
               round(coalesce(sum(minutes), 0) / 60, 2) as hours
          -- Counted by meeting first: one meeting of three mentorships is three sessions, but one hour. As plain
          -- integers, whose sums need no numeric.
          from (select fact.program, person.person_id as participant_id, person.name, person.address as email,
                       fact.role, fact.month, fact.occurrence_id,
                       sum(fact.attended)::int as attended, sum(fact.absent)::int as absent,
                       sum(fact.excused)::int as excused, sum(fact.unknown)::int as unknown,
                       sum(fact.eligible)::int as eligible, sum(fact.cancelled)::int as cancelled,
                       sum(fact.pending)::int as pending, sum(fact.paused)::int as paused,
                       sum(fact.on_holiday)::int as on_holiday, sum(fact.after_end)::int as after_end,
                       max(fact.minutes) as minutes
                  from cadenced.participant_count fact
                  join cadenced.person on person.person_id = fact.person_id
                 group by person.person_id, fact.month, fact.occurrence_id, fact.role, fact.program) as meeting
         group by participant_id, month, role, program, name, email) as counted
 cross join lateral cadenced.participant_rates(
        counted.eligible, counted.attended, counted.absent, counted.unknown) as rates;

create view mentoring.participant_attendance as
select counted.program, counted.participant_id, counted.name, counted.email, counted.role,
       counted.invited, counted.attended, counted.absent, counted.excused, counted.unknown, counted.eligible,
       counted.cancelled, counted.pending, counted.paused, counted.on_holiday, counted.after_end, counted.hours,
       rates.participant_attendance_rate_verified, rates.participant_attendance_rate_lower,
       rates.participant_attendance_rate_upper, rates.participant_no_show_rate_verified,
       rates.participant_no_show_rate_lower, rates.participant_no_show_rate_upper, rates.coverage
  from (select program, participant_id, name, email, role,
               sum(eligible)::bigint + sum(cancelled) + sum(pending) + sum(paused) as invited,
               sum(attended)::bigint as attended, sum(absent)::bigint as absent,
               sum(excused)::bigint as excused, sum(unknown)::bigint as unknown, sum(eligible)::bigint as eligible,
               sum(cancelled)::bigint as cancelled, sum(pending)::bigint as pending, sum(paused)::bigint as paused,
               sum(on_holiday)::bigint as on_holiday, sum(after_end)::bigint as after_end,
               round(coalesce(sum(minutes), 0) / 60, 2) as hours
          from (select fact.program, person.person_id as participant_id, person.name, person.address as email,
                       fact.role, fact.occurrence_id,
                       sum(fact.attended)::int as attended, sum(fact.absent)::int as absent,
                       sum(fact.excused)::int as excused, sum(fact.unknown)::int as unknown,
                       sum(fact.eligible)::int as eligible, sum(fact.cancelled)::int as cancelled,
                       sum(fact.pending)::int as pending, sum(fact.paused)::int as paused,
                       sum(fact.on_holiday)::int as on_holiday, sum(fact.after_end)::int as after_end,
                       max(fact.minutes) as minutes
                  from cadenced.participant_count fact
                  join cadenced.person on person.person_id = fact.person_id
                 group by person.person_id, fact.occurrence_id, fact.role, fact.program) as meeting
         group by participant_id, role, program, name, email) as counted
 cross join lateral cadenced.participant_rates(
        counted.eligible, counted.attended, counted.absent, counted.unknown) as rates;

create view mentoring.role_month as
select counted.program, counted.role, counted.month, counted.people,
       counted.invited, counted.attended, counted.absent, counted.excused, counted.unknown, counted.eligible,
       counted.cancelled, counted.pending, counted.paused, counted.on_holiday, counted.after_end,
       rates.participant_attendance_rate_verified, rates.participant_attendance_rate_lower,
       rates.participant_attendance_rate_upper, rates.participant_no_show_rate_verified,
       rates.participant_no_show_rate_lower, rates.participant_no_show_rate_upper, rates.coverage
  from (select fact.program, fact.role, fact.month, count(distinct fact.person_id) as people,
               sum(fact.invited) as invited, sum(fact.attended) as attended, sum(fact.absent) as absent,
               sum(fact.excused) as excused, sum(fact.unknown) as unknown, sum(fact.eligible) as eligible,
               sum(fact.cancelled) as cancelled, sum(fact.pending) as pending, sum(fact.paused) as paused,
               sum(fact.on_holiday) as on_holiday, sum(fact.after_end) as after_end
          from cadenced.participant_count fact
         group by fact.month, fact.role, fact.program) as counted
 cross join lateral cadenced.participant_rates(
        counted.eligible, counted.attended, counted.absent, counted.unknown) as rates;

comment on view mentoring.participant_month is 'How often each person came to the sessions they were invited to, by month and role.';
comment on view mentoring.participant_attendance is 'How often each person came to the sessions they were invited to, all months together; who is mentor and mentee has two rows.';
comment on view mentoring.role_month is 'How often mentors, mentees and peers came to the sessions they were invited to, by month.';
comment on column mentoring.participant_month.month is 'First day of the month, in the program''s zone; a session counts where its scheduled start lies.';
comment on column mentoring.role_month.month is 'First day of the month, in the program''s zone; a session counts where its scheduled start lies.';
comment on column mentoring.role_month.people is 'Different people who were invited.';
comment on column mentoring.participant_month.hours is 'Hours in the conference, as recorded; a meeting of several mentorships once. Held sessions in a pause included.';
comment on column mentoring.participant_attendance.hours is 'Hours in the conference, as recorded; a meeting of several mentorships once. Held sessions in a pause included.';

do $$
declare
  told record;
begin
  for told in
    select shown.view, meaning.column_name, meaning.definition
      from (values ('participant_month'), ('participant_attendance'), ('role_month')) as shown (view)
     cross join (values
       ('program', 'Name of the program.'),
       ('participant_id', 'The person; the same in every view.'),
       ('name', 'Name, as in the roster.'),
       ('email', 'Primary address.'),
       ('role', 'mentor, mentee or peer, as they were invited.'),
       ('invited', 'Invitations to sessions, cancelled and coming ones included: the sum of eligible, cancelled, pending and paused.'),
       ('attended', 'Eligible sessions they provably came to.'),
       ('absent', 'Eligible sessions they provably did not come to, without a word.'),
       ('excused', 'Eligible sessions they had declined, or were excused from, and did not come to.'),
       ('unknown', 'Eligible sessions of which nobody can say whether they came. Neither attended nor missed.'),
       ('eligible', 'attended + absent + excused + unknown: invitations to sessions that settled, were not cancelled and are not in paused.'),
       ('cancelled', 'Invitations to sessions that were cancelled.'),
       ('pending', 'Invitations to sessions still to come or not yet settled. In no rate.'),
       ('paused', 'Invitations to sessions taken out of every rate: in a pause, on a holiday, or after the end of the mentorship.'),
       ('on_holiday', 'Of paused: on a holiday of the program.'),
       ('after_end', 'Of paused: after the last day of the mentorship.'),
       ('participant_attendance_rate_verified', 'attended / (eligible - unknown); NULL under five known invitations or when fewer than half are known.'),
       ('participant_attendance_rate_lower', 'attended / eligible: as if they had missed every unknown session.'),
       ('participant_attendance_rate_upper', '(attended + unknown) / eligible: as if they had come to every unknown session.'),
       ('participant_no_show_rate_verified', 'absent / (eligible - unknown); NULL as above. Absence is proven, never guessed.'),
       ('participant_no_show_rate_lower', 'absent / eligible.'),
       ('participant_no_show_rate_upper', '(absent + unknown) / eligible.'),
       ('coverage', '(eligible - unknown) / eligible: how much of the truth the verified rates rest on.')
     ) as meaning (column_name, definition)
     join pg_catalog.pg_attribute attribute
       on attribute.attrelid = format('mentoring.%I', shown.view)::regclass
      and attribute.attname = meaning.column_name
  loop
    execute format('comment on column mentoring.%I.%I is %L', told.view, told.column_name, told.definition);
  end loop;
end
$$;
