import type { IsoDate } from './program.ts';

/**
 * Who meets whom. A roster is a list with one row a member of a mentorship; the same person may stand in many
 * rows. A row without a mentorship names somebody who takes part in the program and waits for one. Read by `parse-roster.ts`, compared with what is stored by `roster-diff.ts`.
 */

export const ROSTER_COLUMNS = [
  'program',
  'mentorship',
  'role',
  'email',
  'name',
  'time_zone',
  'calendar',
  'starts_on',
  'ends_on',
  'aliases',
  'language',
  'capacity',
  'paused_from',
  'paused_until',
] as const;
export type RosterColumn = (typeof ROSTER_COLUMNS)[number];

/** Columns a roster may leave out altogether; what is stored for them then stays as it is. */
export const OPTIONAL_COLUMNS = [
  'time_zone',
  'ends_on',
  'aliases',
  'language',
  'capacity',
  'paused_from',
  'paused_until',
] as const;
export type OptionalColumn = (typeof OPTIONAL_COLUMNS)[number];

/** One mistake in a roster. `line` counts from 1 in the file as an editor shows it. */
export type RosterProblem = {
  readonly line: number;
  readonly column: RosterColumn | null;
  readonly value: string | null;
  readonly expected: string;
};

/** What somebody is in a mentorship. */
export const ROLES = ['mentor', 'mentee', 'peer'] as const;
export type Role = (typeof ROLES)[number];

export const ROSTER_CALENDARS = ['google', 'microsoft', 'none'] as const;
export type RosterCalendar = (typeof ROSTER_CALENDARS)[number];

/** A person. Addresses are lower-case NFC; a null zone or language means "as the program has it". */
export type RosterPerson = {
  readonly email: string;
  readonly name: string;
  readonly timeZone: string | null;
  readonly calendar: RosterCalendar;
  readonly language: string | null;
  /** Further addresses of the same person and, with `group:` before them, of groups they belong to; sorted, without `email`. */
  readonly aliases: readonly string[];
};

/** What an alias is of: the person alone, or a group (a distribution list) that reaches others too. */
export const GROUP_MARK = 'group:';

/** The group's address where an alias is one; null for an address of the person's own. */
export function groupOf(alias: string): string | null {
  return alias.startsWith(GROUP_MARK) ? alias.slice(GROUP_MARK.length) : null;
}

/**
 * The other spelling of an address of Google's consumer mail, or null. `gmail.com` and `googlemail.com` are one
 * account, and calendars show whichever of them somebody typed.
 */
export function otherSpelling(address: string): string | null {
  const [, name, domain] = /^(.+)@(gmail|googlemail)\.com$/.exec(address) ?? [];
  if (name === undefined) return null;
  return `${name}@${domain === 'gmail' ? 'googlemail' : 'gmail'}.com`;
}

/** A mentorship, named uniquely within its program. Both days belong to it; `endsOn` null = open. */
export type RosterMentorship = {
  readonly program: string;
  readonly mentorship: string;
  readonly startsOn: IsoDate;
  readonly endsOn: IsoDate | null;
};

export type RosterMembership = {
  readonly program: string;
  readonly mentorship: string;
  readonly email: string;
  readonly role: Role;
};

/** Somebody who takes part in a program, whether in a mentorship or not. */
export type RosterEnrolment = {
  readonly program: string;
  readonly email: string;
  readonly role: Role;
  /** First day; null in a file that does not say it: the day of its import. */
  readonly enrolledOn: IsoDate | null;
  readonly endsOn: IsoDate | null;
};

/** How many mentorships at a time a mentor has room for in a program; null = the roster does not say. */
export type RosterCapacity = {
  readonly program: string;
  readonly email: string;
  readonly capacity: number | null;
};

/** Days of a mentorship, both included, on which nobody owes a session. */
export type RosterPause = {
  readonly program: string;
  readonly mentorship: string;
  readonly from: IsoDate;
  readonly until: IsoDate;
};

/** Sorted by name, so that the same file always gives the same roster. */
export type Roster = {
  readonly people: readonly RosterPerson[];
  readonly mentorships: readonly RosterMentorship[];
  readonly memberships: readonly RosterMembership[];
  readonly enrolments: readonly RosterEnrolment[];
  /** Of a file: of every mentor that it names. Stored: of those whose capacity is known. */
  readonly capacities: readonly RosterCapacity[];
  /** Only those that a roster named; what was paused by a statement is no roster's to change. */
  readonly pauses: readonly RosterPause[];
};

/** A roster read from a file. `left` are the optional columns that the file has no cell of. */
export type WantedRoster = Roster & { readonly left: readonly OptionalColumn[] };
