import { anyTwo, lasted, minimumMs, minutesOf, type Stay, shared, united } from './attendance.ts';
import { type Evidence, standing } from './evidence.ts';
import { PROVISIONAL_AFTER_MS, SETTLED_AFTER_MS } from './harvest.ts';
import type { Instant, Rsvp } from './observation.ts';
import type { AcceptableTier, AttendancePolicy } from './program.ts';

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

export type Outcome = 'held' | 'too_short' | 'one_sided' | 'no_one' | 'cancelled' | 'unknown';
export type AttendanceStatus = 'attended' | 'absent' | 'excused' | 'unknown';
export type EvidenceTier = AcceptableTier | 'rsvp_only' | 'none';
export type Role = 'mentor' | 'mentee' | 'peer';
export type CancelReason = 'cancelled' | 'deleted' | 'removed_everywhere' | 'untagged' | 'people_changed';

export const UNKNOWN_REASONS = [
  'guest_only',
  'no_record',
  'no_permission',
  'in_person',
  'private_event',
  'sync_gap',
  'expired',
  'group_address',
  'disputed',
] as const;
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

/** The reasons each outcome may have. */
export type Decision =
  | {
      readonly outcome: 'held';
      readonly reason: 'both_present' | 'confirmed' | 'one_confirmed' | 'corrected' | 'although_cancelled';
    }
  | { readonly outcome: 'too_short'; readonly reason: 'overlap_too_short' | 'corrected' }
  | { readonly outcome: 'one_sided'; readonly reason: `${Role}_absent` }
  | { readonly outcome: 'no_one'; readonly reason: 'both_absent' | 'corrected' }
  | { readonly outcome: 'cancelled'; readonly reason: CancelReason | `declined_by_${Role}` }
  | { readonly outcome: 'unknown'; readonly reason: UnknownReason };

/** Where a conference source stands. `cannot_tell` will never speak; `waiting` may still. */
export type SourceState = {
  readonly state: 'waiting' | 'final' | 'cannot_tell';
  readonly lastAnswer: string | null;
};

export type JudgementInput = {
  readonly start: Instant;
  readonly end: Instant;
  readonly firstSeenAt: Instant;
  /** Why the calendar cancelled it, or `null`. */
  readonly cancelled: CancelReason | null;
  readonly conference: 'meet' | 'teams' | 'other' | null;
  readonly isPrivate: boolean;
  /** No calendar that holds it was read since it began, so what happened to it meanwhile is unseen. */
  readonly sightLost: boolean;
  /** The members who were invited. */
  readonly participants: ReadonlyArray<{
    readonly personId: number;
    readonly role: Role;
    readonly rsvp: Rsvp;
  }>;
  /** Members of the mentorship who were not invited by name: whoever comes anyway counts for their side. */
  readonly uninvited: ReadonlyArray<{ readonly personId: number; readonly role: Role }>;
  readonly evidence: readonly Evidence[];
  readonly sources: readonly SourceState[];
  readonly policy: AttendancePolicy;
};

export type ParticipantVerdict = {
  readonly personId: number;
  readonly status: AttendanceStatus;
  readonly minutes: number | null;
  readonly joinedAt: Instant | null;
  readonly leftAt: Instant | null;
  readonly tier: EvidenceTier;
};

export type Verdict = Decision & {
  /** Minutes both sides were together; `null` when no record tells. */
  readonly overlapMinutes: number | null;
  readonly tier: EvidenceTier;
  readonly participants: readonly ParticipantVerdict[];
  /** Whether every source able to speak has spoken, or the time for it is over. */
  readonly settled: boolean;
  /** When to judge again if nothing new comes; `null` once settled. */
  readonly nextAt: Instant | null;
};

/**
 * Judges one session. Pure: the same input gives the same verdict, whatever the order of evidence and people.
 * @param now must not lie before the session's end
 */
export function judge(input: JudgementInput, now: Instant): Verdict {
  const view = look(input);
  const decision = decide(input, view);
  const settledAt = settlesAt(input, view, decision);
  return {
    ...decision,
    overlapMinutes: view.recorded ? minutesOf(view.overlapMs) : null,
    tier: tierOf(input, view),
    participants: input.participants.map((person) => attendanceOf(person, view, decision)),
    settled: now >= settledAt,
    nextAt: now >= settledAt ? null : settledAt,
  };
}

type Member = { readonly personId: number; readonly role: Role; readonly declined: boolean };

