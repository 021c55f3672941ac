-- What other programs and administrators may say. Each function runs with its owner's rights, so that its caller
-- needs no right on any table; each names who spoke, and nothing said is ever changed: it can be withdrawn.

-- What a plan may say, whether it is written anew or changed.
create function cadenced.check_plan(plan_mentorship bigint, plan mentoring.planned_session) returns void
  language plpgsql stable security definer set search_path = ''
as $$
declare
  other bigint;
begin
  if plan.starts_at is null or plan.ends_at is null then
    raise exception 'a planned session needs program, mentorship, starts_at and ends_at'
      using errcode = 'not_null_violation';
  end if;
  if plan.ends_at <= plan.starts_at then
    raise exception 'a planned session ends after it starts, not at %', plan.ends_at using errcode = 'check_violation';
  end if;
  if plan.tolerance < interval '0' then
    raise exception 'a tolerance is not negative' using errcode = 'check_violation';
  end if;
  if length(plan.reference) < 4 then
    raise exception 'the reference "%" is too short: it would be found in entries that mean something else', plan.reference
      using errcode = 'check_violation', hint = 'Give at least four characters, such as PLAN-17, or none at all.';
  end if;
  select planned_session.plan_id into other
    from cadenced.planned_session
   where planned_session.mentorship_id = plan_mentorship and planned_session.reference = plan.reference
     and planned_session.withdrawn_at is null and planned_session.plan_id is distinct from plan.plan_id;
  if other is not null then
    raise exception 'plan % of the same mentorship has the reference "%" already', other, plan.reference
      using errcode = 'unique_violation', hint = 'Withdraw it, or choose another reference.';
  end if;
end
$$;
comment on function cadenced.check_plan(bigint, mentoring.planned_session) is 'Refuses plans that cannot be, in words that say how to mend them.';

create function cadenced.plan_session() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  target bigint;
begin
  if new.program is null or new.mentorship is null then
    raise exception 'a planned session needs program, mentorship, starts_at and ends_at'
      using errcode = 'not_null_violation';
  end if;
  if not exists (select from cadenced.program where program.name = new.program) then
    raise exception 'there is no program "%"', new.program
      using errcode = 'foreign_key_violation',
            hint = 'Programs are: ' || coalesce((select string_agg(name, ', ' order by name) from cadenced.program), 'none yet');
  end if;
  select mentorship.mentorship_id into target
    from cadenced.mentorship join cadenced.program on program.program_id = mentorship.program_id
   where program.name = new.program and mentorship.key = new.mentorship;
  if target is null then
    raise exception 'the program "%" has no mentorship "%"', new.program, new.mentorship
      using errcode = 'foreign_key_violation', hint = 'Mentorships are named by the roster; see mentoring.cadence.';
  end if;
  new.plan_id := null;
  new.tolerance := coalesce(new.tolerance, interval '2 days');
  new.reference := nullif(btrim(new.reference), '');
  perform cadenced.check_plan(target, new);
  insert into cadenced.planned_session (mentorship_id, starts_at, ends_at, tolerance, reference)
  values (target, new.starts_at, new.ends_at, new.tolerance, new.reference)
  returning planned_session.plan_id into new.plan_id;
  -- Bound by now, if its session is known.
  select planned_session.session_id, planned_session.state into new.session_id, new.state
    from mentoring.planned_session where planned_session.plan_id = new.plan_id;
  return new;
end
$$;
comment on function cadenced.plan_session() is 'Turns an insert into mentoring.planned_session into a plan.';
create trigger plan_session instead of insert on mentoring.planned_session
  for each row execute function cadenced.plan_session();

create function cadenced.change_plan() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  target bigint;
begin
  if (new.plan_id, new.program, new.mentorship, new.session_id, new.state)
     is distinct from (old.plan_id, old.program, old.mentorship, old.session_id, old.state) then
    raise exception 'of a planned session only starts_at, ends_at, tolerance and reference can be changed'
      using errcode = 'feature_not_supported', hint = 'Delete it to withdraw it, and insert another.';
  end if;
  if old.state = 'withdrawn' then
    raise exception 'plan % was withdrawn', old.plan_id using errcode = 'check_violation', hint = 'Insert another.';
  end if;
  new.tolerance := coalesce(new.tolerance, interval '2 days');
  new.reference := nullif(btrim(new.reference), '');
  select planned_session.mentorship_id into target from cadenced.planned_session where plan_id = old.plan_id;
  perform cadenced.check_plan(target, new);
  -- What is not changed makes no calendar be read.
  update cadenced.planned_session
     set starts_at = new.starts_at, ends_at = new.ends_at, tolerance = new.tolerance, reference = new.reference
   where plan_id = old.plan_id
     and (starts_at, ends_at, tolerance, reference)
         is distinct from (new.starts_at, new.ends_at, new.tolerance, new.reference);
  select planned_session.session_id, planned_session.state into new.session_id, new.state
    from mentoring.planned_session where planned_session.plan_id = old.plan_id;
  return new;
