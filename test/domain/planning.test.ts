import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StagedCopy } from '../../src/domain/pass.ts';
import {
  ANNA,
  BEN,
  DAY,
  HOUR,
  holder,
  instance,
  Memory,
  MINUTE,
  NOW,
  type PassInput,
  person,
  SIGHT,
  staged,
  weekly,
} from './planning-builders.ts';

/** Tuesday of next week, 09:00. */
const TUESDAY = Date.UTC(2026, 10, 10, 9);
const listed = (seriesId: string, empty = false) => [{ seriesId, window: SIGHT, empty }];
const nothing = { changes: [], differing: 0 };

/** Anna's calendar with a weekly series of six. */
function withSeries(first = TUESDAY): Memory {
  const memory = new Memory();
  memory.pass({ copies: weekly('m', first, 6), listed: listed('m') });
  expect(memory.starts).toHaveLength(6);
  return memory;
}

describe('a pass', () => {
  test('makes one occurrence and one session a slot, and has nothing to do the second time', () => {
    const memory = new Memory();
    const input = { copies: [...weekly('m', TUESDAY, 6), staged('s', TUESDAY + DAY, { lineage: 'other' })] };
    expect(memory.pass(input).changes).toHaveLength(7);
    expect(memory.plan(input)).toMatchObject(nothing);
    expect(memory.plan({ ...input, complete: SIGHT })).toMatchObject(nothing);
  });

  test('takes the newest row of an id, in whatever order pages tell it', () => {
    const rows = [
      staged('s', TUESDAY, { updatedAt: NOW - 3 * HOUR }),
      staged('s', TUESDAY + DAY, { updatedAt: NOW - 2 * HOUR }),
      staged('s', TUESDAY + 2 * DAY, { updatedAt: NOW - HOUR }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray([...rows, ...rows], { minLength: 6 }), (copies) => {
        const memory = new Memory();
        memory.pass({ copies });
        expect(memory.starts).toEqual([TUESDAY + 2 * DAY]);
      }),
    );
  });

  test('an older row than the stored one is a page that came late', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('s', TUESDAY, { updatedAt: NOW })] });
    expect(memory.pass({ copies: [staged('s', TUESDAY + DAY, { updatedAt: NOW - 1 })] })).toMatchObject(
      nothing,
    );
    memory.pass({ copies: [staged('s', TUESDAY + DAY, { updatedAt: NOW + 1 })] });
    expect(memory.starts).toEqual([TUESDAY + DAY]);
  });

  test('a removal dated after a row of the same pass takes it away, one dated before does not', () => {
    const row = staged('s', TUESDAY, { updatedAt: NOW - 2 * HOUR });
    for (const known of [true, false]) {
      for (const [updatedAt, booked] of [
        [NOW - HOUR, 0],
        [NOW - 3 * HOUR, 1],
      ] as const) {
        const memory = new Memory();
        if (known) memory.pass({ copies: [staged('s', TUESDAY, { updatedAt: NOW - 5 * HOUR })] });
        memory.pass({ copies: [row], removals: [{ sourceId: 's', updatedAt, how: 'cancelled' }] });
        expect(memory.booked).toHaveLength(booked);
      }
    }
  });

  test('a sparse tombstone cancels the one occurrence it names, now', () => {
    const memory = withSeries();
    const third = TUESDAY + 14 * DAY;
    memory.pass({ removals: [{ sourceId: `m_${third}`, updatedAt: null, how: 'cancelled' }] });
    expect(memory.starts).toHaveLength(5);
    expect(memory.sessions.find((session) => session.start === third)?.cancelled).toEqual({
      at: NOW,
      reason: 'cancelled',
      by: 'mentor',
    });
  });

  test('a removed series takes everything ahead, dated as its source dates it, and leaves the past', () => {
    const memory = withSeries(TUESDAY - 21 * DAY);
    const past = memory.sessions.filter((session) => session.end <= NOW);
    expect(past.length).toBeGreaterThan(0);
    memory.pass({ removals: [{ sourceId: 'm', updatedAt: NOW - MINUTE, how: 'cancelled' }] });
    expect(memory.booked).toEqual(past);
  });

  test('a removal of something unknown is nothing', () => {
    expect(
      withSeries().pass({ removals: [{ sourceId: 'x', updatedAt: NOW, how: 'cancelled' }] }),
    ).toMatchObject(nothing);
  });

  test('what is cancelled before we ever saw it, or untagged, is none of our business', () => {
    const memory = new Memory();
    memory.pass({
      copies: [
        staged('a', TUESDAY, { status: 'cancelled' }),
        staged('b', TUESDAY, { lineage: 'l', matched: [] }),
      ],
    });
    expect(memory.occurrences).toEqual([]);
  });
});

