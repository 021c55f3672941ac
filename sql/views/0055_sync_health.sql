-- Everything about a calendar but whose it is.
create view cadenced.calendar_health as
select calendar.calendar_id, calendar.person_id, calendar.program_id,
       calendar.address as calendar, calendar.provider,
       calendar.state,
       -- One that cannot be read says why; what keeps all of a provider's from being read comes before any other reason.
       case when calendar.state in ('active', 'parked', 'throttled') then coalesce(calendar.config_fault, calendar.state_reason)
            else calendar.state_reason end as reason, calendar.state_since as since,
       calendar.last_complete_pass_at, (select cadenced.now()) - calendar.last_complete_pass_at as lag,
       calendar.push_state as push,
       (select max(channel.expires_at) from cadenced.channel
         where channel.calendar_id = calendar.calendar_id and channel.state in ('unverified', 'verified')
           and channel.closed_at is null) as push_expires_at,
       coalesce(jsonb_array_length(calendar.parked -> 'lineages'), 0) as parked, calendar.drift,
       calendar.next_probe_at, calendar.last_reconcile_at, calendar.untagged_seen, calendar.hidden_seen,
       calendar.left_out_seen, calendar.push_reason, calendar.push_since
  from cadenced.calendar
 where calendar.retired_at is null;
comment on view cadenced.calendar_health is 'What mentoring.sync_health says of a calendar, without its owner.';

-- Calendars of people and of programs one after the other: an owner that is either could be looked up in no index.
create view mentoring.sync_health as
select health.calendar, person.address as owner, health.provider, health.state, health.reason, health.since,
       health.last_complete_pass_at, health.lag, health.push, health.push_expires_at, health.parked, health.drift,
       health.next_probe_at, health.last_reconcile_at, health.untagged_seen, health.hidden_seen,
       health.left_out_seen, null::text as mailbox_of, health.push_reason, health.push_since
  from cadenced.calendar_health health
  join cadenced.person on person.person_id = health.person_id
 union all
select health.calendar, health.calendar, health.provider, health.state, health.reason, health.since,
       health.last_complete_pass_at, health.lag, health.push, health.push_expires_at, health.parked, health.drift,
       health.next_probe_at, health.last_reconcile_at, health.untagged_seen, health.hidden_seen,
       health.left_out_seen, program.name, health.push_reason, health.push_since
  from cadenced.calendar_health health
  join cadenced.program on program.program_id = health.program_id;
comment on view mentoring.sync_health is 'Every calendar that is read: whether it can be, and how fresh what we know is.';
comment on column mentoring.sync_health.calendar is 'Address of the calendar.';
comment on column mentoring.sync_health.owner is 'Primary address of its owner; the mailbox itself for a program.';
comment on column mentoring.sync_health.provider is 'google or microsoft.';
comment on column mentoring.sync_health.state is 'active, denied, gone, needs_consent, throttled, parked.';
comment on column mentoring.sync_health.reason is 'Short reason of the state; of an active calendar, what hinders its reading (window_in_pieces: the provider fails at the whole window) or keeps it from being read: a setting, a grant or a scope that somebody must mend (api_not_enabled, scope_missing, delegation_missing, secret_expired, ...), until it is read again.';
comment on column mentoring.sync_health.since is 'Since when.';
comment on column mentoring.sync_health.last_complete_pass_at is 'When it was last read completely.';
comment on column mentoring.sync_health.lag is 'How long ago that was.';
comment on column mentoring.sync_health.push is 'How the provider''s push stands: requested, unverified (nothing has come through yet), verified, unsupported (this calendar cannot be watched), refused, failing; NULL = polled only.';
comment on column mentoring.sync_health.push_expires_at is 'When the push channel runs out; NULL = polled only.';
comment on column mentoring.sync_health.parked is 'Meetings whose cancellation is held back until it is confirmed: see cadenced approve.';
comment on column mentoring.sync_health.drift is 'Rows in which the last daily comparison differed from what had been told; NULL before the first.';
comment on column mentoring.sync_health.next_probe_at is 'When a calendar that cannot be read is tried again.';
comment on column mentoring.sync_health.last_reconcile_at is 'When the whole window was last compared.';
comment on column mentoring.sync_health.untagged_seen is 'Entries seen without a tag: nothing else is kept of them.';
comment on column mentoring.sync_health.hidden_seen is 'Entries seen whose details the provider hides.';
comment on column mentoring.sync_health.left_out_seen is 'Entries that could not be read.';
comment on column mentoring.sync_health.mailbox_of is 'The program whose mailbox this is; NULL for a person''s calendar.';
comment on column mentoring.sync_health.push_reason is 'Short reason why push is unsupported, refused or failing.';
comment on column mentoring.sync_health.push_since is 'Since when push stands like this.';
