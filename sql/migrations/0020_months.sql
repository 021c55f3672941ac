-- Why: the months of all programs must not be counted anew from five million sessions whenever somebody looks.
-- Their totals are kept; whatever changes a session, a pause, a member or a program's zone marks the months that it
-- touches in its own transaction, and a marked month is counted from the sessions until its total has been renewed.
-- So the view is never wrong, however late that happens, and no writer waits for another: marks are only ever added.
-- The indexes let the views be read by mentorship, program and address without reading whole tables.
-- Lock cost: reads cadenced.session once; builds indexes under a share lock (writers wait, readers do not).

create table cadenced.program_month_total (
  program_id bigint not null references cadenced.program on delete cascade,
  month date not null,
  scheduled bigint not null,
  held bigint not null,
  too_short bigint not null,
  one_sided bigint not null,
  no_one bigint not null,
  cancelled bigint not null,
  unknown bigint not null,
  pending bigint not null,
  paused bigint not null,
  late_cancelled bigint not null,
  rescheduled bigint not null,
  mentor_no_show bigint not null,
  mentee_no_show bigint not null,
  minutes numeric not null,
  scheduled_minutes numeric not null,
  primary key (program_id, month)
);
comment on table cadenced.program_month_total is 'What the sessions of a program and month add up to. Holds only for months that are not marked in stale_month.';
comment on column cadenced.program_month_total.program_id is 'The program.';
comment on column cadenced.program_month_total.month is 'First day of the month, in the program''s zone.';
comment on column cadenced.program_month_total.scheduled is 'All sessions. This and the counts that follow: as mentoring.program_month defines them.';
comment on column cadenced.program_month_total.held is 'Held.';
comment on column cadenced.program_month_total.too_short is 'Too short.';
comment on column cadenced.program_month_total.one_sided is 'One side came.';
comment on column cadenced.program_month_total.no_one is 'Nobody came.';
comment on column cadenced.program_month_total.cancelled is 'Cancelled.';
comment on column cadenced.program_month_total.unknown is 'Unknown.';
comment on column cadenced.program_month_total.pending is 'Not settled yet.';
comment on column cadenced.program_month_total.paused is 'Begun in a pause.';
comment on column cadenced.program_month_total.late_cancelled is 'Cancelled within a day of the start.';
comment on column cadenced.program_month_total.rescheduled is 'Moved at least once.';
comment on column cadenced.program_month_total.mentor_no_show is 'Missed by the mentor.';
comment on column cadenced.program_month_total.mentee_no_show is 'Missed by the mentee.';
comment on column cadenced.program_month_total.minutes is 'Minutes together, a meeting of several mentorships once.';
comment on column cadenced.program_month_total.scheduled_minutes is 'Minutes booked, a meeting of several mentorships once.';

create table cadenced.stale_month (
  program_id bigint not null,
  month date not null
);
create index stale_month_by_program on cadenced.stale_month (program_id, month);
comment on table cadenced.stale_month is 'Months that changed since their total was made. A month may stand here often: a mark that another transaction made cannot be relied upon, because it may be about to be removed.';
comment on column cadenced.stale_month.program_id is 'The program.';
comment on column cadenced.stale_month.month is 'First day of the month, in the program''s zone.';

create function cadenced.month_of(at timestamptz, zone text) returns date
  language sql stable parallel safe
  return date_trunc('month', at at time zone zone)::date;
comment on function cadenced.month_of(timestamptz, text) is 'First day of the month in which an instant lies, in a zone.';

-- A statement over any number of sessions marks each month once.
create function cadenced.mark_months_of_sessions() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into cadenced.stale_month (program_id, month)
  select distinct mentorship.program_id, cadenced.month_of(changed.starts_at, program.time_zone)
    from changed
    join cadenced.mentorship on mentorship.mentorship_id = changed.mentorship_id
    join cadenced.program on program.program_id = mentorship.program_id;
  return null;
end
$$;
comment on function cadenced.mark_months_of_sessions() is 'Marks the months of sessions that were added or removed.';

create function cadenced.mark_months_of_changed_sessions() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- As sets: joining the two by session would be a loop within a loop, because nobody knows how many rows they hold.
  -- When a session is judged next, or its number, counts nowhere and is left out.
  with was as materialized (
        select session_id, mentorship_id, occurrence_id, starts_at, ends_at, status, cancelled_at, outcome, outcome_reason,
               overlap_minutes, settled_at, reschedules
          from before
  ), its as materialized (
        select session_id, mentorship_id, occurrence_id, starts_at, ends_at, status, cancelled_at, outcome, outcome_reason,
               overlap_minutes, settled_at, reschedules
          from after
  ), changed as (
        (select * from was except select * from its)
        union all
        (select * from its except select * from was)
  )
  insert into cadenced.stale_month (program_id, month)
  select distinct mentorship.program_id, cadenced.month_of(changed.starts_at, program.time_zone)
    from changed
    join cadenced.mentorship on mentorship.mentorship_id = changed.mentorship_id
    join cadenced.program on program.program_id = mentorship.program_id;
  return null;
