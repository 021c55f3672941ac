import type { Cast, Part } from './cast.ts';
import { STAGES } from './papers.ts';
import type { Expected, ExpectedCadence, ExpectedSession, Outcome } from './scenario-types.ts';

/** The reminders of the scenario's program, in milliseconds before the start. */
export const REMINDERS = [
  { name: 'one day', before: 24 * 3_600_000 },
  { name: 'one hour', before: 3_600_000 },
] as const;

/**
 * States by hand. Every pair meets every 14 days with 7 days of grace, what nobody could verify counts as held, and a
 * session on the last day of an interval keeps it. Beside each: the day of the last session that counts, and what
 * follows from it.
 */
const CADENCE: Readonly<Record<Part, readonly [atStart: string, atEnd: string, atRisk: boolean]>> = {
  weekly_google: ['on_track', 'on_track', false], // -7, then 0
  weekly_outlook: ['on_track', 'on_track', false], // -6, then 1
  google_to_outlook: ['on_track', 'on_track', false], // -7 unverified: wanted again by 7
  outlook_to_google: ['on_track', 'on_track', false], // -5: wanted again by 9
  circle: ['on_track', 'on_track', false], // -12, then 2
  peers: ['on_track', 'on_track', false], // -8: wanted again by 6
  in_person: ['on_track', 'on_track', false], // -14 and 0, both unverified
  moved: ['on_track', 'on_track', false], // -13: wanted again by 1, then held on 2
  no_show: ['on_track', 'due', false], // -14: wanted again by 0, the next is booked
  gone_quiet: ['due', 'overdue', true], // -20: wanted by -6, grace until 1, overdue from 2
  quiet_before: ['overdue', 'overdue', true], // -26: wanted by -12, grace until -5, overdue from -4
  lost_sight: ['on_track', 'unobservable', false], // the only calendar is closed on 0
  not_started: ['not_started', 'not_started', false], // since -3, first session wanted by 7
  declined: ['on_track', 'on_track', false], // -6: wanted again by 8
  joint_one: ['on_track', 'due', false], // -12: wanted again by 2, the next is booked
  joint_two: ['on_track', 'due', false], // -12: wanted again by 2, the next is booked
};

/** Sums up what the story implies. `startsAt` and `endsAt` are epoch milliseconds. */
export function expectationsOf(
  cast: Cast,
  sessions: readonly ExpectedSession[],
  span: { readonly startsAt: number; readonly endsAt: number },
): Expected {
  const names = (part: Part): string => cast.mentorships.get(part)?.name ?? '';
  const members = (part: Part): string[] =>
    (cast.mentorships.get(part)?.members ?? []).map(({ person }) => person.addresses[0] ?? '');
  const story = sessions.filter((session) => session.phase === 'story');
  const remindersTo = reminders(cast, sessions, span);
  const cadence = Object.entries(CADENCE).map(
    ([part, [atStart, atEnd, atRisk]]): ExpectedCadence => ({
      mentorship: names(part as Part),
      atStart,
      atEnd,
      atRisk,
    }),
  );
  const kinds = ['at_risk', 'violated'] as const;
  const lost = members('lost_sight')[0] ?? '';
  return {
    sessions,
    outcomes: counted(sessions.filter((session) => session.phase !== 'ahead')),
    storyOutcomes: counted(story),
    cadence,
    alerts: [
      { mentorship: names('gone_quiet'), kinds, baselined: false, tellsTo: members('gone_quiet') },
      { mentorship: names('quiet_before'), kinds, baselined: true, tellsTo: [] },
    ],
    mails: {
      reminder: Object.values(remindersTo).reduce((sum, count) => sum + count, 0),
      cadence_alert: members('gone_quiet').length,
      // Asked once a session has settled as unknown: the one in the library. What settled before the first start
      // is nobody's news any more.
      did_you_meet: members('in_person').length,
      nudge: 0,
    },
    remindersTo,
    webhooks: {
      'session.scheduled': 1,
      'session.rescheduled': sessions.reduce((sum, session) => sum + session.reschedules, 0),
      'session.cancelled': sessions.filter((session) => session.status === 'cancelled').length,
      'session.judged': story.length,
      'cadence.at_risk': 1,
      'cadence.violated': 1,
      'calendar.disconnected': 1,
      'stage.reached': stagesReached(sessions),
    },
    calendars: {
      active: calendarsOf(cast).filter((address) => address !== lost),
      denied: [lost],
    },
    unmatched: 1,
  };
}

function counted(sessions: readonly ExpectedSession[]): Record<Outcome, number> {
  const counts = { held: 0, too_short: 0, one_sided: 0, no_one: 0, cancelled: 0, unknown: 0 };
  for (const { outcome } of sessions) if (outcome !== null) counts[outcome] += 1;
  return counts;
}

/**
 * Reminders that fall due between start and end. On the first day the one of 24 hours is too late for everybody, as
 * less than half of its time is left; after a decline of one side neither side is reminded.
 */
function reminders(
  cast: Cast,
  sessions: readonly ExpectedSession[],
  span: { readonly startsAt: number; readonly endsAt: number },
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const session of sessions) {
    if (session.status === 'cancelled' || session.outcome === 'cancelled') continue;
    const mentorship = [...cast.mentorships.values()].find(({ name }) => name === session.mentorship);
    const due = REMINDERS.map(({ before }) => Date.parse(session.scheduledStart) - before).filter(
      (at) => at > span.startsAt && at <= span.endsAt,
    );
    for (const { person } of mentorship?.members ?? []) {
      const address = person.addresses[0] ?? '';
      if (due.length > 0) counts[address] = (counts[address] ?? 0) + due.length;
    }
  }
  return counts;
}

/** Stages whose first session is held during the story: each mentorship tells each of its stages once. */
function stagesReached(sessions: readonly ExpectedSession[]): number {
  const held = Map.groupBy(
    sessions
      .filter(({ outcome }) => outcome === 'held')
      .toSorted((one, other) => one.scheduledStart.localeCompare(other.scheduledStart)),
    ({ mentorship }) => mentorship,
  );
  return [...held.values()].reduce(
    (sum, each) => sum + STAGES.filter(({ fromSession }) => each[fromSession - 1]?.phase === 'story').length,
    0,
  );
}

function calendarsOf(cast: Cast): string[] {
  const people = [...cast.mentorships.values()].flatMap(({ members }) => members.map(({ person }) => person));
  const connected = people.filter(({ provider }) => provider !== 'none');
  return [...new Set(connected.map(({ addresses }) => addresses[0] ?? ''))].sort();
}
