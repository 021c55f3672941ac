import type { Instant } from './observation.ts';

/**
 * Push channels: when one is opened, lengthened, replaced and closed. A channel is only a promise to hint at changes;
 * whether it is kept is believed once it has spoken, and polling never stops because of it.
 */

/**
 * - `requested`: stored, and the provider is being asked. It may speak before its opening has been answered.
 * - `unverified`: open at the provider, but nothing has arrived yet: a firewall may stand between.
 * - `verified`: the provider has reached us through it (or proved while opening it that it can).
 * - `retired`: not ours any more; to be closed at the provider where it may still be open.
 */
export const CHANNEL_STATES = ['requested', 'unverified', 'verified', 'retired'] as const;
export type ChannelState = (typeof CHANNEL_STATES)[number];

/**
 * What stands between a calendar and push: nothing (`verified`), that it has not shown to work yet (`requested`,
 * `unverified`), that this calendar cannot be watched (`unsupported`), or that the provider would not (`refused`,
 * `failing`). NULL = not wanted.
 */
export const PUSH_STATES = [
  'requested',
  'unverified',
  'verified',
  'unsupported',
  'refused',
  'failing',
] as const;
export type PushState = (typeof PUSH_STATES)[number];

export interface Channel {
  readonly channelId: string;
  readonly state: ChannelState;
  /** Where it delivers to. */
  readonly url: string;
  /** The provider's name of it; `null` until the provider or a notification has told. */
  readonly externalId: string | null;
  readonly resourceId: string | null;
  readonly requestedAt: Instant;
  readonly openedAt: Instant | null;
  readonly expiresAt: Instant | null;
  /** When it is to be lengthened or replaced. */
  readonly renewAt: Instant | null;
  readonly firstSpokeAt: Instant | null;
  readonly closedAt: Instant | null;
}

export type ChannelAction =
  | { readonly act: 'open' }
  /** Lengthen it, or open another where the provider cannot. */
  | { readonly act: 'renew'; readonly channel: Channel }
  | { readonly act: 'retire'; readonly channel: Channel; readonly why: RetiredWhy; readonly gone: boolean }
  /** Close it at the provider. */
  | { readonly act: 'close'; readonly channel: Channel };

/** Why a channel was given up; stands in `channel.failure`. */
export type RetiredWhy =
  | 'expired'
  | 'unanswered'
  | 'replaced'
  | 'not_wanted'
  | 'address_changed'
  | 'removed_by_provider';

