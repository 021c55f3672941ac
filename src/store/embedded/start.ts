import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../runtime/log.ts';
import { createDatabase } from '../databases.ts';
import { problem } from '../problem.ts';
import { type Account, serverAccount } from './account.ts';
import { type Binaries, installedDistribution, runnableBinaries, SERVER_ENVIRONMENT } from './binaries.ts';
import { type Cluster, openCluster, prepareDataDir, SUPERUSER } from './cluster.ts';
import {
  askServer,
  endPostmaster,
  forgetDeadOwners,
  giveUpOwnership,
  ownerOf,
  type Postmaster,
  runningPostmaster,
  serverUrl,
  signalProcess,
  takeOwnership,
} from './postmaster.ts';

const DATABASE = 'cadenced';

// After kill -9 of everything, zombies and shared memory can hold the data directory for about two seconds.
const ATTEMPTS = 20;
const BETWEEN_ATTEMPTS_MS = 500;
// A command beside a daemon that is just starting takes a second or two; a daemon stays.
const ATTEMPTS_WHILE_IN_USE = 8;
// Replaying a long write-ahead log after a crash is slow and honest work, not a hang.
const READY_WITHIN_MS = 120_000;
const LOG_LIMIT_BYTES = 5_000_000;

export type EmbeddedOptions = {
  /** Where data, password and (when needed) a copy of the programs live. Made when missing. */
  readonly dataDir: string;
  /** `false` trades safety against power loss for speed: for tests and the sandbox only. */
  readonly durable: boolean;
  readonly log: Log;
  /**
   * When another live process already runs the server on this data: `share` uses it and leaves stopping to its
   * owner (a command beside the daemon), `refuse` waits for a short command to finish and then throws (the
   * daemon, which must not lose its server when that other process ends). Default `share`.
   */
  readonly whenInUse?: 'share' | 'refuse';
  /** The folder with bin, lib and share. Default: the installed platform package. */
  readonly distribution?: string;
};

export type EmbeddedPostgres = {
  /** For the daemon. Holds the password: never log it. */
  readonly url: string;
  /** For a person: `psql "<psqlUrl>"`. Names the password file in place of the password, so it may be shown. */
  readonly psqlUrl: string;
  /** The server's process; another one after it was started again. */
  readonly pid: number;
  /** Whether another process owns the server; then `stop` leaves it running. */
  readonly shared: boolean;
  /** Stops the server and returns when it has ended. Safe to call again. */
  stop(): Promise<void>;
};

