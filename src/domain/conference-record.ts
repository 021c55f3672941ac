import type { Instant } from './observation.ts';

/** Someone (or something) that was in a conference, as the provider names them. */
export interface ConferenceParticipant {
  /**
   * `user`: the provider knows an account. `anonymous`, `phone`, `room`: it does not, or it is a device. Only a
   * `user` can be matched to a person; the others make a list of participants incomplete.
   */
  readonly kind: 'user' | 'anonymous' | 'phone' | 'room';
  /** `users/1234` (Meet) or an object id (Teams); `null` when the provider gave none. */
  readonly providerUserId: string | null;
  /** Lower-case addresses known for that account; empty when they could not be found. */
  readonly addresses: readonly string[];
  readonly displayName: string | null;
  /** Why nobody may tell us their addresses now, as the code of a failure that a person can mend. */
  readonly withheld?: string;
  /** One per join and device; may overlap. `until` is `null` while still in the call. */
  readonly intervals: ReadonlyArray<{ readonly from: Instant; readonly until: Instant | null }>;
}

/** One call of a conference: everybody left, or the service closed it. A session may have several. */
export interface ConferenceRecord {
  /** The provider's name of the record, unique and stable: a repeated read adds nothing. */
  readonly recordId: string;
  readonly from: Instant;
  /** `null` while the call goes on: the record is read again later. */
  readonly until: Instant | null;
  readonly participants: readonly ConferenceParticipant[];
  /** The calendar's id of the event it was held for, where the source tells. */
  readonly eventId?: string | null;
  /** The source need not show everybody who was there, so that the record proves nobody absent. */
  readonly partial?: boolean;
}

/** What one look at an evidence source gave. */
export type Harvest =
  | { readonly found: 'records'; readonly records: readonly ConferenceRecord[] }
  /** The source answered and has nothing (yet). Never an absence. */
  | { readonly found: 'nothing' }
  /** The source cannot speak for this meeting, and asking again will not help. */
  | {
      readonly found: 'cannot_tell';
      readonly reason: 'no_permission' | 'expired' | 'external_organizer' | 'not_found';
    };
