import { type Braked, type BrakeState, brake } from './brake.ts';
import { sameState } from './equality.ts';
import { matchSlots } from './matching.ts';
import { type MergeContext, mentorshipsOf, merge, peopleOf, type Unmatched } from './merging.ts';
import type { CancelledInstance, Instant, ObservedCopy, Window } from './observation.ts';
import {
  type Copy,
  type CopyHolder,
  isLive,
  isStanding,
  type Occurrence,
  type Removal,
} from './occurrence.ts';
import type { Match } from './tags.ts';

/**
 * Plans one pass over one calendar: from what is stored and what was staged to what shall be stored.
 * Pure: the same input gives the same plan, and planning again after applying gives nothing to do.
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
  /** The window that this pass read completely; `null` for a pass over changes. */
  readonly complete: Window | null;
  readonly brake: BrakeState;
}

export interface UnmatchedEvent {
  readonly sourceId: string;
  readonly program: string;
  readonly start: Instant;
  readonly reason: Unmatched | 'all_day' | 'not_a_meeting';
}

export interface Change {
  readonly before: Occurrence | null;
  readonly after: Occurrence;
}

export interface Plan {
  /** Only what differs. */
  readonly changes: readonly Change[];
  readonly unmatched: readonly UnmatchedEvent[];
  /** Source ids for which an earlier "unmatched" no longer holds. */
  readonly nowMatched: readonly string[];
  readonly braked: Braked;
  /** Rows of this calendar that differ from what was stored: in a reconcile, the drift. */
  readonly differing: number;
}

/** All-day events and other kinds of entries are never sessions, whatever tag they carry. */
const isMeeting = (copy: StagedCopy): boolean => !copy.allDay && copy.ordinary;

function asCopy(staged: StagedCopy, holder: CopyHolder, stored: Copy | null): Copy {
  const { sourceId, seriesId, uid, originalStart, originalDate, start, end, timeZone, status } = staged;
  const { organizer, ownerIsOrganizer, ownerResponse, conference, updatedAt, revision, hidden } = staged;
  // A provider that hides details from us takes nothing away from what an earlier look showed.
  const unseen = hidden ? stored : null;
  const listed = unseen?.people ?? staged.people;
  const missing =
    staged.peopleOmitted && stored
      ? stored.people.filter((was) => !listed.some((is) => is.address === was.address))
      : [];
  return {
    copyId: stored?.copyId ?? null,
    holder,
    sourceId,
    seriesId,
    uid,
    originalStart,
    originalDate,
    start,
    end,
    timeZone,
    status,
    organizer: organizer ?? unseen?.organizer ?? null,
    ownerIsOrganizer,
    ownerResponse,
    people: [...listed, ...missing].toSorted((a, b) => (a.address < b.address ? -1 : 1)),
    peopleOmitted: staged.peopleOmitted,
    title: unseen?.title ?? staged.title,
    private: staged.private,
    hidden,
    conference: conference ?? unseen?.conference ?? null,
    matched: unseen?.matched ?? staged.matched,
    updatedAt,
    revision,
    removal: null,
  };
}

