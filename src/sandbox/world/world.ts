import { createClock, type SandboxClock, toMilliseconds } from '../clock.ts';
import { occurrencesOf } from './occurrences.ts';
import { createRandom, DIGITS, guid, type Random } from './random.ts';
import type { ChangeRow, ConferenceCall, Copy, Meeting, Occurrence, Person, PersonState } from './types.ts';

/** How long providers take to tell of a call, and how long they keep it. Change them freely in a test. */
export interface ConferenceHabits {
  meetLagMs: number;
  meetKeptMs: number;
  teamsLagMs: number;
  teamsReportsKept: number;
}

/** One person's calendar: their copies and the feed of what changed on it. */
export interface Calendar {
  owner: Person;
  copies: Map<string, Copy>;
  /** The sequence of the latest change. */
  seq: number;
  /** By meeting and slot, see {@link rowKey}. */
  rows: Map<string, ChangeRow>;
  /** How often tokens were expired: a token carries the count it was made under. */
  tokenGeneration: number;
}

export interface WorldOptions {
  seed?: number;
  clock?: SandboxClock;
  /** Where the clock starts, when no clock is given. */
  start?: number | string;
}

export interface PersonInput {
  name: string;
  address: string;
  aliases?: string[];
  provider?: Person['provider'];
  zone?: string;
  state?: PersonState;
  foreignUid?: Person['foreignUid'];
  accessRole?: Person['accessRole'];
}

/**
 * The sandbox's one truth: people, meetings, their copies on calendars, and the calls that took place.
 * It is changed by the operations (`createMeeting`, `respond`, `attend`…) and read by the wire servers.
 */
export class World {
  readonly clock: SandboxClock;
  readonly random: Random;
  readonly people = new Map<string, Person>();
  readonly meetings = new Map<string, Meeting>();
  readonly calendars = new Map<string, Calendar>();
  readonly calls: ConferenceCall[] = [];
  readonly habits: ConferenceHabits = {
    meetLagMs: 3 * 60_000,
    meetKeptMs: 30 * 86_400_000,
    teamsLagMs: 20 * 60_000,
    teamsReportsKept: 10,
  };
  readonly #copies = new Map<string, Copy[]>();
  readonly #listeners = new Set<(person: string) => void>();
  #keys = 0;

  constructor(options: WorldOptions = {}) {
    this.clock = options.clock ?? createClock(options.start);
    this.random = createRandom(options.seed ?? 1);
  }

  /** The world's present instant in milliseconds. */
  now(): number {
    return this.clock.now();
  }

  /** A key of the world's own, such as `m7`. */
  nextKey(prefix: string): string {
    this.#keys += 1;
    return `${prefix}${this.#keys}`;
  }

  /** Adds somebody; people with a provider get a calendar. */
  addPerson(input: PersonInput): Person {
    const provider = input.provider ?? 'google';
    const person: Person = {
      id: this.nextKey('p'),
      name: input.name,
      addresses: [input.address, ...(input.aliases ?? [])],
      provider,
      providerUserId: `1${this.random.text(DIGITS, 20)}`,
      objectId: guid(this.random),
      zone: input.zone ?? 'Europe/Berlin',
      state: input.state ?? 'active',
      foreignUid: input.foreignUid ?? (provider === 'google' ? 'lower' : 'raw'),
      accessRole: input.accessRole ?? 'owner',
      sharedWith: [],
    };
    this.people.set(person.id, person);
    if (provider !== 'none') {
      this.calendars.set(person.id, {
        owner: person,
        copies: new Map(),
        seq: 0,
        rows: new Map(),
        tokenGeneration: 0,
      });
    }
    return person;
  }

  /** Somebody by world key, address or alias (any case), object id or provider user id. */
  findPerson(reference: string): Person | undefined {
    const wanted = reference.toLowerCase();
    return (
      this.people.get(reference) ??
      [...this.people.values()].find(
        (person) =>
          person.objectId === wanted ||
          person.providerUserId === wanted ||
          person.addresses.some((address) => address.toLowerCase() === wanted),
      )
    );
  }

