import { toMilliseconds } from '../clock.ts';
import { occurrencesOf, ownResponse } from './occurrences.ts';
import type { Guest, Meeting, PastOccurrence, Response } from './types.ts';
import type { World } from './world.ts';

export interface TruePresence {
  /** The world's key of the person, null for people nobody identified. */
  person: string | null;
  name: string;
  address: string | null;
  from: string;
  until: string;
}

/** One occurrence as it truly is, whatever calendars show. All instants are ISO text in UTC. */
export interface TrueOccurrence {
  meeting: string;
  story: string;
  /** The UID that all halves of a split made by Google share; Outlook gives the second half another. */
  lineage: string;
  uid: string;
  ordinal: number;
  /** Null for single meetings. */
  originalStart: string | null;
  start: string;
  end: string;
  allDay: boolean;
  cancelled: boolean;
  cancelledAt: string | null;
  /** Taken place before the schedule was last changed: it stands as it was then. */
  settledPast: boolean;
  title: string;
  /** Every mark on the meeting: `#words` of title and body, `category:NAME`, `property:KEY=VALUE`. */
  tags: string[];
  eventType: string;
  visibility: string;
  conference: 'meet' | 'teams' | 'zoom' | null;
  organizer: string;
  /** Organizer first, then guests (rooms left out), with what each of them answered. */
  people: { person: string | null; address: string; name: string; response: Response }[];
  present: TruePresence[];
}

/** The occurrences that start in `[from, until)`, in order of start. This is what a reader should have found. */
export function truth(
  world: World,
  window: { from: number | string; until: number | string },
): TrueOccurrence[] {
  const from = toMilliseconds(window.from);
  const until = toMilliseconds(window.until);
  const inWindow = ({ start }: PastOccurrence): boolean => start >= from && start < until;
  return [...world.meetings.values()]
    .flatMap((meeting) => {
      const past = meeting.history.filter(inWindow);
      const present = occurrencesOf(meeting, world.now(), { from, until })
        .filter(inWindow)
        .filter((occurrence) => occurrence.end > meeting.historyUntil);
      return [
        ...past.map((occurrence) => trueOccurrence(world, meeting, occurrence, true)),
        ...present.map((occurrence) => trueOccurrence(world, meeting, occurrence, false)),
      ];
    })
    .sort((one, other) => one.start.localeCompare(other.start) || one.meeting.localeCompare(other.meeting));
}

function trueOccurrence(
  world: World,
  meeting: Meeting,
  occurrence: PastOccurrence,
  settledPast: boolean,
): TrueOccurrence {
  return {
    meeting: meeting.id,
    story: meeting.story,
    lineage: meeting.lineage,
    uid: meeting.uid,
    ordinal: occurrence.ordinal,
    originalStart: occurrence.slot === null ? null : iso(occurrence.slot),
    start: iso(occurrence.start),
    end: iso(occurrence.end),
    allDay: meeting.allDay,
    cancelled: occurrence.cancelledAt !== null,
    cancelledAt: occurrence.cancelledAt === null ? null : iso(occurrence.cancelledAt),
    settledPast,
    title: occurrence.title,
    tags: tagsOf(world, meeting, occurrence),
    eventType: meeting.eventType,
    visibility: meeting.visibility,
    conference: meeting.conference?.kind ?? null,
    organizer: world.person(meeting.organizer).addresses[0] ?? '',
    people: peopleOf(world, meeting, occurrence),
    present: presentAt(world, meeting, occurrence),
  };
}

function tagsOf(world: World, meeting: Meeting, occurrence: PastOccurrence): string[] {
  const text = `${occurrence.title}\n${occurrence.body.replaceAll(/<[^>]*>/g, ' ')}`;
  const words = text.match(/#[\p{L}\p{N}_-]+|\[[\p{L}\p{N}_-]+\]/gu) ?? [];
  const marks = world
    .copiesOf(meeting.id)
    .flatMap((copy) => [
      ...copy.categories.map((name) => `category:${name}`),
      ...(occurrence.slot === null ? [] : (copy.slots.get(occurrence.slot)?.categories ?? [])).map(
        (name) => `category:${name}`,
      ),
      ...Object.entries(copy.privateProperties).map(([key, value]) => `property:${key}=${value}`),
    ]);
  const shared = Object.entries(meeting.sharedProperties).map(([key, value]) => `property:${key}=${value}`);
  return [...new Set([...words, ...marks, ...shared])].sort();
}

function peopleOf(world: World, meeting: Meeting, occurrence: PastOccurrence): TrueOccurrence['people'] {
  const organizer = world.person(meeting.organizer);
  const organizerCopy = world.copy(organizer.id, meeting.id);
  const answerOf = (guest: Guest): Response => {
    const copy = guest.person === null ? undefined : world.copy(guest.person, meeting.id);
    return copy === undefined ? guest.response : ownResponse(copy, occurrence.slot).response;
  };
  return [
    {
      person: organizer.id,
      address: organizer.addresses[0] ?? '',
      name: organizer.name,
      response:
        organizerCopy === undefined ? 'accepted' : ownResponse(organizerCopy, occurrence.slot).response,
    },
    ...occurrence.guests
      .filter((guest) => guest.kind !== 'resource')
      .map((guest) => ({
        person: guest.person,
        address: guest.address,
        name: guest.name,
        response: answerOf(guest),
      })),
  ];
}

function presentAt(world: World, meeting: Meeting, occurrence: PastOccurrence): TruePresence[] {
  return world.calls
    .filter((call) => call.meeting === meeting.id && call.slot === occurrence.slot)
    .flatMap((call) => call.presences)
    .flatMap(({ who, intervals }) => {
      const person = 'person' in who ? world.person(who.person) : null;
      const name = person?.name ?? ('phone' in who ? who.phone : 'anonymous' in who ? who.anonymous : '');
      return intervals.map(([from, until]) => ({
        person: person?.id ?? null,
        name,
        address: person?.addresses[0] ?? null,
        from: iso(from),
        until: iso(until),
      }));
    })
    .sort((one, other) => one.from.localeCompare(other.from));
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
