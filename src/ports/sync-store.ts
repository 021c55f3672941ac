import type { CalendarState } from '../domain/calendar-state.ts';
import type { CandidateSearch, StagedCandidate } from '../domain/candidates.ts';
import type { Failure } from '../domain/failure.ts';
import type { Instant, Provider, Window } from '../domain/observation.ts';
import type { ListedSeries, StagedCopy, StagedRemoval } from '../domain/pass.ts';
import type { TagSearch } from '../domain/tags.ts';

/** What is known of a calendar when a pass over it begins. */
export interface CalendarAtRest {
  readonly calendarId: number;
  readonly provider: Provider;
  readonly address: string;
  /** The owner's zone: by the roster, else their program's. */
  readonly timeZone: string | null;
  readonly state: CalendarState;
  /** The fence: a pass is applied only if this has not changed. */
  readonly generation: number;
  readonly cursor: string | null;
  readonly cursorVersion: string | null;
  /** What the cursor covers. */
  readonly window: Window | null;
  readonly fullPassWanted: boolean;
  readonly reconcileWanted: boolean;
  /** Anything of this calendar is stored; when not, no id of it can be known. */
  readonly holdsCopies: boolean;
  /** Meetings of which this calendar may hold an untagged copy. */
  readonly wanted: ReadonlyArray<{ readonly lineage: string; readonly uid: string; readonly window: Window }>;
  /** What untagged candidates are told by; `null` where nobody asks for them. */
  readonly candidates: CandidateSearch | null;
}

/** Which of the given names the store knows: on this calendar (ids), or anywhere (lineages). */
export interface KnownNames {
  readonly sourceIds: ReadonlySet<string>;
  readonly seriesIds: ReadonlySet<string>;
  readonly lineages: ReadonlySet<string>;
  /** Source id of a known instance -> its series. */
  readonly seriesOf: ReadonlyMap<string, string>;
}

export interface PassCounts {
  untagged: number;
  hidden: number;
  leftOut: number;
  /** Occurrences that concern us and came without a zone that exists: their date is one of the owner's zone, or UTC's. */
  zoneless: number;
}

/** Rows of a pass as they arrived together. Where both name one id, the copy is the later word. */
export interface StagedRows {
  readonly copies: readonly StagedCopy[];
  readonly removals: readonly StagedRemoval[];
  readonly candidates?: readonly StagedCandidate[];
}

export interface FinishedPass {
  readonly passId: string;
  /** Rows of it stand on the stage; what is in `rest` came after them. */
  readonly staged: boolean;
  /** Rows that were too few to be staged, in the order of arrival. */
  readonly rest: readonly StagedRows[];
  /** Whether it looked for candidates. */
  readonly listsCandidates: boolean;
  readonly now: Instant;
  readonly generation: number;
  readonly kind: 'changes' | 'full' | 'reconcile';
  readonly listedSeries: readonly ListedSeries[];
  /** Series that the pass showed and could not list: not seen, whatever else was read completely. */
  readonly deniedSeries: readonly string[];
  /** The window that was read completely, for `full` and `reconcile`. */
  readonly complete: Window | null;
  /** The new cursor with what it was made under; `null` where the pass had none to give (a reconcile). */
  readonly cursor: { readonly value: string; readonly version: string; readonly window: Window } | null;
  /** Why the provider's change stream is not read as it should be; `null` where it is. Shown as the state's reason. */
  readonly hindrance: string | null;
  /** What of the calendar's `wanted` was looked for. */
  readonly wantedRead: CalendarAtRest['wanted'];
  readonly counts: PassCounts;
}

export interface AppliedPass {
  /** `false`: another pass was applied meanwhile; nothing of this one was. */
  readonly applied: boolean;
  readonly occurrences: number;
  readonly sessions: number;
  readonly events: number;
  readonly parked: number;
  /** Rows that differed; the drift when it was a reconcile. */
  readonly differing: number;
}

export interface SyncStore {
  /**
   * @param ifDue only where it is due at this moment
   * @returns `null` where it is not, or is not read any more
   */
  begin(calendarId: number, ifDue?: boolean): Promise<CalendarAtRest | null>;
  tagSearches(): Promise<readonly TagSearch[]>;
  known(
    calendarId: number,
    names: { readonly sourceIds: readonly string[]; readonly lineages: readonly string[] },
  ): Promise<KnownNames>;
  stage(calendarId: number, passId: string, rows: readonly StagedRows[]): Promise<void>;
  /** Forgets what a pass staged. */
  discard(calendarId: number, passId: string): Promise<void>;
  /** Plans over what was staged, and the rest, and writes the plan, the cursor and the outbound events in one transaction. */
  apply(calendarId: number, pass: FinishedPass): Promise<AppliedPass>;
  /** Records why a pass failed: the calendar's state, its reason, and when to try again. */
  fail(calendarId: number, failure: Failure, now: Instant): Promise<void>;
}
