import { attendanceOf, startDelayOf, tierOf } from './attendance.ts';
import { PROVISIONAL_AFTER_MS, SETTLED_AFTER_MS } from './harvest.ts';
import type { Instant } from './observation.ts';
import type { AcceptableTier, AttendancePolicy } from './program.ts';
import type { Role } from './roster.ts';
import {
  bySides,
  came,
  isPeers,
  look,
  type Member,
  provenAbsent,
  type Sighting,
  saysSomebodyWasAbsent,
  sidesOf,
  someCorrected,
  strangersCouldHaveMet,
} from './sighting.ts';
import { minutesOf } from './stays.ts';
import type { Decision, JudgementInput, UnknownReason, Verdict } from './verdict.ts';

/**
 * From evidence to a verdict. The table, first match wins:
 *
 * | evidence                                                                  | outcome     | reason |
 * |---------------------------------------------------------------------------|-------------|--------|
 * | an administrator says that they met, or that both sides came               | held        | corrected |
 * | an administrator says that they did not meet                               | by presence | corrected |
 * | a record: both sides identified, together for the minimum                  | held        | both_present |
 * | a word of each side that they met                                          | held        | confirmed |
 * | one side in a record, the other side's word, or one word, where accepted   | held        | one_confirmed |
 * | one side in a record, together with somebody unidentified, where accepted  | held        | one_confirmed |
 * | any of these for a session that the calendar cancelled                     | held        | although_cancelled |
 * | the calendar cancelled it                                                  | cancelled   | how it was cancelled |
 * | words that contradict each other, or one word that contradicts a record    | unknown     | disputed |
 * | one side declined or was excused, and nothing shows it present             | cancelled   | declined_by_... |
 * | a record with both sides, shorter than the minimum, nobody unidentified     | too_short   | overlap_too_short |
 * | a final record with one side, nobody unidentified; or a word to that effect | one_sided   | ..._absent |
 * | a final record with neither side, nobody unidentified; or such a word       | no_one      | both_absent |
 * | anybody or anything unidentified in a record                               | unknown     | guest_only |
 * | nothing                                                                    | unknown     | why nothing could be seen |
 *
 * An empty answer is never an absence: when nobody joins, neither provider makes a record, and that looks the same
 * as a meeting in the canteen. A guest is never the mentee. Nothing that is added to a record turns held into
 * unknown. "Side" means the mentors against the mentees; among peers, any two different people are both sides.
 */

/**
 * Judges one session. Pure: the same input gives the same verdict, whatever the order of evidence and people.
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

function decide(input: JudgementInput, seen: Sighting): Decision {
  const met = held(input, seen);
  if (met !== null) {
    return input.cancelled === null ? met : { outcome: 'held', reason: 'although_cancelled' };
  }
  if (input.cancelled !== null) return { outcome: 'cancelled', reason: input.cancelled };
  if (disputed(seen)) return { outcome: 'unknown', reason: 'disputed' };
  const called = calledOff(seen);
  if (called !== null) return { outcome: 'cancelled', reason: `declined_by_${called}` };
  return missed(input, seen) ?? { outcome: 'unknown', reason: blindness(input, seen) };
}

type Held = Extract<Decision, { outcome: 'held' }>;

function held(input: JudgementInput, seen: Sighting): Held | null {
  if (seen.whole === 'met') return { outcome: 'held', reason: 'corrected' };
  if (seen.whole === 'not_met') return null;
  if (seen.overlapMs >= seen.minimumMs && seen.overlapMs > 0) {
    return { outcome: 'held', reason: 'both_present' };
  }
  const sides = sidesOf(seen.members);
  if (bySides(seen, (member) => came(seen, member)) && someCorrected(seen)) {
    return { outcome: 'held', reason: 'corrected' };
  }
  // One who says that they did not meet makes every word a dispute, never a proof.
  if (seen.saysNotMet.size > 0 || contradicted(seen)) return null;
  if (bySides(seen, (member) => seen.saysMet.has(member.personId)) && accepts(input.policy, 'human_both')) {
    return { outcome: 'held', reason: 'confirmed' };
  }
  if (seen.saysMet.size > 0 && !provenAbsent(seen)) {
    if (accepts(input.policy, 'human_one')) return { outcome: 'held', reason: 'one_confirmed' };
    const eitherWay = bySides(
      seen,
      (member) => seen.stays.has(member.personId) || seen.saysMet.has(member.personId),
    );
    const accepted = accepts(input.policy, 'human_both') || accepts(input.policy, 'conference_one');
    if (eitherWay && accepted) return { outcome: 'held', reason: 'one_confirmed' };
  }
  const identified = sides.some((side) => side.some((member) => seen.stays.has(member.personId)));
  return identified && strangersCouldHaveMet(seen) && accepts(input.policy, 'conference_one')
    ? { outcome: 'held', reason: 'one_confirmed' }
    : null;
}

function accepts(policy: AttendancePolicy, tier: AcceptableTier): boolean {
  // Two words are more than the one that would have been enough.
  return policy.accept.includes(tier) || (tier === 'human_both' && policy.accept.includes('human_one'));
}

/** Somebody said to be absent was seen, or says that they met. */
function contradicted(seen: Sighting): boolean {
  return [...seen.saidAbsent].some(
    ([personId, by]) =>
      seen.corrected.get(personId) === undefined &&
      (seen.stays.has(personId) || [...seen.saysMet].some((speaker) => !by.has(speaker))),
  );
}

