import Fastify, { type FastifyInstance } from 'fastify';
import { toMilliseconds } from './clock.ts';
import { addTrouble, type FaultRule, type Faults } from './faults.ts';
import {
  addGuest,
  addTag,
  attend,
  cancelMeeting,
  cancelOccurrence,
  changeOrganizer,
  convertSeriesToSingle,
  convertSingleToSeries,
  createMeeting,
  deleteCopy,
  detachOccurrence,
  editMeeting,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  removeGuest,
  removeTag,
  renameAddress,
  respond,
  setCategory,
  setPersonState,
  setProperty,
  shareCalendar,
  splitSeries,
  truth,
} from './world/index.ts';
import type { ConferenceHabits, PersonInput, World } from './world/world.ts';

export interface ControlOptions {
  port?: number;
  /** Further operations by name, of other parts of the sandbox. */
  operations?: Record<string, (args: unknown) => unknown>;
}

export interface Control {
  url: string;
  /** What can be asked for by `POST /_control/{op, args}`. */
  names: string[];
  close(): Promise<void>;
}

type Operation = (args: never) => unknown;

/**
 * Starts the control port on 127.0.0.1: the world and its faults from outside the process.
 * `POST /_control` takes `{op, args}` and gives `{result}`, or 400 with `{error}`; `GET /_control/truth?from&until`,
 * `/_control/requests?mailbox&provider`, `/_control/people`, `/_control/meetings` and `/_control/clock` read.
 */
export async function startControl(
  world: World,
  faults: Faults,
  options: ControlOptions = {},
): Promise<Control> {
  const known = new Map<string, Operation>([
    ...Object.entries(worldOperations(world)),
    ...Object.entries(faultOperations(faults)),
    ...Object.entries(options.operations ?? {}),
  ]);
  const app = Fastify({ forceCloseConnections: true });
  app.post<{ Body: { op?: string; args?: unknown } | null }>('/_control', async (request, reply) => {
    const { op, args } = request.body ?? {};
    const operation = known.get(op ?? '');
    if (operation === undefined) {
      return reply.code(400).send({ error: `no operation ${op ?? ''}`, known: [...known.keys()] });
    }
    try {
      const result: unknown = await operation((args ?? {}) as never);
      return await reply.send({ result: plain(result) ?? null });
    } catch (error) {
      return reply.code(400).send({ error: error instanceof Error ? error.message : String(error) });
    }
  });
  registerReading(app, world, faults);
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return { url, names: [...known.keys()], close: () => app.close() };
}

function registerReading(app: FastifyInstance, world: World, faults: Faults): void {
  const day = 86_400_000;
  app.get<{ Querystring: { from?: string; until?: string } }>('/_control/truth', async ({ query }) => ({
    now: new Date(world.now()).toISOString(),
    occurrences: truth(world, {
      from: query.from ?? world.now() - 35 * day,
      until: query.until ?? world.now() + 120 * day,
    }),
  }));
  app.get<{ Querystring: { mailbox?: string; provider?: string } }>(
    '/_control/requests',
    async ({ query }) => {
      const wanted = faults.log
        .entries()
        .filter((entry) => query.mailbox === undefined || entry.mailbox === query.mailbox)
        .filter((entry) => query.provider === undefined || entry.provider === query.provider);
      return { count: wanted.length, maxInFlight: faults.log.maxInFlight(query.mailbox), requests: wanted };
    },
  );
  app.get('/_control/people', async () => [...world.people.values()]);
  app.get('/_control/meetings', async () => [...world.meetings.values()].map(plain));
  app.get('/_control/clock', async () => ({
    now: new Date(world.now()).toISOString(),
    offsetMs: world.clock.offset(),
  }));
}

function worldOperations(world: World): Record<string, Operation> {
  const ofWorld = {
    addGuest,
    addTag,
    attend,
    cancelMeeting,
    cancelOccurrence,
    changeOrganizer,
    convertSeriesToSingle,
    convertSingleToSeries,
    createMeeting,
    deleteCopy,
    detachOccurrence,
    editMeeting,
    moveMeeting,
    moveOccurrence,
    moveSeries,
    removeGuest,
    removeTag,
    renameAddress,
    respond,
    setCategory,
    setPersonState,
    setProperty,
    shareCalendar,
    splitSeries,
    truth,
  };
  const bound = Object.entries(ofWorld).map(([name, operation]): [string, Operation] => [
    name,
    (args) => (operation as (world: World, args: unknown) => unknown)(world, args),
  ]);
  return {
    ...Object.fromEntries(bound),
    addPerson: (args: PersonInput) => world.addPerson(args),
    occurrences: (args: { meeting: string; from?: string; until?: string }) =>
      world
        .occurrences(args.meeting, args.from, args.until)
        .map(({ meeting, ...occurrence }) => ({ meeting: meeting.id, ...occurrence })),
    expireTokens: (args: { person?: string }) => world.expireTokens(args.person),
    setHabits: (args: Partial<ConferenceHabits>) => Object.assign(world.habits, args),
    advance: (args: { ms: number }) => {
      world.clock.advance(args.ms);
      return { now: new Date(world.now()).toISOString() };
    },
    setClock: (args: { at: string }) => {
      world.clock.set(toMilliseconds(args.at));
      return { now: new Date(world.now()).toISOString() };
    },
  };
}

function faultOperations(faults: Faults): Record<string, Operation> {
  return {
    addFault: (args: FaultRule) => ({ id: faults.add(args) }),
    removeFault: (args: { id: string }) => faults.remove(args.id),
    addTrouble: (args: { provider?: string; probability: number }) => addTrouble(faults, args),
    clearFaults: () => faults.clear(),
    faults: () => faults.rules(),
    clearRequests: () => faults.log.clear(),
  };
}

/** Maps as objects, so that a meeting's overrides are not lost in JSON. */
function plain(value: unknown): unknown {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value, (_key, entry: unknown) =>
    entry instanceof Map ? Object.fromEntries(entry) : entry,
  );
  return JSON.parse(text);
}
