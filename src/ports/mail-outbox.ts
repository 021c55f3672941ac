import type { MailKind } from '../domain/mail.ts';
import type { Outcome } from '../domain/verdict.ts';

/** What a mail can say, as it stands when it leaves. Instants are ISO 8601 in UTC. */
export interface MailFacts {
  readonly mailId: number;
  readonly kind: MailKind;
  readonly factKey: string;
  readonly attempts: number;
  readonly to: {
    readonly participantId: string;
    readonly name: string | null;
    readonly address: string;
    readonly timeZone: string;
    readonly language: string;
  };
  readonly program: string;
  readonly programId: number;
  /** null for a coordinator. */
  readonly personId: number | null;
  /** The person wants no mails of this program. */
  readonly optedOut: boolean;
  readonly coordinator: string | null;
  /** The program's first text tag: what to write into an invitation. */
  readonly tag: string | null;
  readonly session: {
    readonly sessionId: string;
    readonly status: 'scheduled' | 'cancelled';
    readonly start: string;
    readonly end: string;
    readonly outcome: Outcome | null;
    /** The reader has said what became of it. */
    readonly answered: boolean;
    readonly revision: number;
    readonly title: string | null;
    readonly isPrivate: boolean;
    readonly conferenceUrl: string | null;
    readonly others: readonly string[];
    /** Which session this is going to be, counting the held ones and those booked before it. */
    readonly ordinal: number;
    readonly stage: string | null;
    readonly talkingPoints: readonly string[];
  } | null;
  /** The plan that a nudge is about. */
  readonly plan: {
    readonly planId: string;
    readonly start: string;
    readonly end: string;
    readonly reference: string | null;
    readonly open: boolean;
    readonly others: readonly string[];
  } | null;
  readonly alert: {
    readonly alertId: string;
    readonly level: string;
    readonly reasons: readonly string[];
    readonly others: readonly string[];
    readonly lastHeld: string | null;
    readonly due: string | null;
    readonly resolved: boolean;
    /** The last session of the pair that nobody could verify and that can still be answered for. */
    readonly unverified: { readonly sessionId: number; readonly end: string } | null;
  } | null;
  readonly digest: {
    readonly items: ReadonlyArray<{
      readonly people: readonly string[];
      readonly state: string;
      readonly level: string;
      readonly reasons: readonly string[];
      readonly lastHeld: string | null;
      readonly nextSession: string | null;
    }>;
    readonly resolved: number;
    readonly unreadableCalendars: number;
  } | null;
}

export type MailOutcome =
  | { readonly status: 'sent'; readonly messageId: string }
  | { readonly status: 'suppressed' | 'refused' | 'failed'; readonly reason: string }
  | { readonly status: 'queued'; readonly reason: string; readonly againInMs: number };

export interface MailOutbox {
  /** Takes mails that are due in business time, at most `limit`, under a lease; expired ones are suppressed first. */
  claim(limit: number, leaseMs: number): Promise<readonly MailFacts[]>;
  settle(mailId: number, outcome: MailOutcome): Promise<void>;
}
