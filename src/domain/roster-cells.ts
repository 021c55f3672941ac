import {
  ADDRESS_EXPECTED,
  canonicalLanguage,
  DAY_EXPECTED,
  isAddress,
  isDay,
  isZone,
  LANGUAGE_EXPECTED,
  normalAddress,
  oneOf,
  zoneExpected,
} from './notation.ts';
import type { IsoDate } from './program.ts';
import {
  GROUP_MARK,
  ROLES,
  ROSTER_CALENDARS,
  type Role,
  type RosterCalendar,
  type RosterColumn,
  type RosterProblem,
} from './roster.ts';
import type { RosterRow } from './roster-rows.ts';

/** A row whose cells were read one by one; null where nothing, or nothing usable, was said. */
export type RosterMember = {
  readonly line: number;
  readonly program: string | null;
  /** null: takes part in the program and waits for a mentorship. */
  readonly mentorship: string | null;
  readonly role: Role | null;
  readonly email: string | null;
  readonly name: string | null;
  readonly timeZone: string | null;
  readonly calendar: RosterCalendar | null;
  readonly startsOn: IsoDate | null;
  readonly endsOn: IsoDate | null;
  readonly language: string | null;
  readonly aliases: readonly string[];
  readonly capacity: number | null;
  readonly pausedFrom: IsoDate | null;
  readonly pausedUntil: IsoDate | null;
  /** Cells that were filled but could not be read: complained about once, not again as missing. */
  readonly unreadable: ReadonlySet<RosterColumn>;
};

/** Reads every cell of a row by its own rule. `programs` are the names that the configuration knows. */
export function readMember(
  row: RosterRow,
  programs: readonly string[],
): { readonly member: RosterMember; readonly problems: readonly RosterProblem[] } {
  const problems: RosterProblem[] = [];
  const complain = (column: RosterColumn, expected: string, value = row.cells[column]) => {
    problems.push({ line: row.line, column, value, expected });
    return null;
  };
  const required = (column: RosterColumn, expected: string) =>
    oneLine(row.cells[column]) ?? complain(column, expected);
  const word = <T extends string>(column: RosterColumn, known: readonly T[]): T | null => {
    const typed = row.cells[column].toLowerCase();
    return typed === ''
      ? null
      : (known.find((name) => name === typed) ?? complain(column, oneOf(typed, known)));
  };
  const day = (column: RosterColumn) => {
    const typed = row.cells[column];
    if (typed === '') return null;
    return isDay(typed) ? typed : complain(column, DAY_EXPECTED);
  };
  const address = (column: RosterColumn, typed: string) => {
    const normal = normalAddress(typed);
    return isAddress(normal) ? normal : complain(column, ADDRESS_EXPECTED, typed);
  };

  const program = required('program', oneOf('', programs));
  const typedEmail = required('email', ADDRESS_EXPECTED);
  const { time_zone: zone, language } = row.cells;
  const member = {
    line: row.line,
    program:
      program === null || programs.includes(program)
        ? program
        : complain('program', oneOf(program, programs)),
    mentorship: oneLine(row.cells.mentorship),
    role: row.cells.role === '' ? complain('role', oneOf('', ROLES)) : word('role', ROLES),
    email: typedEmail === null ? null : address('email', typedEmail),
    name: oneLine(row.cells.name),
    timeZone: zone === '' || isZone(zone) ? zone || null : complain('time_zone', zoneExpected(zone)),
    calendar: word('calendar', ROSTER_CALENDARS),
    startsOn: day('starts_on'),
    endsOn: day('ends_on'),
    language:
      language === '' ? null : (canonicalLanguage(language) ?? complain('language', LANGUAGE_EXPECTED)),
    aliases: row.cells.aliases
      // Commas and blanks too: nobody's address holds one, and spreadsheets of all kinds come along.
      .split(/[;,\s]+/)
      .filter((alias) => alias !== '')
      .map((alias) => {
        const [, mark, typed] = /^(group:)?(.*)$/i.exec(alias) ?? [];
        const found = address('aliases', typed ?? alias);
        return found !== null && mark !== undefined ? `${GROUP_MARK}${found}` : found;
      })
      .filter((alias) => alias !== null),
    capacity: capacityOf(row, complain),
    pausedFrom: day('paused_from'),
    pausedUntil: day('paused_until'),
  };
  const unreadable = new Set(problems.flatMap(({ column }) => (column === null ? [] : [column])));
  return { member: { ...member, unreadable }, problems };
}

const CAPACITY_EXPECTED = 'a whole number from 0 to 1000, in the row of a mentor: mentorships at a time';

function capacityOf(
  row: RosterRow,
  complain: (column: RosterColumn, expected: string) => null,
): number | null {
  const { capacity: typed, role } = row.cells;
  if (typed === '') return null;
  // Somebody who typed it beside a mentee meant something that we would not do.
  if (!/^\d{1,4}$/.test(typed) || Number(typed) > 1000 || role.toLowerCase() !== 'mentor') {
    return complain('capacity', CAPACITY_EXPECTED);
  }
  return Number(typed);
}

/** A cell with its line breaks and runs of blanks made one blank; null when empty. */
function oneLine(cell: string): string | null {
  const text = cell.replaceAll(/\s+/g, ' ').trim();
  return text === '' ? null : text;
}
