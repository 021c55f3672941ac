-- Why: what is asked by meeting link, by person and by outcome must not read whole tables of five million sessions.
-- Lock cost: builds indexes under a share lock; writers wait, readers do not.

-- A meeting link is shared by a whole series: its neighbours decide which occurrence a record belongs to.
create index occurrence_by_conference on cadenced.occurrence (conference_key, starts_at)
  where conference_kind in ('meet', 'teams');

-- The cap of reminders a person and day.
create index mail_reminders_by_person on cadenced.mail (person_id, due_at) where kind = 'reminder';

-- Ordinals, last held session, gaps.
create index session_held_by_mentorship on cadenced.session (mentorship_id, starts_at) where outcome = 'held';

-- Whether a mailbox of the program carries a mentorship.
create index calendar_by_program on cadenced.calendar (program_id) where program_id is not null;

-- A view reads tables with its owner's rights, but calls functions with its reader's: without this, nobody but the
-- owner could read a view that asks for the time.
alter function cadenced.now() security definer;
