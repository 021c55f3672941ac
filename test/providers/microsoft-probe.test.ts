import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../settings/self-signed.ts';
import {
  adapterFor,
  json,
  refuse,
  startWireServer,
  TENANT,
  thrownBy,
  type WireServer,
} from './microsoft-wire-server.ts';

const signal = new AbortController().signal;

/** Tenants as nobody has seen them yet, and as nothing says that they are not. */
describe('what doctor tells of a tenant that is not as the others', () => {
  let wire: WireServer;
  beforeEach(async () => {
    wire = await startWireServer();
  });
  afterEach(() => wire.close());

  const told = async (check: string, rows: readonly object[], master: object | null = null) => {
    wire.graph = ({ url }, response) => {
      if (url.includes('/calendarView')) json(response, 200, { value: rows });
      else if (url.includes('/events/') && master !== null) json(response, 200, master);
      else json(response, 404, { error: { code: 'ErrorItemNotFound' } });
    };
    const { microsoft } = adapterFor(wire);
    return (await microsoft.probe('ada@south.example', signal)).find((finding) => finding.check === check);
  };

  it('occurrences that name their series by another id than it has', async () => {
    const rows = [{ id: 'O1', type: 'occurrence', seriesMasterId: 'S-changeable', subject: 'Session' }];
    expect(await told('series ids', rows, { id: 'S-immutable', type: 'seriesMaster' })).toMatchObject({
      ok: true,
      finding: expect.stringContaining('another id'),
    });
    expect(await told('series ids', rows, { id: 'S-changeable', type: 'seriesMaster' })).toMatchObject({
      finding: 'series go by immutable ids, too',
    });
    expect(await told('series ids', rows)).toMatchObject({
      ok: false,
      finding: expect.stringMatching('^gone/item_not_found'),
    });
  });

  it('private events without words', async () => {
    const rows = [{ id: 'E1', type: 'singleInstance', sensitivity: 'private', subject: '' }];
    expect(await told('private events', rows)).toMatchObject({
      ok: true,
      finding: 'show no words: tag them by category or mailbox',
    });
  });

  it('a proxy that takes the wish for immutable ids away', async () => {
    expect(await told('immutable ids', [])).toMatchObject({
      ok: false,
      mend: expect.stringContaining('Prefer'),
    });
  });
});

describe('what doctor says to do about Microsoft', () => {
  let wire: WireServer;
  beforeEach(async () => {
    wire = await startWireServer();
  });
  afterEach(() => wire.close());

  const findings = (settings: Parameters<typeof adapterFor>[1] = {}) =>
    adapterFor(wire, settings).microsoft.probe('ada@south.example', signal);
  const of = async (check: string, settings: Parameters<typeof adapterFor>[1] = {}) =>
    (await findings(settings)).find((finding) => finding.check === check);

  /** A host that nobody listens at. */
  const silentHost = async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((done) => server.close(done));
    return host;
  };

  it('about a host that cannot be reached: to look at what is between, not at the grants', async () => {
    const host = await silentHost();
    expect(await findings({ tokenUrl: `https://${host}/${TENANT}/oauth2/v2.0/token` })).toEqual([
      {
        check: 'credential',
        ok: false,
        finding: 'transient/network: ECONNREFUSED',
        mend: expect.stringMatching(`^let this machine reach ${host}: .*firewall.*proxy`),
      },
    ]);
    const mends = (await findings({ graphUrl: `http://${host}` })).filter((finding) => !finding.ok);
    expect(mends.map(({ check }) => check)).toEqual(['calendar', 'directory']);
    for (const { mend } of mends) expect(mend).toContain(`let this machine reach ${host}: `);
  });

  it('about a certificate that is not trusted: to trust it, and the daemon takes it for a setting, too', async () => {
    const { certificate, privateKey } = selfSigned();
    const server = createSecureServer({ cert: certificate, key: privateKey });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      for (const settings of [{ tokenUrl: `${url}/token` }, { graphUrl: url }]) {
        const check = 'tokenUrl' in settings ? 'credential' : 'calendar';
        expect(await of(check, settings)).toMatchObject({
          finding: 'config/certificate_untrusted: DEPTH_ZERO_SELF_SIGNED_CERT',
          mend: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
        });
        const { microsoft, waits } = adapterFor(wire, settings);
        const reading = microsoft.calendar
          .snapshot({ calendarId: 1, address: 'ada@south.example' }, { from: 0, until: 1 }, signal)
          [Symbol.asyncIterator]()
          .next();
        expect(await thrownBy(reading)).toMatchObject({ kind: 'config', code: 'certificate_untrusted' });
        expect(waits).toEqual([]);
      }
    } finally {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });

  it('about throttling and faults: to wait', async () => {
    wire.graph = (_asked, response) => refuse(response, 429, 'TooManyRequests', { 'retry-after': '120' });
    expect(await of('calendar')).toMatchObject({ mend: expect.stringMatching('^try again later') });
    wire.graph = (_asked, response) => refuse(response, 503, 'ServiceUnavailable');
    expect(await of('calendar')).toMatchObject({ mend: 'try again in some minutes' });
    wire.entra = (_asked, response) => json(response, 429, {});
    expect(await of('credential')).toMatchObject({ mend: expect.stringMatching('^try again later') });
  });

  it('about the page of a proxy: to see who answers there', async () => {
    wire.graph = (_asked, response) => response.writeHead(403).end('<html>Blocked</html>');
    expect(await of('calendar')).toMatchObject({
      mend: `see what answers in place of ${new URL(wire.url).host}: a proxy, or a page to log in at`,
    });
  });

  it('about refusals: what is to be granted', async () => {
    wire.graph = (_asked, response) => refuse(response, 403, 'ErrorAccessDenied');
    expect(await of('calendar')).toMatchObject({ mend: expect.stringContaining('Calendars.Read ') });
    wire.entra = (_asked, response) =>
      json(response, 401, { error: 'invalid_client', error_codes: [7000222] });
    expect(await of('credential')).toMatchObject({
      finding: expect.stringContaining('config/secret_expired'),
      mend: expect.stringContaining('not expired'),
    });
  });
});
