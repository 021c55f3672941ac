import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConferenceRecord } from '../../src/domain/conference-record.ts';
import { statementsOf } from '../../src/domain/evidence.ts';
import { nextHarvestAt } from '../../src/domain/harvest.ts';
import { meetingOf, recordsOf } from '../../src/domain/record-owner.ts';
import { anyTwo, lasted, shared, united } from '../../src/domain/stays.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DIRECTORY = {
  byAccount: new Map([['google:users/1', 10]]),
  byAddress: new Map([['grace@example.org', 20]]),
  groups: new Set(['cohort@example.org']),
};

function record(
  participants: ConferenceRecord['participants'],
  until: number | null = HOUR,
): ConferenceRecord {
  return { recordId: 'conferenceRecords/a', from: 0, until, participants };
}

const user = (facts: Partial<ConferenceRecord['participants'][number]>) => ({
  kind: 'user' as const,
  providerUserId: null,
  addresses: [],
  displayName: null,
  intervals: [{ from: 0, until: HOUR }],
  ...facts,
});

describe('who was in a record', () => {
  it('is found by account, then by address, and the account is remembered', () => {
    const { statements, learnt } = statementsOf(
      'meet',
      record([
        user({ providerUserId: 'users/1' }),
        user({ providerUserId: 'users/2', addresses: ['grace@example.org'] }),
      ]),
      DIRECTORY,
      HOUR,
    );
    expect(statements.map(({ kind, personId }) => [kind, personId])).toEqual([
      ['record', null],
      ['presence', 10],
      ['presence', 20],
    ]);
    expect(learnt).toEqual([{ provider: 'google', accountId: 'users/2', personId: 20 }]);
  });

  it('stays a guest under the account of a group, and says so, unless the account is a person’s', () => {
    const addresses = ['cohort@example.org'];
    const { statements } = statementsOf(
      'meet',
      record([
        user({ providerUserId: 'users/9', addresses }),
        user({ providerUserId: 'users/1', addresses }),
      ]),
      DIRECTORY,
      HOUR,
    );
    expect(statements.slice(1)).toMatchObject([
      { kind: 'guest', detail: { account: 'users/9', group: true } },
      { kind: 'presence', personId: 10 },
    ]);
  });

  it('stays a guest when only a name is known, and no name is kept', () => {
    const { statements } = statementsOf(
      'meet',
      record([user({ displayName: 'Grace Hopper' })]),
      DIRECTORY,
      HOUR,
    );
    expect(statements[1]).toMatchObject({ kind: 'guest', personId: null });
    expect(JSON.stringify(statements)).not.toContain('Grace');
  });

  it('is never a room or a telephone, whatever account it is signed in with', () => {
    const { statements } = statementsOf(
      'meet',
      record([
        { ...user({ providerUserId: 'users/1' }), kind: 'room' },
        { ...user({}), kind: 'phone' },
      ]),
      DIRECTORY,
      HOUR,
    );
    expect(statements.slice(1).map(({ kind }) => kind)).toEqual(['device', 'device']);
  });

  it('has a name of its own for every stay, the same at every read', () => {
    const rejoined = record([
      user({
        providerUserId: 'users/1',
        intervals: [
          { from: 0, until: 5 },
          { from: 9, until: 20 },
        ],
      }),
      user({ displayName: 'one' }),
      user({ displayName: 'two' }),
    ]);
    const first = statementsOf('teams', rejoined, DIRECTORY, HOUR).statements.map((row) => row.reference);
    expect(new Set(first).size).toBe(first.length);
    expect(
      statementsOf('teams', rejoined, DIRECTORY, 2 * HOUR).statements.map((row) => row.reference),
    ).toEqual(first);
  });
});

