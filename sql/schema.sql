-- The schema as a prepared database has it: read it to know what is there, do not edit it.
-- Printed from the catalogue (node src/store/schema-dump.ts), compared on every check. What views and functions
-- do stands in sql/views and sql/migrations; here is what others may rely on: names, types, constraints, grants.

create role mentoring_evidence nologin;
create role mentoring_planner nologin;
create role mentoring_reader nologin;
-- Private tables of the daemon. Read the views in schema mentoring instead: these may change with any release.
create schema cadenced;

-- Stable views and functions for administrators and other programs.
create schema mentoring;
grant usage on schema mentoring to mentoring_evidence;
grant usage on schema mentoring to mentoring_planner;
grant usage on schema mentoring to mentoring_reader;

-- A mentorship that needs attention, from the day it was noticed until it resolved by itself.
create table cadenced.alert (
  alert_id bigint generated always as identity not null  -- Surrogate key.
  mentorship_id bigint not null  -- The mentorship.
  kind text not null  -- at_risk or violated.
  level text default 'pair'::text not null  -- Who has been told so far: pair, coordinator, escalation.
  opened_at timestamp with time zone not null  -- When it was noticed (business time).
  told_at timestamp with time zone  -- When somebody was told; NULL = nobody.
  resolved_at timestamp with time zone  -- When it was over; NULL = open.
  baselined boolean default false not null  -- Older than the program's live_from: recorded, told to nobody.
  reasons text[] not null  -- Reasons from the closed list of the cadence view.
  constraint alert_pkey PRIMARY KEY (alert_id)
  constraint alert_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id) ON DELETE CASCADE
  constraint alert_kind_is_known CHECK ((kind = ANY (ARRAY['at_risk'::text, 'violated'::text])))
  constraint alert_level_is_known CHECK ((level = ANY (ARRAY['pair'::text, 'coordinator'::text, 'escalation'::text])))
);
CREATE INDEX alert_by_mentorship ON cadenced.alert USING btree (mentorship_id);
CREATE UNIQUE INDEX alert_one_open_of_a_kind ON cadenced.alert USING btree (mentorship_id, kind) WHERE (resolved_at IS NULL);

-- When all mentorships of a program are compared with their alerts again. A program without a row is due.
create table cadenced.cadence_look (
  program_id bigint not null  -- The program.
  look_at timestamp with time zone not null  -- The next look (business time): when a day begins in the program's zone, and at least every hour.
  constraint cadence_look_pkey PRIMARY KEY (program_id)
  constraint cadence_look_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id) ON DELETE CASCADE
);

-- Mentorships whose standing may have changed since they were compared with their alerts. One may stand here often: marks are only ever added, so that no writer waits for another.
create table cadenced.cadence_mark (
  mentorship_id bigint not null  -- The mentorship.
);
CREATE INDEX cadence_mark_by_mentorship ON cadenced.cadence_mark USING btree (mentorship_id);

-- A calendar that is read: one of a person, or the mailbox of a program.
create table cadenced.calendar (
  calendar_id bigint generated always as identity not null  -- Surrogate key.
  provider text not null  -- google or microsoft.
  address text not null  -- The owner's primary address, lower-case.
  person_id bigint  -- The owner; NULL for a program mailbox.
  program_id bigint  -- The program whose mailbox this is; NULL for a person's calendar.
  state text default 'active'::text not null  -- Whether it can be read: active, denied, gone, needs_consent, throttled, parked.
  state_reason text  -- Short machine reason of the state.
  state_since timestamp with time zone default cadenced.now() not null  -- When the state began, in business time.
  next_probe_at timestamp with time zone  -- When a calendar that cannot be read is tried again (real time).
  strikes integer default 0 not null  -- Not-found answers in a row. Only three over more than an hour make a calendar gone.
  first_strike_at timestamp with time zone  -- When the strikes began (real time).
  failures integer default 0 not null  -- Passes in a row that failed for any reason: what the next attempt's distance grows with.
  sync_generation bigint default 0 not null  -- The fence: a pass applies only if this is still the number it read at its start.
  cursor text  -- Where the provider's change stream goes on. Opaque; NULL = a full pass is needed.
  cursor_version text  -- Request parameters and mapping under which the cursor was made; another version makes it void.
  window_from timestamp with time zone  -- Begin of the window that the cursor covers.
  window_until timestamp with time zone  -- End of the window that the cursor covers.
  next_poll_at timestamp with time zone default now() not null  -- When the next poll falls due (real time).
  full_pass_wanted boolean default true not null  -- The next pass must begin without a cursor.
  reconcile_wanted boolean default false not null  -- The next pass must compare the whole window.
  last_attempt_at timestamp with time zone  -- When a pass last began (business time).
  last_complete_pass_at timestamp with time zone  -- When a pass last ended with everything read and applied (business time).
  last_full_pass_at timestamp with time zone  -- When the cursor's window was last read in full (business time).
  last_reconcile_at timestamp with time zone  -- When the whole window was last compared (business time).
  untagged_seen bigint default 0 not null  -- Events seen that carry no tag: all that is kept of them is this count.
  hidden_seen bigint default 0 not null  -- Events seen whose title and people the provider hid.
  left_out_seen bigint default 0 not null  -- Events that could not be read: malformed, or dated outside 1970-2200.
  drift integer  -- Rows in which the last reconcile differed from what the change stream had told; NULL before the first.
  parked jsonb  -- Cancellations held back by the brake: {"since": instant, "lineages": [...]}; NULL = none.
  approved_until timestamp with time zone  -- Until when an administrator has released the brake (real time).
  retired_at timestamp with time zone  -- No longer in the roster: kept for its history, not read any more.
  push_state text  -- How push stands: requested, unverified, verified, unsupported (this calendar cannot be watched), refused, failing; NULL = not wanted.
  push_reason text  -- Short reason of unsupported, refused and failing.
  push_since timestamp with time zone  -- Since when push stands like this (business time).
  push_failures integer default 0 not null  -- Openings in a row that failed.
  push_hold_until timestamp with time zone  -- No channel is opened before this (business time): the provider refused one.
  channels_due_at timestamp with time zone  -- When the channels are to be looked at (business time); NULL = at once where push is wanted.
  pushed_at timestamp with time zone  -- When a notification last told of a change (real time).
  push_taken_at timestamp with time zone  -- When a pass last began: what was told before is covered by it (real time).
  look_again_at timestamp with time zone  -- Providers tell of a change before they can show it, so a pushed calendar is read again 10 s and 60 s later (real time).
  constraint calendar_pkey PRIMARY KEY (calendar_id)
  constraint calendar_is_unique_at_its_provider UNIQUE (provider, address)
  constraint calendar_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint calendar_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id) ON DELETE CASCADE
  constraint calendar_address_is_lower_case CHECK ((address = lower(address)))
  constraint calendar_is_of_a_person_or_a_program CHECK (((person_id IS NULL) <> (program_id IS NULL)))
  constraint calendar_provider_is_known CHECK ((provider = ANY (ARRAY['google'::text, 'microsoft'::text])))
  constraint calendar_push_state_is_known CHECK ((push_state = ANY (ARRAY['requested'::text, 'unverified'::text, 'verified'::text, 'unsupported'::text, 'refused'::text, 'failing'::text])))
  constraint calendar_state_is_known CHECK ((state = ANY (ARRAY['active'::text, 'denied'::text, 'gone'::text, 'needs_consent'::text, 'throttled'::text, 'parked'::text])))
);
CREATE INDEX calendar_by_address ON cadenced.calendar USING btree (address);
CREATE INDEX calendar_by_person ON cadenced.calendar USING btree (person_id) WHERE (person_id IS NOT NULL);
CREATE INDEX calendar_by_program ON cadenced.calendar USING btree (program_id) WHERE (program_id IS NOT NULL);
CREATE INDEX calendar_channels_due ON cadenced.calendar USING btree (COALESCE(channels_due_at, '-infinity'::timestamp with time zone), calendar_id) WHERE ((retired_at IS NULL) AND (last_complete_pass_at IS NOT NULL) AND (state = ANY (ARRAY['active'::text, 'parked'::text, 'throttled'::text])));
CREATE INDEX calendar_due ON cadenced.calendar USING btree (next_poll_at) WHERE (retired_at IS NULL);
CREATE INDEX calendar_look_again ON cadenced.calendar USING btree (look_again_at) WHERE (look_again_at IS NOT NULL);
CREATE INDEX calendar_parked ON cadenced.calendar USING btree (calendar_id) WHERE (parked IS NOT NULL);
CREATE INDEX calendar_to_reconcile ON cadenced.calendar USING btree (last_reconcile_at) WHERE ((retired_at IS NULL) AND (NOT reconcile_wanted) AND (NOT full_pass_wanted) AND (state = ANY (ARRAY['active'::text, 'parked'::text, 'throttled'::text])));
CREATE INDEX calendar_unwatchable ON cadenced.calendar USING btree (calendar_id) WHERE ((push_state IS NOT NULL) AND ((retired_at IS NOT NULL) OR (last_complete_pass_at IS NULL) OR (state <> ALL (ARRAY['active'::text, 'parked'::text, 'throttled'::text]))));
CREATE TRIGGER marks_of_calendar AFTER UPDATE OF state, retired_at, last_complete_pass_at ON cadenced.calendar FOR EACH ROW WHEN (((old.state IS DISTINCT FROM new.state) OR ((old.retired_at IS NULL) IS DISTINCT FROM (new.retired_at IS NULL)) OR ((new.last_complete_pass_at IS NOT NULL) AND COALESCE((old.last_complete_pass_at < (new.last_complete_pass_at - 'P2D'::interval)), true)))) EXECUTE FUNCTION cadenced.mark_mentorships_of_calendar();

-- Untagged events that hold both sides of a mentorship, where the program opts in. Listed, never counted; no title.
create table cadenced.candidate_event (
  calendar_id bigint not null  -- Where it stands.
  source_id text not null  -- The provider's id.
  mentorship_id bigint not null  -- Whose sides it holds.
  starts_at timestamp with time zone not null  -- Its start.
  ends_at timestamp with time zone not null  -- Its end.
  seen_at timestamp with time zone not null  -- When it was found (business time).
  constraint candidate_event_pkey PRIMARY KEY (calendar_id, source_id, mentorship_id)
  constraint candidate_event_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES cadenced.calendar(calendar_id) ON DELETE CASCADE
  constraint candidate_event_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id) ON DELETE CASCADE
);
CREATE INDEX candidate_event_by_mentorship ON cadenced.candidate_event USING btree (mentorship_id);

