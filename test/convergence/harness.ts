import { sql } from 'kysely';
import { createRandom, type Random, truth } from '../../src/sandbox/world/index.ts';
import type { SyncReport } from '../../src/usecases/sync-calendar.ts';
import {
  differences,
  expectedSessions,
  line,
  sessionsFrom,
  shownWhereItNeverWas,
  storedSessions,
  tookPlace,
} from './compare.ts';
import { type AnyEdit, type EditDone, edit, type SeenStarts } from './edits.ts';
import { Names } from './identity.ts';
import { inHorizon, Memory, paired } from './memory.ts';
import { planOf, type Step, words } from './plan.ts';
import type { Notification } from './post-office.ts';
import { openStage, START, type Stage } from './stage.ts';
import { ruleFor, type Trouble } from './troubles.ts';

/**
 * Random edits in the sandbox, the real sync over the real adapters, and the database compared with the sandbox's
 * truth. One seed is one run; the same seed is the same run.
 */

export interface Run {
  readonly seed: number;
  readonly edits: number;
  readonly comparisons: number;
  /** What was covered, with counts: edits by where the meeting was made, and faults that were acted out. */
  readonly covered: ReadonlyMap<string, number>;
  /** Occurrences that were over with everything read, and those whose last edits were not. */
  readonly over: number;
  readonly undecided: number;
  readonly seconds: number;
  /** What was done and what came of it, line by line. */
  readonly story: readonly string[];
}

/** What was wrong, and where the run had come to. */
export class Divergence extends Error {
  readonly seed: number;
  readonly steps: readonly Step[];
  readonly story: readonly string[];

  constructor(seed: number, steps: readonly Step[], story: readonly string[], wrong: readonly string[]) {
    super(wrong.join('\n'));
    this.name = 'Divergence';
    this.seed = seed;
    this.steps = steps;
    this.story = story;
  }
}

const MINUTE = 60_000;

/**
 * Plays one run.
 * @param databaseUrl a prepared, empty database
 * @throws Divergence when the database and the truth disagree
 */
export async function play(
  databaseUrl: string,
  seed: number,
  steps: readonly Step[] = planOf(seed),
): Promise<Run> {
  const begun = performance.now();
  const stage = await openStage(databaseUrl, seed);
  const player = new Player(stage, seed);
  try {
    for (const step of steps) await player.take(step);
    await player.compare(createRandom(seed).fork('push at the end'), 'push');
    await player.compare(createRandom(seed).fork('the end'));
    await player.atRest();
  } catch (error) {
    if (error instanceof Wrong) throw new Divergence(seed, steps, player.story, error.lines);
    throw error;
  } finally {
    await stage.close();
  }
  const { covered, edits, comparisons, memory } = player;
  if (memory.followedCount > 0)
    covered.set('moved in time, read when the old time was over', memory.followedCount);
  for (const [fault, hits] of stage.fired) covered.set(`fault: ${fault}`, hits);
  return {
    seed,
    edits,
    comparisons,
    covered,
    over: memory.overCount,
    undecided: memory.undecidedCount,
    seconds: (performance.now() - begun) / 1000,
    story: player.story,
  };
}

class Wrong extends Error {
  readonly lines: readonly string[];
  constructor(lines: readonly string[]) {
    super('the database is not what it must be');
    this.lines = lines;
  }
}

class Player {
  readonly memory = new Memory();
  readonly covered = new Map<string, number>();
  readonly story: string[] = [];
  edits = 0;
  comparisons = 0;
  readonly #stage: Stage;
  readonly #seed: number;
  readonly #names = new Names();
  readonly #seen: SeenStarts = new Map();
  /** Calendars of which a notification was lost, or a reading failed, since they were last read: the next poll mends it. */
  readonly #behind = new Set<string>();

  constructor(stage: Stage, seed: number) {
    this.#stage = stage;
    this.#seed = seed;
  }

  async take(step: Step): Promise<void> {
    const random = createRandom(this.#seed).fork(`step ${step.number}`);
    switch (step.does) {
      case 'edit':
        this.#edit(step.edit, random);
        return;
      case 'wait':
        await this.#wait(step.minutes);
        return;
      case 'tell':
        await this.#hear(step, random);
        return;
      case 'compare':
        await this.compare(random, step.by);
        return;
      case 'burst':
        await this.#burst(step.trouble, random);
        return;
      case 'sync':
        await this.#sync(step, random);
        return;
    }
  }

  #tell(text: string): void {
    this.story.push(`${new Date(this.#stage.world.now()).toISOString().slice(0, 16)} ${text}`);
  }

