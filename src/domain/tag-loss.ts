import type { Instant } from './observation.ts';
import { type Copy, isLive, isStanding, type Occurrence } from './occurrence.ts';
import { isPersonalMark } from './tags.ts';

/**
 * Which copies speak for the tag of a meeting, and what becomes of a meeting of which none does any more.
 */

/**
 * The copies whose tags speak for the meeting: those that stand and, for a calendar on which none stands any more,
 * the one that stood there last. Somebody who deletes their copy has neither called the meeting off nor untagged it,
 * even if the tag (a category, a private property) was on that copy alone.
 */
export function tagBearers(copies: readonly Copy[]): Copy[] {
  const standing = copies.filter(isStanding);
  // One that is shown as called off is what became of the owner's: they were uninvited, and bear no tag any more.
  const seen = new Set(copies.filter(isLive).map((copy) => copy.holder.calendarId));
  const left = copies.filter((copy) => copy.removal !== null && !seen.has(copy.holder.calendarId));
  const last = Map.groupBy(left, (copy) => copy.holder.calendarId);
  return [
    ...standing,
    ...[...last.values()].flatMap((those) => {
      // A copy without an id was stored by this very pass and is the latest.
      const latest = those.toSorted(
        (a, b) =>
          (b.removal?.at ?? 0) - (a.removal?.at ?? 0) ||
          (b.copyId ?? Number.MAX_SAFE_INTEGER) - (a.copyId ?? Number.MAX_SAFE_INTEGER),
      )[0];
      if (!latest || latest.removal?.how === 'untagged') return [];
      // Words travel with the meeting: while another copy stands, that copy says whether they are still there.
      return standing.length === 0
        ? [latest]
        : [{ ...latest, matched: latest.matched.filter((match) => isPersonalMark(match)) }];
    }),
  ];
}

/**
 * A tag belongs to the meeting: while one copy carries it, all copies are kept. When none does any more,
 * they are let go, and copies that were never stored are not stored at all.
 */
export function dropUntagged(occurrence: Occurrence, was: Occurrence | null, now: Instant): Occurrence {
  const standing = occurrence.copies.filter(isStanding);
  if (standing.length === 0 || tagBearers(occurrence.copies).some((copy) => copy.matched.length > 0))
    return occurrence;
  // What is hidden may carry the tag unseen, and of a session that was agreed an unsent change takes nothing away.
  if (standing.every((copy) => copy.hidden || (copy.unsent && was !== null && was.sessions.length > 0)))
    return occurrence;
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

/**
 * When the last copies lost their tag; `null` while one stands, or when none was let go for that just now: one that was
 * let go before tells nothing of a tag that came back since, on a copy that has left this occurrence.
 */
export function letGoAt(copies: readonly Copy[], known: readonly Copy[]): Instant | null {
  if (copies.some(isStanding)) return null;
  const before = new Set(known.flatMap((copy) => (copy.removal?.how === 'untagged' ? [copy.copyId] : [])));
  const isNews = copies.some((copy) => copy.removal?.how === 'untagged' && !before.has(copy.copyId));
  if (!isNews) return null;
  const times = copies.flatMap(({ removal }) => (removal?.how === 'untagged' ? [removal.at] : []));
  return times.length > 0 ? Math.max(...times) : null;
}