-- Push channels at the providers: Google's watch channels, Graph's subscriptions. A row is written before the provider is asked, so that none can exist without one.
create table cadenced.channel (
  channel_id uuid not null  -- Ours; Google takes it as the channel's id.
  calendar_id bigint not null  -- The calendar that it tells of.
  provider text not null  -- google or microsoft.
  secret_hash bytea not null  -- SHA-256 of the random secret that every notification must bring. The secret itself is not kept.
  url text not null  -- Where it delivers to.
  external_id text  -- The provider's name of it: what it is closed by.
  resource_id text  -- Google's name of the calendar, without which a channel cannot be stopped; NULL at Microsoft.
  state text not null  -- requested, unverified (open, but nothing has come through yet), verified, retired.
  requested_at timestamp with time zone not null  -- When the provider was asked.
  opened_at timestamp with time zone  -- When the provider agreed, or last lengthened it.
  expires_at timestamp with time zone  -- When it ends by itself, as the provider says.
  renew_at timestamp with time zone  -- When it is lengthened or replaced.
  first_spoke_at timestamp with time zone  -- When the first notification came; NULL = none yet.
  last_spoke_at timestamp with time zone  -- When the last notification came.
  spoken bigint default 0 not null  -- Notifications so far.
  closed_at timestamp with time zone  -- When it was closed or ran out; NULL = it may still be open at the provider.
  failure text  -- Why it was given up, or why its opening failed.
  constraint channel_pkey PRIMARY KEY (channel_id)
  constraint channel_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES cadenced.calendar(calendar_id) ON DELETE CASCADE
  constraint channel_provider_is_known CHECK ((provider = ANY (ARRAY['google'::text, 'microsoft'::text])))
  constraint channel_secret_hash_is_sha256 CHECK ((length(secret_hash) = 32))
  constraint channel_state_is_known CHECK ((state = ANY (ARRAY['requested'::text, 'unverified'::text, 'verified'::text, 'retired'::text])))
);
CREATE INDEX channel_by_calendar ON cadenced.channel USING btree (calendar_id) WHERE (closed_at IS NULL);
CREATE INDEX channel_by_external_id ON cadenced.channel USING btree (external_id) WHERE (external_id IS NOT NULL);
CREATE UNIQUE INDEX channel_by_secret ON cadenced.channel USING btree (secret_hash);
CREATE INDEX channel_to_close ON cadenced.channel USING btree (calendar_id) WHERE ((closed_at IS NULL) AND (state = 'retired'::text));

-- How far business time runs ahead of real time. Zero in production; moved by CADENCED_CLOCK, which needs every provider, SMTP and webhook address to be loopback.
create table cadenced.clock (
  singleton boolean default true not null  -- Keeps the table at one row.
  ahead_by interval default 'PT0S'::interval not null  -- Added to the real time by cadenced.now(); may be negative.
  constraint clock_pkey PRIMARY KEY (singleton)
  constraint clock_is_one_row CHECK (singleton)
);

-- An occurrence as it stands on one calendar. No body, no attachment; no title when private.
create table cadenced.event_copy (
  copy_id bigint generated always as identity not null  -- Surrogate key.
  calendar_id bigint not null  -- Where the copy stands.
  occurrence_id bigint not null  -- The occurrence it is a copy of: a stored match, not a computed key.
  source_id text not null  -- The provider's id on this calendar.
  series_id text  -- The provider's id of the series; NULL for a single event.
  uid text  -- The iCalendar UID as the provider gave it.
  lineage text not null  -- Normalised UID.
  original_start timestamp with time zone  -- The start this instance was made with.
  original_date date  -- The date this instance was made with, in the series' zone.
  starts_at timestamp with time zone not null  -- Start on this copy.
  ends_at timestamp with time zone not null  -- End on this copy.
  time_zone text  -- IANA zone the event was made in.
  status text not null  -- confirmed, tentative or cancelled, as the copy says.
  organizer text  -- Organizer's address on this copy.
  owner_is_organizer boolean not null  -- The calendar's owner organizes the meeting: time and cancellation follow this copy.
  owner_response text  -- The owner's own answer, when this copy tells it.
  people jsonb not null  -- Invited people: [{address, name, response, organizer, optional}], rooms left out.
  people_omitted boolean not null  -- The list of people is incomplete: it proves who was invited, never who was not.
  title text  -- Title; NULL when private.
  private boolean not null  -- Marked private or confidential.
  hidden boolean not null  -- The provider hid its details.
  conference_kind text  -- meet, teams, other, or NULL.
  conference_key text  -- Meeting code or join URL.
  matched jsonb not null  -- Which tag rule of which program matched: [{program, rule}].
  source_updated_at timestamp with time zone  -- When the provider says it last changed.
  revision text not null  -- The provider's etag or change key.
  first_seen_at timestamp with time zone not null  -- When this copy was first stored (business time).
  removed_at timestamp with time zone  -- When the copy left the calendar; kept so that a late word about it is understood.
  removal text  -- cancelled (the source said so), deleted (the owner's copy is gone), absent (a complete list did not show it), untagged.
  constraint event_copy_pkey PRIMARY KEY (copy_id)
  constraint event_copy_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES cadenced.calendar(calendar_id) ON DELETE CASCADE
  constraint event_copy_occurrence_id_fkey FOREIGN KEY (occurrence_id) REFERENCES cadenced.occurrence(occurrence_id) ON DELETE CASCADE
  constraint event_copy_conference_kind_is_known CHECK ((conference_kind = ANY (ARRAY['meet'::text, 'teams'::text, 'other'::text])))
  constraint event_copy_owner_response_is_known CHECK ((owner_response = ANY (ARRAY['accepted'::text, 'declined'::text, 'tentative'::text, 'none'::text])))
  constraint event_copy_private_has_no_title CHECK (((NOT private) OR (title IS NULL)))
  constraint event_copy_removal_is_known CHECK ((removal = ANY (ARRAY['cancelled'::text, 'deleted'::text, 'absent'::text, 'untagged'::text])))
  constraint event_copy_removed_has_a_reason CHECK (((removed_at IS NULL) = (removal IS NULL)))
  constraint event_copy_status_is_known CHECK ((status = ANY (ARRAY['confirmed'::text, 'tentative'::text, 'cancelled'::text])))
);
CREATE INDEX event_copy_by_lineage ON cadenced.event_copy USING btree (lineage);
CREATE INDEX event_copy_by_occurrence ON cadenced.event_copy USING btree (occurrence_id);
CREATE INDEX event_copy_by_series ON cadenced.event_copy USING btree (calendar_id, series_id) WHERE (series_id IS NOT NULL);
CREATE UNIQUE INDEX event_copy_one_live_copy_of_an_id ON cadenced.event_copy USING btree (calendar_id, source_id) WHERE (removed_at IS NULL);

-- What is known about who was there. Append-only: rows are added, never changed.
create table cadenced.evidence (
  evidence_id bigint generated always as identity not null  -- Surrogate key.
  occurrence_id bigint not null  -- The meeting it speaks of.
  session_id bigint  -- The session it speaks of; NULL = every session of the occurrence.
  person_id bigint  -- The person it speaks of; NULL for a record, a guest or a device.
  source text not null  -- meet, reports, teams, answer, correction, external or rsvp.
  kind text not null  -- record (a conference took place), presence, guest, device, no_record, cannot_tell, met, not_met, absent, excused, withdrawn.
  from_at timestamp with time zone  -- Begin of the presence or the record.
  until_at timestamp with time zone  -- End of the presence or the record.
  reference text not null  -- The source's own name for it: the same statement is kept once.
  detail jsonb default '{}'::jsonb not null  -- What else the source said; no free text of people.
  seen_at timestamp with time zone not null  -- When the daemon learnt it (business time).
  constraint evidence_pkey PRIMARY KEY (evidence_id)
  constraint evidence_is_recorded_once UNIQUE (occurrence_id, source, reference)
  constraint evidence_occurrence_id_fkey FOREIGN KEY (occurrence_id) REFERENCES cadenced.occurrence(occurrence_id)
  constraint evidence_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id)
  constraint evidence_session_id_fkey FOREIGN KEY (session_id) REFERENCES cadenced.session(session_id)
  constraint evidence_ends_after_it_begins CHECK (((until_at IS NULL) OR (from_at IS NULL) OR (until_at >= from_at)))
  constraint evidence_kind_is_known CHECK ((kind = ANY (ARRAY['record'::text, 'presence'::text, 'guest'::text, 'device'::text, 'no_record'::text, 'cannot_tell'::text, 'met'::text, 'not_met'::text, 'absent'::text, 'excused'::text, 'withdrawn'::text])))
  constraint evidence_source_is_known CHECK ((source = ANY (ARRAY['meet'::text, 'reports'::text, 'teams'::text, 'answer'::text, 'correction'::text, 'external'::text, 'rsvp'::text])))
);
CREATE INDEX evidence_by_person ON cadenced.evidence USING btree (person_id) WHERE (person_id IS NOT NULL);
CREATE INDEX evidence_by_session ON cadenced.evidence USING btree (session_id) WHERE (session_id IS NOT NULL);
CREATE TRIGGER evidence_is_append_only BEFORE UPDATE ON cadenced.evidence FOR EACH STATEMENT EXECUTE FUNCTION cadenced.refuse_change();

-- What people said about a session.
create table cadenced.feedback (
  feedback_id bigint generated always as identity not null  -- Surrogate key.
  session_id bigint not null  -- The session.
  person_id bigint not null  -- Who said it; never shown in the views.
  rating smallint  -- 1 to 5, or NULL.
  comment text  -- Free text, or NULL.
  given_at timestamp with time zone not null  -- When (business time).
  constraint feedback_pkey PRIMARY KEY (feedback_id)
  constraint feedback_is_given_once UNIQUE (session_id, person_id)
  constraint feedback_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint feedback_session_id_fkey FOREIGN KEY (session_id) REFERENCES cadenced.session(session_id) ON DELETE CASCADE
  constraint feedback_comment_is_bounded CHECK ((length(comment) <= 2000))
  constraint feedback_rating_is_one_to_five CHECK (((rating >= 1) AND (rating <= 5)))
);
CREATE INDEX feedback_by_time ON cadenced.feedback USING btree (given_at);

-- When each source is asked about each meeting next; survives restarts.
create table cadenced.harvest (
  occurrence_id bigint not null  -- The meeting.
  source text not null  -- The source.
  state text default 'waiting'::text not null  -- waiting, final (it has said all it will), or cannot_tell.
  attempts integer default 0 not null  -- How often it was asked.
  due_at timestamp with time zone  -- When it is asked next (business time).
  last_at timestamp with time zone  -- When it was last asked (business time).
  last_answer text  -- records, nothing, no_permission, expired, external_organizer, not_found, or the code of a failure.
  constraint harvest_pkey PRIMARY KEY (occurrence_id, source)
  constraint harvest_occurrence_id_fkey FOREIGN KEY (occurrence_id) REFERENCES cadenced.occurrence(occurrence_id) ON DELETE CASCADE
  constraint harvest_source_is_known CHECK ((source = ANY (ARRAY['meet'::text, 'reports'::text, 'teams'::text])))
  constraint harvest_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'final'::text, 'cannot_tell'::text])))
  constraint harvest_waiting_has_a_time CHECK (((state = 'waiting'::text) = (due_at IS NOT NULL)))
);
CREATE INDEX harvest_due ON cadenced.harvest USING btree (due_at) WHERE (due_at IS NOT NULL);

-- Sources of evidence that are asked only where they are set up. Written at every start.
create table cadenced.harvest_source (
  source text not null  -- reports: the administrator's log of Meet calls.
  constraint harvest_source_pkey PRIMARY KEY (source)
  constraint harvest_source_may_be_set_up CHECK ((source = 'reports'::text))
);

