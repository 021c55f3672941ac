-- Who may do what. Tables stay private: the views and functions run with their owner's rights.
grant usage on schema mentoring to mentoring_reader, mentoring_planner, mentoring_evidence;
grant select on all tables in schema mentoring to mentoring_reader;

grant select, insert, update, delete on mentoring.planned_session to mentoring_planner;
grant select on mentoring.session, mentoring.cadence, mentoring.pause to mentoring_planner;

grant select on mentoring.session, mentoring.attendance, mentoring.evidence to mentoring_evidence;

-- Functions are open to everybody unless that is taken away.
revoke all on function mentoring.record_evidence(bigint, text, text, text, text, timestamptz, timestamptz, boolean, text) from public;
revoke all on function mentoring.correct_attendance(bigint, text, text, text, text) from public;
revoke all on function mentoring.record_feedback(bigint, text, integer, text) from public;
revoke all on function cadenced.wake_judge(bigint, bigint) from public;
revoke all on function cadenced.session_named(bigint) from public;
revoke all on function cadenced.person_named(text) from public;
revoke all on function cadenced.is_of_session(bigint, bigint) from public;
revoke all on function cadenced.check_times(cadenced.session, text, timestamptz, timestamptz) from public;
revoke all on function cadenced.renew_months(integer) from public;
revoke all on function cadenced.check_plan(bigint, mentoring.planned_session) from public;
revoke all on function cadenced.plan_session() from public;
revoke all on function cadenced.change_plan() from public;
revoke all on function cadenced.tell_changed_plan() from public;
revoke all on function cadenced.bind_plans(bigint[]) from public;
revoke all on function cadenced.take_up_plans() from public;
revoke all on function cadenced.calendars_of_mentorships(bigint[]) from public;
revoke all on function cadenced.withdraw_plan() from public;
grant execute on function mentoring.record_evidence(bigint, text, text, text, text, timestamptz, timestamptz, boolean, text) to mentoring_evidence;
grant execute on function mentoring.correct_attendance(bigint, text, text, text, text) to mentoring_evidence;
grant execute on function mentoring.record_feedback(bigint, text, integer, text) to mentoring_evidence;

revoke all on function mentoring.pause_mentorship(text, text, date, date, text, text) from public;
revoke all on function mentoring.pause_person(text, date, date, text, text) from public;
revoke all on function mentoring.end_pause(bigint, date, text) from public;
grant execute on function mentoring.pause_mentorship(text, text, date, date, text, text) to mentoring_planner;
grant execute on function mentoring.pause_person(text, date, date, text, text) to mentoring_planner;
grant execute on function mentoring.end_pause(bigint, date, text) to mentoring_planner;
