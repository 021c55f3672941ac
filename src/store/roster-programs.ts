import { sql, type Transaction } from 'kysely';
import type { RosterDiff } from '../domain/roster-diff.ts';
import type { DB } from './database.generated.ts';

/** What an import writes beside people, mentorships and members, which must be there already. */

export async function applyEnrolments(
  trx: Transaction<DB>,
  { added, changed }: RosterDiff['enrolments'],
): Promise<void> {
  const enrolments = JSON.stringify([...added, ...changed.map(({ after }) => after)]);
  await sql`
    insert into cadenced.enrolment (program_id, person_id, role, enrolled_on, ends_on)
    select program.program_id, person.person_id, one.role,
           coalesce(one."enrolledOn", least(((select cadenced.now()) at time zone program.time_zone)::date, one."endsOn")),
           one."endsOn"
      from jsonb_to_recordset(${enrolments}::jsonb)
        as one (program text, email text, role text, "enrolledOn" date, "endsOn" date)
      join cadenced.program on program.name = one.program
      join cadenced.person on person.address = one.email
    on conflict (program_id, person_id, role) do update
      set enrolled_on = excluded.enrolled_on, ends_on = excluded.ends_on`.execute(trx);
}

/** A capacity that is not said any more is forgotten. */
export async function applyCapacities(
  trx: Transaction<DB>,
  { changed }: RosterDiff['capacities'],
): Promise<void> {
  const capacities = JSON.stringify(changed.map(({ after }) => after));
  await sql`
    with said as (
      select program.program_id, person.person_id, one.capacity
        from jsonb_to_recordset(${capacities}::jsonb) as one (program text, email text, capacity integer)
        join cadenced.program on program.name = one.program
        join cadenced.person on person.address = one.email
    ), forgotten as (
      delete from cadenced.mentor_capacity using said
       where said.capacity is null and mentor_capacity.program_id = said.program_id
         and mentor_capacity.person_id = said.person_id
    )
    insert into cadenced.mentor_capacity (program_id, person_id, mentorships)
    select program_id, person_id, capacity from said where capacity is not null
    on conflict (program_id, person_id) do update set mentorships = excluded.mentorships`.execute(trx);
}

/** The database keeps by itself who added or changed a pause; here it is told that a roster did. */
export async function applyPauses(
  trx: Transaction<DB>,
  { added, changed }: RosterDiff['pauses'],
): Promise<void> {
  if (added.length + changed.length === 0) return;
  await sql`select set_config('cadenced.said_by', 'roster import', true)`.execute(trx);
  await sql`
    update cadenced.pause set from_on = one."fromOn", until_on = one."untilOn"
      from jsonb_to_recordset(${JSON.stringify(
        changed.map(({ before, after }) => ({
          ...before,
          fromOn: after.from,
          untilOn: after.until,
        })),
      )}::jsonb) as one (program text, mentorship text, "from" date, until date, "fromOn" date, "untilOn" date)
      join cadenced.program on program.name = one.program
      join cadenced.mentorship on mentorship.program_id = program.program_id and mentorship.key = one.mentorship
     where pause.mentorship_id = mentorship.mentorship_id and pause.source = 'roster'
       and pause.from_on = one."from" and pause.until_on = one.until`.execute(trx);
  await sql`
    insert into cadenced.pause (mentorship_id, from_on, until_on, source)
    select mentorship.mentorship_id, one."from", one.until, 'roster'
      from jsonb_to_recordset(${JSON.stringify(added)}::jsonb)
        as one (program text, mentorship text, "from" date, until date)
      join cadenced.program on program.name = one.program
      join cadenced.mentorship on mentorship.program_id = program.program_id and mentorship.key = one.mentorship`.execute(
    trx,
  );
  await sql`select set_config('cadenced.said_by', '', true)`.execute(trx);
}
