import { composeDaemon, openWorkshop } from '../compose.ts';
import { createLog } from '../runtime/log.ts';
import { createShutdown } from '../runtime/shutdown.ts';
import { loadSettings, renderMistakes, type Settings } from '../settings/settings.ts';
import { startEmbeddedPostgres } from '../store/embedded/start.ts';
import { errorCode } from '../store/problem.ts';
import type { Io } from './io.ts';

export interface StartOptions {
  readonly sandbox: boolean;
  readonly untilSettled: boolean;
  readonly json: boolean;
  readonly sandboxSeed: number;
  readonly keep: boolean;
}

/** What a supervisor allows by default (Docker: 10 s) less a little, so that the end is ours and not a kill. */
export const SHUTDOWN_DEADLINE_MS = 9_000;

/** `cadenced start`: runs the daemon until a signal. @returns the exit code */
export async function runStart(options: StartOptions, io: Io): Promise<number> {
  if (options.sandbox) {
    // Loaded only when asked for: the sandbox is not part of the image.
    const sandbox = await import('./sandbox-run.ts').catch((problem: unknown) => {
      if (errorCode(problem) === 'ERR_MODULE_NOT_FOUND') return null;
      throw problem;
    });
    if (sandbox) return sandbox.runSandbox(options, io);
    io.stderr('The sandbox is not part of this installation. It runs from a checkout: npm ci && npm start');
    return 2;
  }
  const loaded = loadSettings({ env: io.env, needs: ['programs', 'calendars', 'seal_keys'] });
  if (!loaded.ok) {
    for (const line of renderMistakes(loaded.mistakes)) io.stderr(line);
    return 2;
  }
  return runDaemon(loaded.settings, io);
}

async function runDaemon(settings: Settings, io: Io): Promise<number> {
  const log = createLog({ format: 'json', level: settings.logLevel });
  const shutdown = createShutdown({ log, deadlineMs: SHUTDOWN_DEADLINE_MS, exit: io.exitNow });
  const stopListening = shutdown.listen(io.signals);
  try {
    const databaseUrl = await openDatabase(settings, shutdown, log);
    const workshop = await openWorkshop(settings, databaseUrl, log, 'daemon');
    shutdown.add('database connections', () => workshop.close());
    for (const statement of workshop.prepared.rolesToCreate) {
      log.warn(
        { statement },
        'a role is missing that this database user may not create; run the statement as its administrator',
      );
    }
    if (!settings.mail) log.warn('no CADENCED_SMTP_URL is set: mails are kept until there is one');
    const daemon = composeDaemon(workshop, databaseUrl);
    shutdown.add('daemon', () => daemon.stop());
    await daemon.start();
    log.info({ http: daemon.http.url, metrics: daemon.http.metricsUrl, clock: settings.clock }, 'started');
    return await shutdown.finished;
  } catch (problem) {
    // Signals end a start that hangs, too; what fails before anything listens ends the process.
    io.stderr(problem instanceof Error ? problem.message : String(problem));
    return await shutdown.request('failed to start', 1);
  } finally {
    stopListening();
  }
}

async function openDatabase(
  settings: Settings,
  shutdown: ReturnType<typeof createShutdown>,
  log: ReturnType<typeof createLog>,
): Promise<string> {
  if (settings.database.kind === 'external') return settings.database.url.reveal();
  const server = await startEmbeddedPostgres({
    dataDir: settings.database.dataDir,
    durable: true,
    log,
    whenInUse: 'refuse',
  });
  shutdown.add('embedded Postgres', () => server.stop());
  return server.url;
}
