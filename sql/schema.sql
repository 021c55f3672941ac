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
  reconcile_asked_at timestamp with time zone  -- When a change of plans or people last asked for its whole window to be compared (real time). A pass that began before it does not answer for it.
  hold_until timestamp with time zone  -- The provider asked not to be asked about this calendar before this (real time): no wish makes it due earlier. NULL = it did not.
  config_fault text  -- Code of the setting, grant or scope because of which the calendar could not be read, until it is read again. The state is left alone: it is nobody's calendar that is at fault.
  reconcile_at timestamp with time zone  -- When the whole window is compared again (business time): a day after it was last, give or take a quarter. NULL = a day and a quarter after.
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
CREATE INDEX calendar_config_fault ON cadenced.calendar USING btree (provider, config_fault) WHERE (config_fault IS NOT NULL);
CREATE INDEX calendar_due ON cadenced.calendar USING btree (next_poll_at) WHERE (retired_at IS NULL);
CREATE INDEX calendar_look_again ON cadenced.calendar USING btree (look_again_at) WHERE (look_again_at IS NOT NULL);
CREATE INDEX calendar_parked ON cadenced.calendar USING btree (calendar_id) WHERE (parked IS NOT NULL);
CREATE INDEX calendar_reconcile_due ON cadenced.calendar USING btree (reconcile_at) WHERE ((retired_at IS NULL) AND (NOT reconcile_wanted) AND (NOT full_pass_wanted) AND (state = ANY (ARRAY['active'::text, 'parked'::text, 'throttled'::text])));
CREATE INDEX calendar_to_reconcile ON cadenced.calendar USING btree (last_reconcile_at) WHERE ((retired_at IS NULL) AND (NOT reconcile_wanted) AND (NOT full_pass_wanted) AND (state = ANY (ARRAY['active'::text, 'parked'::text, 'throttled'::text])));
CREATE INDEX calendar_unwatchable ON cadenced.calendar USING btree (calendar_id) WHERE ((push_state IS NOT NULL) AND ((retired_at IS NOT NULL) OR (last_complete_pass_at IS NULL) OR (state <> ALL (ARRAY['active'::text, 'parked'::text, 'throttled'::text]))));
CREATE TRIGGER marks_of_calendar AFTER UPDATE OF state, retired_at, last_complete_pass_at ON cadenced.calendar FOR EACH ROW WHEN (((old.state IS DISTINCT FROM new.state) OR ((old.retired_at IS NULL) IS DISTINCT FROM (new.retired_at IS NULL)) OR ((new.last_complete_pass_at IS NOT NULL) AND COALESCE((old.last_complete_pass_at < (new.last_complete_pass_at - 'P2D'::interval)), true)))) EXECUTE FUNCTION cadenced.mark_mentorships_of_calendar();
CREATE TRIGGER poll_held BEFORE UPDATE OF next_poll_at ON cadenced.calendar FOR EACH ROW WHEN ((new.next_poll_at < new.hold_until)) EXECUTE FUNCTION cadenced.hold_poll();

-- Untagged events that hold both sides of a mentorship, where the program opts in. Listed, never counted; no title.
create table cadenced.candidate_event (
  calendar_id bigint not null  -- Where it stands.
  source_id text not null  -- The provider's id.
  mentorship_id bigint not null  -- Whose sides it holds.
  starts_at timestamp with time zone not null  -- Its start.
  ends_at timestamp with time zone not null  -- Its end.
  seen_at timestamp with time zone not null  -- When it was found (business time).
  series_id text  -- The provider's id of the series; NULL for a single event.
  constraint candidate_event_pkey PRIMARY KEY (calendar_id, source_id, mentorship_id)
  constraint candidate_event_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES cadenced.calendar(calendar_id) ON DELETE CASCADE
  constraint candidate_event_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id) ON DELETE CASCADE
);
CREATE INDEX candidate_event_by_mentorship ON cadenced.candidate_event USING btree (mentorship_id);

-- Plans that were written, changed or withdrawn and of which the daemon has still to take notice. Rows are only added, so that no writer waits for another; the daemon takes them within a second or two.
create table cadenced.changed_plan (
  mentorship_id bigint not null  -- Whose plan.
  reads boolean not null  -- The plan has or had a reference: entries without a tag may carry it, so the calendars must be compared as a whole.
);

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

-- Who takes part in a program without the roster having to name a mentorship. Members of a mentorship are enrolled by it and need no row here.
create table cadenced.enrolment (
  program_id bigint not null  -- The program.
  person_id bigint not null  -- Who.
  role text not null  -- As what: mentor, mentee or peer.
  enrolled_on date not null  -- First day, in the program's zone: the roster's starts_on, else the day of the import.
  ends_on date  -- Last day; NULL = open.
  constraint enrolment_pkey PRIMARY KEY (program_id, person_id, role)
  constraint enrolment_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint enrolment_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id) ON DELETE CASCADE
  constraint enrolment_ends_after_it_starts CHECK (((ends_on IS NULL) OR (ends_on >= enrolled_on)))
  constraint enrolment_role_is_known CHECK ((role = ANY (ARRAY['mentor'::text, 'mentee'::text, 'peer'::text])))
);
CREATE INDEX enrolment_by_person ON cadenced.enrolment USING btree (person_id);

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
  unsent boolean default false not null  -- The organizer changed or made it and has sent it to nobody yet (Outlook's isDraft): it tells nothing that was agreed.
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
CREATE INDEX evidence_guest_by_account ON cadenced.evidence USING btree (((detail ->> 'account'::text))) WHERE (kind = 'guest'::text);
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

-- Addresses of groups, and who of the roster they reach. The roster gives them as aliases with group: before them.
create table cadenced.group_address (
  address text not null  -- Lower-case address of the group; reaches any number of people.
  person_id bigint not null  -- Somebody it reaches.
  constraint group_address_pkey PRIMARY KEY (address, person_id)
  constraint group_address_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint group_address_is_lower_case CHECK ((address = lower(address)))
);
CREATE INDEX group_address_by_person ON cadenced.group_address USING btree (person_id);

-- When each source is asked about each meeting next; survives restarts.
create table cadenced.harvest (
  occurrence_id bigint not null  -- The meeting.
  source text not null  -- The source.
  state text default 'waiting'::text not null  -- waiting, final (it has said all that is waited for), or cannot_tell.
  attempts integer default 0 not null  -- How often it was asked.
  due_at timestamp with time zone  -- When it is asked next (business time); in state final only in case it has learnt more.
  last_at timestamp with time zone  -- When it was last asked (business time).
  last_answer text  -- records, nothing, no_permission, expired, external_organizer, not_found, or the code of a failure.
  constraint harvest_pkey PRIMARY KEY (occurrence_id, source)
  constraint harvest_occurrence_id_fkey FOREIGN KEY (occurrence_id) REFERENCES cadenced.occurrence(occurrence_id) ON DELETE CASCADE
  constraint harvest_source_is_known CHECK ((source = ANY (ARRAY['meet'::text, 'reports'::text, 'teams'::text])))
  constraint harvest_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'final'::text, 'cannot_tell'::text])))
  constraint harvest_waiting_has_a_time CHECK (
CASE state
    WHEN 'waiting'::text THEN (due_at IS NOT NULL)
    WHEN 'cannot_tell'::text THEN (due_at IS NULL)
    ELSE true
END)
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

-- How many mentorships at a time a mentor has room for in a program, where the roster says it.
create table cadenced.mentor_capacity (
  program_id bigint not null  -- The program.
  person_id bigint not null  -- The mentor.
  mentorships integer not null  -- How many at a time; 0 = takes none at present.
  constraint mentor_capacity_pkey PRIMARY KEY (program_id, person_id)
  constraint mentor_capacity_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint mentor_capacity_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id) ON DELETE CASCADE
  constraint mentor_capacity_is_not_negative CHECK ((mentorships >= 0))
);
CREATE INDEX mentor_capacity_by_person ON cadenced.mentor_capacity USING btree (person_id);

