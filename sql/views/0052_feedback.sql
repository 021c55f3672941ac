-- Who was asked how a session was, and who answered. People are asked by the mail that asks whether they met, which
-- leaves only when no record can tell; whoever says that they met is asked how it was on the same page, or sent on to
-- the program's feedback_url. A tool behind that address tells what it was told by mentoring.record_feedback.

create view mentoring.feedback_month as
select program.name as program, counted.month, counted.held, counted.prompted, counted.prompts, counted.answers,
       counted.responses, counted.unprompted_responses,
       cadenced.verified_share(counted.prompted, counted.held, counted.held) as feedback_prompt_rate_verified,
       cadenced.share(counted.prompted, counted.held) as feedback_prompt_rate_lower,
       cadenced.share(counted.prompted, counted.held) as feedback_prompt_rate_upper,
       cadenced.verified_share(counted.answers, counted.prompts, counted.prompts) as answer_rate_verified,
       cadenced.share(counted.answers, counted.prompts) as answer_rate_lower,
       cadenced.share(counted.answers, counted.prompts) as answer_rate_upper,
       cadenced.verified_share(counted.responses, counted.prompts, counted.prompts) as response_rate_verified,
       cadenced.share(counted.responses, counted.prompts) as response_rate_lower,
       cadenced.share(counted.responses, counted.prompts) as response_rate_upper,
       counted.ratings, case when counted.ratings >= 5 then round(counted.rating_sum / counted.ratings, 2) end as avg_rating
  from cadenced.program
 cross join lateral (
   select fact.month, sum(fact.held)::bigint as held,
          coalesce(sum(fact.held) filter (where asked.prompts > 0), 0)::bigint as prompted,
          coalesce(sum(asked.prompts), 0)::bigint as prompts,
          coalesce(sum(asked.answers), 0)::bigint as answers,
          coalesce(sum(asked.responses), 0)::bigint as responses,
          (coalesce(sum(given.responses), 0) - coalesce(sum(asked.responses), 0))::bigint as unprompted_responses,
          coalesce(sum(given.ratings), 0)::bigint as ratings, coalesce(sum(given.rating_sum), 0) as rating_sum
     from cadenced.session_count fact
     left join lateral (
       select count(*) as prompts,
              count(*) filter (where exists (
                select from cadenced.evidence
                 where evidence.session_id = mail.session_id and evidence.person_id = mail.person_id
                   and evidence.source = 'answer')) as answers,
              count(*) filter (where exists (
                select from cadenced.feedback
                 where feedback.session_id = mail.session_id and feedback.person_id = mail.person_id)) as responses
         from cadenced.mail
        where mail.session_id = fact.session_id and mail.kind = 'did_you_meet' and mail.status = 'sent'
     ) as asked on true
     left join lateral (
       select count(*) as responses, count(feedback.rating) as ratings, sum(feedback.rating) as rating_sum
         from cadenced.feedback
        where feedback.session_id = fact.session_id
     ) as given on true
    where fact.program_id = program.program_id
    group by fact.month
 ) as counted;
