import { asFailure, type Failure, failure, isFailure } from '../domain/failure.ts';
import type { Instant, Provider, Window } from '../domain/observation.ts';
import type { CalendarSource } from '../ports/calendar-source.ts';
import type { AppliedPass, CalendarAtRest, FinishedPass, SyncStore } from '../ports/sync-store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { Reading } from './calendar-reading.ts';
import { readAhead } from './read-ahead.ts';

/**
 * One pass over one calendar, whoever asks for it: a poll that fell due, a push, a person at the command line.
 * Reads until the provider has nothing more to say, stages what concerns us, then plans and applies in one go.
 */

export interface SyncDeps {
  readonly store: SyncStore;
  readonly sources: Readonly<Partial<Record<Provider, CalendarSource>>>;
  readonly clock: Clock;
  readonly log: Log;
  /** A fresh UUID a call. */
  readonly newPassId: () => string;
  /** Whether something that concerns everybody is to be told now; `false` when it was told a while ago. */
  readonly tellOnce?: (what: string) => boolean;
  /** Told of every pass that was read without a cursor and applied. */
  readonly onFullPass?: ((provider: Provider, reason: FullPassReason) => void) | undefined;
  /** Told how many occurrences a pass had to date in another zone than their own, which nobody knows. */
  readonly onZoneFallback?: ((provider: Provider, occurrences: number) => void) | undefined;
}

/**
 * Why a calendar is read in full: it never was; a person asked; people, rules or its owner changed; its window moved
 * on; our reading is another than the cursor's; the provider forgot the cursor.
 */
export type FullPassReason =
  | 'no_cursor'
  | 'asked'
  | 'rules_changed'
  | 'window_moved'
  | 'reading_changed'
  | 'cursor_lost';

export interface SyncReport {
  readonly calendarId: number;
  readonly address: string;
  /** Everything that was to be read was read and applied. */
  readonly complete: boolean;
  readonly kind: FinishedPass['kind'];
  readonly applied: AppliedPass | null;
  readonly drift: number | null;
  readonly failure: Failure | null;
}

const DAY = 86_400_000;
/** Covers the 30 days for which Meet keeps its records, and a horizon beyond a quarter. */
export const WINDOW_BACK_DAYS = 35;
export const WINDOW_AHEAD_DAYS = 120;
/** A frozen window (Microsoft) is replaced by a new generation when it has aged this much. */
export const GENERATION_DAYS = 7;
/** The window of sight, aligned to midnight UTC so that a day's passes ask for the same thing. */
export function sightAt(now: Instant): Window {
  const midnight = Math.floor(now / DAY) * DAY;
  return { from: midnight - WINDOW_BACK_DAYS * DAY, until: midnight + WINDOW_AHEAD_DAYS * DAY };
}

/**
 * @param wish.ifDue nothing is read where the calendar is not due: a pass that ended meanwhile did what was asked for
 * @returns `null` where the calendar is not due, or is not read any more
 */
export async function syncCalendar(
  deps: SyncDeps,
  calendarId: number,
  wish: { readonly full?: boolean; readonly reconcile?: boolean; readonly ifDue?: boolean },
  signal: AbortSignal,
): Promise<SyncReport | null> {
  const calendar = await deps.store.begin(calendarId, wish.ifDue ?? false);
  if (!calendar) return null;
  const source = deps.sources[calendar.provider];
  const report = {
    calendarId,
    address: calendar.address,
    drift: null,
    applied: null,
    kind: 'changes' as const,
  };
  const fail = async (problem: Failure): Promise<SyncReport> => {
    await deps.store.fail(calendarId, problem, deps.clock.now().toMillis());
    tell(deps, calendar, problem);
    return { ...report, complete: false, failure: problem };
  };
  if (!source) return fail(failure.config('provider_not_configured', { detail: calendar.provider }));
  try {
    const first = await readAndApply(deps, source, calendar, wish.full ?? false, signal);
    if (!first.applied.applied) {
      return { ...report, kind: first.kind, complete: false, applied: first.applied, failure: null };
    }
    const reconcile = (wish.reconcile ?? false) || calendar.reconcileWanted;
    if (!reconcile || first.kind === 'full') {
      return { ...report, kind: first.kind, complete: true, applied: first.applied, failure: null };
    }
    const second = await reconcileAndApply(
      deps,
      source,
      { ...calendar, generation: calendar.generation + 1 },
      signal,
    );
    return {
      ...report,
      kind: 'reconcile',
      complete: second.applied,
      applied: first.applied.events > 0 || !second.applied ? first.applied : second,
      drift: second.differing,
      failure: null,
    };
  } catch (problem) {
    if (signal.aborted) throw problem;
    if (isFailure(problem)) return fail(problem);
    await recordUnexpected(deps, calendar, problem);
    throw problem;
  }
}

