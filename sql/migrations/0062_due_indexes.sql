-- Why: once a second the daemon asks what is due. With a quarter of a million calendars that took seconds, because
-- every one of them was looked at; now only those are read that are due.
-- Lock cost: builds small indexes on cadenced.calendar and cadenced.channel under a share lock.

-- The predicates are those of store/due-work.ts and store/channels.ts, word for word: else they are not used.
create index calendar_to_reconcile on cadenced.calendar (last_reconcile_at)
  where retired_at is null and not reconcile_wanted and not full_pass_wanted
    and state in ('active', 'parked', 'throttled');
create index calendar_parked on cadenced.calendar (calendar_id) where parked is not null;

-- Calendars that can be watched, by when their channels are looked at; one never looked at comes first.
create index calendar_channels_due on cadenced.calendar (coalesce(channels_due_at, '-infinity'::timestamptz), calendar_id)
  where retired_at is null and last_complete_pass_at is not null and state in ('active', 'parked', 'throttled');

-- Those that were watched and cannot be read any more, and channels that wait to be closed.
create index calendar_unwatchable on cadenced.calendar (calendar_id)
  where push_state is not null
    and (retired_at is not null or last_complete_pass_at is null or state not in ('active', 'parked', 'throttled'));
create index channel_to_close on cadenced.channel (calendar_id) where closed_at is null and state = 'retired';
