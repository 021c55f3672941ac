import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { createWorkFinder } from '../../src/store/due-work.ts';
import { takeUpPlans } from '../../src/store/planned-sessions.ts';
import { syncCalendar } from '../../src/usecases/sync-calendar.ts';
import {
  ANNA,
  BEN,
  CEM,
  createSyncWorld,
  DAY,
  event,
  HOUR,
  NOW,
  people,
  type SyncWorld,
  TUESDAY,
  text,
  weekly,
} from './sync-world.ts';

let world: SyncWorld;
afterEach(() => world.close());

const _later = { updatedAt: NOW - HOUR };
const _untold = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => event(`s${n + from}`, TUESDAY + (n + from) * DAY));
const signal = () => new AbortController().signal;

describe('what else changes', () => {
  test('a tag that is added to the policy makes sessions appear, one that is taken away makes them go', async () => {
    world = await createSyncWorld();
    world.calendar(ANNA).put(event('s', TUESDAY, { text: text('Talk #coaching') }));
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([]);
    await world.policies({ tags: [{ kind: 'text', text: '#coaching' }] });
    expect(await world.state(ANNA)).toMatchObject({ full: true });
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([TUESDAY]);
    await world.policies({ tags: [{ kind: 'text', text: '#other' }] });
    await world.sync(ANNA);
    expect(await world.sessions()).toMatchObject([{ status: 'cancelled', reason: 'untagged' }]);
  });

  test('a pass under way when the tags change is not taken for the full one that they ask for', async () => {
    world = await createSyncWorld();
    const anna = world.calendar(ANNA);
    anna.put(event('s', TUESDAY, { text: text('Talk #coaching') }));
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    anna.gate = { page: 0, until: held.promise, reached: reached.resolve };
    const underWay = syncCalendar(world.deps, await world.idOf(ANNA), {}, signal());
    await reached.promise;
    await world.policies({ tags: [{ kind: 'text', text: '#coaching' }] });
    held.resolve();
    await underWay;
    anna.gate = null;
    expect(await world.state(ANNA)).toMatchObject({ full: true });
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([TUESDAY]);
  });

  test('an entry may name somebody by the other spelling of their account', async () => {
    world = await createSyncWorld();
    await world.roster({ 'anna-dora': [ANNA, 'dora@gmail.com'] });
    world.calendar(ANNA).put(event('s', TUESDAY, { people: people(ANNA, 'dora@googlemail.com') }));
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([TUESDAY]);
  });

  test('a roster that changes makes sessions appear and go, and an alias is the person', async () => {
    world = await createSyncWorld();
    const dora = 'dora@x.org';
    world.calendar(dora);
    world.calendar(ANNA).put(event('s', TUESDAY, { people: people(ANNA, 'd@alias.org') }));
    await world.sync(ANNA);
    const reasons = () => world.rows(sql<{ reason: string }>`select reason from cadenced.unmatched_event`);
    expect(await reasons()).toEqual([{ reason: 'no_mentee' }]);
    const others = { 'anna-ben': [ANNA, BEN], 'anna-cem': [ANNA, CEM] };
    await world.roster({ ...others, 'anna-dora': [ANNA, dora] });
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([]);
    await world.roster({ ...others, 'anna-dora': [ANNA, dora] }, { [dora]: 'd@alias.org' });
    expect(await world.state(ANNA)).toMatchObject({ full: true });
    await world.sync(ANNA);
    expect(await world.sessions()).toMatchObject([{ mentorship: 'anna-dora', status: 'scheduled' }]);
    expect(await reasons()).toEqual([]);
    // By whose address an account was learnt is somebody else's, or nobody's, when that address is taken away.
    await sql`
      insert into cadenced.person_account (provider, account_id, person_id)
      select 'google', 'users/' || address, person_id from cadenced.person`.execute(world.db);
    const accounts = async () =>
      (
        await world.rows(sql<{ id: string }>`select account_id as id from cadenced.person_account order by 1`)
      ).map(({ id }) => id);
    const everybody = await accounts();
    await world.roster(
      { ...others, 'anna-dora': [ANNA, dora] },
      { [dora]: 'd@alias.org', [BEN]: 'b@alias.org' },
    );
    expect(await accounts()).toEqual(everybody);
    await world.roster(
      { ...others, 'anna-dora': [ANNA, dora] },
      { [BEN]: 'b@alias.org', [dora]: 'd2@alias.org' },
    );
    expect(await accounts()).toEqual(everybody.filter((id) => id !== `users/${dora}`));
    await world.roster({ ...others, 'anna-dora': [ANNA, CEM] });
    expect(await world.state(ANNA)).toMatchObject({ full: true });
    await world.sync(ANNA);
    expect(await world.sessions()).toMatchObject([{ status: 'cancelled', reason: 'people_changed' }]);
  });

  test('the address of a group reaches those of it', async () => {
    world = await createSyncWorld();
    const group = 'cohort@example.org';
    const pairs = { 'anna-ben': [ANNA, BEN], 'anna-cem': [ANNA, CEM] };
    const invited = (...addresses: string[]) => ({ people: people(...addresses), ownerIsOrganizer: false });
    world
      .calendar(ANNA)
      .put(
        event('list', TUESDAY, { people: people(ANNA, group) }),
        event('both', TUESDAY + DAY, { people: people(ANNA, BEN, group) }),
      );
    await world.sync(ANNA);
    expect(await world.sessions()).toMatchObject([{ mentorship: 'anna-ben' }]);

    const aliases = {
      [ANNA]: 'group:tutors@example.org',
      [BEN]: 'group:Cohort@example.org',
      [CEM]: `cem.b@example.org;group:${group}`,
    };
    await world.roster(pairs, aliases);
    await world.sync(ANNA);
    const reached = await world.rows(sql<{ mentorship: string; person: string; group: boolean }>`
      select mentorship.key as mentorship, person.address as person, participant.by_group as "group"
        from cadenced.participant
        join cadenced.session using (session_id)
        join cadenced.mentorship using (mentorship_id)
        join cadenced.person using (person_id)
       where person.address <> ${ANNA} and session.status = 'scheduled'
       order by session.starts_at, mentorship, person`);
    expect(reached).toEqual([
      { mentorship: 'anna-ben', person: BEN, group: true },
      { mentorship: 'anna-cem', person: CEM, group: true },
      { mentorship: 'anna-ben', person: BEN, group: false },
      { mentorship: 'anna-cem', person: CEM, group: true },
    ]);

    // Named on the list as well, or found on their own calendar, they are invited themselves.
    world.calendar(BEN).put(event('list', TUESDAY, { ...invited(ANNA, group), uid: 'list@google.com' }));
    await world.sync(BEN);
    expect(
      await world.rows(sql`
        select from cadenced.participant join cadenced.person using (person_id)
         where person.address = ${BEN} and by_group`),
    ).toEqual([]);
    await world.roster(pairs, aliases);
    const before = await world.dump();
    await world.sync(ANNA, { reconcile: true });
    expect(await world.dump()).toEqual(before);

    await world.roster(pairs, {});
    await world.sync(ANNA);
    expect(await world.sessions()).toMatchObject([
      { mentorship: 'anna-ben', status: 'scheduled' },
      { mentorship: 'anna-cem', status: 'cancelled', reason: 'people_changed' },
      { mentorship: 'anna-ben', status: 'scheduled' },
      { mentorship: 'anna-cem', status: 'cancelled', reason: 'people_changed' },
    ]);
  });

  test('a planned session is bound by reference, else by nearness; let go when cancelled; bound again', async () => {
    world = await createSyncWorld();
    const plan = async (start: number, reference: string | null) =>
      (
        await world.rows(sql<{ id: number }>`
          insert into cadenced.planned_session (mentorship_id, starts_at, ends_at, reference)
          select mentorship_id, ${new Date(start)}, ${new Date(start + HOUR)}, ${reference}
            from cadenced.mentorship where key = 'anna-ben' returning plan_id as id`)
      )[0]?.id;
    const bound = async () =>
      world.rows(sql<{ plan: number; start: Date | null }>`
        select plan_id as plan, session.starts_at as start
          from cadenced.planned_session left join cadenced.session using (session_id) order by plan_id`);
    const near = await plan(TUESDAY, null);
    const named = await plan(TUESDAY, 'PLAN-7');
    const anna = world.calendar(ANNA);
    anna.put(
      event('near', TUESDAY + DAY),
      event('far', TUESDAY + 20 * DAY, { text: text('Talk', { body: 'see <b>plan</b>-7' }) }),
    );
    await world.sync(ANNA);
    expect(await bound()).toEqual([
      { plan: near, start: new Date(TUESDAY + DAY) },
      { plan: named, start: new Date(TUESDAY + 20 * DAY) },
    ]);
    const scheduled = await world.rows(sql<{ reference: string | null }>`
      select payload ->> 'reference' as reference from cadenced.outbound_event order by payload ->> 'scheduled_start'`);
    expect(scheduled).toEqual([{ reference: null }, { reference: 'PLAN-7' }]);

    anna.remove('near', NOW);
    await world.sync(ANNA);
    expect((await bound())[0]).toEqual({ plan: near, start: null });
    anna.put(event('again', TUESDAY - HOUR));
    await world.sync(ANNA);
    expect((await bound())[0]).toEqual({ plan: near, start: new Date(TUESDAY - HOUR) });

    // One that was written after the event is bound by the next pass, though nothing changed on the calendar.
    anna.put(event('third', TUESDAY + 40 * DAY));
    await world.sync(ANNA);
    await plan(TUESDAY + 41 * DAY, null);
    await world.sync(ANNA);
    expect((await bound())[2]?.start).toEqual(new Date(TUESDAY + 40 * DAY));
    const before = await world.dump();
    await world.sync(ANNA);
    expect(await world.dump()).toEqual(before);
  });

  test('a reference that is written after its untagged event was read is found at once', async () => {
    world = await createSyncWorld();
    world.calendar(ANNA).put(event('named', TUESDAY, { text: text('Talk PLAN-7') }));
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([]);
    await sql`update cadenced.calendar set next_poll_at = now() + interval '1 hour'`.execute(world.db);
    await plans(`values ('p', 'anna-ben', '2026-11-20', '2026-11-21', 'PLAN-7')`);
    expect(await due()).toEqual([ANNA, BEN]);
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([TUESDAY]);
    expect(await states()).toEqual(['bound']);

    // What was a session by its reference alone is none any more when the plan is withdrawn.
    await sql`delete from mentoring.planned_session`.execute(world.db);
    expect(await due()).toEqual([ANNA, BEN]);
    await world.sync(ANNA);
    expect(await world.sessions()).toMatchObject([{ status: 'cancelled', reason: 'untagged' }]);
  });

  test('a plan that is written while a calendar is being compared is looked for again', async () => {
    let looks = 0;
    world = await createSyncWorld({
      around: (store) => ({
        ...store,
        async tagSearches() {
          const known = await store.tagSearches();
          looks += 1;
          if (looks === 3) {
            await plans(`values ('p', 'anna-ben', '2026-11-20', '2026-11-21', 'PLAN-7')`);
            await takeUpPlans(world.db);
          }
          return known;
        },
      }),
    });
    world.calendar(ANNA).put(event('named', TUESDAY, { text: text('Talk PLAN-7') }));
    await world.sync(ANNA, { full: true });
    await world.sync(ANNA, { reconcile: true });
    expect(looks).toBe(3);
    expect(await world.booked()).toEqual([]);
    expect(
      await world.rows(sql`
        select reconcile_wanted as again, next_poll_at <= now() + interval '1 second' as soon
          from cadenced.calendar where address = ${ANNA}`),
    ).toEqual([{ again: true, soon: true }]);
    await world.sync(ANNA);
    expect(await world.booked()).toEqual([TUESDAY]);
  });

  test('a plan without a reference has calendars read for news, and those that cannot be read left alone', async () => {
    world = await createSyncWorld();
    await world.sync(ANNA);
    await sql`update cadenced.calendar set next_poll_at = now() + interval '1 hour'`.execute(world.db);
    await sql`update cadenced.calendar set state = 'denied' where address = ${BEN}`.execute(world.db);
    await plans(`values ('p', 'anna-ben', '2026-11-20', '2026-11-21', null)`);
    expect(await due()).toEqual([ANNA]);
    expect((await world.sync(ANNA)).kind).toBe('changes');
  });

  const plans = (values: string) =>
    sql`insert into mentoring.planned_session (program, mentorship, starts_at, ends_at, reference) ${sql.raw(values)}`.execute(
      world.db,
    );
  const states = async () =>
    (await world.rows(sql<{ state: string }>`select state from mentoring.planned_session`)).map(
      ({ state }) => state,
    );
  /** Whose calendars the daemon finds due when it looks, as it does once a second. */
  const due = async () => {
    const push = { providers: ['google' as const], reachable: false };
    const finder = createWorkFinder(world.db, 'P1D', push);
    await finder.takeUpPlans();
    const { calendars } = await finder.find(100);
    const rows = await world.rows(sql<{ address: string }>`
      select address from cadenced.calendar where calendar_id = any (${calendars}::bigint[]) order by address`);
    return rows.map(({ address }) => address);
  };

  test('a reference in several occurrences binds the nearest', async () => {
    world = await createSyncWorld();
    await sql`
      insert into cadenced.planned_session (mentorship_id, starts_at, ends_at, reference, tolerance)
      select mentorship_id, ${new Date(TUESDAY + 15 * DAY)}, ${new Date(TUESDAY + 16 * DAY)}, 'PLAN-7', interval '0'
        from cadenced.mentorship where key = 'anna-ben'`.execute(world.db);
    world.calendar(ANNA).putSeries('m', weekly('m', TUESDAY, 4, { text: text('Talk PLAN-7') }));
    await world.sync(ANNA);
    expect(
      await world.rows(
        sql`select starts_at from cadenced.session join cadenced.planned_session using (session_id, starts_at)`,
      ),
    ).toEqual([]);
    const [row] = await world.rows(sql<{ start: Date }>`
      select session.starts_at as start from cadenced.session join cadenced.planned_session using (session_id)`);
    expect(row?.start).toEqual(new Date(TUESDAY + 14 * DAY));
  });
});
