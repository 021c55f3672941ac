import { type Kysely, sql } from 'kysely';
import type { Conference, Instant, ObservedPerson, Provider } from '../domain/observation.ts';
import type {
  Canceller,
  Copy,
  MentorshipMembers,
  Occurrence,
  Participant,
  Roster,
  Session,
} from '../domain/occurrence.ts';
import type { Role } from '../domain/roster.ts';
import type { DB } from './database.generated.ts';

/**
 * Reads the state that planning works on. One statement a kind of row, whatever the number of lineages.
 */

const instant = (value: string | null): Instant | null => (value === null ? null : Date.parse(value));
const at = (value: string): Instant => Date.parse(value);
const conference = (kind: string | null, key: string | null): Conference | null =>
  kind === null || key === null ? null : { kind: kind as Conference['kind'], key };

interface OccurrenceRow {
  occurrence_id: number;
  lineage: string;
  original_start: string | null;
  original_date: string | null;
  starts_at: string;
  ends_at: string;
  cancelled_at: string | null;
  cancel_reason: string | null;
  organizer: string | null;
  title: string | null;
  private: boolean;
  conference_kind: string | null;
  conference_key: string | null;
  reschedules: number;
  first_seen_at: string;
}

/** JSON of an event_copy row joined with its calendar. */
interface CopyRow {
  copy_id: number;
  occurrence_id: number;
  calendar_id: number;
  provider: Provider;
  address: string;
  person_id: number | null;
  source_id: string;
  series_id: string | null;
  uid: string | null;
  original_start: string | null;
  original_date: string | null;
  starts_at: string;
  ends_at: string;
  time_zone: string | null;
  status: Copy['status'];
  organizer: string | null;
  unsent: boolean;
  owner_is_organizer: boolean;
  owner_response: Copy['ownerResponse'];
  people: ObservedPerson[];
  people_omitted: boolean;
  title: string | null;
  private: boolean;
  hidden: boolean;
  conference_kind: string | null;
  conference_key: string | null;
  matched: Copy['matched'];
  source_updated_at: string | null;
  revision: string;
  removed_at: string | null;
  removal: NonNullable<Copy['removal']>['how'] | null;
}

interface SessionRow {
  session_id: number;
  occurrence_id: number;
  mentorship_id: number;
  starts_at: string;
  ends_at: string;
  status: string;
  cancelled_at: string | null;
  cancelled_by: Canceller | null;
  cancel_reason: NonNullable<Session['cancelled']>['reason'] | null;
  reschedules: number;
  settled_at: string | null;
  participants: Array<{ person_id: number; role: Role; rsvp: Participant['rsvp']; by_group: boolean }> | null;
}

function copyOf(row: CopyRow): Copy {
  return {
    copyId: row.copy_id,
    holder: {
      calendarId: row.calendar_id,
      provider: row.provider,
      address: row.address,
      personId: row.person_id,
    },
    sourceId: row.source_id,
    seriesId: row.series_id,
    uid: row.uid,
    originalStart: instant(row.original_start),
    originalDate: row.original_date,
    start: at(row.starts_at),
    end: at(row.ends_at),
    timeZone: row.time_zone,
    status: row.status,
    organizer: row.organizer,
    unsent: row.unsent,
    ownerIsOrganizer: row.owner_is_organizer,
    ownerResponse: row.owner_response,
    people: row.people,
    peopleOmitted: row.people_omitted,
    title: row.title,
    private: row.private,
    hidden: row.hidden,
    conference: conference(row.conference_kind, row.conference_key),
    matched: row.matched,
    updatedAt: instant(row.source_updated_at),
    revision: row.revision,
    removal:
      row.removed_at !== null && row.removal !== null ? { at: at(row.removed_at), how: row.removal } : null,
  };
}

function sessionOf(row: SessionRow): Session {
  return {
    sessionId: row.session_id,
    mentorshipId: row.mentorship_id,
    start: at(row.starts_at),
    end: at(row.ends_at),
    cancelled:
      row.cancelled_at !== null && row.cancel_reason !== null
        ? { at: at(row.cancelled_at), reason: row.cancel_reason, by: row.cancelled_by }
        : null,
    reschedules: row.reschedules,
    participants: (row.participants ?? [])
      .map(({ person_id, role, rsvp, by_group }) => ({
        personId: person_id,
        role,
        rsvp,
        ...(by_group ? { byGroup: true as const } : {}),
      }))
      .toSorted((a, b) => a.personId - b.personId),
    settled: row.settled_at !== null,
  };
}

