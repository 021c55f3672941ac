import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setPersonState } from '../../src/sandbox/world/index.ts';
import { askForToken, type Bench, openBench, reasonOf } from './google-client.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.close());

describe('the token endpoint', () => {
  it('gives a bearer token for a live user', async () => {
    const { status, body } = await askForToken(bench.google, 'ada@north.example');
    expect(status).toBe(200);
    expect(body).toMatchObject({ expires_in: 3599, token_type: 'Bearer' });
    expect(body).not.toHaveProperty('refresh_token');
  });

  it.each([
    ['an alias', 'ada.n@north.example'],
    ['an outsider', 'dee@away.example'],
    ['an Outlook user', 'ben@south.example'],
  ])('refuses %s', async (_who, subject) => {
    const { status, body } = await askForToken(bench.google, subject);
    expect({ status, ...body }).toEqual({
      status: 400,
      error: 'invalid_grant',
      error_description: 'Invalid email or User ID',
    });
  });

  it('refuses somebody suspended, and takes them back', async () => {
    setPersonState(bench.world, { person: 'ada@north.example', state: 'suspended' });
    expect((await askForToken(bench.google, 'ada@north.example')).status).toBe(400);
    setPersonState(bench.world, { person: 'ada@north.example', state: 'active' });
    expect((await askForToken(bench.google, 'ada@north.example')).status).toBe(200);
  });

  it('refuses a scope nobody granted for the whole provider', async () => {
    bench.google.grantedScopes.clear();
    const { status, body } = await askForToken(bench.google, 'ada@north.example');
    expect([status, body.error]).toEqual([401, 'unauthorized_client']);
  });

  it('refuses a foreign key, another audience and a clock that is off', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const foreign = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const ask = async (bend: Parameters<typeof askForToken>[2]) =>
      (await askForToken(bench.google, 'ada@north.example', bend)).body.error_description;
    const past = Math.floor(Date.now() / 1000) - 7200;
    expect(await ask({ key: foreign })).toBe('Invalid JWT Signature.');
    expect(await ask({ claims: { aud: bench.google.tokenUrl } })).toContain('audience');
    expect(await ask({ claims: { iat: past, exp: past + 3600 } })).toContain('reasonable timeframe');
    expect(await ask({ claims: { exp: past + 7200 + 7200 } })).toContain('short-lived');
  });

  it('lets no call pass without a token, with an old one, or with the wrong scope', async () => {
    const path = '/calendar/v3/calendars/primary/events';
    const anonymous = await fetch(bench.google.url + path);
    expect([anonymous.status, anonymous.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ]);
    expect((await bench.get(path)).status).toBe(200);
    bench.google.revokeAccessTokens();
    expect(reasonOf(await bench.get(path)).reason).toBe('authError');

    const { body } = await askForToken(bench.google, 'ada@north.example', {
      scopes: ['https://www.googleapis.com/auth/meetings.space.readonly'],
    });
    const narrow = await fetch(bench.google.url + path, {
      headers: { authorization: `Bearer ${String(body.access_token)}` },
    });
    expect([narrow.status, await narrow.text()]).toEqual([
      403,
      expect.stringContaining('insufficientPermissions'),
    ]);
  });
});
