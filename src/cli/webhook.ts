import { randomUUID } from 'node:crypto';
import { DateTime } from 'luxon';
import type { Workshop } from '../compose.ts';
import { createEgressGuard } from '../delivery/egress.ts';
import { createWebhookTransport } from '../delivery/webhook.ts';
import type { DeliveryResult } from '../domain/delivery-schedule.ts';
import { didYouMean } from '../domain/did-you-mean.ts';
import { OUTBOUND_EVENT_TYPES, type OutboundEventType } from '../domain/outbound.ts';
import { isLoopback } from '../settings/env-schemas.ts';
import type { Settings } from '../settings/settings.ts';
import {
  addEndpoint,
  disableEndpoint,
  finishRotation,
  listEndpoints,
  openSecrets,
  pauseEndpoint,
  type ReplayWish,
  replayEvents,
  resumeEndpoint,
  rotateSecret,
  type StoredEndpoint,
} from '../store/webhook-endpoints.ts';
import { EXIT, type Io } from './io.ts';
import { withWorkshop } from './open.ts';
import { asArgument, counted } from './wording.ts';

export interface WebhookAddOptions {
  readonly url: string;
  readonly name: string | null;
  /** Separated by commas; null = all. */
  readonly types: string | null;
  readonly cloudevents: boolean;
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;

/** `cadenced webhook add URL` */
export function runWebhookAdd(options: WebhookAddOptions, io: Io): Promise<number> {
  const types = parseTypes(options.types);
  if ('mistake' in types) return misused(io, types.mistake);
  if (options.name !== null && !NAME.test(options.name)) {
    return misused(io, 'A name is up to 64 letters, digits, blanks, dots, dashes or underscores.');
  }
  return withWorkshop(io, ['seal_keys'], async ({ db, seal, settings }) => {
    const mistake = urlMistake(options.url, settings);
    if (mistake !== null) {
      io.stderr(mistake);
      return EXIT.misused;
    }
    const added = await addEndpoint(db, seal, {
      name: options.name,
      url: options.url,
      types: types.known,
      contentType: options.cloudevents ? 'application/cloudevents+json' : 'application/json',
    });
    if (added === null) {
      io.stderr(
        `There is a webhook called ${options.name} already. Choose another name, or see cadenced webhook list.`,
      );
      return EXIT.failed;
    }
    io.stdout(`added   ${added.name}`);
    io.stdout(`secret  ${added.secret}`);
    io.stderr('Give the secret to the receiver now: it is stored encrypted and cannot be shown again.');
    const egress = await createEgressGuard(settings.webhookAllow)(options.url);
    if (!egress.allowed && egress.reason === 'url_not_allowed') io.stderr(NOT_ALLOWED);
    return EXIT.ok;
  });
}

const NOT_ALLOWED =
  'Nothing will reach it yet: it is no public address, and CADENCED_WEBHOOK_ALLOW does not list it (for this machine: 127.0.0.0/8).';

/** `cadenced webhook list` */
export function runWebhookList(io: Io): Promise<number> {
  return withWorkshop(io, [], async ({ db }) => {
    const endpoints = await listEndpoints(db);
    if (endpoints.length === 0) io.stdout('There is no webhook. Add one: cadenced webhook add URL');
    for (const endpoint of endpoints) {
      const { name, state, reason, url, types, pending, delivered, dead, failingSince, secrets } = endpoint;
      io.stdout(`${name}  ${state}${reason === null ? '' : ` (${reason})`}  ${url}`);
      io.stdout(`  types: ${types.length === 0 ? 'all' : types.join(', ')}`);
      io.stdout(`  ${delivered} delivered, ${pending} waiting, ${dead} given up`);
      if (failingSince !== null) io.stdout(`  failing since ${failingSince.toISOString()}`);
      if (secrets > 1)
        io.stdout(
          `  signs with two secrets: cadenced webhook rotate ${asArgument(name)} --finish drops the old one`,
        );
    }
    return EXIT.ok;
  });
}

/** `cadenced webhook test NAME`: one signed event of a type of its own, sent now. */
export function runWebhookTest(name: string, io: Io): Promise<number> {
  return withEndpoint(name, io, ['seal_keys'], async ({ db, seal, settings }, endpoint) => {
    const mistake = urlMistake(endpoint.url, settings);
    if (mistake !== null) {
      io.stderr(mistake);
      return EXIT.misused;
    }
    const id = `test_${randomUUID().replaceAll('-', '')}`;
    const at = new Date().toISOString();
    const body = JSON.stringify({
      specversion: '1.0',
      id,
      source: settings.http.publicUrl ?? 'urn:cadenced',
      type: 'webhook.test',
      time: at,
      timestamp: at,
      subject: `webhook/${encodeURIComponent(name)}`,
      datacontenttype: 'application/json',
      data: { webhook: name },
    });
    const transport = createWebhookTransport({ allow: settings.webhookAllow });
    const secrets = await openSecrets(db, seal, endpoint.endpointId);
    const { url, contentType } = endpoint;
    const began = performance.now();
    const result = await transport.deliverOnce({ url, secrets, contentType }, { id, body }, DateTime.utc());
    if (result.outcome === 'delivered') {
      io.stdout(
        `${name} accepted it with HTTP ${result.status} after ${Math.round(performance.now() - began)} ms.`,
      );
      if (endpoint.state !== 'active')
        io.stdout(`It is ${endpoint.state}: cadenced webhook resume ${asArgument(name)}`);
      return EXIT.ok;
    }
    io.stderr(`${name} did not accept it: ${whyNot(result)}`);
    return EXIT.failed;
  });
}

/** `cadenced webhook replay NAME` */
export function runWebhookReplay(
  options: { readonly name: string; readonly since: string | null; readonly event: string | null },
  io: Io,
): Promise<number> {
  const { name, since, event } = options;
  if (since !== null && event !== null) return misused(io, 'Give --since or --event, not both.');
  const from = since === null ? null : DateTime.fromISO(since, { zone: 'utc' });
  if (from !== null && !from.isValid) {
    return misused(io, `--since ${JSON.stringify(since)}; expected an instant such as 2026-03-01T09:00:00Z`);
  }
  const wish: ReplayWish =
    from !== null
      ? { kind: 'since', since: from.toJSDate() }
      : event === null
        ? { kind: 'dead' }
        : { kind: 'event', eventId: event };
  return withEndpoint(name, io, [], async ({ db }, endpoint) => {
    const queued = await replayEvents(db, endpoint.endpointId, wish);
    if (queued === null) {
      io.stderr(`There is no event ${event}. GET /events and the view mentoring.outbound_event list them.`);
      return EXIT.failed;
    }
    io.stdout(`${counted(queued, 'event')} queued for ${name}.`);
    if (endpoint.state !== 'active' && queued > 0) {
      io.stdout(`It is ${endpoint.state}; they leave after: cadenced webhook resume ${asArgument(name)}`);
    }
    return EXIT.ok;
  });
}

/** `cadenced webhook rotate NAME` */
export function runWebhookRotate(name: string, finish: boolean, io: Io): Promise<number> {
  return withEndpoint(name, io, ['seal_keys'], async ({ db, seal }, { endpointId }) => {
    if (finish) {
      await finishRotation(db, endpointId);
      io.stdout(`${name} signs with its newest secret only.`);
      return EXIT.ok;
    }
    io.stdout(`secret  ${await rotateSecret(db, seal, endpointId)}`);
    io.stderr(
      'Give the secret to the receiver now: it cannot be shown again. The old one goes on signing beside it until: ' +
        `cadenced webhook rotate ${asArgument(name)} --finish`,
    );
    return EXIT.ok;
  });
}

/** `cadenced webhook pause|resume|disable NAME` */
export function runWebhookSwitch(
  verb: 'pause' | 'resume' | 'disable',
  name: string,
  io: Io,
): Promise<number> {
  return withEndpoint(name, io, [], async ({ db }, { endpointId }) => {
    if (verb === 'pause') {
      await pauseEndpoint(db, endpointId);
      io.stdout(
        `${name} is paused. What happens meanwhile is sent after: cadenced webhook resume ${asArgument(name)}`,
      );
    } else if (verb === 'resume') {
      io.stdout(
        `${name} is active; ${counted(await resumeEndpoint(db, endpointId), 'event')} of the pause queued.`,
      );
    } else {
      io.stdout(`${name} is disabled; ${counted(await disableEndpoint(db, endpointId), 'event')} given up.`);
    }
    return EXIT.ok;
  });
}

function misused(io: Io, mistake: string): Promise<number> {
  io.stderr(mistake);
  return Promise.resolve(EXIT.misused);
}

function withEndpoint(
  name: string,
  io: Io,
  needs: readonly 'seal_keys'[],
  run: (workshop: Workshop, endpoint: StoredEndpoint) => Promise<number>,
): Promise<number> {
  return withWorkshop(io, needs, async (workshop) => {
    const endpoints = await listEndpoints(workshop.db);
    const endpoint = endpoints.find((one) => one.name === name);
    if (endpoint) return run(workshop, endpoint);
    const near = didYouMean(
      name,
      endpoints.map((one) => one.name),
    );
    io.stderr(`There is no webhook called ${name}${near === null ? '' : `; did you mean ${near}?`}`);
    return EXIT.failed;
  });
}

function parseTypes(typed: string | null): { known: OutboundEventType[] } | { mistake: string } {
  const words = (typed ?? '').split(',').flatMap((word) => word.trim() || []);
  if (typed !== null && words.length === 0)
    return { mistake: '--types names none; leave it out for all types.' };
  const known: OutboundEventType[] = [];
  for (const word of new Set(words)) {
    const type = OUTBOUND_EVENT_TYPES.find((one) => one === word);
    if (type === undefined) {
      const near = didYouMean(word, OUTBOUND_EVENT_TYPES);
      const hint = near === null ? '' : ` Did you mean ${near}?`;
      return {
        mistake: `There is no event type ${word}.${hint} The types: ${OUTBOUND_EVENT_TYPES.join(', ')}`,
      };
    }
    known.push(type);
  }
  return { known };
}

/** Why nothing may ever be sent to an address, or null. */
function urlMistake(text: string, settings: Settings): string | null {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return 'A webhook is an address such as https://crm.example.org/hooks/mentoring';
  }
  if (url.username !== '' || url.password !== '') {
    return 'The address must hold no user and no password: requests are signed, and that is what the receiver checks.';
  }
  if (url.hash !== '') return 'The address must hold no fragment (#...): it would never be sent.';
  const local = isLoopback(url.hostname);
  if (url.protocol === 'http:' && !local) {
    return 'The address must begin with https://, because events name people. Plain http goes to this machine only.';
  }
  if (settings.clock !== null && !local) {
    return 'CADENCED_CLOCK moves the clock: webhooks may go to this machine only, so that nobody is told of days that are not.';
  }
  return null;
}

function whyNot({ error, status }: DeliveryResult): string {
  const said = status === undefined ? (error ?? 'no answer') : `HTTP ${status}`;
  const mend =
    {
      url_not_allowed: NOT_ALLOWED,
      address_not_allowed: NOT_ALLOWED,
      dns: 'The name of its host does not resolve.',
    }[error ?? ''] ??
    (status === 401 || status === 403
      ? 'The receiver may hold another secret: see cadenced webhook rotate.'
      : '');
  return mend === '' ? said : `${said}. ${mend}`;
}
