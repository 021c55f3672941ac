import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cancellationOf } from '../../src/domain/cancellation.ts';
import { leadingCopy, peopleOf, rsvpOf } from '../../src/domain/copies.ts';
import { mentorshipsOf } from '../../src/domain/membership.ts';
import { merge } from '../../src/domain/merging.ts';
import type { Copy, Occurrence, Removal } from '../../src/domain/occurrence.ts';
import { runs } from '../support/properties.ts';
import { annas, bens, booked, cems, context, gone, later, meeting, START } from './merging-builders.ts';
import {
  ANNA,
  BEN,
  CEM,
  DAY,
  HOUR,
  holder,
  MAILBOX,
  NOW,
  person,
  ROSTER,
  stored,
  TAGGED,
} from './planning-builders.ts';

describe('time', () => {
  test("is the organizer's, however new a guest's copy is", () => {
    const copies = [annas({ start: START + HOUR, end: START + 2 * HOUR }), bens({ updatedAt: NOW })];
    expect(merge(meeting(copies), context)).toMatchObject({ start: START + HOUR, end: START + 2 * HOUR });
  });

  test("is the newest copy's where the organizer's cannot be read", () => {
    const moved = cems({ start: START + DAY, updatedAt: NOW });
    expect(leadingCopy([bens(), moved], new Set())).toBe(moved);
    // An organizer's calendar that went blind says what it said long ago.
    expect(leadingCopy([annas(), bens({ updatedAt: NOW })], new Set([10]))?.sourceId).toBe('b');
  });

  test('a move counts once and the session keeps its id', () => {
    const was = booked();
    const moved = later(was, [annas({ start: START + DAY, end: START + DAY + HOUR }), bens()]);
    expect(moved.sessions).toMatchObject([{ sessionId: 1, start: START + DAY, reschedules: 1 }]);
    expect(merge(moved, context)).toEqual(moved);
  });
});

