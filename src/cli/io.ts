import type { Shutdown } from '../runtime/shutdown.ts';
import type { RawEnvironment } from '../settings/environment.ts';

/** What a command may touch of the world around its process, so that a test can be that world. */
export interface Io {
  /** One line, without its line end. Results go here. */
  readonly stdout: (line: string) => void;
  /** One line, without its line end. Mistakes, warnings and the log go here. */
  readonly stderr: (line: string) => void;
  readonly env: RawEnvironment;
  readonly signals: Parameters<Shutdown['listen']>[0];
  /** Ends the process without waiting for anything: for the second signal. */
  readonly exitNow: (code: number) => void;
  /** Whether a person sits at the other end of `stdout`. */
  readonly isTTY: boolean;
  readonly columns: number;
  /** Returns when everything written has left the process. */
  flush(): Promise<void>;
}

/**
 * What a command tells its caller: `ok`; `failed`, it was tried and did not (wholly) succeed; `misused`, the command
 * line or the settings are wrong and nothing was tried.
 */
export const EXIT = { ok: 0, failed: 1, misused: 2 } as const;

const PLAIN_COLUMNS = 100;

/** The real process as a command sees it. */
export function processIo(own: NodeJS.Process): Io {
  const write = (stream: NodeJS.WriteStream) => (line: string) => void stream.write(`${line}\n`);
  // `cadenced status | head` closes the pipe early: that is the reader's choice and no failure of ours.
  for (const stream of [own.stdout, own.stderr]) stream.on('error', () => undefined);
  return {
    stdout: write(own.stdout),
    stderr: write(own.stderr),
    env: own.env,
    signals: own,
    exitNow: (code) => own.exit(code),
    isTTY: own.stdout.isTTY ?? false,
    columns: own.stdout.columns ?? PLAIN_COLUMNS,
    async flush() {
      // An empty write is answered after everything before it.
      const drained = (stream: NodeJS.WriteStream) =>
        new Promise<void>((resolve) => {
          stream.write('', () => resolve());
        });
      await Promise.all([drained(own.stdout), drained(own.stderr)]);
    },
  };
}