/** Every occurrence of the given lineages, with all copies and sessions. */
export async function loadOccurrences(db: Kysely<DB>, lineages: readonly string[]): Promise<Occurrence[]> {
  if (lineages.length === 0) return [];
  // Rows travel as JSON: one shape for instants whatever the driver is set to, and one row a table.
  const { rows } = await sql<{
    occurrences: OccurrenceRow[] | null;
    copies: CopyRow[] | null;
    sessions: SessionRow[] | null;
  }>`
    with wanted as (
      select * from cadenced.occurrence where lineage = any (${lineages})
    )
    select (select jsonb_agg(to_jsonb(wanted) order by wanted.occurrence_id) from wanted) as occurrences,
           (select jsonb_agg(to_jsonb(copy) || jsonb_build_object('provider', calendar.provider,
                     'address', calendar.address, 'person_id', calendar.person_id) order by copy.copy_id)
              from cadenced.event_copy copy
              join cadenced.calendar on calendar.calendar_id = copy.calendar_id
             where copy.occurrence_id in (select occurrence_id from wanted)) as copies,
           (select jsonb_agg(to_jsonb(session) || jsonb_build_object('participants',
                     (select jsonb_agg(jsonb_build_object('person_id', participant.person_id,
                               'role', participant.role, 'rsvp', participant.rsvp, 'by_group', participant.by_group))
                        from cadenced.participant where participant.session_id = session.session_id))
                     order by session.mentorship_id)
              from cadenced.session
             where session.occurrence_id in (select occurrence_id from wanted)) as sessions`.execute(db);
  const found = rows[0];
  const copies = Map.groupBy(found?.copies ?? [], (row) => row.occurrence_id);
  const sessions = Map.groupBy(found?.sessions ?? [], (row) => row.occurrence_id);
  return (found?.occurrences ?? []).map((row) => ({
    occurrenceId: row.occurrence_id,
    lineage: row.lineage,
    originalStart: instant(row.original_start),
    originalDate: row.original_date,
    start: at(row.starts_at),
    end: at(row.ends_at),
    cancelled:
      row.cancelled_at !== null && row.cancel_reason !== null
        ? {
            at: at(row.cancelled_at),
            reason: row.cancel_reason as NonNullable<Occurrence['cancelled']>['reason'],
          }
        : null,
    organizer: row.organizer,
    title: row.title,
    private: row.private,
    conference: conference(row.conference_kind, row.conference_key),
    reschedules: row.reschedules,
    firstSeenAt: at(row.first_seen_at),
    copies: (copies.get(row.occurrence_id) ?? []).map(copyOf),
    sessions: (sessions.get(row.occurrence_id) ?? []).map(sessionOf),
  }));
}

/** Who the addresses are, and every mentorship that any of them, or any of the given sessions, belongs to. */
export async function loadRoster(
  db: Kysely<DB>,
  addresses: readonly string[],
  mentorshipIds: readonly number[],
): Promise<Roster> {
  const { rows } = await sql<{
    people: Array<{ address: string; person_id: number }> | null;
    groups: Array<{ address: string; people: number[] }> | null;
    mentorships: Array<{
      mentorship_id: number;
      program: string;
      from: string;
      until: string | null;
      members: Array<{ person_id: number; role: Role }>;
    }> | null;
  }>`
    with concerned as (
      select distinct membership.mentorship_id
        from cadenced.person_address
        join cadenced.membership on membership.person_id = person_address.person_id
       where person_address.address = any (${addresses})
      union
      select membership.mentorship_id
        from cadenced.group_address
        join cadenced.membership on membership.person_id = group_address.person_id
       where group_address.address = any (${addresses})
      union
      select unnest(${mentorshipIds}::bigint[])
    )
    select (select jsonb_agg(jsonb_build_object('address', address, 'person_id', person_id))
              from cadenced.person_address
             where address = any (${addresses})
                or person_id in (select person_id from cadenced.membership
                                  where mentorship_id in (select mentorship_id from concerned))) as people,
           (select jsonb_agg(jsonb_build_object('address', address, 'people', people))
              from (select address, jsonb_agg(person_id order by person_id) as people
                      from cadenced.group_address where address = any (${addresses}) group by address) reached) as groups,
           (select jsonb_agg(jsonb_build_object(
                     'mentorship_id', mentorship.mentorship_id,
                     'program', program.name,
                     'from', mentorship.starts_on::timestamp at time zone program.time_zone,
                     'until', (mentorship.ends_on + 1)::timestamp at time zone program.time_zone,
                     'members', (select jsonb_agg(jsonb_build_object('person_id', member.person_id, 'role', member.role)
                                          order by member.person_id)
                                   from cadenced.membership member
                                  where member.mentorship_id = mentorship.mentorship_id))
                     order by mentorship.mentorship_id)
              from cadenced.mentorship
              join cadenced.program on program.program_id = mentorship.program_id
             where mentorship.mentorship_id in (select mentorship_id from concerned)) as mentorships`.execute(
    db,
  );
  const found = rows[0];
  return {
    personOf: new Map((found?.people ?? []).map((row) => [row.address, row.person_id])),
    groupOf: new Map((found?.groups ?? []).map((row) => [row.address, row.people])),
    mentorships: (found?.mentorships ?? []).map(
      (row): MentorshipMembers => ({
        mentorshipId: row.mentorship_id,
        program: row.program,
        from: at(row.from),
        until: instant(row.until),
        members: (row.members ?? []).map(({ person_id, role }) => ({ personId: person_id, role })),
      }),
    ),
  };
}
