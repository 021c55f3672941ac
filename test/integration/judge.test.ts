import { sql } from 'kysely';
import { Duration } from 'luxon';
import { afterEach, describe, expect, it } from 'vitest';
import { recordAnswer } from '../../src/store/evidence.ts';
import { judgeSessions } from '../../src/usecases/judge-sessions.ts';
import { createSeededWorld, instantIn, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
afterEach(() => world.close());

const sessionRow = async (id: number) =>
  (
    await world.rows(sql<{
      outcome: string | null;
      reason: string | null;
      settled: boolean;
      next: Date | null;
      ordinal: number | null;
      stage: string | null;
      tier: string | null;
    }>`select outcome, outcome_reason as reason, settled_at is not null as settled, next_judgement_at as next,
              ordinal, stage, evidence_tier as tier
         from cadenced.session where session_id = ${id}`)
  )[0];
const eventTypes = async () =>
  (await world.rows(sql<{ type: string }>`select type from mentoring.outbound_event order by position`)).map(
    (row) => row.type,
  );
const attended = (occurrence: number, person: number, from: string, until: string) =>
  sql`insert into cadenced.evidence (occurrence_id, person_id, source, kind, from_at, until_at, reference, seen_at)
      values (${occurrence}, ${person}, 'meet', 'presence', ${instantIn(from).toJSDate()}, ${instantIn(until).toJSDate()},
              ${`${person}@${from}`}, ${world.clock.now().toJSDate()})`.execute(world.db);
const record = (occurrence: number) =>
  sql`insert into cadenced.evidence (occurrence_id, source, kind, reference, seen_at)
      values (${occurrence}, 'meet', 'record', 'frame', ${world.clock.now().toJSDate()})`.execute(world.db);

describe('judging', () => {
  it('is due three hours after the end, settles what no source can tell after 48, and asks the people then', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { session } = await world.session({ at: '2026-03-03T10:00' });
    expect((await sessionRow(session))?.next).toEqual(instantIn('2026-03-03T14:00').toJSDate());
    await world.travelTo('2026-03-03T13:59');
    expect(await judgeSessions(world.deps)).toEqual({ judged: 0, settled: 0, restated: 0 });
    await world.travelTo('2026-03-03T14:00');
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 0, restated: 0 });
    expect(await sessionRow(session)).toMatchObject({
      outcome: 'unknown',
      reason: 'in_person',
      settled: false,
    });
    expect(await eventTypes()).toEqual([]);
    await world.travelTo('2026-03-05T11:00');
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 1, restated: 0 });
    expect(await sessionRow(session)).toMatchObject({ settled: true, next: null });
    expect(await eventTypes()).toEqual(['session.judged']);
    const asked = await world.rows(sql<{ participant_id: number }>`
      select participant_id from mentoring.reminder_log where kind = 'did_you_meet' order by participant_id`);
    expect(asked.map((row) => row.participant_id)).toEqual([world.ids.mentor, world.ids.mentee]);
    expect(await judgeSessions(world.deps)).toEqual({ judged: 0, settled: 0, restated: 0 });
  });

  it('restates a settled session when somebody answers, keeps the history and tells once', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { session } = await world.session({ at: '2026-03-03T10:00' });
    await world.travelTo('2026-03-05T12:00');
    await judgeSessions(world.deps);
    await world.travelTo('2026-03-06T09:00');
    const answer = {
      sessionId: session,
      personId: world.ids.mentee,
      kind: 'met' as const,
      reference: 'page-1',
    };
    const now = world.clock.now().toJSDate();
    const kept = () => world.db.transaction().execute((trx) => recordAnswer(trx, answer, now));
    expect([await kept(), await kept()]).toEqual([true, false]);
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 0, restated: 1 });
    expect(await sessionRow(session)).toMatchObject({
      outcome: 'held',
      reason: 'one_confirmed',
      tier: 'human_one',
      ordinal: 1,
      stage: 'getting to know',
    });
    expect(await eventTypes()).toEqual(['session.judged', 'attendance.changed', 'stage.reached']);
    const history = await world.rows(sql<{ outcome: string; because: string }>`
      select outcome, because from mentoring.outcome_history where session_id = ${session} order by decided_at`);
    expect(history).toEqual([
      { outcome: 'unknown', because: 'settled' },
      { outcome: 'held', because: 'answer' },
    ]);
  });

  it('numbers held sessions by their start, and again when an earlier one turns out to be held', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const meetings: Array<{ session: number; occurrence: number }> = [];
    for (const day of ['02', '03', '04']) {
      meetings.push(
        await world.session({ at: `2026-03-${day}T10:00`, conference: { kind: 'meet', key: `aaa${day}` } }),
      );
    }
    await world.travelTo('2026-03-05T00:00');
    await sql`update cadenced.harvest set state = 'final', due_at = null, last_answer = 'records'`.execute(
      world.db,
    );
    const come = async (index: number) => {
      const { occurrence } = meetings[index] ?? { occurrence: 0 };
      const day = `2026-03-0${index + 2}`;
      await record(occurrence);
      await attended(occurrence, world.ids.mentor, `${day}T10:00`, `${day}T11:00`);
      await attended(occurrence, world.ids.mentee, `${day}T10:05`, `${day}T11:00`);
    };
    await come(1);
    await come(2);
    await judgeSessions(world.deps);
    const numbers = async () =>
      Promise.all(meetings.map(async ({ session }) => (await sessionRow(session))?.ordinal ?? null));
    expect(await numbers()).toEqual([null, 1, 2]);
    await come(0);
    await sql`update cadenced.session set next_judgement_at = ${world.clock.now().toJSDate()}
               where session_id = ${meetings[0]?.session ?? 0}`.execute(world.db);
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 0, restated: 1 });
    expect(await numbers()).toEqual([1, 2, 3]);
    expect(await sessionRow(meetings[2]?.session ?? 0)).toMatchObject({ stage: 'deepening' });
    expect((await eventTypes()).filter((type) => type === 'stage.reached')).toHaveLength(2);
  });

  it('decides one meeting of several mentorships for each of them', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const other = await world.another('ada-lin');
    const first = await world.session({
      at: '2026-03-03T10:00',
      conference: { kind: 'meet', key: 'shared' },
    });
    const second = await world.session({
      at: '2026-03-03T10:00',
      mentorship: other,
      occurrence: first.occurrence,
    });
    await world.travelTo('2026-03-05T00:00');
    await sql`update cadenced.harvest set state = 'final', due_at = null, last_answer = 'records'`.execute(
      world.db,
    );
    await record(first.occurrence);
    await attended(first.occurrence, world.ids.mentor, '2026-03-03T10:00', '2026-03-03T11:00');
    await attended(first.occurrence, world.ids.mentee, '2026-03-03T10:00', '2026-03-03T11:00');
    await judgeSessions(world.deps);
    expect(await sessionRow(first.session)).toMatchObject({ outcome: 'held' });
    expect(await sessionRow(second.session)).toMatchObject({ outcome: 'one_sided', reason: 'mentee_absent' });
  });

  it('counts a cancellation that is learnt late, and one before the end only at the end', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const future = await world.session({ at: '2026-03-10T10:00', cancelledAt: '2026-03-01T09:00' });
    expect(await sessionRow(future.session)).toMatchObject({
      next: instantIn('2026-03-10T11:00').toJSDate(),
    });
    const { session } = await world.session({ at: '2026-03-03T10:00' });
    await world.travelTo('2026-03-06T10:00');
    await judgeSessions(world.deps);
    expect(await sessionRow(session)).toMatchObject({ outcome: 'unknown', settled: true });
    await sql`update cadenced.session set status = 'cancelled', cancel_reason = 'cancelled',
                     cancelled_at = starts_at - interval '2 hours' where session_id = ${session}`.execute(
      world.db,
    );
    await world.plan(session);
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 0, restated: 1 });
    expect(await sessionRow(session)).toMatchObject({ outcome: 'cancelled', reason: 'cancelled' });
    await world.plan(session);
    expect(await judgeSessions(world.deps)).toEqual({ judged: 0, settled: 0, restated: 0 });
  });

  it('says that sight was lost when no calendar was read since', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { session, occurrence } = await world.session({ at: '2026-03-03T10:00' });
    await sql`
      insert into cadenced.event_copy (calendar_id, occurrence_id, source_id, lineage, starts_at, ends_at, status,
        owner_is_organizer, people, people_omitted, private, hidden, matched, revision, first_seen_at)
      select ${world.ids.calendar}, occurrence_id, 'x', lineage, starts_at, ends_at, 'confirmed', true, '[]', false,
             false, false, '[]', '1', first_seen_at from cadenced.occurrence where occurrence_id = ${occurrence}`.execute(
      world.db,
    );
    await world.travelTo('2026-03-06T10:00');
    await sql`update cadenced.calendar set last_complete_pass_at = ${instantIn('2026-03-02T10:00').toJSDate()}`.execute(
      world.db,
    );
    // A calendar that is only behind is waited for; one that cannot be read is not.
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 0, restated: 0 });
    await sql`update cadenced.calendar set state = 'denied'`.execute(world.db);
    world.clock.advance(Duration.fromObject({ minutes: 10 }));
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 1, restated: 0 });
    expect(await sessionRow(session)).toMatchObject({ outcome: 'unknown', reason: 'sync_gap' });
  });

  it('after an outage waits until the conference was asked about', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    await world.session({ at: '2026-03-03T10:00', conference: { kind: 'meet', key: 'abc' } });
    await world.travelTo('2026-03-09T10:00');
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 0, restated: 0 });
    await sql`update cadenced.harvest set state = 'final', due_at = null, last_answer = 'nothing'`.execute(
      world.db,
    );
    world.clock.advance(Duration.fromObject({ minutes: 10 }));
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 1, restated: 0 });
  });

  it('planned twice, writes nothing the second time', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { session } = await world.session({
      at: '2026-03-03T10:00',
      conference: { kind: 'teams', key: 'https://t' },
    });
    const versions = () =>
      world.rows(sql`select 's' as it, session_id as id, xmin::text from cadenced.session
                     union all select 'h', occurrence_id, xmin::text from cadenced.harvest
                     union all select 'm', mail_id, xmin::text from cadenced.mail order by 1, 2`);
    const before = await versions();
    await world.plan(session);
    expect(await versions()).toEqual(before);
    expect(before).toHaveLength(1 + 1 + 4);
  });
});
