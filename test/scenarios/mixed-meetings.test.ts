import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import {
  cancelMeeting,
  cancelOccurrence,
  type Meeting,
  moveMeeting,
  moveOccurrence,
  moveSeries,
} from '../../src/sandbox/world/index.ts';
import { ADA, DANA, DAY, FAY, type MicrosoftStage, openMicrosoftStage } from './microsoft-stage.ts';

/**
 * One meeting on three calendars of two providers, read in every order: the organizer's, a guest's at the same
 * provider or the other, and one more. Each copy goes by other ids, UIDs in other forms and dates of its own.
 */

let stage: MicrosoftStage;
afterEach(() => stage.close());

const ORDERS: readonly (readonly string[])[] = [
  [ADA, DANA, FAY],
  [ADA, FAY, DANA],
  [DANA, ADA, FAY],
  [DANA, FAY, ADA],
  [FAY, ADA, DANA],
  [FAY, DANA, ADA],
];
const named = (order: readonly string[]) => order.map((address) => address.split('@')[0]).join(', ');

const PAIRS = ['Ada & dana', 'Ada & fay'] as const;

/** What both mentorships show: they were invited to the same meeting, so it must be the same. */
async function shown(): Promise<{ start: string; status: string }[]> {
  const [dana, fay] = await Promise.all(PAIRS.map((pair) => stage.sessions(pair)));
  const facts = (rows = dana) =>
    rows?.map(({ start, status, occurrence }) => ({ start, status, occurrence }));
  expect(facts(dana)).toEqual(facts(fay));
  return (dana ?? []).map(({ start, status }) => ({ start, status }));
}

const ids = async () => (await stage.sessions(PAIRS[0])).map(({ id }) => id).toSorted((a, b) => a - b);
const scheduled = (...starts: string[]) => starts.map((start) => ({ start, status: 'scheduled' }));

/** Each live occurrence is held by all three calendars, once. */
async function copies(): Promise<number[]> {
  const rows = await stage.rows(sql<{ calendars: number; copies: number }>`
    select count(distinct calendar_id)::int as calendars, count(*)::int as copies
      from cadenced.event_copy where removed_at is null group by occurrence_id order by 1`);
  expect(rows.every(({ calendars, copies: all }) => calendars === all)).toBe(true);
  return rows.map(({ calendars }) => calendars);
}

describe.each([
  ['Google', DANA, [ADA, FAY]],
  ['Outlook', ADA, [DANA, FAY]],
])('organized at %s', (_at, organizer, guests) => {
  const weekly = (): Meeting =>
    stage.weekly({ organizer, guests, start: '2026-03-11T10:00', rule: 'FREQ=WEEKLY;COUNT=4' });

  test.each(ORDERS.map((order) => [named(order), order] as const))(
    'a series read by %s',
    async (_name, order) => {
      stage = await openMicrosoftStage({ google: true });
      const series = weekly();
      await stage.syncAll(...order);
      const made = ['2026-03-11T09:00', '2026-03-18T09:00', '2026-03-25T09:00', '2026-04-01T08:00'];
      expect(await shown()).toEqual(scheduled(...made));
      expect(await stage.occurrences()).toBe(4);
      expect(await copies()).toEqual([3, 3, 3, 3]);
      const first = await ids();

      // One moved to another day, one called off.
      moveOccurrence(stage.world, {
        meeting: series.id,
        slot: '2026-03-18T09:00:00Z',
        start: '2026-03-20T15:00:00Z',
      });
      cancelOccurrence(stage.world, { meeting: series.id, slot: '2026-03-25T09:00:00Z' });
      await stage.syncAll(...order);
      const after = [
        ...scheduled('2026-03-11T09:00', '2026-03-20T15:00'),
        { start: '2026-03-25T09:00', status: 'cancelled' },
        ...scheduled('2026-04-01T08:00'),
      ];
      expect(await shown()).toEqual(after);
      expect(await ids()).toEqual(first);
      expect(await stage.occurrences()).toBe(4);

      // The exception again, while only the first calendar was read in between.
      moveOccurrence(stage.world, {
        meeting: series.id,
        slot: '2026-04-01T08:00:00Z',
        start: '2026-04-02T10:00:00Z',
      });
      await stage.syncAll(order[0] ?? ADA);
      moveOccurrence(stage.world, {
        meeting: series.id,
        slot: '2026-04-01T08:00:00Z',
        start: '2026-04-03T10:00:00Z',
      });
      await stage.syncAll(...order.toReversed());
      expect((await shown()).at(-1)).toEqual({ start: '2026-04-03T10:00', status: 'scheduled' });
      expect(await ids()).toEqual(first);

      const before = await stage.events();
      for (const address of order)
        expect(await stage.sync(address, { full: true })).toMatchObject({ complete: true });
      for (const address of order) {
        expect(await stage.sync(address, { reconcile: true })).toMatchObject({ drift: 0 });
      }
      expect(await stage.events()).toEqual(before);

      // The first one is over: what happened is not called off any more.
      await stage.advance(2 * DAY);
      cancelMeeting(stage.world, { meeting: series.id });
      await stage.syncAll(...order);
      expect((await shown()).map(({ status }) => status)).toEqual([
        'scheduled',
        'cancelled',
        'cancelled',
        'cancelled',
      ]);
      expect(await stage.events('session.cancelled')).toHaveLength(2 * 3);
      expect(await ids()).toEqual(first);
    },
  );

  test.each(ORDERS.map((order) => [named(order), order] as const))(
    'a single one read by %s',
    async (_name, order) => {
      stage = await openMicrosoftStage({ google: true });
      const single = stage.single({ organizer, guests });
      await stage.syncAll(...order);
      expect(await shown()).toEqual(scheduled('2026-03-20T13:00'));
      expect(await copies()).toEqual([3]);
      const first = await ids();
      moveMeeting(stage.world, { meeting: single.id, start: '2026-03-23T14:00' });
      await stage.syncAll(...order);
      expect(await shown()).toEqual(scheduled('2026-03-23T13:00'));
      expect(await ids()).toEqual(first);
      cancelMeeting(stage.world, { meeting: single.id });
      await stage.syncAll(...order);
      expect(await shown()).toEqual([{ start: '2026-03-23T13:00', status: 'cancelled' }]);
      expect(await stage.events()).toEqual(
        ['session.scheduled', 'session.rescheduled', 'session.cancelled'].flatMap((type) => [type, type]),
      );
    },
  );

  test('a series whose time of day is changed, read in any order: the same sessions', async () => {
    stage = await openMicrosoftStage({ google: true });
    const series = weekly();
    await stage.syncAll(ADA, DANA, FAY);
    const first = await ids();
    for (const [hour, order] of ORDERS.entries()) {
      moveSeries(stage.world, { meeting: series.id, time: `1${hour}:30` });
      await stage.syncAll(...order);
      expect((await shown())[0]).toEqual({
        start: `2026-03-11T${String(9 + hour).padStart(2, '0')}:30`,
        status: 'scheduled',
      });
      expect(await ids()).toEqual(first);
      expect(await copies()).toEqual([3, 3, 3, 3]);
    }
    expect(await stage.events('session.cancelled')).toEqual([]);
  });
});
