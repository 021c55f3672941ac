import type { Instant } from './observation.ts';

/**
 * When a conference provider is asked about a meeting, and when its word is final. Counted from the scheduled
 * end, because that is the only end known before the first answer.
 */

export const HARVEST_SOURCES = ['meet', 'teams'] as const;
export type HarvestSource = (typeof HARVEST_SOURCES)[number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** First look at the verdict: most records are there three hours after the end. */
export const PROVISIONAL_AFTER_MS = 3 * HOUR;
/** A session settles at the latest this long after its end, whoever has not spoken yet. */
export const SETTLED_AFTER_MS = 48 * HOUR;

/** How long a refusal is asked about again: a consent given a week late still brings the records. */
export const REFUSALS_ASKED_MS = 7 * DAY;
/** How long a fault is retried before the source counts as unable to speak. */
export const FAULTS_RETRIED_MS = SETTLED_AFTER_MS;

type Rules = {
  /** Offsets from the scheduled end at which the source is asked, ascending. */
  readonly steps: readonly number[];
  /** Records read before this may still be followed by a rejoin; read later they are the last word. */
  readonly finalAfter: number;
  /** Where a record may lie around the scheduled time and still be of this meeting. */
  readonly before: number;
  readonly after: number;
  /** After this the provider has deleted the record and an empty answer would prove nothing; `null` = never. */
  readonly expiresAfter: number | null;
};

const RULES: { readonly [S in HarvestSource]: Rules } = {
  // Meet deletes conference records 30 days after they end:
  // https://developers.google.com/workspace/meet/api/reference/rest/v2/conferenceRecords
  meet: {
    steps: [5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, 36 * HOUR],
    finalAfter: 3 * HOUR,
    before: 30 * MINUTE,
    after: HOUR,
    expiresAfter: 30 * DAY,
  },
  // Microsoft does not say when a report is ready, and a late rejoin makes another one, so one more look is
  // taken half a day later: https://learn.microsoft.com/graph/api/meetingattendancereport-list
  teams: {
    steps: [15 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, 36 * HOUR],
    finalAfter: 12 * HOUR,
    before: HOUR,
    after: 2 * HOUR,
    expiresAfter: null,
  },
};

/** Milliseconds from the scheduled end to the first question. */
export function firstHarvestAfterMs(source: HarvestSource): number {
  return RULES[source].steps[0] ?? 0;
}

/** Milliseconds from the scheduled end after which the source has forgotten the meeting; `null` = never. */
export function harvestExpiresAfterMs(source: HarvestSource): number | null {
  return RULES[source].expiresAfter;
}

/** The time in which a record of this meeting may lie. */
export function harvestWindow(
  source: HarvestSource,
  meeting: { readonly start: Instant; readonly end: Instant },
): { readonly from: Instant; readonly until: Instant } {
  const { before, after } = RULES[source];
  return { from: meeting.start - before, until: meeting.end + after };
}

/**
 * When to ask again after an answer, or `null` when that answer was the last word.
 * @param answer `records` = something was found and every call in it has ended; `open` = a call goes on;
 *   `nothing` = the source answered and has nothing (yet)
 */
export function nextHarvestAt(
  source: HarvestSource,
  endsAt: Instant,
  now: Instant,
  answer: 'records' | 'open' | 'nothing',
): Instant | null {
  const { steps, finalAfter } = RULES[source];
  if (answer === 'records' && now >= endsAt + finalAfter) return null;
  const next = steps.map((step) => endsAt + step).find((at) => at > now);
  if (next !== undefined) return next;
  // A call that outlives every step is a meeting somebody forgot to leave; it is read until the session settles.
  return answer === 'open' && now < endsAt + SETTLED_AFTER_MS ? now + HOUR : null;
}

/** How long to wait after a failure that may pass: doubling from five minutes, at most six hours. */
export function retryHarvestAt(attempts: number, now: Instant, retryAfterMs: number | null): Instant {
  const pause = Math.min(5 * MINUTE * 2 ** Math.min(attempts, 10), 6 * HOUR);
  return now + Math.max(pause, retryAfterMs ?? 0);
}
