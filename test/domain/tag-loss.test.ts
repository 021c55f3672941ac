import { describe, expect, test } from 'vitest';
import { BEN, DAY, HOUR, holder, instance, Memory, NOW, SIGHT, staged } from './planning-builders.ts';

/** Tuesday of next week, 09:00. */
const TUESDAY = Date.UTC(2026, 10, 10, 9);
const listed = (seriesId: string) => [{ seriesId, window: SIGHT, empty: false }];
const guest = { ownerIsOrganizer: false };

describe('the tag of a meeting', () => {
  test('untagged ones of a tagged meeting are kept; without any tag all are let go', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('g', TUESDAY)] });
    const on = holder(BEN, 'microsoft');
    memory.pass({ on, copies: [staged('o', TUESDAY, { ...guest, matched: [], ownerResponse: 'accepted' })] });
    expect(memory.sessions[0]?.participants).toContainEqual({
      personId: BEN,
      role: 'mentee',
      rsvp: 'accepted',
    });
    const [session] = memory.ids;
    memory.pass({ copies: [staged('g', TUESDAY, { matched: [], updatedAt: NOW })] });
    expect(memory.sessions[0]?.cancelled).toEqual({ at: NOW, reason: 'untagged', by: null });
    expect(memory.occurrences[0]?.copies.map((copy) => copy.removal?.how)).toEqual(['untagged', 'untagged']);
    memory.pass({ copies: [staged('g', TUESDAY, { updatedAt: NOW + 1 })] });
    expect(memory.ids).toEqual([session]);
  });

  test('a tag that was taken away before the start counts as that, though nobody looked until it was over', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('g', TUESDAY, { updatedAt: NOW })] });
    const untagged = staged('g', TUESDAY, { matched: [], updatedAt: TUESDAY - HOUR });
    memory.pass({ now: TUESDAY + DAY, copies: [untagged] });
    expect(memory.sessions[0]?.cancelled).toEqual({ at: TUESDAY - HOUR, reason: 'untagged', by: null });
  });

  test('so does one that an edit of all took from the one occurrence that had it', () => {
    const plain = instance('s', TUESDAY - DAY + 2 * HOUR, { matched: [], updatedAt: NOW + HOUR });
    const bens = holder(BEN);
    const memory = new Memory();
    memory.pass({ copies: [instance('s', TUESDAY)] });
    memory.pass({ on: bens, copies: [instance('s', TUESDAY, guest)] });
    memory.pass({ copies: [plain], listed: listed('s') });
    memory.pass({ now: TUESDAY, on: bens, copies: [{ ...plain, ...guest }], listed: listed('s') });
    expect(memory.sessions.map(({ cancelled }) => cancelled)).toEqual([
      { at: NOW + HOUR, reason: 'untagged', by: null },
    ]);
  });

  test('so does one that another calendar was long seen without, where a later edit hides when it went', () => {
    const bens = holder(BEN, 'microsoft');
    const memory = new Memory();
    memory.pass({ copies: [instance('s', TUESDAY)] });
    memory.pass({ on: bens, copies: [instance('o', TUESDAY, guest)] });
    memory.pass({ copies: [instance('s', TUESDAY, { matched: [], updatedAt: NOW - DAY })] });
    const later = instance('o', TUESDAY, { ...guest, matched: [], updatedAt: TUESDAY + DAY });
    memory.pass({ now: TUESDAY + DAY, on: bens, copies: [later] });
    expect(memory.sessions.map(({ cancelled }) => cancelled)).toEqual([
      { at: NOW - DAY, reason: 'untagged', by: null },
    ]);
  });

  test('but not one that was lost before it came back on a copy that has left since', () => {
    const bens = holder(BEN, 'microsoft');
    const past = TUESDAY + DAY;
    const memory = new Memory();
    memory.pass({ copies: [instance('s', TUESDAY)] });
    const untagged = { copies: [instance('s', TUESDAY, { matched: [], updatedAt: NOW })] };
    memory.pass(untagged);
    memory.pass({ on: bens, copies: [instance('o', TUESDAY, guest)] });
    memory.pass(untagged);
    expect(memory.booked).toHaveLength(1);
    // The organizer uses it again when it is over, and the guest's copy goes with it.
    const again = { start: TUESDAY + 7 * DAY, updatedAt: past };
    memory.pass({ now: past, on: bens, copies: [instance('o', TUESDAY, { ...guest, ...again })] });
    memory.pass({ now: past, copies: [instance('s', TUESDAY, { ...again, matched: [] })] });
    expect(memory.sessions.filter(({ start }) => start === TUESDAY)).toMatchObject([{ cancelled: null }]);
  });

  test('a tag that only the rules took away leaves what is over as it was', () => {
    const memory = new Memory();
    memory.pass({ copies: [staged('g', TUESDAY, { updatedAt: NOW })] });
    memory.pass({ now: TUESDAY + DAY, copies: [staged('g', TUESDAY, { matched: [], updatedAt: NOW })] });
    expect(memory.booked).toHaveLength(1);
  });
});