describe('the meeting a record belongs to', () => {
  const meetings = [
    { occurrenceId: 1, start: 0, end: HOUR },
    { occurrenceId: 2, start: HOUR, end: 2 * HOUR },
  ];

  it.each([
    ['the one it overlaps most', { from: 50 * MINUTE, until: 110 * MINUTE }, 2],
    ['the nearest, when it overlaps none', { from: 2 * HOUR + 5 * MINUTE, until: 2 * HOUR + 10 * MINUTE }, 2],
    ['none, when it lies outside every window', { from: 10 * HOUR, until: 11 * HOUR }, null],
    ['the first, when it came too early', { from: -20 * MINUTE, until: -10 * MINUTE }, 1],
  ])('is %s', (_, call, expected) => {
    expect(meetingOf('meet', call, meetings)).toBe(expected);
    expect(meetingOf('meet', call, meetings.toReversed())).toBe(expected);
  });
});

describe('a record that names the event', () => {
  const meetings = [
    { occurrenceId: 1, start: 0, end: HOUR, eventIds: ['one', 'copy of one'] },
    { occurrenceId: 2, start: HOUR, end: 2 * HOUR, eventIds: ['two'] },
  ];
  const during2 = { from: 70 * MINUTE, until: 110 * MINUTE };

  it.each([
    ['is of that one, though it lies in another', { ...during2, eventId: 'copy of one' }, 1],
    ['is of that one hours later', { from: 6 * HOUR, until: 7 * HOUR, eventId: 'one' }, 1],
    [
      'but began more than a day later goes by its time',
      { from: 30 * HOUR, until: 31 * HOUR, eventId: 'one' },
      null,
    ],
    ['goes by its time where nobody knows the event', { ...during2, eventId: 'three' }, 2],
    ['goes by its time where it names none', { ...during2, eventId: null }, 2],
  ])('%s', (_, call, expected) => {
    expect(meetingOf('reports', call, meetings)).toBe(expected);
    expect(meetingOf('reports', call, meetings.toReversed())).toBe(expected);
  });

  it.each([
    ['the one that was missed', { from: 5 * MINUTE, until: 50 * MINUTE }, 1],
    ['the one it was used for again', { from: 6 * HOUR, until: 7 * HOUR }, 3],
    ['the nearest where it was held before its time', { from: 5 * HOUR, until: 5 * HOUR + 45 * MINUTE }, 3],
  ])('that stands for two meetings: %s', (_, call, expected) => {
    const again = { occurrenceId: 3, start: 6 * HOUR, end: 7 * HOUR, eventIds: ['one'] };
    const both = [...meetings, again];
    expect(meetingOf('reports', { ...call, eventId: 'one' }, both)).toBe(expected);
    expect(meetingOf('reports', { ...call, eventId: 'one' }, both.toReversed())).toBe(expected);
  });
});

describe('one call through several meetings', () => {
  const row = [1, 2, 3].map((occurrenceId) => ({
    occurrenceId,
    start: (occurrenceId - 1) * HOUR,
    end: occurrenceId * HOUR,
    eventIds: [`event ${occurrenceId}`],
  }));
  const through = record([
    user({ providerUserId: 'users/1', intervals: [{ from: 0, until: 140 * MINUTE }] }),
    user({ providerUserId: 'users/2', intervals: [{ from: 5 * MINUTE, until: HOUR }] }),
    user({ providerUserId: 'users/3', intervals: [{ from: 58 * MINUTE, until: 110 * MINUTE }] }),
  ]);
  const call = { ...through, until: 140 * MINUTE };
  const of = (occurrenceId: number, given = {}, meetings = row) =>
    recordsOf('meet', [{ ...call, ...given }], meetings, occurrenceId);

  it('is the record of the first, and tells in part of those after it', () => {
    expect(of(1)).toEqual([call]);
    expect(of(2)).toMatchObject([
      {
        recordId: call.recordId,
        from: HOUR,
        until: 2 * HOUR,
        partial: true,
        participants: [
          { providerUserId: 'users/1', intervals: [{ from: HOUR, until: 2 * HOUR }] },
          { providerUserId: 'users/3', intervals: [{ from: HOUR, until: 110 * MINUTE }] },
        ],
      },
    ]);
    expect(of(3)).toMatchObject([{ from: 2 * HOUR, until: 140 * MINUTE, partial: true }]);
  });

  it('tells of no other where it names its event, where that has a record of its own, or where both were for one time', () => {
    expect(of(2, { eventId: 'event 1' })).toEqual([]);
    const own = { ...call, recordId: 'own', from: 70 * MINUTE, until: 110 * MINUTE };
    expect(recordsOf('meet', [call, own], row, 2)).toEqual([own]);
    const twice = [...row, { occurrenceId: 4, start: 30 * MINUTE, end: 90 * MINUTE, eventIds: [] }];
    expect(of(4, {}, twice)).toEqual([]);
  });
});

