import type { Instant } from './observation.ts';
import type { Role } from './roster.ts';
import { bySides, type Member, type Sighting, saysSomebodyWasAbsent, sidesOf } from './sighting.ts';
import { lasted, minutesOf } from './stays.ts';
import type {
  AttendanceStatus,
  Decision,
  EvidenceTier,
  JudgementInput,
  ParticipantVerdict,
} from './verdict.ts';

/** What a decision means for each person, and how strong the evidence is behind it. */

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
  const correction = seen.corrected.get(personId);
  if (correction !== undefined) return correction;
  if (seen.stays.has(personId)) return 'attended';
  const declined = person.rsvp === 'declined' || seen.saidExcused.has(personId);
  if (decision.outcome === 'held' && decision.reason !== 'both_present') {
    const alone = seen.members.filter((member) => member.role === role).length === 1;
    const saysSo = seen.saysMet.has(personId) || seen.whole === 'met';
    // A word that they met names the other side only where that side is one person.
    if (saysSo || (seen.saysMet.size > 0 && alone && role !== 'peer')) return 'attended';
  }
  if (decision.outcome === 'cancelled') return 'excused';
  if (decision.reason === 'disputed') return 'unknown';
  const member = { personId, role, declined: false };
  if (saysSomebodyWasAbsent(seen, member)) return 'attended';
  const proven = seen.complete && !(seen.saysMet.has(personId) && decision.outcome === 'held');
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
  const words = (member: Member) =>
    seen.saysMet.has(member.personId) ||
    seen.saysNotMet.has(member.personId) ||
    saysSomebodyWasAbsent(seen, member);
  const human = seen.whole !== null || seen.corrected.size > 0 || seen.members.some(words);
  if (human && bySides(seen, words)) return 'human_both';
  if (seen.stays.size > 0) return 'conference_one';
  if (human) return 'human_one';
  return input.participants.some((person) => person.rsvp !== 'none') ? 'rsvp_only' : 'none';
}

function personTier(person: JudgementInput['participants'][number], seen: Sighting): EvidenceTier {
  if (seen.stays.has(person.personId)) {
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
