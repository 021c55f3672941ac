import { type Kysely, sql } from 'kysely';
import { DateTime } from 'luxon';
import type { DB } from '../store/database.generated.ts';
import type { Pushed } from './sandbox-stage.ts';

/** Tells a person in plain lines what the daemon made of each step, from the same views that administrators read. */
export class News {
  readonly #db: Kysely<DB>;
  readonly #say: (line: string) => void;
  #position = 0;
  #told: number[] = [];

  constructor(db: Kysely<DB>, say: (line: string) => void) {
    this.#db = db;
    this.#say = say;
  }

  async opening(at: string, roster: ReadonlyArray<{ mentorship: string; email: string }>): Promise<void> {
    const mentorships = new Set(roster.map((row) => row.mentorship)).size;
    const people = new Set(roster.map((row) => row.email)).size;
    const { rows } = await sql<{ outcome: string; sessions: number }>`
      select coalesce(outcome, case when status = 'ended' then 'awaiting evidence' else status end) as outcome,
             count(*)::int as sessions
        from mentoring.session group by 1 order by 2 desc, 1`.execute(this.#db);
    this.#say(
      `${when(at)}  The daemon starts: ${mentorships} mentorships, ${people} people, five weeks of calendars to read.`,
    );
    this.#say(
      `             found ${rows.map((row) => `${row.sessions} ${row.outcome}`).join(', ') || 'no sessions'}`,
    );
    this.#say(`             push     ${await this.#push()}`);
    await this.#skip();
  }

  /** @param pushed what the providers told of by themselves, before anybody polled */
  async tell(at: string, title: string, pushed: Pushed): Promise<void> {
    const lines = [...told(pushed), ...(await this.#events()), ...(await this.#mails())];
    this.#say(`${when(at)}  ${title}`);
    for (const line of lines) this.#say(`             ${line}`);
  }

  /** How many calendars each provider tells of by itself. */
  async #push(): Promise<string> {
    const { rows } = await sql<{ provider: 'google' | 'microsoft'; verified: number; calendars: number }>`
      select provider, (count(*) filter (where push = 'verified'))::int as verified, count(*)::int as calendars
        from mentoring.sync_health group by provider order by provider`.execute(this.#db);
    const each = rows.map((row) => `${row.verified} of ${row.calendars} calendars ${PLACES[row.provider]}`);
    return `${each.join(' and ')} tell us when they change`;
  }

  async #skip(): Promise<void> {
    await this.#events();
    await this.#mails();
  }

  async #events(): Promise<string[]> {
    const { rows } = await sql<{ position: number; type: string; payload: Record<string, unknown> }>`
      select position, type, payload from cadenced.outbound_event where position > ${this.#position} order by position`.execute(
      this.#db,
    );
    this.#position = rows.at(-1)?.position ?? this.#position;
    return rows.map((row) => `webhook  ${describe(row.type, row.payload)}`);
  }

  async #mails(): Promise<string[]> {
    const { rows } = await sql<{ mail_ids: number[]; kind: string; recipients: string }>`
      select array_agg(mail_id) as mail_ids, kind, string_agg(to_address, ', ' order by to_address) as recipients
        from cadenced.mail
       where status = 'sent' and not (mail_id = any (${this.#told}::bigint[]))
       group by kind order by kind`.execute(this.#db);
    this.#told.push(...rows.flatMap((row) => row.mail_ids));
    return rows.map((row) => `mail     ${row.kind.replaceAll('_', ' ')} to ${row.recipients}`);
  }

  /** The table of mentorships with their state. */
  async table(): Promise<void> {
    const { rows } = await sql<{
      program: string;
      mentorship: string;
      state: string;
      at_risk: boolean | null;
      last_held_at: Date | null;
      next_session_at: Date | null;
      reasons: string[] | null;
    }>`select program, mentorship, state, at_risk, last_held_at, next_session_at, reasons
         from mentoring.cadence order by program, mentorship`.execute(this.#db);
    const width = Math.max(10, ...rows.map((row) => row.mentorship.length));
    this.#say(`${'mentorship'.padEnd(width)}  state         last held   next        reasons`);
    for (const row of rows) {
      this.#say(
        [
          row.mentorship.padEnd(width),
          `${row.state}${row.at_risk ? ' !' : ''}`.padEnd(12),
          day(row.last_held_at).padEnd(10),
          day(row.next_session_at).padEnd(10),
          (row.reasons ?? []).join(', '),
        ].join('  '),
      );
    }
  }

  closing(summary: object): string[] {
    return [
      '',
      ...Object.entries(summary).map(([key, value]) => `${key.padEnd(10)} ${JSON.stringify(value)}`),
    ];
  }
}

const PLACES = { google: 'at Google', microsoft: 'in Outlook' } as const;

function told({ google, microsoft, events, tookMs }: Pushed): string[] {
  if (google + microsoft === 0) return [];
  const who = [
    ...(google > 0 ? [`${google} ${PLACES.google}`] : []),
    ...(microsoft > 0 ? [`${microsoft} ${PLACES.microsoft}`] : []),
  ].join(' and ');
  const what = events === 0 ? 'read' : `${events} ${events === 1 ? 'session' : 'sessions'} up to date`;
  return [`push     told of ${who}, ${what} ${(tookMs / 1000).toFixed(1)} s later`];
}

function when(at: string): string {
  return DateTime.fromISO(at, { zone: 'utc' }).toFormat('ccc d LLL HH:mm').padEnd(16);
}

function day(at: Date | null): string {
  return at === null ? '-' : DateTime.fromJSDate(at, { zone: 'utc' }).toFormat('d LLL');
}

function describe(type: string, payload: Record<string, unknown>): string {
  const text = (name: string) => (typeof payload[name] === 'string' ? payload[name] : '');
  const at = (name: string) => {
    const value = text(name);
    return value === '' ? '' : DateTime.fromISO(value, { zone: 'utc' }).toFormat('ccc d LLL HH:mm');
  };
  const about = text('mentorship') || text('calendar');
  switch (type) {
    case 'session.rescheduled':
      return `${type}  ${about}: ${at('previous_start')} -> ${at('scheduled_start')}`;
    case 'session.judged':
    case 'attendance.changed':
      return `${type}  ${about} of ${at('scheduled_start')}: ${text('outcome')}${text('outcome_reason') && ` (${text('outcome_reason')})`}`;
    case 'session.scheduled':
    case 'session.cancelled':
      return `${type}  ${about}: ${at('scheduled_start')}`;
    case 'calendar.disconnected':
    case 'calendar.reconnected':
      return `${type}  ${about}: ${text('reason')}`;
    default:
      return `${type}  ${about}: ${Array.isArray(payload.reasons) ? payload.reasons.join(', ') : text('stage')}`;
  }
}
