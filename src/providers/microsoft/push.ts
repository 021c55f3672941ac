import { type Failure, failure, isFailure } from '../../domain/failure.ts';
import type { Instant } from '../../domain/observation.ts';
import type { CalendarRef } from '../../ports/calendar-source.ts';
import type { ChannelRequest, ListedChannel, OpenChannel, PushService } from '../../ports/push-service.ts';
import type { Ask, Graph } from './client.ts';
import type { Directory } from './directory.ts';
import { unreadable } from './failures.ts';
import { pagesFrom } from './pages.ts';
import { instantOfText } from './time.ts';
import { resourceOf, type WireSubscription, wireSubscription } from './wire.ts';

/**
 * Graph's subscriptions to the events of a mailbox
 * (https://learn.microsoft.com/graph/api/subscription-post-subscriptions).
 */

const MINUTE_MS = 60_000;
/** Documented for Outlook's events without resource data; a little less, because Graph's clock is not ours. */
const LONGEST_LIFE_MS = 10_080 * MINUTE_MS - 5 * MINUTE_MS;
/** What some clouds still hold to: the documented limit was 4,230 minutes before. */
const OLD_LONGEST_LIFE_MS = 4_200 * MINUTE_MS;
const CHANGES = 'created,updated,deleted';
/** Graph calls both of our addresses while it is asked, with ten seconds for each. */
const OPEN_TIMEOUT_MS = 45_000;
/** Subscriptions belong to the application, so they share a queue of their own. */
const QUEUE = 'subscriptions';

