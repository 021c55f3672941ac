-- Why: comparing every mentorship with its alerts costs a fifth of a millisecond each, and used to be done for all of
-- them whenever one session had changed. Whatever changes where a mentorship stands now marks it in its own
-- transaction, and only marked ones are compared; what passes with time alone is found when a program's turn comes.
-- A lost mark is therefore late by an hour at most, and never lost.
-- Lock cost: two new tables; replaces triggers, which waits for writers of each table and blocks them for a moment.

create table cadenced.cadence_look (
  program_id bigint primary key references cadenced.program on delete cascade,
  look_at timestamptz not null
);
comment on table cadenced.cadence_look is 'When all mentorships of a program are compared with their alerts again. A program without a row is due.';
comment on column cadenced.cadence_look.program_id is 'The program.';
comment on column cadenced.cadence_look.look_at is 'The next look (business time): when a day begins in the program''s zone, and at least every hour.';

create table cadenced.cadence_mark (
  mentorship_id bigint not null
);
create index cadence_mark_by_mentorship on cadenced.cadence_mark (mentorship_id);
comment on table cadenced.cadence_mark is 'Mentorships whose standing may have changed since they were compared with their alerts. One may stand here often: marks are only ever added, so that no writer waits for another.';
comment on column cadenced.cadence_mark.mentorship_id is 'The mentorship.';

create function cadenced.mark_changed_sessions() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  with marked as (
    insert into cadenced.cadence_mark (mentorship_id) select distinct mentorship_id from changed
  )
  insert into cadenced.stale_month (program_id, month)
  select distinct mentorship.program_id, cadenced.month_of(changed.starts_at, program.time_zone)
    from changed
    join cadenced.mentorship on mentorship.mentorship_id = changed.mentorship_id
    join cadenced.program on program.program_id = mentorship.program_id;
  return null;
end
$$;
comment on function cadenced.mark_changed_sessions() is 'Marks the months and the mentorships of sessions that were added or removed.';

create function cadenced.mark_updated_sessions() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- As sets: joining the two by session would be a loop within a loop, because nobody knows how many rows they hold.
  -- When a session is judged next, or its number, counts nowhere and is left out.
  with was as materialized (
        select session_id, mentorship_id, occurrence_id, starts_at, ends_at, status, cancelled_at, cancelled_by, outcome,
               outcome_reason, overlap_minutes, settled_at, reschedules, first_seen_at, first_starts_at, start_delay_minutes
          from before
  ), its as materialized (
        select session_id, mentorship_id, occurrence_id, starts_at, ends_at, status, cancelled_at, cancelled_by, outcome,
               outcome_reason, overlap_minutes, settled_at, reschedules, first_seen_at, first_starts_at, start_delay_minutes
          from after
  ), changed as materialized (
        (select * from was except select * from its)
        union all
        (select * from its except select * from was)
  ), marked as (
    insert into cadenced.cadence_mark (mentorship_id) select distinct mentorship_id from changed
  )
  insert into cadenced.stale_month (program_id, month)
  select distinct mentorship.program_id, cadenced.month_of(changed.starts_at, program.time_zone)
    from changed
    join cadenced.mentorship on mentorship.mentorship_id = changed.mentorship_id
    join cadenced.program on program.program_id = mentorship.program_id;
  return null;
end
$$;
comment on function cadenced.mark_updated_sessions() is 'Marks the months in which changed sessions counted and count now, and their mentorships.';

drop trigger months_of_new_sessions on cadenced.session;
drop trigger months_of_removed_sessions on cadenced.session;
drop trigger months_of_changed_sessions on cadenced.session;
drop function cadenced.mark_months_of_sessions();
drop function cadenced.mark_months_of_changed_sessions();
create trigger marks_of_new_sessions after insert on cadenced.session
  referencing new table as changed for each statement execute function cadenced.mark_changed_sessions();
create trigger marks_of_removed_sessions after delete on cadenced.session
  referencing old table as changed for each statement execute function cadenced.mark_changed_sessions();
create trigger marks_of_updated_sessions after update on cadenced.session
  referencing old table as before new table as after
  for each statement execute function cadenced.mark_updated_sessions();

