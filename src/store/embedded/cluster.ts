import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode, problem } from '../problem.ts';
import { type Account, closedFolder } from './account.ts';
import { type Binaries, SERVER_ENVIRONMENT } from './binaries.ts';

/**
 * The cluster's superuser. Not `cadenced`: a user called like a schema would have that schema at the head of
 * its default search path, and a name someone forgot to qualify would land there.
 */
export const SUPERUSER = 'cadenced_admin';

const MAJOR = '18';

/** An initialised data directory of the server. */
export type Cluster = {
  /** PGDATA. */
  readonly directory: string;
  readonly password: string;
  /** A libpq password file, so that psql can be pointed here without showing the password. */
  readonly passFile: string;
};

/**
 * Opens the cluster in `dataDir`, making it first when there is none. `durable: false` skips the final sync, for
 * data nobody will miss. Two makers at once end with the same cluster.
 */
export function openCluster(
  dataDir: string,
  binaries: Binaries,
  account: Account,
  durable: boolean,
): Cluster {
  const directory = join(dataDir, `pg${MAJOR}`);
  if (!existsSync(join(directory, 'PG_VERSION'))) initialise(directory, dataDir, binaries, account, durable);
  const version = readFileSync(join(directory, 'PG_VERSION'), 'utf8').trim();
  if (version !== MAJOR) {
    throw problem(
      'config',
      'embedded_postgres_version',
      `${directory} was made by PostgreSQL ${version}, this is PostgreSQL ${MAJOR}. Point CADENCED_DATA_DIR to an ` +
        'empty folder, or go back to the version that made it.',
    );
  }
  return {
    directory,
    password: readFileSync(join(directory, 'cadenced.password'), 'utf8').trim(),
    passFile: join(directory, 'cadenced.pgpass'),
  };
}

/** Makes `dataDir` and checks that the server's account can get there and that we can write in it. */
export function prepareDataDir(dataDir: string, account: Account): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o711 });
    // Root's umask may be 077; the server's account only has to pass through, not to list.
    if (account !== undefined) chmodSync(dataDir, statSync(dataDir).mode | 0o011);
    const trial = join(dataDir, `.writable-${randomUUID()}`);
    writeFileSync(trial, '');
    rmSync(trial);
  } catch (error) {
    throw problem(
      'config',
      'data_dir_not_writable',
      `The data folder ${dataDir} cannot be written (${errorCode(error) ?? 'unknown error'}). Make it writable for ` +
        'this user, or choose another with CADENCED_DATA_DIR.',
      error,
    );
  }
  const closed = closedFolder(dataDir, account);
  if (closed !== undefined) {
    throw problem(
      'config',
      'data_dir_unreachable',
      `PostgreSQL refuses to run as root and therefore runs as user ${account?.uid}, which may not enter ${closed}. ` +
        'Choose a CADENCED_DATA_DIR outside of it (for root the default is /var/lib/cadenced), or start cadenced ' +
        'as an ordinary user.',
    );
  }
}

function initialise(
  directory: string,
  dataDir: string,
  binaries: Binaries,
  account: Account,
  durable: boolean,
): void {
  // Made aside and moved in one step: whoever is killed half way leaves nothing that looks like a cluster, and of
  // two starters the second finds the first one's. The password lies inside, so both always belong together.
  const aside = join(dataDir, `.initialising-${randomUUID()}`);
  const passwordFile = `${aside}.password`;
  const password = randomBytes(24).toString('base64url');
  const give = (path: string) => account !== undefined && chownSync(path, account.uid, account.gid);
  try {
    mkdirSync(aside, { mode: 0o700 });
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
    give(aside);
    give(passwordFile);
    runInitdb(aside, passwordFile, binaries, account, durable);
    renameSync(passwordFile, join(aside, 'cadenced.password'));
    const passFile = join(aside, 'cadenced.pgpass');
    writeFileSync(passFile, `127.0.0.1:*:*:${SUPERUSER}:${password}\n`, { mode: 0o600 });
    give(passFile);
    try {
      renameSync(aside, directory);
    } catch (error) {
      if (!existsSync(join(directory, 'PG_VERSION'))) throw error;
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
    rmSync(passwordFile, { force: true });
  }
}

function runInitdb(
  directory: string,
  passwordFile: string,
  binaries: Binaries,
  account: Account,
  durable: boolean,
): void {
  const options = [
    ...['-D', directory, '-U', SUPERUSER, '-A', 'scram-sha-256', '--pwfile', passwordFile],
    // The same order of texts on every machine, whatever locales it has.
    ...['--encoding', 'UTF8', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--locale', 'C'],
    ...['--no-instructions', ...(durable ? [] : ['--no-sync'])],
  ];
  const run = (command: string, args: string[]) =>
    spawnSync(command, args, { cwd: '/', encoding: 'utf8', env: SERVER_ENVIRONMENT, ...account });
  let made = run(binaries.initdb, options);
  if (made.status !== 0 && process.platform === 'linux') {
    // initdb insists on a passwd entry for its user, the server does not. In a user namespace without a mapping
    // every user looks like `nobody`, which has one. Containers started with `--user 12345` are the usual case.
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { mode: 0o700 });
    if (account !== undefined) chownSync(directory, account.uid, account.gid);
    const again = run('/usr/bin/unshare', ['--user', binaries.initdb, ...options]);
    if (again.status === 0) made = again;
  }
  if (made.status !== 0) {
    const reason = (made.stderr ?? '').split('\n').find((line) => line.startsWith('initdb:')) ?? 'no message';
    throw problem(
      'config',
      'initdb_failed',
      `PostgreSQL could not make its data folder ${directory}: ${reason.replace(/^initdb:\s*(error:\s*)?/, '')}. If ` +
        'this user has no entry in /etc/passwd, add one; if the disk is full, free 100 MB; or set DATABASE_URL.',
      made.error,
    );
  }
}
