-- Why: providers can tell of changes instead of being asked. What was opened at a provider must be on record, because
-- a channel that nobody remembers cannot be closed.
-- Lock cost: new columns without a rewrite; a new table.

create table cadenced.channel (
  channel_id uuid primary key,
  calendar_id bigint not null references cadenced.calendar on delete cascade,
  provider text not null constraint channel_provider_is_known check (provider in ('google', 'microsoft')),
  secret_hash bytea not null constraint channel_secret_hash_is_sha256 check (length(secret_hash) = 32),
  url text not null,
  external_id text,
  resource_id text,
  state text not null constraint channel_state_is_known check (state in ('requested', 'unverified', 'verified', 'retired')),
  requested_at timestamptz not null,
  opened_at timestamptz,
  expires_at timestamptz,
  renew_at timestamptz,
  first_spoke_at timestamptz,
  last_spoke_at timestamptz,
  spoken bigint not null default 0,
  closed_at timestamptz,
  failure text
);
create index channel_by_calendar on cadenced.channel (calendar_id) where closed_at is null;
create unique index channel_by_secret on cadenced.channel (secret_hash);
create index channel_by_external_id on cadenced.channel (external_id) where external_id is not null;
comment on table cadenced.channel is 'Push channels at the providers: Google''s watch channels, Graph''s subscriptions. A row is written before the provider is asked, so that none can exist without one.';
comment on column cadenced.channel.channel_id is 'Ours; Google takes it as the channel''s id.';
comment on column cadenced.channel.calendar_id is 'The calendar that it tells of.';
comment on column cadenced.channel.provider is 'google or microsoft.';
comment on column cadenced.channel.secret_hash is 'SHA-256 of the random secret that every notification must bring. The secret itself is not kept.';
comment on column cadenced.channel.url is 'Where it delivers to.';
comment on column cadenced.channel.external_id is 'The provider''s name of it: what it is closed by.';
comment on column cadenced.channel.resource_id is 'Google''s name of the calendar, without which a channel cannot be stopped; NULL at Microsoft.';
comment on column cadenced.channel.state is 'requested, unverified (open, but nothing has come through yet), verified, retired.';
comment on column cadenced.channel.requested_at is 'When the provider was asked.';
comment on column cadenced.channel.opened_at is 'When the provider agreed, or last lengthened it.';
comment on column cadenced.channel.expires_at is 'When it ends by itself, as the provider says.';
comment on column cadenced.channel.renew_at is 'When it is lengthened or replaced.';
comment on column cadenced.channel.first_spoke_at is 'When the first notification came; NULL = none yet.';
comment on column cadenced.channel.last_spoke_at is 'When the last notification came.';
comment on column cadenced.channel.spoken is 'Notifications so far.';
comment on column cadenced.channel.closed_at is 'When it was closed or ran out; NULL = it may still be open at the provider.';
comment on column cadenced.channel.failure is 'Why it was given up, or why its opening failed.';

alter table cadenced.calendar
  add column push_state text
    constraint calendar_push_state_is_known
      check (push_state in ('requested', 'unverified', 'verified', 'unsupported', 'refused', 'failing')),
  add column push_reason text,
  add column push_since timestamptz,
  add column push_failures integer not null default 0,
  add column push_hold_until timestamptz,
  add column channels_due_at timestamptz,
  add column pushed_at timestamptz,
  add column push_taken_at timestamptz,
  add column look_again_at timestamptz;
create index calendar_look_again on cadenced.calendar (look_again_at) where look_again_at is not null;
comment on column cadenced.calendar.push_state is 'How push stands: requested, unverified, verified, unsupported (this calendar cannot be watched), refused, failing; NULL = not wanted.';
comment on column cadenced.calendar.push_reason is 'Short reason of unsupported, refused and failing.';
comment on column cadenced.calendar.push_since is 'Since when push stands like this (business time).';
comment on column cadenced.calendar.push_failures is 'Openings in a row that failed.';
comment on column cadenced.calendar.push_hold_until is 'No channel is opened before this (business time): the provider refused one.';
comment on column cadenced.calendar.channels_due_at is 'When the channels are to be looked at (business time); NULL = at once where push is wanted.';
comment on column cadenced.calendar.pushed_at is 'When a notification last told of a change (real time).';
comment on column cadenced.calendar.push_taken_at is 'When a pass last began: what was told before is covered by it (real time).';
comment on column cadenced.calendar.look_again_at is 'Providers tell of a change before they can show it, so a pushed calendar is read again 10 s and 60 s later (real time).';

-- How long a calendar may wait for its next poll. In one place, because passes that went well and passes that failed ask it.
create function cadenced.poll_distance(of_calendar bigint, unwatched interval, watched interval) returns interval
  language sql stable
  return case when exists (select from cadenced.channel
                            where channel.calendar_id = of_calendar and channel.state = 'verified'
                              and channel.closed_at is null and channel.expires_at > cadenced.now())
              then watched else unwatched end;
comment on function cadenced.poll_distance(bigint, interval, interval) is 'The distance of polls: the longer one only while a channel is open that has shown to work.';