function disputed(seen: Sighting): boolean {
  if (seen.whole !== null) return false;
  const words = seen.saysMet.size > 0 && seen.saysNotMet.size > 0;
  return words || contradicted(seen) || (seen.saysMet.size > 0 && provenAbsent(seen));
}

/** The side that said it would not come and did not; `null` when no side did. */
function calledOff(seen: Sighting): Role | null {
  // Somebody unidentified may be the one who declined and came after all.
  if (seen.whole === 'not_met' || strangersCouldHaveMet(seen)) return null;
  if (seen.saysMet.size > 0) return null;
  const stayedAway = (member: Member) => {
    const { personId } = member;
    const word = seen.corrected.get(personId);
    if (word !== undefined) return word === 'excused';
    return !seen.stays.has(personId) && (member.declined || seen.saidExcused.has(personId));
  };
  if (isPeers(seen.members)) {
    const left = seen.members.filter((member) => !stayedAway(member)).length;
    return seen.members.length >= 2 && left < 2 ? 'peer' : null;
  }
  const [mentors = [], mentees = []] = sidesOf(seen.members);
  if (mentors.length > 0 && mentors.every(stayedAway)) return 'mentor';
  return mentees.length > 0 && mentees.every(stayedAway) ? 'mentee' : null;
}

/** Outcomes that say who was missing. Each needs proof. */
function missed(input: JudgementInput, seen: Sighting): Decision | null {
  const word = seen.whole === 'not_met' || toldNotMet(input, seen);
  const isAbsent = (member: Member) => {
    const correction = seen.corrected.get(member.personId);
    if (correction !== undefined) return correction === 'absent' || correction === 'excused';
    if (seen.stays.has(member.personId)) return false;
    // A decliner may be the guest; with nobody unidentified around, they are not there.
    const stayedAway = member.declined && seen.strangers.length === 0;
    return seen.complete || word || seen.saidAbsent.has(member.personId) || stayedAway;
  };
  const isThere = (member: Member) => came(seen, member) || saysSomebodyWasAbsent(seen, member);
  const sides = sidesOf(seen.members);
  const there = sides.filter((side) => side.some(isThere));
  const gone = sides.filter((side) => side.length > 0 && side.every((member) => isAbsent(member)));
  if (sides.some((side) => side.length === 0) || there.length + gone.length < sides.length) {
    // Among peers two who came are enough for a meeting, whatever is unknown about the rest.
    if (!(isPeers(seen.members) && there.length >= 2)) return null;
  }
  if (there.length >= 2) return tooShort(seen, word);
  if (there.length === 0) {
    const reason = seen.whole === 'not_met' || someAbsentByCorrection(seen) ? 'corrected' : 'both_absent';
    return { outcome: 'no_one', reason };
  }
  const role = gone[0]?.[0]?.role ?? 'mentee';
  return { outcome: 'one_sided', reason: `${role}_absent` };
}

function tooShort(seen: Sighting, word: boolean): Decision | null {
  if (seen.whole === 'not_met') return { outcome: 'too_short', reason: 'corrected' };
  // A record that names people without their times says that they came, not for how long.
  if ([...seen.stays.values()].some((stays) => stays.length === 0)) return null;
  // A dial-in beside the laptop may hold the minutes that the laptop lacks.
  const unidentified = strangersCouldHaveMet(seen) && !word;
  return unidentified ? null : { outcome: 'too_short', reason: 'overlap_too_short' };
}

function someAbsentByCorrection(seen: Sighting): boolean {
  return [...seen.corrected.values()].some((status) => status === 'absent' || status === 'excused');
}

/** Whether the word that they did not meet is one the program takes: of both sides, or of one where that is enough. */
function toldNotMet(input: JudgementInput, seen: Sighting): boolean {
  if (seen.saysNotMet.size === 0) return false;
  const both = bySides(seen, (member) => seen.saysNotMet.has(member.personId));
  return accepts(input.policy, both ? 'human_both' : 'human_one');
}

/** Why nothing could be seen, the nearest cause first. */
function blindness(input: JudgementInput, seen: Sighting): UnknownReason {
  if (seen.strangers.length > 0) return 'guest_only';
  if (seen.recorded) return 'no_record';
  const answers = new Set(input.sources.map((source) => source.lastAnswer));
  if (input.sightLost) return 'sync_gap';
  if (answers.has('expired')) return 'expired';
  if (answers.has('no_permission') || answers.has('external_organizer')) return 'no_permission';
  if (input.conference !== null) return 'no_record';
  return input.isPrivate ? 'private_event' : 'in_person';
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
  const spoken = bySides(seen, ({ personId }) => seen.saysMet.has(personId) || seen.saysNotMet.has(personId));
  if (seen.whole !== null || (spoken && !input.sources.some((source) => source.state === 'waiting'))) {
    return earliest;
  }
  if (input.sources.some((source) => source.state === 'waiting')) {
    return Math.max(input.end, input.firstSeenAt) + SETTLED_AFTER_MS;
  }
  const somebodySpoke = input.sources.some((source) => source.state === 'final');
  return somebodySpoke ? earliest : input.end + SETTLED_AFTER_MS;
}
