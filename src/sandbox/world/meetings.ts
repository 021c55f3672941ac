import { toMilliseconds } from '../clock.ts';
import { neededSlot, type OnMeeting, type OnOccurrence, slotOf } from './arguments.ts';
import {
  deliverCopies,
  deliverOrganizersCopy,
  deliverUnsent,
  type GuestInput,
  giveGuestCopy,
  guestFor,
  keepHistory,
  meetingChanged,
} from './bookkeeping.ts';
import { globalObjectId } from './identifiers.ts';
import { copySlotFor, guestsAt, overrideFor } from './occurrences.ts';
import { BASE32HEX, HEX, LETTERS } from './random.ts';
import type { Conference, Meeting, Override, Person } from './types.ts';
import type { World } from './world.ts';

export interface MeetingInput {
  organizer: string;
  guests?: GuestInput[];
  title: string;
  /** HTML, as both providers carry it. */
  body?: string;
  location?: string;
  /** Local time without an offset, read in `zone`: `2026-11-24T10:00` (a date for all-day meetings). */
  start: string;
  minutes?: number;
  /** The organizer's own zone when absent. */
  zone?: string;
  allDay?: boolean;
  /** The value of an RRULE: `FREQ=WEEKLY;BYDAY=TU`. */
  rule?: string;
  exdates?: (number | string)[];
  conference?: 'meet' | 'teams' | 'zoom' | null;
  sharedProperties?: Record<string, string>;
  visibility?: Meeting['visibility'];
  eventType?: string;
  hideGuests?: boolean;
  /** Whose identifiers the meeting carries; the organizer's provider when absent. */
  home?: 'google' | 'microsoft';
  /** Stands on the organizer's calendar alone, as a draft of Outlook's, until `sendUnsent`. */
  unsent?: true;
}

/** Books a meeting and puts it on every invited calendar. Gives the meeting; its `id` is the world's key. */
export function createMeeting(world: World, input: MeetingInput): Meeting {
  const organizer = world.person(input.organizer);
  const home = input.home ?? (organizer.provider === 'microsoft' ? 'microsoft' : 'google');
  const now = world.now();
  const made = identifiersFor(world, home);
  const meeting: Meeting = {
    ...made,
    id: world.nextKey('m'),
    story: '',
    home,
    lineage: made.uid,
    instancePrefix: made.eventId,
    organizer: organizer.id,
    title: input.title,
    body: input.body ?? '',
    location: input.location ?? '',
    start: input.start,
    minutes: input.minutes ?? (input.allDay === true ? 24 * 60 : 45),
    zone: input.zone ?? organizer.zone,
    allDay: input.allDay ?? false,
    recurrence:
      input.rule === undefined
        ? null
        : { rule: input.rule, exdates: (input.exdates ?? []).map(toMilliseconds).sort((a, b) => a - b) },
    ordinalOffset: 0,
    overrides: new Map(),
    guests: (input.guests ?? []).map((guest) => guestFor(world, guest)),
    conference: conferenceFor(world, input.conference ?? null, organizer.objectId),
    sharedProperties: input.sharedProperties ?? {},
    visibility: input.visibility ?? 'default',
    eventType: input.eventType ?? 'default',
    hideGuests: input.hideGuests ?? false,
    createdAt: now,
    updatedAt: now,
    cancelledAt: null,
    sequence: -1,
    history: [],
    historyUntil: Number.NEGATIVE_INFINITY,
  };
  meeting.story = meeting.id;
  if (meeting.conference?.kind === 'zoom') meeting.body += `<p>Join Zoom: ${meeting.conference.url}</p>`;
  world.meetings.set(meeting.id, meeting);
  if (input.unsent) deliverUnsent(world, meeting);
  else deliverCopies(world, meeting);
  meetingChanged(world, meeting, null);
  return meeting;
}