  /** As {@link findPerson}; throws when nobody is meant. */
  person(reference: string): Person {
    const person = this.findPerson(reference);
    if (person === undefined) throw new Error(`nobody is called ${reference}`);
    return person;
  }

  /** A meeting by world key. Throws when there is none. */
  meeting(id: string): Meeting {
    const meeting = this.meetings.get(id);
    if (meeting === undefined) throw new Error(`no meeting ${id}`);
    return meeting;
  }

  calendar(person: string): Calendar {
    const calendar = this.calendars.get(this.person(person).id);
    if (calendar === undefined) throw new Error(`${person} has no calendar`);
    return calendar;
  }

  /** One person's copy of a meeting, if they ever had one. */
  copy(person: string, meeting: string): Copy | undefined {
    return this.calendars.get(person)?.copies.get(meeting);
  }

  /** Every copy of a meeting. */
  copiesOf(meeting: string): readonly Copy[] {
    return this.#copies.get(meeting) ?? [];
  }

  /** Puts a copy on its owner's calendar. */
  addCopy(copy: Copy): void {
    this.calendar(copy.person).copies.set(copy.meeting, copy);
    this.#copies.set(copy.meeting, [...this.copiesOf(copy.meeting), copy]);
  }

  /** A meeting's occurrences by world key; times as ISO text or milliseconds. */
  occurrences(meeting: string, from?: number | string, until?: number | string): Occurrence[] {
    if (from === undefined && until === undefined) return occurrencesOf(this.meeting(meeting), this.now());
    return occurrencesOf(this.meeting(meeting), this.now(), {
      from: from === undefined ? Number.NEGATIVE_INFINITY : toMilliseconds(from),
      until: until === undefined ? Number.POSITIVE_INFINITY : toMilliseconds(until),
    });
  }

  /** What changed on a calendar after a sequence, oldest change first, each event once. */
  changes(person: string, afterSeq: number): ChangeRow[] {
    return [...this.calendar(person).rows.values()]
      .filter((row) => row.seq > afterSeq)
      .sort((one, other) => one.seq - other.seq);
  }

  /** When an event last changed on a calendar; the meeting's own stamp when it never did by itself. */
  updatedAt(person: string, meeting: Meeting, slot: number | null): number {
    const rows = this.calendars.get(person)?.rows;
    const whole = rows?.get(rowKey(meeting.id, null));
    const own = slot === null ? undefined : rows?.get(rowKey(meeting.id, slot));
    if (slot === null || own === undefined) return whole?.updatedAt ?? meeting.updatedAt;
    // An occurrence that an edit of all has made plain again is dated as its series is: what it shows is that edit's.
    const isPlain = !meeting.overrides.has(slot) && this.copy(person, meeting.id)?.slots.has(slot) !== true;
    return isPlain ? Math.max(own.updatedAt, whole?.updatedAt ?? 0) : own.updatedAt;
  }

  /** Records that an event changed on somebody's calendar, and tells who listens. */
  touch(person: string, meeting: string, slot: number | null): void {
    const calendar = this.calendars.get(person);
    if (calendar === undefined) return;
    calendar.seq += 1;
    calendar.rows.set(rowKey(meeting, slot), { seq: calendar.seq, meeting, slot, updatedAt: this.now() });
    for (const listener of this.#listeners) listener(person);
  }

  /** Makes every sync and delta token handed out so far for a calendar worthless (all calendars: no argument). */
  expireTokens(person?: string): void {
    const calendars = person === undefined ? [...this.calendars.values()] : [this.calendar(person)];
    for (const calendar of calendars) {
      calendar.tokenGeneration += 1;
    }
  }

  /** Calls back with a person's key whenever their calendar changes: the seam for push. Returns how to stop. */
  onChange(listener: (person: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The key of an event in a calendar's change feed. */
export function rowKey(meeting: string, slot: number | null): string {
  return slot === null ? meeting : `${meeting}/${slot}`;
}
