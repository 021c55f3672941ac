import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { baseOfGoogleId } from '../../src/domain/lineage.ts';
import type { ChangedItem, Listing, ObservedCopy } from '../../src/domain/observation.ts';
import { TIME_LIMITS } from '../../src/providers/google/client.ts';
import { createGoogle, type Google } from '../../src/providers/google/index.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { Fault } from '../../src/sandbox/faults.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../../src/sandbox/google/server.ts';
import {
  addGuest,
  attend,
  cancelMeeting,
  cancelOccurrence,
  convertSeriesToSingle,
  convertSingleToSeries,
  createMeeting,
  createRandom,
  deleteCopy,
  editMeeting,
  firstSlots,
  type Meeting,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  respond,
  setPersonState,
  splitSeries,
  World,
} from '../../src/sandbox/world/index.ts';

const signal = new AbortController().signal;
const START = '2026-03-02T08:00:00Z';
const WINDOW = { from: Date.parse('2026-01-26T00:00:00Z'), until: Date.parse('2026-06-30T00:00:00Z') };
const ADA = { calendarId: 1, address: 'ada@school.example' };
const BO = { calendarId: 2, address: 'bo@school.example' };

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const page of pages) gathered.push(page);
  return gathered;
}

describe('Google source against the sandbox', () => {
  let world: World;
  let sandbox: GoogleSandbox;
  let google: Google;
  let waits: number[];

  beforeEach(async () => {
    world = new World({ seed: 7, start: START });
    world.addPerson({ name: 'Ada Blum', address: ADA.address });
    world.addPerson({ name: 'Bo Carr', address: BO.address, aliases: ['bo.carr@school.example'] });
    world.addPerson({ name: 'Cy Dorn', address: 'cy@elsewhere.example', provider: 'microsoft' });
    sandbox = await startGoogleSandbox(world, { habits: { maxPage: 3, emptyPages: 0.3 } });
    waits = [];
    google = createGoogle(
      {
        serviceAccountKey: sandbox.serviceAccountKey,
        apiUrl: sandbox.url,
        tokenUrl: sandbox.tokenUrl,
        maxInFlight: 8,
      },
      {
        log: silentLog(),
        now: () => world.now(),
        random: () => 0,
        sleep: async (milliseconds) => {
          waits.push(milliseconds);
        },
        timeLimits: { list: 300, other: 300, token: TIME_LIMITS.token },
      },
    );
  });
  afterEach(() => sandbox.close());

  const talk = (more: Partial<Parameters<typeof createMeeting>[1]> = {}): Meeting =>
    createMeeting(world, {
      organizer: ADA.address,
      guests: [{ address: BO.address }],
      title: 'Talk #mentoring',
      start: '2026-03-10T10:00',
      minutes: 60,
      ...more,
    });
  const weekly = (): Meeting => talk({ rule: 'FREQ=WEEKLY;BYDAY=TU' });

  async function pull(
    cursor: string | null,
    calendar = ADA,
  ): Promise<{ items: ChangedItem[]; cursor: string }> {
    const pages = await all(google.calendar.changes(calendar, cursor, WINDOW, signal));
    const end = pages.at(-1)?.cursor;
    expect(pages.slice(0, -1).every((page) => page.cursor === null)).toBe(true);
    if (end === undefined || end === null) throw new Error('the pull ended without a cursor');
    return { items: pages.flatMap((page) => page.items), cursor: end };
  }

  async function snapshot(calendar = ADA): Promise<Listing> {
    const pages = await all(google.calendar.snapshot(calendar, WINDOW, signal));
    return {
      copies: pages.flatMap((page) => page.copies),
      cancelled: pages.flatMap((page) => page.cancelled),
    };
  }

  const starts = (copies: readonly ObservedCopy[]) =>
    copies.map((copy) => new Date(copy.start).toISOString()).toSorted();

  describe('tells what changed', () => {
    it('a single event booked, edited, moved, answered and called off', async () => {
      const first = await pull(null);
      const meeting = talk();
      const booked = await pull(first.cursor);
      expect(booked.items).toMatchObject([
        {
          kind: 'single',
          copy: {
            sourceId: meeting.eventId,
            lineage: meeting.lineage,
            start: Date.parse('2026-03-10T09:00:00Z'),
            end: Date.parse('2026-03-10T10:00:00Z'),
            organizer: ADA.address,
            ownerIsOrganizer: true,
            status: 'confirmed',
          },
        },
      ]);

      editMeeting(world, { meeting: meeting.id, title: 'Renamed' });
      moveMeeting(world, { meeting: meeting.id, start: '2026-03-11T15:00' });
      respond(world, { meeting: meeting.id, person: BO.address, response: 'accepted' });
      const edited = await pull(booked.cursor);
      expect(edited.items).toMatchObject([
        {
          kind: 'single',
          copy: {
            start: Date.parse('2026-03-11T14:00:00Z'),
            text: { title: 'Renamed' },
            people: expect.arrayContaining([
              expect.objectContaining({ address: BO.address, response: 'accepted' }),
            ]),
          },
        },
      ]);
      const [before] = booked.items;
      const [after] = edited.items;
      if (before?.kind !== 'single' || after?.kind !== 'single') throw new Error('not single');
      expect(after.copy.revision).not.toBe(before.copy.revision);

      cancelMeeting(world, { meeting: meeting.id });
      const called = await pull(edited.cursor);
      expect(called.items).toMatchObject([
        { kind: 'removed', sourceId: meeting.eventId, seriesId: null, certainty: 'explicit' },
      ]);
      expect((await pull(called.cursor)).items).toEqual([]);
      expect(await google.calendar.lookUp(ADA, meeting.eventId, signal)).toEqual({ found: 'gone' });
    });

    it('a series, its moved and cancelled occurrences, however bare the tombstone', async () => {
      for (const sparseTombstones of [0, 1]) {
        sandbox.habits.sparseTombstones = sparseTombstones;
        const meeting = weekly();
        const { cursor, items } = await pull(null);
        expect(items).toContainEqual(
          expect.objectContaining({
            kind: 'series',
            series: expect.objectContaining({ seriesId: meeting.eventId }),
          }),
        );
        moveOccurrence(world, {
          meeting: meeting.id,
          slot: '2026-03-17T09:00:00Z',
          start: '2026-03-18T13:00:00Z',
        });
        cancelOccurrence(world, { meeting: meeting.id, slot: '2026-03-24T09:00:00Z' });
        const changed = await pull(cursor);
        const kinds = changed.items.map((item) => [item.kind, 'seriesId' in item ? item.seriesId : null]);
        expect(kinds).toContainEqual(['exception', meeting.eventId]);
        expect(kinds).toContainEqual(['removed', meeting.eventId]);

        const expanded = await google.calendar.instances(ADA, meeting.eventId, WINDOW, signal);
        expect(expanded.gone).toBe(false);
        const moved = expanded.copies.find((copy) => copy.originalDate === '2026-03-17');
        expect(moved).toMatchObject({
          originalStart: Date.parse('2026-03-17T09:00:00Z'),
          start: Date.parse('2026-03-18T13:00:00Z'),
        });
        expect(expanded.cancelled.map((instance) => instance.originalStart)).toEqual([
          Date.parse('2026-03-24T09:00:00Z'),
        ]);
        // The summer clock begins in between: the hour in Berlin stays, the instant moves.
        expect(starts(expanded.copies)).toContain('2026-03-31T08:00:00.000Z');
        cancelMeeting(world, { meeting: meeting.id });
      }
    });

    it('a split series as two masters of one lineage', async () => {
      const meeting = weekly();
      const { cursor } = await pull(null);
      const second = splitSeries(world, { meeting: meeting.id, slot: '2026-04-07T08:00:00Z', time: '14:00' });
      const changed = await pull(cursor);
      const series = changed.items.flatMap((item) => (item.kind === 'series' ? [item.series] : []));
      expect(series.map((one) => one.seriesId).toSorted()).toEqual(
        [meeting.eventId, second.eventId].toSorted(),
      );
      expect(new Set(series.map((one) => one.lineage))).toEqual(new Set([meeting.lineage]));
      const listed = await snapshot();
      expect(new Set(listed.copies.map((copy) => copy.lineage))).toEqual(new Set([meeting.lineage]));
    });

    it('a guest’s own deletion as theirs alone', async () => {
      const meeting = talk();
      const ada = await pull(null);
      const bo = await pull(null, BO);
      deleteCopy(world, { meeting: meeting.id, person: BO.address });
      expect((await pull(bo.cursor, BO)).items).toMatchObject([
        { kind: 'removed', sourceId: meeting.eventId, byGuest: true },
      ]);
      expect(await google.calendar.lookUp(BO, meeting.eventId, signal)).toEqual({ found: 'gone' });
      expect(await google.calendar.lookUp(ADA, meeting.eventId, signal)).toMatchObject({ found: 'single' });
      expect((await pull(ada.cursor)).items.map((item) => item.kind)).not.toContain('removed');
    });

    it('a single that became a series and one that was a series', async () => {
      const meeting = talk();
      const single = await pull(null);
      convertSingleToSeries(world, { meeting: meeting.id, rule: 'FREQ=WEEKLY;COUNT=4' });
      const series = await pull(single.cursor);
      expect(series.items).toMatchObject([{ kind: 'series', series: { seriesId: meeting.eventId } }]);
      expect(await google.calendar.lookUp(ADA, meeting.eventId, signal)).toMatchObject({ found: 'series' });
      const [instance] = (await google.calendar.instances(ADA, meeting.eventId, WINDOW, signal)).copies;
      expect(await google.calendar.lookUp(ADA, instance?.sourceId ?? '', signal)).toEqual({
        found: 'instance',
        seriesId: meeting.eventId,
      });

      convertSeriesToSingle(world, { meeting: meeting.id });
      expect((await pull(series.cursor)).items).toContainEqual(expect.objectContaining({ kind: 'single' }));
      expect(await google.calendar.instances(ADA, meeting.eventId, WINDOW, signal)).toMatchObject({
        gone: true,
      });
    });

    it('an endless daily series only inside the window', async () => {
      const meeting = talk({ rule: 'FREQ=DAILY', start: '2026-03-10T10:00' });
      sandbox.habits.maxPage = 2500;
      const { copies } = await google.calendar.instances(ADA, meeting.eventId, WINDOW, signal);
      expect(copies).toHaveLength(112);
      expect(copies.every((copy) => copy.start < WINDOW.until)).toBe(true);
    });
  });

  it('rebuilds every calendar from changes and expansions exactly as it stands, whatever happened', async () => {
    for (const seed of [1, 2, 3]) {
      const random = createRandom(seed);
      const meetings: Meeting[] = [talk(), weekly()];
      const replicas = [ADA, BO].map((calendar) => createReplica(google, calendar));
      for (let step = 0; step < 12; step++) {
        happen(world, random.next.bind(random), meetings, () =>
          talk({ start: `2026-04-${10 + step}T09:00` }),
        );
        if (step % 5 === 4) world.expireTokens();
        for (const replica of replicas) {
          await replica.pull();
          const listed = await snapshot(replica.calendar);
          expect(replica.slots()).toEqual(listed.copies.map(slotKey).toSorted());
        }
      }
    }
  }, 120_000);

  describe('when something fails', () => {
    it('a cursor that expired is lost, and the next pull is whole', async () => {
      talk();
      const { cursor } = await pull(null);
      world.expireTokens();
      await expect(pull(cursor)).rejects.toMatchObject({ kind: 'gone', code: 'cursor_lost' });
      expect((await pull(null)).items).toHaveLength(1);
    });

    const passing: [string, Fault, number[]][] = [
      ['429 with Retry-After', { kind: 'status', status: 429, retryAfter: 7 }, [7000]],
      ['429 without', { kind: 'status', status: 429 }, [1000]],
      ['403 rateLimitExceeded', { kind: 'status', status: 403, reason: 'rateLimitExceeded' }, [1000]],
      ['503', { kind: 'status', status: 503 }, [250]],
      ['a page of HTML', { kind: 'html', status: 502 }, [250]],
      ['a cut-off answer', { kind: 'truncated' }, [250]],
      ['an empty object', { kind: 'empty_object' }, [250]],
      ['no answer', { kind: 'stall', where: 'headers' }, [250]],
      ['an answer that stops', { kind: 'stall', where: 'body' }, [250]],
      ['a torn connection', { kind: 'reset' }, [250]],
      ['an empty page', { kind: 'empty_page' }, []],
    ];
    it.each(passing)('%s on the second page costs time and no event', async (_name, fault, expectedWaits) => {
      sandbox.habits.emptyPages = 0;
      for (let day = 10; day < 18; day++) talk({ start: `2026-03-${day}T10:00` });
      sandbox.faults.add({ path: /\/events\?/, skip: 1, times: 1, fault });
      const { items } = await pull(null);
      expect(items).toHaveLength(8);
      expect(waits).toEqual(expectedWaits);
    });

    it('an access token made worthless is renewed', async () => {
      const { cursor } = await pull(null);
      sandbox.revokeAccessTokens();
      talk();
      expect((await pull(cursor)).items).toHaveLength(1);
    });

    it.each([
      ['forbidden', { kind: 'auth', code: 'forbidden' }],
      ['no_mailbox', { kind: 'auth', code: 'not_a_calendar_user' }],
      ['suspended', { kind: 'gone', code: 'account_unknown' }],
    ] as const)('somebody %s is a refusal of their calendar only', async (state, refused) => {
      const { cursor } = await pull(null, BO);
      setPersonState(world, { person: BO.address, state });
      sandbox.revokeAccessTokens();
      await expect(pull(cursor, BO)).rejects.toMatchObject(refused);
      expect((await pull(null)).items).toEqual([]);
    });

    it('an unknown address and a missing grant are told apart', async () => {
      const nobody = { calendarId: 3, address: 'nobody@school.example' };
      await expect(pull(null, nobody)).rejects.toMatchObject({ kind: 'gone', code: 'account_unknown' });
      sandbox.grantedScopes.clear();
      await expect(pull(null)).rejects.toMatchObject({ kind: 'config', code: 'delegation_missing' });
      const findings = await google.probe(ADA.address, signal);
      expect(findings.map((finding) => finding.ok)).toEqual([false, false, false]);
    });
  });

  it('finds an Outlook meeting by its UID however Google writes it', async () => {
    const meeting = createMeeting(world, {
      organizer: 'cy@elsewhere.example',
      guests: [{ address: ADA.address }],
      title: 'From outside',
      start: '2026-03-12T10:00',
    });
    const copies = await google.calendar.copiesOf(
      ADA,
      { uid: meeting.uid, lineage: meeting.lineage, window: WINDOW },
      signal,
    );
    expect(copies).toMatchObject([{ sourceId: meeting.eventId, lineage: meeting.lineage }]);
    const none = { uid: 'other@google.com', lineage: 'other@google.com', window: WINDOW };
    expect(await google.calendar.copiesOf(ADA, none, signal)).toEqual([]);
  });

  it('charges every request to the calendar it is for', async () => {
    await pull(null);
    await pull(null, BO);
    const users = sandbox.faults.log
      .entries()
      .filter((entry) => entry.url.includes('/calendar/'))
      .map((entry) => entry.quotaUser);
    expect(new Set(users).size).toBe(2);
    expect(users.every((user) => /^[0-9a-f]{40}$/.test(user ?? ''))).toBe(true);
  });

  it('probes clean where everything is granted', async () => {
    const findings = await google.probe(ADA.address, signal);
    expect(findings.map(({ check, ok }) => [check, ok])).toEqual([
      ['google calendar', true],
      ['google meet records', true],
      ['google directory', true],
    ]);
  });

  describe('Meet records', () => {
    const held = (): { meeting: Meeting; ask: Parameters<Google['evidence']['read']>[0] } => {
      const meeting = talk({ conference: 'meet', start: '2026-03-02T10:00' });
      world.clock.set('2026-03-02T09:41:00Z');
      attend(world, {
        meeting: meeting.id,
        people: [
          { person: ADA.address, minutes: [[0, 40]] },
          { person: BO.address, minutes: [[5, 40]] },
          { person: 'cy@elsewhere.example', minutes: [[6, 10]] },
          { anonymous: 'Somebody', minutes: [[10, 20]] },
        ],
      });
      const window = { from: Date.parse('2026-03-02T08:30:00Z'), until: Date.parse('2026-03-02T11:00:00Z') };
      const copy = meeting.conference;
      if (copy?.kind !== 'meet') throw new Error('no Meet code');
      const conference = { kind: 'meet', key: copy.code.replaceAll('-', '') } as const;
      return { meeting, ask: { organizer: ADA.address, conference, window } };
    };

    it('name the people of the domain and nobody else', async () => {
      const { ask, meeting } = held();
      // Meet lags by minutes: so soon it still shows the call as going on, to be read again.
      expect(await google.evidence.read(ask, signal)).toMatchObject({
        found: 'records',
        records: [{ until: null }],
      });
      world.clock.set('2026-03-02T12:00:00Z');
      const harvest = await google.evidence.read(ask, signal);
      if (harvest.found !== 'records') throw new Error(harvest.found);
      const people = harvest.records.flatMap((record) => record.participants);
      expect(people.map((person) => [person.kind, person.addresses])).toEqual(
        expect.arrayContaining([
          ['user', [ADA.address]],
          ['user', expect.arrayContaining([BO.address])],
          ['anonymous', []],
        ]),
      );
      const bo = people.find((person) => person.addresses.includes(BO.address));
      expect(bo?.intervals).toEqual([
        { from: Date.parse('2026-03-02T09:05:00Z'), until: Date.parse('2026-03-02T09:40:00Z') },
      ]);
      const [seen] = (await snapshot()).copies.filter((copy) => copy.sourceId === meeting.eventId);
      expect(seen?.conference).toEqual(ask.conference);
    });

    it('are silent to guests, strangers and the late', async () => {
      const { ask } = held();
      world.clock.set('2026-03-02T12:00:00Z');
      expect(await google.evidence.read({ ...ask, organizer: BO.address }, signal)).toEqual({
        found: 'nothing',
      });
      const stranger = { ...ask, organizer: 'cy@elsewhere.example' };
      expect(await google.evidence.read(stranger, signal)).toEqual({
        found: 'cannot_tell',
        reason: 'external_organizer',
      });
      world.clock.set('2026-04-20T12:00:00Z');
      expect(await google.evidence.read(ask, signal)).toEqual({ found: 'cannot_tell', reason: 'expired' });
    });
  });
});

