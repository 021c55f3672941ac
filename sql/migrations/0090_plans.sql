-- Why: a plan that another program writes, changes or withdraws must find its session at once, not with whatever pass
-- comes next over a member's calendar. What is bound to what becomes a function of plans and sessions alone, so that
-- it does not matter in which order they came.
-- Lock cost: a new column without a rewrite, a new table, one small index made anew; no table is read as a whole.

alter table cadenced.calendar add column reconcile_asked_at timestamptz;
comment on column cadenced.calendar.reconcile_asked_at is 'When a change of plans or people last asked for its whole window to be compared (real time). A pass that began before it does not answer for it.';

create table cadenced.changed_plan (
  mentorship_id bigint not null,
  reads boolean not null
);
comment on table cadenced.changed_plan is 'Plans that were written, changed or withdrawn and of which the daemon has still to take notice. Rows are only added, so that no writer waits for another; the daemon takes them within a second or two.';
comment on column cadenced.changed_plan.mentorship_id is 'Whose plan.';
comment on column cadenced.changed_plan.reads is 'The plan has or had a reference: entries without a tag may carry it, so the calendars must be compared as a whole.';

-- A reference that was withdrawn may be used again.
drop index cadenced.planned_session_reference_is_unique;
create unique index planned_session_reference_is_unique
  on cadenced.planned_session (mentorship_id, reference) where reference is not null and withdrawn_at is null;

create function cadenced.bind_plans(mentorships bigint[]) returns void
  language plpgsql security definer set search_path = ''
as $$
declare
  concerned bigint[] := array(
    select distinct plan.mentorship_id
      from cadenced.planned_session plan
      left join cadenced.session bound on bound.session_id = plan.session_id
     where plan.mentorship_id = any (mentorships)
       and (plan.session_id is null or plan.withdrawn_at is not null
            or bound.status = 'cancelled' or bound.ends_at > cadenced.now()));
  pair record;
  plans bigint[] := '{}';
  sessions bigint[] := '{}';
begin
  if concerned = '{}' then return; end if;
  -- Nearest pairs first, those of a reference before all others; who is taken is taken.
  for pair in
    with free as materialized (
      -- What a session was bound to when it ended stays: the past is not bound anew.
      select plan.plan_id, plan.mentorship_id, plan.starts_at, plan.tolerance, plan.reference
        from cadenced.planned_session plan
        left join cadenced.session bound on bound.session_id = plan.session_id
       where plan.mentorship_id = any (concerned) and plan.withdrawn_at is null
         and (plan.session_id is null or bound.status = 'cancelled' or bound.ends_at > cadenced.now())
    ), standing as materialized (
      select session.session_id, session.occurrence_id, session.mentorship_id, session.starts_at
        from cadenced.session
       where session.mentorship_id = any (concerned) and session.status = 'scheduled'
         and not exists (select from cadenced.planned_session holder
                          where holder.session_id = session.session_id and holder.withdrawn_at is null
                            and session.ends_at <= cadenced.now())
    ), carried as materialized (
      select distinct standing.session_id, free.plan_id
        from standing
        join cadenced.event_copy copy on copy.occurrence_id = standing.occurrence_id and copy.removed_at is null
       cross join lateral jsonb_array_elements(copy.matched) as mark
        join free on free.mentorship_id = standing.mentorship_id and mark ->> 'rule' = 'plan:' || free.reference
       where exists (select from free where free.reference is not null)
    )
    select free.plan_id, standing.session_id
      from free
      join standing on standing.mentorship_id = free.mentorship_id
      left join carried on carried.plan_id = free.plan_id and carried.session_id = standing.session_id
     where carried.plan_id is not null
        or standing.starts_at between free.starts_at - free.tolerance and free.starts_at + free.tolerance
     order by carried.plan_id is null, abs(extract(epoch from standing.starts_at - free.starts_at)),
              free.plan_id, standing.session_id
  loop
    continue when pair.plan_id = any (plans) or pair.session_id = any (sessions);
    plans := plans || pair.plan_id;
    sessions := sessions || pair.session_id;
  end loop;
  -- Let go before anything is bound: a session belongs to one plan only.
  update cadenced.planned_session plan set session_id = null
    from cadenced.session bound
   where plan.mentorship_id = any (concerned) and bound.session_id = plan.session_id
     and (plan.withdrawn_at is not null or bound.status = 'cancelled' or bound.ends_at > cadenced.now())
     and not exists (select from unnest(plans, sessions) as made (plan_id, session_id)
                      where made.plan_id = plan.plan_id and made.session_id = plan.session_id);
  update cadenced.planned_session plan set session_id = made.session_id
    from unnest(plans, sessions) as made (plan_id, session_id)
   where plan.plan_id = made.plan_id and plan.session_id is distinct from made.session_id;
