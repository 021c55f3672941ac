import { type Kysely, sql } from 'kysely';
import { DateTime } from 'luxon';
import {
  categoriesAt,
  copyStatus,
  guestsAt,
  occurrencesOf,
  ownResponse,
  type TrueOccurrence,
  truth,
  type World,
} from '../../src/sandbox/world/index.ts';
import type { DB } from '../../src/store/database.generated.ts';
import type { Names } from './identity.ts';
import { MENTORSHIPS, type Mentorship, START, ZONE } from './stage.ts';

/**
 * What the database must hold, worked out from the world's truth alone. Nothing of the daemon's own rules is used:
 * they are written here a second time, from what was promised.
 */

const DAY = 86_400_000;
/**
 * How far ahead the comparison looks. Each calendar's window reaches 120 days beyond the day on which it was last
 * read; what lies beyond the first of these windows may or may not be known yet.
 */
export const HORIZON = Date.parse(START) + 113 * DAY;

/** A session that must be there: everything but the name is compared with the database. */
export interface Expected {
  /** The true occurrence and the mentorship. */
  readonly name: string;
  readonly lineage: string;
  readonly mentorship: string;
  readonly start: number;
  readonly end: number;
  readonly originalStart: number | null;
  readonly title: string | null;
  /** `address role answer`, sorted. */
  readonly participants: string;
  /** When the organizer's copy says that it last changed. */
  readonly changedAt: number;
}

/** Every session of occurrences that are not over, in and beyond the horizon. */
export function expectedSessions(world: World, names: Names): Expected[] {
  return sessionsFrom(world, names, world.now() - 2 * DAY).filter(({ end }) => end > world.now());
}

/** As {@link expectedSessions}, with those that are over and whose meeting has not been touched since. */
export function sessionsFrom(world: World, names: Names, from: number): Expected[] {
  return truth(world, { from, until: HORIZON + 60 * DAY })
    .filter((one) => !one.settledPast)
    .filter((one) => !one.cancelled && !one.allDay && one.eventType === 'default' && isTagged(world, one))
    .flatMap((one) => {
      const present = new Set(one.people.flatMap(({ person }) => person ?? []));
      return MENTORSHIPS.filter((mentorship) => isHeldBy(world, mentorship, one, present)).map(
        (mentorship): Expected => ({
          name: `${names.nameOf(world, one.meeting, one.ordinal)} ${mentorship.name}`,
          lineage: one.lineage,
          mentorship: mentorship.name,
          start: Date.parse(one.start),
          end: Date.parse(one.end),
          originalStart: one.originalStart === null ? null : Date.parse(one.originalStart),
          title: one.visibility === 'private' || one.visibility === 'confidential' ? null : one.title,
          participants: mentorship.members
            .filter((member) => present.has(world.person(member.address).id))
            .map((member) => `${member.address} ${member.role} ${answerOf(world, one, member.address)}`)
            .sort()
            .join(', '),
          changedAt: changedAt(world, one),
        }),
      );
    });
}

function changedAt(world: World, one: TrueOccurrence): number {
  const meeting = world.meeting(one.meeting);
  return world.updatedAt(meeting.organizer, meeting, slotOf(one));
}

const slotOf = (one: TrueOccurrence): number | null =>
  one.originalStart === null ? null : Date.parse(one.originalStart);

/** Words travel with the meeting; a category or a property counts where it stands on a copy that is on its calendar. */
function isTagged(world: World, one: TrueOccurrence): boolean {
  if (one.tags.includes('#mentoring')) return true;
  const meeting = world.meeting(one.meeting);
  const slot = slotOf(one);
  return world
    .copiesOf(one.meeting)
    .filter((copy) => copyStatus(meeting, copy, slot) === 'live')
    .some((copy) =>
      world.person(copy.person).provider === 'microsoft'
        ? categoriesAt(copy, slot).includes('Mentoring')
        : // Only Google shows properties, on copies of whatever origin.
          copy.privateProperties.programme === 'mentoring' ||
          meeting.sharedProperties.programme === 'mentoring',
    );
}

type Times = Pick<Expected, 'mentorship' | 'start' | 'end'>;

const ofEveryMentorship = (start: number, end: number): Times[] =>
  MENTORSHIPS.map(({ name }) => ({ mentorship: name, start, end }));

/**
 * What is over and was no session for want of a mark. A mark that is set afterwards (a series is labelled as a
 * whole, past occurrences with it) makes it one: it was held, it was only not called by its name.
 */
export function tookPlace(world: World): Times[] {
  return truth(world, { from: Date.parse(START), until: world.now() })
    .filter((one) => Date.parse(one.end) <= world.now() && !one.cancelled)
    .flatMap((one) => ofEveryMentorship(Date.parse(one.start), Date.parse(one.end)));
}

