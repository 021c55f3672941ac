import fc from 'fast-check';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bindPlannedSessions } from '../../src/store/planned-sessions.ts';
import { runs } from '../support/properties.ts';
import { createSeededWorld, type SeededWorld } from './seeded-world.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 2, 2, 8);

let world: SeededWorld;
let planner: pg.Client;

beforeAll(async () => {
  world = await createSeededWorld({ now: '2026-03-02T09:00' });
  planner = new pg.Client({ connectionString: world.url });
  await planner.connect();
  await planner.query('set role mentoring_planner');
});
afterAll(async () => {
  await planner.end();
  await world.close();
});

type Row = { plan_id: number; session_id: number | null; state: string };

async function plan(
  mentorship: string,
  start: number,
  more: { tolerance?: number; reference?: string } = {},
) {
  const { rows } = await planner.query<Row>(
    `insert into mentoring.planned_session (program, mentorship, starts_at, ends_at, tolerance, reference)
     values ('oak', $1, $2, $3, make_interval(hours => $4), $5) returning plan_id::int, session_id::int, state`,
    [mentorship, new Date(start), new Date(start + HOUR), more.tolerance ?? 48, more.reference ?? null],
  );
  if (rows[0] === undefined) throw new Error('nothing was planned');
  return rows[0];
}

/** A session as a sync would write it, with the references that its entry carries. */
async function book(mentorship: number, start: number, references: readonly string[] = []): Promise<number> {
  return world.db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: number }>`
      with meeting as (
        insert into cadenced.occurrence (lineage, starts_at, ends_at, first_seen_at)
        values (gen_random_uuid()::text, ${new Date(start)}, ${new Date(start + HOUR)}, cadenced.now())
        returning occurrence_id
      ), copy as (
        insert into cadenced.event_copy
          (calendar_id, occurrence_id, source_id, lineage, starts_at, ends_at, status, owner_is_organizer, people,
           people_omitted, private, hidden, matched, revision, first_seen_at)
        select ${world.ids.calendar}, occurrence_id, 'source-' || occurrence_id, 'any', ${new Date(start)},
               ${new Date(start + HOUR)}, 'confirmed', true, '[]', false, false, false,
               ${JSON.stringify(marks(references))}::jsonb, '1', cadenced.now()
          from meeting
      )
      insert into cadenced.session (occurrence_id, mentorship_id, starts_at, ends_at, first_seen_at)
      select occurrence_id, ${mentorship}, ${new Date(start)}, ${new Date(start + HOUR)}, cadenced.now() from meeting
      returning session_id as id`.execute(trx);
    await bindPlannedSessions(trx, [mentorship]);
    return rows[0]?.id ?? 0;
  });
}

const marks = (references: readonly string[]) =>
  references.map((reference) => ({ program: 'oak', rule: `plan:${reference}` }));

/** A change of a session as a sync would write it. */
async function change(mentorship: number, statement: ReturnType<typeof sql>): Promise<void> {
  await world.db.transaction().execute(async (trx) => {
    await statement.execute(trx);
    await bindPlannedSessions(trx, [mentorship]);
  });
}

const states = async (mentorship: string) =>
  (
    await planner.query<Row>(
      `select plan_id::int, session_id::int, state from mentoring.planned_session where mentorship = $1 order by plan_id`,
      [mentorship],
    )
  ).rows;

