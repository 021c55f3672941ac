import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMicrosoft, type Microsoft } from '../../src/providers/microsoft/index.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createFaults, type Faults } from '../../src/sandbox/faults.ts';
import {
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { createMeeting, type Person, setPersonState, World } from '../../src/sandbox/world/index.ts';
import {
  type NotificationEndpoint,
  startNotificationEndpoint,
} from '../sandbox/microsoft/notification-endpoint.ts';

const DAY = 86_400_000;
const signal = new AbortController().signal;

describe('subscriptions at Graph', () => {
  let world: World;
  let faults: Faults;
  let sandbox: MicrosoftSandbox;
  let endpoint: NotificationEndpoint;
  let microsoft: Microsoft;
  let ada: Person;

  beforeEach(async () => {
    world = new World({ seed: 3, start: '2026-03-10T08:00:00Z' });
    world.clock.stop();
    faults = createFaults({ now: () => world.now() });
    sandbox = await startMicrosoftSandbox(world, {
      faults,
      habits: { latencyMs: 0, notificationDelayMs: 0 },
    });
    endpoint = await startNotificationEndpoint();
    ada = world.addPerson({
      name: 'Ada',
      address: 'ada@south.example',
      aliases: ['a.blum@south.example'],
      provider: 'microsoft',
    });
    const { tenant, clientId, clientSecret, graphUrl, tokenUrl } = sandbox;
    let elapsed = 0;
    microsoft = createMicrosoft(
      { tenant, clientId, clientSecret, graphUrl, tokenUrl, maxInFlight: 4 },
      {
        log: silentLog(),
        now: () => world.now(),
        random: () => 0,
        elapsed: () => elapsed,
        sleep: async (ms) => {
          elapsed += ms;
        },
      },
    );
  });
  afterEach(async () => {
    await sandbox.close();
    await endpoint.close();
  });

  const calendar = { calendarId: 1, address: 'ada@south.example' };
  const request = (days = 6.5) => ({
    channelId: 'c0c0c0c0-1111-4222-8333-444444444444',
    secret: 's'.repeat(43),
    url: `${endpoint.url}/notifications/microsoft`,
    until: world.now() + days * DAY,
    earlier: [],
  });
  const open = (days?: number) => microsoft.push.open(calendar, request(days), signal);

  it('are opened for the mailbox by its object id, with immutable ids, and deliver with the secret', async () => {
    const channel = await open();
    expect(channel).toMatchObject({ resourceId: null, expiresAt: world.now() + 6.5 * DAY });
    expect(sandbox.subscriptions.active()).toMatchObject([
      {
        id: channel.externalId,
        resource: `users/${ada.objectId}/events`,
        changeType: 'created,updated,deleted',
        immutableIds: true,
        lifecycleUrl: request().url,
      },
    ]);
    expect(endpoint.handshakes).toHaveLength(2);
    createMeeting(world, { organizer: ada.id, title: 'A', start: '2026-03-12T10:00' });
    await sandbox.subscriptions.delivered();
    expect(endpoint.items()).toMatchObject([
      { subscriptionId: channel.externalId, clientState: 's'.repeat(43), changeType: 'created' },
    ]);
  });

  it('are opened for a mailbox known by an alias', async () => {
    await microsoft.push.open({ calendarId: 1, address: 'a.blum@south.example' }, request(), signal);
    expect(sandbox.subscriptions.active()).toHaveLength(1);
  });

  it('are asked for a life within the limit, and for a shorter one where the limit is the old one', async () => {
    expect((await open(30)).expiresAt - world.now()).toBeLessThanOrEqual(10_080 * 60_000);
    for (const { id } of sandbox.subscriptions.active()) sandbox.subscriptions.lose(id);
    sandbox.habits.subscriptionLifeMinutes = 4_230;
    const channel = await open();
    expect(channel.expiresAt - world.now()).toBe(4_200 * 60_000);
    world.clock.advance(DAY);
    const renewed = await microsoft.push.renew(calendar, channel, world.now() + 6.5 * DAY, signal);
    expect(renewed?.expiresAt).toBe(world.now() + 4_200 * 60_000);
  });

  it('are renewed under their name, and known to be gone', async () => {
    const channel = await open(3);
    const renewed = await microsoft.push.renew(calendar, channel, world.now() + 6 * DAY, signal);
    expect(renewed).toMatchObject({ externalId: channel.externalId, expiresAt: world.now() + 6 * DAY });
    sandbox.subscriptions.lose(channel.externalId);
    await expect(
      microsoft.push.renew(calendar, channel, world.now() + 6 * DAY, signal),
    ).rejects.toMatchObject({ kind: 'gone', code: 'channel_gone' });
    await expect(microsoft.push.close(calendar, channel, signal)).resolves.toBeUndefined();
  });

  it('take the place of a stray of ours, whose secret nobody knows any more', async () => {
    const stray = await open();
    const channel = await open();
    expect(sandbox.subscriptions.active().map(({ id }) => id)).toEqual([channel.externalId]);
    expect(channel.externalId).not.toBe(stray.externalId);
  });

  it('do not take the place of another installation’s', async () => {
    sandbox.subscriptions.leaveBehind({
      person: ada.id,
      resource: `users/${ada.objectId}/events`,
      changeType: 'created,updated,deleted',
      notificationUrl: 'http://127.0.0.1:9/notifications/microsoft',
      lifecycleUrl: null,
      clientState: null,
      immutableIds: true,
      expiresAt: world.now() + DAY,
    });
    await expect(open()).rejects.toMatchObject({ kind: 'permanent', code: 'push_taken' });
    expect(sandbox.subscriptions.active()).toHaveLength(1);
  });

  it('are listed over pages with the mailbox and the address they deliver to', async () => {
    for (let at = 0; at < 130; at += 1) {
      sandbox.subscriptions.leaveBehind({
        person: ada.id,
        resource: at === 0 ? 'communications/callRecords' : `users/${ada.objectId}/events`,
        changeType: 'created',
        notificationUrl: `${endpoint.url}/${at}`,
        lifecycleUrl: null,
        clientState: null,
        immutableIds: true,
        expiresAt: world.now() + DAY,
      });
    }
    const listed = (await microsoft.push.list(signal)) ?? [];
    expect(listed).toHaveLength(129);
    expect(listed[0]).toMatchObject({ calendarKey: ada.objectId, url: `${endpoint.url}/1` });
  });

  it('are not asked for again when the answer was lost, but when it was refused', async () => {
    faults.add({ path: 'subscriptions', method: 'POST', times: 1, fault: { kind: 'status', status: 503 } });
    await expect(open()).rejects.toMatchObject({ kind: 'transient' });
    faults.add({ path: 'subscriptions', method: 'POST', times: 2, fault: { kind: 'status', status: 429 } });
    await expect(open()).resolves.toBeDefined();
  });

  it.each([
    ['by policy', () => sandbox.habits.subscriptionsDenied.add(ada.id), { code: 'push_denied' }],
    [
      'by quota',
      () => {
        sandbox.habits.subscriptionsPerMailbox = 0;
      },
      { kind: 'permanent', code: 'push_denied' },
    ],
    [
      'without a mailbox',
      () => setPersonState(world, { person: ada.id, state: 'no_mailbox' }),
      { kind: 'gone', code: 'no_mailbox' },
    ],
  ])('that are denied %s say why', async (_why, deny, failed) => {
    deny();
    await expect(open()).rejects.toMatchObject(failed);
  });

  it('to an address that does not answer as it must are a matter of settings', async () => {
    endpoint.repeat = () => 'something else';
    await expect(open()).rejects.toMatchObject({ kind: 'config', code: 'push_url_refused' });
    endpoint.repeat = () => null;
    sandbox.habits.validationTimeoutMs = 20;
    await expect(open()).rejects.toMatchObject({ kind: 'config', code: 'push_url_refused' });
  });
});
