import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMicrosoft, type Microsoft } from '../../src/providers/microsoft/index.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createFaults } from '../../src/sandbox/faults.ts';
import {
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { createMeeting, type Person, World } from '../../src/sandbox/world/index.ts';
import {
  type NotificationEndpoint,
  startNotificationEndpoint,
} from '../sandbox/microsoft/notification-endpoint.ts';
import { Mirror } from './microsoft-mirror.ts';

const signal = new AbortController().signal;
const WINDOW = { from: Date.UTC(2026, 1, 3), until: Date.UTC(2026, 6, 8) };

describe('an account that was deleted and made anew under the same address', () => {
  let world: World;
  let sandbox: MicrosoftSandbox;
  let endpoint: NotificationEndpoint;
  let microsoft: Microsoft;
  let ada: Person;
  const start = () => {
    const { tenant, clientId, clientSecret, graphUrl, tokenUrl } = sandbox;
    return createMicrosoft(
      { tenant, clientId, clientSecret, graphUrl, tokenUrl, maxInFlight: 4 },
      { log: silentLog(), now: () => world.now() },
    );
  };

  beforeEach(async () => {
    world = new World({ seed: 3, start: '2026-03-10T08:00:00Z' });
    world.clock.stop();
    sandbox = await startMicrosoftSandbox(world, {
      faults: createFaults({ now: () => world.now() }),
      habits: { latencyMs: 0, notificationDelayMs: 0 },
    });
    endpoint = await startNotificationEndpoint();
    ada = world.addPerson({
      name: 'Ada',
      address: 'ada@south.example',
      aliases: ['a.blum@south.example'],
      provider: 'microsoft',
    });
    microsoft = start();
    createMeeting(world, { organizer: ada.id, title: 'Talk #mentoring', start: '2026-03-20T14:00' });
  });
  afterEach(async () => {
    await sandbox.close();
    await endpoint.close();
  });
  const madeAnew = () => {
    ada.objectId = randomUUID();
  };
  const open = () =>
    microsoft.push.open(
      { calendarId: 1, address: 'ada@south.example' },
      {
        channelId: randomUUID(),
        secret: 's'.repeat(43),
        url: `${endpoint.url}/notifications/microsoft`,
        until: world.now() + 86_400_000,
        earlier: [],
      },
      signal,
    );
  const byAlias = () =>
    new Mirror(microsoft.calendar, { calendarId: 1, address: 'a.blum@south.example' }, WINDOW);

  it('is watched under its new id', async () => {
    const { externalId } = await open();
    sandbox.subscriptions.lose(externalId);
    madeAnew();
    await open();
    expect(sandbox.subscriptions.active()).toMatchObject([{ resource: `users/${ada.objectId}/events` }]);
  });

  it('is read by an alias under its new id', async () => {
    await byAlias().pull();
    madeAnew();
    const mirror = byAlias();
    await mirror.pull();
    expect(mirror.copies.size).toBe(1);
  });

  it.each(['by the process that knew the old id', 'by another one'])(
    'loses its cursor, which is of the old mailbox, and is read from the beginning %s',
    async (by) => {
      const mirror = byAlias();
      await mirror.pull();
      madeAnew();
      if (by === 'by another one') microsoft = start();
      const again = Object.assign(byAlias(), { cursor: mirror.cursor });
      await expect(again.pull()).rejects.toMatchObject({ kind: 'gone', code: 'cursor_lost' });
      const anew = byAlias();
      await anew.pull();
      expect(anew.copies.size).toBe(1);
    },
  );

  it('is gone where nobody has the address any more', async () => {
    const mirror = byAlias();
    await mirror.pull();
    ada.objectId = randomUUID();
    ada.addresses.splice(1);
    await expect(mirror.pull()).rejects.toMatchObject({ kind: 'gone', code: 'user_gone' });
    await expect(byAlias().pull()).rejects.toMatchObject({ kind: 'gone', code: 'user_gone' });
  });
});
