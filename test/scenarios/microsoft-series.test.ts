import { afterEach, describe, expect, test } from 'vitest';
import { cancelOccurrence, editMeeting } from '../../src/sandbox/world/index.ts';
import { ADA, BO, type MicrosoftStage, openMicrosoftStage } from './microsoft-stage.ts';

/** Series of which Graph's answers do not tell all, or not by the names that one expects. */

let stage: MicrosoftStage;
afterEach(() => stage.close());

const signal = new AbortController().signal;
const SLOTS = [
  '2026-03-17T09:00',
  '2026-03-24T09:00',
  '2026-03-31T08:00',
  '2026-04-07T08:00',
  '2026-04-14T08:00',
];

describe('07 an exception with its own subject, printed without the body in which the tag stands', () => {
  const tagged = () => {
    const series = stage.weekly({ title: 'Weekly', body: '<p>#mentoring</p>' });
    editMeeting(stage.world, { meeting: series.id, slot: '2026-03-24T09:00:00Z', title: 'On the roof' });
    return series;
  };

  test('is a session when its series is listed, and stays one at the daily look and in a full pass', async () => {
    stage = await openMicrosoftStage({ habits: { blankExceptionBodies: true } });
    tagged();
    await stage.syncAll();
    expect(await stage.booked()).toEqual(SLOTS);
    for (const wish of [{ reconcile: true }, { full: true }]) {
      for (const address of [ADA, BO])
        expect(await stage.sync(address, wish)).toMatchObject({ complete: true });
      expect(await stage.booked()).toEqual(SLOTS);
    }
    expect(await stage.events('session.cancelled')).toEqual([]);
  });

  test('costs the daily look one question for its series, however many there are', async () => {
    stage = await openMicrosoftStage({ habits: { blankExceptionBodies: true } });
    const series = tagged();
    editMeeting(stage.world, { meeting: series.id, slot: '2026-04-07T08:00:00Z', title: 'In the garden' });
    await stage.sync();
    const before = stage.asked(/\/events\//);
    await stage.sync(ADA, { reconcile: true });
    expect(stage.asked(/\/events\//) - before).toBe(1);
    expect(await stage.booked()).toEqual(SLOTS);
  });

  test('keeps its words on a guest’s calendar that is searched for it', async () => {
    stage = await openMicrosoftStage({ habits: { blankExceptionBodies: true } });
    tagged();
    const window = { from: Date.parse('2026-03-20'), until: Date.parse('2026-03-28') };
    const calendar = { calendarId: 1, address: BO };
    const { lineage, uid } = await firstCopy(calendar);
    const copies = await stage.microsoft.calendar.copiesOf(calendar, { uid, lineage, window }, signal);
    expect(copies.map(({ text }) => [text.title, text.body?.includes('#mentoring')])).toEqual([
      ['On the roof', true],
    ]);
  });
});

describe('a series that its occurrences name by another id than its own', () => {
  test('05 what its organizer calls off is called off where only the guest’s calendar is read', async () => {
    stage = await openMicrosoftStage({ habits: { seriesNamedApart: true } });
    const series = stage.weekly();
    await stage.syncAll(BO);
    expect(await stage.booked()).toEqual(SLOTS);
    cancelOccurrence(stage.world, { meeting: series.id, slot: '2026-03-24T09:00:00Z' });
    await stage.syncAll(BO);
    expect(await stage.booked()).toEqual(SLOTS.filter((slot) => slot !== SLOTS[1]));
    expect(await stage.events('session.cancelled')).toHaveLength(1);
  });

  test('is found by either of its ids, and its occurrences with it', async () => {
    stage = await openMicrosoftStage({ habits: { seriesNamedApart: true } });
    stage.weekly();
    const calendar = { calendarId: 1, address: BO };
    const { seriesId } = await firstCopy(calendar);
    if (seriesId === null) throw new Error('no series');
    const master = await masterId(calendar);
    expect(master).not.toBe(seriesId);
    for (const id of [seriesId, master]) {
      expect(await stage.microsoft.calendar.lookUp(calendar, id, signal)).toMatchObject({
        found: 'series',
        series: { seriesId: id },
      });
    }
  });
});

const YEAR = { from: Date.parse('2026-01-01'), until: Date.parse('2027-01-01') };

async function firstCopy(calendar: { calendarId: number; address: string }) {
  for await (const { copies } of stage.microsoft.calendar.snapshot(calendar, YEAR, signal)) {
    const [copy] = copies;
    if (copy?.uid) return { lineage: copy.lineage, uid: copy.uid, seriesId: copy.seriesId };
  }
  throw new Error('nothing on the calendar');
}

async function masterId(calendar: { calendarId: number; address: string }): Promise<string> {
  for await (const { items } of stage.microsoft.calendar.changes(calendar, null, YEAR, signal)) {
    for (const item of items) if (item.kind === 'series') return item.series.seriesId;
  }
  throw new Error('no series on the calendar');
}
