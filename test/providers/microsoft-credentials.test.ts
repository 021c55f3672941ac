import { constants, createPublicKey, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTokenSource, type EntraSettings } from '../../src/providers/microsoft/credentials.ts';
import { createLog, silentLog } from '../../src/runtime/log.ts';
import { readMicrosoftCertificate } from '../../src/settings/credentials.ts';
import { NATIONAL_CLOUDS } from '../../src/settings/national-clouds.ts';
import { selfSigned } from '../settings/self-signed.ts';
import {
  json,
  settingsFor,
  startWireServer,
  TENANT,
  thrownBy,
  type WireServer,
} from './microsoft-wire-server.ts';

describe('tokens for Graph', () => {
  let wire: WireServer;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    wire = await startWireServer();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await wire.close();
  });

  const source = (settings: Partial<EntraSettings> = {}) =>
    createTokenSource({ ...settingsFor(wire), ...settings }, { log: silentLog() });
  /** The renewal that nobody waits for ends when it is told of: with so many of them failed. */
  const watched = () => {
    const lines: string[] = [];
    const log = createLog({
      format: 'json',
      level: 'warn',
      destination: { write: (line) => lines.push(line) },
    });
    const failed = (times: number) =>
      vi.waitFor(() => expect(lines.filter((line) => line.includes('serves on'))).toHaveLength(times));
    return { tokens: createTokenSource(settingsFor(wire), { log }), failed };
  };
  const later = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);
  const refusal =
    (status: number, error: string, ...numbers: number[]): WireServer['entra'] =>
    (_asked, response) =>
      json(response, status, { error, error_description: 'AADSTS', error_codes: numbers });
  const outage: WireServer['entra'] = (_asked, response) => response.writeHead(503).end();

  it('are asked for once by many at the same time, and then kept', async () => {
    const tokens = source();
    const given = await Promise.all(Array.from({ length: 10 }, () => tokens.token()));
    expect(new Set(given)).toEqual(new Set(['token-1']));
    later(3000);
    expect(await tokens.token()).toBe('token-1');
    expect(wire.tokensAsked).toHaveLength(1);
    const form = new URLSearchParams(wire.tokensAsked[0]?.body);
    expect(form.get('grant_type')).toBe('client_credentials');
    expect(form.get('scope')).toContain('https://graph.microsoft.com/.default');
    expect(form.get('client_secret')).toBe('a secret');
  });

  it('are renewed in their last five minutes, for which nobody waits while the old one is good', async () => {
    const tokens = source();
    await tokens.token();
    later(3599 - 299);
    expect(await tokens.token()).toBe('token-1');
    await vi.waitFor(async () => expect(await tokens.token()).toBe('token-2'));
    expect(wire.tokensAsked).toHaveLength(2);
  });

  it('are waited for once the old one might die on its way', async () => {
    const tokens = source();
    await tokens.token();
    later(3599 - 29);
    expect(await tokens.token()).toBe('token-2');
  });

  it('serve on until they die when a renewal fails, without asking at every request', async () => {
    const { tokens, failed } = watched();
    await tokens.token();
    wire.entra = outage;
    later(3599 - 200);
    expect(await tokens.token()).toBe('token-1');
    expect(await tokens.token()).toBe('token-1');
    await failed(1);
    expect(await tokens.token()).toBe('token-1');
    expect(wire.tokensAsked).toHaveLength(2);
    later(31);
    expect(await tokens.token()).toBe('token-1');
    await failed(2);
    expect(wire.tokensAsked).toHaveLength(3);
    later(200);
    expect(await thrownBy(tokens.token())).toMatchObject({ kind: 'transient', status: 503 });
  });

  describe('of an Entra that takes the question and never answers', () => {
    afterEach(() => vi.restoreAllMocks());

    it('serve on without a wait; the question has an end, and is not asked again at once', async () => {
      const deadlines: AbortController[] = [];
      vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
        expect(ms).toBeLessThanOrEqual(10_000);
        const deadline = new AbortController();
        deadlines.push(deadline);
        return deadline.signal;
      });
      let arrived: () => void = () => undefined;
      const hangs = () => {
        const asked = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        wire.entra = () => arrived();
        return asked;
      };
      const passes = () => deadlines.at(-1)?.abort(new DOMException('', 'TimeoutError'));
      const { tokens, failed } = watched();
      await tokens.token();
      later(3599 - 200);
      for (const askedSoFar of [2, 3]) {
        const asked = hangs();
        const given = await Promise.all(Array.from({ length: 10 }, () => tokens.token()));
        expect(new Set(given)).toEqual(new Set(['token-1']));
        await asked;
        expect(await tokens.token()).toBe('token-1');
        passes();
        await failed(askedSoFar - 1);
        expect(await tokens.token()).toBe('token-1');
        expect(wire.tokensAsked).toHaveLength(askedSoFar);
        later(31);
      }
      later(200);
      const asked = hangs();
      const refused = thrownBy(tokens.token());
      await asked;
      passes();
      expect(await refused).toMatchObject({ kind: 'transient', code: 'timeout' });
    });
  });

  it('come again at once when the outage is over: no minute of local silence', async () => {
    const tokens = source();
    const healthy = wire.entra;
    wire.entra = outage;
    await thrownBy(tokens.token());
    wire.entra = healthy;
    expect(await tokens.token()).toBe('token-1');
  });

  it('are not asked for more than every five minutes once a secret has expired', async () => {
    const tokens = source();
    wire.entra = refusal(401, 'invalid_client', 7000222);
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await thrownBy(tokens.token())).toMatchObject({ kind: 'config', code: 'secret_expired' });
    }
    expect(wire.tokensAsked).toHaveLength(1);
    later(301);
    await thrownBy(tokens.token());
    expect(wire.tokensAsked).toHaveLength(2);
  });

  it('are had with the other credential while two are rotated, in either order, without asking twice each time', async () => {
    const tokens = source({ clientSecret: ['old', 'new'] });
    const healthy = wire.entra;
    const expired = refusal(401, 'invalid_client', 7000222);
    const onlyNew: WireServer['entra'] = (asked, response) =>
      (new URLSearchParams(asked.body).get('client_secret') === 'new' ? healthy : expired)(asked, response);
    const secretsOffered = () =>
      wire.tokensAsked.map(({ body }) => new URLSearchParams(body).get('client_secret'));
    await tokens.token();
    wire.entra = onlyNew;
    later(3599);
    await tokens.token();
    later(3599);
    await tokens.token();
    expect(secretsOffered()).toEqual(['old', 'old', 'new', 'new']);
    wire.entra = refusal(401, 'invalid_client', 7000215);
    later(3599);
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await thrownBy(tokens.token())).toMatchObject({ kind: 'config', code: 'credential_refused' });
    }
    expect(secretsOffered().slice(4)).toEqual(['new', 'old']);
  });

  it('are not asked for with another credential when Entra is down: that says nothing about the first', async () => {
    const tokens = source({ clientSecret: ['old', 'new'] });
    wire.entra = outage;
    await thrownBy(tokens.token());
    expect(wire.tokensAsked).toHaveLength(1);
  });

  it('refused for good are told once as an error, and a certificate that ends soon at 30, 7 and 1 days', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const told: string[] = [];
    const log = createLog({
      format: 'json',
      level: 'warn',
      destination: { write: (line: string) => void told.push((JSON.parse(line) as { level: string }).level) },
    });
    const certificate = {
      privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      thumbprintSha256: 'ab'.repeat(32),
      expiresAt: new Date(Date.now() + 31 * 86_400_000).toISOString(),
    };
    const tokens = createTokenSource({ ...settingsFor(wire), clientSecret: undefined, certificate }, { log });
    const at: number[] = [];
    for (let day = 0; day < 31; day += 1) {
      await tokens.token();
      if (told.length > at.length) at.push(31 - day);
      later(86_400);
    }
    expect(at).toEqual([30, 7, 1]);
    wire.entra = refusal(401, 'invalid_client', 7000222);
    told.length = 0;
    for (let tries = 0; tries < 5; tries += 1) {
      await thrownBy(tokens.token());
      later(301);
    }
    expect(told).toEqual(['error']);
  });

  it('are thrown away when Graph refuses them, and asked for once by all who were refused', async () => {
    const tokens = source();
    const first = await tokens.token();
    tokens.refused(first);
    const [one, other] = await Promise.all([tokens.token(), tokens.token()]);
    tokens.refused(first);
    expect([one, other, await tokens.token()]).toEqual(['token-2', 'token-2', 'token-2']);
    expect(wire.tokensAsked).toHaveLength(2);
  });

  it.each([
    [400, 'unauthorized_client', 700016, 'config', 'application_unknown'],
    [400, 'invalid_request', 90002, 'config', 'tenant_unknown'],
    [401, 'invalid_client', 7000215, 'config', 'credential_refused'],
    [401, 'invalid_client', 700027, 'config', 'credential_refused'],
    [400, 'invalid_scope', 1002012, 'config', 'token_refused'],
    [429, 'temporarily_unavailable', 0, 'throttled', 'token_throttled'],
  ])('refused with %i %s %i are %s/%s', async (status, error, number, kind, code) => {
    wire.entra = refusal(status, error, number);
    expect(await thrownBy(source().token())).toMatchObject({ kind, code, status });
  });

  it.each<[string, WireServer['entra']]>([
    [
      'a page of HTML',
      (_asked, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    ],
    ['half an answer', (_asked, response) => response.writeHead(200).end('{"access_tok')],
    ['a reset', (_asked, response) => response.destroy()],
  ])('are a passing fault when Entra answers with %s', async (_what, script) => {
    wire.entra = script;
    expect(await thrownBy(source().token())).toMatchObject({ kind: 'transient' });
  });

  it('need a real tenant: `common` is a setting gone wrong', async () => {
    expect(await thrownBy(source({ tenant: 'common', tokenUrl: undefined }).token())).toMatchObject({
      kind: 'config',
      code: 'client_settings',
    });
    expect(wire.tokensAsked).toHaveLength(0);
  });

  it('can be had by certificate: an assertion signed with PS256 that names it', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const thumbprintSha256 = 'ab'.repeat(32);
    const tokens = source({ clientSecret: undefined, certificate: { privateKeyPem, thumbprintSha256 } });
    expect(await tokens.token()).toBe('token-1');
    const form = new URLSearchParams(wire.tokensAsked[0]?.body);
    expect(form.get('client_secret')).toBeNull();
    const [head = '', payload = '', signature = ''] = (form.get('client_assertion') ?? '').split('.');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(read(head)).toMatchObject({
      alg: 'PS256',
      'x5t#S256': Buffer.from(thumbprintSha256, 'hex').toString('base64url'),
    });
    expect(read(payload)).toMatchObject({ aud: wire.tokenUrl, iss: settingsFor(wire).clientId });
    const key = {
      key: createPublicKey(privateKey),
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    };
    expect(
      verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url')),
    ).toBe(true);
  });

  it('name by certificate the chain as well, as tenants want it that trust by subject and issuer', async () => {
    const { certificate, privateKey } = selfSigned();
    const read = readMicrosoftCertificate(certificate + privateKey);
    if (!read.ok) throw new Error(read.expected);
    const { thumbprintSha256, certificate: x5c, expiresAt } = read.value;
    const given = { privateKeyPem: read.value.privateKey.reveal(), thumbprintSha256, x5c, expiresAt };
    await source({ clientSecret: undefined, certificate: given }).token();
    const assertion = new URLSearchParams(wire.tokensAsked[0]?.body).get('client_assertion') ?? '';
    const [head = '', payload = '', signature = ''] = assertion.split('.');
    const sent = new X509Certificate(certificate);
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toMatchObject({
      alg: 'PS256',
      x5c: [sent.raw.toString('base64')],
      'x5t#S256': Buffer.from(sent.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
    });
    const key = { key: sent.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const signed = Buffer.from(`${head}.${payload}`);
    expect(verify('sha256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it.each(NATIONAL_CLOUDS.map(({ graphUrl }) => graphUrl))(
    'are asked for %s itself: a national cloud is a resource of its own',
    async (graphUrl) => {
      await source({ graphUrl }).token();
      const scopes = new URLSearchParams(wire.tokensAsked[0]?.body).get('scope')?.split(' ');
      expect(scopes?.filter((scope) => scope.startsWith('https:'))).toEqual([`${graphUrl}/.default`]);
    },
  );

  it('are asked for at the tenant of the settings', async () => {
    await source().token();
    expect(wire.tokensAsked[0]?.url.split('?')[0]).toBe(`/${TENANT}/oauth2/v2.0/token`);
  });
});
