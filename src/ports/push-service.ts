import type { Instant, Provider } from '../domain/observation.ts';
import type { CalendarRef } from './calendar-source.ts';

/** A channel as it stands at the provider. */
export interface OpenChannel {
  /** The provider's own name of the channel: Google's channel id (ours), Graph's subscription id (theirs). */
  readonly externalId: string;
  /** Google's resource id, without which a channel cannot be stopped; `null` at Microsoft. */
  readonly resourceId: string | null;
  readonly expiresAt: Instant;
  /** The provider has reached our address while it opened the channel (Microsoft's handshake). */
  readonly proven?: boolean;
}

export interface ChannelRequest {
  /** Our id of the channel, a UUID; Google takes it as the channel id. Stored before the provider is asked. */
  readonly channelId: string;
  /** Random, at least 32 bytes in base64url: comes back with every notification and proves it. */
  readonly secret: string;
  /** Where notifications go: `CADENCED_PUBLIC_URL` + `/notifications/<provider>`. */
  readonly url: string;
  /** Asked for; the answer decides. */
  readonly until: Instant;
  /** The provider's names of this calendar's channels that may still be open: ours, wherever they deliver to. */
  readonly earlier: readonly string[];
}

/** A channel as the provider lists it. */
export interface ListedChannel extends OpenChannel {
  /** The owner's address or the provider's id of them. */
  readonly calendarKey: string;
  /** Where it delivers to, when the provider tells: another installation's channels are not ours to close. */
  readonly url?: string;
}

/** What a provider can do about push. Each call throws a `Failure` as `CalendarSource` does. */
export interface PushService {
  readonly provider: Provider;
  /** How long a channel may live at most, in milliseconds, as far as is known. */
  readonly longestLifeMs: number;
  /**
   * Opens a channel. Microsoft validates the URL while the request is pending, so the server must listen already.
   * @throws Failure `permanent`/`push_not_supported` where this calendar cannot be watched: remember and poll only;
   *   `config`/`push_url_refused` where the provider refuses the address
   */
  open(calendar: CalendarRef, request: ChannelRequest, signal: AbortSignal): Promise<OpenChannel>;
  /**
   * Lengthens the life of a channel where the provider can (Microsoft), else `null`: open another before this one ends.
   * @throws Failure `gone`/`channel_gone` where it is no longer there: open another
   */
  renew(
    calendar: CalendarRef,
    channel: OpenChannel,
    until: Instant,
    signal: AbortSignal,
  ): Promise<OpenChannel | null>;
  /** Closes a channel; one that is already gone is closed. */
  close(calendar: CalendarRef, channel: OpenChannel, signal: AbortSignal): Promise<void>;
  /** Channels of ours that the provider knows, where it can tell (Microsoft), else `null`. For strays at the start. */
  list(signal: AbortSignal): Promise<readonly ListedChannel[] | null>;
}
