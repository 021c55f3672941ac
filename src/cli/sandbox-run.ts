import { join } from 'node:path';
import { createLog } from '../runtime/log.ts';
import { createShutdown } from '../runtime/shutdown.ts';
import { createDatabase, dropDatabase, urlOfDatabase } from '../store/databases.ts';
import { dataDirDefault } from '../store/embedded/data-dir.ts';
import { startEmbeddedPostgres } from '../store/embedded/start.ts';
import type { Io } from './io.ts';
import { News } from './sandbox-news.ts';
import { beginStory, openStage, playStep, type Stage } from './sandbox-stage.ts';
import { SHUTDOWN_DEADLINE_MS, type StartOptions } from './start.ts';
import { readSummary } from './summary.ts';

/** The database that the embedded server holds by default; `cadenced status` finds it by the data directory. */
const DATABASE = 'cadenced';

/**
 * `cadenced start --sandbox`: the whole daemon on a fresh database of its own against local stand-ins for Google,
 * Microsoft, a mail server and a webhook receiver, living through a scripted few days of an invented organisation.
 * @returns the exit code
 */
export async function runSandbox(options: StartOptions, io: Io): Promise<number> {
  if (io.env.DATABASE_URL) {
    io.stderr(
      'The sandbox makes a database of its own afresh at every start and never touches another: unset DATABASE_URL.',
    );
    return 2;
  }
  const errors: string[] = [];
  const log = createLog({
    format: 'json',
    level: 'warn',
    destination: { write: (line) => keepErrors(line, errors, io, options) },
  });
  const shutdown = createShutdown({ log, deadlineMs: SHUTDOWN_DEADLINE_MS, exit: io.exitNow });
  const stopListening = shutdown.listen(io.signals);
  const say = options.json ? () => undefined : io.stdout;
  try {
    const dataDir = join(io.env.CADENCED_DATA_DIR ?? dataDirDefault(io.env), 'sandbox');
    const server = await startEmbeddedPostgres({ dataDir, durable: false, log, whenInUse: 'refuse' });
    shutdown.add('embedded Postgres', () => server.stop());
    if (!options.keep) await startAfresh(server.url);
    const stage = await openStage({
      seed: options.sandboxSeed,
      databaseUrl: server.url,
      log,
      atEnd: (name, stop) => shutdown.add(name, stop),
    });
    for (const line of whereToLook(options, stage, dataDir, server.psqlUrl)) say(line);
    const news = new News(stage.workshop.db, say);
    await beginStory(stage);
    await news.opening(stage.scenario.startsAt, stage.scenario.roster);
    for (const step of stage.scenario.steps) {
      shutdown.signal.throwIfAborted();
      const pushed = await playStep(stage, step);
      await news.tell(step.at, step.title, pushed);
    }
    say('');
    if (options.untilSettled) {
      const summary = await readSummary(stage.workshop.db);
      const received = stage.receiver.received();
      const { webhooks } = summary;
      const whole = {
        ...summary,
        webhooks: {
          received: countBy(received, (webhook) => typeOf(webhook.body)),
          verified: countBy(
            received.filter((webhook) => webhook.verified),
            (webhook) => typeOf(webhook.body),
          ),
          delivered: webhooks.delivered,
        },
        errors: [...summary.errors, ...errors],
      };
      if (options.json) io.stdout(JSON.stringify(whole));
      else for (const line of news.closing(whole)) io.stdout(line);
      return await shutdown.request('settled', 0);
    }
    await news.table();
    say('');
    say('The story is told; the daemon goes on. Ctrl-C ends it, and the next start begins afresh.');
    return await shutdown.finished;
  } catch (problem) {
    if (shutdown.signal.aborted) return await shutdown.finished;
    io.stderr(problem instanceof Error ? problem.message : String(problem));
    return await shutdown.request('failed to start', 1);
  } finally {
    stopListening();
  }
}

function keepErrors(line: string, errors: string[], io: Io, options: StartOptions): void {
  const { level, msg, ...rest } = JSON.parse(line) as { level: number | string; msg?: string };
  const severe = level === 'error' || level === 'fatal' || (typeof level === 'number' && level >= 50);
  if (severe) errors.push(msg ?? 'an error');
  if (!options.json || severe)
    io.stderr(`  ! ${msg ?? ''} ${JSON.stringify(without(rest, ['time', 'pid', 'hostname']))}`);
}

function without(value: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

async function startAfresh(serverUrl: string): Promise<void> {
  const maintenance = urlOfDatabase(serverUrl, 'postgres');
  await dropDatabase(maintenance, DATABASE);
  await createDatabase(maintenance, DATABASE);
}

function whereToLook(options: StartOptions, stage: Stage, dataDir: string, psqlUrl: string): string[] {
  return [
    `cadenced in its sandbox, seed ${options.sandboxSeed}. Everything here is invented and stays on this machine.`,
    '',
    `  mails      ${stage.sink.pageUrl}`,
    `  webhooks   ${stage.receiver.pageUrl}`,
    `  database   psql "${psqlUrl}"`,
    '             (try: select * from mentoring.cadence;)',
    `  no psql?   CADENCED_DATA_DIR=${dataDir} npm run -s cadenced -- status`,
    `  health     ${stage.daemon.http.url}/freshness`,
    `  meddle     ${stage.control.url}/_control   (src/sandbox/README.md)`,
    '',
  ];
}

function typeOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'type' in body && typeof body.type === 'string'
    ? body.type
    : 'unreadable';
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
