import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { createDatabase, dropDatabase } from '../../src/store/databases.ts';
import { closedFolder, serverAccount } from '../../src/store/embedded/account.ts';
import { installedDistribution } from '../../src/store/embedded/binaries.ts';
import { dataDirDefault } from '../../src/store/embedded/data-dir.ts';
import { identify, isRunning } from '../../src/store/embedded/process-identity.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { ask, listeningLog, openFolder, Starter } from './embedded-process.ts';

const log = silentLog();
const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0;
const onLinux = process.platform === 'linux';
const nobodyReachesUs =
  asRoot && closedFolder(dirname(process.execPath), { uid: NOBODY, gid: NOBODY }) === undefined;

let prepared: ReturnType<typeof openFolder>;

beforeAll(async () => {
  prepared = openFolder();
  const server = await startEmbeddedPostgres({ dataDir: prepared.path, durable: false, log });
  await server.stop();
  rmSync(join(prepared.path, 'postgres.port'));
});

afterAll(() => prepared[Symbol.dispose]());

/** A folder with a stopped cluster in it, for tests that are not about how it comes to be. */
function preparedFolder() {
  const folder = openFolder();
  // Node's own copy does not keep owners.
  const copied = spawnSync('cp', ['-a', join(prepared.path, 'pg18'), folder.path]);
  expect(copied.status).toBe(0);
  return folder;
}

/** Copies the installed package's programs, links left out, as npm leaves them without install scripts. */
function distributionWithoutLinks(parent: string): string {
  const source = installedDistribution();
  const links = JSON.parse(readFileSync(join(source, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  const target = join(parent, 'package', 'native');
  cpSync(source, target, { recursive: true, verbatimSymlinks: true });
  cpSync(join(source, '..', 'package.json'), join(parent, 'package', 'package.json'));
  for (const link of links) rmSync(join(parent, 'package', link.target), { force: true });
  return target;
}

describe('the embedded server', () => {
  test('listens on loopback only, wants its password, and keeps data and port over a restart', async () => {
    using folder = openFolder();
    const options = { dataDir: folder.path, durable: true, log };
    const first = await startEmbeddedPostgres(options);
    expect(await ask(first.url, `select current_setting('listen_addresses') as value`)).toBe('127.0.0.1');
    expect(await ask(first.url, `select current_setting('unix_socket_directories') as value`)).toBe('');
    expect(await ask(first.url, `select current_setting('fsync') as value`)).toBe('on');
    expect(await ask(first.url, `select current_setting('data_checksums') as value`)).toBe('on');
    expect(await ask(first.url, `select 'Ä' < 'b' as value`)).toBe(false);
    const wrong = new URL(first.url);
    wrong.password = 'guess';
    await expect(ask(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    await ask(first.url, 'create table public.kept as select 42 as answer');
    await first.stop();
    await first.stop();
    expect(isRunning(identify(first.pid))).toBe(false);

    const second = await startEmbeddedPostgres(options);
    expect(new URL(second.url).port).toBe(new URL(first.url).port);
    expect(await ask(second.url, 'select answer as value from public.kept')).toBe(42);
    await second.stop();
  });

  test('keeps the password to the owner and out of what people are shown', async () => {
    using folder = openFolder();
    const server = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log });
    const { password } = new URL(server.url);
    const shown = new URL(server.psqlUrl);
    expect(server.psqlUrl).not.toContain(password);
    const passFile = shown.searchParams.get('passfile') ?? '';
    expect(readFileSync(passFile, 'utf8')).toContain(`:${password}`);
    for (const file of ['cadenced.password', 'cadenced.pgpass']) {
      expect(statSync(join(folder.path, 'pg18', file)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(folder.path, 'pg18')).mode & 0o777).toBe(0o700);
    await server.stop();
  });

  test('takes another port when the one of last time is taken', async () => {
    using folder = preparedFolder();
    const server = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log });
    using other = preparedFolder();
    writeFileSync(join(other.path, 'postgres.port'), new URL(server.url).port);
    const second = await startEmbeddedPostgres({ dataDir: other.path, durable: false, log });
    expect(new URL(second.url).port).not.toBe(new URL(server.url).port);
    await second.stop();
    await server.stop();
  });

  test('makes and drops databases, also when asked twice', async () => {
    using folder = preparedFolder();
    const server = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log });
    const made = await Promise.all([1, 2, 3].map(() => createDatabase(server.url, 'another "one"')));
    expect(await ask(made[0] ?? '', 'select current_database() as value')).toBe('another "one"');
    await dropDatabase(server.url, 'another "one"');
    await dropDatabase(server.url, 'another "one"');
    await expect(ask(made[0] ?? '', 'select 1')).rejects.toMatchObject({ code: '3D000' });
    await server.stop();
  });

  test('is started again on the same port when it is killed', async () => {
    using folder = preparedFolder();
    const heard = listeningLog();
    const server = await startEmbeddedPostgres({ dataDir: folder.path, durable: true, log: heard.log });
    await ask(server.url, 'create table public.kept as select 42 as answer');
    const { pid, url } = server;
    process.kill(pid, 'SIGKILL');
    await heard.line('is back');
    expect(server.pid).not.toBe(pid);
    expect(server.url).toBe(url);
    expect(await ask(server.url, 'select answer as value from public.kept')).toBe(42);
    await server.stop();
    expect(isRunning(identify(server.pid))).toBe(false);
  });

  test('starts over a lock file that names a process which is not a server', async () => {
    using folder = preparedFolder();
    const first = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log });
    await first.stop();
    const lines = [process.pid, join(folder.path, 'pg18'), 0, 5432, '', '127.0.0.1', '', 'ready'];
    writeFileSync(join(folder.path, 'pg18', 'postmaster.pid'), lines.join('\n'));
    const second = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log });
    expect(await ask(second.url, 'select 1 as value')).toBe(1);
    await second.stop();
  });

  test('says so when the data was made by another version', async () => {
    using folder = openFolder();
    mkdirSync(join(folder.path, 'pg18'));
    writeFileSync(join(folder.path, 'pg18', 'PG_VERSION'), '17\n');
    await expect(startEmbeddedPostgres({ dataDir: folder.path, durable: false, log })).rejects.toMatchObject({
      kind: 'config',
      code: 'embedded_postgres_version',
    });
  });

  test('lives in a session of its own, out of the reach of Ctrl-C', async ({ skip }) => {
    skip(!onLinux, 'reads /proc');
    using folder = preparedFolder();
    const server = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log });
    const session = (pid: number | 'self') =>
      readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\)/, '').split(' ')[4];
    expect(session(server.pid)).toBe(String(server.pid));
    expect(session(server.pid)).not.toBe(session('self'));
    await server.stop();
  });
});

