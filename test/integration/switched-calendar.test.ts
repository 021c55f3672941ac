import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import type { Provider } from '../../src/domain/observation.ts';
import {
  ANNA,
  BEN,
  CEM,
  createSyncWorld,
  DAY,
  event,
  guestCopy,
  HOUR,
  NOW,
  type SyncWorld,
  TUESDAY,
} from './sync-world.ts';

let world: SyncWorld;
afterEach(() => world.close());

const PAIRS = { 'anna-ben': [ANNA, BEN], 'anna-cem': [ANNA, CEM] };
const providerOf: Record<string, Provider> = {};

/** Anna, who is read at Google and has four meetings with Ben ahead and one behind her, moves to Outlook. */
async function moved(mended: () => void): Promise<void> {
  providerOf[ANNA] = 'google';
  world = await createSyncWorld({ providerOf });
  const anna = world.calendar(ANNA);
  anna.put(...meetings());
  await world.sync(ANNA);
  expect(await world.booked()).toHaveLength(5);
  providerOf[ANNA] = 'microsoft';
  await world.roster(PAIRS);
  mended();
  await world.sync(ANNA);
}

const meetings = () => [
  event('past', NOW - 7 * DAY),
  ...[0, 7, 14, 21].map((days) => event(`week-${days}`, TUESDAY + days * DAY)),
];
const replace = (...copies: ReturnType<typeof meetings>) => {
  const anna = world.calendar(ANNA);
  anna.copies = [];
  anna.put(...copies);
};
const standing = () =>
  world.rows(sql<{ provider: string; copies: number }>`
    select provider, count(*)::int as copies from cadenced.event_copy
      join cadenced.calendar using (calendar_id)
     where removed_at is null and starts_at > ${new Date(NOW)} group by provider order by provider`);

describe('a calendar that is read at another provider from now on', () => {
  test('keeps its sessions, once each, whatever ids the move gave them', async () => {
    await moved(() => replace(...meetings().map((copy) => ({ ...copy, sourceId: `AAMk-${copy.sourceId}` }))));
    expect(await world.booked()).toHaveLength(5);
    expect(await standing()).toEqual([{ provider: 'microsoft', copies: 4 }]);
    expect(await world.sessions()).toHaveLength(5);
  });

  test('lets go what did not come along: the former copies hold nothing', async () => {
    await moved(() => replace(...meetings().slice(0, -1)));
    expect(await world.booked()).toHaveLength(4);
    expect(await world.sessions()).toMatchObject([
      {},
      {},
      {},
      {},
      { status: 'cancelled', reason: 'untagged' },
    ]);
  });

  test('does not count a meeting twice that was made anew with another UID', async () => {
    await moved(() => replace(...meetings().map((copy) => event(`new-${copy.sourceId}`, copy.start))));
    // As many as before are gone at once: that is believed when a second look an hour later agrees.
    expect(await world.state(ANNA)).toMatchObject({ state: 'parked' });
    await world.advance(HOUR + 60_000);
    await world.sync(ANNA, { reconcile: true });
    expect(await world.booked()).toHaveLength(5);
    expect(await standing()).toEqual([{ provider: 'microsoft', copies: 4 }]);
    expect(await world.sessions()).toHaveLength(9);
  });

  test('cancels nothing at once when the new one is still empty', async () => {
    await moved(() => replace());
    expect(await world.booked()).toHaveLength(5);
    expect(await world.state(ANNA)).toMatchObject({ state: 'parked' });
    replace(...meetings());
    await world.sync(ANNA, { reconcile: true });
    expect(await world.booked()).toHaveLength(5);
    expect(await world.state(ANNA)).toMatchObject({ state: 'active' });
  });

  test('leaves the past alone, and a meeting that still stands on the calendar of the other', async () => {
    providerOf[ANNA] = 'google';
    world = await createSyncWorld({ providerOf });
    const [past, first, second] = [
      event('past', NOW - 7 * DAY),
      event('one', TUESDAY),
      event('two', TUESDAY + DAY),
    ];
    world.calendar(ANNA).put(past, first, second);
    world.calendar(BEN).put(guestCopy(first, 'ben-one'));
    await world.sync(ANNA);
    await world.sync(BEN);
    const before = await world.booked();
    providerOf[ANNA] = 'microsoft';
    await world.roster(PAIRS);
    replace(second);
    await world.sync(ANNA);
    expect(await world.booked()).toEqual(before);
    const settled = await world.dump();
    await world.sync(ANNA, { reconcile: true });
    expect(await world.dump()).toEqual(settled);
  });
});
