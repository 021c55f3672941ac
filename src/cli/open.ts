import { readdirSync } from 'node:fs';
import { openWorkshop, type Workshop } from '../compose.ts';
import { createLog, type Log } from '../runtime/log.ts';
import type { Need } from '../settings/rules.ts';
import { loadSettings, renderMistakes, type Settings } from '../settings/settings.ts';
import { startEmbeddedPostgres } from '../store/embedded/start.ts';
import { renderProblem } from './failures.ts';
import { EXIT, type Io } from './io.ts';

/** The database as a command found it. */
export interface OpenDatabase {
  /** Holds the password: never printed. */
  readonly url: string;
  /** Where it is, for a person. */
  readonly where: string;
  /** How a person opens it, without a password in it; null while nobody keeps the embedded server running. */
  readonly psql: string | null;
}

/** What is there for a command while it runs. */
export interface Surroundings {
  readonly database: OpenDatabase;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * Reads the settings, opens and prepares the database, runs the command and closes everything, whatever happens.
 * What went wrong is printed.
 * @returns the exit code of `run`, or that of what prevented it
 */
export function withWorkshop(
  io: Io,
  needs: readonly Need[],
  run: (workshop: Workshop, around: Surroundings) => Promise<number>,
): Promise<number> {
  return withSettings(io, needs, (settings, log) =>
    withSignal(io, (signal) =>
      withDatabase(settings, log, async (database) => {
        const workshop = await openWorkshop(settings, database.url, log, 'command');
        try {
          return await run(workshop, { database, signal });
        } finally {
          await workshop.close();
        }
      }),
    ),
  );
}

/** Reads the settings and runs the command with them; prints every mistake there is instead. */
export async function withSettings(
  io: Io,
  needs: readonly Need[],
  run: (settings: Settings, log: Log) => Promise<number>,
): Promise<number> {
  const loaded = loadSettings({ env: io.env, needs });
  if (!loaded.ok) {
    for (const line of renderMistakes(loaded.mistakes)) io.stderr(line);
    return EXIT.misused;
  }
  try {
    return await run(loaded.settings, commandLog(io, loaded.settings));
  } catch (problem) {
    for (const line of renderProblem(problem)) io.stderr(line);
    return EXIT.failed;
  }
}

/** A log for a person: on the error stream, and quiet unless a level was asked for. */
function commandLog(io: Io, settings: Settings): Log {
  return createLog({
    format: 'plain',
    level: io.env.CADENCED_LOG_LEVEL ? settings.logLevel : 'warn',
    destination: { write: (line) => io.stderr(line.trimEnd()) },
  });
}

/**
 * The database of DATABASE_URL, else the embedded one: shared with a daemon that runs on it, started for as long as
 * `run` takes where none does.
 */
export async function withDatabase<T>(
  settings: Settings,
  log: Log,
  run: (database: OpenDatabase) => Promise<T>,
): Promise<T> {
  if (settings.database.kind === 'external') {
    const url = settings.database.url.reveal();
    return run({ url, where: whereIs(url), psql: 'psql "$DATABASE_URL"' });
  }
  const { dataDir } = settings.database;
  const server = await startEmbeddedPostgres({ dataDir, durable: true, log, whenInUse: 'share' });
  try {
    // A server of our own ends with this command, and its address with it.
    const psql = server.shared ? `psql "${server.psqlUrl}"` : null;
    return await run({ url: server.url, where: `embedded in ${dataDir}`, psql });
  } finally {
    await server.stop();
  }
}

/** Whether the embedded server was ever started: looking must not make a database where there is none. */
export function hasDatabase(settings: Settings): boolean {
  if (settings.database.kind === 'external') return true;
  try {
    return readdirSync(settings.database.dataDir).some((name) => /^pg\d+$/.test(name));
  } catch (problem) {
    if ((problem as { code?: string }).code === 'ENOENT') return false;
    throw problem;
  }
}

/** Gives `run` a signal for the first Ctrl-C; the second ends the process. */
export async function withSignal<T>(io: Io, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) io.exitNow(130);
    else {
      io.stderr('Stopping. A second signal ends at once.');
      controller.abort(new Error('stopped by a signal'));
    }
  };
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) io.signals.on(name, onSignal);
  try {
    return await run(controller.signal);
  } finally {
    for (const name of names) io.signals.off(name, onSignal);
  }
}

/** `db.example.org:5432/cadenced`: what DATABASE_URL names, without its user and password. */
function whereIs(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname || 'local socket'}${port && `:${port}`}${pathname}`;
}