/** What the evidence shows, before anything is concluded from it. */
type View = {
  readonly members: readonly Member[];
  readonly stays: ReadonlyMap<number, Stay[]>;
  /** Stays of whoever could not be identified; one without times may have lasted for ever. */
  readonly strangers: readonly Stay[];
  /** Some record exists, of whatever content. */
  readonly recorded: boolean;
  /** Everybody in the records is identified and no source may add to them: who is not in them was not there. */
  readonly complete: boolean;
  readonly overlapMs: number;
  readonly minimumMs: number;
  /** Corrections by person; `whole` is the one about the session. */
  readonly corrected: ReadonlyMap<number, AttendanceStatus>;
  readonly whole: 'met' | 'not_met' | null;
  /** Who says that they met, that they did not, that somebody was absent or excused. */
  readonly saysMet: ReadonlySet<number>;
  readonly saysNotMet: ReadonlySet<number>;
  readonly saidAbsent: ReadonlyMap<number, ReadonlySet<number>>;
  readonly saidExcused: ReadonlySet<number>;
};

function look(input: JudgementInput): View {
  const members: Member[] = [
    ...input.participants.map(({ personId, role, rsvp }) => ({
      personId,
      role,
      declined: rsvp === 'declined',
    })),
    ...input.uninvited.map(({ personId, role }) => ({ personId, role, declined: false })),
  ];
  const rows = standing(input.evidence);
  const corrections = rows.filter((row) => row.source === 'correction');
  const corrected = new Map(
    corrections.flatMap((row) => (row.personId === null ? [] : [[row.personId, correctedTo(row)] as const])),
  );
  const wholeWord = corrections.find((row) => row.kind === 'met' || row.kind === 'not_met')?.kind;

  const observed = rows.filter((row) => row.source !== 'answer' && row.source !== 'correction');
  const stays = new Map<number, Stay[]>();
  for (const { personId } of members) {
    // A correction that says somebody was not there outweighs a device that was.
    if ((corrected.get(personId) ?? 'attended') !== 'attended') continue;
    const own = observed.filter((row) => row.kind === 'presence' && row.personId === personId);
    if (own.length > 0) stays.set(personId, united(own.flatMap(stayOf)));
  }
  const strangers = observed.filter((row) => row.kind === 'guest' || row.kind === 'device');
  const frames = observed.filter((row) => row.kind === 'record');
  const words = rows.filter((row) => row.source === 'answer' || row.source === 'external');
  return {
    members,
    stays,
    strangers: strangers.flatMap((row) =>
      row.from === null || row.until === null
        ? [{ from: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER }]
        : [{ from: row.from, until: Math.max(row.until, row.from + 1) }],
    ),
    recorded: frames.length > 0 || stays.size > 0 || strangers.length > 0,
    complete:
      frames.length > 0 &&
      frames.every((frame) => frame.source !== 'external' || frame.complete) &&
      strangers.length === 0 &&
      input.sources.every((source) => source.state !== 'waiting'),
    overlapMs: lasted(together(members, stays)),
    minimumMs: minimumMs({ from: input.start, until: input.end }, input.policy.minimum),
    corrected,
    whole: wholeWord === 'met' || wholeWord === 'not_met' ? wholeWord : null,
    saysMet: speakers(words, members, 'met'),
    saysNotMet: speakers(words, members, 'not_met'),
    saidAbsent: saidOf(words, 'absent'),
    saidExcused: new Set(saidOf(words, 'excused').keys()),
  };
}

function correctedTo(row: Evidence): AttendanceStatus {
  switch (row.kind) {
    case 'presence':
    case 'met':
      return 'attended';
    case 'absent':
    case 'not_met':
      return 'absent';
    case 'excused':
      return 'excused';
    case 'record':
    case 'guest':
    case 'device':
    case 'no_record':
    case 'cannot_tell':
    case 'withdrawn':
      return 'unknown';
  }
}

function stayOf(row: Evidence): Stay[] {
  return row.from === null || row.until === null ? [] : [{ from: row.from, until: row.until }];
}

function speakers(
  words: readonly Evidence[],
  members: readonly Member[],
  kind: 'met' | 'not_met',
): Set<number> {
  const said = new Set(words.filter((row) => row.kind === kind).map((row) => row.personId));
  return new Set(members.map((member) => member.personId).filter((personId) => said.has(personId)));
}

/** By person spoken of: who said it (the person themself when nobody else is named). */
function saidOf(words: readonly Evidence[], kind: 'absent' | 'excused'): Map<number, Set<number>> {
  const result = new Map<number, Set<number>>();
  for (const row of words) {
    if (row.kind !== kind || row.personId === null) continue;
    const by = result.get(row.personId) ?? new Set();
    result.set(row.personId, by.add(row.by ?? row.personId));
  }
  return result;
}

