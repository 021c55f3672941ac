import { oneOf } from './notation.ts';
import {
  GROUP_MARK,
  groupOf,
  otherSpelling,
  ROSTER_CALENDARS,
  type RosterColumn,
  type RosterMembership,
  type RosterMentorship,
  type RosterPerson,
  type RosterProblem,
} from './roster.ts';
import type { RosterMember } from './roster-cells.ts';

/** What several rows say together, and where they contradict each other. */
export type Joined<T> = { readonly found: readonly T[]; readonly problems: readonly RosterProblem[] };

/** One person an address. A blank cell says nothing; two different cells contradict each other. */
export function joinPeople(given: readonly RosterMember[]): Joined<RosterPerson> {
  const rows = given.filter(hasEmail).map(inBothSpellings);
  const problems: RosterProblem[] = [];
  const people: RosterPerson[] = [];
  const groups = Map.groupBy(rows, (row) => row.email);
  for (const [email, own] of groups) {
    const whose = email;
    const name = agreed(own, 'name', (row) => row.name, whose, problems);
    const calendar = agreed(own, 'calendar', (row) => row.calendar, whose, problems);
    const timeZone = agreed(own, 'time_zone', (row) => row.timeZone, whose, problems);
    const language = agreed(own, 'language', (row) => row.language, whose, problems);
    if (name === null) problems.push(...missing(own, 'name', 'the name of this person in one of their rows'));
    if (calendar === null) problems.push(...missing(own, 'calendar', oneOf('', ROSTER_CALENDARS)));
    const aliases = [...new Set(own.flatMap((row) => row.aliases))]
      .filter((alias) => alias !== email)
      .toSorted();
    people.push({ email, name: name ?? email, timeZone, calendar: calendar ?? 'none', language, aliases });
  }
  problems.push(...sharedAliases(rows), ...groupsOfOne(rows));
  return { found: people.toSorted(by((person) => person.email)), problems };
}

/** An address that has two spellings is theirs in both. */
function inBothSpellings<T extends RosterMember & { email: string }>(row: T): T {
  const others = [row.email, ...row.aliases].map(otherSpelling).filter((address) => address !== null);
  return others.length === 0 ? row : { ...row, aliases: [...row.aliases, ...others] };
}

/** The rows with each account in the spelling in which the first row with it has it. */
export function inOneSpelling(rows: readonly RosterMember[]): RosterMember[] {
  const used = new Set<string>();
  return rows.map((row) => {
    if (row.email === null) return row;
    const other = otherSpelling(row.email);
    const email = other !== null && used.has(other) ? other : row.email;
    used.add(email);
    return { ...row, email };
  });
}

/** An address belongs to one person: else the sessions of one would be counted for the other. */
function sharedAliases(rows: readonly (RosterMember & { email: string })[]): RosterProblem[] {
  const problems: RosterProblem[] = [];
  const owners = new Map(rows.map((row) => [row.email, row] as const).toReversed());
  const told = new Set<string>();
  for (const row of rows) {
    for (const alias of row.aliases.filter((one) => groupOf(one) === null)) {
      const owner = owners.get(alias);
      if (owner === undefined) owners.set(alias, row);
      else if (owner.email !== row.email && !told.has(`${row.email} ${alias}`)) {
        told.add(`${row.email} ${alias}`);
        const expected = `an address of ${row.email} alone; line ${owner.line} gives it to ${owner.email} (a group's address: ${GROUP_MARK}${alias} for both)`;
        problems.push({ line: row.line, column: 'aliases', value: alias, expected });
      }
    }
  }
  return problems;
}

/** An address cannot be a person's and a group's: a meeting that names it would have to mean both. */
function groupsOfOne(rows: readonly (RosterMember & { email: string })[]): RosterProblem[] {
  const owners = new Map(
    rows.flatMap((row) => [row.email, ...row.aliases].map((address) => [address, row] as const)),
  );
  return rows.flatMap((row) =>
    row.aliases.flatMap((alias) => {
      const owner = owners.get(groupOf(alias) ?? '');
      if (owner === undefined) return [];
      const expected = `a group's address; line ${owner.line} has it as one of ${owner.email} alone`;
      return [{ line: row.line, column: 'aliases' as const, value: alias, expected }];
    }),
  );
}

