import type { DateTime } from 'luxon';
import { listOf, whenAndWith } from './mail.ts';
import type { Role } from './roster.ts';

/** How long after a session's end its people may say what became of it. Later nobody remembers for sure. */
export const ANSWERABLE_DAYS = 14;

/** What a person can say about a session: `absent` is said of oneself. The words are those of evidence. */
export const ANSWERS = ['met', 'not_met', 'absent'] as const;
export type AnswerKind = (typeof ANSWERS)[number];

/** Longest comment in UTF-16 units. Percent-encoded, one takes nine bytes at most, so a form stays below 4 KiB. */
export const COMMENT_LIMIT = 400;

/** What somebody thought of a session that took place. `rating` is 1 to 5. */
export type Feedback = { readonly rating: number | null; readonly comment: string | null };

/** An answer as it was given. `feedback` undefined leaves what was said before; null takes it back. */
export type GivenAnswer = {
  readonly kind: AnswerKind;
  readonly feedback: Feedback | null | undefined;
};

/** A session as the person who is asked about it may see it. */
export type Question = {
  readonly program: string;
  readonly start: DateTime;
  readonly end: DateTime;
  readonly person: { readonly timeZone: string; readonly language: string };
  /** Names as in the roster; an empty one is replaced by the role. */
  readonly others: ReadonlyArray<{ readonly name: string; readonly role: Role }>;
  /** What the person said last, or null. */
  readonly answer: AnswerKind | null;
  readonly feedback: Feedback | null;
  /** Where the program asks for feedback instead; null = on this page. */
  readonly feedbackUrl: string | null;
};

/** Whether and for whom mails of a program leave. */
export type Subscription = {
  readonly program: string;
  readonly language: string;
  readonly wanted: boolean;
};

/** Until when the links about a session open its page. */
export function answerableUntil(end: DateTime): DateTime {
  return end.plus({ days: ANSWERABLE_DAYS });
}

/** A page before its words: plain data with dates already in the reader's zone and language. */
export type PageModel =
  | {
      readonly kind: 'answer';
      readonly data: {
        readonly program: string;
        readonly others: string;
        readonly date: string;
        readonly time: string;
        readonly zone: string;
        readonly until: string;
        readonly answer: AnswerKind | null;
        readonly answered: boolean;
        readonly met: boolean;
        /** Whether this page asks for feedback itself. */
        readonly asks_feedback: boolean;
        readonly feedback_url: string | null;
        readonly gave_feedback: boolean;
        readonly ratings: ReadonlyArray<{ readonly value: number; readonly chosen: boolean }>;
        readonly comment: string;
        readonly comment_limit: number;
        readonly choices: ReadonlyArray<{
          readonly value: AnswerKind;
          readonly primary: boolean;
          readonly chosen: boolean;
        }>;
      };
    }
  | {
      readonly kind: 'subscription';
      readonly data: { readonly program: string; readonly wanted: boolean };
    }
  | { readonly kind: 'notice'; readonly data: { readonly notice: Notice } };

/** Why there is nothing to show. `no_page` is one for all wrong and expired links, so that trying them tells nothing. */
export type Notice = 'no_page' | 'not_understood' | 'too_long' | 'too_many' | 'unavailable';

/**
 * What the answer page says to the person who was asked.
 * @param language BCP 47 tag of the page, which dates and lists follow
 * @param roleWord what a person without a name is called
 */
export function answerPage(
  question: Question,
  language: string,
  roleWord: (role: Role) => string,
): PageModel & { kind: 'answer' } {
  const { program, start, end, person, answer, feedback, feedbackUrl } = question;
  const recipient = { timeZone: person.timeZone, language };
  const names = question.others.map(({ name, role }) => firstName(name) ?? roleWord(role));
  const others = names.length === 0 ? [roleWord('peer')] : names;
  const met = answer === 'met';
  return {
    kind: 'answer',
    data: {
      ...whenAndWith({ recipient, start, end, others }),
      program,
      others: listOf(others, language),
      until: whenAndWith({ recipient, start: answerableUntil(end), end: answerableUntil(end), others }).date,
      answer,
      answered: answer !== null,
      met,
      asks_feedback: met && feedbackUrl === null,
      feedback_url: met ? feedbackUrl : null,
      gave_feedback: feedback !== null,
      ratings: [1, 2, 3, 4, 5].map((value) => ({ value, chosen: feedback?.rating === value })),
      comment: feedback?.comment ?? '',
      comment_limit: COMMENT_LIMIT,
      choices: ANSWERS.map((value) => ({ value, primary: value === 'met', chosen: value === answer })),
    },
  };
}

/**
 * The first word of a name: a page that opens with its link alone should not name people in full. A title
 * (`Dr. Lin`) is no name, so that the whole is kept then; null when there is none.
 */
export function firstName(name: string): string | null {
  const words = name.trim().split(/\s+/);
  const [first = ''] = words;
  if (first === '') return null;
  return first.endsWith('.') || first.endsWith(',') ? words.join(' ') : first;
}