-- A mentor with one or several mentees, or a group of peers, in one program.
create table cadenced.mentorship (
  mentorship_id bigint generated always as identity not null  -- Surrogate key.
  program_id bigint not null  -- The program it belongs to.
  key text not null  -- The roster's name of the mentorship; unique in its program.
  starts_on date not null  -- First day, in the program's zone.
  ends_on date  -- Last day, in the program's zone; NULL = open.
  created_at timestamp with time zone default cadenced.now() not null  -- When the roster first named it.
  planned_ends_on date  -- The latest last day that was ever given ahead of time; an end given for a sooner day leaves it as it is. NULL = no end was planned.
  constraint mentorship_pkey PRIMARY KEY (mentorship_id)
  constraint mentorship_key_is_unique_in_program UNIQUE (program_id, key)
  constraint mentorship_program_id_fkey FOREIGN KEY (program_id) REFERENCES cadenced.program(program_id)
  constraint mentorship_ends_after_it_starts CHECK (((ends_on IS NULL) OR (ends_on >= starts_on)))
);
CREATE INDEX mentorship_by_key ON cadenced.mentorship USING btree (key);
CREATE TRIGGER keep_planned_end BEFORE INSERT OR UPDATE OF ends_on ON cadenced.mentorship FOR EACH ROW EXECUTE FUNCTION cadenced.keep_planned_end();
CREATE TRIGGER marks_of_changed_mentorships AFTER UPDATE ON cadenced.mentorship REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_changed_mentorships();
CREATE TRIGGER marks_of_new_mentorships AFTER INSERT ON cadenced.mentorship REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_changed_mentorships();
CREATE TRIGGER months_of_ended_mentorship AFTER UPDATE OF ends_on ON cadenced.mentorship FOR EACH ROW WHEN ((old.ends_on IS DISTINCT FROM new.ends_on)) EXECUTE FUNCTION cadenced.mark_months_of_ended_mentorship();

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
  by_group boolean default false not null  -- Invited by the address of a group they belong to, and not by name: a record that lacks them proves nothing about them.
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
  source text default 'statement'::text not null  -- statement (a function of schema mentoring, or a command) or roster. A roster changes only what a roster said.
  constraint pause_pkey PRIMARY KEY (pause_id)
  constraint pause_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id) ON DELETE CASCADE
  constraint pause_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint pause_ends_after_it_begins CHECK ((until_on >= from_on))
  constraint pause_is_of_a_mentorship_or_a_person CHECK (((mentorship_id IS NULL) <> (person_id IS NULL)))
  constraint pause_source_is_known CHECK ((source = ANY (ARRAY['statement'::text, 'roster'::text])))
);
CREATE INDEX pause_by_mentorship ON cadenced.pause USING btree (mentorship_id) WHERE (mentorship_id IS NOT NULL);
CREATE INDEX pause_by_person ON cadenced.pause USING btree (person_id) WHERE (person_id IS NOT NULL);
CREATE TRIGGER keep_pause_history AFTER INSERT OR DELETE OR UPDATE ON cadenced.pause FOR EACH ROW EXECUTE FUNCTION cadenced.keep_pause_history();
CREATE TRIGGER marks_of_changed_pauses AFTER UPDATE ON cadenced.pause REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_mentorships_of_pause();
CREATE TRIGGER marks_of_new_pauses AFTER INSERT ON cadenced.pause REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_mentorships_of_pause();
CREATE TRIGGER marks_of_removed_pauses AFTER DELETE ON cadenced.pause REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION cadenced.mark_mentorships_of_pause();
CREATE TRIGGER months_of_changed_pause AFTER INSERT OR DELETE OR UPDATE ON cadenced.pause FOR EACH ROW EXECUTE FUNCTION cadenced.mark_months_of_changed_pause();

-- Every word about a pause, who said it and when. Append-only: a pause takes sessions out of every rate.
create table cadenced.pause_history (
  history_id bigint generated always as identity not null  -- Surrogate key.
  pause_id bigint not null  -- The pause; it may have been taken back since.
  change text not null  -- added, changed or taken_back.
  mentorship_id bigint  -- The paused mentorship, or NULL.
  person_id bigint  -- The paused person, or NULL.
  from_on date not null  -- First paused day after the change.
  until_on date not null  -- Last paused day after the change.
  reason text  -- Why, in somebody's words.
  said_by text  -- Who says so, as they gave it; NULL = they did not.
  recorded_by text not null  -- The database user who wrote it.
  said_at timestamp with time zone not null  -- When (business time).
  constraint pause_history_pkey PRIMARY KEY (history_id)
  constraint pause_history_mentorship_id_fkey FOREIGN KEY (mentorship_id) REFERENCES cadenced.mentorship(mentorship_id) ON DELETE CASCADE
  constraint pause_history_person_id_fkey FOREIGN KEY (person_id) REFERENCES cadenced.person(person_id) ON DELETE CASCADE
  constraint pause_history_change_is_known CHECK ((change = ANY (ARRAY['added'::text, 'changed'::text, 'taken_back'::text])))
);
CREATE INDEX pause_history_by_mentorship ON cadenced.pause_history USING btree (mentorship_id) WHERE (mentorship_id IS NOT NULL);
CREATE INDEX pause_history_by_pause ON cadenced.pause_history USING btree (pause_id);
CREATE INDEX pause_history_by_person ON cadenced.pause_history USING btree (person_id) WHERE (person_id IS NOT NULL);
CREATE TRIGGER pause_history_is_append_only BEFORE UPDATE ON cadenced.pause_history FOR EACH STATEMENT EXECUTE FUNCTION cadenced.refuse_change();

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
CREATE UNIQUE INDEX planned_session_reference_is_unique ON cadenced.planned_session USING btree (mentorship_id, reference) WHERE ((reference IS NOT NULL) AND (withdrawn_at IS NULL));
CREATE TRIGGER planned_session_is_taken_notice_of AFTER INSERT OR DELETE OR UPDATE OF mentorship_id, starts_at, ends_at, tolerance, reference, withdrawn_at ON cadenced.planned_session FOR EACH ROW EXECUTE FUNCTION cadenced.tell_changed_plan();

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
  paused bigint not null  -- Begun in a pause, on a holiday or after the end.
  late_cancelled bigint not null  -- Cancelled within a day of the start.
  rescheduled bigint not null  -- Moved at least once.
  mentor_no_show bigint not null  -- Missed by the mentor.
  mentee_no_show bigint not null  -- Missed by the mentee.
  minutes numeric not null  -- Minutes together, a meeting of several mentorships once.
  scheduled_minutes numeric not null  -- Minutes booked, a meeting of several mentorships once.
  on_holiday bigint default 0 not null  -- Of these, on a holiday.
  after_end bigint default 0 not null  -- Of these, after the end of the mentorship.
  peer_no_show bigint default 0 not null  -- Missed by all peers but one.
  cancelled_by_mentor bigint default 0 not null  -- Called off by a mentor.
  cancelled_by_mentee bigint default 0 not null  -- Called off by a mentee.
  cancelled_by_peer bigint default 0 not null  -- Called off by a peer.
  cancelled_by_other bigint default 0 not null  -- Called off by somebody outside of the mentorship.
  moves bigint default 0 not null  -- How often starts were moved.
  slip_known bigint default 0 not null  -- Moved meetings of which the first start is known.
  slip_days numeric default 0 not null  -- Days between their first and their last start, summed.
  slip_days_median numeric  -- The median of these days.
  lead_known bigint default 0 not null  -- Meetings that were seen before they began.
  lead_days numeric default 0 not null  -- Days from then to their start, summed.
  lead_days_median numeric  -- The median of these days.
  starts_known bigint default 0 not null  -- Held sessions of which both arrivals are recorded.
  late_starts bigint default 0 not null  -- Of these, begun more than five minutes late.
  start_delay_minutes numeric default 0 not null  -- Minutes of delay of all of these, early ones as none.
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
CREATE TRIGGER months_of_changed_holidays AFTER INSERT OR DELETE OR UPDATE ON cadenced.program_policy FOR EACH ROW EXECUTE FUNCTION cadenced.mark_months_of_holidays();

