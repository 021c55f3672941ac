import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALERT_KINDS, ALERT_LEVELS, CADENCE_STATES } from '../../src/domain/cadence.ts';
import { CALENDAR_STATES } from '../../src/domain/calendar-state.ts';
import { CHANNEL_STATES, PUSH_STATES } from '../../src/domain/channel.ts';
import { EVIDENCE_KINDS, EVIDENCE_SOURCES } from '../../src/domain/evidence.ts';
import { FAILURE_KINDS } from '../../src/domain/failure.ts';
import { MAIL_KINDS } from '../../src/domain/mail.ts';
import { RSVPS } from '../../src/domain/observation.ts';
import { CANCELLERS } from '../../src/domain/occurrence.ts';
import { OUTBOUND_EVENT_TYPES } from '../../src/domain/outbound.ts';
import { ROLES } from '../../src/domain/roster.ts';
import { ATTENDANCE_STATUSES, EVIDENCE_TIERS, OUTCOMES } from '../../src/domain/verdict.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { PROJECT } from './source-files.ts';

/**
 * One name for one thing. Closed lists stand in the code and in the database's constraints, and the contract with
 * administrators in the names of views and columns; here they are held together.
 */

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

async function column(text: string, values: readonly unknown[] = []): Promise<string[]> {
  const { rows } = await client.query<{ value: string }>(text, [...values]);
  return rows.map(({ value }) => value);
}

/** The constraint that holds a list, and the list as the code has it. */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  alert_kind_is_known: ALERT_KINDS,
  alert_level_is_known: ALERT_LEVELS,
  calendar_push_state_is_known: PUSH_STATES,
  channel_state_is_known: CHANNEL_STATES,
  calendar_state_is_known: CALENDAR_STATES,
  event_copy_owner_response_is_known: RSVPS,
  enrolment_role_is_known: ROLES,
  evidence_kind_is_known: EVIDENCE_KINDS,
  evidence_source_is_known: EVIDENCE_SOURCES,
  mail_kind_is_known: MAIL_KINDS,
  membership_role_is_known: ROLES,
  outbound_event_type_is_known: OUTBOUND_EVENT_TYPES,
  outcome_history_outcome_is_known: OUTCOMES,
  participant_evidence_tier_is_known: EVIDENCE_TIERS,
  participant_role_is_known: ROLES,
  participant_rsvp_is_known: RSVPS,
  participant_status_is_known: ATTENDANCE_STATUSES,
  session_cancelled_by_is_known: CANCELLERS,
  session_evidence_tier_is_known: EVIDENCE_TIERS,
  session_outcome_is_known: OUTCOMES,
};

/** What other programs rely on: more columns may follow, none of these may go. */
const VIEWS: Readonly<Record<string, string>> = {
  session: `session_id occurrence_id program mentorship scheduled_start scheduled_end status outcome outcome_reason
    ordinal stage reschedules first_seen_at cancelled_at cancelled_by provisional_at settled_at lineage`,
  attendance: `session_id participant_id name email role rsvp status minutes joined_at left_at evidence_tier`,
  evidence: `evidence_id session_id participant_id source kind from_at until_at detail seen_at`,
  outcome_history: `session_id outcome outcome_reason decided_at because`,
  unknown_session: `session_id program mentorship scheduled_start outcome_reason`,
  unmatched_event: `program calendar starts_at reason seen_at`,
  candidate_event: `program mentorship starts_at ends_at seen_at`,
  planned_session: `plan_id program mentorship starts_at ends_at tolerance reference session_id state`,
  cadence: `program mentorship state due_at last_held_at next_session_at at_risk reasons unverified_since`,
  alert: `alert_id program mentorship kind level opened_at told_at resolved_at baselined reasons`,
  program_month: `program month scheduled held too_short one_sided no_one cancelled unknown hours coverage`,
  mentorship_month: `program mentorship month scheduled held too_short one_sided no_one cancelled unknown hours
    coverage`,
  mentor_month: `program month scheduled held too_short one_sided no_one cancelled unknown hours coverage`,
  reminder_log: `mail_id session_id mentorship participant_id kind due_at status sent_at reason`,
  outbound_event: `event_id position type subject sequence occurred_at payload`,
  webhook_delivery: `event_id endpoint status attempts next_attempt_at last_status last_error`,
  sync_health: `calendar owner provider state reason since last_complete_pass_at lag push push_expires_at parked drift`,
  feedback: `session_id role rating comment given_at`,
  metric_dictionary: `view column_name definition`,
  cadence_compliance: `program mentorship form current expected kept missed unverified free_periods free_days coverage`,
  program_compliance: `program form current expected kept missed unverified free_periods free_days coverage`,
  program_progress: `program mentorships have_met not_met days_to_first_median days_waiting_median gap_days_median
    gap_days_p90`,
  mentorship_activity: `program mentorship in_date paused past_grace counted active active_or_booked planned_ends_on
    ended_early match_length_months open_months`,
  program_activity: `program in_date paused in_grace counted active unverified active_or_booked coverage`,
  program_activity_month: `program month in_date paused counted ever_active unverified closed closed_planned
    closed_early coverage`,
  enrolment: `program participant_id name email role enrolled_on ends_on enrolled matched days_waiting`,
  match_rate: `program role enrolled matched waiting days_waiting_median days_waiting_longest`,
  engagement: `program role days participants paused engaged unverified coverage`,
  mentor_load: `program participant_id month mentorships mentorships_at_end held unknown verified_hours capacity
    free_places load over_capacity`,
  benchmark: `program mentorship benchmark sessions within due_at reached_at attained state counted`,
  benchmark_attainment: `program benchmark counted attained missed unverified open ended coverage`,
  milestone: `program mentorship stage from_session milestone_reached_at`,
  pause_history: `pause_id program mentorship participant_id change from_on until_on reason said_by recorded_by said_at`,
};

