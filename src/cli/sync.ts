import PQueue from 'p-queue';
import { buildProviders, syncDeps } from '../compose.ts';
import { asFailure } from '../domain/failure.ts';
import type { KnownCalendar } from '../store/calendars.ts';
import { type SyncReport, syncCalendar } from '../usecases/sync-calendar.ts';
import { chooseCalendars } from './calendar-choice.ts';
import { told } from './failures.ts';
import { EXIT, type Io } from './io.ts';
import { withWorkshop } from './open.ts';
import { counted } from './wording.ts';

export interface SyncOptions {
  /** An address or alias; null = every calendar. */
  readonly calendar: string | null;
  readonly full: boolean;
}

/** What the daemon allows itself, too. */
const AT_ONCE = 6;

/** `cadenced sync`: one pass over every chosen calendar. */
export function runSync(options: SyncOptions, io: Io): Promise<number> {
  return withWorkshop(io, ['calendars'], async (workshop, { signal }) => {
    const calendars = await chooseCalendars(workshop.db, options.calendar, io);
    if (calendars === null) return EXIT.failed;
    if (calendars.length === 0) {
      io.stderr('There is no calendar to read: import a roster first (cadenced import FILE).');
      return EXIT.ok;
    }
    // A failure is told in the calendar's line; the log would only say it twice.
    const deps = syncDeps(
      workshop,
      buildProviders(workshop.settings, workshop.clock, workshop.log.child({}, { level: 'error' })),
    );
    const pass = async (calendar: KnownCalendar): Promise<boolean> => {
      const read = () => syncCalendar(deps, calendar.calendarId, { full: options.full }, signal);
      try {
        let report = await read();
        // Somebody else's pass was applied while this one was being read. A second look settles it.
        if (report !== null && !report.complete && report.failure === null) report = await read();
        io.stdout(lineOf(calendar, report));
        return report?.complete ?? true;
      } catch (problem) {
        io.stdout(
          row('FAIL', calendar, signal.aborted ? 'stopped before it was read' : told(asFailure(problem))),
        );
        return false;
      }
    };
    const queue = new PQueue({ concurrency: AT_ONCE });
    const complete = await Promise.all(calendars.map((calendar) => queue.add(() => pass(calendar))));
    const incomplete = complete.filter((one) => !one).length;
    if (incomplete === 0) return EXIT.ok;
    io.stderr(`${incomplete} of ${calendars.length} could not be read completely; cadenced doctor says why.`);
    return EXIT.failed;
  });
}

function lineOf(calendar: KnownCalendar, report: SyncReport | null): string {
  if (report === null) return row('ok', calendar, 'left the roster meanwhile');
  if (report.failure !== null) return row('FAIL', calendar, told(report.failure));
  if (!report.complete)
    return row('FAIL', calendar, 'another pass was applied meanwhile; nothing of this one was');
  const { occurrences = 0, sessions = 0, events = 0, parked = 0 } = report.applied ?? {};
  const changed =
    occurrences + sessions + events === 0
      ? 'nothing new'
      : `changed: ${counted(occurrences, 'occurrence')}, ${counted(sessions, 'session')}; ${counted(events, 'event')} told`;
  const drift = report.drift === null ? '' : `; drift ${report.drift}`;
  const held = parked === 0 ? '' : `; ${counted(parked, 'cancellation')} held back, see cadenced approve`;
  return row('ok', calendar, `${KINDS[report.kind]}; ${changed}${drift}${held}`);
}

const KINDS: { readonly [K in SyncReport['kind']]: string } = {
  changes: 'read the changes',
  full: 'read in full',
  reconcile: 'read the changes, compared the whole window',
};

function row(verdict: 'ok' | 'FAIL', { address, provider }: KnownCalendar, text: string): string {
  return `${verdict.padEnd(4)}  ${address} (${provider}): ${text}`;
}