describe('a series', () => {
  test('of which one occurrence is missing from its list loses that one only', () => {
    const memory = withSeries();
    const ids = memory.ids;
    memory.pass({ copies: weekly('m', TUESDAY, 6).toSpliced(2, 1), listed: listed('m') });
    expect(memory.ids).toEqual(ids.toSpliced(2, 1));
    expect(memory.sessions.filter((session) => session.cancelled)).toMatchObject([
      { cancelled: { reason: 'deleted', at: NOW } },
    ]);
  });

  test('at another time of day, on another weekday, under other ids: the sessions stay themselves', () => {
    for (const shift of [5 * HOUR, -2 * HOUR, DAY, 3 * DAY, -DAY])
      for (const name of ['m', 'n']) {
        const memory = withSeries();
        const ids = memory.ids;
        const copies = weekly(name, TUESDAY + shift, 6, { updatedAt: NOW });
        memory.pass({ copies, listed: [...listed('m'), ...listed(name)] });
        expect(memory.ids).toEqual(ids);
        expect(memory.starts).toEqual(copies.map((copy) => copy.start));
        expect(memory.plan({ copies, listed: [...listed('m'), ...listed(name)] })).toMatchObject(nothing);
      }
  });

  test('split at a week, in one pass or two, in either order, at the same time or another', () => {
    const cut = TUESDAY + 21 * DAY;
    for (const shift of [0, 4 * HOUR]) {
      const head = weekly('m', TUESDAY, 3, { updatedAt: NOW });
      const tail = weekly('m_R20261201', cut + shift, 3, { updatedAt: NOW });
      const passes: PassInput[][] = [
        [{ copies: [...head, ...tail], listed: [...listed('m'), ...listed('m_R20261201')] }],
        [{ copies: [...tail, ...head], listed: [...listed('m_R20261201'), ...listed('m')] }],
      ];
      if (shift === 0)
        passes.push([
          { copies: tail, listed: listed('m_R20261201') },
          { copies: head, listed: listed('m') },
        ]);
      for (const inputs of passes) {
        const memory = withSeries();
        const ids = memory.ids;
        for (const input of inputs) memory.pass(input);
        expect(memory.ids).toEqual(ids);
        expect(memory.starts).toEqual([...head, ...tail].map((copy) => copy.start));
        for (const input of inputs) expect(memory.plan(input)).toMatchObject(nothing);
      }
    }
  });

  test('a split at the same time that leaves its old row standing makes no second session', () => {
    const memory = withSeries();
    const ids = memory.ids;
    const twin = instance('m_R20261201', TUESDAY + 21 * DAY, { updatedAt: NOW });
    memory.pass({
      copies: [...weekly('m', TUESDAY, 6), twin],
      listed: [...listed('m'), ...listed('m_R20261201')],
    });
    expect(memory.ids).toEqual(ids);
    expect(memory.occurrences).toHaveLength(6);
  });

  test('one moved occurrence keeps its session, even onto the day of the next', () => {
    const memory = withSeries();
    const ids = memory.ids;
    const moved = instance('m', TUESDAY, {
      start: TUESDAY + 7 * DAY + HOUR,
      end: TUESDAY + 7 * DAY + 2 * HOUR,
      updatedAt: NOW,
    });
    memory.pass({ copies: [moved, ...weekly('m', TUESDAY, 6).slice(1)], listed: listed('m') });
    expect(new Set(memory.ids)).toEqual(new Set(ids));
    expect(memory.sessions.find((session) => session.sessionId === ids[0])).toMatchObject({
      start: TUESDAY + 7 * DAY + HOUR,
      reschedules: 1,
    });
  });

  test('a shorter window of sight cancels nothing outside of it', () => {
    const memory = withSeries();
    const window = { from: NOW, until: TUESDAY + 10 * DAY };
    memory.pass({
      copies: weekly('m', TUESDAY, 2),
      listed: [{ seriesId: 'm', window, empty: false }],
      complete: window,
    });
    expect(memory.starts).toHaveLength(6);
  });

  test('dragged into the future after it was over is another session', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('s', NOW - DAY)] });
    const [past] = memory.sessions;
    const dragged = staged('s', TUESDAY, { updatedAt: NOW });
    memory.pass({ copies: [dragged] });
    expect(memory.booked).toEqual([past, expect.objectContaining({ start: TUESDAY })]);
    expect(memory.plan({ copies: [dragged], now: TUESDAY + DAY })).toMatchObject({
      differing: 0,
      changes: [],
    });
  });

  test('a UID that the provider changed under one id leaves the id standing once', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('s', TUESDAY, { lineage: 'no-uid:x' })] });
    const again = { copies: [staged('s', TUESDAY, { updatedAt: NOW })] };
    memory.pass(again);
    expect(memory.starts).toEqual([TUESDAY]);
    expect(memory.plan(again)).toMatchObject(nothing);
  });

  test('one more single invitation of a series leaves the first where it is', () => {
    const memory = new Memory();
    const guest = holder(BEN, 'microsoft');
    const dated = (id: string, start: number) =>
      staged(id, start, {
        originalDate: new Date(start).toISOString().slice(0, 10),
        ownerIsOrganizer: false,
      });
    memory.pass({ on: guest, copies: [dated('a', TUESDAY)] });
    memory.pass({ on: guest, copies: [dated('b', TUESDAY + 7 * DAY)] });
    expect(memory.starts).toEqual([TUESDAY, TUESDAY + 7 * DAY]);
  });
});

