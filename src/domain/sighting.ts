import { type Evidence, standing } from './evidence.ts';
import type { AcceptableTier, AttendancePolicy } from './program.ts';
import type { Role } from './roster.ts';
import { anyTwo, lasted, minimumMs, type Stay, shared } from './stays.ts';
import type { AttendanceStatus, JudgementInput, SourceState } from './verdict.ts';

/** What the evidence shows about one session, before anything is concluded from it. */

/** Somebody whose presence counts for a side, invited by name or not. */
export type Member = {
  readonly personId: number;
  readonly role: Role;
  readonly declined: boolean;
  /** Whether the entry calls them, by name or by a group they belong to. */
  readonly invited: boolean;
  /** Called by a group's address alone, which says nothing about who of the group was meant. */
  readonly byGroup: boolean;
};

/** Times in milliseconds, people by their id. */
export type Sighting = {
  readonly members: readonly Member[];
  /** When each identified member was there, as told: overlapping, some without length; empty when no time is told. */
  readonly stays: ReadonlyMap<number, Stay[]>;
  /** Members of whom a record tells some presence without its time. */
  readonly untimed: ReadonlySet<number>;
  /** Stays of whoever could not be identified; one without times may have lasted for ever. */
  readonly strangers: readonly Stay[];
  /** All of them came by the account of a group that the roster knows. */
  readonly strangersAreGroups: boolean;
  /** Some record exists, of whatever content. */
  readonly recorded: boolean;
  /** Everybody in the records is identified and no source may add to them: who is not in them was not there. */
  readonly complete: boolean;
  readonly overlapMs: number;
  readonly minimumMs: number;
  /** Corrections by person; `whole` is the one about the session. */
  readonly corrected: ReadonlyMap<number, AttendanceStatus>;
  readonly whole: 'met' | 'not_met' | null;
  /** Who says that they met, that they did not, that somebody was absent or excused; 0 is another system. */
  readonly saysMet: ReadonlySet<number>;
  readonly saysNotMet: ReadonlySet<number>;
  readonly saidAbsent: ReadonlyMap<number, ReadonlySet<number>>;
  readonly saidExcused: ReadonlySet<number>;
  /** The word that they did not meet is one the program takes: of both sides, or of one where that is enough. */
  readonly notMetAccepted: boolean;
};

/** Sorts the evidence that still stands; concludes nothing. */
export function look(input: JudgementInput): Sighting {
  const members: Member[] = [
    ...input.participants.map(({ personId, role, rsvp, byGroup }) => ({
      personId,
      role,
      declined: rsvp === 'declined',
      invited: true,
      byGroup: byGroup === true,
    })),
    ...input.uninvited.map(({ personId, role }) => ({
      personId,
      role,
      declined: false,
      invited: false,
      byGroup: false,
    })),
  ];
  const rows = standing(input.evidence);
  const corrections = rows.filter((row) => row.source === 'correction');
  const corrected = new Map(
    corrections.flatMap((row) => (row.personId === null ? [] : [[row.personId, correctedTo(row)] as const])),
  );
  const wholeWord = corrections.find((row) => row.kind === 'met' || row.kind === 'not_met')?.kind;

  const observed = rows.filter((row) => row.source !== 'answer' && row.source !== 'correction');
  const stays = new Map<number, Stay[]>();
  const untimed = new Set<number>();
  for (const { personId } of members) {
    // A correction that says somebody was not there outweighs a device that was.
    if ((corrected.get(personId) ?? 'attended') !== 'attended') continue;
    const own = observed.filter((row) => row.kind === 'presence' && row.personId === personId);
    if (own.length > 0) stays.set(personId, own.flatMap(stayOf));
    if (own.some((row) => stayOf(row).length === 0)) untimed.add(personId);
  }
  const frames = observed.filter((row) => row.kind === 'record');
  const allHaveTold = !input.sources.some(mayAdd);
  const strangers = observed.filter(
    (row) => (row.kind === 'guest' || row.kind === 'device') && !(allHaveTold && isNamedInLog(row, frames)),
  );
  const words = rows.filter((row) => row.source === 'answer' || row.source === 'external');
  const saysNotMet = speakers(words, members, 'not_met');
  const bothSayNotMet = sidesWith(members, ({ personId }) => saysNotMet.has(personId)) >= 2;
  return {
    members,
    stays,
    untimed,
    strangersAreGroups: strangers.length > 0 && strangers.every((row) => row.ofGroup === true),
    strangers: strangers.flatMap((row) =>
      row.from === null || row.until === null
        ? [{ from: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER }]
        : [{ from: row.from, until: Math.max(row.until, row.from + 1) }],
    ),
    recorded: frames.length > 0 || stays.size > 0 || strangers.length > 0,
    complete:
      frames.every((frame) => isWhole(frame, frames)) &&
      frames.some((frame) => isOfItsTime(frame, input)) &&
      strangers.length === 0 &&
      allHaveTold,
    overlapMs: lasted(together(members, stays)),
    minimumMs: minimumMs({ from: input.start, until: input.end }, input.policy.minimum),
    corrected,
    whole: wholeWord === 'met' || wholeWord === 'not_met' ? wholeWord : null,
    saysMet: speakers(words, members, 'met'),
    saysNotMet,
    saidAbsent: saidOf(words, 'absent'),
    saidExcused: new Set(saidOf(words, 'excused').keys()),
    notMetAccepted: saysNotMet.size > 0 && accepts(input.policy, bothSayNotMet ? 'human_both' : 'human_one'),
  };
}