end
$$;
comment on function cadenced.change_plan() is 'Turns an update of mentoring.planned_session into a changed plan.';
create trigger change_plan instead of update on mentoring.planned_session
  for each row execute function cadenced.change_plan();

create function cadenced.withdraw_plan() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  update cadenced.planned_session set withdrawn_at = cadenced.now()
   where plan_id = old.plan_id and withdrawn_at is null;
  return old;
end
$$;
comment on function cadenced.withdraw_plan() is 'Turns a delete from mentoring.planned_session into a withdrawal.';
create trigger withdraw_plan instead of delete on mentoring.planned_session
  for each row execute function cadenced.withdraw_plan();

-- Three hours after the end, or at once when that has passed.
create function cadenced.wake_judge(occurrence bigint, session bigint) returns void
  language sql security definer set search_path = ''
begin atomic
  update cadenced.session
     set next_judgement_at = least(coalesce(session.next_judgement_at, 'infinity'),
                                   greatest(cadenced.now(), session.ends_at + interval '3 hours'))
   where session.occurrence_id = wake_judge.occurrence
     and (wake_judge.session is null or session.session_id = wake_judge.session);
end;
comment on function cadenced.wake_judge(bigint, bigint) is 'Has a session, or all sessions of a meeting, judged again.';

create function cadenced.said_by(who text) returns text
  language plpgsql stable security invoker set search_path = ''
as $$
begin
  if nullif(btrim(who), '') is null then
    raise exception 'say who speaks: an address or a name' using errcode = 'null_value_not_allowed';
  end if;
  return btrim(who);
end
$$;
comment on function cadenced.said_by(text) is 'Refuses statements of nobody.';

create function cadenced.session_named(id bigint) returns cadenced.session
  language plpgsql stable security invoker set search_path = ''
as $$
declare
  found_session cadenced.session;
begin
  select * into found_session from cadenced.session where session.session_id = id;
  if found_session.session_id is null then
    raise exception '%', case when id is null then 'say which session: give its session_id' else format('there is no session %s', id) end
      using errcode = case when id is null then 'null_value_not_allowed' else 'foreign_key_violation' end,
            hint = 'See mentoring.session.';
  end if;
  return found_session;
end
$$;
comment on function cadenced.session_named(bigint) is 'The session of an id, or why there is none.';

-- By any address of theirs. NULL when the roster does not know it.
create function cadenced.person_named(email text) returns bigint
  language sql stable security invoker set search_path = ''
begin atomic
  select person_id from (
    select person_id, 1 as place from cadenced.person_address where address = lower(btrim(email))
    union all
    select person_id, 2 from cadenced.person where address = lower(btrim(email))) as known
   order by place limit 1;
end;
comment on function cadenced.person_named(text) is 'Whose address it is; NULL when nobody of the roster has it.';

-- Who may be spoken of: the invited, and other members of the mentorship, who may have come in somebody''s place.
create function cadenced.is_of_session(person bigint, of_session bigint) returns boolean
  language sql stable security invoker set search_path = ''
begin atomic
  select exists (select from cadenced.participant
                  where participant.session_id = of_session and participant.person_id = person)
      or exists (select from cadenced.session
                   join cadenced.membership on membership.mentorship_id = session.mentorship_id
                  where session.session_id = of_session and membership.person_id = person);
end;
comment on function cadenced.is_of_session(bigint, bigint) is 'Whether somebody was invited to a session or belongs to its mentorship.';

-- Evidence of another day is a slip of the pen or of the zone; kept, it could only mislead.
create function cadenced.check_times(of_session cadenced.session, kind text, from_at timestamptz, until_at timestamptz)
  returns void
  language plpgsql stable security invoker set search_path = ''
as $$
begin
  if kind = 'presence' and (from_at is null or until_at is null) then
    raise exception 'a presence has a from_at and an until_at; for a list without times record met, or correct the attendance'
      using errcode = 'null_value_not_allowed';
  end if;
  if until_at < from_at then
    raise exception 'until_at lies before from_at' using errcode = 'check_violation';
  end if;
  if least(from_at, until_at) < of_session.starts_at - interval '1 day'
     or greatest(from_at, until_at) > of_session.ends_at + interval '1 day' then
    raise exception 'session % is on %, more than a day from %', of_session.session_id,
      of_session.starts_at, case when from_at < of_session.starts_at then from_at else coalesce(until_at, from_at) end
      using errcode = 'check_violation', hint = 'Is it another session, or a time without its zone? See mentoring.session.';
  end if;
  if greatest(from_at, until_at) > cadenced.now() then
    raise exception 'nobody can have been there at %: that is still to come', greatest(from_at, until_at)
      using errcode = 'check_violation';
  end if;
  if kind in ('met', 'not_met', 'absent') and of_session.ends_at > cadenced.now() then
    raise exception 'session % has not ended yet', of_session.session_id
      using errcode = 'check_violation', hint = 'Beforehand somebody can only be excused.';
  end if;