-- Mails, written in the transaction of the fact they tell and sent by a job afterwards.
create table cadenced.mail (
  mail_id bigint generated always as identity not null  -- Surrogate key.
  fact_key text not null  -- Names the fact, the person and the kind: no fact makes two mails.
  kind text not null  -- reminder, cadence_alert, cadence_digest, nudge, did_you_meet.
  session_id bigint  -- The session it is about.
  mentorship_id bigint  -- The mentorship it is about.
  alert_id bigint  -- The alert it tells.
  person_id bigint  -- Who receives it; NULL for a coordinator.
  to_address text not null  -- Where it goes.
  due_at timestamp with time zone not null  -- When it leaves (business time).
  expires_at timestamp with time zone  -- After this it would only confuse, and is suppressed (business time).
  status text default 'queued'::text not null  -- queued, sending, sent (accepted by the server), suppressed, refused, failed.
  reason text  -- Why it was suppressed, refused or failed.
  message_id text  -- Message-ID; the same in every attempt, so that a repeat is recognised.
  attempts integer default 0 not null  -- How often it was handed to the server.
  next_attempt_at timestamp with time zone  -- Not before this, after a failed attempt (real time).
  sent_at timestamp with time zone  -- When the server accepted it (business time).
  created_at timestamp with time zone default cadenced.now() not null  -- When the fact was recorded (business time).
  constraint mail_pkey PRIMARY KEY (mail_id)
  constraint mail_is_made_once_for_a_fact UNIQUE (fact_key)
  constraint mail_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES cadenced.alert(alert_id) ON DELETE CASCADE
  constraint mail_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id) ON DELETE CASCADE
  constraint mail_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint mail_session_id_fkey FOREIGN KEY (session_id) REFERENCES cadenced.session(session_id) ON DELETE CASCADE
  constraint mail_kind_is_known CHECK ((kind = ANY (ARRAY['reminder'::text, 'cadence_alert'::text, 'cadence_digest'::text, 'nudge'::text, 'did_you_meet'::text])))
  constraint mail_sent_has_a_time CHECK (((status = 'sent'::text) = (sent_at IS NOT NULL)))
  constraint mail_status_is_known CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'suppressed'::text, 'refused'::text, 'failed'::text])))
);
CREATE INDEX mail_by_mentorship ON cadenced.mail USING btree (mentorship_id) WHERE (mentorship_id IS NOT NULL);
CREATE INDEX mail_by_person ON cadenced.mail USING btree (person_id, due_at);
CREATE INDEX mail_by_session ON cadenced.mail USING btree (session_id) WHERE (session_id IS NOT NULL);
CREATE INDEX mail_by_time ON cadenced.mail USING btree (due_at);
CREATE INDEX mail_due ON cadenced.mail USING btree (due_at) WHERE (status = ANY (ARRAY['queued'::text, 'sending'::text]));

-- Who wants no mails from a program. A row ends reminders, questions, nudges and alerts; the coordinator's digest is no one's subscription and goes on.
create table cadenced.mail_opt_out (
  person_id bigint not null  -- Who.
  program_id bigint not null  -- From which program.
  since timestamp with time zone not null  -- Since when (business time).
  constraint mail_opt_out_pkey PRIMARY KEY (person_id, program_id)
  constraint mail_opt_out_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint mail_opt_out_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id) ON DELETE CASCADE
);

-- Who belongs to a mentorship, and on which side.
create table cadenced.membership (
  mentorship_id bigint not null  -- The mentorship.
  person_id bigint not null  -- The member.
  role text not null  -- mentor, mentee or peer.
  constraint membership_pkey PRIMARY KEY (mentorship_id, person_id)
  constraint membership_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id) ON DELETE CASCADE
  constraint membership_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint membership_role_is_known CHECK ((role = ANY (ARRAY['mentor'::text, 'mentee'::text, 'peer'::text])))
);
CREATE INDEX membership_by_person ON cadenced.membership USING btree (person_id);
CREATE TRIGGER marks_of_new_members AFTER INSERT ON cadenced.membership REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_changed_mentorships();
CREATE TRIGGER marks_of_removed_members AFTER DELETE ON cadenced.membership REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_changed_mentorships();
CREATE TRIGGER months_of_changed_member AFTER INSERT OR DELETE OR UPDATE ON cadenced.membership FOR EACH ROW EXECUTE FUNCTION cadenced.mark_months_of_changed_member();

-- A mentor with one or several mentees, or a group of peers, in one program.
create table cadenced.mentorship (
  mentorship_id bigint generated always as identity not null  -- Surrogate key.
  program_id bigint not null  -- The program it belongs to.
  key text not null  -- The roster's name of the mentorship; unique in its program.
  starts_on date not null  -- First day, in the program's zone.
  ends_on date  -- Last day, in the program's zone; NULL = open.
  created_at timestamp with time zone default cadenced.now() not null  -- When the roster first named it.
  constraint mentorship_pkey PRIMARY KEY (mentorship_id)
  constraint mentorship_key_is_unique_in_program UNIQUE (program_id, key)
  constraint mentorship_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id)
  constraint mentorship_ends_after_it_starts CHECK (((ends_on IS NULL) OR (ends_on >= starts_on)))
);
CREATE INDEX mentorship_by_key ON cadenced.mentorship USING btree (key);
CREATE TRIGGER marks_of_changed_mentorships AFTER UPDATE ON cadenced.mentorship REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_changed_mentorships();
CREATE TRIGGER marks_of_new_mentorships AFTER INSERT ON cadenced.mentorship REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_changed_mentorships();

create table cadenced.migration (
  name character varying(255) not null
  "timestamp" character varying(255) not null
  constraint migration_pkey PRIMARY KEY (name)
);

-- The content of every applied migration file, so that an edited one is noticed.
create table cadenced.migration_checksum (
  name text not null
  sha256 text not null
  applied_at timestamp with time zone default clock_timestamp() not null
  constraint migration_checksum_pkey PRIMARY KEY (name)
  constraint migration_checksum_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

create table cadenced.migration_lock (
  id character varying(255) not null
  is_locked integer default 0 not null
  constraint migration_lock_pkey PRIMARY KEY (id)
);

-- One meeting at one time, however many calendars hold a copy of it.
create table cadenced.occurrence (
  occurrence_id bigint generated always as identity not null  -- Surrogate key; never changes, whatever the providers do to their ids.
  lineage text not null  -- What all copies of the meeting share: the normalised iCalendar UID.
  original_start timestamp with time zone  -- The start it was made with; NULL for a single event.
  original_date date  -- The date it was made with, in the series' zone; NULL for a single event.
  starts_at timestamp with time zone not null  -- Scheduled start.
  ends_at timestamp with time zone not null  -- Scheduled end.
  status text default 'scheduled'::text not null  -- scheduled or cancelled; whether it has ended is a matter of the clock.
  cancelled_at timestamp with time zone  -- When the source says it was cancelled, else when we learnt it.
  cancel_reason text  -- cancelled, deleted, or removed_everywhere.
  organizer text  -- Address of the organizer, lower-case.
  title text  -- Title; NULL when the event is private.
  private boolean default false not null  -- Marked private or confidential on some copy.
  conference_kind text  -- meet, teams, other, or NULL.
  conference_key text  -- Meeting code or join URL.
  reschedules integer default 0 not null  -- How often its start moved.
  first_seen_at timestamp with time zone not null  -- When the daemon first saw it (business time).
  constraint occurrence_pkey PRIMARY KEY (occurrence_id)
  constraint occurrence_cancelled_has_a_time CHECK (((status = 'cancelled'::text) = (cancelled_at IS NOT NULL)))
  constraint occurrence_conference_kind_is_known CHECK ((conference_kind = ANY (ARRAY['meet'::text, 'teams'::text, 'other'::text])))
  constraint occurrence_ends_after_it_starts CHECK ((ends_at >= starts_at))
  constraint occurrence_private_has_no_title CHECK (((NOT private) OR (title IS NULL)))
  constraint occurrence_status_is_known CHECK ((status = ANY (ARRAY['scheduled'::text, 'cancelled'::text])))
);
CREATE INDEX occurrence_by_conference ON cadenced.occurrence USING btree (conference_key, starts_at) WHERE (conference_kind = ANY (ARRAY['meet'::text, 'teams'::text]));
CREATE INDEX occurrence_by_lineage ON cadenced.occurrence USING btree (lineage, original_date);
CREATE INDEX occurrence_by_start ON cadenced.occurrence USING btree (starts_at);

-- What happened, for other programs. Rows become visible in the order of position: a reader that asks for what comes after the last position it saw misses nothing.
create table cadenced.outbound_event (
  "position" bigint generated always as identity not null  -- Order. Assigned under a lock that is held until commit, so that no lower position appears later.
  event_id text not null  -- Webhook id: the same in every delivery and every replay.
  fact_key text not null  -- Names the fact: no fact makes two events.
  type text not null  -- One of the eleven types.
  subject text not null  -- What it is about, such as session/12.
  sequence integer not null  -- Counts the events of one subject from 1.
  occurred_at timestamp with time zone not null  -- When the fact was recorded (business time).
  payload jsonb not null  -- The data of the event.
  constraint outbound_event_pkey PRIMARY KEY ("position")
  constraint outbound_event_id_is_unique UNIQUE (event_id)
  constraint outbound_event_is_made_once_for_a_fact UNIQUE (fact_key)
  constraint outbound_event_sequence_is_unique_in_its_subject UNIQUE (subject, sequence)
  constraint outbound_event_id_has_no_dot CHECK ((event_id !~ '\.'::text))
  constraint outbound_event_type_is_known CHECK ((type = ANY (ARRAY['session.scheduled'::text, 'session.rescheduled'::text, 'session.cancelled'::text, 'session.judged'::text, 'attendance.changed'::text, 'cadence.at_risk'::text, 'cadence.violated'::text, 'cadence.resolved'::text, 'stage.reached'::text, 'calendar.disconnected'::text, 'calendar.reconnected'::text])))
);
CREATE INDEX outbound_event_by_time ON cadenced.outbound_event USING btree (occurred_at);
CREATE TRIGGER outbound_events_take_turns BEFORE INSERT ON cadenced.outbound_event FOR EACH STATEMENT EXECUTE FUNCTION cadenced.serialise_outbound_events();

-- Every verdict a session ever had.
create table cadenced.outcome_history (
  history_id bigint generated always as identity not null  -- Surrogate key.
  session_id bigint not null  -- The session.
  outcome text not null  -- The verdict.
  outcome_reason text  -- Its reason.
  decided_at timestamp with time zone not null  -- When it was given (business time).
  because text not null  -- What brought it: provisional, settled, late evidence from a source, a correction and by whom.
  constraint outcome_history_pkey PRIMARY KEY (history_id)
  constraint outcome_history_session_id_fkey FOREIGN KEY (session_id) REFERENCES cadenced.session(session_id) ON DELETE CASCADE
  constraint outcome_history_outcome_is_known CHECK ((outcome = ANY (ARRAY['held'::text, 'too_short'::text, 'one_sided'::text, 'no_one'::text, 'cancelled'::text, 'unknown'::text])))
);
CREATE INDEX outcome_history_by_session ON cadenced.outcome_history USING btree (session_id, decided_at);

-- A member of the mentorship who was invited to the session.
create table cadenced.participant (
  session_id bigint not null  -- The session.
  person_id bigint not null  -- The person.
  role text not null  -- mentor, mentee or peer.
  rsvp text default 'none'::text not null  -- The person's answer: from their own copy, else from the organizer's.
  status text  -- attended, absent, excused or unknown; NULL until judged.
  minutes numeric(7,2)  -- Minutes present, united over devices and rejoins.
  joined_at timestamp with time zone  -- First arrival.
  left_at timestamp with time zone  -- Last departure.
  evidence_tier text default 'none'::text not null  -- Strongest evidence about this person.
  constraint participant_pkey PRIMARY KEY (session_id, person_id)
  constraint participant_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint participant_session_id_fkey FOREIGN KEY (session_id) REFERENCES cadenced.session(session_id) ON DELETE CASCADE
  constraint participant_evidence_tier_is_known CHECK ((evidence_tier = ANY (ARRAY['conference_both'::text, 'conference_one'::text, 'human_both'::text, 'human_one'::text, 'rsvp_only'::text, 'none'::text])))
  constraint participant_role_is_known CHECK ((role = ANY (ARRAY['mentor'::text, 'mentee'::text, 'peer'::text])))
  constraint participant_rsvp_is_known CHECK ((rsvp = ANY (ARRAY['accepted'::text, 'declined'::text, 'tentative'::text, 'none'::text])))
  constraint participant_status_is_known CHECK ((status = ANY (ARRAY['attended'::text, 'absent'::text, 'excused'::text, 'unknown'::text])))
);
CREATE INDEX participant_by_person ON cadenced.participant USING btree (person_id);
CREATE TRIGGER mark_of_answer AFTER UPDATE OF rsvp ON cadenced.participant FOR EACH ROW WHEN ((old.rsvp IS DISTINCT FROM new.rsvp)) EXECUTE FUNCTION cadenced.mark_mentorship_of_answer();

-- Days on which a mentorship, or every mentorship of a person, owes no session.
create table cadenced.pause (
  pause_id bigint generated always as identity not null  -- Surrogate key.
  mentorship_id bigint  -- The paused mentorship, or NULL.
  person_id bigint  -- The paused person, or NULL.
  from_on date not null  -- First paused day, in the program's zone.
  until_on date not null  -- Last paused day, in the program's zone.
  reason text  -- Free text for people.
  constraint pause_pkey PRIMARY KEY (pause_id)
  constraint pause_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id) ON DELETE CASCADE
  constraint pause_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint pause_ends_after_it_begins CHECK ((until_on >= from_on))
  constraint pause_is_of_a_mentorship_or_a_person CHECK (((mentorship_id IS NULL) <> (person_id IS NULL)))
);
CREATE INDEX pause_by_mentorship ON cadenced.pause USING btree (mentorship_id) WHERE (mentorship_id IS NOT NULL);
CREATE INDEX pause_by_person ON cadenced.pause USING btree (person_id) WHERE (person_id IS NOT NULL);
CREATE TRIGGER marks_of_changed_pauses AFTER UPDATE ON cadenced.pause REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_mentorships_of_pause();
CREATE TRIGGER marks_of_new_pauses AFTER INSERT ON cadenced.pause REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_mentorships_of_pause();
CREATE TRIGGER marks_of_removed_pauses AFTER DELETE ON cadenced.pause REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_mentorships_of_pause();
CREATE TRIGGER months_of_changed_pause AFTER INSERT OR DELETE OR UPDATE ON cadenced.pause FOR EACH ROW EXECUTE FUNCTION cadenced.mark_months_of_changed_pause();