const slotKey = (copy: ObservedCopy) =>
  [copy.sourceId, copy.start, copy.end, copy.originalStart, copy.text.title].join(' ');

/** The least that a reader must do with the stream: keep singles, remember series, expand what was touched. */
function createReplica(google: Google, calendar: typeof ADA) {
  const singles = new Map<string, ObservedCopy>();
  const series = new Map<string, readonly ObservedCopy[]>();
  let cursor: string | null = null;

  async function pull(): Promise<void> {
    const touched = new Set<string>();
    try {
      for await (const page of google.calendar.changes(calendar, cursor, WINDOW, signal)) {
        for (const item of page.items) {
          if (item.kind === 'single') {
            series.delete(item.copy.sourceId);
            singles.set(item.copy.sourceId, item.copy);
          } else if (item.kind === 'series') {
            singles.delete(item.series.seriesId);
            series.set(item.series.seriesId, []);
            touched.add(baseOfGoogleId(item.series.seriesId));
          } else if (item.kind === 'removed' && item.seriesId === null) {
            singles.delete(item.sourceId);
            series.delete(item.sourceId);
          } else if ('seriesId' in item && item.seriesId !== null) touched.add(baseOfGoogleId(item.seriesId));
        }
        cursor = page.cursor ?? cursor;
      }
    } catch (error) {
      if (cursor === null || !(error instanceof Error) || !('code' in error) || error.code !== 'cursor_lost')
        throw error;
      cursor = null;
      singles.clear();
      series.clear();
      await pull();
      return;
    }
    // Instances of a split series may be named after the first part: both parts are expanded again.
    for (const seriesId of [...series.keys()].filter((id) => touched.has(baseOfGoogleId(id)))) {
      const expanded = await google.calendar.instances(calendar, seriesId, WINDOW, signal);
      if (expanded.gone) series.delete(seriesId);
      else series.set(seriesId, expanded.copies);
    }
  }

  return {
    calendar,
    pull,
    slots: () =>
      [...singles.values(), ...[...series.values()].flat()]
        .filter((copy) => copy.end > WINDOW.from && copy.start < WINDOW.until)
        .map(slotKey)
        .toSorted(),
  };
}

