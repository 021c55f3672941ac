import { createFaults } from '../../src/sandbox/faults.ts';
import { type GoogleSandbox, startGoogleSandbox } from '../../src/sandbox/google/server.ts';
import { createMeeting, World } from '../../src/sandbox/world/index.ts';

/** Google's stand-in in a process of its own, so that only the daemon's work is on the daemon's clock. */
export interface Served {
  readonly url: string;
  readonly tokenUrl: string;
  readonly serviceAccountKey: GoogleSandbox['serviceAccountKey'];
}
/** Asks for one more tagged meeting, or for the number of requests so far. */
export type Wish =
  | { readonly ask: 'book'; readonly organizer: string; readonly guest: string; readonly start: string }
  | { readonly ask: 'count' };
/** `at` is the moment of the edit by the machine's clock. */
export type Told =
  | { readonly told: 'served'; readonly served: Served }
  | { readonly told: 'booked'; readonly at: number }
  | { readonly told: 'count'; readonly requests: number };

export const mentor = (index: number): string => `mentor${index}@bench.example`;
export const mentee = (index: number): string => `mentee${index}@bench.example`;

async function serve(pairs: number, meetings: number): Promise<void> {
  const world = new World({ seed: 1, start: Date.now() });
  const now = new Date();
  for (let index = 0; index < pairs; index += 1) {
    world.addPerson({ name: `Mentor ${index}`, address: mentor(index), zone: 'UTC' });
    world.addPerson({ name: `Mentee ${index}`, address: mentee(index), zone: 'UTC' });
    for (let at = 0; at < meetings; at += 1) {
      const start = new Date(now.getTime() + (at + 1) * 86_400_000);
      createMeeting(world, {
        organizer: mentor(index),
        guests: [mentee(index)],
        title: at === 0 ? 'Talk #mentoring' : `Status ${at}`,
        start: start.toISOString().slice(0, 16),
        zone: 'UTC',
        minutes: 30,
      });
    }
  }
  const faults = createFaults({ seed: 1, now: () => world.now() });
  const sandbox = await startGoogleSandbox(world, { faults, habits: { maxPage: 2500, emptyPages: 0 } });
  const tell = (told: Told) => process.send?.(told);
  process.on('message', (wish: Wish) => {
    if (wish.ask === 'count') return tell({ told: 'count', requests: faults.log.entries().length });
    createMeeting(world, {
      organizer: wish.organizer,
      guests: [wish.guest],
      title: 'Pushed #mentoring',
      start: wish.start,
      zone: 'UTC',
      minutes: 30,
    });
    return tell({ told: 'booked', at: Date.now() });
  });
  process.on('disconnect', () => void sandbox.close().then(() => process.exit(0)));
  const { url, tokenUrl, serviceAccountKey } = sandbox;
  tell({ told: 'served', served: { url, tokenUrl, serviceAccountKey } });
}

if (import.meta.main) await serve(Number(process.argv[2]), Number(process.argv[3]));
