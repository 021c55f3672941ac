import { parentPort, workerData } from 'node:worker_threads';
import { type Databases, openDatabases } from './databases.ts';
import { Divergence, play, type Run } from './harness.ts';
import { planOf, type Step } from './plan.ts';
import { failing } from './report.ts';
import { shrink } from './shrink.ts';

/** What a worker is told once. */
export interface Orders {
  /** The server on which all workers make their databases. */
  readonly serverUrl: string;
  readonly template: string;
  /** Plays only the steps with these numbers; `null` = all. */
  readonly steps: readonly number[] | null;
  readonly shrinks: boolean;
  /** Plays edits that few people make as well. */
  readonly rare: boolean;
}

export type Outcome =
  | { readonly seed: number; readonly run: Run }
  | { readonly seed: number; readonly failure: string };

/** Plays the seeds it is given, one after the other; each answer asks for the next one. */
async function serve(orders: Orders, port: NonNullable<typeof parentPort>): Promise<void> {
  const databases = await openDatabases(orders.serverUrl, orders.template);
  port.on('message', (seed: number | null) => {
    if (seed === null) port.close();
    else void playOne(databases, orders, seed).then((outcome) => port.postMessage(outcome));
  });
  port.postMessage('ready');
}

async function playOne(
  databases: Databases,
  { steps, shrinks, rare }: Orders,
  seed: number,
): Promise<Outcome> {
  const inFreshDatabase = async (its: readonly Step[]): Promise<Run> => {
    const database = await databases.create();
    try {
      return await play(database.url, seed, its);
    } finally {
      await database.drop();
    }
  };
  try {
    const run = await inFreshDatabase(
      planOf(seed, rare).filter(({ number }) => steps?.includes(number) ?? true),
    );
    return { seed, run };
  } catch (error) {
    if (error instanceof Divergence)
      return { seed, failure: failing(shrinks ? await shrink(error, inFreshDatabase) : error, rare) };
    return {
      seed,
      failure: `seed ${seed} stumbled: ${error instanceof Error ? error.stack : String(error)}`,
    };
  }
}

if (parentPort !== null) await serve(workerData as Orders, parentPort);