end
$$;
comment on function cadenced.check_times(cadenced.session, text, timestamptz, timestamptz) is 'Refuses times that cannot be those of the session.';

create function mentoring.record_evidence(
  session_id bigint,
  system text,
  kind text,
  reference text,
  email text default null,
  from_at timestamptz default null,
  until_at timestamptz default null,
  complete boolean default false,
  withdraws text default null
) returns bigint
  language plpgsql security definer set search_path = ''
as $$
declare
  target cadenced.session := cadenced.session_named(session_id);
  who bigint;
  made bigint;
  earlier cadenced.evidence;
  said_by text := nullif(btrim(system), '');
  own_key text;
  taken_back text;
begin
  if said_by is null then
    raise exception 'say which system speaks, such as zoom' using errcode = 'null_value_not_allowed';
  end if;
  if record_evidence.kind is null
     or record_evidence.kind not in ('record', 'presence', 'guest', 'device', 'absent', 'excused', 'met', 'not_met', 'withdrawn') then
    raise exception 'the kind "%" is not one of record, presence, guest, device, absent, excused, met, not_met, withdrawn',
      record_evidence.kind using errcode = 'check_violation';
  end if;
  if nullif(record_evidence.reference, '') is null then
    raise exception 'evidence needs a reference: your own key of the statement, so that a repeat is kept once'
      using errcode = 'null_value_not_allowed';
  end if;
  own_key := said_by || '/' || record_evidence.reference;
  if record_evidence.email is not null then
    who := cadenced.person_named(record_evidence.email);
    if who is null then
      raise exception 'nobody in the roster has the address "%"', record_evidence.email
        using errcode = 'foreign_key_violation',
              hint = 'Record somebody you cannot name as kind guest, without an address.';
    end if;
    if record_evidence.kind <> 'presence' and not cadenced.is_of_session(who, target.session_id) then
      raise exception '"%" does not belong to session %', record_evidence.email, target.session_id
        using errcode = 'foreign_key_violation', hint = 'See mentoring.attendance.';
    end if;
  elsif record_evidence.kind in ('presence', 'absent', 'excused') then
    raise exception 'evidence of kind % speaks of a person: give the address', record_evidence.kind
      using errcode = 'null_value_not_allowed';
  end if;
  perform cadenced.check_times(target, record_evidence.kind, record_evidence.from_at, record_evidence.until_at);
  if record_evidence.kind = 'withdrawn' then
    taken_back := said_by || '/' || nullif(record_evidence.withdraws, '');
    if taken_back is null then
      raise exception 'say in withdraws which statement is taken back: the reference it was recorded under'
        using errcode = 'null_value_not_allowed';
    end if;
    if not exists (select from cadenced.evidence
                    where evidence.occurrence_id = target.occurrence_id and evidence.source = 'external'
                      and evidence.session_id = target.session_id and evidence.reference = taken_back) then
      raise exception '% has said nothing about session % under the reference "%"', said_by, target.session_id,
        record_evidence.withdraws using errcode = 'foreign_key_violation', hint = 'See mentoring.evidence.';
    end if;
  elsif record_evidence.withdraws is not null then
    raise exception 'only the kind withdrawn takes a statement back' using errcode = 'check_violation';
  end if;
  insert into cadenced.evidence
    (occurrence_id, session_id, person_id, source, kind, from_at, until_at, reference, detail, seen_at)
  values
    (target.occurrence_id, target.session_id, who, 'external', record_evidence.kind, record_evidence.from_at,
     record_evidence.until_at, own_key,
     jsonb_strip_nulls(jsonb_build_object(
       'by', said_by, 'recorded_by', session_user,
       'complete', case when record_evidence.kind = 'record' then record_evidence.complete end,
       'withdraws', taken_back)),
     cadenced.now())
  on conflict on constraint evidence_is_recorded_once do nothing
  returning evidence.evidence_id into made;
  if made is null then
    select * into earlier from cadenced.evidence
     where evidence.occurrence_id = target.occurrence_id and evidence.source = 'external'
       and evidence.reference = own_key;
    -- A repeat is harmless; another statement under the same key would be lost without a word.
    if (earlier.session_id, earlier.person_id, earlier.kind, earlier.from_at, earlier.until_at,
        earlier.detail ->> 'withdraws', earlier.detail ->> 'complete')
       is distinct from (target.session_id, who, record_evidence.kind, record_evidence.from_at, record_evidence.until_at,
        taken_back, case when record_evidence.kind = 'record' then record_evidence.complete end::text) then
      raise exception '% has said something else under the reference "%" (evidence %)', said_by,
        record_evidence.reference, earlier.evidence_id
        using errcode = 'unique_violation', hint = 'Withdraw it under a reference of its own, and record this under another.';
    end if;
    return earlier.evidence_id;
  end if;
  perform cadenced.wake_judge(target.occurrence_id, target.session_id);
  return made;
