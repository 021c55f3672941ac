-- The cadence: one row a mentorship, from facts alone. The daemon compares it with the open alerts and keeps no
-- state of its own, so that whoever reads the view sees what the daemon sees.
--
-- Two readings run side by side. The kind one counts every session that may have been held; it decides the state,
-- because what could not be verified accuses nobody. The strict one counts proven sessions only; where it would be
-- worse, the row says `unverified`.
--
-- Days are days of the program's zone. A session on the last day of an interval keeps it. Days on which nobody owes
-- a session (pauses, holidays) are skipped wherever days are counted. Of several sessions an interval, it runs from
-- the earliest of the latest so many, and from the first session while there are fewer.

create function cadenced.period_length(per text) returns interval
  language sql immutable parallel safe
  return case per when 'week' then interval '7 days' when 'month' then interval '1 month'
                  when 'quarter' then interval '3 months' when 'year' then interval '1 year' end;
comment on function cadenced.period_length(text) is 'Length of a week, month, quarter or year.';

create function cadenced.days_within(days datemultirange, span daterange) returns integer
  language sql immutable parallel safe
begin atomic
  select coalesce(sum(upper(stretch) - lower(stretch)), 0)::int
    from unnest(days * datemultirange(span)) as stretch;
end;
comment on function cadenced.days_within(datemultirange, daterange) is 'How many of the days lie in the span.';

create view cadenced.cadence_reading as
select rules.mentorship_id, reading.kind, met.times, deadline.due_on, deadline.overdue_from,
       case
         when rules.today <= deadline.due_on then 'on_track'
         when rules.today < deadline.graced_until then case when deadline.missed >= 2 then 'overdue' else 'due' end
         when deadline.missed = 1 then 'overdue'
         when deadline.missed >= 2 then 'lapsed'
         when rules.today <= deadline.second_on then 'overdue'
         else 'lapsed'
       end as standing
  from cadenced.mentorship_rules rules
 cross join (values ('kind'), ('strict')) as reading (kind)
 -- The latest sessions of this reading, no more than the policy asks for.
 cross join lateral (
   select count(*) as times, min(latest.met_on) as anchor_on
     from (select cadenced.local_date(session.starts_at, rules.time_zone) as met_on
             from cadenced.session
            where session.mentorship_id = rules.mentorship_id
              and session.starts_at <= rules.now
              and (session.outcome = 'held'
                   or (reading.kind = 'kind' and session.status = 'scheduled'
                       and session.outcome is distinct from 'cancelled'
                       and (session.settled_at is null
                            or (session.outcome = 'unknown' and rules.unknown = 'held'))))
            order by session.starts_at desc
            limit rules.required) as latest
 ) as met
 -- Calendar policies only: whether the running period is served, and how many in a row before it were not. Periods
 -- that began before the mentorship, or in which more than half of the days were free, are not asked about.
 cross join lateral (
   select coalesce(bool_or(judged.back = 0 and judged.kept), false) as running_kept,
          count(*) filter (where judged.back > 0 and judged.owed and not judged.kept
                             and judged.back < coalesce(judged.last_kept, 99))::int as missed,
          min(judged.until_on) filter (where judged.back > 0 and judged.owed and not judged.kept
                             and judged.back < coalesce(judged.last_kept, 99)) as first_missed_until,
          max(judged.until_on) filter (where judged.back > 0 and judged.owed and not judged.kept
                             and judged.back < coalesce(judged.last_kept, 99)) as last_missed_until
     from (select period.back, span.until_on, span.owed, held.enough as kept,
                  min(period.back) filter (where period.back > 0 and span.owed and held.enough) over () as last_kept
             from (values (0), (1), (2), (3), (4), (5), (6)) as period (back)
            cross join lateral (
              select bounds.from_on, bounds.until_on,
                     bounds.from_on >= rules.starts_on
                       and 2 * cadenced.days_within(rules.free, daterange(bounds.from_on, bounds.until_on + 1))
                           <= bounds.until_on + 1 - bounds.from_on as owed
                from (select begins.from_on,
                             (begins.from_on + cadenced.period_length(rules.per))::date - 1 as until_on
                        from (select (date_trunc(rules.per, rules.today::timestamp)
                                      - period.back * cadenced.period_length(rules.per))::date as from_on) as begins
                     ) as bounds
            ) as span
            cross join lateral (
              select count(*) >= rules.required as enough
                from cadenced.session
               where session.mentorship_id = rules.mentorship_id
                 and session.starts_at >= span.from_on::timestamp at time zone rules.time_zone
                 and session.starts_at < cadenced.end_of_day(span.until_on, rules.time_zone)
                 and session.starts_at <= rules.now
                 and (session.outcome = 'held'
                      or (reading.kind = 'kind' and session.status = 'scheduled'
                          and session.outcome is distinct from 'cancelled'
                          and (session.settled_at is null
                               or (session.outcome = 'unknown' and rules.unknown = 'held'))))
            ) as held
            where rules.form = 'calendar') as judged
 ) as periods
 cross join lateral (
   select case
            when met.times = 0 then cadenced.add_active_days(rules.starts_on, rules.first_session_days, rules.free)
            when rules.form = 'rolling' then cadenced.add_active_days(met.anchor_on, rules.every_days, rules.free)
            when periods.missed > 0 and not periods.running_kept then periods.last_missed_until
            else (date_trunc(rules.per, rules.today::timestamp)
                  + case when periods.running_kept then 2 else 1 end * cadenced.period_length(rules.per))::date - 1
          end as due_on,
          case when met.times > 0 and rules.form = 'calendar' and not periods.running_kept and periods.missed > 0
               then periods.missed end as missed
   -- Here and below: keeps the planner from writing the whole calculation into each of its many uses.
   offset 0
 ) as due
 cross join lateral (
   select due.due_on, due.missed,
          cadenced.add_active_days(due.due_on, rules.grace_days, rules.free) + 1 as graced_until,
          cadenced.add_active_days(due.due_on, rules.grace_days + rules.every_days, rules.free) as second_on,
          cadenced.add_active_days(coalesce(case when due.missed >= 2 then periods.first_missed_until end, due.due_on),
                                   rules.grace_days, rules.free) + 1 as overdue_from
   offset 0
 ) as deadline;
