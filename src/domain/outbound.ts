import type { DateTime } from 'luxon';
import type { AlertKind, AlertLevel, CadenceState } from './cadence.ts';
import type { CalendarState } from './calendar-state.ts';
import type { Provider, Rsvp } from './observation.ts';
import type { Canceller } from './occurrence.ts';
import type { Role } from './roster.ts';
import type { AttendanceStatus, EvidenceTier, Outcome } from './verdict.ts';

/**
 * What other programs are told. Each type is a promise: fields may be added to a `.v1` payload, none is
 * renamed, removed or given another meaning; that would be a `.v2` beside it. The JSON Schemas stand in
 * `config/webhooks/`. Payloads use the words of the SQL views, so a receiver can join the two.
 */
export const OUTBOUND_EVENT_TYPES = [
  'session.scheduled',
  'session.rescheduled',
  'session.cancelled',
  'session.judged',
  'attendance.changed',
  'cadence.at_risk',
  'cadence.violated',
  'cadence.resolved',
  'stage.reached',
  'calendar.disconnected',
  'calendar.reconnected',
] as const;

export type OutboundEventType = (typeof OUTBOUND_EVENT_TYPES)[number];

/** RFC 3339 in UTC with milliseconds, e.g. `2026-11-21T18:15:00.000Z`. */
export type Instant = string;

/** A person as other programs may know them: no name, no response text, nothing of the calendar entry. */
export type PersonPayload = {
  readonly participant_id: string;
  readonly role: Role;
  readonly address: string;
};

export type SessionPayload = {
  readonly session_id: string;
  readonly occurrence_id: string;
  readonly program: string;
  readonly mentorship: string;
  readonly scheduled_start: Instant;
  readonly scheduled_end: Instant;
  /** null when the calendar entry is private or has no title. */
  readonly title: string | null;
  readonly people: readonly PersonPayload[];
};

export type AttendancePayload = PersonPayload & {
  readonly status: AttendanceStatus;
  readonly rsvp: Rsvp;
  readonly minutes: number | null;
  readonly joined_at: Instant | null;
  readonly left_at: Instant | null;
  readonly evidence_tier: EvidenceTier;
};

export type VerdictPayload = {
  readonly outcome: Outcome;
  readonly outcome_reason: string | null;
};

export type CadencePayload = {
  readonly program: string;
  readonly mentorship: string;
  readonly people: readonly PersonPayload[];
  readonly state: CadenceState;
  readonly due_at: Instant | null;
  readonly last_held_at: Instant | null;
  readonly next_session_at: Instant | null;
  readonly at_risk: boolean;
  /** A receiver treats a reason that it does not know as one more reason, not as an error. */
  readonly reasons: readonly string[];
  readonly unverified_since: Instant | null;
};

type AlertPayload = {
  readonly alert_id: string;
  readonly kind: AlertKind;
  readonly level: AlertLevel;
  readonly opened_at: Instant;
};

type CalendarPayload = {
  readonly calendar: string;
  readonly owner: string;
  readonly provider: Provider;
  readonly state: CalendarState;
};

/** The `data` of each type. */
export type OutboundData = {
  readonly 'session.scheduled': SessionPayload & {
    readonly plan_id: string | null;
    readonly reference: string | null;
  };
  readonly 'session.rescheduled': SessionPayload & {
    readonly previous_start: Instant;
    readonly previous_end: Instant;
    readonly reschedules: number;
  };
  readonly 'session.cancelled': SessionPayload & {
    readonly cancel_reason: string;
    readonly cancelled_at: Instant;
    readonly cancelled_by: Canceller | null;
    /** Whole minutes between the cancellation and the scheduled start; negative when it came later. */
    readonly notice_minutes: number;
  };
  readonly 'session.judged': SessionPayload &
    VerdictPayload & {
      readonly ordinal: number | null;
      readonly stage: string | null;
      readonly settled_at: Instant;
      readonly attendance: readonly AttendancePayload[];
    };
  readonly 'attendance.changed': SessionPayload &
    VerdictPayload & {
      readonly previous: VerdictPayload;
      readonly because: string;
      readonly decided_at: Instant;
      readonly attendance: readonly AttendancePayload[];
    };
  readonly 'cadence.at_risk': CadencePayload & AlertPayload;
  readonly 'cadence.violated': CadencePayload & AlertPayload;
  readonly 'cadence.resolved': CadencePayload & AlertPayload & { readonly resolved_at: Instant };
  readonly 'stage.reached': {
    readonly program: string;
    readonly mentorship: string;
    readonly people: readonly PersonPayload[];
    readonly stage: string;
    readonly ordinal: number;
    readonly session_id: string;
    readonly reached_at: Instant;
  };
  readonly 'calendar.disconnected': CalendarPayload & {
    readonly reason: string;
    readonly since: Instant;
    readonly last_complete_pass_at: Instant | null;
  };
  readonly 'calendar.reconnected': CalendarPayload & {
    readonly disconnected_at: Instant;
    readonly reconnected_at: Instant;
  };
};

/**
 * One event as it is stored, signed and sent: a CloudEvents 1.0 event in the JSON format that is a Standard
 * Webhooks payload (`type`, `timestamp`, `data`) at the same time, so that either kind of receiver can take it.
 */