describe('kinds and their transitions', () => {
  type Kind = 'single' | 'series' | 'exception';
  const SLOTS: Readonly<Record<Kind, readonly StagedCopy[]>> = {
    single: [staged('e', TUESDAY)],
    series: weekly('e', TUESDAY, 3),
    exception: [
      instance('e', TUESDAY, { start: TUESDAY + 3 * HOUR, end: TUESDAY + 4 * HOUR }),
      ...weekly('e', TUESDAY, 3).slice(1),
    ],
  };
  const rows = (kind: Kind, updatedAt: number): PassInput => ({
    copies: SLOTS[kind].map((copy) => ({ ...copy, updatedAt })),
    listed: kind === 'single' ? [] : listed('e'),
  });
  const kinds: Kind[] = ['single', 'series', 'exception'];
  const pairs = kinds.flatMap((from) => kinds.map((to) => [from, to] as const));

  test.each(pairs)('%s to %s keeps the first session and leaves nothing behind', (from, to) => {
    const memory = new Memory();
    memory.pass(rows(from, NOW - 2 * HOUR));
    const [first] = memory.ids;
    memory.pass(rows(to, NOW - HOUR));
    expect(memory.starts).toEqual(SLOTS[to].map((copy) => copy.start));
    // An exception that becomes a single event at another time is the nearest that is left.
    expect(memory.ids).toContain(first);
    expect(memory.plan(rows(to, NOW - HOUR))).toMatchObject(nothing);
    expect(memory.plan({ ...rows(to, NOW - HOUR), complete: SIGHT })).toMatchObject(nothing);
  });

  test.each(pairs)(
    '%s to %s, cancelled between or after: nothing stays, and it may come back',
    (from, to) => {
      const cancelled: PassInput = {
        removals: [{ sourceId: 'e', updatedAt: NOW - 90 * MINUTE, how: 'cancelled' }],
      };
      const memory = new Memory();
      memory.pass(rows(from, NOW - 2 * HOUR));
      memory.pass(cancelled);
      expect(memory.booked).toEqual([]);
      memory.pass(rows(to, NOW - HOUR));
      expect(memory.starts).toEqual(SLOTS[to].map((copy) => copy.start));
      expect(memory.sessions.length).toBeLessThanOrEqual(Math.max(SLOTS[from].length, SLOTS[to].length) + 1);
      memory.pass({ ...cancelled, now: NOW + HOUR });
      expect(memory.booked).toEqual([]);
      expect(memory.plan({ ...cancelled, now: NOW + HOUR })).toMatchObject(nothing);
    },
  );

  test('a day-long event and a focus time are no meetings, whatever they were', () => {
    for (const given of [{ allDay: true }, { ordinary: false }]) {
      const memory = new Memory();
      memory.pass({ copies: [staged('s', TUESDAY)] });
      const plan = memory.pass({ copies: [staged('s', TUESDAY, { ...given, updatedAt: NOW })] });
      expect(memory.booked).toEqual([]);
      expect(plan.unmatched).toMatchObject([
        { sourceId: 's', reason: given.allDay ? 'all_day' : 'not_a_meeting' },
      ]);
      memory.pass({ copies: [staged('s', TUESDAY, { updatedAt: NOW + 1 })] });
      expect(memory.starts).toEqual([TUESDAY]);
    }
  });

  test('the last of several rows decides whether it is a meeting', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('s', TUESDAY)] });
    memory.pass({
      copies: [
        staged('s', TUESDAY, { updatedAt: NOW }),
        staged('s', TUESDAY, { updatedAt: NOW + 1, allDay: true }),
      ],
    });
    expect(memory.booked).toEqual([]);
  });
});

