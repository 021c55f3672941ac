import { leadingCopy } from './copies.ts';
import { type Copy, isAgreed, isStanding, type Occurrence } from './occurrence.ts';

/**
 * What an organizer changed and sent to nobody. Outlook shows their own copy so, and nothing of how it was before: what
 * was agreed is what is stored and what others' copies say.
 */

/** Whether nobody but the organizer knows of what stands: it makes no session, and takes nothing from one. */
export function isUnsent(copies: readonly Copy[]): boolean {
  return copies.some(isStanding) && !copies.some(isAgreed);
}

/**
 * The copy that decides, as far as it tells more than what is stored. Beside a change that was not sent a guest's copy
 * does when it is new or as new as the organizer's last agreed word: an older one, of a calendar that was not read for
 * a while, would move the session back to where it had been before.
 * @param known the copies as they were stored
 */
export function agreedLead(
  { copies, sessions }: Occurrence,
  known: readonly Copy[],
  blind: ReadonlySet<number>,
): Copy | undefined {
  const lead = leadingCopy(copies, blind);
  const isChanged = copies.some((copy) => isStanding(copy) && copy.unsent);
  if (lead === undefined || !isChanged || sessions.length === 0) return lead;
  const isAsKnown = known.some(
    (copy) =>
      isStanding(copy) &&
      copy.holder.calendarId === lead.holder.calendarId &&
      copy.sourceId === lead.sourceId &&
      copy.start === lead.start &&
      copy.end === lead.end &&
      copy.title === lead.title,
  );
  const isAsNew = known.some(
    (copy) => isAgreed(copy) && copy.ownerIsOrganizer && (copy.updatedAt ?? 0) <= (lead.updatedAt ?? 0),
  );
  return isAsKnown && !isAsNew ? undefined : lead;
}
