import { type Braked, brake } from './brake.ts';
import type { MergeContext } from './copies.ts';
import { sameState } from './equality.ts';
import { merge } from './merging.ts';
import type { Instant } from './observation.ts';
import { type Copy, type CopyHolder, isLive, isStanding, type Occurrence } from './occurrence.ts';
import { isMeeting, latestOf, type Pass } from './pass.ts';
import { place } from './placing.ts';
import { isFresh, type Removed, removalsOf, within } from './removals.ts';
import { dropUntagged } from './tag-loss.ts';
import { type UnmatchedEvent, unmatchedOf } from './unmatched.ts';

/**
 * Plans one pass over one calendar: from what is stored and what was staged to what shall be stored.
 * Pure: the same input gives the same plan, and planning again after applying gives nothing to do.
 */

export interface Change {
  readonly before: Occurrence | null;
  readonly after: Occurrence;
}

export interface Plan {
  /** Only what differs. */
  readonly changes: readonly Change[];
  readonly unmatched: readonly UnmatchedEvent[];
  /** Source ids for which an earlier "unmatched" no longer holds: matched, untagged or gone. */
  readonly nowMatched: readonly string[];
  readonly braked: Braked;
  /** Rows of this calendar that differ from what was stored: in a reconcile, the drift. */
  readonly differing: number;
}

/**
 * @param stored every occurrence of the lineages that the pass touches, with copies of all calendars
 */
export function planPass(
  pass: Pass,
  stored: readonly Occurrence[],
  context: Omit<MergeContext, 'now'>,
): Plan {
  const { holder, now } = pass;
  const mergeContext: MergeContext = { ...context, now };
  const mine = stored.flatMap((occurrence) =>
    occurrence.copies
      .filter((copy) => isLive(copy) && (isOf(copy, holder) || isOfPredecessor(copy, pass)))
      .map((copy) => ({ copy, occurrence })),
  );
  const latest = latestOf(pass);
  const removed = removalsOf(pass, latest, mine);
  const braked = brake({
    now,
    state: pass.brake,
    complete: pass.complete !== null,
    future: mine
      .filter(
        ({ copy, occurrence }) =>
          copy.end > now &&
          // What a complete pass did not look at says nothing about what it should have seen.
          (pass.complete === null || within(copy, pass.complete)) &&
          occurrence.sessions.some((session) => !session.cancelled),
      )
      .map(({ copy, occurrence }) => ({
        lineage: occurrence.lineage,
        goneByInference: copy.copyId !== null && removed.get(copy.copyId)?.inferred === true,
      })),
    stillSeen: new Set(latest.map((copy) => copy.lineage)),
  });
  const held = new Set(braked.hold);
  // After the brake has counted them: an empty answer must not look less empty for what is new on the calendar.
  for (const { copy } of mine) {
    if (copy.copyId === null || !isOf(copy, holder) || !isFresh(copy, now)) continue;
    if (removed.get(copy.copyId)?.inferred) removed.delete(copy.copyId);
  }

  const meetings = latest.filter(isMeeting);
  const byLineage = Map.groupBy(meetings, (copy) => copy.lineage);
  const arriving = new Set(meetings.map((copy) => copy.sourceId));
  const explicit: Removed = new Map([...removed].filter(([, removal]) => !removal.inferred));
  // Moved to another provider, a past meeting may have got another UID; it took place once.
  const passed = new Set(
    mine.filter(({ copy }) => isOfPredecessor(copy, pass)).map(({ copy }) => slotOf(copy)),
  );
  const storedByLineage = Map.groupBy(stored, (occurrence) => occurrence.lineage);
  const changes: Change[] = [];
  for (const lineage of new Set([...storedByLineage.keys(), ...byLineage.keys()])) {
    const before = storedByLineage.get(lineage) ?? [];
    const observed = (byLineage.get(lineage) ?? []).toSorted(
      (a, b) => a.start - b.start || (a.sourceId < b.sourceId ? -1 : 1),
    );
    const placed = place(
      before,
      observed,
      arriving,
      pass,
      held.has(lineage) ? explicit : removed,
      context.blind,
    );
    const organizersCopies = placed.flatMap(([, { copies }]) =>
      copies.filter((copy) => isStanding(copy) && copy.ownerIsOrganizer),
    );
    for (const [was, draft] of placed) {
      const merged = merge(dropUntagged(draft, was, now), { ...mergeContext, organizersCopies }, was?.copies);
      // A meeting that no copy calls a mentor session, or that was off before we saw it, is none of our business.
      if (was === null && !merged.copies.some(isStanding)) continue;
      if (was === null && merged.end <= now && passed.has(slotOf(merged))) continue;
      if (!sameState(was, merged)) changes.push({ before: was, after: merged });
    }
  }
  return {
    changes,
    ...unmatchedOf(latest, pass.removals, holder.calendarId, changes, stored, mergeContext),
    braked,
    differing: changes.reduce((count, change) => count + differingCopies(change, holder), 0),
  };
}

const slotOf = ({ start, end }: { start: Instant; end: Instant }) => `${start}/${end}`;

const isOf = (copy: Copy, holder: CopyHolder) => copy.holder.calendarId === holder.calendarId;

const isOfPredecessor = (copy: Copy, pass: Pass) => pass.predecessors?.has(copy.holder.calendarId) ?? false;

/** Copies on this calendar that are not as they were stored; what is not worth storing does not count. */
function differingCopies({ before, after }: Change, holder: CopyHolder): number {
  const stored = new Map(before?.copies.map((copy) => [copy.copyId, copy]));
  return after.copies.filter(
    (copy) =>
      copy.holder.calendarId === holder.calendarId &&
      !(copy.copyId !== null && sameState(stored.get(copy.copyId), copy)),
  ).length;
}