comment on view cadenced.cadence_reading is 'Where each mentorship stands against its policy, read kindly (what may have been held counts) and strictly.';

create view mentoring.cadence as
select rules.program, rules.mentorship, state.state,
       cadenced.end_of_day(reading.due_on, rules.time_zone) as due_at,
       held.last_held_at, ahead.next_session_at,
       at_risk.at_risk,
       array_remove(array[
         case when state.state in ('overdue', 'lapsed') then state.state end,
         case when state.state in ('due', 'overdue', 'lapsed') and held.last_held_at is null and reading.times = 0
              then 'never_met' end,
         case when state.state in ('due', 'overdue', 'lapsed') and ahead.next_session_at is null
              then 'nothing_booked' end,
         case when active.active and recent.missed >= 2 then 'missed_repeatedly' end,
         case when active.active and gaps.lately > 1.5 * gaps.before then 'gap_widening' end,
         case when active.active and latest.moves >= 3 then 'moved_often' end,
         case when unverified.unverified then 'unverified' end,
         case when state.state = 'unobservable' then 'no_readable_calendar' end
       ], null) as reasons,
       case when unverified.unverified then unverified.since end as unverified_since,
       case when state.state in ('overdue', 'lapsed')
            then reading.overdue_from::timestamp at time zone rules.time_zone end as overdue_since,
       rules.mentorship_id
  from cadenced.mentorship_rules rules
 cross join lateral (
   select min(standing) filter (where kind = 'kind') as standing,
          min(due_on) filter (where kind = 'kind') as due_on,
          min(overdue_from) filter (where kind = 'kind') as overdue_from,
          min(times) filter (where kind = 'kind') as times,
          min(standing) filter (where kind = 'strict') as strict_standing
     from cadenced.cadence_reading
    where cadence_reading.mentorship_id = rules.mentorship_id
 ) as reading
 cross join lateral (
   select max(session.starts_at) as last_held_at
     from cadenced.session
    where session.mentorship_id = rules.mentorship_id and session.outcome = 'held'
 ) as held
 cross join lateral (
   select min(session.starts_at) as next_session_at
     from cadenced.session
    where session.mentorship_id = rules.mentorship_id
      and session.starts_at > rules.now
      and session.status = 'scheduled'
      -- A session that a whole side declined is not a plan to meet.
      and not exists (select from cadenced.participant
                       where participant.session_id = session.session_id
                       group by participant.role
                      having bool_and(participant.rsvp = 'declined'))
 ) as ahead
 cross join lateral (
   -- A calendar nobody could read for two days hides what was booked and cancelled meanwhile.
   select count(*) > 0 as observable
     from (select calendar.state, calendar.retired_at, calendar.last_complete_pass_at
             from cadenced.membership
             join cadenced.calendar on calendar.person_id = membership.person_id
            where membership.mentorship_id = rules.mentorship_id
            union all
           select calendar.state, calendar.retired_at, calendar.last_complete_pass_at
             from cadenced.calendar
            where calendar.program_id = rules.program_id) as carrier
    where carrier.retired_at is null
      and carrier.state in ('active', 'throttled', 'parked')
      and carrier.last_complete_pass_at > rules.now - interval '2 days'
 ) as sight
 cross join lateral (
   select case
            when rules.ends_on < rules.today then 'ended'
            when rules.paused @> rules.today then 'paused'
            when rules.ends_on is not null and rules.today > rules.ends_on - rules.ending_days then 'ending'
            when not sight.observable then 'unobservable'
            when reading.times = 0 and reading.standing = 'on_track' then 'not_started'
            else reading.standing
          end as state
   -- Keeps the planner from writing the whole case into each of its many uses.
   offset 0
 ) as state
 cross join lateral (
   select state.state in ('on_track', 'due', 'overdue', 'lapsed') as active
 ) as active
 cross join lateral (
   select state.state in ('overdue', 'lapsed') and ahead.next_session_at is null as at_risk
 ) as at_risk
 cross join lateral (
   select coalesce(active.active or state.state = 'not_started', false)
            and reading.strict_standing in ('overdue', 'lapsed')
            and (state.state = 'not_started' or reading.standing in ('on_track', 'due')) as unverified,
          (select min(session.starts_at)
             from cadenced.session
            where session.mentorship_id = rules.mentorship_id
              and session.starts_at <= rules.now
              and session.starts_at > coalesce(held.last_held_at, '-infinity')
              and session.status = 'scheduled'
              and (session.settled_at is null or session.outcome = 'unknown')) as since
 ) as unverified
 cross join lateral (
   select count(*) filter (where latest.bad) as missed
     from (select session.outcome <> 'held' and session.outcome <> 'too_short' as bad
             from cadenced.session
            where session.mentorship_id = rules.mentorship_id and session.settled_at is not null
              and (session.outcome in ('held', 'too_short', 'one_sided', 'no_one')
                   or (session.outcome = 'cancelled'
                       and session.starts_at - session.cancelled_at < interval '24 hours'))
              -- What was booked for a pause was not owed.
              and not rules.paused @> cadenced.local_date(session.starts_at, rules.time_zone)
            order by session.starts_at desc limit 3) as latest
 ) as recent
 cross join lateral (
   -- The next session, and what came to nothing since the last held one. Of a series that reaches months ahead, its
   -- last session tells nothing.
   select max(session.reschedules) as moves
     from cadenced.session
    where session.mentorship_id = rules.mentorship_id and session.status = 'scheduled'
      and session.starts_at > coalesce(held.last_held_at, '-infinity')
      and session.starts_at <= coalesce(ahead.next_session_at, rules.now)
 ) as latest
 cross join lateral (
   -- Seven held sessions make six gaps: three against the three before.
   select percentile_cont(0.5) within group (order by gap.days) filter (where gap.place <= 3) as lately,
          case when count(*) = 6
               then percentile_cont(0.5) within group (order by gap.days) filter (where gap.place > 3) end as before
     from (select row_number() over (order by seven.starts_at desc) as place,
                  -- Paused days widen no gap.
                  seven.met_on - seven.before_on
                    - case when rules.paused = '{}' then 0
                           else cadenced.days_within(rules.paused, daterange(seven.before_on + 1,
                                                     greatest(seven.met_on, seven.before_on + 1))) end as days
             from (select session.starts_at, cadenced.local_date(session.starts_at, rules.time_zone) as met_on,
                          lead(cadenced.local_date(session.starts_at, rules.time_zone))
                            over (order by session.starts_at desc) as before_on
                     from (select session.starts_at from cadenced.session
                            where session.mentorship_id = rules.mentorship_id and session.outcome = 'held'
                            order by session.starts_at desc limit 7) as session) as seven) as gap
    where gap.days is not null
 ) as gaps;
