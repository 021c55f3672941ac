import { isFailure } from '../../domain/failure.ts';
import type { Instant, Window } from '../../domain/observation.ts';
import type { CalendarRef } from '../../ports/calendar-source.ts';
import type { Log } from '../../runtime/log.ts';
import type { Ask, Graph } from './client.ts';
import { pagesFrom } from './pages.ts';
import { viewPath } from './paths.ts';
import type { WirePage } from './wire.ts';

/**
 * Windows that are too much for Graph. It answers a question about one with 503 or 504, again and again; over half of
 * its days, or half of those, the same question is answered.
 */

const DAY_MS = 86_400_000;
/** An eighth of the usual window. What fails over so few days does not fail for their number. */
const NARROWEST_MS = 20 * DAY_MS;

/** Tells windows that are too much from mailboxes that fail. */
export type Pieces = {
  /** Whether Graph fails at this question alone: it was 50x or silence, and one day of the same mailbox is answered. */
  failsAlone(calendar: CalendarRef, window: Window, error: unknown, ask: Ask): Promise<boolean>;
  /**
   * The halves to ask about in place of a window that failed.
   * @throws `error` where smaller windows would not help
   */
  halvesOf(calendar: CalendarRef, window: Window, error: unknown, ask: Ask): Promise<[Window, Window]>;
};

/** Makes the one judge of windows. */
export function createPieces(graph: Graph, log: Log): Pieces {
  async function failsAlone(
    calendar: CalendarRef,
    window: Window,
    error: unknown,
    ask: Ask,
  ): Promise<boolean> {
    if (!isOverwhelmed(error)) return false;
    const aDay = { from: window.from, until: window.from + DAY_MS };
    try {
      await graph.get(`${viewPath(calendar, aDay, 1)}&$select=id`, { ...ask, once: true });
      return true;
    } catch (refusal) {
      if (ask.signal.aborted) throw refusal;
      return false;
    }
  }

  return {
    failsAlone,
    async halvesOf(calendar, window, error, ask) {
      const { from, until } = window;
      if (until - from <= NARROWEST_MS || !(await failsAlone(calendar, window, error, ask))) throw error;
      const half = halfOf(window);
      const days = Math.round((half - from) / DAY_MS);
      log.warn(
        { calendar: calendar.address, days },
        'graph fails at this window: reading it in smaller pieces',
      );
      return [
        { from, until: half },
        { from: half, until },
      ];
    },
  };
}

/**
 * Every page of `calendarView` over a window, in pieces where Graph fails at the whole. A row may then come twice: an
 * event that touches two pieces stands in both, and pages that came before the failure are told again.
 * @param fields what to select; everything where it is absent
 * @throws Failure
 */
export async function* viewPages(
  graph: Graph,
  pieces: Pieces,
  calendar: CalendarRef,
  window: Window,
  ask: Ask,
  fields?: string,
): AsyncGenerator<WirePage, void, undefined> {
  const waiting = [window];
  for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
    const path = viewPath(calendar, piece);
    try {
      yield* pagesFrom(graph, fields === undefined ? path : `${path}&$select=${fields}`, ask);
    } catch (error) {
      waiting.unshift(...(await pieces.halvesOf(calendar, piece, error, ask)));
    }
  }
}

/** 50x, or no answer in the time we give, after every repetition that a request is granted. */
function isOverwhelmed(error: unknown): boolean {
  return isFailure(error, 'transient') && (error.code === 'server_error' || error.code === 'timeout');
}

/** The midnight nearest to the middle. */
function halfOf({ from, until }: Window): Instant {
  return Math.round((from + until) / 2 / DAY_MS) * DAY_MS;
}
