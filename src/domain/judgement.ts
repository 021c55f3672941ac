import { attendanceOf, startDelayOf, tierOf } from './attendance.ts';
import { PROVISIONAL_AFTER_MS, SETTLED_AFTER_MS } from './harvest.ts';
import { decide } from './judgement-table.ts';
import type { Instant } from './observation.ts';
import { bySides, look, type Sighting, spoke } from './sighting.ts';
import { minutesOf } from './stays.ts';
import type { Decision, JudgementInput, Verdict } from './verdict.ts';

/**
 * Judges one session by the table in `judgement-table.ts`. Pure: the same input gives the same verdict, whatever the
 * order of evidence and people.
 * @param now must not lie before the session's end
 */
export function judge(input: JudgementInput, now: Instant): Verdict {
  const seen = look(input);
  const decision = decide(input, seen);
  const settledAt = isBehind(input, decision, now) ? now + CATCH_UP_MS : settlesAt(input, seen, decision);
  return {
    ...decision,
    overlapMinutes: seen.recorded ? minutesOf(seen.overlapMs) : null,
    startDelayMinutes: startDelayOf(input.start, seen),
    tier: tierOf(input, seen),
    participants: input.participants.map((person) => attendanceOf(person, seen, decision)),
    settled: now >= settledAt,
    nextAt: now >= settledAt ? null : settledAt,
  };
}

/** How soon to look again while what should have been read has not been. */
const CATCH_UP_MS = 10 * 60_000;
/** A calendar that has not come back by then is not catching up. */
const CATCH_UP_WITHIN_MS = 30 * 24 * 60 * 60_000;

/**
 * After an outage judging may come before reading. Nothing settles on what was not asked yet: it would be told, and
 * people be written to, only to be restated minutes later.
 */
function isBehind(input: JudgementInput, decision: Decision, now: Instant): boolean {
  if (decision.outcome === 'cancelled' && input.cancelled !== null) return false;
  const unasked = input.sources.some((source) => source.state === 'waiting' && source.due);
  return unasked || (input.catchingUp && now < input.end + CATCH_UP_WITHIN_MS);
}

/**
 * When the verdict settles. With a source able to speak: when all are final, at the latest 48 hours after the end
 * (or after the session was first seen, so that history is asked before it is settled). With none: after 48 hours,
 * because people may answer, or as soon as both sides or an administrator did.
 */
function settlesAt(input: JudgementInput, seen: Sighting, decision: Decision): Instant {
  const earliest = input.end + PROVISIONAL_AFTER_MS;
  if (decision.outcome === 'cancelled' && input.cancelled !== null) return input.end;
  const spoken = bySides(seen, (member) => spoke(seen, member));
  if (seen.whole !== null || (spoken && !input.sources.some((source) => source.state === 'waiting'))) {
    return earliest;
  }
  if (input.sources.some((source) => source.state === 'waiting')) {
    return Math.max(input.end, input.firstSeenAt) + SETTLED_AFTER_MS;
  }
  const somebodySpoke = input.sources.some((source) => source.state === 'final');
  return somebodySpoke ? earliest : input.end + SETTLED_AFTER_MS;
}