  #count(what: string): void {
    this.covered.set(what, (this.covered.get(what) ?? 0) + 1);
  }

  #edit(kind: AnyEdit, random: Random): void {
    const { world } = this.#stage;
    // Where chance finds nothing to do its edit on, it does a plainer one.
    for (const attempt of [kind, kind, ...PLAINER]) {
      const done = edit(world, attempt, random, this.#seen);
      if (done === null) continue;
      this.#noticed(attempt, done);
      return;
    }
  }

  #noticed(kind: AnyEdit, done: EditDone): void {
    const { world } = this.#stage;
    this.edits += 1;
    this.#count(`${kind} (${done.home})`);
    this.#tell(done.text);
    this.#names.follow(world);
    this.#see(false);
    this.#remember();
    const handedOver = kind === 'hand over' ? /\bm\d+/.exec(done.text)?.[0] : undefined;
    if (handedOver !== undefined)
      this.memory.noteHandedOver(world.meeting(handedOver).lineage, expectedSessions(world, this.#names));
  }

  #remember(): void {
    const { world } = this.#stage;
    this.memory.note(expectedSessions(world, this.#names));
    this.memory.noteShown(shownWhereItNeverWas(world, this.#names, (name) => this.memory.isOver(name)));
  }

  /** Where every series stands; after a comparison only that. */
  #see(afresh: boolean): void {
    if (afresh) this.#seen.clear();
    for (const meeting of this.#stage.world.meetings.values()) {
      const day = Date.parse(`${meeting.start.slice(0, 10)}T00:00:00Z`);
      this.#seen.set(meeting.id, (this.#seen.get(meeting.id) ?? new Set()).add(day));
    }
  }

  /** Lets time pass, never to the middle of a meeting: what an edit of all does to a session under way is open. */
  async #wait(minutes: number): Promise<void> {
    const { world } = this.#stage;
    let until = world.now() + minutes * MINUTE;
    for (;;) {
      const underWay = truth(world, { from: until - 86_400_000, until }).filter(
        (one) => Date.parse(one.end) > until,
      );
      if (underWay.length === 0) break;
      until = Math.max(...underWay.map((one) => Date.parse(one.end)));
    }
    this.memory.passTo(until);
    await this.#stage.advance(until - world.now());
    this.#remember();
    await this.#stage.keepChannels();
  }

  async #sync(step: Extract<Step, { does: 'sync' }>, random: Random): Promise<void> {
    const { calendars } = this.#stage;
    const chosen = calendars.filter(({ provider }) => step.provider === null || provider === step.provider);
    const calendar = random.pick(chosen);
    const hits = await this.#readInTrouble(calendar, step, random);
    if (step.trouble !== 'lost cursor' || hits > 0) return;
    // It was read anew for its age, so that there was no cursor to lose: now there is one, with a change behind it.
    this.#edit('move occurrence', random);
    await this.#readInTrouble(calendar, step, random);
  }

  /** @returns how often the trouble struck */
  async #readInTrouble(
    calendar: Stage['calendars'][number],
    step: Extract<Step, { does: 'sync' }>,
    random: Random,
  ): Promise<number> {
    const enough = this.#troubles(step.trouble, random);
    let stopInterrupting: () => void = nothing;
    if (step.meanwhile !== null) {
      const kind = step.meanwhile;
      stopInterrupting = this.#stage.interrupt(1 + random.below(6), () => {
        this.#tell('in the middle of the pass:');
        this.#edit(kind, random);
      });
    }
    const report = await this.#read(calendar, step.wish);
    stopInterrupting();
    const hits = enough();
    this.#tell(`${words(step)} ${calendar.address}: ${outcome(report)}`);
    this.#count(`pass: ${report?.kind} ${report?.failure?.kind ?? 'applied'}`);
    return hits;
  }

  /**
   * @param atOnce calendars that are read at the same time: what strikes only some requests then strikes those of one
   *   of them, or it would depend on which request comes first
   * @returns what ends the trouble, and tells how often it struck
   */
  #troubles(trouble: Trouble | null, random: Random, atOnce: Stage['calendars'] | null = null): () => number {
    if (trouble === null) return () => 0;
    const ends = (['google', 'microsoft'] as const).flatMap((provider) => {
      const rule = ruleFor(trouble, provider, random);
      const name = `${trouble} (${provider})`;
      const isCounted = rule.fault.kind !== 'delay' && (rule.times ?? rule.skip) !== undefined;
      if (atOnce === null || !isCounted) return [this.#stage.trouble(name, rule)];
      const its = atOnce.filter((calendar) => calendar.provider === provider);
      return its.length === 0
        ? []
        : [this.#stage.trouble(name, { ...rule, mailbox: random.pick(its).address })];
    });
    return () => ends.reduce((hits, end) => hits + end(), 0);
  }

  async #burst(trouble: Trouble | null, random: Random): Promise<void> {
    const { calendars } = this.#stage;
    const chosen = calendars.filter(() => random.below(3) > 0);
    const twice = random.pick(calendars);
    const once = chosen.filter((calendar) => calendar !== twice);
    const enough = this.#troubles(trouble, random, once);
    const reports = await Promise.all([...chosen, twice].map((calendar) => this.#read(calendar, 'changes')));
    enough();
    // Of the one that is read twice it is open which reading comes first, and what the other still finds.
    this.#tell(`${reports.length} at once${trouble === null ? '' : ` (${trouble})`}`);
    for (const report of reports) this.#count(`pass: ${report?.kind} ${report?.failure?.kind ?? 'applied'}`);
    this.#count('passes at the same time');
  }

  async #read(
    { id, address }: Stage['calendars'][number],
    wish: 'changes' | 'full' | 'reconcile',
  ): Promise<SyncReport | null> {
    const report = await this.#stage.sync(id, wishOf(wish));
    if (report?.complete === true) this.#behind.delete(address);
    // One that was overtaken was read by another pass, as far as that saw.
    else if (report?.failure != null) this.#behind.add(address);
    return report;
  }

  /** Reads the given calendars in any order, then what these make due, until none is asked for more. */
  async #readAll(
    random: Random,
    wish: 'changes' | 'reconcile',
    first: Stage['calendars'] = this.#stage.calendars,
  ): Promise<SyncReport[]> {
    const { calendars, db } = this.#stage;
    const reports: SyncReport[] = [];
    let waiting = shuffled(first, random);
    for (let round = 0; waiting.length > 0; round += 1) {
      if (round > 4) throw new Wrong(['calendars go on wanting to be read']);
      for (const calendar of waiting) {
        const report = await this.#read(calendar, wish);
        if (report?.complete !== true)
          throw new Wrong([`${calendar.address} was not read: ${outcome(report)}`]);
        reports.push(report);
      }
      const { rows } = await sql<{ calendar_id: number }>`
        select distinct calendar_id from cadenced.wanted_meeting`.execute(db);
      waiting = calendars.filter(({ id }) => rows.some((row) => row.calendar_id === id));
    }
    return reports;
  }

  /** Notifications arrive: in any order, some twice, some later, some never. What they make due is read. */
  async #hear({ loses, trouble }: Extract<Step, { does: 'tell' }>, random: Random): Promise<void> {
    let underWay = await this.#stage.underWay();
    for (
      let tries = 0;
      loses !== null && this.#toldOf(underWay, loses).length === 0 && tries < 20;
      tries += 1
    ) {
      this.#edit('book', random);
      underWay = await this.#stage.underWay();
    }
    const lost = loses === null ? null : random.pick(this.#toldOf(underWay, loses));
    for (const [address, notifications] of shuffled([...underWay], random)) {
      const chance = random.below(10);
      if (address === lost || chance === 0) this.#loseAll(address, notifications);
      else if (chance === 1) this.#count(`push: late (${this.#providerOf(address)})`);
      else await this.#handOn(address, notifications, random);
    }
    const enough = this.#troubles(trouble, random);
    const read = await this.#readDue(random);
    enough();
    this.#tell(
      `${words({ does: 'tell', loses, trouble, number: 0 })}: ${read.join(', ') || 'nothing is due'}`,
    );
  }

  #providerOf(address: string): string {
    return this.#stage.calendars.find((calendar) => calendar.address === address)?.provider ?? 'nobody';
  }

  #toldOf(underWay: ReadonlyMap<string, unknown>, provider: string): string[] {
    return [...underWay.keys()].filter((address) => this.#providerOf(address) === provider);
  }

  #loseAll(address: string, notifications: readonly Notification[]): void {
    this.#stage.forget(notifications);
    this.#behind.add(address);
    this.#count(`push: lost (${this.#providerOf(address)})`);
    this.#tell(`${address} was never told of ${notifications.length} changes`);
  }

  /** One notification is as good as ten: a few of each channel are handed on, the later ones perhaps first. */
  async #handOn(address: string, notifications: readonly Notification[], random: Random): Promise<void> {
    const provider = this.#providerOf(address);
    // A channel and its successor both tell for a while; only the successor is listened to.
    const some = [...Map.groupBy(notifications, ({ channel }) => channel).values()].flatMap((its) =>
      shuffled(its, random).slice(0, 1 + random.below(2)),
    );
    const twice = random.below(5) === 0 ? some.slice(0, 1) : [];
    for (const one of [...some, ...twice]) await this.#stage.handOn(one);
    this.#stage.forget(notifications);
    this.#count(`push: heard (${provider})`);
    if (twice.length > 0) this.#count(`push: doubled (${provider})`);
    const [first, second] = some.map((one) => notifications.indexOf(one));
    if (first !== undefined && second !== undefined && second < first)
      this.#count(`push: out of order (${provider})`);
    // What a channel says late, when another has taken its place, was read when that one was opened.
    const { rows } = await sql<object>`
      select from cadenced.calendar join cadenced.channel using (calendar_id)
       where address = ${address} and channel.state in ('verified', 'unverified')
         and channel.external_id = any (${some.map(({ channel }) => channel)}::text[])
         and calendar.state in ('active', 'parked') and next_poll_at > now() + interval '1 second'`.execute(
      this.#stage.db,
    );
    if (rows.length > 0) throw new Wrong([`${address} was told of a change and is not due`]);
  }

  /** Reads what is due, as the dispatcher would: nothing else. */
  async #readDue(random: Random): Promise<string[]> {
    const { calendars } = this.#stage;
    const read: string[] = [];
    const failed = new Set<number>();
    for (let round = 0; ; round += 1) {
      const due = (await this.#stage.due()).filter((id) => !failed.has(id));
      if (due.length === 0) return read;
      if (round > 8) throw new Wrong(['calendars go on being due']);
      for (const calendar of shuffled(
        calendars.filter(({ id }) => due.includes(id)),
        random,
      )) {
        const report = await this.#read(calendar, 'changes');
        if (report?.failure != null) failed.add(calendar.id);
        read.push(`${calendar.address} ${outcome(report)}`);
      }
    }
  }

  /**
   * By push: every notification that is not lost arrives, what it makes due is read, and of the other calendars only
   * those that are behind are polled. Nobody else is asked, and everything must be known.
   */
  async #catchUp(random: Random): Promise<void> {
    for (const [address, notifications] of shuffled([...(await this.#stage.underWay())], random))
      await this.#handOn(address, notifications, random);
    const read = await this.#readDue(random);
    // Nobody tells of a calendar that was read before its first channel was opened.
    const { rows: told } = await sql<{ id: number }>`
      select calendar_id as id from cadenced.channel where state in ('verified', 'unverified')`.execute(
      this.#stage.db,
    );
    const polled = this.#stage.calendars.filter(
      ({ id, address }) => this.#behind.has(address) || !told.some((channel) => channel.id === id),
    );
    await this.#readAll(random, 'changes', polled);
    await this.#readDue(random);
    this.#count('comparison after push alone');
    if (polled.length > 0) this.#count('comparison after push, with polls for what was lost');
    this.#tell(`told: ${read.join(', ') || 'nothing'}; polled: ${polled.length}`);
  }

  /** Everything is read without trouble; then the database must say what is true. */
  async compare(random: Random, by: 'poll' | 'push' = 'poll'): Promise<void> {
    const { db } = this.#stage;
    this.#stage.waitOut();
    if (by === 'poll') await this.#readAll(random, 'changes');
    else await this.#catchUp(random);
    for (let tries = 0; ; tries += 1) {
      const { rows } = await sql<{ id: number }>`
        select calendar_id as id from cadenced.calendar where parked is not null`.execute(db);
      if (rows.length === 0) break;
      if (tries === 2) throw new Wrong(['the brake holds what two complete passes agreed on']);
      this.#count('brake: held, then released');
      await this.#wait(61);
      for (const { id } of rows) await this.#stage.sync(id, { reconcile: true });
      await this.#readAll(random, 'changes');
    }
    await this.#comparePresent();
    this.comparisons += 1;
    this.#see(true);
    // Channels are opened for calendars that were read once.
    await this.#stage.keepChannels();
  }

  async #comparePresent(): Promise<void> {
    const { world, db } = this.#stage;
    const now = world.now();
    const all = sessionsFrom(world, this.#names, Date.parse(START));
    const expected = all.filter((one) => one.end > now && inHorizon(one));
    const rows = await storedSessions(db);
    const coming = rows.filter((row) => row.status === 'scheduled' && row.end > now && inHorizon(row));
    const wrong = differences(expected.map(line), coming.map(line));
    const pairs = paired(expected, coming);
    if (wrong.length === 0) wrong.push(...this.memory.compare(pairs, all, rows, tookPlace(world), now));
    if (wrong.length === 0) wrong.push(...(await this.#wrongEvents()));
    if (wrong.length > 0) throw new Wrong(wrong);
    this.memory.begin(pairs);
    this.#tell(`compared: ${expected.length} sessions`);
  }

  /** The story that webhooks tell: booked, moved, called off, in an order that makes sense, ending in what is. */
  async #wrongEvents(): Promise<string[]> {
    const { rows } = await sql<{
      session_id: number;
      status: string;
      starts_at: Date;
      ends_at: Date;
      told: { type: string; start: string; end: string }[];
    }>`
      select session_id, status, starts_at, ends_at,
             (select jsonb_agg(jsonb_build_object('type', type, 'start', payload ->> 'scheduled_start',
                                                  'end', payload ->> 'scheduled_end') order by position)
                from cadenced.outbound_event
               where subject = 'session/' || session_id and type like 'session.%') as told
        from cadenced.session order by session_id`.execute(this.#stage.db);
    const wrong: string[] = [];
    for (const { session_id, status, starts_at, ends_at, told } of rows) {
      if (told === null) continue;
      const types = told.map(({ type }) => type.replace('session.', ''));
      const turns = types.filter((type) => type !== 'rescheduled');
      if (turns.some((type, at) => type === turns[at - 1]))
        wrong.push(`session ${session_id} was told ${types.join(', ')}`);
      const wasCalledOff = types.lastIndexOf('cancelled') > types.lastIndexOf('scheduled');
      if (
        types.some(
          (type, at) =>
            type === 'rescheduled' &&
            types.slice(0, at).findLast((earlier) => earlier !== 'rescheduled') === 'cancelled',
        )
      )
        wrong.push(`session ${session_id} was moved after it was called off: ${types.join(', ')}`);
      if (wasCalledOff !== (status === 'cancelled'))
        wrong.push(`session ${session_id} is ${status}, told were ${types.join(', ')}`);
      const last = told.at(-1);
      const isTold = last?.start === starts_at.toISOString() && last.end === ends_at.toISOString();
      if (!isTold && status === 'scheduled')
        wrong.push(
          `session ${session_id} was last told for ${last?.start}, stands at ${starts_at.toISOString()}`,
        );
    }
    return wrong;
  }

  /** The daily comparison changes nothing that was right, and from then on reading again writes nothing at all. */
  async atRest(): Promise<void> {
    const random = createRandom(this.#seed).fork('at rest');
    // The first one also brings the day that came into sight at the far end of the window.
    await this.#readAll(random, 'reconcile');
    // An unmarked copy is kept from the moment on at which another calendar calls the meeting ours.
    await this.#readAll(random, 'reconcile');
    await this.#comparePresent();
    const before = await this.#dump();
    const again = [
      ...(await this.#readAll(random, 'changes')),
      ...(await this.#readAll(random, 'reconcile')),
    ];
    const wrong = again.flatMap((report) => {
      const differing = (report.drift ?? 0) + (report.applied?.differing ?? 0);
      return differing > 0
        ? [`${report.address}: a ${report.kind} pass found ${differing} rows to differ`]
        : [];
    });
    const after = await this.#dump();
    for (const [table, rows] of before) {
      wrong.push(...differences(rows, after.get(table) ?? []).map((one) => `at rest, ${table} ${one}`));
    }
    if (wrong.length > 0) throw new Wrong(wrong);
  }

  async #dump(): Promise<Map<string, string[]>> {
    const dump = new Map<string, string[]>();
    for (const table of TABLES) {
      const { rows } = await sql<{ row: string }>`
        select to_jsonb(one)::text as row from ${sql.table(`cadenced.${table}`)} one`.execute(this.#stage.db);
      dump.set(
        table,
        rows.map(({ row }) => row),
      );
    }
    return dump;
  }
}

/** Everything a pass may write, save the calendar's own state. The stage must be empty both times. */
const TABLES = [
  'occurrence',
  'event_copy',
  'session',
  'participant',
  'outbound_event',
  'mail',
  'unmatched_event',
  'wanted_meeting',
  'staged_copy',
] as const;

const PLAINER: readonly AnyEdit[] = ['move occurrence', 'answer', 'rename', 'book'];
const nothing = (): void => undefined;
const wishOf = (wish: 'changes' | 'full' | 'reconcile') => (wish === 'changes' ? {} : { [wish]: true });

function outcome(report: SyncReport | null): string {
  if (report === null) return 'no such calendar';
  if (report.failure !== null) return `${report.failure.kind} ${report.failure.code}`;
  if (report.applied?.applied === false) return 'overtaken';
  return `${report.kind}, ${report.applied?.differing ?? 0} rows`;
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, rank: random.next() }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ value }) => value);
}
