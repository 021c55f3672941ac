import { type Logger, pino, stdTimeFunctions } from 'pino';
import { describeError, type ErrorReport, scrub, withoutSecrets } from './redact.ts';

export type Log = Logger;
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where finished lines go. Any Node stream fits. */
export type LogDestination = { write(line: string): unknown };

export type LogOptions = {
  /** `json` for a daemon whose output a collector reads, `plain` for a person at a terminal. */
  readonly format: 'json' | 'plain';
  readonly level: LogLevel;
  /** Defaults to standard output. */
  readonly destination?: LogDestination;
};

/**
 * Builds the one logger of the process. Errors are printed as {kind, code, status, message} wherever they
 * stand in the line, values under secret-sounding keys are replaced at any depth, and what looks like a token
 * inside a text is cut out of the finished line.
 */
export function createLog(options: LogOptions): Log {
  const out: LogDestination = options.destination ?? process.stdout;
  const write =
    options.format === 'plain' ? (line: string) => out.write(plainLine(line)) : out.write.bind(out);
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      // Pino's own serializer would add a type and a stack to what is described already.
      serializers: { err: (described: unknown) => described },
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => withoutSecrets(fields) as Record<string, unknown>,
      },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args as unknown[];
          const told = rest.map(interpolated);
          // Given a bare error, pino repeats its message as the line's own text; ours goes through the filter.
          const line = first instanceof Error ? [{ err: first }, ...told] : [first, ...told];
          if (first instanceof Error && told.length === 0) line.push(describeError(first).message);
          Reflect.apply(method, this, line);
        },
        streamWrite: scrub,
      },
    },
    { write },
  );
  // Pino sends the bindings of a child past every formatter. Grandchildren inherit this from the prototype.
  const bare = Reflect.get(log, 'child') as unknown as (this: Logger, ...args: unknown[]) => Logger;
  Object.defineProperty(log, 'child', {
    value(this: Logger, bindings: object, childOptions?: object) {
      return Reflect.apply(bare, this, [withoutSecrets(bindings), childOptions]);
    },
  });
  return log;
}

/** An argument of a message's placeholder: `%s` would print an error with all its message. */
function interpolated(value: unknown): unknown {
  return value instanceof Error ? describeError(value).message : withoutSecrets(value);
}

/** A log that keeps nothing, for code under test whose log is not the point. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

type PrintedLine = {
  time: string;
  level: string;
  msg?: string;
  err?: ErrorReport;
  [field: string]: unknown;
};

/** `12:30:05 warn  calendar denied  calendar=ada@example.org reason=mailbox_denied` */
function plainLine(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as PrintedLine;
  const parts = [time.slice(11, 19), level.padEnd(5), msg ?? ''];
  if (err !== undefined && err.message !== msg) parts.push(`(${err.message})`);
  const told = Object.entries(fields).map(([key, value]) => `${key}=${plainValue(value)}`);
  return `${[...parts, ...told].join(' ').trimEnd()}\n`;
}

function plainValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[\s"]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text;
}
