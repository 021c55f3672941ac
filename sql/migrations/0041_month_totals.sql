-- Why: the months say more than before: who called sessions off, how far they were moved, how early they were booked,
-- how late they began; and what is taken out of the rates besides pauses: holidays, and what lies after the end.
-- Their kept totals grow by these counts, and whatever changes them marks the months that it touches.
-- Lock cost: columns without a rewrite; every month is counted once more, in the background.

alter table cadenced.program_month_total
  add column on_holiday bigint not null default 0,
  add column after_end bigint not null default 0,
  add column peer_no_show bigint not null default 0,
  add column cancelled_by_mentor bigint not null default 0,
  add column cancelled_by_mentee bigint not null default 0,
  add column cancelled_by_peer bigint not null default 0,
  add column cancelled_by_other bigint not null default 0,
  add column moves bigint not null default 0,
  add column slip_known bigint not null default 0,
  add column slip_days numeric not null default 0,
  add column slip_days_median numeric,
  add column lead_known bigint not null default 0,
  add column lead_days numeric not null default 0,
  add column lead_days_median numeric,
  add column starts_known bigint not null default 0,
  add column late_starts bigint not null default 0,
  add column start_delay_minutes numeric not null default 0;
comment on column cadenced.program_month_total.paused is 'Begun in a pause, on a holiday or after the end.';
comment on column cadenced.program_month_total.on_holiday is 'Of these, on a holiday.';
comment on column cadenced.program_month_total.after_end is 'Of these, after the end of the mentorship.';
comment on column cadenced.program_month_total.peer_no_show is 'Missed by all peers but one.';
comment on column cadenced.program_month_total.cancelled_by_mentor is 'Called off by a mentor.';
comment on column cadenced.program_month_total.cancelled_by_mentee is 'Called off by a mentee.';
comment on column cadenced.program_month_total.cancelled_by_peer is 'Called off by a peer.';
comment on column cadenced.program_month_total.cancelled_by_other is 'Called off by somebody outside of the mentorship.';
comment on column cadenced.program_month_total.moves is 'How often starts were moved.';
comment on column cadenced.program_month_total.slip_known is 'Moved meetings of which the first start is known.';
comment on column cadenced.program_month_total.slip_days is 'Days between their first and their last start, summed.';
comment on column cadenced.program_month_total.slip_days_median is 'The median of these days.';
comment on column cadenced.program_month_total.lead_known is 'Meetings that were seen before they began.';
comment on column cadenced.program_month_total.lead_days is 'Days from then to their start, summed.';
comment on column cadenced.program_month_total.lead_days_median is 'The median of these days.';
comment on column cadenced.program_month_total.starts_known is 'Held sessions of which both arrivals are recorded.';
comment on column cadenced.program_month_total.late_starts is 'Of these, begun more than five minutes late.';
comment on column cadenced.program_month_total.start_delay_minutes is 'Minutes of delay of all of these, early ones as none.';

create or replace function cadenced.mark_months_of_changed_sessions() returns trigger
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

-- Sessions after the last day of a mentorship count in no rate, and the roster may move that day at any time.
create function cadenced.mark_months_of_ended_mentorship() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into cadenced.stale_month (program_id, month)
  select distinct new.program_id, cadenced.month_of(session.starts_at, program.time_zone)
    from cadenced.program
    join cadenced.session on session.mentorship_id = new.mentorship_id
   where program.program_id = new.program_id
     and (session.starts_at at time zone program.time_zone)::date > least(old.ends_on, new.ends_on);
  return null;
end
$$;
comment on function cadenced.mark_months_of_ended_mentorship() is 'Marks the months of the sessions that come to lie before or after the end of their mentorship.';
create trigger months_of_ended_mentorship after update of ends_on on cadenced.mentorship
  for each row when (old.ends_on is distinct from new.ends_on)
  execute function cadenced.mark_months_of_ended_mentorship();

-- By the days of the holidays and not by the sessions: a new policy of every program must not read all sessions.
-- What follows upon a known policy changes nothing before it; the first one holds for what lies before it, too.
-- Nothing is dated before 1970 or after 2200 (such entries are left out when they are read).
create function cadenced.mark_months_of_holidays() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  since timestamptz := '-infinity';
begin
  if tg_op = 'INSERT' then
    if exists (select from cadenced.program_policy earlier
                where earlier.program_id = new.program_id and earlier.valid_from < new.valid_from) then
      since := new.valid_from;
    end if;
  elsif tg_op = 'UPDATE' then
    if (old.program_id, old.valid_from, old.policy) = (new.program_id, new.valid_from, new.policy) then
      since := least(old.valid_until, new.valid_until);
    end if;
  end if;
  insert into cadenced.stale_month (program_id, month)
  select distinct concerned.program_id, month::date
    from (select rules.program_id, rules.policy from cadenced.program_policy rules
           where rules.program_id in (old.program_id, new.program_id)
           union all
          select old.program_id, old.policy where old.program_id is not null) as concerned
   cross join jsonb_array_elements(coalesce(concerned.policy -> 'holidays', '[]')) as holiday
   cross join generate_series(
          date_trunc('month', greatest((holiday ->> 'from')::date, since::date - 1, date '1970-01-01')::timestamp),
          least((holiday ->> 'until')::date, date '2200-12-31')::timestamp, interval '1 month') as month;
  return null;
end
$$;
comment on function cadenced.mark_months_of_holidays() is 'Marks the months of every holiday of a program whose rules changed.';
create trigger months_of_changed_holidays after insert or update or delete on cadenced.program_policy
  for each row execute function cadenced.mark_months_of_holidays();

insert into cadenced.stale_month (program_id, month)
select program_id, month from cadenced.program_month_total;
insert into cadenced.stale_month (program_id, month)
select distinct mentorship.program_id, cadenced.month_of(session.starts_at, program.time_zone)
  from cadenced.session
  join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id;
