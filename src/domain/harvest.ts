import type { Instant } from './observation.ts';

/**
 * When a conference provider is asked about a meeting, and when its word is final. Counted from the scheduled
 * end, because that is the only end known before the first answer.
 */

export const HARVEST_SOURCES = ['meet', 'reports', 'teams'] as const;
export type HarvestSource = (typeof HARVEST_SOURCES)[number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** First look at the verdict: most records are there three hours after the end. */
export const PROVISIONAL_AFTER_MS = 3 * HOUR;
/** A session settles at the latest this long after its end, whoever has not spoken yet. */
export const SETTLED_AFTER_MS = 48 * HOUR;

/**
 * How long a source that refuses or fails is asked again: as long as Meet keeps a record. A grant that was taken back
 * and given again after three weeks, or a firewall mended as late, must not cost what the provider still holds.
 */
const ASKED_FOR_MS = 30 * DAY;

type Rules = {
  /** Offsets from the scheduled end at which the source is asked, ascending. */
  readonly steps: readonly number[];
  /** Offsets at which a source that had nothing is asked once more, when nobody waits for it any longer; ascending. */
  readonly lateSteps: readonly number[];
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
    // Google does not say when a record is there at the latest. Most meetings without one took place elsewhere, so the
    // looks grow apart.
    lateSteps: [2 * DAY, 4 * DAY, 8 * DAY, 16 * DAY, 29 * DAY],
    finalAfter: 3 * HOUR,
    before: 30 * MINUTE,
    after: HOUR,
    expiresAfter: 30 * DAY,
  },
  // Entries come thirty minutes to some hours after somebody left, now and then a day and more, out of order and
  // sometimes twice, so the log is asked until shortly before the session settles, whatever it has said by then:
  // https://support.google.com/a/answer/7061566
  reports: {
    steps: [HOUR, 3 * HOUR, 8 * HOUR, 12 * HOUR, 24 * HOUR, 47 * HOUR],
    lateSteps: [],
    finalAfter: 47 * HOUR,
    before: 30 * MINUTE,
    after: HOUR,
    expiresAfter: 180 * DAY,
  },
  // Microsoft does not say when a report is ready, and a late rejoin makes another one, so one more look is
  // taken half a day later: https://learn.microsoft.com/graph/api/meetingattendancereport-list
  teams: {
    steps: [15 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, 36 * HOUR],
    lateSteps: [],
    finalAfter: 12 * HOUR,
    before: HOUR,
    after: 2 * HOUR,
    expiresAfter: null,
  },
};

/** The kind of conference that a source tells about. */
export function conferenceKindOf(source: HarvestSource): 'meet' | 'teams' {
  return source === 'teams' ? 'teams' : 'meet';
}

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

/**
 * When a source that had nothing to the last is looked at once more, in case a record comes after all; `null` = never.
 * Nobody waits for it: what it says then restates the verdict.
 */
export function lateLookAt(source: HarvestSource, endsAt: Instant, now: Instant): Instant | null {
  return RULES[source].lateSteps.map((step) => endsAt + step).find((at) => at > now) ?? null;
}

/** After so many attempts, about two days of them, nobody expects the next one to be better than the last. */
const PATIENT_ATTEMPTS = 14;

/**
 * When to ask again after a failure that a person or time may mend: after five minutes at first, then at distances
 * that double up to six hours, and once a day when that went on for two days. `null` = never again: the provider has
 * deleted the record by now, or refused for as long as Meet keeps one.
 * @param attempts how often the source was asked before
 * @param retryAfterMs what the provider asked for, in milliseconds
 */
export function retryHarvestAt(
  source: HarvestSource,
  endsAt: Instant,
  attempts: number,
  now: Instant,
  retryAfterMs: number | null,
): Instant | null {
  const { expiresAfter } = RULES[source];
  if (expiresAfter !== null && now >= endsAt + expiresAfter) return null;
  // A meeting that was first seen long after its end is asked about for as long as one that was watched.
  if (now >= endsAt + ASKED_FOR_MS && spentAsking(attempts) >= ASKED_FOR_MS) return null;
  return now + Math.max(pauseAfter(attempts), retryAfterMs ?? 0);
}

function pauseAfter(attempts: number): number {
  if (attempts >= PATIENT_ATTEMPTS) return DAY;
  return Math.min(5 * MINUTE * 2 ** Math.min(attempts, 10), 6 * HOUR);
}

/** Milliseconds that so many attempts take at least, when all of them fail. */
function spentAsking(attempts: number): number {
  let spent = 0;
  for (let made = 0; made < attempts; made += 1) spent += pauseAfter(made);
  return spent;
}
