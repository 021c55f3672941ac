import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMeeting, moveMeeting, type Person, setPersonState } from '../../../src/sandbox/world/index.ts';
import { type GraphBench, startBench, tokenFrom } from './graph-calls.ts';
import { type NotificationEndpoint, startNotificationEndpoint } from './notification-endpoint.ts';

const NOW = '2026-03-10T08:00:00Z';
const DAY = 86_400_000;
const PREFER = 'IdType="ImmutableId"';

describe('subscriptions of the stand-in for Graph', () => {
  let bench: GraphBench;
  let endpoint: NotificationEndpoint;
  let token: string;
  let ada: Person;

  beforeEach(async () => {
    bench = await startBench(NOW, { notificationDelayMs: 0, notificationRetriesMs: [0] });
    endpoint = await startNotificationEndpoint();
    token = await tokenFrom(bench.sandbox);
    ada = bench.world.addPerson({ name: 'Ada', address: 'ada@south.example', provider: 'microsoft' });
  });
  afterEach(async () => {
    await bench.close();
    await endpoint.close();
  });

  async function ask(method: string, path: string, body?: unknown) {
    const answer = await fetch(`${bench.sandbox.graphUrl}/v1.0${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        prefer: PREFER,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const json = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: answer.status, json, code: (json.error as { code?: string } | undefined)?.code };
  }
  const wish = (changes: Record<string, unknown> = {}) => ({
    changeType: 'created,updated,deleted',
    notificationUrl: `${endpoint.url}/in?from=mail`,
    lifecycleNotificationUrl: `${endpoint.url}/life`,
    resource: `users/${ada.objectId}/events`,
    expirationDateTime: new Date(bench.world.now() + 6 * DAY).toISOString(),
    clientState: 'a secret',
    ...changes,
  });
  const meeting = () =>
    createMeeting(bench.world, { organizer: 'ada@south.example', title: 'A', start: '2026-03-20T14:00' });

  it('are made while both URLs repeat their token, and tell of every change with the client state', async () => {
    const made = await ask('POST', '/subscriptions', wish());
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ resource: `users/${ada.objectId}/events`, clientState: null });
    expect(endpoint.handshakes).toEqual(['/inmail', '/life']);
    const { id } = meeting();
    moveMeeting(bench.world, { meeting: id, start: '2026-03-21T14:00' });
    await bench.sandbox.subscriptions.delivered();
    expect(endpoint.items().map(({ changeType }) => changeType)).toEqual(['created', 'updated']);
    const [first] = endpoint.items();
    expect(first).toMatchObject({ subscriptionId: made.json.id, clientState: 'a secret' });
    const copy = bench.world.copy(ada.id, id);
    expect(first?.resourceData?.id).toContain(copy?.immutableId);
  });

  it('are not made where the token is not repeated exactly, or not in time', async () => {
    endpoint.repeat = (text) => encodeURIComponent(text);
    expect(await ask('POST', '/subscriptions', wish())).toMatchObject({
      status: 400,
      code: 'ValidationError',
    });
    endpoint.repeat = () => null;
    bench.sandbox.habits.validationTimeoutMs = 50;
    expect(await ask('POST', '/subscriptions', wish())).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
    });
    expect(bench.sandbox.subscriptions.active()).toEqual([]);
  });

  it('are refused twice for one mailbox, beyond a quota, where denied, and for too long a life', async () => {
    const first = await ask('POST', '/subscriptions', wish());
    expect(await ask('POST', '/subscriptions', wish())).toMatchObject({ status: 409 });
    expect((await ask('GET', '/subscriptions')).json.value).toHaveLength(1);
    expect((await ask('DELETE', `/subscriptions/${String(first.json.id)}`)).status).toBe(204);
    expect((await ask('DELETE', `/subscriptions/${String(first.json.id)}`)).status).toBe(404);
    bench.sandbox.habits.subscriptionsPerMailbox = 0;
    expect(await ask('POST', '/subscriptions', wish())).toMatchObject({
      status: 403,
      code: 'ExtensionError',
    });
    bench.sandbox.habits.subscriptionsPerMailbox = 1;
    const far = { expirationDateTime: new Date(bench.world.now() + 8 * DAY).toISOString() };
    expect((await ask('POST', '/subscriptions', wish(far))).status).toBe(400);
    expect((await ask('POST', '/subscriptions', wish({ clientState: 'x'.repeat(129) }))).status).toBe(400);
    bench.sandbox.habits.subscriptionsDenied.add(ada.id);
    expect((await ask('POST', '/subscriptions', wish())).status).toBe(403);
    setPersonState(bench.world, { person: ada.id, state: 'no_mailbox' });
    expect(await ask('POST', '/subscriptions', wish())).toMatchObject({
      status: 404,
      code: 'ExtensionError',
    });
  });

  it('end at their time, live on when renewed, and no shorter than 45 minutes', async () => {
    const soon = new Date(bench.world.now() + 60_000).toISOString();
    const { json } = await ask('POST', '/subscriptions', wish({ expirationDateTime: soon }));
    expect(json.expirationDateTime).toBe('2026-03-10T08:45:00.0000000Z');
    const later = new Date(bench.world.now() + DAY).toISOString();
    const path = `/subscriptions/${String(json.id)}`;
    expect((await ask('PATCH', path, { expirationDateTime: later })).status).toBe(200);
    bench.world.clock.advance(2 * DAY);
    expect((await ask('PATCH', path, { expirationDateTime: later })).status).toBe(404);
  });

  it('pause until authorized again, and lose what happens meanwhile', async () => {
    const { json } = await ask('POST', '/subscriptions', wish());
    bench.sandbox.subscriptions.tell('reauthorizationRequired', String(json.id));
    meeting();
    await bench.sandbox.subscriptions.delivered();
    expect(endpoint.items().map(({ lifecycleEvent }) => lifecycleEvent)).toEqual(['reauthorizationRequired']);
    expect((await ask('POST', `/subscriptions/${String(json.id)}/reauthorize`)).status).toBe(204);
    meeting();
    await bench.sandbox.subscriptions.delivered();
    expect(endpoint.items()).toHaveLength(2);
  });

  it('tell in heaps, twice, or not at all, and again when refused', async () => {
    await ask('POST', '/subscriptions', wish());
    bench.sandbox.habits.notificationCopies = 2;
    meeting();
    meeting();
    await bench.sandbox.subscriptions.delivered();
    expect(endpoint.bodies).toHaveLength(1);
    expect(endpoint.items()).toHaveLength(4);
    bench.sandbox.habits.notificationLoss = 1;
    meeting();
    await bench.sandbox.subscriptions.delivered();
    expect(endpoint.items()).toHaveLength(4);
    Object.assign(bench.sandbox.habits, { notificationLoss: 0, notificationCopies: 1 });
    endpoint.status = 503;
    meeting();
    await bench.sandbox.subscriptions.delivered();
    expect(endpoint.bodies).toHaveLength(3);
  });
});
