import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { addTag, dragUnsent, sendUnsent } from '../../src/sandbox/world/index.ts';
import { ADA, BO, HOUR, type MicrosoftStage, openMicrosoftStage } from './microsoft-stage.ts';

/** What an organizer changes in Outlook and sends to nobody: `isDraft` on their copy, and nothing anywhere else. */

let stage: MicrosoftStage;
afterEach(() => stage.close());

const AGREED = '2026-03-20T13:00';
const DRAGGED = '2026-03-23T13:00';

test.each([
  ['both calendars are read', [ADA, BO]],
  ['the organizer’s alone is read', [ADA]],
])(
  'a meeting that is dragged and not sent stays where it was agreed, and moves when it is sent: %s',
  async (_what, read) => {
    stage = await openMicrosoftStage();
    const single = stage.single();
    await stage.syncAll(...read);
    const [before] = await stage.sessions();
    await stage.advance(HOUR);
    dragUnsent(stage.world, { meeting: single.id, start: `${DRAGGED}:00Z` });
    await stage.syncAll(...read);
    for (const address of read) await stage.sync(address, { reconcile: true });
    expect(await stage.sessions()).toEqual([before]);
    expect(before?.start).toBe(AGREED);
    expect(await stage.events()).toEqual(['session.scheduled']);
    expect(await unsent()).toEqual([true]);
    await stage.advance(HOUR);
    sendUnsent(stage.world, { meeting: single.id });
    await stage.syncAll(...read);
    expect(await stage.sessions()).toEqual([{ ...before, start: DRAGGED, reschedules: 1 }]);
    expect(await stage.events()).toEqual(['session.scheduled', 'session.rescheduled']);
    expect(await unsent()).toEqual([false]);
  },
);

test('one occurrence of a series that is dragged and not sent stays, and so do the others', async () => {
  stage = await openMicrosoftStage();
  const series = stage.weekly();
  await stage.syncAll();
  const before = await stage.sessions();
  dragUnsent(stage.world, {
    meeting: series.id,
    slot: '2026-03-24T09:00:00Z',
    start: '2026-03-25T13:00:00Z',
  });
  await stage.syncAll();
  expect(await stage.sessions()).toEqual(before);
  sendUnsent(stage.world, { meeting: series.id });
  await stage.syncAll();
  const after = await stage.sessions();
  expect(after.map(({ start }) => start)).toContain('2026-03-25T13:00');
  expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
});

test('a tagged meeting that was never sent is no session; sent, it is one', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single({ unsent: true });
  await stage.syncAll();
  addTag(stage.world, { meeting: single.id, tag: '#again' });
  await stage.syncAll();
  expect(await stage.sessions()).toEqual([]);
  expect(await stage.events()).toEqual([]);
  expect(await stage.rows(sql`select from mentoring.unmatched_event`)).toEqual([]);
  sendUnsent(stage.world, { meeting: single.id });
  await stage.syncAll();
  expect(await stage.booked()).toEqual([AGREED]);
  expect(await stage.events()).toEqual(['session.scheduled']);
});

/** Of Ada's copies that stand. */
const unsent = async () =>
  (
    await stage.rows(
      sql<{ unsent: boolean }>`
        select unsent from cadenced.event_copy join cadenced.calendar using (calendar_id)
         where address = ${ADA} and removed_at is null`,
    )
  ).map((row) => row.unsent);
