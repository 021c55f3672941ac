import type { ConferenceRecord } from './conference-record.ts';
import { type HarvestSource, harvestWindow } from './harvest.ts';
import type { Instant } from './observation.ts';

/** Whose a call is, where several meetings share a link. */

/** A meeting that may own a conference record. */
export type Scheduled = {
  readonly occurrenceId: number;
  readonly start: Instant;
  readonly end: Instant;
  /** The ids of it on calendars, for a source that names events. */
  readonly eventIds?: readonly string[];
};

/** How long after its window a record may begin that names the meeting: the log of Meet is read as far as that. */
const NAMED_WITHIN_MS = 24 * 60 * 60_000;

/**
 * The meeting a record belongs to: of those whose event it names, be they held hours late, else of all that share the
 * link and whose window it touches, the one whose scheduled time it overlaps most, else the nearest; `null` when there is
 * none (an ad-hoc call). A series shares one link, an event that is used again after it was missed names both meetings,
 * and reports come in no calendar order.
 */
export function meetingOf(
  source: HarvestSource,
  record: Pick<ConferenceRecord, 'from' | 'until' | 'eventId'>,
  meetings: readonly Scheduled[],
): number | null {
  const until = record.until ?? Number.POSITIVE_INFINITY;
  const { eventId } = record;
  const named = meetings.filter((meeting) => {
    const window = harvestWindow(source, meeting);
    const isNamed = eventId != null && meeting.eventIds?.includes(eventId) === true;
    return isNamed && record.from < window.until + NAMED_WITHIN_MS && until >= window.from;
  });
  const touched = meetings.filter((meeting) => {
    const window = harvestWindow(source, meeting);
    return record.from < window.until && until >= window.from;
  });
  const candidates = named.length > 0 ? named : touched;
  const overlap = (meeting: Scheduled) =>
    Math.max(0, Math.min(until, meeting.end) - Math.max(record.from, meeting.start));
  const distance = (meeting: Scheduled) =>
    Math.max(0, record.from - meeting.end, meeting.start - Math.min(until, Number.MAX_SAFE_INTEGER));
  const [best] = [...candidates].sort(
    (one, other) =>
      overlap(other) - overlap(one) ||
      distance(one) - distance(other) ||
      one.start - other.start ||
      one.occurrenceId - other.occurrenceId,
  );
  return best?.occurrenceId ?? null;
}

/**
 * The records of one meeting. Where none is its own, that of a meeting before or after it may tell of it too: people who
 * keep one link for all their meetings stay in one call, which is one record. What it shows within the scheduled time is
 * then a partial record: it proves who was there and nobody absent.
 * @param meetings all that share the link, this one among them
 */
export function recordsOf(
  source: HarvestSource,
  records: readonly ConferenceRecord[],
  meetings: readonly Scheduled[],
  occurrenceId: number,
): readonly ConferenceRecord[] {
  const owned = records.map((record) => ({ record, owner: meetingOf(source, record, meetings) }));
  const own = owned.filter(({ owner }) => owner === occurrenceId);
  const meeting = meetings.find((one) => one.occurrenceId === occurrenceId);
  if (own.length > 0 || meeting === undefined) return own.map(({ record }) => record);
  return owned.flatMap(({ record, owner }) => {
    const theirs = meetings.find((one) => one.occurrenceId === owner);
    // Two entries for one time are one meeting twice: held once, it must not count for both.
    if (theirs === undefined || (theirs.start < meeting.end && meeting.start < theirs.end)) return [];
    const isNamed = record.eventId != null && theirs.eventIds?.includes(record.eventId) === true;
    const excerpt = isNamed ? null : excerptOf(record, meeting);
    return excerpt === null ? [] : [excerpt];
  });
}

/** What a record shows within a meeting's scheduled time; `null` where that is nobody. */
function excerptOf(record: ConferenceRecord, { start, end }: Scheduled): ConferenceRecord | null {
  const within = (from: Instant, until: Instant | null) => {
    const clipped = { from: Math.max(from, start), until: Math.min(until ?? end, end) };
    return clipped.from < clipped.until ? [clipped] : [];
  };
  const [call] = within(record.from, record.until);
  const participants = record.participants
    .map((participant) => ({
      ...participant,
      intervals: participant.intervals.flatMap(({ from, until }) => within(from, until)),
    }))
    .filter(({ intervals }) => intervals.length > 0);
  return call === undefined || participants.length === 0
    ? null
    : { ...record, ...call, participants, partial: true };
}
