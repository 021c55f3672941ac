import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchSlots } from '../../src/domain/matching.ts';
import type { ObservedSlot, StoredSlot } from '../../src/domain/slots.ts';
import { runs } from '../support/properties.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 2, 12);
/** Tuesday, 09:00. */
const FIRST = Date.UTC(2026, 10, 3, 9);
const day = (at: number) => new Date(at).toISOString().slice(0, 10);

const slot = (original: number, id: string, given: Partial<StoredSlot> = {}): StoredSlot => ({
  originalStarts: [original],
  originalDates: [day(original)],
  start: original,
  end: original + HOUR,
  seriesId: 's',
  seriesElsewhere: [],
  uids: ['x@google.com'],
  stands: true,
  sourceIds: [id],
  formerIds: [],
  here: 'vacated',
  startsHere: [],
  settled: false,
  awaitsOrganizer: false,
  ...given,
});
const seen = (original: number, id: string, given: Partial<ObservedSlot> = {}): ObservedSlot => ({
  sourceId: id,
  seriesId: 's',
  uid: 'x@google.com',
  originalStart: original,
  originalDate: day(original),
  start: original,
  status: 'confirmed',
  ownerIsOrganizer: true,
  updatedAt: null,
  ...given,
});
const alone = (start: number, id: string, given: Partial<StoredSlot> = {}): StoredSlot =>
  slot(start, id, { originalStarts: [], originalDates: [], seriesId: null, ...given });
const single = (
  start: number,
  id: string,
  date: string | null = null,
  given: Partial<ObservedSlot> = {},
): ObservedSlot => ({
  sourceId: id,
  seriesId: null,
  uid: 'x@google.com',
  originalStart: null,
  originalDate: date,
  start,
  status: 'confirmed',
  ownerIsOrganizer: true,
  updatedAt: null,
  ...given,
});
const weeks = <T>(count: number, make: (week: number) => T): T[] =>
  Array.from({ length: count }, (_, week) => make(week));

