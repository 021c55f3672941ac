import type { BrakeState } from '../../src/domain/brake.ts';
import type { Instant, ObservedPerson, Rsvp, Window } from '../../src/domain/observation.ts';
import type { Copy, CopyHolder, MentorshipMembers, Occurrence, Roster } from '../../src/domain/occurrence.ts';
import type { ListedSeries, StagedCopy, StagedRemoval } from '../../src/domain/pass.ts';
import { type Plan, planPass } from '../../src/domain/planning.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A Monday at noon. */
export const NOW: Instant = Date.UTC(2026, 10, 2, 12);
export const SIGHT: Window = { from: NOW - 35 * DAY, until: NOW + 120 * DAY };

/** Anna mentors Ben (mentorship 1) and Cem (mentorship 2); Dora belongs to nobody. Anna reads two addresses. */
export const ANNA = 1;
export const BEN = 2;
export const CEM = 3;
const ADDRESS: Readonly<Record<number, string>> = { 1: 'anna@x.org', 2: 'ben@x.org', 3: 'cem@x.org' };
export const addressOf = (personId: number): string => ADDRESS[personId] ?? `person${personId}@x.org`;

export const holder = (personId: number, provider: CopyHolder['provider'] = 'google'): CopyHolder => ({
  calendarId: personId * 10 + (provider === 'google' ? 0 : 1),
  provider,
  address: addressOf(personId),
  personId,
});
export const MAILBOX: CopyHolder = {
  calendarId: 90,
  provider: 'google',
  address: 'mentoring@x.org',
  personId: null,
};

const mentorship = (mentorshipId: number, mentee: number, program = 'p'): MentorshipMembers => ({
  mentorshipId,
  program,
  from: NOW - 200 * DAY,
  until: null,
  members: [
    { personId: ANNA, role: 'mentor' },
    { personId: mentee, role: 'mentee' },
  ],
});
export const ROSTER: Roster = {
  personOf: new Map([
    ['anna@x.org', ANNA],
    ['a.nna@alias.org', ANNA],
    ['ben@x.org', BEN],
    ['cem@x.org', CEM],
  ]),
  mentorships: [mentorship(1, BEN), mentorship(2, CEM)],
};

export const person = (personId: number, response: Rsvp = 'none', organizer = false): ObservedPerson => ({
  address: addressOf(personId),
  name: null,
  response,
  organizer,
  optional: false,
});
export const TAGGED = [{ program: 'p', rule: '#mentoring' }];

/** A tagged meeting of Anna and Ben that Anna organizes, as it is staged from one calendar. */
export function staged(sourceId: string, start: Instant, given: Partial<StagedCopy> = {}): StagedCopy {
  return {
    sourceId,
    seriesId: null,
    uid: given.lineage ?? 'meeting@x.org',
    lineage: 'meeting@x.org',
    originalStart: null,
    originalDate: null,
    start,
    end: start + HOUR,
    timeZone: 'Europe/Berlin',
    allDay: false,
    ordinary: true,
    status: 'confirmed',
    unsent: false,
    organizer: 'anna@x.org',
    ownerIsOrganizer: true,
    ownerResponse: null,
    people: [person(ANNA, 'accepted', true), person(BEN)],
    peopleOmitted: false,
    private: false,
    hidden: false,
    conference: null,
    updatedAt: NOW - 30 * DAY,
    revision: '1',
    title: 'Mentoring',
    matched: TAGGED,
    ...given,
  };
}

/** One occurrence of a series. */
export const instance = (series: string, original: Instant, given: Partial<StagedCopy> = {}): StagedCopy =>
  staged(`${series}_${original}`, given.start ?? original, {
    seriesId: series,
    originalStart: original,
    originalDate: new Date(original).toISOString().slice(0, 10),
    ...given,
  });

export const weekly = (series: string, first: Instant, count: number, given: Partial<StagedCopy> = {}) =>
  Array.from({ length: count }, (_, week) => instance(series, first + week * 7 * DAY, given));

export interface PassInput {
  readonly on?: CopyHolder;
  readonly now?: Instant;
  readonly copies?: readonly StagedCopy[];
  readonly removals?: readonly StagedRemoval[];
  readonly listed?: readonly ListedSeries[];
  readonly complete?: Window | null;
  readonly approved?: boolean;
}

/** A store in memory: applies plans the way the database does, by giving ids to what has none. */
export class Memory {
  occurrences: Occurrence[] = [];
  parked = new Map<number, BrakeState['parked']>();
  roster: Roster = ROSTER;
  blind = new Set<number>();
  #id = 0;

  /** Plans and applies one pass. */
  pass(input: PassInput): Plan {
    const plan = this.plan(input);
    this.apply(plan);
    this.parked.set((input.on ?? holder(ANNA)).calendarId, plan.braked.parked);
    return plan;
  }

  plan(input: PassInput): Plan {
    const on = input.on ?? holder(ANNA);
    return planPass(
      {
        holder: on,
        now: input.now ?? NOW,
        copies: input.copies ?? [],
        removals: input.removals ?? [],
        listedSeries: input.listed ?? [],
        complete: input.complete ?? null,
        brake: { parked: this.parked.get(on.calendarId) ?? null, approved: input.approved ?? false },
      },
      this.occurrences,
      { roster: this.roster, blind: this.blind },
    );
  }

  apply(plan: Plan): void {
    for (const { before, after } of plan.changes) {
      const stored: Occurrence = {
        ...after,
        occurrenceId: after.occurrenceId ?? ++this.#id,
        copies: after.copies.map((copy) => ({ ...copy, copyId: copy.copyId ?? ++this.#id })),
        sessions: after.sessions.map((session) => ({
          ...session,
          sessionId: session.sessionId ?? ++this.#id,
        })),
      };
      const at = this.occurrences.findIndex(
        (one) => before !== null && one.occurrenceId === before.occurrenceId,
      );
      if (at < 0) this.occurrences.push(stored);
      else this.occurrences[at] = stored;
    }
    this.#check();
  }

  /** What the schema holds too. */
  #check(): void {
    const live = new Set<string>();
    for (const occurrence of this.occurrences) {
      if (occurrence.private && occurrence.title !== null) throw new Error('a private meeting has a title');
      for (const copy of occurrence.copies) {
        if (copy.private && copy.title !== null) throw new Error('a private copy has a title');
        const name = `${copy.holder.calendarId}/${copy.sourceId}`;
        if (copy.removal !== null) continue;
        if (live.has(name)) throw new Error(`${name} stands twice`);
        live.add(name);
      }
    }
  }

  get sessions() {
    return this.occurrences
      .flatMap((occurrence) => occurrence.sessions)
      .toSorted((a, b) => a.start - b.start);
  }
  get booked() {
    return this.sessions.filter((session) => session.cancelled === null);
  }
  get starts() {
    return this.booked.map((session) => session.start);
  }
  get ids() {
    return this.booked.map((session) => session.sessionId);
  }
}

/** A stored copy, for what looks at copies alone. */
export const stored = (sourceId: string, start: Instant, on: CopyHolder, given: Partial<Copy> = {}): Copy => {
  const { allDay: _allDay, ordinary: _ordinary, lineage: _lineage, ...copy } = staged(sourceId, start);
  return { ...copy, copyId: 1, holder: on, removal: null, ...given };
};