describe('a plan', () => {
  it('is bound in the statement that writes it, when its session is known', async () => {
    const mentorship = await world.another('at-once');
    const session = await book(mentorship, NOW + 30 * HOUR);
    expect(await plan('at-once', NOW + 24 * HOUR)).toMatchObject({ session_id: session, state: 'bound' });
    expect(await plan('at-once', NOW + 31 * HOUR)).toMatchObject({ session_id: session, state: 'bound' });
    // The nearer one has it now.
    expect((await states('at-once')).map(({ state }) => state)).toEqual(['open', 'bound']);
  });

  it('lets go what it no longer fits, and takes it again, when it is changed', async () => {
    const mentorship = await world.another('changed');
    const session = await book(mentorship, NOW + 30 * HOUR);
    const { plan_id } = await plan('changed', NOW + 24 * HOUR);
    const moved = (start: number) =>
      planner.query<Row>(
        `update mentoring.planned_session set starts_at = $2, ends_at = $3 where plan_id = $1 returning session_id::int, state`,
        [plan_id, new Date(start), new Date(start + HOUR)],
      );
    expect((await moved(NOW + 200 * HOUR)).rows).toEqual([{ session_id: null, state: 'open' }]);
    expect((await moved(NOW + 40 * HOUR)).rows).toEqual([{ session_id: session, state: 'bound' }]);
  });

  it('frees its session and its reference when it is withdrawn', async () => {
    const mentorship = await world.another('withdrawn');
    const session = await book(mentorship, NOW + 30 * HOUR);
    const first = await plan('withdrawn', NOW + 30 * HOUR, { reference: 'PLAN-1' });
    const second = await plan('withdrawn', NOW + 29 * HOUR);
    await planner.query('delete from mentoring.planned_session where plan_id = $1', [first.plan_id]);
    expect(await states('withdrawn')).toEqual([
      { plan_id: first.plan_id, session_id: null, state: 'withdrawn' },
      { plan_id: second.plan_id, session_id: session, state: 'bound' },
    ]);
    const again = await plan('withdrawn', NOW + 30 * HOUR, { reference: 'PLAN-1' });
    expect(again.session_id).toBe(session);
  });

  it('waits for nobody: one that meets a pass at work is bound a moment later', async () => {
    const mentorship = await world.another('busy');
    let inserted: Row | undefined;
    const session = await world.db.transaction().execute(async (trx) => {
      await sql`select from cadenced.mentorship where mentorship_id = ${mentorship} for no key update`.execute(
        trx,
      );
      inserted = await plan('busy', NOW + 24 * HOUR);
      const { rows } = await sql<{ id: number }>`
        with meeting as (
          insert into cadenced.occurrence (lineage, starts_at, ends_at, first_seen_at)
          values ('busy', ${new Date(NOW + 25 * HOUR)}, ${new Date(NOW + 26 * HOUR)}, cadenced.now()) returning *
        )
        insert into cadenced.session (occurrence_id, mentorship_id, starts_at, ends_at, first_seen_at)
        select occurrence_id, ${mentorship}, starts_at, ends_at, first_seen_at from meeting
        returning session_id as id`.execute(trx);
      return rows[0]?.id;
    });
    expect(inserted).toMatchObject({ session_id: null, state: 'open' });
    await sql`select cadenced.take_up_plans()`.execute(world.db);
    expect(await states('busy')).toMatchObject([{ session_id: session, state: 'bound' }]);
  });

  it.each([
    [`starts_at = null`, 'a planned session needs'],
    [`ends_at = starts_at`, 'a planned session ends after it starts'],
    [`reference = 'it'`, 'too short: it would be found in entries that mean something else'],
    [`mentorship = 'ada-grace'`, 'only starts_at, ends_at, tolerance and reference can be changed'],
    [`reference = 'PLAN-TAKEN'`, 'of the same mentorship has the reference "PLAN-TAKEN" already'],
  ])('refuses "%s" and says why', async (set, message) => {
    const key = `refused-${message.length}`;
    await world.another(key);
    const { plan_id } = await plan(key, NOW + 24 * HOUR);
    await plan(key, NOW + 48 * HOUR, { reference: 'PLAN-TAKEN' });
    await expect(
      planner.query(`update mentoring.planned_session set ${set} where plan_id = ${plan_id}`),
    ).rejects.toThrow(message);
  });
});

type Plan = {
  id: number;
  start: number;
  tolerance: number;
  reference: string | null;
  withdrawn: boolean;
  bound: number | null;
};
type Session = { id: number; start: number; off: boolean; references: readonly string[] };
type Model = { plans: Plan[]; sessions: Session[] };

/** The rule a second time, as plainly as it can be said. */
function bindModel({ plans, sessions }: Model): void {
  const over = ({ start }: Session) => start + HOUR <= NOW;
  const boundTo = (one: Plan) => sessions.find((session) => session.id === one.bound);
  const keeps = (one: Plan) => {
    const session = boundTo(one);
    return !one.withdrawn && session !== undefined && !session.off && over(session);
  };
  const kept = new Set(plans.filter(keeps).map(({ bound }) => bound));
  const free = plans.filter((one) => !keeps(one) && !one.withdrawn);
  const open = sessions.filter((session) => !session.off && !kept.has(session.id));
  const pairs = free
    .flatMap((one) => open.map((session) => ({ one, session, far: Math.abs(session.start - one.start) })))
    .map((pair) => ({ ...pair, named: pair.session.references.includes(pair.one.reference ?? '') }))
    .filter(({ one, far, named }) => named || far <= one.tolerance * HOUR)
    .sort(
      (a, b) =>
        Number(b.named) - Number(a.named) ||
        a.far - b.far ||
        a.one.id - b.one.id ||
        a.session.id - b.session.id,
    );
  for (const one of plans) if (!keeps(one)) one.bound = null;
  const taken = new Set<number>();
  for (const { one, session } of pairs) {
    if (one.bound !== null || taken.has(session.id)) continue;
    one.bound = session.id;
    taken.add(session.id);
  }
}

