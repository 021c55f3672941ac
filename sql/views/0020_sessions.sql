-- Sessions, who came, why we think so.

create function cadenced.called_off_by(session cadenced.session) returns text
  language sql immutable parallel safe
  return case when session.status = 'cancelled' then session.cancelled_by
              else substring(session.outcome_reason from '^declined_by_(.*)$') end;
comment on function cadenced.called_off_by(cadenced.session) is 'Who called a session off: the side of the organizer who cancelled it, else of those who all declined; NULL where nobody knows.';

create view mentoring.session as
select session.session_id, session.occurrence_id, program.name as program, mentorship.key as mentorship,
       session.starts_at as scheduled_start, session.ends_at as scheduled_end,
       case when session.status = 'cancelled' then 'cancelled'
            when session.ends_at <= (select cadenced.now()) then 'ended'
            else 'scheduled' end as status,
       session.outcome, session.outcome_reason, session.ordinal, session.stage, session.reschedules,
       session.first_seen_at, session.cancelled_at,
       case when session.status = 'cancelled' or session.outcome = 'cancelled'
            then cadenced.called_off_by(session) end as cancelled_by,
       session.cancel_reason,
       session.provisional_at, session.settled_at, occurrence.lineage,
       session.overlap_minutes, session.evidence_tier,
       case when session.reschedules = 0 then session.starts_at else session.first_starts_at end as original_start,
       case when session.reschedules > 0
            then round(extract(epoch from session.starts_at - session.first_starts_at) / 86400, 2) end as slip_days,
       case when session.first_seen_at < session.starts_at
            then round(extract(epoch from session.starts_at - session.first_seen_at) / 86400, 2) end as booking_lead_days,
       session.start_delay_minutes
  from cadenced.session
  join cadenced.occurrence on occurrence.occurrence_id = session.occurrence_id
  join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id;
comment on view mentoring.session is 'Mentor sessions: one row an occurrence and mentorship. A moved session keeps its row.';
comment on column mentoring.session.session_id is 'Never changes, whatever happens to the calendar entries.';
comment on column mentoring.session.occurrence_id is 'The meeting. Three mentorships in one meeting are three sessions of one occurrence.';
comment on column mentoring.session.program is 'Name of the program, as in the configuration.';
comment on column mentoring.session.mentorship is 'Name of the mentorship, as in the roster.';
comment on column mentoring.session.scheduled_start is 'Start in the calendar, after all moves.';
comment on column mentoring.session.scheduled_end is 'End in the calendar.';
comment on column mentoring.session.status is 'scheduled (still to come), cancelled, or ended. Says nothing about who came: see outcome.';
comment on column mentoring.session.outcome is 'held, too_short (both came, not long enough together), one_sided (one side is missing, so that they cannot have met, whatever is known of the other), no_one (both are), cancelled or unknown; NULL until three hours after the end.';
comment on column mentoring.session.outcome_reason is 'Why: for unknown one of guest_only, no_record, no_permission, in_person, private_event, sync_gap, expired, group_address, disputed.';
comment on column mentoring.session.ordinal is 'Its number among the held sessions of the mentorship; NULL unless held.';
comment on column mentoring.session.stage is 'Stage of the mentorship the held session belongs to.';
comment on column mentoring.session.reschedules is 'How often its start was moved.';
comment on column mentoring.session.first_seen_at is 'When it was first seen on a calendar: an upper bound of when it was booked.';
comment on column mentoring.session.cancelled_at is 'When it was cancelled, as the calendar dates it.';
comment on column mentoring.session.cancelled_by is 'Who called it off: mentor, mentee, peer or other, as the side of the organizer who cancelled, else of those who all declined; NULL where nobody knows.';
comment on column mentoring.session.cancel_reason is 'How: cancelled, deleted, removed_everywhere, untagged, people_changed.';
comment on column mentoring.session.provisional_at is 'When it was first judged.';
comment on column mentoring.session.settled_at is 'When the outcome settled. Rates count settled sessions only; later evidence may still restate.';
comment on column mentoring.session.lineage is 'What every calendar''s copy of the meeting, and every occurrence of its series, shares.';
comment on column mentoring.session.overlap_minutes is 'Minutes in which both sides were in the conference together; NULL when no record tells.';
comment on column mentoring.session.evidence_tier is 'Strongest evidence: conference_both, conference_one, human_both, human_one, rsvp_only, none.';
comment on column mentoring.session.original_start is 'Start before its first move; its start when it never moved; NULL when it moved before this was kept.';
comment on column mentoring.session.slip_days is 'Days from the original start to the start now, negative when it was brought forward; NULL unless it moved.';
comment on column mentoring.session.booking_lead_days is 'Days from when it was first seen to its start: a lower bound of how early it was booked; NULL when it was first seen later.';
comment on column mentoring.session.start_delay_minutes is 'Minutes from the scheduled start until the second side had come, negative when early; NULL when no record tells.';

