import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProgramPolicy } from '../../src/domain/program.ts';
import { watchCadence } from '../../src/usecases/watch-cadence.ts';
import { createSeededWorld, instantIn, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
afterEach(() => world.close());

type Standing = {
  state: string;
  at_risk: boolean;
  reasons: string[];
  due_at: Date;
  overdue_since: Date | null;
};
async function cadence(): Promise<Standing> {
  const [row] = await world.rows(sql<Standing>`
    select state, at_risk, reasons, due_at, overdue_since from mentoring.cadence where mentorship = 'ada-grace'`);
  if (row === undefined) throw new Error('the view has no such mentorship');
  return row;
}
const state = async () => (await cadence()).state;
const stateOn = async (local: string) => {
  await world.travelTo(local);
  return state();
};
const held = { outcome: 'held', reason: 'both_present', overlap: 50 };
const monthly: Partial<ProgramPolicy> = { cadence: { form: 'calendar', per: 'month', count: 2 } };

describe('a rolling cadence', () => {
  it('passes from the first deadline through grace to a missed and a second missed interval', async () => {
    world = await createSeededWorld({ now: '2026-02-28T12:00', startsOn: '2026-03-01' });
    expect(await stateOn('2026-03-11T23:59')).toBe('not_started');
    expect(await stateOn('2026-03-12T00:00')).toBe('due');
    expect(await stateOn('2026-03-18T23:59')).toBe('due');
    expect(await stateOn('2026-03-19T00:00')).toBe('overdue');
    expect(await cadence()).toMatchObject({
      at_risk: true,
      reasons: ['overdue', 'never_met', 'nothing_booked'],
      overdue_since: instantIn('2026-03-19T00:00').toJSDate(),
    });
    expect(await stateOn('2026-04-02T00:00')).toBe('lapsed');
  });

  it('begins anew with every held session, in days of the program zone across summer time', async () => {
    world = await createSeededWorld({ now: '2026-03-20T12:00' });
    await world.session({ at: '2026-03-20T23:30', minutes: 60, settled: held });
    expect(await stateOn('2026-04-03T23:30')).toBe('on_track');
    expect((await cadence()).due_at).toEqual(instantIn('2026-04-04T00:00').toJSDate());
    expect(await stateOn('2026-04-04T00:30')).toBe('due');
    expect(await stateOn('2026-04-11T00:30')).toBe('overdue');
    expect(await stateOn('2026-04-25T00:30')).toBe('lapsed');
  });

  it('is no risk while something is booked that no side has declined', async () => {
    world = await createSeededWorld({ now: '2026-03-01T12:00' });
    await world.session({ at: '2026-03-01T10:00', settled: held });
    await world.travelTo('2026-03-25T12:00');
    const { session } = await world.session({ at: '2026-03-27T10:00' });
    expect(await cadence()).toMatchObject({ state: 'overdue', at_risk: false, reasons: ['overdue'] });
    await sql`update cadenced.participant set rsvp = 'declined'
               where session_id = ${session} and role = 'mentee'`.execute(world.db);
    expect(await cadence()).toMatchObject({ at_risk: true, reasons: ['overdue', 'nothing_booked'] });
  });

  it('accuses nobody of what could not be verified, unless the program wants it', async () => {
    world = await createSeededWorld({ now: '2026-03-01T12:00' });
    await world.session({ at: '2026-03-01T10:00', settled: held });
    await world.session({ at: '2026-03-15T10:00', settled: { outcome: 'unknown', reason: 'in_person' } });
    await world.travelTo('2026-03-27T12:00');
    expect(await cadence()).toMatchObject({ state: 'on_track', at_risk: false, reasons: ['unverified'] });
    await sql`update cadenced.program_policy
                 set policy = jsonb_set(policy, '{unknown}', '"not_held"')`.execute(world.db);
    expect(await cadence()).toMatchObject({ state: 'overdue', at_risk: true });
  });

  it('does not run while a mentorship or a member is paused, nor on holidays', async () => {
    world = await createSeededWorld({
      now: '2026-03-01T12:00',
      policy: { holidays: [{ from: '2026-03-05', until: '2026-03-07', name: 'fair' }] },
    });
    await world.session({ at: '2026-03-01T10:00', settled: held });
    await sql`insert into cadenced.pause (person_id, from_on, until_on)
              values (${world.ids.mentee}, '2026-03-07', '2026-03-10')`.execute(world.db);
    expect(await stateOn('2026-03-08T12:00')).toBe('paused');
    // Fourteen days, and six on which nobody owed anything: the 7th is both.
    expect(await stateOn('2026-03-21T23:00')).toBe('on_track');
    expect(await stateOn('2026-03-22T01:00')).toBe('due');
  });

  it('is quiet near the end, and over after it', async () => {
    world = await createSeededWorld({ now: '2026-03-01T12:00' });
    await sql`update cadenced.mentorship set ends_on = '2026-04-30'`.execute(world.db);
    expect(await stateOn('2026-04-16T12:00')).toBe('lapsed');
    expect(await stateOn('2026-04-17T12:00')).toBe('ending');
    expect(await stateOn('2026-04-30T23:00')).toBe('ending');
    expect(await stateOn('2026-05-01T01:00')).toBe('ended');
  });

  it('is unobservable when nobody can be read: blindness is not a lapse', async () => {
    world = await createSeededWorld({ now: '2026-03-01T12:00' });
    expect(await state()).toBe('lapsed');
    await sql`update cadenced.calendar set state = 'denied'`.execute(world.db);
    expect(await cadence()).toMatchObject({
      state: 'unobservable',
      at_risk: false,
      reasons: ['no_readable_calendar'],
    });
    await sql`update cadenced.calendar set state = 'active'`.execute(world.db);
    await sql`update cadenced.calendar set last_complete_pass_at = last_complete_pass_at - interval '3 days'`.execute(
      world.db,
    );
    expect(await state()).toBe('unobservable');
  });

  it('says why: missed again and again, moved often, ever longer gaps', async () => {
    world = await createSeededWorld({ now: '2026-08-01T12:00' });
    for (const day of [
      '2026-03-02',
      '2026-03-09',
      '2026-03-16',
      '2026-03-23',
      '2026-04-13',
      '2026-05-04',
      '2026-05-25',
    ]) {
      await world.session({ at: `${day}T10:00`, settled: held });
    }
    for (const day of ['2026-06-02', '2026-06-09']) {
      await world.session({ at: `${day}T10:00`, settled: { outcome: 'one_sided', reason: 'mentee_absent' } });
    }
    await sql`update cadenced.session set reschedules = 3 where starts_at > '2026-06-05'`.execute(world.db);
    expect((await cadence()).reasons).toEqual([
      'lapsed',
      'nothing_booked',
      'missed_repeatedly',
      'gap_widening',
      'moved_often',
    ]);
  });
});

describe('the reasons', () => {
  it('leave pauses out of what was missed and of how far gaps widened', async () => {
    world = await createSeededWorld({ now: '2026-07-01T12:00' });
    for (const day of ['02-02', '02-16', '03-02', '03-16', '03-30', '05-25', '06-22']) {
      await world.session({ at: `2026-${day}T10:00`, settled: held });
    }
    for (const day of ['06-08', '06-15']) {
      await world.session({
        at: `2026-${day}T10:00`,
        settled: { outcome: 'one_sided', reason: 'mentee_absent' },
      });
    }
    // The last three gaps are 14, 56 and 28 days, those before 14 each.
    expect((await cadence()).reasons).toEqual(['missed_repeatedly', 'gap_widening']);
    await sql`insert into cadenced.pause (mentorship_id, from_on, until_on)
              values (${world.ids.mentorship}, '2026-04-04', '2026-05-15'), (${world.ids.mentorship}, '2026-06-01', '2026-06-20')`.execute(
      world.db,
    );
    expect((await cadence()).reasons).toEqual([]);
  });

  it('look at the next session, not at the end of a long series', async () => {
    world = await createSeededWorld({ now: '2026-03-02T12:00' });
    await world.session({ at: '2026-03-02T10:00', settled: held });
    const next = await world.session({ at: '2026-03-09T10:00' });
    await world.session({ at: '2026-06-08T10:00' });
    expect((await cadence()).reasons).toEqual([]);
    await sql`update cadenced.session set reschedules = 3 where session_id = ${next.session}`.execute(
      world.db,
    );
    expect((await cadence()).reasons).toEqual(['moved_often']);
    // Held in the end: nothing to worry about any more.
    await sql`update cadenced.session set outcome = 'held', settled_at = ends_at
               where session_id = ${next.session}`.execute(world.db);
    await world.travelTo('2026-03-10T12:00');
    expect((await cadence()).reasons).toEqual([]);
  });

  it('bear a pause that has no end', async () => {
    world = await createSeededWorld({ now: '2026-03-02T12:00', startsOn: '2026-03-01' });
    await sql`select mentoring.pause_mentorship('oak', 'ada-grace', '2026-03-05', 'infinity')`.execute(
      world.db,
    );
    expect(await stateOn('2026-03-04T12:00')).toBe('not_started');
    expect(await stateOn('2026-06-04T12:00')).toBe('paused');
    const [row] = await world.rows(sql<{ counted: boolean; state: string }>`
      select counted, state from mentoring.benchmark where benchmark = 'first session'`);
    expect(row).toEqual({ counted: false, state: 'open' });
  });
});

describe('a calendar cadence', () => {
  it('asks whole months only, gives grace after each, and is not paid by extra sessions', async () => {
    world = await createSeededWorld({ now: '2026-03-10T12:00', startsOn: '2026-03-10', policy: monthly });
    for (const at of [
      '2026-03-12T10:00',
      '2026-04-03T10:00',
      '2026-04-10T10:00',
      '2026-04-17T10:00',
      '2026-05-05T10:00',
    ]) {
      await world.session({ at, settled: held });
    }
    // March was begun in the middle; April had three; May has one of two.
    expect(await stateOn('2026-04-01T12:00')).toBe('on_track');
    expect(await stateOn('2026-05-31T23:00')).toBe('on_track');
    expect((await cadence()).due_at).toEqual(instantIn('2026-06-01T00:00').toJSDate());
    expect(await stateOn('2026-06-07T23:00')).toBe('due');
    expect(await stateOn('2026-06-08T01:00')).toBe('overdue');
    expect(await stateOn('2026-07-07T12:00')).toBe('overdue');
    expect(await stateOn('2026-07-08T12:00')).toBe('lapsed');
    await world.session({ at: '2026-07-08T14:00', settled: held });
    await world.session({ at: '2026-07-09T14:00', settled: held });
    expect(await stateOn('2026-07-10T12:00')).toBe('on_track');
    expect((await cadence()).due_at).toEqual(instantIn('2026-09-01T00:00').toJSDate());
  });

  it('does not ask about a month most of which was free', async () => {
    world = await createSeededWorld({
      now: '2026-03-01T12:00',
      startsOn: '2026-01-01',
      policy: { ...monthly, holidays: [{ from: '2026-02-05', until: '2026-02-25', name: null }] },
    });
    await world.session({ at: '2026-01-06T10:00', settled: held });
    await world.session({ at: '2026-01-20T10:00', settled: held });
    expect(await stateOn('2026-03-20T12:00')).toBe('on_track');
  });
});

describe('watching', () => {
  const alerts = () =>
    world.rows(sql<{ kind: string; level: string; baselined: boolean; resolved: boolean; told: boolean }>`
      select kind, level, baselined, resolved_at is not null as resolved, told_at is not null as told
        from mentoring.alert order by alert_id`);
  const events = async () =>
    (
      await world.rows(sql<{ type: string; level: string }>`
      select type, payload ->> 'level' as level from mentoring.outbound_event order by position`)
    ).map((row) => `${row.type} ${row.level}`);
  const mails = async () =>
    (
      await world.rows(
        sql<{ kind: string; to: string }>`select kind, to_address as to from cadenced.mail order by mail_id`,
      )
    ).map((row) => `${row.kind} ${row.to}`);

  it('tells the pair, then the coordinator, then escalates, each once, and resolves by itself', async () => {
    world = await createSeededWorld({ now: '2026-03-01T12:00' });
    await world.session({ at: '2026-03-01T10:00', settled: held });
    await world.travelTo('2026-03-23T12:00');
    expect(await watchCadence(world.deps)).toEqual({ opened: 2, escalated: 0, resolved: 0 });
    expect(await watchCadence(world.deps)).toEqual({ opened: 0, escalated: 0, resolved: 0 });
    expect(await mails()).toEqual(['cadence_alert ada@example.org', 'cadence_alert grace@example.org']);
    await world.travelTo('2026-03-30T13:00');
    expect(await watchCadence(world.deps)).toEqual({ opened: 0, escalated: 2, resolved: 0 });
    await world.travelTo('2026-04-13T13:00');
    expect(await watchCadence(world.deps)).toEqual({ opened: 0, escalated: 2, resolved: 0 });
    expect((await mails()).slice(2)).toEqual([
      'cadence_digest coordinator@example.org',
      'cadence_digest coordinator@example.org',
    ]);
    await world.session({ at: '2026-04-13T10:00', settled: held });
    expect(await watchCadence(world.deps)).toEqual({ opened: 0, escalated: 0, resolved: 2 });
    expect(await watchCadence(world.deps)).toEqual({ opened: 0, escalated: 0, resolved: 0 });
    expect(await alerts()).toEqual([
      { kind: 'at_risk', level: 'escalation', baselined: false, resolved: true, told: true },
      { kind: 'violated', level: 'escalation', baselined: false, resolved: true, told: false },
    ]);
    expect(await events()).toEqual([
      'cadence.at_risk pair',
      'cadence.violated pair',
      'cadence.at_risk coordinator',
      'cadence.violated coordinator',
      'cadence.at_risk escalation',
      'cadence.violated escalation',
      'cadence.resolved escalation',
      'cadence.resolved escalation',
    ]);
  });

  it('opens what is older than the program in silence', async () => {
    world = await createSeededWorld({ now: '2026-05-01T12:00', liveFrom: '2026-05-01' });
    expect(await watchCadence(world.deps)).toEqual({ opened: 2, escalated: 0, resolved: 0 });
    await world.travelTo('2026-06-15T12:00');
    expect(await watchCadence(world.deps)).toEqual({ opened: 0, escalated: 0, resolved: 0 });
    expect((await alerts()).every((alert) => alert.baselined && !alert.told)).toBe(true);
    expect([await events(), await mails()]).toEqual([[], []]);
  });

  it('tells a coordinator of many mentorships in one mail a day', async () => {
    world = await createSeededWorld({ now: '2026-03-01T12:00', startsOn: '2026-03-01' });
    await world.another('ada-lin', '2026-03-01');
    await world.travelTo('2026-03-20T12:00');
    await watchCadence(world.deps);
    await world.travelTo('2026-03-27T13:00');
    expect(await watchCadence(world.deps)).toMatchObject({ escalated: 4 });
    expect((await mails()).filter((mail) => mail.startsWith('cadence_digest'))).toHaveLength(1);
  });

  it('is done by one at a time', async () => {
    world = await createSeededWorld({ now: '2026-05-01T12:00' });
    const both = await Promise.all([watchCadence(world.deps), watchCadence(world.deps)]);
    expect(both.map((one) => one.opened).reduce((sum, one) => sum + one)).toBe(2);
    expect(await alerts()).toHaveLength(2);
  });
});