-- A mentor session: an occurrence for one mentorship.
create table cadenced.session (
  session_id bigint generated always as identity not null  -- Surrogate key; never changes.
  occurrence_id bigint not null  -- The meeting; three mentees of three mentorships in one meeting are three sessions of one occurrence.
  mentorship_id bigint not null  -- The mentorship.
  starts_at timestamp with time zone not null  -- Scheduled start; once the session has ended moved only by a change that the source dates before it.
  ends_at timestamp with time zone not null  -- Scheduled end; once the session has ended moved only by a change that the source dates before the start.
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
  first_starts_at timestamp with time zone  -- Start before its first move; NULL = it was never moved, or was moved before this was kept.
  start_delay_minutes numeric  -- Minutes from the scheduled start until the second side had come, negative when early; NULL when no record tells.
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
CREATE TRIGGER session_first_start BEFORE UPDATE OF starts_at ON cadenced.session FOR EACH ROW WHEN ((old.starts_at IS DISTINCT FROM new.starts_at)) EXECUTE FUNCTION cadenced.keep_first_start();

-- Rows of a pass that is still being read; invisible to everything until the pass is applied. Unlogged: after a crash the pass is read again.
create table cadenced.staged_copy (
  calendar_id bigint not null  -- The calendar being read.
  pass_id uuid not null  -- The pass that staged the row; rows of dead passes are swept.
  "position" bigint generated always as identity not null  -- Order of arrival: the last row of an id wins.
  kind text not null  -- copy (an event as it stands), removed (an id that is gone) or candidate (an untagged event with the mentorships whose sides it holds; with none it is a candidate no more).
  source_id text not null  -- The provider's id on this calendar.
  series_id text  -- The provider's id of the series; NULL for a single event.
  lineage text  -- What all copies of the meeting share; NULL for a bare removal.
  payload jsonb not null  -- The observation without its text; of a candidate only mentorships, start and end.
  staged_at timestamp with time zone default now() not null  -- When it was staged (real time).
  constraint staged_copy_pkey PRIMARY KEY (calendar_id, pass_id, "position")
  constraint staged_copy_kind_is_known CHECK ((kind = ANY (ARRAY['copy'::text, 'removed'::text, 'candidate'::text])))
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

-- The cadence that a program asked for, by days: from from_on to the day before until_on.
create view cadenced.cadence_rule (
  program_id bigint
  form text
  every_days integer
  per text
  required integer
  grace_days integer
  from_on date
  until_on date
  current boolean
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

-- Every invitation of every session as what it adds to the columns of the views about people.
create view cadenced.participant_count (
  program text
  month date
  occurrence_id bigint
  person_id bigint
  role text
  invited integer
  eligible integer
  attended integer
  absent integer
  excused integer
  unknown integer
  cancelled integer
  pending integer
  paused integer
  on_holiday integer
  after_end integer
  minutes numeric
);

-- Every version of a program's rules with its days: from the day on which it came into force (the first one from live_from, where that is earlier) to the day before until_on. Of several versions on one day the last one holds.
create view cadenced.policy_days (
  program_id bigint
  policy jsonb
  current boolean
  from_on date
  until_on date
);

-- The holidays of a program, each as the rules in force on its day had it.
create view cadenced.program_holidays (
  program_id bigint
  days datemultirange
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
  on_holiday bigint
  after_end bigint
  peer_no_show bigint
  cancelled_by_mentor bigint
  cancelled_by_mentee bigint
  cancelled_by_peer bigint
  cancelled_by_other bigint
  moves bigint
  slip_known bigint
  slip_days numeric
  slip_days_median numeric
  lead_known bigint
  lead_days numeric
  lead_days_median numeric
  starts_known bigint
  late_starts bigint
  start_delay_minutes numeric
);

-- Every session as what it adds to each column of the monthly views.
create view cadenced.session_count (
  session_id bigint
  occurrence_id bigint
  mentorship_id bigint
  program_id bigint
  program text
  mentorship text
  starts_at timestamp with time zone
  month date
  counts text
  scheduled integer
  held integer
  too_short integer
  one_sided integer
  no_one integer
  cancelled integer
  unknown integer
  pending integer
  paused integer
  late_cancelled integer
  rescheduled integer
  mentor_no_show integer
  mentee_no_show integer
  peer_no_show integer
  on_holiday integer
  after_end integer
  cancelled_by_mentor integer
  cancelled_by_mentee integer
  cancelled_by_peer integer
  cancelled_by_other integer
  moves integer
  starts_known integer
  late_starts integer
  start_delay_minutes numeric
  minutes numeric
  scheduled_minutes numeric
  slip_days numeric
  lead_days numeric
);

-- Every session with the month and the one column of the monthly views that it counts in, and what is measured about it.
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
  start_delay_minutes numeric
  scheduled_minutes numeric
  late boolean
  counts text
  left_out text
  cancelled_by text
  slip_days numeric
  lead_days numeric
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
  evidence_tier text  -- Strongest evidence about this person: for an absence, what proves it.
  invited_by text  -- name, or group: by the address of a group they belong to, so that no record proves their absence.
);
grant select on table mentoring.attendance to mentoring_evidence;
grant select on table mentoring.attendance to mentoring_reader;

-- Every benchmark of every mentorship: by when it was to be reached, and when it was. Benchmarks are policy: benchmarks in the configuration file.
create view mentoring.benchmark (
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  benchmark text  -- Name of the benchmark, as in the rules in force on its due day.
  sessions integer  -- How many held sessions it asks for.
  within text  -- In which time from the first day (ISO 8601).
  due_at timestamp with time zone  -- When its last day is over, in the program's zone; pauses and holidays moved it on.
  reached_at timestamp with time zone  -- milestone_reached_at: start of the held session with which the number was reached, in time or not; NULL = not yet.
  attained boolean  -- Reached in time; false = the time is over; NULL = open, unverified or ended.
  state text  -- attained, missed, open (there is time left), unverified (reached in time only if unknown or unsettled sessions were held) or ended (the mentorship ended before).
  counted boolean  -- Its time is over and the mentorship ran until then: what the rates of mentoring.benchmark_attainment are taken of. Who got there early counts only when the others had their time, too.
);
grant select on table mentoring.benchmark to mentoring_reader;

-- How many mentorships of a program reached each benchmark in time.
create view mentoring.benchmark_attainment (
  program text  -- Name of the program.
  benchmark text  -- Name of the benchmark. It has a row for each meaning it had.
  sessions integer  -- How many held sessions it asks for.
  within text  -- In which time from the first day (ISO 8601).
  mentorships bigint  -- Mentorships it applies to: counted + open + attained_early + ended.
  counted bigint  -- Those whose time is over and that ran until then: attained + missed + unverified.
  attained bigint  -- Of the counted, those that reached it in time.
  missed bigint  -- Of the counted, those that did not.
  unverified bigint  -- Of the counted, those that did only if unknown or unsettled sessions were held.
  open bigint  -- Those that have time left and have not reached it. In no rate.
  attained_early bigint  -- Those that reached it and whose time is not over, or that ended before it was. In no rate: beside those still open they would make it look better than it is.
  ended bigint  -- Those that ended before and had not reached it. In no rate.
  benchmark_attainment_verified numeric  -- attained / (counted - unverified); NULL under five, or when fewer than half are verified.
  benchmark_attainment_lower numeric  -- attained / counted.
  benchmark_attainment_upper numeric  -- (attained + unverified) / counted.
  coverage numeric  -- (counted - unverified) / counted.
);
grant select on table mentoring.benchmark_attainment to mentoring_reader;

-- Where every mentorship stands against the cadence of its program. Only what is proven accuses anybody.
create view mentoring.cadence (
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  state text  -- not_started, on_track, due (interval passed, inside the grace), overdue (one missed), lapsed (two or more), paused, ending, ended, or unobservable (no calendar of theirs can be read).
  due_at timestamp with time zone  -- When the interval, or the period, that decides the state ends.
  last_held_at timestamp with time zone  -- Start of the last held session.
  next_session_at timestamp with time zone  -- Start of the next booked session that no side has declined.
  at_risk boolean  -- Too long since the last session (overdue or lapsed) and nothing booked.
  reasons text[]  -- overdue, lapsed, never_met, nothing_booked, missed_repeatedly (two of the last three, pauses left out, missed or cancelled within a day), gap_widening (the last three gaps, paused days not counted, half as long again as the three before), moved_often (three times or more: the next session, or one since the last held one), unverified, no_readable_calendar.
  unverified_since timestamp with time zone  -- Start of the first session since the last held one that could not be verified, when the state rests on it.
  overdue_since timestamp with time zone  -- Begin of the day on which it became overdue; NULL unless overdue or lapsed.
  mentorship_id bigint  -- Key of the mentorship.
);
grant select on table mentoring.cadence to mentoring_planner;
grant select on table mentoring.cadence to mentoring_reader;

-- How much of what the cadence asked for was kept, by mentorship and form of the rule. Each period and gap is measured by the rule in force then; where no rule was in force nothing is asked.
create view mentoring.cadence_compliance (
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  form text  -- calendar (complete weeks, months, quarters or years) or rolling (gaps between held sessions). Two rows when a program changed from one to the other.
  current boolean  -- Whether the rule in force now has this form.
  expected bigint  -- kept + missed + unverified. calendar: complete periods inside the mentorship and under one rule, over for two days; the first and the last part of one are left out. rolling: gaps between held sessions, and the open one when it is already too long.
  kept bigint  -- calendar: periods with as many held sessions as required; what is more does not pay for another period. rolling: gaps no longer than the interval and its grace, days that were free not counted.
  missed bigint  -- Not kept, even if every unknown session was held.
  unverified bigint  -- Kept only if sessions were held that nobody can say about, or that are not settled yet.
  free_periods bigint  -- calendar: complete periods that are not asked about, because more than half of their days were pauses or holidays; NULL for rolling.
  free_days integer  -- Days of the mentorship so far that were pauses or holidays. They make no gap longer.
  cadence_compliance_verified numeric  -- kept / (kept + missed); NULL under five, or when fewer than half are verified.
  cadence_compliance_lower numeric  -- kept / expected: as if no unknown session had been held.
  cadence_compliance_upper numeric  -- (kept + unverified) / expected: as if every unknown session had been held.
  coverage numeric  -- (kept + missed) / expected.
);
grant select on table mentoring.cadence_compliance to mentoring_reader;

-- Untagged calendar entries that hold both sides of a mentorship, where the program opts in: somebody may have forgotten the tag. Listed, never counted; no title is kept, and private entries are left out. An entry on both calendars is one row. Those of the last 35 and the coming 120 days; a new series appears with the daily comparison.
create view mentoring.candidate_event (
  program text  -- Name of the program.
  mentorship text  -- Whose sides it holds.
  starts_at timestamp with time zone  -- Its start.
  ends_at timestamp with time zone  -- Its end.
  seen_at timestamp with time zone  -- When it was first found.
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

-- How many of the people in a running mentorship met at all in the last 30, 60, 90, 180 and 365 days. Attendance, not answers to invitations.
create view mentoring.engagement (
  program text  -- Name of the program.
  role text  -- mentor, mentee or peer; NULL = everybody, each person once.
  days integer  -- The last 30, 60, 90, 180 or 365 days, today included.
  participants bigint  -- People with a mentorship that ran on some day of this time that was no pause.
  paused bigint  -- People whose every mentorship of this time was paused throughout. In no rate.
  engaged bigint  -- Participants who provably attended a settled held session of this time.
  unverified bigint  -- Participants who did only if they attended a session that nobody can say about, or that is not settled.
  engagement_rate_verified numeric  -- engaged / (participants - unverified); NULL under five, or when fewer than half are verified.
  engagement_rate_lower numeric  -- engaged / participants.
  engagement_rate_upper numeric  -- (engaged + unverified) / participants.
  coverage numeric  -- (participants - unverified) / participants.
);
grant select on table mentoring.engagement to mentoring_reader;

-- Everybody who takes part or took part in a program: members of a mentorship, and those whom the roster names without one, because they wait.
create view mentoring.enrolment (
  program text  -- Name of the program.
  participant_id bigint  -- The person.
  name text  -- Name, as in the roster.
  email text  -- Primary address.
  role text  -- mentor, mentee or peer; who is both has two rows.
  enrolled_on date  -- First day in the program in this role.
  ends_on date  -- Last day; NULL = open.
  enrolled boolean  -- Takes part today, or in a mentorship that has not ended.
  matched boolean  -- Enrolled, and in a mentorship that has not ended; one that is still to begin counts.
  open_mentorships bigint  -- Mentorships of theirs in this role that have not ended.
  days_waiting integer  -- Days since they enrolled, or since their last mentorship ended, of those who are enrolled and not matched.
);
grant select on table mentoring.enrolment to mentoring_reader;

-- Everything an outcome was decided from. Rows are added, never changed.
create view mentoring.evidence (
  evidence_id bigint  -- Surrogate key. One statement about a meeting of three mentorships shows in three sessions.
  session_id bigint  -- The session it speaks of.
  participant_id bigint  -- The person it speaks of; NULL for a conference, a guest or a device.
  source text  -- meet, reports, teams, answer, correction, external or rsvp.
  kind text  -- record, presence, guest, device, no_record, cannot_tell, met, not_met, absent, excused, withdrawn.
  from_at timestamp with time zone  -- Begin of the presence or the record.
  until_at timestamp with time zone  -- End of the presence or the record.
  detail jsonb  -- What else is known: by (who said it), reason, system, account of an unknown guest, partial (a record that need not show everybody).
  seen_at timestamp with time zone  -- When it became known.
  email text  -- Address of the person it speaks of. In a meeting of several mentorships some belong to another session.
  reference text  -- The source's own key of the statement, that of another system after its name; names it in withdraws.
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

-- How many people were asked about the sessions of a month, and how many answered. People are asked only about sessions that no record can prove, so a low feedback_prompt_rate is good news about the records.
create view mentoring.feedback_month (
  program text  -- Name of the program.
  month date  -- First day of the month, in the program's zone; a session counts where its scheduled start lies.
  held bigint  -- Held sessions, as in program_month.
  prompted bigint  -- Of held: somebody was asked about it by mail.
  prompts bigint  -- Questions by mail that the mail server took, one a person and session, whatever became of the session.
  answers bigint  -- Of prompts: the person said whether they met.
  responses bigint  -- Of prompts: the person said how it was.
  unprompted_responses bigint  -- Feedback of people who had not been asked by mail, such as what another tool collected.
  feedback_prompt_rate_verified numeric  -- prompted / held; NULL under five held sessions.
  feedback_prompt_rate_lower numeric  -- prompted / held.
  feedback_prompt_rate_upper numeric  -- The same: whom we asked is known.
  answer_rate_verified numeric  -- answers / prompts; NULL under five prompts.
  answer_rate_lower numeric  -- answers / prompts.
  answer_rate_upper numeric  -- The same: who answered is known.
  response_rate_verified numeric  -- responses / prompts; NULL under five prompts. Where feedback_url sends people to another tool, only what that tool tells by mentoring.record_feedback is counted.
  response_rate_lower numeric  -- responses / prompts.
  response_rate_upper numeric  -- The same: who responded is known.
  ratings bigint  -- Feedback with a rating, asked for by mail or not.
  avg_rating numeric  -- Mean of the ratings, 1 to 5; NULL under five, so that nobody can be told by it.
);
grant select on table mentoring.feedback_month to mentoring_reader;

-- How many of the enrolled have somebody to meet, by role and for all. The roster has to name those who wait: rows without a mentorship.
create view mentoring.match_rate (
  program text  -- Name of the program.
  role text  -- mentor, mentee or peer; NULL = everybody, each person once.
  enrolled bigint  -- People enrolled today.
  matched bigint  -- Of these, in at least one mentorship that has not ended.
  waiting bigint  -- Of these, the others.
  days_waiting_median numeric  -- Median of the days the others have waited so far.
  days_waiting_longest integer  -- The longest of these waits.
  match_rate_verified numeric  -- matched / enrolled; NULL under five.
  match_rate_lower numeric  -- matched / enrolled.
  match_rate_upper numeric  -- The same: the roster knows, or does not say.
);
grant select on table mentoring.match_rate to mentoring_reader;

-- What every mentor carries in a month: mentorships and hours, against what they have room for. Who is too busy?
create view mentoring.mentor_load (
  program text  -- Name of the program.
  participant_id bigint  -- The mentor.
  name text  -- Name, as in the roster.
  email text  -- Primary address.
  month date  -- First day of the month, in the program's zone. One row for each month in which they had a mentorship, up to the current one.
  mentorships bigint  -- Mentorships of theirs that ran on some day of the month.
  mentorships_at_end bigint  -- Mentorships that ran on its last day; in the current month, today.
  paused bigint  -- Of these, paused on that day. They keep their place.
  mentees bigint  -- Mentees of the mentorships that ran on that day.
  held bigint  -- Settled held meetings the mentor provably attended; a meeting of several mentorships once.
  unknown bigint  -- Settled meetings of the mentor that nobody can say about: they may have been hours, too.
  verified_hours numeric  -- Hours both sides were together in the held meetings, as recorded; a meeting of several mentorships once. Meetings confirmed by word alone have no recorded hours.
  capacity integer  -- Mentorships at a time that they have room for, as the roster has it now; NULL = it does not say.
  free_places bigint  -- capacity - mentorships_at_end; below zero = too many.
  load numeric  -- mentorships_at_end / capacity; NULL when the capacity is zero or not known.
  over_capacity boolean  -- More mentorships than they have room for; NULL = not known.
);
grant select on table mentoring.mentor_load to mentoring_reader;

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
  paused bigint  -- Settled sessions taken out of every rate: begun in a pause, on a holiday of the program (on_holiday), or after the end of the mentorship (after_end).
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
  on_holiday bigint  -- Settled sessions on a holiday of the program, by the rules in force at their start; part of paused.
  after_end bigint  -- Settled sessions after the last day of their mentorship; part of paused.
  peer_no_show bigint  -- Sessions to which of a group of peers provably only one came.
  both_absent bigint  -- Sessions to which provably nobody came: no_one by the name under which no-shows are split. no_show counts are mentor_no_show + mentee_no_show + peer_no_show - both_absent.
  mentor_no_show_rate_verified numeric  -- mentor_no_show / (eligible - unknown); NULL under five known sessions or when fewer than half are known.
  mentor_no_show_rate_lower numeric  -- mentor_no_show / eligible: as if every mentor had come to the unknown sessions.
  mentor_no_show_rate_upper numeric  -- (mentor_no_show + unknown) / eligible: as if none had.
  mentee_no_show_rate_verified numeric  -- mentee_no_show / (eligible - unknown); NULL as above.
  mentee_no_show_rate_lower numeric  -- mentee_no_show / eligible.
  mentee_no_show_rate_upper numeric  -- (mentee_no_show + unknown) / eligible.
  both_absent_rate_verified numeric  -- both_absent / (eligible - unknown); NULL as above.
  both_absent_rate_lower numeric  -- both_absent / eligible.
  both_absent_rate_upper numeric  -- (both_absent + unknown) / eligible.
  cancelled_by_mentor bigint  -- Of cancelled: called off by the mentor, who organized it and cancelled, or declined.
  cancelled_by_mentee bigint  -- Of cancelled: called off by the mentee, who organized it and cancelled, or declined.
  cancelled_by_peer bigint  -- Of cancelled: called off by a peer, or declined by so many that no two were left.
  cancelled_by_other bigint  -- Of cancelled: called off by an organizer outside of the mentorship.
  cancelled_by_unknown bigint  -- Of cancelled: nobody can say who called it off, because the entry only vanished, lost its tag or its people. The five cancelled_by columns add up to cancelled.
  moves bigint  -- How often starts were moved, all sessions together.
  avg_moves numeric  -- moves / scheduled.
  avg_slip_days numeric  -- Mean days from the first start to the last one of moved sessions, negative when they were brought forward; a meeting of several mentorships once. NULL when none moved.
  median_slip_days numeric  -- Median of the same days.
  avg_booking_lead_days numeric  -- Mean days from when a session was first seen on a calendar to its start: a lower bound of how early it was booked. Sessions first seen after their start are left out; a meeting of several mentorships counts once.
  median_booking_lead_days numeric  -- Median of the same days.
  starts_known bigint  -- Held sessions of which both arrivals are recorded.
  late_starts bigint  -- Of these, begun more than five minutes late: when the second side came.
  late_start_rate_verified numeric  -- late_starts / starts_known; NULL when fewer than five, or fewer than half of the held sessions, are known.
  late_start_rate_lower numeric  -- late_starts / held: as if every held session without recorded arrivals had begun in time.
  late_start_rate_upper numeric  -- (late_starts + held - starts_known) / held: as if each of them had begun late.
  late_start_coverage numeric  -- starts_known / held.
  avg_start_delay_min numeric  -- Mean minutes from the scheduled start until the second side had come, over starts_known; who is early counts as in time.
);
grant select on table mentoring.mentor_month to mentoring_reader;

-- Whether every mentorship is alive now, and how long it has lasted or did last.
create view mentoring.mentorship_activity (
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  starts_on date  -- First day, as in the roster.
  ends_on date  -- Last day; NULL = open.
  planned_ends_on date  -- The latest last day that was given ahead of time; NULL = none was.
  in_date boolean  -- Today lies between the first and the last day.
  paused boolean  -- Today is a paused day.
  past_grace boolean  -- The time for the first session, and its grace, have passed.
  counted boolean  -- In date, past its grace and not paused: what the rate of active pairs is taken of.
  window_days integer  -- Twice the interval of the cadence, at least 30: for so many days, paused ones not counted, a held session makes it active.
  last_held_at timestamp with time zone  -- Start of the last settled held session.
  next_session_at timestamp with time zone  -- Start of the next booked session that no side has declined.
  active boolean  -- active_pair: in date, not paused, and a held session in the last window_days. NULL = only if a session was held that nobody can say about, or that is not settled yet. This is about now; who ever met in a month stands in mentoring.program_activity_month.
  active_or_booked boolean  -- The same, or in date, not paused and a session is booked.
  ended boolean  -- The last day has passed.
  match_length_months numeric  -- Months (of 30.44 days) from the first to the last day, of an ended mentorship. Never average it without open_months beside it: those that go on are the longer ones.
  open_months numeric  -- Months so far of a mentorship that goes on.
  ended_early boolean  -- Whether it ended before its planned end; NULL = has not ended, or no end was planned.
  paused_days integer  -- Paused days since the first day.
);
grant select on table mentoring.mentorship_activity to mentoring_reader;

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
  paused bigint  -- Settled sessions taken out of every rate: begun in a pause, on a holiday of the program (on_holiday), or after the end of the mentorship (after_end).
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
  on_holiday bigint  -- Settled sessions on a holiday of the program, by the rules in force at their start; part of paused.
  after_end bigint  -- Settled sessions after the last day of their mentorship; part of paused.
  peer_no_show bigint  -- Sessions to which of a group of peers provably only one came.
  both_absent bigint  -- Sessions to which provably nobody came: no_one by the name under which no-shows are split. no_show counts are mentor_no_show + mentee_no_show + peer_no_show - both_absent.
  mentor_no_show_rate_verified numeric  -- mentor_no_show / (eligible - unknown); NULL under five known sessions or when fewer than half are known.
  mentor_no_show_rate_lower numeric  -- mentor_no_show / eligible: as if every mentor had come to the unknown sessions.
  mentor_no_show_rate_upper numeric  -- (mentor_no_show + unknown) / eligible: as if none had.
  mentee_no_show_rate_verified numeric  -- mentee_no_show / (eligible - unknown); NULL as above.
  mentee_no_show_rate_lower numeric  -- mentee_no_show / eligible.
  mentee_no_show_rate_upper numeric  -- (mentee_no_show + unknown) / eligible.
  both_absent_rate_verified numeric  -- both_absent / (eligible - unknown); NULL as above.
  both_absent_rate_lower numeric  -- both_absent / eligible.
  both_absent_rate_upper numeric  -- (both_absent + unknown) / eligible.
  cancelled_by_mentor bigint  -- Of cancelled: called off by the mentor, who organized it and cancelled, or declined.
  cancelled_by_mentee bigint  -- Of cancelled: called off by the mentee, who organized it and cancelled, or declined.
  cancelled_by_peer bigint  -- Of cancelled: called off by a peer, or declined by so many that no two were left.
  cancelled_by_other bigint  -- Of cancelled: called off by an organizer outside of the mentorship.
  cancelled_by_unknown bigint  -- Of cancelled: nobody can say who called it off, because the entry only vanished, lost its tag or its people. The five cancelled_by columns add up to cancelled.
  moves bigint  -- How often starts were moved, all sessions together.
  avg_moves numeric  -- moves / scheduled.
  avg_slip_days numeric  -- Mean days from the first start to the last one of moved sessions, negative when they were brought forward; a meeting of several mentorships once. NULL when none moved.
  median_slip_days numeric  -- Median of the same days.
  avg_booking_lead_days numeric  -- Mean days from when a session was first seen on a calendar to its start: a lower bound of how early it was booked. Sessions first seen after their start are left out; a meeting of several mentorships counts once.
  median_booking_lead_days numeric  -- Median of the same days.
  starts_known bigint  -- Held sessions of which both arrivals are recorded.
  late_starts bigint  -- Of these, begun more than five minutes late: when the second side came.
  late_start_rate_verified numeric  -- late_starts / starts_known; NULL when fewer than five, or fewer than half of the held sessions, are known.
  late_start_rate_lower numeric  -- late_starts / held: as if every held session without recorded arrivals had begun in time.
  late_start_rate_upper numeric  -- (late_starts + held - starts_known) / held: as if each of them had begun late.
  late_start_coverage numeric  -- starts_known / held.
  avg_start_delay_min numeric  -- Mean minutes from the scheduled start until the second side had come, over starts_known; who is early counts as in time.
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
  days_waiting integer  -- Days since the first day of a mentorship that has not met yet, until its last day at most. Average days_to_first only beside these.
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

-- When every mentorship reached each stage of its program, by the stages of now.
create view mentoring.milestone (
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  stage text  -- Name of the stage.
  from_session integer  -- The number of the held session with which it begins.
  milestone_reached_at timestamp with time zone  -- Start of that session; NULL = not yet.
);
grant select on table mentoring.milestone to mentoring_reader;

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

-- How often each person came to the sessions they were invited to, all months together; who is mentor and mentee has two rows.
create view mentoring.participant_attendance (
  program text  -- Name of the program.
  participant_id bigint  -- The person; the same in every view.
  name text  -- Name, as in the roster.
  email text  -- Primary address.
  role text  -- mentor, mentee or peer, as they were invited.
  invited bigint  -- Invitations to sessions, cancelled and coming ones included: the sum of eligible, cancelled, pending and paused.
  attended bigint  -- Eligible sessions they provably came to.
  absent bigint  -- Eligible sessions they provably did not come to, without a word.
  excused bigint  -- Eligible sessions they had declined, or were excused from, and did not come to.
  unknown bigint  -- Eligible sessions of which nobody can say whether they came. Neither attended nor missed.
  eligible bigint  -- attended + absent + excused + unknown: invitations to sessions that settled, were not cancelled and are not in paused.
  cancelled bigint  -- Invitations to sessions that were cancelled.
  pending bigint  -- Invitations to sessions still to come or not yet settled. In no rate.
  paused bigint  -- Invitations to sessions taken out of every rate: in a pause, on a holiday, or after the end of the mentorship.
  on_holiday bigint  -- Of paused: on a holiday of the program.
  after_end bigint  -- Of paused: after the last day of the mentorship.
  hours numeric  -- Hours in the conference, as recorded; a meeting of several mentorships once. Held sessions in a pause included.
  participant_attendance_rate_verified numeric  -- attended / (eligible - unknown); NULL under five known invitations or when fewer than half are known.
  participant_attendance_rate_lower numeric  -- attended / eligible: as if they had missed every unknown session.
  participant_attendance_rate_upper numeric  -- (attended + unknown) / eligible: as if they had come to every unknown session.
  participant_no_show_rate_verified numeric  -- absent / (eligible - unknown); NULL as above. Absence is proven, never guessed.
  participant_no_show_rate_lower numeric  -- absent / eligible.
  participant_no_show_rate_upper numeric  -- (absent + unknown) / eligible.
  coverage numeric  -- (eligible - unknown) / eligible: how much of the truth the verified rates rest on.
);
grant select on table mentoring.participant_attendance to mentoring_reader;

-- How often each person came to the sessions they were invited to, by month and role.
create view mentoring.participant_month (
  program text  -- Name of the program.
  participant_id bigint  -- The person; the same in every view.
  name text  -- Name, as in the roster.
  email text  -- Primary address.
  role text  -- mentor, mentee or peer, as they were invited.
  month date  -- First day of the month, in the program's zone; a session counts where its scheduled start lies.
  invited bigint  -- Invitations to sessions, cancelled and coming ones included: the sum of eligible, cancelled, pending and paused.
  attended bigint  -- Eligible sessions they provably came to.
  absent bigint  -- Eligible sessions they provably did not come to, without a word.
  excused bigint  -- Eligible sessions they had declined, or were excused from, and did not come to.
  unknown bigint  -- Eligible sessions of which nobody can say whether they came. Neither attended nor missed.
  eligible bigint  -- attended + absent + excused + unknown: invitations to sessions that settled, were not cancelled and are not in paused.
  cancelled bigint  -- Invitations to sessions that were cancelled.
  pending bigint  -- Invitations to sessions still to come or not yet settled. In no rate.
  paused bigint  -- Invitations to sessions taken out of every rate: in a pause, on a holiday, or after the end of the mentorship.
  on_holiday bigint  -- Of paused: on a holiday of the program.
  after_end bigint  -- Of paused: after the last day of the mentorship.
  hours numeric  -- Hours in the conference, as recorded; a meeting of several mentorships once. Held sessions in a pause included.
  participant_attendance_rate_verified numeric  -- attended / (eligible - unknown); NULL under five known invitations or when fewer than half are known.
  participant_attendance_rate_lower numeric  -- attended / eligible: as if they had missed every unknown session.
  participant_attendance_rate_upper numeric  -- (attended + unknown) / eligible: as if they had come to every unknown session.
  participant_no_show_rate_verified numeric  -- absent / (eligible - unknown); NULL as above. Absence is proven, never guessed.
  participant_no_show_rate_lower numeric  -- absent / eligible.
  participant_no_show_rate_upper numeric  -- (absent + unknown) / eligible.
  coverage numeric  -- (eligible - unknown) / eligible: how much of the truth the verified rates rest on.
);
grant select on table mentoring.participant_month to mentoring_reader;

-- Days on which a mentorship owes no session. A pause of a person shows once for each mentorship of theirs.
create view mentoring.pause (
  pause_id bigint  -- Key of the pause: mentoring.end_pause takes it.
  program text  -- Name of the program.
  mentorship text  -- Name of the mentorship.
  participant_id bigint  -- The person whose pause it is; NULL = the mentorship's own.
  from_on date  -- First day, in the program's zone.
  until_on date  -- Last day.
  reason text  -- Why, in somebody's words.
  source text  -- statement (by SQL or a command) or roster (its columns paused_from and paused_until).
);
grant select on table mentoring.pause to mentoring_planner;
grant select on table mentoring.pause to mentoring_reader;

-- Every word about a pause, who said it and when. Rows are added, never changed: a pause takes sessions out of every rate, and that must be explained later.
create view mentoring.pause_history (
  pause_id bigint  -- The pause; it may have been taken back since.
  program text  -- Name of the program; NULL for a pause of a person, which concerns every program of theirs.
  mentorship text  -- Name of the mentorship; NULL for a pause of a person.
  participant_id bigint  -- The paused person; NULL for a pause of a mentorship.
  change text  -- added, changed or taken_back.
  from_on date  -- First day after the change.
  until_on date  -- Last day after the change.
  reason text  -- Why, in somebody's words.
  said_by text  -- Who said so, as they gave it; roster import for a file; NULL = they did not say.
  recorded_by text  -- The database user who wrote it.
  said_at timestamp with time zone  -- When.
);
grant select on table mentoring.pause_history to mentoring_reader;

-- Sessions planned by another program before any calendar entry existed. Insert (program, mentorship, starts_at, ends_at [, tolerance, reference]) to plan one, update its times, tolerance or reference, delete to withdraw it. One whose session is known is bound at once.
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
CREATE TRIGGER change_plan INSTEAD OF UPDATE ON mentoring.planned_session FOR EACH ROW EXECUTE FUNCTION cadenced.change_plan();
CREATE TRIGGER plan_session INSTEAD OF INSERT ON mentoring.planned_session FOR EACH ROW EXECUTE FUNCTION cadenced.plan_session();
CREATE TRIGGER withdraw_plan INSTEAD OF DELETE ON mentoring.planned_session FOR EACH ROW EXECUTE FUNCTION cadenced.withdraw_plan();
grant delete, insert, select, update on table mentoring.planned_session to mentoring_planner;
grant select on table mentoring.planned_session to mentoring_reader;

-- How many mentorships of a program are alive now.
create view mentoring.program_activity (
  program text  -- Name of the program.
  in_date bigint  -- Mentorships that run today. It is the sum of paused, in_grace and counted.
  paused bigint  -- Of these, paused today. In no rate.
  in_grace bigint  -- Of these, not paused and still within the time for the first session and its grace. In no rate.
  counted bigint  -- Of these, the others: what the rates are taken of.
  active_pairs bigint  -- Mentorships that are active (see mentoring.mentorship_activity), those in their grace included.
  active bigint  -- Of the counted, active.
  unverified bigint  -- Of the counted, active only if an unknown or unsettled session was held.
  active_or_booked bigint  -- Of the counted, active or with a session booked.
  booked_unverified bigint  -- Of the counted, nothing booked and active only if an unknown or unsettled session was held.
  active_pair_rate_verified numeric  -- active / (counted - unverified); NULL under five, or when fewer than half are verified.
  active_pair_rate_lower numeric  -- active / counted.
  active_pair_rate_upper numeric  -- (active + unverified) / counted.
  coverage numeric  -- (counted - unverified) / counted.
  active_or_booked_rate_verified numeric  -- active_or_booked / (counted - booked_unverified); NULL as above.
  active_or_booked_rate_lower numeric  -- active_or_booked / counted.
  active_or_booked_rate_upper numeric  -- (active_or_booked + booked_unverified) / counted.
  active_or_booked_coverage numeric  -- (counted - booked_unverified) / counted.
  ended bigint  -- Mentorships that have ended.
  match_length_months_median numeric  -- Median length of those that have ended.
  open_months_median numeric  -- Median age of those that go on: their length is not known yet.
);
grant select on table mentoring.program_activity to mentoring_reader;

-- Which mentorships ever met in a month, and how many ended in it. Not to be compared with mentoring.program_activity, which tells of now: whoever met once early in a month was active in it, and may not be any more.
create view mentoring.program_activity_month (
  program text  -- Name of the program.
  month date  -- First day of the month, in the program's zone.
  complete boolean  -- Whether the month has been over for two days, so that its sessions are settled.
  in_date bigint  -- Mentorships that ran on some day of the month.
  paused bigint  -- Of these, paused on every day they ran. In no rate of activity.
  counted bigint  -- Of these, the others.
  ever_active bigint  -- Of the counted, those with a settled held session in the month.
  unverified bigint  -- Of the counted, those with none, but with one that nobody can say about or that is not settled.
  ever_active_rate_verified numeric  -- ever_active / (counted - unverified); NULL under five, or when fewer than half are verified.
  ever_active_rate_lower numeric  -- ever_active / counted.
  ever_active_rate_upper numeric  -- (ever_active + unverified) / counted.
  coverage numeric  -- (counted - unverified) / counted.
  closed bigint  -- Mentorships whose last day lies in the month and has passed.
  closed_planned bigint  -- Of these, those for which an end had been planned.
  closed_early bigint  -- Of these, those that ended before it.
  closure_rate_verified numeric  -- closed / in_date; NULL under five.
  closure_rate_lower numeric  -- closed / in_date.
  closure_rate_upper numeric  -- The same: an end is known or has not come.
  early_closure_rate_verified numeric  -- closed_early / closed_planned; NULL under five, or when an end was planned for fewer than half.
  early_closure_rate_lower numeric  -- closed_early / closed: as if those without a planned end had ended in time.
  early_closure_rate_upper numeric  -- (closed_early + closed - closed_planned) / closed: as if they had ended early.
  early_closure_coverage numeric  -- closed_planned / closed.
);
grant select on table mentoring.program_activity_month to mentoring_reader;

-- The cadence compliance of a program: the sum of its mentorships in mentoring.cadence_compliance.
create view mentoring.program_compliance (
  program text  -- Name of the program.
  form text  -- calendar or rolling: the form of the rule in force then.
  current boolean  -- Whether the rule in force now has this form.
  mentorships bigint  -- Mentorships of which anything was expected.
  expected bigint  -- kept + missed + unverified.
  kept bigint  -- Periods or gaps that kept the cadence.
  missed bigint  -- Those that did not, whatever unknown sessions were.
  unverified bigint  -- Those that did only if unknown sessions were held.
  free_periods bigint  -- Periods not asked about for pauses and holidays; NULL for rolling.
  free_days bigint  -- Days of all mentorships together that were pauses or holidays.
  cadence_compliance_verified numeric  -- kept / (kept + missed); NULL under five, or when fewer than half are verified.
  cadence_compliance_lower numeric  -- kept / expected.
  cadence_compliance_upper numeric  -- (kept + unverified) / expected.
  coverage numeric  -- (kept + missed) / expected.
);
grant select on table mentoring.program_compliance to mentoring_reader;

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
  paused bigint  -- Settled sessions taken out of every rate: begun in a pause, on a holiday of the program (on_holiday), or after the end of the mentorship (after_end).
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
  on_holiday bigint  -- Settled sessions on a holiday of the program, by the rules in force at their start; part of paused.
  after_end bigint  -- Settled sessions after the last day of their mentorship; part of paused.
  peer_no_show bigint  -- Sessions to which of a group of peers provably only one came.
  both_absent bigint  -- Sessions to which provably nobody came: no_one by the name under which no-shows are split. no_show counts are mentor_no_show + mentee_no_show + peer_no_show - both_absent.
  mentor_no_show_rate_verified numeric  -- mentor_no_show / (eligible - unknown); NULL under five known sessions or when fewer than half are known.
  mentor_no_show_rate_lower numeric  -- mentor_no_show / eligible: as if every mentor had come to the unknown sessions.
  mentor_no_show_rate_upper numeric  -- (mentor_no_show + unknown) / eligible: as if none had.
  mentee_no_show_rate_verified numeric  -- mentee_no_show / (eligible - unknown); NULL as above.
  mentee_no_show_rate_lower numeric  -- mentee_no_show / eligible.
  mentee_no_show_rate_upper numeric  -- (mentee_no_show + unknown) / eligible.
  both_absent_rate_verified numeric  -- both_absent / (eligible - unknown); NULL as above.
  both_absent_rate_lower numeric  -- both_absent / eligible.
  both_absent_rate_upper numeric  -- (both_absent + unknown) / eligible.
  cancelled_by_mentor bigint  -- Of cancelled: called off by the mentor, who organized it and cancelled, or declined.
  cancelled_by_mentee bigint  -- Of cancelled: called off by the mentee, who organized it and cancelled, or declined.
  cancelled_by_peer bigint  -- Of cancelled: called off by a peer, or declined by so many that no two were left.
  cancelled_by_other bigint  -- Of cancelled: called off by an organizer outside of the mentorship.
  cancelled_by_unknown bigint  -- Of cancelled: nobody can say who called it off, because the entry only vanished, lost its tag or its people. The five cancelled_by columns add up to cancelled.
  moves bigint  -- How often starts were moved, all sessions together.
  avg_moves numeric  -- moves / scheduled.
  avg_slip_days numeric  -- Mean days from the first start to the last one of moved sessions, negative when they were brought forward; a meeting of several mentorships once. NULL when none moved.
  median_slip_days numeric  -- Median of the same days.
  avg_booking_lead_days numeric  -- Mean days from when a session was first seen on a calendar to its start: a lower bound of how early it was booked. Sessions first seen after their start are left out; a meeting of several mentorships counts once.
  median_booking_lead_days numeric  -- Median of the same days.
  starts_known bigint  -- Held sessions of which both arrivals are recorded.
  late_starts bigint  -- Of these, begun more than five minutes late: when the second side came.
  late_start_rate_verified numeric  -- late_starts / starts_known; NULL when fewer than five, or fewer than half of the held sessions, are known.
  late_start_rate_lower numeric  -- late_starts / held: as if every held session without recorded arrivals had begun in time.
  late_start_rate_upper numeric  -- (late_starts + held - starts_known) / held: as if each of them had begun late.
  late_start_coverage numeric  -- starts_known / held.
  avg_start_delay_min numeric  -- Mean minutes from the scheduled start until the second side had come, over starts_known; who is early counts as in time.
);
grant select on table mentoring.program_month to mentoring_reader;

-- How the mentorships of a program come along: first sessions and gaps. Medians, because a few long ones would carry a mean away.
create view mentoring.program_progress (
  program text  -- Name of the program.
  mentorships bigint  -- Mentorships that have begun: have_met + not_met.
  have_met bigint  -- Those that have held a session.
  not_met bigint  -- Those that have not yet, or ended without. Their time to the first session is not known: read days_to_first only beside days_waiting.
  days_to_first_median numeric  -- time_to_first_session: median of the days from the first day to the first held session, of those that have met.
  days_to_first_p90 numeric  -- Nine of ten of these are not longer.
  days_waiting_median numeric  -- "Not yet, N days": median of the days since the first day of those that have not met, until their last day at most.
  days_waiting_longest integer  -- The longest of these.
  gaps bigint  -- Gaps between consecutive held sessions of a mentorship.
  gap_days_median numeric  -- Median of their calendar days in the program's zone, paused days not counted.
  gap_days_p90 numeric  -- Nine of ten gaps are not longer than this many days.
);
grant select on table mentoring.program_progress to mentoring_reader;

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

-- What became of the mails of each kind by month, and how many of those who were reminded came. Descriptive: it is no proof that reminders help, because who is reminded differs from who is not in more than the mail.
create view mentoring.reminder_outcome (
  program text  -- Name of the program.
  month date  -- First day of the month, in the program's zone: of the session's start, or, for a mail about no session, of when it is due.
  kind text  -- reminder, nudge, did_you_meet, cadence_alert or cadence_digest.
  mails bigint  -- All of them: queued + accepted + bounced + suppressed.
  queued bigint  -- Waiting to be sent.
  accepted bigint  -- Taken by the mail server. Whether they were read is not asked: nothing is tracked.
  bounced bigint  -- Refused by the mail server, or given up after the last attempt. A bounce that is mailed back later is not read, and counts as accepted.
  suppressed bigint  -- Held back on purpose.
  bounced_reasons jsonb  -- How many bounced by which code: {code: mails}.
  suppressed_reasons jsonb  -- How many were held back for which reason: {reason: mails}.
  reminded bigint  -- Invitations to eligible sessions before which the person's reminder was accepted at least once. Only for kind reminder.
  reminded_attended bigint  -- Of reminded: came.
  reminded_unknown bigint  -- Of reminded: nobody can say whether they came.
  attended_after_reminder_verified numeric  -- reminded_attended / (reminded - reminded_unknown); NULL under five known or when fewer than half are known. No causal claim.
  attended_after_reminder_lower numeric  -- reminded_attended / reminded: as if nobody unknown had come.
  attended_after_reminder_upper numeric  -- (reminded_attended + reminded_unknown) / reminded: as if everybody unknown had.
  attended_after_reminder_coverage numeric  -- (reminded - reminded_unknown) / reminded.
);
grant select on table mentoring.reminder_outcome to mentoring_reader;

-- How often mentors, mentees and peers came to the sessions they were invited to, by month.
create view mentoring.role_month (
  program text  -- Name of the program.
  role text  -- mentor, mentee or peer, as they were invited.
  month date  -- First day of the month, in the program's zone; a session counts where its scheduled start lies.
  people bigint  -- Different people who were invited.
  invited bigint  -- Invitations to sessions, cancelled and coming ones included: the sum of eligible, cancelled, pending and paused.
  attended bigint  -- Eligible sessions they provably came to.
  absent bigint  -- Eligible sessions they provably did not come to, without a word.
  excused bigint  -- Eligible sessions they had declined, or were excused from, and did not come to.
  unknown bigint  -- Eligible sessions of which nobody can say whether they came. Neither attended nor missed.
  eligible bigint  -- attended + absent + excused + unknown: invitations to sessions that settled, were not cancelled and are not in paused.
  cancelled bigint  -- Invitations to sessions that were cancelled.
  pending bigint  -- Invitations to sessions still to come or not yet settled. In no rate.
  paused bigint  -- Invitations to sessions taken out of every rate: in a pause, on a holiday, or after the end of the mentorship.
  on_holiday bigint  -- Of paused: on a holiday of the program.
  after_end bigint  -- Of paused: after the last day of the mentorship.
  participant_attendance_rate_verified numeric  -- attended / (eligible - unknown); NULL under five known invitations or when fewer than half are known.
  participant_attendance_rate_lower numeric  -- attended / eligible: as if they had missed every unknown session.
  participant_attendance_rate_upper numeric  -- (attended + unknown) / eligible: as if they had come to every unknown session.
  participant_no_show_rate_verified numeric  -- absent / (eligible - unknown); NULL as above. Absence is proven, never guessed.
  participant_no_show_rate_lower numeric  -- absent / eligible.
  participant_no_show_rate_upper numeric  -- (absent + unknown) / eligible.
  coverage numeric  -- (eligible - unknown) / eligible: how much of the truth the verified rates rest on.
);
grant select on table mentoring.role_month to mentoring_reader;

-- Mentor sessions: one row an occurrence and mentorship. A moved session keeps its row.
create view mentoring.session (
  session_id bigint  -- Never changes, whatever happens to the calendar entries.
  occurrence_id bigint  -- The meeting. Three mentorships in one meeting are three sessions of one occurrence.
  program text  -- Name of the program, as in the configuration.
  mentorship text  -- Name of the mentorship, as in the roster.
  scheduled_start timestamp with time zone  -- Start in the calendar, after all moves.
  scheduled_end timestamp with time zone  -- End in the calendar.
  status text  -- scheduled (still to come), cancelled, or ended. Says nothing about who came: see outcome.
  outcome text  -- held, too_short (both came, not long enough together), one_sided (one side is missing, so that they cannot have met, whatever is known of the other), no_one (both are), cancelled or unknown; NULL until three hours after the end.
  outcome_reason text  -- Why: for unknown one of guest_only, no_record, no_permission, in_person, private_event, sync_gap, expired, group_address, disputed.
  ordinal integer  -- Its number among the held sessions of the mentorship; NULL unless held.
  stage text  -- Stage of the mentorship the held session belongs to.
  reschedules integer  -- How often its start was moved.
  first_seen_at timestamp with time zone  -- When it was first seen on a calendar: an upper bound of when it was booked.
  cancelled_at timestamp with time zone  -- When it was cancelled, as the calendar dates it.
  cancelled_by text  -- Who called it off: mentor, mentee, peer or other, as the side of the organizer who cancelled, else of those who all declined; NULL where nobody knows.
  cancel_reason text  -- How: cancelled, deleted, removed_everywhere, untagged, people_changed.
  provisional_at timestamp with time zone  -- When it was first judged.
  settled_at timestamp with time zone  -- When the outcome settled. Rates count settled sessions only; later evidence may still restate.
  lineage text  -- What every calendar's copy of the meeting, and every occurrence of its series, shares.
  overlap_minutes numeric(7,2)  -- Minutes in which both sides were in the conference together; NULL when no record tells.
  evidence_tier text  -- Strongest evidence: conference_both, conference_one, human_both, human_one, rsvp_only, none.
  original_start timestamp with time zone  -- Start before its first move; its start when it never moved; NULL when it moved before this was kept.
  slip_days numeric  -- Days from the original start to the start now, negative when it was brought forward; NULL unless it moved.
  booking_lead_days numeric  -- Days from when it was first seen to its start: a lower bound of how early it was booked; NULL when it was first seen later.
  start_delay_minutes numeric  -- Minutes from the scheduled start until the second side had come, negative when early; NULL when no record tells.
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
  reason text  -- Short reason of the state; of an active calendar, what hinders its reading (window_in_pieces: the provider fails at the whole window) or keeps it from being read: a setting, a grant or a scope that somebody must mend (api_not_enabled, scope_missing, delegation_missing, secret_expired, ...), until it is read again.
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

-- Tagged calendar entries that are no session, with the reason: usually a missing roster row, a forgotten guest, or a group's address that the roster does not name.
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

-- Binds the plans of the given mentorships to the sessions that match them: by reference, else to the nearest within the tolerance; what no longer fits is let go. The caller has locked the mentorships. The same plans and sessions always give the same answer.
create function cadenced.bind_plans(mentorships bigint[]) returns void language plpgsql security definer;

-- The calendars on which the events of these mentorships may stand: those of their members and of their program.
create function cadenced.calendars_of_mentorships(concerned bigint[]) returns TABLE(mentorship_id bigint, calendar_id bigint) language sql stable;

-- Who called a session off: the side of the organizer who cancelled it, else of those who all declined; NULL where nobody knows.
create function cadenced.called_off_by(session cadenced.session) returns text language sql immutable;
grant execute on cadenced.called_off_by(session cadenced.session) to (public);

-- Turns an update of mentoring.planned_session into a changed plan.
create function cadenced.change_plan() returns trigger language plpgsql security definer;

-- Refuses plans that cannot be, in words that say how to mend them.
create function cadenced.check_plan(plan_mentorship bigint, plan mentoring.planned_session) returns void language plpgsql stable security definer;

-- Refuses times that cannot be those of the session.
create function cadenced.check_times(of_session cadenced.session, kind text, from_at timestamp with time zone, until_at timestamp with time zone) returns void language plpgsql stable;

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

-- Puts a poll off to the end of the wait that the provider asked for.
create function cadenced.hold_poll() returns trigger language plpgsql;
grant execute on cadenced.hold_poll() to (public);

-- Whether somebody was invited to a session or belongs to its mentorship.
create function cadenced.is_of_session(person bigint, of_session bigint) returns boolean language sql stable;

-- Counts the gaps that began from from_on to the day before until_on: kept (no longer than `most` days on which somebody owed a session), unverified (kept only if unknown sessions were held), missed. A gap runs from a held session to the required-th after it; the open one counts when it is already too long. met: days of all sessions that may have been held, ascending; held: which of them are proven.
create function cadenced.judge_gaps(met date[], held boolean[], free datemultirange, upto date, most integer, required integer, from_on date, until_on date, OUT kept integer, OUT unverified integer, OUT missed integer) returns record language plpgsql immutable;
grant execute on cadenced.judge_gaps(met date[], held boolean[], free datemultirange, upto date, most integer, required integer, from_on date, until_on date, OUT kept integer, OUT unverified integer, OUT missed integer) to (public);

-- Keeps where a session stood before its first move.
create function cadenced.keep_first_start() returns trigger language plpgsql;
grant execute on cadenced.keep_first_start() to (public);

-- Writes down who added, changed or took back a pause.
create function cadenced.keep_pause_history() returns trigger language plpgsql security definer;
grant execute on cadenced.keep_pause_history() to (public);

-- Keeps the end a mentorship was meant to have when it is ended sooner.
create function cadenced.keep_planned_end() returns trigger language plpgsql security definer;
grant execute on cadenced.keep_planned_end() to (public);

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

-- Marks the months of the sessions that come to lie before or after the end of their mentorship.
create function cadenced.mark_months_of_ended_mentorship() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_months_of_ended_mentorship() to (public);

-- Marks the months of every holiday of a program whose rules changed.
create function cadenced.mark_months_of_holidays() returns trigger language plpgsql security definer;
grant execute on cadenced.mark_months_of_holidays() to (public);

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

-- What follows from the counts of a month, said once for every view that shows it. Written into the query that calls it.
create function cadenced.month_rates(scheduled bigint, held bigint, one_sided bigint, no_one bigint, cancelled bigint, unknown bigint, eligible bigint, late_cancelled bigint, rescheduled bigint, mentor_no_show bigint, mentee_no_show bigint, cancelled_by_somebody bigint, moves bigint, slip_known bigint, slip_days numeric, slip_days_median numeric, lead_known bigint, lead_days numeric, lead_days_median numeric, starts_known bigint, late_starts bigint, start_delay_minutes numeric) returns TABLE(attendance_rate_verified numeric, attendance_rate_lower numeric, attendance_rate_upper numeric, no_show_rate_verified numeric, no_show_rate_lower numeric, no_show_rate_upper numeric, late_cancellation_rate_verified numeric, late_cancellation_rate_lower numeric, late_cancellation_rate_upper numeric, cancellation_rate_verified numeric, cancellation_rate_lower numeric, cancellation_rate_upper numeric, reschedule_rate_verified numeric, reschedule_rate_lower numeric, reschedule_rate_upper numeric, coverage numeric, both_absent bigint, cancelled_by_unknown bigint, mentor_no_show_rate_verified numeric, mentor_no_show_rate_lower numeric, mentor_no_show_rate_upper numeric, mentee_no_show_rate_verified numeric, mentee_no_show_rate_lower numeric, mentee_no_show_rate_upper numeric, both_absent_rate_verified numeric, both_absent_rate_lower numeric, both_absent_rate_upper numeric, avg_moves numeric, avg_slip_days numeric, median_slip_days numeric, avg_booking_lead_days numeric, median_booking_lead_days numeric, late_start_rate_verified numeric, late_start_rate_lower numeric, late_start_rate_upper numeric, late_start_coverage numeric, avg_start_delay_min numeric) language sql immutable;
grant execute on cadenced.month_rates(scheduled bigint, held bigint, one_sided bigint, no_one bigint, cancelled bigint, unknown bigint, eligible bigint, late_cancelled bigint, rescheduled bigint, mentor_no_show bigint, mentee_no_show bigint, cancelled_by_somebody bigint, moves bigint, slip_known bigint, slip_days numeric, slip_days_median numeric, lead_known bigint, lead_days numeric, lead_days_median numeric, starts_known bigint, late_starts bigint, start_delay_minutes numeric) to (public);

-- Business time. Views and rules read this instead of now().
create function cadenced.now() returns timestamp with time zone language sql stable security definer;
grant execute on cadenced.now() to (public);

-- What follows from the counts of a person, said once for every view that shows it. Written into the query that calls it.
create function cadenced.participant_rates(eligible bigint, attended bigint, absent bigint, unknown bigint) returns TABLE(participant_attendance_rate_verified numeric, participant_attendance_rate_lower numeric, participant_attendance_rate_upper numeric, participant_no_show_rate_verified numeric, participant_no_show_rate_lower numeric, participant_no_show_rate_upper numeric, coverage numeric) language sql immutable;
grant execute on cadenced.participant_rates(eligible bigint, attended bigint, absent bigint, unknown bigint) to (public);

-- Length of a week, month, quarter or year.
create function cadenced.period_length(per text) returns interval language sql immutable;
grant execute on cadenced.period_length(per text) to (public);

-- Whose address it is; NULL when nobody of the roster has it.
create function cadenced.person_named(email text) returns bigint language sql stable;

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

-- The session of an id, or why there is none.
create function cadenced.session_named(id bigint) returns cadenced.session language plpgsql stable;

-- part / whole to four decimals; NULL when there is no whole.
create function cadenced.share(part bigint, whole bigint) returns numeric language sql immutable;
grant execute on cadenced.share(part bigint, whole bigint) to (public);

-- Makes the calendars due on which the event of a changed plan may stand, and binds what is there. Returns how many mentorships were concerned.
create function cadenced.take_up_plans() returns integer language plpgsql;

-- Binds a plan that was written or changed as far as its session is known, and has the daemon look for the rest.
create function cadenced.tell_changed_plan() returns trigger language plpgsql security definer;

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

-- Ends a pause after the given day, or takes it back as if it had never been; mentoring.pause_history keeps that it was. Returns false when there is no such pause.
create function mentoring.end_pause(pause_id bigint, after date DEFAULT NULL::date, by text DEFAULT NULL::text) returns boolean language plpgsql security definer;
grant execute on mentoring.end_pause(pause_id bigint, after date, by text) to mentoring_planner;

-- Takes the days from_on to until_on (both included, in the program's zone) out of what a mentorship owes, and its sessions of those days out of every rate. by: who says so, kept in mentoring.pause_history. Returns pause_id.
create function mentoring.pause_mentorship(program text, mentorship text, from_on date, until_on date, reason text DEFAULT NULL::text, by text DEFAULT NULL::text) returns bigint language plpgsql security definer;
grant execute on mentoring.pause_mentorship(program text, mentorship text, from_on date, until_on date, reason text, by text) to mentoring_planner;

-- Pauses every mentorship of a person, those that are added later included. Days and result as for mentoring.pause_mentorship.
create function mentoring.pause_person(email text, from_on date, until_on date, reason text DEFAULT NULL::text, by text DEFAULT NULL::text) returns bigint language plpgsql security definer;
grant execute on mentoring.pause_person(email text, from_on date, until_on date, reason text, by text) to mentoring_planner;

-- Records what another system knows about a session (Zoom, Webex, a sign-in sheet). system: its name; kind: record, presence, guest, device, absent, excused, met, not_met or withdrawn; reference: your own key, the same statement is kept once; email: the person; from_at, until_at: the time; complete: a record that lists everybody, given after them; withdraws: the reference of an earlier statement that was wrong. Returns evidence_id. Restates the outcome within a minute.
create function mentoring.record_evidence(session_id bigint, system text, kind text, reference text, email text DEFAULT NULL::text, from_at timestamp with time zone DEFAULT NULL::timestamp with time zone, until_at timestamp with time zone DEFAULT NULL::timestamp with time zone, complete boolean DEFAULT false, withdraws text DEFAULT NULL::text) returns bigint language plpgsql security definer;
grant execute on mentoring.record_evidence(session_id bigint, system text, kind text, reference text, email text, from_at timestamp with time zone, until_at timestamp with time zone, complete boolean, withdraws text) to mentoring_evidence;

-- For the tool behind a program's feedback_url: keeps what an invited person said about an ended session. email: the person; rating: 1 to 5; comment: their words; at least one of the two. What they said before is replaced, and saying the same again changes nothing. Returns an id. It says nothing about whether the session took place: see mentoring.record_evidence.
create function mentoring.record_feedback(session_id bigint, email text, rating integer DEFAULT NULL::integer, comment text DEFAULT NULL::text) returns bigint language plpgsql security definer;
grant execute on mentoring.record_feedback(session_id bigint, email text, rating integer, comment text) to mentoring_evidence;