/** Changes words, place or visibility of a meeting, or with `slot` title and body of one occurrence. */
export function editMeeting(
  world: World,
  args: OnOccurrence & Partial<Pick<Meeting, 'title' | 'body' | 'location' | 'visibility' | 'hideGuests'>>,
): void {
  const meeting = world.meeting(args.meeting);
  const slot = slotOf(world, meeting, args.slot);
  keepHistory(world, meeting);
  if (slot === null) {
    for (const field of ['title', 'body', 'location'] as const)
      meeting[field] = args[field] ?? meeting[field];
    meeting.visibility = args.visibility ?? meeting.visibility;
    meeting.hideGuests = args.hideGuests ?? meeting.hideGuests;
  } else {
    const override = overrideFor(meeting, slot);
    if (args.title !== undefined) override.title = args.title;
    if (args.body !== undefined) override.body = args.body;
  }
  meetingChanged(world, meeting, slot);
}

/** The organizer calls the whole meeting off. */
export function cancelMeeting(world: World, args: OnMeeting): void {
  const meeting = world.meeting(args.meeting);
  if (meeting.cancelledAt !== null) return;
  keepHistory(world, meeting);
  meeting.cancelledAt = world.now();
  meetingChanged(world, meeting, null);
}

/** The organizer calls one occurrence off. */
export function cancelOccurrence(world: World, args: OnOccurrence): void {
  const meeting = world.meeting(args.meeting);
  const slot = neededSlot(world, meeting, args.slot);
  keepHistory(world, meeting);
  const override = overrideFor(meeting, slot);
  override.cancelledAt ??= world.now();
  meetingChanged(world, meeting, slot);
}

/**
 * Google's `move`: the meeting goes to another organizer's calendar and leaves the bare id of a cancelled event on the
 * old one. Who organized it stays invited; guests keep their copies, which name the new organizer from now on.
 */
export function changeOrganizer(world: World, args: OnMeeting & { organizer: string }): void {
  const meeting = world.meeting(args.meeting);
  if (meeting.home !== 'google') throw new Error('an Outlook meeting stays with its organizer');
  const former = world.person(meeting.organizer);
  const next = world.person(args.organizer);
  if (next.id === former.id) return;
  keepHistory(world, meeting);
  const formerAddress = former.addresses[0] ?? former.id;
  meeting.organizer = next.id;
  meeting.guests = [
    ...meeting.guests.filter((guest) => guest.person !== next.id && guest.person !== former.id),
    { ...guestFor(world, formerAddress), response: 'accepted', respondedAt: world.now() },
  ];
  const left = world.copy(former.id, meeting.id);
  if (left !== undefined) Object.assign(left, { isOrganizer: false, uninvitedAt: world.now() });
  deliverOrganizersCopy(world, meeting);
  forgetGuest(world, meeting, next);
  meetingChanged(world, meeting, null);
}

/** Who organizes a meeting takes part in all of it, whatever they had answered or taken off their calendar as a guest. */
function forgetGuest(world: World, meeting: Meeting, { id, addresses }: Person): void {
  for (const slot of world.copy(id, meeting.id)?.slots.keys() ?? []) world.touch(id, meeting.id, slot);
  world.copy(id, meeting.id)?.slots.clear();
  for (const { responses } of meeting.overrides.values())
    for (const address of addresses) responses.delete(address.toLowerCase());
}

/** A guest takes the meeting, or one occurrence, off their own calendar. Nobody else is told. */
export function deleteCopy(world: World, args: OnOccurrence & { person: string }): void {
  const meeting = world.meeting(args.meeting);
  const person = world.person(args.person);
  const copy = world.copy(person.id, meeting.id);
  if (copy === undefined) throw new Error(`${person.name} has no copy of ${meeting.id}`);
  if (copy.isOrganizer) throw new Error('an organizer who deletes a meeting cancels it: use cancelMeeting');
  const slot = slotOf(world, meeting, args.slot);
  if (slot === null) copy.deletedAt = world.now();
  else copySlotFor(copy, slot).deletedAt = world.now();
  world.touch(person.id, meeting.id, slot);
}

