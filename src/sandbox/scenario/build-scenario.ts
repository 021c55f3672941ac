import { DateTime } from 'luxon';
import { createRandom } from '../world/random.ts';
import type { World } from '../world/world.ts';
import { castPeople } from './cast.ts';
import { Chronicle } from './chronicle.ts';
import { expectationsOf, REMINDERS } from './expectations.ts';
import { configOf, rosterCsv, rosterOf } from './papers.ts';
import type { ExpectedSession, Scenario } from './scenario-types.ts';
import { tell } from './story.ts';
import { Timetable } from './timetable.ts';

/**
 * Scripted days a week or two after clocks changed, so that every history holds a change: spring and autumn, in
 * Europe and in America. Tuesdays and Wednesdays, which keeps all sessions off the weekends.
 */
const DAYS = ['2026-04-07', '2026-04-08', '2026-11-10', '2026-11-11', '2027-04-06', '2027-04-07'] as const;

/** Hour UTC at which the daemon is started on the scripted day, and at which the last session has settled. */
const START_HOUR = 5;
const END = { day: 4, hour: 20 } as const;

/**
 * Fills an empty world with an invented organisation and five weeks of its past, and gives the script of the days
 * that follow. The same seed makes the same story. The world's clock is set back to play the past and left at
 * `startsAt`: build before anything else looks at the clock.
 */
export function buildScenario(world: World, options: { readonly seed: number }): Scenario {
  if (world.people.size > 0) throw new Error('a scenario needs an empty world');
  const random = createRandom(options.seed).fork('scenario');
  const day = DateTime.fromISO(random.pick(DAYS), { zone: 'utc' });
  const timetable = new Timetable(day);
  world.clock.set(timetable.at(-40, 9));
  const cast = castPeople(world, random, day);
  const verifiedGuests = (['outlook_to_google', 'lost_sight'] as const).flatMap(
    (part) => cast.mentorships.get(part)?.members[1]?.person.id ?? [],
  );

  const chronicle = new Chronicle(timetable, new Set(verifiedGuests));
  tell(chronicle, cast);
  const startsAt = timetable.at(0, START_HOUR);
  const endsAt = timetable.at(END.day, END.hour);
  for (const offset of [0, 1, 2, 3]) {
    if (offset > 0) chronicle.step(timetable.at(offset, 6), `Day ${offset + 1} begins.`);
    chronicle.step(timetable.at(offset, 18.5), `The evening of day ${offset + 1}.`);
  }
  for (const { at, title } of reminderStops(chronicle.sessions, startsAt)) chronicle.step(at, title);
  chronicle.step(endsAt, 'Every session has settled.');
  chronicle.playPast(world);
  world.clock.set(startsAt);

  const roster = rosterOf(cast, timetable);
  const sessions = [...chronicle.sessions].sort(
    (one, other) =>
      one.scheduledStart.localeCompare(other.scheduledStart) ||
      one.mentorship.localeCompare(other.mentorship),
  );
  return {
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    roster,
    rosterCsv: rosterCsv(roster),
    config: configOf(cast, timetable),
    steps: [...chronicle.steps].sort((one, other) => one.at.localeCompare(other.at)),
    expected: expectationsOf(cast, sessions, { startsAt, endsAt }),
    verifiedGuests,
  };
}

/**
 * A stop a minute after each reminder falls due. The clock jumps from step to step, and a daemon that wakes up after
 * the session was over would rightly send none.
 */
function reminderStops(
  sessions: readonly ExpectedSession[],
  startsAt: number,
): { readonly at: number; readonly title: string }[] {
  return sessions
    .filter((session) => session.phase === 'story' && session.outcome !== 'cancelled')
    .flatMap((session) =>
      REMINDERS.map(({ name, before }) => ({
        at: Date.parse(session.scheduledStart) - before + 60_000,
        title: `${session.mentorship}: ${name} to go.`,
      })),
    )
    .filter(({ at }) => at > startsAt + 60_000);
}