describe('processes that die and processes that meet', () => {
  test('after kill -9 of the daemon the next one comes up with the data', async () => {
    using folder = openFolder();
    const first = new Starter({ dataDir: folder.path, durable: true });
    const { url } = await first.report;
    await ask(url, 'create table public.kept as select 42 as answer');
    await first.kill();
    const second = new Starter({ dataDir: folder.path, durable: true });
    const report = await second.report;
    expect(report).toMatchObject({ shared: false });
    expect(await ask(report.url, 'select answer as value from public.kept')).toBe(42);
    await second.stop();
    expect(isRunning(identify(report.pid))).toBe(false);
  });

  test('after kill -9 of daemon and server the next one comes up with the data', async () => {
    using folder = preparedFolder();
    const first = new Starter({ dataDir: folder.path, durable: true });
    const { url, pid } = await first.report;
    await ask(url, 'create table public.kept as select 42 as answer');
    process.kill(pid, 'SIGKILL');
    await first.kill();
    const second = await startEmbeddedPostgres({ dataDir: folder.path, durable: true, log });
    expect(await ask(second.url, 'select answer as value from public.kept')).toBe(42);
    await second.stop();
  });

  test('the server follows a killed daemon by itself', async ({ skip }) => {
    skip(!onLinux, 'reads /proc');
    using folder = preparedFolder();
    const daemon = new Starter({ dataDir: folder.path });
    const { pid, url } = await daemon.report;
    const server = identify(pid);
    // A connection of ours is told of the shutdown, so nothing here has to look at the clock.
    const client = new pg.Client({ connectionString: url });
    const told = new Promise<void>((resolve) => client.once('end', resolve));
    client.on('error', () => undefined); // "terminating connection due to administrator command"
    await client.connect();
    await daemon.kill();
    await told;
    const next = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log });
    expect(isRunning(server)).toBe(false);
    await next.stop();
  });

  /** A server nobody answers for, as a killed daemon leaves it where the kernel cannot be asked to end it. */
  async function orphan(folder: string, fsync: 'on' | 'off') {
    const first = await startEmbeddedPostgres({ dataDir: folder, durable: false, log });
    const { port } = new URL(first.url);
    await first.stop();
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      'unix_socket_directories=',
      `fsync=${fsync}`,
    ];
    const child = spawn(
      join(installedDistribution(), 'bin', 'postgres'),
      ['-D', join(folder, 'pg18'), ...settings.flatMap((it) => ['-c', it])],
      { cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'pipe'], ...serverAccount() },
    );
    for await (const text of child.stderr) if (String(text).includes('ready to accept')) break;
    return { pid: child.pid ?? 0, exited: once(child, 'exit') };
  }

  test('an orphan is adopted, and stopped by who adopted it', async () => {
    using folder = preparedFolder();
    const left = await orphan(folder.path, 'off');
    const server = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log });
    expect(server).toMatchObject({ pid: left.pid, shared: false });
    expect(await ask(server.url, 'select 1 as value')).toBe(1);
    await server.stop();
    await left.exited;
  });

  test('an orphan that is less safe than asked for is ended and replaced', async () => {
    using folder = preparedFolder();
    const left = await orphan(folder.path, 'off');
    const server = await startEmbeddedPostgres({ dataDir: folder.path, durable: true, log });
    await left.exited;
    expect(server.pid).not.toBe(left.pid);
    expect(await ask(server.url, `select current_setting('fsync') as value`)).toBe('on');
    await server.stop();
  });

  test('three first starters at once end with one server; whoever shares it leaves it running', async () => {
    using folder = openFolder();
    const starters = [1, 2, 3].map(() => new Starter({ dataDir: folder.path }));
    const reports = await Promise.all(starters.map((starter) => starter.report));
    expect(new Set(reports.map((report) => report.url)).size).toBe(1);
    expect(reports.map((report) => report.shared).filter((shared) => !shared)).toHaveLength(1);
    const owner = reports.findIndex((report) => !report.shared);
    await Promise.all(starters.filter((_, index) => index !== owner).map((starter) => starter.stop()));
    expect(await ask(reports[owner]?.url ?? '', 'select 1 as value')).toBe(1);
    await starters[owner]?.stop();
    expect(existsSync(join(folder.path, 'pg18', 'postmaster.pid'))).toBe(false);
  });

  test('a second daemon is refused and told who is there', async () => {
    using folder = preparedFolder();
    const first = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log });
    const second = new Starter({ dataDir: folder.path, whenInUse: 'refuse' });
    const { failed } = await second.report;
    expect(failed).toContain(`Another cadenced (process ${process.pid}) runs on ${folder.path}`);
    await second.exited;
    await first.stop();
  });
});

