import type { MergeContext } from './copies.ts';
import { splitStampOf } from './lineage.ts';
import type { Instant } from './observation.ts';
import { type CancelReason, type Copy, isStanding } from './occurrence.ts';

/**
 * Whether the copies of a meeting say that it is off. The organizer's copy decides; a guest who deletes their copy has
 * cancelled nothing.
 */

/** Whether no later copy stands or stood on the same calendar. A copy without an id comes with this very pass. */
const isLatest = (copy: Copy, copies: readonly Copy[]): boolean =>
  !copies.some(
    (other) =>
      other !== copy &&
      other.holder.calendarId === copy.holder.calendarId &&
      (other.copyId ?? Number.MAX_SAFE_INTEGER) > (copy.copyId ?? Number.MAX_SAFE_INTEGER),
  );

/**
 * Whether what is left of an organizer's copy is the trace of a meeting that went to another organizer. On the old
 * calendar Google shows a moved event as it shows one called off, by its id and nothing else
 * (https://developers.google.com/workspace/calendar/api/v3/reference/events/move); whose it is now stands on the others'
 * copies. A copy that is not read any more counts unless it is older than the organizer's own last word, and one that
 * went before the organizer's did knows of no later organizer: it is itself what the meeting left.
 */
function isMovedAway(own: Copy, copies: readonly Copy[], { roster, blind }: MergeContext): boolean {
  const { removal } = own;
  if (!own.ownerIsOrganizer || removal === null || own.holder.provider !== 'google') return false;
  const isOwn = (organizer: string): boolean =>
    organizer === own.organizer ||
    organizer === own.holder.address ||
    (own.holder.personId !== null && roster.personOf.get(organizer) === own.holder.personId);
  return copies.some(
    (other) =>
      other.organizer !== null &&
      !isOwn(other.organizer) &&
      ((isStanding(other) && !blind.has(other.holder.calendarId)) ||
        ((other.updatedAt ?? 0) >= (own.updatedAt ?? 0) &&
          (other.removal === null || other.removal.at >= removal.at))),
  );
}

/** Whether the copies say that the meeting is off, since when, and how we know. */
export function cancellationOf(
  copies: readonly Copy[],
  context: MergeContext,
): { at: Instant; reason: CancelReason } | null {
  const { now, blind, organizersCopies = [] } = context;
  // A copy that was let go because its tag was lost stood there when we last looked: it called nothing off.
  const letGo = copies.filter((copy) => copy.removal?.how === 'untagged' && isLatest(copy, copies));
  const known = copies.filter(
    (copy) => copy.removal?.how !== 'untagged' && !isMovedAway(copy, copies, context),
  );
  const organizers = known.filter((copy) => copy.ownerIsOrganizer && !blind.has(copy.holder.calendarId));
  const calledOff = known.filter((copy) => copy.removal === null && copy.status === 'cancelled');
  const lastWord = (those: readonly Copy[]): Instant =>
    Math.max(...those.map((copy) => copy.removal?.at ?? copy.updatedAt ?? now));
  if (letGo.some((copy) => copy.ownerIsOrganizer)) return null;
  if (organizers.length > 0) {
    if (organizers.some(isStanding)) return null;
    const said = organizers.some((copy) => copy.status === 'cancelled' || copy.removal?.how === 'cancelled');
    // Outlook does not date a deletion, so that it counts from when we learn of it; the mark that it leaves on every
    // guest's copy is dated. One marked guest among others who are not was only uninvited.
    const marked = calledOff.length > 0 && !known.some(isStanding) ? lastWord(calledOff) : now;
    return { at: Math.min(lastWord(organizers), marked), reason: said ? 'cancelled' : 'deleted' };
  }
  if (calledOff.length > 0) {
    // The newest word counts: a copy that was brought up to date since, or together with the mark, was not called
    // off with it. Outlook marks the copy of a guest who was uninvited the same way.
    const since = lastWord(calledOff);
    const stands = known.some(
      (copy) => isStanding(copy) && !blind.has(copy.holder.calendarId) && (copy.updatedAt ?? 0) >= since,
    );
    return stands ? null : { at: since, reason: 'cancelled' };
  }
  if (known.length === 0 || known.some(isStanding) || letGo.length > 0) return null;
  // Nothing is left on any calendar we can see. Outlook keeps a called-off meeting on a guest's calendar, marked
  // cancelled; when it is simply gone there, the guest removed it. Google mostly says which of the two it was, and
  // where it does not, the meeting counts as called off. A program mailbox removes nothing by itself.
  const telling = known.filter(
    ({ removal, holder }) =>
      removal !== null &&
      (holder.personId === null || (holder.provider === 'google' && removal.how !== 'deleted')),
  );
  if (telling.length > 0) return { at: lastWord(telling), reason: 'removed_everywhere' };
  // A guest was read before the organizer, whose series (or the single event that it became) is newer and does not have
  // it: the series was cut short in between. An older one proves nothing, as its list may not have reached so far.
  const lastShown = Math.max(...known.map((copy) => copy.updatedAt ?? now));
  const isLeftOut = organizersCopies.some(
    (copy) =>
      !blind.has(copy.holder.calendarId) &&
      (copy.updatedAt ?? 0) > lastShown &&
      known.every(({ seriesId, uid }) => seriesId !== null && splitStampOf(uid) === splitStampOf(copy.uid)),
  );
  return isLeftOut ? { at: lastWord(known), reason: 'removed_everywhere' } : null;
}