-- A mentor, mentee or peer of any program.
create table cadenced.person (
  person_id bigint generated always as identity not null  -- Surrogate key; participant_id in the views.
  address text not null  -- Primary address, lower-case. Mails go here; the calendar is read under it.
  name text not null  -- As in the roster.
  time_zone text  -- IANA zone for mails; NULL = the program's.
  language text  -- BCP 47 tag for mails; NULL = the program's.
  calendar_provider text default 'none'::text not null  -- Where the calendar is read: google, microsoft or none.
  created_at timestamp with time zone default cadenced.now() not null  -- When the roster first named the person.
  constraint person_pkey PRIMARY KEY (person_id)
  constraint person_address_is_unique UNIQUE (address)
  constraint person_address_is_lower_case CHECK ((address = lower(address)))
  constraint person_calendar_provider_is_known CHECK ((calendar_provider = ANY (ARRAY['google'::text, 'microsoft'::text, 'none'::text])))
);

-- Provider ids of people, learnt from evidence that carried both id and address.
create table cadenced.person_account (
  provider text not null  -- google or microsoft.
  account_id text not null  -- users/123 (Google) or an object id (Microsoft).
  person_id bigint not null  -- Whose account.
  constraint person_account_pkey PRIMARY KEY (provider, account_id)
  constraint person_account_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint person_account_provider_is_known CHECK ((provider = ANY (ARRAY['google'::text, 'microsoft'::text])))
);
CREATE INDEX person_account_by_person ON cadenced.person_account USING btree (person_id);

-- Every address a person is known by, the primary one included.
create table cadenced.person_address (
  address text not null  -- Lower-case address; belongs to one person only.
  person_id bigint not null  -- Whose address.
  constraint person_address_pkey PRIMARY KEY (address)
  constraint person_address_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint alias_is_lower_case CHECK ((address = lower(address)))
);
CREATE INDEX person_address_by_person ON cadenced.person_address USING btree (person_id);

-- A session that another program planned before any calendar event existed.
create table cadenced.planned_session (
  plan_id bigint generated always as identity not null  -- Surrogate key.
  mentorship_id bigint not null  -- The mentorship.
  starts_at timestamp with time zone not null  -- Planned start.
  ends_at timestamp with time zone not null  -- Planned end.
  tolerance interval default 'P2D'::interval not null  -- How far the calendar event may lie from the plan.
  reference text  -- Text that, found in an event's title or body, binds it whatever its time.
  session_id bigint  -- The session it is bound to; NULL = nothing bound yet.
  withdrawn_at timestamp with time zone  -- When the plan was withdrawn.
  created_at timestamp with time zone default cadenced.now() not null  -- When it was planned.
  constraint planned_session_pkey PRIMARY KEY (plan_id)
  constraint planned_session_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id) ON DELETE CASCADE
  constraint planned_session_session_id_fkey FOREIGN KEY (session_id) REFERENCES cadenced.session(session_id) ON DELETE SET NULL
  constraint planned_session_ends_after_it_starts CHECK ((ends_at > starts_at))
  constraint planned_session_tolerance_is_not_negative CHECK ((tolerance >= 'PT0S'::interval))
);
CREATE UNIQUE INDEX planned_session_binds_once ON cadenced.planned_session USING btree (session_id) WHERE (session_id IS NOT NULL);
CREATE INDEX planned_session_by_mentorship ON cadenced.planned_session USING btree (mentorship_id, starts_at);
CREATE UNIQUE INDEX planned_session_reference_is_unique ON cadenced.planned_session USING btree (mentorship_id, reference) WHERE (reference IS NOT NULL);

-- A mentoring program, as the configuration file names it.
create table cadenced.program (
  program_id bigint generated always as identity not null  -- Surrogate key.
  name text not null  -- The name in the configuration file and in every view.
  time_zone text not null  -- IANA zone that decides in which day, week and month a session counts.
  live_from timestamp with time zone not null  -- Violations that began before this instant are opened as baselined and told to nobody.
  created_at timestamp with time zone default cadenced.now() not null  -- When the daemon first saw the program.
  constraint program_pkey PRIMARY KEY (program_id)
  constraint program_name_is_unique UNIQUE (name)
);
CREATE TRIGGER marks_of_changed_program AFTER UPDATE OF time_zone, live_from ON cadenced.program FOR EACH ROW WHEN (((old.time_zone IS DISTINCT FROM new.time_zone) OR (old.live_from IS DISTINCT FROM new.live_from))) EXECUTE FUNCTION cadenced.mark_mentorships_of_program();
CREATE TRIGGER months_of_moved_program AFTER UPDATE OF time_zone ON cadenced.program FOR EACH ROW WHEN ((old.time_zone IS DISTINCT FROM new.time_zone)) EXECUTE FUNCTION cadenced.mark_months_of_program();

-- What the sessions of a program and month add up to. Holds only for months that are not marked in stale_month.
create table cadenced.program_month_total (
  program_id bigint not null  -- The program.
  month date not null  -- First day of the month, in the program's zone.
  scheduled bigint not null  -- All sessions. This and the counts that follow: as mentoring.program_month defines them.
  held bigint not null  -- Held.
  too_short bigint not null  -- Too short.
  one_sided bigint not null  -- One side came.
  no_one bigint not null  -- Nobody came.
  cancelled bigint not null  -- Cancelled.
  unknown bigint not null  -- Unknown.
  pending bigint not null  -- Not settled yet.
  paused bigint not null  -- Begun in a pause.
  late_cancelled bigint not null  -- Cancelled within a day of the start.
  rescheduled bigint not null  -- Moved at least once.
  mentor_no_show bigint not null  -- Missed by the mentor.
  mentee_no_show bigint not null  -- Missed by the mentee.
  minutes numeric not null  -- Minutes together, a meeting of several mentorships once.
  scheduled_minutes numeric not null  -- Minutes booked, a meeting of several mentorships once.
  constraint program_month_total_pkey PRIMARY KEY (program_id, month)
  constraint program_month_total_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id) ON DELETE CASCADE
);

-- The rules of a program with the time in which they were in force, so that a change never rewrites the past.
create table cadenced.program_policy (
  program_id bigint not null  -- Whose rules.
  valid_from timestamp with time zone not null  -- First instant in force.
  valid_until timestamp with time zone  -- First instant no longer in force; NULL = in force now.
  policy jsonb not null  -- The program's section of the configuration file with every default filled in.
  constraint program_policy_pkey PRIMARY KEY (program_id, valid_from)
  constraint program_policy_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id)
  constraint program_policy_ends_after_it_begins CHECK (((valid_until IS NULL) OR (valid_until > valid_from)))
);
CREATE UNIQUE INDEX program_policy_one_in_force ON cadenced.program_policy USING btree (program_id) WHERE (valid_until IS NULL);
CREATE TRIGGER marks_of_policy AFTER INSERT OR UPDATE ON cadenced.program_policy FOR EACH ROW EXECUTE FUNCTION cadenced.mark_mentorships_of_program();

