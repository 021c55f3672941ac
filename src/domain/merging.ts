import { splitStampOf } from './lineage.ts';
import type { Conference, Instant, ObservedPerson, Rsvp } from './observation.ts';
import {
  type CancelReason,
  type Copy,
  isLive,
  isStanding,
  type MentorshipMembers,
  type Occurrence,
  type Participant,
  type Roster,
  type Session,
} from './occurrence.ts';
import type { Role } from './roster.ts';
import { isPersonalMark } from './tags.ts';

/**
 * What several copies of one meeting say together. Time and cancellation: the organizer's copy, else the newest.
 * A person's answer: their own copy, else the organizer's, never a third person's. A guest who deletes their copy
 * has cancelled nothing.
 */

export interface MergeContext {
  readonly now: Instant;
  readonly roster: Roster;
  /** Calendars that cannot be read at present: what we know of them is old, so they do not decide. */
  readonly blind: ReadonlySet<number>;
  /** Copies of the whole lineage's series that stand on their organizer's calendar. */
  readonly organizersSeries?: readonly Copy[];
}

/** The last tie-breaks only make sure that the order in which copies came has no say. */
const newest = (copies: readonly Copy[]): Copy | undefined =>
  copies.toSorted(
    (a, b) =>
      (b.updatedAt ?? 0) - (a.updatedAt ?? 0) ||
      a.holder.calendarId - b.holder.calendarId ||
      (a.sourceId < b.sourceId ? -1 : 1),
  )[0];

/**
 * The copies whose tags speak for the meeting: those that stand and, for a calendar on which none stands any more,
 * the one that stood there last. Somebody who deletes their copy has neither called the meeting off nor untagged it,
 * even if the tag (a category, a private property) was on that copy alone.
 */
export function tagBearers(copies: readonly Copy[]): Copy[] {
  const standing = copies.filter(isStanding);
  // One that is shown as called off is what became of the owner's: they were uninvited, and bear no tag any more.
  const seen = new Set(copies.filter(isLive).map((copy) => copy.holder.calendarId));
  const left = copies.filter((copy) => copy.removal !== null && !seen.has(copy.holder.calendarId));
  const last = Map.groupBy(left, (copy) => copy.holder.calendarId);
  return [
    ...standing,
    ...[...last.values()].flatMap((those) => {
      // A copy without an id was stored by this very pass and is the latest.
      const latest = those.toSorted(
        (a, b) =>
          (b.removal?.at ?? 0) - (a.removal?.at ?? 0) ||
          (b.copyId ?? Number.MAX_SAFE_INTEGER) - (a.copyId ?? Number.MAX_SAFE_INTEGER),
      )[0];
      if (!latest || latest.removal?.how === 'untagged') return [];
      // Words travel with the meeting: while another copy stands, that copy says whether they are still there.
      return standing.length === 0
        ? [latest]
        : [{ ...latest, matched: latest.matched.filter((match) => isPersonalMark(match)) }];
    }),
  ];
}

/** The copy that decides when the meeting is. */
export function leadingCopy(copies: readonly Copy[], blind: ReadonlySet<number>): Copy | undefined {
  const standing = copies.filter(isStanding);
  const organizers = standing.filter((copy) => copy.ownerIsOrganizer && !blind.has(copy.holder.calendarId));
  return newest(organizers) ?? newest(standing);
}

/** Whether no later copy stands or stood on the same calendar. A copy without an id comes with this very pass. */
const isLatest = (copy: Copy, copies: readonly Copy[]): boolean =>
  !copies.some(
    (other) =>
      other !== copy &&
      other.holder.calendarId === copy.holder.calendarId &&
      (other.copyId ?? Number.MAX_SAFE_INTEGER) > (copy.copyId ?? Number.MAX_SAFE_INTEGER),
  );

/**
 * Whether what is left of an organizer's copy is the trace of a meeting that went to another organizer. On the old
 * calendar Google shows a moved event as it shows one called off, by its id and nothing else
 * (https://developers.google.com/workspace/calendar/api/v3/reference/events/move); whose it is now stands on the others'
 * copies. A copy that is not read any more counts unless it is older than the organizer's own last word, and one that
 * went before the organizer's did knows of no later organizer: it is itself what the meeting left.
 */
