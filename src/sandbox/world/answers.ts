import { type OnMeeting, type OnOccurrence, slotOf } from './arguments.ts';
import { meetingChanged } from './bookkeeping.ts';
import { categoriesAt, copySlotFor, overrideFor } from './occurrences.ts';
import type { Copy, Guest, Meeting, Person, Response } from './types.ts';
import type { World } from './world.ts';

/**
 * Somebody answers an invitation, for all or for one occurrence. With `silent` (Outlook's "do not send a
 * response") only their own copy knows.
 */
export function respond(
  world: World,
  args: OnOccurrence & { person: string; response: Response; silent?: boolean },
): void {
  const meeting = world.meeting(args.meeting);
  const slot = slotOf(world, meeting, args.slot);
  const person = world.person(args.person);
  const copy = world.copy(person.id, meeting.id);
  const at = world.now();
  if (copy !== undefined) answerOnCopy(copy, slot, args.response, at);
  if (args.silent !== true) answerToOrganizer(meeting, person, slot, args.response, at);
  for (const other of world.copiesOf(meeting.id)) {
    const isOwn = other.person === person.id;
    if (isOwn || (args.silent !== true && hearsAnswers(world, meeting, other))) {
      world.touch(other.person, meeting.id, slot);
    }
  }
}

/** Writes a tag such as `#mentoring` into a meeting's (or one occurrence's) title or body. */
export function addTag(world: World, args: OnOccurrence & { tag: string; where?: 'title' | 'body' }): void {
  const write = (text: string): string =>
    args.where === 'body' ? `${text}<p>${args.tag}</p>` : `${text} ${args.tag}`;
  rewrite(world, args, args.where ?? 'title', (text) => (text.includes(args.tag) ? text : write(text)));
}

/** Takes a tag out of title and body, of the meeting or of one occurrence. */
export function removeTag(world: World, args: OnOccurrence & { tag: string }): void {
  const strip = (text: string): string =>
    text.replaceAll(`<p>${args.tag}</p>`, '').replaceAll(` ${args.tag}`, '').replaceAll(args.tag, '').trim();
  rewrite(world, args, 'title', strip, 'body');
}

/** Sets or lifts a category on one person's own copy; categories do not travel. */
export function setCategory(
  world: World,
  args: OnOccurrence & { person: string; category: string; on?: boolean },
): void {
  const meeting = world.meeting(args.meeting);
  const slot = slotOf(world, meeting, args.slot);
  const copy = neededCopy(world, meeting, args.person);
  const others = categoriesAt(copy, slot).filter((name) => name !== args.category);
  const categories = args.on === false ? others : [...others, args.category];
  if (slot === null) copy.categories = categories;
  else copySlotFor(copy, slot).categories = categories;
  world.touch(copy.person, meeting.id, slot);
}

/** Sets (or with null lifts) an extended property: private to one person's copy, shared when no person is named. */
export function setProperty(
  world: World,
  args: OnMeeting & { key: string; value: string | null; person?: string },
): void {
  const meeting = world.meeting(args.meeting);
  const copy = args.person === undefined ? null : neededCopy(world, meeting, args.person);
  const { [args.key]: _former, ...rest } = copy?.privateProperties ?? meeting.sharedProperties;
  const properties = args.value === null ? rest : { ...rest, [args.key]: args.value };
  if (copy === null) {
    meeting.sharedProperties = properties;
    meetingChanged(world, meeting, null);
  } else {
    copy.privateProperties = properties;
    world.touch(copy.person, meeting.id, null);
  }
}

function answerOnCopy(copy: Copy, slot: number | null, response: Response, at: number): void {
  if (slot !== null) {
    Object.assign(copySlotFor(copy, slot), { response, respondedAt: at });
    return;
  }
  copy.response = response;
  copy.respondedAt = at;
  for (const own of copy.slots.values()) Object.assign(own, { response: null, respondedAt: null });
}

function answerToOrganizer(
  meeting: Meeting,
  person: Person,
  slot: number | null,
  response: Response,
  at: number,
): void {
  const mine = person.addresses.map((address) => address.toLowerCase());
  const isMine = (guest: Guest): boolean => mine.includes(guest.address.toLowerCase());
  if (slot !== null) {
    const override = overrideFor(meeting, slot);
    const address = [...meeting.guests, ...override.added].find(isMine)?.address ?? mine[0] ?? '';
    override.responses.set(address.toLowerCase(), { response, at });
    return;
  }
  for (const guest of meeting.guests.filter(isMine)) Object.assign(guest, { response, respondedAt: at });
  for (const override of meeting.overrides.values()) {
    for (const address of mine) override.responses.delete(address);
  }
}

/** Google spreads every answer over its own copies; beyond that only the organizer hears. */
function hearsAnswers(world: World, meeting: Meeting, copy: Copy): boolean {
  if (copy.isOrganizer) return true;
  return meeting.home === 'google' && world.person(copy.person).provider === 'google';
}

function rewrite(
  world: World,
  args: OnOccurrence,
  first: 'title' | 'body',
  change: (text: string) => string,
  second?: 'title' | 'body',
): void {
  const meeting = world.meeting(args.meeting);
  const slot = slotOf(world, meeting, args.slot);
  for (const field of second === undefined ? [first] : [first, second]) {
    if (slot === null) {
      meeting[field] = change(meeting[field]);
      for (const override of meeting.overrides.values()) {
        const own = override[field];
        if (own !== undefined) override[field] = change(own);
      }
    } else {
      const override = overrideFor(meeting, slot);
      override[field] = change(override[field] ?? meeting[field]);
    }
  }
  meetingChanged(world, meeting, slot);
}

function neededCopy(world: World, meeting: Meeting, reference: string): Copy {
  const person = world.person(reference);
  const copy = world.copy(person.id, meeting.id);
  if (copy === undefined) throw new Error(`${person.name} has no copy of ${meeting.id}`);
  return copy;
}
