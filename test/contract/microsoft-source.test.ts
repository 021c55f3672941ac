import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChangePage, ObservedCopy } from '../../src/domain/observation.ts';
import type { CalendarRef } from '../../src/ports/calendar-source.ts';
import { createMicrosoft, type Microsoft } from '../../src/providers/microsoft/index.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createFaults, type Faults } from '../../src/sandbox/faults.ts';
import {
  type MicrosoftHabits,
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import {
  addGuest,
  addTag,
  attend,
  cancelMeeting,
  cancelOccurrence,
  convertSingleToSeries,
  createMeeting,
  deleteCopy,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  type Person,
  respond,
  setPersonState,
  splitSeries,
  World,
} from '../../src/sandbox/world/index.ts';
import { facts, Mirror } from './microsoft-mirror.ts';

const NOW = '2026-03-10T08:00:00Z';
const WINDOW = { from: Date.UTC(2026, 1, 3), until: Date.UTC(2026, 6, 8) };
const signal = new AbortController().signal;

const instant = (text: string) => Date.parse(text);
const starts = (copies: Iterable<ObservedCopy>) =>
  [...copies].map(({ start }) => new Date(start).toISOString().slice(0, 16)).sort();

describe('reading a Microsoft calendar from the sandbox', () => {
  let world: World;
  let faults: Faults;
  let sandbox: MicrosoftSandbox;
  let ada: Person;
  let bo: Person;
  let waits: number[];
  let reports: string[];
  let microsoft: Microsoft;

  async function start(habits: Partial<MicrosoftHabits> = {}): Promise<void> {
    world = new World({ seed: 7, start: NOW });
    world.clock.stop();
    faults = createFaults({ now: () => world.now() });
    sandbox = await startMicrosoftSandbox(world, {
      faults,
      habits: { latencyMs: 0, pageSize: 3, ...habits },
    });
    ada = world.addPerson({
      name: 'Ada Blum',
      address: 'ada@south.example',
      aliases: ['a.blum@south.example'],
      provider: 'microsoft',
    });
    bo = world.addPerson({ name: 'Bo Lind', address: 'bo@south.example', provider: 'microsoft' });
    waits = [];
    reports = [];
    let elapsed = 0;
    microsoft = createMicrosoft(
      {
        tenant: sandbox.tenant,
        clientId: sandbox.clientId,
        clientSecret: sandbox.clientSecret,
        graphUrl: sandbox.graphUrl,
        tokenUrl: sandbox.tokenUrl,
        maxInFlight: 4,
      },
      {
        log: silentLog(),
        onRequest: ({ operation, outcome }) => reports.push(`${operation} ${outcome}`),
        random: () => 0,
        sleep: async (ms) => {
          waits.push(ms);
          elapsed += ms;
        },
        elapsed: () => elapsed,
      },
    );
  }
  beforeEach(() => start());
  afterEach(() => sandbox.close());

  const calendarOf = (person: Person): CalendarRef => ({ calendarId: 1, address: person.addresses[0] ?? '' });
  const mirrorOf = (person: Person) => new Mirror(microsoft.calendar, calendarOf(person), WINDOW);
  const weekly = () =>
    createMeeting(world, {
      organizer: 'ada@south.example',
      guests: ['bo@south.example'],
      title: 'Session #mentoring',
      start: '2025-03-04T10:00',
      rule: 'FREQ=WEEKLY;BYDAY=TU',
      conference: 'teams',
    });
  const single = () =>
    createMeeting(world, {
      organizer: 'ada@south.example',
      guests: ['bo@south.example'],
      title: 'Kick-off #mentoring',
      start: '2026-03-20T14:00',
    });

  it('reads a series and a single event through pages, one of them empty', async () => {
    const series = weekly();
    single();
    const mirror = mirrorOf(ada);
    await mirror.pull();
    expect(mirror.pages.length).toBeGreaterThan(3);
    expect(mirror.pages[0]?.items).toEqual([]);
    expect(mirror.pages.slice(0, -1).every(({ cursor }) => cursor === null)).toBe(true);
    expect(mirror.copies.size).toBe(24);
    const march17 = [...mirror.copies.values()].find(({ start }) => start === instant('2026-03-17T09:00Z'));
    expect(march17).toMatchObject({
      lineage: series.uid,
      originalDate: '2026-03-17',
      originalStart: instant('2026-03-17T09:00Z'),
      timeZone: 'Europe/Berlin',
      ownerIsOrganizer: true,
      organizer: 'ada@south.example',
      conference: { kind: 'teams' },
      text: { title: 'Session #mentoring' },
    });
    expect(march17?.people.map(({ address }) => address).sort()).toEqual([
      'ada@south.example',
      'bo@south.example',
    ]);
    // 10:00 in Berlin on both sides of the change to summer time.
    expect(starts(mirror.copies.values())).toContain('2026-03-24T09:00');
    expect(starts(mirror.copies.values())).toContain('2026-03-31T08:00');
  });

  it('keeps the cursor free of addresses and its window in force', async () => {
    single();
    const mirror = mirrorOf(ada);
    await mirror.pull();
    expect(mirror.cursor).not.toContain('http');
    expect(JSON.parse(mirror.cursor ?? '[]')).toMatchObject([{ from: WINDOW.from, until: WINDOW.until }]);
    const other = { from: 0, until: 1 };
    const pages: ChangePage[] = [];
    for await (const page of microsoft.calendar.changes(calendarOf(ada), mirror.cursor, other, signal))
      pages.push(page);
    expect(JSON.parse(pages.at(-1)?.cursor ?? '[]')).toMatchObject([
      { from: WINDOW.from, until: WINDOW.until },
    ]);
  });

  it.each<[string, () => void]>([
    ['nothing at all', () => undefined],
    [
      'an edit and an answer',
      () => {
        const [series] = [...world.meetings.values()];
        respond(world, { meeting: series?.id ?? '', person: bo.id, response: 'accepted' });
        addTag(world, { meeting: series?.id ?? '', tag: '#more' });
      },
    ],
    ['a moved single event', () => moveMeeting(world, { meeting: 'm4', start: '2026-03-25T09:00' })],
    [
      'a single event moved out of the window',
      () => moveMeeting(world, { meeting: 'm4', start: '2027-03-25T09:00' }),
    ],
    ['a cancelled single event', () => cancelMeeting(world, { meeting: 'm4' })],
    [
      'a cancelled occurrence',
      () => cancelOccurrence(world, { meeting: 'm3', slot: '2026-03-17T09:00:00Z' }),
    ],
    [
      'a moved occurrence',
      () =>
        moveOccurrence(world, { meeting: 'm3', slot: '2026-03-17T09:00:00Z', start: '2026-03-18T13:00:00Z' }),
    ],
    [
      'an occurrence moved out of the window',
      () =>
        moveOccurrence(world, { meeting: 'm3', slot: '2026-03-17T09:00:00Z', start: '2026-12-18T13:00:00Z' }),
    ],
    ['a series at another time', () => moveSeries(world, { meeting: 'm3', time: '16:00' })],
    [
      'a series on another weekday',
      () => moveSeries(world, { meeting: 'm3', weekday: 'TH', rule: 'FREQ=WEEKLY;BYDAY=TH' }),
    ],
    [
      'a split series',
      () => void splitSeries(world, { meeting: 'm3', slot: '2026-04-07T08:00:00Z', time: '15:00' }),
    ],
    ['a cancelled series', () => cancelMeeting(world, { meeting: 'm3' })],
    ['a copy deleted by its guest', () => deleteCopy(world, { meeting: 'm3', person: bo.id })],
    [
      'an occurrence deleted by its guest',
      () => deleteCopy(world, { meeting: 'm3', person: bo.id, slot: '2026-03-17T09:00:00Z' }),
    ],
    [
      'a single event that becomes a series',
      () => convertSingleToSeries(world, { meeting: 'm4', rule: 'FREQ=WEEKLY;COUNT=4' }),
    ],
    ['a new meeting', () => void weekly()],
  ])('after %s knows what the calendar shows, for organizer and guest', async (_what, change) => {
    expect(weekly().id).toBe('m3');
    expect(single().id).toBe('m4');
    for (const person of [ada, bo]) await mirrorOf(person).pull();
    const mirrors = [mirrorOf(ada), mirrorOf(bo)];
    for (const mirror of mirrors) await mirror.pull();
    change();
    for (const mirror of mirrors) {
      await mirror.pull();
      const seen = await mirror.seen();
      expect(facts(mirror.inWindow())).toEqual(facts(seen.values()));
    }
  });

  it('tells a guest that the organizer called one occurrence off, which no list of instances shows', async () => {
    const series = weekly();
    const mirror = mirrorOf(bo);
    await mirror.pull();
    cancelOccurrence(world, { meeting: series.id, slot: '2026-03-17T09:00:00Z' });
    await mirror.pull();
    const cancelled = [...mirror.copies.values()].filter(({ status }) => status === 'cancelled');
    expect(cancelled.map(({ originalDate }) => originalDate)).toEqual(['2026-03-17']);
    expect(mirror.copies.size).toBe(23);
  });

  it('gives the two copies of one meeting the same lineage, and one occurrence its date', async () => {
    const series = weekly();
    const cleo = world.addPerson({ name: 'Cleo Oh', address: 'cleo@south.example', provider: 'microsoft' });
    addGuest(world, { meeting: series.id, guest: 'cleo@south.example', slot: '2026-03-17T09:00:00Z' });
    const [mirror, guest] = [mirrorOf(ada), mirrorOf(cleo)];
    await mirror.pull();
    await guest.pull();
    const [only] = [...guest.copies.values()];
    expect(guest.copies.size).toBe(1);
    expect(only).toMatchObject({ seriesId: null, originalDate: '2026-03-17', lineage: series.uid });
    expect(new Set([...mirror.copies.values()].map(({ lineage }) => lineage))).toEqual(new Set([series.uid]));
  });

  it('recognises a meeting made at Google, raw or wrapped', async () => {
    const dana = world.addPerson({ name: 'Dana Ek', address: 'dana@north.example', provider: 'google' });
    ada.foreignUid = 'wrapped';
    bo.foreignUid = 'raw';
    const meeting = createMeeting(world, {
      organizer: dana.id,
      guests: ['ada@south.example', 'bo@south.example'],
      title: 'Across #mentoring',
      start: '2026-03-19T10:00',
      conference: 'meet',
    });
    for (const person of [ada, bo]) {
      const mirror = mirrorOf(person);
      await mirror.pull();
      const [copy] = [...mirror.copies.values()];
      expect(copy?.lineage).toBe(meeting.uid);
      expect(copy?.conference).toMatchObject({ kind: 'meet' });
      expect(copy?.ownerIsOrganizer).toBe(false);
      const found = await microsoft.calendar.copiesOf(
        calendarOf(person),
        { uid: meeting.uid, lineage: meeting.uid, window: WINDOW },
        signal,
      );
      expect(found.map(({ sourceId }) => sourceId)).toEqual([copy?.sourceId]);
    }
  });

  it('finds the copies of a series around its times, and nobody else’s', async () => {
    const series = weekly();
    single();
    const window = { from: instant('2026-03-16T00:00Z'), until: instant('2026-03-26T00:00Z') };
    const meeting = { uid: series.uid, lineage: series.uid, window };
    const found = await microsoft.calendar.copiesOf(calendarOf(bo), meeting, signal);
    expect(starts(found)).toEqual(['2026-03-17T09:00', '2026-03-24T09:00']);
  });

  it('says of a series that it is gone, and of an unknown id likewise', async () => {
    const series = weekly();
    const mirror = mirrorOf(ada);
    await mirror.pull();
    const seriesId = [...mirror.copies.values()][0]?.seriesId ?? '';
    expect(await microsoft.calendar.lookUp(calendarOf(ada), seriesId, signal)).toMatchObject({
      found: 'series',
    });
    const [first] = [...mirror.copies.keys()];
    expect(await microsoft.calendar.lookUp(calendarOf(ada), first ?? '', signal)).toEqual({
      found: 'instance',
      seriesId,
    });
    cancelMeeting(world, { meeting: series.id });
    expect(await microsoft.calendar.instances(calendarOf(ada), seriesId, WINDOW, signal)).toEqual({
      copies: [],
      cancelled: [],
      gone: true,
    });
    expect(await microsoft.calendar.lookUp(calendarOf(ada), seriesId, signal)).toEqual({ found: 'gone' });
    expect(await microsoft.calendar.lookUp(calendarOf(ada), 'AAMkNobody', signal)).toEqual({ found: 'gone' });
  });

  it('asks for a new beginning when the cursor is lost, also in the middle of a round', async () => {
    weekly();
    const mirror = mirrorOf(ada);
    await mirror.pull();
    world.expireTokens(ada.id);
    await expect(mirror.pull()).rejects.toMatchObject({ kind: 'gone', code: 'cursor_lost' });
    mirror.cursor = null;
    faults.add({ path: 'skiptoken', skip: 1, times: 1, fault: { kind: 'expired_cursor' } });
    await expect(mirror.pull()).rejects.toMatchObject({ kind: 'transient', code: 'round_lost' });
    await mirror.pull();
    expect(mirror.copies.size).toBe(23);
    mirror.cursor = 'none of ours';
    await expect(mirror.pull()).rejects.toMatchObject({ kind: 'gone', code: 'cursor_lost' });
  });

  it.each<[string, Parameters<Faults['add']>[0]['fault']]>([
    ['429 with Retry-After', { kind: 'status', status: 429, retryAfter: 2 }],
    ['429 without', { kind: 'status', status: 429 }],
    ['503', { kind: 'status', status: 503 }],
    ['a proxy page', { kind: 'html', status: 502 }],
    ['half an answer', { kind: 'truncated' }],
    ['a reset', { kind: 'reset' }],
  ])('survives %s twice on its way through a round', async (_what, fault) => {
    weekly();
    faults.add({ path: 'calendarView/delta', skip: 2, times: 2, fault });
    faults.add({ path: 'instances', times: 1, fault });
    const mirror = mirrorOf(ada);
    await mirror.pull();
    expect(mirror.copies.size).toBe(23);
    expect(waits).toHaveLength(3);
  });

  it.each<[string, Parameters<Faults['add']>[0]['fault'], object]>([
    ['{}', { kind: 'empty_object' }, { kind: 'transient', code: 'unreadable_answer' }],
    [
      'a long Retry-After',
      { kind: 'status', status: 429, retryAfter: 600 },
      { kind: 'throttled', retryAfterMs: 600_000 },
    ],
    ['403', { kind: 'status', status: 403 }, { kind: 'permanent', code: 'access_denied' }],
    ['401 for good', { kind: 'status', status: 401 }, { kind: 'auth', status: 401 }],
    ['500 for good', { kind: 'status', status: 500 }, { kind: 'transient', status: 500 }],
    ['400', { kind: 'status', status: 400 }, { kind: 'bug', status: 400 }],
  ])('never takes %s for an empty calendar or a deletion', async (_what, fault, failed) => {
    weekly();
    const mirror = mirrorOf(ada);
    await mirror.pull();
    const [copy] = [...mirror.copies.values()];
    faults.add({ path: 'users', fault });
    const { calendar } = microsoft;
    await expect(mirror.pull()).rejects.toMatchObject(failed);
    // A throttled mailbox is left alone from then on, and the time that is left shrinks.
    const expected = 'retryAfterMs' in failed ? { kind: 'throttled' } : failed;
    await expect(mirror.seen()).rejects.toMatchObject(expected);
    await expect(
      calendar.instances(calendarOf(ada), copy?.seriesId ?? '', WINDOW, signal),
    ).rejects.toMatchObject(expected);
    await expect(calendar.lookUp(calendarOf(ada), copy?.sourceId ?? '', signal)).rejects.toMatchObject(
      expected,
    );
  });

  it.each([
    ['forbidden', { kind: 'permanent', code: 'access_denied' }],
    ['no_mailbox', { kind: 'gone', code: 'no_mailbox' }],
  ] as const)('says of a mailbox that is %s what is wrong with it', async (state, failed) => {
    setPersonState(world, { person: ada.id, state });
    await expect(mirrorOf(ada).pull()).rejects.toMatchObject(failed);
    await expect(mirrorOf(bo).pull()).resolves.toBeUndefined();
  });

  it('reads a mailbox by an alias, and says when nobody has the address', async () => {
    single();
    const mirror = new Mirror(microsoft.calendar, { calendarId: 1, address: 'a.blum@south.example' }, WINDOW);
    await mirror.pull();
    expect(mirror.copies.size).toBe(1);
    await expect(
      new Mirror(microsoft.calendar, { calendarId: 1, address: 'nobody@south.example' }, WINDOW).pull(),
    ).rejects.toMatchObject({
      kind: 'gone',
      code: 'user_gone',
    });
  });

  it('never has more than two requests under way for one mailbox', async () => {
    await sandbox.close();
    await start({ latencyMs: 5, mailboxConcurrency: 2 });
    weekly();
    await Promise.all(Array.from({ length: 12 }, () => mirrorOf(ada).pull()));
    expect(faults.log.maxInFlight(ada.addresses[0])).toBe(2);
    expect(waits).toEqual([]);
    expect(sandbox.entra.issued()).toBe(1);
  });

  it('tells of every request by operation, without an address', async () => {
    weekly();
    await mirrorOf(ada).pull();
    expect(new Set(reports)).toEqual(new Set(['calendarView/delta ok', 'events ok', 'instances ok']));
  });

  it('goes on when its tokens are revoked in the middle of a round', async () => {
    weekly();
    const mirror = mirrorOf(ada);
    await mirror.pull();
    sandbox.entra.revokeTokens();
    await mirror.pull();
    expect(sandbox.entra.issued()).toBe(2);
  });

  describe('attendance', () => {
    const window = { from: instant('2026-03-17T08:00Z'), until: instant('2026-03-17T12:00Z') };

    it('tells after the lag who was there, and knows guests from accounts', async () => {
      const series = weekly();
      const [copy] = await microsoft.calendar.copiesOf(
        calendarOf(ada),
        { uid: series.uid, lineage: series.uid, window },
        signal,
      );
      const conference = copy?.conference;
      if (!conference) throw new Error('a session without a conference');
      const read = () =>
        microsoft.evidence.read({ organizer: 'ada@south.example', conference, window }, signal);
      expect(await read()).toEqual({ found: 'nothing' });
      world.clock.set('2026-03-17T09:50:00Z');
      attend(world, {
        meeting: series.id,
        slot: '2026-03-17T09:00:00Z',
        people: [
          { person: ada.id, minutes: [[0, 40]] },
          {
            person: bo.id,
            minutes: [
              [5, 20],
              [25, 40],
            ],
          },
          { anonymous: 'Visitor', minutes: [[10, 12]] },
        ],
      });
      expect(await read()).toEqual({ found: 'nothing' });
      world.clock.advance(3_600_000);
      const harvest = await read();
      if (harvest.found !== 'records') throw new Error(harvest.found);
      expect(harvest.records).toHaveLength(1);
      const [record] = harvest.records;
      expect(record).toMatchObject({
        from: instant('2026-03-17T09:00Z'),
        until: instant('2026-03-17T09:40Z'),
      });
      const people = record?.participants ?? [];
      expect(people.map(({ kind }) => kind).sort()).toEqual(['anonymous', 'user', 'user']);
      expect(people.find(({ addresses }) => addresses.includes('a.blum@south.example'))?.providerUserId).toBe(
        ada.objectId,
      );
      expect(people.find(({ addresses }) => addresses.includes('bo@south.example'))?.intervals).toEqual([
        { from: instant('2026-03-17T09:05Z'), until: instant('2026-03-17T09:20Z') },
        { from: instant('2026-03-17T09:25Z'), until: instant('2026-03-17T09:40Z') },
      ]);
      const asGuest = { organizer: 'bo@south.example', conference, window };
      expect(await microsoft.evidence.read(asGuest, signal)).toEqual({
        found: 'cannot_tell',
        reason: 'not_found',
      });
      sandbox.habits.attendanceDenied.add(ada.id);
      expect(await read()).toEqual({ found: 'cannot_tell', reason: 'no_permission' });
    });
  });

  describe('doctor', () => {
    const checks = async (person: Person, address = person.addresses[0]) =>
      (await microsoft.probe(address ?? '', signal)).map(({ check, ok }) => [check, ok]);

    it.each(['ada@south.example', 'a.blum@south.example'])('finds everything well at %s', async (address) => {
      expect(await checks(ada, address)).toEqual([
        ['credential', true],
        ['calendar', true],
        ['immutable ids', true],
        ['directory', true],
        ['Teams attendance', true],
      ]);
    });

    it('names what is not, with a way to mend it', async () => {
      sandbox.habits.attendanceDenied.add(ada.id);
      faults.add({ path: 'calendarView', fault: { kind: 'status', status: 403 } });
      const findings = await microsoft.probe('ada@south.example', signal);
      const ill = findings.filter(({ ok }) => !ok);
      expect(ill.map(({ check }) => check)).toEqual(['calendar', 'Teams attendance']);
      expect(ill.every(({ mend }) => mend.length > 0)).toBe(true);
      sandbox.entra.expireSecret();
      sandbox.entra.revokeTokens();
      faults.clear();
      await expect(mirrorOf(bo).pull()).rejects.toMatchObject({ kind: 'config', code: 'secret_expired' });
      expect(await checks(bo)).toEqual([['credential', false]]);
    });
  });
});