/** The removals that the pass implies for stored copies of this calendar, by copy id. */
function removalsOf(pass: Pass, mine: ReadonlyArray<{ copy: Copy; occurrence: Occurrence }>) {
  const staged = new Set(pass.copies.filter(isMeeting).map((copy) => copy.sourceId));
  const noMeeting = new Set(pass.copies.filter((copy) => !isMeeting(copy)).map((copy) => copy.sourceId));
  const told = new Map(pass.removals.map((removal) => [removal.sourceId, removal]));
  const series = new Map(pass.listedSeries.map((listed) => [listed.seriesId, listed]));
  const singles = new Set(pass.copies.filter((copy) => copy.seriesId === null).map((copy) => copy.sourceId));
  const within = (copy: Copy, window: Window) => copy.end > window.from && copy.start < window.until;
  const removed = new Map<number, { at: Instant; how: Removal; inferred: boolean }>();
  for (const { copy } of mine) {
    if (copy.copyId === null || staged.has(copy.sourceId)) continue;
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
    } else if (pass.complete && within(copy, pass.complete)) {
      removed.set(copy.copyId, { at: pass.now, how: 'absent', inferred: true });
    }
  }
  return removed;
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
      .filter((copy) => copy.holder.calendarId === holder.calendarId && isLive(copy))
      .map((copy) => ({ copy, occurrence })),
  );
  const removed = removalsOf(pass, mine);
  const braked = brake({
    now,
    state: pass.brake,
    complete: pass.complete !== null,
    future: mine
      .filter(
        ({ copy, occurrence }) => copy.end > now && occurrence.sessions.some((session) => !session.cancelled),
      )
      .map(({ copy, occurrence }) => ({
        lineage: occurrence.lineage,
        goneByInference: copy.copyId !== null && removed.get(copy.copyId)?.inferred === true,
      })),
    stillSeen: new Set(pass.copies.map((copy) => copy.lineage)),
  });
  const held = new Set(braked.hold);

  // The last row of an id wins, unless an older state came late; a page may be told twice, in any order.
  const latest = new Map<string, StagedCopy>();
  for (const copy of pass.copies) {
    const earlier = latest.get(copy.sourceId);
    if (!earlier || (copy.updatedAt ?? 0) >= (earlier.updatedAt ?? 0)) latest.set(copy.sourceId, copy);
  }
  const byLineage = Map.groupBy([...latest.values()].filter(isMeeting), (copy) => copy.lineage);
  const storedByLineage = Map.groupBy(stored, (occurrence) => occurrence.lineage);
  const changes: Change[] = [];
  let differing = 0;
  for (const lineage of new Set([...storedByLineage.keys(), ...byLineage.keys()])) {
    const before = storedByLineage.get(lineage) ?? [];
    const observed = (byLineage.get(lineage) ?? []).toSorted(
      (a, b) => a.start - b.start || (a.sourceId < b.sourceId ? -1 : 1),
    );
    const placed = place(before, observed, pass, held.has(lineage) ? new Map() : removed);
    differing += placed.differing;
    for (const [was, draft] of placed.occurrences) {
      const merged = merge(dropUntagged(draft, now), mergeContext);
      // A meeting that no copy calls a mentor session and that never was one is none of our business.
      if (was === null && merged.copies.length === 0) continue;
      if (!sameState(was, merged)) changes.push({ before: was, after: merged });
    }
  }
  return {
    changes,
    ...unmatchedOf([...latest.values()], holder.calendarId, changes, stored, mergeContext),
    braked,
    differing,
  };
}

/** Puts the observed copies of one lineage where they belong and marks the removed ones. */
function place(
  before: readonly Occurrence[],
  observed: readonly StagedCopy[],
  pass: Pass,
  removed: ReturnType<typeof removalsOf>,
): { occurrences: Array<[Occurrence | null, Occurrence]>; differing: number } {
  const { holder, now } = pass;
  const onThisCalendar = (copy: Copy) => copy.holder.calendarId === holder.calendarId;
  const slots = before.map((occurrence) => ({
    originalStarts: distinct([
      occurrence.originalStart,
      ...occurrence.copies.filter(isLive).map((copy) => copy.originalStart),
    ]),
    originalDates: distinct([
      occurrence.originalDate,
      ...occurrence.copies.filter(isLive).map((copy) => copy.originalDate),
    ]),
    start: occurrence.start,
    end: occurrence.end,
    sourceIds: occurrence.copies.filter(onThisCalendar).map((copy) => copy.sourceId),
  }));
  const matches = matchSlots(slots, observed, now);
  const arriving = new Map<number, StagedCopy[]>();
  const newcomers: StagedCopy[] = [];
  for (const [at, copy] of observed.entries()) {
    const match = matches[at];
    if (match === null || match === undefined) newcomers.push(copy);
    else arriving.set(match, [...(arriving.get(match) ?? []), copy]);
  }
  const arrivingAnywhere = new Set(observed.map((copy) => copy.sourceId));
  let differing = 0;
  const kept = before.map((occurrence, at): [Occurrence | null, Occurrence] => {
    const here = arriving.get(at) ?? [];
    const copies: Copy[] = [];
    const used = new Set<string>();
    for (const copy of occurrence.copies) {
      if (!onThisCalendar(copy) || !isLive(copy)) {
        copies.push(copy);
        continue;
      }
      const update = here.find((staged) => staged.sourceId === copy.sourceId);
      const gone = copy.copyId === null ? undefined : removed.get(copy.copyId);
      if (update && !used.has(copy.sourceId)) {
        used.add(copy.sourceId);
        // An older state than the stored one is a page that came late.
        const stale =
          copy.updatedAt !== null && update.updatedAt !== null && update.updatedAt < copy.updatedAt;
        const next = stale ? copy : asCopy(update, holder, copy);
        if (!sameState(next, copy)) differing += 1;
        copies.push(next);
      } else if (arrivingAnywhere.has(copy.sourceId)) {
        // The id now names another occurrence (an event dragged into the future after it was over).
        copies.push({ ...copy, removal: { at: now, how: 'absent' } });
        differing += 1;
      } else if (gone) {
        copies.push({ ...copy, removal: { at: gone.at, how: gone.how } });
        differing += 1;
      } else {
        copies.push(copy);
      }
    }
    for (const staged of here) {
      if (used.has(staged.sourceId)) continue;
      const earlier =
        occurrence.copies.find((copy) => onThisCalendar(copy) && copy.sourceId === staged.sourceId) ?? null;
      copies.push(asCopy(staged, holder, earlier && { ...earlier, copyId: null }));
      differing += 1;
    }
    return [occurrence, { ...occurrence, copies }];
  });
  const fresh = groupTwins(newcomers).map((twins): [Occurrence | null, Occurrence] => {
    const first = twins[0] as StagedCopy;
    differing += twins.length;
    const draft: Occurrence = {
      occurrenceId: null,
      lineage: first.lineage,
      originalStart: first.originalStart,
      originalDate: first.originalDate,
      start: first.start,
      end: first.end,
      cancelled: null,
      organizer: first.organizer,
      title: first.private ? null : first.title,
      private: first.private,
      conference: first.conference,
      reschedules: 0,
      firstSeenAt: now,
      copies: twins.map((copy) => asCopy(copy, holder, null)),
      sessions: [],
    };
    return [null, draft];
  });
  return { occurrences: [...kept, ...fresh], differing };
}

