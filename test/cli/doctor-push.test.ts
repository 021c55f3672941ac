import { createServer as createPlainServer, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { createPool } from '../../src/store/pool.ts';
import { selfSigned } from '../settings/self-signed.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { folder, terminal } from './terminal.ts';

const CONFIG = 'programs: [{name: Oak, time_zone: UTC, tags: ["#mentoring"], cadence: {every: P14D}}]';

describe('cadenced doctor, of the public address', () => {
  let database: TestDatabase;
  let files: ReturnType<typeof folder>;
  const servers: Server[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    files = folder();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
  });
  afterAll(async () => {
    await database.drop();
    files[Symbol.dispose]();
  });

  const shellFor = (publicUrl: string) =>
    terminal({
      DATABASE_URL: database.url,
      CADENCED_CONFIG: files.write('c.yaml', CONFIG),
      CADENCED_PUBLIC_URL: publicUrl,
    });
  const findingsOf = async (publicUrl: string) => {
    const { out } = await shellFor(publicUrl).run('doctor');
    return out.filter((line) => line.includes(`push, ${publicUrl}`));
  };
  const findingOf = async (publicUrl: string) => (await findingsOf(publicUrl))[0];

  it('fails at a certificate that no provider trusts, and names it', async () => {
    const { certificate, privateKey } = selfSigned();
    const server = createServer({ cert: certificate, key: privateKey }, (_request, response) =>
      response.end(),
    );
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const finding = await findingOf(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(finding).toMatch(/^FAIL .*the certificate is self-signed \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    expect(finding).toContain('publicly trusted certificate');
  });

  it('only warns where nobody answers from here: it may be seen from outside all the same', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    expect(await findingOf(`https://127.0.0.1:${port}`)).toMatch(/^warn .*does not answer from here/);
  });

  describe('and the robots.txt of its host', () => {
    /** Serves the daemon below `/cadenced` and the robots.txt of another application above it. */
    const serve = async (robots: string) => {
      const answers: Readonly<Record<string, [number, string]>> = {
        'GET /cadenced/healthz': [200, 'ok'],
        'POST /cadenced/notifications/google': [202, ''],
        // Read by no robot: it lies below the root.
        'GET /cadenced/robots.txt': [200, 'User-agent: APIs-Google\nDisallow: /'],
        'GET /robots.txt': [200, robots],
      };
      const server = createPlainServer(({ method, url }, response) => {
        const [status, body] = answers[`${method} ${url}`] ?? [404, ''];
        response.writeHead(status).end(body);
      });
      servers.push(server);
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/cadenced`;
    };

    it('fails where it keeps the notifier of Google away from the daemon', async () => {
      const url = await serve('User-agent: APIs-Google\nDisallow: /cadenced/');
      expect(await findingsOf(url)).toEqual([
        expect.stringMatching(
          /^FAIL .*forbids \/cadenced\/notifications\/google to APIs-Google.*-> let robots\.txt allow/,
        ),
      ]);
    });

    it('says nothing of what it forbids to others or elsewhere', async () => {
      for (const robots of [
        'User-agent: Googlebot\nDisallow: /',
        'User-agent: *\nDisallow: /private/',
        'User-agent: *\nDisallow:',
        'User-agent: *\nDisallow: /\nUser-agent: APIs-Google\nAllow: /cadenced/\nDisallow: /',
      ]) {
        expect(await findingsOf(await serve(robots))).toEqual([expect.stringMatching(/^ok .*answers here/)]);
      }
    });

    it('warns of what it forbids to all, which Google says its notifier passes over', async () => {
      expect(await findingsOf(await serve('User-agent: *\nDisallow: /'))).toEqual([
        expect.stringMatching(/^ok .*answers here/),
        expect.stringMatching(/^warn .*forbids \/cadenced\/notifications\/google to all/),
      ]);
    });
  });

  it('has a mend of its own for each reason why channels are refused', async () => {
    const refused = {
      push_taken: 'another installation',
      push_denied: 'Calendars.Read ',
      access_denied: 'Calendars.Read ',
      push_url_refused: 'https with a certificate that is publicly trusted',
      certificate_untrusted: 'NODE_EXTRA_CA_CERTS',
      secret_expired: 'mend what is said of this provider above',
    };
    const shell = shellFor('http://127.0.0.1:1');
    const people = Object.keys(refused).map((reason, index) => {
      const pair = `pair-${Math.floor(index / 2)},${index % 2 === 0 ? 'mentor' : 'mentee'}`;
      return `Oak,${pair},${reason}@oak.example,${reason},microsoft,2026-01-05`;
    });
    const roster = ['program,mentorship,role,email,name,calendar,starts_on', ...people].join('\n');
    const { code, err } = await shell.run('import', files.write('roster.csv', roster));
    expect([code, err]).toEqual([0, []]);
    const pool = createPool({ url: database.url, max: 1, applicationName: 'test', log: silentLog() });
    await pool.query(
      `update cadenced.calendar set push_state = 'refused', push_reason = split_part(address, '@', 1)`,
    );
    await pool.end();
    const { out } = await shell.run('doctor');
    for (const [reason, mend] of Object.entries(refused)) {
      const told = out.filter((line) => line.includes(`1 calendar refused: ${reason}  ->`));
      expect(told, reason).toEqual([expect.stringMatching(/^FAIL {2}push, microsoft/)]);
      expect(told[0]?.split('->')[1]).toContain(mend);
    }
  });
});