describe('when to ask again', () => {
  it('walks the steps of the source, then stops', () => {
    const asked: number[] = [];
    for (let now: number | null = 5 * MINUTE; now !== null; now = nextHarvestAt('meet', 0, now, 'nothing')) {
      asked.push(now / MINUTE);
    }
    expect(asked).toEqual([5, 15, 60, 180, 720, 2160]);
  });

  it('takes records as the last word once nobody rejoins any more', () => {
    expect(nextHarvestAt('meet', 0, HOUR, 'records')).toBe(3 * HOUR);
    expect(nextHarvestAt('meet', 0, 3 * HOUR, 'records')).toBeNull();
    expect(nextHarvestAt('teams', 0, 3 * HOUR, 'records')).toBe(12 * HOUR);
    expect(nextHarvestAt('teams', 0, 12 * HOUR, 'records')).toBeNull();
  });

  it('follows a call that goes on, but not beyond the time of settling', () => {
    expect(nextHarvestAt('meet', 0, 37 * HOUR, 'open')).toBe(38 * HOUR);
    expect(nextHarvestAt('meet', 0, 48 * HOUR, 'open')).toBeNull();
  });

  it('always lies ahead', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('meet' as const, 'teams' as const),
        fc.integer({ min: 0, max: 90 * 24 * 60 }),
        fc.constantFrom('records' as const, 'open' as const, 'nothing' as const),
        (source, minute, answer) => {
          const next = nextHarvestAt(source, 0, minute * MINUTE, answer);
          if (next !== null) expect(next).toBeGreaterThan(minute * MINUTE);
        },
      ),
    );
  });
});

describe('time together', () => {
  const stays = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 20 })).map(([from, length]) => ({
      from,
      until: from + length,
    })),
    { maxLength: 6 },
  );
  /** Counts minute by minute: slow and plain. */
  const minutes = (of: ReadonlyArray<{ from: number; until: number }>) =>
    new Set(of.flatMap(({ from, until }) => Array.from({ length: until - from }, (_, i) => from + i)));

  it('counts every moment once', () => {
    fc.assert(
      fc.property(stays, (of) => {
        expect(lasted(of)).toBe(minutes(of).size);
      }),
    );
  });

  it('is the moments of both, whoever is named first', () => {
    fc.assert(
      fc.property(stays, stays, (one, other) => {
        const both = [...minutes(one)].filter((moment) => minutes(other).has(moment)).length;
        expect(lasted(shared(one, other))).toBe(both);
        expect(shared(one, other)).toEqual(shared(other, one));
        expect(united(shared(one, other))).toEqual(shared(one, other));
      }),
    );
  });

  it('of any two is the moments that at least two share', () => {
    fc.assert(
      fc.property(fc.array(stays, { maxLength: 4 }), (people) => {
        const sets = people.map(minutes);
        const moments = [...new Set(sets.flatMap((set) => [...set]))];
        const two = moments.filter((moment) => sets.filter((set) => set.has(moment)).length >= 2);
        expect(lasted(anyTwo(people))).toBe(two.length);
      }),
    );
  });
});
