import nock from 'nock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGoogle } from '../../../src/providers/google/index.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import {
  type GoogleServer,
  googleAt,
  KEY,
  type Reply,
  refusal,
  type Seen,
  startGoogleServer,
} from './server.ts';

const signal = new AbortController().signal;
const at = (time: string) => Date.parse(`2026-11-20T${time}:00Z`);
const MEETING = {
  organizer: 'ada@school.example',
  conference: { kind: 'meet', key: 'abcmnopxyz' },
  window: { from: at('09:30'), until: at('12:00') },
} as const;

/** Two calls of one code on one day, one of the week before that reached Google's list, as Meet would tell them. */
const WORLD: Record<string, unknown> = {
  '/v2/conferenceRecords': {
    conferenceRecords: [
      { name: 'conferenceRecords/live', startTime: '2026-11-20T11:30:00Z' },
      { name: 'conferenceRecords/r1', startTime: '2026-11-20T10:00:00.5Z', endTime: '2026-11-20T11:00:00Z' },
      {
        name: 'conferenceRecords/before',
        startTime: '2026-11-19T23:00:00Z',
        endTime: '2026-11-20T09:00:00Z',
      },
    ],
  },
  '/v2/conferenceRecords/live/participants': {
    participants: [
      {
        name: 'conferenceRecords/live/participants/p1',
        signedinUser: { user: 'users/1', displayName: 'Ada' },
      },
    ],
  },
  '/v2/conferenceRecords/live/participants/p1/participantSessions': {
    participantSessions: [{ name: 's', startTime: '2026-11-20T11:30:00Z' }],
  },
  '/v2/conferenceRecords/r1/participants': {
    participants: [
      { name: 'conferenceRecords/r1/participants/p1', signedinUser: { user: 'users/1', displayName: 'Ada' } },
      {
        name: 'conferenceRecords/r1/participants/p2',
        signedinUser: { user: 'users/99', displayName: 'Guest' },
      },
    ],
    nextPageToken: 'more',
  },
  '/v2/conferenceRecords/r1/participants?more': {
    participants: [
      { name: 'conferenceRecords/r1/participants/p3', anonymousUser: { displayName: 'Somebody' } },
      {
        name: 'conferenceRecords/r1/participants/p4',
        phoneUser: { displayName: '+49 ••• 12' },
        earliestStartTime: '2026-11-20T10:10:00Z',
        latestEndTime: '2026-11-20T10:20:00Z',
      },
    ],
  },
  '/v2/conferenceRecords/r1/participants/p1/participantSessions': {
    participantSessions: [
      { name: 's1', startTime: '2026-11-20T10:00:00Z', endTime: '2026-11-20T10:50:00Z' },
      { name: 's2', startTime: '2026-11-20T10:05:00Z' },
    ],
  },
  '/admin/directory/v1/users/1': { primaryEmail: 'Ada@School.example', aliases: ['a.blum@school.example'] },
};

function world(seen: Seen): Reply {
  const key = seen.query.get('pageToken') === 'more' ? `${seen.path}?more` : seen.path;
  if (seen.path.startsWith('/admin') && WORLD[key] === undefined) return refusal(404, 'notFound');
  return { body: WORLD[key] ?? {} };
}

