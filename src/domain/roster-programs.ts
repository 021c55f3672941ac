import type { RosterCapacity, RosterEnrolment, RosterPause, RosterProblem } from './roster.ts';
import type { RosterMember } from './roster-cells.ts';
import { agreed, by, hasEmail, type Joined, type MentorshipRows, mentorshipGroups } from './roster-join.ts';

/** What a roster says of people and programs beside who meets whom. */

type Placed = RosterMember & { readonly program: string; readonly email: string };

/** The rows without a mentorship: one enrolment a program, person and role. */
export function joinEnrolments(rows: readonly RosterMember[]): Joined<RosterEnrolment> {
  const problems: RosterProblem[] = [];
  const found: RosterEnrolment[] = [];
  const waiting = placed(rows).filter((row) => row.mentorship === null);
  for (const row of waiting) {
    if (row.pausedFrom !== null || row.pausedUntil !== null) {
      const value = row.pausedFrom ?? row.pausedUntil;
      const expected = 'nothing in a row without a mentorship: nobody owes a session there';
      problems.push({ line: row.line, column: 'paused_from', value, expected });
    }
  }
  const groups = Map.groupBy(waiting, (row) => `${row.program}\n${row.email}\n${row.role}`);
  for (const own of groups.values()) {
    const [first] = own;
    if (first === undefined || first.role === null) continue;
    const { email } = first;
    const enrolledOn = agreed(own, 'starts_on', (row) => row.startsOn, email, problems);
    const endsOn = agreed(own, 'ends_on', (row) => row.endsOn, email, problems);
    if (enrolledOn !== null && endsOn !== null && endsOn < enrolledOn) {
      const line = own.find((row) => row.endsOn === endsOn)?.line ?? first.line;
      const expected = `a day not before the first, ${enrolledOn}`;
      problems.push({ line, column: 'ends_on', value: endsOn, expected });
    }
    found.push({ program: first.program, email, role: first.role, enrolledOn, endsOn });
  }
  return { found: found.toSorted(by((one) => `${one.program}\n${one.email}\n${one.role}`)), problems };
}

/** What every mentor of the file has room for, in each of their programs. */
export function joinCapacities(rows: readonly RosterMember[]): Joined<RosterCapacity> {
  const problems: RosterProblem[] = [];
  const mentors = placed(rows).filter((row) => row.role === 'mentor');
  const groups = Map.groupBy(mentors, (row) => `${row.program}\n${row.email}`);
  const found = [...groups.values()].flatMap((own): RosterCapacity[] => {
    const [first] = own;
    if (first === undefined) return [];
    const { email } = first;
    const typed = agreed(
      own,
      'capacity',
      (row) => (row.capacity === null ? null : String(row.capacity)),
      email,
      problems,
    );
    return [{ program: first.program, email, capacity: typed === null ? null : Number(typed) }];
  });
  return { found: found.toSorted(by((one) => `${one.program}\n${one.email}`)), problems };
}

/** The pause of each mentorship that has one: its rows agree on both days, and both are there. */
export function joinPauses(rows: readonly RosterMember[]): Joined<RosterPause> {
  const problems: RosterProblem[] = [];
  const found = mentorshipGroups(rows).flatMap((own) => pauseOf(own, problems));
  return { found: found.toSorted(by((one) => `${one.program}\n${one.mentorship}`)), problems };
}

function pauseOf(own: MentorshipRows, problems: RosterProblem[]): RosterPause[] {
  const [{ line, program, mentorship }] = own;
  const from = agreed(own, 'paused_from', (row) => row.pausedFrom, mentorship, problems);
  const until = agreed(own, 'paused_until', (row) => row.pausedUntil, mentorship, problems);
  const told = own.some((row) => row.unreadable.has('paused_from') || row.unreadable.has('paused_until'));
  if ((from === null && until === null) || told) return [];
  if (from === null || until === null) {
    const column = from === null ? 'paused_from' : 'paused_until';
    const expected = `the ${from === null ? 'first' : 'last'} day of the pause of ${mentorship} as well`;
    problems.push({ line, column, value: null, expected });
    return [];
  }
  if (until < from) {
    const expected = `a day not before the first, ${from}`;
    problems.push({ line, column: 'paused_until', value: until, expected });
  }
  return [{ program, mentorship, from, until }];
}

function placed(rows: readonly RosterMember[]): Placed[] {
  return rows.filter(hasEmail).filter((row): row is Placed => row.program !== null);
}
