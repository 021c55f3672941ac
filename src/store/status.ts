import { type Kysely, sql } from 'kysely';
import type { DB } from './database.generated.ts';

/**
 * What `cadenced status` tells, read from the views wherever they have it, so that an administrator who looks with
 * psql finds the same numbers.
 */

/** How often something was counted, by name; what was not met is missing. */
export type Counts = Readonly<Record<string, number>>;

export interface StoredCounts {
  /** By outcome; without one: `scheduled` (still to come), `awaiting` (ended, not yet judged), `cancelled`. */
  readonly sessions: Counts;
  /** Sent ones by kind. */
  readonly mails: Counts;
  /** Delivered ones by type. */
  readonly delivered: Counts;
  /** Open ones by kind. */
  readonly alerts: Counts;
  /** By state. */
  readonly calendars: Counts;
}

export interface Troubles {
  /** Calendars that a wrong setting or a missing grant keeps from being read. */
  readonly settings: ReadonlyArray<{ provider: string; fault: string; count: number }>;
  readonly mails: ReadonlyArray<{ kind: string; status: string; reason: string | null; count: number }>;
  readonly deliveries: ReadonlyArray<{
    endpoint: string;
    error: string | null;
    status: number | null;
    count: number;
  }>;
  readonly endpoints: ReadonlyArray<{
    name: string;
    state: string;
    reason: string | null;
    failing_since: Date | null;
  }>;
}

const COUNTED = sql`
  select coalesce(outcome, case status when 'ended' then 'awaiting' else status end) as name, count(*)::int as count
    from mentoring.session`;