/** New copies with one original instant are one occurrence: a split at the same time leaves such twins. */
function groupTwins(copies: readonly StagedCopy[]): StagedCopy[][] {
  const groups = new Map<string, StagedCopy[]>();
  for (const copy of copies) {
    // Single events of one lineage on one calendar are told apart by their id alone.
    const key = copy.originalStart === null ? copy.sourceId : String(copy.originalStart);
    groups.set(key, [...(groups.get(key) ?? []), copy]);
  }
  return [...groups.values()];
}

/**
 * A tag belongs to the meeting: while one standing copy carries it, all copies are kept. When none does any more,
 * they are let go, and copies that were never stored are not stored at all.
 */
function dropUntagged(occurrence: Occurrence, now: Instant): Occurrence {
  const standing = occurrence.copies.filter(isStanding);
  if (standing.length === 0 || standing.some((copy) => copy.matched.length > 0)) return occurrence;
  if (standing.every((copy) => copy.hidden)) return occurrence;
  return {
    ...occurrence,
    copies: occurrence.copies.flatMap((copy): Copy[] => {
      if (!isStanding(copy)) return [copy];
      return copy.copyId === null ? [] : [{ ...copy, removal: { at: now, how: 'untagged' } }];
    }),
  };
}

function distinct<T>(values: ReadonlyArray<T | null>): T[] {
  return [...new Set(values.filter((value): value is T => value !== null))];
}

/** Why tagged events are no sessions, and which of them are (or are no longer tagged at all). */
function unmatchedOf(
  staged: readonly StagedCopy[],
  calendarId: number,
  changes: readonly Change[],
  stored: readonly Occurrence[],
  context: MergeContext,
): Pick<Plan, 'unmatched' | 'nowMatched'> {
  const occurrenceOf = new Map<string, Occurrence>();
  for (const occurrence of [...stored, ...changes.map((change) => change.after)]) {
    for (const copy of occurrence.copies) {
      if (copy.holder.calendarId === calendarId && isLive(copy)) occurrenceOf.set(copy.sourceId, occurrence);
    }
  }
  const unmatched: UnmatchedEvent[] = [];
  const nowMatched: string[] = [];
  for (const copy of staged) {
    const programs = copy.status === 'cancelled' ? [] : distinct(copy.matched.map((match) => match.program));
    const reasons = programs.flatMap((program): UnmatchedEvent[] => {
      const entry = { sourceId: copy.sourceId, program, start: copy.start };
      if (copy.allDay) return [{ ...entry, reason: 'all_day' }];
      if (!copy.ordinary) return [{ ...entry, reason: 'not_a_meeting' }];
      const people = peopleOf(occurrenceOf.get(copy.sourceId)?.copies ?? []);
      const { matched, because } = mentorshipsOf(program, copy.start, people, context.roster);
      if (matched.length > 0) return [];
      return [
        { ...entry, reason: because === 'no_mentorship' && copy.peopleOmitted ? 'people_hidden' : because },
      ];
    });
    if (reasons.length > 0) unmatched.push(...reasons);
    else nowMatched.push(copy.sourceId);
  }
  return { unmatched, nowMatched };
}
