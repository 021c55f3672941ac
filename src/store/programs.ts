import { type Kysely, sql } from 'kysely';
import type { ProgramPolicy } from '../domain/program.ts';
import type { DB } from './database.generated.ts';

/**
 * Writes the programs of the configuration file. A changed policy gets a version of its own from now on; the old
 * one keeps the time in which it was in force. Programs no longer configured keep their data and lose their policy:
 * their tags are not looked for any more.
 * @param live what `live_from` is for a program that does not say it: the first start
 * @returns whether what is looked for on calendars changed, so that they must be compared anew
 */
export async function writePrograms(
  db: Kysely<DB>,
  programs: readonly ProgramPolicy[],
  provider: 'google' | 'microsoft' | null,
  now: Date,
): Promise<{ changed: string[]; tagsChanged: boolean }> {
  return db.transaction().execute(async (trx) => {
    // Several replicas start at once with the same file: one writes, the others find nothing to do.
    await sql`select pg_advisory_xact_lock(hashtextextended('cadenced.programs', 0))`.execute(trx);
    const given = JSON.stringify(programs);
    await sql`
      insert into cadenced.program (name, time_zone, live_from, created_at)
      select policy ->> 'name', policy ->> 'timeZone',
             coalesce((policy ->> 'liveFrom')::date::timestamp at time zone (policy ->> 'timeZone'), ${now}), ${now}
        from jsonb_array_elements(${given}::jsonb) policy
      on conflict (name) do update set
        time_zone = excluded.time_zone,
        -- Without a date of its own a program keeps the day of its first start.
        live_from = case when (select policy ->> 'liveFrom' from jsonb_array_elements(${given}::jsonb) policy
                                where policy ->> 'name' = program.name) is null
                         then program.live_from else excluded.live_from end`.execute(trx);
    const { rows } = await sql<{
      program_id: number;
      name: string;
      tags_changed: boolean;
      asks_for_candidates: boolean;
    }>`
      with wanted as (
        select program.program_id, program.name, policy
          from jsonb_array_elements(${given}::jsonb) policy
          join cadenced.program on program.name = policy ->> 'name'
      ), differing as (
        select coalesce(wanted.program_id, current.program_id) as program_id, wanted.policy, current.valid_from,
               wanted.policy -> 'tags' is distinct from current.policy -> 'tags' as tags_changed,
               wanted.policy -> 'candidates' = 'true' and current.policy -> 'candidates' is distinct from 'true'
                 as asks_for_candidates
          from wanted
          full join (select * from cadenced.program_policy where valid_until is null) current
            on current.program_id = wanted.program_id
         where wanted.policy is distinct from current.policy
      ), closed as (
        update cadenced.program_policy
           -- Two versions in one instant cannot be told apart: the clock of a test may stand still.
           set valid_until = greatest(${now}, program_policy.valid_from + interval '1 microsecond')
          from differing
         where program_policy.program_id = differing.program_id and program_policy.valid_until is null
        returning program_policy.program_id, program_policy.valid_until
      )
      select program.program_id, program.name, differing.tags_changed,
             coalesce(differing.asks_for_candidates, false) as asks_for_candidates
        from differing
        join cadenced.program on program.program_id = differing.program_id
        left join closed on closed.program_id = differing.program_id`.execute(trx);
    await sql`
      insert into cadenced.program_policy (program_id, valid_from, policy)
      select program.program_id,
             coalesce((select max(valid_until) from cadenced.program_policy earlier
                        where earlier.program_id = program.program_id), ${now}),
             policy
        from jsonb_array_elements(${given}::jsonb) policy
        join cadenced.program on program.name = policy ->> 'name'
       where not exists (select from cadenced.program_policy current
                          where current.program_id = program.program_id and current.valid_until is null)`.execute(
      trx,
    );
    const tagsChanged = rows.some((row) => row.tags_changed);
    await writeMailboxes(trx, given, provider);
    const asking = rows.filter((row) => row.asks_for_candidates).map((row) => row.program_id);
    await startAndEndCandidates(trx, asking);
    if (tagsChanged) {
      // A pass that is under way looks for the old tags: the fence keeps it from being taken for the new full one.
      await sql`
        update cadenced.calendar
           set full_pass_wanted = true, sync_generation = sync_generation + 1, next_poll_at = now()
         where retired_at is null`.execute(trx);
    }
    return { changed: rows.map((row) => row.name), tagsChanged };
  });
}

/**
 * Programs that newly ask for candidates have their calendars compared, which shows occurrences of untagged series
 * too; what others, or calendars nobody reads any more, had listed is forgotten: nobody asks for it any more.
 */
async function startAndEndCandidates(trx: Kysely<DB>, asking: readonly number[]): Promise<void> {
  await sql`
    delete from cadenced.candidate_event candidate
     using cadenced.mentorship
     where mentorship.mentorship_id = candidate.mentorship_id
       and (exists (select from cadenced.calendar
                     where calendar.calendar_id = candidate.calendar_id and calendar.retired_at is not null)
            or not exists (select from cadenced.program_policy rules
                        where rules.program_id = mentorship.program_id and rules.valid_until is null
                          and rules.policy -> 'candidates' = 'true'))`.execute(trx);
  if (asking.length === 0) return;
  await sql`
    update cadenced.calendar set reconcile_wanted = true, next_poll_at = now()
     where retired_at is null
       and (program_id = any (${[...asking]}::bigint[])
            or person_id in (select membership.person_id from cadenced.membership
                               join cadenced.mentorship using (mentorship_id)
                              where mentorship.program_id = any (${[...asking]}::bigint[])))`.execute(trx);
}

/** A program's own mailbox is a calendar like any other, with a program instead of an owner. */
async function writeMailboxes(
  trx: Kysely<DB>,
  programs: string,
  provider: 'google' | 'microsoft' | null,
): Promise<void> {
  await sql`
    with wanted as (
      select distinct on (tag ->> 'mailbox') program.program_id, tag ->> 'mailbox' as address,
             coalesce(tag ->> 'calendar', ${provider}::text) as provider
        from jsonb_array_elements(${programs}::jsonb) policy
        cross join jsonb_array_elements(policy -> 'tags') tag
        join cadenced.program on program.name = policy ->> 'name'
       where tag ->> 'kind' = 'mailbox'
       order by tag ->> 'mailbox', program.program_id
    ), retired as (
      update cadenced.calendar set retired_at = (select cadenced.now())
       where program_id is not null and retired_at is null
         and not exists (select from wanted where wanted.address = calendar.address and wanted.provider = calendar.provider)
    )
    insert into cadenced.calendar (provider, address, program_id)
    select provider, address, program_id from wanted where provider is not null
    on conflict (provider, address) do update
      set program_id = excluded.program_id, person_id = null, retired_at = null, full_pass_wanted = true
     where calendar.retired_at is not null or calendar.program_id is distinct from excluded.program_id`.execute(
    trx,
  );
}
