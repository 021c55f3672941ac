-- Cadence compliance: how much of what the cadence asked for was kept, over the whole life of a mentorship. Its form
-- follows the rule in force: complete periods for a calendar rule, gaps between sessions for a rolling one.
--
-- What could not be verified is no miss and no merit: a period or gap that is kept only if unknown sessions were held
-- counts as unverified, and the rate is published with its bounds.

create function cadenced.judge_gaps(
  met date[], held boolean[], free datemultirange, upto date, most integer, required integer, from_on date,
  until_on date, out kept integer, out unverified integer, out missed integer)
  language plpgsql immutable parallel safe
  set search_path = ''
as $$
declare
  total constant integer := coalesce(cardinality(met), 0);
  -- How many days on which a session was owed lie between the first and each: their differences are the gaps.
  age integer[];
  age_upto integer;
  day date;
  proven integer[];
  begins integer;
  ends integer;
  broken boolean;
begin
  kept := 0;
  unverified := 0;
  missed := 0;
  for i in 1 .. total loop
    if held[i] then proven := proven || i; end if;
  end loop;
  if proven is null then return; end if;
  -- The last one is the day up to which the open gap has grown.
  for i in 1 .. total + 1 loop
    day := coalesce(met[i], upto);
    age[i] := day - met[1];
    if free <> '{}' and day > met[1] then
      -- Spelt out: a reader of the view may not call functions of this schema by name.
      age[i] := age[i] - (select coalesce(sum(upper(stretch) - lower(stretch)), 0)
                            from unnest(free * datemultirange(daterange(met[1] + 1, day + 1))) as stretch);
    end if;
  end loop;
  age_upto := age[total + 1];
  for j in 1 .. cardinality(proven) loop
    begins := proven[j];
    ends := proven[j + required];
    -- Of all gaps that are still open only the one with the least sessions asked for: it is the one that falls due.
    continue when ends is null and j <> greatest(cardinality(proven) - required + 1, 1);
    continue when met[begins] < from_on or met[begins] >= until_on;
    if coalesce(age[ends], age_upto) - age[begins] <= most then
      if ends is not null then kept := kept + 1; end if;
      continue;
    end if;
    -- Too long between proven sessions: was it, if every unknown session in between had been held?
    broken := ends is null and age_upto - age[greatest(total - required + 1, begins)] > most;
    for i in begins .. coalesce(ends, total) - required loop
      exit when broken;
      broken := age[i + required] - age[i] > most;
    end loop;
    if broken then missed := missed + 1; else unverified := unverified + 1; end if;
  end loop;
end
$$;
comment on function cadenced.judge_gaps(date[], boolean[], datemultirange, date, integer, integer, date, date) is
  'Counts the gaps that began from from_on to the day before until_on: kept (no longer than `most` days on which somebody owed a session), unverified (kept only if unknown sessions were held), missed. A gap runs from a held session to the required-th after it; the open one counts when it is already too long. met: days of all sessions that may have been held, ascending; held: which of them are proven.';

