import type { Drafts } from '../domain/drafts.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { Instant } from '../domain/observation.ts';
import type { Participant } from '../domain/occurrence.ts';
import type { QuietHours } from '../domain/program.ts';
import type { JudgementInput, Outcome, ParticipantVerdict, Verdict } from '../domain/verdict.ts';

/** A session that is due, with everything its judge needs and what was decided about it before. */
export interface DueSession {
  readonly sessionId: number;
  readonly occurrenceId: number;
  readonly mentorshipId: number;
  readonly program: string;
  readonly mentorship: string;
  readonly title: string | null;
  readonly liveFrom: Instant;
  /** The program's zone, IANA. */
  readonly zone: string;
  readonly quiet: QuietHours | null;
  readonly before: {
    readonly outcome: Outcome | null;
    readonly reason: string | null;
    readonly settledAt: Instant | null;
  };
  readonly people: readonly InvitedPerson[];
  /** In the order in which it was stored. */
  readonly evidence: ReadonlyArray<Evidence & { readonly byName: string | null }>;
  readonly facts: Omit<JudgementInput, 'participants' | 'evidence'>;
}

/** An invited member, with what was decided about their attendance before. */
export interface InvitedPerson extends Participant, Pick<ParticipantVerdict, 'minutes' | 'tier'> {
  readonly address: string;
  /** Their own zone, IANA; `null` = the program's. */
  readonly zone: string | null;
  readonly status: ParticipantVerdict['status'] | null;
}

/** A verdict as it is written. */
export interface Decided {
  readonly sessionId: number;
  readonly mentorshipId: number;
  readonly verdict: Verdict;
  /** Why the history gets a row, or `null` when outcome and reason stay as they were. */
  readonly because: string | null;
  /** The session was settled before. */
  readonly wasSettled: boolean;
  /** It may change the numbers of the held sessions of its mentorship, or settles one that has a number. */
  readonly renumbers: boolean;
}

/** A stage of a mentorship and the settled held session that began it. */
export interface StageReached {
  readonly mentorshipId: number;
  readonly sessionId: number;
  readonly ordinal: number;
  readonly stage: string;
  readonly reachedAt: Date;
}

/** The numbers of the held sessions as they are once a batch of verdicts is written. */
export interface SessionNumbers {
  /** By session of the batch. */
  readonly ordinals: ReadonlyMap<number, { readonly ordinal: number | null; readonly stage: string | null }>;
  /** Every stage that the renumbered mentorships have reached; each is told once, by its fact key. */
  readonly stages: readonly StageReached[];
}

export interface VerdictStore {
  /**
   * Judges one batch in one transaction: takes the sessions that are due by `now` and that no other worker holds,
   * gives each to `decide`, writes what it decides, numbers the held sessions anew, and queues what `tell` states
   * about the batch. Both functions must be pure: after a deadlock the batch is taken again and they run once more.
   * @param share how many sessions at most, of which of so many disjoint sets of mentorships
   * @returns what was decided, empty when nothing is due
   */
  judgeDue<T extends Decided>(
    now: Date,
    share: { readonly limit: number; readonly lane: number; readonly of: number },
    decide: (due: DueSession) => T,
    tell: (decided: readonly T[], numbers: SessionNumbers) => Drafts,
  ): Promise<readonly T[]>;
}
