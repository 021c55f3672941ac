import type { Kysely } from 'kysely';
import { DateTime } from 'luxon';
import type { DB } from '../store/database.generated.ts';
import {
  type CalendarTrouble,
  type Counts,
  type Overview,
  readCadences,
  readCalendarTroubles,
  readCounts,
  readOverview,
  readRecentSessions,
  readTroubles,
} from '../store/status.ts';
import { EXIT, type Io } from './io.ts';
import { type Look, withLook } from './look.ts';
import { type OpenDatabase, withSettings } from './open.ts';
import { readSummary, renderTroubles } from './summary.ts';
import { counted } from './wording.ts';

/** `cadenced status`: tells the state of everything and changes nothing. */
export function runStatus(options: { readonly json: boolean }, io: Io): Promise<number> {
  return withSettings(io, [], (settings, log) =>
    withLook(settings, log, async (look) => {
      const missing = whyNotReadable(look);
      if (look === null || missing !== null) {
        io.stderr(missing ?? NO_DATABASE);
        return EXIT.failed;
      }
      if (options.json) io.stdout(JSON.stringify(await readSummary(look.db)));
      else for (const line of await renderStatus(look.db, look.database)) io.stdout(line);
      return EXIT.ok;
    }),
  );
}

const NO_DATABASE =
  'There is no database yet: cadenced start makes one, or set DATABASE_URL to the one that is used.';

function whyNotReadable(look: Look | null): string | null {
  if (look === null) return NO_DATABASE;
  const { pending, unknown } = look.inspection;
  if (unknown.length > 0) {
    return `The database was prepared by a newer cadenced (${unknown.join(', ')}): look at it with that version.`;
  }
  if (pending.length === 0) return null;
  return `The database is not prepared for this version (missing: ${pending.join(', ')}): run cadenced migrate.`;
}

async function renderStatus(db: Kysely<DB>, database: OpenDatabase): Promise<string[]> {
  const [overview, counts, calendars, troubles, recent, cadences] = await Promise.all([
    readOverview(db),
    readCounts(db),
    readCalendarTroubles(db),
    readTroubles(db),
    readRecentSessions(db),
    readCadences(db),
  ]);
  const { due } = overview;
  const waiting = { mails: overview.mails_waiting, webhooks: overview.webhooks_waiting };
  const baselined =
    overview.baselined === 0 ? '' : `; ${overview.baselined} from before the program went live`;
  return [
    line('database', `PostgreSQL ${overview.server}, ${database.where}`),
    line('time', `${when(overview.now)} UTC${overview.clock_moved ? ', a moved clock' : ''}`),
    ...renderPrograms(overview),
    '',
    ...renderCalendars(counts.calendars, overview, calendars),
    '',
    line(
      'due now',
      listed({
        calendars: due.calendars,
        'conference records': due.evidence,
        judgements: due.judgements,
        mails: due.mails,
        webhooks: due.webhooks,
      }) || 'nothing',
    ),
    line('sessions', `${listed(recent) || 'none'} (last 30 days)`),
    line('', `${listed(counts.sessions) || 'none'} (all)`),
    line('cadence', listed(cadences) || 'no mentorship'),
    line('alerts', `${listed(counts.alerts) || 'none'} (open)${baselined}`),
    line('mails', `${listed(counts.mails) || 'none'} sent; ${waiting.mails} waiting`),
    line('webhooks', `${total(counts.delivered)} delivered; ${waiting.webhooks} waiting`),
    ...renderTroubles(troubles).map((trouble) => line('', `! ${trouble}`)),
    ...troubles.endpoints
      .filter(({ state }) => state !== 'disabled')
      .map(({ name, state, failing_since }) =>
        line(
          '',
          `! webhook ${name} is ${failing_since === null ? state : `failing since ${when(failing_since)}`}`,
        ),
      ),
    '',
    ...whereToLook(database),
  ];
}

function renderPrograms({ programs }: Overview): string[] {
  if (programs.length === 0)
    return [line('programs', 'none: name them in the file that CADENCED_CONFIG points to')];
  return programs.map(({ program, mentorships, people }, index) =>
    line(
      index === 0 ? 'programs' : '',
      `${program}: ${counted(mentorships, 'mentorship')}, ${counted(people, 'person', 'people')}`,
    ),
  );
}

function renderCalendars(states: Counts, overview: Overview, troubles: readonly CalendarTrouble[]): string[] {
  if (total(states) === 0) return [line('calendars', 'none: import a roster (cadenced import FILE)')];
  const oldest =
    overview.oldest_pass === null ? '' : `; the readable ones all read since ${when(overview.oldest_pass)}`;
  const sight = overview.never_read > 0 ? `; ${overview.never_read} not read completely yet` : oldest;
  return [
    line('calendars', `${listed(states)}${sight}`),
    ...troubles.map(({ calendar, provider, state, reason, since, parked }) => {
      const why = reason === null ? '' : `: ${reason}`;
      const held =
        parked === 0
          ? ''
          : `, ${counted(parked, 'meeting')} held back (cadenced approve --calendar ${calendar})`;
      return line('', `! ${calendar} (${provider}) ${state} since ${when(since)}${why}${held}`);
    }),
  ];
}

function whereToLook({ psql }: OpenDatabase): string[] {
  return [
    line(
      'more',
      psql === null
        ? 'while the daemon runs, this line tells how to open its database with psql'
        : `${psql} -c 'select * from mentoring.cadence'`,
    ),
    line('', 'select * from mentoring.metric_dictionary explains every view and column'),
    line('', 'cadenced doctor tries everything and says how to mend it'),
  ];
}

const LABEL = 11;

function line(label: string, text: string): string {
  return `${label.padEnd(LABEL)}${text}`.trimEnd();
}

function listed(counts: Counts): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`)
    .join(', ');
}

function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function when(at: Date): string {
  return DateTime.fromJSDate(at, { zone: 'utc' }).toFormat('yyyy-MM-dd HH:mm');
}
