import { type Kysely, sql, type Transaction } from 'kysely';
import { GROUP_MARK, type Roster } from '../domain/roster.ts';
import type { RosterDiff } from '../domain/roster-diff.ts';
import type { RosterStore } from '../ports/roster-store.ts';
import type { DB } from './database.generated.ts';
import { applyCapacities, applyEnrolments, applyPauses } from './roster-programs.ts';

/** The stored roster in the shape that a file is compared with. */
export async function loadStoredRoster(db: Kysely<DB>): Promise<Roster> {
  const { rows } = await sql<{ roster: Roster }>`
    select jsonb_build_object(
      'people', coalesce((select jsonb_agg(jsonb_build_object(
          'email', address, 'name', name, 'timeZone', time_zone, 'calendar', calendar_provider, 'language', language,
          'aliases', coalesce((select jsonb_agg(alias.address order by alias.address collate "C") from (
              select address from cadenced.person_address
               where person_address.person_id = person.person_id and person_address.address <> person.address
               union all
              select ${GROUP_MARK} || address from cadenced.group_address
               where group_address.person_id = person.person_id) alias), '[]'))
          order by address collate "C") from cadenced.person), '[]'),
      'mentorships', coalesce((select jsonb_agg(jsonb_build_object('program', program.name, 'mentorship', key,
          'startsOn', starts_on, 'endsOn', ends_on) order by program.name collate "C", key collate "C")
          from cadenced.mentorship join cadenced.program using (program_id)), '[]'),
      'memberships', coalesce((select jsonb_agg(jsonb_build_object('program', program.name, 'mentorship', key,
          'email', person.address, 'role', role)
          order by program.name collate "C", key collate "C", person.address collate "C")
          from cadenced.membership
          join cadenced.mentorship using (mentorship_id)
          join cadenced.program using (program_id)
          join cadenced.person using (person_id)), '[]'),
      'enrolments', coalesce((select jsonb_agg(jsonb_build_object('program', program.name, 'email', person.address,
          'role', role, 'enrolledOn', enrolled_on, 'endsOn', ends_on)
          order by program.name collate "C", person.address collate "C", role)
          from cadenced.enrolment
          join cadenced.program using (program_id)
          join cadenced.person using (person_id)), '[]'),
      'capacities', coalesce((select jsonb_agg(jsonb_build_object('program', program.name, 'email', person.address,
          'capacity', mentorships) order by program.name collate "C", person.address collate "C")
          from cadenced.mentor_capacity
          join cadenced.program using (program_id)
          join cadenced.person using (person_id)), '[]'),
      'pauses', coalesce((select jsonb_agg(jsonb_build_object('program', program.name, 'mentorship', key,
          'from', from_on, 'until', until_on) order by program.name collate "C", key collate "C", from_on, pause_id)
          from cadenced.pause
          join cadenced.mentorship using (mentorship_id)
          join cadenced.program using (program_id)
         where source = 'roster'), '[]')) as roster`.execute(db);
  return (
    rows[0]?.roster ?? {
      people: [],
      mentorships: [],
      memberships: [],
      enrolments: [],
      capacities: [],
      pauses: [],
    }
  );
}

/**
 * Applies a diff as a whole. Calendars of new people are added, those of people whose provider changed are swapped,
 * and every calendar of somebody concerned is read anew: who belongs together decides what is a session.
 */
