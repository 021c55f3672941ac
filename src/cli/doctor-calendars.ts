import type { Kysely } from 'kysely';
import { buildProviders } from '../compose.ts';
import { asFailure } from '../domain/failure.ts';
import type { Provider } from '../domain/observation.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Settings } from '../settings/settings.ts';
import { type KnownCalendar, listCalendars } from '../store/calendars.ts';
import type { DB } from '../store/database.generated.ts';
import type { Unread } from '../store/health.ts';
import type { CalendarTrouble } from '../store/status.ts';
import { tenantFindings } from './doctor-tenant.ts';
import { mendOf, told } from './failures.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { counted } from './wording.ts';

/** So many calendars of each provider are tried: enough to tell one person's trouble from everybody's. */
const TRIED = 5;
const PATIENCE_MS = 60_000;
/** Without these nothing can be read; the others only cost evidence. */
const ESSENTIAL = new Set(['google calendar', 'calendar', 'credential']);

const SETUP: { readonly [P in Provider]: string } = {
  google: 'set CADENCED_GOOGLE_KEY_FILE',
  microsoft: 'set CADENCED_MICROSOFT_TENANT, CADENCED_MICROSOFT_CLIENT_ID and a credential',
};

const WITHOUT_LOG =
  "not tried: without an administrator the log of Meet is not read. Attendance then rests on Meet's own records, which end after 30 days and name people by what the public directory shows";
const ADMIN_MEND =
  'set CADENCED_GOOGLE_ADMIN_SUBJECT to an administrator with the privileges Reports and Users, Read (config/README.md, section 4)';

/** Tries the first calendars of each provider that is set up. */
export async function providerFindings(
  db: Kysely<DB>,
  settings: Settings,
  log: Log,
  signal: AbortSignal,
): Promise<Finding[]> {
  const calendars = await listCalendars(db);
  const providers = buildProviders(settings, systemClock(), log.child({}, { level: 'fatal' }));
  const findings: Finding[] = [];
  for (const provider of ['google', 'microsoft'] as const) {
    const own = calendars.filter((calendar) => calendar.provider === provider);
    const adapter = providers[provider];
    if (adapter === null) {
      if (own.length > 0) {
        const mend = `${SETUP[provider]}, or change column calendar in the roster`;
        findings.push(
          fail(provider, `${counted(own.length, 'calendar')} to read, and no access is set up`, mend),
        );
      }
      continue;
    }
    if (own.length === 0) {
      findings.push(warn(provider, 'no calendar to try', 'import a roster: cadenced import FILE'));
    }
    const tried = own.slice(0, TRIED);
    for (const calendar of tried) findings.push(...(await probe(adapter, calendar, signal)));
    if (provider === 'microsoft' && providers.microsoft && settings.microsoft) {
      findings.push(...(await tenantFindings(db, providers.microsoft, settings.microsoft, tried, signal)));
    }
    if (provider === 'google' && settings.google?.adminSubject === null && own.length > 0) {
      findings.push(warn('google reports', WITHOUT_LOG, ADMIN_MEND));
    }
    if (own.length > TRIED) {
      findings.push(ok(provider, `${TRIED} of ${own.length} calendars tried; cadenced sync reads them all`));
    }
  }
  return findings;
}

async function probe(
  adapter: {
    probe(
      address: string,
      signal: AbortSignal,
    ): Promise<
      ReadonlyArray<{
        readonly check: string;
        readonly ok: boolean;
        readonly finding: string;
        readonly mend: string;
      }>
    >;
  },
  { address, provider }: KnownCalendar,
  signal: AbortSignal,
): Promise<Finding[]> {
  try {
    const found = await adapter.probe(address, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]));
    return found.map(({ check, ok: isWell, finding, mend }) => {
      const what = `${address}, ${check.startsWith(provider) ? check : `${provider} ${check}`}`;
      if (isWell) return ok(what, finding);
      return ESSENTIAL.has(check) ? fail(what, finding, mend) : warn(what, finding, mend);
    });
  } catch (problem) {
    if (signal.aborted) throw problem;
    const failed = asFailure(problem);
    return [fail(`${address}, ${provider}`, told(failed), mendOf(failed))];
  }
}

/** Calendars that the daemon could not read or does not read, or of which it holds something back. */
export function calendarFindings(
  troubles: readonly CalendarTrouble[],
  unread: readonly Unread[],
): readonly Finding[] {
  const findings = [...troubles.flatMap(troubleFindings), ...unread.map(unreadFinding)];
  return findings.length > 0 ? findings : [ok('calendars', 'none is unreadable, nothing is held back')];
}

function troubleFindings({ calendar, provider, state, reason, since, parked }: CalendarTrouble): Finding[] {
  const what = `${calendar} (${provider})`;
  const told = `${state} since ${since.toISOString()}${reason === null ? '' : `: ${reason}`}`;
  const findings: Finding[] = [];
  if (state in UNREADABLE) findings.push(fail(what, told, UNREADABLE[state] ?? ''));
  else if (state === 'throttled') findings.push(warn(what, told, 'it is tried again by itself'));
  if (parked > 0) {
    findings.push(
      warn(
        what,
        `${counted(parked, 'meeting')} vanished at once; their cancellation is held back`,
        `if they are really gone: cadenced approve --calendar ${calendar}`,
      ),
    );
  }
  return findings;
}

const UNREADABLE: Readonly<Record<string, string>> = {
  denied: 'let the application read this calendar again; it is tried again by itself',
  needs_consent: 'renew the consent or the credential; it is tried again by itself',
  gone: 'check the address in the roster: a leaver, another primary address, or a mailbox without a licence',
};

function unreadFinding({ provider, count, some, failures, since, reason, ofSettings }: Unread): Finding {
  const more = count > some.length ? ` and ${count - some.length} more` : '';
  const what = `${some.join(', ')}${more} (${provider})`;
  const untried = failures === 0 && reason === null;
  if (since === null && untried)
    return warn(what, 'not read yet', 'the daemon reads them as soon as it runs: cadenced start');
  const told = since === null ? 'never read' : `not read since ${since.toISOString()}`;
  if (untried) return fail(what, told, 'nothing failed, they were not tried: see that the daemon runs');
  const why = [`${counted(failures, 'failure')} in a row`, reason].filter((part) => part !== null);
  const mend = ofSettings
    ? `mend what is said of ${provider} above; where all is well there, restart the daemon: it has the settings it was started with`
    : `see what is said of ${provider} above, and the log of the daemon; it is tried again by itself`;
  return fail(what, `${told} (${why.join(', ')})`, mend);
}
