import type { ChangePage, Listing, LookedUp, ObservedCopy, Provider, Window } from '../domain/observation.ts';

/** A calendar as an adapter knows it. */
export interface CalendarRef {
  readonly calendarId: number;
  /** The owner's primary address, lower-case: who is impersonated (Google) or whose mailbox it is (Microsoft). */
  readonly address: string;
  /** The owner's zone as far as we know it, IANA: events may come without one, or with one that nobody knows. */
  readonly timeZone?: string | null;
}

/**
 * Reads one person's calendar. Every call ends in an answer or throws a `Failure`; none retries longer than its
 * caller can wait (20 s): a longer wait is thrown as `throttled` with `retryAfterMs`.
 */
export interface CalendarSource {
  readonly provider: Provider;
  /** Names the request parameters and the mapping. A stored cursor made under another value is not used. */
  readonly cursorVersion: string;
  /**
   * The changes since `cursor`, page by page; without a cursor everything in (at least) the window.
   * @throws Failure `gone`/`cursor_lost` when the provider no longer knows the cursor: begin again without one.
   */
  changes(
    calendar: CalendarRef,
    cursor: string | null,
    window: Window,
    signal: AbortSignal,
  ): AsyncIterable<ChangePage>;
  /**
   * Every occurrence of one series that touches the window. A series that no longer exists gives an empty list
   * with `gone`; that alone proves no cancellation.
   */
  instances(
    calendar: CalendarRef,
    seriesId: string,
    window: Window,
    signal: AbortSignal,
  ): Promise<Listing & { readonly gone: boolean }>;
  /** What stands behind one id now. */
  lookUp(calendar: CalendarRef, sourceId: string, signal: AbortSignal): Promise<LookedUp>;
  /** Every occurrence and single event that touches the window, page by page: the reconcile's truth. */
  snapshot(calendar: CalendarRef, window: Window, signal: AbortSignal): AsyncIterable<Listing>;
  /** The copies of one meeting on this calendar, asked for by its UID (Google) or around its times (Microsoft). */
  copiesOf(
    calendar: CalendarRef,
    meeting: { readonly uid: string; readonly lineage: string; readonly window: Window },
    signal: AbortSignal,
  ): Promise<readonly ObservedCopy[]>;
}