-- A mentor session: an occurrence for one mentorship.
create table cadenced.session (
  session_id bigint generated always as identity not null  -- Surrogate key; never changes.
  occurrence_id bigint not null  -- The meeting; three mentees of three mentorships in one meeting are three sessions of one occurrence.
  mentorship_id bigint not null  -- The mentorship.
  starts_at timestamp with time zone not null  -- Scheduled start; not moved once the session has ended.
  ends_at timestamp with time zone not null  -- Scheduled end; not moved once the session has ended.
  status text default 'scheduled'::text not null  -- scheduled or cancelled; the views add ended.
  cancelled_at timestamp with time zone  -- When it was cancelled, as dated by the source where it dates.
  cancelled_by text  -- Side of the organizer who cancelled, where that is known.
  cancel_reason text  -- Why: cancelled, deleted, removed_everywhere, untagged, people_changed.
  first_seen_at timestamp with time zone not null  -- When the daemon first saw it (business time).
  reschedules integer default 0 not null  -- How often its start moved while it was a session.
  outcome text  -- Verdict; NULL until three hours after the end.
  outcome_reason text  -- Reason of the verdict, from a closed list.
  overlap_minutes numeric(7,2)  -- Minutes in which both sides were present together; NULL when no record tells.
  evidence_tier text  -- Strongest evidence behind the verdict.
  provisional_at timestamp with time zone  -- When the verdict was first given.
  settled_at timestamp with time zone  -- When every source able to speak was final, at most 48 hours after the end. Rates count settled sessions only.
  next_judgement_at timestamp with time zone  -- When it must be judged next (business time); NULL = nothing is expected.
  ordinal integer  -- Its number among the held sessions of the mentorship; NULL unless held.
  stage text  -- Stage of the mentorship that this session belongs to.
  constraint session_pkey PRIMARY KEY (session_id)
  constraint session_is_one_of_an_occurrence_and_mentorship UNIQUE (occurrence_id, mentorship_id)
  constraint session_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id)
  constraint session_occurrence_id_fkey FOREIGN KEY (occurrence_id) REFERENCES cadenced.occurrence(occurrence_id)
  constraint session_cancel_reason_is_known CHECK ((cancel_reason = ANY (ARRAY['cancelled'::text, 'deleted'::text, 'removed_everywhere'::text, 'untagged'::text, 'people_changed'::text])))
  constraint session_cancelled_by_is_known CHECK ((cancelled_by = ANY (ARRAY['mentor'::text, 'mentee'::text, 'peer'::text, 'other'::text])))
  constraint session_cancelled_has_a_time_and_reason CHECK ((((status = 'cancelled'::text) = (cancelled_at IS NOT NULL)) AND ((status = 'cancelled'::text) = (cancel_reason IS NOT NULL))))
  constraint session_ends_after_it_starts CHECK ((ends_at >= starts_at))
  constraint session_evidence_tier_is_known CHECK ((evidence_tier = ANY (ARRAY['conference_both'::text, 'conference_one'::text, 'human_both'::text, 'human_one'::text, 'rsvp_only'::text, 'none'::text])))
  constraint session_outcome_is_known CHECK ((outcome = ANY (ARRAY['held'::text, 'too_short'::text, 'one_sided'::text, 'no_one'::text, 'cancelled'::text, 'unknown'::text])))
  constraint session_settled_has_an_outcome CHECK (((settled_at IS NULL) OR (outcome IS NOT NULL)))
  constraint session_status_is_known CHECK ((status = ANY (ARRAY['scheduled'::text, 'cancelled'::text])))
);
CREATE INDEX session_by_mentorship ON cadenced.session USING btree (mentorship_id, starts_at);
CREATE INDEX session_by_start ON cadenced.session USING btree (starts_at);
CREATE INDEX session_held_by_mentorship ON cadenced.session USING btree (mentorship_id, starts_at) WHERE (outcome = 'held'::text);
CREATE INDEX session_to_judge ON cadenced.session USING btree (next_judgement_at) WHERE (next_judgement_at IS NOT NULL);
CREATE TRIGGER marks_of_new_sessions AFTER INSERT ON cadenced.session REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_changed_sessions();
CREATE TRIGGER marks_of_removed_sessions AFTER DELETE ON cadenced.session REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_changed_sessions();
CREATE TRIGGER marks_of_updated_sessions AFTER UPDATE ON cadenced.session REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_updated_sessions();
CREATE TRIGGER months_of_no_sessions AFTER TRUNCATE ON cadenced.session FOR EACH STATEMENT EXECUTE FUNCTION cadenced.forget_months();

-- Rows of a pass that is still being read; invisible to everything until the pass is applied. Unlogged: after a crash the pass is read again.
create table cadenced.staged_copy (
  calendar_id bigint not null  -- The calendar being read.
  pass_id uuid not null  -- The pass that staged the row; rows of dead passes are swept.
  "position" bigint generated always as identity not null  -- Order of arrival: the last row of an id wins.
  kind text not null  -- copy (an event as it stands) or removed (an id that is gone).
  source_id text not null  -- The provider's id on this calendar.
  series_id text  -- The provider's id of the series; NULL for a single event.
  lineage text  -- What all copies of the meeting share; NULL for a bare removal.
  payload jsonb not null  -- The observation without its text.
  staged_at timestamp with time zone default now() not null  -- When it was staged (real time).
  constraint staged_copy_pkey PRIMARY KEY (calendar_id, pass_id, "position")
  constraint staged_copy_kind_is_known CHECK ((kind = ANY (ARRAY['copy'::text, 'removed'::text])))
);

-- Months that changed since their total was made. A month may stand here often: a mark that another transaction made cannot be relied upon, because it may be about to be removed.
create table cadenced.stale_month (
  program_id bigint not null  -- The program.
  month date not null  -- First day of the month, in the program's zone.
);
CREATE INDEX stale_month_by_program ON cadenced.stale_month USING btree (program_id, month);

-- Tagged events that are no session, with the reason.
create table cadenced.unmatched_event (
  calendar_id bigint not null  -- Where it stands.
  source_id text not null  -- The provider's id.
  program_id bigint not null  -- The program whose tag it carries.
  starts_at timestamp with time zone not null  -- Its start.
  reason text not null  -- Why it is no session.
  seen_at timestamp with time zone not null  -- When this was found (business time).
  constraint unmatched_event_pkey PRIMARY KEY (calendar_id, source_id, program_id)
  constraint unmatched_event_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES cadenced.calendar(calendar_id) ON DELETE CASCADE
  constraint unmatched_event_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id) ON DELETE CASCADE
  constraint unmatched_event_reason_is_known CHECK ((reason = ANY (ARRAY['all_day'::text, 'not_a_meeting'::text, 'no_mentorship'::text, 'no_mentor'::text, 'no_mentee'::text, 'outside_dates'::text, 'people_hidden'::text])))
);
CREATE INDEX unmatched_event_by_program ON cadenced.unmatched_event USING btree (program_id);

-- Which set of files in sql/views stands, and what it made.
create table cadenced.view_set (
  only_row boolean default true not null
  sha256 text not null
  objects text[] not null
  constraint view_set_pkey PRIMARY KEY (only_row)
  constraint view_set_only_row_check CHECK (only_row)
);

-- Meetings found on one member's calendar of which another member's calendar may hold an untagged copy: read by name in that calendar's next pass.
create table cadenced.wanted_meeting (
  calendar_id bigint not null  -- The calendar to look on.
  lineage text not null  -- The meeting.
  uid text not null  -- One of its iCalendar UIDs, without what names a single occurrence: the parts of a split series have one each.
  around_from timestamp with time zone not null  -- Begin of the time in which its occurrences were found.
  around_until timestamp with time zone not null  -- End of the time in which its occurrences were found.
  wanted_at timestamp with time zone default now() not null  -- Since when it is wanted (real time).
  constraint wanted_meeting_pkey PRIMARY KEY (calendar_id, lineage, uid)
  constraint wanted_meeting_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES cadenced.calendar(calendar_id) ON DELETE CASCADE
);

-- What became of each event at each endpoint.
create table cadenced.webhook_delivery (
  event_id text not null  -- The event.
  endpoint_id bigint not null  -- The endpoint.
  status text default 'pending'::text not null  -- pending, delivered, or dead (given up; can be replayed).
  attempts integer default 0 not null  -- How often it was tried.
  next_attempt_at timestamp with time zone  -- When it is tried next (real time).
  last_status integer  -- HTTP status of the last attempt; NULL = none came.
  last_error text  -- Short reason of the last failure.
  delivered_at timestamp with time zone  -- When it was accepted (real time).
  constraint webhook_delivery_pkey PRIMARY KEY (event_id, endpoint_id)
  constraint webhook_delivery_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES cadenced.webhook_endpoint(endpoint_id) ON DELETE CASCADE
  constraint webhook_delivery_event_id_fkey FOREIGN KEY (event_id) REFERENCES cadenced.outbound_event(event_id) ON DELETE CASCADE
  constraint webhook_delivery_pending_has_a_next_attempt CHECK (((status = 'pending'::text) = (next_attempt_at IS NOT NULL)))
  constraint webhook_delivery_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text])))
);
CREATE INDEX webhook_delivery_by_endpoint ON cadenced.webhook_delivery USING btree (endpoint_id, status);
CREATE INDEX webhook_delivery_due ON cadenced.webhook_delivery USING btree (next_attempt_at) WHERE (status = 'pending'::text);

-- Where events are sent.
create table cadenced.webhook_endpoint (
  endpoint_id bigint generated always as identity not null  -- Surrogate key.
  name text not null  -- Name used on the command line and in the views.
  url text not null  -- https address; http for loopback only.
  types text[] default '{}'::text[] not null  -- Event types it wants; empty = all.
  sealed_secrets text[] not null  -- Signing secrets, encrypted with CADENCED_SEAL_KEYS; two while a secret is being rotated.
  content_type text default 'application/json'::text not null  -- application/json or application/cloudevents+json.
  state text default 'active'::text not null  -- active, paused (by a person), disabled (it answered 410, or failed for five days).
  state_reason text  -- Why it is paused or disabled.
  failing_since timestamp with time zone  -- Since when every delivery has failed; NULL = the last one worked.
  created_at timestamp with time zone default now() not null  -- When it was added.
  constraint webhook_endpoint_pkey PRIMARY KEY (endpoint_id)
  constraint webhook_endpoint_name_is_unique UNIQUE (name)
  constraint webhook_endpoint_content_type_is_known CHECK ((content_type = ANY (ARRAY['application/json'::text, 'application/cloudevents+json'::text])))
  constraint webhook_endpoint_has_a_secret CHECK (((cardinality(sealed_secrets) >= 1) AND (cardinality(sealed_secrets) <= 2)))
  constraint webhook_endpoint_state_is_known CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text, 'disabled'::text])))
);

-- Where each mentorship stands against its policy, read kindly (what may have been held counts) and strictly.
create view cadenced.cadence_reading (
  mentorship_id bigint
  kind text
  times bigint
  due_on date
  overdue_from date
  standing text
);

-- What mentoring.sync_health says of a calendar, without its owner.
create view cadenced.calendar_health (
  calendar_id bigint
  person_id bigint
  program_id bigint
  calendar text
  provider text
  state text
  reason text
  since timestamp with time zone
  last_complete_pass_at timestamp with time zone
  lag interval
  push text
  push_expires_at timestamp with time zone
  parked integer
  drift integer
  next_probe_at timestamp with time zone
  last_reconcile_at timestamp with time zone
  untagged_seen bigint
  hidden_seen bigint
  left_out_seen bigint
  push_reason text
  push_since timestamp with time zone
);

-- Days on which a mentorship owes no session, its own pauses and those of its members.
create view cadenced.mentorship_pause (
  mentorship_id bigint
  from_on date
  until_on date
);

-- Every mentorship with the cadence rules in force for it now, and the days on which it owes nothing.
create view cadenced.mentorship_rules (
  mentorship_id bigint
  program_id bigint
  program text
  mentorship text
  time_zone text
  live_from timestamp with time zone
  starts_on date
  ends_on date
  now timestamp with time zone
  today date
  form text
  every_days integer
  per text
  required integer
  grace_days integer
  first_session_days integer
  ending_days integer
  unknown text
  paused datemultirange
  free datemultirange
);

-- The total of every program and month: the kept one where it holds, else counted now.
create view cadenced.program_month_counts (
  program text
  program_id bigint
  month date
  scheduled bigint
  held bigint
  too_short bigint
  one_sided bigint
  no_one bigint
  cancelled bigint
  unknown bigint
  pending bigint
  paused bigint
  late_cancelled bigint
  rescheduled bigint
  mentor_no_show bigint
  mentee_no_show bigint
  minutes numeric
  scheduled_minutes numeric
);

-- Every session with the month and the one column of the monthly views that it counts in.
create view cadenced.session_fact (
  session_id bigint
  occurrence_id bigint
  mentorship_id bigint
  program_id bigint
  program text
  mentorship text
  starts_at timestamp with time zone
  month date
  outcome text
  outcome_reason text
  reschedules integer
  overlap_minutes numeric(7,2)
  scheduled_minutes numeric
  late boolean
  counts text
);

