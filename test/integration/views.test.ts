import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Duration } from 'luxon';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeSessions } from '../../src/usecases/judge-sessions.ts';
import { createSeededWorld, type SeededWorld, SQL_DIR } from './seeded-world.ts';

/** What other programs rely on. A name may be added here, none may be renamed or removed. */
const CONTRACT: Readonly<Record<string, string>> = {
  session:
    'session_id occurrence_id program mentorship scheduled_start scheduled_end status outcome outcome_reason ordinal stage reschedules first_seen_at cancelled_at cancelled_by provisional_at settled_at lineage',
  attendance: 'session_id participant_id name email role rsvp status minutes joined_at left_at evidence_tier',
  evidence: 'evidence_id session_id participant_id source kind from_at until_at detail seen_at',
  outcome_history: 'session_id outcome outcome_reason decided_at because',
  unknown_session: 'session_id program mentorship scheduled_start outcome_reason',
  unmatched_event: 'program calendar starts_at reason seen_at',
  candidate_event: 'program mentorship starts_at ends_at seen_at',
  planned_session: 'plan_id program mentorship starts_at ends_at tolerance reference session_id state',
  cadence: 'program mentorship state due_at last_held_at next_session_at at_risk reasons unverified_since',
  alert: 'alert_id program mentorship kind level opened_at told_at resolved_at baselined reasons',
  program_month:
    'program month scheduled held too_short one_sided no_one cancelled unknown hours attendance_rate_verified attendance_rate_lower attendance_rate_upper no_show_rate_verified no_show_rate_lower no_show_rate_upper late_cancellation_rate_verified late_cancellation_rate_lower late_cancellation_rate_upper coverage',
  mentorship_month: 'program mentorship month scheduled held hours attendance_rate_verified coverage',
  mentor_month: 'program participant_id month scheduled held hours attendance_rate_verified coverage',
  participant_month:
    'program participant_id name email role month invited attended absent excused unknown eligible cancelled pending paused hours participant_attendance_rate_verified participant_attendance_rate_lower participant_attendance_rate_upper coverage',
  participant_attendance:
    'program participant_id name email role invited attended absent excused unknown eligible participant_attendance_rate_verified participant_attendance_rate_lower participant_attendance_rate_upper coverage',
  role_month:
    'program role month people invited attended eligible participant_attendance_rate_verified participant_attendance_rate_lower participant_attendance_rate_upper coverage',
  reminder_outcome:
    'program month kind mails queued accepted bounced suppressed bounced_reasons suppressed_reasons reminded reminded_attended attended_after_reminder_verified attended_after_reminder_lower attended_after_reminder_upper',
  feedback_month:
    'program month held prompted prompts answers responses unprompted_responses feedback_prompt_rate_verified feedback_prompt_rate_lower feedback_prompt_rate_upper response_rate_verified response_rate_lower response_rate_upper avg_rating',
  reminder_log: 'mail_id session_id mentorship participant_id kind due_at status sent_at reason',
  outbound_event: 'event_id position type subject sequence occurred_at payload',
  webhook_delivery: 'event_id endpoint status attempts next_attempt_at last_status last_error',
  sync_health:
    'calendar owner provider state reason since last_complete_pass_at lag push push_expires_at parked drift',
  feedback: 'session_id role rating comment given_at',
  mentorship_progress:
    'program mentorship held first_held_at days_to_first days_waiting first_by_day_10 six_by_month_six gap_days_median gap_days_p90 days_since_last_held held_per_30_days late_starts booking_lead_days',
  cohort:
    'program participant_id name email role mentorships joined_on ended_on attended first_attended_at last_attended_at',
  verification_coverage:
    'program month eligible conference_both conference_one human_both human_one rsvp_only none',
  pause: 'pause_id program mentorship participant_id from_on until_on reason',
  pause_history:
    'pause_id program mentorship participant_id change from_on until_on reason said_by recorded_by said_at',
  cadence_compliance:
    'program mentorship form current expected kept missed unverified free_periods free_days cadence_compliance_verified cadence_compliance_lower cadence_compliance_upper coverage',
  program_compliance:
    'program form current expected kept missed unverified cadence_compliance_verified cadence_compliance_lower cadence_compliance_upper coverage',
  program_progress:
    'program mentorships have_met not_met days_to_first_median days_waiting_median gaps gap_days_median gap_days_p90',
  mentorship_activity:
    'program mentorship in_date paused past_grace counted active active_or_booked planned_ends_on ended_early match_length_months open_months',
  program_activity:
    'program in_date paused counted active unverified active_pair_rate_verified active_pair_rate_lower active_pair_rate_upper coverage active_or_booked_rate_verified active_or_booked_rate_lower active_or_booked_rate_upper match_length_months_median open_months_median',
  program_activity_month:
    'program month in_date paused counted ever_active ever_active_rate_verified ever_active_rate_lower ever_active_rate_upper coverage closed closed_planned closed_early closure_rate_verified early_closure_rate_verified',
  enrolment:
    'program participant_id name email role enrolled_on ends_on enrolled matched open_mentorships days_waiting',
  match_rate: 'program role enrolled matched waiting match_rate_verified match_rate_lower match_rate_upper',
  engagement:
    'program role days participants engaged unverified engagement_rate_verified engagement_rate_lower engagement_rate_upper coverage',
  mentor_load:
    'program participant_id name email month mentorships mentorships_at_end held unknown verified_hours capacity free_places load over_capacity',
  benchmark: 'program mentorship benchmark sessions within due_at reached_at attained state counted',
  benchmark_attainment:
    'program benchmark mentorships counted attained missed unverified open ended benchmark_attainment_verified benchmark_attainment_lower benchmark_attainment_upper coverage',
  milestone: 'program mentorship stage from_session milestone_reached_at',
  metric_dictionary: 'view column_name definition',
};

