import { createHash, timingSafeEqual } from 'node:crypto';
import type { Provider } from '../domain/observation.ts';
import type { ChannelStore, NamedChannel, SpokenWord } from '../ports/channel-store.ts';
import type { Hint, ReadNotification } from '../ports/notification.ts';
import type { Clock } from '../runtime/clock.ts';
import { inBatches } from './in-batches.ts';

/** What became of a hint; counted, never answered. */
export type HintOutcome = 'taken' | 'unknown_channel' | 'wrong_secret' | 'wrong_resource';

export interface AcceptDeps {
  readonly store: ChannelStore;
  readonly readers: Readonly<Partial<Record<Provider, ReadNotification>>>;
  readonly clock: Clock;
  /** A calendar fell due this moment: whoever can may begin at once. It stands in the database as well. */
  readonly wake: (calendarId: number) => void;
  readonly onHint: (provider: Provider, outcome: HintOutcome) => void;
  /** A channel spoke that no row knows, or somebody made it up: must return at once, and do nothing here. */
  readonly onUnknown?: (provider: Provider, hint: Hint) => void;
}

export type AcceptHints = (
  provider: Provider,
  headers: Readonly<Record<string, string | undefined>>,
  body: unknown,
) => Promise<void>;

/** Of one POST and of many: what one write to the database takes at most. */
const WORDS_AT_ONCE = 1_000;

interface Heard {
  readonly provider: Provider;
  readonly hint: Hint;
}

/**
 * Takes notifications: checks who speaks and records that the calendar is to be looked at. Nothing is read from a
 * provider here. Unknown and forged ones are dropped and counted; of an unknown one note is taken, to have it ended later.
 * @throws what the store throws: the provider shall send again
 */
export function acceptHints(deps: AcceptDeps): AcceptHints {
  /** Checks and records one batch; what each notification waits for, in order. */
  async function take(heard: readonly Heard[]): Promise<ReadonlyArray<Promise<void>>> {
    const checked = await Promise.all(
      [...new Set(heard.map(({ provider }) => provider))].map((provider) =>
        believed(
          provider,
          heard.filter((each) => each.provider === provider),
        ),
      ),
    );
    const words = new Map(checked.flat());
    const answers = await deps.store.spoke([...words.values()]);
    const waits = new Map([...words.keys()].map((each, at) => [each, answers[at]]));
    return heard.map(async (each) => {
      const word = words.get(each);
      if (word !== undefined && (await waits.get(each))) deps.wake(word.channel.calendarId);
    });
  }

  /** Those of one provider's whose secret is right, as words of their channels. */
  async function believed(provider: Provider, heard: readonly Heard[]): Promise<Array<[Heard, SpokenWord]>> {
    const at = deps.clock.now().toMillis();
    const hashes = heard.map(({ hint }) => (hint.secret === null ? null : hashOfSecret(hint.secret)));
    const channels = await deps.store.named(
      provider,
      heard.map(({ hint }, n) => ({ name: hint.channel, secretHash: hashes[n] ?? null })),
    );
    const words: Array<[Heard, SpokenWord]> = [];
    for (const [n, each] of heard.entries()) {
      const { channel: name, resourceId, says } = each.hint;
      const channel = channels[n] ?? null;
      const outcome = verdict(channel, each.hint, hashes[n] ?? null);
      deps.onHint(provider, outcome);
      if (outcome === 'unknown_channel') deps.onUnknown?.(provider, each.hint);
      if (outcome === 'taken' && channel !== null)
        words.push([each, { channel, name, resourceId, says, at }]);
    }
    return words;
  }

  const hear = inBatches(take, WORDS_AT_ONCE, ({ provider, hint }: Heard) =>
    JSON.stringify([provider, hint.channel, hint.says, hint.secret, hint.resourceId]),
  );
  return async (provider, headers, body) => {
    const hints = deps.readers[provider]?.(headers, body) ?? [];
    await Promise.all(hints.map((hint) => hear({ provider, hint })));
  };
}

/** What is stored of a channel's secret. */
export function hashOfSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function verdict(channel: NamedChannel | null, hint: Hint, hash: Buffer | null): HintOutcome {
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
