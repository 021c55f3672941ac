import { openAgainAfterMs } from '../domain/channel.ts';
import { type Failure, isFailure } from '../domain/failure.ts';
import type { Instant, Provider } from '../domain/observation.ts';
import type { ChannelStore } from '../ports/channel-store.ts';
import type { Hint } from '../ports/notification.ts';
import type { PushService } from '../ports/push-service.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

export interface StraysDeps {
  readonly store: Pick<ChannelStore, 'known' | 'someReadable'>;
  readonly services: Readonly<Partial<Record<Provider, PushService>>>;
  /** Where each provider delivers to; `null` = nobody can reach us. */
  readonly url: (provider: Provider) => string | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Channels that deliver to us and that no row knows, as after a database was restored: nobody else ends them. */
export interface StrayChannels {
  /**
   * Takes note of a channel that spoke and is unknown, to end it later. Anybody can say such a thing, so no more is
   * done about it than a provider can be asked in an hour, and nothing where it was heard.
   */
  heard(provider: Provider, hint: Hint): void;
  /** Whether there is something to end, or to try again. */
  isDue(): boolean;
  /** Ends what was heard of and, until that has been done once, what the provider lists. */
  close(signal: AbortSignal): Promise<void>;
}

/** What strangers can make us ask of a provider. Who fills this with nonsense only keeps strays until they run out. */
const HEARD_AN_HOUR = 100;
const HOUR = 3_600_000;
/** As many as are heard of in the longest life of a channel: none is tried twice. */
const TRIED_KEPT = HEARD_AN_HOUR * 24 * 7;
/** Every channel of ours has a UUID for a name. */
const CHANNEL_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const RESOURCE_ID = /^[\w-]{1,64}$/;

interface Heard {
  readonly externalId: string;
  readonly resourceId: string;
  /** Both, as they stand among those that were tried. */
  readonly pair: string;
}

/** Ends stray channels: those that a provider lists (Microsoft), and those that speak where it lists none (Google). */
export function createStrays(deps: StraysDeps): StrayChannels {
  const { store, services, clock, log } = deps;
  const now = (): Instant => clock.now().toMillis();
  const waiting = new Map<Provider, Heard[]>();
  const tried = new Set<string>();
  let hour = { began: Number.NEGATIVE_INFINITY, heard: 0 };
  const looked = new Set<Provider>();
  const again = new Map<Provider, { readonly failures: number; readonly at: Instant }>();

  /** A channel that may not be ended runs out by itself; what passes is tried again. @returns whether it passes */
  function passes(provider: Provider, { kind, code }: Failure): boolean {
    const does = kind === 'transient' || kind === 'throttled';
    if (!does)
      log.warn({ provider, kind, code }, 'a forgotten push channel may not be closed; it ends by itself');
    return does;
  }

  /** @throws the failure that passes, after the others were ended all the same */
  async function closeListed(service: PushService, url: string, signal: AbortSignal): Promise<void> {
    const { provider } = service;
    const listed = ((await service.list(signal)) ?? []).filter((stray) => (stray.url ?? url) === url);
    const known = await store.known(
      provider,
      listed.map(({ externalId }) => externalId),
    );
    let closed = 0;
    let unclosed: Failure | null = null;
    for (const stray of listed.filter(({ externalId }) => !known.has(externalId))) {
      try {
        await service.close({ calendarId: 0, address: stray.calendarKey }, stray, signal);
        closed += 1;
      } catch (problem) {
        if (signal.aborted || !isFailure(problem)) throw problem;
        if (passes(provider, problem)) unclosed = problem;
      }
    }
    if (closed > 0) log.info({ provider, closed }, 'forgotten push channels were closed');
    if (unclosed !== null) throw unclosed;
  }

  async function look(service: PushService, signal: AbortSignal): Promise<void> {
    const { provider } = service;
    const url = deps.url(provider);
    const failed = again.get(provider);
    if (url === null || looked.has(provider) || (failed?.at ?? now()) > now()) return;
    try {
      await closeListed(service, url, signal);
      looked.add(provider);
      again.delete(provider);
    } catch (problem) {
      if (signal.aborted || !isFailure(problem)) throw problem;
      const failures = (failed?.failures ?? 0) + 1;
      again.set(provider, {
        failures,
        at: now() + Math.max(openAgainAfterMs(failures), problem.retryAfterMs ?? 0),
      });
      const facts = { provider, code: problem.code, failures };
      if (failures === 1) log.warn(facts, 'forgotten push channels were not all looked for yet');
      else log.debug(facts, 'forgotten push channels were not all looked for yet');
    }
  }

  async function closeHeard(service: PushService, signal: AbortSignal): Promise<void> {
    const { provider } = service;
    const heard = waiting.get(provider) ?? [];
    if (heard.length === 0) return;
    waiting.delete(provider);
    // Whose calendar it was is not known. Anybody's name will do: a service account may end what it has opened.
    const calendar = await store.someReadable(provider);
    if (calendar === null) {
      // Nobody could ask yet: they will speak again.
      for (const { pair } of heard) tried.delete(pair);
      return;
    }
    let asked = 0;
    for (const { externalId, resourceId } of heard) {
      signal.throwIfAborted();
      try {
        await service.close(calendar, { externalId, resourceId, expiresAt: now() }, signal);
        asked += 1;
      } catch (problem) {
        if (signal.aborted || !isFailure(problem)) throw problem;
        // Once is enough: whoever made it up could have us ask for ever.
        passes(provider, problem);
      }
    }
    if (asked > 0) log.info({ provider, asked }, 'push channels that spoke and nobody knows were closed');
  }

  return {
    heard(provider, { channel: externalId, resourceId }) {
      // What a provider lists by itself needs no word of strangers, and has no resource.
      if (resourceId === null || !CHANNEL_ID.test(externalId) || !RESOURCE_ID.test(resourceId)) return;
      const pair = `${provider} ${externalId} ${resourceId}`;
      if (services[provider] === undefined || tried.has(pair)) return;
      const at = now();
      if (at >= hour.began + HOUR || at < hour.began) hour = { began: at, heard: 0 };
      if (hour.heard >= HEARD_AN_HOUR) return;
      hour.heard += 1;
      tried.add(pair);
      const [oldest] = tried;
      if (tried.size > TRIED_KEPT && oldest !== undefined) tried.delete(oldest);
      waiting.set(provider, [...(waiting.get(provider) ?? []), { externalId, resourceId, pair }]);
    },
    isDue: () => waiting.size > 0 || [...again.values()].some(({ at }) => at <= now()),
    async close(signal) {
      for (const service of Object.values(services)) {
        await look(service, signal);
        await closeHeard(service, signal);
      }
    },
  };
}
