import PQueue from 'p-queue';
import {
  type ChannelAction,
  openAgainAfterMs,
  type PushState,
  planChannels,
  renewalTime,
} from '../domain/channel.ts';
import { asFailure, type Failure, isFailure } from '../domain/failure.ts';
import type { Instant, Provider } from '../domain/observation.ts';
import type { ChannelStore, WatchedCalendar } from '../ports/channel-store.ts';
import type { OpenChannel, PushService } from '../ports/push-service.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { hashOfSecret } from './accept-notification.ts';
import { createStrays, type StrayChannels } from './close-strays.ts';

export interface KeepChannelsDeps {
  readonly store: ChannelStore;
  readonly services: Readonly<Partial<Record<Provider, PushService>>>;
  /** Where each provider delivers to; `null` = nobody can reach us, and no channel is wanted. */
  readonly url: (provider: Provider) => string | null;
  readonly clock: Clock;
  readonly log: Log;
  /** A fresh UUID a call. */
  readonly newChannelId: () => string;
  /** At least 32 random bytes in base64url. */
  readonly newSecret: () => string;
}

export interface ChannelKeeper {
  /**
   * Opens, renews and closes what fell due, strays included. @returns how many calendars were looked at
   */
  keep(signal: AbortSignal): Promise<number>;
  readonly strays: Pick<StrayChannels, 'heard' | 'isDue'>;
}

const AT_ONCE = 8;
const A_ROUND = 100;
const DAY = 86_400_000;
/** A calendar that cannot be watched is asked about again after this: providers change what they support. */
const UNSUPPORTED_FOR_MS = 90 * DAY;
/** What a person must mend is tried at this distance. */
const REFUSED_FOR_MS = 3_600_000;
/** Openings that fail in a row for about a day. */
const FAILURES_OF_A_DAY = 29;
const TELL_AGAIN_MS = 6 * 3_600_000;

