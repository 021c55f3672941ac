import { sql, type Transaction } from 'kysely';
import { sameState } from '../domain/equality.ts';
import type { Instant } from '../domain/observation.ts';
import type { Copy, Occurrence, Session } from '../domain/occurrence.ts';
import type { Change } from '../domain/planning.ts';
import type { DB } from './database.generated.ts';
import { FIRST_JUDGEMENT } from './judgement.ts';

/** Writes the changes of a plan: one statement a kind of row, whatever their number. */

/** A change whose rows all have their ids. */
export interface WrittenChange {
  readonly before: Occurrence | null;
  readonly after: Occurrence;
}

const time = (value: Instant | null) => (value === null ? null : new Date(value).toISOString());

async function takeIds(
  trx: Transaction<DB>,
  count: { readonly occurrences: number; readonly sessions: number },
): Promise<{ occurrences: number[]; sessions: number[] }> {
  if (count.occurrences + count.sessions === 0) return { occurrences: [], sessions: [] };
  const { rows } = await sql<{ occurrences: number[]; sessions: number[] }>`
    select array(select nextval('cadenced.occurrence_occurrence_id_seq')
                   from generate_series(1, ${count.occurrences}::int)) as occurrences,
           array(select nextval('cadenced.session_session_id_seq')
                   from generate_series(1, ${count.sessions}::int)) as sessions`.execute(trx);
  return rows[0] ?? { occurrences: [], sessions: [] };
}

const occurrenceRow = (occurrence: Occurrence) => ({
  occurrence_id: occurrence.occurrenceId,
  lineage: occurrence.lineage,
  original_start: time(occurrence.originalStart),
  original_date: occurrence.originalDate,
  starts_at: time(occurrence.start),
  ends_at: time(occurrence.end),
  status: occurrence.cancelled ? 'cancelled' : 'scheduled',
  cancelled_at: time(occurrence.cancelled?.at ?? null),
  cancel_reason: occurrence.cancelled?.reason ?? null,
  organizer: occurrence.organizer,
  title: occurrence.title,
  private: occurrence.private,
  conference_kind: occurrence.conference?.kind ?? null,
  conference_key: occurrence.conference?.key ?? null,
  reschedules: occurrence.reschedules,
  first_seen_at: time(occurrence.firstSeenAt),
});

const copyRow = (copy: Copy, occurrenceId: number | null, lineage: string, now: Instant) => ({
  copy_id: copy.copyId,
  calendar_id: copy.holder.calendarId,
  occurrence_id: occurrenceId,
  source_id: copy.sourceId,
  series_id: copy.seriesId,
  uid: copy.uid,
  lineage,
  original_start: time(copy.originalStart),
  original_date: copy.originalDate,
  starts_at: time(copy.start),
  ends_at: time(copy.end),
  time_zone: copy.timeZone,
  status: copy.status,
  organizer: copy.organizer,
  unsent: copy.unsent,
  owner_is_organizer: copy.ownerIsOrganizer,
  owner_response: copy.ownerResponse,
  people: copy.people,
  people_omitted: copy.peopleOmitted,
  title: copy.title,
  private: copy.private,
  hidden: copy.hidden,
  conference_kind: copy.conference?.kind ?? null,
  conference_key: copy.conference?.key ?? null,
  matched: copy.matched,
  source_updated_at: time(copy.updatedAt),
  revision: copy.revision,
  first_seen_at: time(now),
  removed_at: time(copy.removal?.at ?? null),
  removal: copy.removal?.how ?? null,
});

const sessionRow = (session: Session, occurrenceId: number | null, now: Instant) => ({
  session_id: session.sessionId,
  occurrence_id: occurrenceId,
  mentorship_id: session.mentorshipId,
  starts_at: time(session.start),
  ends_at: time(session.end),
  status: session.cancelled ? 'cancelled' : 'scheduled',
  cancelled_at: time(session.cancelled?.at ?? null),
  cancelled_by: session.cancelled?.by ?? null,
  cancel_reason: session.cancelled?.reason ?? null,
  first_seen_at: time(now),
  reschedules: session.reschedules,
});