describe('closed lists', () => {
  it.each(Object.entries(LISTS))('%s holds what the code knows', async (constraint, list) => {
    const [definition] = await column(
      `select pg_get_constraintdef(oid) as value from pg_catalog.pg_constraint where conname = $1`,
      [constraint],
    );
    const words = [...(definition ?? '').matchAll(/'([^']+)'::text/g)].map(([, word]) => word as string);
    expect(words.toSorted()).toEqual([...list].toSorted());
  });

  it('stand in the glossary', () => {
    const glossary = readFileSync(join(PROJECT, 'src/domain/GLOSSARY.md'), 'utf8');
    const words = new Set([...Object.values(LISTS).flat(), ...CADENCE_STATES, ...FAILURE_KINDS]);
    const absent = [...words].filter(
      // Event types and who called a session off are told in the schemas of the webhooks.
      (word) => !word.includes('.') && word !== 'other' && !glossary.includes(`\`${word}\``),
    );
    expect(absent).toEqual([]);
  });
});

describe('the views', () => {
  it.each(Object.entries(VIEWS))(
    'mentoring.%s has the columns that were promised',
    async (view, promised) => {
      const columns = await column(
        `select column_name as value from information_schema.columns
        where table_schema = 'mentoring' and table_name = $1`,
        [view],
      );
      expect(promised.split(/\s+/).filter((name) => !columns.includes(name))).toEqual([]);
    },
  );

  it.each([
    ['program_month', 'attendance_rate'],
    ['mentorship_month', 'attendance_rate'],
    ['mentor_month', 'attendance_rate'],
    ['participant_month', 'participant_attendance_rate'],
    ['participant_attendance', 'participant_attendance_rate'],
    ['role_month', 'participant_attendance_rate'],
    ['reminder_outcome', 'attended_after_reminder'],
    ['feedback_month', 'response_rate'],
    ['cadence_compliance', 'cadence_compliance'],
    ['program_compliance', 'cadence_compliance'],
    ['program_activity', 'active_or_booked_rate'],
    ['program_activity_month', 'early_closure_rate'],
    ['match_rate', 'match_rate'],
    ['engagement', 'engagement_rate'],
    ['benchmark_attainment', 'benchmark_attainment'],
  ])('mentoring.%s gives every rate three ways', async (view, one) => {
    const columns = await column(
      `select column_name as value from information_schema.columns
        where table_schema = 'mentoring' and table_name = $1`,
      [view],
    );
    const rates = columns
      .filter((name) => name.endsWith('_verified'))
      .map((name) => name.replace(/_verified$/, ''));
    expect(rates).toContain(one);
    for (const rate of rates)
      expect(columns).toEqual(expect.arrayContaining([`${rate}_lower`, `${rate}_upper`]));
  });

  it('say what they and their columns mean', async () => {
    const silent = await column(
      `select format('%s.%s', c.relname, a.attname) as value
         from pg_catalog.pg_class c
         join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace = 'mentoring'::regnamespace and c.relkind = 'v'
          and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)`,
    );
    expect(silent).toEqual([]);
  });

  it('are all that a reader may see', async () => {
    const seen = await column(
      `select format('%s.%s', n.nspname, c.relname) as value
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('cadenced', 'mentoring') and c.relkind in ('r', 'v', 'p')
          and has_table_privilege('mentoring_reader', c.oid, 'select')
        order by 1`,
    );
    expect(seen.filter((name) => !name.startsWith('mentoring.'))).toEqual([]);
    expect(seen).toEqual(expect.arrayContaining(Object.keys(VIEWS).map((view) => `mentoring.${view}`)));
    const changed = await column(
      `select format('%s.%s', n.nspname, c.relname) as value
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('cadenced', 'mentoring') and c.relkind in ('r', 'v', 'p')
          and has_table_privilege('mentoring_reader', c.oid, 'insert, update, delete, truncate')`,
    );
    expect(changed).toEqual([]);
  });
});
