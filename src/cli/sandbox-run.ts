import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sql } from 'kysely';
import { DateTime } from 'luxon';
import { composeDaemon, type Daemon, openWorkshop, type Workshop } from '../compose.ts';
import { createLog } from '../runtime/log.ts';
import { createShutdown } from '../runtime/shutdown.ts';
import { startControl } from '../sandbox/control.ts';
import { createFaults } from '../sandbox/faults.ts';
import { startGoogleSandbox } from '../sandbox/google/server.ts';
import { type MailSink, startMailSink } from '../sandbox/mail/mail-sink.ts';
import { startMicrosoftSandbox } from '../sandbox/microsoft/microsoft-sandbox.ts';
import { type Receiver, secretFromSeed, startReceiver } from '../sandbox/receiver/receiver.ts';
import { buildScenario } from '../sandbox/scenario/build-scenario.ts';
import type { Scenario } from '../sandbox/scenario/scenario-types.ts';
import { World } from '../sandbox/world/world.ts';
import { loadSettings, renderMistakes, type Settings } from '../settings/settings.ts';
import { createDatabase, dropDatabase, urlOfDatabase } from '../store/databases.ts';
import { dataDirDefault } from '../store/embedded/data-dir.ts';
import { startEmbeddedPostgres } from '../store/embedded/start.ts';
import { importRoster } from '../usecases/import-roster.ts';
import type { Io } from './io.ts';
import { News } from './sandbox-news.ts';
import { SHUTDOWN_DEADLINE_MS, type StartOptions } from './start.ts';
import { readSummary } from './summary.ts';

/** The database that the embedded server holds by default; `cadenced status` finds it by the data directory. */
const DATABASE = 'cadenced';
const CONFIG = 'sandbox:config.yaml';
const KEY = 'sandbox:google-key.json';

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
    const stage = await openStage(options, io, shutdown, log);
    const news = new News(stage.workshop.db, say);
    await playStory(stage, news, say, shutdown.signal);
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

interface Stage {
  readonly world: World;
  readonly scenario: Scenario;
  readonly workshop: Workshop;
  readonly daemon: Daemon;
  readonly sink: MailSink;
  readonly receiver: Receiver;
}

/** Starts everything, the stand-ins first. What is started last stops first. */
async function openStage(
  options: StartOptions,
  io: Io,
  shutdown: ReturnType<typeof createShutdown>,
  log: ReturnType<typeof createLog>,
): Promise<Stage> {
  const say = options.json ? () => undefined : io.stdout;
  const world = new World({ seed: options.sandboxSeed });
  const scenario = buildScenario(world, { seed: options.sandboxSeed });
  const now = () => world.now();
  const faults = createFaults({ seed: options.sandboxSeed, now });
  const dataDir = join(io.env.CADENCED_DATA_DIR ?? dataDirDefault(io.env), 'sandbox');
  const [server, google, microsoft, sink, receiver] = await Promise.all([
    startEmbeddedPostgres({ dataDir, durable: false, log, whenInUse: 'refuse' }),
    startGoogleSandbox(world, { faults }),
    startMicrosoftSandbox(world, { faults, habits: { verifiedGuests: new Set(scenario.verifiedGuests) } }),
    startMailSink({ now }),
    startReceiver({ secret: secretFromSeed(options.sandboxSeed), now }),
  ]);
  const control = await startControl(world, faults);
  shutdown.add('embedded Postgres', () => server.stop());
  for (const part of [google, microsoft, sink, receiver, control]) shutdown.add('stand-in', part.close);
  if (!options.keep) {
    const maintenance = urlOfDatabase(server.url, 'postgres');
    await dropDatabase(maintenance, DATABASE);
    await createDatabase(maintenance, DATABASE);
  }
  const settings = sandboxSettings(scenario, { google, microsoft, sink });
  const workshop = await openWorkshop(settings, server.url, log, 'daemon');
  shutdown.add('database connections', workshop.close);
  await workshop.moveClock(DateTime.fromMillis(world.now(), { zone: 'utc' }));
  await sql`
    insert into cadenced.webhook_endpoint (name, url, sealed_secrets)
    values ('sandbox receiver', ${receiver.url}, array[${workshop.seal.seal(receiver.secret)}])
    on conflict (name) do update set url = excluded.url, sealed_secrets = excluded.sealed_secrets`.execute(
    workshop.db,
  );
  const daemon = composeDaemon(workshop, server.url);
  shutdown.add('daemon', daemon.stop);
  await daemon.start();
  for (const line of whereToLook(options, {
    dataDir,
    psqlUrl: server.psqlUrl,
    sink,
    receiver,
    daemon,
    control,
  }))
    say(line);
  return { world, scenario, workshop, daemon, sink, receiver };
}