-- Mentorships that needed attention: opened when it was noticed, resolved by itself.
create view mentoring.alert (
  alert_id bigint  -- Surrogate key.
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  kind text  -- violated (overdue or lapsed) or at_risk (that, and nothing booked).
  level text  -- How far it climbed: pair, coordinator, escalation.
  opened_at timestamp with time zone  -- When it was noticed.
  told_at timestamp with time zone  -- When somebody was last told by mail; NULL = nobody.
  resolved_at timestamp with time zone  -- When it was over; NULL = open.
  baselined boolean  -- It began before the program went live: recorded, told to nobody.
  reasons text[]  -- Reasons of the cadence view when it was last looked at.
);
grant select on table mentoring.alert to mentoring_reader;

-- Every invited member of every session, and whether they came.
create view mentoring.attendance (
  session_id bigint  -- The session.
  participant_id bigint  -- The person; the same in every session and program.
  name text  -- Name, as in the roster.
  email text  -- Primary address.
  role text  -- mentor, mentee or peer.
  rsvp text  -- Their answer in the calendar: accepted, declined, tentative, none. Never proof of presence.
  status text  -- attended, absent (proven), excused, or unknown; NULL until judged.
  minutes numeric(7,2)  -- Minutes in the conference, devices and rejoins united; NULL when no record tells.
  joined_at timestamp with time zone  -- First arrival.
  left_at timestamp with time zone  -- Last departure.
  evidence_tier text  -- Strongest evidence about this person.
);
grant select on table mentoring.attendance to mentoring_evidence;
grant select on table mentoring.attendance to mentoring_reader;

-- Where every mentorship stands against the cadence of its program. Only what is proven accuses anybody.
create view mentoring.cadence (
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  state text  -- not_started, on_track, due (interval passed, inside the grace), overdue (one missed), lapsed (two or more), paused, ending, ended, or unobservable (no calendar of theirs can be read).
  due_at timestamp with time zone  -- When the interval, or the period, that decides the state ends.
  last_held_at timestamp with time zone  -- Start of the last held session.
  next_session_at timestamp with time zone  -- Start of the next booked session that no side has declined.
  at_risk boolean  -- Too long since the last session (overdue or lapsed) and nothing booked.
  reasons text[]  -- overdue, lapsed, never_met, nothing_booked, missed_repeatedly (two of the last three missed or cancelled within a day), gap_widening (half as long again as before), moved_often (three times or more), unverified, no_readable_calendar.
  unverified_since timestamp with time zone  -- Start of the first session since the last held one that could not be verified, when the state rests on it.
  overdue_since timestamp with time zone  -- Begin of the day on which it became overdue; NULL unless overdue or lapsed.
  mentorship_id bigint  -- Key of the mentorship.
);
grant select on table mentoring.cadence to mentoring_planner;
grant select on table mentoring.cadence to mentoring_reader;

-- Untagged calendar entries that hold both sides of a mentorship, where the program opts in. Listed, never counted.
create view mentoring.candidate_event (
  program text  -- Name of the program.
  mentorship text  -- Whose sides it holds.
  starts_at timestamp with time zone  -- Its start.
  ends_at timestamp with time zone  -- Its end.
  seen_at timestamp with time zone  -- When it was found.
);
grant select on table mentoring.candidate_event to mentoring_reader;

-- Who was in a program, since when, and how often they met: to be joined to a table of people who stayed or were promoted. It shows company, not cause.
create view mentoring.cohort (
  program text  -- Name of the program.
  participant_id bigint  -- The person.
  name text  -- Name, as in the roster.
  email text  -- Primary address: the key to your own table.
  role text  -- mentor, mentee or peer; who is both has two rows.
  mentorships bigint  -- Mentorships of the person in this role.
  joined_on date  -- First day of the first of them.
  ended_on date  -- Last day of the last of them, when all have ended.
  ended boolean  -- Whether all of them have ended.
  attended bigint  -- Settled held meetings the person provably attended; a meeting of several mentorships once.
  first_attended_at timestamp with time zone  -- Start of the first of them.
  last_attended_at timestamp with time zone  -- Start of the last of them.
);
grant select on table mentoring.cohort to mentoring_reader;

-- Everything an outcome was decided from. Rows are added, never changed.
create view mentoring.evidence (
  evidence_id bigint  -- Surrogate key. One statement about a meeting of three mentorships shows in three sessions.
  session_id bigint  -- The session it speaks of.
  participant_id bigint  -- The person it speaks of; NULL for a conference, a guest or a device.
  source text  -- meet, reports, teams, answer, correction, external or rsvp.
  kind text  -- record, presence, guest, device, no_record, cannot_tell, met, not_met, absent, excused, withdrawn.
  from_at timestamp with time zone  -- Begin of the presence or the record.
  until_at timestamp with time zone  -- End of the presence or the record.
  detail jsonb  -- What else is known: by (who said it), reason, system, account of an unknown guest.
  seen_at timestamp with time zone  -- When it became known.
);
grant select on table mentoring.evidence to mentoring_evidence;
grant select on table mentoring.evidence to mentoring_reader;

-- What people said about sessions: by role, never by name.
create view mentoring.feedback (
  session_id bigint  -- The session.
  role text  -- mentor, mentee or peer.
  rating smallint  -- 1 to 5, or NULL.
  comment text  -- Their words, or NULL.
  given_at timestamp with time zone  -- When.
);
grant select on table mentoring.feedback to mentoring_reader;

-- Counts and rates of each mentor by month, over all mentorships of a program. Compare hours with what you ask of mentors.
create view mentoring.mentor_month (
  program text  -- Name of the program.
  participant_id bigint  -- The mentor.
  name text  -- Name, as in the roster.
  email text  -- Primary address.
  month date  -- First day of the month, in the program's zone; a session counts where its scheduled start lies.
  scheduled bigint  -- All sessions with their start in the month, cancelled and coming ones included. It is the sum of held, too_short, one_sided, no_one, cancelled, unknown, pending and paused.
  held bigint  -- Settled sessions at which both sides were present together for the program's minimum, or which were confirmed as the program accepts.
  too_short bigint  -- Settled sessions to which both sides came, for less than the minimum together.
  one_sided bigint  -- Settled sessions to which one side came and the other provably did not.
  no_one bigint  -- Settled sessions to which provably nobody came.
  cancelled bigint  -- Sessions that were cancelled, or that a whole side declined.
  unknown bigint  -- Settled sessions nobody can say about. Neither held nor missed.
  pending bigint  -- Sessions still to come or not yet settled. In no rate.
  paused bigint  -- Sessions that began while the mentorship was paused. In no rate.
  late_cancelled bigint  -- Cancelled less than 24 hours before the start; part of cancelled.
  rescheduled bigint  -- Sessions moved at least once.
  mentor_no_show bigint  -- Sessions the mentor provably missed; those nobody came to included.
  mentee_no_show bigint  -- Sessions the mentee provably missed; those nobody came to included.
  eligible bigint  -- held + too_short + one_sided + no_one + unknown: what the rates are taken of.
  hours numeric  -- Hours both sides were together in held sessions, as recorded; a meeting of several mentorships once. Sessions confirmed by word alone have no recorded hours.
  scheduled_hours numeric  -- Booked hours of sessions not cancelled; a meeting of several mentorships once.
  attendance_rate_verified numeric  -- held / (eligible - unknown); NULL under five known sessions or when fewer than half are known.
  attendance_rate_lower numeric  -- held / eligible: as if every unknown session had been missed.
  attendance_rate_upper numeric  -- (held + unknown) / eligible: as if every unknown session had been held.
  no_show_rate_verified numeric  -- (one_sided + no_one) / (eligible - unknown); NULL as above. Absence is proven, never guessed.
  no_show_rate_lower numeric  -- (one_sided + no_one) / eligible.
  no_show_rate_upper numeric  -- (one_sided + no_one + unknown) / eligible.
  late_cancellation_rate_verified numeric  -- late_cancelled / (eligible - unknown + late_cancelled); NULL as above.
  late_cancellation_rate_lower numeric  -- late_cancelled / (eligible + late_cancelled).
  late_cancellation_rate_upper numeric  -- The same: what is unknown about attendance does not touch cancellations.
  cancellation_rate_verified numeric  -- cancelled / scheduled; NULL under five sessions.
  cancellation_rate_lower numeric  -- cancelled / scheduled.
  cancellation_rate_upper numeric  -- cancelled / scheduled.
  reschedule_rate_verified numeric  -- rescheduled / scheduled; NULL under five sessions.
  reschedule_rate_lower numeric  -- rescheduled / scheduled.
  reschedule_rate_upper numeric  -- rescheduled / scheduled.
  coverage numeric  -- (eligible - unknown) / eligible: how much of the truth the verified rates rest on.
);
grant select on table mentoring.mentor_month to mentoring_reader;

-- Counts and rates of each mentorship by month.
create view mentoring.mentorship_month (
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  month date  -- First day of the month, in the program's zone; a session counts where its scheduled start lies.
  scheduled bigint  -- All sessions with their start in the month, cancelled and coming ones included. It is the sum of held, too_short, one_sided, no_one, cancelled, unknown, pending and paused.
  held bigint  -- Settled sessions at which both sides were present together for the program's minimum, or which were confirmed as the program accepts.
  too_short bigint  -- Settled sessions to which both sides came, for less than the minimum together.
  one_sided bigint  -- Settled sessions to which one side came and the other provably did not.
  no_one bigint  -- Settled sessions to which provably nobody came.
  cancelled bigint  -- Sessions that were cancelled, or that a whole side declined.
  unknown bigint  -- Settled sessions nobody can say about. Neither held nor missed.
  pending bigint  -- Sessions still to come or not yet settled. In no rate.
  paused bigint  -- Sessions that began while the mentorship was paused. In no rate.
  late_cancelled bigint  -- Cancelled less than 24 hours before the start; part of cancelled.
  rescheduled bigint  -- Sessions moved at least once.
  mentor_no_show bigint  -- Sessions the mentor provably missed; those nobody came to included.
  mentee_no_show bigint  -- Sessions the mentee provably missed; those nobody came to included.
  eligible bigint  -- held + too_short + one_sided + no_one + unknown: what the rates are taken of.
  hours numeric  -- Hours both sides were together in held sessions, as recorded; a meeting of several mentorships once. Sessions confirmed by word alone have no recorded hours.
  scheduled_hours numeric  -- Booked hours of sessions not cancelled; a meeting of several mentorships once.
  attendance_rate_verified numeric  -- held / (eligible - unknown); NULL under five known sessions or when fewer than half are known.
  attendance_rate_lower numeric  -- held / eligible: as if every unknown session had been missed.
  attendance_rate_upper numeric  -- (held + unknown) / eligible: as if every unknown session had been held.
  no_show_rate_verified numeric  -- (one_sided + no_one) / (eligible - unknown); NULL as above. Absence is proven, never guessed.
  no_show_rate_lower numeric  -- (one_sided + no_one) / eligible.
  no_show_rate_upper numeric  -- (one_sided + no_one + unknown) / eligible.
  late_cancellation_rate_verified numeric  -- late_cancelled / (eligible - unknown + late_cancelled); NULL as above.
  late_cancellation_rate_lower numeric  -- late_cancelled / (eligible + late_cancelled).
  late_cancellation_rate_upper numeric  -- The same: what is unknown about attendance does not touch cancellations.
  cancellation_rate_verified numeric  -- cancelled / scheduled; NULL under five sessions.
  cancellation_rate_lower numeric  -- cancelled / scheduled.
  cancellation_rate_upper numeric  -- cancelled / scheduled.
  reschedule_rate_verified numeric  -- rescheduled / scheduled; NULL under five sessions.
  reschedule_rate_lower numeric  -- rescheduled / scheduled.
  reschedule_rate_upper numeric  -- rescheduled / scheduled.
  coverage numeric  -- (eligible - unknown) / eligible: how much of the truth the verified rates rest on.
);
grant select on table mentoring.mentorship_month to mentoring_reader;

