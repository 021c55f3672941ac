import type { CalendarSource } from '../../ports/calendar-source.ts';
import type { EvidenceSource } from '../../ports/evidence-source.ts';
import type { ReadNotification } from '../../ports/notification.ts';
import type { PushService } from '../../ports/push-service.ts';
import type { Log } from '../../runtime/log.ts';
import { createCalendarSource } from './calendar-source.ts';
import { createGraph, type RequestReport } from './client.ts';
import { createTokenSource, type EntraSettings, entraHost } from './credentials.ts';
import { createDirectory } from './directory.ts';
import { createEvidenceSource } from './evidence-source.ts';
import { byAnyAddress } from './mailbox.ts';
import { readNotification } from './notification.ts';
import { createPieces } from './pieces.ts';
import { type ProbeFinding, probeMailbox, probeRefused } from './probe.ts';
import { createPushService } from './push.ts';
import { createRequester, type Pacing, UNPACED } from './request.ts';
import { createRestarts } from './restarts.ts';
import { createRounds } from './rounds.ts';
import { type DeletedEvent, probeAtOnce, probeDeleted } from './tenant-probe.ts';

export type { RequestReport } from './client.ts';
export type { ProbeFinding } from './probe.ts';
export type { DeletedEvent } from './tenant-probe.ts';

export type MicrosoftSettings = EntraSettings & {
  /** Requests to Graph under way at the same time, all mailboxes together. */
  readonly maxInFlight: number;
};

export type Microsoft = {
  readonly calendar: CalendarSource;
  readonly evidence: EvidenceSource;
  readonly push: PushService;
  readonly readNotification: ReadNotification;
  /** What `doctor` tells about reading one mailbox. Never throws for what it came to find. */
  probe(address: string, signal: AbortSignal): Promise<ProbeFinding[]>;
  /** Whether a mailbox that must not be readable is refused. Never throws for what it came to find. */
  probeRefused(address: string, signal: AbortSignal): Promise<ProbeFinding>;
  /** Whether mailboxes are counted together where requests under way are limited. Never throws for what it came to find. */
  probeAtOnce(addresses: readonly string[], signal: AbortSignal): Promise<ProbeFinding>;
  /** Whether events that were deleted are still given by their ids. Never throws for what it came to find. */
  probeDeleted(events: readonly DeletedEvent[], signal: AbortSignal): Promise<ProbeFinding>;
};

export type MicrosoftDeps = Pacing & {
  readonly log: Log;
  /** Business time in milliseconds since the epoch: how long subscriptions are asked for. The machine's by default. */
  readonly now?: (() => number) | undefined;
  /** Told of every request to Graph, repeated ones included. */
  readonly onRequest?: ((report: RequestReport) => void) | undefined;
};

/**
 * Everything the daemon does with Microsoft Graph, for one tenant and one application registration.
 * @param settings `graphUrl` without `/v1.0`
 */
export function createMicrosoft(settings: MicrosoftSettings, deps: MicrosoftDeps): Microsoft {
  const tokens = createTokenSource(settings, deps);
  const requester = createRequester(settings, deps);
  const graph = createGraph(settings, { tokens, requester, onRequest: deps.onRequest });
  const directory = createDirectory(graph);
  const elapsed = deps.elapsed ?? (() => performance.now());
  const mailboxes = byAnyAddress(graph, directory);
  const unpaced = byAnyAddress(createGraph(settings, { tokens, requester: UNPACED }), directory);
  const restarts = createRestarts({ log: deps.log, elapsed });
  const pieces = createPieces(mailboxes, deps.log);
  const hosts = { entra: entraHost(settings), graph: new URL(settings.graphUrl).host };
  return {
    calendar: createCalendarSource(mailboxes, pieces, createRounds(mailboxes, { restarts, pieces })),
    evidence: createEvidenceSource(settings, graph, directory),
    readNotification,
    push: createPushService(graph, directory, { now: deps.now ?? Date.now }),
    probe: (address, signal) => probeMailbox({ graph: mailboxes, tokens, directory, hosts }, address, signal),
    probeRefused: (address, signal) => probeRefused(mailboxes, address, signal),
    probeAtOnce: (addresses, signal) => probeAtOnce(unpaced, settings.maxInFlight, addresses, signal),
    probeDeleted: (events, signal) => probeDeleted(mailboxes, events, signal),
  };
}
