-- Why: a meeting that was put off before it began is the same session, also when nobody looked until its old time was
-- over; so the comments no longer say that a session never moves after its end.
-- Lock cost: none that anybody waits for; comments are written under a lock that lets readers and writers pass.

comment on column cadenced.session.starts_at is
  'Scheduled start; once the session has ended moved only by a change that the source dates before it.';
comment on column cadenced.session.ends_at is
  'Scheduled end; once the session has ended moved only by a change that the source dates before the start.';