export async function applyRosterDiff(trx: Transaction<DB>, diff: RosterDiff): Promise<void> {
  const people = [
    ...diff.people.added.map((after) => ({ before: null, after })),
    ...diff.people.changed.map(({ before, after }) => ({ before: before.email, after })),
  ];
  const given = JSON.stringify(people);
  // Addresses may wander between people of one file: all of them are let go before any is given.
  await sql`
    delete from cadenced.person_address
     where person_id in (select person_id from cadenced.person
                           join jsonb_array_elements(${given}::jsonb) one on person.address = one ->> 'before')`.execute(
    trx,
  );
  // An account was learnt by an address. Whose that is now is learnt again with the next call that names it.
  const shrunk = diff.people.changed
    .filter(({ before, after }) => {
      const kept = new Set([after.email, ...after.aliases]);
      return [before.email, ...before.aliases].some((address) => !kept.has(address));
    })
    .map(({ before }) => before.email);
  if (shrunk.length > 0) {
    await sql`
      delete from cadenced.person_account
       where person_id in (select person_id from cadenced.person where address = any (${shrunk}))`.execute(
      trx,
    );
  }
  await sql`
    delete from cadenced.group_address
     where person_id in (select person_id from cadenced.person
                           join jsonb_array_elements(${given}::jsonb) one on person.address = one ->> 'before')`.execute(
    trx,
  );
  await sql`
    update cadenced.person set
      address = one #>> '{after,email}', name = one #>> '{after,name}', time_zone = one #>> '{after,timeZone}',
      language = one #>> '{after,language}', calendar_provider = one #>> '{after,calendar}'
      from jsonb_array_elements(${given}::jsonb) one
     where person.address = one ->> 'before'`.execute(trx);
  await sql`
    insert into cadenced.person (address, name, time_zone, language, calendar_provider)
    select one #>> '{after,email}', one #>> '{after,name}', one #>> '{after,timeZone}', one #>> '{after,language}',
           one #>> '{after,calendar}'
      from jsonb_array_elements(${given}::jsonb) one
     where one -> 'before' = 'null'::jsonb`.execute(trx);
  await sql`
    insert into cadenced.person_address (address, person_id)
    select every.address, person.person_id
      from jsonb_array_elements(${given}::jsonb) one
      join cadenced.person on person.address = one #>> '{after,email}'
      cross join lateral (
        select one #>> '{after,email}' as address
        union
        select alias from jsonb_array_elements_text(one #> '{after,aliases}') alias
         where not alias ^@ ${GROUP_MARK}) every`.execute(trx);
  await sql`
    insert into cadenced.group_address (address, person_id)
    select substr(alias, ${GROUP_MARK.length + 1}), person.person_id
      from jsonb_array_elements(${given}::jsonb) one
      join cadenced.person on person.address = one #>> '{after,email}'
     cross join lateral jsonb_array_elements_text(one #> '{after,aliases}') alias
     where alias ^@ ${GROUP_MARK}`.execute(trx);
  const mentorships = JSON.stringify([
    ...diff.mentorships.added,
    ...diff.mentorships.changed.map(({ after }) => after),
  ]);
  await sql`
    insert into cadenced.mentorship (program_id, key, starts_on, ends_on)
    select program.program_id, one ->> 'mentorship', (one ->> 'startsOn')::date, (one ->> 'endsOn')::date
      from jsonb_array_elements(${mentorships}::jsonb) one
      join cadenced.program on program.name = one ->> 'program'
    on conflict (program_id, key) do update set starts_on = excluded.starts_on, ends_on = excluded.ends_on`.execute(
    trx,
  );
  const ended = JSON.stringify(diff.memberships.ended);
  await sql`
    delete from cadenced.membership
     using jsonb_array_elements(${ended}::jsonb) one
      join cadenced.program on program.name = one ->> 'program'
      join cadenced.mentorship on mentorship.program_id = program.program_id and mentorship.key = one ->> 'mentorship'
      join cadenced.person on person.address = one ->> 'email'
     where membership.mentorship_id = mentorship.mentorship_id and membership.person_id = person.person_id`.execute(
    trx,
  );
  const memberships = JSON.stringify([
    ...diff.memberships.added,
    ...diff.memberships.changed.map(({ after }) => after),
  ]);
  await sql`
    insert into cadenced.membership (mentorship_id, person_id, role)
    select mentorship.mentorship_id, person.person_id, one ->> 'role'
      from jsonb_array_elements(${memberships}::jsonb) one
      join cadenced.program on program.name = one ->> 'program'
      join cadenced.mentorship on mentorship.program_id = program.program_id and mentorship.key = one ->> 'mentorship'
      join cadenced.person on person.address = one ->> 'email'
    on conflict (mentorship_id, person_id) do update set role = excluded.role`.execute(trx);
  await applyEnrolments(trx, diff.enrolments);
  await applyCapacities(trx, diff.capacities);
  await applyPauses(trx, diff.pauses);
  await alignCalendars(trx, concerned(diff));
}

