-- Why: everything the daemon knows. Tables are private (schema cadenced); people read the views in schema mentoring.
-- Lock cost: none, it makes new objects in an empty database.
--
-- Conventions that hold for every table here:
--   * Instants are timestamptz. Calendar dates (roster, pauses) are date and mean a day in the program's zone.
--   * Rules and views read cadenced.now(), never now(): tests and the sandbox live through weeks by moving it.
--     Columns that steer work (next_attempt_at, next_poll_at) follow the real clock, now().
--   * Closed lists are text with a named CHECK constraint, so that a violation names itself.
--   * Rows that come from providers carry no foreign key to rows that may arrive later.

create schema if not exists cadenced;
create schema if not exists mentoring;
comment on schema cadenced is 'Private tables of the daemon. Read the views in schema mentoring instead: these may change with any release.';
comment on schema mentoring is 'Stable views and functions for administrators and other programs.';

------------------------------------------------------------------------------------------------------------------
-- The clock of business rules
------------------------------------------------------------------------------------------------------------------

create table cadenced.clock (
  singleton boolean primary key default true constraint clock_is_one_row check (singleton),
  ahead_by interval not null default interval '0'
);
comment on table cadenced.clock is 'How far business time runs ahead of real time. Zero in production; moved by CADENCED_CLOCK, which needs every provider, SMTP and webhook address to be loopback.';
comment on column cadenced.clock.singleton is 'Keeps the table at one row.';
comment on column cadenced.clock.ahead_by is 'Added to the real time by cadenced.now(); may be negative.';
insert into cadenced.clock default values;

create function cadenced.now() returns timestamptz
  language sql stable parallel safe
  return pg_catalog.now() + (select clock.ahead_by from cadenced.clock);
comment on function cadenced.now() is 'Business time. Views and rules read this instead of now().';

------------------------------------------------------------------------------------------------------------------
-- Programs, people, mentorships
------------------------------------------------------------------------------------------------------------------

create table cadenced.program (
  program_id bigint generated always as identity primary key,
  name text not null constraint program_name_is_unique unique,
  time_zone text not null,
  live_from timestamptz not null,
  created_at timestamptz not null default cadenced.now()
);
comment on table cadenced.program is 'A mentoring program, as the configuration file names it.';
comment on column cadenced.program.program_id is 'Surrogate key.';
comment on column cadenced.program.name is 'The name in the configuration file and in every view.';
comment on column cadenced.program.time_zone is 'IANA zone that decides in which day, week and month a session counts.';
comment on column cadenced.program.live_from is 'Violations that began before this instant are opened as baselined and told to nobody.';
comment on column cadenced.program.created_at is 'When the daemon first saw the program.';

create table cadenced.program_policy (
  program_id bigint not null references cadenced.program,
  valid_from timestamptz not null,
  valid_until timestamptz,
  policy jsonb not null,
  primary key (program_id, valid_from),
  constraint program_policy_ends_after_it_begins check (valid_until is null or valid_until > valid_from)
);
create unique index program_policy_one_in_force on cadenced.program_policy (program_id) where valid_until is null;
comment on table cadenced.program_policy is 'The rules of a program with the time in which they were in force, so that a change never rewrites the past.';
comment on column cadenced.program_policy.program_id is 'Whose rules.';
comment on column cadenced.program_policy.valid_from is 'First instant in force.';
comment on column cadenced.program_policy.valid_until is 'First instant no longer in force; NULL = in force now.';
comment on column cadenced.program_policy.policy is 'The program''s section of the configuration file with every default filled in.';

create table cadenced.person (
  person_id bigint generated always as identity primary key,
  address text not null constraint person_address_is_unique unique
    constraint person_address_is_lower_case check (address = lower(address)),
  name text not null,
  time_zone text,
  language text,
  calendar_provider text not null default 'none'
    constraint person_calendar_provider_is_known check (calendar_provider in ('google', 'microsoft', 'none')),
  created_at timestamptz not null default cadenced.now()
);
comment on table cadenced.person is 'A mentor, mentee or peer of any program.';
comment on column cadenced.person.person_id is 'Surrogate key; participant_id in the views.';
comment on column cadenced.person.address is 'Primary address, lower-case. Mails go here; the calendar is read under it.';
comment on column cadenced.person.name is 'As in the roster.';
comment on column cadenced.person.time_zone is 'IANA zone for mails; NULL = the program''s.';
comment on column cadenced.person.language is 'BCP 47 tag for mails; NULL = the program''s.';
comment on column cadenced.person.calendar_provider is 'Where the calendar is read: google, microsoft or none.';
comment on column cadenced.person.created_at is 'When the roster first named the person.';

create table cadenced.person_address (
  address text primary key constraint alias_is_lower_case check (address = lower(address)),
  person_id bigint not null references cadenced.person on delete cascade
);
create index person_address_by_person on cadenced.person_address (person_id);
comment on table cadenced.person_address is 'Every address a person is known by, the primary one included.';
comment on column cadenced.person_address.address is 'Lower-case address; belongs to one person only.';
comment on column cadenced.person_address.person_id is 'Whose address.';

create table cadenced.person_account (
  provider text not null constraint person_account_provider_is_known check (provider in ('google', 'microsoft')),
  account_id text not null,
  person_id bigint not null references cadenced.person on delete cascade,
  primary key (provider, account_id)
);
create index person_account_by_person on cadenced.person_account (person_id);
comment on table cadenced.person_account is 'Provider ids of people, learnt from evidence that carried both id and address.';
comment on column cadenced.person_account.provider is 'google or microsoft.';
comment on column cadenced.person_account.account_id is 'users/123 (Google) or an object id (Microsoft).';
comment on column cadenced.person_account.person_id is 'Whose account.';

