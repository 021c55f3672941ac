import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attend, type Meeting } from '../../src/sandbox/world/index.ts';
import { type Bench, openBench } from './google-client.ts';

const MINUTE = 60_000;

let bench: Bench;
let meeting: Meeting;
beforeEach(async () => {
  bench = await openBench();
  meeting = bench.weekly();
});
afterEach(() => bench.close());

function meet(people: Parameters<typeof attend>[1]['people'], slot = '2026-10-06T08:00:00Z') {
  return attend(bench.world, { meeting: meeting.id, slot, people });
}

async function read<T>(path: string, query: Record<string, string> = {}, as?: string): Promise<T> {
  const answer = await bench.get(path, query, as);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}

interface Records {
  conferenceRecords?: {
    name: string;
    startTime: string;
    endTime?: string;
    expireTime: string;
    space: string;
  }[];
  nextPageToken?: string;
}
interface Participants {
  participants: { name: string; latestEndTime?: string; signedinUser?: { user: string } }[];
}

function code(): string {
  return meeting.conference?.kind === 'meet' ? meeting.conference.code : '';
}

describe('conference records', () => {
  it('come after a lag, without an end while the call goes on, and go after thirty days', async () => {
    meet([{ person: 'ada@north.example', minutes: [[0, 30]] }]);
    const at = async (instant: string) => {
      bench.world.clock.set(instant);
      return (await read<Records>('/v2/conferenceRecords')).conferenceRecords;
    };
    expect(await at('2026-10-06T08:02:00Z')).toBeUndefined();
    expect(await at('2026-10-06T08:10:00Z')).toMatchObject([{ startTime: '2026-10-06T08:00:00.000Z' }]);
    expect((await at('2026-10-06T08:32:00Z'))?.[0]).not.toHaveProperty('endTime');
    expect(await at('2026-10-06T08:34:00Z')).toMatchObject([
      { endTime: '2026-10-06T08:30:00.000Z', expireTime: '2026-11-05T08:30:00.000Z' },
    ]);
    expect(await at('2026-11-05T08:31:00Z')).toBeUndefined();
  });

  it('are shown to the organizer alone: an empty object to everybody else', async () => {
    meet([
      { person: 'ada@north.example', minutes: [[0, 30]] },
      { person: 'cyd@north.example', minutes: [[0, 30]] },
    ]);
    bench.world.clock.advance(7 * 86_400_000);
    expect(await read('/v2/conferenceRecords', {}, 'cyd@north.example')).toEqual({});
    const [record] = (await read<Records>('/v2/conferenceRecords')).conferenceRecords ?? [];
    expect((await bench.get(`/v2/${record?.name ?? ''}/participants`, {}, 'cyd@north.example')).status).toBe(
      404,
    );
  });

  it('filter by code and times, newest first, in pages', async () => {
    for (const slot of ['2026-10-06T08:00:00Z', '2026-10-13T08:00:00Z', '2026-10-20T08:00:00Z']) {
      meet([{ person: 'ada@north.example', minutes: [[0, 30]] }], slot);
    }
    bench.world.clock.set('2026-10-21T00:00:00Z');
    const starts = async (filter: string) =>
      (await read<Records>('/v2/conferenceRecords', { filter })).conferenceRecords?.map(
        ({ startTime }) => startTime,
      );
    expect(
      await starts(
        `space.meeting_code = "${code()}" AND start_time>="2026-10-13T00:00:00Z" AND start_time<="2026-10-14T00:00:00Z"`,
      ),
    ).toEqual(['2026-10-13T08:00:00.000Z']);
    expect(await starts('space.meeting_code = "aaa-bbbb-ccc"')).toBeUndefined();
    expect(await starts('end_time IS NULL')).toBeUndefined();
    const first = await read<Records>('/v2/conferenceRecords', { pageSize: '2' });
    expect(first.conferenceRecords?.map(({ startTime }) => startTime)).toEqual([
      '2026-10-20T08:00:00.000Z',
      '2026-10-13T08:00:00.000Z',
    ]);
    const rest = await read<Records>('/v2/conferenceRecords', {
      pageSize: '2',
      pageToken: first.nextPageToken ?? '',
    });
    expect([rest.conferenceRecords?.length, rest.nextPageToken]).toEqual([1, undefined]);
    const unreadable = await bench.get('/v2/conferenceRecords', { filter: 'organizer = "ada"' });
    expect([unreadable.status, unreadable.text]).toEqual([400, expect.stringContaining('INVALID_ARGUMENT')]);
  });

  it('name people by number, guests by what they typed, and nobody by address', async () => {
    meet([
      { person: 'ada@north.example', minutes: [[0, 40]], device: 'web' },
      { person: 'ada@north.example', minutes: [[5, 20]], device: 'companion' },
      { person: 'ben@south.example', minutes: [[1, 39]] },
      { anonymous: 'Cyd on a phone', minutes: [[2, 30]] },
      { phone: '+49301234567', minutes: [[3, 30]] },
    ]);
    bench.world.clock.set('2026-10-06T08:25:00Z');
    const [record] = (await read<Records>('/v2/conferenceRecords')).conferenceRecords ?? [];
    const { participants } = await read<Participants>(`/v2/${record?.name ?? ''}/participants`);
    const ada = bench.world.person('ada@north.example');
    expect(participants.map(({ name: _name, ...rest }) => rest)).toEqual([
      {
        earliestStartTime: '2026-10-06T08:00:00.000Z',
        signedinUser: { user: `users/${ada.providerUserId}`, displayName: 'Ada North' },
      },
      { earliestStartTime: '2026-10-06T08:01:00.000Z', anonymousUser: { displayName: 'Ben South' } },
      { earliestStartTime: '2026-10-06T08:02:00.000Z', anonymousUser: { displayName: 'Cyd on a phone' } },
      { earliestStartTime: '2026-10-06T08:03:00.000Z', phoneUser: { displayName: '+•••••••••67' } },
    ]);
    expect(JSON.stringify(participants)).not.toContain('@');
    expect(await read(`/v2/${participants[0]?.name ?? ''}/participantSessions`)).toMatchObject({
      participantSessions: [
        { startTime: '2026-10-06T08:00:00.000Z' },
        { startTime: '2026-10-06T08:05:00.000Z', endTime: '2026-10-06T08:20:00.000Z' },
      ],
    });
  });

  it('are two when everybody left and came back, and none for a walk together', async () => {
    meet([
      {
        person: 'ada@north.example',
        minutes: [
          [0, 10],
          [15, 40],
        ],
      },
      {
        person: 'cyd@north.example',
        minutes: [
          [0, 9],
          [16, 40],
        ],
      },
    ]);
    attend(bench.world, {
      meeting: meeting.id,
      slot: '2026-10-13T08:00:00Z',
      unrecorded: true,
      people: [{ person: 'ada@north.example', minutes: [[0, 45]] }],
    });
    bench.world.clock.set('2026-10-14T00:00:00Z');
    expect((await read<Records>('/v2/conferenceRecords')).conferenceRecords).toHaveLength(2);
  });
});

describe('spaces and people', () => {
  it('finds a space by its code for the organizer', async () => {
    const path = `/v2/spaces/${code()}`;
    expect(await read(path)).toMatchObject({
      meetingCode: code(),
      name: expect.stringMatching(/^spaces\/\w{12}$/),
    });
    expect((await bench.get(path, {}, 'cyd@north.example')).status).toBe(403);
  });

  it('resolves a number to an address inside the organisation only', async () => {
    const { world } = bench;
    const path = (address: string) => `/admin/directory/v1/users/${world.person(address).providerUserId}`;
    expect(await read(path('ada@north.example'))).toMatchObject({
      kind: 'admin#directory#user',
      primaryEmail: 'ada@north.example',
      aliases: ['ada.n@north.example'],
    });
    world.clock.advance(30 * MINUTE);
    expect((await bench.get(path('dee@away.example'))).status).toBe(404);
  });
});