describe('cancellation', () => {
  test.each<[string, Copy[], object | null]>([
    ['nobody removed anything', [annas(), bens()], null],
    ['a guest deleted their copy', [annas(), bens(gone('deleted'))], null],
    ["a guest's Google copy was removed", [annas(), cems(gone('cancelled'))], null],
    ['every guest deleted theirs', [annas(), bens(gone('deleted')), cems(gone('cancelled'))], null],
    [
      'the organizer called it off',
      [annas(gone('cancelled')), bens()],
      { reason: 'cancelled', at: NOW - HOUR },
    ],
    ['the organizer deleted it', [annas(gone('deleted')), bens()], { reason: 'deleted', at: NOW - HOUR }],
    [
      "the organizer's copy is absent",
      [annas(gone('absent')), bens()],
      { reason: 'deleted', at: NOW - HOUR },
    ],
    [
      "a guest's Outlook copy is marked cancelled",
      [bens({ status: 'cancelled', updatedAt: NOW - DAY }), cems()],
      { reason: 'cancelled', at: NOW - DAY },
    ],
    [
      'one Outlook guest was uninvited, which told the others too',
      [bens({ status: 'cancelled', updatedAt: NOW - DAY }), cems({ updatedAt: NOW - DAY })],
      null,
    ],
    [
      'one was uninvited long ago, and the organizer deletes it now',
      [annas(gone('deleted')), bens({ status: 'cancelled', updatedAt: NOW - DAY }), cems()],
      { reason: 'deleted', at: NOW - HOUR },
    ],
    ["the only visible Outlook guest's copy is gone", [bens(gone('deleted'))], null],
    ['the only visible Google guest took it off their calendar', [cems(gone('deleted'))], null],
    [
      'no calendar we see has it any more',
      [bens(gone('deleted')), cems(gone('cancelled'))],
      { reason: 'removed_everywhere', at: NOW - HOUR },
    ],
    [
      'the program mailbox, which removes nothing by itself, lost it',
      [stored('m', START, MAILBOX, { ownerIsOrganizer: false, ...gone('absent') })],
      { reason: 'removed_everywhere', at: NOW - HOUR },
    ],
    ['a split left a twin', [annas(gone('absent')), annas({ copyId: 9, sourceId: 'a2' })], null],
    ['it was untagged', [annas(gone('untagged')), bens(gone('untagged'))], null],
  ])('%s', (_, copies, expected) => {
    const called = cancellationOf(copies, context);
    if (expected === null) expect(called).toBeNull();
    else expect(called).toMatchObject(expected);
  });

  test('of an organizer whose calendar went blind is not believed', () => {
    const copies = [annas(gone('absent')), bens()];
    expect(cancellationOf(copies, { ...context, blind: new Set([10]) })).toBeNull();
  });

  describe('by the bare mark on the calendar of a former Google organizer', () => {
    const [CY, ALIAS] = ['cy@elsewhere.org', 'a.nna@alias.org'];
    const stub = (given: Partial<Copy> = {}) =>
      annas({ ...gone('cancelled'), updatedAt: NOW - DAY, ...given });
    const cys = (given: Partial<Copy> = {}) =>
      cems({ organizer: CY, updatedAt: NOW - 2 * HOUR, people: [person(ANNA), person(CEM)], ...given });
    const [ANNA_BLIND, CEM_BLIND] = [new Set([10]), new Set([30])];
    const off = (at: number, reason = 'cancelled') => ({ at, reason });
    test.each<[string, Copy[], object | null, ReadonlySet<number>?]>([
      ["is no word while a guest's copy names another organizer", [stub(), cys()], null],
      ['nor where a complete list lacks the mark', [stub(gone('absent')), cys()], null],
      [
        'nor beside the copy that the former organizer has as a guest',
        [stub(), annas({ copyId: 9, organizer: CY, ownerIsOrganizer: false })],
        null,
      ],
      ['counts while the guest is still told the old organizer', [stub(), cems()], off(NOW - HOUR)],
      [
        'counts where the guest is told an alias of the same person',
        [stub(), cys({ organizer: ALIAS })],
        off(NOW - HOUR),
      ],
      ['counts where the guest is told nobody', [stub(), cys({ organizer: null })], off(NOW - HOUR)],
      ['is no word when the guest then removes their copy', [stub(), cys(gone('deleted'))], null],
      [
        'does not date what the new organizer calls off later',
        [stub(), cys(gone('cancelled', NOW))],
        off(NOW, 'removed_everywhere'),
      ],
      ['is no word when the tag is lost later', [stub(), cys(gone('untagged', NOW))], null],
      ["is no word when the guest's calendar cannot be read any more", [stub(), cys()], null, CEM_BLIND],
      ["nor when the former organizer's cannot", [stub(), cys()], null, ANNA_BLIND],
      [
        'counts against a calendar that went blind before the meeting came back to them',
        [stub({ updatedAt: NOW - HOUR }), cys()],
        off(NOW - HOUR),
        CEM_BLIND,
      ],
      [
        'counts when it is the new organizer who then calls it off',
        [
          stub({ ...gone('cancelled', NOW - DAY), updatedAt: NOW - 2 * DAY }),
          cys({
            ...gone('cancelled'),
            holder: holder(CEM),
            organizer: 'cem@x.org',
            ownerIsOrganizer: true,
            updatedAt: NOW - 2 * DAY,
          }),
        ],
        off(NOW - HOUR),
      ],
      [
        'is no word when the new organizer can be read no more',
        [stub(), cys({ holder: holder(CEM), organizer: 'cem@x.org', ownerIsOrganizer: true })],
        null,
        CEM_BLIND,
      ],
    ])('%s', (_, copies, expected, blind = new Set()) => {
      for (const those of [copies, copies.toReversed()]) {
        const called = cancellationOf(those, { ...context, blind });
        if (expected === null) expect(called).toBeNull();
        else expect(called).toMatchObject(expected);
      }
    });

    test('is one only at Google: an Outlook meeting never goes to another organizer', () => {
      const outlook = stub({ holder: holder(ANNA, 'microsoft') });
      expect(cancellationOf([outlook, cys()], context)).toMatchObject(off(NOW - HOUR));
    });

    test('leaves the session with its name, its time and its people, whichever calendar tells of it first', () => {
      const members = [person(ANNA, 'none', true), person(CEM)];
      const was = booked([annas({ people: members }), cems()]);
      for (const between of [
        [stub(), cems({ people: members })],
        [annas({ people: members }), cys()],
      ]) {
        const is = later(later(was, between), [stub(), cys()]);
        expect(is).toMatchObject({ cancelled: null, organizer: CY, start: START, reschedules: 0 });
        const participants = [{ personId: ANNA }, { personId: CEM }];
        expect(is.sessions).toMatchObject([{ sessionId: 1, cancelled: null, reschedules: 0, participants }]);
      }
    });
  });

  test('names the side that called it off, and comes back when the organizer does', () => {
    const was = booked();
    const off = later(was, [annas(gone('cancelled')), bens()]);
    expect(off).toMatchObject({ cancelled: { reason: 'cancelled', at: NOW - HOUR } });
    expect(off.sessions[0]?.cancelled).toEqual({ at: NOW - HOUR, reason: 'cancelled', by: 'mentor' });
    const again = later(off, [annas({ copyId: 7 }), bens()], NOW + HOUR);
    expect(again).toMatchObject({ cancelled: null, sessions: [{ sessionId: 1, cancelled: null }] });
  });

  test("a guest's marked copy standing where nobody can look any more is not outvoted by a blind calendar", () => {
    const copies = [bens({ status: 'cancelled', updatedAt: NOW - DAY }), cems({ updatedAt: NOW - HOUR })];
    expect(cancellationOf(copies, { ...context, blind: new Set([30]) })).toMatchObject({ at: NOW - DAY });
  });

  test('is dated by the mark on the guests where Outlook does not date what the organizer deleted', () => {
    const was = booked();
    const [learnt, marked] = [START + 3 * HOUR, START - 2 * HOUR];
    const copies = [annas(gone('deleted', learnt)), bens({ status: 'cancelled', updatedAt: marked })];
    const off = later(was, copies, learnt);
    expect(off.sessions).toMatchObject([{ cancelled: { at: marked, reason: 'deleted' } }]);
    // Tidied away after it took place: the mark, too, is of afterwards.
    const tidied = [annas(gone('deleted', learnt)), bens({ status: 'cancelled', updatedAt: learnt - HOUR })];
    expect(later(was, tidied, learnt).sessions).toMatchObject([{ cancelled: null }]);
  });

  test('dated before the start counts whenever it is learnt, dated later it counts for nothing', () => {
    const was = booked();
    const after = START + 5 * HOUR;
    const before = later(was, [annas(gone('cancelled', START - 1)), bens()], after);
    expect(before.sessions[0]?.cancelled).toMatchObject({ at: START - 1, reason: 'cancelled' });
    for (const at of [START, START + 2 * HOUR]) {
      const tidied = later(was, [annas(gone('cancelled', at)), bens()], after);
      expect(tidied).toMatchObject({ cancelled: null, sessions: [{ cancelled: null }] });
      const during = later(was, [annas(gone('cancelled', at)), bens()], START + 1);
      expect(during).toMatchObject({ cancelled: null, sessions: [{ cancelled: null }] });
    }
  });
});

