import { respond, setCategory } from '../world/answers.ts';
import type { Meeting } from '../world/types.ts';
import type { World } from '../world/world.ts';
import type { Mentorship } from './cast.ts';
import type { ExpectedSession, Outcome, ScenarioStep } from './scenario-types.ts';
import { type Booking, book, MINUTES, meet, type Timetable } from './timetable.ts';

/** A meeting that will exist once the past has been played. */
export interface Booked {
  readonly mentorships: readonly Mentorship[];
  readonly conference: Booking['conference'];
  meeting: Meeting | null;
}

/** What becomes of one session: who came, and what follows from it. */
export interface Course {
  readonly outcome: Outcome;
  readonly reason?: string;
  /** Indexes of the members who come, with minutes from and until; all of them for 40 minutes when absent. */
  readonly come?: ReadonlyArray<readonly [member: number, from: number, until: number]>;
  /** The provider keeps no record although they meet. */
  readonly unrecorded?: boolean;
  /** For the reader, where it is part of the scripted days. */
  readonly title?: string;
  readonly reschedules?: number;
}

interface Deed {
  readonly at: number;
  readonly run: (world: World) => void;
}

/**
 * Collects what takes place: deeds of the past, which are played at once with the clock set back, and steps of the
 * scripted days, which wait. What is expected of each session is written down beside it, by hand.
 */
export class Chronicle {
  readonly steps: ScenarioStep[] = [];
  readonly sessions: ExpectedSession[] = [];
  readonly timetable: Timetable;
  readonly #past: Deed[] = [];
  readonly #verifiedGuests: ReadonlySet<string>;

  constructor(timetable: Timetable, verifiedGuests: ReadonlySet<string>) {
    this.timetable = timetable;
    this.#verifiedGuests = verifiedGuests;
  }

  past(offset: number, hour: number, run: (world: World) => void): void {
    this.#past.push({ at: this.timetable.at(offset, hour), run });
  }

  step(at: number, title: string, run: (world: World) => void = () => undefined): void {
    this.steps.push({ at: new Date(at).toISOString(), title, run });
  }

  /** Books a meeting three days ahead; guests accept it two hours later. `others` take part with their own mentorships. */
  book(
    mentorship: Mentorship,
    booking: Booking,
    more: {
      readonly category?: string;
      readonly silent?: boolean;
      readonly others?: readonly Mentorship[];
    } = {},
  ): Booked {
    const booked: Booked = {
      mentorships: [mentorship, ...(more.others ?? [])],
      conference: booking.conference,
      meeting: null,
    };
    const day = Math.min(Math.max(booking.first - 3, -38), -2);
    const [organizer] = mentorship.members;
    this.past(day, 9, (world) => {
      booked.meeting = book(world, this.timetable, mentorship, booking);
    });
    this.past(day, 11, (world) => {
      const { id, guests } = meetingOf(booked);
      if (more.category !== undefined && organizer !== undefined) {
        setCategory(world, { meeting: id, person: organizer.person.id, category: more.category });
      }
      if (more.silent === true) return;
      for (const guest of guests) {
        if (guest.person !== null)
          respond(world, { meeting: id, person: guest.person, response: 'accepted' });
      }
    });
    return booked;
  }

  /** A session takes its course on a day: played with the past when that lies behind, else a step of its own. */
  course(booked: Booked, offset: number, course: Course): void {
    const [host] = booked.mentorships;
    if (host === undefined) throw new Error('a meeting belongs to a mentorship');
    const people = everybody(booked);
    const come = (course.come ?? people.map((_, index) => [index, 0, 40] as const)).map(
      ([index, from, until]) => {
        const person = people[index];
        if (person === undefined) throw new Error(`${host.name} has no member ${index}`);
        return { person: person.id, minutes: [from, until] as [number, number] };
      },
    );
    const run = (world: World): void => {
      if (come.length === 0) return;
      meet(world, this.timetable, meetingOf(booked), offset, come, {
        unrecorded: course.unrecorded ?? false,
      });
    };
    const over = this.timetable.end(host, offset) + 60_000;
    if (offset < 0) this.#past.push({ at: over, run });
    else this.step(over, course.title ?? `${host.name} have met.`, run);

    for (const mentorship of booked.mentorships) {
      this.sessions.push({
        mentorship: mentorship.name,
        ...this.#times(host, offset),
        status: 'ended',
        outcome: course.outcome,
        reason: course.reason ?? null,
        attendance: this.#attendance(booked, mentorship, course, new Set(come.map(({ person }) => person))),
        phase: offset < 0 ? 'history' : 'story',
        reschedules: course.reschedules ?? 0,
      });
    }
  }

  /** A session that still lies ahead when the story is over, or was called off before it could begin. */
  ahead(
    booked: Pick<Booked, 'mentorships'>,
    offset: number,
    more: { readonly time?: string; readonly reschedules?: number; readonly cancelled?: boolean } = {},
  ): void {
    const [host] = booked.mentorships;
    if (host === undefined) throw new Error('a meeting belongs to a mentorship');
    for (const mentorship of booked.mentorships) {
      this.sessions.push({
        mentorship: mentorship.name,
        ...this.#times(more.time === undefined ? host : { ...host, time: more.time }, offset),
        status: more.cancelled === true ? 'cancelled' : 'scheduled',
        outcome: null,
        reason: null,
        attendance: {},
        phase: 'ahead',
        reschedules: more.reschedules ?? 0,
      });
    }
  }

  /** Plays the past in order, each deed at its own time. */
  playPast(world: World): void {
    for (const deed of [...this.#past].sort((one, other) => one.at - other.at)) {
      world.clock.set(deed.at);
      deed.run(world);
    }
  }

  #times(mentorship: Mentorship, offset: number): Pick<ExpectedSession, 'scheduledStart' | 'scheduledEnd'> {
    const start = this.timetable.start(mentorship, offset);
    return {
      scheduledStart: new Date(start).toISOString(),
      scheduledEnd: new Date(start + MINUTES * 60_000).toISOString(),
    };
  }

  /**
   * Presence as a record can prove it. Meet knows Google accounts, Teams those of its tenant and guests who
   * confirmed their address; anybody else is somebody unknown, and while such a one was there nobody can be called
   * absent.
   */
  #attendance(
    booked: Booked,
    mentorship: Mentorship,
    course: Course,
    came: ReadonlySet<string>,
  ): ExpectedSession['attendance'] {
    if (course.outcome !== 'held' && course.outcome !== 'one_sided') return {};
    const identified = (person: { id: string; provider: string }): boolean =>
      booked.conference === 'meet'
        ? person.provider === 'google'
        : person.provider === 'microsoft' || this.#verifiedGuests.has(person.id);
    const strangers = everybody(booked).some((person) => came.has(person.id) && !identified(person));
    return Object.fromEntries(
      mentorship.members.map(({ person }) => {
        const seen = came.has(person.id) && identified(person);
        return [
          person.addresses[0] ?? person.id,
          seen ? 'attended' : strangers ? 'unknown' : 'absent',
        ] as const;
      }),
    );
  }
}

/** The meeting behind a booking. Throws when the past was not played yet. */
export function meetingOf(booked: Booked): Meeting {
  if (booked.meeting === null) throw new Error('this meeting is not booked yet');
  return booked.meeting;
}

/** Everybody invited, the organizer first, each once. */
function everybody(booked: Booked): Mentorship['members'][number]['person'][] {
  return [...new Set(booked.mentorships.flatMap(({ members }) => members.map(({ person }) => person)))];
}