describe('where and as whom it runs', () => {
  test('install scripts were blocked: the links are made up for', async () => {
    using folder = openFolder();
    const distribution = distributionWithoutLinks(folder.path);
    const dataDir = join(folder.path, 'data');
    const server = await startEmbeddedPostgres({ dataDir, durable: false, log, distribution });
    expect(await ask(server.url, 'select 1 as value')).toBe(1);
    await server.stop();
  });

  test.skipIf(!asRoot)(
    'root with a checkout under a closed home: the programs are copied beside the data',
    async () => {
      using home = openFolder();
      const distribution = distributionWithoutLinks(home.path);
      chmodSync(home.path, 0o700);
      using folder = openFolder();
      const server = await startEmbeddedPostgres({ dataDir: folder.path, durable: false, log, distribution });
      const started = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
      expect(started.startsWith(folder.path)).toBe(true);
      expect(statSync(`/proc/${server.pid}`).uid).toBe(NOBODY);
      await server.stop();
    },
  );

  test('root with the data under a closed home is told which folder is closed', async ({ skip }) => {
    skip(!asRoot, 'needs root');
    using home = openFolder();
    chmodSync(home.path, 0o700);
    const starting = startEmbeddedPostgres({ dataDir: join(home.path, 'data'), durable: false, log });
    await expect(starting).rejects.toMatchObject({
      code: 'data_dir_unreachable',
      message: expect.stringContaining(home.path) as string,
    });
  });

  test.skipIf(!nobodyReachesUs)(
    'an ordinary user runs it as themselves, links missing and not to be written',
    async () => {
      using packages = openFolder();
      const distribution = distributionWithoutLinks(packages.path);
      using folder = openFolder(NOBODY);
      const starter = new Starter({ dataDir: folder.path, distribution, uid: NOBODY });
      const { pid, url, failed } = await starter.report;
      expect(failed).toBeUndefined();
      expect(statSync(`/proc/${pid}`).uid).toBe(NOBODY);
      expect(await ask(url, 'select 1 as value')).toBe(1);
      await starter.stop();
    },
  );

  test.skipIf(!nobodyReachesUs)(
    'a user without an entry in /etc/passwd either runs it or is told why not',
    async () => {
      const stranger = 54_321;
      using folder = openFolder(stranger);
      const starter = new Starter({ dataDir: folder.path, uid: stranger });
      const { pid, failed } = await starter.report;
      // Where user namespaces are forbidden there is no way around initdb's look-up.
      if (failed === undefined) expect(statSync(`/proc/${pid}`).uid).toBe(stranger);
      else expect(failed).toContain('/etc/passwd');
      await starter.stop();
    },
  );

  test('a data folder that cannot be written is named', async ({ skip }) => {
    skip(!nobodyReachesUs, 'needs root, and Node where every user can reach it');
    using folder = openFolder();
    const starter = new Starter({ dataDir: join(folder.path, 'data'), uid: NOBODY });
    const { failed } = await starter.report;
    expect(failed).toContain(`The data folder ${join(folder.path, 'data')} cannot be written (EACCES)`);
    await starter.exited;
  });

  test('the default data folder follows the user', () => {
    expect(dataDirDefault({ CADENCED_DATA_DIR: '/data', HOME: '/h' }, 0)).toBe('/data');
    expect(dataDirDefault({ HOME: '/root' }, 0)).toBe('/var/lib/cadenced');
    expect(dataDirDefault({ HOME: '/home/ada', XDG_STATE_HOME: '/state' }, 1000)).toBe('/state/cadenced');
    expect(dataDirDefault({ HOME: '/home/ada' }, 1000)).toBe('/home/ada/.local/state/cadenced');
  });
});