describe('answers', () => {
  test.each<[string, Copy[], string]>([
    [
      'own word',
      [annas({ people: [person(BEN, 'declined')] }), bens({ ownerResponse: 'accepted' })],
      'accepted',
    ],
    [
      "organizer's, where the own copy says nothing",
      [annas({ people: [person(BEN, 'tentative')] }), bens({ ownerResponse: 'none' })],
      'tentative',
    ],
    ["organizer's, where there is no own copy", [annas({ people: [person(BEN, 'declined')] })], 'declined'],
    ["never a third person's", [cems({ people: [person(BEN, 'accepted')] })], 'none'],
    [
      "never a third person's, beside the own one",
      [bens({ ownerResponse: 'none', people: [] }), cems({ people: [person(BEN, 'accepted')] })],
      'none',
    ],
    [
      'own list, where the copy tells no own word',
      [bens({ ownerResponse: null, people: [person(BEN, 'declined')] })],
      'declined',
    ],
    [
      'not from a copy that is gone',
      [annas({ people: [person(BEN)] }), bens({ ownerResponse: 'accepted', ...gone('deleted') })],
      'none',
    ],
  ])('%s', (_, copies, expected) => {
    expect(rsvpOf(BEN, copies, ROSTER)).toBe(expected);
  });

  test('whoever calls the meeting comes to it, listed or not', () => {
    expect(rsvpOf(ANNA, [annas()], ROSTER)).toBe('accepted');
    expect(rsvpOf(ANNA, [annas({ people: [person(BEN)] })], ROSTER)).toBe('accepted');
    expect(rsvpOf(ANNA, [annas({ ownerResponse: 'declined' })], ROSTER)).toBe('declined');
  });
});