/**
 * Starts the embedded PostgreSQL 18 on 127.0.0.1 and returns when it answers, with the database `cadenced` made.
 * A server left behind by a killed process is adopted; one that dies under us is started again on the same port.
 * Throws a config failure that says what to do, or a transient one when the server does not come up.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const account = serverAccount();
  prepareDataDir(dataDir, account);
  const binaries = runnableBinaries(options.distribution ?? installedDistribution(), dataDir, account);
  const cluster = openCluster(dataDir, binaries, account, options.durable);
  const launcher = new Launcher(options, dataDir, account, binaries, cluster);
  await launcher.bringUp();
  await createDatabase(serverUrl(cluster, launcher.port, 'postgres'), DATABASE);
  return launcher;
}

class Launcher implements EmbeddedPostgres {
  port = 0;
  shared = false;
  #postmaster: Postmaster | undefined;
  #stopping: Promise<void> | undefined;
  readonly #options: EmbeddedOptions;
  readonly #dataDir: string;
  readonly #account: Account;
  readonly #binaries: Binaries;
  readonly #cluster: Cluster;
  // process.exit() in our own process leaves no time for more than a signal.
  readonly #atExit = () => {
    if (this.#ours()) signalProcess(this.pid, 'SIGINT');
  };

  constructor(
    options: EmbeddedOptions,
    dataDir: string,
    account: Account,
    binaries: Binaries,
    cluster: Cluster,
  ) {
    this.#options = options;
    this.#dataDir = dataDir;
    this.#account = account;
    this.#binaries = binaries;
    this.#cluster = cluster;
  }

  get url(): string {
    return serverUrl(this.#cluster, this.port, DATABASE);
  }

  get psqlUrl(): string {
    const passFile = encodeURIComponent(this.#cluster.passFile);
    return `postgresql://${SUPERUSER}@127.0.0.1:${this.port}/${DATABASE}?passfile=${passFile}`;
  }

  get pid(): number {
    return this.#postmaster?.process.pid ?? 0;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    process.off('exit', this.#atExit);
    if (this.#postmaster === undefined || !this.#ours()) return;
    const ended = await endPostmaster(this.#cluster, this.#postmaster.process, this.#binaries);
    if (!ended) this.#options.log.error({ pid: this.pid }, 'the embedded PostgreSQL does not stop');
    else giveUpOwnership(this.#cluster, this.pid);
  }

  /** Whether stopping the server is up to us. */
  #ours(): boolean {
    return this.pid !== 0 && ownerOf(this.#cluster, this.pid)?.pid === process.pid && !this.shared;
  }

  /** Uses the server that runs, or starts one, until one answers or the attempts are used up. */
  async bringUp(): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const running = runningPostmaster(this.#cluster);
      if (running !== undefined && attempt > ATTEMPTS_WHILE_IN_USE) this.#refuseWhenInUse(running);
      const up = running === undefined ? await this.#launch() : await this.#join(running, attempt);
      if (up) return;
      await pause(BETWEEN_ATTEMPTS_MS);
    }
    throw problem(
      'transient',
      'embedded_postgres_not_starting',
      `The embedded PostgreSQL in ${this.#cluster.directory} does not start. Its log ${this.#logFile()} ends with:\n` +
        this.#logTail(),
    );
  }

  #refuseWhenInUse(running: Postmaster): void {
    const owner = ownerOf(this.#cluster, running.process.pid);
    if (this.#options.whenInUse !== 'refuse' || owner === undefined || owner.pid === process.pid) return;
    throw problem(
      'config',
      'data_dir_in_use',
      `Another cadenced (process ${owner.pid}) runs on ${this.#dataDir}. Stop it, give this one another ` +
        'CADENCED_DATA_DIR, or set DATABASE_URL in both to share one PostgreSQL.',
    );
  }

  /** Adopts the server of a dead owner, shares that of a live one, ends what cannot be used. */
  async #join(running: Postmaster, attempt: number): Promise<boolean> {
    const owner = ownerOf(this.#cluster, running.process.pid);
    const foreign = owner !== undefined && owner.pid !== process.pid;
    if (foreign && this.#options.whenInUse === 'refuse') return false;
    if (running.status !== 'ready') return false; // on its way up or down; look again
    const answer = await askServer(this.#cluster, running.port);
    if (answer !== undefined && owner !== undefined) {
      this.shared = true;
      this.#use(running);
      return true;
    }
    if (answer !== undefined && answer.durable === this.#options.durable) {
      takeOwnership(this.#cluster, running.process.pid);
      this.#use(running);
      process.once('exit', this.#atExit);
      this.#options.log.info({ pid: this.pid }, 'adopted the PostgreSQL that a killed process left behind');
      return true;
    }
    // An orphan with other safety than asked for, or one that has not answered for two seconds.
    if (!foreign && (answer !== undefined || attempt > 4)) {
      this.#options.log.warn({ pid: running.process.pid }, 'ending a PostgreSQL that cannot be adopted');
      await endPostmaster(this.#cluster, running.process, this.#binaries);
    }
    return false;
  }

  async #launch(): Promise<boolean> {
    const port = await this.#choosePort();
    const child = this.#spawn(port);
    const pid = child.pid ?? 0;
    takeOwnership(this.#cluster, pid); // before anybody can find it ready and take it for an orphan
    const exited = once(child, 'exit').catch(() => undefined); // 'error' (not found, no rights) ends it as well
    let ended = false;
    void exited.then(() => {
      ended = true;
    });
    for (
      const deadline = performance.now() + READY_WITHIN_MS;
      performance.now() < deadline;
      await pause(20)
    ) {
      if (ended) break;
      const running = runningPostmaster(this.#cluster);
      if (running?.process.pid !== pid || running.status !== 'ready') continue;
      if ((await askServer(this.#cluster, running.port)) === undefined) continue;
      writeFileSync(this.#portFile(), `${port}\n`);
      forgetDeadOwners(this.#cluster);
      this.#use(running);
      process.once('exit', this.#atExit);
      void exited.then(() => this.#onUnexpectedExit());
      return true;
    }
    if (!ended) signalProcess(pid, 'SIGQUIT');
    await exited;
    giveUpOwnership(this.#cluster, pid);
    return false;
  }

  #use(running: Postmaster): void {
    this.#postmaster = running;
    this.port = running.port;
  }

  async #onUnexpectedExit(): Promise<void> {
    process.off('exit', this.#atExit);
    if (this.#stopping !== undefined) return;
    this.#options.log.error({ pid: this.pid }, 'the embedded PostgreSQL ended by itself; starting it again');
    try {
      await this.bringUp();
      this.#options.log.info({ pid: this.pid }, 'the embedded PostgreSQL is back');
    } catch (error) {
      this.#options.log.fatal({ err: error }, 'the embedded PostgreSQL does not come back');
    }
    if (this.#stopping !== undefined) await this.#stop();
  }

  #spawn(port: number): ChildProcess {
    const settings: Record<string, string | number> = {
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: '',
      timezone: 'UTC',
      log_timezone: 'UTC',
      log_line_prefix: '%m [%p] ',
      password_encryption: 'scram-sha-256',
      ...(this.#options.durable ? {} : FAST_SETTINGS),
    };
    const args = ['-D', this.#cluster.directory];
    for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
    // setpriv asks the kernel to interrupt the server when the thread that starts it ends, however it ends. It
    // then becomes the server itself, so the process number is the server's.
    const { setpriv, postgres } = this.#binaries;
    const command = setpriv ?? postgres;
    const logFile = this.#openLog();
    try {
      const child = spawn(command, setpriv ? ['--pdeathsig', 'INT', postgres, ...args] : args, {
        cwd: '/',
        env: SERVER_ENVIRONMENT,
        // Its own session: Ctrl-C reaches the whole process group, and the server must outlive the daemon's
        // last transactions.
        detached: true,
        windowsHide: true,
        stdio: ['ignore', logFile, logFile],
        ...this.#account,
      });
      child.unref();
      return child;
    } finally {
      closeSync(logFile);
    }
  }

  /** The port of last time while it is free, so that an administrator's bookmark keeps working; else any. */
  async #choosePort(): Promise<number> {
    const file = this.#portFile();
    const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
    if (Number.isInteger(last) && last > 1023 && last < 65_536 && (await listenOnce(last)) === last)
      return last;
    return (await listenOnce(0)) ?? 0;
  }

  #portFile(): string {
    return join(this.#dataDir, 'postgres.port');
  }

  #logFile(): string {
    return join(this.#dataDir, 'postgres.log');
  }

  #openLog(): number {
    const file = this.#logFile();
    if (existsSync(file) && statSync(file).size > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
    return openSync(file, 'a', 0o600);
  }

  #logTail(): string {
    try {
      return readFileSync(this.#logFile(), 'utf8').trimEnd().split('\n').slice(-5).join('\n');
    } catch {
      return '(no log)';
    }
  }
}

/** Nothing here survives a power cut; a killed process still leaves a consistent database. */
const FAST_SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_connections: 300,
} as const;

/** Listens on the loopback port (0: any free one), stops, and returns the port, or undefined when it is taken. */
async function listenOnce(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? address?.port : undefined;
}
