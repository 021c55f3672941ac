import nock from 'nock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Harvest } from '../../src/domain/conference-record.ts';
import { participantOf } from '../../src/providers/microsoft/attendance.ts';
import {
  adapterFor,
  json,
  refuse,
  startWireServer,
  TENANT,
  thrownBy,
  type WireServer,
} from './microsoft-wire-server.ts';

const ORGANIZER = '22222222-2222-4333-8444-555555555555';
const MENTEE = '33333333-2222-4333-8444-555555555555';
const JOIN = `https://teams.microsoft.com/l/meetup-join/19%3ameeting_O'Neil%26%23%40thread.v2/0?context=%7b%22Tid%22%3a%22${TENANT}%22%2c%22Oid%22%3a%22${ORGANIZER}%22%7d`;
const MEETING = 'MSo1N2Y5ZGFjYw==';
const WINDOW = { from: Date.UTC(2026, 10, 20, 9), until: Date.UTC(2026, 10, 20, 13) };
const never = new AbortController().signal;

type Route = {
  readonly test: RegExp;
  readonly body: unknown;
  readonly status?: number;
  /** Without it a status comes with a page of HTML, as from a proxy. */
  readonly code?: string;
};

const report = (id: string, from: string, until: string, attendanceRecords: unknown[] = []) => ({
  id,
  meetingStartDateTime: from,
  meetingEndDateTime: until,
  totalParticipantCount: attendanceRecords.length,
  attendanceRecords,
});
const record = (fields: Record<string, unknown>) => ({
  emailAddress: null,
  totalAttendanceInSeconds: 1800,
  role: 'Attendee',
  identity: null,
  attendanceIntervals: [
    {
      joinDateTime: '2026-11-20T10:00:00.1234567Z',
      leaveDateTime: '2026-11-20T10:30:00.1234567Z',
      durationInSeconds: 1800,
    },
  ],
  ...fields,
});