describe('a series', () => {
  test('is matched by id, else by original instant, else it is new', () => {
    const stored = weeks(3, (week) => slot(FIRST + week * 7 * DAY, `a${week}`));
    expect(
      matchSlots(
        stored,
        weeks(4, (week) => seen(FIRST + week * 7 * DAY, `a${week}`)),
        NOW,
      ),
    ).toEqual([0, 1, 2, null]);
    expect(
      matchSlots(
        stored,
        weeks(4, (week) => seen(FIRST + week * 7 * DAY, `b${week}`)),
        NOW,
      ),
    ).toEqual([0, 1, 2, null]);
  });

  test('moved to another time of day keeps its slots, whether the ids change or not', () => {
    for (const name of ['a', 'b']) {
      const stored = weeks(4, (week) => slot(FIRST + week * 7 * DAY, `a${week}`));
      const observed = weeks(4, (week) => seen(FIRST + week * 7 * DAY + 6 * HOUR, `${name}${week}`));
      expect(matchSlots(stored, observed, NOW)).toEqual([0, 1, 2, 3]);
    }
  });

  test('moved to another weekday keeps its slots', () => {
    for (const shift of [-3, -1, 1, 2, 3]) {
      const from = FIRST + 14 * DAY;
      const stored = weeks(4, (week) => slot(from + week * 7 * DAY, `a${week}`));
      const observed = weeks(4, (week) => seen(from + (week * 7 + shift) * DAY, `b${week}`));
      expect(matchSlots(stored, observed, NOW)).toEqual([0, 1, 2, 3]);
    }
  });

  test('moved to another weekday keeps its slots beside a second part that stays on its own', () => {
    const [from, later] = [FIRST + 14 * DAY, FIRST + 42 * DAY];
    const second = { seriesId: 's2', here: 'held' } as const;
    const stored = weeks(8, (week) =>
      slot(from + week * 7 * DAY, `${week < 4 ? 'a' : 'r'}${week}`, week < 4 ? {} : second),
    );
    const observed = [
      ...weeks(4, (week) => seen(from + (week * 7 + 3) * DAY, `b${week}`)),
      ...weeks(4, (week) => seen(later + week * 7 * DAY, `r${week + 4}`, { seriesId: 's2' })),
    ];
    expect(matchSlots(stored, observed, NOW)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('a split hands occurrences on to the later part, never back to an earlier one', () => {
    const [earlier, later] = ['x_R20261103T090000@google.com', 'x_R20261110T090000@google.com'];
    const stored = [slot(FIRST, 'a', { uids: [later] })];
    expect(matchSlots(stored, [seen(FIRST + 5 * HOUR, 'b', { uid: earlier })], NOW)).toEqual([null]);
    expect(matchSlots(stored, [seen(FIRST + 5 * HOUR, 'b', { uid: later })], NOW)).toEqual([0]);
    const first = [slot(FIRST, 'a', { uids: [earlier] })];
    expect(matchSlots(first, [seen(FIRST + 5 * HOUR, 'b', { uid: later })], NOW)).toEqual([0]);
  });

  test('an id that Outlook makes of the date is not the earlier part once a later one has the day', () => {
    const [earlier, later] = ['x@google.com', 'x_R20261103T090000@google.com'];
    // The earlier part lays the day out again, at another hour, and its calendar gives it the id it had.
    const again = seen(FIRST - 2 * HOUR, 'd3', { uid: earlier });
    const second = seen(FIRST, 'r3', { seriesId: 'r', uid: later });
    for (const uids of [[earlier], [earlier, later]]) {
      const stands = slot(FIRST, 'd3', { uids, here: 'held' });
      expect(matchSlots([stands], [again, second], NOW)).toEqual([null, 0]);
    }
    const left = slot(FIRST, 'r3', { uids: [later], formerIds: ['d3'], here: 'held' });
    expect(matchSlots([left], [again], NOW)).toEqual([null]);
    // As long as no part took the day over, the id says what it is.
    expect(matchSlots([slot(FIRST, 'd3', { here: 'held' })], [again], NOW)).toEqual([0]);
  });

  test('moved again keeps its slots, though a place was laid out beside the one that was over', () => {
    const monthly = [FIRST, FIRST + 30 * DAY, FIRST + 61 * DAY];
    const over = slot(NOW - 4 * HOUR, 'o', { sourceIds: [], formerIds: ['o'], here: 'elsewhere' });
    const stored = [over, ...monthly.map((at, month) => slot(at, `a${month}`))];
    const observed = monthly.map((at, month) => seen(at + 2 * DAY, `b${month}`));
    expect(matchSlots(stored, observed, NOW)).toEqual([1, 2, 3]);
  });

  test('twice a day at other times keeps first and second apart', () => {
    const stored = weeks(6, (half) =>
      slot(FIRST + Math.floor(half / 2) * DAY + (half % 2) * 6 * HOUR, `a${half}`),
    );
    const observed = weeks(6, (half) =>
      seen(FIRST + Math.floor(half / 2) * DAY + (half % 2) * 6 * HOUR + 2 * HOUR, `b${half}`),
    );
    expect(matchSlots(stored, observed, NOW)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('split at the same time leaves a twin: both copies are one occurrence', () => {
    const stored = weeks(2, (week) => slot(FIRST + week * 7 * DAY, `m_${week}`, { here: 'held' }));
    const observed = [seen(FIRST + 7 * DAY, 'm_1'), seen(FIRST + 7 * DAY, 'm_R1')];
    expect(matchSlots(stored, observed, NOW)).toEqual([1, 1]);
  });

  test('with one moved day keeps that day, and no other is taken for it', () => {
    const stored = weeks(3, (week) => slot(FIRST + week * 7 * DAY, `a${week}`));
    const observed = [
      seen(FIRST, 'a0', { start: FIRST + 7 * DAY }),
      seen(FIRST + 7 * DAY, 'a1', { start: FIRST + 2 * DAY }),
      seen(FIRST + 14 * DAY, 'a2'),
    ];
    expect(matchSlots(stored, observed, NOW)).toEqual([0, 1, 2]);
  });

  test('a slot whose copy still stands here is never guessed away by a pass that does not show it', () => {
    // An Outlook guest invited to one more single occurrence: the first is not in the stream, and has not moved.
    const first = slot(FIRST, 'a', { originalStarts: [], here: 'held' });
    expect(matchSlots([first], [single(FIRST + 7 * DAY, 'b', day(FIRST + 7 * DAY))], NOW)).toEqual([null]);
    expect(matchSlots([first], [single(FIRST + 2 * HOUR, 'b', null)], NOW)).toEqual([null]);
  });

  test('two people invited to different single occurrences share no session', () => {
    const anna = slot(FIRST, 'a', { originalStarts: [], here: 'elsewhere' });
    expect(matchSlots([anna], [single(FIRST + 7 * DAY, 'b', day(FIRST + 7 * DAY))], NOW)).toEqual([null]);
  });

  test('how far a guess reaches does not depend on which calendars have taken a slot already', () => {
    // Anna has two weeks of a series; Ben shows the first, and one two weeks on that is nobody's.
    const first = slot(FIRST, 'a', { seriesId: null, seriesElsewhere: ['1/s'], here: 'elsewhere' });
    const second = slot(FIRST + 7 * DAY, 'b', {
      seriesId: null,
      seriesElsewhere: ['1/s'],
      here: 'elsewhere',
    });
    const shown = [seen(FIRST, 'c', { seriesId: 't' }), seen(FIRST + 14 * DAY, 'd', { seriesId: 't' })];
    const stored = [first, second];
    expect(matchSlots(stored, shown, NOW)).toEqual([0, null]);
    const taken = { ...first, seriesId: 't', sourceIds: ['c'], here: 'held' } as const;
    expect(matchSlots([taken, second], shown, NOW)).toEqual([0, null]);
  });

  test('a lone slot that another calendar moved less than half a day is the same', () => {
    const anna = slot(FIRST, 'a', { here: 'elsewhere' });
    expect(matchSlots([anna], [seen(FIRST + 11 * HOUR, 'b')], NOW)).toEqual([0]);
    expect(matchSlots([anna], [seen(FIRST + 20 * HOUR, 'b')], NOW)).toEqual([null]);
  });

  test('the last slot of a series moves any distance with it, while nothing else is shown of it', () => {
    const last = slot(FIRST, 'a');
    expect(matchSlots([last], [seen(FIRST + 3 * DAY, 'b')], NOW)).toEqual([0]);
    const beside = [seen(FIRST + 3 * DAY, 'b'), seen(FIRST, 'a')];
    expect(matchSlots([last], beside, NOW)).toEqual([null, 0]);
    expect(matchSlots([last], [seen(FIRST + 3 * DAY, 'b', { seriesId: 't' })], NOW)).toEqual([null]);
  });

  test('a single copy with the date of an occurrence belongs there, though it was moved onto another', () => {
    const stored = weeks(3, (week) => slot(FIRST + week * 7 * DAY, `a${week}`, { here: 'elsewhere' }));
    const guest = single(FIRST + 14 * DAY, 'g', day(FIRST + 7 * DAY));
    expect(matchSlots(stored, [guest], NOW)).toEqual([1]);
  });

  test('a copy without a zone is matched by its instant, even where its UTC date is another', () => {
    const midnight = Date.UTC(2026, 10, 10, 23, 30);
    const stored = [slot(midnight, 'a', { originalDates: ['2026-11-11'], here: 'elsewhere' })];
    expect(matchSlots(stored, [seen(midnight, 'b', { originalDate: null })], NOW)).toEqual([0]);
  });
});

describe('single events and conversions', () => {
  test('a single event may move any distance, even into the past, under any id', () => {
    for (const distance of [-40, -1, 1, 90])
      for (const id of ['a', 'b']) {
        expect(matchSlots([alone(FIRST, 'a')], [single(FIRST + distance * DAY, id)], NOW)).toEqual([0]);
      }
  });

  test('a single event that becomes a series is its first occurrence', () => {
    const observed = weeks(3, (week) => seen(FIRST + week * 7 * DAY, `a_${week}`));
    expect(matchSlots([alone(FIRST, 'a')], observed, NOW)).toEqual([0, null, null]);
  });

  test('a series that becomes a single event is the occurrence at that time', () => {
    const stored = weeks(3, (week) => slot(FIRST + week * 7 * DAY, `a_${week}`));
    expect(matchSlots(stored, [single(FIRST + 7 * DAY, 'a')], NOW)).toEqual([1]);
  });

  test("an occurrence that moved left its id, which Outlook makes of the date, to that day's new one", () => {
    // Weekly, then single, moved to the eve and seen there by another calendar, then daily from the eve on.
    const first = slot(FIRST - DAY, 'master', { formerIds: ['d1'] });
    const observed = weeks(3, (at) => seen(FIRST + (at - 1) * DAY, `d${at}`));
    expect(matchSlots([first], observed, NOW)).toEqual([0, null, null]);
  });

  test('an occurrence that comes back at another time is known by the id it had', () => {
    const stored = weeks(2, (week) =>
      slot(FIRST + week * 7 * DAY, 'x', { sourceIds: [], formerIds: [`a${week}`], here: 'elsewhere' }),
    );
    const observed = [seen(FIRST + 6 * DAY, 'a1'), seen(FIRST - DAY, 'a0')];
    expect(matchSlots(stored, observed, NOW)).toEqual([1, 0]);
  });

  test('two single events of one lineage stay two', () => {
    const stored = [alone(FIRST, 'a', { here: 'held' })];
    expect(matchSlots(stored, [single(FIRST + DAY, 'b')], NOW)).toEqual([null]);
    expect(matchSlots(stored, [single(FIRST + DAY, 'b'), single(FIRST, 'a')], NOW)).toEqual([null, 0]);
  });
});

describe('the past', () => {
  const past = Date.UTC(2026, 9, 27, 9);

  test('is never carried into the future, by no step', () => {
    for (const observed of [
      seen(past, 'a', { start: FIRST }),
      seen(past, 'b', { start: FIRST }),
      seen(past + 2 * HOUR, 'b', { start: FIRST }),
      single(FIRST, 'a'),
      single(FIRST, 'b'),
    ]) {
      expect(matchSlots([slot(past, 'a')], [observed], NOW)).toEqual([null]);
      expect(matchSlots([alone(past, 'a')], [observed], NOW)).toEqual([null]);
    }
  });

  test('what was given another time before it began was moved, whenever we look', () => {
    const inTime = { updatedAt: past - HOUR };
    expect(matchSlots([alone(past, 'a')], [single(FIRST, 'a', null, inTime)], NOW)).toEqual([0]);
    expect(
      matchSlots([slot(past, 'a')], [seen(past, 'a', { start: past + 2 * HOUR, ...inTime })], NOW),
    ).toEqual([0]);
  });

  test('a settled verdict stays where it is', () => {
    const observed = single(FIRST, 'a', null, { updatedAt: past - HOUR });
    expect(matchSlots([alone(past, 'a', { settled: true })], [observed], NOW)).toEqual([null]);
  });

  test('what was given a time ahead after it was over is used again, though that is over by now', () => {
    const observed = { start: past + 5 * HOUR, updatedAt: past + 3 * HOUR };
    expect(matchSlots([slot(past, 'a')], [seen(past, 'a', observed)], NOW)).toEqual([null]);
  });

  test('what was over at its new time as well when it was set is only shown elsewhere', () => {
    const observed = { start: past + HOUR, updatedAt: past + 3 * HOUR };
    expect(matchSlots([slot(past, 'a')], [seen(past, 'a', observed)], NOW)).toEqual([0]);
  });

  test("a guest's copy waits for the organizer's word", () => {
    const stored = alone(past, 'a', { awaitsOrganizer: true });
    const late = { updatedAt: past + 3 * HOUR };
    expect(
      matchSlots([stored], [single(FIRST, 'a', null, { ...late, ownerIsOrganizer: false })], NOW),
    ).toEqual([0]);
    expect(matchSlots([stored], [single(FIRST, 'a', null, late)], NOW)).toEqual([null]);
  });

  test('where another calendar has told of the new time already, that is where it is', () => {
    const left = alone(past, 'a', { here: 'vacated' });
    const ahead = alone(FIRST, 'b', { here: 'elsewhere', sourceIds: [] });
    expect(matchSlots([left, ahead], [single(FIRST, 'a', null, { updatedAt: past - HOUR })], NOW)).toEqual([
      1,
    ]);
  });

  test('an event that was used again does not take the slot of another that was moved away from it', () => {
    const ahead = alone(NOW + 3 * DAY, 'a');
    const over = alone(NOW - 3 * DAY, 'd', { here: 'held' });
    const shown = [single(NOW + 3 * DAY, 'd'), single(NOW + 5 * DAY, 'a')];
    const [first, second] = matchSlots([ahead, over], shown, NOW);
    expect(second).toBe(0);
    expect(first).not.toBe(0);
  });

  test("a weekday change does not let tomorrow's session be over", () => {
    const tomorrow = NOW + DAY;
    const stored = [-7, 0, 7].map((days) => slot(tomorrow + days * DAY, `a${days}`));
    const observed = [-10, -3, 4].map((days) => seen(tomorrow + days * DAY, `b${days}`));
    // Three days earlier: last week's is nearest to ten days ago, next week's to four days ahead.
    expect(matchSlots(stored, observed, NOW)).toEqual([0, null, 2]);
  });

  test('a weekday change that was made in time is followed, though nobody looked until the new time was over', () => {
    const tomorrow = NOW + DAY;
    const stored = [0, 7, 14].map((days) => slot(tomorrow + days * DAY, `a${days}`));
    const observed = [-2, 5, 12].map((days) =>
      seen(tomorrow + days * DAY, `b${days}`, { updatedAt: NOW - 5 * DAY }),
    );
    expect(matchSlots(stored, observed, NOW)).toEqual([0, 1, 2]);
  });

  test('an event dragged on after it was over follows its live copy, not the one it left behind', () => {
    const left = alone(past, 'x', { sourceIds: [], formerIds: ['a'], here: 'elsewhere' });
    const ahead = alone(FIRST + 7 * DAY, 'a', { here: 'held' });
    expect(matchSlots([left, ahead], [single(past + 2 * DAY, 'a')], NOW)).toEqual([1]);
  });
});

describe('what was found by chance', () => {
  test('an event that was used again takes no place of the series it was made of, where this calendar has none', () => {
    const over = NOW - 2 * DAY;
    const next = NOW + 5 * DAY;
    const elsewhere = { sourceIds: [], here: 'elsewhere' as const, seriesElsewhere: ['9/s'] };
    const stored = [
      alone(over, 'a', { startsHere: [over] }),
      ...[0, 7, 14].map((days) => slot(next + days * DAY, `s${days}`, elsewhere)),
    ];
    const again = single(next - 2 * DAY, 'a', null, { updatedAt: NOW - HOUR });
    expect(matchSlots(stored, [again], NOW)).toEqual([null]);
  });

  test('a series that this calendar is shown first takes no event by itself that stands on others within its interval', () => {
    const lone = alone(FIRST + 4 * DAY, 'd', { sourceIds: [], here: 'elsewhere' });
    const observed = weeks(3, (week) => seen(FIRST + (1 + week * 7) * DAY, `a${week}`));
    expect(matchSlots([lone], observed, NOW)).toEqual([null, null, null]);
    // Converted on another calendar, it is its first occurrence.
    const first = weeks(3, (week) => seen(FIRST + (4 + week * 7) * DAY, `a${week}`));
    expect(matchSlots([lone], first, NOW)).toEqual([0, null, null]);
  });

  test('the place that an occurrence left when it was used again does not hide it from a guest of it alone', () => {
    const over = NOW - 5 * DAY;
    const left = slot(over, 'a', {
      sourceIds: [],
      formerIds: ['a'],
      here: 'elsewhere',
      seriesElsewhere: ['9/s'],
    });
    const again = slot(over, 'a', {
      start: NOW + 5 * DAY,
      end: NOW + 5 * DAY + HOUR,
      sourceIds: [],
      here: 'elsewhere',
    });
    const guest = single(NOW + 5 * DAY, 'g', day(over), { ownerIsOrganizer: false, updatedAt: NOW - HOUR });
    expect(matchSlots([left, again], [guest], NOW)).toEqual([1]);
  });

  test('a later part of a series takes no slot of before its split, however near', () => {
    const before = slot(FIRST + 7 * DAY, 'a1', {
      seriesId: null,
      seriesElsewhere: ['9/s'],
      here: 'elsewhere',
    });
    const others = [1, 2].map((week) => slot(FIRST - week * 7 * DAY, `a-${week}`, { here: 'held' }));
    const later = { uid: 'x_R20261113T090000@google.com', seriesId: 't' };
    const moved = seen(FIRST + 10 * DAY, 'b', { ...later, start: FIRST + 8 * DAY });
    expect(matchSlots([before, ...others], [moved], NOW)).toEqual([null]);
    const handedOn = slot(FIRST + 10 * DAY + HOUR, 'a2', { here: 'elsewhere' });
    expect(matchSlots([handedOn, ...others], [moved], NOW)).toEqual([0]);
  });

  // Moved two days back while it stood five days before the next, then three ahead: the week between stays a week.
  test.each([
    ['what is over', FIRST + 3 * DAY, { here: 'held' }],
    ['what stands on no calendar', FIRST + 12 * DAY, { stands: false, sourceIds: [], here: 'elsewhere' }],
  ] as const)('a series that is moved again keeps its slots: %s kept its old place', (_what, from, given) => {
    const stored = [
      slot(from - 5 * DAY, 'a0', given),
      ...weeks(3, (week) => slot(from + week * 7 * DAY, `b${week}`)),
    ];
    const observed = weeks(3, (week) => seen(from + (week * 7 + 3) * DAY, `c${week}`));
    expect(matchSlots(stored, observed, NOW)).toEqual([1, 2, 3]);
  });

  test('a series made single at an occurrence that had been moved leaves that one where it stands', () => {
    const moved = FIRST + 3 * DAY;
    const stored = [
      slot(FIRST + 4 * DAY + 12 * HOUR, 'a0', { start: moved, end: moved + HOUR }),
      ...[5, 6, 7].map((days) => slot(FIRST + days * DAY + 12 * HOUR, `a${days}`)),
    ];
    expect(matchSlots(stored, [single(moved, 's')], NOW)).toEqual([0]);
  });

  test('the guest of one occurrence follows it where it is used again after it was over', () => {
    const original = FIRST - 7 * DAY;
    const ahead = FIRST + 2 * DAY + 5 * HOUR;
    const again = { start: ahead, end: ahead + HOUR, sourceIds: [], here: 'elsewhere' } as const;
    const stored = [slot(original, 'g', { here: 'held' }), slot(original, 'm', again)];
    const shown = single(ahead, 'g', null, { updatedAt: NOW - HOUR, ownerIsOrganizer: false });
    expect(matchSlots(stored, [shown], NOW)).toEqual([1]);
  });

  test('twins that nothing names are guessed together, not each its own slot', () => {
    const stored = [
      slot(FIRST + 14 * DAY, 'a2'),
      slot(FIRST + 7 * DAY, 'm1', {
        seriesId: null,
        seriesElsewhere: ['9/m'],
        sourceIds: [],
        here: 'elsewhere',
      }),
    ];
    const [moved, twin] = [
      seen(FIRST + 21 * DAY, 'a3', { start: FIRST + 21 * DAY + HOUR }),
      seen(FIRST + 21 * DAY, 'b3', { seriesId: 't' }),
    ];
    const early = seen(FIRST - 7 * DAY, 'a0');
    const [one, other] = matchSlots(stored, [moved, twin, early], NOW);
    expect(other).toBe(one);
  });

  test('a slot that two of one pass name is of the same series in every order', () => {
    const stored = [
      alone(NOW - 20 * HOUR, 'x', { sourceIds: [] }),
      alone(NOW - 19 * HOUR, 'y', { sourceIds: [], seriesId: 't', here: 'held' }),
      alone(NOW + 119 * HOUR, 'z', { sourceIds: ['e', 'c'], here: 'held' }),
    ];
    const observed = [
      seen(NOW + 264 * HOUR, 'c', { start: NOW - 7 * HOUR, status: 'cancelled' }),
      seen(NOW - 298 * HOUR, 'e', { start: NOW - 54 * HOUR, seriesId: 't' }),
      single(NOW - 89 * HOUR, 'h', null, { ownerIsOrganizer: false }),
    ];
    const byId = (those: readonly ObservedSlot[]) =>
      Object.fromEntries(matchSlots(stored, those, NOW).map((match, at) => [those[at]?.sourceId, match]));
    expect(byId(observed.toReversed())).toEqual(byId(observed));
    expect(byId([observed[2], observed[1], observed[0]] as ObservedSlot[])).toEqual(byId(observed));
  });
});

const hours = fc.integer({ min: -300, max: 300 }).map((at) => NOW + at * HOUR);
const anyStored: fc.Arbitrary<StoredSlot> = fc
  .record({
    originalStarts: fc.uniqueArray(hours, { maxLength: 2 }),
    start: hours,
    seriesId: fc.constantFrom(null, 's', 't'),
    seriesElsewhere: fc.subarray(['9/s', '9/t']),
    uids: fc.subarray(['x@google.com', 'x_R20261105T090000@google.com']),
    sourceIds: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 2 }),
    formerIds: fc.uniqueArray(fc.constantFrom('a', 'b', 'f'), { maxLength: 1 }),
    here: fc.constantFrom('held' as const, 'vacated' as const, 'elsewhere' as const),
    startsHere: fc.uniqueArray(hours, { maxLength: 1 }),
    settled: fc.boolean(),
    stands: fc.boolean(),
    awaitsOrganizer: fc.boolean(),
  })
  .map((made) => ({ ...made, end: made.start + HOUR, originalDates: made.originalStarts.map(day) }));
const anyObserved: fc.Arbitrary<ObservedSlot[]> = fc.uniqueArray(
  fc
    .record({
      sourceId: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
      seriesId: fc.constantFrom(null, 's', 't'),
      uid: fc.constantFrom(null, 'x@google.com', 'x_R20261105T090000@google.com'),
      originalStart: fc.option(hours),
      dated: fc.boolean(),
      start: hours,
      status: fc.constantFrom('confirmed' as const, 'cancelled' as const),
      ownerIsOrganizer: fc.boolean(),
      updatedAt: fc.option(hours),
    })
    .map(({ dated, ...made }) => ({
      ...made,
      originalDate: dated ? day(made.originalStart ?? made.start) : null,
    })),
  { selector: (made) => made.sourceId, maxLength: 8 },
);

describe('whatever is stored and observed', () => {
  const byId = (observed: readonly ObservedSlot[], matches: ReadonlyArray<number | null>) =>
    Object.fromEntries(observed.map(({ sourceId }, at) => [sourceId, matches[at]]));

  test('the order of the observed has no influence', () => {
    fc.assert(
      fc.property(
        fc.array(anyStored, { maxLength: 6 }),
        anyObserved.chain((observed) =>
          fc.tuple(
            fc.constant(observed),
            fc.shuffledSubarray(observed, { minLength: observed.length, maxLength: observed.length }),
          ),
        ),
        (stored, [observed, shuffled]) => {
          expect(byId(shuffled, matchSlots(stored, shuffled, NOW))).toEqual(
            byId(observed, matchSlots(stored, observed, NOW)),
          );
        },
      ),
      { numRuns: runs(500) },
    );
  });

  test('a slot is taken once, save by twins: by an id of its own or at one original instant', () => {
    fc.assert(
      fc.property(fc.array(anyStored, { maxLength: 6 }), anyObserved, (stored, observed) => {
        const matches = matchSlots(stored, observed, NOW);
        for (const [match, those] of Map.groupBy(observed.entries(), ([at]) => matches[at])) {
          const taken = typeof match === 'number' ? stored[match] : undefined;
          if (!taken) continue;
          const strangers = those.filter(
            ([, { sourceId }]) => !taken.sourceIds.includes(sourceId) && !taken.formerIds.includes(sourceId),
          );
          // Whoever joins is a twin of somebody who belongs there, or of whoever came first.
          const originalOf = ([, one]: (typeof those)[number]) => one.originalStart ?? one.start;
          const belonging = new Set(those.filter((one) => !strangers.includes(one)).map(originalOf));
          const originals = new Set(strangers.map(originalOf).filter((original) => !belonging.has(original)));
          expect(originals.size).toBeLessThanOrEqual(belonging.size > 0 ? 0 : 1);
        }
      }),
      { numRuns: runs(500) },
    );
  });

  test('nothing that is over is carried into the future', () => {
    fc.assert(
      fc.property(fc.array(anyStored, { maxLength: 6 }), anyObserved, (stored, observed) => {
        for (const [at, match] of matchSlots(stored, observed, NOW).entries()) {
          const [was, is] = [match === null ? undefined : stored[match], observed[at]];
          if (!was || !is || is.start <= NOW || was.end > NOW) continue;
          // But what was moved before it began, what stood there already, and a guest's copy that must wait.
          const inTime = (is.updatedAt ?? Number.POSITIVE_INFINITY) < was.start && !was.settled;
          const waits = was.awaitsOrganizer && !is.ownerIsOrganizer;
          const isDatedAhead = is.updatedAt !== null && is.start <= is.updatedAt;
          expect(inTime || waits || isDatedAhead || was.startsHere.includes(is.start)).toBe(true);
        }
      }),
    );
  });

  test('an unchanged series is matched to itself, whatever its rhythm', () => {
    fc.assert(
      fc.property(fc.uniqueArray(hours, { minLength: 1, maxLength: 40 }), fc.boolean(), (starts, renamed) => {
        const stored = starts.map((at) => slot(at, `a${at}`, { here: renamed ? 'vacated' : 'held' }));
        const observed = starts.map((at) => seen(at, `${renamed ? 'b' : 'a'}${at}`));
        expect(matchSlots(stored, observed, NOW)).toEqual(starts.map((_, at) => at));
      }),
    );
  });
});