function whereToLook(
  options: StartOptions,
  at: {
    dataDir: string;
    psqlUrl: string;
    sink: MailSink;
    receiver: Receiver;
    daemon: Daemon;
    control: { url: string };
  },
): string[] {
  return [
    `cadenced in its sandbox, seed ${options.sandboxSeed}. Everything here is invented and stays on this machine.`,
    '',
    `  mails      ${at.sink.pageUrl}`,
    `  webhooks   ${at.receiver.pageUrl}`,
    `  database   psql "${at.psqlUrl}"      (try: select * from mentoring.cadence;)`,
    `  no psql?   CADENCED_DATA_DIR=${at.dataDir} npm run -s cadenced -- status`,
    `  health     ${at.daemon.http.url}/freshness`,
    `  meddle     ${at.control.url}/_control   (src/sandbox/README.md)`,
    '',
  ];
}

function sandboxSettings(
  scenario: Scenario,
  at: {
    google: Awaited<ReturnType<typeof startGoogleSandbox>>;
    microsoft: Awaited<ReturnType<typeof startMicrosoftSandbox>>;
    sink: MailSink;
  },
): Settings {
  const loaded = loadSettings({
    env: {
      CADENCED_CONFIG: CONFIG,
      CADENCED_CLOCK: scenario.startsAt,
      CADENCED_PORT: '0',
      CADENCED_METRICS_PORT: '0',
      CADENCED_SEAL_KEYS: randomBytes(32).toString('base64'),
      CADENCED_SMTP_URL: at.sink.smtpUrl,
      CADENCED_MAIL_FROM: 'Mentoring <mentoring@cadenced.example>',
      CADENCED_GOOGLE_KEY_FILE: KEY,
      CADENCED_GOOGLE_API_URL: at.google.url,
      CADENCED_GOOGLE_TOKEN_URL: at.google.tokenUrl,
      CADENCED_MICROSOFT_TENANT: at.microsoft.tenant,
      CADENCED_MICROSOFT_CLIENT_ID: at.microsoft.clientId,
      CADENCED_MICROSOFT_CLIENT_SECRET: at.microsoft.clientSecret,
      CADENCED_MICROSOFT_GRAPH_URL: at.microsoft.graphUrl,
      CADENCED_MICROSOFT_TOKEN_URL: at.microsoft.tokenUrl,
      CADENCED_WEBHOOK_ALLOW: '127.0.0.0/8',
    },
    readText: (path) => (path === KEY ? JSON.stringify(at.google.serviceAccountKey) : scenario.config),
  });
  if (!loaded.ok) throw new Error(renderMistakes(loaded.mistakes).join('\n'));
  return loaded.settings;
}

/** Lives through the script: time jumps from step to step, and after each everything that follows from it happens. */
async function playStory(
  stage: Stage,
  news: News,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { world, scenario, workshop, daemon } = stage;
  const imported = await importRoster(workshop.roster, scenario.rosterCsv, false);
  if (imported.outcome === 'refused') throw new Error('the sandbox wrote a roster that the import refuses');
  await daemon.dispatcher.settled();
  await news.opening(scenario.startsAt, scenario.roster);
  for (const step of scenario.steps) {
    signal.throwIfAborted();
    const at = DateTime.fromISO(step.at, { zone: 'utc' });
    world.clock.set(at.toMillis());
    await workshop.moveClock(at);
    step.run(world);
    // In life a push or the next poll would tell; a story that jumps over hours asks at once.
    await sql`update cadenced.calendar set next_poll_at = now()
               where retired_at is null and coalesce(next_probe_at <= now(), true)`.execute(workshop.db);
    daemon.dispatcher.cadenceChanged();
    await daemon.dispatcher.settled();
    await news.tell(step.at, step.title);
  }
  say('');
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
