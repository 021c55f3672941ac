import { addTag, removeTag, respond, setCategory } from './answers.ts';
import {
  addGuest,
  cancelMeeting,
  cancelOccurrence,
  createMeeting,
  deleteCopy,
  editMeeting,
  removeGuest,
} from './meetings.ts';
import { copyStatus, occurrencesOf } from './occurrences.ts';
import type { Random } from './random.ts';
import { instantOf, localOf } from './recurrence.ts';
import {
  convertSeriesToSingle,
  convertSingleToSeries,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  splitSeries,
} from './schedule.ts';
import type { Meeting, Occurrence, Person } from './types.ts';
import type { World } from './world.ts';

/** Every edit people make to calendars; a run may leave some out. */
export const EDITS = [
  'book',
  'rename',
  'tag',
  'untag',
  'categorise',
  'move',
  'move occurrence',
  'move series',
  'split series',
  'cancel',
  'cancel occurrence',
  'leave',
  'leave occurrence',
  'answer',
  'answer occurrence',
  'invite',
  'invite to occurrence',
  'uninvite',
  'uninvite from occurrence',
  'make a series',
  'make single',
] as const;
export type Edit = (typeof EDITS)[number];

export interface RandomEdits {
  random: Random;
  /** Which edits may come, all when absent. An edit named twice comes twice as often. */
  edits?: readonly Edit[];
  /** Who books and is invited, as pairs and groups; everybody with a calendar in one group when absent. */
  groups?: readonly (readonly string[])[];
  tag?: string;
}

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR'];
const DAY = 86_400_000;

/**
 * Does one edit by chance, as people would: nothing that has begun is touched, and nothing moves into the past.
 * Gives a plain sentence about it, or null when chance picked an edit that had nothing to work on.
 */
export function editAtRandom(world: World, options: RandomEdits): string | null {
  const { random } = options;
  const edit = random.pick(options.edits ?? EDITS);
  if (edit === 'book') return book(world, options);
  const meetings = [...world.meetings.values()].filter((meeting) => comingOf(world, meeting).length > 0);
  if (meetings.length === 0) return null;
  const meeting = random.pick(meetings);
  const done = EDITORS[edit](world, meeting, options);
  return done === null ? null : `${edit} ${meeting.id}: ${done}`;
}

type Editor = (world: World, meeting: Meeting, options: RandomEdits) => string | null;

const EDITORS: Record<Exclude<Edit, 'book'>, Editor> = {
  rename: (world, meeting, { random }) => {
    const title = `Talk ${random.below(1000)}${/#\S+/.exec(meeting.title)?.[0].replace(/^/, ' ') ?? ''}`;
    editMeeting(world, { meeting: meeting.id, title });
    return title;
  },
  tag: (world, meeting, { random, tag = '#mentoring' }) => {
    const where = random.pick(['title', 'body'] as const);
    addTag(world, { meeting: meeting.id, tag, where });
    return where;
  },
  untag: (world, meeting, { tag = '#mentoring' }) => {
    removeTag(world, { meeting: meeting.id, tag });
    return tag;
  },
  categorise: (world, meeting, { random }) => {
    const person = holder(world, meeting, random);
    if (person === null) return null;
    setCategory(world, { meeting: meeting.id, person, category: 'Blue', on: random.below(2) === 0 });
    return person;
  },
  move: (world, meeting, { random }) => {
    if (meeting.recurrence !== null) return null;
    const start = localOf(quarterHour(world.now() + (1 + random.below(20 * 24 * 4)) * 900_000), meeting.zone);
    // A local time that the clock skips in spring would be another one at each provider.
    if (localOf(instantOf(start, meeting.zone), meeting.zone) !== start) return null;
    moveMeeting(world, { meeting: meeting.id, start });
    return start;
  },
  'move occurrence': (world, meeting, { random }) => {
    const occurrence = comingOccurrence(world, meeting, random);
    if (occurrence === null) return null;
    const start = quarterHour(
      Math.max(world.now() + 3_600_000, occurrence.start + ((random.below(9) - 4) * DAY) / 2),
    );
    moveOccurrence(world, { meeting: meeting.id, slot: occurrence.slot, start });
    return new Date(start).toISOString();
  },
  'move series': (world, meeting, { random }) => {
    if (meeting.recurrence === null) return null;
    const weekday = random.pick(WEEKDAYS);
    const time = `${String(8 + random.below(10)).padStart(2, '0')}:30`;
    moveSeries(world, { meeting: meeting.id, weekday, time, keepCancelled: random.below(2) === 0 });
    return `${weekday} ${time}`;
  },
  'split series': (world, meeting, { random }) => {
    const occurrence = comingOccurrence(world, meeting, random);
    if (occurrence?.slot == null || occurrence.ordinal === meeting.ordinalOffset) return null;
    const time = random.below(2) === 0 ? {} : { time: `${String(8 + random.below(10)).padStart(2, '0')}:15` };
    return splitSeries(world, { meeting: meeting.id, slot: occurrence.slot, ...time }).id;
  },
  cancel: (world, meeting) => {
    cancelMeeting(world, { meeting: meeting.id });
    return 'all of it';
  },
  'cancel occurrence': (world, meeting, { random }) =>
    onOccurrence(world, meeting, random, (slot) => cancelOccurrence(world, { meeting: meeting.id, slot })),
  leave: (world, meeting, { random }) => {
    const person = guestHolder(world, meeting, random);
    if (person !== null) deleteCopy(world, { meeting: meeting.id, person });
    return person;
  },
  'leave occurrence': (world, meeting, { random }) => {
    const person = guestHolder(world, meeting, random);
    if (person === null) return null;
    return onOccurrence(world, meeting, random, (slot) =>
      deleteCopy(world, { meeting: meeting.id, person, slot }),
    );
  },
  answer: (world, meeting, { random }) => {
    const person = guestHolder(world, meeting, random);
    if (person === null) return null;
    const response = random.pick(['accepted', 'declined', 'tentative'] as const);
    respond(world, { meeting: meeting.id, person, response, silent: random.below(4) === 0 });
    return `${person} ${response}`;
  },
  'answer occurrence': (world, meeting, { random }) => {
    const person = guestHolder(world, meeting, random);
    if (person === null) return null;
    const response = random.pick(['accepted', 'declined', 'tentative'] as const);
    return onOccurrence(world, meeting, random, (slot) =>
      respond(world, { meeting: meeting.id, person, slot, response }),
    );
  },
  invite: (world, meeting, options) => {
    const guest = stranger(world, meeting, options);
    if (guest !== null) addGuest(world, { meeting: meeting.id, guest });
    return guest;
  },
  'invite to occurrence': (world, meeting, options) => {
    const guest = stranger(world, meeting, options);
    if (guest === null) return null;
    return onOccurrence(world, meeting, options.random, (slot) =>
      addGuest(world, { meeting: meeting.id, guest, slot }),
    );
  },
  uninvite: (world, meeting, { random }) => {
    if (meeting.guests.length === 0) return null;
    const guest = random.pick(meeting.guests).address;
    removeGuest(world, { meeting: meeting.id, guest });
    return guest;
  },
  'uninvite from occurrence': (world, meeting, { random }) => {
    if (meeting.guests.length === 0) return null;
    const guest = random.pick(meeting.guests).address;
    return onOccurrence(world, meeting, random, (slot) =>
      removeGuest(world, { meeting: meeting.id, guest, slot }),
    );
  },
  'make a series': (world, meeting) => {
    if (meeting.recurrence !== null) return null;
    convertSingleToSeries(world, { meeting: meeting.id, rule: 'FREQ=WEEKLY;COUNT=6' });
    return 'weekly';
  },
  'make single': (world, meeting, { random }) =>
    onOccurrence(world, meeting, random, (slot) =>
      convertSeriesToSingle(world, { meeting: meeting.id, slot }),
    ),
};