create table cadenced.mentorship (
  mentorship_id bigint generated always as identity primary key,
  program_id bigint not null references cadenced.program,
  key text not null,
  starts_on date not null,
  ends_on date,
  created_at timestamptz not null default cadenced.now(),
  constraint mentorship_key_is_unique_in_program unique (program_id, key),
  constraint mentorship_ends_after_it_starts check (ends_on is null or ends_on >= starts_on)
);
comment on table cadenced.mentorship is 'A mentor with one or several mentees, or a group of peers, in one program.';
comment on column cadenced.mentorship.mentorship_id is 'Surrogate key.';
comment on column cadenced.mentorship.program_id is 'The program it belongs to.';
comment on column cadenced.mentorship.key is 'The roster''s name of the mentorship; unique in its program.';
comment on column cadenced.mentorship.starts_on is 'First day, in the program''s zone.';
comment on column cadenced.mentorship.ends_on is 'Last day, in the program''s zone; NULL = open.';
comment on column cadenced.mentorship.created_at is 'When the roster first named it.';

create table cadenced.membership (
  mentorship_id bigint not null references cadenced.mentorship on delete cascade,
  person_id bigint not null references cadenced.person on delete cascade,
  role text not null constraint membership_role_is_known check (role in ('mentor', 'mentee', 'peer')),
  primary key (mentorship_id, person_id)
);
create index membership_by_person on cadenced.membership (person_id);
comment on table cadenced.membership is 'Who belongs to a mentorship, and on which side.';
comment on column cadenced.membership.mentorship_id is 'The mentorship.';
comment on column cadenced.membership.person_id is 'The member.';
comment on column cadenced.membership.role is 'mentor, mentee or peer.';

create table cadenced.pause (
  pause_id bigint generated always as identity primary key,
  mentorship_id bigint references cadenced.mentorship on delete cascade,
  person_id bigint references cadenced.person on delete cascade,
  from_on date not null,
  until_on date not null,
  reason text,
  constraint pause_is_of_a_mentorship_or_a_person check ((mentorship_id is null) <> (person_id is null)),
  constraint pause_ends_after_it_begins check (until_on >= from_on)
);
create index pause_by_mentorship on cadenced.pause (mentorship_id) where mentorship_id is not null;
create index pause_by_person on cadenced.pause (person_id) where person_id is not null;
comment on table cadenced.pause is 'Days on which a mentorship, or every mentorship of a person, owes no session.';
comment on column cadenced.pause.pause_id is 'Surrogate key.';
comment on column cadenced.pause.mentorship_id is 'The paused mentorship, or NULL.';
comment on column cadenced.pause.person_id is 'The paused person, or NULL.';
comment on column cadenced.pause.from_on is 'First paused day, in the program''s zone.';
comment on column cadenced.pause.until_on is 'Last paused day, in the program''s zone.';
comment on column cadenced.pause.reason is 'Free text for people.';

------------------------------------------------------------------------------------------------------------------
-- Calendars and what was seen on them
------------------------------------------------------------------------------------------------------------------

create table cadenced.calendar (
  calendar_id bigint generated always as identity primary key,
  provider text not null constraint calendar_provider_is_known check (provider in ('google', 'microsoft')),
  address text not null constraint calendar_address_is_lower_case check (address = lower(address)),
  person_id bigint references cadenced.person on delete cascade,
  program_id bigint references cadenced.program on delete cascade,
  state text not null default 'active'
    constraint calendar_state_is_known check (state in ('active', 'denied', 'gone', 'needs_consent', 'throttled', 'parked')),
  state_reason text,
  state_since timestamptz not null default cadenced.now(),
  next_probe_at timestamptz,
  strikes integer not null default 0,
  first_strike_at timestamptz,
  failures integer not null default 0,
  sync_generation bigint not null default 0,
  cursor text,
  cursor_version text,
  window_from timestamptz,
  window_until timestamptz,
  next_poll_at timestamptz not null default now(),
  full_pass_wanted boolean not null default true,
  reconcile_wanted boolean not null default false,
  last_attempt_at timestamptz,
  last_complete_pass_at timestamptz,
  last_full_pass_at timestamptz,
  last_reconcile_at timestamptz,
  untagged_seen bigint not null default 0,
  hidden_seen bigint not null default 0,
  left_out_seen bigint not null default 0,
  drift integer,
  parked jsonb,
  approved_until timestamptz,
  retired_at timestamptz,
  constraint calendar_is_unique_at_its_provider unique (provider, address),
  constraint calendar_is_of_a_person_or_a_program check ((person_id is null) <> (program_id is null))
);
create index calendar_by_person on cadenced.calendar (person_id) where person_id is not null;
create index calendar_due on cadenced.calendar (next_poll_at) where retired_at is null;
comment on table cadenced.calendar is 'A calendar that is read: one of a person, or the mailbox of a program.';
comment on column cadenced.calendar.calendar_id is 'Surrogate key.';
comment on column cadenced.calendar.provider is 'google or microsoft.';
comment on column cadenced.calendar.address is 'The owner''s primary address, lower-case.';
comment on column cadenced.calendar.person_id is 'The owner; NULL for a program mailbox.';
comment on column cadenced.calendar.program_id is 'The program whose mailbox this is; NULL for a person''s calendar.';
comment on column cadenced.calendar.state is 'Whether it can be read: active, denied, gone, needs_consent, throttled, parked.';
comment on column cadenced.calendar.state_reason is 'Short machine reason of the state.';
comment on column cadenced.calendar.state_since is 'When the state began, in business time.';
comment on column cadenced.calendar.next_probe_at is 'When a calendar that cannot be read is tried again (real time).';
comment on column cadenced.calendar.strikes is 'Not-found answers in a row. Only three over more than an hour make a calendar gone.';
comment on column cadenced.calendar.first_strike_at is 'When the strikes began (real time).';
comment on column cadenced.calendar.failures is 'Passes in a row that failed for any reason: what the next attempt''s distance grows with.';
comment on column cadenced.calendar.sync_generation is 'The fence: a pass applies only if this is still the number it read at its start.';
comment on column cadenced.calendar.cursor is 'Where the provider''s change stream goes on. Opaque; NULL = a full pass is needed.';
comment on column cadenced.calendar.cursor_version is 'Request parameters and mapping under which the cursor was made; another version makes it void.';
comment on column cadenced.calendar.window_from is 'Begin of the window that the cursor covers.';
comment on column cadenced.calendar.window_until is 'End of the window that the cursor covers.';
comment on column cadenced.calendar.next_poll_at is 'When the next poll falls due (real time).';
comment on column cadenced.calendar.full_pass_wanted is 'The next pass must begin without a cursor.';
comment on column cadenced.calendar.reconcile_wanted is 'The next pass must compare the whole window.';
comment on column cadenced.calendar.last_attempt_at is 'When a pass last began (business time).';
comment on column cadenced.calendar.last_complete_pass_at is 'When a pass last ended with everything read and applied (business time).';
comment on column cadenced.calendar.last_full_pass_at is 'When the cursor''s window was last read in full (business time).';
comment on column cadenced.calendar.last_reconcile_at is 'When the whole window was last compared (business time).';
comment on column cadenced.calendar.untagged_seen is 'Events seen that carry no tag: all that is kept of them is this count.';
comment on column cadenced.calendar.hidden_seen is 'Events seen whose title and people the provider hid.';
comment on column cadenced.calendar.left_out_seen is 'Events that could not be read: malformed, or dated outside 1970-2200.';
comment on column cadenced.calendar.drift is 'Rows in which the last reconcile differed from what the change stream had told; NULL before the first.';
comment on column cadenced.calendar.parked is 'Cancellations held back by the brake: {"since": instant, "lineages": [...]}; NULL = none.';
comment on column cadenced.calendar.approved_until is 'Until when an administrator has released the brake (real time).';
comment on column cadenced.calendar.retired_at is 'No longer in the roster: kept for its history, not read any more.';

