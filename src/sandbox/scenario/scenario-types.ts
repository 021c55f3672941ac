import type { World } from '../world/world.ts';

/** One row of the roster file: a member of a mentorship. Column names are those of the import. */
export interface RosterRow {
  readonly program: string;
  readonly mentorship: string;
  readonly role: 'mentor' | 'mentee' | 'peer';
  readonly email: string;
  readonly name: string;
  readonly time_zone: string;
  readonly calendar: 'google' | 'microsoft' | 'none';
  readonly starts_on: string;
  readonly ends_on: string;
  readonly aliases: string;
  readonly language: string;
}

/** Something that happens. `run` needs the clock to stand at `at`. */
export interface ScenarioStep {
  readonly at: string;
  /** One plain sentence for the reader of a demonstration. */
  readonly title: string;
  readonly run: (world: World) => void;
}

export type Outcome = 'held' | 'too_short' | 'one_sided' | 'no_one' | 'cancelled' | 'unknown';

/** What must be known about one session when the story is over. */
export interface ExpectedSession {
  readonly mentorship: string;
  readonly scheduledStart: string;
  readonly scheduledEnd: string;
  readonly status: 'scheduled' | 'cancelled' | 'ended';
  /** Null while its time lies ahead, called off or not. */
  readonly outcome: Outcome | null;
  /** The closed-list reason where the story leaves no doubt about it. */
  readonly reason: string | null;
  /** By primary address; only where a record decides. */
  readonly attendance: Readonly<Record<string, 'attended' | 'absent' | 'unknown'>>;
  /** `history`: settled before the first start. `story`: settles during it. `ahead`: lies after it. */
  readonly phase: 'history' | 'story' | 'ahead';
  /** How often it was moved while the daemon watched. */
  readonly reschedules: number;
}

export interface ExpectedCadence {
  readonly mentorship: string;
  /** When the daemon first looks. */
  readonly atStart: string;
  /** When the story is over. */
  readonly atEnd: string;
  /** At the end. */
  readonly atRisk: boolean;
}

/** What the story implies by the rules alone; nothing here was asked of the daemon. */
export interface Expected {
  readonly sessions: readonly ExpectedSession[];
  /** Sessions by outcome at the end, those ahead left out. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** The same for sessions that settled during the story: what `session.judged` tells. */
  readonly storyOutcomes: Readonly<Record<Outcome, number>>;
  readonly cadence: readonly ExpectedCadence[];
  /** Open alerts at the end: who is overdue and has nothing booked has one of each kind. */
  readonly alerts: ReadonlyArray<{
    readonly mentorship: string;
    readonly kinds: ReadonlyArray<'at_risk' | 'violated'>;
    readonly baselined: boolean;
    readonly tellsTo: readonly string[];
  }>;
  /** Mails by kind, from the first start to the end. The coordinator's digest is not predicted, and
   * `did_you_meet` leaves only where there is an answer page to link to. */
  readonly mails: Readonly<Record<'reminder' | 'cadence_alert' | 'did_you_meet' | 'nudge', number>>;
  /** Reminders by recipient's address. */
  readonly remindersTo: Readonly<Record<string, number>>;
  /** Outbound events by type after the first complete pass over all calendars. */
  readonly webhooks: Readonly<Record<string, number>>;
  /** Calendar addresses by state at the end. */
  readonly calendars: Readonly<Record<'active' | 'denied', readonly string[]>>;
  /** Tagged meetings that belong to no mentorship. */
  readonly unmatched: number;
}

export interface Scenario {
  /** When the daemon is to be started; the world's clock stands there after building. */
  readonly startsAt: string;
  /** When everything has settled; the last step. */
  readonly endsAt: string;
  readonly roster: readonly RosterRow[];
  readonly rosterCsv: string;
  readonly config: string;
  readonly steps: readonly ScenarioStep[];
  readonly expected: Expected;
  /** World keys of people from outside who confirm their address in Teams; hand them to its habits. */
  readonly verifiedGuests: readonly string[];
}
