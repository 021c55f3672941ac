import type { AddressInfo } from 'node:net';
import type { Faults } from '../faults.ts';
import type { World } from '../world/world.ts';
import { addCalendarRoutes, type ViewHabits } from './calendar-routes.ts';
import { createDeltaRounds, type DeltaHabits } from './delta-rounds.ts';
import { createEntra, type Entra } from './entra.ts';
import { createGraphServer, type TrafficHabits } from './graph-server.ts';
import { addMeetingRoutes, type TeamsHabits } from './meeting-routes.ts';
import { addPeopleRoutes } from './people-routes.ts';
import { addSubscriptionRoutes } from './subscription-routes.ts';
import { createSubscriptions, type SubscriptionHabits, type Subscriptions } from './subscriptions.ts';

/** How this tenant behaves. Change the values freely while it runs. */
export type MicrosoftHabits = DeltaHabits & ViewHabits & TrafficHabits & TeamsHabits & SubscriptionHabits;

export interface MicrosoftSandbox {
  /** Graph's origin, without `/v1.0`. */
  readonly graphUrl: string;
  /** The full token endpoint. */
  readonly tokenUrl: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Secrets, certificates and tokens: expire, add, revoke. */
  readonly entra: Entra;
  /** Push: who watches what, what was told, and lifecycle events to order. */
  readonly subscriptions: Subscriptions;
  readonly habits: MicrosoftHabits;
  readonly close: () => Promise<void>;
}

/**
 * A stand-in for Entra and Microsoft Graph on one loopback origin, telling of the Outlook people of a world.
 */
export async function startMicrosoftSandbox(
  world: World,
  options: { readonly faults: Faults; readonly habits?: Partial<MicrosoftHabits> },
): Promise<MicrosoftSandbox> {
  const habits: MicrosoftHabits = {
    emptyFirstPage: true,
    repeatRows: true,
    lagMs: 0,
    strayRemovals: 0,
    pageSize: 50,
    widestRoundDays: null,
    widestViewDays: null,
    withoutUids: new Set(),
    trashAnswers: false,
    mailboxConcurrency: 4,
    applicationConcurrency: null,
    throttleRetryAfter: '1',
    latencyMs: 2,
    attendanceDenied: new Set(),
    verifiedGuests: new Set(),
    subscriptionLifeMinutes: 10_080,
    subscriptionsPerMailbox: 1_000,
    subscriptionsDenied: new Set(),
    duplicatesRefused: true,
    renewalValidates: false,
    validationTimeoutMs: 10_000,
    notificationDelayMs: 5,
    notificationBatch: 100,
    notificationCopies: 1,
    notificationLoss: 0,
    notificationRetriesMs: [50, 200, 1_000, 5_000],
    ...options.habits,
  };
  const entra = createEntra(world.random.fork('entra'));
  const server = createGraphServer({ world, entra, faults: options.faults, habits });
  entra.serve(server.app);
  const rounds = createDeltaRounds(world, world.random.fork('delta tokens'), habits);
  addCalendarRoutes(server, world, rounds, habits);
  addPeopleRoutes(server, world);
  addMeetingRoutes(server, world, habits);
  const subscriptions = createSubscriptions(world, world.random.fork('subscriptions'), habits, entra);
  addSubscriptionRoutes(server, subscriptions);

  await server.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.app.server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    graphUrl: origin,
    tokenUrl: `${origin}/${entra.tenant}/oauth2/v2.0/token`,
    tenant: entra.tenant,
    clientId: entra.clientId,
    clientSecret: entra.clientSecret,
    entra,
    subscriptions,
    habits,
    async close() {
      subscriptions.close();
      await server.app.close();
    },
  };
}