create table cadenced.wanted_meeting (
  calendar_id bigint not null references cadenced.calendar on delete cascade,
  lineage text not null,
  uid text not null,
  around_from timestamptz not null,
  around_until timestamptz not null,
  wanted_at timestamptz not null default now(),
  primary key (calendar_id, lineage, uid)
);
comment on table cadenced.wanted_meeting is 'Meetings found on one member''s calendar of which another member''s calendar may hold an untagged copy: read by name in that calendar''s next pass.';
comment on column cadenced.wanted_meeting.calendar_id is 'The calendar to look on.';
comment on column cadenced.wanted_meeting.lineage is 'The meeting.';
comment on column cadenced.wanted_meeting.uid is 'One of its iCalendar UIDs, without what names a single occurrence: the parts of a split series have one each.';
comment on column cadenced.wanted_meeting.around_from is 'Begin of the time in which its occurrences were found.';
comment on column cadenced.wanted_meeting.around_until is 'End of the time in which its occurrences were found.';
comment on column cadenced.wanted_meeting.wanted_at is 'Since when it is wanted (real time).';

create unlogged table cadenced.staged_copy (
  calendar_id bigint not null,
  pass_id uuid not null,
  position bigint generated always as identity,
  kind text not null constraint staged_copy_kind_is_known check (kind in ('copy', 'removed')),
  source_id text not null,
  series_id text,
  lineage text,
  payload jsonb not null,
  staged_at timestamptz not null default now(),
  primary key (calendar_id, pass_id, position)
);
comment on table cadenced.staged_copy is 'Rows of a pass that is still being read; invisible to everything until the pass is applied. Unlogged: after a crash the pass is read again.';
comment on column cadenced.staged_copy.calendar_id is 'The calendar being read.';
comment on column cadenced.staged_copy.pass_id is 'The pass that staged the row; rows of dead passes are swept.';
comment on column cadenced.staged_copy.position is 'Order of arrival: the last row of an id wins.';
comment on column cadenced.staged_copy.kind is 'copy (an event as it stands) or removed (an id that is gone).';
comment on column cadenced.staged_copy.source_id is 'The provider''s id on this calendar.';
comment on column cadenced.staged_copy.series_id is 'The provider''s id of the series; NULL for a single event.';
comment on column cadenced.staged_copy.lineage is 'What all copies of the meeting share; NULL for a bare removal.';
comment on column cadenced.staged_copy.payload is 'The observation without its text.';
comment on column cadenced.staged_copy.staged_at is 'When it was staged (real time).';

create table cadenced.occurrence (
  occurrence_id bigint generated always as identity primary key,
  lineage text not null,
  original_start timestamptz,
  original_date date,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  status text not null default 'scheduled'
    constraint occurrence_status_is_known check (status in ('scheduled', 'cancelled')),
  cancelled_at timestamptz,
  cancel_reason text,
  organizer text,
  title text,
  private boolean not null default false,
  conference_kind text
    constraint occurrence_conference_kind_is_known check (conference_kind in ('meet', 'teams', 'other')),
  conference_key text,
  reschedules integer not null default 0,
  first_seen_at timestamptz not null,
  constraint occurrence_ends_after_it_starts check (ends_at >= starts_at),
  constraint occurrence_cancelled_has_a_time check ((status = 'cancelled') = (cancelled_at is not null)),
  constraint occurrence_private_has_no_title check (not private or title is null)
);
create index occurrence_by_lineage on cadenced.occurrence (lineage, original_date);
create index occurrence_by_start on cadenced.occurrence (starts_at);
comment on table cadenced.occurrence is 'One meeting at one time, however many calendars hold a copy of it.';
comment on column cadenced.occurrence.occurrence_id is 'Surrogate key; never changes, whatever the providers do to their ids.';
comment on column cadenced.occurrence.lineage is 'What all copies of the meeting share: the normalised iCalendar UID.';
comment on column cadenced.occurrence.original_start is 'The start it was made with; NULL for a single event.';
comment on column cadenced.occurrence.original_date is 'The date it was made with, in the series'' zone; NULL for a single event.';
comment on column cadenced.occurrence.starts_at is 'Scheduled start.';
comment on column cadenced.occurrence.ends_at is 'Scheduled end.';
comment on column cadenced.occurrence.status is 'scheduled or cancelled; whether it has ended is a matter of the clock.';
comment on column cadenced.occurrence.cancelled_at is 'When the source says it was cancelled, else when we learnt it.';
comment on column cadenced.occurrence.cancel_reason is 'cancelled, deleted, or removed_everywhere.';
comment on column cadenced.occurrence.organizer is 'Address of the organizer, lower-case.';
comment on column cadenced.occurrence.title is 'Title; NULL when the event is private.';
comment on column cadenced.occurrence.private is 'Marked private or confidential on some copy.';
comment on column cadenced.occurrence.conference_kind is 'meet, teams, other, or NULL.';
comment on column cadenced.occurrence.conference_key is 'Meeting code or join URL.';
comment on column cadenced.occurrence.reschedules is 'How often its start moved.';
comment on column cadenced.occurrence.first_seen_at is 'When the daemon first saw it (business time).';

