import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  addGuest,
  cancelMeeting,
  cancelOccurrence,
  convertSeriesToSingle,
  convertSingleToSeries,
  createMeeting,
  deleteCopy,
  editMeeting,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  occurrencesOf,
  type Person,
  removeGuest,
  respond,
  splitSeries,
  type World,
} from '../../../src/sandbox/world/index.ts';
import { runs } from '../../support/properties.ts';
import { type GraphBench, type Row, startBench } from './graph-calls.ts';

const WINDOW = 'startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-04-20T00:00:00Z';
const DAY = 86_400_000;

/** What a careful reader keeps of one calendar, by the rules that the documentation and field reports give. */
class Reader {
  readonly rows = new Map<string, Row>();

  apply(round: readonly Row[]): void {
    const sent = new Set(round.map((row) => row.id));
    const series = new Set<unknown>();
    for (const row of round) {
      if ('@removed' in row) {
        this.#forget((id, kept) => id === row.id || kept.seriesMasterId === row.id);
        continue;
      }
      this.rows.set(row.id, row);
      if (row.type === 'seriesMaster') series.add(row.id);
      if (row.type === 'singleInstance') this.#forget((_id, kept) => kept.seriesMasterId === row.id);
    }
    // An occurrence that was taken out of a series is not told: it is missing from what was sent again.
    this.#forget((id, kept) => series.has(kept.seriesMasterId) && !sent.has(id));
  }

  /** Occurrences and singles on the calendar, as text. */
  shown(): string[] {
    return [...this.rows.values()]
      .filter((row) => row.type !== 'seriesMaster')
      .map((row) => `${row.id} ${row.type} ${row.start?.dateTime}`)
      .sort();
  }

  #forget(gone: (id: string, row: Row) => boolean): void {
    for (const [id, row] of [...this.rows]) if (gone(id, row)) this.rows.delete(id);
  }
}

/** One edit, chosen by numbers: which kind, which meeting, which occurrence, which way. */
type Edit = readonly [kind: number, meeting: number, slot: number, turn: number];

function edit(world: World, people: readonly Person[], [kind, which, place, turn]: Edit): void {
  const meetings = [...world.meetings.values()].filter((meeting) => meeting.cancelledAt === null);
  const meeting = meetings[which % Math.max(1, meetings.length)];
  const [ada, bo, chi] = people as [Person, Person, Person];
  if (meeting === undefined || kind === 0) {
    createMeeting(world, {
      organizer: turn % 2 === 0 ? ada.id : bo.id,
      guests: [turn % 2 === 0 ? 'bo@south.example' : 'ada@south.example'],
      title: `Meeting ${world.meetings.size}`,
      start: `2026-03-${String(2 + (place % 27)).padStart(2, '0')}T10:00`,
      ...(turn % 3 === 0 ? {} : { rule: 'FREQ=WEEKLY;COUNT=9' }),
    });
    return;
  }
  const slots = occurrencesOf(meeting, world.now()).flatMap(({ slot, cancelledAt }) =>
    slot === null || cancelledAt !== null ? [] : [slot],
  );
  const slot = slots[place % Math.max(1, slots.length)] ?? null;
  const own = { meeting: meeting.id };
  const guest = meeting.organizer === ada.id ? bo : ada;
  // A series of which nothing is left.
  if (slot === null && meeting.recurrence !== null) return;
  if (slot === null) {
    if (kind % 4 === 1) moveMeeting(world, { ...own, start: `2026-0${3 + (turn % 4)}-10T1${turn % 10}:00` });
    else if (kind % 4 === 2) cancelMeeting(world, own);
    else if (kind % 4 === 3) convertSingleToSeries(world, { ...own, rule: 'FREQ=WEEKLY;COUNT=4' });
    else deleteCopy(world, { ...own, person: guest.id });
    return;
  }
  const acts: readonly (() => unknown)[] = [
    () => moveOccurrence(world, { ...own, slot, start: slot + (turn - 5) * DAY * 3 }),
    () => cancelOccurrence(world, { ...own, slot }),
    () => moveSeries(world, { ...own, weekday: turn % 2 === 0 ? 'FR' : 'MO' }),
    () => moveSeries(world, { ...own, time: turn % 2 === 0 ? '08:00' : '17:30' }),
    () => (slots.indexOf(slot) > 0 ? splitSeries(world, { ...own, slot, time: '15:00' }) : undefined),
    () => deleteCopy(world, { ...own, slot, person: guest.id }),
    () => respond(world, { ...own, slot, person: guest.id, response: 'declined' }),
    () => addGuest(world, { ...own, slot, guest: chi.addresses[0] ?? '' }),
    () =>
      removeGuest(world, { ...own, ...(turn % 2 === 0 ? { slot } : {}), guest: guest.addresses[0] ?? '' }),
    () => removeGuest(world, { ...own, slot, guest: chi.addresses[0] ?? '' }),
    () => convertSeriesToSingle(world, { ...own, slot }),
    () => cancelMeeting(world, own),
    () => editMeeting(world, { ...own, title: `Renamed ${turn}` }),
  ];
  acts[(kind - 1) % acts.length]?.();
}

async function readAlong(bench: GraphBench, edits: readonly Edit[]): Promise<void> {
  const { world } = bench;
  const people = ['Ada', 'Bo', 'Chi'].map((name) =>
    world.addPerson({ name, address: `${name.toLowerCase()}@south.example`, provider: 'microsoft' }),
  );
  const readers = people.map((person) => ({ person, reader: new Reader(), link: '' }));
  const open = (person: Person): string => `/users/${person.objectId}/calendarView/delta?${WINDOW}`;
  for (const one of readers) one.link = (await bench.round(open(one.person))).deltaLink;
  for (const [index, change] of edits.entries()) {
    edit(world, people, change);
    world.clock.advance(60_000);
    // Some changes are read one by one, some together.
    if (index % 3 !== 2 && index !== edits.length - 1) continue;
    for (const one of readers) {
      const round = await bench.round(one.link, 'odata.maxpagesize=7');
      one.reader.apply(round.rows);
      one.link = round.deltaLink;
      const fresh = new Reader();
      fresh.apply((await bench.round(open(one.person))).rows);
      expect(one.reader.shown()).toEqual(fresh.shown());
    }
  }
}

it('leads a careful reader to what a full round shows, whatever was edited', async () => {
  const number = (limit: number) => fc.nat({ max: limit });
  const edits = fc.array(fc.tuple(number(13), number(30), number(30), number(11)), {
    minLength: 1,
    maxLength: 14,
  });
  await fc.assert(
    fc.asyncProperty(edits, async (sequence) => {
      const bench = await startBench('2026-03-10T08:00:00Z');
      try {
        await readAlong(bench, sequence);
      } finally {
        await bench.close();
      }
    }),
    { numRuns: runs(60) },
  );
});
