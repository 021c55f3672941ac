import { afterEach, beforeEach, expect, it } from 'vitest';
import { adapterFor, refuse, startWireServer, thrownBy, type WireServer } from './microsoft-wire-server.ts';

/** A refusal counts for what Graph says in it. A page of a proxy with the same status says nothing about Microsoft. */

const never = new AbortController().signal;
const calendar = { calendarId: 1, address: 'ada@south.example' };
const channel = {
  channelId: 'c0c0c0c0-1111-4222-8333-444444444444',
  externalId: 'd0d0d0d0-1111-4222-8333-444444444444',
  resourceId: null,
  expiresAt: Date.UTC(2026, 10, 21),
};
const request = {
  channelId: channel.channelId,
  secret: 's'.repeat(43),
  url: 'https://cadenced.example/notifications/microsoft',
  until: Date.UTC(2026, 10, 27),
  earlier: [],
};

let wire: WireServer;
beforeEach(async () => {
  wire = await startWireServer();
});
afterEach(() => wire.close());

const microsoft = () => adapterFor(wire).microsoft;
const page = (status: number) => {
  wire.graph = (_asked, response) => response.writeHead(status).end('<html>Blocked</html>');
};
const word = (status: number, code: string) => {
  wire.graph = (_asked, response) => refuse(response, status, code);
};

it('a mailbox that must be refused is so by Graph alone', async () => {
  const probed = () => microsoft().probeRefused('eve@south.example', never);
  word(403, 'ErrorAccessDenied');
  expect(await probed()).toMatchObject({ ok: true, finding: 'eve@south.example is refused, as it must be' });
  word(404, 'MailboxNotEnabledForRESTAPI');
  expect(await probed()).toMatchObject({ ok: false, finding: expect.stringContaining('has no mailbox') });
  for (const status of [403, 404]) {
    page(status);
    expect(await probed()).toMatchObject({
      ok: false,
      finding: `transient/unreadable_answer (${status})`,
      mend: 'try again',
    });
  }
});

it('meetings of an organizer can be found when Graph finds none, not when a proxy does', async () => {
  const attendance = async () =>
    (await microsoft().probe(calendar.address, never)).find(({ check }) => check === 'Teams attendance');
  const answer = wire.graph;
  const meetings = (refusal: () => void) => {
    refusal();
    const refusing = wire.graph;
    wire.graph = (asked, response) => {
      if (asked.url.includes('onlineMeetings')) refusing(asked, response);
      else if (/users\/ada/.test(asked.url) && !asked.url.includes('calendarView'))
        response.end(JSON.stringify({ id: 'ada', mail: calendar.address }));
      else answer(asked, response);
    };
  };
  meetings(() => word(404, 'NotFound'));
  expect(await attendance()).toMatchObject({ ok: true });
  meetings(() => page(404));
  expect(await attendance()).toMatchObject({ ok: false });
});

it('a user is denied, and a subscription refused or gone, by Graph alone', async () => {
  const open = () => thrownBy(microsoft().push.open(calendar, request, never));
  const renew = () => thrownBy(microsoft().push.renew(calendar, channel, request.until, never));
  word(403, 'ErrorAccessDenied');
  expect(await open()).toMatchObject({ kind: 'permanent', code: 'push_denied' });
  word(404, 'ResourceNotFound');
  expect(await open()).toMatchObject({ kind: 'gone', code: 'no_mailbox' });
  expect(await renew()).toMatchObject({ kind: 'gone', code: 'channel_gone' });
  await microsoft().push.close(calendar, channel, never);
  for (const status of [403, 404]) {
    page(status);
    expect(await open()).toMatchObject({ kind: 'transient', code: 'unreadable_answer' });
    expect(await renew()).toMatchObject({ kind: 'transient', code: 'unreadable_answer' });
    expect(await thrownBy(microsoft().push.close(calendar, channel, never))).toMatchObject({
      kind: 'transient',
    });
  }
  // The directory, and then the subscription: the answer about the user is no word of Graph either.
  wire.graph = (asked, response) => {
    if (asked.method === 'GET') response.writeHead(403).end('<html>Blocked</html>');
    else refuse(response, 403, 'ErrorAccessDenied');
  };
  expect(await open()).toMatchObject({ kind: 'transient', code: 'unreadable_answer' });
});