create view mentoring.attendance as
select participant.session_id, participant.person_id as participant_id, person.name, person.address as email,
       participant.role, participant.rsvp, participant.status, participant.minutes, participant.joined_at,
       participant.left_at, participant.evidence_tier,
       case when participant.by_group then 'group' else 'name' end as invited_by
  from cadenced.participant
  join cadenced.person on person.person_id = participant.person_id;
comment on view mentoring.attendance is 'Every invited member of every session, and whether they came.';
comment on column mentoring.attendance.session_id is 'The session.';
comment on column mentoring.attendance.participant_id is 'The person; the same in every session and program.';
comment on column mentoring.attendance.name is 'Name, as in the roster.';
comment on column mentoring.attendance.email is 'Primary address.';
comment on column mentoring.attendance.role is 'mentor, mentee or peer.';
comment on column mentoring.attendance.rsvp is 'Their answer in the calendar: accepted, declined, tentative, none. Never proof of presence.';
comment on column mentoring.attendance.status is 'attended, absent (proven), excused, or unknown; NULL until judged.';
comment on column mentoring.attendance.minutes is 'Minutes in the conference, devices and rejoins united; NULL when no record tells.';
comment on column mentoring.attendance.joined_at is 'First arrival.';
comment on column mentoring.attendance.left_at is 'Last departure.';
comment on column mentoring.attendance.evidence_tier is 'Strongest evidence about this person: for an absence, what proves it.';
comment on column mentoring.attendance.invited_by is 'name, or group: by the address of a group they belong to, so that no record proves their absence.';

create view mentoring.evidence as
select evidence.evidence_id, session.session_id, evidence.person_id as participant_id, evidence.source,
       evidence.kind, evidence.from_at, evidence.until_at, evidence.detail, evidence.seen_at,
       person.address as email, evidence.reference
  from cadenced.evidence
  join cadenced.session
    on session.occurrence_id = evidence.occurrence_id
   and (evidence.session_id is null or evidence.session_id = session.session_id)
  left join cadenced.person on person.person_id = evidence.person_id;
comment on view mentoring.evidence is 'Everything an outcome was decided from. Rows are added, never changed.';
comment on column mentoring.evidence.evidence_id is 'Surrogate key. One statement about a meeting of three mentorships shows in three sessions.';
comment on column mentoring.evidence.session_id is 'The session it speaks of.';
comment on column mentoring.evidence.participant_id is 'The person it speaks of; NULL for a conference, a guest or a device.';
comment on column mentoring.evidence.source is 'meet, reports, teams, answer, correction, external or rsvp.';
comment on column mentoring.evidence.kind is 'record, presence, guest, device, no_record, cannot_tell, met, not_met, absent, excused, withdrawn.';
comment on column mentoring.evidence.from_at is 'Begin of the presence or the record.';
comment on column mentoring.evidence.until_at is 'End of the presence or the record.';
comment on column mentoring.evidence.detail is 'What else is known: by (who said it), reason, system, account of an unknown guest, partial (a record that need not show everybody).';
comment on column mentoring.evidence.seen_at is 'When it became known.';
comment on column mentoring.evidence.email is 'Address of the person it speaks of. In a meeting of several mentorships some belong to another session.';
comment on column mentoring.evidence.reference is 'The source''s own key of the statement, that of another system after its name; names it in withdraws.';

create view mentoring.outcome_history as
select outcome_history.session_id, outcome_history.outcome, outcome_history.outcome_reason,
       outcome_history.decided_at, outcome_history.because
  from cadenced.outcome_history;
comment on view mentoring.outcome_history is 'Every outcome a session ever had, so that a number of last month can be explained.';
comment on column mentoring.outcome_history.session_id is 'The session.';
comment on column mentoring.outcome_history.outcome is 'The outcome decided then.';
comment on column mentoring.outcome_history.outcome_reason is 'Its reason.';
comment on column mentoring.outcome_history.decided_at is 'When it was decided.';
comment on column mentoring.outcome_history.because is 'What brought it: provisional, settled, new or late evidence, an answer, a correction and by whom.';