/** One thing that people do to their calendars. */
function happen(world: World, random: () => number, meetings: Meeting[], book: () => Meeting): void {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const meeting = pick(meetings.filter((one) => one.cancelledAt === null));
  if (meeting === undefined || random() < 0.2) {
    meetings.push(book());
    return;
  }
  const onMeeting = { meeting: meeting.id };
  const slot = pick(
    world
      .occurrences(meeting.id, world.now(), WINDOW.until)
      .filter((one) => one.cancelledAt === null)
      .slice(0, 8),
  )?.slot;
  const dice = random();
  if (meeting.recurrence === null || slot === undefined || slot === null) {
    if (dice < 0.4)
      moveMeeting(world, { ...onMeeting, start: `2026-05-0${1 + Math.floor(random() * 9)}T11:00` });
    else if (dice < 0.6) convertSingleToSeries(world, { ...onMeeting, rule: 'FREQ=WEEKLY;COUNT=6' });
    else if (dice < 0.8) editMeeting(world, { ...onMeeting, title: `Talk ${random()}` });
    else cancelMeeting(world, onMeeting);
    return;
  }
  if (dice < 0.2) moveOccurrence(world, { ...onMeeting, slot, start: slot + 26 * 3_600_000 });
  else if (dice < 0.4) cancelOccurrence(world, { ...onMeeting, slot });
  else if (dice < 0.5) moveSeries(world, { ...onMeeting, time: '16:00' });
  else if (dice < 0.65 && ordinalOf(meeting, slot) > 0)
    meetings.push(splitSeries(world, { ...onMeeting, slot, time: '12:00' }));
  else if (dice < 0.75) respond(world, { ...onMeeting, slot, person: BO.address, response: 'declined' });
  else if (dice < 0.85) addGuest(world, { ...onMeeting, slot, guest: { address: 'new@elsewhere.example' } });
  else if (dice < 0.95) deleteCopy(world, { ...onMeeting, slot, person: BO.address });
  else convertSeriesToSingle(world, onMeeting);
}

const ordinalOf = (meeting: Meeting, slot: number) => firstSlots(meeting, 100).indexOf(slot);
