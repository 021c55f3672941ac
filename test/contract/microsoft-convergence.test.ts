import { afterEach, describe, expect, it } from 'vitest';
import { createMicrosoft } from '../../src/providers/microsoft/index.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createFaults } from '../../src/sandbox/faults.ts';
import {
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { createRandom, editAtRandom, truth, World } from '../../src/sandbox/world/index.ts';
import { facts, Mirror } from './microsoft-mirror.ts';

/** Rounds of edits by chance, each followed by a pull; the seed is in the name of the test. */
const SEEDS = [1, 2, 3, 4, 5, 6];
const ROUNDS = 12;
const WINDOW = { from: Date.UTC(2026, 8, 1), until: Date.UTC(2027, 0, 1) };

let sandbox: MicrosoftSandbox | undefined;
afterEach(() => sandbox?.close());

describe('following a Microsoft calendar through random edits', () => {
  it.each(SEEDS)('ends with what the calendar shows and what is true (seed %i)', async (seed) => {
    const world = new World({ seed, start: '2026-10-05T07:00:00Z' });
    world.clock.stop();
    const faults = createFaults({ seed });
    sandbox = await startMicrosoftSandbox(world, { faults, habits: { latencyMs: 0, pageSize: 7 } });
    const addresses = ['ada@south.example', 'bo@south.example', 'cleo@south.example'];
    const people = addresses.map((address) =>
      world.addPerson({ name: address.split('@')[0] ?? '', address, provider: 'microsoft' }),
    );
    world.addPerson({ name: 'Dana', address: 'dana@north.example', provider: 'google' });
    let elapsed = 0;
    const { tenant, clientId, clientSecret, graphUrl, tokenUrl } = sandbox;
    const { calendar } = createMicrosoft(
      { tenant, clientId, clientSecret, graphUrl, tokenUrl, maxInFlight: 4 },
      {
        log: silentLog(),
        random: () => 0,
        elapsed: () => elapsed,
        sleep: async (ms) => {
          elapsed += ms;
        },
      },
    );
    const mirrors = addresses.map((address, at) => new Mirror(calendar, { calendarId: at, address }, WINDOW));
    const random = createRandom(seed);
    const edits: string[] = [];
    for (const provider of [
      { kind: 'reset' },
      { kind: 'truncated' },
      { kind: 'status', status: 503 },
    ] as const) {
      faults.add({ path: 'v1.0', probability: 0.02, fault: provider });
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let edit = 0; edit < 4; edit += 1) edits.push(editAtRandom(world, { random }) ?? '-');
      world.clock.advance(3_600_000);
      for (const mirror of mirrors) {
        await mirror.pull();
        const seen = await mirror.seen();
        expect(facts(mirror.inWindow()), edits.join('\n')).toEqual(facts(seen.values()));
      }
    }
    const now = world.now();
    for (const [at, mirror] of mirrors.entries()) {
      const organised = (start: number, lineage: string) => `${new Date(start).toISOString()} ${lineage}`;
      const expected = truth(world, { from: now, until: WINDOW.until })
        .filter((one) => one.organizer === people[at]?.addresses[0] && !one.cancelled && !one.allDay)
        .map((one) => organised(Date.parse(one.start), one.lineage));
      const found = mirror
        .inWindow()
        .filter((copy) => copy.ownerIsOrganizer && copy.start >= now && copy.status !== 'cancelled')
        .map((copy) => organised(copy.start, copy.lineage));
      expect(found.sort(), edits.join('\n')).toEqual(expected.sort());
    }
  });
});
