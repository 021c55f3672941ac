import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Control, startControl } from '../../src/sandbox/control.ts';
import { createFaults, type Faults } from '../../src/sandbox/faults.ts';
import { createClock, type TrueOccurrence, World } from '../../src/sandbox/world/index.ts';

let world: World;
let faults: Faults;
let control: Control;
beforeEach(async () => {
  const clock = createClock('2026-10-05T06:00:00Z');
  clock.stop();
  world = new World({ clock });
  faults = createFaults();
  control = await startControl(world, faults, { operations: { echo: (args) => args } });
});
afterEach(() => control.close());

async function ask(op: string, args?: unknown): Promise<{ status: number; result: never; error?: string }> {
  const response = await fetch(`${control.url}/_control`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ op, args }),
  });
  return { status: response.status, ...((await response.json()) as { result: never; error?: string }) };
}

async function read<T>(path: string): Promise<T> {
  return (await (await fetch(`${control.url}${path}`)).json()) as T;
}

describe('the control port', () => {
  it('changes the world and reads its truth', async () => {
    await ask('addPerson', { name: 'Ada', address: 'ada@north.example' });
    await ask('addPerson', { name: 'Cyd', address: 'cyd@north.example' });
    const booked = await ask('createMeeting', {
      organizer: 'ada@north.example',
      guests: ['cyd@north.example'],
      title: 'Weekly #mentoring',
      start: '2026-10-06T10:00',
      rule: 'FREQ=WEEKLY;COUNT=3',
    });
    const { id } = booked.result as { id: string };
    await ask('cancelOccurrence', { meeting: id, slot: '2026-10-13T08:00:00Z' });
    const { now, occurrences } = await read<{ now: string; occurrences: TrueOccurrence[] }>(
      '/_control/truth',
    );
    expect(now).toBe('2026-10-05T06:00:00.000Z');
    expect(occurrences.map(({ cancelled }) => cancelled)).toEqual([false, true, false]);
    expect(await read('/_control/meetings')).toMatchObject([{ id, overrides: { 1791878400000: {} } }]);
  });

  it('moves time, forward only', async () => {
    expect((await ask('advance', { ms: 3_600_000 })).result).toEqual({ now: '2026-10-05T07:00:00.000Z' });
    expect((await ask('setClock', { at: '2026-10-20T00:00:00Z' })).result).toEqual({
      now: '2026-10-20T00:00:00.000Z',
    });
    expect(await ask('advance', { ms: -1 })).toMatchObject({
      status: 400,
      error: expect.stringContaining('forward'),
    });
    expect(await read('/_control/clock')).toMatchObject({ now: '2026-10-20T00:00:00.000Z' });
  });

  it('sets faults and lifts them', async () => {
    const { result } = await ask('addFault', { path: '/events', fault: { kind: 'status', status: 503 } });
    const request = { provider: 'google', method: 'GET', url: '/calendar/v3/x/events?a=1', mailbox: null };
    expect(faults.match(request)).toEqual({ kind: 'status', status: 503 });
    await ask('removeFault', result);
    expect(faults.match(request)).toBeNull();
    expect(await read('/_control/requests')).toMatchObject({ count: 0 });
  });

  it('takes operations of other parts and says what it does not know', async () => {
    expect((await ask('echo', { hello: 1 })).result).toEqual({ hello: 1 });
    expect(await ask('nonsense')).toMatchObject({ status: 400, error: 'no operation nonsense' });
    expect(await ask('cancelMeeting', { meeting: 'm99' })).toMatchObject({
      status: 400,
      error: 'no meeting m99',
    });
  });
});
