/**
 * What a provider's adapter says about a calendar, in words that both providers share.
 * Everything here is a statement of fact about one person's *copy* of a meeting; what it means for a mentor
 * session is decided by the planner (`planning.ts`), never by an adapter.
 */

export type Provider = 'google' | 'microsoft';

/** Milliseconds since 1970-01-01T00:00:00Z. Comparable, JSON-safe, and free of any zone. */
export type Instant = number;

/** A calendar date without a zone, `yyyy-MM-dd`. */
export type CalendarDate = string;

/** Half-open: `from` belongs to the window, `until` does not. */
export interface Window {
  readonly from: Instant;
  readonly until: Instant;
}

export const RSVPS = ['accepted', 'declined', 'tentative', 'none'] as const;
export type Rsvp = (typeof RSVPS)[number];

export interface ObservedPerson {
  /** Lower-case, NFC. */
  readonly address: string;
  readonly name: string | null;
  readonly response: Rsvp;
  readonly organizer: boolean;
  readonly optional: boolean;
}

/**
 * Where the meeting takes place online. `key` is what the evidence sources ask by: the ten-letter meeting code
 * without dashes for Meet, the join URL byte for byte for Teams. `other` (Zoom, Webex, a room) has no source.
 */
export interface Conference {
  readonly kind: 'meet' | 'teams' | 'other';
  readonly key: string;
}

/** Text in which tags are looked for. Lives in memory only: never stored, never logged. */
export interface TagText {
  readonly title: string | null;
  /** HTML or plain text, as the provider gave it. */
  readonly body: string | null;
  readonly categories: readonly string[];
  /** Extended properties, private and shared together. */
  readonly properties: ReadonlyArray<{ readonly name: string; readonly value: string }>;
}

/** One occurrence (or a single event) as it stands on one calendar. */
export interface ObservedCopy {
  /** The provider's id of this event on this calendar. Not stable everywhere: a hint for matching, not identity. */
  readonly sourceId: string;
  /** The provider's id of the series on this calendar; `null` for a single event. */
  readonly seriesId: string | null;
  /** The iCalendar UID as the provider gave it (needed for targeted reads); `null` when there was none. */
  readonly uid: string | null;
  /** The normalised UID that all copies of a meeting and all parts of a split series share (`lineage.ts`). */
  readonly lineage: string;
  /** The start this occurrence was made with; `null` for a single event. */
  readonly originalStart: Instant | null;
  /**
   * The date this occurrence was made with, in the series' zone; `null` for a single event. An Outlook mailbox
   * invited to one occurrence of a series sees a single event, but its UID carries the date: then it is set.
   */
  readonly originalDate: CalendarDate | null;
  readonly start: Instant;
  readonly end: Instant;
  /** The zone the event was made in, IANA; `null` when the provider gave none that exists. */
  readonly timeZone: string | null;
  readonly allDay: boolean;
  /** `false` for Google's focus time, out-of-office, working location, birthdays and whatever comes next. */
  readonly ordinary: boolean;
  /** `cancelled`: the organizer called it off and the copy says so (Outlook's `isCancelled`, Google's status). */
  readonly status: 'confirmed' | 'tentative' | 'cancelled';
  /** The organizer changed or made this and has sent it to nobody yet (Outlook's `isDraft`): no one else agreed to it. */
  readonly unsent: boolean;
  readonly organizer: string | null;
  readonly ownerIsOrganizer: boolean;
  /** The calendar owner's own answer, when this copy tells it. */
  readonly ownerResponse: Rsvp | null;
  /** Invited people without rooms and other resources; the organizer included when the provider lists them. */
  readonly people: readonly ObservedPerson[];
  /** The list of people is known to be incomplete: it proves who was invited, never who was not. */
  readonly peopleOmitted: boolean;
  /** Marked private or confidential: its title is never stored. */
  readonly private: boolean;
  /** The provider hid title and people from us, so a missing tag proves nothing. */
  readonly hidden: boolean;
  readonly conference: Conference | null;
  /** When the provider says the event last changed; `null` when it does not say. */
  readonly updatedAt: Instant | null;
  /** The provider's etag or change key: equal means unchanged. */
  readonly revision: string;
  readonly text: TagText;
}

/** A recurring event's master: the source of a series, never a session itself. */
export interface ObservedSeries {
  readonly seriesId: string;
  readonly uid: string | null;
  readonly lineage: string;
  readonly ordinary: boolean;
  readonly allDay: boolean;
  /** Invited to the series as a whole: an invited program mailbox is a tag. Not who comes to one occurrence. */
  readonly people: readonly ObservedPerson[];
  readonly text: TagText;
  readonly updatedAt: Instant | null;
}

/** One row of a change stream. */
export type ChangedItem =
  | { readonly kind: 'single'; readonly copy: ObservedCopy }
  | { readonly kind: 'series'; readonly series: ObservedSeries }
  /**
   * An occurrence that differs from its series. Enough to know that the series must be expanded again. Who was invited
   * to this occurrence alone has no series to expand: then `copy` is all there is. `null` where the stream shows such a
   * row in part only (Outlook, which makes a single event of it for that guest), or without usable times.
   */
  | {
      readonly kind: 'exception';
      readonly sourceId: string;
      readonly seriesId: string;
      readonly people: readonly ObservedPerson[];
      readonly text: TagText;
      readonly copy: ObservedCopy | null;
    }
  /** A bare occurrence (Outlook's stub): says that the series was touched and what must be expanded. */
  | { readonly kind: 'occurrence'; readonly sourceId: string; readonly seriesId: string }
  /**
   * `explicit`: the provider says this id was cancelled or deleted (Google). `look`: the id left the stream, which
   * may mean deletion, a move out of the window, or nothing (Outlook's `@removed`); it must be looked up.
   * `seriesId` when the id itself tells that it names an instance of a series.
   */
  | {
      readonly kind: 'removed';
      readonly sourceId: string;
      readonly seriesId: string | null;
      readonly certainty: 'explicit' | 'look';
      readonly updatedAt: Instant | null;
      readonly byGuest?: true;
    };

/** Rows of the stream that were left out on purpose, by reason, so that nothing disappears without a count. */
export type LeftOut = 'malformed' | 'date_out_of_range' | 'free_busy_only';

export interface ChangePage {
  readonly items: readonly ChangedItem[];
  readonly leftOut: Readonly<Partial<Record<LeftOut, number>>>;
  /** Present on the last page only: where the next pull goes on. */
  readonly cursor: string | null;
  /** With the cursor: a short reason why reading goes on, but not as it should. An administrator sees it. */
  readonly hindrance?: string;
}

/** An instance the provider names as cancelled while it lists a series or a window (Google only). */
export interface CancelledInstance {
  readonly sourceId: string;
  readonly seriesId: string | null;
  readonly originalStart: Instant | null;
  readonly updatedAt: Instant | null;
  /** The calendar's owner is a guest and took it off their own calendar: nobody called it off. */
  readonly byGuest?: true;
}

/** A complete list: whatever is not in it, inside the window, is not on the calendar. */
export interface Listing {
  readonly copies: readonly ObservedCopy[];
  readonly cancelled: readonly CancelledInstance[];
}

/** The answer to a look at one id. `gone` only where the provider said so: a refusal or a fault throws. */
export type LookedUp =
  | { readonly found: 'single'; readonly copy: ObservedCopy }
  | { readonly found: 'instance'; readonly seriesId: string }
  | { readonly found: 'series'; readonly series: ObservedSeries }
  | { readonly found: 'gone' };
