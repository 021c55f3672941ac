-- Why: how far a session was moved, and how late it began, are asked for by month. Neither could be told: where a
-- session stood before its first move was overwritten, and when both sides had come was worked out from participants
-- anew each time.
-- Lock cost: holds cadenced.session exclusively, readers included, until the migration ends: it writes the moved and the
-- held sessions once, some 20 s for each million of them. Their months are all counted anew by the next migration, so
-- they are not marked one by one here.

alter table cadenced.session
  add column first_starts_at timestamptz,
  add column start_delay_minutes numeric;
comment on column cadenced.session.first_starts_at is 'Start before its first move; NULL = it was never moved, or was moved before this was kept.';
comment on column cadenced.session.start_delay_minutes is 'Minutes from the scheduled start until the second side had come, negative when early; NULL when no record tells.';

-- A trigger, because whoever moves a session must not be able to forget it.
create function cadenced.keep_first_start() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  new.first_starts_at := coalesce(old.first_starts_at, old.starts_at);
  return new;
end
$$;
comment on function cadenced.keep_first_start() is 'Keeps where a session stood before its first move.';
create trigger session_first_start before update of starts_at on cadenced.session
  for each row when (old.starts_at is distinct from new.starts_at)
  execute function cadenced.keep_first_start();

alter table cadenced.session disable trigger months_of_changed_sessions;

-- Of what moved earlier only the slot in its series is known.
update cadenced.session
   set first_starts_at = occurrence.original_start
  from cadenced.occurrence
 where occurrence.occurrence_id = session.occurrence_id and session.reschedules > 0
   and occurrence.original_start is not null;

-- Among peers the second person, else the later of the two sides.
update cadenced.session
   set start_delay_minutes = second.minutes
  from (select arrival.session_id, round(extract(epoch from arrival.joined_at - begun.starts_at) / 60, 2) as minutes
          from (select side.session_id, side.joined_at,
                       row_number() over (partition by side.session_id order by side.joined_at) as place
                  from (select participant.session_id, min(participant.joined_at) as joined_at
                          from cadenced.participant
                         where participant.status = 'attended' and participant.joined_at is not null
                         group by participant.session_id, participant.role,
                                  case when participant.role = 'peer' then participant.person_id end) as side) as arrival
          join cadenced.session begun on begun.session_id = arrival.session_id
         where arrival.place = 2 and begun.outcome = 'held') as second
 where session.session_id = second.session_id;

alter table cadenced.session enable trigger months_of_changed_sessions;
