import type { Channel, PushState } from '../domain/channel.ts';
import type { Instant, Provider } from '../domain/observation.ts';
import type { CalendarRef } from './calendar-source.ts';
import type { Hint } from './notification.ts';
import type { OpenChannel } from './push-service.ts';

/** A calendar whose channels are to be looked at. */
export interface WatchedCalendar extends CalendarRef {
  readonly provider: Provider;
  /** It is in the roster, can be read, and was read completely once. */
  readonly readable: boolean;
  readonly push: PushState | null;
  /** Since when push has stood there. */
  readonly pushSince: Instant | null;
  readonly pushReason: string | null;
  /** Openings that failed in a row. */
  readonly failures: number;
  /** No opening before this. */
  readonly holdUntil: Instant | null;
  /** When its channels were to be looked at, in the store's own notation; by it `rest` knows whether they spoke since. */
  readonly dueAt: string | null;
  /** Those not closed yet. */
  readonly channels: readonly Channel[];
}

/** A channel as it is needed to check who speaks. */
export interface NamedChannel {
  readonly channelId: string;
  readonly calendarId: number;
  /** SHA-256 of the secret. */
  readonly secretHash: Buffer;
  readonly externalId: string | null;
  readonly resourceId: string | null;
}

/** What a channel said, once it was believed. */
export interface SpokenWord {
  readonly channel: NamedChannel;
  readonly name: string;
  readonly resourceId: string | null;
  readonly says: Hint['says'];
  readonly at: Instant;
}

export interface ChannelStore {
  /** Calendars whose channels fell due, at most `limit`. */
  due(limit: number): Promise<readonly WatchedCalendar[]>;
  /** Stores a channel before the provider is asked for it. */
  request(channel: {
    readonly channelId: string;
    readonly calendarId: number;
    readonly provider: Provider;
    readonly secretHash: Buffer;
    readonly url: string;
    readonly at: Instant;
  }): Promise<void>;
  /** The provider opened (or lengthened) it. */
  opened(
    channelId: string,
    open: OpenChannel,
    times: { readonly at: Instant; readonly renewAt: Instant; readonly proven: boolean },
  ): Promise<void>;
  /** @param closed whether it is known to be gone at the provider */
  retire(channelId: string, why: string, closed: boolean, at: Instant): Promise<void>;
  closed(channelId: string, at: Instant): Promise<void>;
  /**
   * How push stands for a calendar, and when its channels are looked at again (`null`: not before there is news). What
   * was told since the calendar was read has them looked at when that says.
   */
  rest(
    calendar: Pick<WatchedCalendar, 'calendarId' | 'dueAt'>,
    push: {
      readonly state: PushState | null;
      readonly reason: string | null;
      readonly failures: number;
      readonly holdUntil: Instant | null;
      readonly lookAgainAt: Instant | null;
      readonly at: Instant;
    },
  ): Promise<void>;
  /**
   * The channel that goes by each name or holds each secret, in the order asked; `null` where there is none.
   * A secret that is `null` is nobody's.
   */
  named(
    provider: Provider,
    asked: ReadonlyArray<{ readonly name: string; readonly secretHash: Buffer | null }>,
  ): Promise<ReadonlyArray<NamedChannel | null>>;
  /**
   * Records that channels spoke, and what follows: their calendars fall due.
   * @returns for each word, in order, whether its calendar fell due by it this moment (`false`: it was due already, or
   *   is a little later because a push was followed just now, or cannot be read anyway). A calendar that is being
   *   written keeps its own answer waiting and nobody else's.
   */
  spoke(words: readonly SpokenWord[]): Promise<ReadonlyArray<Promise<boolean>>>;
  /** Which of a provider's channels are known and not closed, by the provider's names. */
  known(provider: Provider, names: readonly string[]): Promise<ReadonlySet<string>>;
  /** A calendar of a provider that can be read at present, whichever; `null` where there is none. */
  someReadable(provider: Provider): Promise<CalendarRef | null>;
}