describe('attendance from Teams', () => {
  let wire: WireServer;
  beforeEach(async () => {
    wire = await startWireServer();
  });
  afterEach(() => wire.close());

  function answering(...routes: Route[]): void {
    wire.graph = (asked, response) => {
      const route = routes.find(({ test }) => test.test(asked.url));
      if (route === undefined) refuse(response, 404, 'Request_ResourceNotFound');
      else if (route.code !== undefined) refuse(response, route.status ?? 403, route.code);
      else if (route.status !== undefined) response.writeHead(route.status).end('<html>Blocked</html>');
      else json(response, 200, route.body);
    };
  }
  const user: Route = {
    test: /^\/v1.0\/users\/bo%40south.example\?/,
    body: {
      id: ORGANIZER,
      mail: 'Bo@South.example',
      userPrincipalName: 'bo@south.example',
      proxyAddresses: ['SMTP:Bo@South.example', 'smtp:bo.lind@south.example', 'X500:/o=x'],
    },
  };
  const organizer: Route = { test: new RegExp(`^/v1.0/users/${ORGANIZER}\\?`), body: user.body };
  const found: Route = { test: /onlineMeetings\?/, body: { value: [{ id: MEETING, joinWebUrl: JOIN }] } };
  const listed = (...reports: unknown[]): Route => ({ test: /attendanceReports$/, body: { value: reports } });

  const read = (
    conference: { kind: 'teams' | 'meet' | 'other'; key: string } = { kind: 'teams', key: JOIN },
  ) =>
    adapterFor(wire).microsoft.evidence.read(
      { organizer: 'bo@south.example', conference, window: WINDOW },
      never,
    );
  const cannotTell = (reason: string): Partial<Harvest> =>
    ({ found: 'cannot_tell', reason }) as Partial<Harvest>;

  it.each([
    ['lists fewer than were there (one opted out)', { totalParticipantCount: 2 }],
    ['does not say how many were there', { totalParticipantCount: null }],
  ])('is partial where the report %s', async (_, count) => {
    const whole = report('r1', '2026-11-20T10:00:00Z', '2026-11-20T10:31:00Z');
    answering(user, organizer, found, listed(whole), {
      test: /attendanceReports\/r1\?/,
      body: { ...whole, ...count, attendanceRecords: [record({ emailAddress: 'bo@south.example' })] },
    });
    expect(await read()).toMatchObject({ records: [{ recordId: 'r1', partial: true }] });
  });

  it('is found by the join URL, byte for byte, and every report in the window is read', async () => {
    const inside = report('r1', '2026-11-20T10:00:00Z', '2026-11-20T10:31:00Z');
    const rejoin = report('r2', '2026-11-20T11:00:00Z', '2026-11-20T11:03:00Z');
    const lastWeek = report('r0', '2026-11-13T10:00:00Z', '2026-11-13T10:31:00Z');
    answering(
      user,
      organizer,
      found,
      listed(rejoin, inside, lastWeek),
      {
        test: /attendanceReports\/r1\?/,
        body: {
          ...inside,
          attendanceRecords: [
            record({
              emailAddress: 'Bo@South.example',
              identity: { id: ORGANIZER, displayName: 'Bo Lind', tenantId: null },
            }),
            record({ identity: { id: MENTEE, displayName: 'Ada', tenantId: null } }),
            record({ identity: { id: null, displayName: 'Guest', tenantId: null } }),
            record({ identity: { id: null, displayName: '+1 425 555 ***', tenantId: null } }),
            record({
              emailAddress: 'cleo@elsewhere.example',
              attendanceIntervals: [
                { joinDateTime: null, leaveDateTime: null, durationInSeconds: 0 },
                { joinDateTime: '2026-11-20T10:05:00Z', leaveDateTime: null, durationInSeconds: 60 },
                { joinDateTime: '2026-11-20T10:10:00Z', leaveDateTime: null, durationInSeconds: 0 },
              ],
            }),
          ],
        },
      },
      {
        test: /attendanceReports\/r2\?/,
        body: { ...rejoin, attendanceRecords: [record({ emailAddress: 'bo@south.example' })] },
      },
      { test: new RegExp(`^/v1.0/users/${MENTEE}\\?`), body: { id: MENTEE, mail: 'ada@south.example' } },
    );
    const harvest = await read();
    const filter = wire.asked.find(({ url }) => url.includes('onlineMeetings?'));
    const sent = new URL(`http://x${filter?.url}`).searchParams.get('$filter');
    expect(sent).toBe(`JoinWebUrl eq '${JOIN.replace("'", "''")}'`);
    expect(wire.asked.some(({ url }) => url.includes('r0?'))).toBe(false);
    if (harvest.found !== 'records') throw new Error(harvest.found);
    expect(harvest.records.map(({ recordId, from, until }) => [recordId, from, until])).toEqual([
      ['r2', Date.UTC(2026, 10, 20, 11), Date.UTC(2026, 10, 20, 11, 3)],
      ['r1', Date.UTC(2026, 10, 20, 10), Date.UTC(2026, 10, 20, 10, 31)],
    ]);
    const people = harvest.records[1]?.participants ?? [];
    expect(people.map(({ kind, addresses }) => [kind, addresses])).toEqual([
      ['user', ['bo@south.example', 'bo.lind@south.example']],
      ['user', ['ada@south.example']],
      ['anonymous', []],
      ['phone', []],
      ['user', ['cleo@elsewhere.example']],
    ]);
    expect(people[0]?.intervals).toEqual([
      { from: Date.UTC(2026, 10, 20, 10, 0, 0, 123), until: Date.UTC(2026, 10, 20, 10, 30, 0, 123) },
    ]);
    expect(people[4]?.intervals).toEqual([
      { from: Date.UTC(2026, 10, 20, 10, 5), until: Date.UTC(2026, 10, 20, 10, 6) },
      { from: Date.UTC(2026, 10, 20, 10, 10), until: Date.UTC(2026, 10, 20, 10, 31) },
    ]);
  });

  it.each([
    [1_800, 0],
    [180, 1],
    [null, 1],
  ])('whose total is %s s and whose only time is two minutes: %i stays with times', (total, stays) => {
    const { intervals } = participantOf(
      {
        emailAddress: 'cleo@elsewhere.example',
        totalAttendanceInSeconds: total,
        attendanceIntervals: [
          { joinDateTime: null, leaveDateTime: null, durationInSeconds: 0 },
          {
            joinDateTime: '2026-11-20T10:05:00Z',
            leaveDateTime: '2026-11-20T10:07:00Z',
            durationInSeconds: 120,
          },
        ],
      },
      undefined,
      Date.UTC(2026, 10, 20, 11),
    );
    expect(intervals).toHaveLength(stays);
  });

  it('is nothing yet while no report exists, none overlaps, or the report is still empty', async () => {
    answering(user, found, listed());
    expect(await read()).toEqual({ found: 'nothing' });
    answering(user, found, listed(report('r0', '2026-11-13T10:00:00Z', '2026-11-13T10:31:00Z')));
    expect(await read()).toEqual({ found: 'nothing' });
    const empty = report('r1', '2026-11-20T10:00:00Z', '2026-11-20T10:31:00Z');
    answering(user, found, listed(empty), { test: /r1\?/, body: empty });
    expect(await read()).toEqual({ found: 'nothing' });
  });

  it('has expired when ten later reports have pushed the old ones out', async () => {
    const later = Array.from({ length: 10 }, (_, week) =>
      report(`r${week}`, `2026-12-${10 + week}T10:00:00Z`, `2026-12-${10 + week}T10:30:00Z`),
    );
    answering(user, found, listed(...later));
    expect(await read()).toEqual(cannotTell('expired'));
  });

  it('cannot be told of meetings that others organise', async () => {
    answering();
    expect(await read()).toEqual(cannotTell('external_organizer'));
    const foreign = JOIN.replace(TENANT, '99999999-2222-4333-8444-555555555555');
    answering(user, found);
    expect(await read({ kind: 'teams', key: foreign })).toEqual(cannotTell('external_organizer'));
  });

  it('fails for want of Teams policy, so that it is asked again: the grant may come any day', async () => {
    answering(user, { test: /onlineMeetings/, body: null, status: 403, code: 'Forbidden' });
    expect(await thrownBy(read())).toMatchObject({ kind: 'config', code: 'policy_missing', status: 403 });
    answering(user, found, { test: /attendanceReports/, body: null, status: 403, code: 'Forbidden' });
    expect(await thrownBy(read())).toMatchObject({ kind: 'config', code: 'policy_missing' });
  });

  it.each([
    ['users', /^\/v1.0\/users\/bo/],
    ['meetings', /onlineMeetings\?/],
    ['reports', /attendanceReports/],
  ])(
    'fails when somebody in between refuses to tell of %s, and takes it for no word of Graph',
    async (_, test) => {
      for (const status of [403, 404]) {
        answering({ test, body: null, status }, user, found);
        expect(await thrownBy(read())).toMatchObject({ kind: 'transient', code: 'unreadable_answer' });
      }
    },
  );

  it('cannot be told without such a meeting, or for another kind of conference', async () => {
    answering(user, { test: /onlineMeetings/, body: { value: [] } });
    expect(await read()).toEqual(cannotTell('not_found'));
    answering(user, { test: /onlineMeetings/, body: null, status: 404, code: 'NotFound' });
    expect(await read()).toEqual(cannotTell('not_found'));
    expect(await read({ kind: 'meet', key: 'abcdefghij' })).toEqual(cannotTell('not_found'));
  });

  it('asks by the organizer in the link where users may not be read', async () => {
    const denied: Route = {
      test: /^\/v1.0\/users[/?][^/]*$/,
      body: null,
      status: 403,
      code: 'Authorization_RequestDenied',
    };
    const inside = report('r1', '2026-11-20T10:00:00Z', '2026-11-20T10:31:00Z');
    answering(denied, found, listed(inside), {
      test: /r1\?/,
      body: {
        ...inside,
        attendanceRecords: [
          record({ identity: { id: MENTEE, displayName: 'Ada', tenantId: TENANT } }),
          record({ identity: { id: MENTEE, displayName: 'Ada', tenantId: null } }),
        ],
      },
    });
    const harvest = await read();
    expect(wire.asked.some(({ url }) => url.startsWith(`/v1.0/users/${ORGANIZER}/onlineMeetings?`))).toBe(
      true,
    );
    if (harvest.found !== 'records') throw new Error(harvest.found);
    expect(harvest.records[0]?.participants.map(({ kind }) => kind)).toEqual(['user', 'anonymous']);
    const short = read({ kind: 'teams', key: 'https://teams.microsoft.com/meet/123?p=x' });
    expect(await thrownBy(short)).toMatchObject({ kind: 'config', code: 'directory_denied' });
  });

  it('fails, rather than say "nothing", when the answer is no list or the service is down', async () => {
    answering(user, found, { test: /attendanceReports$/, body: {} });
    expect(await thrownBy(read())).toMatchObject({ kind: 'transient', code: 'unreadable_answer' });
    answering(user, { test: /onlineMeetings/, body: null, status: 503, code: 'UnknownError' });
    expect(await thrownBy(read())).toMatchObject({ kind: 'transient', status: 503 });
  });
});