create table cadenced.event_copy (
  copy_id bigint generated always as identity primary key,
  calendar_id bigint not null references cadenced.calendar on delete cascade,
  occurrence_id bigint not null references cadenced.occurrence on delete cascade,
  source_id text not null,
  series_id text,
  uid text,
  lineage text not null,
  original_start timestamptz,
  original_date date,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  time_zone text,
  status text not null
    constraint event_copy_status_is_known check (status in ('confirmed', 'tentative', 'cancelled')),
  organizer text,
  owner_is_organizer boolean not null,
  owner_response text
    constraint event_copy_owner_response_is_known check (owner_response in ('accepted', 'declined', 'tentative', 'none')),
  people jsonb not null,
  people_omitted boolean not null,
  title text,
  private boolean not null,
  hidden boolean not null,
  conference_kind text
    constraint event_copy_conference_kind_is_known check (conference_kind in ('meet', 'teams', 'other')),
  conference_key text,
  matched jsonb not null,
  source_updated_at timestamptz,
  revision text not null,
  first_seen_at timestamptz not null,
  removed_at timestamptz,
  removal text
    constraint event_copy_removal_is_known check (removal in ('cancelled', 'deleted', 'absent', 'untagged')),
  constraint event_copy_removed_has_a_reason check ((removed_at is null) = (removal is null)),
  constraint event_copy_private_has_no_title check (not private or title is null)
);
create unique index event_copy_one_live_copy_of_an_id on cadenced.event_copy (calendar_id, source_id) where removed_at is null;
create index event_copy_by_lineage on cadenced.event_copy (lineage);
create index event_copy_by_series on cadenced.event_copy (calendar_id, series_id) where series_id is not null;
create index event_copy_by_occurrence on cadenced.event_copy (occurrence_id);
comment on table cadenced.event_copy is 'An occurrence as it stands on one calendar. No body, no attachment; no title when private.';
comment on column cadenced.event_copy.copy_id is 'Surrogate key.';
comment on column cadenced.event_copy.calendar_id is 'Where the copy stands.';
comment on column cadenced.event_copy.occurrence_id is 'The occurrence it is a copy of: a stored match, not a computed key.';
comment on column cadenced.event_copy.source_id is 'The provider''s id on this calendar.';
comment on column cadenced.event_copy.series_id is 'The provider''s id of the series; NULL for a single event.';
comment on column cadenced.event_copy.uid is 'The iCalendar UID as the provider gave it.';
comment on column cadenced.event_copy.lineage is 'Normalised UID.';
comment on column cadenced.event_copy.original_start is 'The start this instance was made with.';
comment on column cadenced.event_copy.original_date is 'The date this instance was made with, in the series'' zone.';
comment on column cadenced.event_copy.starts_at is 'Start on this copy.';
comment on column cadenced.event_copy.ends_at is 'End on this copy.';
comment on column cadenced.event_copy.time_zone is 'IANA zone the event was made in.';
comment on column cadenced.event_copy.status is 'confirmed, tentative or cancelled, as the copy says.';
comment on column cadenced.event_copy.organizer is 'Organizer''s address on this copy.';
comment on column cadenced.event_copy.owner_is_organizer is 'The calendar''s owner organizes the meeting: time and cancellation follow this copy.';
comment on column cadenced.event_copy.owner_response is 'The owner''s own answer, when this copy tells it.';
comment on column cadenced.event_copy.people is 'Invited people: [{address, name, response, organizer, optional}], rooms left out.';
comment on column cadenced.event_copy.people_omitted is 'The list of people is incomplete: it proves who was invited, never who was not.';
comment on column cadenced.event_copy.title is 'Title; NULL when private.';
comment on column cadenced.event_copy.private is 'Marked private or confidential.';
comment on column cadenced.event_copy.hidden is 'The provider hid its details.';
comment on column cadenced.event_copy.conference_kind is 'meet, teams, other, or NULL.';
comment on column cadenced.event_copy.conference_key is 'Meeting code or join URL.';
comment on column cadenced.event_copy.matched is 'Which tag rule of which program matched: [{program, rule}].';
comment on column cadenced.event_copy.source_updated_at is 'When the provider says it last changed.';
comment on column cadenced.event_copy.revision is 'The provider''s etag or change key.';
comment on column cadenced.event_copy.first_seen_at is 'When this copy was first stored (business time).';
comment on column cadenced.event_copy.removed_at is 'When the copy left the calendar; kept so that a late word about it is understood.';
comment on column cadenced.event_copy.removal is 'cancelled (the source said so), deleted (the owner''s copy is gone), absent (a complete list did not show it), untagged.';

create table cadenced.unmatched_event (
  calendar_id bigint not null references cadenced.calendar on delete cascade,
  source_id text not null,
  program_id bigint not null references cadenced.program on delete cascade,
  starts_at timestamptz not null,
  reason text not null constraint unmatched_event_reason_is_known
    check (reason in ('all_day', 'not_a_meeting', 'no_mentorship', 'no_mentor', 'no_mentee', 'outside_dates', 'people_hidden')),
  seen_at timestamptz not null,
  primary key (calendar_id, source_id, program_id)
);
comment on table cadenced.unmatched_event is 'Tagged events that are no session, with the reason.';
comment on column cadenced.unmatched_event.calendar_id is 'Where it stands.';
comment on column cadenced.unmatched_event.source_id is 'The provider''s id.';
comment on column cadenced.unmatched_event.program_id is 'The program whose tag it carries.';
comment on column cadenced.unmatched_event.starts_at is 'Its start.';
comment on column cadenced.unmatched_event.reason is 'Why it is no session.';
comment on column cadenced.unmatched_event.seen_at is 'When this was found (business time).';

