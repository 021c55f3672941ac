import { describe, expect, it } from 'vitest';
import { createClock } from '../../src/sandbox/clock.ts';
import {
  addGuest,
  addTag,
  attend,
  cancelMeeting,
  cancelOccurrence,
  convertSeriesToSingle,
  convertSingleToSeries,
  copyStatus,
  createMeeting,
  deleteCopy,
  editMeeting,
  type Meeting,
  moveOccurrence,
  moveSeries,
  removeGuest,
  removeTag,
  respond,
  setCategory,
  splitSeries,
  type TrueOccurrence,
  truth,
  uidAtGoogle,
  uidAtOutlook,
  World,
} from '../../src/sandbox/world/index.ts';

const MONDAY = '2026-10-05T06:00:00Z';

function inhabited(): World {
  const clock = createClock(MONDAY);
  clock.stop();
  const world = new World({ seed: 7, clock });
  world.addPerson({ name: 'Ada', address: 'ada@north.example' });
  world.addPerson({
    name: 'Ben',
    address: 'ben@south.example',
    provider: 'microsoft',
    aliases: ['b@south.example'],
  });
  world.addPerson({ name: 'Cyd', address: 'cyd@north.example' });
  world.addPerson({ name: 'Dee', address: 'dee@away.example', provider: 'none' });
  return world;
}

function weekly(world: World, extra: Partial<Parameters<typeof createMeeting>[1]> = {}): Meeting {
  return createMeeting(world, {
    organizer: 'ada@north.example',
    guests: ['ben@south.example'],
    title: 'Catch-up #mentoring',
    start: '2026-10-06T10:00',
    rule: 'FREQ=WEEKLY;BYDAY=TU',
    ...extra,
  });
}

function autumn(world: World): TrueOccurrence[] {
  return truth(world, { from: '2026-10-01T00:00:00Z', until: '2026-11-15T00:00:00Z' });
}

const starts = (occurrences: TrueOccurrence[]): string[] => occurrences.map(({ start }) => start);

