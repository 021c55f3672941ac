import { setTimeout as delay } from 'node:timers/promises';
import type { Instant } from '../../domain/observation.ts';
import type { CalendarSource } from '../../ports/calendar-source.ts';
import type { EvidenceSource } from '../../ports/evidence-source.ts';
import type { ReadNotification } from '../../ports/notification.ts';
import type { PushService } from '../../ports/push-service.ts';
import type { Log } from '../../runtime/log.ts';
import { createCalendarSource } from './calendar-source.ts';
import {
  createClient,
  PROJECT_SHARE,
  type ProjectShare,
  type RequestReport,
  TIME_LIMITS,
  type TimeLimits,
} from './client.ts';
import { createCredentials, type ServiceAccountKey } from './credentials.ts';
import { createDirectory } from './directory.ts';
import { createEvidenceSource } from './evidence-source.ts';
import { readNotification } from './notification.ts';
import { type ProbeFinding, probe } from './probe.ts';
import { createPushService } from './push.ts';
import { createReportsSource } from './reports-source.ts';

export type { RequestReport } from './client.ts';
export type { ProbeFinding } from './probe.ts';

export interface GoogleSettings {
  readonly serviceAccountKey: ServiceAccountKey;
  /** An administrator's address, for the Directory's full view and the log of Meet. */
  readonly adminSubject?: string | undefined;
  /** One origin for all Google APIs; its path is not used. */
  readonly apiUrl?: string | undefined;
  /** The full token endpoint; the assertion's `aud` stays Google's. */
  readonly tokenUrl?: string | undefined;
  /** Requests to Google in flight at once, of all calendars together. */
  readonly maxInFlight: number;
}

export interface GoogleDeps {
  readonly log: Log;
  /** The business clock. */
  readonly now: () => Instant;
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly random?: () => number;
  /** Told of every request on the wire. */
  readonly onRequest?: (report: RequestReport) => void;
  readonly timeLimits?: TimeLimits;
  readonly projectShare?: ProjectShare;
}

export interface Google {
  readonly calendar: CalendarSource;
  readonly evidence: EvidenceSource;
  /** The administrator's log of Meet; `null` where no administrator is named. */
  readonly reports: EvidenceSource | null;
  readonly push: PushService;
  readonly readNotification: ReadNotification;
  /** Tries what the daemon will need in the name of `address`; for `doctor`. Findings instead of exceptions. */
  probe(address: string, signal: AbortSignal): Promise<ProbeFinding[]>;
}

/**
 * Builds the Google adapter. Nothing is sent until something is asked.
 * @throws Failure `config`/`key_unreadable`
 */
export function createGoogle(settings: GoogleSettings, deps: GoogleDeps): Google {
  const limits = deps.timeLimits ?? TIME_LIMITS;
  const credentials = createCredentials({
    key: settings.serviceAccountKey,
    tokenUrl: settings.tokenUrl,
    timeoutMs: limits.token,
  });
  const client = createClient({
    credentials,
    apiUrl: settings.apiUrl,
    maxInFlight: settings.maxInFlight,
    limits,
    share: deps.projectShare ?? PROJECT_SHARE,
    pace: {
      sleep: deps.sleep ?? ((milliseconds, signal) => delay(milliseconds, undefined, { signal })),
      random: deps.random ?? Math.random,
    },
    log: deps.log,
    onRequest: deps.onRequest ?? (() => undefined),
  });
  const directory = createDirectory(client, settings.adminSubject, deps.log);
  const isOurDomain = (domain: string) => credentials.servesDomain(domain);
  return {
    calendar: createCalendarSource(client),
    evidence: createEvidenceSource(client, directory, deps.now),
    reports:
      settings.adminSubject === undefined
        ? null
        : createReportsSource(client, settings.adminSubject, isOurDomain, deps.now),
    push: createPushService(client),
    readNotification,
    probe: (address, signal) =>
      probe(
        client,
        { adminSubject: settings.adminSubject, clientId: settings.serviceAccountKey.client_id },
        address,
        signal,
      ),
  };
}
