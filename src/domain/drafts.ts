import type { MailKind } from './mail.ts';
import { type OutboundData, type OutboundEventType, subjectOf } from './outbound.ts';

/** What a fact gives to tell, before it is stored: mails for people, events for other programs. */
export interface Drafts {
  readonly mails: readonly MailDraft[];
  readonly events: readonly OutboundDraft[];
}

/** A mail as a use case states it: what it tells and to whom. Its text is made when it leaves. */
export interface MailDraft {
  readonly kind: MailKind;
  /** Names the fact, the person and the kind. A second draft of the same fact is dropped: no fact makes two mails. */
  readonly factKey: string;
  readonly sessionId: number | null;
  readonly mentorshipId: number | null;
  readonly alertId: number | null;
  /** `null` for a coordinator, who need not be in the roster. */
  readonly personId: number | null;
  readonly toAddress: string;
  readonly dueAt: Date;
  /** After this the mail would only confuse. */
  readonly expiresAt: Date | null;
}

/** An event as a use case states it; position, sequence and id are given by the store. */
export interface OutboundDraft {
  readonly type: OutboundEventType;
  /** What it is about: `session/12`, `mentorship/oak/ada-grace`, `calendar/7`. */
  readonly subject: string;
  /** Names the fact. A second draft of the same fact is dropped silently: no fact makes two events. */
  readonly factKey: string;
  readonly occurredAt: Date;
  readonly payload: object;
}

/** A draft of a typed fact; the subject follows from the fact, so that two callers cannot name one thing differently. */
export function outboundDraft<T extends OutboundEventType>(
  type: T,
  factKey: string,
  occurredAt: Date,
  data: OutboundData[T],
): OutboundDraft {
  return { type, factKey, occurredAt, subject: subjectOf(data), payload: data };
}