function book(world: World, options: RandomEdits): string {
  const { random, tag = '#mentoring' } = options;
  const group = random.pick(groupsOf(world, options)).map((reference) => world.person(reference));
  const [organizer, ...others] = group
    .map((person) => ({ person, rank: random.next() }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ person }) => person);
  if (organizer === undefined) throw new Error('a group needs somebody');
  const day = localOf(world.now() + (1 + random.below(14)) * DAY, organizer.zone).slice(0, 10);
  const start = `${day}T${String(8 + random.below(10)).padStart(2, '0')}:${random.pick(['00', '15', '30', '45'])}`;
  const rule = random.pick([
    undefined,
    'FREQ=WEEKLY',
    'FREQ=WEEKLY;COUNT=8',
    'FREQ=WEEKLY;INTERVAL=2',
    'FREQ=DAILY;COUNT=5',
    'FREQ=MONTHLY',
  ]);
  const meeting = createMeeting(world, {
    organizer: organizer.id,
    guests: others.map(addressOf),
    title: random.below(5) === 0 ? 'Lunch' : `Session ${tag}`,
    start,
    minutes: random.pick([30, 45, 60]),
    ...(rule === undefined ? {} : { rule }),
    conference: organizer.provider === 'microsoft' ? 'teams' : 'meet',
  });
  return `book ${meeting.id}: ${start} ${rule ?? 'once'}`;
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

function onOccurrence(
  world: World,
  meeting: Meeting,
  random: Random,
  act: (slot: number) => void,
): string | null {
  const slot = comingOccurrence(world, meeting, random)?.slot ?? null;
  if (slot === null) return null;
  act(slot);
  return new Date(slot).toISOString();
}

function holder(world: World, meeting: Meeting, random: Random): string | null {
  const copies = world.copiesOf(meeting.id).filter((copy) => copyStatus(meeting, copy, null) === 'live');
  return copies.length === 0 ? null : random.pick(copies).person;
}

function guestHolder(world: World, meeting: Meeting, random: Random): string | null {
  const copies = world
    .copiesOf(meeting.id)
    .filter((copy) => !copy.isOrganizer && copyStatus(meeting, copy, null) === 'live');
  return copies.length === 0 ? null : random.pick(copies).person;
}

/** Somebody of the organizer's groups who has no copy yet. */
function stranger(world: World, meeting: Meeting, options: RandomEdits): string | null {
  const others = groupsOf(world, options)
    .map((group) => group.map((reference) => world.person(reference)))
    .filter((group) => group.some((person) => person.id === meeting.organizer))
    .flat()
    .filter((person) => world.copy(person.id, meeting.id) === undefined);
  return others.length === 0 ? null : addressOf(options.random.pick(others));
}

function groupsOf(world: World, { groups }: RandomEdits): readonly (readonly string[])[] {
  return groups ?? [[...world.calendars.keys()]];
}

function addressOf(person: Person): string {
  return person.addresses[0] ?? person.id;
}

function quarterHour(instant: number): number {
  return Math.ceil(instant / 900_000) * 900_000;
}