create view mentoring.unknown_session as
select session.session_id, program.name as program, mentorship.key as mentorship,
       session.starts_at as scheduled_start, session.outcome_reason
  from cadenced.session
  join cadenced.mentorship on mentorship.mentorship_id = session.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id
 where session.outcome = 'unknown';
comment on view mentoring.unknown_session is 'Sessions nobody can say about whether they were held, with the reason: what to mend to know more.';
comment on column mentoring.unknown_session.session_id is 'The session.';
comment on column mentoring.unknown_session.program is 'Name of the program.';
comment on column mentoring.unknown_session.mentorship is 'Name of the mentorship.';
comment on column mentoring.unknown_session.scheduled_start is 'Start in the calendar.';
comment on column mentoring.unknown_session.outcome_reason is 'Why it is unknown.';

create view mentoring.unmatched_event as
select program.name as program, calendar.address as calendar, unmatched_event.starts_at, unmatched_event.reason,
       unmatched_event.seen_at
  from cadenced.unmatched_event
  join cadenced.calendar on calendar.calendar_id = unmatched_event.calendar_id
  join cadenced.program on program.program_id = unmatched_event.program_id;
comment on view mentoring.unmatched_event is 'Tagged calendar entries that are no session, with the reason: usually a missing roster row, a forgotten guest, or a group''s address that the roster does not name.';
comment on column mentoring.unmatched_event.program is 'The program whose tag it carries.';
comment on column mentoring.unmatched_event.calendar is 'Whose calendar it stands on.';
comment on column mentoring.unmatched_event.starts_at is 'Its start.';
comment on column mentoring.unmatched_event.reason is 'all_day, not_a_meeting, no_mentorship, no_mentor, no_mentee, outside_dates or people_hidden.';
comment on column mentoring.unmatched_event.seen_at is 'When it was found.';

create view mentoring.candidate_event as
select program.name as program, mentorship.key as mentorship, candidate_event.starts_at, candidate_event.ends_at,
       min(candidate_event.seen_at) as seen_at
  from cadenced.candidate_event
  join cadenced.calendar on calendar.calendar_id = candidate_event.calendar_id and calendar.retired_at is null
  join cadenced.mentorship on mentorship.mentorship_id = candidate_event.mentorship_id
  join cadenced.program on program.program_id = mentorship.program_id
  join cadenced.program_policy rules
    on rules.program_id = program.program_id and rules.valid_until is null and rules.policy -> 'candidates' = 'true'
 -- A tag on another member's copy may have made it a session that this copy does not know of yet.
 where not exists (select from cadenced.session
                    where session.mentorship_id = candidate_event.mentorship_id
                      and session.starts_at = candidate_event.starts_at and session.status = 'scheduled')
 group by program.name, mentorship.key, candidate_event.starts_at, candidate_event.ends_at;
comment on view mentoring.candidate_event is 'Untagged calendar entries that hold both sides of a mentorship, where the program opts in: somebody may have forgotten the tag. Listed, never counted; no title is kept, and private entries are left out. An entry on both calendars is one row. Those of the last 35 and the coming 120 days; a new series appears with the daily comparison.';
comment on column mentoring.candidate_event.program is 'Name of the program.';
comment on column mentoring.candidate_event.mentorship is 'Whose sides it holds.';
comment on column mentoring.candidate_event.starts_at is 'Its start.';
comment on column mentoring.candidate_event.ends_at is 'Its end.';
comment on column mentoring.candidate_event.seen_at is 'When it was first found.';

create view mentoring.feedback as
select feedback.session_id, membership.role, feedback.rating, feedback.comment, feedback.given_at
  from cadenced.feedback
  join cadenced.session on session.session_id = feedback.session_id
  left join cadenced.membership
    on membership.mentorship_id = session.mentorship_id and membership.person_id = feedback.person_id;
comment on view mentoring.feedback is 'What people said about sessions: by role, never by name.';
comment on column mentoring.feedback.session_id is 'The session.';
comment on column mentoring.feedback.role is 'mentor, mentee or peer.';
comment on column mentoring.feedback.rating is '1 to 5, or NULL.';
comment on column mentoring.feedback.comment is 'Their words, or NULL.';
comment on column mentoring.feedback.given_at is 'When.';