/**
 * An error that nobody foresaw is a calendar's failure too: still due, it would be read in full again every second. Where
 * it cannot be written down either (the database is away), the first error is the one to tell.
 */
async function recordUnexpected(deps: SyncDeps, calendar: CalendarAtRest, problem: unknown): Promise<void> {
  try {
    await deps.store.fail(calendar.calendarId, asFailure(problem), deps.clock.now().toMillis());
  } catch (second) {
    const { kind, code } = asFailure(second);
    deps.log.warn({ calendar: calendar.address, kind, code }, 'that a pass failed was not written down');
  }
}

/** A wrong date may show two sessions where there is one, so whoever looks for the reason finds this. */
function tellZoneless({ log, onZoneFallback }: SyncDeps, provider: Provider, { ref, counts }: Reading): void {
  if (counts.zoneless === 0) return;
  const { address, timeZone } = ref;
  const facts = { calendar: address, occurrences: counts.zoneless, zone: timeZone ?? 'UTC' };
  log.info(facts, 'occurrences that came without a usable zone were dated in another');
  onZoneFallback?.(provider, counts.zoneless);
}

/** Used up for an hour and more, whoever asks: somebody may want to have it raised. */
const QUOTA_EXHAUSTED = 'quota_exhausted';

/**
 * A wrong key, a missing grant or a quota that is used up is everybody's: it is told once to whoever can mend it, and
 * not once a calendar.
 */
function tell(deps: SyncDeps, calendar: CalendarAtRest, problem: Failure): void {
  // The detail holds what a provider's support asks for first: its own code, and the number of the request.
  const facts = {
    kind: problem.kind,
    code: problem.code,
    status: problem.status,
    detail: problem.detail,
  };
  const exhausted = problem.code === QUOTA_EXHAUSTED;
  const everybodys = (problem.kind === 'config' || exhausted) && deps.tellOnce !== undefined;
  if (!everybodys) deps.log.warn({ calendar: calendar.address, ...facts }, 'a calendar could not be read');
  else if (deps.tellOnce?.(`${calendar.provider} ${problem.code}`)) {
    deps.log.error(
      { provider: calendar.provider, ...facts },
      exhausted
        ? "a provider's quota is used up: its calendars are read again in an hour"
        : 'no calendar of a provider can be read',
    );
  } else deps.log.debug({ calendar: calendar.address, ...facts }, 'a calendar could not be read');
}

/** Reads the changes since the cursor; begins again without it, once, when the provider has forgotten it. */
async function readAndApply(
  deps: SyncDeps,
  source: CalendarSource,
  calendar: CalendarAtRest,
  full: boolean,
  signal: AbortSignal,
): Promise<{ kind: 'changes' | 'full'; applied: AppliedPass }> {
  const now = deps.clock.now().toMillis();
  const reason = whyInFull(source, calendar, full, now);
  if (reason !== null) return readInFull(deps, source, calendar, reason, now, signal);
  try {
    const finished = await read(deps, source, calendar, calendar.cursor, now, signal);
    return { kind: 'changes', applied: await deps.store.apply(calendar.calendarId, finished) };
  } catch (problem) {
    if (!isFailure(problem) || problem.kind !== 'gone' || problem.code !== 'cursor_lost') throw problem;
    deps.log.info(
      { calendar: calendar.address },
      'the provider no longer knows our cursor: reading the calendar in full',
    );
    return readInFull(deps, source, calendar, 'cursor_lost', now, signal);
  }
}

/** Why the stored cursor is of no use; `null` where it is. */
function whyInFull(
  source: CalendarSource,
  { provider, cursor, cursorVersion, window, fullPassWanted }: CalendarAtRest,
  asked: boolean,
  now: Instant,
): FullPassReason | null {
  if (asked) return 'asked';
  if (cursor === null) return 'no_cursor';
  if (fullPassWanted) return 'rules_changed';
  const aged = window !== null && sightAt(now).from - window.from >= GENERATION_DAYS * DAY;
  if (provider === 'microsoft' && aged) return 'window_moved';
  return cursorVersion === source.cursorVersion ? null : 'reading_changed';
}