-- A session that a whole side has declined is not a plan to meet.
create function cadenced.mark_mentorship_of_answer() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into cadenced.cadence_mark (mentorship_id)
  select session.mentorship_id from cadenced.session where session.session_id = new.session_id;
  return null;
end
$$;
comment on function cadenced.mark_mentorship_of_answer() is 'Marks the mentorship of a session that somebody accepted or declined.';
create trigger mark_of_answer after update of rsvp on cadenced.participant
  for each row when (old.rsvp is distinct from new.rsvp)
  execute function cadenced.mark_mentorship_of_answer();

create function cadenced.mark_changed_mentorships() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into cadenced.cadence_mark (mentorship_id) select distinct mentorship_id from changed;
  return null;
end
$$;
comment on function cadenced.mark_changed_mentorships() is 'Marks mentorships whose dates or members changed.';
create trigger marks_of_new_mentorships after insert on cadenced.mentorship
  referencing new table as changed for each statement execute function cadenced.mark_changed_mentorships();
create trigger marks_of_changed_mentorships after update on cadenced.mentorship
  referencing new table as changed for each statement execute function cadenced.mark_changed_mentorships();
create trigger marks_of_new_members after insert on cadenced.membership
  referencing new table as changed for each statement execute function cadenced.mark_changed_mentorships();
create trigger marks_of_removed_members after delete on cadenced.membership
  referencing old table as changed for each statement execute function cadenced.mark_changed_mentorships();

create function cadenced.mark_mentorships_of_pause() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into cadenced.cadence_mark (mentorship_id)
  select mentorship_id from changed where mentorship_id is not null
   union
  select membership.mentorship_id from changed join cadenced.membership on membership.person_id = changed.person_id;
  return null;
end
$$;
comment on function cadenced.mark_mentorships_of_pause() is 'Marks the mentorships that a pause is for.';
create trigger marks_of_new_pauses after insert on cadenced.pause
  referencing new table as changed for each statement execute function cadenced.mark_mentorships_of_pause();
create trigger marks_of_changed_pauses after update on cadenced.pause
  referencing new table as changed for each statement execute function cadenced.mark_mentorships_of_pause();
create trigger marks_of_removed_pauses after delete on cadenced.pause
  referencing old table as changed for each statement execute function cadenced.mark_mentorships_of_pause();

-- Rules, zone and begin of a program concern all its mentorships.
create function cadenced.mark_mentorships_of_program() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into cadenced.cadence_mark (mentorship_id)
  select mentorship.mentorship_id from cadenced.mentorship where mentorship.program_id = new.program_id;
  return null;
end
$$;
comment on function cadenced.mark_mentorships_of_program() is 'Marks all mentorships of a program.';
create trigger marks_of_policy after insert or update on cadenced.program_policy
  for each row execute function cadenced.mark_mentorships_of_program();
create trigger marks_of_changed_program after update of time_zone, live_from on cadenced.program
  for each row when ((old.time_zone, old.live_from) is distinct from (new.time_zone, new.live_from))
  execute function cadenced.mark_mentorships_of_program();

-- Sight is lost and found again with a calendar's state, or when one is read after two days in which it was not.
create function cadenced.mark_mentorships_of_calendar() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into cadenced.cadence_mark (mentorship_id)
  select membership.mentorship_id from cadenced.membership where membership.person_id = new.person_id
   union
  select mentorship.mentorship_id from cadenced.mentorship where mentorship.program_id = new.program_id;
  return null;
end
$$;
comment on function cadenced.mark_mentorships_of_calendar() is 'Marks the mentorships that a calendar gives sight of.';
create trigger marks_of_calendar after update of state, retired_at, last_complete_pass_at on cadenced.calendar
  for each row when (old.state is distinct from new.state
                     or (old.retired_at is null) is distinct from (new.retired_at is null)
                     or (new.last_complete_pass_at is not null
                         and coalesce(old.last_complete_pass_at < new.last_complete_pass_at - interval '2 days', true)))
  execute function cadenced.mark_mentorships_of_calendar();
