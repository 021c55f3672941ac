/**
 * What a program promises and how it is judged. Plain data (every value survives JSON), so that the policy
 * in force on a day can be stored with its effective date and compared byte for byte.
 */

/** An ISO 8601 duration, checked when it was read: `P14D`, `P2W`, `PT1H`. Never negative. */
export type IsoDuration = string;

/** A calendar date `YYYY-MM-DD`, in the program's zone. */
export type IsoDate = string;

/** A time of day `HH:MM`, in the zone of the person it concerns. */
export type TimeOfDay = string;

/** One way of saying "this event is a mentor session of this program". Any single match is enough. */
export type TagRule =
  /** `#mentoring` or `[mentoring]`, looked for in title and body, in any letter case. */
  | { readonly kind: 'text'; readonly text: string }
  /** An Outlook category. */
  | { readonly kind: 'category'; readonly category: string }
  /** An extended property of a Google event, shared or private. */
  | { readonly kind: 'property'; readonly property: string; readonly value: string }
  /** An invited program mailbox, lower-cased. `calendar` is told where both providers are in use. */
  | { readonly kind: 'mailbox'; readonly mailbox: string; readonly calendar?: 'google' | 'microsoft' };

export const CALENDAR_PERIODS = ['week', 'month', 'quarter', 'year'] as const;
export type CalendarPeriod = (typeof CALENDAR_PERIODS)[number];

/**
 * How often a mentorship is to meet. Rolling: at least `count` held sessions in every `everyDays` days.
 * Calendar: at least `count` in every week, month, quarter or year of the program's zone.
 */
export type Cadence =
  | { readonly form: 'rolling'; readonly everyDays: number; readonly count: number }
  | { readonly form: 'calendar'; readonly per: CalendarPeriod; readonly count: number };

/** The tiers of evidence that may prove a session `held`, strongest first. An RSVP never proves presence. */
export const ACCEPTABLE_TIERS = ['conference_both', 'human_both', 'conference_one', 'human_one'] as const;
export type AcceptableTier = (typeof ACCEPTABLE_TIERS)[number];

/** What proves presence. Both sides must overlap for the larger of `minutes` and `share` of the booked time. */
export type AttendancePolicy = {
  readonly minimum: { readonly minutes: number; readonly share: number };
  readonly accept: readonly AcceptableTier[];
};

/** A stage of the mentorship; it begins with the `fromSession`-th held session (1 = the first). */
export type Stage = { readonly name: string; readonly fromSession: number };

/** What a mentorship is to have reached: so many held sessions, `within` the duration after its first day. */
export type Benchmark = { readonly name: string; readonly sessions: number; readonly within: IsoDuration };

/** Days on which nobody is expected to meet, both ends included. */
export type Holiday = { readonly from: IsoDate; readonly until: IsoDate; readonly name: string | null };

/** No mail leaves between `from` and `until` in the recipient's zone; `until` may lie on the next morning. */
export type QuietHours = { readonly from: TimeOfDay; readonly until: TimeOfDay };

/** The policy of one program, with every default filled in. */
export type ProgramPolicy = {
  readonly name: string;
  /** IANA zone that decides in which month, week or day a session counts. */
  readonly timeZone: string;
  /** Violations older than this are opened as `baselined`. null = the first start of the daemon. */
  readonly liveFrom: IsoDate | null;
  readonly tags: readonly TagRule[];
  readonly cadence: Cadence;
  /** Days between `due` and `overdue`. */
  readonly graceDays: number;
  /** Days after its start in which a mentorship is to hold its first session. */
  readonly firstSessionDays: number;
  /** Days before its end in which a mentorship is `ending` and no longer told about its cadence. */
  readonly endingDays: number;
  /** How a session that nobody could verify counts against the cadence. */
  readonly unknown: 'held' | 'not_held';
  readonly attendance: AttendancePolicy;
  /** How long before the start each reminder leaves, longest first. */
  readonly reminders: readonly IsoDuration[];
  /** Talking points by the ordinal of the session in its mentorship (1 = the first). */
  readonly talkingPoints: { readonly [ordinal: number]: readonly string[] };
  /** Ascending by `fromSession`. */
  readonly stages: readonly Stage[];
  /** In the order of the configuration file. */
  readonly benchmarks: readonly Benchmark[];
  /** Address that receives the digest and the escalations; null = nobody is told. */
  readonly coordinator: string | null;
  /** BCP 47 tag of the mails, unless the person's roster row says otherwise. */
  readonly language: string;
  readonly quietHours: QuietHours | null;
  readonly holidays: readonly Holiday[];
  /** Where the follow-up mail asks for feedback; null = on our own answer page. */
  readonly feedbackUrl: string | null;
  /** Whether untagged events that hold both sides are listed as candidates. */
  readonly candidates: boolean;
};

/** How often calendars are looked at. Each due time varies by a quarter either way, so that load spreads. */
export type PollingPolicy = {
  /** Between two looks at a calendar without push. */
  readonly every: IsoDuration;
  /** The same where push works: it is only a hint and sometimes lost. */
  readonly withPush: IsoDuration;
  /** Between two complete reads that measure drift and may infer deletions. */
  readonly reconcile: IsoDuration;
};

/** How long what nobody counts on is kept; null = for ever. */
export type RetentionPolicy = {
  readonly unmatchedEvents: IsoDuration;
  readonly candidateEvents: IsoDuration;
  /** Bodies of mails; that a mail was sent stays on record. */
  readonly mails: IsoDuration;
  /** Also how far back webhooks can be replayed. */
  readonly outboundEvents: IsoDuration;
  /** Sessions with their evidence, counted from the end of their mentorship. */
  readonly sessions: IsoDuration | null;
};
