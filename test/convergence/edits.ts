import { DateTime } from 'luxon';
import {
  addGuest,
  changeOrganizer,
  convertSeriesToSingle,
  convertSingleToSeries,
  copyStatus,
  createMeeting,
  deleteCopy,
  detachOccurrence,
  type Edit,
  editAtRandom,
  editMeeting,
  localOf,
  type Meeting,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  type Occurrence,
  occurrencesOf,
  type Random,
  removeGuest,
  setCategory,
  setProperty,
  splitSeries,
  type World,
} from '../../src/sandbox/world/index.ts';
import { MENTORSHIPS } from './stage.ts';

/**
 * Edits as people make them. Most are the sandbox's own; those it does not have, and those whose outcome a reader of
 * calendars cannot decide in every case, are made here.
 */

export const OWN_EDITS = [
  'book by category',
  'book under an alias',
  'label',
  'unlabel',
  'set property',
  'lift property',
  'hide',
  'show',
  'hide guests',
  'rename occurrence',
  'move all',
  'split series',
  'convert to series',
  'convert to single',
  'detach occurrence',
  'hand over',
  'invite outsider',
  'invite to occurrence',
  'leave',
  'leave occurrence',
  'uninvite',
  'uninvite from occurrence',
  'move',
  'use again',
] as const;
export type OwnEdit = (typeof OWN_EDITS)[number];
/** Left to our own versions: categories that no rule knows, and what is excluded below. */
type Borrowed = Exclude<Edit, OwnEdit | 'categorise' | 'move series' | 'make a series' | 'make single'>;
export type AnyEdit = OwnEdit | Borrowed;

/** Edits that few people make: only a run with `--rare` plays them, and its seeds are other runs. */
const RARE = ['detach occurrence', 'hand over'] as const;
type RareEdit = (typeof RARE)[number];

/** How often each edit comes, relative to the others. */
export const WEIGHTS: Readonly<Record<Exclude<AnyEdit, RareEdit>, number>> = {
  book: 6,
  'book by category': 2,
  'book under an alias': 2,
  rename: 2,
  'rename occurrence': 2,
  tag: 3,
  untag: 2,
  label: 3,
  unlabel: 2,
  'set property': 1,
  'lift property': 1,
  hide: 1,
  show: 1,
  'hide guests': 1,
  move: 5,
  'move occurrence': 7,
  'move all': 6,
  'split series': 5,
  cancel: 1,
  'cancel occurrence': 6,
  leave: 2,
  'leave occurrence': 2,
  answer: 4,
  'answer occurrence': 4,
  invite: 3,
  'invite outsider': 1,
  'invite to occurrence': 3,
  uninvite: 2,
  'uninvite from occurrence': 2,
  'convert to series': 2,
  'convert to single': 2,
  'use again': 3,
};
export const RARE_WEIGHTS: Readonly<Record<AnyEdit, number>> = {
  ...WEIGHTS,
  'detach occurrence': 2,
  'hand over': 2,
};

const DAY = 86_400_000;
const GROUPS = MENTORSHIPS.map(({ members }) => members.map((member) => member.address));
/** The outsider has no calendar and books nothing. */
const BOOKING_GROUPS = GROUPS.map((group) => group.filter((address) => !address.includes('elsewhere')));

export interface EditDone {
  readonly text: string;
  /** Where the meeting was made; `null` when chance found nothing to work on. */
  readonly home: string | null;
}

/** Where series stood since everything was last read: how far apart two readings of one series may be. */
export type SeenStarts = Map<string, Set<number>>;

/** Does one edit. `null` when there was nothing it could work on. */
export function edit(world: World, kind: AnyEdit, random: Random, seen: SeenStarts): EditDone | null {
  const own = OWN[kind as OwnEdit];
  if (own === undefined) {
    const text = editAtRandom(world, { random, edits: [kind as Edit], groups: BOOKING_GROUPS });
    const meeting = text === null ? undefined : /\bm\d+/.exec(text)?.[0];
    return text === null || meeting === undefined ? null : { text, home: world.meeting(meeting).home };
  }
  if (kind === 'book by category' || kind === 'book under an alias' || kind === 'use again')
    return own(world, null, random, seen);
  const meetings = [...world.meetings.values()].filter((meeting) => comingOf(world, meeting).length > 0);
  return meetings.length === 0 ? null : own(world, random.pick(meetings), random, seen);
}

