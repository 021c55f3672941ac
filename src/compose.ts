import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { DateTime, Duration } from 'luxon';
import PQueue from 'p-queue';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createLinks } from './delivery/links.ts';
import { loadMailRenderer } from './delivery/render-mail.ts';
import { loadPageRenderer } from './delivery/render-page.ts';
import { createSmtpMailer, senderDomain } from './delivery/smtp.ts';
import { createWebhookTransport } from './delivery/webhook.ts';
import type { MailModel } from './domain/mail.ts';
import type { Provider } from './domain/observation.ts';
import { createInstruments, type Instruments } from './http/instruments.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { createDispatcher, type Dispatcher, QUEUES, syncJob } from './jobs/dispatcher.ts';
import { createJobRunner, type JobHandlers, type JobRunner } from './jobs/job-runner.ts';
import type { CalendarSource } from './ports/calendar-source.ts';
import type { EvidenceSource } from './ports/evidence-source.ts';
import type { Links } from './ports/links.ts';
import type { Mailer } from './ports/mailer.ts';
import type { ReadNotification } from './ports/notification.ts';
import type { PushService } from './ports/push-service.ts';
import { createGoogle, type Google, type GoogleDeps } from './providers/google/index.ts';
import { createMicrosoft, type Microsoft } from './providers/microsoft/index.ts';
import { type Clock, offsetClock, type SettableClock } from './runtime/clock.ts';
import { locateProject } from './runtime/locate.ts';
import type { Log } from './runtime/log.ts';
import { describeError } from './runtime/redact.ts';
import { createTellOnce } from './runtime/tell-once.ts';
import type { Settings } from './settings/settings.ts';
import { createAnswerStore } from './store/answers.ts';

import { createCadenceStore } from './store/cadence.ts';

import { countChannels, createChannelStore, type PushTerms, wakeForeignChannels } from './store/channels.ts';

import { alignDatabaseClock, databaseClockOffset } from './store/clock.ts';
import type { DB } from './store/database.generated.ts';
import { createWorkFinder } from './store/due-work.ts';
import { createEvidenceStore } from './store/evidence.ts';
import { isDatabaseReady, readEvents, readFreshness } from './store/health.ts';
import { setReportsAsked } from './store/judgement.ts';
import { createMailOutbox } from './store/mail-outbox.ts';
import { prepareDatabase } from './store/migrate.ts';
import { renewMonths } from './store/months.ts';
import { createDatabaseClient, createPool } from './store/pool.ts';
import { writePrograms } from './store/programs.ts';
import { createReminderStore } from './store/reminder-store.ts';
import { createRosterStore } from './store/roster.ts';
import { createSeal, type Seal } from './store/seal.ts';
import { createSyncStore } from './store/sync-store.ts';
import { createVerdictStore } from './store/verdict-store.ts';
import { createWebhookOutbox } from './store/webhook-outbox.ts';
import { acceptHints } from './usecases/accept-notification.ts';
import { collectEvidence } from './usecases/collect-evidence.ts';
import { deliverMails } from './usecases/deliver-mails.ts';
import { deliverWebhooks } from './usecases/deliver-webhooks.ts';
import { judgeSessions } from './usecases/judge-sessions.ts';
import { type ChannelKeeper, createChannelKeeper } from './usecases/keep-channels.ts';
import { replanReminders } from './usecases/plan-reminders.ts';
import { syncCalendar } from './usecases/sync-calendar.ts';
import { watchCadence } from './usecases/watch-cadence.ts';

/** The one place where everything is built and wired. Nothing else opens pools, clients or servers. */

/** What every command needs: the database, prepared, and the clock. */
export interface Workshop {
  readonly db: Kysely<DB>;
  readonly clock: SettableClock;
  readonly log: Log;
  readonly settings: Settings;
  readonly seal: Seal;
  readonly roster: ReturnType<typeof createRosterStore>;
  /** Migrations that were applied just now, and role statements that our user may not run. */
  readonly prepared: { readonly applied: readonly string[]; readonly rolesToCreate: readonly string[] };
  /** Moves business time, here and in the database. */
  moveClock(to: DateTime): Promise<void>;
  close(): Promise<void>;
}

const POOL_SIZE = 12;
const REQUESTS_IN_FLIGHT = { google: 16, microsoft: 4 } as const;
const EVIDENCE_AT_ONCE = 8;
const SYNCS_AT_ONCE = 8;
/** Of these places, the ones kept for calendars that were pushed: else six slow polls would keep a push waiting. */
const PLACES_FOR_PUSHED = 2;
const SECRET_BYTES = 32;
/** A fault that concerns every calendar is told this often while it lasts. */
const TOLD_AGAIN_MS = 3_600_000;
/** The scheme a receiver sees as `source` where no public URL names this installation. */
const NAMELESS_SOURCE = 'urn:cadenced';

