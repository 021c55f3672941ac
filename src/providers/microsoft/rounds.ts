import { failure, isFailure } from '../../domain/failure.ts';
import type { ChangePage, Window } from '../../domain/observation.ts';
import type { CalendarRef, CalendarSource } from '../../ports/calendar-source.ts';
import type { Ask, Graph } from './client.ts';
import { type DeltaRound, readCursor, writeCursor } from './cursor.ts';
import { pagesFrom } from './pages.ts';
import { bounds, userPath } from './paths.ts';
import type { Pieces } from './pieces.ts';
import { readChanges } from './reading.ts';
import type { Restarts } from './restarts.ts';
import { deltaPageOf } from './wire.ts';

/**
 * Rounds of change tracking over a calendar's window (https://learn.microsoft.com/graph/delta-query-events).
 *
 * Graph answers a round over a window that is too much for it with 503 or 504, again and again. Such a round is begun
 * anew over halves of its window, and over halves of those; the pieces cover the same days, each with a link of its
 * own, so that nothing goes out of sight. The next full pass tries the whole window first.
 */

/** Wide rounds are evicted slowly: their pages are given longer than other requests. */
const DELTA_TIMEOUT_MS = 60_000;
/** A link that fails is given up for a full round, the dearest request there is, only after so many passes in a row. */
const PASSES_BEFORE_ANEW = 3;

/** What a window that is read in pieces is called wherever it is shown. */
const IN_PIECES = 'window_in_pieces';

/** The port's `changes`. */
export type ReadChanges = CalendarSource['changes'];

type Piece = { readonly window: Window; readonly deltaLink: string | null };

/** Makes the one reader of change tracking. */
export function createRounds(
  graph: Graph,
  deps: { readonly restarts: Restarts; readonly pieces: Pieces },
): ReadChanges {
  const { restarts, pieces } = deps;
  /** Passes in a row in which a link failed while the mailbox answered, by mailbox. */
  const failing = new Map<string, number>();

  /** What is to be read in place of a piece that failed. @throws the failure where nothing else is to be tried */
  async function insteadOf(piece: Piece, calendar: CalendarRef, error: unknown, ask: Ask): Promise<Piece[]> {
    if (piece.deltaLink === null) {
      const halves = await pieces.halvesOf(calendar, piece.window, error, ask);
      return halves.map((window) => ({ window, deltaLink: null }));
    }
    if (!(await pieces.failsAlone(calendar, piece.window, error, ask))) throw error;
    const passes = (failing.get(calendar.address) ?? 0) + 1;
    failing.set(calendar.address, passes);
    if (passes < PASSES_BEFORE_ANEW) throw error;
    failing.delete(calendar.address);
    restarts.lost(calendar.address);
    throw failure.gone('cursor_lost', {
      provider: 'microsoft',
      detail: 'its link fails again and again',
      cause: error,
    });
  }

  async function* changes(
    calendar: CalendarRef,
    cursor: string | null,
    window: Window,
    signal: AbortSignal,
  ): AsyncGenerator<ChangePage, void, undefined> {
    const ask = { mailbox: calendar.address, signal };
    // A window given beside a cursor has no effect by contract.
    const waiting: Piece[] = cursor === null ? [{ window, deltaLink: null }] : readCursor(cursor);
    const ended: DeltaRound[] = [];
    if (cursor === null) restarts.begin(calendar.address);
    for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
      // Delta takes neither $select nor $expand.
      const first = piece.deltaLink ?? `${userPath(calendar)}/calendarView/delta?${bounds(piece.window)}`;
      try {
        for await (const page of pagesFrom(
          graph,
          first,
          { ...ask, timeoutMs: DELTA_TIMEOUT_MS },
          deltaPageOf,
        )) {
          const deltaLink = page['@odata.deltaLink'];
          if (deltaLink !== undefined)
            ended.push({ deltaLink: graph.pathOf(deltaLink), window: piece.window });
          const isLast = deltaLink !== undefined && waiting.length === 0;
          if (isLast) {
            restarts.finished(calendar.address);
            failing.delete(calendar.address);
          }
          yield {
            ...readChanges(page.value, calendar.address),
            cursor: isLast ? writeCursor(ended) : null,
            ...(isLast && ended.length > 1 && { hindrance: IN_PIECES }),
          };
        }
      } catch (error) {
        if (isLost(error)) restarts.lost(calendar.address);
        // Graph may forget even a round that has just begun. No cursor of the caller's is lost then, and
        // beginning again at once could go on for ever.
        if (isLost(error) && cursor === null) {
          throw failure.transient('round_lost', { provider: 'microsoft', cause: error });
        }
        waiting.unshift(...(await insteadOf(piece, calendar, error, ask)));
      }
    }
  }

  return changes;
}

function isLost(error: unknown): boolean {
  return isFailure(error, 'gone') && error.code === 'cursor_lost';
}
