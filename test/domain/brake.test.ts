import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BRAKE_AGREES_AFTER_MS, type BrakeState, brake } from '../../src/domain/brake.ts';

const NOW = Date.UTC(2026, 10, 2, 12);
const HOUR = 3_600_000;
const none: BrakeState = { parked: null, approved: false };
const names = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => `l${String(at + from).padStart(3, '0')}`);

function run(
  total: number,
  gone: readonly string[],
  options: Partial<{ state: BrakeState; complete: boolean; now: number; seen: readonly string[] }> = {},
) {
  return brake({
    now: options.now ?? NOW,
    state: options.state ?? none,
    complete: options.complete ?? true,
    future: names(total).map((lineage) => ({ lineage, goneByInference: gone.includes(lineage) })),
    stillSeen: new Set(options.seen),
  });
}

describe('thresholds', () => {
  test.each([
    // total, gone, held
    [10, 3, false],
    [10, 4, true],
    [4, 3, false],
    [3, 3, true],
    [1, 1, true],
    [2, 1, false],
    [20, 6, false],
    [20, 7, true],
    [100, 30, false],
    [100, 31, true],
    [10, 0, false],
    [0, 0, false],
  ])('of %i meetings %i gone: held %s', (total, gone, held) => {
    const braked = run(total, names(gone));
    expect(braked.hold).toEqual(held ? names(gone) : []);
    expect(braked.parked).toEqual(held ? { since: NOW, lineages: names(gone) } : null);
  });

  test('lineages are counted, not the sessions of a series', () => {
    const braked = brake({
      now: NOW,
      state: none,
      complete: true,
      future: [
        ...Array.from({ length: 50 }, () => ({ lineage: 'series', goneByInference: true })),
        { lineage: 'other', goneByInference: false },
      ],
      stillSeen: new Set(),
    });
    expect(braked).toEqual({ hold: [], parked: null });
  });

  test('a meeting of which anything is still there is not gone', () => {
    expect(run(4, names(4), { seen: ['l000'] }).hold).toEqual([]);
    const half = brake({
      now: NOW,
      state: none,
      complete: true,
      future: [
        { lineage: 'a', goneByInference: true },
        { lineage: 'a', goneByInference: false },
      ],
      stillSeen: new Set(),
    });
    expect(half.hold).toEqual([]);
  });
});

describe('release', () => {
  const parked = (lineages: readonly string[], since = NOW): BrakeState => ({
    parked: { since, lineages },
    approved: false,
  });

  test('a second complete pass agrees after an hour, not a moment earlier', () => {
    const state = parked(names(10));
    const early = run(10, names(10), { state, now: NOW + BRAKE_AGREES_AFTER_MS - 1 });
    expect(early).toEqual({ hold: names(10), parked: state.parked });
    expect(run(10, names(10), { state, now: NOW + BRAKE_AGREES_AFTER_MS })).toEqual({
      hold: [],
      parked: null,
    });
  });

  test('a pass over changes agrees with nothing and forgets nothing', () => {
    const state = parked(names(10));
    const later = NOW + 5 * HOUR;
    expect(run(10, [], { state, complete: false, now: later })).toEqual({ hold: [], parked: state.parked });
    expect(run(10, names(2), { state, complete: false, now: later })).toEqual({
      hold: names(2),
      parked: state.parked,
    });
  });

  test('a complete pass that shows the meetings again ends it', () => {
    expect(run(10, [], { state: parked(names(10)), now: NOW + HOUR })).toEqual({ hold: [], parked: null });
  });

  test('what is back is let go of, what is still gone waits for its hour', () => {
    const state = parked(names(10));
    expect(run(10, names(2), { state, now: NOW + HOUR / 2 })).toEqual({
      hold: names(2),
      parked: { since: NOW, lineages: names(2) },
    });
    expect(run(10, names(2), { state, now: NOW + HOUR })).toEqual({ hold: [], parked: null });
  });

  test('a meeting that was first missed a minute ago waits an hour of its own', () => {
    const state = parked(names(5));
    const now = NOW + HOUR - 60_000;
    const grown = run(10, names(6), { state, now });
    expect(grown).toEqual({ hold: names(6), parked: { since: now, lineages: names(6) } });
    const after = run(10, names(6), { state: parked(names(5)), now: NOW + HOUR });
    expect(after).toEqual({ hold: names(1, 5), parked: { since: NOW + HOUR, lineages: names(1, 5) } });
  });

  test('a person releases it', () => {
    const state = { ...parked(names(10)), approved: true };
    expect(run(10, names(10), { state })).toEqual({ hold: [], parked: null });
    expect(run(10, names(10), { state: { parked: null, approved: true } })).toEqual({
      hold: [],
      parked: null,
    });
    // A pass over changes shows nothing of them: the complete one that the release asked for decides.
    expect(run(10, [], { state, complete: false }).parked).toEqual(state.parked);
  });
});

test('only what is gone is ever held, and what is held is always parked', () => {
  const lineage = fc.constantFrom(...names(12));
  fc.assert(
    fc.property(
      fc.array(fc.record({ lineage, goneByInference: fc.boolean() }), { maxLength: 30 }),
      fc.uniqueArray(lineage),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 0, max: 3 * HOUR }),
      fc.array(lineage),
      (future, earlier, complete, approved, age, seen) => {
        const state = {
          parked: earlier.length > 0 ? { since: NOW - age, lineages: earlier } : null,
          approved,
        };
        const input = { now: NOW, state, complete, future, stillSeen: new Set(seen) };
        const braked = brake(input);
        for (const held of braked.hold) {
          expect(seen).not.toContain(held);
          expect(future.some((copy) => copy.lineage === held && !copy.goneByInference)).toBe(false);
          expect(braked.parked?.lineages).toContain(held);
        }
        if (approved) expect(braked.hold).toEqual([]);
        if (braked.parked) expect(braked.parked.lineages.length).toBeGreaterThan(0);
        // The same pass again, in the same instant and with what was let go of gone, decides the same.
        const left = future.filter((one) => !one.goneByInference || braked.hold.includes(one.lineage));
        const again = brake({ ...input, future: left, state: { ...state, parked: braked.parked } });
        if (braked.parked && !approved) expect(again.hold).toEqual(braked.hold);
      },
    ),
  );
});