/** The sides that have to meet. Peers are one side each. */
function sidesOf(members: readonly Member[]): Member[][] {
  if (members.some((member) => member.role === 'peer')) return members.map((member) => [member]);
  const side = (role: Role) => members.filter((member) => member.role === role);
  return [side('mentor'), side('mentee')];
}

function isPeers(members: readonly Member[]): boolean {
  return members.some((member) => member.role === 'peer');
}

function together(members: readonly Member[], stays: ReadonlyMap<number, Stay[]>): Stay[] {
  const sides = sidesOf(members).map((side) => side.flatMap(({ personId }) => stays.get(personId) ?? []));
  return isPeers(members) ? anyTwo(sides) : shared(sides[0] ?? [], sides[1] ?? []);
}

function decide(input: JudgementInput, view: View): Decision {
  const met = held(input, view);
  if (met !== null) {
    return input.cancelled === null ? met : { outcome: 'held', reason: 'although_cancelled' };
  }
  if (input.cancelled !== null) return { outcome: 'cancelled', reason: input.cancelled };
  if (disputed(view)) return { outcome: 'unknown', reason: 'disputed' };
  const called = calledOff(view);
  if (called !== null) return { outcome: 'cancelled', reason: `declined_by_${called}` };
  return missed(input, view) ?? { outcome: 'unknown', reason: blindness(input, view) };
}

type Held = Extract<Decision, { outcome: 'held' }>;

function held(input: JudgementInput, view: View): Held | null {
  if (view.whole === 'met') return { outcome: 'held', reason: 'corrected' };
  if (view.whole === 'not_met') return null;
  if (view.overlapMs >= view.minimumMs && view.overlapMs > 0) {
    return { outcome: 'held', reason: 'both_present' };
  }
  const sides = sidesOf(view.members);
  if (bySides(view, (member) => came(view, member)) && someCorrected(view)) {
    return { outcome: 'held', reason: 'corrected' };
  }
  // One who says that they did not meet makes every word a dispute, never a proof.
  if (view.saysNotMet.size > 0 || contradicted(view)) return null;
  if (bySides(view, (member) => view.saysMet.has(member.personId)) && accepts(input.policy, 'human_both')) {
    return { outcome: 'held', reason: 'confirmed' };
  }
  if (view.saysMet.size > 0 && !provenAbsent(view)) {
    if (accepts(input.policy, 'human_one')) return { outcome: 'held', reason: 'one_confirmed' };
    const eitherWay = bySides(
      view,
      (member) => view.stays.has(member.personId) || view.saysMet.has(member.personId),
    );
    const accepted = accepts(input.policy, 'human_both') || accepts(input.policy, 'conference_one');
    if (eitherWay && accepted) return { outcome: 'held', reason: 'one_confirmed' };
  }
  const identified = sides.some((side) => side.some((member) => view.stays.has(member.personId)));
  return identified && strangersCouldHaveMet(view) && accepts(input.policy, 'conference_one')
    ? { outcome: 'held', reason: 'one_confirmed' }
    : null;
}

function accepts(policy: AttendancePolicy, tier: AcceptableTier): boolean {
  // Two words are more than the one that would have been enough.
  return policy.accept.includes(tier) || (tier === 'human_both' && policy.accept.includes('human_one'));
}

/** Whether each of two sides has somebody of whom it is true. */
function bySides(view: View, isTrue: (member: Member) => boolean): boolean {
  const sides = sidesOf(view.members);
  return sides.filter((side) => side.some(isTrue)).length >= 2;
}

function came(view: View, { personId }: Member): boolean {
  return view.corrected.get(personId) === 'attended' || view.stays.has(personId);
}

function someCorrected(view: View): boolean {
  return view.members.some(({ personId }) => view.corrected.get(personId) === 'attended');
}

/** A complete record shows that not even two sides can have met in it. */
function provenAbsent(view: View): boolean {
  return view.complete && !bySides(view, (member) => view.stays.has(member.personId));
}

/** Whether somebody unidentified was long enough together with an identified member to have been the other side. */
function strangersCouldHaveMet(view: View): boolean {
  const members = [...view.stays.values()].flat();
  return lasted(shared(members, view.strangers)) >= view.minimumMs && view.strangers.length > 0;
}

/** Somebody said to be absent was seen, or says that they met. */
function contradicted(view: View): boolean {
  return [...view.saidAbsent].some(
    ([personId, by]) =>
      view.corrected.get(personId) === undefined &&
      (view.stays.has(personId) || [...view.saysMet].some((speaker) => !by.has(speaker))),
  );
}

