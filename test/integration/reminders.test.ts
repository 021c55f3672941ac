import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { replanReminders } from '../../src/usecases/plan-reminders.ts';
import { createSeededWorld, instantIn, POLICY, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
afterEach(() => world.close());

const log = (person = world.ids.mentor) =>
  world.rows(sql<{ due: Date; status: string; reason: string | null }>`
    select due_at as due, status, reason from mentoring.reminder_log
     where kind = 'reminder' and participant_id = ${person} order by due_at, mail_id`);
const send = (due: string) =>
  sql`update cadenced.mail set status = 'sent', sent_at = cadenced.now()
       where status = 'queued' and due_at <= ${instantIn(due).toJSDate()}`.execute(world.db);
const moveTo = async (session: number, at: string) => {
  const start = instantIn(at);
  await sql`update cadenced.session set starts_at = ${start.toJSDate()}, ends_at = ${start.plus({ hours: 1 }).toJSDate()}
             where session_id = ${session}`.execute(world.db);
  await world.plan(session);
};
const at = (local: string) => instantIn(local).toJSDate();

describe('reminders', () => {
  it('wait for their time, and move with the session', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { session } = await world.session({ at: '2026-03-10T10:00' });
    expect((await log()).map((mail) => mail.due)).toEqual([at('2026-03-09T10:00'), at('2026-03-10T09:00')]);
    await moveTo(session, '2026-03-12T15:00');
    expect((await log()).map((mail) => mail.due)).toEqual([at('2026-03-11T15:00'), at('2026-03-12T14:00')]);
  });

  it('are sent anew for a new time when the old time was told already', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { session } = await world.session({ at: '2026-03-10T10:00' });
    await world.travelTo('2026-03-09T11:00');
    await send('2026-03-09T11:00');
    await world.plan(session);
    expect((await log()).map((mail) => mail.status)).toEqual(['sent', 'queued']);
    await moveTo(session, '2026-03-12T15:00');
    await moveTo(session, '2026-03-12T15:00');
    expect((await log()).map(({ due, status }) => [due, status])).toEqual([
      [at('2026-03-09T10:00'), 'sent'],
      [at('2026-03-11T15:00'), 'queued'],
      [at('2026-03-12T14:00'), 'queued'],
    ]);
  });

  it('are held back for a cancelled session, and come back with it', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { session } = await world.session({ at: '2026-03-10T10:00' });
    await sql`update cadenced.session set status = 'cancelled', cancel_reason = 'cancelled', cancelled_at = cadenced.now()
               where session_id = ${session}`.execute(world.db);
    await world.plan(session);
    expect((await log()).map((mail) => [mail.status, mail.reason])).toEqual([
      ['suppressed', 'session_cancelled'],
      ['suppressed', 'session_cancelled'],
    ]);
    await sql`update cadenced.session set status = 'scheduled', cancel_reason = null, cancelled_at = null
               where session_id = ${session}`.execute(world.db);
    await world.plan(session);
    expect((await log()).map((mail) => [mail.status, mail.reason])).toEqual([
      ['queued', null],
      ['queued', null],
    ]);
  });

  it('do not go to who declined, nor to who would wait for them, nor to who is no longer invited', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { session } = await world.session({ at: '2026-03-10T10:00', rsvp: { mentee: 'declined' } });
    expect((await log(world.ids.mentee)).map((mail) => mail.reason)).toEqual(['declined', 'declined']);
    expect((await log()).map((mail) => mail.reason)).toEqual(['other_side_declined', 'other_side_declined']);
    await sql`update cadenced.participant set rsvp = 'accepted' where session_id = ${session}`.execute(
      world.db,
    );
    await world.plan(session);
    expect((await log()).map((mail) => mail.status)).toEqual(['queued', 'queued']);
    await sql`delete from cadenced.participant where session_id = ${session} and person_id = ${world.ids.mentor}`.execute(
      world.db,
    );
    await world.plan(session);
    expect((await log()).map((mail) => mail.reason)).toEqual(['not_invited', 'not_invited']);
  });

  it('are at most three a day of the person', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const sessions: Array<{ session: number }> = [];
    for (const hour of ['12', '13', '14', '15', '16']) {
      sessions.push(await world.session({ at: `2026-03-10T${hour}:00` }));
    }
    const byDay = async () => {
      const mails = await log();
      return mails.map((mail) => (mail.status === 'queued' ? 1 : mail.reason));
    };
    expect(await byDay()).toEqual([1, 1, 1, 'daily_cap', 'daily_cap', 1, 1, 1, 'daily_cap', 'daily_cap']);
    const [first] = sessions;
    await sql`update cadenced.session set status = 'cancelled', cancel_reason = 'cancelled', cancelled_at = cadenced.now()
               where session_id = ${first?.session ?? 0}`.execute(world.db);
    await world.plan(first?.session ?? 0);
    expect(await byDay()).toEqual([
      'session_cancelled',
      1,
      1,
      1,
      'daily_cap',
      'session_cancelled',
      1,
      1,
      1,
      'daily_cap',
    ]);
  });

  it('of history and of a late discovery are not made up for', async () => {
    world = await createSeededWorld({ now: '2026-03-10T09:30' });
    await world.session({ at: '2026-03-09T10:00' });
    expect(await log()).toEqual([]);
    await world.session({ at: '2026-03-10T10:10', firstSeenAt: '2026-03-10T09:30' });
    expect((await log()).map((mail) => mail.reason)).toEqual(['too_late', null]);
  });

  it('follow a policy that changes, and a plan nobody booked is nudged about once', async () => {
    world = await createSeededWorld({ now: '2026-03-09T12:00' });
    await world.session({ at: '2026-03-10T18:00' });
    await sql`update cadenced.program_policy
                 set policy = ${JSON.stringify({ ...POLICY, reminders: ['PT3H'] })}::jsonb`.execute(world.db);
    // Two days around would reach the session that is booked for the day before.
    await sql`insert into mentoring.planned_session (program, mentorship, starts_at, ends_at, tolerance)
              values ('oak', 'ada-grace', ${at('2026-03-11T10:00')}, ${at('2026-03-11T11:00')}, '2 hours')`.execute(
      world.db,
    );
    expect(await replanReminders(world.deps)).toEqual({ sessions: 1, nudges: 2 });
    expect(await replanReminders(world.deps)).toEqual({ sessions: 1, nudges: 0 });
    expect((await log()).map(({ due, status, reason }) => [due, status, reason])).toEqual([
      [at('2026-03-09T18:00'), 'suppressed', 'not_in_policy'],
      [at('2026-03-10T15:00'), 'queued', null],
      [at('2026-03-10T17:00'), 'suppressed', 'not_in_policy'],
    ]);
  });
});