end
$$;
comment on function cadenced.mark_months_of_changed_sessions() is 'Marks the months in which changed sessions counted and count now.';

create trigger months_of_new_sessions after insert on cadenced.session
  referencing new table as changed for each statement execute function cadenced.mark_months_of_sessions();
create trigger months_of_removed_sessions after delete on cadenced.session
  referencing old table as changed for each statement execute function cadenced.mark_months_of_sessions();
create trigger months_of_changed_sessions after update on cadenced.session
  referencing old table as before new table as after
  for each statement execute function cadenced.mark_months_of_changed_sessions();

create function cadenced.forget_months() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  delete from cadenced.program_month_total;
  delete from cadenced.stale_month;
  return null;
end
$$;
comment on function cadenced.forget_months() is 'Nothing is left to count once all sessions are gone.';
create trigger months_of_no_sessions after truncate on cadenced.session
  for each statement execute function cadenced.forget_months();

-- By the sessions that lie in it, and not by its days: a pause may last for ever.
create function cadenced.mark_months_of_pause(paused cadenced.pause) returns void
  language sql security definer set search_path = ''
begin atomic
  insert into cadenced.stale_month (program_id, month)
  select distinct mentorship.program_id, cadenced.month_of(session.starts_at, program.time_zone)
    from (select (mark_months_of_pause.paused).mentorship_id as mentorship_id
           union
          select membership.mentorship_id from cadenced.membership
           where membership.person_id = (mark_months_of_pause.paused).person_id) as concerned
    join cadenced.mentorship on mentorship.mentorship_id = concerned.mentorship_id
    join cadenced.program on program.program_id = mentorship.program_id
    join cadenced.session on session.mentorship_id = mentorship.mentorship_id
   where (session.starts_at at time zone program.time_zone)::date
         between (mark_months_of_pause.paused).from_on and (mark_months_of_pause.paused).until_on;
end;
comment on function cadenced.mark_months_of_pause(cadenced.pause) is 'Marks the months of the sessions that lie in a pause.';

create function cadenced.mark_months_of_changed_pause() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op in ('UPDATE', 'DELETE') then perform cadenced.mark_months_of_pause(old); end if;
  if tg_op in ('INSERT', 'UPDATE') then perform cadenced.mark_months_of_pause(new); end if;
  return null;
end
$$;
comment on function cadenced.mark_months_of_changed_pause() is 'Marks the months that a pause takes out of the rates or gives back.';
create trigger months_of_changed_pause after insert or update or delete on cadenced.pause
  for each row execute function cadenced.mark_months_of_changed_pause();

-- A member's own pause is a pause of every mentorship of theirs, and so joins or leaves with them.
create function cadenced.mark_months_of_changed_member() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into cadenced.stale_month (program_id, month)
  select distinct mentorship.program_id, cadenced.month_of(session.starts_at, program.time_zone)
    from cadenced.pause
    join cadenced.mentorship on mentorship.mentorship_id in (old.mentorship_id, new.mentorship_id)
    join cadenced.program on program.program_id = mentorship.program_id
    join cadenced.session on session.mentorship_id = mentorship.mentorship_id
   where pause.person_id in (old.person_id, new.person_id)
     and (session.starts_at at time zone program.time_zone)::date between pause.from_on and pause.until_on;
  return null;
end
$$;
comment on function cadenced.mark_months_of_changed_member() is 'Marks the months of the sessions that lie in the pauses of somebody who joined or left.';
create trigger months_of_changed_member after insert or update or delete on cadenced.membership
  for each row execute function cadenced.mark_months_of_changed_member();

create function cadenced.mark_months_of_program() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into cadenced.stale_month (program_id, month)
  select new.program_id, month from cadenced.program_month_total where program_month_total.program_id = new.program_id
   union
  select new.program_id, cadenced.month_of(session.starts_at, new.time_zone)
    from cadenced.mentorship join cadenced.session on session.mentorship_id = mentorship.mentorship_id
   where mentorship.program_id = new.program_id;
  return null;
end
$$;
comment on function cadenced.mark_months_of_program() is 'Marks every month of a program whose zone changed.';
create trigger months_of_moved_program after update of time_zone on cadenced.program
  for each row when (old.time_zone is distinct from new.time_zone)
  execute function cadenced.mark_months_of_program();

insert into cadenced.stale_month (program_id, month)
select distinct mentorship.program_id, cadenced.month_of(session.starts_at, program.time_zone)
  from cadenced.session
  join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id;

create index alert_by_mentorship on cadenced.alert (mentorship_id);
create index mail_by_mentorship on cadenced.mail (mentorship_id) where mentorship_id is not null;
create index candidate_event_by_mentorship on cadenced.candidate_event (mentorship_id);
create index unmatched_event_by_program on cadenced.unmatched_event (program_id);
create index calendar_by_address on cadenced.calendar (address);
