import type { BrakeState } from './brake.ts';
import type { CancelledInstance, Instant, ObservedCopy, Window } from './observation.ts';
import type { CopyHolder } from './occurrence.ts';
import type { Match } from './tags.ts';

/**
 * One pass over one calendar, as it was read: what was staged, what was told to be gone, and what was listed whole.
 */

/** An observed event as it is staged: its text has been searched for tags and let go. */
export interface StagedCopy extends Omit<ObservedCopy, 'text'> {
  /** `null` when the event is private. */
  readonly title: string | null;
  readonly matched: readonly Match[];
}

export type StagedRemoval = Pick<CancelledInstance, 'sourceId' | 'updatedAt'> & {
  /** `cancelled`: the source said so. `deleted`: it is gone, which on a guest's calendar cancels nothing. */
  readonly how: 'cancelled' | 'deleted';
};

/** A series that was listed completely inside a window: an instance not in the list is not there. */
export interface ListedSeries {
  readonly seriesId: string;
  readonly window: Window;
  /** The list had nothing in it. An empty answer cancels nothing by itself: the brake weighs it. */
  readonly empty: boolean;
}

export interface Pass {
  readonly holder: CopyHolder;
  readonly now: Instant;
  readonly copies: readonly StagedCopy[];
  readonly removals: readonly StagedRemoval[];
  readonly listedSeries: readonly ListedSeries[];
  /**
   * Series that the pass showed and whose list was then denied. A provider that contradicts itself has said nothing:
   * what is stored of them stays until a pass that sees them, or is told that they went.
   */
  readonly deniedSeries?: ReadonlySet<string>;
  /** The window that this pass read completely; `null` for a pass over changes. */
  readonly complete: Window | null;
  readonly brake: BrakeState;
  /**
   * Calendars of the same owner that are read no longer: this one was set in their place. Their copies stand until
   * this one has been read whole; letting them go at once would cancel everything meanwhile, and for good if the new
   * mailbox is still empty. What is ahead then stands here or nowhere, and the brake weighs it. The past stays theirs.
   */
  readonly predecessors?: ReadonlySet<number>;
}

/** All-day events and other kinds of entries are never sessions, whatever tag they carry. */
export const isMeeting = (copy: StagedCopy): boolean => !copy.allDay && copy.ordinary;

/**
 * The last row of an id wins, unless an older state came late: a page may be told twice, in any order. A removal
 * that the source dates after a row takes that row away; an undated one has been weighed when it was staged.
 */
export function latestOf(pass: Pass): StagedCopy[] {
  const latest = new Map<string, StagedCopy>();
  for (const copy of pass.copies) {
    const earlier = latest.get(copy.sourceId);
    if (!earlier || (copy.updatedAt ?? 0) >= (earlier.updatedAt ?? 0)) latest.set(copy.sourceId, copy);
  }
  for (const { sourceId, updatedAt } of pass.removals) {
    const copy = latest.get(sourceId);
    if (copy && updatedAt !== null && copy.updatedAt !== null && updatedAt > copy.updatedAt)
      latest.delete(sourceId);
  }
  return [...latest.values()];
}