/**
 * Whether a source may still tell of somebody whom the records do not show. One that refuses us is asked again for as long
 * as it keeps anything, and would keep all others from proving an absence for a month.
 */
function mayAdd({ state, lastAnswer }: SourceState): boolean {
  return state === 'waiting' && lastAnswer !== 'no_permission';
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

/**
 * Whether a record is of the scheduled time. One that only lies near it (somebody tried their camera, or came back for what
 * was said) shows who was in that call, and nobody absent from a meeting that may have been held in a room.
 */
function isOfItsTime(frame: Evidence, { start, end }: JudgementInput): boolean {
  const [call] = stayOf(frame);
  return call === undefined || (call.from < end && start < call.until);
}

/**
 * Whether a stranger is one that Meet alone cannot name. Of people from elsewhere it gives neither address nor account that
 * the log has, so the two cannot be joined; a whole log of the same time names all of that call, or has strangers itself.
 */
function isNamedInLog(row: Evidence, frames: readonly Evidence[]): boolean {
  return (
    row.source === 'meet' &&
    row.kind === 'guest' &&
    frames.some((frame) => frame.source === 'reports' && frame.partial !== true && overlap(frame, row))
  );
}

/** Whether a record lists everybody of its call. A partial one is made whole by one that is not, of the same time. */
function isWhole(frame: Evidence, frames: readonly Evidence[]): boolean {
  if (frame.source === 'external') return frame.complete;
  if (frame.partial !== true) return true;
  return frames.some(
    (other) => other.source !== 'external' && other.partial !== true && overlap(other, frame),
  );
}

function overlap(one: Evidence, other: Evidence): boolean {
  const [a] = stayOf(one);
  const [b] = stayOf(other);
  return a !== undefined && b !== undefined && a.from < b.until && b.from < a.until;
}

function stayOf(row: Evidence): Stay[] {
  return row.from === null || row.until === null ? [] : [{ from: row.from, until: row.until }];
}

/** Stands for another system that speaks of the session without naming anybody. No person has this id. */
const SYSTEM = 0;

function speakers(
  words: readonly Evidence[],
  members: readonly Member[],
  kind: 'met' | 'not_met',
): Set<number> {
  const ids = new Set(members.map((member) => member.personId));
  const said = words.filter((row) => row.kind === kind);
  return new Set(
    said.flatMap(({ source, personId }) => {
      if (personId !== null && ids.has(personId)) return [personId];
      return source === 'external' ? [SYSTEM] : [];
    }),
  );
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
export function sidesOf(members: readonly Member[]): Member[][] {
  if (members.some((member) => member.role === 'peer')) return members.map((member) => [member]);
  const side = (role: Role) => members.filter((member) => member.role === role);
  return [side('mentor'), side('mentee')];
}

/** Whether the mentorship is a group of peers. */
export function isPeers(members: readonly Member[]): boolean {
  return members.some((member) => member.role === 'peer');
}

function together(members: readonly Member[], stays: ReadonlyMap<number, Stay[]>): Stay[] {
  const sides = sidesOf(members).map((side) => side.flatMap(({ personId }) => stays.get(personId) ?? []));
  return isPeers(members) ? anyTwo(sides) : shared(sides[0] ?? [], sides[1] ?? []);
}

function sidesWith(members: readonly Member[], isTrue: (member: Member) => boolean): number {
  return sidesOf(members).filter((side) => side.some(isTrue)).length;
}

/** Whether each of two sides has somebody of whom it is true. */
export function bySides(seen: Sighting, isTrue: (member: Member) => boolean): boolean {
  return sidesWith(seen.members, isTrue) >= 2;
}

/**
 * The sides as they were expected: whoever was invited, and whoever came without. In a meeting of two within a
 * larger mentorship nobody waits for the others, so that they cannot keep a side from being absent.
 */
export function expectedSides(seen: Sighting): Member[][] {
  const expected = (member: Member) => member.invited || isThere(seen, member);
  if (isPeers(seen.members)) return sidesOf(seen.members.filter(expected));
  return sidesOf(seen.members).map((side) => (side.some(expected) ? side.filter(expected) : side));
}

/** What the program takes for a proof. Two words are more than the one that would have been enough. */
export function accepts(policy: AttendancePolicy, tier: AcceptableTier): boolean {
  return policy.accept.includes(tier) || (tier === 'human_both' && policy.accept.includes('human_one'));
}

/** Whether a record shows the member, or an administrator says that they came. */
export function came(seen: Sighting, { personId }: Member): boolean {
  return seen.corrected.get(personId) === 'attended' || seen.stays.has(personId);
}

/** The same, or somebody who must have been there to say that another was not. */
export function isThere(seen: Sighting, member: Member): boolean {
  return came(seen, member) || saysSomebodyWasAbsent(seen, member);
}

/** Whether it is proven or told that the member was not there. Knowing nothing is not enough. */
export function absent(seen: Sighting, member: Member): boolean {
  const { personId } = member;
  const correction = seen.corrected.get(personId);
  if (correction !== undefined) return correction === 'absent' || correction === 'excused';
  if (isThere(seen, member)) return false;
  if (seen.saidAbsent.has(personId) || seen.saidExcused.has(personId)) return true;
  if (seen.whole === 'not_met' || seen.notMetAccepted) return true;
  // Everybody in the record is identified: nobody else was there. Who of a group was meant to come, it cannot tell.
  if (seen.complete && !member.byGroup) return true;
  // A decliner may be the guest; with nobody unidentified around, they are not there.
  return member.declined && seen.strangers.length === 0 && seen.saysMet.size === 0;
}

/** Whether a person has said anything about the session, be it only of themself. */
export function spoke(seen: Sighting, { personId }: Member): boolean {
  return (
    seen.saysMet.has(personId) ||
    seen.saysNotMet.has(personId) ||
    [...seen.saidAbsent.values()].some((by) => by.has(personId))
  );
}

/** Whether an administrator says of any member that they came. */
export function someCorrected(seen: Sighting): boolean {
  return seen.members.some(({ personId }) => seen.corrected.get(personId) === 'attended');
}

/** A complete record shows that not even two sides can have met in it. */
export function provenAbsent(seen: Sighting): boolean {
  return seen.complete && !bySides(seen, (member) => seen.stays.has(member.personId));
}

/** Whether somebody unidentified was long enough together with an identified member to have been the other side. */
export function strangersCouldHaveMet(seen: Sighting): boolean {
  const members = [...seen.stays.values()].flat();
  return lasted(shared(members, seen.strangers)) >= seen.minimumMs && seen.strangers.length > 0;
}

/** "She did not come" is said by somebody who did. */
export function saysSomebodyWasAbsent(seen: Sighting, { personId }: Member): boolean {
  return [...seen.saidAbsent].some(([absent, by]) => absent !== personId && by.has(personId));
}
