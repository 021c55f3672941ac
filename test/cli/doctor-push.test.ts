import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../settings/self-signed.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { folder, terminal } from './terminal.ts';

const CONFIG = 'programs: [{name: Oak, time_zone: UTC, tags: ["#mentoring"], cadence: {every: P14D}}]';

describe('cadenced doctor, of the public address', () => {
  let database: TestDatabase;
  let files: ReturnType<typeof folder>;
  const servers: ReturnType<typeof createServer>[] = [];
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

  const findingOf = async (publicUrl: string) => {
    const shell = terminal({
      DATABASE_URL: database.url,
      CADENCED_CONFIG: files.write('c.yaml', CONFIG),
      CADENCED_PUBLIC_URL: publicUrl,
    });
    const { out } = await shell.run('doctor');
    return out.find((line) => line.includes(`push, ${publicUrl}`));
  };

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
});
