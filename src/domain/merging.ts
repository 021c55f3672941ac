import { cancellationOf } from './cancellation.ts';
import { leadingCopy, type MergeContext, newest, peopleOf, rsvpOf } from './copies.ts';
import { mentorshipsOf, type Present, sideOf } from './membership.ts';
import type { Conference, Instant, Rsvp } from './observation.ts';
import {
  type Copy,
  isAgreed,
  isStanding,
  type Occurrence,
  type Participant,
  type Roster,
  type Session,
} from './occurrence.ts';
import { letGoAt, tagBearers } from './tag-loss.ts';
import { agreedLead, isUnsent } from './unsent.ts';

/** What an occurrence and its sessions are, from all its copies on all calendars. */

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
      !copy.unsent &&
      copy.holder.calendarId === lead.holder.calendarId &&
      copy.sourceId === lead.sourceId &&
      copy.start === lead.start &&
      copy.end === lead.end,
  );
}

/** What all copies say about the meeting itself. Sessions are not touched. */
function mergeMeeting(
  before: Occurrence,
  context: MergeContext,
  known: readonly Copy[],
  ended: boolean,
): Occurrence {
  const { copies } = before;
  const called = cancellationOf(copies, context);
  // What the source dates after the start is kept with the copy and counts for nothing: people tidy calendars.
  const cancelled = called && called.at < before.start ? called : null;
  const isPrivate = copies.some((copy) => isStanding(copy) && copy.private);
  // What somebody calls private is hidden, whenever they say so.
  const shown = isPrivate && !before.private ? { ...before, private: true, title: null } : before;
  if (ended) {
    return before.cancelled || !cancelled ? shown : { ...shown, cancelled };
  }
  if (called) return { ...before, cancelled: before.cancelled ?? cancelled };
  // What was never agreed is where its organizer has it; what was agreed stays as it was until the change is sent.
  const drafted = before.sessions.length === 0 ? newest(copies.filter(isStanding)) : undefined;
  const lead = agreedLead(before, known, context.blind) ?? drafted;
  if (!lead) return shown;
  const telling = copies.filter(lead.unsent ? isStanding : isAgreed);
  const conference: Conference | null =
    lead.conference ?? newest(telling.filter((copy) => copy.conference !== null))?.conference ?? null;
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
  const meeting = mergeMeeting(before, context, known, ended);
  const unsent = isUnsent(meeting.copies);
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
    if (session.settled || (unsent && !meeting.cancelled)) return session;
    const match = wanted.get(session.mentorshipId);
    const participants = match ? participantsOf(match.present, meeting.copies, roster) : session.participants;
    if (ended) {
      const known = new Map(participants.map((participant) => [participant.personId, participant]));
      const answered = session.participants.map((was) => ({
        ...was,
        rsvp: laterAnswer(was.rsvp, known.get(was.personId)?.rsvp, () =>
          meeting.copies.some((copy) => declines(copy, was.personId, session.start)),
        ),
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
    if (existing.has(mentorshipId) || meeting.cancelled || unsent) continue;
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

/** After the end an answer may still come in; a copy that somebody tidied away takes none back, and declines nothing. */
function laterAnswer(was: Rsvp, is: Rsvp | undefined, isDeclined: () => boolean): Rsvp {
  if (is === undefined || is === 'none') return was;
  return is === 'declined' && !isDeclined() ? was : is;
}

/**
 * Whether a copy shows that somebody declined, and not only that their entry is gone: Google shows the organizer both
 * alike, and people tidy away what is over.
 */
function declines(copy: Copy, personId: number, start: Instant): boolean {
  if (!isStanding(copy)) return false;
  if (copy.holder.personId === personId) return copy.ownerResponse === 'declined';
  return copy.ownerIsOrganizer && (copy.updatedAt ?? 0) < start;
}

function cancel(session: Session, meeting: Occurrence, roster: Roster): Session['cancelled'] {
  if (!meeting.cancelled) return null;
  const mentorship = roster.mentorships.find(({ mentorshipId }) => mentorshipId === session.mentorshipId);
  const by = mentorship ? sideOf(meeting.organizer, mentorship, roster) : null;
  return { at: meeting.cancelled.at, reason: meeting.cancelled.reason, by };
}