describe('copies of one meeting', () => {
  const guest = { ownerIsOrganizer: false };

  test('on two calendars, in either order, are one session', () => {
    const annas: PassInput = { copies: weekly('g', TUESDAY, 3) };
    const bens: PassInput = {
      on: holder(BEN, 'microsoft'),
      copies: weekly('o', TUESDAY, 3, { ...guest, timeZone: null }).map((copy) => ({
        ...copy,
        originalDate: null,
      })),
    };
    for (const inputs of [
      [annas, bens],
      [bens, annas],
    ]) {
      const memory = new Memory();
      for (const input of inputs) memory.pass(input);
      expect(memory.starts).toEqual([TUESDAY, TUESDAY + 7 * DAY, TUESDAY + 14 * DAY]);
      expect(memory.occurrences.map((occurrence) => occurrence.copies.length)).toEqual([2, 2, 2]);
      for (const input of inputs) expect(memory.plan(input)).toMatchObject(nothing);
    }
  });

  test('of a series cut short before its organizer was read: what only a guest saw is off', () => {
    const bens = holder(BEN, 'microsoft');
    const cut = { updatedAt: NOW - HOUR };
    const annas: PassInput = { copies: weekly('g', TUESDAY, 2, cut), listed: listed('g') };
    const guests = (count: number, given = {}): PassInput => ({
      on: bens,
      copies: weekly('o', TUESDAY, count, { ...guest, ...given }),
      listed: listed('o'),
    });
    for (const inputs of [
      [annas, guests(2, cut)],
      [guests(2, cut), annas],
    ]) {
      const memory = new Memory();
      memory.pass(guests(4));
      for (const input of inputs) memory.pass(input);
      expect(memory.starts).toEqual([TUESDAY, TUESDAY + 7 * DAY]);
      for (const input of inputs) expect(memory.plan(input)).toMatchObject(nothing);
    }
  });

  test('of a series made a single event before its organizer was read: what only a guest saw is off', () => {
    const bens = { on: holder(BEN, 'microsoft') };
    const single = { updatedAt: NOW - HOUR };
    const annas: PassInput = { copies: [staged('g', TUESDAY, single)], listed: listed('g') };
    const guests: PassInput = {
      ...bens,
      copies: [staged('p', TUESDAY, { ...guest, ...single })],
      removals: [{ sourceId: 'o', how: 'deleted', updatedAt: null }],
    };
    for (const inputs of [
      [annas, guests],
      [guests, annas],
    ]) {
      const memory = new Memory();
      memory.pass({ ...bens, copies: weekly('o', TUESDAY, 3, guest), listed: listed('o') });
      for (const input of inputs) memory.pass(input);
      expect(memory.starts).toEqual([TUESDAY]);
      for (const input of inputs) expect(memory.plan(input)).toMatchObject(nothing);
    }
  });

  test('of somebody uninvited before a split do not tie its parts together', () => {
    const memory = new Memory();
    memory.pass({ copies: weekly('m', TUESDAY, 8), listed: listed('m') });
    const bens = { on: holder(BEN, 'microsoft') };
    memory.pass({ ...bens, copies: weekly('o', TUESDAY, 8, guest) });
    memory.pass({ ...bens, copies: weekly('o', TUESDAY, 8, { ...guest, status: 'cancelled' }) });
    const ids = memory.ids;
    // The second half three days earlier, then the first one two: the last of one and the first of the other stand four
    // days apart meanwhile.
    const second = weekly('r', TUESDAY + 25 * DAY, 4, { uid: 'meeting_R20261208T090000@x.org' });
    memory.pass({
      copies: [...weekly('m', TUESDAY, 4), ...second],
      listed: [...listed('m'), ...listed('r')],
    });
    memory.pass({ copies: weekly('m', TUESDAY - 2 * DAY - HOUR, 4), listed: listed('m') });
    expect(memory.ids).toEqual(ids);
  });

  test("of a series: one that a guest removes stands where the organizer's list is no newer", () => {
    const memory = new Memory();
    memory.pass({ copies: weekly('g', TUESDAY, 2), listed: listed('g') });
    // A day later Outlook's window reaches one week further.
    const bens = { on: holder(BEN, 'microsoft'), listed: listed('o') };
    memory.pass({ ...bens, copies: weekly('o', TUESDAY, 3, guest) });
    memory.pass({ ...bens, copies: weekly('o', TUESDAY, 2, guest) });
    expect(memory.starts).toEqual([TUESDAY, TUESDAY + 7 * DAY, TUESDAY + 14 * DAY]);
  });

  test('follow the organizer through a move, whichever calendar tells it first', () => {
    const moved = { start: TUESDAY + DAY, end: TUESDAY + DAY + HOUR, updatedAt: NOW };
    const annas = (given = {}): PassInput => ({ copies: [staged('g', TUESDAY, given)] });
    const bens = (given = {}): PassInput => ({
      on: holder(BEN, 'microsoft'),
      copies: [staged('o', TUESDAY, { ...guest, ...given })],
    });
    for (const inputs of [
      [annas(moved), bens(moved)],
      [bens(moved), annas(moved)],
    ]) {
      const memory = new Memory();
      memory.pass(annas());
      memory.pass(bens());
      for (const input of inputs) memory.pass(input);
      expect(memory.sessions).toMatchObject([{ start: TUESDAY + DAY, reschedules: 1, cancelled: null }]);
    }
  });

  test('a hidden copy takes away neither tag nor people nor conference, and shows no title', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('g', TUESDAY, { conference: { kind: 'meet', key: 'abcdefghij' } })] });
    const hidden = {
      copies: [
        staged('g', TUESDAY, {
          hidden: true,
          private: true,
          title: null,
          people: [],
          peopleOmitted: true,
          matched: [],
          organizer: null,
          updatedAt: NOW,
        }),
      ],
    };
    memory.pass(hidden);
    expect(memory.booked).toMatchObject([{ participants: [{ personId: ANNA }, { personId: BEN }] }]);
    expect(memory.occurrences).toMatchObject([
      { title: null, private: true, conference: { key: 'abcdefghij' }, organizer: 'anna@x.org' },
    ]);
    expect(memory.plan(hidden)).toMatchObject(nothing);
  });

  test('a list that is cut never shrinks the people', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('g', TUESDAY)] });
    const cut = {
      copies: [staged('g', TUESDAY, { people: [person(ANNA)], peopleOmitted: true, updatedAt: NOW })],
    };
    memory.pass(cut);
    expect(memory.booked).toHaveLength(1);
    expect(memory.plan(cut)).toMatchObject(nothing);
  });
});

