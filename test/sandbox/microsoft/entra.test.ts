import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { ConfidentialClientApplication } from '@azure/msal-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GraphBench, startBench, tokenFrom } from './graph-calls.ts';

describe('token endpoint', () => {
  let bench: GraphBench;
  beforeEach(async () => {
    bench = await startBench('2026-03-10T08:00:00Z');
  });
  afterEach(() => bench.close());

  async function ask(change: Record<string, string> = {}, tenant = bench.sandbox.tenant) {
    const { clientId, clientSecret, tokenUrl } = bench.sandbox;
    const answer = await fetch(tokenUrl.replace(bench.sandbox.tenant, tenant), {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        scope: 'https://graph.microsoft.com/.default',
        ...change,
      }),
    });
    const body = (await answer.json()) as {
      error?: string;
      error_codes?: number[];
      error_description?: string;
      expires_in?: number;
    };
    return { status: answer.status, body };
  }

  function application(
    auth: { clientSecret: string } | { clientCertificate: { thumbprintSha256: string; privateKey: string } },
  ) {
    const { tenant, tokenUrl, clientId } = bench.sandbox;
    const authority = `https://login.sandbox.invalid/${tenant}`;
    return new ConfidentialClientApplication({
      auth: {
        clientId,
        authority,
        knownAuthorities: ['login.sandbox.invalid'],
        authorityMetadata: JSON.stringify({
          authorization_endpoint: `${authority}/authorize`,
          token_endpoint: tokenUrl,
          issuer: `${authority}/v2.0`,
          end_session_endpoint: `${authority}/logout`,
          jwks_uri: `${authority}/keys`,
        }),
        ...auth,
      },
    });
  }
  const scopes = ['https://graph.microsoft.com/.default'];

  it('gives MSAL a token for the secret, which opens Graph', async () => {
    const result = await application({
      clientSecret: bench.sandbox.clientSecret,
    }).acquireTokenByClientCredential({ scopes });
    expect(bench.sandbox.entra.accepts(`Bearer ${result?.accessToken}`)).toBe(true);
  });

  it('gives MSAL a token for a registered certificate and refuses another key', async () => {
    const pair = () =>
      generateKeyPairSync('rsa', {
        modulusLength: 2048,
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      });
    const thumbprintSha256 = randomBytes(32).toString('hex');
    const known = pair();
    bench.sandbox.entra.registerCertificate({ pem: known.publicKey, thumbprintSha256 });
    const signIn = (privateKey: string) =>
      application({ clientCertificate: { thumbprintSha256, privateKey } }).acquireTokenByClientCredential({
        scopes,
      });
    expect((await signIn(known.privateKey))?.accessToken).toMatch(/^eyJ/);
    await expect(signIn(pair().privateKey)).rejects.toMatchObject({ errorCode: 'invalid_client' });
  });

  it.each([
    ['a wrong secret', { client_secret: 'x' }, 401, 'invalid_client', 7_000_215],
    ['an unknown application', { client_id: 'x' }, 400, 'unauthorized_client', 700_016],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type', 70_003],
    ['a bare scope', { scope: 'Calendars.Read' }, 400, 'invalid_scope', 1_002_012],
    ['a broken assertion', { client_assertion: 'a.b.c' }, 401, 'invalid_client', 700_027],
  ])('refuses %s', async (_name, change, status, error, code) => {
    expect(await ask(change)).toMatchObject({ status, body: { error, error_codes: [code] } });
  });

  it('refuses an unknown tenant', async () => {
    expect(await ask({}, 'common')).toMatchObject({ status: 400, body: { error_codes: [90_002] } });
  });

  it('refuses an expired secret until a fresh one is used', async () => {
    bench.sandbox.entra.expireSecret();
    const refused = await ask();
    expect(refused).toMatchObject({
      status: 401,
      body: { error: 'invalid_client', error_codes: [7_000_222] },
    });
    expect(refused.body.error_description).toContain('AADSTS7000222');
    expect((await ask({ client_secret: bench.sandbox.entra.addSecret() })).status).toBe(200);
  });

  it('tells the lifetime it was given and takes tokens back', async () => {
    bench.sandbox.entra.setExpiresIn(301);
    expect((await ask()).body.expires_in).toBe(301);
    expect((await bench.get('/users')).status).toBe(200);
    bench.sandbox.entra.revokeTokens();
    const refused = await bench.get('/users');
    expect(refused).toMatchObject({ status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } });
    expect(refused.headers.get('www-authenticate')).toContain('Bearer');
    expect(bench.sandbox.entra.accepts(`Bearer ${await tokenFrom(bench.sandbox)}`)).toBe(true);
  });
});
