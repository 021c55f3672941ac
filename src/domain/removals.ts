import type { Instant, Window } from './observation.ts';
import type { Copy, Occurrence, Removal } from './occurrence.ts';
import { isMeeting, type Pass, type StagedCopy } from './pass.ts';

/** What a pass takes away: what the source said is gone, and what a complete list did not show. */

/** Whether a copy overlaps a window of sight. */
export const within = (copy: Copy, window: Window) => copy.end > window.from && copy.start < window.until;

/**
 * Google's lists may lag behind its change stream, so that what was changed just now and is not listed yet stays until
 * the next list. What is really gone the stream tells by name, unless its cursor was lost in these very minutes.
 */
const FRESH_MS = 2 * 60_000;

export const isFresh = ({ updatedAt, holder }: Copy, now: Instant): boolean =>
  holder.provider === 'google' && updatedAt !== null && updatedAt > now - FRESH_MS;

export type Removed = ReturnType<typeof removalsOf>;

const isDenied = ({ sourceId, seriesId }: Copy, { deniedSeries }: Pass): boolean =>
  deniedSeries?.has(seriesId ?? sourceId) ?? false;

/** The removals that the pass implies for stored copies of this calendar, by copy id. */
export function removalsOf(
  pass: Pass,
  copies: readonly StagedCopy[],
  mine: ReadonlyArray<{ copy: Copy; occurrence: Occurrence }>,
) {
  const staged = new Set(copies.filter(isMeeting).map((copy) => copy.sourceId));
  const noMeeting = new Set(copies.filter((copy) => !isMeeting(copy)).map((copy) => copy.sourceId));
  const told = new Map(pass.removals.map((removal) => [removal.sourceId, removal]));
  const series = new Map(pass.listedSeries.map((listed) => [listed.seriesId, listed]));
  const singles = new Set(copies.filter((copy) => copy.seriesId === null).map((copy) => copy.sourceId));
  const removed = new Map<number, { at: Instant; how: Removal; inferred: boolean }>();
  for (const { copy } of mine) {
    if (copy.copyId === null) continue;
    if (copy.holder.calendarId !== pass.holder.calendarId) {
      // What the owner's former calendar held stands on this one, or nowhere: read whole, this one takes its place.
      if (pass.complete && within(copy, pass.complete) && copy.end > pass.now) {
        removed.set(copy.copyId, { at: pass.now, how: 'untagged', inferred: true });
      }
      continue;
    }
    if (staged.has(copy.sourceId)) continue;
    const word = told.get(copy.sourceId) ?? (copy.seriesId === null ? undefined : told.get(copy.seriesId));
    const listed = copy.seriesId === null ? series.get(copy.sourceId) : series.get(copy.seriesId);
    if (noMeeting.has(copy.sourceId)) {
      removed.set(copy.copyId, { at: pass.now, how: 'untagged', inferred: false });
    } else if (word) {
      removed.set(copy.copyId, { at: word.updatedAt ?? pass.now, how: word.how, inferred: false });
    } else if (copy.seriesId !== null && singles.has(copy.seriesId)) {
      // The series became a single event under its own id: its other instances are no more.
      removed.set(copy.copyId, { at: pass.now, how: 'absent', inferred: false });
    } else if (listed && (copy.seriesId === null || within(copy, listed.window))) {
      removed.set(copy.copyId, { at: pass.now, how: 'absent', inferred: listed.empty });
    } else if (pass.complete && within(copy, pass.complete) && !isDenied(copy, pass)) {
      removed.set(copy.copyId, { at: pass.now, how: 'absent', inferred: true });
    }
  }
  return removed;
}