export type OutboundEvent<T extends OutboundEventType = OutboundEventType> = {
  [K in T]: {
    readonly specversion: '1.0';
    /** The idempotency key: the same over every retry and replay. Never holds a dot (Standard Webhooks signs `id.timestamp.body`). */
    readonly id: string;
    readonly source: string;
    readonly type: K;
    readonly time: Instant;
    readonly timestamp: Instant;
    /** `session/<id>`, `mentorship/<program>/<mentorship>` or `calendar/<calendar>`, percent-encoded. */
    readonly subject: string;
    /** Counts the events of one subject, so that a receiver can drop what arrives out of order. Zero-padded text, because the CloudEvents extension of this name orders lexicographically. */
    readonly sequence: string;
    readonly datacontenttype: 'application/json';
    readonly dataschema: string;
    readonly data: OutboundData[K];
  };
}[T];

/** What the envelope needs besides the fact; ids and instants come from the caller. */
export type Stamp = {
  readonly id: string;
  /** A URI-reference naming this installation, e.g. its public URL, else `urn:cadenced`. */
  readonly source: string;
  readonly occurredAt: DateTime;
  /** 1 for the first event of its subject. */
  readonly sequence: number;
  /** The stored subject, when the event comes from its row; else it is derived from the fact. */
  readonly subject?: string;
};

const SEQUENCE_DIGITS = 12;

/** The stable name of a type's JSON Schema, which is also its file name in `config/webhooks/`. */
export function schemaName(type: OutboundEventType): string {
  return `${type}.v1.schema.json`;
}

/** The `dataschema` of a type: a URI that names the version, whether or not anybody serves it. */
export function schemaUri(type: OutboundEventType): string {
  return `urn:cadenced:schema:${type}.v1`;
}

/**
 * Puts a fact into its envelope. `data` is complete as its type asks. The same row gives the same
 * bytes at every attempt.
 * @throws RangeError for an id that a signature could not cover, a sequence below 1 or an invalid instant.
 */
export function outboundEvent<T extends OutboundEventType>(
  type: T,
  data: OutboundData[T],
  stamp: Stamp,
): OutboundEvent<T> {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(stamp.id))
    throw new RangeError('an event id is 1-128 of A-Z a-z 0-9 _ -');
  if (!Number.isSafeInteger(stamp.sequence) || stamp.sequence < 1) {
    throw new RangeError('the sequence of an event is a whole number from 1');
  }
  const time = instant(stamp.occurredAt);
  return {
    specversion: '1.0',
    id: stamp.id,
    source: stamp.source,
    type,
    time,
    timestamp: time,
    subject: stamp.subject ?? subjectOf(data),
    sequence: String(stamp.sequence).padStart(SEQUENCE_DIGITS, '0'),
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    data,
  } as OutboundEvent<T>;
}

/** The subject that an event of this fact will carry; the store counts sequences by it. */
export function subjectOf(data: OutboundData[OutboundEventType]): string {
  // A reached stage names the session that reached it, yet it is a fact of the mentorship.
  if ('session_id' in data && !('reached_at' in data))
    return `session/${encodeURIComponent(data.session_id)}`;
  if ('mentorship' in data) {
    return `mentorship/${encodeURIComponent(data.program)}/${encodeURIComponent(data.mentorship)}`;
  }
  return `calendar/${encodeURIComponent(data.calendar)}`;
}

/** What is known about a session, before privacy decides what leaves the house. */
export type SessionFacts = {
  readonly sessionId: string;
  readonly occurrenceId: string;
  readonly program: string;
  readonly mentorship: string;
  readonly scheduledStart: DateTime;
  readonly scheduledEnd: DateTime;
  readonly title: string | null;
  /** Whether any known copy of the meeting is marked private or confidential. */
  readonly isPrivate: boolean;
  readonly people: readonly PersonPayload[];
};

/** The part that all session events share. A private entry gives its times and people and nothing else. */
export function sessionPayload(facts: SessionFacts): SessionPayload {
  return {
    session_id: facts.sessionId,
    occurrence_id: facts.occurrenceId,
    program: facts.program,
    mentorship: facts.mentorship,
    scheduled_start: instant(facts.scheduledStart),
    scheduled_end: instant(facts.scheduledEnd),
    title: facts.isPrivate ? null : facts.title,
    people: facts.people.map(personPayload),
  };
}

/** Exactly the three fields a person has outside, whatever else the given row carries. */
export function personPayload(person: PersonPayload): PersonPayload {
  return { participant_id: person.participant_id, role: person.role, address: person.address };
}

/** How long before the scheduled start a session was cancelled, in whole minutes (negative: afterwards). */
export function noticeMinutes(cancelledAt: DateTime, scheduledStart: DateTime): number {
  return Math.trunc(scheduledStart.diff(cancelledAt).as('minutes')) + 0;
}

/** An instant as payloads write it. @throws RangeError for an invalid DateTime. */
export function instant(at: DateTime): Instant {
  const text = at.toUTC().toISO({ suppressMilliseconds: false });
  if (text === null) throw new RangeError('an event cannot carry an invalid instant');
  return text;
}
