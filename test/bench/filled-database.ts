import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { locateProject } from '../../src/runtime/locate.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { prepareDatabase } from '../../src/store/migrate.ts';
import { createPool } from '../../src/store/pool.ts';
import { POLICY } from '../integration/seeded-world.ts';

/** How much is filled in. A mentor has four mentorships; sessions of a mentorship lie two weeks apart. */
export type Size = { readonly programs: number; readonly mentorships: number; readonly sessions: number };

export const FULL: Size = { programs: 2_000, mentorships: 200_000, sessions: 5_000_000 };

/** The value of `--name` on the command line. */
export function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

export function sizeFrom(share: number): Size {
  if (!(share > 0 && share <= 1)) throw new RangeError('the share of the full size lies between 0 and 1');
  return {
    programs: Math.max(2, Math.round(FULL.programs * share)),
    mentorships: Math.max(8, Math.round(FULL.mentorships * share)),
    sessions: Math.max(200, Math.round(FULL.sessions * share)),
  };
}

export type BenchCluster = {
  readonly pool: pg.Pool;
  readonly url: string;
  /** The server's process. */
  readonly pid: number;
  /** The folder was kept by an earlier run and holds its rows. */
  readonly filled: boolean;
  close(): Promise<void>;
};

/**
 * An embedded cluster as the daemon would start it.
 * @param keepIn a folder that outlives the run; filling takes minutes, looking at a plan does not
 * @param durable whether a commit waits for the disk, as in production: it matters to whoever writes
 */