/** The clock of the settings; `null` where they do not move it. */
function movedClock(settings: Settings): SettableClock | null {
  const given = settings.clock;
  if (!given) return null;
  const ahead =
    given.kind === 'offset'
      ? Duration.fromISO(given.offset)
      : DateTime.fromISO(given.instant, { zone: 'utc' }).diff(DateTime.utc());
  return offsetClock(ahead);
}

/**
 * Opens the database, brings its schema up to date and writes the configured programs.
 * @param owner `daemon` sets the database's clock; a `command` beside a running daemon goes by the clock it finds,
 *   because looking at a sandbox must not throw it back to today
 * @throws Failure when the database cannot be reached or prepared: nothing may go on then
 */
export async function openWorkshop(
  settings: Settings,
  databaseUrl: string,
  log: Log,
  owner: 'daemon' | 'command' = 'command',
): Promise<Workshop> {
  const pool = createPool({ url: databaseUrl, max: POOL_SIZE, applicationName: 'cadenced', log });
  try {
    const prepared = await prepareDatabase(pool, { sqlDir: locateProject().sql, log });
    const db = createDatabaseClient(pool);
    const moved = movedClock(settings);
    if (owner === 'daemon') await alignDatabaseClock(db, moved?.now() ?? null);
    const clock =
      moved ?? offsetClock(owner === 'daemon' ? Duration.fromMillis(0) : await databaseClockOffset(db));
    if (settings.programs.length > 0) {
      await writePrograms(db, settings.programs, onlyProvider(settings), clock.now().toJSDate());
    }
    return {
      db,
      clock,
      log,
      settings,
      seal: createSeal(settings.sealKeys.map((key) => key.reveal())),
      roster: createRosterStore(db),
      prepared,
      async moveClock(to) {
        clock.set(to);
        await alignDatabaseClock(db, clock.now());
      },
      close: () => db.destroy(),
    };
  } catch (problem) {
    await pool.end();
    throw problem;
  }
}

/** The provider that a program mailbox without one of its own lives at. */
function onlyProvider(settings: Settings): Provider | null {
  if (settings.google && settings.microsoft) return null;
  return settings.google ? 'google' : settings.microsoft ? 'microsoft' : null;
}

export interface Providers {
  readonly google: Google | null;
  readonly microsoft: Microsoft | null;
}

/** How long and how often a provider is asked, where the adapter's own measure would take minutes to play out. */
export interface Tuning {
  readonly google?: Pick<GoogleDeps, 'timeLimits' | 'projectShare' | 'random' | 'sleep'>;
}

/** Builds the adapters of the providers that are set up. Nothing is sent until something is asked. */
export function buildProviders(
  settings: Settings,
  clock: Clock,
  log: Log,
  onRequest?: Instruments['request'],
  tuning: Tuning = {},
): Providers {
  const { google, microsoft } = settings;
  return {
    google: google
      ? createGoogle(
          {
            serviceAccountKey: {
              client_email: google.key.clientEmail,
              ...(google.key.clientId !== null && { client_id: google.key.clientId }),
              private_key: google.key.privateKey.reveal(),
            },
            adminSubject: google.adminSubject ?? undefined,
            apiUrl: google.apiUrl ?? undefined,
            tokenUrl: google.tokenUrl ?? undefined,
            maxInFlight: REQUESTS_IN_FLIGHT.google,
          },
          {
            log: log.child({ provider: 'google' }),
            now: () => clock.now().toMillis(),
            ...(onRequest && { onRequest }),
            ...tuning.google,
          },
        )
      : null,
    microsoft: microsoft
      ? createMicrosoft(
          {
            tenant: microsoft.tenant,
            clientId: microsoft.clientId,
            clientSecret: microsoft.secrets.map((secret) => secret.reveal()),
            ...(microsoft.certificate && {
              certificate: {
                privateKeyPem: microsoft.certificate.privateKey.reveal(),
                thumbprintSha256: microsoft.certificate.thumbprintSha256,
                x5c: microsoft.certificate.certificate,
                expiresAt: microsoft.certificate.expiresAt,
              },
            }),
            graphUrl: microsoft.graphUrl ?? 'https://graph.microsoft.com',
            tokenUrl: microsoft.tokenUrl ?? undefined,
            maxInFlight: REQUESTS_IN_FLIGHT.microsoft,
          },
          {
            log: log.child({ provider: 'microsoft' }),
            now: () => clock.now().toMillis(),
            ...(onRequest && { onRequest }),
          },
        )
      : null,
  };
}