comment on view mentoring.cadence is 'Where every mentorship stands against the cadence of its program. Only what is proven accuses anybody.';
comment on column mentoring.cadence.program is 'Name of the program.';
comment on column mentoring.cadence.mentorship is 'Name of the mentorship.';
comment on column mentoring.cadence.state is 'not_started, on_track, due (interval passed, inside the grace), overdue (one missed), lapsed (two or more), paused, ending, ended, or unobservable (no calendar of theirs can be read).';
comment on column mentoring.cadence.due_at is 'When the interval, or the period, that decides the state ends.';
comment on column mentoring.cadence.last_held_at is 'Start of the last held session.';
comment on column mentoring.cadence.next_session_at is 'Start of the next booked session that no side has declined.';
comment on column mentoring.cadence.at_risk is 'Too long since the last session (overdue or lapsed) and nothing booked.';
comment on column mentoring.cadence.reasons is 'overdue, lapsed, never_met, nothing_booked, missed_repeatedly (two of the last three, pauses left out, missed or cancelled within a day), gap_widening (the last three gaps, paused days not counted, half as long again as the three before), moved_often (three times or more: the next session, or one since the last held one), unverified, no_readable_calendar.';
comment on column mentoring.cadence.unverified_since is 'Start of the first session since the last held one that could not be verified, when the state rests on it.';
comment on column mentoring.cadence.overdue_since is 'Begin of the day on which it became overdue; NULL unless overdue or lapsed.';
comment on column mentoring.cadence.mentorship_id is 'Key of the mentorship.';

