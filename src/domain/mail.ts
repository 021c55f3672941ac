import { type DateTime, Interval } from 'luxon';

/**
 * What each mail says, as plain data that survives JSON: dates already in the reader's zone and language,
 * lists already joined. Words live in `config/mail/messages.<language>.json`, form in the templates beside it.
 */
export const MAIL_KINDS = ['reminder', 'nudge', 'did_you_meet', 'cadence_alert', 'cadence_digest'] as const;
export type MailKind = (typeof MAIL_KINDS)[number];

/** Who reads the mail. `language` is a BCP 47 tag, `timeZone` an IANA zone. */
export type Recipient = {
  readonly participantId: string;
  readonly name: string | null;
  readonly address: string;
  readonly timeZone: string;
  readonly language: string;
};

/** A mail before its words. Every key of `data` is always there; what does not exist is null. */
export type MailModel = {
  readonly kind: MailKind;
  readonly to: { readonly name: string | null; readonly address: string };
  readonly language: string;
  readonly messageKey: MessageKey;
  readonly listId: string;
  readonly unsubscribeUrl: string | null;
  readonly data: Readonly<Record<string, MailValue>>;
};

export type MailValue =
  | string
  | number
  | boolean
  | null
  | readonly MailValue[]
  | { readonly [key: string]: MailValue };

/**
 * What makes a mail the same mail. `occasion` tells the repeats about one subject apart: the reminder's
 * offset, the alert's level, the digest's day. `revision` counts the moves of a session, because mail
 * systems drop a second mail with a known Message-ID and a moved session deserves its new reminder.
 */
export type MessageKey = {
  readonly kind: MailKind;
  readonly subject: string;
  readonly occasion: string;
  readonly person: string;
  readonly revision?: number;
};

/** `<kind.subject.occasion.person@domain>`, the same at every attempt. */
export function messageId(key: MessageKey, domain: string): string {
  // An escaped character ends with an underscore, so no occasion can end like a revision.
  const occasion = idPart(key.occasion) + (key.revision ? `_r${key.revision}` : '');
  // The kinds are ours, so that dashes for underscores keep them apart and readable.
  const parts = [key.kind.replaceAll('_', '-'), idPart(key.subject), occasion, idPart(key.person)];
  return `<${parts.join('.')}@${domain}>`;
}

/** Injective over its input: two different parts never become one, and no part can hold the separator. */
function idPart(text: string): string {
  return Array.from(text, (char) =>
    /^[A-Za-z0-9-]$/.test(char) ? char : `_${(char.codePointAt(0) ?? 0).toString(16)}_`,
  ).join('');
}

type Common = {
  readonly recipient: Recipient;
  readonly program: string;
  /** null where a person may not opt out or no public URL exists. */
  readonly unsubscribeUrl: string | null;
  readonly now: DateTime;
};

export type ReminderInput = Common & {
  readonly sessionId: string;
  readonly start: DateTime;
  readonly end: DateTime;
  /** ISO 8601 duration before the start. */
  readonly offset: string;
  readonly revision: number;
  readonly others: readonly string[];
  readonly title: string | null;
  readonly isPrivate: boolean;
  readonly conferenceUrl: string | null;
  /** Which session of the mentorship this is going to be, when it can be told. */
  readonly ordinal: number | null;
  readonly stage: string | null;
  readonly talkingPoints: readonly string[];
};

/** Before a session. A private entry shows no title: only when, with whom, and the link. */
export function reminderMail(input: ReminderInput): MailModel {
  return model(
    'reminder',
    input,
    { subject: input.sessionId, occasion: input.offset, revision: input.revision },
    {
      ...whenAndWith(input),
      is_today: daysAhead(input) === 0,
      is_tomorrow: daysAhead(input) === 1,
      title: input.isPrivate ? null : input.title,
      conference_url: webUrl(input.conferenceUrl),
      ordinal: input.ordinal,
      stage: input.stage,
      talking_points: input.talkingPoints,
    },
  );
}

export type NudgeInput = Common & {
  readonly planId: string;
  readonly start: DateTime;
  readonly end: DateTime;
  readonly others: readonly string[];
  /** What to write into the invitation so that it is recognised, e.g. `#mentoring`. */
  readonly tag: string | null;
  /** Another app's name for the plan, which binds an invitation that carries it. */
  readonly reference: string | null;
};

/** A planned session comes near and no calendar holds it. */
export function nudgeMail(input: NudgeInput): MailModel {
  return model(
    'nudge',
    input,
    { subject: input.planId, occasion: isoDay(input.start) },
    {
      ...whenAndWith(input),
      tag: input.tag,
      reference: input.reference,
    },
  );
}

export type DidYouMeetInput = Common & {
  readonly sessionId: string;
  readonly start: DateTime;
  readonly end: DateTime;
  readonly revision: number;
  readonly others: readonly string[];
  /** The page that asks; opening it records nothing, because mail scanners open links. */
  readonly answerUrl: string;
};

/** After a session that no record can prove. */
export function didYouMeetMail(input: DidYouMeetInput): MailModel {
  return model(
    'did_you_meet',
    input,
    { subject: input.sessionId, occasion: 'end', revision: input.revision },
    {
      ...whenAndWith(input),
      answer_url: input.answerUrl,
    },
  );
}

