import { joinGuestsOfOne } from './guests-of-one.ts';
import { matchSlots } from './matching.ts';
import type { Instant } from './observation.ts';
import { type Copy, type CopyHolder, isLive, isStanding, type Occurrence } from './occurrence.ts';
import type { Pass, StagedCopy } from './pass.ts';
import type { Removed } from './removals.ts';
import { dateOf, hasDateOnly, originalOf } from './slots.ts';

/** Where the copies of a pass stand: at the stored occurrence that they were matched to, or at a new one. */

function asCopy(staged: StagedCopy, holder: CopyHolder, stored: Copy | null): Copy {
  const { sourceId, seriesId, uid, originalStart, originalDate, start, end, timeZone, status, unsent } =
    staged;
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
    unsent,
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

/** Puts the observed copies of one lineage where they belong and marks the removed ones. */
export function place(
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
  return joinGuestsOfOne(followedByOthers(kept, fresh, now), now);
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
    startsHere: live.filter((copy) => !copy.unsent).map((copy) => copy.start),
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

export function distinct<T>(values: ReadonlyArray<T | null>): T[] {
  return [...new Set(values.filter((value): value is T => value !== null))];
}