/**
 * A series that was moved as a whole shows its past where it never was, and a reader who had not known of it before
 * sees nothing else, for as long as it is shown. `isKnown` tells by name what had been read before it was over: that
 * stays as it was.
 */
export function shownWhereItNeverWas(
  world: World,
  names: Names,
  isKnown: (name: string) => boolean,
): Times[] {
  const span = { from: Date.parse(START), until: world.now() };
  return [...world.meetings.values()]
    .filter(({ historyUntil }) => historyUntil > span.from)
    .flatMap((meeting) =>
      occurrencesOf(meeting, world.now(), span)
        .filter(({ end, cancelledAt }) => end <= meeting.historyUntil && cancelledAt === null)
        .flatMap(({ ordinal, start, end }) =>
          ofEveryMentorship(start, end).filter(
            ({ mentorship }) => !isKnown(`${names.nameOf(world, meeting.id, ordinal)} ${mentorship}`),
          ),
        ),
    );
}

/** Both sides are invited, on a day that belongs to the mentorship. */
function isHeldBy(
  world: World,
  { members, endsOn }: Mentorship,
  one: TrueOccurrence,
  present: ReadonlySet<string>,
): boolean {
  const has = (role: string) =>
    members.some((member) => member.role === role && present.has(world.person(member.address).id));
  return has('mentor') && has('mentee') && (endsOn === '' || dayOf(one) <= endsOn);
}

const dayOf = (one: TrueOccurrence): string => DateTime.fromISO(one.start, { zone: ZONE }).toISODate() ?? '';

/** A person's own copy knows best; where it says nothing, or they took it away, what the organizer was told. */
function answerOf(world: World, one: TrueOccurrence, address: string): string {
  const meeting = world.meeting(one.meeting);
  const person = world.person(address);
  const slot = slotOf(one);
  if (person.id === meeting.organizer) return 'accepted';
  const copy = world.copy(person.id, meeting.id);
  const stands = copy !== undefined && copyStatus(meeting, copy, slot) === 'live';
  const own = stands ? ownResponse(copy, slot).response : 'none';
  if (own !== 'none') return own;
  const told = guestsAt(meeting, slot).find((guest) => guest.person === person.id);
  return told?.response ?? 'none';
}

export interface Stored {
  readonly session_id: number;
  readonly lineage: string;
  readonly mentorship: string;
  readonly status: string;
  readonly start: number;
  readonly end: number;
  readonly originalStart: number | null;
  readonly title: string | null;
  readonly participants: string;
}

export async function storedSessions(db: Kysely<DB>): Promise<Stored[]> {
  const { rows } = await sql<{ sessions: Stored[] | null }>`
    select jsonb_agg(jsonb_build_object(
             'session_id', session.session_id, 'lineage', occurrence.lineage, 'mentorship', mentorship.key,
             'status', session.status,
             'start', (extract(epoch from session.starts_at) * 1000)::bigint,
             'end', (extract(epoch from session.ends_at) * 1000)::bigint,
             'originalStart', (extract(epoch from occurrence.original_start) * 1000)::bigint,
             'title', occurrence.title,
             'participants', (select string_agg(person.address || ' ' || participant.role || ' ' || participant.rsvp,
                                                ', ' order by person.address collate "C")
                                from cadenced.participant join cadenced.person using (person_id)
                               where participant.session_id = session.session_id))
             order by session.session_id) as sessions
      from cadenced.session
      join cadenced.occurrence using (occurrence_id)
      join cadenced.mentorship using (mentorship_id)`.execute(db);
  return rows[0]?.sessions ?? [];
}

type Facts = Pick<Expected, 'mentorship' | 'lineage' | 'start' | 'end' | 'title' | 'participants'>;

/** One session in one line, as it stands in the differences. */
export function line(facts: Facts): string {
  const at = (instant: number) => new Date(instant).toISOString().slice(0, 16);
  const { mentorship, lineage, title, participants } = facts;
  return `${at(facts.start)} - ${at(facts.end).slice(11)} ${mentorship} "${title ?? '(private)'}" [${participants}] ${lineage.slice(-40)}`;
}

/** Lines of both sides that the other lacks; equal lines count as often as they stand there. */
export function differences(expected: readonly string[], found: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const one of expected) count.set(one, (count.get(one) ?? 0) + 1);
  for (const one of found) count.set(one, (count.get(one) ?? 0) - 1);
  return [...count]
    .filter(([, balance]) => balance !== 0)
    .map(([one, balance]) => `${balance > 0 ? 'missing' : 'too much'}: ${one}`)
    .sort((a, b) => a.replace(/^[^:]*/, '').localeCompare(b.replace(/^[^:]*/, '')));
}
