import { type Kysely, sql, type Transaction } from 'kysely';
import type { CandidateSearch, StagedCandidate } from '../domain/candidates.ts';
import type { MentorshipMembers } from '../domain/occurrence.ts';
import type { Role } from '../domain/roster.ts';
import type { FinishedPass } from '../ports/sync-store.ts';
import type { DB } from './database.generated.ts';

/** How long a candidate that is over stays listed: as far back as calendars are read. */
const LISTED_FOR = '35 days';

/**
 * What candidates of a calendar are told by; `null` where no program of its owner asks for them and none is listed.
 */
export async function loadCandidateSearch(
  db: Kysely<DB>,
  calendarId: number,
): Promise<CandidateSearch | null> {
  const { rows } = await sql<{
    mentorships: Array<
      Omit<MentorshipMembers, 'members'> & {
        members: Array<{ personId: number; role: Role; addresses: string[] }>;
      }
    > | null;
    listed: Array<[sourceId: string, seriesId: string | null]> | null;
  }>`
    with concerned as (
      select mentorship.*, program.name, program.time_zone
        from (select membership.mentorship_id
                from cadenced.calendar
                join cadenced.membership on membership.person_id = calendar.person_id
               where calendar.calendar_id = ${calendarId}
               union all
              select mentorship.mentorship_id
                from cadenced.calendar
                join cadenced.mentorship on mentorship.program_id = calendar.program_id
               where calendar.calendar_id = ${calendarId}) as owned
        join cadenced.mentorship on mentorship.mentorship_id = owned.mentorship_id
        join cadenced.program on program.program_id = mentorship.program_id
        join cadenced.program_policy rules
          on rules.program_id = program.program_id and rules.valid_until is null
         and rules.policy -> 'candidates' = 'true'
    )
    select (select jsonb_agg(jsonb_build_object(
              'mentorshipId', concerned.mentorship_id, 'program', concerned.name,
              'from', (extract(epoch from concerned.starts_on::timestamp at time zone concerned.time_zone) * 1000)::bigint,
              'until', (extract(epoch from (concerned.ends_on + 1)::timestamp at time zone concerned.time_zone) * 1000)::bigint,
              'members', (select jsonb_agg(jsonb_build_object('personId', member.person_id, 'role', member.role,
                            'addresses', (select coalesce(jsonb_agg(address), '[]') from cadenced.person_address
                                           where person_address.person_id = member.person_id)))
                            from cadenced.membership member
                           where member.mentorship_id = concerned.mentorship_id)))
              from concerned) as mentorships,
           (select jsonb_agg(distinct jsonb_build_array(source_id, series_id))
              from cadenced.candidate_event where calendar_id = ${calendarId}) as listed`.execute(db);
  const [found] = rows;
  if (!found?.mentorships && !found?.listed) return null;
  const mentorships = (found.mentorships ?? []).map((one) => ({ ...one, members: one.members ?? [] }));
  return {
    roster: {
      mentorships,
      personOf: new Map(
        mentorships.flatMap(({ members }) =>
          members.flatMap(({ personId, addresses }) =>
            addresses.map((address) => [address, personId] as const),
          ),
        ),
      ),
    },
    listed: new Map(found.listed ?? []),
  };
}

/**
 * Makes the list of a calendar's candidates what its pass found; called when its copies are written. Gone are: what
 * the pass named and found to be none, what a complete list of its series or of the whole window did not show (a full
 * pass lists no occurrences of untagged series, so it speaks of single events only), what is long over, and what is
 * its owner's no more.
 */
export async function applyCandidates(
  trx: Transaction<DB>,
  calendarId: number,
  pass: FinishedPass,
  staged: readonly StagedCandidate[],
): Promise<void> {
  if (!pass.listsCandidates) return;
  const from = pass.complete ? new Date(pass.complete.from) : null;
  const until = pass.complete ? new Date(pass.complete.until) : null;
  await sql`
    with staged as (
      select "sourceId" as source_id, "seriesId" as series_id, "mentorshipIds" as mentorship_ids,
             to_timestamp(start / 1000) as starts_at, to_timestamp("end" / 1000) as ends_at
        from jsonb_to_recordset(${JSON.stringify(staged)}::jsonb)
             as candidate ("sourceId" text, "seriesId" text, "mentorshipIds" bigint[], start double precision,
                           "end" double precision)
    ), found as (
      select staged.source_id, staged.series_id, mentorship.mentorship_id, staged.starts_at, staged.ends_at
        from staged
        join cadenced.mentorship on mentorship.mentorship_id = any (staged.mentorship_ids)
       -- What is kept as the copy of a session is no candidate, tagged or not.
       where not exists (select from cadenced.event_copy
                          where event_copy.calendar_id = ${calendarId} and event_copy.source_id = staged.source_id
                            and event_copy.removed_at is null)
    ), gone as (
      delete from cadenced.candidate_event candidate
       where candidate.calendar_id = ${calendarId}
         and not exists (select from found where found.source_id = candidate.source_id
                                             and found.mentorship_id = candidate.mentorship_id)
         and (candidate.source_id in (select source_id from staged)
              or candidate.series_id in (select source_id from staged)
              or candidate.series_id = any (${pass.listedSeries.map((listed) => listed.seriesId)}::text[])
              or (candidate.ends_at > ${from} and candidate.starts_at < ${until}
                  and (${pass.kind} = 'reconcile' or candidate.series_id is null))
              or candidate.ends_at <= ${new Date(pass.now)}::timestamptz - ${LISTED_FOR}::interval
              or not exists (
                select from cadenced.calendar
                  join cadenced.mentorship on mentorship.mentorship_id = candidate.mentorship_id
                 where calendar.calendar_id = candidate.calendar_id
                   and (mentorship.program_id = calendar.program_id
                        or exists (select from cadenced.membership
                                    where membership.mentorship_id = mentorship.mentorship_id
                                      and membership.person_id = calendar.person_id))))
    )
    insert into cadenced.candidate_event as known
      (calendar_id, source_id, series_id, mentorship_id, starts_at, ends_at, seen_at)
    select ${calendarId}, source_id, series_id, mentorship_id, starts_at, ends_at, ${new Date(pass.now)} from found
    on conflict (calendar_id, source_id, mentorship_id) do update
      set series_id = excluded.series_id, starts_at = excluded.starts_at, ends_at = excluded.ends_at
    where (known.series_id, known.starts_at, known.ends_at)
          is distinct from (excluded.series_id, excluded.starts_at, excluded.ends_at)`.execute(trx);
}
