-- The rules of a program with the days on which they held. What is measured over time is measured by the rule that
-- was in force then: a change of the configuration never rewrites what people were asked for before it. Where no
-- rule was in force (before the first start, or while a program was not configured) nothing is asked of anybody.
-- A program that says it has been live for longer asked for the same all along, as far as anybody can tell.

create view cadenced.policy_days as
select program_policy.program_id, program_policy.policy, program_policy.valid_until is null as current,
       case when exists (select from cadenced.program_policy earlier
                          where earlier.program_id = program_policy.program_id
                            and earlier.valid_from < program_policy.valid_from)
            then cadenced.local_date(program_policy.valid_from, program.time_zone)
            else cadenced.local_date(least(program_policy.valid_from, program.live_from), program.time_zone)
       end as from_on,
       coalesce(cadenced.local_date(program_policy.valid_until, program.time_zone), 'infinity') as until_on
  from cadenced.program_policy
  join cadenced.program on program.program_id = program_policy.program_id;
comment on view cadenced.policy_days is 'Every version of a program''s rules with its days: from the day on which it came into force (the first one from live_from, where that is earlier) to the day before until_on. Of several versions on one day the last one holds.';

create view cadenced.cadence_rule as
-- A version differs from the one before in any of its keys, mostly in others than these: what is the same goes on.
select island.program_id, island.form, island.every_days, island.per, island.required, island.grace_days,
       min(island.from_on) as from_on, max(island.until_on) as until_on, bool_or(island.current) as current
  from (select rule.*, count(*) filter (where rule.fresh) over (partition by rule.program_id order by rule.from_on)
                 as number
          from (select version.*,
                       (version.form, version.every_days, version.per, version.required, version.grace_days,
                        version.from_on)
                         is distinct from
                       (lag(version.form) over before, lag(version.every_days) over before,
                        lag(version.per) over before, lag(version.required) over before,
                        lag(version.grace_days) over before, lag(version.until_on) over before) as fresh
                  from (select policy_days.program_id, policy_days.from_on, policy_days.until_on, policy_days.current,
                               coalesce(policy #>> '{cadence,form}', 'rolling') as form,
                               policy #>> '{cadence,per}' as per,
                               coalesce((policy #>> '{cadence,everyDays}')::int, 14) as every_days,
                               greatest(coalesce((policy #>> '{cadence,count}')::int, 1), 1) as required,
                               -- Only gaps have a grace: a change of it must not cut a month in two.
                               case when policy #>> '{cadence,form}' = 'calendar' then 0
                                    else coalesce((policy ->> 'graceDays')::int, 7) end as grace_days
                          from cadenced.policy_days
                         where policy_days.from_on < policy_days.until_on) as version
                window before as (partition by version.program_id order by version.from_on)) as rule) as island
 group by island.program_id, island.number, island.form, island.every_days, island.per, island.required,
          island.grace_days;
comment on view cadenced.cadence_rule is 'The cadence that a program asked for, by days: from from_on to the day before until_on.';

create view cadenced.program_holidays as
select policy_days.program_id,
       range_agg(daterange((holiday ->> 'from')::date, (holiday ->> 'until')::date, '[]')
                 * daterange(policy_days.from_on, policy_days.until_on)) as days
  from cadenced.policy_days
 cross join jsonb_array_elements(coalesce(policy_days.policy -> 'holidays', '[]')) as holiday
 where policy_days.from_on < policy_days.until_on
 group by policy_days.program_id;
comment on view cadenced.program_holidays is 'The holidays of a program, each as the rules in force on its day had it.';
