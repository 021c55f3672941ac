-- Why: how late a session began was not written with its verdict, so that no month could tell. Worked out here once more
-- for what was judged since, as 0040 did; the months concerned are counted anew by their triggers. And whoever learns
-- whose an account is has to find the guests that it explains.
-- Lock cost: a row lock on each held session of which a record tells when both sides had come (written once, some 20 s
-- for each million of them); an index over the guests of cadenced.evidence, whose writers wait meanwhile.

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
 where session.session_id = second.session_id
   and session.start_delay_minutes is distinct from second.minutes;

create index evidence_guest_by_account on cadenced.evidence ((detail ->> 'account')) where kind = 'guest';
comment on index cadenced.evidence_guest_by_account is 'Whom a newly learnt account explains.';
