import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Binaries, SERVER_ENVIRONMENT } from './binaries.ts';
import type { Cluster } from './cluster.ts';
import { SUPERUSER } from './cluster.ts';
import { commandLine, identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/** What a running server says of itself in `postmaster.pid`. */
export type Postmaster = {
  readonly process: ProcessIdentity;
  readonly port: number;
  /** `starting`, `ready`, `stopping` or `standby`. */
  readonly status: string;
};

/**
 * The server that runs on this cluster, or undefined. A lock file that names a process which is not our server
 * (a number used again after a crash, common among the small numbers of containers) is removed: PostgreSQL would
 * refuse to start for as long as that process lives.
 */
export function runningPostmaster(cluster: Cluster): Postmaster | undefined {
  const lockFile = join(cluster.directory, 'postmaster.pid');
  let lines: string[];
  try {
    lines = readFileSync(lockFile, 'utf8').split('\n');
  } catch {
    return undefined;
  }
  // Layout: pid, data directory, start time, port, socket folder, listen address, shared memory, status.
  // https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/utils/pidfile.h
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const process = identify(pid);
  if (!isRunning(process)) return undefined;
  const command = commandLine(pid);
  if (command !== undefined && !(command.includes('postgres') && command.includes(cluster.directory))) {
    // It may be a successor's lock by now; then it is not stale and must stay.
    if (readFileSync(lockFile, 'utf8').split('\n')[0] === lines[0]) rmSync(lockFile, { force: true });
    return undefined;
  }
  return { process, port: Number(lines[3]), status: (lines[7] ?? '').trim() };
}

/** The URL of a database on the server, password included: never to be logged. */
export function serverUrl(cluster: Cluster, port: number, database: string): string {
  return `postgresql://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/${database}`;
}

/** What the server answers about itself, or undefined when it does not answer as the cluster's own server. */
export async function askServer(cluster: Cluster, port: number): Promise<{ durable: boolean } | undefined> {
  const client = new pg.Client({
    connectionString: serverUrl(cluster, port, 'postgres'),
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  client.on('error', () => undefined); // the query below is rejected as well
  try {
    await client.connect();
    const answer = await client.query<{ directory: string; durable: boolean }>(
      `select current_setting('data_directory') as directory, current_setting('fsync')::boolean as durable`,
    );
    const row = answer.rows[0];
    if (row === undefined || realpathSync(row.directory) !== realpathSync(cluster.directory))
      return undefined;
    return { durable: row.durable };
  } catch {
    return undefined; // whatever it is, it cannot be used; the caller ends it or tries again
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Ends a server: at first with open transactions rolled back and a clean shutdown ("fast"), after 20 s without
 * the checkpoint ("immediate"; the next start recovers). Returns whether it has ended.
 */
export async function endPostmaster(
  cluster: Cluster,
  server: ProcessIdentity,
  binaries: Binaries,
): Promise<boolean> {
  for (const [signal, mode, patienceMs] of [
    ['SIGINT', 'fast', 20_000],
    ['SIGQUIT', 'immediate', 5_000],
  ] as const) {
    if (!isRunning(server)) return true;
    if (process.platform === 'win32') {
      // Windows knows no signals; pg_ctl has the server's own channel for them.
      spawnSync(binaries.pgCtl, ['stop', '-D', cluster.directory, '-m', mode, '-W'], {
        env: SERVER_ENVIRONMENT,
      });
    } else {
      signalProcess(server.pid, signal);
    }
    for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await pause(20)) {
      if (!isRunning(server)) return true;
    }
  }
  return false;
}

/** Signals a process that may have ended meanwhile. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ended in between, which is what the signal asks for
  }
}

/**
 * Who answers for stopping a server: the process that started or adopted it, while that lives. The record is kept
 * per server process, so that a starter that loses the race for the data directory cannot overwrite the winner's.
 */
export function ownerOf(cluster: Cluster, postmasterPid: number): ProcessIdentity | undefined {
  try {
    const owner = JSON.parse(readFileSync(ownerFile(cluster, postmasterPid), 'utf8')) as ProcessIdentity;
    return isRunning(owner) ? owner : undefined;
  } catch {
    return undefined; // none, or torn by a crash: then nobody owns it
  }
}

export function takeOwnership(cluster: Cluster, postmasterPid: number): void {
  writeFileSync(ownerFile(cluster, postmasterPid), JSON.stringify(identify(process.pid)), { mode: 0o600 });
}

export function giveUpOwnership(cluster: Cluster, postmasterPid: number): void {
  rmSync(ownerFile(cluster, postmasterPid), { force: true });
}

/** Removes the records that killed processes left behind. */
export function forgetDeadOwners(cluster: Cluster): void {
  for (const name of readdirSync(cluster.directory)) {
    if (!name.startsWith(OWNER_FILE)) continue;
    const pid = Number(name.slice(OWNER_FILE.length));
    if (ownerOf(cluster, pid) === undefined) giveUpOwnership(cluster, pid);
  }
}

const OWNER_FILE = 'cadenced.owner.';

function ownerFile(cluster: Cluster, postmasterPid: number): string {
  return join(cluster.directory, `${OWNER_FILE}${postmasterPid}`);
}