/** What Microsoft can do about push. @param deps.now business time in milliseconds since the epoch */
export function createPushService(
  graph: Graph,
  directory: Directory,
  deps: { readonly now: () => Instant },
): PushService {
  const asking = (signal: AbortSignal): Ask => ({ mailbox: QUEUE, signal, timeoutMs: OPEN_TIMEOUT_MS });

  async function mailboxName(calendar: CalendarRef, signal: AbortSignal): Promise<string> {
    const user = await directory.userOf(calendar.address, signal);
    // Where users may not be read the address serves, as long as it is the principal name.
    return typeof user === 'string' ? calendar.address : user.id;
  }

  /** Asks about a mailbox by its owner's id, and anew where that id led nowhere: an account may be made anew. */
  async function ofMailbox<T>(
    calendar: CalendarRef,
    signal: AbortSignal,
    ask: (name: string) => Promise<T>,
  ): Promise<T> {
    const name = await mailboxName(calendar, signal);
    try {
      return await ask(name);
    } catch (error) {
      if (name === calendar.address || !isGone(error)) throw error;
      directory.forget(calendar.address);
      const current = await mailboxName(calendar, signal);
      if (current === name) throw error;
      return ask(current);
    }
  }

  async function create(
    name: string,
    request: ChannelRequest,
    until: Instant,
    ask: Ask,
  ): Promise<OpenChannel> {
    const wish = {
      changeType: CHANGES,
      notificationUrl: request.url,
      // It cannot be added later, and without it nobody would hear that the subscription needs renewal at once.
      lifecycleNotificationUrl: request.url,
      resource: `users/${name}/events`,
      expirationDateTime: new Date(until).toISOString(),
      clientState: request.secret,
      latestSupportedTlsVersion: 'v1_2',
    };
    const { body } = await graph.send('POST', '/subscriptions', wish, ask);
    // The handshake has shown that Graph reaches us.
    return { ...openChannel(resourceOf(wireSubscription, body)), proven: true };
  }

  /** Asks for the long life first, then for the one that older limits allow: the code of the refusal names neither. */
  async function withinLimits<T>(until: Instant, run: (until: Instant) => Promise<T>): Promise<T> {
    const now = deps.now();
    const long = Math.min(until, now + LONGEST_LIFE_MS);
    const short = Math.min(until, now + OLD_LONGEST_LIFE_MS);
    try {
      return await run(long);
    } catch (error) {
      if (!isFailure(error) || error.status !== 400 || error.code !== 'bad_request') throw error;
      if (short < long) return run(short);
      throw error;
    }
  }

  async function ours(signal: AbortSignal): Promise<ListedChannel[]> {
    const found: ListedChannel[] = [];
    for await (const page of pagesFrom(graph, '/subscriptions', asking(signal))) {
      for (const row of page.value) {
        const subscription = resourceOf(wireSubscription, row);
        const calendarKey = /^\/?users\/([^/]+)\/events$/i.exec(subscription.resource ?? '')?.[1];
        if (calendarKey === undefined) continue;
        // One that hides where it delivers to is not known to be ours.
        found.push({ ...openChannel(subscription), calendarKey, url: subscription.notificationUrl ?? '' });
      }
    }
    return found;
  }

  async function remove(externalId: string, signal: AbortSignal): Promise<void> {
    try {
      await graph.send('DELETE', subscriptionPath(externalId), null, asking(signal));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  return {
    provider: 'microsoft',
    longestLifeMs: LONGEST_LIFE_MS,

    async open(calendar, request, signal) {
      const attempt = (name: string) =>
        withinLimits(request.until, (until) => create(name, request, until, asking(signal)));
      try {
        return await ofMailbox(calendar, signal, attempt);
      } catch (error) {
        if (!isFailure(error) || error.status !== 409) throw refused(error);
      }
      const name = await mailboxName(calendar, signal);
      // One is there already, and where it delivers to cannot be changed: of a public address we had before, it goes
      // first, or the mailbox would be without push for as long as it lives. Of one that no row knows, not even the
      // client state is left.
      const strays = (await ours(signal)).filter(
        ({ externalId, calendarKey, url }) =>
          request.earlier.includes(externalId) || (sameName(calendarKey, name) && url === request.url),
      );
      if (strays.length === 0) {
        // Deleting what delivers elsewhere would begin a war between two installations.
        throw failure.permanent('push_taken', {
          provider: 'microsoft',
          status: 409,
          detail: 'another installation with the same app registration watches this mailbox',
        });
      }
      for (const stray of strays) await remove(stray.externalId, signal);
      try {
        return await attempt(name);
      } catch (error) {
        throw refused(error);
      }
    },

    async renew(_calendar, channel, until, signal) {
      try {
        return await withinLimits(until, async (at) => {
          const wish = { expirationDateTime: new Date(at).toISOString() };
          const path = subscriptionPath(channel.externalId);
          // PATCH renews and authorizes again; `reauthorize` would only do the latter.
          const { body } = await graph.send('PATCH', path, wish, asking(signal));
          return openChannel(resourceOf(wireSubscription, body));
        });
      } catch (error) {
        if (isGone(error)) {
          throw failure.gone('channel_gone', { provider: 'microsoft', status: 404, cause: error });
        }
        // A refusal to renew says nothing about watching as such: consent may be on its way.
        throw error;
      }
    },

    close: (_calendar, channel, signal) => remove(channel.externalId, signal),
    list: ours,
  };
}

/** What a refusal to watch means. That the mailbox itself cannot be read shows when it is read. */
function refused(error: unknown): unknown {
  if (!isFailure(error)) return error;
  const told = factsOf(error);
  // A quota, a policy, or a permission that suffices for reading (ReadBasic): a person may change each of them.
  if (error.code === 'access_denied') return failure.permanent('push_denied', told);
  // Wrapped as an error of an extension; reading the mailbox says the same and decides what becomes of the calendar.
  if (error.kind === 'gone') return failure.gone('no_mailbox', told);
  // Short lives were refused as well: what is left is the address, which Graph calls before it answers.
  if (error.status === 400) return failure.config('push_url_refused', told);
  return error;
}

function factsOf({ status, detail }: Failure) {
  return { provider: 'microsoft' as const, status, detail };
}

function openChannel({ id, expirationDateTime }: WireSubscription): OpenChannel {
  const expiresAt = instantOfText(expirationDateTime);
  if (expiresAt === null) throw unreadable('a subscription without its end');
  return { externalId: id, resourceId: null, expiresAt };
}

function subscriptionPath(externalId: string): string {
  return `/subscriptions/${encodeURIComponent(externalId)}`;
}

function sameName(one: string, other: string): boolean {
  return decodeURIComponent(one).toLowerCase() === other.toLowerCase();
}

function isGone(error: unknown): boolean {
  return isFailure(error, 'gone');
}