async function counts(db: Kysely<DB>, query: ReturnType<typeof sql>): Promise<Counts> {
  const { rows } = await sql<{ name: string; count: number }>`${query}`.execute(db);
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

/** Everything stored, counted. */
export async function readCounts(db: Kysely<DB>): Promise<StoredCounts> {
  const [sessions, mails, delivered, alerts, calendars] = await Promise.all([
    counts(db, sql`${COUNTED} group by 1 order by 1`),
    counts(
      db,
      sql`select kind as name, count(*)::int as count from mentoring.reminder_log
           where status = 'sent' group by 1 order by 1`,
    ),
    counts(
      db,
      sql`select type as name, count(*)::int as count
            from mentoring.webhook_delivery join mentoring.outbound_event using (event_id)
           where status = 'delivered' group by 1 order by 1`,
    ),
    counts(
      db,
      sql`select kind as name, count(*)::int as count from mentoring.alert
           where resolved_at is null group by 1 order by 1`,
    ),
    counts(
      db,
      sql`select state as name, count(*)::int as count from mentoring.sync_health group by 1 order by 1`,
    ),
  ]);
  return { sessions, mails, delivered, alerts, calendars };
}

/** Calendars that a setting keeps from being read, mails and webhooks that were given up, and receivers that are not as they should be. */
export async function readTroubles(db: Kysely<DB>): Promise<Troubles> {
  const [settings, mails, deliveries, endpoints] = await Promise.all([
    sql<Troubles['settings'][number]>`
      select provider, config_fault as fault, count(*)::int as count from cadenced.calendar
       where config_fault is not null and retired_at is null group by 1, 2 order by 1, 2`.execute(db),
    sql<Troubles['mails'][number]>`
      select kind, status, reason, count(*)::int as count from mentoring.reminder_log
       where status in ('refused', 'failed') group by 1, 2, 3 order by 1, 2, 3`.execute(db),
    sql<Troubles['deliveries'][number]>`
      select endpoint, last_error as error, last_status as status, count(*)::int as count
        from mentoring.webhook_delivery where status = 'dead' group by 1, 2, 3 order by 1, 2, 3`.execute(db),
    sql<Troubles['endpoints'][number]>`
      select name, state, state_reason as reason, failing_since from cadenced.webhook_endpoint
       where state <> 'active' or failing_since is not null order by name collate "C"`.execute(db),
  ]);
  return {
    settings: settings.rows,
    mails: mails.rows,
    deliveries: deliveries.rows,
    endpoints: endpoints.rows,
  };
}

export interface CalendarTrouble {
  readonly calendar: string;
  readonly provider: string;
  readonly state: string;
  readonly reason: string | null;
  readonly since: Date;
  readonly last_complete_pass_at: Date | null;
  /** Meetings whose cancellation is held back. */
  readonly parked: number;
}

/** Calendars that are not simply active, the longest troubled first. */
export async function readCalendarTroubles(db: Kysely<DB>): Promise<readonly CalendarTrouble[]> {
  const { rows } = await sql<CalendarTrouble>`
    select calendar, provider, state, reason, since, last_complete_pass_at, parked
      from mentoring.sync_health where state <> 'active' or parked > 0
     order by since, calendar collate "C"`.execute(db);
  return rows;
}

export interface Overview {
  readonly server: string;
  /** Business time. */
  readonly now: Date;
  readonly clock_moved: boolean;
  readonly programs: ReadonlyArray<{ program: string; mentorships: number; people: number }>;
  /** Of the calendars that can be read, the one read longest ago; the others have a line of their own. */
  readonly oldest_pass: Date | null;
  readonly never_read: number;
  readonly due: {
    readonly calendars: number;
    readonly evidence: number;
    readonly judgements: number;
    readonly mails: number;
    readonly webhooks: number;
  };
  readonly mails_waiting: number;
  readonly webhooks_waiting: number;
  readonly baselined: number;
}

/** The state of everything in a handful of numbers. */
export async function readOverview(db: Kysely<DB>): Promise<Overview> {
  const { rows } = await sql<{
    overview: Omit<Overview, 'now' | 'oldest_pass'>;
    now: Date;
    oldest_pass: Date | null;
  }>`
    select cadenced.now() as now,
           (select min(last_complete_pass_at) from mentoring.sync_health
             where state in ('active', 'throttled', 'parked')) as oldest_pass,
           jsonb_build_object(
      'server', split_part(current_setting('server_version'), ' ', 1),
      'clock_moved', (select ahead_by <> interval '0' from cadenced.clock),
      'programs', coalesce((select jsonb_agg(jsonb_build_object('program', program.name,
            'mentorships', (select count(*) from cadenced.mentorship where mentorship.program_id = program.program_id),
            'people', (select count(distinct membership.person_id) from cadenced.membership
                         join cadenced.mentorship using (mentorship_id)
                        where mentorship.program_id = program.program_id)) order by program.name)
          from cadenced.program), '[]'),
      'never_read', (select count(*) from mentoring.sync_health where last_complete_pass_at is null),
      'due', jsonb_build_object(
        'calendars', (select count(*) from cadenced.calendar where retired_at is null and next_poll_at <= now()),
        'evidence', (select count(*) from cadenced.harvest where due_at <= (select cadenced.now())),
        'judgements', (select count(*) from cadenced.session where next_judgement_at <= (select cadenced.now())),
        'mails', (select count(*) from cadenced.mail
                   where status in ('queued', 'sending') and due_at <= (select cadenced.now())),
        'webhooks', (select count(*) from cadenced.webhook_delivery
                      where status = 'pending' and next_attempt_at <= now())),
      'mails_waiting', (select count(*) from mentoring.reminder_log where status in ('queued', 'sending')),
      'webhooks_waiting', (select count(*) from mentoring.webhook_delivery where status = 'pending'),
      'baselined', (select count(*) from mentoring.alert where resolved_at is null and baselined)) as overview`.execute(
    db,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a table gave no row');
  return { ...row.overview, now: row.now, oldest_pass: row.oldest_pass };
}

/** Sessions that were to begin in the last 30 days, counted like `StoredCounts.sessions`. */
export function readRecentSessions(db: Kysely<DB>): Promise<Counts> {
  return counts(
    db,
    sql`${COUNTED} where scheduled_start between (select cadenced.now()) - interval '30 days' and (select cadenced.now())
        group by 1 order by 2 desc, 1`,
  );
}

/** So many standings are worked out within a second or two; all at once would run into the statement timeout. */
const MENTORSHIPS_A_TIME = 5_000;

/** Mentorships by the state of their cadence, most first. */
export async function readCadences(db: Kysely<DB>): Promise<Counts> {
  const total = new Map<string, number>();
  for (let after = 0; ; ) {
    const { rows } = await sql<{ name: string; count: number; last: number }>`
      select state as name, count(*)::int as count, max(mentorship_id) as last from mentoring.cadence
       where mentorship_id = any (array(select mentorship_id from cadenced.mentorship where mentorship_id > ${after}
                                         order by mentorship_id limit ${MENTORSHIPS_A_TIME}))
       group by 1`.execute(db);
    if (rows.length === 0) break;
    for (const { name, count } of rows) total.set(name, (total.get(name) ?? 0) + count);
    after = Math.max(...rows.map((row) => row.last));
  }
  return Object.fromEntries([...total].toSorted(([a, of], [b, than]) => than - of || (a < b ? -1 : 1)));
}
