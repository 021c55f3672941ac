import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMicrosoft, type Microsoft } from '../../src/providers/microsoft/index.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createFaults, type Faults } from '../../src/sandbox/faults.ts';
import {
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import {
  createMeeting,
  deleteCopy,
  type MeetingInput,
  moveMeeting,
  World,
} from '../../src/sandbox/world/index.ts';

/** What doctor finds out about a tenant that no page of Microsoft's says for sure. */

const ADA = 'ada@south.example';
const ALIAS = 'a.blum@south.example';
const BO = 'bo@south.example';
const FAY = 'fay@south.example';
const signal = new AbortController().signal;

describe('what only a tenant can show', () => {
  let world: World;
  let faults: Faults;
  let sandbox: MicrosoftSandbox;
  let microsoft: Microsoft;
  beforeEach(async () => {
    world = new World({ seed: 7, start: new Date().toISOString() });
    world.clock.stop();
    faults = createFaults({ now: () => world.now() });
    sandbox = await startMicrosoftSandbox(world, { faults, habits: { latencyMs: 0 } });
    world.addPerson({ name: 'Ada Blum', address: ADA, aliases: [ALIAS], provider: 'microsoft' });
    world.addPerson({ name: 'Bo Lind', address: BO, provider: 'microsoft' });
    world.addPerson({ name: 'Fay Orr', address: FAY, provider: 'microsoft' });
    microsoft = createMicrosoft(
      {
        tenant: sandbox.tenant,
        clientId: sandbox.clientId,
        clientSecret: sandbox.clientSecret,
        graphUrl: sandbox.graphUrl,
        tokenUrl: sandbox.tokenUrl,
        maxInFlight: 4,
      },
      { log: silentLog(), random: () => 0, sleep: () => Promise.resolve() },
    );
  });
  afterEach(() => sandbox.close());

  const meet = (days: number, more: Partial<MeetingInput> = {}) =>
    createMeeting(world, {
      organizer: ADA,
      guests: [BO],
      title: 'Session #mentoring',
      start: new Date(world.now() + days * 86_400_000).toISOString().slice(0, 16),
      ...more,
    });
  const finding = async (check: string) =>
    (await microsoft.probe(ADA, signal)).find((found) => found.check === check);

  it('series: that they go by immutable ids', async () => {
    expect(await finding('series ids')).toBeUndefined();
    meet(2, { rule: 'FREQ=WEEKLY;COUNT=3' });
    expect(await finding('series ids')).toMatchObject({
      ok: true,
      finding: 'series go by immutable ids, too',
    });
  });

  it('private events: whether they have words', async () => {
    meet(2);
    expect(await finding('private events')).toBeUndefined();
    meet(3, { visibility: 'private' });
    expect(await finding('private events')).toMatchObject({
      ok: true,
      finding: 'can be matched by their words, which are not kept',
    });
  });

  describe('requests at once', () => {
    const ALL = [ADA, BO, FAY];
    // Long enough for all of them to be under way together.
    beforeEach(() => {
      sandbox.habits.latencyMs = 100;
    });
    const asked = () => faults.log.entries().filter(({ url }) => url.includes('calendarView'));

    it('answered beyond four over all mailboxes: each is counted for itself', async () => {
      // By another address of hers, too, that is found before anything is tried.
      for (const addresses of [ALL, [ALIAS, BO, FAY]]) {
        const before = asked().length;
        expect(await microsoft.probeAtOnce(addresses, signal)).toEqual({
          check: 'requests at once',
          ok: true,
          finding:
            'all of 6 requests at once to 3 mailboxes were answered: each mailbox is counted for itself. One daemon sends 4 at most',
          mend: '',
        });
        expect(
          asked()
            .slice(before)
            .filter(({ status }) => status === 200),
        ).toHaveLength(9);
      }
      expect(faults.log.maxInFlight(ADA)).toBe(2);
      expect(faults.log.maxTogether('microsoft')).toBeGreaterThan(4);
    });

    it('throttled though no mailbox had more than two: they are counted together', async () => {
      sandbox.habits.applicationConcurrency = 3;
      expect(await microsoft.probeAtOnce(ALL, signal)).toMatchObject({
        ok: true,
        finding: expect.stringMatching(
          /^[1-5] of 6 requests .* were throttled: mailboxes are counted together/,
        ),
      });
    });

    it('without any answer are no proof of anything', async () => {
      faults.add({ path: 'calendarView', skip: 3, fault: { kind: 'reset' } });
      expect(await microsoft.probeAtOnce(ALL, signal)).toMatchObject({
        ok: false,
        finding: expect.stringMatching(/^6 of 6 requests .* were not answered \(transient\/network\)/),
        mend: expect.stringContaining('try again'),
      });
    });

    it('need three mailboxes that can be read', async () => {
      faults.add({ mailbox: FAY, fault: { kind: 'status', status: 403 } });
      const before = asked().length;
      expect(await microsoft.probeAtOnce(ALL, signal)).toMatchObject({
        ok: true,
        finding: expect.stringContaining('not tried: it takes 3 readable mailboxes'),
      });
      expect(asked().length - before).toBe(3);
    });
  });

  describe('deleted events', () => {
    const idsAt = async (address: string) => {
      const window = { from: world.now(), until: world.now() + 30 * 86_400_000 };
      const ids: string[] = [];
      for await (const page of microsoft.calendar.snapshot({ calendarId: 1, address }, window, signal)) {
        ids.push(...page.copies.map(({ sourceId }) => sourceId));
      }
      return ids;
    };
    const deleted = async (address = BO) => {
      const meeting = meet(2);
      const [sourceId = ''] = await idsAt(address);
      deleteCopy(world, { meeting: meeting.id, person: BO });
      return { address, sourceId };
    };
    const tell = async (...events: Parameters<Microsoft['probeDeleted']>[0]) =>
      microsoft.probeDeleted(events, signal);

    it('that are not given any more', async () => {
      expect(await tell(await deleted())).toMatchObject({
        check: 'deleted events',
        ok: true,
        finding: 'are not given by their ids any more',
      });
    });

    it('that are still given, from the trash; and what stands on the calendar is not taken for such', async () => {
      sandbox.habits.trashAnswers = true;
      const event = await deleted();
      expect(await tell(event)).toMatchObject({
        ok: true,
        finding: expect.stringContaining('are still given by their ids, from the trash'),
      });
      const moved = meet(4);
      const [sourceId = ''] = await idsAt(ALIAS);
      moveMeeting(world, {
        meeting: moved.id,
        start: new Date(world.now() + 9 * 86_400_000).toISOString().slice(0, 16),
      });
      const standing = { address: ALIAS, sourceId };
      expect(await tell(standing)).toMatchObject({
        ok: true,
        finding: expect.stringContaining('stand on their calendars again'),
      });
      expect((await tell(standing, event)).finding).toContain('from the trash');
    });

    it('of which nothing is known, or that cannot be asked for', async () => {
      expect(await tell()).toMatchObject({ ok: true, finding: expect.stringContaining('not tried') });
      faults.add({ path: '/events/', fault: { kind: 'status', status: 403 } });
      expect(await tell(await deleted())).toMatchObject({
        ok: false,
        finding: expect.stringContaining('permanent/access_denied'),
      });
    });
  });
});
