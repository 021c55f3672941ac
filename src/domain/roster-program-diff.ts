import type { Roster, RosterCapacity, RosterEnrolment, RosterPause, WantedRoster } from './roster.ts';
import type { RosterDiff } from './roster-diff.ts';

/** New addresses of people whose address changes with the import, by their stored one. */
type Renamed = ReadonlyMap<string, string>;

/** Enrolments are added and changed. Days that the file does not give stay as they are stored. */
export function diffEnrolments(
  current: Roster,
  wanted: WantedRoster,
  renamed: Renamed,
): RosterDiff['enrolments'] {
  const stored = new Map(current.enrolments.map(known(renamed)).map((one) => [enrolmentKey(one), one]));
  const added: RosterEnrolment[] = [];
  const changed: Array<{ before: RosterEnrolment; after: RosterEnrolment }> = [];
  for (const one of wanted.enrolments) {
    const before = stored.get(enrolmentKey(one));
    if (before === undefined) {
      added.push(one);
      continue;
    }
    const after = {
      ...one,
      enrolledOn: one.enrolledOn ?? before.enrolledOn,
      endsOn: wanted.left.includes('ends_on') ? before.endsOn : one.endsOn,
    };
    if (after.enrolledOn !== before.enrolledOn || after.endsOn !== before.endsOn)
      changed.push({ before, after });
  }
  return { added, changed };
}

/** A file that gives only the last day may contradict the first one that is stored. */
export function leavesBeforeJoining({ program, email, enrolledOn, endsOn }: RosterEnrolment): string[] {
  if (enrolledOn === null || endsOn === null || enrolledOn <= endsOn) return [];
  return [`${email} would leave ${program} on ${endsOn}, before ${enrolledOn}, the day they joined`];
}

/** What the mentors of the file have room for. A column that is there and empty says: not known any more. */
export function diffCapacities(
  current: Roster,
  wanted: WantedRoster,
  renamed: Renamed,
): RosterDiff['capacities'] {
  if (wanted.left.includes('capacity')) return { changed: [] };
  const stored = new Map(current.capacities.map(known(renamed)).map((one) => [capacityKey(one), one]));
  return {
    changed: wanted.capacities.flatMap((after) => {
      const before = stored.get(capacityKey(after)) ?? { ...after, capacity: null };
      return before.capacity === after.capacity ? [] : [{ before, after }];
    }),
  };
}

/** A pause that overlaps one which a roster named before is that one, moved; any other is another pause. */
export function diffPauses(current: Roster, wanted: WantedRoster): RosterDiff['pauses'] {
  const stored = Map.groupBy(current.pauses, pauseKey);
  const added: RosterPause[] = [];
  const changed: Array<{ before: RosterPause; after: RosterPause }> = [];
  for (const after of wanted.pauses) {
    const own = stored.get(pauseKey(after)) ?? [];
    if (own.some((one) => one.from === after.from && one.until === after.until)) continue;
    const before = own.find((one) => one.from <= after.until && after.from <= one.until);
    if (before === undefined) added.push(after);
    else changed.push({ before, after });
  }
  return { added, changed };
}

function known(renamed: Renamed) {
  return <T extends { readonly email: string }>(one: T): T => ({
    ...one,
    email: renamed.get(one.email) ?? one.email,
  });
}

function enrolmentKey({ program, email, role }: RosterEnrolment): string {
  return `${program}\n${email}\n${role}`;
}

function capacityKey({ program, email }: RosterCapacity): string {
  return `${program}\n${email}`;
}

function pauseKey({ program, mentorship }: RosterPause): string {
  return `${program}\n${mentorship}`;
}
