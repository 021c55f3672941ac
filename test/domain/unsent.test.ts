import { describe, expect, test } from 'vitest';
import type { Instant } from '../../src/domain/observation.ts';
import type { StagedCopy } from '../../src/domain/pass.ts';
import {
  ANNA,
  addressOf,
  BEN,
  CEM,
  DAY,
  HOUR,
  holder,
  instance,
  Memory,
  NOW,
  person,
  staged,
  weekly,
} from './planning-builders.ts';

/** Changes that an organizer has sent to nobody: Anna's own copy in Outlook shows them, and nobody agreed to them. */

const ANNAS = holder(ANNA, 'microsoft');
const BENS = holder(BEN);
const START = NOW + 2 * DAY;
const EARLIER = NOW - DAY;

const annas = (start: Instant, given: Partial<StagedCopy> = {}) => staged('a', start, given);
const bens = (start: Instant, given: Partial<StagedCopy> = {}) =>
  staged('b', start, { ownerIsOrganizer: false, ownerResponse: 'accepted', ...given });
const draft = (start: Instant, given: Partial<StagedCopy> = {}) =>
  annas(start, { unsent: true, updatedAt: NOW, ...given });

/** Reads a copy, and again to see that nothing is left to do. */
function read(memory: Memory, copy: StagedCopy, now: Instant = NOW) {
  const on = copy.ownerIsOrganizer ? ANNAS : BENS;
  const plan = memory.pass({ on, now, copies: [copy] });
  expect(memory.plan({ on, now, copies: [copy] }).changes).toEqual([]);
  return plan;
}

describe('a change that was not sent', () => {
  test.each([
    ['her copy alone is read', []],
    ['his copy stands, too', [bens(START)]],
  ])('leaves the session where it was agreed, and moves it when it is sent: %s', (_what, others) => {
    const memory = new Memory();
    for (const copy of [annas(START), ...others]) read(memory, copy);
    const before = memory.sessions;
    read(
      memory,
      draft(START + DAY, { title: 'Another', people: [person(ANNA, 'accepted', true), person(CEM)] }),
    );
    expect(memory.sessions).toEqual(before);
    expect(memory.occurrences).toMatchObject([{ title: 'Mentoring', reschedules: 0, start: START }]);
    read(memory, annas(START + DAY, { updatedAt: NOW + HOUR }), NOW + HOUR);
    expect(memory.starts).toEqual([START + DAY]);
    expect(memory.ids).toEqual(before.map(({ sessionId }) => sessionId));
    expect(memory.sessions).toMatchObject([{ reschedules: 1 }]);
  });

  test('is not taken from the guest list of the draft: who is uninvited there still comes', () => {
    const memory = new Memory();
    read(memory, annas(START));
    read(memory, draft(START, { people: [person(ANNA, 'accepted', true)] }));
    expect(memory.booked).toMatchObject([{ mentorshipId: 1, cancelled: null }]);
    expect(memory.booked[0]?.participants.map(({ personId }) => personId)).toEqual([ANNA, BEN]);
  });

  test('that takes the tag off calls nothing off until it is sent', () => {
    const memory = new Memory();
    read(memory, annas(START));
    read(memory, draft(START, { matched: [], title: 'Lunch' }));
    expect(memory.starts).toEqual([START]);
    read(memory, annas(START, { matched: [], title: 'Lunch', updatedAt: NOW + HOUR }), NOW + HOUR);
    expect(memory.starts).toEqual([]);
    expect(memory.sessions).toMatchObject([{ cancelled: { reason: 'untagged' } }]);
  });

  test('takes the title away all the same when it is made private', () => {
    const memory = new Memory();
    read(memory, annas(START));
    read(memory, draft(START, { private: true, title: null }));
    expect(memory.occurrences).toMatchObject([{ private: true, title: null, start: START }]);
  });

  test('calls nothing off that a guest was told of, nor brings back what is off', () => {
    const memory = new Memory();
    read(memory, annas(START));
    read(memory, bens(START));
    memory.pass({ on: BENS, removals: [{ sourceId: 'b', updatedAt: NOW, how: 'deleted' }] });
    read(memory, draft(START + DAY));
    expect(memory.starts).toEqual([START]);
    memory.pass({ on: ANNAS, removals: [{ sourceId: 'a', updatedAt: NOW, how: 'cancelled' }] });
    expect(memory.starts).toEqual([]);
    read(memory, draft(START));
    expect(memory.starts).toEqual([]);
  });

  test('does not bring back the time on a guest’s calendar that was not read since the last move', () => {
    const memory = new Memory();
    read(memory, annas(START));
    read(memory, bens(START));
    read(memory, annas(START + DAY, { updatedAt: EARLIER }));
    read(memory, draft(START + 2 * DAY));
    expect(memory.starts).toEqual([START + DAY]);
    // What was sent reaches the guest's calendar late, and changes nothing any more.
    read(memory, bens(START + DAY, { updatedAt: EARLIER }));
    expect(memory.starts).toEqual([START + DAY]);
    expect(memory.sessions).toMatchObject([{ reschedules: 1 }]);
  });

  test.each([
    ['before her draft', true],
    ['after it', false],
  ])(
    'does not hide a move that was sent before it and only the guest’s calendar tells of, read %s',
    (_what, isFirst) => {
      const memory = new Memory();
      read(memory, annas(START));
      read(memory, bens(START));
      const told = bens(START + DAY, { updatedAt: EARLIER });
      const drafted = draft(START + 2 * DAY);
      for (const copy of isFirst ? [told, drafted] : [drafted, told]) read(memory, copy);
      expect(memory.starts).toEqual([START + DAY]);
    },
  );

  test('concerns one occurrence of a series and leaves the others alone', () => {
    const memory = new Memory();
    const copies = weekly('s', START, 3);
    memory.pass({ on: ANNAS, copies });
    const second = START + 7 * DAY;
    const dragged = instance('s', second, { start: second + DAY, end: second + DAY + HOUR, unsent: true });
    const shown = [...copies.filter(({ start }) => start !== second), dragged];
    memory.pass({ on: ANNAS, copies: shown });
    expect(memory.starts).toEqual([START, second, START + 14 * DAY]);
    expect(memory.plan({ on: ANNAS, copies: shown }).changes).toEqual([]);
  });
});