describe('attendance from the public cloud', () => {
  afterEach(() => {
    nock.cleanAll();
    nock.enableNetConnect();
  });

  it('asks Entra and Graph at their own addresses', async () => {
    nock.disableNetConnect();
    nock('https://login.microsoftonline.com')
      .post(`/${TENANT}/oauth2/v2.0/token`)
      .query(true)
      .reply(200, { token_type: 'Bearer', expires_in: 3599, access_token: 'public-token' });
    const graph = nock('https://graph.microsoft.com', {
      reqheaders: { authorization: 'Bearer public-token' },
    })
      .get('/v1.0/users/bo%40south.example')
      .query(true)
      .reply(200, { id: ORGANIZER })
      .get(`/v1.0/users/${ORGANIZER}/onlineMeetings`)
      .query({ $filter: `JoinWebUrl eq '${JOIN.replace("'", "''")}'` })
      .reply(200, { value: [] });
    const { microsoft } = adapterFor({} as WireServer, {
      graphUrl: 'https://graph.microsoft.com',
      tokenUrl: undefined,
    });
    expect(
      await microsoft.evidence.read(
        { organizer: 'bo@south.example', conference: { kind: 'teams', key: JOIN }, window: WINDOW },
        never,
      ),
    ).toEqual({ found: 'cannot_tell', reason: 'not_found' });
    expect(graph.isDone()).toBe(true);
  });
});