describe('the world', () => {
  it('tells the same story from the same seed', () => {
    expect(weekly(inhabited()).uid).toBe(weekly(inhabited()).uid);
  });

  it('keeps a series at its local hour when summer time ends', () => {
    const world = inhabited();
    weekly(world);
    expect(starts(autumn(world))).toEqual([
      '2026-10-06T08:00:00.000Z',
      '2026-10-13T08:00:00.000Z',
      '2026-10-20T08:00:00.000Z',
      '2026-10-27T09:00:00.000Z',
      '2026-11-03T09:00:00.000Z',
      '2026-11-10T09:00:00.000Z',
    ]);
  });

  it('leaves alone what has taken place when the whole series moves', () => {
    const world = inhabited();
    const meeting = weekly(world);
    world.clock.set('2026-10-15T00:00:00Z');
    moveSeries(world, { meeting: meeting.id, weekday: 'WE', time: '14:00' });
    expect(starts(autumn(world)).slice(0, 3)).toEqual([
      '2026-10-06T08:00:00.000Z',
      '2026-10-13T08:00:00.000Z',
      '2026-10-21T12:00:00.000Z',
    ]);
    expect(autumn(world).map(({ settledPast }) => settledPast)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('dates an occurrence by the edit of all that took back its move', () => {
    const world = inhabited();
    const meeting = weekly(world);
    const slot = Date.parse('2026-10-13T08:00:00Z');
    moveOccurrence(world, { meeting: meeting.id, slot, start: '2026-10-12T08:00:00Z' });
    const moved = world.now();
    expect(world.updatedAt(meeting.organizer, meeting, slot)).toBe(moved);
    world.clock.set('2026-10-15T00:00:00Z');
    editMeeting(world, { meeting: meeting.id, title: 'Coaching' });
    // It is one of its own still.
    expect(world.updatedAt(meeting.organizer, meeting, slot)).toBe(moved);
    moveSeries(world, { meeting: meeting.id, time: '10:00' });
    expect(world.updatedAt(meeting.organizer, meeting, slot)).toBe(world.now());
  });

  it('keeps an occurrence the same when it moves or is called off', () => {
    const world = inhabited();
    const meeting = weekly(world);
    const [, second, third] = world.occurrences(meeting.id);
    moveOccurrence(world, { meeting: meeting.id, slot: second?.slot ?? null, start: '2026-10-14T15:00:00Z' });
    cancelOccurrence(world, { meeting: meeting.id, slot: third?.slot ?? null });
    const [, moved, cancelled, next] = autumn(world);
    expect(moved).toMatchObject({
      originalStart: '2026-10-13T08:00:00.000Z',
      start: '2026-10-14T15:00:00.000Z',
    });
    expect(cancelled).toMatchObject({ ordinal: 2, cancelled: true });
    expect(next).toMatchObject({ ordinal: 3, cancelled: false });
  });

  it('splits a series without losing or doubling an occurrence', () => {
    const world = inhabited();
    const meeting = weekly(world);
    const next = splitSeries(world, { meeting: meeting.id, slot: '2026-10-20T08:00:00Z', time: '11:00' });
    const seen = autumn(world);
    expect(seen.map(({ ordinal }) => ordinal)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(starts(seen)[2]).toBe('2026-10-20T09:00:00.000Z');
    expect(next.uid).toBe(meeting.uid.replace('@', '_R20261020T080000@'));
    expect(new Set(seen.map(({ lineage }) => lineage))).toEqual(new Set([meeting.uid]));
    expect(meeting.recurrence?.rule).toContain('UNTIL=20261019T215959Z');
    // The day of the split is the later half's, at whatever hour the earlier one is held from now on.
    moveSeries(world, { meeting: meeting.id, time: '09:00' });
    expect(starts(autumn(world)).filter((start) => start.startsWith('2026-10-20'))).toEqual([
      '2026-10-20T09:00:00.000Z',
    ]);
  });

  it('splits a counted series into two that together count the same', () => {
    const world = inhabited();
    const meeting = weekly(world, { rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=5' });
    splitSeries(world, { meeting: meeting.id, slot: '2026-10-20T08:00:00Z' });
    expect(autumn(world)).toHaveLength(5);
  });

  it('gives the later half of an Outlook series an unrelated identity', () => {
    const world = inhabited();
    const meeting = weekly(world, { organizer: 'ben@south.example', guests: ['ada@north.example'] });
    const next = splitSeries(world, { meeting: meeting.id, slot: '2026-10-20T08:00:00Z' });
    expect(next.lineage).not.toBe(meeting.lineage);
    expect(next.story).toBe(meeting.story);
  });

  it('turns a single meeting into a series and back under the same id', () => {
    const world = inhabited();
    const { rule: _none, ...single } = {
      organizer: 'ada@north.example',
      title: 'Once',
      start: '2026-10-06T10:00',
      rule: '',
    };
    const meeting = createMeeting(world, single);
    convertSingleToSeries(world, { meeting: meeting.id, rule: 'FREQ=WEEKLY;COUNT=3' });
    expect(autumn(world)).toHaveLength(3);
    convertSeriesToSingle(world, { meeting: meeting.id, slot: '2026-10-13T08:00:00Z' });
    expect(autumn(world)).toMatchObject([
      { start: '2026-10-13T08:00:00.000Z', originalStart: null, ordinal: 1 },
    ]);
  });
});

describe('copies', () => {
  it('lets a guest leave alone without cancelling anything', () => {
    const world = inhabited();
    const meeting = weekly(world);
    const before = world.calendar('ada@north.example').seq;
    deleteCopy(world, { meeting: meeting.id, person: 'ben@south.example' });
    const copy = world.copy(world.person('ben@south.example').id, meeting.id);
    expect(copy && copyStatus(meeting, copy, null)).toBe('deleted');
    expect(autumn(world).every(({ cancelled }) => !cancelled)).toBe(true);
    expect(world.calendar('ada@north.example').seq).toBe(before);
  });

  it('tells every calendar of a cancellation, and each event once', () => {
    const world = inhabited();
    const meeting = weekly(world, { guests: ['ben@south.example', 'cyd@north.example'] });
    addTag(world, { meeting: meeting.id, tag: '#x' });
    cancelMeeting(world, { meeting: meeting.id });
    for (const address of ['ada@north.example', 'ben@south.example', 'cyd@north.example']) {
      expect(world.changes(address, 0)).toMatchObject([{ meeting: meeting.id, slot: null, seq: 3 }]);
    }
  });

  it('invites somebody to one occurrence alone', () => {
    const world = inhabited();
    const meeting = weekly(world);
    const slot = Date.parse('2026-10-13T08:00:00Z');
    addGuest(world, { meeting: meeting.id, slot, guest: 'cyd@north.example' });
    const copy = world.copy(world.person('cyd@north.example').id, meeting.id);
    if (copy === undefined) throw new Error('the guest got no copy');
    expect(copyStatus(meeting, copy, null)).toBe('not_invited');
    expect(copyStatus(meeting, copy, slot)).toBe('live');
    expect(copyStatus(meeting, copy, Date.parse('2026-10-20T08:00:00Z'))).toBe('not_invited');
    removeGuest(world, { meeting: meeting.id, guest: 'cyd@north.example' });
    expect(copyStatus(meeting, copy, slot)).toBe('cancelled');
  });

  it('withdraws the copy of somebody taken off the list', () => {
    const world = inhabited();
    const meeting = weekly(world);
    removeGuest(world, { meeting: meeting.id, guest: 'b@south.example' });
    const copy = world.copy(world.person('ben@south.example').id, meeting.id);
    expect(copy && copyStatus(meeting, copy, null)).toBe('cancelled');
    expect(autumn(world)[0]?.people.map(({ name }) => name)).toEqual(['Ada']);
  });

  it('keeps an answer from the organizer when it was not sent', () => {
    const world = inhabited();
    const meeting = weekly(world);
    respond(world, { meeting: meeting.id, person: 'ben@south.example', response: 'declined', silent: true });
    expect(meeting.guests[0]?.response).toBe('none');
    expect(autumn(world)[0]?.people).toMatchObject([{ response: 'accepted' }, { response: 'declined' }]);
  });

  it('answers for one occurrence by an alias', () => {
    const world = inhabited();
    const meeting = weekly(world, { guests: ['b@south.example'] });
    respond(world, {
      meeting: meeting.id,
      person: 'ben@south.example',
      slot: '2026-10-13T08:00:00Z',
      response: 'declined',
    });
    expect(autumn(world).map(({ people }) => people[1]?.response)).toEqual([
      'none',
      'declined',
      'none',
      'none',
      'none',
      'none',
    ]);
    expect(world.occurrences(meeting.id)[1]?.guests[0]?.response).toBe('declined');
  });

  it('names every mark on a meeting', () => {
    const world = inhabited();
    const meeting = weekly(world);
    removeTag(world, { meeting: meeting.id, tag: '#mentoring' });
    addTag(world, { meeting: meeting.id, tag: '#growth', where: 'body' });
    setCategory(world, { meeting: meeting.id, person: 'ben@south.example', category: 'Mentoring' });
    expect(autumn(world)[0]?.tags).toEqual(['#growth', 'category:Mentoring']);
  });
});

describe('identifiers', () => {
  it('names an Outlook occurrence by date bytes and wraps a Google uid', () => {
    const world = inhabited();
    const meeting = weekly(world, { organizer: 'ben@south.example', guests: ['ada@north.example'] });
    const slot = Date.parse('2026-10-13T08:00:00Z');
    const ben = world.person('ben@south.example');
    expect(meeting.uid).toMatch(
      /^040000008200E00074C5B7101A82E00800000000[0-9A-F]{16}0{16}10000000[0-9A-F]{32}$/,
    );
    expect(uidAtOutlook(meeting, ben, slot)).toBe(
      meeting.uid.replace('1A82E00800000000', '1A82E00807EA0A0D'),
    );
    expect(uidAtGoogle(meeting, world.person('ada@north.example'))).toBe(meeting.uid.toLowerCase());

    const google = weekly(world);
    ben.foreignUid = 'wrapped';
    const wrapped = Buffer.from(uidAtOutlook(google, ben, null), 'hex');
    expect(wrapped.subarray(40).toString('latin1')).toBe(`vCal-Uid\u0001\0\0\0${google.uid}\0`);
    expect(wrapped.readUInt32LE(36)).toBe(wrapped.length - 40);
  });
});

describe('calls', () => {
  it('makes two records when everybody leaves and comes back', () => {
    const world = inhabited();
    const meeting = weekly(world, { conference: 'meet' });
    const calls = attend(world, {
      meeting: meeting.id,
      slot: '2026-10-06T08:00:00Z',
      people: [
        {
          person: 'ada@north.example',
          minutes: [
            [0, 10],
            [20, 40],
          ],
        },
        {
          person: 'ben@south.example',
          minutes: [
            [5, 12],
            [21, 40],
          ],
        },
        { anonymous: 'Tablet', minutes: [[22, 30]] },
      ],
    });
    expect(
      calls.map((call) => [call.startedAt, call.endedAt].map((at) => new Date(at).toISOString())),
    ).toEqual([
      ['2026-10-06T08:00:00.000Z', '2026-10-06T08:12:00.000Z'],
      ['2026-10-06T08:20:00.000Z', '2026-10-06T08:40:00.000Z'],
    ]);
    expect(calls.map(({ presences }) => presences.length)).toEqual([2, 3]);
    expect(autumn(world)[0]?.present).toHaveLength(5);
  });
});