describe('a meeting that was never sent', () => {
  test('is no session, wherever it is dragged, and one when it is sent', () => {
    const memory = new Memory();
    read(memory, draft(START));
    read(memory, draft(START + DAY, { updatedAt: NOW + HOUR }), NOW + HOUR);
    expect(memory.sessions).toEqual([]);
    read(memory, annas(START + DAY, { updatedAt: NOW + 2 * HOUR }), NOW + 2 * HOUR);
    expect(memory.booked).toMatchObject([{ start: START + DAY, reschedules: 0 }]);
  });

  test('that loses its tag is let go', () => {
    const memory = new Memory();
    read(memory, draft(START));
    memory.pass({ on: ANNAS, copies: [draft(START, { matched: [] })] });
    expect(memory.occurrences).toMatchObject([{ copies: [{ removal: { how: 'untagged' } }] }]);
  });

  test('counts for a guest who has it', () => {
    const memory = new Memory();
    read(memory, draft(START + DAY));
    read(memory, bens(START));
    expect(memory.starts).toEqual([START]);
    expect(memory.occurrences[0]?.organizer).toBe(addressOf(ANNA));
  });
});

describe('over when it is sent', () => {
  const AFTER = START + DAY;

  test('what was dragged ahead before is a new session, and the old one stays where it was agreed', () => {
    const memory = new Memory();
    read(memory, annas(START));
    const [old] = memory.ids;
    read(memory, draft(START + 7 * DAY));
    read(memory, draft(START + 7 * DAY), AFTER);
    expect(memory.starts).toEqual([START]);
    read(memory, annas(START + 7 * DAY, { updatedAt: AFTER }), AFTER);
    expect(memory.starts).toEqual([START, START + 7 * DAY]);
    expect(memory.ids[0]).toBe(old);
  });

  test('what was sent before its old start, and is read later, was moved', () => {
    const memory = new Memory();
    read(memory, annas(START));
    const before = memory.ids;
    read(memory, draft(START + 7 * DAY));
    read(memory, annas(START + 7 * DAY, { updatedAt: START - HOUR }), AFTER);
    expect(memory.starts).toEqual([START + 7 * DAY]);
    expect(memory.ids).toEqual(before);
  });

  test('what is dragged ahead once it is over, and not sent, is no session', () => {
    const memory = new Memory();
    read(memory, annas(START));
    read(memory, draft(START + 7 * DAY, { updatedAt: AFTER }), AFTER);
    expect(memory.starts).toEqual([START]);
    read(memory, annas(START + 7 * DAY, { updatedAt: AFTER + HOUR }), AFTER + HOUR);
    expect(memory.starts).toEqual([START, START + 7 * DAY]);
  });
});
