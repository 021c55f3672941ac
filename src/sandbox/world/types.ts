/**
 * What the sandbox's world is made of. Instants are milliseconds since the epoch; local times are ISO text
 * without an offset (`2026-11-24T10:00`) read in the zone that stands beside them.
 */

/** Where a person's calendar lives; `none` is somebody outside, known by address only. */
export type Provider = 'google' | 'microsoft' | 'none';

/** `forbidden`: the account lives, but the application lost its consent or policy for it. */
export type PersonState = 'active' | 'suspended' | 'no_mailbox' | 'forbidden';

export type Response = 'none' | 'accepted' | 'declined' | 'tentative';

export interface Person {
  /** The world's own key. */
  id: string;
  name: string;
  /** The primary address first, aliases after it. */
  addresses: string[];
  provider: Provider;
  /** Google's numeric user id; what Meet and the Directory speak of. */
  providerUserId: string;
  /** Entra's object id; what Graph and Teams speak of. */
  objectId: string;
  /** The mailbox's own zone (IANA). */
  zone: string;
  state: PersonState;
  /** How this mailbox shows a UID made elsewhere: Outlook keeps it or wraps it as `vCal-Uid`; Google keeps an Outlook one in either case. */
  foreignUid: 'raw' | 'wrapped' | 'lower' | 'upper';
  /** What the reader may see of this calendar; anything but `owner` hides private events. */
  accessRole: 'owner' | 'reader' | 'freeBusyReader';
  /** Keys of people who were given this calendar to read. */
  sharedWith: string[];
}

export interface Guest {
  address: string;
  name: string;
  /** The world's person behind the address, when there is one. */
  person: string | null;
  kind: 'required' | 'optional' | 'resource';
  /** What the organizer has been told; the person's own copy may know better. */
  response: Response;
  respondedAt: number | null;
}

export type Conference =
  | { kind: 'meet'; code: string; space: string }
  | { kind: 'teams'; joinUrl: string; meetingId: string; threadId: string }
  | { kind: 'zoom'; url: string };

export interface Recurrence {
  /** The RRULE's value, without the `RRULE:` name. */
  rule: string;
  /** Original starts taken out of the rule. */
  exdates: number[];
}

/** What one occurrence has of its own. Its key is the original start, which never changes. */
export interface Override {
  slot: number;
  start?: number;
  end?: number;
  title?: string;
  body?: string;
  cancelledAt?: number;
  /** Guests of this occurrence alone. */
  added: Guest[];
  /** Addresses uninvited from this occurrence alone. */
  removed: string[];
  /** Answers to this occurrence alone, by lower-case address, as the organizer knows them. */
  responses: Map<string, { response: Response; at: number }>;
}

export interface Meeting {
  /** The world's own key. */
  id: string;
  /** The key of the meeting this one was split from, else its own: one story, whatever ids the providers made. */
  story: string;
  /** Which provider made the identifiers. */
  home: 'google' | 'microsoft';
  /** The provider-neutral UID: `…@google.com`, or the cleaned Global Object Id as upper-case hex. */
  uid: string;
  /** The UID without Google's `_R<stamp>` of a split: what a reader can know to belong together. */
  lineage: string;
  /** The id Google gave the master or single; copies on other Google calendars carry the same. */
  eventId: string;
  /** What Google puts before `_<stamp>Z` in the ids of occurrences; after a split it may be the old master's id. */
  instancePrefix: string;
  organizer: string;
  title: string;
  body: string;
  location: string;
  start: string;
  minutes: number;
  zone: string;
  allDay: boolean;
  recurrence: Recurrence | null;
  /** How many occurrences of the story came before this meeting's first (a split counts on). */
  ordinalOffset: number;
  overrides: Map<number, Override>;
  guests: Guest[];
  conference: Conference | null;
  sharedProperties: Record<string, string>;
  visibility: 'default' | 'public' | 'private' | 'confidential';
  eventType: string;
  hideGuests: boolean;
  createdAt: number;
  updatedAt: number;
  cancelledAt: number | null;
  sequence: number;
  /** What had already taken place when the schedule was last changed; later edits do not unmake it. */
  history: PastOccurrence[];
  historyUntil: number;
}

/** A meeting as it stands on one person's calendar. */
export interface Copy {
  person: string;
  meeting: string;
  /** This calendar's id of the event (Google: the meeting's; Outlook: its own). */
  eventId: string;
  /** Outlook's id that survives moves between folders. */
  immutableId: string;
  invitedAs: string;
  isOrganizer: boolean;
  /** Invited to single occurrences of a series, which itself is not on this calendar. */
  occurrencesOnly: boolean;
  createdAt: number;
  /** The owner took the event off their own calendar. */
  deletedAt: number | null;
  /** The organizer took the owner off the guest list. */
  uninvitedAt: number | null;
  response: Response;
  respondedAt: number | null;
  categories: string[];
  privateProperties: Record<string, string>;
  /** What the owner did to single occurrences of their copy. */
  slots: Map<number, CopySlot>;
  /** What the organizer changed on their own copy in Outlook and sent to nobody; left out where there is none. */
  unsent?: Unsent;
}

export interface Unsent {
  /** The meeting itself was never sent. */
  isNew: boolean;
  /** Times by original start; null for the single event. */
  times: Map<number | null, { start: number; end: number }>;
}

export interface CopySlot {
  deletedAt: number | null;
  response: Response | null;
  respondedAt: number | null;
  categories: string[] | null;
}

/** One row of a calendar's change feed; a later change of the same event replaces it. */
export interface ChangeRow {
  seq: number;
  meeting: string;
  /** The occurrence concerned (its original start), null for the single event or the whole series. */
  slot: number | null;
  updatedAt: number;
}

/** One occurrence with overrides applied: what the meeting itself says, before any copy's own view. */
export interface Occurrence {
  meeting: Meeting;
  /** The original start; null for a single event. */
  slot: number | null;
  /** Which occurrence of the story this is, counted from 0. */
  ordinal: number;
  start: number;
  end: number;
  title: string;
  body: string;
  cancelledAt: number | null;
  guests: Guest[];
  /** Whether it differs from its series by an override. */
  isException: boolean;
}

export type PastOccurrence = Omit<Occurrence, 'meeting'>;

export type Who = { person: string } | { anonymous: string } | { phone: string };

export interface Presence {
  who: Who;
  intervals: [from: number, until: number][];
  device: string;
  /** Opted out of Teams' attendance reports. */
  unlisted?: boolean;
  /** How late Google's log tells of this one leaving, in milliseconds, where it is not as late as with others. */
  reportsLagMs?: number;
}

/** One call: from the first arrival until nobody is left. */
export interface ConferenceCall {
  id: string;
  meeting: string;
  slot: number | null;
  conference: Conference | null;
  /** The organizer when the call was held: only they may read the record. */
  organizer: string;
  startedAt: number;
  endedAt: number;
  presences: Presence[];
  /** What provider records leave out although people were there: a canteen, a walk. */
  unrecorded: boolean;
}