end
$$;
comment on function cadenced.bind_plans(bigint[]) is 'Binds the plans of the given mentorships to the sessions that match them: by reference, else to the nearest within the tolerance; what no longer fits is let go. The caller has locked the mentorships. The same plans and sessions always give the same answer.';

create function cadenced.tell_changed_plan() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  concerned bigint := case when tg_op = 'DELETE' then old.mentorship_id else new.mentorship_id end;
  reads boolean := coalesce(case when tg_op <> 'INSERT' then old.reference end,
                            case when tg_op <> 'DELETE' then new.reference end) is not null;
begin
  insert into cadenced.changed_plan values (concerned, reads);
  -- Where a pass is just writing this mentorship, nobody waits for it: the daemon binds a moment later.
  perform from cadenced.mentorship where mentorship_id = concerned for no key update skip locked;
  if found then perform cadenced.bind_plans(array[concerned]); end if;
  return null;
end
$$;
comment on function cadenced.tell_changed_plan() is 'Binds a plan that was written or changed as far as its session is known, and has the daemon look for the rest.';
create trigger planned_session_is_taken_notice_of
  after insert or delete or update of mentorship_id, starts_at, ends_at, tolerance, reference, withdrawn_at
  on cadenced.planned_session
  for each row execute function cadenced.tell_changed_plan();

create function cadenced.take_up_plans() returns integer
  language plpgsql set search_path = ''
as $$
declare
  concerned bigint[];
  reading bigint[];
begin
  with taken as (
    delete from cadenced.changed_plan
     where ctid = any (array(select ctid from cadenced.changed_plan limit 1000 for update skip locked))
    returning mentorship_id, reads
  )
  select array_agg(distinct mentorship_id), array_agg(distinct mentorship_id) filter (where reads)
    into concerned, reading
    from taken;
  if concerned is null then return 0; end if;
  -- Calendars before mentorships, as a pass takes them.
  perform from cadenced.calendar
    where retired_at is null
      and (person_id in (select person_id from cadenced.membership where mentorship_id = any (concerned))
           or program_id in (select program_id from cadenced.mentorship where mentorship_id = any (concerned)))
    order by calendar_id for no key update;
  update cadenced.calendar
     set next_poll_at = least(next_poll_at, now()),
         reconcile_wanted = reconcile_wanted or asked.whole,
         reconcile_asked_at = case when asked.whole then clock_timestamp() else reconcile_asked_at end
    from (select calendar.calendar_id, bool_or(mentorship.mentorship_id = any (coalesce(reading, '{}'))) as whole
            from cadenced.mentorship
            join cadenced.calendar
              on calendar.program_id = mentorship.program_id
              or calendar.person_id in (select person_id from cadenced.membership
                                         where membership.mentorship_id = mentorship.mentorship_id)
           where mentorship.mentorship_id = any (concerned) and calendar.retired_at is null
           group by calendar.calendar_id) as asked
   where calendar.calendar_id = asked.calendar_id
     -- One that cannot be read is tried when its time has come, whatever is planned.
     and calendar.state in ('active', 'parked', 'throttled');
  perform from cadenced.mentorship
    where mentorship_id = any (concerned) order by mentorship_id for no key update;
  perform cadenced.bind_plans(concerned);
  return cardinality(concerned);
end
$$;
comment on function cadenced.take_up_plans() is 'Makes the calendars due on which the event of a changed plan may stand, and binds what is there. Returns how many mentorships were concerned.';