function isMovedAway(own: Copy, copies: readonly Copy[], { roster, blind }: MergeContext): boolean {
  const { removal } = own;
  if (!own.ownerIsOrganizer || removal === null || own.holder.provider !== 'google') return false;
  const isOwn = (organizer: string): boolean =>
    organizer === own.organizer ||
    organizer === own.holder.address ||
    (own.holder.personId !== null && roster.personOf.get(organizer) === own.holder.personId);
  return copies.some(
    (other) =>
      other.organizer !== null &&
      !isOwn(other.organizer) &&
      ((isStanding(other) && !blind.has(other.holder.calendarId)) ||
        ((other.updatedAt ?? 0) >= (own.updatedAt ?? 0) &&
          (other.removal === null || other.removal.at >= removal.at))),
  );
}

/** Whether the copies say that the meeting is off, since when, and how we know. */
export function cancellationOf(
  copies: readonly Copy[],
  context: MergeContext,
): { at: Instant; reason: CancelReason } | null {
  const { now, blind, organizersSeries = [] } = context;
  // A copy that was let go because its tag was lost stood there when we last looked: it called nothing off.
  const letGo = copies.filter((copy) => copy.removal?.how === 'untagged' && isLatest(copy, copies));
  const known = copies.filter(
    (copy) => copy.removal?.how !== 'untagged' && !isMovedAway(copy, copies, context),
  );
  const organizers = known.filter((copy) => copy.ownerIsOrganizer && !blind.has(copy.holder.calendarId));
  const calledOff = known.filter((copy) => copy.removal === null && copy.status === 'cancelled');
  const lastWord = (those: readonly Copy[]): Instant =>
    Math.max(...those.map((copy) => copy.removal?.at ?? copy.updatedAt ?? now));
  if (letGo.some((copy) => copy.ownerIsOrganizer)) return null;
  if (organizers.length > 0) {
    if (organizers.some(isStanding)) return null;
    const said = organizers.some((copy) => copy.status === 'cancelled' || copy.removal?.how === 'cancelled');
    // Outlook does not date a deletion, so that it counts from when we learn of it; the mark that it leaves on every
    // guest's copy is dated. One marked guest among others who are not was only uninvited.
    const marked = calledOff.length > 0 && !known.some(isStanding) ? lastWord(calledOff) : now;
    return { at: Math.min(lastWord(organizers), marked), reason: said ? 'cancelled' : 'deleted' };
  }
  if (calledOff.length > 0) {
    // The newest word counts: a copy that was brought up to date since, or together with the mark, was not called
    // off with it. Outlook marks the copy of a guest who was uninvited the same way.
    const since = lastWord(calledOff);
    const stands = known.some(
      (copy) => isStanding(copy) && !blind.has(copy.holder.calendarId) && (copy.updatedAt ?? 0) >= since,
    );
    return stands ? null : { at: since, reason: 'cancelled' };
  }
  if (known.length === 0 || known.some(isStanding) || letGo.length > 0) return null;
  // Nothing is left on any calendar we can see. Outlook keeps a called-off meeting on a guest's calendar, marked
  // cancelled; when it is simply gone there, the guest removed it. Google mostly says which of the two it was, and
  // where it does not, the meeting counts as called off. A program mailbox removes nothing by itself.
  const telling = known.filter(
    ({ removal, holder }) =>
      removal !== null &&
      (holder.personId === null || (holder.provider === 'google' && removal.how !== 'deleted')),
  );
  if (telling.length > 0) return { at: lastWord(telling), reason: 'removed_everywhere' };
  // A guest was read before the organizer, whose list of the series is newer and does not have it: the series was cut
  // short in between. An older list proves nothing, as it may not have reached so far.
  const lastShown = Math.max(...known.map((copy) => copy.updatedAt ?? now));
  const isLeftOut = organizersSeries.some(
    (copy) =>
      !blind.has(copy.holder.calendarId) &&
      (copy.updatedAt ?? 0) > lastShown &&
      known.every(({ seriesId, uid }) => seriesId !== null && splitStampOf(uid) === splitStampOf(copy.uid)),
  );
  return isLeftOut ? { at: lastWord(known), reason: 'removed_everywhere' } : null;
}