/** Keeps one working channel for every calendar that can be watched, and none for the others. */
export function createChannelKeeper(deps: KeepChannelsDeps): ChannelKeeper {
  const { store, services, clock, log } = deps;
  const now = (): Instant => clock.now().toMillis();
  const told = new Map<string, Instant>();
  const strays = createStrays(deps);

  async function keepOne(calendar: WatchedCalendar, signal: AbortSignal): Promise<void> {
    const service = services[calendar.provider];
    if (!service) return;
    const url = deps.url(calendar.provider);
    const plan = planChannels({
      now: now(),
      wanted: calendar.readable && url !== null,
      url,
      holdUntil: calendar.holdUntil,
      refused: isRefusal(calendar.push) ? calendar.push : null,
      silentSince: calendar.push === 'unverified' ? calendar.pushSince : null,
      channels: calendar.channels,
    });
    let done = 0;
    let opened = false;
    let refused: Failure | null = null;
    for (const action of plan.actions) {
      signal.throwIfAborted();
      try {
        done += await perform(service, calendar, action, url ?? '', signal);
        opened ||= action.act === 'open' || action.act === 'renew';
      } catch (problem) {
        if (signal.aborted || !isFailure(problem)) throw problem;
        if (action.act === 'close') await unclosed(calendar, action.channel.channelId, problem);
        else refused = problem;
      }
    }
    if (refused) return rest(calendar, refused, plan.push);
    const held = plan.push !== null && !opened && calendar.holdUntil !== null;
    await store.rest(calendar, {
      state: plan.push,
      reason: held ? calendar.pushReason : null,
      failures: held ? calendar.failures : 0,
      holdUntil: held ? calendar.holdUntil : null,
      // What was done has changed what is to be done.
      lookAgainAt: done > 0 ? now() : plan.lookAgainAt,
      at: now(),
    });
  }

  /** @returns 1 when something was changed */
  async function perform(
    service: PushService,
    calendar: WatchedCalendar,
    action: ChannelAction,
    url: string,
    signal: AbortSignal,
  ): Promise<number> {
    switch (action.act) {
      case 'open':
        await open(service, calendar, url, signal);
        return 1;
      case 'renew': {
        const channel = openChannelOf(action);
        const renewed = channel && (await renew(service, calendar, action, channel, signal));
        if (!renewed) await open(service, calendar, url, signal);
        return 1;
      }
      case 'retire':
        await store.retire(action.channel.channelId, action.why, action.gone, now());
        return 1;
      case 'close': {
        const channel = openChannelOf(action);
        if (channel === null) return 0;
        await service.close(calendar, channel, signal);
        await store.closed(action.channel.channelId, now());
        return 1;
      }
    }
  }

  async function open(
    service: PushService,
    calendar: WatchedCalendar,
    url: string,
    signal: AbortSignal,
  ): Promise<void> {
    const channelId = deps.newChannelId();
    const secret = deps.newSecret();
    const at = now();
    const { provider, calendarId } = calendar;
    // The row first: the channel may speak before the answer is here, and nothing may be open without one.
    await store.request({ channelId, calendarId, provider, secretHash: hashOfSecret(secret), url, at });
    try {
      const earlier = calendar.channels.map(({ externalId }) => externalId).filter((name) => name !== null);
      const request = { channelId, secret, url, until: at + service.longestLifeMs, earlier };
      const opened = await service.open(calendar, request, signal);
      await store.opened(channelId, opened, {
        at: now(),
        renewAt: renewalTime(channelId, at, opened.expiresAt),
        proven: opened.proven ?? false,
      });
    } catch (problem) {
      // A refusal opened nothing. What may have been opened all the same stays on record, and says so if it speaks.
      const certain = isFailure(problem) && problem.kind !== 'transient';
      await store.retire(channelId, asFailure(problem).code, certain, now());
      throw problem;
    }
  }

  /** A refusal will not change: the channel runs out by itself, and nobody listens to it. Anything else passes. */
  async function unclosed(calendar: WatchedCalendar, channelId: string, problem: Failure): Promise<void> {
    const passes = problem.kind === 'transient' || problem.kind === 'throttled';
    const facts = { calendar: calendar.address, kind: problem.kind, code: problem.code };
    if (passes) return log.debug(facts, 'a push channel could not be closed yet');
    await store.closed(channelId, now());
    log.warn(facts, 'a push channel may not be closed; it ends by itself');
  }

  async function renew(
    service: PushService,
    calendar: WatchedCalendar,
    { channel: { channelId } }: { readonly channel: { readonly channelId: string } },
    channel: OpenChannel,
    signal: AbortSignal,
  ): Promise<boolean> {
    const at = now();
    try {
      const renewed = await service.renew(calendar, channel, at + service.longestLifeMs, signal);
      if (renewed === null) return false;
      await store.opened(channelId, renewed, {
        at,
        renewAt: renewalTime(channelId, at, renewed.expiresAt),
        proven: true,
      });
      return true;
    } catch (problem) {
      if (!isFailure(problem, 'gone')) throw problem;
      await store.retire(channelId, 'removed_by_provider', true, at);
      return false;
    }
  }

  /** Remembers why no channel could be opened, for how long it is left alone, and tells who can mend it. */
  async function rest(calendar: WatchedCalendar, problem: Failure, planned: PushState | null): Promise<void> {
    const failures = calendar.failures + 1;
    const unsupported = problem.code === 'push_not_supported';
    const mendable = problem.kind === 'config' || problem.kind === 'auth' || problem.kind === 'permanent';
    const pause = unsupported ? UNSUPPORTED_FOR_MS : mendable ? REFUSED_FOR_MS : openAgainAfterMs(failures);
    const holdUntil = now() + Math.max(pause, problem.retryAfterMs ?? 0);
    const state = unsupported ? 'unsupported' : mendable ? 'refused' : 'failing';
    await store.rest(calendar, {
      // A channel that works goes on working while its successor is refused.
      state: planned === 'verified' || planned === 'unverified' ? planned : state,
      reason: problem.code,
      failures,
      holdUntil,
      // What may have been opened in spite of the fault, and has told its name, is closed now.
      lookAgainAt: problem.kind === 'transient' ? now() : holdUntil,
      at: now(),
    });
    if (unsupported) return;
    const facts = { provider: calendar.provider, code: problem.code, url: deps.url(calendar.provider) };
    if (
      problem.kind === 'config' &&
      (told.get(facts.code) ?? Number.NEGATIVE_INFINITY) + TELL_AGAIN_MS <= now()
    ) {
      // Everybody's fault is told once, not once a calendar.
      told.set(facts.code, now());
      log.error(facts, 'the provider refuses to deliver notifications; calendars are polled instead');
    } else if (failures === FAILURES_OF_A_DAY) {
      log.error({ ...facts, calendar: calendar.address }, 'no push channel could be opened for a day');
    } else log.debug({ ...facts, calendar: calendar.address, failures }, 'no push channel was opened');
  }

  return {
    strays,
    async keep(signal) {
      await strays.close(signal);
      let looked = 0;
      for (;;) {
        const due = await store.due(A_ROUND);
        if (due.length === 0) return looked;
        const queue = new PQueue({ concurrency: AT_ONCE });
        await Promise.all(due.map((calendar) => queue.add(() => keepOne(calendar, signal), { signal })));
        looked += due.length;
      }
    },
  };
}

function isRefusal(push: PushState | null): boolean {
  return push === 'unsupported' || push === 'refused' || push === 'failing';
}

/** A channel by what the provider knows it under; `null` while that has not been told. */
function openChannelOf({ channel }: Extract<ChannelAction, { channel: unknown }>): OpenChannel | null {
  if (channel.externalId === null) return null;
  const { externalId, resourceId } = channel;
  return { externalId, resourceId, expiresAt: channel.expiresAt ?? channel.requestedAt };
}
