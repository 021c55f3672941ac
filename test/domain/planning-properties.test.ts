import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sameState } from '../../src/domain/equality.ts';
import type { StagedCopy, StagedRemoval } from '../../src/domain/pass.ts';
import { runs } from '../support/properties.ts';
import {
  ANNA,
  BEN,
  CEM,
  DAY,
  HOUR,
  holder,
  instance,
  Memory,
  MINUTE,
  NOW,
  person,
  SIGHT,
  staged,
  TAGGED,
} from './planning-builders.ts';

/** Tuesday of next week, 09:00. */
const TUESDAY = Date.UTC(2026, 10, 10, 9);
const listed = (seriesId: string) => [{ seriesId, window: SIGHT, empty: false }];

describe('whatever a calendar shows', () => {
  const copy = fc
    .record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      week: fc.integer({ min: -3, max: 3 }),
      // Never across this instant: of two rows of one slot, one over and one ahead, no provider tells.
      shift: fc.constantFrom(0, 0, HOUR, DAY),
      lineage: fc.constantFrom('k', 'l'),
      updatedAt: fc.integer({ min: 1, max: 4 }).map((age) => NOW - age * HOUR),
      status: fc.constantFrom('confirmed' as const, 'confirmed' as const, 'cancelled' as const),
      unsent: fc.constantFrom(false, false, false, true),
      people: fc.constantFrom(
        [person(ANNA, 'accepted', true), person(BEN)],
        [person(ANNA, 'accepted', true), person(BEN), person(CEM)],
        [person(ANNA, 'accepted', true)],
      ),
      allDay: fc.constantFrom(false, false, false, true),
    })
    .map(({ name, week, shift, lineage, ...given }): StagedCopy => {
      const original = TUESDAY + week * 7 * DAY;
      const times = { start: original + shift, end: original + shift + HOUR };
      // One id belongs to one meeting, and a UID to one single event; conversions have their own tests.
      if (lineage === 'k') return staged(`${name}k`, original, { ...given, ...times, lineage: `${name}k` });
      return instance(`${name}l`, original, { ...given, ...times, lineage });
    });
  const removal: fc.Arbitrary<StagedRemoval> = fc.record({
    sourceId: fc.constantFrom('ak', 'bk', 'al', `ak_${TUESDAY}`, `bl_${TUESDAY + 7 * DAY}`),
    updatedAt: fc.option(fc.integer({ min: 0, max: 4 }).map((age) => NOW - age * HOUR)),
    how: fc.constantFrom('cancelled' as const, 'deleted' as const),
  });
  const pass = fc
    .record({
      on: fc.constantFrom(holder(ANNA), holder(BEN, 'microsoft'), holder(CEM)),
      copies: fc.array(copy, { maxLength: 8 }),
      // Whoever untags a meeting untags all of its rows on that calendar.
      matched: fc.constantFrom(TAGGED, TAGGED, TAGGED, []),
      removals: fc.array(removal, { maxLength: 2 }),
      listed: fc.subarray(['ak', 'bl', 'cl']).map((series) => series.flatMap((id) => listed(id))),
      complete: fc.constantFrom(null, null, SIGHT),
    })
    .map(({ matched, copies, ...input }) => ({
      ...input,
      copies: copies.map((one) => {
        const ownerIsOrganizer = input.on.personId === ANNA;
        return { ...one, matched, ownerIsOrganizer, unsent: one.unsent && ownerIsOrganizer };
      }),
    }));
  // A calendar that is read later tells nothing older; rows that come late within a pass have their own tests.
  const story = fc.array(pass, { minLength: 1, maxLength: 5 }).map((passes) =>
    passes.map((input, at) => ({
      ...input,
      copies: input.copies.map((one) => ({ ...one, updatedAt: (one.updatedAt ?? NOW) + at * DAY })),
    })),
  );

  /** Ids are given in the order of the plan, so states are compared without them. */
  const told = (memory: Memory) =>
    memory.sessions.map(({ sessionId: _id, ...session }) => JSON.stringify(session)).toSorted();

  test('the same pass again has nothing to do', () => {
    const marked = story.map((passes) =>
      passes.map((input) => ({
        ...input,
        copies: input.copies.map((copy) => ({ ...copy, matched: TAGGED })),
      })),
    );
    fc.assert(
      fc.property(marked, (passes) => {
        const memory = new Memory();
        for (const [at, input] of passes.entries()) {
          const now = NOW + at * MINUTE;
          memory.pass({ ...input, now });
          const again = memory.plan({ ...input, now });
          expect(again.changes).toEqual([]);
          expect(again.differing).toBe(0);
        }
      }),
      { numRuns: runs(400) },
    );
  });

  test('the same pass again finds at most unmarked copies to keep, changes no session by them, and then nothing', () => {
    // An unmarked copy that fits nothing is let go; what the pass itself stored may tell where it belongs after all.
    fc.assert(
      fc.property(story, (passes) => {
        const memory = new Memory();
        for (const [at, input] of passes.entries()) {
          const now = NOW + at * MINUTE;
          memory.pass({ ...input, now });
          const sessions = told(memory);
          for (let more = input.copies.length; memory.plan({ ...input, now }).changes.length > 0; more -= 1) {
            expect(more).toBeGreaterThan(0);
            memory.pass({ ...input, now });
          }
          expect(told(memory)).toEqual(sessions);
        }
      }),
      { numRuns: runs(400) },
    );
  });

  test('the order of what is staged does not matter', () => {
    const shuffled = pass
      // Rows of one id in one instant contradict each other; a provider tells such in its own order.
      .map((input) => ({
        ...input,
        copies: [...new Map(input.copies.map((one) => [`${one.sourceId}/${one.updatedAt}`, one])).values()],
      }))
      .chain((input) =>
        fc.tuple(fc.constant(input), fc.shuffledSubarray(input.copies, { minLength: input.copies.length })),
      );
    fc.assert(
      fc.property(fc.array(pass, { maxLength: 2 }), shuffled, (before, [input, copies]) => {
        const [one, other] = [new Memory(), new Memory()];
        for (const earlier of before) {
          one.pass(earlier);
          other.pass(earlier);
        }
        one.pass(input);
        other.pass({ ...input, copies });
        expect(told(other)).toEqual(told(one));
      }),
      { numRuns: runs(400) },
    );
  });

  test('what has ended is neither moved nor cancelled later than it began, and no session disappears', () => {
    fc.assert(
      fc.property(story, story, (before, after) => {
        const memory = new Memory();
        for (const input of before) memory.pass(input);
        const was = memory.sessions;
        for (const input of after) memory.pass({ ...input, now: NOW + HOUR });
        const is = new Map(memory.sessions.map((session) => [session.sessionId, session]));
        for (const session of was) {
          const now = is.get(session.sessionId);
          expect(now).toBeDefined();
          if (session.end > NOW) continue;
          expect(now).toMatchObject({
            start: session.start,
            end: session.end,
            reschedules: session.reschedules,
          });
          if (!session.cancelled && now?.cancelled) expect(now.cancelled.at).toBeLessThan(session.start);
        }
      }),
      { numRuns: runs(300) },
    );
  });

  test('a pass changes only what it names as changed', () => {
    fc.assert(
      fc.property(story, (passes) => {
        const memory = new Memory();
        for (const input of passes) {
          for (const { before, after } of memory.pass(input).changes)
            expect(sameState(before, after)).toBe(false);
        }
      }),
      { numRuns: runs(100) },
    );
  });
});