function disputed(view: View): boolean {
  if (view.whole !== null) return false;
  const words = view.saysMet.size > 0 && view.saysNotMet.size > 0;
  return words || contradicted(view) || (view.saysMet.size > 0 && provenAbsent(view));
}

/** The side that said it would not come and did not; `null` when no side did. */
function calledOff(view: View): Role | null {
  // Somebody unidentified may be the one who declined and came after all.
  if (view.whole === 'not_met' || strangersCouldHaveMet(view)) return null;
  if (view.saysMet.size > 0) return null;
  const stayedAway = (member: Member) => {
    const { personId } = member;
    const word = view.corrected.get(personId);
    if (word !== undefined) return word === 'excused';
    return !view.stays.has(personId) && (member.declined || view.saidExcused.has(personId));
  };
  if (isPeers(view.members)) {
    const left = view.members.filter((member) => !stayedAway(member)).length;
    return view.members.length >= 2 && left < 2 ? 'peer' : null;
  }
  const [mentors = [], mentees = []] = sidesOf(view.members);
  if (mentors.length > 0 && mentors.every(stayedAway)) return 'mentor';
  return mentees.length > 0 && mentees.every(stayedAway) ? 'mentee' : null;
}

/** Outcomes that say who was missing. Each needs proof. */
function missed(input: JudgementInput, view: View): Decision | null {
  const word = view.whole === 'not_met' || toldNotMet(input, view);
  const isAbsent = (member: Member) => {
    const correction = view.corrected.get(member.personId);
    if (correction !== undefined) return correction === 'absent' || correction === 'excused';
    if (view.stays.has(member.personId)) return false;
    // A decliner may be the guest; with nobody unidentified around, they are not there.
    const stayedAway = member.declined && view.strangers.length === 0;
    return view.complete || word || view.saidAbsent.has(member.personId) || stayedAway;
  };
  const isThere = (member: Member) => came(view, member) || saysSomebodyWasAbsent(view, member);
  const sides = sidesOf(view.members);
  const there = sides.filter((side) => side.some(isThere));
  const gone = sides.filter((side) => side.length > 0 && side.every((member) => isAbsent(member)));
  if (sides.some((side) => side.length === 0) || there.length + gone.length < sides.length) {
    // Among peers two who came are enough for a meeting, whatever is unknown about the rest.
    if (!(isPeers(view.members) && there.length >= 2)) return null;
  }
  if (there.length >= 2) return tooShort(view, word);
  if (there.length === 0) {
    const reason = view.whole === 'not_met' || someAbsentByCorrection(view) ? 'corrected' : 'both_absent';
    return { outcome: 'no_one', reason };
  }
  const role = gone[0]?.[0]?.role ?? 'mentee';
  return { outcome: 'one_sided', reason: `${role}_absent` };
}

function tooShort(view: View, word: boolean): Decision | null {
  if (view.whole === 'not_met') return { outcome: 'too_short', reason: 'corrected' };
  // A dial-in beside the laptop may hold the minutes that the laptop lacks.
  const unidentified = strangersCouldHaveMet(view) && !word;
  return unidentified ? null : { outcome: 'too_short', reason: 'overlap_too_short' };
}

function someAbsentByCorrection(view: View): boolean {
  return [...view.corrected.values()].some((status) => status === 'absent' || status === 'excused');
}

/** Whether the word that they did not meet is one the program takes: of both sides, or of one where that is enough. */
function toldNotMet(input: JudgementInput, view: View): boolean {
  if (view.saysNotMet.size === 0) return false;
  const both = bySides(view, (member) => view.saysNotMet.has(member.personId));
  return accepts(input.policy, both ? 'human_both' : 'human_one');
}

/** "She did not come" is said by somebody who did. */
function saysSomebodyWasAbsent(view: View, { personId }: Member): boolean {
  return [...view.saidAbsent].some(([absent, by]) => absent !== personId && by.has(personId));
}

/** Why nothing could be seen, the nearest cause first. */
function blindness(input: JudgementInput, view: View): UnknownReason {
  if (view.strangers.length > 0) return 'guest_only';
  if (view.recorded) return 'no_record';
  const answers = new Set(input.sources.map((source) => source.lastAnswer));
  if (input.sightLost) return 'sync_gap';
  if (answers.has('expired')) return 'expired';
  if (answers.has('no_permission') || answers.has('external_organizer')) return 'no_permission';
  if (input.conference !== null) return 'no_record';
  return input.isPrivate ? 'private_event' : 'in_person';
}

