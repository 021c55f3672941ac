import type { CalendarDate, Conference, Instant, ObservedPerson, Provider, Rsvp } from './observation.ts';
import { ROLES, type Role } from './roster.ts';
import type { Match } from './tags.ts';

/**
 * The state that planning works on: an occurrence with its copies on all calendars and its sessions.
 * Plain data: two states are equal when their JSON is, which is how "nothing changed" is decided.
 */

export type Removal = 'cancelled' | 'deleted' | 'absent' | 'untagged';

/** Whose calendar a copy stands on, and whether what it says is still current. */
export interface CopyHolder {
  readonly calendarId: number;
  readonly provider: Provider;
  /** The owner's primary address. */
  readonly address: string;
  /** `null` for a program mailbox. */
  readonly personId: number | null;
}

export interface Copy {
  /** `null` until stored. */
  readonly copyId: number | null;
  readonly holder: CopyHolder;
  readonly sourceId: string;
  readonly seriesId: string | null;
  readonly uid: string | null;
  readonly originalStart: Instant | null;
  readonly originalDate: CalendarDate | null;
  readonly start: Instant;
  readonly end: Instant;
  readonly timeZone: string | null;
  readonly status: 'confirmed' | 'tentative' | 'cancelled';
  /** What the organizer has not sent yet: it stands, and tells nothing that anybody agreed to. */
  readonly unsent: boolean;
  readonly organizer: string | null;
  readonly ownerIsOrganizer: boolean;
  readonly ownerResponse: Rsvp | null;
  readonly people: readonly ObservedPerson[];
  readonly peopleOmitted: boolean;
  readonly title: string | null;
  readonly private: boolean;
  readonly hidden: boolean;
  readonly conference: Conference | null;
  readonly matched: readonly Match[];
  readonly updatedAt: Instant | null;
  readonly revision: string;
  readonly removal: { readonly at: Instant; readonly how: Removal } | null;
}

export interface Participant {
  readonly personId: number;
  readonly role: Role;
  readonly rsvp: Rsvp;
  /** Invited by the address of a group they belong to, and not by name. Left out when false. */
  readonly byGroup?: true;
}

/** How the calendars called a session off. */
export type CancelReason = 'cancelled' | 'deleted' | 'removed_everywhere' | 'untagged' | 'people_changed';

/** Which side called a session off; `other` is an organizer outside the mentorship. */
export const CANCELLERS = [...ROLES, 'other'] as const;
export type Canceller = (typeof CANCELLERS)[number];

export interface Cancellation {
  readonly at: Instant;
  readonly reason: CancelReason;
  readonly by: Canceller | null;
}

export interface Session {
  readonly sessionId: number | null;
  readonly mentorshipId: number;
  readonly start: Instant;
  readonly end: Instant;
  readonly cancelled: Cancellation | null;
  readonly reschedules: number;
  /** Ascending by person. */
  readonly participants: readonly Participant[];
  /** Nothing about it changes any more, save by evidence or correction. */
  readonly settled: boolean;
}

export interface Occurrence {
  readonly occurrenceId: number | null;
  readonly lineage: string;
  readonly originalStart: Instant | null;
  readonly originalDate: CalendarDate | null;
  readonly start: Instant;
  readonly end: Instant;
  readonly cancelled: { readonly at: Instant; readonly reason: CancelReason } | null;
  readonly organizer: string | null;
  readonly title: string | null;
  readonly private: boolean;
  readonly conference: Conference | null;
  readonly reschedules: number;
  readonly firstSeenAt: Instant;
  readonly copies: readonly Copy[];
  /** Ascending by mentorship. */
  readonly sessions: readonly Session[];
}

/** A mentorship with what planning needs of it. Dates are instants already: the program's zone is applied. */
export interface MentorshipMembers {
  readonly mentorshipId: number;
  readonly program: string;
  /** Begin of its first day. */
  readonly from: Instant;
  /** End of its last day; `null` = open. */
  readonly until: Instant | null;
  readonly members: ReadonlyArray<{ readonly personId: number; readonly role: Role }>;
}

/** Who is who, for the people of the lineages in question. */
export interface Roster {
  readonly personOf: ReadonlyMap<string, number>;
  /** Who is reached by the address of a group. */
  readonly groupOf?: ReadonlyMap<string, readonly number[]>;
  readonly mentorships: readonly MentorshipMembers[];
}

export const isLive = (copy: Copy): boolean => copy.removal === null;
/** Standing on its calendar and not called off. */
export const isStanding = (copy: Copy): boolean => copy.removal === null && copy.status !== 'cancelled';
/** Standing, and as others know it: what it says of time, place and people counts. */
export const isAgreed = (copy: Copy): boolean => isStanding(copy) && !copy.unsent;