async function readInFull(
  deps: SyncDeps,
  source: CalendarSource,
  calendar: CalendarAtRest,
  reason: FullPassReason,
  now: Instant,
  signal: AbortSignal,
): Promise<{ kind: 'full'; applied: AppliedPass }> {
  const finished = await read(deps, source, calendar, null, now, signal);
  const applied = await deps.store.apply(calendar.calendarId, finished);
  // A reading that failed half-way is tried again with the same cursor, and would be counted each time.
  if (applied.applied) deps.onFullPass?.(calendar.provider, reason);
  return { kind: 'full', applied };
}

async function read(
  deps: SyncDeps,
  source: CalendarSource,
  calendar: CalendarAtRest,
  cursor: string | null,
  now: Instant,
  signal: AbortSignal,
): Promise<FinishedPass> {
  const sight = sightAt(now);
  const reading = new Reading(
    deps.store,
    source,
    calendar,
    await deps.store.tagSearches(),
    deps.newPassId(),
    sight,
  );
  try {
    let next: string | null = null;
    let hindrance: string | null = null;
    for await (const page of readAhead(source.changes(reading.ref, cursor, sight, signal))) {
      signal.throwIfAborted();
      for (const count of Object.values(page.leftOut)) reading.counts.leftOut += count ?? 0;
      await reading.take(page.items);
      next = page.cursor;
      hindrance = page.hindrance ?? null;
    }
    if (next === null) throw failure.transient('no_cursor', { provider: calendar.provider });
    await reading.lookUpRemoved(sight, signal);
    await reading.expandSeries(sight, signal);
    const wantedRead = await reading.readWanted(signal);
    // The cursor goes on under the window it was made with; only a pass without one begins a new window.
    const window = cursor === null ? sight : (calendar.window ?? sight);
    tellZoneless(deps, calendar.provider, reading);
    return {
      passId: reading.passId,
      ...reading.found,
      now,
      generation: calendar.generation,
      kind: cursor === null ? 'full' : 'changes',
      listedSeries: reading.listedSeries,
      deniedSeries: reading.deniedSeries,
      complete: cursor === null ? sight : null,
      cursor: { value: next, version: source.cursorVersion, window },
      hindrance,
      wantedRead,
      counts: reading.counts,
    };
  } catch (problem) {
    await forget(deps, calendar, reading.passId);
    throw problem;
  }
}

/** Compares the whole window with what is stored: heals what the change stream lost, and counts it. */
async function reconcileAndApply(
  deps: SyncDeps,
  source: CalendarSource,
  calendar: CalendarAtRest,
  signal: AbortSignal,
): Promise<AppliedPass> {
  const now = deps.clock.now().toMillis();
  const sight = sightAt(now);
  const reading = new Reading(
    deps.store,
    source,
    calendar,
    await deps.store.tagSearches(),
    deps.newPassId(),
    sight,
  );
  try {
    for await (const listing of readAhead(source.snapshot(reading.ref, sight, signal))) {
      signal.throwIfAborted();
      await reading.stageListing(listing.copies, listing.cancelled);
    }
    tellZoneless(deps, calendar.provider, reading);
    return await deps.store.apply(calendar.calendarId, {
      passId: reading.passId,
      ...reading.found,
      now,
      generation: calendar.generation,
      kind: 'reconcile',
      listedSeries: [],
      deniedSeries: [],
      complete: sight,
      cursor: null,
      hindrance: null,
      wantedRead: [],
      counts: reading.counts,
    });
  } catch (problem) {
    await forget(deps, calendar, reading.passId);
    throw problem;
  }
}

/** What a pass staged is invisible and swept after a day: failing to forget it must not hide why the pass failed. */
async function forget(deps: SyncDeps, calendar: CalendarAtRest, passId: string): Promise<void> {
  try {
    await deps.store.discard(calendar.calendarId, passId);
  } catch (problem) {
    const { kind, code } = asFailure(problem);
    deps.log.warn({ calendar: calendar.address, kind, code }, 'rows of a failed pass were not discarded');
  }
}
