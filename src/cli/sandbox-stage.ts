import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { sql } from 'kysely';
import { DateTime } from 'luxon';
import { composeDaemon, type Daemon, openWorkshop, type Workshop } from '../compose.ts';
import type { Log } from '../runtime/log.ts';
import { type Control, startControl } from '../sandbox/control.ts';
import { createFaults, type Faults } from '../sandbox/faults.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../sandbox/google/server.ts';
import { type MailSink, startMailSink } from '../sandbox/mail/mail-sink.ts';
import { type MicrosoftSandbox, startMicrosoftSandbox } from '../sandbox/microsoft/microsoft-sandbox.ts';
import { type Receiver, secretFromSeed, startReceiver } from '../sandbox/receiver/receiver.ts';
import { buildScenario } from '../sandbox/scenario/build-scenario.ts';
import type { Scenario, ScenarioStep } from '../sandbox/scenario/scenario-types.ts';
import { World } from '../sandbox/world/world.ts';
import { loadSettings, renderMistakes, type Settings } from '../settings/settings.ts';
import { importRoster } from '../usecases/import-roster.ts';

/**
 * The stage on which the sandbox's story is played: stand-ins for both providers, a mail sink, a webhook receiver,
 * and the daemon itself, all on loopback and all living by one moved clock.
 */
export interface Stage {
  readonly world: World;
  readonly faults: Faults;
  readonly scenario: Scenario;
  readonly workshop: Workshop;
  readonly daemon: Daemon;
  readonly google: GoogleSandbox;
  readonly microsoft: MicrosoftSandbox;
  readonly sink: MailSink;
  readonly receiver: Receiver;
  readonly control: Control;
}

const CONFIG = 'sandbox:config.yaml';
const KEY = 'sandbox:google-key.json';

/**
 * Starts everything, the stand-ins first.
 * @param atEnd is told how each part stops; what was started last stops first
 */
export async function openStage(options: {
  readonly seed: number;
  readonly databaseUrl: string;
  readonly log: Log;
  readonly atEnd: (name: string, stop: () => Promise<unknown>) => void;
}): Promise<Stage> {
  const { seed, log, atEnd } = options;
  const world = new World({ seed });
  const scenario = buildScenario(world, { seed });
  const now = () => world.now();
  const faults = createFaults({ seed, now });
  const [google, microsoft, sink, receiver, control] = await Promise.all([
    startGoogleSandbox(world, { faults }),
    startMicrosoftSandbox(world, { faults, habits: { verifiedGuests: new Set(scenario.verifiedGuests) } }),
    startMailSink({ now }),
    startReceiver({ secret: secretFromSeed(seed), now }),
    startControl(world, faults),
  ]);
  for (const part of [google, microsoft, sink, receiver, control]) atEnd('stand-in', part.close);
  const settings = sandboxSettings(scenario, { google, microsoft, sink }, await freePort());
  const workshop = await openWorkshop(settings, options.databaseUrl, log, 'daemon');
  atEnd('database connections', () => workshop.close());
  await workshop.moveClock(DateTime.fromMillis(world.now(), { zone: 'utc' }));
  await sql`
    insert into cadenced.webhook_endpoint (name, url, sealed_secrets)
    values ('sandbox receiver', ${receiver.url}, array[${workshop.seal.seal(receiver.secret)}])
    on conflict (name) do update set url = excluded.url, sealed_secrets = excluded.sealed_secrets`.execute(
    workshop.db,
  );
  const daemon = composeDaemon(workshop, options.databaseUrl);
  atEnd('daemon', () => daemon.stop());
  await daemon.start();
  return { world, faults, scenario, workshop, daemon, google, microsoft, sink, receiver, control };
}

/** A port nobody listens on: the links in mails name it before the daemon listens. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise<void>((resolve) => {
    probe.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

function sandboxSettings(
  scenario: Scenario,
  at: { google: GoogleSandbox; microsoft: MicrosoftSandbox; sink: MailSink },
  port: number,
): Settings {
  const loaded = loadSettings({
    env: {
      CADENCED_CONFIG: CONFIG,
      CADENCED_CLOCK: scenario.startsAt,
      CADENCED_PORT: String(port),
      CADENCED_PUBLIC_URL: `http://127.0.0.1:${port}`,
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

/** Imports the roster and lets the daemon read five weeks of past. */
export async function beginStory({ scenario, workshop, daemon }: Stage): Promise<void> {
  const imported = await importRoster(workshop.roster, scenario.rosterCsv, false);
  if (imported.outcome === 'refused') throw new Error('the sandbox wrote a roster that the import refuses');
  await daemon.dispatcher.settled();
}

/** Lets one step happen at its time, and then everything that follows from it. */
export async function playStep({ world, workshop, daemon }: Stage, step: ScenarioStep): Promise<void> {
  const at = DateTime.fromISO(step.at, { zone: 'utc' });
  world.clock.set(at.toMillis());
  await workshop.moveClock(at);
  step.run(world);
  // In life a push or the next poll would tell; a story that jumps over hours asks at once.
  await sql`update cadenced.calendar set next_poll_at = now()
             where retired_at is null and coalesce(next_probe_at <= now(), true)`.execute(workshop.db);
  await daemon.dispatcher.settled();
}