-- How every mentorship comes along: first session, gaps, pace, punctuality, benchmarks. Paused days count nowhere.
create view mentoring.mentorship_progress (
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  starts_on date  -- First day, as in the roster.
  ends_on date  -- Last day; NULL = open.
  held bigint  -- Held sessions so far.
  first_held_at timestamp with time zone  -- Start of the first held session; NULL = not yet.
  last_held_at timestamp with time zone  -- Start of the last held session.
  days_to_first integer  -- Days from the first day to the first held session; NULL = not yet, see days_waiting.
  days_waiting integer  -- Days since the first day of a mentorship that has not met yet. Average days_to_first only beside these.
  first_by_day_10 boolean  -- Benchmark: first held session within ten days; NULL while there is time left.
  six_by_month_six boolean  -- Benchmark: six held sessions within six months; NULL while there is time left.
  gap_days_median numeric  -- Median of the days between held sessions.
  gap_days_p90 numeric  -- Nine of ten gaps are not longer than this many days.
  days_since_last_held integer  -- Days since the last held session; NULL = never.
  held_per_30_days numeric  -- Held sessions for each 30 days in which the mentorship was running.
  late_starts bigint  -- Held sessions at which the second side came more than five minutes after the scheduled start.
  late_start_rate numeric  -- late_starts / held sessions of which both arrivals are recorded.
  start_delay_minutes numeric  -- Mean minutes from the scheduled start until both sides were there; early arrivals are no delay.
  booking_lead_days numeric  -- Mean days from when a held session was first seen to its start: a lower bound of how early it was booked.
);
grant select on table mentoring.mentorship_progress to mentoring_reader;

-- What every view and every column means, taken from the database itself.
create view mentoring.metric_dictionary (
  view text  -- Name of the view.
  column_name text  -- Name of the column; empty for the view as a whole.
  definition text  -- What it means.
);
grant select on table mentoring.metric_dictionary to mentoring_reader;

-- What happened, for other programs. Read on after the last position you saw: no row appears below it later.
create view mentoring.outbound_event (
  event_id text  -- The same in every delivery and replay.
  "position" bigint  -- Order of commit, with gaps.
  type text  -- Such as session.judged; the schemas stand in config/webhooks.
  subject text  -- What it is about.
  sequence integer  -- Counts the events of one subject from 1.
  occurred_at timestamp with time zone  -- When the fact was recorded.
  payload jsonb  -- The data of the event.
);
grant select on table mentoring.outbound_event to mentoring_reader;

-- Every outcome a session ever had, so that a number of last month can be explained.
create view mentoring.outcome_history (
  session_id bigint  -- The session.
  outcome text  -- The outcome decided then.
  outcome_reason text  -- Its reason.
  decided_at timestamp with time zone  -- When it was decided.
  because text  -- What brought it: provisional, settled, new or late evidence, an answer, a correction and by whom.
);
grant select on table mentoring.outcome_history to mentoring_reader;

-- Days on which a mentorship owes no session. A pause of a person shows once for each mentorship of theirs.
create view mentoring.pause (
  pause_id bigint  -- Key of the pause: mentoring.end_pause takes it.
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  participant_id bigint  -- The person whose pause it is; NULL = the mentorship's own.
  from_on date  -- First day, in the program's zone.
  until_on date  -- Last day.
  reason text  -- Why, in somebody's words.
);
grant select on table mentoring.pause to mentoring_planner;
grant select on table mentoring.pause to mentoring_reader;

-- Sessions planned by another program before any calendar entry existed. Insert (program, mentorship, starts_at, ends_at [, tolerance, reference]) to plan one, delete to withdraw it.
create view mentoring.planned_session (
  plan_id bigint  -- Given on insert.
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  starts_at timestamp with time zone  -- Planned start.
  ends_at timestamp with time zone  -- Planned end.
  tolerance interval  -- How far the calendar entry may lie from the plan; two days unless given.
  reference text  -- Text that binds an entry that carries it in title or body, whatever its time.
  session_id bigint  -- The session it is bound to; NULL = none yet.
  state text  -- open, bound, missed (its time passed and nothing was booked), withdrawn.
);
CREATE TRIGGER plan_session INSTEAD OF INSERT ON mentoring.planned_session FOR EACH ROW EXECUTE FUNCTION cadenced.plan_session();
CREATE TRIGGER withdraw_plan INSTEAD OF DELETE ON mentoring.planned_session FOR EACH ROW EXECUTE FUNCTION cadenced.withdraw_plan();
grant delete, insert, select on table mentoring.planned_session to mentoring_planner;
grant select on table mentoring.planned_session to mentoring_reader;

-- Counts and rates of each program by month.
create view mentoring.program_month (
  program text  -- Name of the program.
  month date  -- First day of the month, in the program's zone; a session counts where its scheduled start lies.
  scheduled bigint  -- All sessions with their start in the month, cancelled and coming ones included. It is the sum of held, too_short, one_sided, no_one, cancelled, unknown, pending and paused.
  held bigint  -- Settled sessions at which both sides were present together for the program's minimum, or which were confirmed as the program accepts.
  too_short bigint  -- Settled sessions to which both sides came, for less than the minimum together.
  one_sided bigint  -- Settled sessions to which one side came and the other provably did not.
  no_one bigint  -- Settled sessions to which provably nobody came.
  cancelled bigint  -- Sessions that were cancelled, or that a whole side declined.
  unknown bigint  -- Settled sessions nobody can say about. Neither held nor missed.
  pending bigint  -- Sessions still to come or not yet settled. In no rate.
  paused bigint  -- Sessions that began while the mentorship was paused. In no rate.
  late_cancelled bigint  -- Cancelled less than 24 hours before the start; part of cancelled.
  rescheduled bigint  -- Sessions moved at least once.
  mentor_no_show bigint  -- Sessions the mentor provably missed; those nobody came to included.
  mentee_no_show bigint  -- Sessions the mentee provably missed; those nobody came to included.
  eligible bigint  -- held + too_short + one_sided + no_one + unknown: what the rates are taken of.
  hours numeric  -- Hours both sides were together in held sessions, as recorded; a meeting of several mentorships once. Sessions confirmed by word alone have no recorded hours.
  scheduled_hours numeric  -- Booked hours of sessions not cancelled; a meeting of several mentorships once.
  attendance_rate_verified numeric  -- held / (eligible - unknown); NULL under five known sessions or when fewer than half are known.
  attendance_rate_lower numeric  -- held / eligible: as if every unknown session had been missed.
  attendance_rate_upper numeric  -- (held + unknown) / eligible: as if every unknown session had been held.
  no_show_rate_verified numeric  -- (one_sided + no_one) / (eligible - unknown); NULL as above. Absence is proven, never guessed.
  no_show_rate_lower numeric  -- (one_sided + no_one) / eligible.
  no_show_rate_upper numeric  -- (one_sided + no_one + unknown) / eligible.
  late_cancellation_rate_verified numeric  -- late_cancelled / (eligible - unknown + late_cancelled); NULL as above.
  late_cancellation_rate_lower numeric  -- late_cancelled / (eligible + late_cancelled).
  late_cancellation_rate_upper numeric  -- The same: what is unknown about attendance does not touch cancellations.
  cancellation_rate_verified numeric  -- cancelled / scheduled; NULL under five sessions.
  cancellation_rate_lower numeric  -- cancelled / scheduled.
  cancellation_rate_upper numeric  -- cancelled / scheduled.
  reschedule_rate_verified numeric  -- rescheduled / scheduled; NULL under five sessions.
  reschedule_rate_lower numeric  -- rescheduled / scheduled.
  reschedule_rate_upper numeric  -- rescheduled / scheduled.
  coverage numeric  -- (eligible - unknown) / eligible: how much of the truth the verified rates rest on.
);
grant select on table mentoring.program_month to mentoring_reader;

-- Every mail: what was sent, what waits, what was held back and why.
create view mentoring.reminder_log (
  mail_id bigint  -- Surrogate key.
  session_id bigint  -- The session it is about; NULL for mails about a mentorship.
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  participant_id bigint  -- Who receives it; NULL for the coordinator.
  kind text  -- reminder, cadence_alert, cadence_digest, nudge or did_you_meet.
  due_at timestamp with time zone  -- When it leaves.
  status text  -- queued, sending, sent (the mail server took it), suppressed, refused, failed.
  sent_at timestamp with time zone  -- When the mail server took it.
  reason text  -- Why it was held back or failed: session_cancelled, declined, other_side_declined, not_invited, not_in_policy, too_late, quiet_hours, daily_cap, or the mailer's.
);
grant select on table mentoring.reminder_log to mentoring_reader;

-- Mentor sessions: one row an occurrence and mentorship. A moved session keeps its row.
create view mentoring.session (
  session_id bigint  -- Never changes, whatever happens to the calendar entries.
  occurrence_id bigint  -- The meeting. Three mentorships in one meeting are three sessions of one occurrence.
  program text  -- Name of the program, as in the configuration.
  mentorship text  -- Name of the mentorship, as in the roster.
  scheduled_start timestamp with time zone  -- Start in the calendar, after all moves.
  scheduled_end timestamp with time zone  -- End in the calendar.
  status text  -- scheduled (still to come), cancelled, or ended. Says nothing about who came: see outcome.
  outcome text  -- held, too_short, one_sided, no_one, cancelled or unknown; NULL until three hours after the end.
  outcome_reason text  -- Why: for unknown one of guest_only, no_record, no_permission, in_person, private_event, sync_gap, expired, group_address, disputed.
  ordinal integer  -- Its number among the held sessions of the mentorship; NULL unless held.
  stage text  -- Stage of the mentorship the held session belongs to.
  reschedules integer  -- How often its start was moved.
  first_seen_at timestamp with time zone  -- When it was first seen on a calendar: an upper bound of when it was booked.
  cancelled_at timestamp with time zone  -- When it was cancelled, as the calendar dates it.
  cancelled_by text  -- Side of the organizer who cancelled, where that is known.
  cancel_reason text  -- How: cancelled, deleted, removed_everywhere, untagged, people_changed.
  provisional_at timestamp with time zone  -- When it was first judged.
  settled_at timestamp with time zone  -- When the outcome settled. Rates count settled sessions only; later evidence may still restate.
  lineage text  -- What every calendar's copy of the meeting, and every occurrence of its series, shares.
  overlap_minutes numeric(7,2)  -- Minutes in which both sides were in the conference together; NULL when no record tells.
  evidence_tier text  -- Strongest evidence: conference_both, conference_one, human_both, human_one, rsvp_only, none.
);
grant select on table mentoring.session to mentoring_evidence;
grant select on table mentoring.session to mentoring_planner;
grant select on table mentoring.session to mentoring_reader;