/** Gives ids to what has none, then writes what differs. */
export async function writeChanges(
  trx: Transaction<DB>,
  changes: readonly Change[],
  now: Instant,
): Promise<WrittenChange[]> {
  const withIds = await giveIds(trx, changes);
  const differing = withIds.map(({ before, after }) => {
    const copies = new Map((before?.copies ?? []).map((copy) => [copy.copyId, copy]));
    const sessions = new Map((before?.sessions ?? []).map((session) => [session.sessionId, session]));
    return {
      before,
      after,
      meeting: before === null || !sameState(occurrenceRow(before), occurrenceRow(after)),
      copies: after.copies.filter(
        (copy) => copy.copyId === null || !sameState(copies.get(copy.copyId), copy),
      ),
      sessions: after.sessions.filter((session) => !sameState(sessions.get(session.sessionId), session)),
    };
  });
  const rows = (values: readonly object[]) => JSON.stringify(values);
  const meetings = differing.filter(({ meeting }) => meeting).map(({ after }) => occurrenceRow(after));
  if (meetings.length > 0) {
    await sql`
      insert into cadenced.occurrence overriding system value
      select * from jsonb_populate_recordset(null::cadenced.occurrence, ${rows(meetings)}::jsonb)
      on conflict (occurrence_id) do update set
        original_start = excluded.original_start, original_date = excluded.original_date,
        starts_at = excluded.starts_at, ends_at = excluded.ends_at, status = excluded.status,
        cancelled_at = excluded.cancelled_at, cancel_reason = excluded.cancel_reason,
        organizer = excluded.organizer, title = excluded.title, private = excluded.private,
        conference_kind = excluded.conference_kind, conference_key = excluded.conference_key,
        reschedules = excluded.reschedules`.execute(trx);
  }
  const copies = differing.flatMap(({ after, copies: those }) =>
    those.map((copy) => copyRow(copy, after.occurrenceId, after.lineage, now)),
  );
  // Updates first: an id may have one live copy only, and the one it had may just have been removed.
  await updateCopies(
    trx,
    copies.filter((copy) => copy.copy_id !== null),
  );
  const fresh = copies.filter((copy) => copy.copy_id === null);
  if (fresh.length > 0) {
    await sql`
      insert into cadenced.event_copy
        (calendar_id, occurrence_id, source_id, series_id, uid, lineage, original_start, original_date, starts_at,
         ends_at, time_zone, status, unsent, organizer, owner_is_organizer, owner_response, people, people_omitted,
         title, private, hidden, conference_kind, conference_key, matched, source_updated_at, revision, first_seen_at,
         removed_at, removal)
      select calendar_id, occurrence_id, source_id, series_id, uid, lineage, original_start, original_date, starts_at,
         ends_at, time_zone, status, unsent, organizer, owner_is_organizer, owner_response, people, people_omitted,
         title, private, hidden, conference_kind, conference_key, matched, source_updated_at, revision, first_seen_at,
         removed_at, removal
        from jsonb_populate_recordset(null::cadenced.event_copy, ${rows(fresh)}::jsonb)`.execute(trx);
  }
  await writeSessions(trx, differing, now);
  return withIds;
}

async function giveIds(trx: Transaction<DB>, changes: readonly Change[]): Promise<WrittenChange[]> {
  const newSessions = changes.flatMap(({ after }) =>
    after.sessions.filter((session) => session.sessionId === null),
  );
  const ids = await takeIds(trx, {
    occurrences: changes.filter(({ after }) => after.occurrenceId === null).length,
    sessions: newSessions.length,
  });
  let [occurrence, session] = [0, 0];
  return changes.map(({ before, after }) => ({
    before,
    after: {
      ...after,
      occurrenceId: after.occurrenceId ?? (ids.occurrences[occurrence++] as number),
      sessions: after.sessions.map((each) => ({
        ...each,
        sessionId: each.sessionId ?? (ids.sessions[session++] as number),
      })),
    },
  }));
}

