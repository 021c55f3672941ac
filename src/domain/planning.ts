import { type Braked, type BrakeState, brake } from './brake.ts';
import { sameState } from './equality.ts';
import { dateOf, hasDateOnly, matchSlots, originalOf } from './matching.ts';
import { type MergeContext, mentorshipsOf, merge, peopleOf, tagBearers, type Unmatched } from './merging.ts';
import type { CancelledInstance, Instant, ObservedCopy, Window } from './observation.ts';
import {
  type Copy,
  type CopyHolder,
  isLive,
  isStanding,
  type Occurrence,
  type Removal,
} from './occurrence.ts';
import { isPersonalMark, type Match } from './tags.ts';

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
  /**
   * Calendars of the same owner that are read no longer: this one was set in their place. Their copies stand until
   * this one has been read whole; letting them go at once would cancel everything meanwhile, and for good if the new
   * mailbox is still empty. What is ahead then stands here or nowhere, and the brake weighs it. The past stays theirs.
   */
  readonly predecessors?: ReadonlySet<number>;
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
  /** Source ids for which an earlier "unmatched" no longer holds: matched, untagged or gone. */
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
  const named = new Set(listed.map((person) => person.address));
  const missing =
    staged.peopleOmitted && stored ? stored.people.filter((was) => !named.has(was.address)) : [];
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
    title: staged.private ? null : (unseen?.title ?? staged.title),
    private: staged.private,
    hidden,
    conference: conference ?? unseen?.conference ?? null,
    matched: unseen?.matched ?? staged.matched,
    updatedAt,
    revision,
    removal: null,
  };
}

const within = (copy: Copy, window: Window) => copy.end > window.from && copy.start < window.until;

/**
 * Google's lists may lag behind its change stream, so that what was changed just now and is not listed yet stays until
 * the next list. What is really gone the stream tells by name, unless its cursor was lost in these very minutes.
 */
const FRESH_MS = 2 * 60_000;
const isFresh = ({ updatedAt, holder }: Copy, now: Instant): boolean =>
  holder.provider === 'google' && updatedAt !== null && updatedAt > now - FRESH_MS;