create table cadenced.candidate_event (
  calendar_id bigint not null references cadenced.calendar on delete cascade,
  source_id text not null,
  mentorship_id bigint not null references cadenced.mentorship on delete cascade,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  seen_at timestamptz not null,
  primary key (calendar_id, source_id, mentorship_id)
);
comment on table cadenced.candidate_event is 'Untagged events that hold both sides of a mentorship, where the program opts in. Listed, never counted; no title.';
comment on column cadenced.candidate_event.calendar_id is 'Where it stands.';
comment on column cadenced.candidate_event.source_id is 'The provider''s id.';
comment on column cadenced.candidate_event.mentorship_id is 'Whose sides it holds.';
comment on column cadenced.candidate_event.starts_at is 'Its start.';
comment on column cadenced.candidate_event.ends_at is 'Its end.';
comment on column cadenced.candidate_event.seen_at is 'When it was found (business time).';

------------------------------------------------------------------------------------------------------------------
-- Sessions, evidence, verdicts
------------------------------------------------------------------------------------------------------------------

create table cadenced.session (
  session_id bigint generated always as identity primary key,
  occurrence_id bigint not null references cadenced.occurrence,
  mentorship_id bigint not null references cadenced.mentorship,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  status text not null default 'scheduled'
    constraint session_status_is_known check (status in ('scheduled', 'cancelled')),
  cancelled_at timestamptz,
  cancelled_by text constraint session_cancelled_by_is_known check (cancelled_by in ('mentor', 'mentee', 'peer', 'other')),
  cancel_reason text constraint session_cancel_reason_is_known
    check (cancel_reason in ('cancelled', 'deleted', 'removed_everywhere', 'untagged', 'people_changed')),
  first_seen_at timestamptz not null,
  reschedules integer not null default 0,
  outcome text constraint session_outcome_is_known
    check (outcome in ('held', 'too_short', 'one_sided', 'no_one', 'cancelled', 'unknown')),
  outcome_reason text,
  overlap_minutes numeric(7, 2),
  evidence_tier text constraint session_evidence_tier_is_known
    check (evidence_tier in ('conference_both', 'conference_one', 'human_both', 'human_one', 'rsvp_only', 'none')),
  provisional_at timestamptz,
  settled_at timestamptz,
  next_judgement_at timestamptz,
  ordinal integer,
  stage text,
  constraint session_is_one_of_an_occurrence_and_mentorship unique (occurrence_id, mentorship_id),
  constraint session_ends_after_it_starts check (ends_at >= starts_at),
  constraint session_cancelled_has_a_time_and_reason
    check ((status = 'cancelled') = (cancelled_at is not null) and (status = 'cancelled') = (cancel_reason is not null)),
  constraint session_settled_has_an_outcome check (settled_at is null or outcome is not null)
);
create index session_by_mentorship on cadenced.session (mentorship_id, starts_at);
create index session_to_judge on cadenced.session (next_judgement_at) where next_judgement_at is not null;
comment on table cadenced.session is 'A mentor session: an occurrence for one mentorship.';
comment on column cadenced.session.session_id is 'Surrogate key; never changes.';
comment on column cadenced.session.occurrence_id is 'The meeting; three mentees of three mentorships in one meeting are three sessions of one occurrence.';
comment on column cadenced.session.mentorship_id is 'The mentorship.';
comment on column cadenced.session.starts_at is 'Scheduled start; not moved once the session has ended.';
comment on column cadenced.session.ends_at is 'Scheduled end; not moved once the session has ended.';
comment on column cadenced.session.status is 'scheduled or cancelled; the views add ended.';
comment on column cadenced.session.cancelled_at is 'When it was cancelled, as dated by the source where it dates.';
comment on column cadenced.session.cancelled_by is 'Side of the organizer who cancelled, where that is known.';
comment on column cadenced.session.cancel_reason is 'Why: cancelled, deleted, removed_everywhere, untagged, people_changed.';
comment on column cadenced.session.first_seen_at is 'When the daemon first saw it (business time).';
comment on column cadenced.session.reschedules is 'How often its start moved while it was a session.';
comment on column cadenced.session.outcome is 'Verdict; NULL until three hours after the end.';
comment on column cadenced.session.outcome_reason is 'Reason of the verdict, from a closed list.';
comment on column cadenced.session.overlap_minutes is 'Minutes in which both sides were present together; NULL when no record tells.';
comment on column cadenced.session.evidence_tier is 'Strongest evidence behind the verdict.';
comment on column cadenced.session.provisional_at is 'When the verdict was first given.';
comment on column cadenced.session.settled_at is 'When every source able to speak was final, at most 48 hours after the end. Rates count settled sessions only.';
comment on column cadenced.session.next_judgement_at is 'When it must be judged next (business time); NULL = nothing is expected.';
comment on column cadenced.session.ordinal is 'Its number among the held sessions of the mentorship; NULL unless held.';
comment on column cadenced.session.stage is 'Stage of the mentorship that this session belongs to.';

create table cadenced.participant (
  session_id bigint not null references cadenced.session on delete cascade,
  person_id bigint not null references cadenced.person on delete cascade,
  role text not null constraint participant_role_is_known check (role in ('mentor', 'mentee', 'peer')),
  rsvp text not null default 'none'
    constraint participant_rsvp_is_known check (rsvp in ('accepted', 'declined', 'tentative', 'none')),
  status text constraint participant_status_is_known check (status in ('attended', 'absent', 'excused', 'unknown')),
  minutes numeric(7, 2),
  joined_at timestamptz,
  left_at timestamptz,
  evidence_tier text not null default 'none' constraint participant_evidence_tier_is_known
    check (evidence_tier in ('conference_both', 'conference_one', 'human_both', 'human_one', 'rsvp_only', 'none')),
  primary key (session_id, person_id)
);
create index participant_by_person on cadenced.participant (person_id);
comment on table cadenced.participant is 'A member of the mentorship who was invited to the session.';
comment on column cadenced.participant.session_id is 'The session.';
comment on column cadenced.participant.person_id is 'The person.';
comment on column cadenced.participant.role is 'mentor, mentee or peer.';
comment on column cadenced.participant.rsvp is 'The person''s answer: from their own copy, else from the organizer''s.';
comment on column cadenced.participant.status is 'attended, absent, excused or unknown; NULL until judged.';
comment on column cadenced.participant.minutes is 'Minutes present, united over devices and rejoins.';
comment on column cadenced.participant.joined_at is 'First arrival.';
comment on column cadenced.participant.left_at is 'Last departure.';
comment on column cadenced.participant.evidence_tier is 'Strongest evidence about this person.';