let world: SeededWorld;
let client: pg.Client;
const both = { outcome: 'held', reason: 'both_present', overlap: 50 };

beforeAll(async () => {
  world = await createSeededWorld({ now: '2026-05-01T12:00' });
  client = new pg.Client({ connectionString: world.url });
  await client.connect();
  const other = await world.another('ada-lin');
  for (const day of ['02', '03', '04', '05', '06']) {
    await world.session({ at: `2026-03-${day}T10:00`, settled: both });
  }
  await world.session({ at: '2026-03-09T10:00', settled: { outcome: 'one_sided', reason: 'mentee_absent' } });
  await world.session({ at: '2026-03-10T10:00', settled: { outcome: 'unknown', reason: 'in_person' } });
  await world.session({
    at: '2026-03-11T10:00',
    cancelledAt: '2026-03-11T08:00',
    settled: { outcome: 'cancelled', reason: 'cancelled' },
  });
  // In Berlin this is April already, in UTC still March.
  await world.session({ at: '2026-04-01T00:30', settled: both });
  const shared = await world.session({ at: '2026-04-08T10:00', settled: both });
  await world.session({
    at: '2026-04-08T10:00',
    mentorship: other,
    occurrence: shared.occurrence,
    settled: both,
  });
  await sql`insert into cadenced.pause (mentorship_id, from_on, until_on)
            values (${world.ids.mentorship}, '2026-04-20', '2026-04-24')`.execute(world.db);
  await world.session({ at: '2026-04-22T10:00', settled: { outcome: 'one_sided', reason: 'mentor_absent' } });
  await world.session({ at: '2026-05-20T10:00' });
});
afterAll(async () => {
  await client.end();
  await world.close();
});

async function as<T extends pg.QueryResultRow>(
  role: string,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  await client.query('begin');
  try {
    await client.query(`set local role ${role}`);
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.query('rollback');
  }
}

