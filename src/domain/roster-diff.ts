import {
  groupOf,
  type Roster,
  type RosterCapacity,
  type RosterEnrolment,
  type RosterMembership,
  type RosterMentorship,
  type RosterPause,
  type RosterPerson,
  type WantedRoster,
} from './roster.ts';
import { diffCapacities, diffEnrolments, diffPauses, leavesBeforeJoining } from './roster-program-diff.ts';

export type Change<T> = { readonly before: T; readonly after: T };

/**
 * What an import would do. A roster may hold one program or one cohort only, so what it does not name is left
 * alone: people and mentorships are never deleted or ended by their absence. Within a mentorship that it does
 * name the list of members is complete: a member no longer listed has left (`memberships.ended`).
 */
export type RosterDiff = {
  /** A change of `email` is a new address for the same person: find them by `before.email`. */
  readonly people: {
    readonly added: readonly RosterPerson[];
    readonly changed: readonly Change<RosterPerson>[];
  };
  /** By the person's address after the import. Also contained in `people`, told apart here for the reader. */
  readonly aliases: { readonly added: readonly Alias[]; readonly removed: readonly Alias[] };
  readonly mentorships: {
    readonly added: readonly RosterMentorship[];
    readonly changed: readonly Change<RosterMentorship>[];
  };
  readonly memberships: {
    readonly added: readonly RosterMembership[];
    readonly changed: readonly Change<RosterMembership>[];
    readonly ended: readonly RosterMembership[];
  };
  /** Who is not named any more stays enrolled until the file says when that ends. */
  readonly enrolments: {
    readonly added: readonly RosterEnrolment[];
    readonly changed: readonly Change<RosterEnrolment>[];
  };
  readonly capacities: { readonly changed: readonly Change<RosterCapacity>[] };
  /** A pause is moved or added, never taken back: sessions of its days were counted by it. */
  readonly pauses: {
    readonly added: readonly RosterPause[];
    readonly changed: readonly Change<RosterPause>[];
  };
  /** Stored, not named by the file, left as they are. */
  readonly untouched: {
    readonly people: readonly string[];
    readonly mentorships: readonly RosterMentorship[];
  };
  /** Why the import must be refused: sentences for a person. */
  readonly conflicts: readonly string[];
};

export type Alias = { readonly email: string; readonly alias: string };

/**
 * Compares what is stored (active memberships only) with what a file wants. A person is found again by their
 * address, or, when that changed, by an alias that joins the old one to the new.
 */
export function diffRoster(current: Roster, wanted: WantedRoster): RosterDiff {
  const { pairs, conflicts } = matchPeople(current, wanted);
  const people = pairs.map(({ before, person }) => ({
    before,
    after: before === null ? person : keepLeft(before, person, wanted),
  }));
  const renamed = new Map(
    people.flatMap(({ before, after }) => (before ? [[before.email, after.email]] : [])),
  );
  const mentorships = diffMentorships(current, wanted);
  const enrolments = diffEnrolments(current, wanted, renamed);
  const named = new Set(people.flatMap(({ before }) => (before === null ? [] : [before.email])));
  return {
    people: {
      added: people.flatMap(({ before, after }) => (before === null ? [after] : [])),
      changed: people.flatMap(({ before, after }) =>
        before !== null && !same(before, after) ? [{ before, after }] : [],
      ),
    },
    aliases: {
      added: people.flatMap(({ before, after }) => aliasesOnlyOf(after.email, after, before)),
      removed: people.flatMap(({ before, after }) =>
        before === null ? [] : aliasesOnlyOf(after.email, before, after),
      ),
    },
    mentorships: { added: mentorships.added, changed: mentorships.changed },
    memberships: diffMemberships(current, wanted, renamed),
    enrolments,
    capacities: diffCapacities(current, wanted, renamed),
    pauses: diffPauses(current, wanted),
    untouched: {
      people: current.people.map(({ email }) => email).filter((email) => !named.has(email)),
      mentorships: mentorships.untouched,
    },
    conflicts: [
      ...conflicts,
      ...doubleAddresses(people.map(({ after }) => after)),
      ...enrolments.changed.flatMap(({ after }) => leavesBeforeJoining(after)),
    ].toSorted(),
  };
}

/** Stored aliases that were kept may collide with what the file says of another person. */
function doubleAddresses(people: readonly RosterPerson[]): string[] {
  const owners = new Map<string, string>();
  return people.flatMap(({ email, aliases }) =>
    ownAddresses({ email, aliases }).flatMap((address) => {
      const other = owners.get(address);
      owners.set(address, email);
      return other === undefined ? [] : [`${address} would belong both to ${other} and to ${email}`];
    }),
  );
}

/** Every address that names this person and nobody else. A group's names several. */
function ownAddresses({ email, aliases }: Pick<RosterPerson, 'email' | 'aliases'>): string[] {
  return [email, ...aliases.filter((alias) => groupOf(alias) === null)];
}

/** Whether an import would change nothing. */
export function isEmptyDiff(diff: RosterDiff): boolean {
  const parts = [diff.people, diff.mentorships, diff.memberships];
  const lists = [...parts, diff.enrolments, diff.capacities, diff.pauses].flatMap((part) =>
    Object.values(part),
  );
  return lists.every((list) => list.length === 0);
}

