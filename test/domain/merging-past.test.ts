import { describe, expect, test } from 'vitest';
import { merge } from '../../src/domain/merging.ts';
import { annas, bens, booked, context, gone, later, meeting, START } from './merging-builders.ts';
import { ANNA, BEN, DAY, HOUR, person, ROSTER } from './planning-builders.ts';

describe('the past', () => {
  const after = START + 2 * HOUR;

  test('is neither moved nor untagged nor regrouped', () => {
    const was = booked();
    for (const copies of [
      [annas({ start: START + DAY, end: START + DAY + HOUR }), bens()],
      [annas({ matched: [] }), bens({ matched: [] })],
      [annas(gone('untagged', after)), bens(gone('untagged', after))],
      [annas({ people: [person(ANNA, 'accepted', true)] })],
      [annas(gone('deleted', after)), bens(gone('deleted', after))],
    ]) {
      const is = later(was, copies, after);
      expect({ ...is, copies: [] }).toEqual({ ...was, copies: [] });
    }
  });

  test('still takes a late answer, and forgets none when somebody tidies up', () => {
    const was = booked();
    const answered = later(was, [annas(), bens({ ownerResponse: 'declined' })], after);
    expect(answered.sessions[0]?.participants).toContainEqual({
      personId: BEN,
      role: 'mentee',
      rsvp: 'declined',
    });
    const tidied = later(answered, [annas(), bens(gone('deleted', after))], after + HOUR);
    expect(tidied.sessions).toEqual(answered.sessions);
  });

  test('an entry that is tidied away, which its organizer is told of as declined, declines nothing', () => {
    const was = booked([annas({ people: [person(BEN, 'accepted')] }), bens({ ownerResponse: 'accepted' })]);
    const told = (updatedAt: number) => [
      annas({ people: [person(BEN, 'declined')], updatedAt }),
      bens(gone('deleted', after)),
    ];
    expect(later(was, told(after), after).sessions).toEqual(was.sessions);
    // Told of before it began, it was declined, though we learn of it late.
    expect(later(was, told(START - HOUR), after).sessions[0]?.participants).toContainEqual({
      personId: BEN,
      role: 'mentee',
      rsvp: 'declined',
    });
  });

  test('a settled session takes nothing at all', () => {
    const was = booked();
    const settled = { ...was, sessions: was.sessions.map((session) => ({ ...session, settled: true })) };
    const is = later(
      settled,
      [annas(gone('cancelled', START - 1)), bens({ ownerResponse: 'declined' })],
      after,
    );
    expect(is.sessions).toEqual(settled.sessions);
  });

  test('a corrected roster adds the session that was missed', () => {
    const was = merge(meeting([annas(), bens()]), { ...context, roster: { ...ROSTER, mentorships: [] } });
    expect(was.sessions).toEqual([]);
    expect(later(was, was.copies, after).sessions).toMatchObject([{ mentorshipId: 1, start: START }]);
  });
});
