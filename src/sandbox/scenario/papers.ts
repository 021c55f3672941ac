import type { Cast } from './cast.ts';
import type { RosterRow } from './scenario-types.ts';
import type { Timetable } from './timetable.ts';

/** The only program of the organisation. */
export const PROGRAM = 'Pathways';

/** A stage begins with the n-th session that was held. */
export const STAGES = [
  { name: 'Getting to know each other', fromSession: 1 },
  { name: 'Working on goals', fromSession: 5 },
] as const;

const COLUMNS = [
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
] as const;

/** The roster, one row a member of a mentorship. */
export function rosterOf(cast: Cast, timetable: Timetable): RosterRow[] {
  return [...cast.mentorships.values()].flatMap((mentorship) =>
    mentorship.members.map(({ person, role }): RosterRow => {
      const [email = '', ...aliases] = person.addresses;
      return {
        program: PROGRAM,
        mentorship: mentorship.name,
        role,
        email,
        name: person.name,
        time_zone: person.zone,
        calendar: person.provider,
        starts_on: timetable.date(mentorship.startsOn),
        ends_on: '',
        aliases: aliases.join(';'),
        language: 'en',
      };
    }),
  );
}

/** The same as a file to import. */
export function rosterCsv(rows: readonly RosterRow[]): string {
  const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map((row) => COLUMNS.map((column) => cell(row[column])).join(','));
  return `${[COLUMNS.join(','), ...lines].join('\n')}\n`;
}

/** The configuration file that belongs to the roster. */
export function configOf(cast: Cast, timetable: Timetable): string {
  return `programs:
  - name: ${PROGRAM}
    time_zone: Europe/Berlin
    live_from: ${timetable.date(0)}
    tags:
      - "#mentoring"
      - "[mentoring]"
      - category: Mentoring
    cadence:
      every: P14D
      count: 1
      grace: P7D
      first_session: P10D
      unknown: held
    reminders: [P1D, PT1H]
    quiet_hours: { from: "21:00", until: "07:00" }
    coordinator: ${cast.coordinator}
    language: en
    talking_points:
      1:
        - What would make this mentorship worth your time?
        - How do you want to meet, and how often?
      2:
        - What has changed since you last spoke?
        - Which one thing is in the way right now?
      3:
        - Look back at the last session. What would you ask differently today?
    stages:
${STAGES.map((stage) => `      - { name: ${stage.name}, from_session: ${stage.fromSession} }`).join('\n')}
    benchmarks:
      - { name: first session, sessions: 1, within: P10D }
      - { name: four sessions, sessions: 4, within: P28D }
polling:
  every: PT5M
  reconcile: P1D
`;
}