type Pair = { readonly before: RosterPerson | null; readonly person: RosterPerson };

function matchPeople(current: Roster, wanted: WantedRoster): { pairs: Pair[]; conflicts: string[] } {
  const conflicts: string[] = [];
  const holder = new Map(
    current.people.flatMap((stored) => ownAddresses(stored).map((address) => [address, stored] as const)),
  );
  const byEmail = new Map(current.people.map((stored) => [stored.email, stored]));
  const wantedEmails = new Set(wanted.people.map(({ email }) => email));
  const taken = new Map<string, string>();
  const pairs = wanted.people.map((person) => {
    const before = byEmail.get(person.email) ?? formerSelf(person, wantedEmails, holder, byEmail);
    if (before !== null) {
      const other = taken.get(before.email);
      if (other !== undefined) {
        conflicts.push(`${other} and ${person.email} are both known as one person, ${before.email}`);
      }
      taken.set(before.email, person.email);
    }
    return { before, person };
  });
  // An address may wander between people of the file, which says of all of them what they own; not from others.
  for (const { person } of pairs) {
    for (const address of ownAddresses(person)) {
      const stored = holder.get(address);
      if (stored !== undefined && !taken.has(stored.email)) {
        conflicts.push(
          `${address} of ${person.email} is known as an address of ${stored.email}, whom the file does not name`,
        );
      }
    }
  }
  return { pairs, conflicts };
}

/** The stored person who has a new address in the file: joined by a stored alias, or by an alias of the file. */
function formerSelf(
  person: RosterPerson,
  wantedEmails: ReadonlySet<string>,
  holder: ReadonlyMap<string, RosterPerson>,
  byEmail: ReadonlyMap<string, RosterPerson>,
): RosterPerson | null {
  const candidates = [
    holder.get(person.email),
    ...person.aliases.map((alias) => byEmail.get(alias)),
    ...person.aliases.map((alias) => holder.get(alias)),
  ];
  return candidates.find((stored) => stored !== undefined && !wantedEmails.has(stored.email)) ?? null;
}

/** What the file wants for a stored person, with the stored values of columns that it left out. */
function keepLeft(before: RosterPerson, person: RosterPerson, { left }: WantedRoster): RosterPerson {
  const former = before.email === person.email ? [] : [before.email];
  const kept = new Set([...before.aliases, ...former, ...person.aliases]);
  kept.delete(person.email);
  return {
    ...person,
    timeZone: left.includes('time_zone') ? before.timeZone : person.timeZone,
    language: left.includes('language') ? before.language : person.language,
    aliases: left.includes('aliases') ? [...kept].toSorted() : person.aliases,
  };
}

function aliasesOnlyOf(email: string, one: RosterPerson, other: RosterPerson | null): Alias[] {
  return one.aliases
    .filter((alias) => alias !== email && !other?.aliases.includes(alias))
    .map((alias) => ({ email, alias }));
}

function diffMentorships(current: Roster, wanted: WantedRoster) {
  const stored = new Map(current.mentorships.map((one) => [mentorshipKey(one), one]));
  const wantedKeys = new Set(wanted.mentorships.map(mentorshipKey));
  const added: RosterMentorship[] = [];
  const changed: Change<RosterMentorship>[] = [];
  for (const one of wanted.mentorships) {
    const before = stored.get(mentorshipKey(one));
    if (before === undefined) added.push(one);
    else {
      const after = wanted.left.includes('ends_on') ? { ...one, endsOn: before.endsOn } : one;
      if (!same(before, after)) changed.push({ before, after });
    }
  }
  const untouched = current.mentorships.filter((one) => !wantedKeys.has(mentorshipKey(one)));
  return { added, changed, untouched };
}

function diffMemberships(current: Roster, wanted: WantedRoster, renamed: ReadonlyMap<string, string>) {
  const listed = new Set(wanted.mentorships.map(mentorshipKey));
  const stored = new Map(
    current.memberships
      .filter((one) => listed.has(mentorshipKey(one)))
      .map((one) => ({ ...one, email: renamed.get(one.email) ?? one.email }))
      .map((one) => [membershipKey(one), one]),
  );
  const added: RosterMembership[] = [];
  const changed: Change<RosterMembership>[] = [];
  for (const after of wanted.memberships) {
    const before = stored.get(membershipKey(after));
    stored.delete(membershipKey(after));
    if (before === undefined) added.push(after);
    else if (before.role !== after.role) changed.push({ before, after });
  }
  return { added, changed, ended: [...stored.values()] };
}

function mentorshipKey(one: { readonly program: string; readonly mentorship: string }): string {
  return `${one.program}\n${one.mentorship}`;
}

function membershipKey(one: RosterMembership): string {
  return `${mentorshipKey(one)}\n${one.email}`;
}

/** Both sides are flat records of texts, null and sorted lists. */
function same<T extends RosterPerson | RosterMentorship>(a: T, b: T): boolean {
  return differences(a, b).length === 0;
}

/** The fields in which two records of a kind differ. */
export function differences<T extends RosterPerson | RosterMentorship>(a: T, b: T): (keyof T & string)[] {
  return (Object.keys(a) as (keyof T & string)[]).filter((key) => String(a[key]) !== String(b[key]));
}
