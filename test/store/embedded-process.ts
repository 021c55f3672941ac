import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createLog, type Log } from '../../src/runtime/log.ts';
import { openScratch } from '../support/scratch.ts';

export type ChildReport = { pid: number; url: string; shared: boolean; failed?: string };

export type StarterOptions = {
  dataDir: string;
  durable?: boolean;
  whenInUse?: 'share' | 'refuse';
  distribution?: string;
  /** Run as this user and group. */
  uid?: number;
};

/** A daemon in miniature: starts the server in a process of its own and reports. */
export class Starter {
  readonly child: ChildProcess;
  readonly report: Promise<ChildReport>;
  readonly exited: Promise<unknown>;

  constructor(options: StarterOptions) {
    const { uid, ...rest } = options;
    this.child = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('embedded-child.ts', import.meta.url)),
        JSON.stringify({ durable: false, ...rest }),
      ],
      { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'], ...(uid === undefined ? {} : { uid, gid: uid }) },
    );
    this.exited = once(this.child, 'exit');
    this.report = this.#firstLine();
  }

  async #firstLine(): Promise<ChildReport> {
    if (this.child.stdout === null) throw new Error('no output to read');
    for await (const line of createInterface(this.child.stdout)) return JSON.parse(line) as ChildReport;
    throw new Error('the starter ended without a word');
  }

  async stop(): Promise<void> {
    this.child.stdin?.end();
    await this.exited;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

/** A folder that any user may enter, owned by `uid` when given. Gone when disposed. */
export function openFolder(uid?: number) {
  const scratch = openScratch('embedded');
  const { path } = scratch;
  chmodSync(path, 0o755);
  if (uid !== undefined) chownSync(path, uid, uid);
  return scratch;
}

/** Runs one query on a connection of its own and returns the first row's `value`. */
export async function ask(url: string, statement: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined); // the query is rejected as well
  await client.connect();
  try {
    const { rows } = await client.query<{ value: unknown }>(statement);
    return rows[0]?.value;
  } finally {
    await client.end();
  }
}

/** A log that lets a test wait for a line. */
export function listeningLog(): { log: Log; line(text: string): Promise<void> } {
  const seen: string[] = [];
  const waiting: { text: string; resolve: () => void }[] = [];
  const log = createLog({
    format: 'json',
    level: 'debug',
    destination: {
      write(line: string) {
        seen.push(line);
        for (const { text, resolve } of waiting) if (line.includes(text)) resolve();
      },
    },
  });
  return {
    log,
    line(text) {
      if (seen.some((line) => line.includes(text))) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ text, resolve }));
    },
  };
}
