import type { Instant, ObservedPerson, Rsvp } from './observation.ts';
import { type Copy, isAgreed, isStanding, type Roster } from './occurrence.ts';

/**
 * What several copies of one meeting say of it. Time: the organizer's copy, else the newest. A person's answer: their own
 * copy, else the organizer's, never a third person's.
 */

/** What a merge has to know beside the copies. */
export interface MergeContext {
  readonly now: Instant;
  readonly roster: Roster;
  /** Calendars that cannot be read at present: what we know of them is old, so they do not decide. */
  readonly blind: ReadonlySet<number>;
  /** What stands of the whole lineage on its organizer's calendar: of the series, or of the single event it became. */
  readonly organizersCopies?: readonly Copy[];
}

/** The last tie-breaks only make sure that the order in which copies came has no say. */
export const newest = (copies: readonly Copy[]): Copy | undefined =>
  copies.toSorted(
    (a, b) =>
      (b.updatedAt ?? 0) - (a.updatedAt ?? 0) ||
      a.holder.calendarId - b.holder.calendarId ||
      (a.sourceId < b.sourceId ? -1 : 1),
  )[0];

/** The copy that decides when the meeting is; none where all that stands is a change that was sent to nobody. */
export function leadingCopy(copies: readonly Copy[], blind: ReadonlySet<number>): Copy | undefined {
  const agreed = copies.filter(isAgreed);
  const organizers = agreed.filter((copy) => copy.ownerIsOrganizer && !blind.has(copy.holder.calendarId));
  return newest(organizers) ?? newest(agreed);
}

/** Everyone who is invited, as addresses with what is known of them. Owners of copies count. */
export function peopleOf(copies: readonly Copy[]): ReadonlyMap<string, ObservedPerson> {
  const standing = copies.filter(isStanding);
  const agreed = standing.some(isAgreed) ? standing.filter(isAgreed) : standing;
  const organizers = agreed.filter((copy) => copy.ownerIsOrganizer && !copy.peopleOmitted && !copy.hidden);
  const people = new Map<string, ObservedPerson>();
  for (const copy of organizers.length > 0 ? organizers : agreed) {
    for (const person of copy.people) if (!people.has(person.address)) people.set(person.address, person);
  }
  for (const copy of standing) {
    const { address, personId } = copy.holder;
    if (personId !== null && !people.has(address)) {
      const organizer = copy.ownerIsOrganizer;
      people.set(address, {
        address,
        name: null,
        response: copy.ownerResponse ?? 'none',
        organizer,
        optional: false,
      });
    }
  }
  // The organizer of a meeting takes part in it even where the provider leaves them out of the list.
  const lead = newest(agreed);
  if (lead?.organizer && !people.has(lead.organizer)) {
    people.set(lead.organizer, {
      address: lead.organizer,
      name: null,
      response: 'accepted',
      organizer: true,
      optional: false,
    });
  }
  return people;
}

/** A person's answer to the invitation. */
export function rsvpOf(personId: number, copies: readonly Copy[], roster: Roster): Rsvp {
  const own = copies.filter((copy) => isStanding(copy) && copy.holder.personId === personId);
  const organizes = own.some((copy) => copy.ownerIsOrganizer);
  const ownWord = newest(own.filter((copy) => copy.ownerResponse !== null));
  if (ownWord?.ownerResponse && (ownWord.ownerResponse !== 'none' || ownWord.ownerIsOrganizer)) {
    return ownWord.ownerResponse;
  }
  const organizer = newest(copies.filter((copy) => isStanding(copy) && copy.ownerIsOrganizer));
  const listed = organizer?.people.find((person) => roster.personOf.get(person.address) === personId);
  if (listed) return listed.organizer ? 'accepted' : listed.response;
  // Only this person's own copy, or nobody's, can be read. A list on one's own copy repeats one's own answer.
  const ownListed = newest(own)?.people.find((person) => roster.personOf.get(person.address) === personId);
  if (ownListed) return ownListed.organizer ? 'accepted' : ownListed.response;
  // Who calls a meeting takes part in it, even where the provider does not list them.
  return organizes ? 'accepted' : (ownWord?.ownerResponse ?? 'none');
}
