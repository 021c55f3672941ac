-- Why: people ask by person and by time, over all programs, and must not read whole tables of millions of rows.
-- Lock cost: builds indexes under a share lock (writers wait, readers do not); some seconds for five million sessions.

-- What happens today, whichever the program.
create index session_by_start on cadenced.session (starts_at);

-- Everything that was recorded about a person: to show it, and to erase it.
create index evidence_by_person on cadenced.evidence (person_id) where person_id is not null;

-- Every mail of a person; the cap of reminders a person and day reads it, too.
create index mail_by_person on cadenced.mail (person_id, due_at);
drop index cadenced.mail_reminders_by_person;
create index mail_by_time on cadenced.mail (due_at);

-- What happened since, which a replay asks as well.
create index outbound_event_by_time on cadenced.outbound_event (occurred_at);

create index feedback_by_time on cadenced.feedback (given_at);

-- A mentorship is asked for by its name alone as well.
create index mentorship_by_key on cadenced.mentorship (key);
