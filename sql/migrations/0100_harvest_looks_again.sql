-- Why: a source that has said all it is waited for may still learn more: Meet is asked again while it keeps records,
-- and names whom it would not name before once an administrator allows it. Nobody waits for that with the verdict.
-- Lock cost: a check over cadenced.harvest under an exclusive lock; about a second for five million rows.

alter table cadenced.harvest
  drop constraint harvest_waiting_has_a_time,
  add constraint harvest_waiting_has_a_time check (
    case state when 'waiting' then due_at is not null when 'cannot_tell' then due_at is null else true end
  );
comment on column cadenced.harvest.state is 'waiting, final (it has said all that is waited for), or cannot_tell.';
comment on column cadenced.harvest.due_at is 'When it is asked next (business time); in state final only in case it has learnt more.';