end
$$;
comment on function mentoring.record_evidence(bigint, text, text, text, text, timestamptz, timestamptz, boolean, text) is
  'Records what another system knows about a session (Zoom, Webex, a sign-in sheet). system: its name; kind: record, presence, guest, device, absent, excused, met, not_met or withdrawn; reference: your own key, the same statement is kept once; email: the person; from_at, until_at: the time; complete: a record that lists everybody, given after them; withdraws: the reference of an earlier statement that was wrong. Returns evidence_id. Restates the outcome within a minute.';

create function mentoring.correct_attendance(
  session_id bigint,
  status text,
  by text,
  reason text,
  email text default null
) returns bigint
  language plpgsql security definer set search_path = ''
as $$
declare
  target cadenced.session := cadenced.session_named(session_id);
  who bigint;
  made bigint;
  said text;
  said_by text := cadenced.said_by(by);
begin
  if target.ends_at > cadenced.now() then
    raise exception 'session % has not ended yet', correct_attendance.session_id using errcode = 'check_violation';
  end if;
  if nullif(btrim(correct_attendance.reason), '') is null then
    raise exception 'say why' using errcode = 'null_value_not_allowed';
  end if;
  if correct_attendance.email is not null then
    who := cadenced.person_named(correct_attendance.email);
    if who is null then
      raise exception 'nobody in the roster has the address "%"', correct_attendance.email
        using errcode = 'foreign_key_violation', hint = 'See mentoring.attendance.';
    end if;
    if not cadenced.is_of_session(who, target.session_id) then
      raise exception 'nobody with the address "%" was invited to session %', correct_attendance.email, target.session_id
        using errcode = 'foreign_key_violation', hint = 'See mentoring.attendance.';
    end if;
  end if;
  said := case when who is not null then case correct_attendance.status
                 when 'attended' then 'presence' when 'absent' then 'absent' when 'excused' then 'excused'
                 when 'unknown' then 'guest' when 'withdrawn' then 'withdrawn' end
               else case correct_attendance.status
                 when 'met' then 'met' when 'not_met' then 'not_met' when 'withdrawn' then 'withdrawn' end end;
  if said is null then
    raise exception 'the status "%" is not one of %', correct_attendance.status,
      case when who is null then 'met, not_met, withdrawn (of the session)'
           else 'attended, absent, excused, unknown, withdrawn (of a person)' end
      using errcode = 'check_violation',
            hint = 'Without an address the word is about the whole session, with one about that person.';
  end if;
  if said = 'withdrawn' and coalesce((
       select evidence.kind from cadenced.evidence
        where evidence.session_id = target.session_id and evidence.source = 'correction'
          and evidence.person_id is not distinct from who
        order by evidence.seen_at desc, evidence.evidence_id desc limit 1), 'withdrawn') = 'withdrawn' then
    raise exception 'no correction of % stands', case when who is null then format('session %s as a whole', target.session_id)
                                                      else format('"%s" in session %s', correct_attendance.email, target.session_id) end
      using errcode = 'foreign_key_violation', hint = 'See mentoring.evidence where source = ''correction''.';
  end if;
  insert into cadenced.evidence (occurrence_id, session_id, person_id, source, kind, reference, detail, seen_at)
  values (target.occurrence_id, target.session_id, who, 'correction', said, pg_catalog.gen_random_uuid()::text,
          jsonb_build_object('by', said_by, 'reason', btrim(correct_attendance.reason), 'recorded_by', session_user),
          cadenced.now())
  returning evidence.evidence_id into made;
  perform cadenced.wake_judge(target.occurrence_id, target.session_id);
  return made;
end
$$;
comment on function mentoring.correct_attendance(bigint, text, text, text, text) is
  'An administrator''s word, stronger than every record. With email: status attended, absent, excused or unknown of that person; without: met or not_met of the session. by: who says so; reason: why. The last word counts; status withdrawn takes it back, so that the records speak again. Returns evidence_id. Restates the outcome within a minute.';