create view mentoring.cadence_compliance as
select rules.program, rules.mentorship, rule.form, rule.current,
       counted.kept + counted.unverified + counted.missed as expected,
       counted.kept, counted.missed, counted.unverified, counted.free_periods, time.free_days,
       cadenced.verified_share(counted.kept, counted.kept + counted.missed,
                               counted.kept + counted.unverified + counted.missed) as cadence_compliance_verified,
       cadenced.share(counted.kept, counted.kept + counted.unverified + counted.missed) as cadence_compliance_lower,
       cadenced.share(counted.kept + counted.unverified, counted.kept + counted.unverified + counted.missed)
         as cadence_compliance_upper,
       cadenced.share(counted.kept + counted.missed, counted.kept + counted.unverified + counted.missed) as coverage
  from cadenced.mentorship_rules rules
 -- Asked once a program, not once a mentorship: the planner remembers the answer.
 cross join lateral (
   select cadence_rule.form, bool_or(cadence_rule.current) as current,
          array_agg(cadence_rule.every_days + cadence_rule.grace_days) as most, array_agg(cadence_rule.per) as per,
          array_agg(cadence_rule.required) as required, array_agg(cadence_rule.from_on) as from_on,
          array_agg(cadence_rule.until_on) as until_on
     from cadenced.cadence_rule
    where cadence_rule.program_id = rules.program_id
    group by cadence_rule.form
 ) as rule
  left join lateral (
   select program_holidays.days from cadenced.program_holidays
    where program_holidays.program_id = rules.program_id
 ) as holidays on true
 cross join lateral (
   select least(rules.today, rules.ends_on) as upto, rules.paused + coalesce(holidays.days, '{}') as free offset 0
 ) as span
 cross join lateral (
   select cadenced.days_within(span.free, daterange(rules.starts_on, greatest(span.upto + 1, rules.starts_on)))
            as free_days
 ) as time
 -- Read once, whatever the number of rules.
 cross join lateral (
   select array_agg(past.met_on order by past.starts_at) as days,
          array_agg(past.held order by past.starts_at) as held
     from (select session.starts_at, cadenced.local_date(session.starts_at, rules.time_zone) as met_on,
                  session.outcome is not distinct from 'held' and session.settled_at is not null as held
             from cadenced.session
            where session.mentorship_id = rules.mentorship_id
              and session.starts_at <= rules.now
              and ((session.outcome = 'held' and session.settled_at is not null)
                   or (session.status = 'scheduled' and session.outcome is distinct from 'cancelled'
                       and (session.settled_at is null or session.outcome = 'unknown')))) as past
   offset 0
 ) as met
 cross join lateral (
   select coalesce(sum(gaps.kept), 0)::bigint as kept, coalesce(sum(gaps.unverified), 0)::bigint as unverified,
          coalesce(sum(gaps.missed), 0)::bigint as missed, null::bigint as free_periods
     from unnest(rule.most, rule.required, rule.from_on, rule.until_on)
            as asked (most, required, from_on, until_on)
    cross join lateral cadenced.judge_gaps(met.days, met.held, span.free, span.upto, asked.most, asked.required,
                                           asked.from_on, asked.until_on) as gaps
    where rule.form = 'rolling'
   having rule.form = 'rolling'
    union all
   select count(*) filter (where not period.free and period.held >= period.required),
          count(*) filter (where not period.free and period.held < period.required
                             and period.held + period.open >= period.required),
          count(*) filter (where not period.free and period.held + period.open < period.required),
          count(*) filter (where period.free)
     from (select in_force.required, asked.held, asked.open,
                  -- As for the cadence itself: of a period in which most days were free nothing is asked.
                  2 * cadenced.days_within(span.free, daterange(asked.from_on, asked.before_on))
                    > asked.before_on - asked.from_on as free
             from unnest(rule.per, rule.required, rule.from_on, rule.until_on)
                    as in_force (per, required, from_on, until_on)
            cross join lateral (
              select each.from_on, (each.from_on + cadenced.period_length(in_force.per))::date as before_on,
                     count(*) filter (where each.held) as held, count(*) filter (where each.open) as open
                from (select begin::date as from_on, false as held, false as open, true as listed
                        from generate_series(
                               date_trunc(in_force.per, greatest(rules.starts_on, in_force.from_on)::timestamp),
                               span.upto::timestamp, cadenced.period_length(in_force.per)) as begin
                       union all
                      select date_trunc(in_force.per, session.met_on::timestamp)::date, session.held,
                             not session.held, false
                        from unnest(met.days, met.held) as session (met_on, held)) as each
               group by each.from_on
              having bool_or(each.listed)
            ) as asked
            where rule.form = 'calendar'
              -- Whole periods only: inside the mentorship, under one rule, and settled (two days after their end).
              and asked.from_on >= rules.starts_on and asked.from_on >= in_force.from_on
              and asked.before_on <= in_force.until_on
              and (rules.ends_on is null or asked.before_on <= rules.ends_on + 1)
              and asked.before_on + 2 <= rules.today) as period
   having rule.form = 'calendar'
 ) as counted;