describe('what matches nothing', () => {
  test('is listed with the reason, until it matches, is untagged or is gone', () => {
    const stranger = { people: [person(ANNA), { ...person(9), address: 'dora@y.org' }] };
    const memory = new Memory();
    const reasonsOf = (input: PassInput) => memory.pass(input).unmatched.map((event) => event.reason);
    expect(reasonsOf({ copies: [staged('s', TUESDAY, stranger)] })).toEqual(['no_mentee']);
    expect(
      reasonsOf({ copies: [staged('s', TUESDAY, { ...stranger, peopleOmitted: true, updatedAt: NOW })] }),
    ).toEqual(['no_mentee']);
    const matched = memory.pass({ copies: [staged('s', TUESDAY, { updatedAt: NOW + 1 })] });
    expect(matched).toMatchObject({ unmatched: [], nowMatched: ['s'] });
    const gone = memory.pass({ removals: [{ sourceId: 's', updatedAt: NOW + 2, how: 'cancelled' }] });
    expect(gone).toMatchObject({ unmatched: [], nowMatched: ['s'] });
  });
});

describe('absence', () => {
  const meetings = (count: number, from = 0) =>
    Array.from({ length: count }, (_, at) =>
      staged(`s${at + from}`, TUESDAY + (at + from) * DAY, { lineage: `l${at + from}` }),
    );

  test('is believed from a complete pass only, and only inside its window', () => {
    const memory = new Memory();
    memory.pass({ copies: meetings(10), complete: SIGHT });
    expect(memory.pass({ copies: meetings(9) })).toMatchObject(nothing);
    expect(memory.pass({ copies: meetings(9), complete: { from: NOW, until: TUESDAY } })).toMatchObject(
      nothing,
    );
    memory.pass({ copies: meetings(9), complete: SIGHT });
    expect(memory.starts).toHaveLength(9);
  });

  test('of too many is parked while the rest applies, and released by a second complete pass an hour later', () => {
    const memory = new Memory();
    memory.pass({ copies: meetings(10), complete: SIGHT });
    const input = (now: number): PassInput => ({
      now,
      copies: [
        ...meetings(1).map((copy) => ({
          ...copy,
          start: TUESDAY + HOUR,
          end: TUESDAY + 2 * HOUR,
          updatedAt: now,
        })),
        ...meetings(1, 20),
      ],
      removals: [{ sourceId: 's1', updatedAt: now, how: 'cancelled' }],
      complete: SIGHT,
    });
    const braked = memory.pass(input(NOW));
    expect(braked.braked.hold).toEqual(['l2', 'l3', 'l4', 'l5', 'l6', 'l7', 'l8', 'l9']);
    expect(memory.starts).toContain(TUESDAY + HOUR);
    expect(memory.starts).toContain(TUESDAY + 20 * DAY);
    expect(memory.starts).not.toContain(TUESDAY + DAY);
    expect(memory.booked).toHaveLength(10);
    memory.pass(input(NOW + HOUR - 1));
    expect(memory.booked).toHaveLength(10);
    memory.pass({ ...input(NOW + 2 * HOUR), complete: null });
    expect(memory.booked).toHaveLength(10);
    const released = memory.pass(input(NOW + 2 * HOUR));
    expect(released.braked).toEqual({ hold: [], parked: null });
    expect(memory.booked).toHaveLength(2);
    expect(memory.plan({ ...input(NOW + 2 * HOUR), now: NOW + 3 * HOUR }).changes).toEqual([]);
  });

  test('of all is parked until they are back or a person agrees', () => {
    const memory = new Memory();
    memory.pass({ copies: meetings(3), complete: SIGHT });
    expect(memory.pass({ complete: SIGHT }).braked.hold).toHaveLength(3);
    expect(memory.pass({ copies: meetings(3), complete: SIGHT }).braked).toEqual({ hold: [], parked: null });
    expect(memory.pass({ complete: SIGHT }).braked.hold).toHaveLength(3);
    memory.pass({ complete: SIGHT, approved: true });
    expect(memory.booked).toEqual([]);
  });

  test('of ended sessions cancels none of them', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('p', NOW - 3 * DAY), ...meetings(5)], complete: SIGHT });
    memory.pass({ copies: meetings(5), complete: SIGHT });
    expect(memory.starts).toContain(NOW - 3 * DAY);
  });

  test('of what Google changed just now is believed by the next list only, and counts for the brake all the same', () => {
    const of = (lineage: string, updatedAt: number) => staged(lineage, TUESDAY, { lineage, updatedAt });
    const fresh = of('fresh', NOW - MINUTE);
    const old = ['o1', 'o2', 'o3', 'o4'].map((lineage) => of(lineage, NOW - DAY));
    const memory = new Memory();
    memory.pass({ copies: [...old, fresh] });
    const booked = () => memory.occurrences.filter((one) => !one.cancelled).map(({ lineage }) => lineage);
    memory.pass({ copies: old.slice(1), complete: SIGHT });
    expect(booked()).toEqual(['o2', 'o3', 'o4', 'fresh']);
    // An empty list is as suspect as it would be without anything new.
    expect(memory.pass({ complete: SIGHT }).braked.hold).toEqual(['fresh', 'o2', 'o3', 'o4']);
    memory.pass({ copies: old.slice(1), complete: SIGHT, now: NOW + 5 * MINUTE });
    expect(booked()).toEqual(['o2', 'o3', 'o4', 'fresh']);
    memory.pass({ copies: old.slice(1), complete: SIGHT, now: NOW + 2 * HOUR });
    expect(booked()).toEqual(['o2', 'o3', 'o4']);
  });

  test('of what Outlook changed just now is believed at once', () => {
    const on = holder(ANNA, 'microsoft');
    const memory = new Memory();
    const [one, other] = ['one', 'other'].map((lineage) =>
      staged(lineage, TUESDAY, { lineage, updatedAt: NOW }),
    );
    memory.pass({ on, copies: [one, other].flatMap((copy) => copy ?? []) });
    memory.pass({ on, copies: one ? [one] : [], complete: SIGHT });
    expect(memory.booked).toHaveLength(1);
  });

  test('an empty list of a series is weighed, a removed series is one word however many it held', () => {
    const memory = withSeries();
    expect(memory.pass({ listed: listed('m', true) }).braked.hold).toEqual(['meeting@x.org']);
    expect(memory.booked).toHaveLength(6);
    memory.pass({ removals: [{ sourceId: 'm', updatedAt: NOW, how: 'cancelled' }] });
    expect(memory.booked).toEqual([]);
  });
});