create table cadenced.evidence (
  evidence_id bigint generated always as identity primary key,
  occurrence_id bigint not null references cadenced.occurrence,
  session_id bigint references cadenced.session,
  person_id bigint references cadenced.person,
  source text not null constraint evidence_source_is_known
    check (source in ('meet', 'reports', 'teams', 'answer', 'correction', 'external', 'rsvp')),
  kind text not null constraint evidence_kind_is_known
    check (kind in ('record', 'presence', 'guest', 'device', 'no_record', 'cannot_tell', 'met', 'not_met', 'absent', 'excused', 'withdrawn')),
  from_at timestamptz,
  until_at timestamptz,
  reference text not null,
  detail jsonb not null default '{}',
  seen_at timestamptz not null,
  constraint evidence_is_recorded_once unique (occurrence_id, source, reference),
  constraint evidence_ends_after_it_begins check (until_at is null or from_at is null or until_at >= from_at)
);
create index evidence_by_session on cadenced.evidence (session_id) where session_id is not null;
comment on table cadenced.evidence is 'What is known about who was there. Append-only: rows are added, never changed.';
comment on column cadenced.evidence.evidence_id is 'Surrogate key.';
comment on column cadenced.evidence.occurrence_id is 'The meeting it speaks of.';
comment on column cadenced.evidence.session_id is 'The session it speaks of; NULL = every session of the occurrence.';
comment on column cadenced.evidence.person_id is 'The person it speaks of; NULL for a record, a guest or a device.';
comment on column cadenced.evidence.source is 'meet, reports, teams, answer, correction, external or rsvp.';
comment on column cadenced.evidence.kind is 'record (a conference took place), presence, guest, device, no_record, cannot_tell, met, not_met, absent, excused, withdrawn.';
comment on column cadenced.evidence.from_at is 'Begin of the presence or the record.';
comment on column cadenced.evidence.until_at is 'End of the presence or the record.';
comment on column cadenced.evidence.reference is 'The source''s own name for it: the same statement is kept once.';
comment on column cadenced.evidence.detail is 'What else the source said; no free text of people.';
comment on column cadenced.evidence.seen_at is 'When the daemon learnt it (business time).';

create function cadenced.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: add a row that corrects the earlier one', tg_table_name
    using errcode = 'restrict_violation';
end
$$;
comment on function cadenced.refuse_change() is 'Keeps append-only tables append-only.';
create trigger evidence_is_append_only before update on cadenced.evidence
  for each statement execute function cadenced.refuse_change();

create table cadenced.harvest (
  occurrence_id bigint not null references cadenced.occurrence on delete cascade,
  source text not null constraint harvest_source_is_known check (source in ('meet', 'reports', 'teams')),
  state text not null default 'waiting'
    constraint harvest_state_is_known check (state in ('waiting', 'final', 'cannot_tell')),
  attempts integer not null default 0,
  due_at timestamptz,
  last_at timestamptz,
  last_answer text,
  primary key (occurrence_id, source),
  constraint harvest_waiting_has_a_time check ((state = 'waiting') = (due_at is not null))
);
create index harvest_due on cadenced.harvest (due_at) where due_at is not null;
comment on table cadenced.harvest is 'When each source is asked about each meeting next; survives restarts.';
comment on column cadenced.harvest.occurrence_id is 'The meeting.';
comment on column cadenced.harvest.source is 'The source.';
comment on column cadenced.harvest.state is 'waiting, final (it has said all it will), or cannot_tell.';
comment on column cadenced.harvest.attempts is 'How often it was asked.';
comment on column cadenced.harvest.due_at is 'When it is asked next (business time).';
comment on column cadenced.harvest.last_at is 'When it was last asked (business time).';
comment on column cadenced.harvest.last_answer is 'records, nothing, no_permission, expired, external_organizer, not_found, or the code of a failure.';

create table cadenced.outcome_history (
  history_id bigint generated always as identity primary key,
  session_id bigint not null references cadenced.session on delete cascade,
  outcome text not null constraint outcome_history_outcome_is_known
    check (outcome in ('held', 'too_short', 'one_sided', 'no_one', 'cancelled', 'unknown')),
  outcome_reason text,
  decided_at timestamptz not null,
  because text not null
);
create index outcome_history_by_session on cadenced.outcome_history (session_id, decided_at);
comment on table cadenced.outcome_history is 'Every verdict a session ever had.';
comment on column cadenced.outcome_history.history_id is 'Surrogate key.';
comment on column cadenced.outcome_history.session_id is 'The session.';
comment on column cadenced.outcome_history.outcome is 'The verdict.';
comment on column cadenced.outcome_history.outcome_reason is 'Its reason.';
comment on column cadenced.outcome_history.decided_at is 'When it was given (business time).';
comment on column cadenced.outcome_history.because is 'What brought it: provisional, settled, late evidence from a source, a correction and by whom.';

