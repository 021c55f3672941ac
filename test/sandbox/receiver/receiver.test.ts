import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Receiver, secretFromSeed, startReceiver } from '../../../src/sandbox/receiver/receiver.ts';

describe('webhook receiver', () => {
  const secret = secretFromSeed(7);
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver({ secret });
  });
  afterEach(() => receiver.close());

  function deliver(
    change: { key?: string; at?: Date; sent?: string; signature?: string } = {},
  ): Promise<Response> {
    const body = JSON.stringify({ type: 'session.judged', data: { outcome: 'held' } });
    const at = change.at ?? new Date();
    const signature = change.signature ?? new Webhook(change.key ?? secret).sign('evt_1', at, body);
    return fetch(receiver.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': 'evt_1',
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': signature,
      },
      body: change.sent ?? body,
    });
  }

  it('believes what the published library signed', async () => {
    const coming = receiver.waitForWebhook((webhook) => webhook.type === 'session.judged');
    expect((await deliver()).status).toBe(204);
    expect(await coming).toMatchObject({
      id: 'evt_1',
      verified: true,
      fault: null,
      attempt: 1,
      answered: 204,
      body: { type: 'session.judged', data: { outcome: 'held' } },
    });
  });

  it.each([
    ['another secret', { key: secretFromSeed(8) }, 'signature_mismatch'],
    ['a changed body', { sent: '{"type":"session.judged"}' }, 'signature_mismatch'],
    ['an old timestamp', { at: new Date(Date.now() - 600_000) }, 'timestamp_out_of_tolerance'],
    ['no signature', { signature: '' }, 'headers_missing'],
    ['rubbish', { signature: 'v1,AAAA v2,zzz' }, 'signature_mismatch'],
  ])('refuses %s', async (_name, change, fault) => {
    expect((await deliver(change)).status).toBe(401);
    expect(receiver.received()[0]).toMatchObject({ verified: false, fault });
  });

  it('believes either of two secrets during a rotation', async () => {
    receiver.trust(secretFromSeed('next'));
    expect((await deliver({ key: secretFromSeed('next') })).status).toBe(204);
    expect((await deliver()).status).toBe(204);
  });

  it('fails as told, then recovers, and counts the attempts of one id', async () => {
    receiver.fail({ answer: 500, times: 2 });
    const answers = [(await deliver()).status, (await deliver()).status, (await deliver()).status];
    expect(answers).toEqual([500, 500, 204]);
    expect(receiver.received().map((webhook) => webhook.attempt)).toEqual([1, 2, 3]);

    receiver.fail({ answer: 429, retryAfterSeconds: 30 });
    expect((await deliver()).headers.get('retry-after')).toBe('30');
    receiver.fail({ answer: 410 });
    expect((await deliver()).status).toBe(410);
    receiver.recover();
    expect((await deliver()).status).toBe(204);
  });

  it('can leave a sender without an answer', async () => {
    receiver.fail({ answer: 'stall', times: 1 });
    const abort = new AbortController();
    const body = '{}';
    const pending = fetch(receiver.url, { method: 'POST', body, signal: abort.signal });
    await receiver.waitForWebhook((webhook) => webhook.answered === 0);
    abort.abort();
    await expect(pending).rejects.toThrow('aborted');
  });

  it('shows deliveries to people and programs', async () => {
    await deliver();
    expect(await (await fetch(receiver.pageUrl)).text()).toContain('session.judged');
    expect(await (await fetch(`${receiver.pageUrl}/received/1`)).text()).toContain(
      '&quot;outcome&quot;: &quot;held&quot;',
    );
    expect((await fetch(`${receiver.pageUrl}/received/9`)).status).toBe(404);
    expect(await (await fetch(`${receiver.pageUrl}/received.json`)).json()).toHaveLength(1);
  });
});