describe('people and mentorships', () => {
  test('one meeting with two mentees of two mentorships is two sessions of one occurrence', () => {
    const people = [person(ANNA, 'accepted', true), person(BEN), person(CEM, 'declined')];
    const merged = merge(meeting([annas({ people })]), context);
    expect(merged.sessions.map((session) => session.mentorshipId)).toEqual([1, 2]);
    expect(merged.sessions[1]?.participants).toEqual([
      { personId: ANNA, role: 'mentor', rsvp: 'accepted' },
      { personId: CEM, role: 'mentee', rsvp: 'declined' },
    ]);
  });

  test('owners of copies count, aliases are the person, a program mailbox is nobody', () => {
    const people = [{ ...person(ANNA), address: 'a.nna@alias.org' }];
    const copies = [
      bens({ organizer: 'dora@y.org', people }),
      stored('m', START, MAILBOX, { copyId: 8, ownerIsOrganizer: false, people }),
    ];
    expect(merge(meeting(copies), context).sessions).toMatchObject([{ mentorshipId: 1 }]);
    expect([...peopleOf(copies).keys()]).not.toContain(MAILBOX.address);
  });

  test("the organizer's list decides who is invited; where it is cut, everybody's do", () => {
    const stale = cems({ people: [person(ANNA), person(BEN), person(CEM)] });
    expect([...peopleOf([annas(), stale]).keys()].toSorted()).toEqual([
      'anna@x.org',
      'ben@x.org',
      'cem@x.org',
    ]);
    const others = bens({ people: [person(ANNA), person(CEM)] });
    expect(peopleOf([annas(), others]).has('cem@x.org')).toBe(false);
    expect(peopleOf([annas({ peopleOmitted: true }), others]).has('cem@x.org')).toBe(true);
  });

  test.each([
    ['nobody we know', ['dora@y.org'], 'no_mentorship'],
    ['the mentor alone', ['anna@x.org'], 'no_mentee'],
    ['a mentee alone', ['ben@x.org'], 'no_mentor'],
    ['mentees of two mentorships without the mentor', ['ben@x.org', 'cem@x.org'], 'no_mentor'],
  ])('%s', (_, addresses, because) => {
    const people = new Map(addresses.map((address) => [address, { ...person(0), address }]));
    expect(mentorshipsOf('p', START, people, ROSTER)).toEqual({ matched: [], because });
    expect(mentorshipsOf('other', START, people, ROSTER).because).toBe('no_mentorship');
  });

  test('groups alone bring nobody together: somebody of the mentorship is named', () => {
    const groups = {
      ...ROSTER,
      groupOf: new Map([
        ['tutors@x.org', [ANNA]],
        ['cohort@x.org', [BEN]],
      ]),
    };
    const among = (...addresses: string[]) =>
      mentorshipsOf(
        'p',
        START,
        new Map(addresses.map((address) => [address, { ...person(0), address }])),
        groups,
      ).matched.flatMap(({ present }) => present);
    expect(among('tutors@x.org', 'cohort@x.org')).toEqual([]);
    expect(among('tutors@x.org', 'ben@x.org')).toEqual([
      { personId: ANNA, role: 'mentor', byGroup: true },
      { personId: BEN, role: 'mentee' },
    ]);
  });

  test('first and last day of a mentorship bound it, to the instant', () => {
    const [first] = ROSTER.mentorships;
    if (!first) throw new Error('the roster is empty');
    const dated = { ...ROSTER, mentorships: [{ ...first, from: START, until: START + DAY }] };
    const people = peopleOf([annas()]);
    const at = (start: number) => mentorshipsOf('p', start, people, dated).matched.length;
    expect([at(START - 1), at(START), at(START + DAY - 1), at(START + DAY)]).toEqual([0, 1, 1, 0]);
    expect(mentorshipsOf('p', START - 1, people, dated).because).toBe('outside_dates');
  });

  test('two peers are both sides, one is not', () => {
    const peers = {
      ...ROSTER,
      mentorships: [
        {
          mentorshipId: 5,
          program: 'p',
          from: 0,
          until: null,
          members: [ANNA, BEN, CEM].map((personId) => ({ personId, role: 'peer' as const })),
        },
      ],
    };
    expect(mentorshipsOf('p', START, peopleOf([annas()]), peers).matched).toHaveLength(1);
    const alone = new Map([['anna@x.org', person(ANNA)]]);
    expect(mentorshipsOf('p', START, alone, peers).matched).toHaveLength(0);
  });

  test('people who leave the meeting leave the session, and it comes back with them', () => {
    const was = booked();
    const without = later(was, [annas({ people: [person(ANNA, 'accepted', true)] })]);
    expect(without.sessions[0]?.cancelled).toEqual({ at: NOW, reason: 'people_changed', by: null });
    expect(later(without, [annas(), bens()]).sessions).toMatchObject([{ sessionId: 1, cancelled: null }]);
  });

  test('a mark on the copy that a guest deleted still speaks for the meeting, words that others would show do not', () => {
    const marked = [{ program: 'p', rule: 'category:Mentoring' }];
    for (const [matched, stays] of [
      [marked, true],
      [TAGGED, false],
    ] as const) {
      const was = booked([annas({ matched: [] }), bens({ matched })]);
      expect(was.sessions).toHaveLength(1);
      const deleted = later(was, [annas({ matched: [] }), bens({ matched, ...gone('deleted') })]);
      expect(deleted.sessions[0]?.cancelled?.reason).toBe(stays ? undefined : 'untagged');
      const unmarked = later(was, [annas({ matched: [] }), bens({ matched: [] })]);
      expect(unmarked.sessions[0]?.cancelled?.reason).toBe('untagged');
      // Unmarked first and deleted afterwards: what it said last counts.
      const both = later(was, [annas({ matched: [] }), bens({ matched: [], ...gone('deleted') })]);
      expect(both.sessions[0]?.cancelled?.reason).toBe('untagged');
    }
  });

  test('a mark goes with who is uninvited, also where their copy was replaced by one that says so', () => {
    const matched = [{ program: 'p', rule: 'category:Mentoring' }];
    const was = booked([annas({ matched: [] }), bens({ matched })]);
    const replaced = bens({ matched, ...gone('absent') });
    const without = annas({ matched: [], people: [person(ANNA, 'accepted', true), person(CEM)] });
    const off = later(was, [without, replaced, bens({ sourceId: 'anew', matched, status: 'cancelled' })]);
    expect(off.sessions.map(({ cancelled }) => cancelled?.reason)).toEqual(['untagged']);
  });
});

