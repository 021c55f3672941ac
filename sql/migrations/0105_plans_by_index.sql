-- Why: which calendars a plan concerns was asked of every pair of a mentorship and a calendar. Where another program wrote
-- a whole term's plans into a large installation, the question outlasted its time limit, and was asked again for ever
-- before anything else that was due. Each side is now found by its own index.
-- Lock cost: replaces a function (nothing waits).

create function cadenced.calendars_of_mentorships(concerned bigint[])
  returns table (mentorship_id bigint, calendar_id bigint)
  language sql stable set search_path = ''
as $$
  select membership.mentorship_id, calendar.calendar_id
    from cadenced.membership
    join cadenced.calendar on calendar.person_id = membership.person_id
   where membership.mentorship_id = any (concerned) and calendar.retired_at is null
   union
  select mentorship.mentorship_id, calendar.calendar_id
    from cadenced.mentorship
    join cadenced.calendar on calendar.program_id = mentorship.program_id
   where mentorship.mentorship_id = any (concerned) and calendar.retired_at is null
$$;
comment on function cadenced.calendars_of_mentorships(bigint[]) is 'The calendars on which the events of these mentorships may stand: those of their members and of their program.';

create or replace function cadenced.take_up_plans() returns integer
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
    where calendar_id in (select calendar_id from cadenced.calendars_of_mentorships(concerned))
    order by calendar_id for no key update;
  update cadenced.calendar
     set next_poll_at = least(next_poll_at, now()),
         reconcile_wanted = reconcile_wanted or asked.whole,
         reconcile_asked_at = case when asked.whole then clock_timestamp() else reconcile_asked_at end
    from (select calendar_id, bool_or(mentorship_id = any (coalesce(reading, '{}'))) as whole
            from cadenced.calendars_of_mentorships(concerned) group by calendar_id) as asked
   where calendar.calendar_id = asked.calendar_id
     -- One that cannot be read is tried when its time has come, whatever is planned.
     and calendar.state in ('active', 'parked', 'throttled');
  perform from cadenced.mentorship
    where mentorship_id = any (concerned) order by mentorship_id for no key update;
  perform cadenced.bind_plans(concerned);
  return cardinality(concerned);
end
$$;
