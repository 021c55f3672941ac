import { occurrencesOf } from './occurrences.ts';
import { BASE64URL } from './random.ts';
import type { Copy, Guest, Meeting } from './types.ts';
import type { World } from './world.ts';

/** Notes what has already taken place, before the schedule changes: the past stays what it was. */
export function keepHistory(world: World, meeting: Meeting): void {
  const now = world.now();
  for (const occurrence of occurrencesOf(meeting, now, { from: meeting.historyUntil, until: now })) {
    if (occurrence.end > now || occurrence.end <= meeting.historyUntil) continue;
    const { meeting: _same, ...past } = occurrence;
    meeting.history.push(past);
  }
  meeting.historyUntil = now;
}

/** Stamps a change of the meeting itself and tells every calendar that holds it. */
export function meetingChanged(world: World, meeting: Meeting, slot: number | null): void {
  meeting.updatedAt = world.now();
  meeting.sequence += 1;
  for (const copy of world.copiesOf(meeting.id)) {
    // Who was invited to single occurrences hears of a change of all through each of them.
    const heard = slot === null && copy.occurrencesOnly ? slotsInvitedTo(meeting, copy.person) : [slot];
    for (const one of heard) world.touch(copy.person, meeting.id, one);
  }
}

function slotsInvitedTo(meeting: Meeting, person: string): number[] {
  return [...meeting.overrides.values()]
    .filter((override) => override.added.some((guest) => guest.person === person))
    .map((override) => override.slot);
}

/** Puts the meeting on the calendars of its organizer and guests, where it is not yet. */
export function deliverCopies(world: World, meeting: Meeting): void {
  deliverOrganizersCopy(world, meeting);
  for (const guest of meeting.guests) giveGuestCopy(world, meeting, guest, true);
}

/** Puts a meeting that was sent to nobody on its organizer's calendar. */
export function deliverUnsent(world: World, meeting: Meeting): void {
  deliverOrganizersCopy(world, meeting);
  const copy = world.copy(meeting.organizer, meeting.id);
  if (copy !== undefined) copy.unsent = { isNew: true, times: new Map() };
}

/** Puts the meeting on its organizer's calendar; a copy they had as a guest, or before it went elsewhere, becomes theirs. */
export function deliverOrganizersCopy(world: World, meeting: Meeting): void {
  const address = world.person(meeting.organizer).addresses[0] ?? '';
  const copy = giveCopy(world, meeting, meeting.organizer, address);
  if (copy === null) return;
  Object.assign(copy, {
    isOrganizer: true,
    occurrencesOnly: false,
    deletedAt: null,
    uninvitedAt: null,
    response: 'accepted',
  });
}

/**
 * Puts the meeting on one guest's calendar, `wholly` or for single occurrences only; an earlier copy that was
 * withdrawn comes back.
 */
export function giveGuestCopy(world: World, meeting: Meeting, guest: Guest, wholly: boolean): void {
  if (guest.person === null || guest.person === meeting.organizer) return;
  const isNew = world.copy(guest.person, meeting.id) === undefined;
  const copy = giveCopy(world, meeting, guest.person, guest.address);
  if (copy === null) return;
  if (wholly) copy.occurrencesOnly = false;
  else if (isNew || copy.uninvitedAt !== null) copy.occurrencesOnly = true;
  copy.uninvitedAt = null;
}

/** A guest for an address; the world's person behind it is found by address or alias. */
export function guestFor(world: World, input: GuestInput): Guest {
  const given = typeof input === 'string' ? { address: input } : input;
  const person = world.findPerson(given.address);
  const address = person !== undefined && !given.address.includes('@') ? person.addresses[0] : given.address;
  return {
    address: address ?? given.address,
    name: given.name ?? person?.name ?? given.address,
    person: person?.id ?? null,
    kind: given.kind ?? 'required',
    response: 'none',
    respondedAt: null,
  };
}

/** A guest by address, alias or world key; with `kind: 'resource'` a room. */
export type GuestInput = string | { address: string; name?: string; kind?: Guest['kind'] };

function giveCopy(world: World, meeting: Meeting, person: string, invitedAs: string): Copy | null {
  const calendar = world.calendars.get(person);
  if (calendar === undefined) return null;
  const known = calendar.copies.get(meeting.id);
  if (known !== undefined) return known;
  const isOrganizer = person === meeting.organizer;
  const outlookId = (): string => `AAMkA${world.random.text(BASE64URL, 60)}`;
  const copy: Copy = {
    person,
    meeting: meeting.id,
    eventId: calendar.owner.provider === 'google' ? meeting.eventId : outlookId(),
    immutableId: outlookId(),
    invitedAs,
    isOrganizer,
    occurrencesOnly: false,
    createdAt: world.now(),
    deletedAt: null,
    uninvitedAt: null,
    response: isOrganizer ? 'accepted' : 'none',
    respondedAt: null,
    categories: [],
    privateProperties: {},
    slots: new Map(),
  };
  world.addCopy(copy);
  return copy;
}
