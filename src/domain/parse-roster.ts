import type { RosterProblem, WantedRoster } from './roster.ts';
import { readMember } from './roster-cells.ts';
import { inOneSpelling, joinMemberships, joinMentorships, joinPeople } from './roster-join.ts';
import { joinCapacities, joinEnrolments, joinPauses } from './roster-programs.ts';
import { readRosterTable } from './roster-rows.ts';

export type ParsedRoster =
  | { readonly ok: true; readonly roster: WantedRoster }
  | { readonly ok: false; readonly problems: readonly RosterProblem[] };

/**
 * Reads the text of a roster, CSV or JSON, one row a member of a mentorship, or somebody who waits for one. `programs` are the names that the
 * configuration knows. Gives the roster, sorted and normalised, or every problem at once, by line.
 */
export function parseRoster(text: string, programs: readonly string[]): ParsedRoster {
  const table = readRosterTable(text);
  // With columns missing or unknown, complaints about cells would only bury that one.
  if (table.problems.length > 0) return refused(table.problems);
  const read = table.rows.map((row) => readMember(row, programs));
  const members = inOneSpelling(read.map(({ member }) => member));
  const people = joinPeople(members);
  const mentorships = joinMentorships(members);
  const memberships = joinMemberships(members, people.found);
  const enrolments = joinEnrolments(members);
  const capacities = joinCapacities(members);
  const pauses = joinPauses(members);
  const problems = [
    ...read.flatMap((one) => one.problems),
    ...people.problems,
    ...mentorships.problems,
    ...memberships.problems,
    ...enrolments.problems,
    ...capacities.problems,
    ...pauses.problems,
  ];
  if (problems.length > 0) return refused(problems);
  return {
    ok: true,
    roster: {
      people: people.found,
      mentorships: mentorships.found,
      memberships: memberships.found,
      enrolments: enrolments.found,
      capacities: capacities.found,
      pauses: pauses.found,
      left: table.left,
    },
  };
}

function refused(problems: readonly RosterProblem[]): ParsedRoster {
  return { ok: false, problems: problems.toSorted((a, b) => a.line - b.line) };
}

/** `line 3, role: "mentro"; expected one of mentor, mentee, peer; did you mean mentor?` */
export function renderRosterProblem({ line, column, value, expected }: RosterProblem): string {
  const place = column === null ? `line ${line}` : `line ${line}, ${column}`;
  if (value === null && column === null) return `${place}: expected ${expected}`;
  const said = value === null || value === '' ? 'nothing there' : JSON.stringify(value);
  return `${place}: ${said}; expected ${expected}`;
}