create view mentoring.alert as
select alert.alert_id, program.name as program, mentorship.key as mentorship, alert.kind, alert.level,
       alert.opened_at, alert.told_at, alert.resolved_at, alert.baselined, alert.reasons
  from cadenced.alert
  join cadenced.mentorship on mentorship.mentorship_id = alert.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id;
comment on view mentoring.alert is 'Mentorships that needed attention: opened when it was noticed, resolved by itself.';
comment on column mentoring.alert.alert_id is 'Surrogate key.';
comment on column mentoring.alert.program is 'Name of the program.';
comment on column mentoring.alert.mentorship is 'Name of the mentorship.';
comment on column mentoring.alert.kind is 'violated (overdue or lapsed) or at_risk (that, and nothing booked).';
comment on column mentoring.alert.level is 'How far it climbed: pair, coordinator, escalation.';
comment on column mentoring.alert.opened_at is 'When it was noticed.';
comment on column mentoring.alert.told_at is 'When somebody was last told by mail; NULL = nobody.';
comment on column mentoring.alert.resolved_at is 'When it was over; NULL = open.';
comment on column mentoring.alert.baselined is 'It began before the program went live: recorded, told to nobody.';
comment on column mentoring.alert.reasons is 'Reasons of the cadence view when it was last looked at.';