describe('the contract', () => {
  it.each(Object.entries(CONTRACT))('mentoring.%s has its columns', async (view, columns) => {
    const { fields } = await client.query(`select * from mentoring.${view} limit 0`);
    expect(fields.map((field) => field.name)).toEqual(expect.arrayContaining(columns.split(' ')));
  });

  it('says of every view and column what it means', async () => {
    const { rows } = await client.query(
      `select view, column_name from mentoring.metric_dictionary where definition = ''`,
    );
    expect(rows).toEqual([]);
    const views = await client.query<{ view: string }>(
      'select distinct view from mentoring.metric_dictionary',
    );
    expect(views.rows.map((row) => row.view).sort()).toEqual(Object.keys(CONTRACT).sort());
  });

  it('answers the questions of sql/README.md to a reader', async () => {
    const text = readFileSync(join(SQL_DIR, 'README.md'), 'utf8');
    const queries = [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    const questions = queries.filter(
      (query) =>
        !/record_evidence|record_feedback|correct_attendance|pause_mentorship|^(?:insert|update|delete)/m.test(
          query,
        ),
    );
    expect(questions.length).toBeGreaterThanOrEqual(11);
    // The time of the sandbox is not the database's, and a question about "the last three months" had no answer there.
    expect(questions.filter((query) => /\bnow\(\)|current_(?:date|timestamp)/.test(query))).toEqual([]);
    for (const question of questions) {
      const rows = await as('mentoring_reader', question);
      expect(Array.isArray(rows), question).toBe(true);
    }
  });
});

describe('the months', () => {
  it('publish every rate three ways, by the zone of the program', async () => {
    const [march, april, may] = await as(
      'mentoring_reader',
      'select * from mentoring.program_month order by month',
    );
    expect(march).toMatchObject({
      scheduled: '8',
      held: '5',
      one_sided: '1',
      unknown: '1',
      cancelled: '1',
      late_cancelled: '1',
      eligible: '7',
      mentee_no_show: '1',
      mentor_no_show: '0',
      hours: '4.17',
      attendance_rate_verified: '0.8333',
      attendance_rate_lower: '0.7143',
      attendance_rate_upper: '0.8571',
      no_show_rate_verified: '0.1667',
      no_show_rate_lower: '0.1429',
      no_show_rate_upper: '0.2857',
      late_cancellation_rate_lower: '0.1250',
      coverage: '0.8571',
    });
    expect(april).toMatchObject({
      scheduled: '4',
      held: '3',
      paused: '1',
      one_sided: '0',
      // The shared meeting is two sessions and one hour.
      hours: '1.67',
      scheduled_hours: '3.00',
      attendance_rate_verified: null,
      attendance_rate_lower: '1.0000',
      coverage: '1.0000',
    });
    expect(may).toMatchObject({
      scheduled: '1',
      pending: '1',
      eligible: '0',
      coverage: null,
      attendance_rate_lower: null,
    });
  });

  it('sum to what was scheduled', async () => {
    for (const view of ['program_month', 'mentorship_month', 'mentor_month']) {
      const rows = await as(
        'mentoring_reader',
        `select held + too_short + one_sided + no_one + cancelled + unknown + pending + paused - scheduled as rest
           from mentoring.${view}`,
      );
      expect(
        rows.every((row) => row.rest === '0'),
        view,
      ).toBe(true);
    }
  });

  it('count a mentor over all mentorships, a shared meeting as one hour', async () => {
    const rows = await as(
      'mentoring_reader',
      `select month::text, held, hours from mentoring.mentor_month order by month`,
    );
    expect(rows[1]).toEqual({ month: '2026-04-01', held: '3', hours: '1.67' });
  });

  it('hide a rate that rests on less than half, or on fewer than five', async () => {
    const [row] = await world.rows(sql`
      select cadenced.verified_share(4, 5, 11) as covered_badly, cadenced.verified_share(4, 4, 4) as few,
             cadenced.verified_share(4, 5, 10) as enough`);
    expect(row).toEqual({ covered_badly: null, few: null, enough: '0.8000' });
  });
});

/** The database's clock runs on while the world's stands still: what is due there is due here a moment later. */
async function judgeNow(): Promise<void> {
  world.clock.advance(Duration.fromObject({ minutes: 1 }));
  await judgeSessions(world.deps);
}

describe('what follows from a history', () => {
  it('counts gaps, pace and benchmarks without the paused days', async () => {
    const rows = await as(
      'mentoring_reader',
      `select mentorship, held, days_to_first, days_waiting, first_by_day_10, six_by_month_six, gap_days_median,
              days_since_last_held, held_per_30_days from mentoring.mentorship_progress order by mentorship`,
    );
    // Since 1 January; held on 2-6 March, 1 and 8 April; paused from 20 to 24 April; today is 1 May.
    expect(rows).toEqual([
      {
        mentorship: 'ada-grace',
        held: '7',
        days_to_first: 60,
        days_waiting: null,
        first_by_day_10: false,
        six_by_month_six: true,
        gap_days_median: '1.0',
        days_since_last_held: 18,
        held_per_30_days: '1.81',
      },
      {
        mentorship: 'ada-lin',
        held: '1',
        days_to_first: 97,
        days_waiting: null,
        first_by_day_10: false,
        six_by_month_six: null,
        gap_days_median: null,
        days_since_last_held: 23,
        held_per_30_days: '0.25',
      },
    ]);
  });

  it('tells late starts from when the second side came', async () => {
    await client.query('begin');
    try {
      await client.query(`
        update cadenced.participant set status = 'attended', joined_at = session.starts_at
               + case role when 'mentor' then interval '-3 minutes' else interval '9 minutes' end
          from cadenced.session
         where session.session_id = participant.session_id and session.outcome = 'held'
           and session.starts_at < '2026-03-04'`);
      const { rows } = await client.query(
        `select late_starts, late_start_rate, start_delay_minutes from mentoring.mentorship_progress
          where mentorship = 'ada-grace'`,
      );
      expect(rows).toEqual([{ late_starts: '2', late_start_rate: '1.0000', start_delay_minutes: '9.0' }]);
      const cohort = await client.query(
        `select email, role, mentorships, attended, ended from mentoring.cohort order by email`,
      );
      expect(cohort.rows).toEqual([
        { email: 'ada-lin@example.org', role: 'mentee', mentorships: '1', attended: '0', ended: false },
        { email: 'ada@example.org', role: 'mentor', mentorships: '2', attended: '2', ended: false },
        { email: 'grace@example.org', role: 'mentee', mentorships: '1', attended: '2', ended: false },
      ]);
    } finally {
      await client.query('rollback');
    }
  });

  it('says what the outcomes of a month rest on', async () => {
    const rows = await as(
      'mentoring_reader',
      `select month::text, eligible, conference_both + conference_one + human_both + human_one + rsvp_only + none as sum
         from mentoring.verification_coverage order by month`,
    );
    expect(rows).toEqual([
      { month: '2026-03-01', eligible: '7', sum: '7' },
      { month: '2026-04-01', eligible: '3', sum: '3' },
    ]);
  });

  it('lets a planner pause and go on, and nobody else', async () => {
    const pause = `select mentoring.pause_mentorship('oak', 'ada-grace', '2026-04-28', '2026-05-10', 'parental leave')`;
    await expect(as('mentoring_reader', pause)).rejects.toMatchObject({ code: '42501' });
    const state = `(select state from mentoring.cadence where mentorship = 'ada-grace')`;
    const [before] = await as('mentoring_planner', `select ${state} as state`);
    expect(before?.state).not.toBe('paused');
    await client.query('begin');
    try {
      await client.query(`${pause}`);
      expect((await client.query(`select ${state} as state`)).rows).toEqual([{ state: 'paused' }]);
      await client.query(
        `select mentoring.end_pause(pause_id, '2026-04-30') from mentoring.pause where reason = 'parental leave'`,
      );
      expect((await client.query(`select ${state} as state`)).rows).toEqual([before]);
      await client.query(`select mentoring.pause_person('ADA@example.org', '2026-05-01', '2026-05-02')`);
      expect((await client.query(`select ${state} as state`)).rows).toEqual([{ state: 'paused' }]);
    } finally {
      await client.query('rollback');
    }
    await expect(
      as(
        'mentoring_planner',
        `select mentoring.pause_person('nobody@example.org', '2026-05-01', '2026-05-02')`,
      ),
    ).rejects.toMatchObject({ code: '23503', message: expect.stringContaining('nobody@example.org') });
  });
});

describe('rights', () => {
  it('a reader sees views and nothing else', async () => {
    await expect(as('mentoring_reader', 'select * from cadenced.session')).rejects.toMatchObject({
      code: '42501',
    });
    await expect(as('mentoring_reader', 'delete from mentoring.planned_session')).rejects.toMatchObject({
      code: '42501',
    });
    await expect(
      as('mentoring_reader', `select mentoring.correct_attendance(1, 'met', 'me', 'because')`),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('a planner plans and withdraws, and reads no attendance', async () => {
    const plan = `insert into mentoring.planned_session (program, mentorship, starts_at, ends_at)
                  values ('oak', 'ada-grace', '2026-06-01 10:00Z', '2026-06-01 11:00Z')`;
    const [planned] = await as('mentoring_planner', `${plan} returning plan_id, state, tolerance::text`);
    expect(planned).toMatchObject({ state: 'open', tolerance: '2 days' });
    await as('mentoring_planner', `delete from mentoring.planned_session`);
    await expect(as('mentoring_planner', 'select * from mentoring.attendance')).rejects.toMatchObject({
      code: '42501',
    });
  });

  it.each([
    [`('elm', 'ada-grace', '2026-06-01 10:00Z', '2026-06-01 11:00Z')`, '23503', 'there is no program "elm"'],
    [
      `('oak', 'nobody', '2026-06-01 10:00Z', '2026-06-01 11:00Z')`,
      '23503',
      'the program "oak" has no mentorship "nobody"',
    ],
    [
      `('oak', 'ada-grace', '2026-06-01 10:00Z', '2026-06-01 10:00Z')`,
      '23514',
      'a planned session ends after it starts',
    ],
    [`('oak', 'ada-grace', null, '2026-06-01 10:00Z')`, '23502', 'a planned session needs'],
  ])('a plan that cannot be is refused in plain words: %s', async (values, code, message) => {
    const insert = `insert into mentoring.planned_session (program, mentorship, starts_at, ends_at) values ${values}`;
    const refusal = await as('mentoring_planner', insert).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe('what others say', () => {
  const outcome = async (session: number) =>
    (
      await world.rows(sql<{ outcome: string; outcome_reason: string }>`
        select outcome, outcome_reason from mentoring.session where session_id = ${session}`)
    )[0];

  it('becomes evidence once, restates, and can be withdrawn', async () => {
    const { session } = await world.session({
      at: '2026-04-27T10:00',
      conference: { kind: 'other', key: 'https://zoom' },
    });
    await judgeNow();
    expect(await outcome(session)).toEqual({ outcome: 'unknown', outcome_reason: 'no_record' });
    const zoom = (kind: string, reference: string, more = '') =>
      client.query(
        `select mentoring.record_evidence(${session}, 'zoom', '${kind}', '${reference}' ${more}) as id`,
      );
    const times = `from_at => '2026-04-27 08:00Z', until_at => '2026-04-27 08:50Z'`;
    await zoom('record', 'meeting-1', `, ${times}, complete => true`);
    await zoom('presence', 'a', `, 'ADA@example.org', ${times}`);
    const first = await zoom('presence', 'b', `, 'grace@example.org', ${times}`);
    const again = await zoom('presence', 'b', `, 'grace@example.org', ${times}`);
    expect(again.rows).toEqual(first.rows);
    await judgeNow();
    expect(await outcome(session)).toEqual({ outcome: 'held', outcome_reason: 'both_present' });
    await zoom('withdrawn', 'b-was-wrong', `, withdraws => 'b'`);
    await judgeNow();
    expect(await outcome(session)).toEqual({ outcome: 'one_sided', outcome_reason: 'mentee_absent' });
    const because = await world.rows(sql<{ because: string }>`
      select because from mentoring.outcome_history where session_id = ${session} order by decided_at, outcome`);
    expect(because.map((row) => row.because)).toContain('late evidence from zoom');
  });

  it('is refused when another statement has the key, and one word without a name counts', async () => {
    const { session } = await world.session({ at: '2026-04-29T10:00' });
    const sheet = (kind: string, reference: string, email: string | null = null) =>
      client.query('select mentoring.record_evidence($1, $2, $3, $4, $5)', [
        session,
        'sheet',
        kind,
        reference,
        email,
      ]);
    await sheet('met', 'row-1');
    await sheet('met', 'row-1');
    await expect(sheet('not_met', 'row-1')).rejects.toThrow(
      'sheet has said something else under the reference "row-1"',
    );
    await judgeNow();
    expect(await outcome(session)).toEqual({ outcome: 'held', outcome_reason: 'one_confirmed' });
    await expect(sheet('absent', 'row-2', 'ada-lin@example.org')).rejects.toThrow();
    const [row] = await as<{ email: string | null; reference: string }>(
      'mentoring_reader',
      `select email, reference from mentoring.evidence where session_id = ${session}`,
    );
    expect(row).toEqual({ email: null, reference: 'sheet/row-1' });
  });

  it('corrects, is audited, and is taken back', async () => {
    const { session } = await world.session({ at: '2026-04-28T10:00' });
    await judgeNow();
    const correct = (status: string, email: string | null) =>
      client.query('select mentoring.correct_attendance($1, $2, $3, $4, $5)', [
        session,
        status,
        'pat@example.org',
        'saw them in the canteen',
        email,
      ]);
    await correct('met', null);
    await judgeNow();
    expect(await outcome(session)).toEqual({ outcome: 'held', outcome_reason: 'corrected' });
    await correct('withdrawn', null);
    await judgeNow();
    expect(await outcome(session)).toEqual({ outcome: 'unknown', outcome_reason: 'in_person' });
    const said = await as<{ kind: string; detail: Record<string, string> }>(
      'mentoring_reader',
      `select kind, detail from mentoring.evidence where session_id = ${session} order by evidence_id`,
    );
    expect(said.map((row) => row.kind)).toEqual(['met', 'withdrawn']);
    expect(said[0]?.detail).toMatchObject({ by: 'pat@example.org', reason: 'saw them in the canteen' });
    const history = await world.rows(sql<{ because: string }>`
      select because from mentoring.outcome_history where session_id = ${session} order by decided_at`);
    expect(history.map((row) => row.because)).toContain('correction by pat@example.org');
  });

  it('is kept as feedback of the tool that asked, by role and never by name', async () => {
    const { session } = await world.session({ at: '2026-04-29T10:00', settled: both });
    await client.query('begin');
    try {
      await client.query('set local role mentoring_evidence');
      const tell = (rating: number | null, comment: string | null) =>
        client.query('select mentoring.record_feedback($1, $2, $3, $4) as id', [
          session,
          ' GRACE@example.org',
          rating,
          comment,
        ]);
      const first = await tell(5, null);
      expect((await tell(5, null)).rows).toEqual(first.rows);
      expect((await tell(4, ' we laughed ')).rows).toEqual(first.rows);
      await client.query('set local role mentoring_reader');
      const { rows } = await client.query(
        `select role, rating, comment from mentoring.feedback where session_id = ${session}`,
      );
      expect(rows).toEqual([{ role: 'mentee', rating: 4, comment: 'we laughed' }]);
      const month = await client.query(
        `select responses, unprompted_responses, avg_rating from mentoring.feedback_month where month = '2026-04-01'`,
      );
      expect(month.rows).toEqual([{ responses: '0', unprompted_responses: '1', avg_rating: null }]);
    } finally {
      await client.query('rollback');
    }
    await expect(
      as('mentoring_reader', `select mentoring.record_feedback(${session}, 'grace@example.org', 5)`),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it.each([
    [`select mentoring.record_feedback(999999, 'grace@example.org', 5)`, 'there is no session 999999'],
    [
      `select mentoring.record_feedback((select session_id from mentoring.session where status = 'scheduled'), 'grace@example.org', 5)`,
      'has not ended yet',
    ],
    [
      `select mentoring.record_feedback((select min(session_id) from mentoring.session), 'nobody@example.org', 5)`,
      'nobody with the address "nobody@example.org" was invited',
    ],
    [
      `select mentoring.record_feedback((select min(session_id) from mentoring.session), null, 5)`,
      'nobody with the address',
    ],
    [
      `select mentoring.record_feedback((select min(session_id) from mentoring.session), 'grace@example.org', null, ' ')`,
      'a rating, a comment or both',
    ],
    [
      `select mentoring.record_feedback((select min(session_id) from mentoring.session), 'grace@example.org', 6)`,
      'a rating is 1 to 5, not 6',
    ],
    [
      `select mentoring.record_feedback((select min(session_id) from mentoring.session), 'grace@example.org', 5, repeat('x', 2001))`,
      'at most 2000 characters',
    ],
    [`select mentoring.correct_attendance(999999, 'met', 'me', 'why')`, 'there is no session 999999'],
    [
      `select mentoring.correct_attendance((select max(session_id) from mentoring.session), 'maybe', 'me', 'why')`,
      'is not one of met, not_met',
    ],
    [
      `select mentoring.correct_attendance((select max(session_id) from mentoring.session), 'met', ' ', 'why')`,
      'say who speaks',
    ],
    [
      `select mentoring.correct_attendance((select max(session_id) from mentoring.session), 'met', 'me', '')`,
      'say why',
    ],
    [
      `select mentoring.correct_attendance((select session_id from mentoring.session where status = 'scheduled'), 'met', 'me', 'why')`,
      'has not ended yet',
    ],
    [`select mentoring.record_evidence(1, 'zoom', 'presence', 'x')`, 'speaks of a person'],
    [
      `select mentoring.record_evidence(1, 'zoom', 'presence', 'x', 'nobody@example.org')`,
      'nobody in the roster',
    ],
    [`select mentoring.record_evidence(1, 'zoom', 'sighting', 'x')`, 'is not one of record'],
    [`select mentoring.record_evidence(1, 'zoom', 'record', '')`, 'needs a reference'],
    [`select mentoring.record_evidence(1, ' ', 'record', 'x')`, 'say which system speaks'],
    [`select mentoring.record_evidence(null, 'zoom', 'record', 'x')`, 'say which session'],
    [`select mentoring.record_evidence(1, 'zoom', 'withdrawn', 'x')`, 'say in withdraws which statement'],
    [
      `select mentoring.record_evidence(1, 'zoom', 'withdrawn', 'x', withdraws => 'y')`,
      'zoom has said nothing about session 1 under the reference "y"',
    ],
    [
      `select mentoring.record_evidence(1, 'zoom', 'met', 'x', from_at => '2025-03-03 09:00Z')`,
      'more than a day from',
    ],
    [
      `select mentoring.record_evidence((select session_id from mentoring.session where status = 'scheduled'), 'zoom', 'met', 'x')`,
      'has not ended yet',
    ],
    [
      `select mentoring.correct_attendance((select max(session_id) from mentoring.session), 'attended', 'me', 'why')`,
      'is not one of met, not_met, withdrawn (of the session)',
    ],
    [
      `select mentoring.correct_attendance(1, 'attended', 'me', 'why', 'nobody@example.org')`,
      'nobody in the roster has the address "nobody@example.org"',
    ],
    [
      `select mentoring.correct_attendance(1, 'withdrawn', 'me', 'why')`,
      'no correction of session 1 as a whole stands',
    ],
  ])('is refused in plain words when it cannot be: %s', async (statement, message) => {
    const refusal = await as('mentoring_evidence', statement).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ message: expect.stringContaining(message) });
  });
});