/** Everyone who is invited, as addresses with what is known of them. Owners of copies count. */
export function peopleOf(copies: readonly Copy[]): ReadonlyMap<string, ObservedPerson> {
  const standing = copies.filter(isStanding);
  const organizers = standing.filter((copy) => copy.ownerIsOrganizer && !copy.peopleOmitted && !copy.hidden);
  const people = new Map<string, ObservedPerson>();
  for (const copy of organizers.length > 0 ? organizers : standing) {
    for (const person of copy.people) if (!people.has(person.address)) people.set(person.address, person);
  }
  for (const copy of standing) {
    const { address, personId } = copy.holder;
    if (personId !== null && !people.has(address)) {
      const organizer = copy.ownerIsOrganizer;
      people.set(address, {
        address,
        name: null,
        response: copy.ownerResponse ?? 'none',
        organizer,
        optional: false,
      });
    }
  }
  // The organizer of a meeting takes part in it even where the provider leaves them out of the list.
  const lead = newest(standing);
  if (lead?.organizer && !people.has(lead.organizer)) {
    people.set(lead.organizer, {
      address: lead.organizer,
      name: null,
      response: 'accepted',
      organizer: true,
      optional: false,
    });
  }
  return people;
}

/** A person's answer to the invitation. */
export function rsvpOf(personId: number, copies: readonly Copy[], roster: Roster): Rsvp {
  const own = copies.filter((copy) => isStanding(copy) && copy.holder.personId === personId);
  const organizes = own.some((copy) => copy.ownerIsOrganizer);
  const ownWord = newest(own.filter((copy) => copy.ownerResponse !== null));
  if (ownWord?.ownerResponse && (ownWord.ownerResponse !== 'none' || ownWord.ownerIsOrganizer)) {
    return ownWord.ownerResponse;
  }
  const organizer = newest(copies.filter((copy) => isStanding(copy) && copy.ownerIsOrganizer));
  const listed = organizer?.people.find((person) => roster.personOf.get(person.address) === personId);
  if (listed) return listed.organizer ? 'accepted' : listed.response;
  // Only this person's own copy, or nobody's, can be read. A list on one's own copy repeats one's own answer.
  const ownListed = newest(own)?.people.find((person) => roster.personOf.get(person.address) === personId);
  if (ownListed) return ownListed.organizer ? 'accepted' : ownListed.response;
  // Who calls a meeting takes part in it, even where the provider does not list them.
  return organizes ? 'accepted' : (ownWord?.ownerResponse ?? 'none');
}

export type Unmatched = 'no_mentorship' | 'no_mentor' | 'no_mentee' | 'outside_dates' | 'people_hidden';

/** By member. A program's mailbox brings every mentorship of the program, and each of its meetings asks. */
const byMember = new WeakMap<Roster, ReadonlyMap<number, readonly MentorshipMembers[]>>();

/** A member who was invited. */
type Present = { readonly personId: number; readonly role: Role; readonly byGroup?: true };

/** The mentorships that somebody of the given people belongs to, ascending. */
function mentorshipsWith(people: ReadonlySet<number>, roster: Roster): MentorshipMembers[] {
  let index = byMember.get(roster);
  if (!index) {
    const made = new Map<number, MentorshipMembers[]>();
    for (const mentorship of roster.mentorships) {
      for (const { personId } of mentorship.members) {
        const those = made.get(personId);
        if (those) those.push(mentorship);
        else made.set(personId, [mentorship]);
      }
    }
    byMember.set(roster, made);
    index = made;
  }
  const found = new Set([...people].flatMap((personId) => index.get(personId) ?? []));
  return [...found].toSorted((a, b) => a.mentorshipId - b.mentorshipId);
}

/**
 * Which mentorships of a program a meeting belongs to: those of which it brings together both sides.
 * Somebody is named: a group's address alone, which may reach all mentorships of a program, makes none of them meet.
 * @returns the mentorships with who takes part, or why there is none
 */
export function mentorshipsOf(
  program: string,
  start: Instant,
  people: ReadonlyMap<string, ObservedPerson>,
  roster: Roster,
): {
  matched: Array<{ mentorship: MentorshipMembers; present: Present[] }>;
  because: Unmatched;
} {
  const present = new Set<number>();
  const reached = new Set<number>();
  for (const address of people.keys()) {
    const personId = roster.personOf.get(address);
    if (personId !== undefined) present.add(personId);
    for (const member of roster.groupOf?.get(address) ?? []) reached.add(member);
  }
  const matched = [];
  let because: Unmatched = 'no_mentorship';
  for (const mentorship of mentorshipsWith(present, roster)) {
    if (mentorship.program !== program) continue;
    const there = mentorship.members.flatMap((member): Present[] => {
      if (present.has(member.personId)) return [member];
      return reached.has(member.personId) ? [{ ...member, byGroup: true }] : [];
    });
    const count = (role: Role) => there.filter((member) => member.role === role).length;
    const bothSides = (count('mentor') > 0 && count('mentee') > 0) || count('peer') > 1;
    if (!bothSides) {
      if (because === 'no_mentorship')
        because = count('mentor') > 0 || count('peer') > 0 ? 'no_mentee' : 'no_mentor';
      continue;
    }
    if (start < mentorship.from || (mentorship.until !== null && start >= mentorship.until)) {
      because = 'outside_dates';
      continue;
    }
    matched.push({ mentorship, present: there });
  }
  return { matched, because };
}

