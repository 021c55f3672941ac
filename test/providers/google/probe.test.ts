import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  eventsPage,
  type GoogleServer,
  googleAt,
  KEY,
  type Reply,
  refusal,
  startGoogleServer,
} from './server.ts';

const ADA = { calendarId: 1, address: 'ada@school.example' };
const signal = new AbortController().signal;

describe('what doctor tells of Google', () => {
  let server: GoogleServer;
  beforeEach(async () => {
    server = await startGoogleServer();
  });
  afterEach(() => server.close());

  it('probes each API and says what to mend', async () => {
    server.handleToken = (claims) =>
      String(claims.scope).includes('meetings')
        ? { status: 401, body: { error: 'unauthorized_client' } }
        : { body: { access_token: 't', expires_in: 3599, token_type: 'Bearer' } };
    server.handle = (seen) =>
      seen.path.startsWith('/admin') ? refusal(403, 'forbidden') : eventsPage([], { nextSyncToken: 'S' });
    const findings = await googleAt(server).probe(ADA.address, signal);
    expect(findings.map(({ check, ok }) => [check, ok])).toEqual([
      ['google calendar', true],
      ['google meet records', false],
      ['google directory', false],
      ['google reports', false],
    ]);
    expect(findings[1]?.mend).toContain(`client id ${KEY.client_id} for`);
    expect(findings[1]?.mend).toContain('meetings.space.readonly');
    expect(findings[3]?.mend).toContain('privilege Reports');

    // An administrator's address that is wrong is a setting, not somebody in the roster.
    server.handleToken = () => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Invalid email or User ID' },
    });
    const unknown = await googleAt(server).probe(ADA.address, signal);
    expect(unknown.map(({ mend }) => mend.includes('CADENCED_GOOGLE_ADMIN_SUBJECT'))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  describe('names each API as the console does', () => {
    const NAMES = ['Google Calendar API', 'Google Meet API', 'Admin SDK API', 'Admin SDK API'];
    const mends = async (reply: Reply) => {
      server.handle = () => reply;
      const findings = await googleAt(server).probe(ADA.address, signal);
      expect(findings.map(({ ok }) => ok)).toEqual([false, false, false, false]);
      return findings.map(({ mend }) => mend);
    };

    it('where it has to be enabled', async () => {
      const told = await mends(refusal(403, 'accessNotConfigured'));
      expect(told).toEqual(NAMES.map((name) => expect.stringMatching(`^Enable the ${name} in`)));
    });

    it('where its quota is used up, for an hour and more', async () => {
      const told = await mends(refusal(403, 'quotaExceeded'));
      expect(told).toEqual(
        NAMES.map((name) => expect.stringMatching(`an hour.*quota of the ${name} raised`)),
      );
    });

    it('but only asks for a little patience where the rate was too high', async () => {
      const told = await mends(refusal(403, 'rateLimitExceeded'));
      expect(new Set(told)).toEqual(new Set(['Try again in some minutes.']));
    });
  });
});