comment on view mentoring.feedback_month is 'How many people were asked about the sessions of a month, and how many answered. People are asked only about sessions that no record can prove, so a low feedback_prompt_rate is good news about the records.';
comment on column mentoring.feedback_month.program is 'Name of the program.';
comment on column mentoring.feedback_month.month is 'First day of the month, in the program''s zone; a session counts where its scheduled start lies.';
comment on column mentoring.feedback_month.held is 'Held sessions, as in program_month.';
comment on column mentoring.feedback_month.prompted is 'Of held: somebody was asked about it by mail.';
comment on column mentoring.feedback_month.prompts is 'Questions by mail that the mail server took, one a person and session, whatever became of the session.';
comment on column mentoring.feedback_month.answers is 'Of prompts: the person said whether they met.';
comment on column mentoring.feedback_month.responses is 'Of prompts: the person said how it was.';
comment on column mentoring.feedback_month.unprompted_responses is 'Feedback of people who had not been asked by mail, such as what another tool collected.';
comment on column mentoring.feedback_month.feedback_prompt_rate_verified is 'prompted / held; NULL under five held sessions.';
comment on column mentoring.feedback_month.feedback_prompt_rate_lower is 'prompted / held.';
comment on column mentoring.feedback_month.feedback_prompt_rate_upper is 'The same: whom we asked is known.';
comment on column mentoring.feedback_month.answer_rate_verified is 'answers / prompts; NULL under five prompts.';
comment on column mentoring.feedback_month.answer_rate_lower is 'answers / prompts.';
comment on column mentoring.feedback_month.answer_rate_upper is 'The same: who answered is known.';
comment on column mentoring.feedback_month.response_rate_verified is 'responses / prompts; NULL under five prompts. Where feedback_url sends people to another tool, only what that tool tells by mentoring.record_feedback is counted.';
comment on column mentoring.feedback_month.response_rate_lower is 'responses / prompts.';
comment on column mentoring.feedback_month.response_rate_upper is 'The same: who responded is known.';
comment on column mentoring.feedback_month.ratings is 'Feedback with a rating, asked for by mail or not.';
comment on column mentoring.feedback_month.avg_rating is 'Mean of the ratings, 1 to 5; NULL under five, so that nobody can be told by it.';

create function mentoring.record_feedback(
  session_id bigint,
  email text,
  rating integer default null,
  comment text default null
) returns bigint
  language plpgsql security definer set search_path = ''
as $$
declare
  target cadenced.session;
  who bigint;
  made bigint;
  words text := nullif(btrim(record_feedback.comment), '');
begin
  select * into target from cadenced.session where session.session_id = record_feedback.session_id;
  if target.session_id is null then
    raise exception 'there is no session %', record_feedback.session_id using errcode = 'foreign_key_violation',
      hint = 'See mentoring.session, or session_id in the event session.judged.';
  end if;
  if target.ends_at > cadenced.now() then
    raise exception 'session % has not ended yet', target.session_id using errcode = 'check_violation';
  end if;
  select participant.person_id into who
    from cadenced.participant
    join cadenced.person on person.person_id = participant.person_id
   where participant.session_id = target.session_id
     and (person.address = lower(btrim(record_feedback.email))
          or exists (select from cadenced.person_address
                      where person_address.person_id = person.person_id
                        and person_address.address = lower(btrim(record_feedback.email))));
  if who is null then
    raise exception 'nobody with the address "%" was invited to session %', record_feedback.email, target.session_id
      using errcode = 'foreign_key_violation', hint = 'See mentoring.attendance.';
  end if;
  if record_feedback.rating is null and words is null then
    raise exception 'feedback is a rating, a comment or both' using errcode = 'null_value_not_allowed';
  end if;
  if record_feedback.rating not between 1 and 5 then
    raise exception 'a rating is 1 to 5, not %', record_feedback.rating using errcode = 'check_violation';
  end if;
  if length(words) > 2000 then
    raise exception 'a comment has at most 2000 characters, not %', length(words) using errcode = 'check_violation';
  end if;
  insert into cadenced.feedback (session_id, person_id, rating, comment, given_at)
  values (target.session_id, who, record_feedback.rating, words, cadenced.now())
  on conflict on constraint feedback_is_given_once do update
     set rating = excluded.rating, comment = excluded.comment, given_at = excluded.given_at
   where (feedback.rating, feedback.comment) is distinct from (excluded.rating, excluded.comment)
  returning feedback.feedback_id into made;
  if made is null then
    select feedback.feedback_id into made from cadenced.feedback
     where feedback.session_id = target.session_id and feedback.person_id = who;
  end if;
  return made;
end
$$;
comment on function mentoring.record_feedback(bigint, text, integer, text) is
  'For the tool behind a program''s feedback_url: keeps what an invited person said about an ended session. email: the person; rating: 1 to 5; comment: their words; at least one of the two. What they said before is replaced, and saying the same again changes nothing. Returns an id. It says nothing about whether the session took place: see mentoring.record_evidence.';