-- Every calendar that is read: whether it can be, and how fresh what we know is.
create view mentoring.sync_health (
  calendar text  -- Address of the calendar.
  owner text  -- Primary address of its owner; the mailbox itself for a program.
  provider text  -- google or microsoft.
  state text  -- active, denied, gone, needs_consent, throttled, parked.
  reason text  -- Short reason of the state.
  since timestamp with time zone  -- Since when.
  last_complete_pass_at timestamp with time zone  -- When it was last read completely.
  lag interval  -- How long ago that was.
  push text  -- How the provider's push stands: requested, unverified (nothing has come through yet), verified, unsupported (this calendar cannot be watched), refused, failing; NULL = polled only.
  push_expires_at timestamp with time zone  -- When the push channel runs out; NULL = polled only.
  parked integer  -- Meetings whose cancellation is held back until it is confirmed: see cadenced approve.
  drift integer  -- Rows in which the last daily comparison differed from what had been told; NULL before the first.
  next_probe_at timestamp with time zone  -- When a calendar that cannot be read is tried again.
  last_reconcile_at timestamp with time zone  -- When the whole window was last compared.
  untagged_seen bigint  -- Entries seen without a tag: nothing else is kept of them.
  hidden_seen bigint  -- Entries seen whose details the provider hides.
  left_out_seen bigint  -- Entries that could not be read.
  mailbox_of text  -- The program whose mailbox this is; NULL for a person's calendar.
  push_reason text  -- Short reason why push is unsupported, refused or failing.
  push_since timestamp with time zone  -- Since when push stands like this.
);
grant select on table mentoring.sync_health to mentoring_reader;

-- Sessions nobody can say about whether they were held, with the reason: what to mend to know more.
create view mentoring.unknown_session (
  session_id bigint  -- The session.
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  scheduled_start timestamp with time zone  -- Start in the calendar.
  outcome_reason text  -- Why it is unknown.
);
grant select on table mentoring.unknown_session to mentoring_reader;

-- Tagged calendar entries that are no session, with the reason: usually a missing roster row or a forgotten guest.
create view mentoring.unmatched_event (
  program text  -- The program whose tag it carries.
  calendar text  -- Whose calendar it stands on.
  starts_at timestamp with time zone  -- Its start.
  reason text  -- all_day, not_a_meeting, no_mentorship, no_mentor, no_mentee, outside_dates or people_hidden.
  seen_at timestamp with time zone  -- When it was found.
);
grant select on table mentoring.unmatched_event to mentoring_reader;

-- What the outcomes of a month rest on: eligible sessions by their strongest evidence.
create view mentoring.verification_coverage (
  program text  -- Name of the program.
  month date  -- First day of the month, in the program's zone.
  eligible bigint  -- Settled sessions, neither cancelled nor in a pause: the sum of what follows.
  conference_both bigint  -- A conference record shows both sides.
  conference_one bigint  -- A conference record shows one side.
  human_both bigint  -- Both sides said so.
  human_one bigint  -- One side, or an administrator, said so.
  rsvp_only bigint  -- Answers in the calendar only: they prove nothing.
  "none" bigint  -- Nothing.
);
grant select on table mentoring.verification_coverage to mentoring_reader;

-- What became of each event at each webhook.
create view mentoring.webhook_delivery (
  event_id text  -- The event.
  endpoint text  -- Name of the webhook.
  status text  -- pending, delivered, or dead (given up; can be replayed).
  attempts integer  -- How often it was tried.
  next_attempt_at timestamp with time zone  -- When it is tried next; NULL unless pending.
  last_status integer  -- HTTP status of the last attempt; NULL = no answer.
  last_error text  -- Short reason of the last failure.
);
grant select on table mentoring.webhook_delivery to mentoring_reader;

-- The day that lies so many days after another, days on which nobody owes a session not counted.
create function cadenced.add_active_days(from_on date, days integer, free datemultirange) returns date language plpgsql immutable;
grant execute on cadenced.add_active_days(from_on date, days integer, free datemultirange) to (public);

-- What the sessions of a program add up to in each month from one to another that has any, counted from the sessions.
create function cadenced.count_months(of_program bigint, from_month date, until_month date) returns SETOF cadenced.program_month_total language plpgsql stable security definer;
grant execute on cadenced.count_months(of_program bigint, from_month date, until_month date) to (public);

-- How many of the days lie in the span.
create function cadenced.days_within(days datemultirange, span daterange) returns integer language sql immutable;
grant execute on cadenced.days_within(days datemultirange, span daterange) to (public);

-- The instant at which a day of a zone is over.
create function cadenced.end_of_day(day date, zone text) returns timestamp with time zone language sql stable;
grant execute on cadenced.end_of_day(day date, zone text) to (public);

-- Nothing is left to count once all sessions are gone.
create function cadenced.forget_months() returns trigger language plpgsql security definer;
grant execute on cadenced.forget_months() to (public);

-- The day of an instant in a zone.
create function cadenced.local_date(at timestamp with time zone, zone text) returns date language sql stable;
grant execute on cadenced.local_date(at timestamp with time zone, zone text) to (public);

-- Marks mentorships whose dates or members changed.
create function cadenced.mark_changed_mentorships() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_changed_mentorships() to (public);

-- Marks the months and the mentorships of sessions that were added or removed.
create function cadenced.mark_changed_sessions() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_changed_sessions() to (public);

-- Marks the mentorship of a session that somebody accepted or declined.
create function cadenced.mark_mentorship_of_answer() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_mentorship_of_answer() to (public);

-- Marks the mentorships that a calendar gives sight of.
create function cadenced.mark_mentorships_of_calendar() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_mentorships_of_calendar() to (public);

-- Marks the mentorships that a pause is for.
create function cadenced.mark_mentorships_of_pause() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_mentorships_of_pause() to (public);

-- Marks all mentorships of a program.
create function cadenced.mark_mentorships_of_program() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_mentorships_of_program() to (public);

-- Marks the months of the sessions that lie in the pauses of somebody who joined or left.
create function cadenced.mark_months_of_changed_member() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_months_of_changed_member() to (public);

-- Marks the months that a pause takes out of the rates or gives back.
create function cadenced.mark_months_of_changed_pause() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_months_of_changed_pause() to (public);

-- Marks the months of the sessions that lie in a pause.
create function cadenced.mark_months_of_pause(paused cadenced.pause) returns void language sql security definer;
grant execute on cadenced.mark_months_of_pause(paused cadenced.pause) to (public);

-- Marks every month of a program whose zone changed.
create function cadenced.mark_months_of_program() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_months_of_program() to (public);

-- Marks the months in which changed sessions counted and count now, and their mentorships.
create function cadenced.mark_updated_sessions() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_updated_sessions() to (public);

-- First day of the month in which an instant lies, in a zone.
create function cadenced.month_of(at timestamp with time zone, zone text) returns date language sql stable;
grant execute on cadenced.month_of(at timestamp with time zone, zone text) to (public);

-- Business time. Views and rules read this instead of now().
create function cadenced.now() returns timestamp with time zone language sql stable security definer;
grant execute on cadenced.now() to (public);

-- Length of a week, month, quarter or year.
create function cadenced.period_length(per text) returns interval language sql immutable;
grant execute on cadenced.period_length(per text) to (public);

-- Turns an insert into mentoring.planned_session into a plan.
create function cadenced.plan_session() returns trigger language plpgsql security definer;

-- The distance of polls: the longer one only while a channel is open that has shown to work.
create function cadenced.poll_distance(of_calendar bigint, unwatched interval, watched interval) returns interval language sql stable;
grant execute on cadenced.poll_distance(of_calendar bigint, unwatched interval, watched interval) to (public);

-- Keeps append-only tables append-only.
create function cadenced.refuse_change() returns trigger language plpgsql;
grant execute on cadenced.refuse_change() to (public);

-- Counts marked months, so many at most, and keeps their totals. Returns how many: 0 = nothing is left, or another transaction is at it.
create function cadenced.renew_months(most integer) returns integer language plpgsql security definer;

-- Refuses statements of nobody.
create function cadenced.said_by(who text) returns text language plpgsql stable;
grant execute on cadenced.said_by(who text) to (public);

-- Makes writers of outbound events take turns, so that positions become visible in order.
create function cadenced.serialise_outbound_events() returns trigger language plpgsql;
grant execute on cadenced.serialise_outbound_events() to (public);

-- part / whole to four decimals; NULL when there is no whole.
create function cadenced.share(part bigint, whole bigint) returns numeric language sql immutable;
grant execute on cadenced.share(part bigint, whole bigint) to (public);

-- part / known to four decimals; NULL when fewer than 5, or fewer than half of the eligible, are known.
create function cadenced.verified_share(part bigint, known bigint, eligible bigint) returns numeric language sql immutable;
grant execute on cadenced.verified_share(part bigint, known bigint, eligible bigint) to (public);

-- Has a session, or all sessions of a meeting, judged again.
create function cadenced.wake_judge(occurrence bigint, session bigint) returns void language sql security definer;

-- Turns a delete from mentoring.planned_session into a withdrawal.
create function cadenced.withdraw_plan() returns trigger language plpgsql security definer;

-- An administrator's word, stronger than every record. With email: status attended, absent, excused or unknown of that person; without: met or not_met of the session. by: who says so; reason: why. The last word counts; status withdrawn takes it back, so that the records speak again. Returns evidence_id. Restates the outcome within a minute.
create function mentoring.correct_attendance(session_id bigint, status text, by text, reason text, email text DEFAULT NULL::text) returns bigint language plpgsql security definer;
grant execute on mentoring.correct_attendance(session_id bigint, status text, by text, reason text, email text) to mentoring_evidence;

-- Ends a pause after the given day, or takes it back as if it had never been. Returns false when there is no such pause.
create function mentoring.end_pause(pause_id bigint, after date DEFAULT NULL::date) returns boolean language plpgsql security definer;
grant execute on mentoring.end_pause(pause_id bigint, after date) to mentoring_planner;

-- Takes the days from_on to until_on (both included, in the program's zone) out of what a mentorship owes, and its sessions of those days out of every rate. Returns pause_id.
create function mentoring.pause_mentorship(program text, mentorship text, from_on date, until_on date, reason text DEFAULT NULL::text) returns bigint language plpgsql security definer;
grant execute on mentoring.pause_mentorship(program text, mentorship text, from_on date, until_on date, reason text) to mentoring_planner;

-- Pauses every mentorship of a person, those that are added later included. Days and result as for mentoring.pause_mentorship.
create function mentoring.pause_person(email text, from_on date, until_on date, reason text DEFAULT NULL::text) returns bigint language plpgsql security definer;
grant execute on mentoring.pause_person(email text, from_on date, until_on date, reason text) to mentoring_planner;

-- Records what another system knows about a session (Zoom, Webex, a sign-in sheet). system: its name; kind: record, presence, guest, device, absent, excused, met, not_met or withdrawn; reference: your own key, the same statement is kept once; email: the person; from_at, until_at: the time; complete: a record that lists everybody; withdraws: the reference of an earlier statement that was wrong. Returns evidence_id. Restates the outcome within a minute.
create function mentoring.record_evidence(session_id bigint, system text, kind text, reference text, email text DEFAULT NULL::text, from_at timestamp with time zone DEFAULT NULL::timestamp with time zone, until_at timestamp with time zone DEFAULT NULL::timestamp with time zone, complete boolean DEFAULT false, withdraws text DEFAULT NULL::text) returns bigint language plpgsql security definer;
grant execute on mentoring.record_evidence(session_id bigint, system text, kind text, reference text, email text, from_at timestamp with time zone, until_at timestamp with time zone, complete boolean, withdraws text) to mentoring_evidence;