type Editor = (world: World, meeting: Meeting | null, random: Random, seen: SeenStarts) => EditDone | null;
const on = (
  name: OwnEdit,
  act: (world: World, meeting: Meeting, random: Random, seen: SeenStarts) => string | null,
): Editor => {
  return (world, meeting, random, seen) => {
    if (meeting === null) return null;
    const done = act(world, meeting, random, seen);
    return done === null ? null : { text: `${name} ${meeting.id}: ${done}`, home: meeting.home };
  };
};

const OWN: Readonly<Record<OwnEdit, Editor>> = {
  'book by category': (world, _none, random) => {
    const group = random.pick(BOOKING_GROUPS.filter((one) => one.some((who) => who.includes('south'))));
    const meeting = bookFor(world, random, group, group, 'Catching up');
    const outlook = group.filter((who) => world.person(who).provider === 'microsoft');
    const person = random.pick(outlook);
    setCategory(world, { meeting: meeting.id, person, category: 'Mentoring' });
    return { text: `book by category ${meeting.id}: ${person}`, home: meeting.home };
  },
  'book under an alias': (world, _none, random) => {
    const alias = random.pick(['ben.b@north.example', 'c.doe@south.example']);
    const person = world.person(alias);
    const [address = ''] = person.addresses;
    const group = GROUPS.find((members) => members.includes(address)) ?? [];
    const others = group.filter((who) => who !== address);
    const meeting = bookFor(world, random, others, [...others, alias], 'Session #mentoring');
    return { text: `book under an alias ${meeting.id}: ${alias}`, home: meeting.home };
  },
  label: on('label', (world, meeting, random) => categorise(world, meeting, random, true)),
  unlabel: on('unlabel', (world, meeting, random) => categorise(world, meeting, random, false)),
  'set property': on('set property', (world, meeting, random) => property(world, meeting, random, true)),
  'lift property': on('lift property', (world, meeting, random) => property(world, meeting, random, false)),
  hide: on('hide', (world, meeting, random) => {
    const visibility = random.pick(['private', 'confidential'] as const);
    editMeeting(world, { meeting: meeting.id, visibility });
    return visibility;
  }),
  show: on('show', (world, meeting) => {
    editMeeting(world, { meeting: meeting.id, visibility: 'default' });
    return 'default';
  }),
  'hide guests': on('hide guests', (world, meeting, random) => {
    const hideGuests = random.below(2) === 0;
    editMeeting(world, { meeting: meeting.id, hideGuests });
    return String(hideGuests);
  }),
  'rename occurrence': on('rename occurrence', (world, meeting, random) => {
    const slot = comingOccurrence(world, meeting, random)?.slot;
    if (slot == null) return null;
    const title = random.pick(['Special talk #mentoring', 'Something else', '[#mentoring] <b>']);
    editMeeting(world, { meeting: meeting.id, slot, title });
    return `${new Date(slot).toISOString()} ${title}`;
  }),
  'move all': on('move all', moveAll),
  'split series': on('split series', split),
  'convert to series': on('convert to series', (world, meeting, random, seen) => {
    if (meeting.recurrence !== null || isPartOfSplit(world, meeting) || isUnread(meeting, seen)) return null;
    seen.set(converted(meeting), new Set());
    const rule = random.pick(['FREQ=WEEKLY;COUNT=6', 'FREQ=WEEKLY', 'FREQ=DAILY;COUNT=4']);
    convertSingleToSeries(world, { meeting: meeting.id, rule });
    return rule;
  }),
  'convert to single': on('convert to single', (world, meeting, random, seen) => {
    const chosen = comingOccurrence(world, meeting, random);
    const slot = chosen?.slot;
    if (slot == null || isPartOfSplit(world, meeting) || isUnread(meeting, seen)) return null;
    if (chosen !== null && standsInForAnother(world, meeting, chosen)) return null;
    seen.set(converted(meeting), new Set());
    convertSeriesToSingle(world, { meeting: meeting.id, slot });
    return new Date(slot).toISOString();
  }),
  'detach occurrence': on('detach occurrence', detach),
  'hand over': on('hand over', handOver),
  'invite outsider': on('invite outsider', (world, meeting) => {
    const known = meeting.guests.some((guest) => guest.address === 'ivy@elsewhere.example');
    if (known) return null;
    addGuest(world, { meeting: meeting.id, guest: 'ivy@elsewhere.example' });
    return 'Ivy';
  }),
  'invite to occurrence': on('invite to occurrence', inviteToOccurrence),
  move: on('move', (world, meeting, random, seen) => {
    if (meeting.recurrence !== null || seen.has(converted(meeting))) return null;
    const at = Math.ceil((world.now() + (1 + random.below(20 * 24 * 4)) * 900_000) / 900_000) * 900_000;
    const start = localOf(at, meeting.zone);
    moveMeeting(world, { meeting: meeting.id, start });
    return start;
  }),
  'use again': useAgain,
  leave: on('leave', (world, meeting, random) => leave(world, meeting, random, null)),
  'leave occurrence': on('leave occurrence', (world, meeting, random) => {
    const slot = comingOccurrence(world, meeting, random)?.slot;
    return slot == null ? null : leave(world, meeting, random, slot);
  }),
  uninvite: on('uninvite', (world, meeting, random) => uninvite(world, meeting, random, null)),
  'uninvite from occurrence': on('uninvite from occurrence', (world, meeting, random) => {
    const slot = comingOccurrence(world, meeting, random)?.slot;
    return slot == null ? null : uninvite(world, meeting, random, slot);
  }),
};

