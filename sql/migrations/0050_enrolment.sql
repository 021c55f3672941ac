-- Why: who is enrolled and waits for a mentorship, how much a mentor has room for, which end a mentorship was given
-- before it ended sooner, and who said that a mentorship pauses. Without these there is no match rate, no load, no
-- early closure, and no answer to "who took these sessions out of my numbers?".
-- Lock cost: new tables; adds columns to cadenced.mentorship and cadenced.pause (exclusive lock for a moment, no
-- rewrite) and writes cadenced.mentorship once.

create table cadenced.enrolment (
  program_id bigint not null references cadenced.program on delete cascade,
  person_id bigint not null references cadenced.person on delete cascade,
  role text not null constraint enrolment_role_is_known check (role in ('mentor', 'mentee', 'peer')),
  enrolled_on date not null,
  ends_on date,
  primary key (program_id, person_id, role),
  constraint enrolment_ends_after_it_starts check (ends_on is null or ends_on >= enrolled_on)
);
create index enrolment_by_person on cadenced.enrolment (person_id);
comment on table cadenced.enrolment is 'Who takes part in a program without the roster having to name a mentorship. Members of a mentorship are enrolled by it and need no row here.';
comment on column cadenced.enrolment.program_id is 'The program.';
comment on column cadenced.enrolment.person_id is 'Who.';
comment on column cadenced.enrolment.role is 'As what: mentor, mentee or peer.';
comment on column cadenced.enrolment.enrolled_on is 'First day, in the program''s zone: the roster''s starts_on, else the day of the import.';
comment on column cadenced.enrolment.ends_on is 'Last day; NULL = open.';

create table cadenced.mentor_capacity (
  program_id bigint not null references cadenced.program on delete cascade,
  person_id bigint not null references cadenced.person on delete cascade,
  mentorships integer not null constraint mentor_capacity_is_not_negative check (mentorships >= 0),
  primary key (program_id, person_id)
);
create index mentor_capacity_by_person on cadenced.mentor_capacity (person_id);
comment on table cadenced.mentor_capacity is 'How many mentorships at a time a mentor has room for in a program, where the roster says it.';
comment on column cadenced.mentor_capacity.program_id is 'The program.';
comment on column cadenced.mentor_capacity.person_id is 'The mentor.';
comment on column cadenced.mentor_capacity.mentorships is 'How many at a time; 0 = takes none at present.';

alter table cadenced.mentorship add column planned_ends_on date;
comment on column cadenced.mentorship.planned_ends_on is 'The latest last day that was ever given ahead of time; an end given for a sooner day leaves it as it is. NULL = no end was planned.';

create function cadenced.keep_planned_end() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  today date;
begin
  if tg_op = 'UPDATE' and new.ends_on is not distinct from old.ends_on then return new; end if;
  if new.ends_on is null then
    -- Open again: whatever was planned is off.
    new.planned_ends_on := null;
    return new;
  end if;
  select (cadenced.now() at time zone program.time_zone)::date into today
    from cadenced.program where program.program_id = new.program_id;
  -- An end that is given on its day or later tells what happened, not what was planned.
  if new.ends_on > today and new.ends_on > coalesce(new.planned_ends_on, '-infinity') then
    new.planned_ends_on := new.ends_on;
  end if;
  return new;
end
$$;
comment on function cadenced.keep_planned_end() is 'Keeps the end a mentorship was meant to have when it is ended sooner.';
create trigger keep_planned_end before insert or update of ends_on on cadenced.mentorship
  for each row execute function cadenced.keep_planned_end();

update cadenced.mentorship set planned_ends_on = mentorship.ends_on
  from cadenced.program
 where program.program_id = mentorship.program_id
   and mentorship.ends_on > (cadenced.now() at time zone program.time_zone)::date;

alter table cadenced.pause add column source text not null default 'statement'
  constraint pause_source_is_known check (source in ('statement', 'roster'));
comment on column cadenced.pause.source is 'statement (a function of schema mentoring, or a command) or roster. A roster changes only what a roster said.';

create table cadenced.pause_history (
  history_id bigint generated always as identity primary key,
  pause_id bigint not null,
  change text not null constraint pause_history_change_is_known check (change in ('added', 'changed', 'taken_back')),
  mentorship_id bigint references cadenced.mentorship on delete cascade,
  person_id bigint references cadenced.person on delete cascade,
  from_on date not null,
  until_on date not null,
  reason text,
  said_by text,
  recorded_by text not null,
  said_at timestamptz not null
);
create index pause_history_by_pause on cadenced.pause_history (pause_id);
create index pause_history_by_mentorship on cadenced.pause_history (mentorship_id) where mentorship_id is not null;
create index pause_history_by_person on cadenced.pause_history (person_id) where person_id is not null;
comment on table cadenced.pause_history is 'Every word about a pause, who said it and when. Append-only: a pause takes sessions out of every rate.';
comment on column cadenced.pause_history.history_id is 'Surrogate key.';
comment on column cadenced.pause_history.pause_id is 'The pause; it may have been taken back since.';
comment on column cadenced.pause_history.change is 'added, changed or taken_back.';
comment on column cadenced.pause_history.mentorship_id is 'The paused mentorship, or NULL.';
comment on column cadenced.pause_history.person_id is 'The paused person, or NULL.';
comment on column cadenced.pause_history.from_on is 'First paused day after the change.';
comment on column cadenced.pause_history.until_on is 'Last paused day after the change.';
comment on column cadenced.pause_history.reason is 'Why, in somebody''s words.';
comment on column cadenced.pause_history.said_by is 'Who says so, as they gave it; NULL = they did not.';
comment on column cadenced.pause_history.recorded_by is 'The database user who wrote it.';
comment on column cadenced.pause_history.said_at is 'When (business time).';

create trigger pause_history_is_append_only before update on cadenced.pause_history
  for each statement execute function cadenced.refuse_change();

create function cadenced.keep_pause_history() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  its cadenced.pause;
begin
  if tg_op = 'DELETE' then its := old; else its := new; end if;
  -- With the mentorship or the person goes everything that was said about them.
  if tg_op = 'DELETE' and not exists (select from cadenced.mentorship where mentorship.mentorship_id = its.mentorship_id)
     and not exists (select from cadenced.person where person.person_id = its.person_id) then
    return null;
  end if;
  insert into cadenced.pause_history
    (pause_id, change, mentorship_id, person_id, from_on, until_on, reason, said_by, recorded_by, said_at)
  values
    (its.pause_id, case tg_op when 'INSERT' then 'added' when 'UPDATE' then 'changed' else 'taken_back' end,
     its.mentorship_id, its.person_id, its.from_on, its.until_on, its.reason,
     nullif(pg_catalog.current_setting('cadenced.said_by', true), ''), session_user, cadenced.now());
  return null;
end
$$;
comment on function cadenced.keep_pause_history() is 'Writes down who added, changed or took back a pause.';
create trigger keep_pause_history after insert or update or delete on cadenced.pause
  for each row execute function cadenced.keep_pause_history();