/** One mentorship a name within its program, with the days that its rows agree on. */
export function joinMentorships(rows: readonly RosterMember[]): Joined<RosterMentorship> {
  const problems: RosterProblem[] = [];
  const found: RosterMentorship[] = [];
  for (const own of mentorshipGroups(rows)) {
    const [{ program, mentorship }] = own;
    const startsOn = agreed(own, 'starts_on', (row) => row.startsOn, mentorship, problems);
    const endsOn = agreed(own, 'ends_on', (row) => row.endsOn, mentorship, problems);
    if (startsOn === null) {
      problems.push(...missing(own, 'starts_on', 'the first day of this mentorship in one of its rows'));
    } else if (endsOn !== null && endsOn < startsOn) {
      const line = own.find((row) => row.endsOn === endsOn)?.line ?? own[0].line;
      problems.push({
        line,
        column: 'ends_on',
        value: endsOn,
        expected: `a day not before its start, ${startsOn}`,
      });
    }
    found.push({ program, mentorship, startsOn: startsOn ?? '', endsOn });
  }
  return { found: found.toSorted(by((one) => `${one.program}\n${one.mentorship}`)), problems };
}

/** The members of each mentorship: both sides there, nobody twice. `people` resolve aliases. */
export function joinMemberships(
  rows: readonly RosterMember[],
  people: readonly RosterPerson[],
): Joined<RosterMembership> {
  const problems: RosterProblem[] = [];
  const found: RosterMembership[] = [];
  const owner = new Map(
    people.flatMap((person) => person.aliases.map((alias) => [alias, person.email] as const)),
  );
  for (const own of mentorshipGroups(rows)) {
    const seen = new Map<string, RosterMember>();
    for (const row of own.filter(hasEmail)) {
      const email = owner.get(row.email) ?? row.email;
      const earlier = seen.get(email);
      if (earlier !== undefined) {
        const expected = `another person: line ${earlier.line} has the same one as ${earlier.role ?? 'a member'}`;
        problems.push({ line: row.line, column: 'email', value: row.email, expected });
      }
      seen.set(email, earlier ?? row);
      const { program, mentorship, role } = row;
      if (role !== null) found.push({ program, mentorship, email, role });
    }
    problems.push(...sidesMissing(own, rows));
  }
  const sorted = found.toSorted(by((one) => `${one.program}\n${one.mentorship}\n${one.email}`));
  return { found: sorted, problems };
}

function sidesMissing(own: MentorshipRows, rows: readonly RosterMember[]): RosterProblem[] {
  const { line, mentorship } = own[0];
  // A role or a program that could not be read may well be the missing one.
  const unsure = rows.filter((row) => row.mentorship === mentorship && row.program === null);
  if (unsure.length > 0 || own.some((row) => row.role === null)) return [];
  const count = (role: RosterMember['role']) => own.filter((row) => row.role === role).length;
  const [mentors, mentees, peers] = [count('mentor'), count('mentee'), count('peer')];
  const problem = (expected: string) => [{ line, column: 'role' as const, value: mentorship, expected }];
  if (peers > 0 && mentors + mentees > 0)
    return problem('either peers only or mentors and mentees, not both');
  if (peers === 1) return problem('at least two peers in this mentorship');
  if (peers > 1 || (mentors > 0 && mentees > 0)) return [];
  return problem(`a ${mentors === 0 ? 'mentor' : 'mentee'} in this mentorship as well`);
}

/** A row that names a program and a mentorship. */
type Named = RosterMember & { readonly program: string; readonly mentorship: string };
/** The rows of one mentorship. */
export type MentorshipRows = readonly [Named, ...Named[]];

/** The rows of each mentorship of the file; rows without one are left out. */
export function mentorshipGroups(rows: readonly RosterMember[]): MentorshipRows[] {
  const named = rows.filter((row): row is Named => row.program !== null && row.mentorship !== null);
  return [
    ...Map.groupBy(named, (row) => `${row.program}\n${row.mentorship}`).values(),
  ] as unknown as MentorshipRows[];
}

/** The one value that the rows give, complaining at each row that gives another than the first. */
export function agreed<T extends string>(
  own: readonly RosterMember[],
  column: RosterColumn,
  read: (row: RosterMember) => T | null,
  whose: string,
  problems: RosterProblem[],
): T | null {
  const first = own.find((row) => read(row) !== null);
  if (first === undefined) return null;
  const value = read(first);
  for (const row of own) {
    const other = read(row);
    if (other !== null && other !== value) {
      const expected = `${value} as in line ${first.line}: both lines speak of ${whose}`;
      problems.push({ line: row.line, column, value: other, expected });
    }
  }
  return value;
}

function missing(own: readonly RosterMember[], column: RosterColumn, expected: string): RosterProblem[] {
  const [first] = own;
  if (first === undefined || own.some((row) => row.unreadable.has(column))) return [];
  return [{ line: first.line, column, value: null, expected }];
}

export function hasEmail<T extends RosterMember>(row: T): row is T & { email: string } {
  return row.email !== null;
}

/** Compares by code units: the same order on every machine, whatever its language. */
export function by<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}