/** Drags an event of the last days, which is over, to a day ahead: the old session stays, this is another. */
function useAgain(world: World, _none: Meeting | null, random: Random): EditDone | null {
  const now = world.now();
  const over = [...world.meetings.values()]
    .filter(({ cancelledAt }) => cancelledAt === null)
    .flatMap((meeting) => occurrencesOf(meeting, now, { from: now - 10 * DAY, until: now }))
    .filter(({ end, cancelledAt }) => end <= now && cancelledAt === null);
  if (over.length === 0) return null;
  const { meeting, slot } = random.pick(over);
  const start = Math.ceil((now + (1 + random.below(7 * 24 * 4)) * 900_000) / 900_000) * 900_000 + 3_600_000;
  if (slot === null) moveMeeting(world, { meeting: meeting.id, start: localOf(start, meeting.zone) });
  else moveOccurrence(world, { meeting: meeting.id, slot, start });
  const which = slot === null ? '' : `${new Date(slot).toISOString()} `;
  return { text: `use again ${meeting.id}: ${which}at ${new Date(start).toISOString()}`, home: meeting.home };
}

/**
 * Excluded: somebody whose copy carries a mark of its own takes it away. The mark outlives the copy where it was
 * read before, and is unknown where it was not; which of the two is no matter of the edits.
 */
function isMarked(world: World, meeting: Meeting, person: string | null): boolean {
  const copy = person === null ? undefined : world.copy(person, meeting.id);
  if (copy === undefined) return false;
  const ofOccurrences = [...copy.slots.values()].some((own) => (own.categories ?? []).length > 0);
  return copy.categories.length > 0 || ofOccurrences || Object.keys(copy.privateProperties).length > 0;
}

function leave(world: World, meeting: Meeting, random: Random, slot: number | null): string | null {
  const copies = world
    .copiesOf(meeting.id)
    .filter((copy) => !copy.isOrganizer && copyStatus(meeting, copy, slot) === 'live')
    .filter((copy) => !isMarked(world, meeting, copy.person) && !isSharedMark(meeting))
    .filter((copy) => slot !== null || !copy.occurrencesOnly);
  if (copies.length === 0) return null;
  const { person } = random.pick(copies);
  deleteCopy(world, { meeting: meeting.id, person, slot });
  return `${world.person(person).name}${slot === null ? '' : ` ${new Date(slot).toISOString()}`}`;
}

