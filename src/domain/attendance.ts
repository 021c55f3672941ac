import type { Instant } from './observation.ts';
import type { Role } from './roster.ts';
import { bySides, type Sighting, saysSomebodyWasAbsent, sidesOf, spoke } from './sighting.ts';
import { lasted, minutesOf } from './stays.ts';
import type {
  AttendanceStatus,
  Decision,
  EvidenceTier,
  JudgementInput,
  ParticipantVerdict,
} from './verdict.ts';

/**
 * What a decision means for each person, and how strong the evidence is behind it. The first that applies:
 *
 * | of this person                                                                      | attendance |
 * |--------------------------------------------------------------------------------------|------------|
 * | an administrator says what                                                           | so         |
 * | a record shows them, for however long                                                | attended   |
 * | the session was held by somebody's word: theirs, or they are the whole other side    | attended   |
 * | the session was cancelled                                                            | excused    |
 * | words contradict each other                                                          | unknown    |
 * | they say of somebody else that they did not come                                     | attended   |
 * | a final record with everybody identified lacks them, or somebody says so, themselves | absent     |
 * | (the same, where they were invited by a group's address and only a record says so)   | unknown    |
 * | the whole of their side is missing, or both sides are                                | absent     |
 * | nothing of all this                                                                  | unknown    |
 *
 * Whoever declined, or was excused by somebody, is excused where this says absent or unknown.
 */

/** What is written about one invited person. */
export function attendanceOf(
  person: JudgementInput['participants'][number],
  seen: Sighting,
  decision: Decision,
): ParticipantVerdict {
  const { personId } = person;
  const stays = seen.stays.get(personId) ?? [];
  const known = stays.length > 0;
  return {
    personId,
    status: statusOf(person, seen, decision),
    minutes: known ? minutesOf(lasted(stays)) : null,
    joinedAt: known ? Math.min(...stays.map((stay) => stay.from)) : null,
    leftAt: known ? Math.max(...stays.map((stay) => stay.until)) : null,
    tier: personTier(person, seen),
  };
}

function statusOf(
  person: JudgementInput['participants'][number],
  seen: Sighting,
  decision: Decision,
): AttendanceStatus {
  const { personId, role } = person;
  const member = seen.members.find((one) => one.personId === personId);
  const correction = seen.corrected.get(personId);
  if (correction !== undefined) return correction;
  if (seen.stays.has(personId)) return 'attended';
  const declined = person.rsvp === 'declined' || seen.saidExcused.has(personId);
  if (decision.outcome === 'held' && decision.reason !== 'both_present') {
    const alike = seen.members.filter((member) => member.role === role).length;
    const alone = role === 'peer' ? alike === 2 : alike === 1;
    // A word that they met names whoever says it, and others only where nobody else can be meant.
    const said = seen.saysMet.size > 0 || seen.whole === 'met';
    if (seen.saysMet.has(personId) || (said && alone)) return 'attended';
  }
  if (decision.outcome === 'cancelled') return 'excused';
  if (decision.reason === 'disputed') return 'unknown';
  if (member !== undefined && saysSomebodyWasAbsent(seen, member)) return 'attended';
  const byGroup = person.byGroup === true;
  const proven = seen.complete && !byGroup && !(seen.saysMet.has(personId) && decision.outcome === 'held');
  const told =
    seen.saidAbsent.has(personId) || decision.outcome === 'no_one' || isTheAbsentSide(decision, role);
  if (proven || told) return declined ? 'excused' : 'absent';
  return declined ? 'excused' : 'unknown';
}

function isTheAbsentSide(decision: Decision, role: Role): boolean {
  return decision.outcome === 'one_sided' && role !== 'peer' && decision.reason === `${role}_absent`;
}

/**
 * Minutes from the scheduled start until the second side had come, negative when it was early; among peers, the second
 * person. `null` unless two arrivals are recorded: a word that they met does not say when.
 */
export function startDelayOf(start: Instant, seen: Sighting): number | null {
  const arrivals = sidesOf(seen.members)
    .map((side) => side.flatMap(({ personId }) => seen.stays.get(personId) ?? []).map((stay) => stay.from))
    .filter((froms) => froms.length > 0)
    .map((froms) => Math.min(...froms))
    .toSorted((one, other) => one - other);
  const second = arrivals[1];
  return second === undefined ? null : minutesOf(second - start);
}

/** The strongest evidence about the session as a whole. */
export function tierOf(input: JudgementInput, seen: Sighting): EvidenceTier {
  if (bySides(seen, (member) => seen.stays.has(member.personId))) return 'conference_both';
  const human =
    seen.whole !== null || seen.corrected.size > 0 || saidAnything(seen) || seen.saidExcused.size > 0;
  if (human && bySides(seen, (member) => spoke(seen, member))) return 'human_both';
  // A final record that lacks everybody is as strong as one that shows somebody.
  if (seen.stays.size > 0 || seen.complete) return 'conference_one';
  if (human) return 'human_one';
  return input.participants.some((person) => person.rsvp !== 'none') ? 'rsvp_only' : 'none';
}

function saidAnything({ saysMet, saysNotMet, saidAbsent }: Sighting): boolean {
  return saysMet.size + saysNotMet.size + saidAbsent.size > 0;
}

function personTier(person: JudgementInput['participants'][number], seen: Sighting): EvidenceTier {
  // Who is missing in a final record with everybody identified is known by it as well as who is in it.
  const lacked = seen.complete && person.byGroup !== true && !seen.corrected.has(person.personId);
  if (seen.stays.has(person.personId) || lacked) {
    return bySides(seen, (member) => seen.stays.has(member.personId)) ? 'conference_both' : 'conference_one';
  }
  const own = seen.saysMet.has(person.personId) || seen.saysNotMet.has(person.personId);
  const others = seen.saidAbsent.has(person.personId) || seen.saidExcused.has(person.personId);
  const said = own || others || seen.corrected.has(person.personId) || seen.whole !== null;
  if (said || seen.saysMet.size > 0 || seen.saysNotMet.size > 0) {
    return bySides(seen, (member) => seen.saysMet.has(member.personId)) ? 'human_both' : 'human_one';
  }
  return person.rsvp === 'none' ? 'none' : 'rsvp_only';
}
