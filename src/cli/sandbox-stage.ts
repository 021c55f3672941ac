import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
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

/** Beyond this a push has met trouble, and polling finds what it told of. */
const LONGEST_PUSH_MS = 5_000;

/** What push alone made of a step, before anybody polled. */
export interface Pushed {
  /** Calendars of which each provider told us. */
  readonly google: number;
  readonly microsoft: number;
  /** Outbound events that followed. */
  readonly events: number;
  /** Real milliseconds from the change until everything that followed was done. */
  readonly tookMs: number;
}

/** Lets one step happen at its time, and then everything that follows from it: by push first, then by polling. */
export async function playStep(stage: Stage, step: ScenarioStep): Promise<Pushed> {
  const { world, workshop, daemon } = stage;
  const at = DateTime.fromISO(step.at, { zone: 'utc' });
  world.clock.set(at.toMillis());
  await workshop.moveClock(at);
  const pushed = await pushedBy(stage, () => step.run(world));
  // What no push tells of: a calendar that was closed to us, and whatever a notification lost. A story that jumps
  // over hours asks at once.
  await sql`update cadenced.calendar set next_poll_at = now()
             where retired_at is null and coalesce(next_probe_at <= now(), true)`.execute(workshop.db);
  await daemon.dispatcher.settled();
  return pushed;
}

/** Changes the world and waits for what the providers tell of it, and for what follows from that. */
async function pushedBy(stage: Stage, change: () => void): Promise<Pushed> {
  const before = [toldByGoogle(stage).length, toldByMicrosoft(stage).length] as const;
  const events = await eventsSoFar(stage);
  const began = performance.now();
  change();
  await Promise.all([stage.google.push.idle(), stage.microsoft.subscriptions.delivered()]);
  const google = new Set(toldByGoogle(stage).slice(before[0])).size;
  const microsoft = new Set(toldByMicrosoft(stage).slice(before[1])).size;
  if (google + microsoft === 0) return { google, microsoft, events: 0, tookMs: 0 };
  await stage.daemon.dispatcher.settled();
  // A push that follows another within a second is read at that second's end; what cannot be read is not waited for.
  for (;;) {
    const left = await untilRead(stage);
    if (left === null || performance.now() - began + left > LONGEST_PUSH_MS) break;
    await delay(left);
    await stage.daemon.dispatcher.settled();
  }
  const tookMs = performance.now() - began;
  return { google, microsoft, events: (await eventsSoFar(stage)) - events, tookMs };
}

/** Milliseconds until the last calendar that a push told of is read; `null` when all of them are. */
async function untilRead({ workshop }: Stage): Promise<number | null> {
  const { rows } = await sql<{ left: number | null }>`
    select case when count(*) > 0
                then greatest(extract(epoch from max(next_poll_at) - clock_timestamp()) * 1000, 10)::float8 end as left
      from cadenced.calendar
     where state in ('active', 'parked') and retired_at is null
       and pushed_at > coalesce(push_taken_at, '-infinity')`.execute(workshop.db);
  return rows[0]?.left ?? null;
}

/** The channel of every change that was told and taken. */
function toldByGoogle({ google }: Stage): string[] {
  return google.push
    .deliveries()
    .filter(({ state, status }) => state === 'exists' && status === 202)
    .map(({ channel }) => channel);
}

/** The same of Graph: a delivery holds notifications of several subscriptions. */
function toldByMicrosoft({ microsoft }: Stage): unknown[] {
  return microsoft.subscriptions
    .deliveries()
    .filter(({ status }) => status === 202)
    .flatMap(({ items }) => items.map((item) => (item as { subscriptionId?: unknown }).subscriptionId));
}

async function eventsSoFar({ workshop }: Stage): Promise<number> {
  const { rows } = await sql<{ events: number }>`
    select count(*)::int as events from cadenced.outbound_event`.execute(workshop.db);
  return rows[0]?.events ?? 0;
}