/** What a sync of one calendar needs; the command line uses it without the daemon around it. */
export function syncDeps(
  workshop: Workshop,
  providers: Providers,
  instruments?: Pick<Instruments, 'fullPass' | 'zoneFallback'>,
) {
  const sources: Partial<Record<Provider, CalendarSource>> = {};
  if (providers.google) sources.google = providers.google.calendar;
  if (providers.microsoft) sources.microsoft = providers.microsoft.calendar;
  const { every, withPush, reconcile } = workshop.settings.polling;
  return {
    store: createSyncStore(workshop.db, {
      pollEveryMs: Duration.fromISO(every).toMillis(),
      pollWithPushMs: Duration.fromISO(withPush).toMillis(),
      reconcileEveryMs: Duration.fromISO(reconcile).toMillis(),
    }),
    sources,
    clock: workshop.clock,
    log: workshop.log,
    newPassId: randomUUID,
    tellOnce: createTellOnce(TOLD_AGAIN_MS),
    onFullPass: instruments?.fullPass,
    onZoneFallback: instruments?.zoneFallback,
  };
}

export interface Daemon {
  readonly dispatcher: Dispatcher;
  readonly http: HttpServer;
  readonly providers: Providers;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Builds the daemon on an open workshop. */
export function composeDaemon(workshop: Workshop, databaseUrl: string, tuning: Tuning = {}): Daemon {
  const { db, clock, log, settings } = workshop;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = createInstruments(registry, () => countChannels(db, push.terms));
  const providers = buildProviders(settings, clock, log, instruments.request, tuning);
  const push = pushOf(workshop, providers);
  const mailer = settings.mail
    ? createSmtpMailer({ url: settings.mail.url.reveal(), from: settings.mail.from })
    : null;
  const jobs: JobRunner = createJobRunner({
    connectionString: databaseUrl,
    log,
    handlers: handlersOf(workshop, providers, mailer, push.keeper, instruments),
  });
  const finder = createWorkFinder(db, settings.polling.reconcile, push.terms);
  const dispatcher: Dispatcher = createDispatcher({
    finder: {
      takeUpPlans: () => finder.takeUpPlans(),
      async find(limit) {
        const due = await finder.find(limit);
        return {
          ...due,
          // Stray channels have no row that could fall due.
          channels: due.channels || push.keeper.strays.isDue(),
          // Without a relay mails wait: they are told in the log at the start, and leave when one is set up.
          mails: due.mails && mailer !== null,
        };
      },
    },
    jobs,
    clock,
    log,
  });
  const accept = acceptHints({
    store: createChannelStore(db, push.terms),
    readers: push.readers,
    clock,
    // The dispatcher would find it within a second; a push is worth the asking at once.
    wake: (calendarId) => {
      jobs.enqueue(QUEUES.sync, [{ ...syncJob(calendarId), first: true }]).catch((problem: unknown) => {
        log.warn({ problem: describeError(problem) }, 'a push waits for the next look at what is due');
      });
    },
    onHint: instruments.hint,
    onUnknown: push.keeper.strays.heard,
  });
  const links = linksOf(settings);
  const { http: web } = settings;
  const http = createHttpServer({
    host: web.host,
    port: web.port,
    trustProxy: web.trustProxy,
    log,
    acceptNotification: async (provider, headers, _query, body) => {
      await accept(provider, headers, body);
      return { status: 202 };
    },
    events: (after, limit) => readEvents(db, web.publicUrl ?? NAMELESS_SOURCE, after, limit),
    answers: links && {
      links,
      store: createAnswerStore(db),
      clock,
      pages: loadPageRenderer(join(locateProject().config, 'pages')),
    },
    eventsToken: web.eventsToken?.reveal() ?? null,
    metrics: { host: web.metricsHost, port: web.metricsPort, registry },
    isReady: () => isDatabaseReady(db),
    readFreshness: () => readFreshness(db),
  });
  return {
    dispatcher,
    http,
    providers,
    async start() {
      await setReportsAsked(db, providers.google?.reports != null);
      await jobs.start();
      // Providers may ask us back while a channel is being opened, so this listens before any is.
      await http.listen();
      await push.begin();
      await dispatcher.start();
    },
    async stop() {
      await dispatcher.stop();
      await http.close();
      await jobs.stop();
      await mailer?.close();
    },
  };
}

/** Everything about push that the other parts need to know. */
function pushOf(workshop: Workshop, providers: Providers) {
  const { db, clock, log, settings } = workshop;
  const { publicUrl } = settings.http;
  const services: Partial<Record<Provider, PushService>> = {};
  const readers: Partial<Record<Provider, ReadNotification>> = {};
  if (providers.google) {
    services.google = providers.google.push;
    readers.google = providers.google.readNotification;
  }
  if (providers.microsoft) {
    services.microsoft = providers.microsoft.push;
    readers.microsoft = providers.microsoft.readNotification;
  }
  const served = Object.keys(services) as Provider[];
  const terms: PushTerms = { providers: served, reachable: publicUrl !== null };
  const url = (provider: Provider) =>
    publicUrl === null ? null : `${publicUrl.replace(/\/$/, '')}/notifications/${provider}`;
  const keeper = createChannelKeeper({
    store: createChannelStore(db, terms),
    services,
    url,
    clock,
    log,
    newChannelId: randomUUID,
    newSecret: () => randomBytes(SECRET_BYTES).toString('base64url'),
  });
  return {
    terms,
    readers,
    keeper,
    /** What an earlier run left at another address is replaced. */
    async begin() {
      for (const provider of served) {
        const now = url(provider);
        if (now !== null) await wakeForeignChannels(db, provider, now);
      }
    },
  };
}

/** Links need a place to lead to and a key that signs them. */
function linksOf({ http, sealKeys }: Settings): Links | null {
  if (http.publicUrl === null || sealKeys.length === 0) return null;
  return createLinks(
    http.publicUrl,
    sealKeys.map((key) => key.reveal()),
  );
}

function handlersOf(
  workshop: Workshop,
  providers: Providers,
  mailer: Mailer | null,
  channels: ChannelKeeper,
  instruments: Instruments,
): JobHandlers {
  const { db, clock, log, settings } = workshop;
  const sync = syncDeps(workshop, providers, instruments);
  const sources: EvidenceSource[] = [
    providers.google?.evidence,
    providers.google?.reports,
    providers.microsoft?.evidence,
  ].filter((source) => source !== undefined && source !== null);
  const evidenceDeps = {
    store: createEvidenceStore(db),
    clock,
    log,
    sources,
    queue: new PQueue({ concurrency: EVIDENCE_AT_ONCE }),
    tellOnce: createTellOnce(TOLD_AGAIN_MS),
  };
  const verdicts = createVerdictStore(db);
  const cadence = createCadenceStore(db);
  const reminders = createReminderStore(db);
  const webhooks = createWebhookOutbox(db, workshop.seal);
  const transport = createWebhookTransport({ allow: settings.webhookAllow });
  const mailForms = loadMailRenderer(join(locateProject().config, 'mail'));
  const mails = mailer && {
    outbox: createMailOutbox(db),
    mailer,
    render: (model: MailModel) => mailForms.render(model),
    links: linksOf(settings),
    domain: senderDomain(settings.mail?.from ?? ''),
    clock,
    log,
  };
  return {
    [QUEUES.sync]: {
      atOnce: SYNCS_AT_ONCE,
      keptForFirst: PLACES_FOR_PUSHED,
      async run({ calendarId }, signal) {
        if (calendarId === undefined) return;
        // While a pass runs its calendar still counts as due, and every look at what is due asks for another one.
        await syncCalendar(sync, calendarId, { ifDue: true }, signal);
      },
    },
    [QUEUES.channels]: {
      atOnce: 1,
      async run(_, signal) {
        await channels.keep(signal);
      },
    },
    [QUEUES.evidence]: {
      atOnce: 1,
      async run(_, signal) {
        await collectEvidence(evidenceDeps, signal);
      },
    },
    [QUEUES.judgement]: {
      atOnce: 1,
      async run() {
        await judgeSessions({ store: verdicts, clock, log });
      },
    },
    [QUEUES.cadence]: {
      atOnce: 1,
      async run() {
        await watchCadence({ store: cadence, clock, log });
      },
    },
    [QUEUES.months]: {
      atOnce: 1,
      async run() {
        await renewMonths(db);
      },
    },
    [QUEUES.reminders]: {
      atOnce: 1,
      async run() {
        await replanReminders({ store: reminders, clock });
      },
    },
    [QUEUES.mails]: {
      atOnce: 1,
      async run(_, signal) {
        if (mails) await deliverMails(mails, signal);
      },
    },
    [QUEUES.webhooks]: {
      atOnce: 1,
      async run(_, signal) {
        const source = settings.http.publicUrl ?? NAMELESS_SOURCE;
        await deliverWebhooks({ outbox: webhooks, transport, log, source, random: Math.random }, signal);
      },
    },
  };
}