export async function openBenchCluster(keepIn: string | undefined, durable: boolean): Promise<BenchCluster> {
  if (keepIn !== undefined) mkdirSync(keepIn, { recursive: true });
  const dataDir = keepIn ?? mkdtempSync(join(tmpdir(), 'cadenced-bench-'));
  const log = silentLog();
  const server: EmbeddedPostgres = await startEmbeddedPostgres({ dataDir, durable, log });
  const pool = createPool({ url: server.url, max: 4, applicationName: 'bench', log });
  const close = async () => {
    await pool.end();
    await server.stop();
    if (keepIn === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    await prepareDatabase(pool, { sqlDir: locateProject().sql, log });
  } catch (problem) {
    await close();
    throw problem;
  }
  const { rows } = await pool.query<{ some: boolean }>(
    'select exists (select from cadenced.webhook_delivery) as some',
  );
  return { pool, url: server.url, pid: server.pid, filled: rows[0]?.some ?? false, close };
}

/**
 * Fills the tables set-based. Sessions are written round by round over all mentorships, as a year of syncs would:
 * the rows of one mentorship lie far apart on disk. Two rounds are still to come.
 */
export async function fill(pool: pg.Pool, size: Size, say: (line: string) => void): Promise<void> {
  const client = await pool.connect();
  const rounds = Math.ceil(size.sessions / size.mentorships);
  const step = async (what: string, text: string, values: unknown[] = []) => {
    const begin = performance.now();
    const { rowCount } = await client.query(text, values);
    say(`  ${what}: ${rowCount ?? 0} rows, ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  };
  try {
    // Foreign keys and triggers cost more than the rows; what is written here keeps them by construction.
    await client.query(`set session_replication_role = replica; set synchronous_commit = off;
                        set work_mem = '256MB'; set maintenance_work_mem = '512MB'; set statement_timeout = 0;
                        set idle_in_transaction_session_timeout = 0`);
    // Indexes are cheaper built at the end than row by row.
    const { rows: indexes } = await client.query<{ name: string; definition: string }>(
      `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
         from pg_index
        where indrelid in ('cadenced.occurrence'::regclass, 'cadenced.session'::regclass,
                           'cadenced.participant'::regclass, 'cadenced.outcome_history'::regclass)
          and not exists (select from pg_constraint where conindid = indexrelid)`,
    );
    for (const { name } of indexes) await client.query(`drop index ${name}`);
    await step(
      'programs',
      `insert into cadenced.program (name, time_zone, live_from)
       select 'program ' || n, (array['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'UTC'])[1 + n % 4],
              cadenced.now() - interval '2 years'
         from generate_series(1, $1::int) n`,
      [size.programs],
    );
    await client.query(
      `insert into cadenced.program_policy (program_id, valid_from, policy)
       select program_id, cadenced.now() - interval '2 years', $1::jsonb from cadenced.program`,
      [JSON.stringify({ ...POLICY, candidates: true })],
    );
    await step(
      'mentorships',
      `insert into cadenced.mentorship (program_id, key, starts_on)
       select 1 + (n - 1) * $2::bigint / $1, 'pair ' || n, current_date - 14 * $3::int
         from generate_series(1, $1::int) n`,
      [size.mentorships, size.programs, rounds - 2],
    );
    await step(
      'people',
      `insert into cadenced.person (address, name, calendar_provider)
       select 'person' || n || '@example.org', 'Person ' || n, 'google'
         from generate_series(1, $1::int + ($1::int + 3) / 4) n`,
      [size.mentorships],
    );
    await client.query('insert into cadenced.person_address select address, person_id from cadenced.person');
    // Mentees stand first, a mentor for each four of them behind.
    await step(
      'members',
      `insert into cadenced.membership (mentorship_id, person_id, role)
       select n, n, 'mentee' from generate_series(1, $1::int) n
        union all
       select n, $1 + (n + 3) / 4, 'mentor' from generate_series(1, $1::int) n`,
      [size.mentorships],
    );
    await step(
      'calendars',
      `insert into cadenced.calendar (provider, address, person_id, last_complete_pass_at, next_poll_at)
       select 'google', address, person_id, cadenced.now() - interval '5 minutes', now() + interval '1 day'
         from cadenced.person`,
    );
    await step(
      'occurrences',
      `insert into cadenced.occurrence (lineage, original_start, original_date, starts_at, ends_at, title,
                                        conference_kind, conference_key, organizer, first_seen_at)
       select 'uid-' || pair || '@example.org', at, at::date, at, at + interval '1 hour', 'Talk',
              'meet', 'key-' || pair, 'person' || ($2::int + (pair + 3) / 4) || '@example.org', at - interval '20 days'
         from (select 1 + (n - 1) % $2::int as pair,
                      date_trunc('hour', cadenced.now())
                        + ((n - 1) / $2::int - ($3::int - 2)) * interval '14 days'
                        + (n % 97) * interval '1 hour' - interval '5 days' as at
                 from generate_series(1, $1::int) n) as planned`,
      [size.sessions, size.mentorships, rounds],
    );
    await step(
      'sessions',
      `insert into cadenced.session
         (occurrence_id, mentorship_id, starts_at, ends_at, status, cancelled_at, cancel_reason, first_seen_at,
          reschedules, outcome, outcome_reason, overlap_minutes, evidence_tier, provisional_at, settled_at)
       select occurrence_id, pair, starts_at, ends_at,
              case when outcome = 'cancelled' then 'cancelled' else 'scheduled' end,
              case when outcome = 'cancelled' then starts_at - interval '12 hours' end,
              case when outcome = 'cancelled' then 'cancelled' end,
              first_seen_at, (dice = 7)::int, outcome,
              case outcome when 'held' then 'both_present' when 'one_sided' then 'mentee_absent'
                           when 'unknown' then 'no_record' when 'cancelled' then 'cancelled' end,
              case outcome when 'held' then 30 + dice end,
              case outcome when 'held' then 'conference_both' when 'one_sided' then 'conference_one'
                           when 'unknown' then 'none' end,
              case when outcome is not null then ends_at + interval '3 hours' end,
              case when outcome is not null then ends_at + interval '48 hours' end
         from (select occurrence.*, 1 + (occurrence_id - 1) % $1::int as pair, occurrence_id * 7919 % 20 as dice,
                      case when occurrence.ends_at > cadenced.now() - interval '48 hours' then null
                           else (array['held', 'held', 'held', 'held', 'held', 'held', 'held', 'held', 'held', 'held',
                                       'held', 'held', 'held', 'unknown', 'unknown', 'unknown', 'cancelled',
                                       'cancelled', 'one_sided', 'too_short'])[1 + occurrence_id * 7919 % 20] end as outcome
                 from cadenced.occurrence) as planned
        order by occurrence_id`,
      [size.mentorships],
    );
    await step(
      'participants',
      `insert into cadenced.participant (session_id, person_id, role, rsvp, status, minutes, joined_at, left_at,
                                         evidence_tier)
       select session.session_id, case side.role when 'mentee' then mentorship_id else $1::int + (mentorship_id + 3) / 4 end,
              side.role, 'accepted',
              case outcome when 'held' then 'attended' when 'too_short' then 'attended' when 'unknown' then 'unknown'
                           when 'one_sided' then case side.role when 'mentor' then 'attended' else 'absent' end end,
              overlap_minutes, case when overlap_minutes is not null then starts_at + interval '2 minutes' end,
              case when overlap_minutes is not null then starts_at + interval '40 minutes' end,
              coalesce(evidence_tier, 'none')
         from cadenced.session cross join (values ('mentor'), ('mentee')) as side (role)
        order by session.session_id`,
      [size.mentorships],
    );
    for (const { definition } of indexes) await client.query(definition);
    say(`  indexes: ${indexes.length}`);
    await step(
      'evidence',
      `insert into cadenced.evidence (occurrence_id, person_id, source, kind, from_at, until_at, reference, seen_at)
       select session.occurrence_id, participant.person_id, 'meet', 'presence', participant.joined_at,
              participant.left_at, 'session-' || participant.person_id, session.ends_at
         from cadenced.session join cadenced.participant using (session_id)
        where session.session_id > $1::int and session.outcome = 'held'`,
      [size.sessions - 6 * size.mentorships],
    );
    await step(
      'history',
      `insert into cadenced.outcome_history (session_id, outcome, outcome_reason, decided_at, because)
       select session_id, outcome, outcome_reason, settled_at, 'settled' from cadenced.session
        where session_id > $1::int and outcome is not null`,
      [size.sessions - 6 * size.mentorships],
    );
    await step(
      'mails',
      `insert into cadenced.mail (fact_key, kind, session_id, mentorship_id, person_id, to_address, due_at, status, sent_at)
       select 'reminder/' || session_id || '/' || participant.person_id, 'reminder', session_id, mentorship_id,
              participant.person_id, 'x@example.org', starts_at - interval '1 day', 'sent', starts_at - interval '1 day'
         from cadenced.session join cadenced.participant using (session_id)
        where session_id > $1::int and starts_at < cadenced.now()`,
      [size.sessions - 5 * size.mentorships],
    );
    await step(
      'outbound events',
      `insert into cadenced.outbound_event (event_id, fact_key, type, subject, sequence, occurred_at, payload)
       select 'evt_' || session_id, 'session/' || session_id || '/judged', 'session.judged', 'session/' || session_id, 1,
              settled_at, '{}' from cadenced.session where session_id > $1::int and settled_at is not null`,
      [size.sessions - 6 * size.mentorships],
    );
    await step(
      'alerts, pauses, plans, feedback',
      `with alerts as (
         insert into cadenced.alert (mentorship_id, kind, opened_at, reasons, resolved_at)
         select mentorship_id, 'at_risk', cadenced.now() - interval '9 days', '{overdue}',
                case when mentorship_id % 20 = 0 then cadenced.now() end
           from cadenced.mentorship where mentorship_id % 10 = 0
       ), pauses as (
         insert into cadenced.pause (mentorship_id, from_on, until_on)
         select mentorship_id, current_date - 60, current_date - 40 from cadenced.mentorship where mentorship_id % 100 = 3
       ), plans as (
         insert into cadenced.planned_session (mentorship_id, starts_at, ends_at)
         select mentorship_id, cadenced.now() + interval '9 days', cadenced.now() + interval '9 days 1 hour'
           from cadenced.mentorship where mentorship_id % 10 = 5
       ), unmatched as (
         insert into cadenced.unmatched_event
         select calendar_id, 'event', 1 + calendar_id % $1::int, cadenced.now(), 'no_mentee', cadenced.now()
           from cadenced.calendar where calendar_id % 5 = 0
       ), candidates as (
         insert into cadenced.candidate_event
         select mentorship_id, 'event', mentorship_id, cadenced.now(), cadenced.now() + interval '1 hour', cadenced.now()
           from cadenced.mentorship where mentorship_id % 10 = 7
       )
       insert into cadenced.feedback (session_id, person_id, rating, given_at)
       select session_id, mentorship_id, 5, ends_at from cadenced.session
        where session_id % 10 = 1 and outcome = 'held'`,
      [size.programs],
    );
    await step(
      'deliveries',
      `with endpoint as (
         insert into cadenced.webhook_endpoint (name, url, sealed_secrets)
         values ('bench', 'https://example.org', '{sealed}') returning endpoint_id
       )
       insert into cadenced.webhook_delivery (event_id, endpoint_id, status, attempts)
       select event_id, endpoint_id, 'delivered', 1 from cadenced.outbound_event cross join endpoint
        where position % 4 = 0`,
    );
    // What follows joins what was filled in; without statistics it would do so row by row.
    await step('analysed for the first time', 'analyze');
    for (const [what, text] of waitingWork(size)) await step(what, text);
    await client.query('set session_replication_role = origin');
    await step('analysed', 'vacuum analyze');
    await client.query(
      `insert into cadenced.stale_month (program_id, month)
       select distinct program_id, month from cadenced.session_fact`,
    );
    await step('months', 'select cadenced.renew_months(1000000)');
    await client.query('vacuum analyze cadenced.stale_month, cadenced.program_month_total');
  } finally {
    client.release(true);
  }
}

/**
 * What the daemon looks through every second to find that nothing is due: sessions that will be judged, meetings
 * that will be asked about, mails that will leave, calendars that are watched and polled, all of them later.
 */
export function waitingWork({ sessions, mentorships }: Size): Array<[what: string, text: string]> {
  const recent = sessions - 4 * mentorships;
  return [
    [
      'judgements to come',
      `update cadenced.session
          set next_judgement_at = greatest(ends_at + interval '3 hours',
                                           cadenced.now() + interval '1 day' + session_id % 9999 * interval '1 second')
        where session_id > ${recent} and outcome is null`,
    ],
    [
      'harvests',
      `insert into cadenced.harvest (occurrence_id, source, state, attempts, due_at, last_answer)
       select occurrence_id, 'meet', case when ahead then 'waiting' else 'final' end, case when ahead then 0 else 3 end,
              case when ahead then greatest(ends_at + interval '10 minutes', cadenced.now() + interval '1 day') end,
              case when not ahead then 'records' end
         from (select occurrence_id, ends_at, ends_at > cadenced.now() - interval '48 hours' as ahead
                 from cadenced.occurrence where occurrence_id > ${recent}) as meeting`,
    ],
    [
      'copies',
      `insert into cadenced.event_copy
         (calendar_id, occurrence_id, source_id, series_id, uid, lineage, original_start, original_date, starts_at,
          ends_at, time_zone, status, organizer, owner_is_organizer, owner_response, people, people_omitted, title,
          private, hidden, conference_kind, conference_key, matched, revision, first_seen_at)
       select calendar.calendar_id, occurrence.occurrence_id, 'source-' || occurrence.occurrence_id,
              'series-' || participant.person_id, occurrence.lineage, occurrence.lineage, occurrence.original_start,
              occurrence.original_date, occurrence.starts_at, occurrence.ends_at, 'Europe/Berlin', 'confirmed',
              occurrence.organizer, participant.role = 'mentor', participant.rsvp,
              jsonb_build_array(
                jsonb_build_object('address', occurrence.organizer, 'name', 'Mentor', 'response', 'accepted',
                                   'organizer', true, 'optional', false),
                jsonb_build_object('address', person.address, 'name', person.name, 'response', 'accepted',
                                   'organizer', false, 'optional', false)),
              false, occurrence.title, false, false, 'meet', occurrence.conference_key,
              '[{"program": "program 1", "rule": "#mentoring"}]', 'etag', occurrence.first_seen_at
         from cadenced.session
         join cadenced.occurrence on occurrence.occurrence_id = session.occurrence_id
         join cadenced.participant on participant.session_id = session.session_id
         join cadenced.person on person.person_id = participant.person_id
         join cadenced.calendar on calendar.person_id = participant.person_id
        where session.session_id > ${recent}`,
    ],
    [
      'mails to come',
      `insert into cadenced.mail (fact_key, kind, session_id, mentorship_id, person_id, to_address, due_at, expires_at)
       select 'reminder/' || session_id || '/' || participant.person_id || '/PT1H', 'reminder', session_id,
              mentorship_id, participant.person_id, 'x@example.org', starts_at - interval '1 hour', starts_at
         from cadenced.session join cadenced.participant using (session_id)
        where session.session_id > ${recent} and session.status = 'scheduled'
          and starts_at between cadenced.now() + interval '1 day' and cadenced.now() + interval '30 days'`,
    ],
    [
      'channels',
      `insert into cadenced.channel (channel_id, calendar_id, provider, secret_hash, url, external_id, state,
                                     requested_at, opened_at, expires_at, renew_at, first_spoke_at)
       select gen_random_uuid(), calendar_id, 'google', sha256(calendar_id::text::bytea), 'https://cadenced.example',
              'channel-' || calendar_id, 'verified', now(), now(), now() + interval '7 days', now() + interval '5 days',
              now()
         from cadenced.calendar`,
    ],
    [
      'calendars at rest',
      `update cadenced.calendar
          set push_state = 'verified', push_since = now(), channels_due_at = now() + interval '5 days',
              last_full_pass_at = now() - interval '9 days', full_pass_wanted = false, cursor = 'cursor',
              last_reconcile_at = now() - calendar_id % 64000 * interval '1 second',
              reconcile_at = now() + (1 + calendar_id % 64000) * interval '1 second'`,
    ],
  ];
}
