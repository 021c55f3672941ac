import { sql } from 'kysely';
import PQueue from 'p-queue';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConferenceParticipant, Harvest } from '../../src/domain/conference-record.ts';
import { failure } from '../../src/domain/failure.ts';
import type { EvidenceSource } from '../../src/ports/evidence-source.ts';
import { setReportsAsked } from '../../src/store/judgement.ts';
import { collectEvidence } from '../../src/usecases/collect-evidence.ts';
import { judgeSessions } from '../../src/usecases/judge-sessions.ts';
import { createSeededWorld, instantIn, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
afterEach(() => world.close());

type Question = Parameters<EvidenceSource['read']>[0];

function source(
  name: 'meet' | 'teams',
  answer: (question: Question) => Harvest,
): EvidenceSource & { readonly asked: Question[] } {
  const asked: Question[] = [];
  return {
    source: name,
    asked,
    async read(question) {
      asked.push(question);
      return answer(question);
    },
  };
}

const signal = new AbortController().signal;
const collect = (...sources: EvidenceSource[]) =>
  collectEvidence({ ...world.deps, sources, queue: new PQueue({ concurrency: 2 }) }, signal);

function user(id: string | null, addresses: string[], from: string, until: string): ConferenceParticipant {
  return {
    kind: 'user',
    providerUserId: id,
    addresses,
    displayName: 'Somebody',
    intervals: [{ from: instantIn(from).toMillis(), until: instantIn(until).toMillis() }],
  };
}

function call(
  id: string,
  from: string,
  until: string | null,
  participants: ConferenceParticipant[],
): Harvest {
  return {
    found: 'records',
    records: [
      {
        recordId: id,
        from: instantIn(from).toMillis(),
        until: until === null ? null : instantIn(until).toMillis(),
        participants,
      },
    ],
  };
}

const outcomes = () =>
  world.rows(sql<{ outcome: string; reason: string; settled: boolean }>`
    select outcome, outcome_reason as reason, settled_at is not null as settled
      from mentoring.session order by scheduled_start`);
const harvests = () =>
  world.rows(sql<{ state: string; attempts: number; due: Date | null; answer: string | null }>`
    select state, attempts, due_at as due, last_answer as answer from cadenced.harvest order by occurrence_id`);

describe('collecting evidence', () => {
  it('asks on schedule until the word is final, keeps every statement once, and settles the session', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    await world.session({ at: '2026-03-03T10:00', conference: { kind: 'meet', key: 'abcmnopxyz' } });
    const both = call('r1', '2026-03-03T10:01', '2026-03-03T10:58', [
      user('users/1', ['ada@example.org'], '2026-03-03T10:01', '2026-03-03T10:58'),
      user('users/2', ['grace@example.org'], '2026-03-03T10:04', '2026-03-03T10:50'),
    ]);
    const meet = source('meet', () => both);
    await world.travelTo('2026-03-03T11:04');
    expect(await collect(meet)).toEqual({ asked: 0, recorded: 0, failed: 0 });
    await world.travelTo('2026-03-03T11:05');
    expect(await collect(meet)).toEqual({ asked: 1, recorded: 3, failed: 0 });
    expect(meet.asked[0]).toEqual({
      organizer: 'ada@example.org',
      conference: { kind: 'meet', key: 'abcmnopxyz' },
      window: {
        from: instantIn('2026-03-03T09:30').toMillis(),
        until: instantIn('2026-03-03T12:00').toMillis(),
      },
    });
    await world.travelTo('2026-03-03T14:00');
    expect(await collect(meet)).toEqual({ asked: 1, recorded: 0, failed: 0 });
    expect(await harvests()).toEqual([{ state: 'final', attempts: 2, due: null, answer: 'records' }]);
    await judgeSessions(world.deps);
    expect(await outcomes()).toEqual([{ outcome: 'held', reason: 'both_present', settled: true }]);
    const people = await world.rows(sql<{ minutes: string; status: string }>`
      select minutes, status from mentoring.attendance order by participant_id`);
    expect(people).toEqual([
      { minutes: '57.00', status: 'attended' },
      { minutes: '46.00', status: 'attended' },
    ]);
    expect(await world.rows(sql`select start_delay_minutes::float as delay from mentoring.session`)).toEqual([
      { delay: 4 },
    ]);
  });

  it('remembers accounts, so that a record with ids alone names people', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    await world.session({ at: '2026-03-03T10:00', conference: { kind: 'meet', key: 'aaa' } });
    await world.session({ at: '2026-03-04T10:00', conference: { kind: 'meet', key: 'bbb' } });
    await world.travelTo('2026-03-05T10:00');
    const meet = source('meet', ({ conference }) =>
      conference.key === 'aaa'
        ? call('r1', '2026-03-03T10:00', '2026-03-03T11:00', [
            user('users/1', ['ada@example.org'], '2026-03-03T10:00', '2026-03-03T11:00'),
            user('users/2', ['grace@example.org'], '2026-03-03T10:00', '2026-03-03T11:00'),
          ])
        : call('r2', '2026-03-04T10:00', '2026-03-04T11:00', [
            user('users/1', [], '2026-03-04T10:00', '2026-03-04T11:00'),
            user('users/2', [], '2026-03-04T10:00', '2026-03-04T11:00'),
          ]),
    );
    // Both were read before either was kept: the second names nobody yet, and is understood when it is judged.
    await collect(meet);
    await judgeSessions(world.deps);
    expect((await outcomes()).map((row) => row.outcome)).toEqual(['held', 'held']);
  });

  it('explains the sessions before, once somebody’s account is known', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const other = 'grace@elsewhere.org';
    for (const day of ['03', '10'])
      await world.session({ at: `2026-03-${day}T10:00`, conference: { kind: 'meet', key: day } });
    const meet = source('meet', ({ conference: { key } }) =>
      call(key, `2026-03-${key}T10:00`, `2026-03-${key}T11:00`, [
        user('users/1', ['ada@example.org'], `2026-03-${key}T10:00`, `2026-03-${key}T11:00`),
        user('users/2', [other], `2026-03-${key}T10:00`, `2026-03-${key}T11:00`),
      ]),
    );
    await world.travelTo('2026-03-05T12:00');
    await collect(meet);
    await judgeSessions(world.deps);
    expect(await outcomes()).toMatchObject([{ outcome: 'unknown', reason: 'guest_only', settled: true }, {}]);
    await sql`insert into cadenced.person_address values (${other}, ${world.ids.mentee})`.execute(world.db);
    await world.travelTo('2026-03-10T15:00');
    await collect(meet);
    await judgeSessions(world.deps);
    expect((await outcomes()).map(({ outcome }) => outcome)).toEqual(['held', 'held']);
  });

  it('asks in the name of the organizer’s account when the entry names them by an alias', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { mentor, mentee } = world.ids;
    await sql`insert into cadenced.person_address
              values ('a.lovelace@example.org', ${mentor}), ('g.hopper@example.org', ${mentee})`.execute(
      world.db,
    );
    const organizedBy = async (address: string, at: string, conference: 'meet' | 'teams') => {
      const { occurrence } = await world.session({ at, conference: { kind: conference, key: at } });
      await sql`update cadenced.occurrence set organizer = ${address} where occurrence_id = ${occurrence}`.execute(
        world.db,
      );
    };
    await organizedBy('a.lovelace@example.org', '2026-03-03T10:00', 'meet');
    await organizedBy('g.hopper@example.org', '2026-03-03T11:00', 'meet');
    await organizedBy('stranger@example.org', '2026-03-03T12:00', 'meet');
    await organizedBy('a.lovelace@example.org', '2026-03-03T13:00', 'teams');
    await world.travelTo('2026-03-05T10:00');
    const meet = source('meet', () => ({ found: 'nothing' }));
    const teams = source('teams', () => ({ found: 'nothing' }));
    const names = async () => {
      await collect(meet, teams);
      return [...meet.asked, ...teams.asked].map(({ organizer }) => organizer);
    };
    expect(await names()).toEqual([
      'ada@example.org',
      'grace@example.org',
      'stranger@example.org',
      'a.lovelace@example.org',
    ]);
    // Whose calendar is Outlook's may have a Google account under the alias alone.
    meet.asked.length = 0;
    teams.asked.length = 0;
    await sql`update cadenced.person set calendar_provider = 'microsoft' where person_id = ${mentee}`.execute(
      world.db,
    );
    await organizedBy('g.hopper@example.org', '2026-03-03T14:00', 'meet');
    expect(await names()).toEqual(['g.hopper@example.org']);
  });

  it('gives a record to the one meeting it belongs to when several share the link', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const link = { kind: 'meet' as const, key: 'series' };
    await world.session({ at: '2026-03-03T10:00', conference: link });
    await world.session({ at: '2026-03-03T11:15', conference: link });
    await world.travelTo('2026-03-05T10:00');
    const meet = source('meet', () =>
      call('r1', '2026-03-03T11:10', '2026-03-03T12:10', [
        user('users/1', ['ada@example.org'], '2026-03-03T11:10', '2026-03-03T12:10'),
        user('users/2', ['grace@example.org'], '2026-03-03T11:15', '2026-03-03T12:10'),
      ]),
    );
    await collect(meet);
    await judgeSessions(world.deps);
    expect(await outcomes()).toEqual([
      { outcome: 'unknown', reason: 'no_record', settled: true },
      { outcome: 'held', reason: 'both_present', settled: true },
    ]);
  });

  it('lets one call that goes through two meetings tell of both, of the second without proving anybody absent', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const link = { kind: 'meet' as const, key: 'office' };
    for (const at of ['10:00', '11:00', '12:00'])
      await world.session({ at: `2026-03-03T${at}`, conference: link });
    await world.travelTo('2026-03-05T12:30');
    const meet = source('meet', () =>
      call('r1', '2026-03-03T10:00', '2026-03-03T12:40', [
        user('users/1', ['ada@example.org'], '2026-03-03T10:00', '2026-03-03T12:40'),
        user('users/2', ['grace@example.org'], '2026-03-03T10:05', '2026-03-03T11:50'),
      ]),
    );
    await collect(meet);
    await judgeSessions(world.deps);
    expect(await outcomes()).toMatchObject([
      { outcome: 'held', reason: 'both_present' },
      { outcome: 'held', reason: 'both_present' },
      { outcome: 'unknown', reason: 'no_record' },
    ]);
  });

  it('never makes a guest the mentee', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    await world.session({ at: '2026-03-03T10:00', conference: { kind: 'teams', key: 'https://teams/1' } });
    await world.travelTo('2026-03-05T10:00');
    const teams = source('teams', () =>
      call('report-1', '2026-03-03T10:00', '2026-03-03T11:00', [
        user('oid-1', ['ada@example.org'], '2026-03-03T10:00', '2026-03-03T11:00'),
        {
          ...user(null, [], '2026-03-03T10:00', '2026-03-03T11:00'),
          kind: 'anonymous',
          displayName: 'Grace',
        },
      ]),
    );
    await collect(teams);
    await judgeSessions(world.deps);
    expect(await outcomes()).toEqual([{ outcome: 'unknown', reason: 'guest_only', settled: true }]);
  });

  it('waits for a call that goes on', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    await world.session({ at: '2026-03-03T10:00', conference: { kind: 'meet', key: 'long' } });
    const people = [
      user('users/1', ['ada@example.org'], '2026-03-03T10:00', '2026-03-03T15:00'),
      user('users/2', ['grace@example.org'], '2026-03-03T10:00', '2026-03-03T15:00'),
    ];
    let until: string | null = null;
    const meet = source('meet', () => call('r1', '2026-03-03T10:00', until, people));
    await world.travelTo('2026-03-03T14:00');
    expect(await collect(meet)).toMatchObject({ recorded: 0 });
    until = '2026-03-03T15:00';
    await world.travelTo('2026-03-03T23:00');
    expect(await collect(meet)).toMatchObject({ recorded: 3 });
    await judgeSessions(world.deps);
    expect(await outcomes()).toEqual([{ outcome: 'held', reason: 'both_present', settled: true }]);
  });

  it('does not let the failure of one meeting stop the others, and asks it again', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    await world.session({ at: '2026-03-03T10:00', conference: { kind: 'meet', key: 'broken' } });
    await world.session({ at: '2026-03-03T12:00', conference: { kind: 'meet', key: 'fine' } });
    await world.travelTo('2026-03-03T13:30');
    const meet = source('meet', ({ conference }) => {
      if (conference.key === 'broken') throw failure.throttled('quota', { retryAfterMs: 3_600_000 });
      return { found: 'nothing' };
    });
    expect(await collect(meet)).toEqual({ asked: 2, recorded: 0, failed: 1 });
    expect(await harvests()).toMatchObject([
      { state: 'waiting', attempts: 1, due: instantIn('2026-03-03T14:30').toJSDate(), answer: 'quota' },
      { state: 'waiting', attempts: 1, due: instantIn('2026-03-03T14:00').toJSDate(), answer: 'nothing' },
    ]);
  });

  it('is unknown, not absent, when the source refuses, and is held when the grant comes three weeks late', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    await world.session({ at: '2026-03-03T10:00', conference: { kind: 'meet', key: 'refused' } });
    await world.session({ at: '2026-03-03T12:00', conference: { kind: 'meet', key: 'for-ever' } });
    let granted = false;
    const meet = source('meet', ({ conference }) => {
      if (!granted || conference.key === 'for-ever') throw failure.config('scope_missing', { status: 403 });
      return call('r1', '2026-03-03T10:00', '2026-03-03T11:00', [
        user('users/1', ['ada@example.org'], '2026-03-03T10:00', '2026-03-03T11:00'),
        user('users/2', ['grace@example.org'], '2026-03-03T10:00', '2026-03-03T11:00'),
      ]);
    });
    const pass = async (from: number, until: number) => {
      for (let day = from; day <= until; day += 1) {
        await world.travelTo(
          instantIn('2026-03-01T18:30')
            .plus({ days: day - 1 })
            .toISO({ includeOffset: false }) ?? '',
        );
        await collect(meet);
        await judgeSessions(world.deps);
      }
    };
    await pass(3, 23);
    const unseen = { outcome: 'unknown', reason: 'no_permission', settled: true };
    expect(await outcomes()).toEqual([unseen, unseen]);
    expect(await harvests()).toMatchObject([{ state: 'waiting' }, { state: 'waiting' }]);
    // Once a day by now: a grant that nobody means to give costs next to nothing.
    const asked = meet.asked.length;
    await pass(24, 24);
    expect(meet.asked.length - asked).toBe(2);
    granted = true;
    await pass(25, 27);
    expect(await outcomes()).toEqual([{ outcome: 'held', reason: 'both_present', settled: true }, unseen]);
    // What the provider has deleted is asked for no longer.
    await pass(28, 36);
    expect(await harvests()).toMatchObject([
      { state: 'final' },
      { state: 'cannot_tell', answer: 'no_permission' },
    ]);
  });

  it('does not ask for what the provider has deleted since', async () => {
    world = await createSeededWorld({ now: '2026-05-01T10:00' });
    await world.session({
      at: '2026-03-03T10:00',
      conference: { kind: 'meet', key: 'old' },
      firstSeenAt: '2026-05-01T10:00',
    });
    const meet = source('meet', () => ({ found: 'nothing' }));
    expect(await collect(meet)).toEqual({ asked: 0, recorded: 0, failed: 0 });
    await judgeSessions(world.deps);
    expect(await outcomes()).toEqual([{ outcome: 'unknown', reason: 'expired', settled: true }]);
  });

  it('asks the log of Meet, once it is set up, about everything it still knows and nothing else has proven', async () => {
    world = await createSeededWorld({ now: '2026-08-01T10:00' });
    const link = (key: string) => ({ kind: 'meet' as const, key });
    const firstSeenAt = '2026-08-01T10:00';
    await world.session({ at: '2026-01-20T10:00', conference: link('too-old'), firstSeenAt });
    await world.session({ at: '2026-03-03T10:00', conference: link('unproven'), firstSeenAt });
    await world.session({ at: '2026-07-30T10:00', conference: link('proven'), firstSeenAt });
    await world.session({ at: '2026-09-03T10:00', conference: link('ahead'), firstSeenAt });
    const meet = source('meet', ({ window }) => {
      const from = window.from + 30 * 60_000;
      const people = [
        user('users/1', ['ada@example.org'], '2026-03-03T10:00', '2026-03-03T11:00'),
        user('users/2', ['grace@example.org'], '2026-03-03T10:00', '2026-03-03T11:00'),
      ];
      const intervals = [{ from, until: from + 3_600_000 }];
      const participants = people.map((one) => ({ ...one, intervals }));
      return { found: 'records', records: [{ recordId: 'r', from, until: from + 3_600_000, participants }] };
    });
    await collect(meet);
    await judgeSessions(world.deps);
    const reports = () =>
      world.rows(sql<{ key: string; state: string; attempts: number }>`
        select conference_key as key, state, attempts from cadenced.harvest join cadenced.occurrence using (occurrence_id)
         where source = 'reports' order by starts_at`);
    expect(await reports()).toEqual([]);
    await setReportsAsked(world.db, true);
    const waiting = { state: 'waiting', attempts: 0 };
    expect(await reports()).toEqual([
      { key: 'unproven', ...waiting },
      { key: 'ahead', ...waiting },
    ]);
    const log = (answer: () => Harvest): EvidenceSource => ({
      source: 'reports',
      read: async () => answer(),
    });
    await collect(
      log(() => {
        throw failure.auth('forbidden', { status: 401 });
      }),
    );
    // Switched off it is waited for by nobody, switched on again it is asked from the beginning.
    await setReportsAsked(world.db, false);
    expect(await reports()).toEqual([{ key: 'unproven', state: 'cannot_tell', attempts: 1 }]);
    await setReportsAsked(world.db, true);
    expect(await reports()).toEqual([
      { key: 'unproven', ...waiting },
      { key: 'ahead', ...waiting },
    ]);
    const done = await reports();
    await setReportsAsked(world.db, true);
    expect(await reports()).toEqual(done);
  });

  it('follows a meeting that moves or changes its link before it begins', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    const { session, occurrence } = await world.session({
      at: '2026-03-03T10:00',
      conference: { kind: 'meet', key: 'first' },
    });
    const later = instantIn('2026-03-04T12:00').toJSDate();
    await sql`update cadenced.occurrence set ends_at = ${later}, conference_kind = 'teams', conference_key = 'https://t'
               where occurrence_id = ${occurrence}`.execute(world.db);
    await sql`update cadenced.session set ends_at = ${later} where session_id = ${session}`.execute(world.db);
    await world.plan(session);
    expect(await harvests()).toMatchObject([
      { state: 'waiting', due: instantIn('2026-03-04T12:15').toJSDate() },
    ]);
    await sql`update cadenced.session set status = 'cancelled', cancel_reason = 'cancelled', cancelled_at = cadenced.now()
               where session_id = ${session}`.execute(world.db);
    await world.plan(session);
    expect(await harvests()).toEqual([]);
  });
});
