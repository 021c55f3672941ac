import { Client, HTTPMessageHandler, type Middleware } from '@microsoft/microsoft-graph-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attend, createMeeting, type Meeting, type Person } from '../../../src/sandbox/world/index.ts';
import { type GraphBench, startBench, tokenFrom } from './graph-calls.ts';

interface Report {
  id: string;
  totalParticipantCount: number;
  attendanceRecords: {
    emailAddress: string | null;
    role: string;
    totalAttendanceInSeconds: number;
    identity: { id: string | null; displayName: string };
    attendanceIntervals: unknown[];
  }[];
}

describe('Teams attendance', () => {
  let bench: GraphBench;
  let ada: Person;
  let bo: Person;
  let gus: Person;
  let series: Meeting;

  beforeEach(async () => {
    bench = await startBench('2026-03-03T09:50:00Z');
    ada = bench.world.addPerson({ name: 'Ada', address: 'ada@south.example', provider: 'microsoft' });
    bo = bench.world.addPerson({ name: 'Bo', address: 'bo@south.example', provider: 'microsoft' });
    gus = bench.world.addPerson({ name: 'Gus', address: 'gus@north.example', provider: 'google' });
    series = createMeeting(bench.world, {
      organizer: ada.id,
      guests: ['bo@south.example', 'gus@north.example'],
      title: 'Session',
      start: '2026-03-03T10:00',
      zone: 'UTC',
      rule: 'FREQ=WEEKLY;BYDAY=TU',
      conference: 'teams',
    });
  });
  afterEach(() => bench.close());

  const joinUrl = (): string => (series.conference?.kind === 'teams' ? series.conference.joinUrl : '');
  const find = (person: Person, url: string) =>
    bench.get(
      `/users/${person.objectId}/onlineMeetings?$filter=${encodeURIComponent(`JoinWebUrl eq '${url}'`)}`,
    );
  async function reportsPath(): Promise<string> {
    const [meeting] = (await find(ada, joinUrl())).body.value ?? [];
    return `/users/${ada.objectId}/onlineMeetings/${encodeURIComponent(meeting?.id ?? '')}/attendanceReports`;
  }
  const reports = async (): Promise<Report[]> =>
    (await bench.get(await reportsPath())).body.value as unknown as Report[];
  function meet(slot: string, people: Parameters<typeof attend>[1]['people']): void {
    attend(bench.world, { meeting: series.id, slot, people });
  }

  it('finds a meeting by its byte-exact join URL, for its organizer only', async () => {
    expect((await find(ada, joinUrl())).body.value).toMatchObject([{ joinWebUrl: joinUrl() }]);
    expect((await find(ada, decodeURIComponent(joinUrl()))).body.value).toEqual([]);
    expect((await find(bo, joinUrl())).body.value).toEqual([]);
    expect((await bench.get(`/users/ada@south.example/onlineMeetings?$filter=x`)).status).toBe(404);
    expect((await bench.get(`/users/${ada.objectId}/onlineMeetings`)).status).toBe(400);
  });

  it('shows a report after its lag only, without records in the list', async () => {
    meet('2026-03-03T10:00:00Z', [
      { person: ada.id, minutes: [[0, 40]] },
      {
        person: bo.id,
        minutes: [
          [2, 10],
          [12, 40],
        ],
      },
      { person: gus.id, minutes: [[3, 40]] },
      { phone: '+49 30 ****12', minutes: [[5, 6]] },
    ]);
    bench.world.clock.set('2026-03-03T10:55:00Z');
    expect(await reports()).toEqual([]);
    bench.world.clock.set('2026-03-03T11:00:00Z');
    const [report] = await reports();
    expect(report).toMatchObject({ totalParticipantCount: 4, attendanceRecords: [] });

    const full = await bench.get(`${await reportsPath()}/${report?.id}?$expand=attendanceRecords`);
    expect(full.body.attendanceRecords).toMatchObject([
      { emailAddress: 'ada@south.example', role: 'Organizer', identity: { id: ada.objectId } },
      {
        emailAddress: 'bo@south.example',
        totalAttendanceInSeconds: 36 * 60,
        attendanceIntervals: [
          {
            joinDateTime: '2026-03-03T10:02:00.0000000Z',
            leaveDateTime: '2026-03-03T10:10:00.0000000Z',
            durationInSeconds: 480,
          },
          { durationInSeconds: 28 * 60 },
        ],
      },
      { emailAddress: null, identity: { id: null, displayName: 'Gus (Guest)' } },
      { emailAddress: null, identity: { displayName: '+49 30 ****12' } },
    ]);
    const records = await bench.get(`${await reportsPath()}/${report?.id}/attendanceRecords`);
    expect(records.body.value).toEqual(full.body.attendanceRecords);
  });

  it('names a guest from outside who confirmed their address', async () => {
    bench.sandbox.habits.verifiedGuests.add(gus.id);
    meet('2026-03-03T10:00:00Z', [{ person: gus.id, minutes: [[0, 30]] }]);
    bench.world.clock.set('2026-03-03T12:00:00Z');
    const [report] = await reports();
    const full = await bench.get(`${await reportsPath()}/${report?.id}?$expand=attendanceRecords`);
    expect(full.body.attendanceRecords).toMatchObject([{ emailAddress: 'gus@north.example' }]);
  });

  it('makes a report of every call and keeps the latest ten of a series', async () => {
    for (let week = 0; week < 11; week += 1) {
      const slot = new Date(Date.parse('2026-03-03T10:00:00Z') + week * 7 * 86_400_000).toISOString();
      meet(slot, [
        {
          person: ada.id,
          minutes: [
            [0, 30],
            [40, 45],
          ],
        },
      ]);
    }
    bench.world.clock.set('2026-06-01T10:00:00Z');
    const starts = (await reports()).map(
      (report) => (report as unknown as { meetingStartDateTime: string }).meetingStartDateTime,
    );
    expect(starts).toHaveLength(10);
    expect(starts[0]).toBe('2026-05-12T10:40:00.000Z');
    expect(starts.at(-1)).toBe('2026-04-14T10:00:00.000Z');
  });

  it('leaves out meetings that nobody recorded', async () => {
    attend(bench.world, {
      meeting: series.id,
      slot: '2026-03-03T10:00:00Z',
      unrecorded: true,
      people: [{ person: ada.id, minutes: [[0, 30]] }],
    });
    bench.world.clock.set('2026-03-03T14:00:00Z');
    expect(await reports()).toEqual([]);
  });

  it('refuses where no policy was granted', async () => {
    bench.sandbox.habits.attendanceDenied.add(ada.id);
    expect(await find(ada, joinUrl())).toMatchObject({ status: 403, body: { error: { code: 'Forbidden' } } });
  });

  it('talks to the official Graph client, from delta to attendance records', async () => {
    meet('2026-03-03T10:00:00Z', [
      { person: ada.id, minutes: [[0, 30]] },
      { person: bo.id, minutes: [[0, 30]] },
    ]);
    bench.world.clock.set('2026-03-03T12:00:00Z');
    const client = await officialClient(bench);
    const window = 'startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-03-31T00:00:00Z';
    let page = await client
      .api(`/users/${ada.objectId}/calendarView/delta?${window}`)
      .header('Prefer', 'odata.maxpagesize=3')
      .get();
    const rows: { type: string; onlineMeeting?: { joinUrl: string } }[] = [...page.value];
    while (page['@odata.nextLink'] !== undefined) {
      const link = new URL(page['@odata.nextLink']);
      page = await client
        .api(link.pathname.replace('/v1.0', '') + link.search)
        .header('Prefer', 'odata.maxpagesize=3')
        .get();
      rows.push(...page.value);
    }
    expect(page['@odata.deltaLink']).toBeDefined();
    const master = rows.find((row) => row.type === 'seriesMaster');
    const meetings = await client
      .api(`/users/${ada.objectId}/onlineMeetings`)
      .filter(encodeURIComponent(`JoinWebUrl eq '${master?.onlineMeeting?.joinUrl}'`))
      .get();
    const path = `/users/${ada.objectId}/onlineMeetings/${encodeURIComponent(meetings.value[0].id)}/attendanceReports`;
    const list = await client.api(path).get();
    const report: Report = await client.api(`${path}/${list.value[0].id}`).expand('attendanceRecords').get();
    expect(report.attendanceRecords.map((record) => record.emailAddress)).toEqual([
      'ada@south.example',
      'bo@south.example',
    ]);

    await expect(client.api('/users/nobody@south.example').get()).rejects.toMatchObject({
      statusCode: 404,
      code: 'Request_ResourceNotFound',
    });
  });
});

function withToken(headers: ConstructorParameters<typeof Headers>[0], token: string): Record<string, string> {
  return { ...Object.fromEntries(new Headers(headers)), authorization: `Bearer ${token}` };
}

/** The published client with a chain of its own: its default chain sends no token to a plain http address. */
async function officialClient(bench: GraphBench): Promise<Client> {
  const token = await tokenFrom(bench.sandbox);
  const authentication: Middleware = {
    execute: async (context) => {
      context.options = {
        ...context.options,
        headers: withToken(context.options?.headers, token),
      };
      await transport.execute(context);
    },
  };
  const transport = new HTTPMessageHandler();
  return Client.initWithMiddleware({ middleware: authentication, baseUrl: bench.sandbox.graphUrl });
}
