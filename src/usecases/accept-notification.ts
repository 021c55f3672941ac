import { createHash, timingSafeEqual } from 'node:crypto';
import type { Provider } from '../domain/observation.ts';
import type { ChannelStore } from '../ports/channel-store.ts';
import type { Hint, ReadNotification } from '../ports/notification.ts';
import type { Clock } from '../runtime/clock.ts';

/** What became of a hint; counted, never answered. */
export type HintOutcome = 'taken' | 'unknown_channel' | 'wrong_secret' | 'wrong_resource';

export interface AcceptDeps {
  readonly store: ChannelStore;
  readonly readers: Readonly<Partial<Record<Provider, ReadNotification>>>;
  readonly clock: Clock;
  /** A calendar fell due this moment: whoever can may begin at once. It stands in the database as well. */
  readonly wake: (calendarId: number) => void;
  readonly onHint: (provider: Provider, outcome: HintOutcome) => void;
}

export type AcceptHints = (
  provider: Provider,
  headers: Readonly<Record<string, string | undefined>>,
  body: unknown,
) => Promise<void>;

/** Notifications of one channel that came while another was being written are written once. */
interface Line {
  /** Begins when the one before has ended. */
  waiting: Promise<void> | null;
  running: Promise<void>;
}

/**
 * Takes notifications: checks who speaks and records that the calendar is to be looked at. Nothing is read from a
 * provider here. Unknown and forged ones are dropped without a trace but a count.
 * @throws what the store throws: the provider shall send again
 */
export function acceptHints(deps: AcceptDeps): AcceptHints {
  const lines = new Map<string, Line>();

  async function take(provider: Provider, hint: Hint): Promise<void> {
    const hash = hint.secret === null ? null : hashOfSecret(hint.secret);
    const channel = await deps.store.named(provider, hint.channel, hash);
    const outcome = verdict(channel, hint, hash);
    deps.onHint(provider, outcome);
    if (outcome !== 'taken' || channel === null) return;
    const due = await deps.store.spoke(channel, {
      name: hint.channel,
      resourceId: hint.resourceId,
      says: hint.says,
      at: deps.clock.now().toMillis(),
    });
    if (due) deps.wake(channel.calendarId);
  }

  /** A storm for one channel must not hold every connection of the pool: two writes tell as much as fifty. */
  function inLine(key: string, write: () => Promise<void>): Promise<void> {
    const line = lines.get(key);
    if (line?.waiting) return line.waiting;
    if (line) {
      const waiting = line.running
        .catch(() => undefined)
        .then(() => {
          line.running = waiting;
          line.waiting = null;
          return write();
        })
        .finally(() => {
          if (lines.get(key) === line && line.waiting === null) lines.delete(key);
        });
      line.waiting = waiting;
      return waiting;
    }
    const first: Line = { waiting: null, running: Promise.resolve() };
    lines.set(key, first);
    first.running = write().finally(() => {
      if (lines.get(key) === first && first.waiting === null) lines.delete(key);
    });
    return first.running;
  }

  return async (provider, headers, body) => {
    const hints = deps.readers[provider]?.(headers, body) ?? [];
    await Promise.all(
      hints.map((hint) =>
        inLine(JSON.stringify([provider, hint.channel, hint.says, hint.secret, hint.resourceId]), () =>
          take(provider, hint),
        ),
      ),
    );
  };
}

/** What is stored of a channel's secret. */
export function hashOfSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function verdict(
  channel: Awaited<ReturnType<ChannelStore['named']>>,
  hint: Hint,
  hash: Buffer | null,
): HintOutcome {
  // Compared even where there is nothing to compare with, so that an answer's time tells nothing.
  const matches = timingSafeEqual(channel?.secretHash ?? NOBODY, hash ?? NOTHING);
  if (channel === null) return 'unknown_channel';
  if (!matches) return 'wrong_secret';
  if (channel.externalId !== null && channel.externalId !== hint.channel) return 'wrong_resource';
  const known = channel.resourceId;
  return known === null || hint.resourceId === null || known === hint.resourceId ? 'taken' : 'wrong_resource';
}

const NOBODY = Buffer.alloc(32, 1);
const NOTHING = Buffer.alloc(32, 2);