function attendanceOf(
  person: JudgementInput['participants'][number],
  view: View,
  decision: Decision,
): ParticipantVerdict {
  const { personId } = person;
  const stays = view.stays.get(personId) ?? [];
  const known = stays.length > 0;
  return {
    personId,
    status: statusOf(person, view, decision),
    minutes: known ? minutesOf(lasted(stays)) : null,
    joinedAt: known ? Math.min(...stays.map((stay) => stay.from)) : null,
    leftAt: known ? Math.max(...stays.map((stay) => stay.until)) : null,
    tier: personTier(person, view),
  };
}

function statusOf(
  person: JudgementInput['participants'][number],
  view: View,
  decision: Decision,
): AttendanceStatus {
  const { personId, role } = person;
  const correction = view.corrected.get(personId);
  if (correction !== undefined) return correction;
  if (view.stays.has(personId)) return 'attended';
  const declined = person.rsvp === 'declined' || view.saidExcused.has(personId);
  if (decision.outcome === 'held' && decision.reason !== 'both_present') {
    const alone = view.members.filter((member) => member.role === role).length === 1;
    const saysSo = view.saysMet.has(personId) || view.whole === 'met';
    // A word that they met names the other side only where that side is one person.
    if (saysSo || (view.saysMet.size > 0 && alone && role !== 'peer')) return 'attended';
  }
  if (decision.outcome === 'cancelled') return 'excused';
  if (decision.reason === 'disputed') return 'unknown';
  const member = { personId, role, declined: false };
  if (saysSomebodyWasAbsent(view, member)) return 'attended';
  const proven = view.complete && !(view.saysMet.has(personId) && decision.outcome === 'held');
  const told =
    view.saidAbsent.has(personId) || decision.outcome === 'no_one' || isTheAbsentSide(decision, role);
  if (proven || told) return declined ? 'excused' : 'absent';
  return declined ? 'excused' : 'unknown';
}

function isTheAbsentSide(decision: Decision, role: Role): boolean {
  return decision.outcome === 'one_sided' && role !== 'peer' && decision.reason === `${role}_absent`;
}

function tierOf(input: JudgementInput, view: View): EvidenceTier {
  if (bySides(view, (member) => view.stays.has(member.personId))) return 'conference_both';
  const words = (member: Member) =>
    view.saysMet.has(member.personId) ||
    view.saysNotMet.has(member.personId) ||
    saysSomebodyWasAbsent(view, member);
  const human = view.whole !== null || view.corrected.size > 0 || view.members.some(words);
  if (human && bySides(view, words)) return 'human_both';
  if (view.stays.size > 0) return 'conference_one';
  if (human) return 'human_one';
  return input.participants.some((person) => person.rsvp !== 'none') ? 'rsvp_only' : 'none';
}

function personTier(person: JudgementInput['participants'][number], view: View): EvidenceTier {
  if (view.stays.has(person.personId)) {
    return bySides(view, (member) => view.stays.has(member.personId)) ? 'conference_both' : 'conference_one';
  }
  const own = view.saysMet.has(person.personId) || view.saysNotMet.has(person.personId);
  const others = view.saidAbsent.has(person.personId) || view.saidExcused.has(person.personId);
  const said = own || others || view.corrected.has(person.personId) || view.whole !== null;
  if (said || view.saysMet.size > 0 || view.saysNotMet.size > 0) {
    return bySides(view, (member) => view.saysMet.has(member.personId)) ? 'human_both' : 'human_one';
  }
  return person.rsvp === 'none' ? 'none' : 'rsvp_only';
}

/**
 * When the verdict settles. With a source able to speak: when all are final, at the latest 48 hours after the end
 * (or after the session was first seen, so that history is asked before it is settled). With none: after 48 hours,
 * because people may answer, or as soon as both sides or an administrator did.
 */
function settlesAt(input: JudgementInput, view: View, decision: Decision): Instant {
  const earliest = input.end + PROVISIONAL_AFTER_MS;
  if (decision.outcome === 'cancelled' && input.cancelled !== null) return input.end;
  const spoken = bySides(view, ({ personId }) => view.saysMet.has(personId) || view.saysNotMet.has(personId));
  if (view.whole !== null || (spoken && !input.sources.some((source) => source.state === 'waiting'))) {
    return earliest;
  }
  if (input.sources.some((source) => source.state === 'waiting')) {
    return Math.max(input.end, input.firstSeenAt) + SETTLED_AFTER_MS;
  }
  const somebodySpoke = input.sources.some((source) => source.state === 'final');
  return somebodySpoke ? earliest : input.end + SETTLED_AFTER_MS;
}
