import type { Instant } from './observation.ts';
import { isLive, isStanding, type Occurrence } from './occurrence.ts';

/**
 * Guests of one occurrence of a series. Outlook shows them a single event without an original start. Read before the
 * organizer's copy, at a time that nobody had told of yet, it is an occurrence by itself; once the series is seen at that
 * very time, it is known to have been this one all along.
 */

type Placed = [was: Occurrence | null, draft: Occurrence];

/**
 * Lets such copies go with the occurrence of the series that now begins and ends when they do, where one alone does and
 * their calendar has no other copy of it. What they made by themselves is off: it never was a meeting of its own. What
 * has begun stays, and so does what an organizer's own copy holds.
 * @param placed the occurrences of one lineage, before and after the copies of a pass were placed
 */
export function joinGuestsOfOne(placed: readonly Placed[], now: Instant): Placed[] {
  const drafts = new Map(placed.map(([, draft]) => [draft, draft]));
  for (const [, alone] of placed) {
    if (alone.start <= now || alone.cancelled !== null || !isOfGuestsAlone(alone)) continue;
    const moving = alone.copies.filter(isLive);
    const calendars = new Set(moving.map(({ holder }) => holder.calendarId));
    const [home, another] = placed.filter(
      ([, draft]) => draft !== alone && isSeenAt(draft, alone) && !isHeldOn(draft, calendars),
    );
    if (home === undefined || another !== undefined) continue;
    const target = drafts.get(home[1]) ?? home[1];
    drafts.set(home[1], {
      ...target,
      copies: [...target.copies, ...moving.map((copy) => ({ ...copy, copyId: null }))],
    });
    drafts.set(alone, {
      ...alone,
      cancelled: { at: now, reason: 'removed_everywhere' },
      copies: alone.copies.map((copy) =>
        isLive(copy) ? { ...copy, removal: { at: now, how: 'absent' as const } } : copy,
      ),
    });
  }
  return placed.map(([was, draft]) => [was, drafts.get(draft) ?? draft]);
}

/** Known already, with nothing but single events of people who did not organize it. */
function isOfGuestsAlone({ occurrenceId, copies }: Occurrence): boolean {
  const live = copies.filter(isLive);
  return (
    occurrenceId !== null &&
    live.length > 0 &&
    live.every(
      (copy) =>
        isStanding(copy) && !copy.ownerIsOrganizer && copy.seriesId === null && copy.originalStart === null,
    )
  );
}

/** Whether a series shows the occurrence at the other's time. */
const isSeenAt = ({ copies }: Occurrence, { start, end }: Occurrence): boolean =>
  copies.some(
    (copy) =>
      isStanding(copy) &&
      copy.seriesId !== null &&
      copy.originalStart !== null &&
      copy.start === start &&
      copy.end === end,
  );

const isHeldOn = ({ copies }: Occurrence, calendars: ReadonlySet<number>): boolean =>
  copies.some((copy) => isLive(copy) && calendars.has(copy.holder.calendarId));
