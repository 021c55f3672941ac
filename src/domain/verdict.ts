import type { Evidence } from './evidence.ts';
import type { Situation } from './judgement-table.ts';
import type { Conference, Instant } from './observation.ts';
import type { CancelReason, Participant } from './occurrence.ts';
import { ACCEPTABLE_TIERS, type AttendancePolicy } from './program.ts';
import type { Role } from './roster.ts';

/** What a judge is given and what it says. The words are those of the SQL views. */

export const OUTCOMES = ['held', 'too_short', 'one_sided', 'no_one', 'cancelled', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const ATTENDANCE_STATUSES = ['attended', 'absent', 'excused', 'unknown'] as const;
export type AttendanceStatus = (typeof ATTENDANCE_STATUSES)[number];

/** How strong the evidence is. The last two prove nothing, so no program can accept them. */
export const EVIDENCE_TIERS = [...ACCEPTABLE_TIERS, 'rsvp_only', 'none'] as const;
export type EvidenceTier = (typeof EVIDENCE_TIERS)[number];

export const UNKNOWN_REASONS = [
  'guest_only',
  'no_record',
  'no_permission',
  'in_person',
  'private_event',
  'sync_gap',
  'expired',
  'group_address',
  'disputed',
] as const;
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

/** The reasons each outcome may have. */
export type Decision =
  | {
      readonly outcome: 'held';
      readonly reason: 'both_present' | 'confirmed' | 'one_confirmed' | 'corrected' | 'although_cancelled';
    }
  | { readonly outcome: 'too_short'; readonly reason: 'overlap_too_short' | 'corrected' }
  | { readonly outcome: 'one_sided'; readonly reason: `${Role}_absent` }
  | { readonly outcome: 'no_one'; readonly reason: 'both_absent' | 'corrected' }
  | { readonly outcome: 'cancelled'; readonly reason: CancelReason | `declined_by_${Role}` }
  | { readonly outcome: 'unknown'; readonly reason: UnknownReason };

/** Where a conference source stands. `cannot_tell` will never speak; `waiting` may still. */
export type SourceState = {
  readonly state: 'waiting' | 'final' | 'cannot_tell';
  readonly lastAnswer: string | null;
  /** It was to be asked by now and has not been, as after an outage. */
  readonly due: boolean;
};

export type JudgementInput = {
  readonly start: Instant;
  readonly end: Instant;
  readonly firstSeenAt: Instant;
  /** Why the calendar cancelled it, or `null`. */
  readonly cancelled: CancelReason | null;
  readonly conference: Conference['kind'] | null;
  readonly isPrivate: boolean;
  /** No calendar that holds it was read since it began, so what happened to it meanwhile is unseen. */
  readonly sightLost: boolean;
  /** The same, but such a calendar can be read and is only behind, as after an outage. */
  readonly catchingUp: boolean;
  /** The members who were invited. */
  readonly participants: readonly Participant[];
  /** Members of the mentorship who were not invited by name: whoever comes anyway counts for their side. */
  readonly uninvited: ReadonlyArray<{ readonly personId: number; readonly role: Role }>;
  readonly evidence: readonly Evidence[];
  readonly sources: readonly SourceState[];
  readonly policy: AttendancePolicy;
};

export type ParticipantVerdict = {
  readonly personId: number;
  readonly status: AttendanceStatus;
  readonly minutes: number | null;
  readonly joinedAt: Instant | null;
  readonly leftAt: Instant | null;
  readonly tier: EvidenceTier;
};

export type Verdict = Decision & {
  /** The row of the table that decided. */
  readonly situation: Situation;
  /** Minutes both sides were together; `null` when no record tells. */
  readonly overlapMinutes: number | null;
  /** Minutes from the scheduled start until the second side had come, negative when early; `null` when no record tells. */
  readonly startDelayMinutes: number | null;
  readonly tier: EvidenceTier;
  readonly participants: readonly ParticipantVerdict[];
  /** Whether every source able to speak has spoken, or the time for it is over. */
  readonly settled: boolean;
  /** When to judge again if nothing new comes; `null` once settled. */
  readonly nextAt: Instant | null;
};