function uninvite(world: World, meeting: Meeting, random: Random, slot: number | null): string | null {
  const guests = meeting.guests.filter(
    (guest) => !isMarked(world, meeting, guest.person) && !isSharedMark(meeting),
  );
  if (guests.length === 0) return null;
  const guest = random.pick(guests).address;
  removeGuest(world, { meeting: meeting.id, guest, slot });
  return `${guest}${slot === null ? '' : ` ${new Date(slot).toISOString()}`}`;
}

/**
 * Somebody new is invited to one occurrence. Excluded: one that another occurrence of the meeting stands at the same time
 * as. Outlook shows the guest a single event without an original start, so that it is as much the one as the other.
 */
function inviteToOccurrence(world: World, meeting: Meeting, random: Random): string | null {
  const strangers = BOOKING_GROUPS.filter((group) =>
    group.some((who) => world.person(who).id === meeting.organizer),
  )
    .flat()
    .filter((who) => world.copy(world.person(who).id, meeting.id) === undefined);
  const chosen = comingOccurrence(world, meeting, random);
  if (strangers.length === 0 || chosen?.slot == null) return null;
  const { slot, start } = chosen;
  const isShared = [...world.meetings.values()]
    .filter(({ lineage }) => lineage === meeting.lineage)
    .flatMap((part) => occurrencesOf(part, world.now(), { from: start, until: start + 1 }))
    .some((other) => other.start === start && (other.meeting !== chosen.meeting || other.slot !== slot));
  if (isShared) return null;
  addGuest(world, { meeting: meeting.id, guest: random.pick(strangers), slot });
  return new Date(slot).toISOString();
}

/** A shared property looks like a private one: on the copy that is gone nobody can tell them apart. */
const isSharedMark = (meeting: Meeting): boolean => Object.keys(meeting.sharedProperties).length > 0;

/**
 * Excluded: one half of a split series turned into a single event and grown again. Both halves keep one UID, so two
 * series of one lineage could then hold the same instant, and that is exactly what a leftover row of a split looks
 * like: two copies at one original instant are one occurrence.
 */
function isPartOfSplit(world: World, meeting: Meeting): boolean {
  return [...world.meetings.values()].some(
    (other) => other.id !== meeting.id && other.lineage === meeting.lineage,
  );
}

/**
 * Excluded: a conversion and a move to another day, or two conversions, of which only the outcome is read. A single
 * event in place of a series is then as near to one of its occurrences as to another.
 */
const isUnread = (meeting: Meeting, seen: SeenStarts): boolean =>
  seen.has(converted(meeting)) || (seen.get(meeting.id)?.size ?? 0) > 1;
const converted = (meeting: Meeting): string => `converted ${meeting.id}`;
const detachedFrom = (meeting: Meeting): string => `detached from ${meeting.id}`;

/**
 * Excluded: a series made single at an occurrence that had been moved onto the day of another, be it one that a split
 * has taken out since and that nobody has read as gone. A single event has no original start, so that it is as much the
 * one as the other.
 */
function standsInForAnother(world: World, meeting: Meeting, { slot, start }: Occurrence): boolean {
  const rule = meeting.recurrence?.rule.replace(/;(?:UNTIL|COUNT)=\w+/, '') ?? '';
  const uncut = { ...meeting, recurrence: { rule, exdates: [] } };
  return (
    slot !== start &&
    occurrencesOf(uncut, world.now(), { from: start - 2 * DAY, until: start + 2 * DAY }).some(
      (other) => other.slot !== null && other.slot !== slot && Math.abs(other.slot - start) < DAY,
    )
  );
}

/**
 * An occurrence becomes an event of its own. Outlook's guests then hold a new event without an original start, which
 * is told by its day alone: excluded is what `convert to single` excludes, and what is moved before it was read.
 */
