-- What the views share: small functions, and the rules of each mentorship as columns.

-- Division by nothing is unknown, never 0 or 1.
create function cadenced.share(part bigint, whole bigint) returns numeric
  language sql immutable parallel safe
  return case when whole > 0 then round(part::numeric / whole, 4) end;
comment on function cadenced.share(bigint, bigint) is 'part / whole to four decimals; NULL when there is no whole.';

-- Under five sessions, or with fewer than half of them known, a rate says more about chance than about people.
create function cadenced.verified_share(part bigint, known bigint, eligible bigint) returns numeric
  language sql immutable parallel safe
  return case when known >= 5 and known * 2 >= eligible then round(part::numeric / known, 4) end;
comment on function cadenced.verified_share(bigint, bigint, bigint) is 'part / known to four decimals; NULL when fewer than 5, or fewer than half of the eligible, are known.';

create function cadenced.local_date(at timestamptz, zone text) returns date
  language sql stable parallel safe
  return (at at time zone zone)::date;
comment on function cadenced.local_date(timestamptz, text) is 'The day of an instant in a zone.';

-- Begin of the day after `day`: the instant at which a deadline on that day has passed.
create function cadenced.end_of_day(day date, zone text) returns timestamptz
  language sql stable parallel safe
  return ((day + 1)::timestamp at time zone zone);
comment on function cadenced.end_of_day(date, text) is 'The instant at which a day of a zone is over.';

create function cadenced.add_active_days(from_on date, days integer, free datemultirange) returns date
  language plpgsql immutable parallel safe
  set search_path = ''
as $$
declare
  result date := from_on + days;
  stretch daterange;
begin
  -- Ranges of a multirange are disjoint and ascending, so each can only push the result further.
  for stretch in select unnest(free * datemultirange(daterange(from_on + 1, null))) loop
    exit when lower(stretch) > result;
    -- A pause without an end may be written either way.
    if upper_inf(stretch) or upper(stretch) = 'infinity' then return 'infinity'; end if;
    result := result + (upper(stretch) - lower(stretch));
  end loop;
  return result;
end
$$;
comment on function cadenced.add_active_days(date, integer, datemultirange) is 'The day that lies so many days after another, days on which nobody owes a session not counted.';

create view cadenced.mentorship_pause as
select pause.mentorship_id, pause.from_on, pause.until_on
  from cadenced.pause
 where pause.mentorship_id is not null
 union all
select membership.mentorship_id, pause.from_on, pause.until_on
  from cadenced.pause
  join cadenced.membership on membership.person_id = pause.person_id;
comment on view cadenced.mentorship_pause is 'Days on which a mentorship owes no session, its own pauses and those of its members.';

create view cadenced.mentorship_rules as
select mentorship.mentorship_id, mentorship.program_id, program.name as program, mentorship.key as mentorship,
       program.time_zone, program.live_from, mentorship.starts_on, mentorship.ends_on,
       clock.instant as now, cadenced.local_date(clock.instant, program.time_zone) as today,
       coalesce(rules.policy #>> '{cadence,form}', 'rolling') as form,
       case coalesce(rules.policy #>> '{cadence,per}', '')
         when 'week' then 7 when 'month' then 30 when 'quarter' then 91 when 'year' then 365
         else coalesce((rules.policy #>> '{cadence,everyDays}')::int, 14)
       end as every_days,
       rules.policy #>> '{cadence,per}' as per,
       greatest(coalesce((rules.policy #>> '{cadence,count}')::int, 1), 1) as required,
       coalesce((rules.policy ->> 'graceDays')::int, 7) as grace_days,
       coalesce((rules.policy ->> 'firstSessionDays')::int, 10) as first_session_days,
       coalesce((rules.policy ->> 'endingDays')::int, 14) as ending_days,
       coalesce(rules.policy ->> 'unknown', 'held') as unknown,
       coalesce(pauses.days, '{}') as paused,
       coalesce(pauses.days, '{}') + coalesce(holidays.days, '{}') as free
  from cadenced.mentorship
  join cadenced.program on program.program_id = mentorship.program_id
 -- A scalar subquery is asked once a query; a bare call would be written into every condition on every session.
 cross join (select (select cadenced.now()) as instant) as clock
  left join cadenced.program_policy rules
    on rules.program_id = program.program_id and rules.valid_until is null
 cross join lateral (
   select range_agg(daterange(from_on, until_on, '[]')) as days
     from cadenced.mentorship_pause pause
    where pause.mentorship_id = mentorship.mentorship_id
 ) as pauses
 cross join lateral (
   select range_agg(daterange((holiday ->> 'from')::date, (holiday ->> 'until')::date, '[]')) as days
     from jsonb_array_elements(coalesce(rules.policy -> 'holidays', '[]')) as holiday
 ) as holidays;
comment on view cadenced.mentorship_rules is 'Every mentorship with the cadence rules in force for it now, and the days on which it owes nothing.';