describe('the log of Meet', () => {
  it('knows people without an account apart, though it has one number for all of them', async () => {
    const server = await startGoogleServer();
    const left = (identifier: string, profileId: string) => ({
      id: { time: '2026-11-20T11:00:00Z', uniqueQualifier: identifier },
      actor: { email: identifier, profileId },
      events: [
        {
          name: 'call_ended',
          parameters: [
            { name: 'identifier', value: identifier },
            { name: 'identifier_type', value: 'email_address' },
            { name: 'conference_id', value: 'one' },
            { name: 'meeting_code', value: 'ABCMNOPXYZ' },
            { name: 'duration_seconds', intValue: '3600' },
          ],
        },
      ],
    });
    server.handle = (seen) =>
      seen.path.startsWith('/admin/reports')
        ? {
            body: {
              kind: 'admin#reports#activities',
              items: [
                left('eve@gmail.com', '105250506097979753968'),
                left('dan@gmail.com', '105250506097979753968'),
                left('ada@school.example', '123'),
              ],
            },
          }
        : world(seen);
    try {
      const harvest = await googleAt(server).reports?.read(MEETING, signal);
      const people = harvest?.found === 'records' ? harvest.records.flatMap((one) => one.participants) : [];
      expect(people.map(({ providerUserId, addresses }) => [providerUserId, ...addresses])).toEqual([
        [null, 'eve@gmail.com'],
        [null, 'dan@gmail.com'],
        ['users/123', 'ada@school.example'],
      ]);
    } finally {
      await server.close();
    }
  });
});

describe('Meet records', () => {
  let server: GoogleServer;
  beforeEach(async () => {
    server = await startGoogleServer();
    server.handle = world;
  });
  afterEach(() => server.close());

  it('are read in the organizer’s name, every call that overlaps, with who was in it', async () => {
    const harvest = await googleAt(server).evidence.read(MEETING, signal);
    expect(harvest).toEqual({
      found: 'records',
      records: [
        {
          recordId: 'conferenceRecords/live',
          from: at('11:30'),
          until: null,
          participants: [
            {
              kind: 'user',
              providerUserId: 'users/1',
              addresses: ['ada@school.example', 'a.blum@school.example'],
              displayName: 'Ada',
              intervals: [{ from: at('11:30'), until: null }],
            },
          ],
        },
        {
          recordId: 'conferenceRecords/r1',
          from: at('10:00') + 500,
          until: at('11:00'),
          participants: [
            {
              kind: 'user',
              providerUserId: 'users/1',
              addresses: ['ada@school.example', 'a.blum@school.example'],
              displayName: 'Ada',
              intervals: [
                { from: at('10:00'), until: at('10:50') },
                { from: at('10:05'), until: at('11:00') },
              ],
            },
            { kind: 'user', providerUserId: 'users/99', addresses: [], displayName: 'Guest', intervals: [] },
            {
              kind: 'anonymous',
              providerUserId: null,
              addresses: [],
              displayName: 'Somebody',
              intervals: [],
            },
            {
              kind: 'phone',
              providerUserId: null,
              addresses: [],
              displayName: '+49 ••• 12',
              intervals: [{ from: at('10:10'), until: at('10:20') }],
            },
          ],
        },
      ],
    });
    expect(server.requests[0]?.query.get('filter')).toBe(
      'space.meeting_code = "abc-mnop-xyz" AND start_time>="2026-11-19T09:30:00.000Z" AND start_time<="2026-11-20T12:00:00.000Z"',
    );
    const subjects = new Map(
      server.assertions.map((claims) => [String(claims.scope).split('/').at(-1), claims.sub]),
    );
    expect(subjects).toEqual(
      new Map([
        ['meetings.space.readonly', 'ada@school.example'],
        ['admin.directory.user.readonly', 'admin@school.example'],
      ]),
    );
  });

  it('remember who is behind an id, but not that somebody was unknown', async () => {
    const google = googleAt(server);
    await google.evidence.read(MEETING, signal);
    const asked = () =>
      server.requests.filter((seen) => seen.path.startsWith('/admin')).map((seen) => seen.path);
    const first = asked().length;
    await google.evidence.read(MEETING, signal);
    expect(asked().slice(first)).toEqual(['/admin/directory/v1/users/99']);
  });

  it('leave people unidentified where the Directory is closed, and fail where it only stumbles', async () => {
    server.handle = (seen) => (seen.path.startsWith('/admin') ? refusal(403, 'forbidden') : world(seen));
    const closed = await googleAt(server).evidence.read(MEETING, signal);
    expect(closed).toMatchObject({ found: 'records' });
    server.handle = (seen) => (seen.path.startsWith('/admin') ? refusal(503, 'backendError') : world(seen));
    await expect(googleAt(server).evidence.read(MEETING, signal)).rejects.toMatchObject({
      kind: 'transient',
    });
  });

  it('that are not there are nothing, and after thirty days expired', async () => {
    server.handle = () => ({ body: {} });
    expect(await googleAt(server).evidence.read(MEETING, signal)).toEqual({ found: 'nothing' });
    const late = googleAt(server, { now: () => Date.parse('2026-12-21T12:00:00Z') });
    expect(await late.evidence.read(MEETING, signal)).toEqual({ found: 'cannot_tell', reason: 'expired' });
  });

  it('that vanish while they are read are expired', async () => {
    server.handle = (seen) =>
      seen.path.endsWith('/participants')
        ? { status: 404, body: { error: { code: 404, status: 'NOT_FOUND' } } }
        : world(seen);
    expect(await googleAt(server).evidence.read(MEETING, signal)).toEqual({
      found: 'cannot_tell',
      reason: 'expired',
    });
  });

  it('fail where a grant is missing, because it may be given while Google still holds them', async () => {
    server.handle = () => ({ status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED' } } });
    await expect(googleAt(server).evidence.read(MEETING, signal)).rejects.toMatchObject({ kind: 'auth' });
    server.handleToken = () => ({ status: 401, body: { error: 'unauthorized_client' } });
    await expect(googleAt(server).evidence.read(MEETING, signal)).rejects.toMatchObject({
      kind: 'config',
      code: 'delegation_missing',
    });
  });

  it('say why they cannot tell', async () => {
    server.handleToken = () => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Invalid email or User ID' },
    });
    expect(await googleAt(server).evidence.read(MEETING, signal)).toEqual({
      found: 'cannot_tell',
      reason: 'external_organizer',
    });
    const zoom = { ...MEETING, conference: { kind: 'other', key: 'https://zoom.us/j/1' } } as const;
    expect(await googleAt(server).evidence.read(zoom, signal)).toEqual({
      found: 'cannot_tell',
      reason: 'not_found',
    });
  });

  it('cut off on the way are a failure, not an empty list', async () => {
    server.handle = () => ({ raw: '{"conferenceRecords":[{"name"' });
    await expect(googleAt(server).evidence.read(MEETING, signal)).rejects.toMatchObject({
      kind: 'transient',
      code: 'malformed_answer',
    });
  });
});

