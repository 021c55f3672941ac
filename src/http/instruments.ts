import { DateTime } from 'luxon';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Provider } from '../domain/observation.ts';
import type { HintOutcome } from '../usecases/accept-notification.ts';
import type { FullPassReason } from '../usecases/sync-calendar.ts';

/** What became of one request to a provider. */
export interface ProviderRequest {
  readonly provider: Provider;
  readonly operation: string;
  readonly outcome: string;
  /** Milliseconds it was held back to keep within a quota. */
  readonly waitedMs?: number;
}

export interface Instruments {
  /** Counts a request on the wire. */
  readonly request: (report: ProviderRequest) => void;
  /** Counts a notification by what became of it. */
  readonly hint: (provider: Provider, outcome: HintOutcome) => void;
  /** Counts a calendar that was read in full, by the reason. */
  readonly fullPass: (provider: Provider, reason: FullPassReason) => void;
  /** Counts occurrences that were dated in a zone that is not known to be theirs. */
  readonly zoneFallback: (provider: Provider, occurrences: number) => void;
}

/** How many calendars ought to be pushed, and which channels there are, asked when metrics are read. */
export type ChannelCounts = () => Promise<{
  readonly expected: ReadonlyArray<{ readonly provider: string; readonly calendars: number }>;
  readonly actual: ReadonlyArray<{
    readonly provider: string;
    readonly state: string;
    readonly channels: number;
  }>;
}>;

/**
 * Where a provider's day begins. Google counts its daily billing threshold by the Pacific day:
 * https://developers.google.com/workspace/calendar/api/guides/quota
 */
const DAY_OF: Readonly<Record<Provider, string>> = { google: 'America/Los_Angeles', microsoft: 'utc' };

/**
 * Builds the metrics of what goes to and comes from the providers.
 * @param today the machine's time: quotas follow the world's calendar, whatever business time does
 */
export function createInstruments(
  registry: Registry,
  countChannels: ChannelCounts,
  today: () => DateTime = () => DateTime.utc(),
): Instruments {
  const registers = [registry];
  const requests = new Counter({
    name: 'cadenced_provider_requests_total',
    help: 'Requests to a provider by operation and outcome (ok or the kind of failure).',
    labelNames: ['provider', 'operation', 'outcome'],
    registers,
  });
  const waits = new Counter({
    name: 'cadenced_provider_budget_wait_seconds_total',
    help: "Seconds for which requests were held back to keep within a provider's quota.",
    labelNames: ['provider'],
    registers,
  });
  const hints = new Counter({
    name: 'cadenced_notifications_total',
    help: 'Notifications of providers by what became of them: taken, or why they were dropped.',
    labelNames: ['provider', 'outcome'],
    registers,
  });
  const fullPasses = new Counter({
    name: 'cadenced_full_passes_total',
    help: 'Calendars read in full, the dearest thing to ask a provider for, by reason. Many with cursor_lost: the provider keeps forgetting where we were.',
    labelNames: ['provider', 'reason'],
    registers,
  });
  const zoneFallbacks = new Counter({
    name: 'cadenced_zone_fallbacks_total',
    help: "Occurrences read without a usable zone and dated in their reader's or program's; each reading counts. Where it grows, look for sessions on a wrong date.",
    labelNames: ['provider'],
    registers,
  });
  const days = new Map<Provider, { day: string; requests: number }>();
  const dayOf = (provider: Provider) => today().setZone(DAY_OF[provider]).toISODate() ?? '';
  new Gauge({
    name: 'cadenced_provider_requests_today',
    help: "Requests of this process since the provider's day began; Google bills beyond 1,000,000 a day and project.",
    labelNames: ['provider'],
    registers,
    collect() {
      for (const [provider, count] of days)
        this.set({ provider }, count.day === dayOf(provider) ? count.requests : 0);
    },
  });
  // Both gauges are asked in one reading of the metrics, and wait for one count.
  let counting: ReturnType<ChannelCounts> | null = null;
  const counted: ChannelCounts = () => {
    counting ??= countChannels().finally(() => {
      counting = null;
    });
    return counting;
  };
  new Gauge({
    name: 'cadenced_channels',
    help: 'Push channels on record by state.',
    labelNames: ['provider', 'state'],
    registers,
    async collect() {
      const { actual } = await counted();
      this.reset();
      for (const { provider, state, channels } of actual) this.set({ provider, state }, channels);
    },
  });
  new Gauge({
    name: 'cadenced_channels_expected',
    help: 'Calendars that ought to have a verified push channel. Alert when it stays above cadenced_channels{state="verified"}.',
    labelNames: ['provider'],
    registers,
    async collect() {
      const { expected } = await counted();
      this.reset();
      for (const { provider, calendars } of expected) this.set({ provider }, calendars);
    },
  });
  return {
    request({ provider, operation, outcome, waitedMs }) {
      if (waitedMs) waits.inc({ provider }, waitedMs / 1000);
      requests.inc({ provider, operation, outcome });
      const day = dayOf(provider);
      const count = days.get(provider);
      if (count?.day === day) count.requests += 1;
      else days.set(provider, { day, requests: 1 });
    },
    hint(provider, outcome) {
      hints.inc({ provider, outcome });
    },
    fullPass(provider, reason) {
      fullPasses.inc({ provider, reason });
    },
    zoneFallback(provider, occurrences) {
      zoneFallbacks.inc({ provider }, occurrences);
    },
  };
}