/** The side of whoever could call the meeting off: its organizer. */
function sideOf(
  organizer: string | null,
  mentorship: MentorshipMembers,
  roster: Roster,
): Role | 'other' | null {
  if (!organizer) return null;
  const personId = roster.personOf.get(organizer);
  return mentorship.members.find((member) => member.personId === personId)?.role ?? 'other';
}

/**
 * Whether the copy that decides gave the meeting another time before it began, though we learn of it when the old time
 * is over: then it was moved, as it would have been had we looked. Only news count: a leading copy that changes because
 * a calendar can no longer be read moves nothing.
 */
function wasMovedInTime(before: Occurrence, { blind }: MergeContext, known: readonly Copy[]): boolean {
  const lead = leadingCopy(before.copies, blind);
  if (lead === undefined || (lead.updatedAt ?? Number.POSITIVE_INFINITY) >= before.start) return false;
  if (lead.start === before.start && lead.end === before.end) return false;
  if (before.sessions.some((session) => session.settled)) return false;
  return !known.some(
    (copy) =>
      copy.removal === null &&
      copy.holder.calendarId === lead.holder.calendarId &&
      copy.sourceId === lead.sourceId &&
      copy.start === lead.start &&
      copy.end === lead.end,
  );
}

/** What all copies say about the meeting itself. Sessions are not touched. */
function mergeMeeting(before: Occurrence, context: MergeContext, ended: boolean): Occurrence {
  const { copies } = before;
  const called = cancellationOf(copies, context);
  // What the source dates after the start is kept with the copy and counts for nothing: people tidy calendars.
  const cancelled = called && called.at < before.start ? called : null;
  const isPrivate = copies.some((copy) => isStanding(copy) && copy.private);
  if (ended) {
    // What somebody calls private is hidden, whenever they say so.
    const shown = isPrivate && !before.private ? { ...before, private: true, title: null } : before;
    return before.cancelled || !cancelled ? shown : { ...shown, cancelled };
  }
  if (called) return { ...before, cancelled: before.cancelled ?? cancelled };
  const lead = leadingCopy(copies, context.blind);
  if (!lead) return before;
  const conference: Conference | null =
    lead.conference ??
    newest(copies.filter((copy) => isStanding(copy) && copy.conference !== null))?.conference ??
    null;
  return {
    ...before,
    // A series that became a single event has no slot any more: an old one would match it to another's place later.
    originalStart: lead.originalStart,
    originalDate: lead.originalDate,
    start: lead.start,
    end: lead.end,
    cancelled: null,
    organizer: lead.organizer ?? before.organizer,
    title: isPrivate ? null : lead.title,
    private: isPrivate,
    conference,
    reschedules: before.reschedules + (before.occurrenceId !== null && lead.start !== before.start ? 1 : 0),
  };
}

function participantsOf(present: readonly Present[], copies: readonly Copy[], roster: Roster): Participant[] {
  return present
    .map((member) => ({ ...member, rsvp: rsvpOf(member.personId, copies, roster) }))
    .toSorted((a, b) => a.personId - b.personId);
}

/**
 * When the last copies lost their tag; `null` while one stands, or when none was let go for that just now: one that was
 * let go before tells nothing of a tag that came back since, on a copy that has left this occurrence.
 */
function letGoAt(copies: readonly Copy[], known: readonly Copy[]): Instant | null {
  if (copies.some(isStanding)) return null;
  const before = new Set(known.flatMap((copy) => (copy.removal?.how === 'untagged' ? [copy.copyId] : [])));
  const isNews = copies.some((copy) => copy.removal?.how === 'untagged' && !before.has(copy.copyId));
  if (!isNews) return null;
  const times = copies.flatMap(({ removal }) => (removal?.how === 'untagged' ? [removal.at] : []));
  return times.length > 0 ? Math.max(...times) : null;
}

