import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addGuest,
  cancelMeeting,
  cancelOccurrence,
  createMeeting,
  deleteCopy,
  editMeeting,
  type Meeting,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  type Person,
  respond,
  splitSeries,
} from '../../../src/sandbox/world/index.ts';
import { type GraphBench, type Row, startBench } from './graph-calls.ts';

const WINDOW = 'startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-04-30T00:00:00Z';
const IMMUTABLE = 'IdType="ImmutableId", outlook.timezone="UTC"';

describe('calendarView/delta', () => {
  let bench: GraphBench;
  let ada: Person;
  let bo: Person;
  let series: Meeting;
  let delta: string;

  beforeEach(async () => {
    bench = await startBench('2026-03-10T08:00:00Z');
    ada = bench.world.addPerson({ name: 'Ada Blum', address: 'ada@south.example', provider: 'microsoft' });
    bo = bench.world.addPerson({ name: 'Bo Lind', address: 'bo@south.example', provider: 'microsoft' });
    series = createMeeting(bench.world, {
      organizer: 'ada@south.example',
      guests: ['bo@south.example'],
      title: 'Session #mentoring',
      start: '2025-03-04T10:00',
      rule: 'FREQ=WEEKLY;BYDAY=TU',
      conference: 'teams',
    });
    delta = `/users/${ada.objectId}/calendarView/delta?${WINDOW}`;
  });
  afterEach(() => bench.close());

  const slot = (day: string, hour = '09'): string => `${day}T${hour}:00:00Z`;
  const ofType = (rows: readonly Row[], type: string): Row[] => rows.filter((row) => row.type === type);
  const removed = (rows: readonly Row[]): Row[] => rows.filter((row) => '@removed' in row);

  it('opens with an empty page, then gives a full master and bare stubs', async () => {
    const first = await bench.get(delta, IMMUTABLE);
    expect(first.body.value).toEqual([]);
    expect(first.headers.get('preference-applied')).toContain('ImmutableId');

    const { rows } = await bench.round(delta, IMMUTABLE);
    const [master] = ofType(rows, 'seriesMaster');
    expect(master).toMatchObject({
      subject: 'Session #mentoring',
      start: { dateTime: '2025-03-04T09:00:00.0000000', timeZone: 'UTC' },
      seriesMasterId: null,
      recurrence: {
        pattern: { type: 'weekly', interval: 1, daysOfWeek: ['tuesday'] },
        range: {
          type: 'noEnd',
          startDate: '2025-03-04',
          endDate: '0001-01-01',
          recurrenceTimeZone: 'W. Europe Standard Time',
        },
      },
      responseStatus: { response: 'organizer', time: '0001-01-01T00:00:00Z' },
    });
    const stubs = ofType(rows, 'occurrence');
    expect(stubs).toHaveLength(9);
    for (const stub of stubs) {
      expect(Object.keys(stub).sort()).toEqual(
        ['@odata.etag', '@odata.type', 'end', 'id', 'seriesMasterId', 'start', 'type'].sort(),
      );
      expect(stub.seriesMasterId).toBe(master?.id);
    }
    // Ten o'clock in Berlin on both sides of the change to summer time.
    const starts = stubs.map((stub) => stub.start?.dateTime);
    expect(starts).toContain('2026-03-24T09:00:00.0000000');
    expect(starts).toContain('2026-03-31T08:00:00.0000000');
  });

  it('honours the page size as a maximum and may repeat a row', async () => {
    const { rows, pages } = await bench.round(delta, 'odata.maxpagesize=4');
    expect(pages).toBe(4);
    expect(rows).toHaveLength(11);
    expect(new Set(rows.map((row) => row.id)).size).toBe(10);
  });

  it.each(['$select=subject', '$filter=x', '$expand=x', '$orderby=x', '$top=5', '$search=x'])(
    'refuses %s',
    async (option) => {
      const answer = await bench.get(`${delta}&${option}`);
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'ErrorInvalidUrlQuery' } } });
    },
  );

  it('refuses a round without a window', async () => {
    const answer = await bench.get(`/users/${ada.objectId}/calendarView/delta`);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'ErrorInvalidParameter' } } });
  });

  it('says nothing in a round after which nothing happened', async () => {
    const { deltaLink } = await bench.round(delta);
    expect(deltaLink).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/v1\.0\/users\/[^?]+\/calendarView\/delta\?\$deltatoken=/,
    );
    expect((await bench.round(deltaLink)).rows).toEqual([]);
  });

  it('where that habit is on, calls removed what stands where it stood', async () => {
    const { rows: before, deltaLink } = await bench.round(delta, IMMUTABLE);
    bench.sandbox.habits.strayRemovals = 1;
    const { rows } = await bench.round(deltaLink, IMMUTABLE);
    expect(removed(rows)).toHaveLength(1);
    const id = rows[0]?.id ?? '';
    expect(before.map((row) => row.id)).toContain(id);
    const looked = await bench.get(`/users/${ada.objectId}/events/${encodeURIComponent(id)}`, IMMUTABLE);
    expect(looked.status).toBe(200);
  });

  it('leaves a deleted occurrence out of the re-sent series and never calls it removed', async () => {
    const { rows: before, deltaLink } = await bench.round(delta, IMMUTABLE);
    cancelOccurrence(bench.world, { meeting: series.id, slot: slot('2026-03-17') });
    const { rows } = await bench.round(deltaLink, IMMUTABLE);
    expect(removed(rows)).toEqual([]);
    expect(ofType(rows, 'seriesMaster')).toHaveLength(1);
    expect(ofType(rows, 'occurrence')).toHaveLength(8);
    const left = new Set(rows.map((row) => row.id));
    expect(before.filter((row) => !left.has(row.id)).map((row) => row.start?.dateTime)).toEqual([
      '2026-03-17T09:00:00.0000000',
    ]);
  });

  it('re-sends the whole series when somebody answered', async () => {
    const { deltaLink } = await bench.round(delta);
    respond(bench.world, { meeting: series.id, person: 'bo@south.example', response: 'accepted' });
    const { rows } = await bench.round(deltaLink);
    expect(rows).toHaveLength(10);
    expect(ofType(rows, 'seriesMaster')[0]).toMatchObject({
      attendees: [{ emailAddress: { address: 'bo@south.example' }, status: { response: 'accepted' } }],
    });
  });

  it('prints a moved occurrence as an exception with its old id, without the words of its series', async () => {
    const { rows: before, deltaLink } = await bench.round(delta, IMMUTABLE);
    moveOccurrence(bench.world, {
      meeting: series.id,
      slot: slot('2026-03-17'),
      start: '2026-03-18T15:00:00Z',
    });
    const { rows } = await bench.round(deltaLink, IMMUTABLE);
    const [exception] = ofType(rows, 'exception');
    expect(exception).toMatchObject({
      start: { dateTime: '2026-03-18T15:00:00.0000000' },
      originalStart: '2026-03-17T09:00:00Z',
      iCalUId: expect.stringMatching(/^040000008200E00074C5B7101A82E00807EA0311/),
    });
    expect(exception).not.toHaveProperty('subject');
    const old = before.find((row) => row.start?.dateTime === '2026-03-17T09:00:00.0000000');
    expect(exception?.id).toBe(old?.id);
  });

  it('calls a meeting removed when it left the window, and one that never was in it', async () => {
    const single = createMeeting(bench.world, { organizer: ada.id, title: 'One', start: '2026-03-20T10:00' });
    const { rows: before, deltaLink } = await bench.round(delta, IMMUTABLE);
    const known = before.find((row) => row.subject === 'One');
    moveMeeting(bench.world, { meeting: single.id, start: '2026-10-01T10:00' });
    createMeeting(bench.world, { organizer: ada.id, title: 'Far away', start: '2027-01-01T10:00' });

    const { rows } = await bench.round(deltaLink, IMMUTABLE);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toEqual({
      '@odata.type': '#microsoft.graph.event',
      id: known?.id,
      '@removed': { reason: 'deleted' },
    });
    expect(before.map((row) => row.id)).not.toContain(rows[1]?.id);
    // Removed, and yet it lives: only a look tells.
    const look = await bench.get(`/users/${ada.objectId}/events/${known?.id}`, IMMUTABLE);
    expect(look).toMatchObject({ status: 200, body: { start: { dateTime: '2026-10-01T08:00:00.0000000' } } });
  });

  it('calls an occurrence that was moved out of the window removed', async () => {
    const { deltaLink } = await bench.round(delta);
    moveOccurrence(bench.world, {
      meeting: series.id,
      slot: slot('2026-04-28', '08'),
      start: '2026-05-04T08:00:00Z',
    });
    const { rows } = await bench.round(deltaLink);
    expect(removed(rows)).toHaveLength(1);
  });

  it('tells the organizer of a cancelled series by one removal, the guest by isCancelled', async () => {
    const atBo = `/users/${bo.objectId}/calendarView/delta?${WINDOW}`;
    const [organizer, guest] = [await bench.round(delta), await bench.round(atBo)];
    cancelMeeting(bench.world, { meeting: series.id });
    expect((await bench.round(organizer.deltaLink)).rows).toEqual([
      expect.objectContaining({ '@removed': { reason: 'deleted' } }),
    ]);
    const { rows } = await bench.round(guest.deltaLink);
    expect(ofType(rows, 'seriesMaster')[0]).toMatchObject({
      isCancelled: true,
      subject: 'Canceled: Session #mentoring',
    });
  });

  it('marks an occurrence on the guest copy that the organizer cancelled', async () => {
    const { deltaLink } = await bench.round(`/users/${bo.objectId}/calendarView/delta?${WINDOW}`);
    cancelOccurrence(bench.world, { meeting: series.id, slot: slot('2026-03-17') });
    const { rows } = await bench.round(deltaLink);
    expect(ofType(rows, 'exception')).toEqual([
      expect.objectContaining({ isCancelled: true, showAs: 'free' }),
    ]);
  });

  it('tells a guest who deleted their own copy, and nobody else', async () => {
    const { deltaLink: atAda } = await bench.round(delta);
    const { deltaLink: atBo } = await bench.round(`/users/${bo.objectId}/calendarView/delta?${WINDOW}`);
    deleteCopy(bench.world, { meeting: series.id, person: bo.id });
    expect(removed((await bench.round(atBo)).rows)).toHaveLength(1);
    expect((await bench.round(atAda)).rows).toEqual([]);
  });

  it('keeps ids when the time of day changes and makes new ones when the weekday does', async () => {
    const { rows: before, deltaLink } = await bench.round(delta, IMMUTABLE);
    moveSeries(bench.world, { meeting: series.id, time: '15:30' });
    const later = await bench.round(deltaLink, IMMUTABLE);
    const idsOf = (rows: readonly Row[]): string[] => ofType(rows, 'occurrence').map((row) => row.id);
    expect(idsOf(later.rows)).toEqual(idsOf(before));
    moveSeries(bench.world, { meeting: series.id, weekday: 'TH' });
    const moved = await bench.round(later.deltaLink, IMMUTABLE);
    expect(idsOf(moved.rows).filter((id) => idsOf(before).includes(id))).toEqual([]);
    expect(ofType(moved.rows, 'seriesMaster')[0]?.id).toBe(ofType(before, 'seriesMaster')[0]?.id);
  });

  it('splits a series into two masters with unrelated identities', async () => {
    const { deltaLink } = await bench.round(delta);
    splitSeries(bench.world, { meeting: series.id, slot: slot('2026-03-24'), time: '14:00' });
    const { rows } = await bench.round(deltaLink);
    const masters = ofType(rows, 'seriesMaster');
    expect(masters).toHaveLength(2);
    expect(new Set(masters.map((row) => row.iCalUId)).size).toBe(2);
    expect(ofType(rows, 'occurrence')).toHaveLength(9);
  });

  it('shows somebody invited to one occurrence a single meeting with the date in its uid', async () => {
    const chi = bench.world.addPerson({ name: 'Chi', address: 'chi@south.example', provider: 'microsoft' });
    addGuest(bench.world, { meeting: series.id, slot: slot('2026-03-17'), guest: 'chi@south.example' });
    const { rows } = await bench.round(`/users/${chi.objectId}/calendarView/delta?${WINDOW}`);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      type: 'singleInstance',
      seriesMasterId: null,
      iCalUId: expect.stringMatching(/^040000008200E00074C5B7101A82E00807EA0311/),
    });
  });

  it('prints ids in the format each request asks for, along one and the same round', async () => {
    const normal = await bench.round(delta);
    const immutable = await bench.round(delta, IMMUTABLE);
    expect(normal.rows.map((row) => row.id)).not.toEqual(immutable.rows.map((row) => row.id));
    editMeeting(bench.world, { meeting: series.id, title: 'Renamed' });
    const [changed] = (await bench.round(normal.deltaLink, IMMUTABLE)).rows;
    expect(changed?.id).toBe(ofType(immutable.rows, 'seriesMaster')[0]?.id);
  });

  it('loses its state on request, in the middle of a round too', async () => {
    const { deltaLink } = await bench.round(delta);
    const opened = await bench.get(delta);
    bench.world.expireTokens(ada.id);
    for (const link of [deltaLink, String(opened.body['@odata.nextLink'])]) {
      const answer = await bench.get(link);
      expect(answer).toMatchObject({ status: 410, body: { error: { code: 'SyncStateNotFound' } } });
      expect(answer.headers.get('location')).toMatch(/\$deltatoken=$/);
    }
    expect((await bench.get(`${delta.split('?')[0]}?$deltatoken=made-up`)).status).toBe(410);
  });

  it('does not let one mailbox read on with the token of another', async () => {
    const { deltaLink } = await bench.round(delta);
    expect((await bench.get(deltaLink.replace(ada.objectId, bo.objectId))).status).toBe(410);
  });

  it('hides a change until its lag has passed', async () => {
    const { deltaLink } = await bench.round(delta);
    bench.sandbox.habits.lagMs = 10_000;
    editMeeting(bench.world, { meeting: series.id, title: 'Renamed' });
    const early = await bench.round(deltaLink);
    expect(early.rows).toEqual([]);
    bench.world.clock.advance(10_001);
    expect((await bench.round(early.deltaLink)).rows).toHaveLength(10);
  });

  it('acts out faults: an empty page in the middle, an expired token', async () => {
    bench.faults.add({ path: /deltatoken/, times: 1, fault: { kind: 'empty_page' } });
    const { deltaLink } = await bench.round(delta);
    editMeeting(bench.world, { meeting: series.id, title: 'Renamed' });
    const { rows, pages } = await bench.round(deltaLink);
    expect([rows.length, pages]).toEqual([10, 2]);
    bench.faults.add({ path: /deltatoken/, times: 1, fault: { kind: 'expired_cursor' } });
    expect((await bench.get(deltaLink)).status).toBe(410);
    expect((await bench.get(deltaLink)).status).toBe(200);
  });
});