describe('privacy', () => {
  test("one person's private copy hides the title for all, also after the end", () => {
    const copies = [annas(), bens({ private: true, title: null })];
    expect(merge(meeting(copies), context)).toMatchObject({ private: true, title: null });
    expect(later(booked(), copies, START + 2 * HOUR)).toMatchObject({ private: true, title: null });
    expect(
      merge(meeting([annas(), bens({ private: true, title: null, ...gone('deleted') })]), context).title,
    ).toBe('Mentoring');
  });

  test('one that is first seen when it is over is hidden by any of its copies', () => {
    const fresh = meeting([annas(), annas({ copyId: null, sourceId: 'a2', private: true, title: null })], {
      occurrenceId: null,
    });
    expect(merge(fresh, { ...context, now: START + DAY })).toMatchObject({ private: true, title: null });
  });
});

describe('whatever the copies say', () => {
  const removal = fc.option(
    fc.record({
      at: fc.integer({ min: -5, max: 60 }).map((hours) => NOW + hours * HOUR),
      how: fc.constantFrom<Removal>('cancelled', 'deleted', 'absent', 'untagged'),
    }),
  );
  const people = fc.subarray([person(ANNA, 'accepted', true), person(BEN, 'tentative'), person(CEM)]);
  const copies: fc.Arbitrary<Copy[]> = fc
    .array(
      fc.record({
        who: fc.constantFrom(ANNA, BEN, CEM),
        provider: fc.constantFrom('google' as const, 'microsoft' as const),
        moved: fc.integer({ min: 0, max: 3 }),
        updatedAt: fc.option(fc.integer({ min: 1, max: 3 }).map((days) => NOW - days * DAY)),
        status: fc.constantFrom('confirmed' as const, 'tentative' as const, 'cancelled' as const),
        ownerIsOrganizer: fc.boolean(),
        ownerResponse: fc.constantFrom('accepted' as const, 'declined' as const, 'none' as const, null),
        people,
        peopleOmitted: fc.boolean(),
        isPrivate: fc.boolean(),
        matched: fc.constantFrom(TAGGED, []),
        removal,
      }),
      { maxLength: 5 },
    )
    .map((made) =>
      made.map(({ who, provider, moved, isPrivate, ...copy }, at) =>
        stored(`s${at}`, START + moved * HOUR, holder(who, provider), {
          ...copy,
          copyId: at + 1,
          private: isPrivate,
          title: isPrivate ? null : 'Mentoring',
        }),
      ),
    );
  const blind = fc.subarray([10, 21, 30]).map((ids) => new Set(ids));
  const now = fc.constantFrom(NOW, START + HOUR / 2, START + DAY);

  test('their order does not matter', () => {
    const shuffled = copies.chain((those) =>
      fc.tuple(
        fc.constant(those),
        fc.shuffledSubarray(those, { minLength: those.length, maxLength: those.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, blind, now, ([those, mixed], dark, at) => {
        const view = { ...context, now: at, blind: dark };
        const { copies: _a, ...one } = merge(meeting(those), view);
        const { copies: _b, ...other } = merge(meeting(mixed), view);
        expect(other).toEqual(one);
      }),
      { numRuns: runs(500) },
    );
  });

  test('merging again changes nothing', () => {
    fc.assert(
      fc.property(copies, copies, blind, now, (those, others, dark, at) => {
        const view = { ...context, now: at, blind: dark };
        const give = (occurrence: Occurrence): Occurrence => ({
          ...occurrence,
          sessions: occurrence.sessions.map((session) => ({ ...session, sessionId: session.mentorshipId })),
        });
        const once = give(merge({ ...give(merge(meeting(those), view)), copies: others }, view));
        expect(give(merge(once, view))).toEqual(once);
      }),
      { numRuns: runs(500) },
    );
  });

  test('what is over stays when and what it was', () => {
    fc.assert(
      fc.property(copies, blind, (those, dark) => {
        const was = booked();
        const is = merge({ ...was, copies: those }, { now: START + DAY, roster: ROSTER, blind: dark });
        expect(is).toMatchObject({ start: was.start, end: was.end, reschedules: 0 });
        const [before, after] = [was.sessions[0], is.sessions.find((session) => session.mentorshipId === 1)];
        expect(after).toMatchObject({ start: before?.start, end: before?.end, reschedules: 0 });
        if (after?.cancelled) expect(after.cancelled.at).toBeLessThan(START);
      }),
    );
  });

  test('a private copy shows no title', () => {
    fc.assert(
      fc.property(copies, now, (those, at) => {
        const merged = merge(meeting(those), { ...context, now: at });
        if (merged.private) expect(merged.title).toBeNull();
        if (those.some((copy) => copy.private && copy.removal === null && copy.status !== 'cancelled')) {
          // A meeting that is off before it began keeps what it said last.
          if (at >= START + HOUR || !cancellationOf(those, { ...context, now: at }))
            expect(merged.private).toBe(true);
        }
      }),
    );
  });
});