function detach(world: World, meeting: Meeting, random: Random, seen: SeenStarts): string | null {
  const chosen = comingOccurrence(world, meeting, random);
  if (meeting.home !== 'google' || chosen?.slot == null || isUnread(meeting, seen)) return null;
  if (standsInForAnother(world, meeting, chosen)) return null;
  const made = detachOccurrence(world, { meeting: meeting.id, slot: chosen.slot });
  for (const one of [converted(meeting), converted(made), detachedFrom(meeting)]) seen.set(one, new Set());
  return `${new Date(chosen.slot).toISOString()} is ${made.id}`;
}

/** Google's `move`: another member of the group who has a calendar at Google organizes the meeting from now on. */
function handOver(world: World, meeting: Meeting, random: Random): string | null {
  const others = meeting.guests.flatMap(({ person }) => {
    if (person === null || person === meeting.organizer) return [];
    const one = world.person(person);
    return one.provider === 'google' && world.calendars.has(person) ? [one] : [];
  });
  if (meeting.home !== 'google' || others.length === 0) return null;
  const next = random.pick(others);
  changeOrganizer(world, { meeting: meeting.id, organizer: next.id });
  return next.addresses[0] ?? next.id;
}

/**
 * Moves a series to another weekday and time of day. Excluded are the moves after which nobody can tell which
 * occurrence became which:
 *
 * - by half its period or more, since everything was last read: the neighbour is as near;
 * - a daily series by whole days: it becomes itself, one place further;
 * - one that carries a coming occurrence into the past: whether that took place is not for a calendar to say;
 * - one part of a split series to the very starts of another (what ends with a day has room for an occurrence more when
 *   it moves to an earlier one): that is what the leftover row of a split looks like, and counts as one occurrence.
 */
function moveAll(world: World, meeting: Meeting, random: Random, seen: SeenStarts): string | null {
  const rule = meeting.recurrence?.rule;
  if (rule === undefined || seen.has(detachedFrom(meeting))) return null;
  const start = DateTime.fromISO(meeting.start, { zone: 'utc' });
  const reach = rule.startsWith('FREQ=DAILY') ? 0 : rule.includes('INTERVAL=2') ? 5 : 3;
  const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR'].filter((_name, at) => {
    const moved = start.plus({ days: at + 1 - start.weekday });
    const stood = [...(seen.get(meeting.id) ?? []), start.startOf('day').toMillis()];
    // A monthly rule without a day follows its start: the end of the month is not in every month.
    if (rule.startsWith('FREQ=MONTHLY') && (moved.day > 27 || moved.month !== start.month)) return false;
    return stood.every((day) => Math.abs(moved.startOf('day').toMillis() - day) <= reach * DAY);
  });
  if (weekdays.length === 0 && reach > 0) return null;
  const weekday = reach === 0 ? null : random.pick(weekdays);
  const days = weekday === null ? 0 : ['MO', 'TU', 'WE', 'TH', 'FR'].indexOf(weekday) + 1 - start.weekday;
  const hour = 8 + random.below(10);
  const target = start.plus({ days }).set({ hour, minute: 30 });
  const shift = target.diff(start).toMillis();
  const now = world.now();
  const leavesTheFuture = occurrencesOf(meeting, now, { from: now - 8 * DAY, until: now + 8 * DAY }).some(
    // An hour more, for a change of clocks on the way.
    ({ slot, end }) => slot !== null && end > now && slot + shift < now + 3_600_000,
  );
  if (leavesTheFuture) return null;
  const moved = { ...meeting, start: target.toFormat("yyyy-MM-dd'T'HH:mm"), overrides: new Map() };
  if (standsOnAnotherPart(world, moved)) return null;
  const time = `${String(hour).padStart(2, '0')}:30`;
  const keepCancelled = random.below(2) === 0;
  moveSeries(world, {
    meeting: meeting.id,
    time,
    keepCancelled,
    ...(weekday === null ? {} : { weekday }),
  });
  return `${weekday ?? 'same days'} ${time}${keepCancelled ? '' : ', cancelled ones back'}`;
}