comment on view mentoring.cadence_compliance is 'How much of what the cadence asked for was kept, by mentorship and form of the rule. Each period and gap is measured by the rule in force then; where no rule was in force nothing is asked.';
comment on column mentoring.cadence_compliance.program is 'Name of the program.';
comment on column mentoring.cadence_compliance.mentorship is 'Name of the mentorship.';
comment on column mentoring.cadence_compliance.form is 'calendar (complete weeks, months, quarters or years) or rolling (gaps between held sessions). Two rows when a program changed from one to the other.';
comment on column mentoring.cadence_compliance.current is 'Whether the rule in force now has this form.';
comment on column mentoring.cadence_compliance.expected is 'kept + missed + unverified. calendar: complete periods inside the mentorship and under one rule, over for two days; the first and the last part of one are left out. rolling: gaps between held sessions, and the open one when it is already too long.';
comment on column mentoring.cadence_compliance.kept is 'calendar: periods with as many held sessions as required; what is more does not pay for another period. rolling: gaps no longer than the interval and its grace, days that were free not counted.';
comment on column mentoring.cadence_compliance.missed is 'Not kept, even if every unknown session was held.';
comment on column mentoring.cadence_compliance.unverified is 'Kept only if sessions were held that nobody can say about, or that are not settled yet.';
comment on column mentoring.cadence_compliance.free_periods is 'calendar: complete periods that are not asked about, because more than half of their days were pauses or holidays; NULL for rolling.';
comment on column mentoring.cadence_compliance.free_days is 'Days of the mentorship so far that were pauses or holidays. They make no gap longer.';
comment on column mentoring.cadence_compliance.cadence_compliance_verified is 'kept / (kept + missed); NULL under five, or when fewer than half are verified.';
comment on column mentoring.cadence_compliance.cadence_compliance_lower is 'kept / expected: as if no unknown session had been held.';
comment on column mentoring.cadence_compliance.cadence_compliance_upper is '(kept + unverified) / expected: as if every unknown session had been held.';
comment on column mentoring.cadence_compliance.coverage is '(kept + missed) / expected.';

create view mentoring.program_compliance as
select program, form, current, mentorships, expected, kept, missed, unverified, free_periods, free_days,
       cadenced.verified_share(kept, kept + missed, expected) as cadence_compliance_verified,
       cadenced.share(kept, expected) as cadence_compliance_lower,
       cadenced.share(kept + unverified, expected) as cadence_compliance_upper,
       cadenced.share(kept + missed, expected) as coverage
  from (select program, form, bool_or(current) as current, count(*) filter (where expected > 0) as mentorships,
               sum(expected)::bigint as expected, sum(kept)::bigint as kept, sum(missed)::bigint as missed,
               sum(unverified)::bigint as unverified, sum(free_periods)::bigint as free_periods,
               sum(free_days)::bigint as free_days
          from mentoring.cadence_compliance
         group by program, form) as summed;
comment on view mentoring.program_compliance is 'The cadence compliance of a program: the sum of its mentorships in mentoring.cadence_compliance.';
comment on column mentoring.program_compliance.program is 'Name of the program.';
comment on column mentoring.program_compliance.form is 'calendar or rolling: the form of the rule in force then.';
comment on column mentoring.program_compliance.current is 'Whether the rule in force now has this form.';
comment on column mentoring.program_compliance.mentorships is 'Mentorships of which anything was expected.';
comment on column mentoring.program_compliance.expected is 'kept + missed + unverified.';
comment on column mentoring.program_compliance.kept is 'Periods or gaps that kept the cadence.';
comment on column mentoring.program_compliance.missed is 'Those that did not, whatever unknown sessions were.';
comment on column mentoring.program_compliance.unverified is 'Those that did only if unknown sessions were held.';
comment on column mentoring.program_compliance.free_periods is 'Periods not asked about for pauses and holidays; NULL for rolling.';
comment on column mentoring.program_compliance.free_days is 'Days of all mentorships together that were pauses or holidays.';
comment on column mentoring.program_compliance.cadence_compliance_verified is 'kept / (kept + missed); NULL under five, or when fewer than half are verified.';
comment on column mentoring.program_compliance.cadence_compliance_lower is 'kept / expected.';
comment on column mentoring.program_compliance.cadence_compliance_upper is '(kept + unverified) / expected.';
comment on column mentoring.program_compliance.coverage is '(kept + missed) / expected.';
