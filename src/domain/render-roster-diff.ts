import type { RosterEnrolment, RosterMentorship, RosterPause, RosterPerson } from './roster.ts';
import { differences, isEmptyDiff, type RosterDiff } from './roster-diff.ts';

/** The diff as plain lines for a terminal: `+` added, `~` changed, `-` ended or removed, `=` left alone. */
export function renderRosterDiff(diff: RosterDiff): string[] {
  const { people, aliases, mentorships, memberships, enrolments, capacities, pauses, untouched, conflicts } =
    diff;
  const place = (one: { program: string; mentorship: string }) => `${one.program} / ${one.mentorship}`;
  const days = (one: RosterMentorship) => `${one.startsOn} to ${one.endsOn ?? 'open'}`;
  const enrolled = (one: RosterEnrolment) => `from ${one.enrolledOn ?? 'today'} to ${one.endsOn ?? 'open'}`;
  const paused = (one: RosterPause) => `${one.from} to ${one.until}`;
  const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;
  const left = [
    ...(untouched.mentorships.length > 0
      ? [counted(untouched.mentorships.length, 'mentorship', 'mentorships')]
      : []),
    ...(untouched.people.length > 0 ? [counted(untouched.people.length, 'person', 'people')] : []),
  ];
  return [
    ...people.added.map((one) => `+ person ${one.email} (${one.name}, calendar ${one.calendar})`),
    ...people.changed.flatMap(({ before, after }) => {
      const fields = differences(before, after).filter((field) => field !== 'aliases');
      const told = fields.map(
        (field) => `${LABELS[field]} ${shown(before[field])} -> ${shown(after[field])}`,
      );
      return told.length === 0 ? [] : [`~ person ${before.email}: ${told.join(', ')}`];
    }),
    ...aliases.added.map(({ email, alias }) => `+ alias ${alias} of ${email}`),
    ...aliases.removed.map(({ email, alias }) => `- alias ${alias} of ${email}`),
    ...mentorships.added.map((one) => `+ mentorship ${place(one)}: ${days(one)}`),
    ...mentorships.changed.map(
      ({ before, after }) => `~ mentorship ${place(after)}: ${days(before)} -> ${days(after)}`,
    ),
    ...memberships.added.map((one) => `+ member ${one.email} of ${place(one)} as ${one.role}`),
    ...memberships.changed.map(
      ({ before, after }) => `~ member ${after.email} of ${place(after)}: ${before.role} -> ${after.role}`,
    ),
    ...memberships.ended.map((one) => `- member ${one.email} of ${place(one)} (was ${one.role})`),
    ...enrolments.added.map(
      (one) => `+ enrolled ${one.email} in ${one.program} as ${one.role}: ${enrolled(one)}`,
    ),
    ...enrolments.changed.map(
      ({ before, after }) =>
        `~ enrolled ${after.email} in ${after.program} as ${after.role}: ${enrolled(before)} -> ${enrolled(after)}`,
    ),
    ...capacities.changed.map(
      ({ before, after }) =>
        `~ capacity of ${after.email} in ${after.program}: ${before.capacity ?? 'not said'} -> ${after.capacity ?? 'not said'}`,
    ),
    ...pauses.added.map((one) => `+ pause of ${place(one)}: ${paused(one)}`),
    ...pauses.changed.map(
      ({ before, after }) => `~ pause of ${place(after)}: ${paused(before)} -> ${paused(after)}`,
    ),
    ...(isEmptyDiff(diff) ? ['Nothing to change.'] : []),
    ...(left.length > 0
      ? [
          `= ${left.join(' and ')} not named by the file, left as stored; to end a mentorship give its ends_on`,
        ]
      : []),
    ...conflicts.map((conflict) => `! ${conflict}`),
  ];
}

const LABELS: { readonly [F in keyof RosterPerson]: string } = {
  email: 'address',
  name: 'name',
  timeZone: 'time zone',
  calendar: 'calendar',
  language: 'language',
  aliases: 'aliases',
};

function shown(value: string | readonly string[] | null): string {
  return value === null ? "the program's" : String(value);
}