describe('Google’s own addresses', () => {
  beforeEach(() => nock.disableNetConnect());
  afterEach(() => {
    nock.cleanAll();
    nock.enableNetConnect();
  });

  it('are used when no other are set', async () => {
    const scope = [
      nock('https://oauth2.googleapis.com')
        .post('/token', (body: { grant_type?: string }) => body.grant_type?.endsWith('jwt-bearer') === true)
        .twice()
        .reply(200, { access_token: 't', expires_in: 3599, token_type: 'Bearer' }),
      nock('https://meet.googleapis.com').get('/v2/conferenceRecords').query(true).reply(200, {}),
      nock('https://www.googleapis.com')
        .get('/calendar/v3/calendars/primary/events/a')
        .query(true)
        .reply(200, { id: 'a', status: 'cancelled' }),
    ];
    const google = createGoogle(
      { serviceAccountKey: KEY, maxInFlight: 4 },
      { log: silentLog(), now: () => at('12:30') },
    );
    expect(await google.evidence.read(MEETING, signal)).toEqual({ found: 'nothing' });
    const look = google.calendar.lookUp({ calendarId: 1, address: 'ada@school.example' }, 'a', signal);
    expect(await look).toEqual({ found: 'gone' });
    expect(scope.every((mock) => mock.isDone())).toBe(true);
  });
});
