import type { AddressInfo } from 'node:net';
import type { Faults } from '../faults.ts';
import type { World } from '../world/world.ts';
import { addCalendarRoutes } from './calendar-routes.ts';
import { createDeltaRounds, type DeltaHabits } from './delta-rounds.ts';
import { createEntra, type Entra } from './entra.ts';
import { createGraphServer, type TrafficHabits } from './graph-server.ts';
import { addMeetingRoutes, type TeamsHabits } from './meeting-routes.ts';
import { addPeopleRoutes } from './people-routes.ts';

/** How this tenant behaves. Change the values freely while it runs. */
export type MicrosoftHabits = DeltaHabits & TrafficHabits & TeamsHabits;

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
  readonly habits: MicrosoftHabits;
  readonly close: () => Promise<void>;
}

/**
 * A stand-in for Entra and Microsoft Graph on one loopback origin, telling of the Outlook people of a world.
 * Subscriptions are not part of it yet; `world.onChange` is where they would listen.
 */
export async function startMicrosoftSandbox(
  world: World,
  options: { readonly faults: Faults; readonly habits?: Partial<MicrosoftHabits> },
): Promise<MicrosoftSandbox> {
  const habits: MicrosoftHabits = {
    emptyFirstPage: true,
    repeatRows: true,
    lagMs: 0,
    pageSize: 50,
    mailboxConcurrency: 4,
    throttleRetryAfter: '1',
    latencyMs: 2,
    attendanceDenied: new Set(),
    verifiedGuests: new Set(),
    ...options.habits,
  };
  const entra = createEntra(world.random.fork('entra'));
  const server = createGraphServer({ world, entra, faults: options.faults, habits });
  entra.serve(server.app);
  addCalendarRoutes(server, world, createDeltaRounds(world, world.random.fork('delta tokens'), habits));
  addPeopleRoutes(server, world);
  addMeetingRoutes(server, world, habits);

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
    habits,
    close: () => server.app.close(),
  };
}