describe('whatever comes, moves and goes', () => {
  // Hours around now, so that some sessions are over; few, so that plans and sessions contend for each other.
  const hours = fc.integer({ min: -8, max: 12 }).map((each) => each * 6);
  const reference = fc.constantFrom(null, null, 'PLAN-1', 'PLAN-2');
  const tolerance = fc.constantFrom(0, 6, 48);
  const which = fc.nat({ max: 9 });
  const step = fc.oneof(
    fc.record({ do: fc.constant('plan' as const), hours, tolerance, reference }),
    fc.record({ do: fc.constant('replan' as const), which, hours, tolerance }),
    fc.record({ do: fc.constant('withdraw' as const), which }),
    fc.record({ do: fc.constant('book' as const), hours, references: fc.subarray(['PLAN-1', 'PLAN-2']) }),
    fc.record({ do: fc.constant('move' as const), which, hours }),
    fc.record({ do: fc.constant('rename' as const), which, references: fc.subarray(['PLAN-1', 'PLAN-2']) }),
    fc.record({ do: fc.constant('switch' as const), which }),
  );
  let played = 0;

  it('plans are bound as the rule says', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        played += 1;
        const key = `chance-${played}`;
        const mentorship = await world.another(key);
        const model: Model = { plans: [], sessions: [] };
        for (const one of steps) {
          await play(one, key, mentorship, model);
          bindModel(model);
          const bound = (await states(key)).map(({ plan_id, session_id }) => [plan_id, session_id]);
          expect(bound).toEqual(model.plans.map(({ id, bound: session }) => [id, session]));
        }
        // Nothing is left to do, and nothing is done twice.
        await change(mentorship, sql`select`);
        expect((await states(key)).map(({ session_id }) => session_id)).toEqual(
          model.plans.map(({ bound }) => bound),
        );
      }),
      { numRuns: runs(60) },
    );
  });

  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  async function play(one: Step, key: string, mentorship: number, { plans, sessions }: Model): Promise<void> {
    switch (one.do) {
      case 'plan': {
        const start = NOW + one.hours * HOUR;
        const free = !plans.some((other) => !other.withdrawn && other.reference === one.reference);
        const named = one.reference !== null && free ? { reference: one.reference } : {};
        const { plan_id } = await plan(key, start, { tolerance: one.tolerance, ...named });
        const known = { id: plan_id, start, tolerance: one.tolerance, withdrawn: false, bound: null };
        plans.push({ ...known, reference: named.reference ?? null });
        return;
      }
      case 'replan': {
        const chosen = plans.filter(({ withdrawn }) => !withdrawn)[one.which];
        if (chosen === undefined) return;
        chosen.start = NOW + one.hours * HOUR;
        chosen.tolerance = one.tolerance;
        await planner.query(
          `update mentoring.planned_session set starts_at = $2, ends_at = $3, tolerance = make_interval(hours => $4)
            where plan_id = $1`,
          [chosen.id, new Date(chosen.start), new Date(chosen.start + HOUR), chosen.tolerance],
        );
        return;
      }
      case 'withdraw': {
        const chosen = plans[one.which];
        if (chosen === undefined) return;
        chosen.withdrawn = true;
        await planner.query('delete from mentoring.planned_session where plan_id = $1', [chosen.id]);
        return;
      }
      case 'book': {
        const start = NOW + one.hours * HOUR;
        const id = await book(mentorship, start, one.references);
        sessions.push({ id, start, off: false, references: one.references });
        return;
      }
      case 'move': {
        // A sync moves what is still to come, and never into the past.
        const chosen = sessions.filter(({ start }) => start > NOW)[one.which];
        if (chosen === undefined || one.hours <= 0) return;
        chosen.start = NOW + one.hours * HOUR;
        const [from, until] = [new Date(chosen.start), new Date(chosen.start + HOUR)];
        await change(
          mentorship,
          sql`update cadenced.session set starts_at = ${from}, ends_at = ${until} where session_id = ${chosen.id}`,
        );
        return;
      }
      case 'rename': {
        const chosen = sessions[one.which];
        if (chosen === undefined) return;
        chosen.references = one.references;
        await change(
          mentorship,
          sql`update cadenced.event_copy set matched = ${JSON.stringify(marks(one.references))}::jsonb
               where occurrence_id = (select occurrence_id from cadenced.session where session_id = ${chosen.id})`,
        );
        return;
      }
      case 'switch': {
        const chosen = sessions[one.which];
        if (chosen === undefined) return;
        chosen.off = !chosen.off;
        await change(
          mentorship,
          sql`update cadenced.session
                 set status = ${chosen.off ? 'cancelled' : 'scheduled'},
                     cancelled_at = case when ${chosen.off} then cadenced.now() end,
                     cancel_reason = case when ${chosen.off} then 'cancelled' end
               where session_id = ${chosen.id}`,
        );
      }
    }
  }
});
