import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cancelOccurrence,
  createMeeting,
  type Meeting,
  moveOccurrence,
  type Person,
  respond,
  setCategory,
  setPersonState,
  setProperty,
} from '../../../src/sandbox/world/index.ts';
import { type Answer, type GraphBench, startBench } from './graph-calls.ts';

const WINDOW = 'startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-04-30T00:00:00Z';

describe('calendar reads', () => {
  let bench: GraphBench;
  let ada: Person;
  let bo: Person;
  let gus: Person;
  let series: Meeting;

  beforeEach(async () => {
    bench = await startBench('2026-03-10T08:00:00Z');
    const add = (name: string, provider: 'microsoft' | 'google') =>
      bench.world.addPerson({
        name,
        address: `${name.toLowerCase()}@south.example`,
        aliases: [`${name.toLowerCase()}.alias@south.example`],
        provider,
      });
    ada = add('Ada', 'microsoft');
    bo = add('Bo', 'microsoft');
    gus = add('Gus', 'google');
    series = createMeeting(bench.world, {
      organizer: ada.id,
      guests: ['bo@south.example', 'gus@south.example'],
      title: 'Session',
      body: '<p>Plans &amp; questions #mentoring</p>',
      start: '2026-03-03T10:00',
      rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=8',
      conference: 'teams',
    });
  });
  afterEach(() => bench.close());

  const view = (person: Person, more = ''): string =>
    `/users/${person.objectId}/calendarView?${WINDOW}${more}`;
  const masterId = async (person: Person): Promise<string> => {
    const answer = await bench.get(`/users/${person.objectId}/events`);
    return answer.body.value?.[0]?.id ?? '';
  };
  const codeOf = (answer: Answer): [number, string | undefined] => [answer.status, answer.body.error?.code];

  it('gives full rows in a plain calendarView, without masters, by pages of ten or $top', async () => {
    const all = await bench.get(view(ada, '&$top=100'));
    expect(all.body.value?.map((row) => row.type)).toEqual(Array(8).fill('occurrence'));
    expect(all.body.value?.[0]).toMatchObject({
      subject: 'Session',
      iCalUId: expect.stringContaining('07EA0303'),
    });

    const first = await bench.get(view(ada, '&$top=5&$select=subject,start'));
    expect(Object.keys(first.body.value?.[0] ?? {}).sort()).toEqual([
      '@odata.etag',
      'id',
      'start',
      'subject',
    ]);
    const second = await bench.get(String(first.body['@odata.nextLink']));
    expect([first.body.value?.length, second.body.value?.length]).toEqual([5, 3]);
    expect(second.body).not.toHaveProperty('@odata.nextLink');
  });

  it('lists instances in a window without what was called off, on both sides', async () => {
    cancelOccurrence(bench.world, { meeting: series.id, slot: '2026-03-17T09:00:00Z' });
    moveOccurrence(bench.world, {
      meeting: series.id,
      slot: '2026-03-24T09:00:00Z',
      start: '2026-03-25T12:00:00Z',
    });
    for (const person of [ada, bo]) {
      const answer = await bench.get(
        `/users/${person.objectId}/events/${await masterId(person)}/instances?${WINDOW}`,
      );
      const rows = answer.body.value ?? [];
      expect(rows).toHaveLength(7);
      expect(rows.filter((row) => row.type === 'exception')).toEqual([
        expect.objectContaining({ originalStart: '2026-03-24T09:00:00Z', subject: 'Session' }),
      ]);
    }
    expect(codeOf(await bench.get(`/users/${ada.objectId}/events/${await masterId(ada)}/instances`))).toEqual(
      [400, 'ErrorInvalidParameter'],
    );
  });

  it('names cancelled occurrences on request only', async () => {
    cancelOccurrence(bench.world, { meeting: series.id, slot: '2026-03-17T09:00:00Z' });
    const id = await masterId(ada);
    const plain = await bench.get(`/users/${ada.objectId}/events/${id}`);
    expect(plain.body).not.toHaveProperty('cancelledOccurrences');
    const asked = await bench.get(`/users/${ada.objectId}/events/${id}?$select=subject,cancelledOccurrences`);
    expect(asked.body.cancelledOccurrences).toEqual([`OID.${id}.2026-03-17`]);
  });

  it('tells the organizer every answer and a guest only their own', async () => {
    respond(bench.world, { meeting: series.id, person: bo.id, response: 'tentative' });
    const atAda = (await bench.get(`/users/${ada.objectId}/events/${await masterId(ada)}`)).body;
    const atBo = (await bench.get(`/users/${bo.objectId}/events/${await masterId(bo)}`)).body;
    const answers = (body: Answer['body']) =>
      (body.attendees as { status: { response: string; time: string } }[]).map((one) => one.status.response);
    expect(answers(atAda)).toEqual(['tentativelyAccepted', 'none']);
    expect(answers(atBo)).toEqual(['none', 'none']);
    expect(atBo).toMatchObject({ isOrganizer: false, responseStatus: { response: 'tentativelyAccepted' } });
  });

  it('keeps a silent answer from the organizer', async () => {
    respond(bench.world, { meeting: series.id, person: bo.id, response: 'accepted', silent: true });
    const atAda = (await bench.get(`/users/${ada.objectId}/events/${await masterId(ada)}`)).body;
    expect(atAda.attendees).toMatchObject([{ status: { response: 'none' } }, {}]);
  });

  it('prints times in the zone asked for and text where text is wanted', async () => {
    const answer = await bench.get(
      view(ada, '&$top=1'),
      'outlook.timezone="Eastern Standard Time", outlook.body-content-type="text"',
    );
    expect(answer.body.value?.[0]).toMatchObject({
      start: { dateTime: '2026-03-03T04:00:00.0000000', timeZone: 'Eastern Standard Time' },
      originalStart: '2026-03-03T04:00:00-05:00',
      body: { contentType: 'text', content: expect.stringContaining('Plans & questions #mentoring') },
    });
  });

  it('prints all-day events from midnight to midnight in every zone', async () => {
    createMeeting(bench.world, { organizer: bo.id, title: 'Away', start: '2026-03-05', allDay: true });
    const answer = await bench.get(view(bo), 'outlook.timezone="Pacific Standard Time"');
    expect(answer.body.value?.find((row) => row.isAllDay === true)).toMatchObject({
      start: { dateTime: '2026-03-05T00:00:00.0000000', timeZone: 'Pacific Standard Time' },
      end: { dateTime: '2026-03-06T00:00:00.0000000' },
    });
  });

  it('shows a meeting made at Google by its raw uid or wrapped, with a link in words only', async () => {
    const meeting = createMeeting(bench.world, {
      organizer: gus.id,
      guests: ['bo@south.example'],
      title: 'From Google',
      start: '2026-03-06T10:00',
      rule: 'FREQ=WEEKLY;BYDAY=FR',
      conference: 'meet',
    });
    const look = async () =>
      (await bench.get(view(bo, '&$top=50'))).body.value?.find((row) => row.subject === 'From Google');
    expect(await look()).toMatchObject({
      iCalUId: meeting.uid,
      isOnlineMeeting: false,
      onlineMeeting: null,
      location: { displayName: expect.stringMatching(/^https:\/\/meet\.google\.com\//) },
    });
    bo.foreignUid = 'wrapped';
    const wrapped = await look();
    const bytes = Buffer.from(String(wrapped?.iCalUId), 'hex');
    expect(bytes.subarray(16, 20).toString('hex')).toBe('07ea0306');
    expect(bytes.subarray(40).toString('latin1')).toBe(`vCal-Uid\x01\0\0\0${meeting.uid}\0`);
    expect(wrapped).toMatchObject({ originalStartTimeZone: 'tzone://Microsoft/Custom' });
  });

  it('finds the copy of a meeting by its uid', async () => {
    const uid = (await bench.get(`/users/${ada.objectId}/events`)).body.value?.[0]?.iCalUId;
    const found = await bench.get(
      `/users/${bo.objectId}/events?$filter=${encodeURIComponent(`iCalUId eq '${String(uid)}'`)}`,
    );
    expect(found.body.value).toHaveLength(1);
    const none = await bench.get(
      `/users/${bo.objectId}/events?$filter=${encodeURIComponent("iCalUId eq 'x'")}`,
    );
    expect(none.body.value).toEqual([]);
  });

  it('keeps categories to the mailbox that set them and reads extended properties on request', async () => {
    setCategory(bench.world, { meeting: series.id, person: bo.id, category: 'Mentoring' });
    setProperty(bench.world, { meeting: series.id, person: ada.id, key: 'cadence', value: 'yes' });
    const expand = encodeURIComponent(
      "singleValueExtendedProperties($filter=id eq 'String {66f5a359-4659-4830-9070-00040ec6ac6e} Name cadence')",
    );
    const atAda = (await bench.get(`/users/${ada.objectId}/events?$expand=${expand}`)).body.value?.[0];
    const atBo = (await bench.get(`/users/${bo.objectId}/events?$expand=${expand}`)).body.value?.[0];
    expect(atAda).toMatchObject({ categories: [], singleValueExtendedProperties: [{ value: 'yes' }] });
    expect(atBo).toMatchObject({ categories: ['Mentoring'] });
    expect(atBo).not.toHaveProperty('singleValueExtendedProperties');
  });

  it('knows people by object id and principal name, finds aliases by filter, and tells the mailbox zone', async () => {
    const user = await bench.get('/users/ADA@south.example?$select=id,proxyAddresses');
    expect(user.body).toMatchObject({
      id: ada.objectId,
      proxyAddresses: ['SMTP:ada@south.example', 'smtp:ada.alias@south.example'],
    });
    expect(codeOf(await bench.get('/users/ada.alias@south.example'))).toEqual([
      404,
      'Request_ResourceNotFound',
    ]);
    expect(codeOf(await bench.get('/users/gus@south.example'))).toEqual([404, 'Request_ResourceNotFound']);
    const filter = encodeURIComponent("proxyAddresses/any(p:p eq 'smtp:ada.alias@south.example')");
    expect((await bench.get(`/users?$filter=${filter}`)).body.value?.map((row) => row.id)).toEqual([
      ada.objectId,
    ]);
    expect((await bench.get(`/users/${ada.objectId}/mailboxSettings`)).body.timeZone).toBe(
      'W. Europe Standard Time',
    );
  });

  it('refuses mailboxes as Exchange does, each in its own words', async () => {
    setPersonState(bench.world, { person: ada.id, state: 'forbidden' });
    setPersonState(bench.world, { person: bo.id, state: 'no_mailbox' });
    expect(codeOf(await bench.get(view(ada)))).toEqual([403, 'ErrorAccessDenied']);
    expect(codeOf(await bench.get(view(bo)))).toEqual([404, 'MailboxNotEnabledForRESTAPI']);
    expect(codeOf(await bench.get(view(gus)))).toEqual([404, 'ErrorInvalidUser']);
    expect(codeOf(await bench.get(`/users/${ada.objectId}`))).toEqual([200, undefined]);
    expect(codeOf(await bench.get('/me/events'))).toEqual([400, 'BadRequest']);
    setPersonState(bench.world, { person: ada.id, state: 'active' });
    expect(codeOf(await bench.get(`/users/${ada.objectId}/events/AAMkUnknown=`))).toEqual([
      404,
      'ErrorItemNotFound',
    ]);
    expect(codeOf(await bench.get(`/users/${ada.objectId}/events/a%20b`))).toEqual([
      400,
      'ErrorInvalidIdMalformed',
    ]);
  });

  it('throttles more than four requests of one mailbox at a time, and no other mailbox', async () => {
    bench.sandbox.habits.latencyMs = 40;
    const statuses = await Promise.all(
      [ada, ada, ada, ada, ada, ada, bo].map(async (person) => (await bench.get(view(person))).status),
    );
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
    expect(statuses.at(-1)).toBe(200);
    expect(bench.faults.log.maxInFlight('ada@south.example')).toBe(6);
  });

  it('answers ordered errors in its own words', async () => {
    bench.faults.add({ mailbox: 'ada@south.example', times: 1, fault: { kind: 'status', status: 503 } });
    bench.faults.add({
      path: /calendarView/,
      times: 1,
      fault: { kind: 'status', status: 429, retryAfter: 300 },
    });
    const throttled = await bench.get(view(ada));
    expect([codeOf(throttled), throttled.headers.get('retry-after')]).toEqual([
      [429, 'ApplicationThrottled'],
      '300',
    ]);
    expect(codeOf(await bench.get(view(ada)))).toEqual([503, 'MailboxInfoStale']);
    expect((await bench.get(view(ada))).status).toBe(200);
  });
});