function standsOnAnotherPart(world: World, moved: Meeting): boolean {
  const now = world.now();
  const slotsOf = (meeting: Meeting): (number | null)[] =>
    occurrencesOf(meeting, now, { from: now, until: now + 180 * DAY }).map(({ slot }) => slot);
  const taken = new Set(
    [...world.meetings.values()]
      .filter(({ id, lineage }) => id !== moved.id && lineage === moved.lineage)
      .flatMap(slotsOf),
  );
  return taken.size > 0 && slotsOf(moved).some((slot) => taken.has(slot));
}

/**
 * "This and following", at its own time of day or another. Excluded: the following occurrences begin in the past,
 * because the one that was chosen had been put off to later. What a calendar then shows before now has not taken place
 * at that time, and no calendar says so.
 */
function split(world: World, meeting: Meeting, random: Random): string | null {
  const chosen = comingOccurrence(world, meeting, random);
  const slot = chosen?.slot;
  if (chosen === null || slot == null || chosen.ordinal === meeting.ordinalOffset) return null;
  const hour = random.below(2) === 0 ? null : 8 + random.below(10);
  const own = DateTime.fromMillis(slot, { zone: meeting.zone });
  const first = hour === null ? own : own.set({ hour, minute: 15 });
  if (first.toMillis() < world.now()) return null;
  const time = hour === null ? {} : { time: `${String(hour).padStart(2, '0')}:15` };
  return splitSeries(world, { meeting: meeting.id, slot, ...time }).id;
}

function categorise(world: World, meeting: Meeting, random: Random, set: boolean): string | null {
  const slot = random.below(3) === 0 ? (comingOccurrence(world, meeting, random)?.slot ?? null) : null;
  const copies = world
    .copiesOf(meeting.id)
    .filter((copy) => world.person(copy.person).provider === 'microsoft')
    .filter((copy) => copyStatus(meeting, copy, slot) === 'live');
  if (copies.length === 0) return null;
  const { person } = random.pick(copies);
  setCategory(world, { meeting: meeting.id, person, slot, category: 'Mentoring', on: set });
  return `${world.person(person).name}${slot === null ? '' : ` ${new Date(slot).toISOString()}`}`;
}

function property(world: World, meeting: Meeting, random: Random, set: boolean): string | null {
  const value = set ? 'mentoring' : null;
  const copies = world
    .copiesOf(meeting.id)
    .filter((copy) => world.person(copy.person).provider === 'google')
    .filter((copy) => copyStatus(meeting, copy, null) === 'live');
  if (copies.length === 0) return null;
  if (random.below(2) === 0) {
    setProperty(world, { meeting: meeting.id, key: 'programme', value });
    return 'shared';
  }
  const { person } = random.pick(copies);
  setProperty(world, { meeting: meeting.id, key: 'programme', value, person });
  return world.person(person).name;
}

function bookFor(
  world: World,
  random: Random,
  organizers: readonly string[],
  invited: readonly string[],
  title: string,
): Meeting {
  const organizer = random.pick(organizers);
  const zone = world.person(organizer).zone;
  const day = DateTime.fromMillis(world.now() + (1 + random.below(10)) * DAY, { zone }).toISODate();
  const rule = random.pick([undefined, 'FREQ=WEEKLY', 'FREQ=WEEKLY;INTERVAL=2', 'FREQ=DAILY;COUNT=5']);
  return createMeeting(world, {
    organizer,
    guests: invited.filter((who) => who !== organizer),
    title,
    start: `${day}T${String(8 + random.below(9)).padStart(2, '0')}:00`,
    minutes: 45,
    ...(rule === undefined ? {} : { rule }),
  });
}

/** Occurrences that have not begun and are not called off, an hour away at least. */
function comingOf(world: World, meeting: Meeting): Occurrence[] {
  const now = world.now();
  if (meeting.cancelledAt !== null) return [];
  return occurrencesOf(meeting, now, { from: now, until: now + 60 * DAY }).filter(
    ({ start, cancelledAt }) => cancelledAt === null && start > now + 3_600_000,
  );
}

function comingOccurrence(world: World, meeting: Meeting, random: Random): Occurrence | null {
  const coming = comingOf(world, meeting);
  return meeting.recurrence === null || coming.length === 0 ? null : random.pick(coming);
}
