import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  adapterFor,
  gathered,
  json,
  refuse,
  startWireServer,
  thrownBy,
  type WireServer,
} from './microsoft-wire-server.ts';

const ADA = { calendarId: 1, address: 'ada@south.example' };
const WINDOW = { from: Date.UTC(2026, 10, 1), until: Date.UTC(2026, 11, 1) };
const never = new AbortController().signal;
const PATH = '/v1.0/users/ada%40south.example';

const at = (dateTime: string) => ({ dateTime: `${dateTime}:00.0000000`, timeZone: 'UTC' });
const event = (fields: Record<string, unknown> = {}) => ({
  id: 'e1',
  '@odata.etag': 'W/"1"',
  type: 'singleInstance',
  seriesMasterId: null,
  iCalUId: 'uid-1',
  subject: 'Session',
  start: at('2026-11-24T10:00'),
  end: at('2026-11-24T11:00'),
  organizer: { emailAddress: { name: 'Ada', address: 'ada@south.example' } },
  isOrganizer: true,
  attendees: [],
  ...fields,
});
const master = (fields: Record<string, unknown> = {}) =>
  event({
    id: 'm1',
    type: 'seriesMaster',
    start: at('2024-11-05T10:00'),
    end: at('2024-11-05T11:00'),
    ...fields,
  });
const occurrence = (fields: Record<string, unknown> = {}) =>
  event({ id: 'o1', type: 'occurrence', seriesMasterId: 'm1', ...fields });

