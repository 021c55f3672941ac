import { DateTime } from 'luxon';
import { attend } from '../world/calls.ts';
import { createMeeting } from '../world/meetings.ts';
import { occurrencesOf } from '../world/occurrences.ts';
import type { Meeting, Occurrence } from '../world/types.ts';
import type { World } from '../world/world.ts';
import type { Mentorship } from './cast.ts';

/** Length of every session of the story. */
export const MINUTES = 45;

/** Something of the past, with the instant at which it took place. */
export interface PastDeed {
  readonly at: number;
  readonly run: () => void;
}

/** Days counted from the scripted day, as instants and local times. */
export class Timetable {
  readonly day: DateTime;

  /** @param day midnight UTC of the scripted day */
  constructor(day: DateTime) {
    this.day = day;
  }

  date(offset: number): string {
    return this.day.plus({ days: offset }).toFormat('yyyy-MM-dd');
  }

  /** An instant by day and hour UTC (`6.5` = 06:30). */
  at(offset: number, hour: number): number {
    return this.day.plus({ days: offset, minutes: Math.round(hour * 60) }).toMillis();
  }

  /** The local start of a mentorship's session on a day, as the world wants it. */
  local(mentorship: Mentorship, offset: number): string {
    return `${this.date(offset)}T${mentorship.time}`;
  }

  /** The same as an instant. */
  start(mentorship: Mentorship, offset: number): number {
    return DateTime.fromISO(this.local(mentorship, offset), { zone: mentorship.zone }).toMillis();
  }

  end(mentorship: Mentorship, offset: number): number {
    return this.start(mentorship, offset) + MINUTES * 60_000;
  }
}

export interface Booking {
  readonly title: string;
  readonly body?: string;
  readonly location?: string;
  readonly conference: 'meet' | 'teams' | null;
  /** Day of the first session. */
  readonly first: number;
  /** Every so many weeks, so often; a single meeting without it. */
  readonly series?: { readonly weeks: number; readonly count: number };
  /** Addresses to invite instead of the members' primary ones. */
  readonly guests?: readonly string[];
}

/** Books a meeting of a mentorship: its first member invites all others. */
export function book(world: World, timetable: Timetable, mentorship: Mentorship, booking: Booking): Meeting {
  const [organizer, ...others] = mentorship.members;
  if (organizer === undefined) throw new Error(`${mentorship.name} has no members`);
  return createMeeting(world, {
    organizer: organizer.person.id,
    guests: [...(booking.guests ?? others.map(({ person }) => person.addresses[0] ?? person.id))],
    title: booking.title,
    body: booking.body ?? '',
    location: booking.location ?? '',
    start: timetable.local(mentorship, booking.first),
    minutes: MINUTES,
    zone: mentorship.zone,
    conference: booking.conference,
    ...(booking.series === undefined
      ? {}
      : { rule: `FREQ=WEEKLY;INTERVAL=${booking.series.weeks};COUNT=${booking.series.count}` }),
  });
}

/** The occurrence of a meeting that starts on a day of the timetable. */
export function occurrenceOn(
  world: World,
  timetable: Timetable,
  meeting: Meeting,
  offset: number,
): Occurrence {
  const from = timetable.at(offset, 0);
  const found = occurrencesOf(meeting, world.now(), { from, until: from + 86_400_000 })[0];
  if (found === undefined) throw new Error(`${meeting.title} has nothing on ${timetable.date(offset)}`);
  return found;
}

/** People meet on a day: each by world key with the minutes from and until, counted from the start. */
export function meet(
  world: World,
  timetable: Timetable,
  meeting: Meeting,
  offset: number,
  people: ReadonlyArray<{ readonly person: string; readonly minutes: [number, number] }>,
  how: { readonly unrecorded?: boolean } = {},
): void {
  attend(world, {
    meeting: meeting.id,
    slot: occurrenceOn(world, timetable, meeting, offset).slot,
    people: people.map(({ person, minutes }) => ({ person, minutes: [minutes] })),
    unrecorded: how.unrecorded ?? false,
  });
}
