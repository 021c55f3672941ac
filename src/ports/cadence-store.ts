import type { AlertKind, AlertLevel, OpenAlert, Standing } from '../domain/cadence.ts';
import type { Drafts } from '../domain/drafts.ts';
import type { QuietHours } from '../domain/program.ts';
import type { Role } from '../domain/roster.ts';

/** A mentorship that is off its cadence or has an open alert. */
export interface WatchedMentorship extends Omit<Standing, 'overdueSince'> {
  readonly mentorshipId: number;
  readonly programId: number;
  readonly program: string;
  readonly mentorship: string;
  /** The program's zone, IANA. */
  readonly zone: string;
  readonly liveFrom: Date;
  readonly coordinator: string | null;
  readonly quiet: QuietHours | null;
  readonly dueAt: Date | null;
  readonly lastHeldAt: Date | null;
  readonly nextSessionAt: Date | null;
  readonly unverifiedSince: Date | null;
  readonly overdueSince: Date | null;
  readonly people: ReadonlyArray<{
    readonly personId: number;
    readonly role: Role;
    readonly address: string;
    /** Their own zone, IANA; `null` = the program's. */
    readonly zone: string | null;
  }>;
  /** The open ones. `openedAt` in milliseconds. */
  readonly alerts: ReadonlyArray<Omit<OpenAlert, 'openedAt'> & { readonly openedAt: number }>;
}

export interface AlertToOpen {
  readonly mentorshipId: number;
  readonly kind: AlertKind;
  readonly baselined: boolean;
  readonly reasons: readonly string[];
  readonly told: boolean;
}

export interface AlertChange {
  readonly alertId: number;
  readonly level: AlertLevel;
  readonly reasons: readonly string[];
  readonly told: boolean;
  readonly resolved: boolean;
}

/** What is to be written about one alert, and what is to be told of it once it has its id. */
export interface AlertStep {
  readonly write: { readonly open: AlertToOpen } | { readonly change: AlertChange };
  readonly tell: (alertId: number) => Drafts;
}

export interface CadenceStore {
  /**
   * Gives the mentorships that are off their cadence or have an open alert to `decide`, a page a call: those that
   * something happened to since they were looked at, then those of programs whose turn it is. Writes the steps that
   * it returns and queues what they tell, a transaction a page. `decide` and `tell` must be pure: after a deadlock
   * a page is taken once more.
   * @returns the steps taken; none when another watcher is under way, who then takes them
   */
  watch<T extends AlertStep>(
    now: Date,
    decide: (watched: readonly WatchedMentorship[]) => readonly T[],
  ): Promise<readonly T[]>;
}