export type CadenceAlertInput = Common & {
  readonly alertId: string;
  readonly level: string;
  readonly others: readonly string[];
  readonly reasons: readonly string[];
  readonly lastHeld: DateTime | null;
  readonly due: DateTime | null;
  readonly tag: string | null;
  /** Where a pair says that it met unseen; null without a public URL. */
  readonly answerUrl: string | null;
  readonly coordinator: string | null;
};

/** To the pair, each person for themself. It accuses nobody: it says what is seen and what helps. */
export function cadenceAlertMail(input: CadenceAlertInput): MailModel {
  const day = dayIn(input.recipient);
  return model(
    'cadence_alert',
    input,
    { subject: input.alertId, occasion: input.level },
    {
      others: listOf(input.others, input.recipient.language),
      reasons: input.reasons,
      last_held: day(input.lastHeld),
      due: day(input.due),
      tag: input.tag,
      answer_url: input.answerUrl,
      coordinator: input.coordinator,
    },
  );
}

export type DigestItem = {
  readonly people: readonly string[];
  readonly state: string;
  readonly level: string;
  readonly reasons: readonly string[];
  readonly lastHeld: DateTime | null;
  readonly nextSession: DateTime | null;
};

export type CadenceDigestInput = Common & {
  readonly items: readonly DigestItem[];
  /** Alerts that resolved by themselves since the last digest. */
  readonly resolved: number;
  /** Calendars that cannot be read at the moment: what they hide is no lapse. */
  readonly unreadableCalendars: number;
};

/** To the coordinator, one mail for all mentorships that need a look. */
export function cadenceDigestMail(input: CadenceDigestInput): MailModel {
  const day = dayIn(input.recipient);
  const { language } = input.recipient;
  const today = input.now.setZone(input.recipient.timeZone);
  return model(
    'cadence_digest',
    input,
    { subject: input.program, occasion: isoDay(today) },
    {
      count: input.items.length,
      resolved: input.resolved,
      unreadable_calendars: input.unreadableCalendars,
      items: input.items.map((item) => ({
        people: listOf(item.people, language),
        state: item.state,
        level: item.level,
        reasons: item.reasons,
        last_held: day(item.lastHeld),
        next_session: day(item.nextSession),
      })),
    },
  );
}

function model(
  kind: MailKind,
  input: Common,
  key: Omit<MessageKey, 'kind' | 'person'>,
  data: MailModel['data'],
): MailModel {
  const { recipient, program, unsubscribeUrl } = input;
  return {
    kind,
    to: { name: recipient.name, address: recipient.address },
    language: recipient.language,
    messageKey: { ...key, kind, person: recipient.participantId },
    listId: `${kind.replaceAll('_', '-')}.${slug(program)}`,
    unsubscribeUrl,
    data: { name: recipient.name, program, unsubscribe_url: unsubscribeUrl, ...data },
  };
}

/** When and with whom, in the reader's own zone and language. */
export function whenAndWith(input: {
  readonly recipient: Pick<Recipient, 'timeZone' | 'language'>;
  readonly start: DateTime;
  readonly end: DateTime;
  readonly others: readonly string[];
}) {
  const { language, timeZone } = input.recipient;
  const local = (at: DateTime) => at.setZone(timeZone).setLocale(spoken(language));
  const start = local(input.start);
  return {
    others: listOf(input.others, language),
    date: start.toLocaleString(FULL_DAY),
    time: Interval.fromDateTimes(start, local(input.end)).toLocaleString({
      hour: '2-digit',
      minute: '2-digit',
    }),
    zone: start.offsetNameLong ?? timeZone,
  };
}

/** Calendar days between today and the session, as the reader counts them. */
function daysAhead({ now, start, recipient }: ReminderInput): number {
  const midnight = (at: DateTime) => at.setZone(recipient.timeZone).startOf('day');
  // Rounded, because a day on which the clocks change is not 24 hours long.
  return Math.round(midnight(start).diff(midnight(now)).as('days'));
}

const FULL_DAY = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' } as const;

function dayIn(recipient: Recipient): (at: DateTime | null) => string | null {
  return (at) =>
    at === null
      ? null
      : at.setZone(recipient.timeZone).setLocale(spoken(recipient.language)).toLocaleString(FULL_DAY);
}

/** `Ada, Grace and Lin`, as the language joins them. */
export function listOf(names: readonly string[], language: string): string {
  return new Intl.ListFormat(spoken(language), { type: 'conjunction' }).format(names);
}

/** English without a region would be American to ICU, where 3 PM and the month first are easily misread abroad. */
function spoken(language: string): string {
  return language === 'en' ? 'en-GB' : language;
}

function isoDay(at: DateTime): string {
  return at.toISODate() ?? '';
}

/** A List-Id label: what a filter may hold, whatever a program is called. */
function slug(program: string): string {
  const label = program
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return label === '' ? 'program' : label.slice(0, 60);
}

/** Only a web address becomes a button: a calendar entry is written by others, and `javascript:` is a link too. */
function webUrl(text: string | null): string | null {
  if (text === null) return null;
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : null;
}