describe('reading a Microsoft calendar', () => {
  let wire: WireServer;
  beforeEach(async () => {
    wire = await startWireServer();
  });
  afterEach(() => wire.close());

  /** Each path below the mailbox with its answer; whatever is not named is not found. */
  function holding(answers: Record<string, unknown>): void {
    wire.graph = (asked, response) => {
      const place = asked.url.slice(PATH.length).split('?')[0] ?? '';
      const body = answers[place];
      if (body === undefined) refuse(response, 404, 'ErrorItemNotFound');
      else json(response, 200, body);
    };
  }
  const calendar = () => adapterFor(wire).microsoft.calendar;
  const lookUp = (id: string) => calendar().lookUp(ADA, id, never);
  const queryOf = (place: string) =>
    new URL(`http://x${wire.asked.find(({ url }) => url.startsWith(`${PATH}${place}?`))?.url}`).searchParams;

  describe('looking up an id', () => {
    it('believes an event that the calendar shows around its start', async () => {
      holding({ '/events/e1': event(), '/calendarView': { value: [event({ id: 'other' }), event()] } });
      expect(await lookUp('e1')).toMatchObject({ found: 'single', copy: { sourceId: 'e1' } });
      const view = queryOf('/calendarView');
      expect(view.get('startDateTime')).toBe('2026-11-24T09:59:00Z');
      expect(view.get('endDateTime')).toBe('2026-11-24T11:01:00Z');
    });

    it('does not believe an event that lies in the trash, where its id still opens it', async () => {
      holding({ '/events/e1': event(), '/calendarView': { value: [event({ id: 'other' })] } });
      expect(await lookUp('e1')).toEqual({ found: 'gone' });
    });

    it('looks a day around an all-day event, whose midnight is somewhere else', async () => {
      holding({
        '/events/e1': event({ isAllDay: true, start: at('2026-11-24T00:00'), end: at('2026-11-25T00:00') }),
        '/calendarView': { value: [event()] },
      });
      await lookUp('e1');
      expect(queryOf('/calendarView').get('startDateTime')).toBe('2026-11-23T00:00:00Z');
    });

    it('believes a master whose occurrences the calendar shows', async () => {
      holding({ '/events/m1': master(), '/calendarView': { value: [event(), occurrence()] } });
      expect(await lookUp('m1')).toMatchObject({ found: 'series', series: { seriesId: 'm1' } });
    });

    it('does not believe a master that has occurrences the calendar does not show', async () => {
      holding({
        '/events/m1': master(),
        '/calendarView': { value: [event()] },
        '/events/m1/instances': { value: [occurrence()] },
      });
      expect(await lookUp('m1')).toEqual({ found: 'gone' });
    });

    it('does not call a series gone that has nothing to show', async () => {
      holding({
        '/events/m1': master(),
        '/calendarView': { value: [] },
        '/events/m1/instances': { value: [] },
      });
      expect(await lookUp('m1')).toMatchObject({ found: 'series' });
    });

    it('is sent to the series by one of its occurrences', async () => {
      holding({ '/events/o1': occurrence({ type: 'exception' }) });
      expect(await lookUp('o1')).toEqual({ found: 'instance', seriesId: 'm1' });
    });

    it.each([
      [404, 'UnknownError', { kind: 'gone', code: 'not_found' }],
      [404, 'MailboxNotEnabledForRESTAPI', { kind: 'gone', code: 'no_mailbox' }],
      [403, 'ErrorAccessDenied', { kind: 'permanent', code: 'access_denied' }],
      [400, 'ErrorInvalidIdMalformed', { kind: 'bug', code: 'bad_request' }],
    ])('fails on %i %s instead of saying "gone"', async (status, code, failed) => {
      wire.graph = (_asked, response) => refuse(response, status, code);
      expect(await thrownBy(lookUp('e1'))).toMatchObject(failed);
    });

    it.each([403, 404])(
      'is not fooled by a %i from somebody in between, nor by half of one',
      async (status) => {
        for (const body of ['<html>Not here</html>', '{"error":{"code":"ErrorItemNot', '']) {
          wire.graph = (_asked, response) => response.writeHead(status).end(body);
          expect(await thrownBy(lookUp('e1'))).toMatchObject({
            kind: 'transient',
            code: 'unreadable_answer',
          });
        }
      },
    );

    it('takes 410 for an answer about the item', async () => {
      wire.graph = (_asked, response) => refuse(response, 410, 'Gone');
      expect(await lookUp('e1')).toEqual({ found: 'gone' });
    });

    it('escapes whatever an id may hold', async () => {
      holding({});
      await lookUp('AAMk/+=?&#');
      expect(wire.asked[0]?.url).toMatch(/\/events\/AAMk%2F%2B%3D%3F%26%23\?\$select=/);
    });
  });

  describe('listing a series', () => {
    const instances = () => calendar().instances(ADA, 'm1', WINDOW, never);

    it('asks the master once and fills from it what instances lack', async () => {
      const thin = {
        id: 'o1',
        type: 'exception',
        seriesMasterId: 'm1',
        start: at('2026-11-24T10:00'),
        end: at('2026-11-24T11:00'),
      };
      holding({
        '/events/m1': master(),
        '/events/m1/instances': { value: [thin, { ...thin, id: 'o2' }, occurrence({ id: 'o3' })] },
      });
      const { copies, gone } = await instances();
      expect(gone).toBe(false);
      expect(copies.map(({ sourceId, lineage, text }) => [sourceId, lineage, text.title])).toEqual([
        ['o1', 'uid-1', 'Session'],
        ['o2', 'uid-1', 'Session'],
        ['o3', 'uid-1', 'Session'],
      ]);
      expect(wire.asked).toHaveLength(2);
    });

    const NOWHERE = { copies: [], cancelled: [], gone: true };

    it('says so when the master is gone, also between two requests, after asking again and looking for it', async () => {
      holding({ '/calendarView': { value: [event()] } });
      expect(await instances()).toEqual(NOWHERE);
      expect(wire.asked.map(({ url }) => url.slice(PATH.length).split('?')[0])).toEqual([
        '/events/m1',
        '/events/m1',
        '/calendarView',
      ]);
      holding({ '/events/m1': master(), '/calendarView': { value: [event()] } });
      expect(await instances()).toEqual(NOWHERE);
    });

    it('reads from the calendar what Graph denies and the calendar shows', async () => {
      holding({
        '/calendarView': {
          value: [event(), occurrence(), occurrence({ id: 'o2', seriesMasterId: 'm2' })],
        },
      });
      const { copies, gone } = await instances();
      expect({ ids: copies.map(({ sourceId }) => sourceId), gone }).toEqual({ ids: ['o1'], gone: false });
    });

    it('does not say so where the calendar cannot be looked at', async () => {
      wire.graph = (asked, response) =>
        asked.url.includes('/events/')
          ? refuse(response, 404, 'ErrorItemNotFound')
          : refuse(response, 503, 'UnknownError');
      expect(await thrownBy(instances())).toMatchObject({ kind: 'transient', code: 'server_error' });
    });

    it('says so when the series was made a single event, which has no instances to list', async () => {
      holding({ '/events/m1': event({ id: 'm1' }) });
      expect(await instances()).toMatchObject({ gone: true });
      expect(wire.asked).toHaveLength(1);
    });

    it('looks for what the organizer called off on the days the master names', async () => {
      holding({
        '/events/m1': master({
          isOrganizer: false,
          cancelledOccurrences: ['OID.m1.2026-11-17', 'OID.m1.2025-01-01'],
        }),
        '/events/m1/instances': { value: [occurrence({ isOrganizer: false })] },
        '/calendarView': {
          value: [
            occurrence({
              id: 'o0',
              isCancelled: true,
              start: at('2026-11-17T10:00'),
              end: at('2026-11-17T11:00'),
            }),
            event({ isCancelled: true }),
          ],
        },
      });
      const { copies } = await instances();
      expect(copies.map(({ sourceId, status }) => [sourceId, status])).toEqual([
        ['o1', 'confirmed'],
        ['o0', 'cancelled'],
      ]);
      expect(queryOf('/calendarView').get('startDateTime')).toBe('2026-11-03T00:00:00Z');
      expect(queryOf('/calendarView').get('endDateTime')).toBe('2026-12-01T00:00:00Z');
    });

    it('dates what was called off with its series when that happened, and nothing else', async () => {
      const [edited, calledOff] = ['2026-11-10T09:00:00Z', '2026-11-20T09:00:00Z'];
      const row = (id: string, fields: Record<string, unknown> = {}) =>
        occurrence({ id, type: 'exception', isOrganizer: false, isCancelled: true, ...fields });
      holding({
        '/events/m1': master({ isOrganizer: false, isCancelled: true, lastModifiedDateTime: calledOff }),
        '/events/m1/instances': {
          value: [row('kept', { isCancelled: false, lastModifiedDateTime: edited })],
        },
        '/calendarView': {
          value: [
            row('edited', { lastModifiedDateTime: edited }),
            row('later', { lastModifiedDateTime: '2026-11-21T09:00:00Z' }),
          ],
        },
      });
      const { copies } = await instances();
      expect(copies.map(({ sourceId, updatedAt }) => [sourceId, updatedAt])).toEqual([
        ['kept', Date.parse(edited)],
        ['edited', Date.parse(calledOff)],
        ['later', Date.parse('2026-11-21T09:00:00Z')],
      ]);
    });

    it('fails on a row it cannot read: leaving it out would cancel a session', async () => {
      holding({ '/events/m1': master(), '/events/m1/instances': { value: [occurrence(), { id: 'o2' }] } });
      expect(await thrownBy(instances())).toMatchObject({ kind: 'bug', code: 'malformed_event' });
    });
  });

  describe('following changes', () => {
    const changes = (cursor: string | null) => gathered(calendar().changes(ADA, cursor, WINDOW, never));
    const link = (rest: string) => `${wire.url}${PATH}/calendarView/delta?${rest}`;

    it('asks for the window without $select, and goes on verbatim from its cursor', async () => {
      wire.graph = (_asked, response) =>
        json(response, 200, { value: [], '@odata.deltaLink': link('$deltatoken=a%2Bb%3D') });
      const [page] = await changes(null);
      expect(wire.asked[0]?.url).toBe(
        `${PATH}/calendarView/delta?startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z`,
      );
      await changes(page?.cursor ?? '');
      expect(wire.asked[1]?.url).toBe(`${PATH}/calendarView/delta?$deltatoken=a%2Bb%3D`);
    });

    it('counts what it leaves out and keeps the rest', async () => {
      wire.graph = (_asked, response) =>
        json(response, 200, {
          value: [
            event(),
            { id: 'x', type: 'singleInstance' },
            null,
            event({ id: 'e2', start: at('0001-01-01T00:00'), end: at('0001-01-02T00:00') }),
          ],
          '@odata.deltaLink': link('$deltatoken=1'),
        });
      const [page] = await changes(null);
      expect(page?.items).toHaveLength(1);
      expect(page?.leftOut).toEqual({ malformed: 2, date_out_of_range: 1 });
    });

    it.each([
      ['no link', {}],
      ['both links', { '@odata.nextLink': 'a', '@odata.deltaLink': 'b' }],
    ])('does not take a page with %s for the end of a round', async (_what, links) => {
      wire.graph = (_asked, response) => json(response, 200, { value: [], ...links });
      expect(await thrownBy(changes(null))).toMatchObject({ kind: 'transient', code: 'unreadable_answer' });
    });

    it.each([
      [410, 'SyncStateNotFound'],
      [410, 'whatever'],
      [400, 'syncStateNotFound'],
      [404, 'resyncRequired'],
    ])('takes %i %s for a lost cursor', async (status, code) => {
      const cursor = JSON.stringify([
        { deltaLink: '/users/x/calendarView/delta?$deltatoken=1', from: 0, until: 1 },
      ]);
      wire.graph = (_asked, response) => refuse(response, status, code);
      expect(await thrownBy(changes(cursor))).toMatchObject({ kind: 'gone', code: 'cursor_lost' });
      expect(wire.asked).toHaveLength(1);
    });

    it('finds the code of a lost cursor inside of another, spelled either way', async () => {
      const cursor = JSON.stringify([
        { deltaLink: '/users/x/calendarView/delta?$deltatoken=1', from: 0, until: 1 },
      ]);
      wire.graph = (_asked, response) =>
        json(response, 400, { error: { code: 'BadRequest', innererror: { code: 'ResyncRequired' } } });
      expect(await thrownBy(changes(cursor))).toMatchObject({ kind: 'gone', code: 'cursor_lost' });
      wire.graph = (_asked, response) =>
        json(response, 400, { error: { code: 'BadRequest', innerError: { code: 'ErrorInvalidParameter' } } });
      expect(await thrownBy(changes(cursor))).toMatchObject({ kind: 'bug', code: 'bad_request' });
    });

    it.each([
      '',
      'null',
      '[{"deltaLink":"https://evil.example/v1.0/x","from":0,"until":1}]',
      '[]',
      '{"deltaLink":"/x"}',
    ])('does not follow a cursor that is none of its own: %s', async (cursor) => {
      expect(await thrownBy(changes(cursor))).toMatchObject({ kind: 'gone', code: 'cursor_lost' });
      expect(wire.asked).toEqual([]);
    });
  });
});