export interface ChannelPlan {
  readonly actions: readonly ChannelAction[];
  /** Where push stands when the actions are done and nothing fails; `null` = not wanted. */
  readonly push: PushState | null;
  /** When to look again without any news; `null` = nothing to look for. */
  readonly lookAgainAt: Instant | null;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An opening without an answer for so long was lost (its worker died): the longest request takes two minutes. */
export const UNANSWERED_AFTER_MS = 5 * MINUTE;
/**
 * A channel that never spoke is replaced after this, for it may have been opened in an outage; while its successors
 * are silent as well the distance doubles, for then it is a firewall.
 */
export const SILENT_REPLACED_AFTER_MS = 6 * HOUR;
/** Replaced at least this often all the same: opening a channel is how Google knocks, so a gate that opened shows. */
export const SILENT_REPLACED_WITHIN_MS = DAY;
/** A channel that could not be closed is tried again at this distance until it runs out by itself. */
const CLOSE_AGAIN_MS = HOUR;
/** What never told when it ends, ends within this: no provider keeps a channel of calendars longer. */
const LONGEST_UNKNOWN_LIFE_MS = 7 * DAY;
/** The share of its life after which a channel is renewed, so that a day of failures costs no push. */
const RENEW_AT = 0.75;
const RENEW_SPREAD = 0.05;

/**
 * When a channel is renewed: at 75 % of its life, a little earlier or later by its id, so that channels that were
 * opened together are not renewed together for ever.
 */
export function renewalTime(channelId: string, openedAt: Instant, expiresAt: Instant): Instant {
  const spread = (Number.parseInt(channelId.slice(0, 8), 16) / 0xffffffff) * 2 - 1;
  const share = RENEW_AT + (Number.isFinite(spread) ? spread * RENEW_SPREAD : 0);
  return Math.round(openedAt + (expiresAt - openedAt) * share);
}

/** How long the same opening is left alone after it failed `failures` times in a row, in milliseconds. */
export function openAgainAfterMs(failures: number): number {
  return Math.min(MINUTE * 2 ** Math.min(failures - 1, 10), HOUR);
}

/**
 * What to do about a calendar's channels now.
 * @param input.wanted an address to deliver to exists, and the calendar can be read
 * @param input.holdUntil no opening before this: the provider refused one
 * @param input.refused what that refusal was, for as long as it holds
 * @param input.silentSince since when channels have been open without a word; `null` = they are not, or one has spoken
 * @param input.channels those not closed yet, retired ones included
 */
export function planChannels(input: {
  readonly now: Instant;
  readonly wanted: boolean;
  readonly url: string | null;
  readonly holdUntil: Instant | null;
  readonly refused: PushState | null;
  readonly silentSince: Instant | null;
  readonly channels: readonly Channel[];
}): ChannelPlan {
  const { now } = input;
  const actions: ChannelAction[] = [];
  const looks: Instant[] = [];
  const live: Channel[] = [];
  const retire = (channel: Channel, why: RetiredWhy) => {
    const gone = why === 'expired';
    actions.push({ act: 'retire', channel, why, gone });
    if (!gone && channel.externalId !== null) actions.push({ act: 'close', channel });
  };
  for (const channel of input.channels) {
    // Whatever else becomes of it, a row is looked at when it ends: none stays open for ever.
    if (endOf(channel) > now) looks.push(endOf(channel));
    if (channel.state === 'retired') actions.push(...burial(channel, now));
    else if (endOf(channel) <= now) retire(channel, 'expired');
    else if (!input.wanted) retire(channel, 'not_wanted');
    else if (channel.state === 'requested' && channel.requestedAt + UNANSWERED_AFTER_MS <= now) {
      retire(channel, 'unanswered');
    } else live.push(channel);
  }
  if (actions.some(({ act }) => act === 'close')) looks.push(now + CLOSE_AGAIN_MS);
  if (!input.wanted) return { actions, push: null, lookAgainAt: earliest(looks) };

  const pending = live.filter((channel) => channel.state === 'requested');
  const current = live
    .filter((channel) => channel.state !== 'requested' && channel.url === input.url)
    .toSorted((one, other) => (other.openedAt ?? 0) - (one.openedAt ?? 0));
  const newest = current[0];
  const mayOpen = pending.length === 0 && (input.holdUntil === null || input.holdUntil <= now);
  for (const channel of live) {
    if (newest === undefined || channel.channelId === newest.channelId || channel.state === 'requested')
      continue;
    // One that works goes on until the new one has shown that it does. One that never spoke is not worth keeping:
    // behind a firewall another would be left open at the provider with every attempt.
    if (newest.state === 'verified' || channel.state === 'unverified') {
      retire(channel, channel.url === input.url ? 'replaced' : 'address_changed');
    }
  }
  for (const channel of pending) looks.push(channel.requestedAt + UNANSWERED_AFTER_MS);
  if (input.holdUntil !== null && input.holdUntil > now) looks.push(input.holdUntil);
  if (newest === undefined) {
    if (mayOpen) actions.push({ act: 'open' });
  } else {
    const silentAt = newest.state === 'unverified' ? silentUntil(newest, current, input.silentSince) : null;
    const renewAt = renewalDue(newest);
    if (mayOpen && renewAt <= now) actions.push({ act: 'renew', channel: newest });
    else if (mayOpen && silentAt !== null && silentAt <= now) actions.push({ act: 'open' });
    else if (mayOpen) looks.push(renewAt, ...(silentAt === null ? [] : [silentAt]));
  }
  return { actions, push: pushState(current, pending, input.refused), lookAgainAt: earliest(looks) };
}

/** Until when a channel may be silent: for as long as there was silence before it, within the two limits. */
function silentUntil(newest: Channel, current: readonly Channel[], silentSince: Instant | null): Instant {
  const openedAt = newest.openedAt ?? newest.requestedAt;
  // Beside one that spoke once, silence began when that one was to be replaced.
  const due = current.filter(({ state }) => state === 'verified').map(renewalDue);
  const before = openedAt - Math.min(openedAt, silentSince ?? openedAt, ...due);
  return openedAt + Math.min(Math.max(before, SILENT_REPLACED_AFTER_MS), SILENT_REPLACED_WITHIN_MS);
}

function renewalDue(channel: Channel): Instant {
  return channel.renewAt ?? endOf(channel);
}

function pushState(
  current: readonly Channel[],
  pending: readonly Channel[],
  refused: PushState | null,
): PushState {
  if (current.some((channel) => channel.state === 'verified')) return 'verified';
  if (current.length > 0) return 'unverified';
  return pending.length > 0 ? 'requested' : (refused ?? 'requested');
}

/** What is left to do about a channel that was given up. */
function burial(channel: Channel, now: Instant): ChannelAction[] {
  if (endOf(channel) <= now) return [{ act: 'retire', channel, why: 'expired', gone: true }];
  // Without a name it cannot be closed; should it ever speak, it tells its name.
  return channel.externalId === null ? [] : [{ act: 'close', channel }];
}

function endOf(channel: Channel): Instant {
  return channel.expiresAt ?? channel.requestedAt + LONGEST_UNKNOWN_LIFE_MS;
}

function earliest(instants: readonly Instant[]): Instant | null {
  return instants.length === 0 ? null : Math.min(...instants);
}