create table cadenced.planned_session (
  plan_id bigint generated always as identity primary key,
  mentorship_id bigint not null references cadenced.mentorship on delete cascade,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  tolerance interval not null default interval '2 days',
  reference text,
  session_id bigint references cadenced.session on delete set null,
  withdrawn_at timestamptz,
  created_at timestamptz not null default cadenced.now(),
  constraint planned_session_ends_after_it_starts check (ends_at > starts_at),
  constraint planned_session_tolerance_is_not_negative check (tolerance >= interval '0')
);
create unique index planned_session_binds_once on cadenced.planned_session (session_id) where session_id is not null;
create unique index planned_session_reference_is_unique on cadenced.planned_session (mentorship_id, reference) where reference is not null;
create index planned_session_by_mentorship on cadenced.planned_session (mentorship_id, starts_at);
comment on table cadenced.planned_session is 'A session that another program planned before any calendar event existed.';
comment on column cadenced.planned_session.plan_id is 'Surrogate key.';
comment on column cadenced.planned_session.mentorship_id is 'The mentorship.';
comment on column cadenced.planned_session.starts_at is 'Planned start.';
comment on column cadenced.planned_session.ends_at is 'Planned end.';
comment on column cadenced.planned_session.tolerance is 'How far the calendar event may lie from the plan.';
comment on column cadenced.planned_session.reference is 'Text that, found in an event''s title or body, binds it whatever its time.';
comment on column cadenced.planned_session.session_id is 'The session it is bound to; NULL = nothing bound yet.';
comment on column cadenced.planned_session.withdrawn_at is 'When the plan was withdrawn.';
comment on column cadenced.planned_session.created_at is 'When it was planned.';

------------------------------------------------------------------------------------------------------------------
-- Telling people and programs
------------------------------------------------------------------------------------------------------------------

create table cadenced.alert (
  alert_id bigint generated always as identity primary key,
  mentorship_id bigint not null references cadenced.mentorship on delete cascade,
  kind text not null constraint alert_kind_is_known check (kind in ('at_risk', 'violated')),
  level text not null default 'pair' constraint alert_level_is_known check (level in ('pair', 'coordinator', 'escalation')),
  opened_at timestamptz not null,
  told_at timestamptz,
  resolved_at timestamptz,
  baselined boolean not null default false,
  reasons text[] not null
);
create unique index alert_one_open_of_a_kind on cadenced.alert (mentorship_id, kind) where resolved_at is null;
comment on table cadenced.alert is 'A mentorship that needs attention, from the day it was noticed until it resolved by itself.';
comment on column cadenced.alert.alert_id is 'Surrogate key.';
comment on column cadenced.alert.mentorship_id is 'The mentorship.';
comment on column cadenced.alert.kind is 'at_risk or violated.';
comment on column cadenced.alert.level is 'Who has been told so far: pair, coordinator, escalation.';
comment on column cadenced.alert.opened_at is 'When it was noticed (business time).';
comment on column cadenced.alert.told_at is 'When somebody was told; NULL = nobody.';
comment on column cadenced.alert.resolved_at is 'When it was over; NULL = open.';
comment on column cadenced.alert.baselined is 'Older than the program''s live_from: recorded, told to nobody.';
comment on column cadenced.alert.reasons is 'Reasons from the closed list of the cadence view.';

create table cadenced.mail (
  mail_id bigint generated always as identity primary key,
  fact_key text not null constraint mail_is_made_once_for_a_fact unique,
  kind text not null constraint mail_kind_is_known
    check (kind in ('reminder', 'cadence_alert', 'cadence_digest', 'nudge', 'did_you_meet')),
  session_id bigint references cadenced.session on delete cascade,
  mentorship_id bigint references cadenced.mentorship on delete cascade,
  alert_id bigint references cadenced.alert on delete cascade,
  person_id bigint references cadenced.person on delete cascade,
  to_address text not null,
  due_at timestamptz not null,
  expires_at timestamptz,
  status text not null default 'queued' constraint mail_status_is_known
    check (status in ('queued', 'sending', 'sent', 'suppressed', 'refused', 'failed')),
  reason text,
  message_id text,
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  sent_at timestamptz,
  created_at timestamptz not null default cadenced.now(),
  constraint mail_sent_has_a_time check ((status = 'sent') = (sent_at is not null))
);
create index mail_due on cadenced.mail (due_at) where status in ('queued', 'sending');
create index mail_by_session on cadenced.mail (session_id) where session_id is not null;
comment on table cadenced.mail is 'Mails, written in the transaction of the fact they tell and sent by a job afterwards.';
comment on column cadenced.mail.mail_id is 'Surrogate key.';
comment on column cadenced.mail.fact_key is 'Names the fact, the person and the kind: no fact makes two mails.';
comment on column cadenced.mail.kind is 'reminder, cadence_alert, cadence_digest, nudge, did_you_meet.';
comment on column cadenced.mail.session_id is 'The session it is about.';
comment on column cadenced.mail.mentorship_id is 'The mentorship it is about.';
comment on column cadenced.mail.alert_id is 'The alert it tells.';
comment on column cadenced.mail.person_id is 'Who receives it; NULL for a coordinator.';
comment on column cadenced.mail.to_address is 'Where it goes.';
comment on column cadenced.mail.due_at is 'When it leaves (business time).';
comment on column cadenced.mail.expires_at is 'After this it would only confuse, and is suppressed (business time).';
comment on column cadenced.mail.status is 'queued, sending, sent (accepted by the server), suppressed, refused, failed.';
comment on column cadenced.mail.reason is 'Why it was suppressed, refused or failed.';
comment on column cadenced.mail.message_id is 'Message-ID; the same in every attempt, so that a repeat is recognised.';
comment on column cadenced.mail.attempts is 'How often it was handed to the server.';
comment on column cadenced.mail.next_attempt_at is 'Not before this, after a failed attempt (real time).';
comment on column cadenced.mail.sent_at is 'When the server accepted it (business time).';
comment on column cadenced.mail.created_at is 'When the fact was recorded (business time).';