/** Invites somebody more, to the whole meeting or to one occurrence alone. */
export function addGuest(world: World, args: OnOccurrence & { guest: GuestInput }): void {
  const meeting = world.meeting(args.meeting);
  const slot = slotOf(world, meeting, args.slot);
  const guest = guestFor(world, args.guest);
  keepHistory(world, meeting);
  if (slot === null) {
    meeting.guests = [...meeting.guests.filter((known) => known.address !== guest.address), guest];
  } else {
    const override = overrideFor(meeting, slot);
    override.removed = override.removed.filter((address) => address !== guest.address);
    const invited = guestsAt(meeting, slot).some((known) => known.address === guest.address);
    if (!invited) override.added.push(guest);
    const own = guest.person === null ? undefined : world.copy(guest.person, meeting.id)?.slots.get(slot);
    if (!invited && own !== undefined) own.deletedAt = null;
  }
  giveGuestCopy(world, meeting, guest, slot === null);
  meetingChanged(world, meeting, slot);
}

/** Takes somebody off the guest list, of the whole meeting or of one occurrence. */
export function removeGuest(world: World, args: OnOccurrence & { guest: string }): void {
  const meeting = world.meeting(args.meeting);
  const slot = slotOf(world, meeting, args.slot);
  const { address, person } = guestFor(world, args.guest);
  keepHistory(world, meeting);
  const meant = (known: { address: string; person: string | null }): boolean =>
    known.address.toLowerCase() === address.toLowerCase() || (person !== null && known.person === person);
  const leaveOccurrence = (override: Override): void => {
    override.removed.push(
      ...[...meeting.guests, ...override.added].filter(meant).map((known) => known.address),
    );
    override.added = override.added.filter((known) => !meant(known));
  };
  if (slot === null) {
    for (const override of meeting.overrides.values()) {
      if (!override.added.some(meant)) continue;
      leaveOccurrence(override);
      meetingChanged(world, meeting, override.slot);
    }
    meeting.guests = meeting.guests.filter((known) => !meant(known));
    const copy = person === null ? undefined : world.copy(person, meeting.id);
    if (copy !== undefined) copy.uninvitedAt = world.now();
  } else {
    leaveOccurrence(overrideFor(meeting, slot));
  }
  meetingChanged(world, meeting, slot);
}

/** The ids of a new meeting, as its provider makes them. */
export function identifiersFor(world: World, home: Meeting['home']): Pick<Meeting, 'uid' | 'eventId'> {
  const eventId = world.random.text(BASE32HEX, 26);
  if (home === 'google') return { eventId, uid: `${eventId}@google.com` };
  const uid = globalObjectId(Buffer.from(world.random.text(HEX, 32), 'hex'), world.now(), null);
  // Google names what it imported by an id of its own that starts with an underscore.
  return { eventId: `_${world.random.text(BASE32HEX, 60)}`, uid };
}

function conferenceFor(
  world: World,
  kind: 'meet' | 'teams' | 'zoom' | null,
  organizerObjectId: string,
): Conference | null {
  const random = world.random.fork(`conference ${world.meetings.size}`);
  if (kind === 'meet') {
    const code = [3, 4, 3].map((length) => random.text(LETTERS, length)).join('-');
    return { kind, code, space: `spaces/${random.text(`${LETTERS}ABCDEFGHIJ0123456789`, 12)}` };
  }
  if (kind === 'teams') {
    const threadId = `19:meeting_${random.text(`${LETTERS}${LETTERS.toUpperCase()}0123456789`, 48)}@thread.v2`;
    const context = encodeURIComponent(`{"Tid":"${TENANT_ID}","Oid":"${organizerObjectId}"}`);
    return {
      kind,
      threadId,
      // The colon and the at sign come escaped in lower case, which a byte-exact filter must repeat.
      joinUrl: `https://teams.microsoft.com/l/meetup-join/${threadId.replace(':', '%3a').replace('@', '%40')}/0?context=${context}`,
      meetingId: Buffer.from(`1*${organizerObjectId}*0**${threadId}`).toString('base64'),
    };
  }
  return kind === 'zoom' ? { kind, url: `https://zoom.example/j/${random.text('0123456789', 11)}` } : null;
}

/** The tenant in which the sandbox's Outlook people live. */
export const TENANT_ID = '7b3d1c56-5f0e-4b7e-9a61-3d0f8f6f2c11';
