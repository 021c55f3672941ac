import { afterEach, describe, expect, it } from 'vitest';
import {
  copyStatus,
  createRandom,
  editAtRandom,
  type TrueOccurrence,
  truth,
  type World,
} from '../../src/sandbox/world/index.ts';
import { type Bench, openBench } from './google-client.ts';

const DAY = 86_400_000;
const WINDOW = { timeMin: '2026-10-01T00:00:00Z', timeMax: '2027-02-01T00:00:00Z' };
const STREAM = { singleEvents: 'false', showDeleted: 'true', maxResults: '2500' };

let bench: Bench | undefined;
afterEach(() => bench?.close());

type Item = Record<string, unknown> & { id: string; status: string; recurringEventId?: string };

/**
 * The plainest reader that can be right: it keeps what the deltas tell, and reads the occurrences of every
 * series that anything was told about, whether by the series' own id or by an occurrence's.
 */
class Mirror {
  readonly events = new Map<string, Item>();
  readonly occurrences = new Map<string, Map<string, Item>>();
  readonly #bench: Bench;
  readonly #who: string;
  #token: string | null = null;

  constructor(bench: Bench, who: string) {
    this.#bench = bench;
    this.#who = who;
  }

  async follow(): Promise<void> {
    const query = this.#token === null ? { ...STREAM, ...WINDOW } : { ...STREAM, syncToken: this.#token };
    const { items, token } = await this.#bench.all(query, this.#who);
    this.#token = token;
    const touched = new Set<string>();
    for (const item of items as Item[]) {
      this.events.set(item.id, item);
      const series = item.recurringEventId ?? item.id.replace(/_\d{8}T\d{6}Z$/, '');
      touched.add(series).add(item.id);
    }
    // Occurrences of a split's later half may be named after the earlier one: look at all of a family.
    const families = new Set([...touched].map(familyOf));
    const related = [...this.events.keys()].filter((id) => families.has(familyOf(id)));
    for (const id of new Set([...touched, ...related])) await this.#readOccurrences(id);
  }

  async #readOccurrences(id: string): Promise<void> {
    this.occurrences.delete(id);
    const master = this.events.get(id);
    if (master?.status === 'cancelled' || master?.recurrence === undefined) return;
    const path = `/calendar/v3/calendars/primary/events/${encodeURIComponent(id)}/instances`;
    const items: Item[] = [];
    let query: Record<string, string> | null = { ...WINDOW, showDeleted: 'true', maxResults: '2500' };
    while (query !== null) {
      const answer = await this.#bench.get(path, query, this.#who);
      expect(answer.status).toBe(200);
      const page = JSON.parse(answer.text) as { items: Item[]; nextPageToken?: string };
      items.push(...page.items);
      query = page.nextPageToken === undefined ? null : { ...query, pageToken: page.nextPageToken };
    }
    this.occurrences.set(id, new Map(items.map((item) => [item.id, item])));
  }

  /** What is on the calendar, as `uid start end title`. */
  live(): string[] {
    const alone = [...this.events.values()].filter(
      (item) =>
        item.recurrence === undefined &&
        !(item.recurringEventId !== undefined && this.events.has(item.recurringEventId)),
    );
    const laidOut = [...this.occurrences.values()].flatMap((items) => [...items.values()]);
    return [...alone, ...laidOut]
      .filter((item) => item.status !== 'cancelled')
      .map(line)
      .filter(inWindow)
      .toSorted();
  }
}

function familyOf(id: string): string {
  return id.replace(/_R?\d{8}T\d{6}Z?.*$/, '');
}

function line(item: Record<string, unknown>): string {
  const at = (time: unknown): string => new Date((time as { dateTime: string }).dateTime).toISOString();
  return `${at(item.start)} ${at(item.end)} ${String(item.iCalUID).toLowerCase()} ${String(item.summary)}`;
}

function inWindow(text: string): boolean {
  return text >= '2026-10-01' && text < '2027-02-01';
}

/** What ought to be on one person's calendar, from the world's truth and their own copies. */
function expected(world: World, who: string): string[] {
  const person = world.person(who);
  const isThere = (occurrence: TrueOccurrence): boolean => {
    const copy = world.copy(person.id, occurrence.meeting);
    const slot = occurrence.originalStart === null ? null : Date.parse(occurrence.originalStart);
    return copy !== undefined && copyStatus(world.meeting(occurrence.meeting), copy, slot) === 'live';
  };
  return truth(world, { from: WINDOW.timeMin, until: WINDOW.timeMax })
    .filter((occurrence) => !occurrence.settledPast && !occurrence.cancelled && isThere(occurrence))
    .map(({ start, end, uid, title }) => `${start} ${end} ${uid.toLowerCase()} ${title}`)
    .toSorted();
}

describe('a plain reader of the Google wire', () => {
  it.each([1, 2, 3, 4, 5, 6])('sees the truth after every edit (seed %i)', async (seed) => {
    bench = await openBench({ habits: { maxPage: 7, emptyPages: 0.3, sparseTombstones: 0.5 } });
    const { world } = bench;
    const random = createRandom(seed);
    const people = ['ada@north.example', 'cyd@north.example'];
    const mirrors = people.map((who) => ({ who, mirror: new Mirror(bench as Bench, who) }));
    const story: string[] = [];
    for (let round = 0; round < 25; round += 1) {
      for (let edit = random.below(4); edit >= 0; edit -= 1) {
        const done = editAtRandom(world, { random, ...(round < 3 ? { edits: ['book'] as const } : {}) });
        if (done !== null) story.push(done);
      }
      if (random.below(5) === 0) world.clock.advance(DAY);
      if (random.below(6) === 0) continue;
      for (const { who, mirror } of mirrors) {
        await mirror.follow();
        const now = new Date(world.now()).toISOString();
        const coming = (lines: string[]): string[] => lines.filter((text) => text.slice(25, 49) > now);
        expect(coming(mirror.live()), `${who} after\n${story.join('\n')}`).toEqual(
          coming(expected(world, who)),
        );
      }
    }
    expect(story.length).toBeGreaterThan(25);
  });
});