/** Addresses (after the import) of everybody whose calendar may now hold other sessions than before. */
function concerned(diff: RosterDiff): string[] {
  const members = [
    ...diff.memberships.added,
    ...diff.memberships.ended,
    ...diff.memberships.changed.map(({ after }) => after),
  ];
  // Whoever left is no longer found through the membership; those who stayed are found through the mentorship.
  const mentorships = new Set(
    [...diff.mentorships.added, ...diff.mentorships.changed.map(({ after }) => after), ...members].map(
      (one) => `${one.program}\n${one.mentorship}`,
    ),
  );
  return [
    ...diff.people.added.map((person) => person.email),
    ...diff.people.changed.map(({ after }) => after.email),
    ...members.map((member) => member.email),
    ...[...mentorships].map((name) => `mentorship:${name}`),
  ];
}

async function alignCalendars(trx: Transaction<DB>, names: readonly string[]): Promise<void> {
  await sql`
    with wanted as (
      select person_id, calendar_provider as provider, address from cadenced.person
       where calendar_provider <> 'none'
         -- Who only waits for a mentorship has no session there could be: their calendar is nobody's business.
         and (exists (select from cadenced.membership where membership.person_id = person.person_id)
              or not exists (select from cadenced.enrolment where enrolment.person_id = person.person_id))
    ), retired as (
      update cadenced.calendar set retired_at = (select cadenced.now())
       where person_id is not null and retired_at is null
         and not exists (select from wanted where wanted.person_id = calendar.person_id
                            and wanted.provider = calendar.provider and wanted.address = calendar.address)
    )
    insert into cadenced.calendar (provider, address, person_id)
    select provider, address, person_id from wanted
    on conflict (provider, address) do update
      set person_id = excluded.person_id, program_id = null, retired_at = null, full_pass_wanted = true, next_poll_at = now()
     where calendar.retired_at is not null or calendar.person_id is distinct from excluded.person_id`.execute(
    trx,
  );
  await sql`
    update cadenced.calendar
       set full_pass_wanted = true, next_poll_at = now(), reconcile_wanted = true, reconcile_asked_at = clock_timestamp()
     where retired_at is null and person_id in (
       select person_id from cadenced.person where address = any (${names})
       union
       -- Whoever shares a mentorship with somebody concerned, and the members of a mentorship whose dates changed.
       select other.person_id
         from cadenced.person
         join cadenced.membership mine on mine.person_id = person.person_id
         join cadenced.membership other on other.mentorship_id = mine.mentorship_id
        where person.address = any (${names})
       union
       select membership.person_id
         from cadenced.membership
         join cadenced.mentorship using (mentorship_id)
         join cadenced.program using (program_id)
        where 'mentorship:' || program.name || E'\n' || mentorship.key = any (${names}))`.execute(trx);
  // A program's mailbox carries the sessions of people whose own calendars nobody reads.
  await sql`
    update cadenced.calendar
       set full_pass_wanted = true, next_poll_at = now(), reconcile_wanted = true, reconcile_asked_at = clock_timestamp()
     where retired_at is null and program_id in (
       select mentorship.program_id
         from cadenced.mentorship
         join cadenced.program using (program_id)
        where 'mentorship:' || program.name || E'\n' || mentorship.key = any (${names})
       union
       select mentorship.program_id
         from cadenced.mentorship
         join cadenced.membership using (mentorship_id)
         join cadenced.person using (person_id)
        where person.address = any (${names}))`.execute(trx);
}

/** The roster's side of the store. Imports take turns: two files at once must not both find the same gap. */
export function createRosterStore(db: Kysely<DB>): RosterStore {
  return {
    async programs() {
      const { rows } = await sql<{ name: string }>`
        select program.name from cadenced.program
          join cadenced.program_policy policy on policy.program_id = program.program_id and policy.valid_until is null
         order by program.name`.execute(db);
      return rows.map((row) => row.name);
    },
    change: (decide) =>
      db.transaction().execute(async (trx) => {
        await sql`select pg_advisory_xact_lock(hashtextextended('cadenced.roster', 0))`.execute(trx);
        const decided = decide(await loadStoredRoster(trx));
        if (decided.diff) await applyRosterDiff(trx, decided.diff);
        return decided;
      }),
  };
}
