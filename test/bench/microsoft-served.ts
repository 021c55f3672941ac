import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DateTime } from 'luxon';
import { composeDaemon, type Daemon, openWorkshop, type Workshop } from '../../src/compose.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createFaults } from '../../src/sandbox/faults.ts';
import {
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { createMeeting, moveMeeting, World } from '../../src/sandbox/world/index.ts';
import { loadSettings, renderMistakes } from '../../src/settings/settings.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';
import { importRoster } from '../../src/usecases/import-roster.ts';

/** The stand-in for Graph in a process of its own, so that only the daemon's work is on the daemon's clock. */

export const mentorOf = (pair: number) => `mentor${pair}@bench.example`;
export const menteeOf = (pair: number) => `mentee${pair}@bench.example`;

interface Served {
  readonly graphUrl: string;
  readonly tokenUrl: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Notifications as Graph posts them, so many at a time for as long as there are any. */
export interface Flood {
  readonly posts: number;
  readonly parallel: number;
  /** In each POST: none, or changes of mailboxes by turns, every tenth of nobody's and every tenth forged. */
  readonly items: number;
}

type Order = { readonly move: string } | { readonly count: true } | { readonly flood: Flood };

/** The child's side: `pairs` mentorships with a weekly series and some untagged events each. */
export async function serveMicrosoft(pairs: number): Promise<void> {
  const world = new World({ seed: 1, start: Date.now() });
  const faults = createFaults({ seed: 1, now: () => world.now() });
  const sandbox = await startMicrosoftSandbox(world, {
    faults,
    habits: { latencyMs: 0, notificationDelayMs: 0, pageSize: 100, emptyFirstPage: false },
  });
  const tomorrow = DateTime.utc().startOf('day').plus({ days: 1, hours: 10 });
  let single = '';
  for (let pair = 0; pair < pairs; pair += 1) {
    const [organizer, mentee] = [mentorOf(pair), menteeOf(pair)];
    world.addPerson({ name: `Mentor ${pair}`, address: organizer, provider: 'microsoft' });
    world.addPerson({ name: `Mentee ${pair}`, address: mentee, provider: 'microsoft' });
    const common = { organizer, guests: [mentee], zone: 'UTC' };
    const start = tomorrow.toFormat("yyyy-MM-dd'T'HH:mm");
    createMeeting(world, { ...common, title: 'Talk #mentoring', start, rule: 'FREQ=WEEKLY;COUNT=12' });
    for (let n = 0; n < 8; n += 1) {
      const at = tomorrow.plus({ days: n * 3, hours: 2 }).toFormat("yyyy-MM-dd'T'HH:mm");
      createMeeting(world, { ...common, title: `Status ${n}`, start: at });
    }
    if (pair === 0) single = createMeeting(world, { ...common, title: 'Once #mentoring', start }).id;
  }
  process.on('message', (order: Order) => {
    if ('count' in order) return process.send?.({ count: faults.log.entries().length });
    if ('flood' in order) {
      return void flooded(sandbox, order.flood).then((answers) => process.send?.({ answers }));
    }
    const at = Date.now();
    moveMeeting(world, { meeting: single, start: order.move });
    return process.send?.({ movedAt: at });
  });
  process.on('disconnect', () => void sandbox.close().then(() => process.exit(0)));
  const { graphUrl, tokenUrl, tenant, clientId, clientSecret } = sandbox;
  process.send?.({ graphUrl, tokenUrl, tenant, clientId, clientSecret } satisfies Served);
}

export interface Answer {
  readonly status: number | null;
  readonly tookMs: number;
}

async function flooded(sandbox: MicrosoftSandbox, { posts, parallel, items }: Flood): Promise<Answer[]> {
  const watched = sandbox.subscriptions.active();
  const url = watched[0]?.notificationUrl;
  if (url === undefined) throw new Error('nobody watches');
  const answers: Answer[] = [];
  let next = 0;
  const item = (n: number) => {
    const { id, clientState } = watched[n % watched.length] ?? {};
    const kind = items > 1 ? n % 10 : 2;
    return {
      subscriptionId: kind === 0 ? `nobody-${n}` : id,
      clientState: kind === 1 ? `forged-${n}` : clientState,
      changeType: 'updated',
      resource: `Users/00000000-0000-4000-8000-000000000000/Events/${'A'.repeat(150)}`,
      tenantId: sandbox.tenant,
      resourceData: { '@odata.type': '#Microsoft.Graph.Event', id: 'A'.repeat(150) },
    };
  };
  const poster = async () => {
    for (let post = next++; post < posts; post = next++) {
      const { status, tookMs } = await sandbox.subscriptions.post(
        url,
        Array.from({ length: items }, (_, n) => item(post * 7 + n)),
      );
      answers.push({ status, tookMs });
    }
  };
  await Promise.all(Array.from({ length: parallel }, poster));
  return answers;
}

export interface Bench {
  readonly workshop: Workshop;
  readonly daemon: Daemon;
  readonly databaseUrl: string;
  /** Moves the one single event. @returns when, by the machine's clock */
  move(start: string): Promise<number>;
  /** Requests that reached the stand-in. */
  requests(): Promise<number>;
  flood(how: Flood): Promise<readonly Answer[]>;
  close(): Promise<void>;
}

/** The parent's side: a database, the settings, and a daemon that is not started yet. */
export async function openBench(script: string, pairs: number): Promise<Bench> {
  const child = fork(script, ['serve', String(pairs)]);
  const served = (await answerOf(child)) as Served;
  const dataDir = mkdtempSync(join(tmpdir(), 'cadenced-bench-'));
  const log = silentLog();
  const server = await startEmbeddedPostgres({ dataDir, durable: true, log });
  const port = await freePort();
  const loaded = loadSettings({
    env: {
      CADENCED_CONFIG: 'bench',
      CADENCED_PORT: String(port),
      CADENCED_PUBLIC_URL: `http://127.0.0.1:${port}`,
      CADENCED_METRICS_PORT: '0',
      CADENCED_SEAL_KEYS: Buffer.alloc(32, 7).toString('base64'),
      CADENCED_MICROSOFT_TENANT: served.tenant,
      CADENCED_MICROSOFT_CLIENT_ID: served.clientId,
      CADENCED_MICROSOFT_CLIENT_SECRET: served.clientSecret,
      CADENCED_MICROSOFT_GRAPH_URL: served.graphUrl,
      CADENCED_MICROSOFT_TOKEN_URL: served.tokenUrl,
    },
    readText: () =>
      'programs:\n  - {name: Bench, time_zone: UTC, tags: ["#mentoring"], cadence: {every: P14D}}\n',
  });
  if (!loaded.ok) throw new Error(renderMistakes(loaded.mistakes).join('\n'));
  const workshop = await openWorkshop(loaded.settings, server.url, log, 'daemon');
  const row = (pair: number, role: string, email: string) =>
    `Bench,pair ${pair},${role},${email},${email},UTC,microsoft,2020-01-01,,,`;
  const rows = Array.from({ length: pairs }, (_, pair) =>
    [row(pair, 'mentor', mentorOf(pair)), row(pair, 'mentee', menteeOf(pair))].join('\n'),
  );
  const header = 'program,mentorship,role,email,name,time_zone,calendar,starts_on,ends_on,aliases,language';
  const imported = await importRoster(workshop.roster, [header, ...rows].join('\n'), false);
  if (imported.outcome !== 'applied') throw new Error(JSON.stringify(imported));
  return {
    workshop,
    databaseUrl: server.url,
    daemon: composeDaemon(workshop, server.url),
    async move(start) {
      child.send({ move: start } satisfies Order);
      return ((await answerOf(child)) as { movedAt: number }).movedAt;
    },
    async requests() {
      child.send({ count: true } satisfies Order);
      return ((await answerOf(child)) as { count: number }).count;
    },
    async flood(flood) {
      child.send({ flood } satisfies Order);
      return ((await answerOf(child)) as { answers: Answer[] }).answers;
    },
    async close() {
      await workshop.close();
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
      child.disconnect();
    },
  };
}

export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once('message', resolve));
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