create table cadenced.outbound_event (
  position bigint generated always as identity primary key,
  event_id text not null constraint outbound_event_id_is_unique unique
    constraint outbound_event_id_has_no_dot check (event_id !~ '\.'),
  fact_key text not null constraint outbound_event_is_made_once_for_a_fact unique,
  type text not null constraint outbound_event_type_is_known check (type in (
    'session.scheduled', 'session.rescheduled', 'session.cancelled', 'session.judged', 'attendance.changed',
    'cadence.at_risk', 'cadence.violated', 'cadence.resolved', 'stage.reached',
    'calendar.disconnected', 'calendar.reconnected')),
  subject text not null,
  sequence integer not null,
  occurred_at timestamptz not null,
  payload jsonb not null,
  constraint outbound_event_sequence_is_unique_in_its_subject unique (subject, sequence)
);
comment on table cadenced.outbound_event is 'What happened, for other programs. Rows become visible in the order of position: a reader that asks for what comes after the last position it saw misses nothing.';
comment on column cadenced.outbound_event.position is 'Order. Assigned under a lock that is held until commit, so that no lower position appears later.';
comment on column cadenced.outbound_event.event_id is 'Webhook id: the same in every delivery and every replay.';
comment on column cadenced.outbound_event.fact_key is 'Names the fact: no fact makes two events.';
comment on column cadenced.outbound_event.type is 'One of the eleven types.';
comment on column cadenced.outbound_event.subject is 'What it is about, such as session/12.';
comment on column cadenced.outbound_event.sequence is 'Counts the events of one subject from 1.';
comment on column cadenced.outbound_event.occurred_at is 'When the fact was recorded (business time).';
comment on column cadenced.outbound_event.payload is 'The data of the event.';

create function cadenced.serialise_outbound_events() returns trigger language plpgsql as $$
begin
  -- 0x63616465 is "cade". Held until the transaction ends: positions and sequences are assigned in commit order.
  perform pg_advisory_xact_lock(1667327077);
  return null;
end
$$;
comment on function cadenced.serialise_outbound_events() is 'Makes writers of outbound events take turns, so that positions become visible in order.';
create trigger outbound_events_take_turns before insert on cadenced.outbound_event
  for each statement execute function cadenced.serialise_outbound_events();

create table cadenced.webhook_endpoint (
  endpoint_id bigint generated always as identity primary key,
  name text not null constraint webhook_endpoint_name_is_unique unique,
  url text not null,
  types text[] not null default '{}',
  sealed_secrets text[] not null,
  content_type text not null default 'application/json'
    constraint webhook_endpoint_content_type_is_known
    check (content_type in ('application/json', 'application/cloudevents+json')),
  state text not null default 'active'
    constraint webhook_endpoint_state_is_known check (state in ('active', 'paused', 'disabled')),
  state_reason text,
  failing_since timestamptz,
  created_at timestamptz not null default now(),
  constraint webhook_endpoint_has_a_secret check (cardinality(sealed_secrets) between 1 and 2)
);
comment on table cadenced.webhook_endpoint is 'Where events are sent.';
comment on column cadenced.webhook_endpoint.endpoint_id is 'Surrogate key.';
comment on column cadenced.webhook_endpoint.name is 'Name used on the command line and in the views.';
comment on column cadenced.webhook_endpoint.url is 'https address; http for loopback only.';
comment on column cadenced.webhook_endpoint.types is 'Event types it wants; empty = all.';
comment on column cadenced.webhook_endpoint.sealed_secrets is 'Signing secrets, encrypted with CADENCED_SEAL_KEYS; two while a secret is being rotated.';
comment on column cadenced.webhook_endpoint.content_type is 'application/json or application/cloudevents+json.';
comment on column cadenced.webhook_endpoint.state is 'active, paused (by a person), disabled (it answered 410, or failed for five days).';
comment on column cadenced.webhook_endpoint.state_reason is 'Why it is paused or disabled.';
comment on column cadenced.webhook_endpoint.failing_since is 'Since when every delivery has failed; NULL = the last one worked.';
comment on column cadenced.webhook_endpoint.created_at is 'When it was added.';

create table cadenced.webhook_delivery (
  event_id text not null references cadenced.outbound_event (event_id) on delete cascade,
  endpoint_id bigint not null references cadenced.webhook_endpoint on delete cascade,
  status text not null default 'pending' constraint webhook_delivery_status_is_known
    check (status in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  last_status integer,
  last_error text,
  delivered_at timestamptz,
  primary key (event_id, endpoint_id),
  constraint webhook_delivery_pending_has_a_next_attempt check ((status = 'pending') = (next_attempt_at is not null))
);
create index webhook_delivery_due on cadenced.webhook_delivery (next_attempt_at) where status = 'pending';
create index webhook_delivery_by_endpoint on cadenced.webhook_delivery (endpoint_id, status);
comment on table cadenced.webhook_delivery is 'What became of each event at each endpoint.';
comment on column cadenced.webhook_delivery.event_id is 'The event.';
comment on column cadenced.webhook_delivery.endpoint_id is 'The endpoint.';
comment on column cadenced.webhook_delivery.status is 'pending, delivered, or dead (given up; can be replayed).';
comment on column cadenced.webhook_delivery.attempts is 'How often it was tried.';
comment on column cadenced.webhook_delivery.next_attempt_at is 'When it is tried next (real time).';
comment on column cadenced.webhook_delivery.last_status is 'HTTP status of the last attempt; NULL = none came.';
comment on column cadenced.webhook_delivery.last_error is 'Short reason of the last failure.';
comment on column cadenced.webhook_delivery.delivered_at is 'When it was accepted (real time).';

create table cadenced.feedback (
  feedback_id bigint generated always as identity primary key,
  session_id bigint not null references cadenced.session on delete cascade,
  person_id bigint not null references cadenced.person on delete cascade,
  rating smallint constraint feedback_rating_is_one_to_five check (rating between 1 and 5),
  comment text constraint feedback_comment_is_bounded check (length(comment) <= 2000),
  given_at timestamptz not null,
  constraint feedback_is_given_once unique (session_id, person_id)
);
comment on table cadenced.feedback is 'What people said about a session.';
comment on column cadenced.feedback.feedback_id is 'Surrogate key.';
comment on column cadenced.feedback.session_id is 'The session.';
comment on column cadenced.feedback.person_id is 'Who said it; never shown in the views.';
comment on column cadenced.feedback.rating is '1 to 5, or NULL.';
comment on column cadenced.feedback.comment is 'Free text, or NULL.';
comment on column cadenced.feedback.given_at is 'When (business time).';
