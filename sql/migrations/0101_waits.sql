-- Why: what a provider asked us to wait was cut short by whatever made the calendar due meanwhile: the daily
-- comparison, a meeting that another calendar told of, a plan, an import. A wrong setting or a missing grant was seen
-- in the log alone, and every calendar went on asking as if nothing were wrong. What was read together once, by an
-- import or after an outage, was compared together every day from then on.
-- Lock cost: new columns without a rewrite; small indexes, built under a share lock; a trigger that is asked of rows
-- whose next poll is set.

alter table cadenced.calendar add column hold_until timestamptz;
comment on column cadenced.calendar.hold_until is 'The provider asked not to be asked about this calendar before this (real time): no wish makes it due earlier. NULL = it did not.';

-- A trigger, because due times are set in a dozen places, and by administrators.
create function cadenced.hold_poll() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  new.next_poll_at := new.hold_until;
  return new;
end
$$;
comment on function cadenced.hold_poll() is 'Puts a poll off to the end of the wait that the provider asked for.';
create trigger poll_held before update of next_poll_at on cadenced.calendar
  for each row when (new.next_poll_at < new.hold_until) execute function cadenced.hold_poll();

alter table cadenced.calendar add column config_fault text;
comment on column cadenced.calendar.config_fault is 'Code of the setting, grant or scope because of which the calendar could not be read, until it is read again. The state is left alone: it is nobody''s calendar that is at fault.';
create index calendar_config_fault on cadenced.calendar (provider, config_fault) where config_fault is not null;

alter table cadenced.calendar add column reconcile_at timestamptz;
comment on column cadenced.calendar.reconcile_at is 'When the whole window is compared again (business time): a day after it was last, give or take a quarter. NULL = a day and a quarter after.';
-- The predicate is that of store/due-work.ts, word for word: else it is not used.
create index calendar_reconcile_due on cadenced.calendar (reconcile_at)
  where retired_at is null and not reconcile_wanted and not full_pass_wanted
    and state in ('active', 'parked', 'throttled');