/** The removals that the pass implies for stored copies of this calendar, by copy id. */
function removalsOf(
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
    const organizersSeries = placed.flatMap(([, { copies }]) =>
      copies.filter((copy) => isStanding(copy) && copy.ownerIsOrganizer && copy.seriesId !== null),
    );
    for (const [was, draft] of placed) {
      const merged = merge(dropUntagged(draft, was, now), { ...mergeContext, organizersSeries }, was?.copies);
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

type Removed = ReturnType<typeof removalsOf>;

/**
 * The last row of an id wins, unless an older state came late: a page may be told twice, in any order. A removal
 * that the source dates after a row takes that row away; an undated one has been weighed when it was staged.
 */
function latestOf(pass: Pass): StagedCopy[] {
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

/** Puts the observed copies of one lineage where they belong and marks the removed ones. */
function place(
  before: readonly Occurrence[],
  observed: readonly StagedCopy[],
  /** Every id that the pass shows, whatever its lineage. */
  shown: ReadonlySet<string>,
  pass: Pass,
  removed: Removed,
  blind: ReadonlySet<number>,
): Array<[Occurrence | null, Occurrence]> {
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
    ...seriesOf(occurrence, holder.calendarId),
    uids: distinct(occurrence.copies.filter(isLive).map((copy) => copy.uid)),
    stands: occurrence.copies.some(isStanding),
    ...presence(occurrence.copies.filter(onThisCalendar), removed),
    settled: occurrence.sessions.some((session) => session.settled),
    awaitsOrganizer: occurrence.copies.some(
      (copy) =>
        isStanding(copy) &&
        copy.ownerIsOrganizer &&
        !onThisCalendar(copy) &&
        !blind.has(copy.holder.calendarId) &&
        copy.start === occurrence.start,
    ),
  }));
  const matches = matchSlots(slots, observed, now);
  const arriving = new Map<number, StagedCopy[]>();
  const newcomers: StagedCopy[] = [];
  for (const [at, copy] of observed.entries()) {
    const match = matches[at];
    if (match === null || match === undefined) newcomers.push(copy);
    else arriving.set(match, [...(arriving.get(match) ?? []), copy]);
  }
  const kept = before.map((occurrence, at): [Occurrence | null, Occurrence] => {
    const here = arriving.get(at) ?? [];
    const copies: Copy[] = [];
    const used = new Set<string>();
    for (const copy of occurrence.copies) {
      if (!onThisCalendar(copy) || !isLive(copy)) {
        const left = isLive(copy) && copy.copyId !== null ? removed.get(copy.copyId) : undefined;
        copies.push(left ? { ...copy, removal: { at: left.at, how: left.how } } : copy);
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
        copies.push(next);
      } else if (shown.has(copy.sourceId)) {
        // The id now names another occurrence: an event dragged into the future after it was over, or a UID that
        // the provider changed. It can stand in one place only.
        copies.push({ ...copy, removal: { at: now, how: 'absent' } });
      } else if (gone) {
        copies.push({ ...copy, removal: { at: gone.at, how: gone.how } });
      } else {
        copies.push(copy);
      }
    }
    for (const staged of here) {
      if (used.has(staged.sourceId)) continue;
      const earlier =
        occurrence.copies.find((copy) => onThisCalendar(copy) && copy.sourceId === staged.sourceId) ?? null;
      copies.push(asCopy(staged, holder, earlier && { ...earlier, copyId: null }));
    }
    return [occurrence, { ...occurrence, copies }];
  });
  const fresh = groupTwins(newcomers, now).map((twins): [Occurrence | null, Occurrence] => {
    const first = twins[0] as StagedCopy;
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
  return followedByOthers(kept, fresh, now);
}

/**
 * An event that was used again after it was over leaves its session behind. Copies on other calendars that told of its
 * new time before, and waited for the organizer's word, go with it.
 */
function followedByOthers(
  kept: ReadonlyArray<[Occurrence | null, Occurrence]>,
  fresh: ReadonlyArray<[Occurrence | null, Occurrence]>,
  now: Instant,
): Array<[Occurrence | null, Occurrence]> {
  const goesTo = (copy: Copy, from: Occurrence): Occurrence | undefined =>
    from.end <= now && isLive(copy) && copy.start !== from.start
      ? fresh.find(([, to]) => to.start === copy.start && to.originalStart === copy.originalStart)?.[1]
      : undefined;
  const following = new Map<Occurrence, Copy[]>();
  const staying = kept.map(([was, draft]): [Occurrence | null, Occurrence] => {
    const leaving = draft.copies.filter((copy) => goesTo(copy, draft) !== undefined);
    for (const copy of leaving) {
      const to = goesTo(copy, draft) as Occurrence;
      following.set(to, [...(following.get(to) ?? []), copy]);
    }
    if (leaving.length === 0) return [was, draft];
    return [was, { ...draft, copies: draft.copies.filter((copy) => !leaving.includes(copy)) }];
  });
  return [
    ...staying,
    ...fresh.map(([was, draft]): [Occurrence | null, Occurrence] => [
      was,
      { ...draft, copies: [...draft.copies, ...(following.get(draft) ?? [])] },
    ]),
  ];
}

/**
 * Its latest series on each calendar: ids of series differ from calendar to calendar. A series that it left with a split
 * is named by copies of those who were uninvited before, for good: they count only where no copy stands.
 */
function seriesOf({ copies }: Occurrence, calendarId: number) {
  const latest = new Map<number, string>();
  const standing = copies.filter(isStanding);
  for (const { holder, seriesId } of standing.length > 0 ? standing : copies)
    if (seriesId !== null) latest.set(holder.calendarId, seriesId);
  const others = [...latest].filter(([calendar]) => calendar !== calendarId);
  return {
    seriesId: latest.get(calendarId) ?? null,
    seriesElsewhere: others.map(([calendar, series]) => `${calendar}/${series}`),
  };
}

/** What stands of an occurrence on the observed calendar, and what stood there. */
function presence(copies: readonly Copy[], removed: Removed) {
  const live = copies.filter(isLive);
  const held = live.some((copy) => copy.copyId === null || !removed.has(copy.copyId));
  return {
    sourceIds: live.map((copy) => copy.sourceId),
    formerIds: copies.filter((copy) => !isLive(copy)).map((copy) => copy.sourceId),
    startsHere: live.map((copy) => copy.start),
    here: held ? ('held' as const) : live.length > 0 ? ('vacated' as const) : ('elsewhere' as const),
  };
}

/**
 * New copies with one original instant are one occurrence, as they would be if one of them were stored already: a
 * split at the same time leaves such twins.
 */
function groupTwins(copies: readonly StagedCopy[], now: Instant): StagedCopy[][] {
  const groups = new Map<string, StagedCopy[]>();
  const add = (key: string, copy: StagedCopy) => {
    const group = groups.get(key);
    if (group) group.push(copy);
    else groups.set(key, [copy]);
  };
  // Of two copies of one slot, one that is over does not hold one that was moved ahead.
  const keyOf = (copy: StagedCopy) => `${originalOf(copy)}/${copy.start > now ? 'ahead' : 'begun'}`;
  const [dateOnly, timed] = [copies.filter(hasDateOnly), copies.filter((copy) => !hasDateOnly(copy))];
  for (const copy of timed) add(keyOf(copy), copy);
  for (const copy of dateOnly) {
    const at = keyOf(copy);
    const dates = groups.get(at)?.map(dateOf) ?? [];
    add(dates.includes(dateOf(copy)) ? at : `${at}/${dateOf(copy)}`, copy);
  }
  return [...groups.values()];
}

/**
 * A tag belongs to the meeting: while one copy carries it, all copies are kept. When none does any more,
 * they are let go, and copies that were never stored are not stored at all.
 */
function dropUntagged(occurrence: Occurrence, was: Occurrence | null, now: Instant): Occurrence {
  const standing = occurrence.copies.filter(isStanding);
  if (standing.length === 0 || tagBearers(occurrence.copies).some((copy) => copy.matched.length > 0))
    return occurrence;
  if (standing.every((copy) => copy.hidden)) return occurrence;
  const at = untaggedAt(standing, was, now);
  // What takes a copy's place without a tag and is not stored leaves that copy to say what was lost: gone for another
  // reason, it would go on bearing its tag.
  const unstored = new Set(
    standing.filter(({ copyId }) => copyId === null).map((copy) => copy.holder.calendarId),
  );
  const stood = new Set(was?.copies.filter(isStanding).map(({ copyId }) => copyId));
  return {
    ...occurrence,
    copies: occurrence.copies.flatMap((copy): Copy[] => {
      const isReplaced = unstored.has(copy.holder.calendarId) && stood.has(copy.copyId);
      if (!isStanding(copy)) return [isReplaced ? { ...copy, removal: { at, how: 'untagged' } } : copy];
      return copy.copyId === null ? [] : [{ ...copy, removal: { at, how: 'untagged' } }];
    }),
  };
}

/**
 * When the tag was taken away: with the edit that took it, where every calendar whose copy carried one shows a later
 * state of it; a meeting that nobody looked at until it was over was no session all the same. Words travel with the
 * meeting, so that a copy elsewhere that had lost them already tells as well. Where the same state carried a tag before,
 * the rules changed and not the meeting: that counts from now on.
 */
function untaggedAt(standing: readonly Copy[], was: Occurrence | null, now: Instant): Instant {
  const stood = (was?.copies ?? []).filter(isStanding);
  const since = (copies: readonly Copy[], { updatedAt }: Copy): Instant[] =>
    copies.flatMap((copy) =>
      updatedAt !== null && copy.updatedAt !== null && copy.updatedAt > updatedAt ? [copy.updatedAt] : [],
    );
  const bearers = stood.filter(({ matched }) => matched.length > 0);
  const wordless = stood.filter((copy) => copy.matched.length === 0 && !copy.hidden && !copy.private);
  const edits = bearers.map((bearer) => {
    const own = since(
      standing.filter((copy) => copy.holder.calendarId === bearer.holder.calendarId),
      bearer,
    );
    if (own.length === 0) return now;
    const others = bearer.matched.some(isPersonalMark) ? [] : since(wordless, bearer);
    return Math.min(Math.max(...own), ...others);
  });
  return edits.length > 0 ? Math.min(now, Math.max(...edits)) : now;
}

function distinct<T>(values: ReadonlyArray<T | null>): T[] {
  return [...new Set(values.filter((value): value is T => value !== null))];
}

/** Why tagged events are no sessions, and which of them are (or are no longer tagged at all). */
function unmatchedOf(
  staged: readonly StagedCopy[],
  removals: readonly StagedRemoval[],
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
  const shown = new Set(staged.map((copy) => copy.sourceId));
  const nowMatched = removals.map((removal) => removal.sourceId).filter((id) => !shown.has(id));
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