async function updateCopies(trx: Transaction<DB>, copies: readonly object[]): Promise<void> {
  if (copies.length === 0) return;
  await sql`
    update cadenced.event_copy copy set
      occurrence_id = its.occurrence_id, source_id = its.source_id, series_id = its.series_id, uid = its.uid,
      original_start = its.original_start, original_date = its.original_date, starts_at = its.starts_at,
      ends_at = its.ends_at, time_zone = its.time_zone, status = its.status, unsent = its.unsent,
      organizer = its.organizer, owner_is_organizer = its.owner_is_organizer, owner_response = its.owner_response, people = its.people,
      people_omitted = its.people_omitted, title = its.title, private = its.private, hidden = its.hidden,
      conference_kind = its.conference_kind, conference_key = its.conference_key, matched = its.matched,
      source_updated_at = its.source_updated_at, revision = its.revision, removed_at = its.removed_at,
      removal = its.removal
      from jsonb_populate_recordset(null::cadenced.event_copy, ${JSON.stringify(copies)}::jsonb) its
     where copy.copy_id = its.copy_id`.execute(trx);
}

async function writeSessions(
  trx: Transaction<DB>,
  differing: ReadonlyArray<{ before: Occurrence | null; after: Occurrence; sessions: readonly Session[] }>,
  now: Instant,
): Promise<void> {
  const sessions = differing.flatMap(({ after, sessions: those }) =>
    those.map((session) => sessionRow(session, after.occurrenceId, now)),
  );
  if (sessions.length === 0) return;
  const participants = differing.flatMap(({ sessions: those }) =>
    those.flatMap((session) =>
      session.participants.map((participant) => ({
        session_id: session.sessionId,
        person_id: participant.personId,
        role: participant.role,
        rsvp: participant.rsvp,
        by_group: participant.byGroup ?? false,
      })),
    ),
  );
  await sql`
    insert into cadenced.session
      (session_id, occurrence_id, mentorship_id, starts_at, ends_at, status, cancelled_at, cancelled_by, cancel_reason,
       first_seen_at, reschedules, next_judgement_at)
    overriding system value
    select session_id, occurrence_id, mentorship_id, starts_at, ends_at, status, cancelled_at, cancelled_by,
           cancel_reason, first_seen_at, reschedules, ${FIRST_JUDGEMENT}
      from jsonb_populate_recordset(null::cadenced.session, ${JSON.stringify(sessions)}::jsonb)
    on conflict (session_id) do update set
      starts_at = excluded.starts_at, ends_at = excluded.ends_at, status = excluded.status,
      cancelled_at = excluded.cancelled_at, cancelled_by = excluded.cancelled_by,
      cancel_reason = excluded.cancel_reason, reschedules = excluded.reschedules`.execute(trx);
  if (differing.every(({ before }) => before === null)) {
    // Nobody can have left a session that is new.
    await sql`
      insert into cadenced.participant (session_id, person_id, role, rsvp, by_group)
      select session_id, person_id, role, rsvp, by_group
        from jsonb_populate_recordset(null::cadenced.participant, ${JSON.stringify(participants)}::jsonb)`.execute(
      trx,
    );
    return;
  }
  await sql`
    with given as (
      select session_id, person_id, role, rsvp, by_group
        from jsonb_populate_recordset(null::cadenced.participant, ${JSON.stringify(participants)}::jsonb)
    ), left_out as (
      delete from cadenced.participant participant
       where participant.session_id = any (${sessions.map((session) => session.session_id)}::bigint[])
         and not exists (select from given
                          where given.session_id = participant.session_id and given.person_id = participant.person_id)
    )
    insert into cadenced.participant (session_id, person_id, role, rsvp, by_group)
    select session_id, person_id, role, rsvp, by_group from given
    on conflict (session_id, person_id) do update set role = excluded.role, rsvp = excluded.rsvp, by_group = excluded.by_group
     where (participant.role, participant.rsvp, participant.by_group)
           is distinct from (excluded.role, excluded.rsvp, excluded.by_group)`.execute(trx);
}
