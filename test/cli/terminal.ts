import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../../src/cli/io.ts';
import { createProgram } from '../../src/cli/program.ts';

export const SEAL_KEY = Buffer.alloc(32, 7).toString('base64');

export interface Ran {
  readonly code: number;
  /** What was printed, line by line. */
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** A folder for the files of a test, gone when the test is over. */
export function folder(): {
  write(name: string, content: string | Uint8Array): string;
  [Symbol.dispose](): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'cadenced-cli-'));
  return {
    write(name, content) {
      const file = join(path, name);
      writeFileSync(file, content);
      return file;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The command line in an environment of its own: nothing of this process's environment reaches it. */
export function terminal(
  env: Readonly<Record<string, string>>,
  onLine: (line: string, signals: EventEmitter) => void = () => undefined,
) {
  const signals = new EventEmitter();
  return {
    async run(...args: string[]): Promise<Ran> {
      const out: string[] = [];
      const err: string[] = [];
      const io: Io = {
        stdout: (line) => {
          out.push(...line.split('\n'));
          onLine(line, signals);
        },
        stderr: (line) => void err.push(...line.split('\n')),
        env,
        signals,
        exitNow: (code) => {
          throw new Error(`ended with ${code}`);
        },
        isTTY: false,
        columns: 100,
        flush: () => Promise.resolve(),
      };
      const code = await createProgram(io).run(args);
      return { code, out, err };
    },
  };
}