/** What called a session off before it began, and was read when it was over. */
function learntLate(
  session: Session,
  meeting: Occurrence,
  letGo: Instant | null,
  roster: Roster,
): Session['cancelled'] {
  if (meeting.cancelled) return cancel(session, meeting, roster);
  return letGo !== null && letGo < session.start ? { at: letGo, reason: 'untagged', by: null } : null;
}

/**
 * Works out what an occurrence and its sessions are, from all its copies.
 * Once it has ended, its times, its sessions and its cancellation stay; an answer to the invitation may still come
 * in until the verdict is settled, and a mentorship that is only now known (a corrected roster) is added.
 * @param known the copies as they were stored; without them nothing counts as news
 */
export function merge(
  before: Occurrence,
  context: MergeContext,
  known: readonly Copy[] = before.copies,
): Occurrence {
  const { now, roster } = context;
  // One that we first see when it is over has no past of ours to protect.
  const ended = before.occurrenceId !== null && before.end <= now && !wasMovedInTime(before, context, known);
  const meeting = mergeMeeting(before, context, ended);
  const programs = new Set(
    tagBearers(meeting.copies).flatMap((copy) => copy.matched.map((match) => match.program)),
  );
  const people = peopleOf(meeting.copies);
  const wanted = new Map(
    [...programs].flatMap((program) =>
      mentorshipsOf(program, meeting.start, people, roster).matched.map(
        (match) => [match.mentorship.mentorshipId, match] as const,
      ),
    ),
  );
  const letGo = programs.size === 0 ? letGoAt(meeting.copies, known) : null;
  const sessions: Session[] = meeting.sessions.map((session) => {
    if (session.settled) return session;
    const match = wanted.get(session.mentorshipId);
    const participants = match ? participantsOf(match.present, meeting.copies, roster) : session.participants;
    if (ended) {
      const known = new Map(participants.map((participant) => [participant.personId, participant]));
      const answered = session.participants.map((was) => ({
        ...was,
        rsvp: laterAnswer(was.rsvp, known.get(was.personId)?.rsvp),
      }));
      return {
        ...session,
        participants: answered,
        cancelled: session.cancelled ?? learntLate(session, meeting, letGo, roster),
      };
    }
    const moved: Session = {
      ...session,
      start: meeting.start,
      end: meeting.end,
      participants,
      reschedules: session.reschedules + (session.start !== meeting.start ? 1 : 0),
    };
    if (meeting.cancelled)
      return { ...moved, cancelled: session.cancelled ?? cancel(session, meeting, roster) };
    if (match) return { ...moved, cancelled: null };
    // No copy left that could carry a tag (a guest removed the only one we see) says nothing about the meeting.
    if (!meeting.copies.some((copy) => isStanding(copy) || copy.removal?.how === 'untagged')) return moved;
    const off: Session['cancelled'] =
      programs.size === 0
        ? { at: letGo ?? now, reason: 'untagged', by: null }
        : { at: now, reason: 'people_changed', by: null };
    return { ...moved, cancelled: session.cancelled ?? off };
  });
  const existing = new Set(sessions.map((session) => session.mentorshipId));
  for (const [mentorshipId, { present }] of wanted) {
    if (existing.has(mentorshipId) || meeting.cancelled) continue;
    sessions.push({
      sessionId: null,
      mentorshipId,
      start: meeting.start,
      end: meeting.end,
      cancelled: null,
      reschedules: 0,
      participants: participantsOf(present, meeting.copies, roster),
      settled: false,
    });
  }
  return { ...meeting, sessions: sessions.toSorted((a, b) => a.mentorshipId - b.mentorshipId) };
}

/** After the end an answer may still come in; a copy that somebody tidied away takes none back. */
const laterAnswer = (was: Rsvp, is: Rsvp | undefined): Rsvp => (is === undefined || is === 'none' ? was : is);

function cancel(session: Session, meeting: Occurrence, roster: Roster): Session['cancelled'] {
  if (!meeting.cancelled) return null;
  const mentorship = roster.mentorships.find(({ mentorshipId }) => mentorshipId === session.mentorshipId);
  const by = mentorship ? sideOf(meeting.organizer, mentorship, roster) : null;
  return { at: meeting.cancelled.at, reason: meeting.cancelled.reason, by };
}
