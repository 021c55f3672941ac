import { sql } from 'kysely';
import PQueue from 'p-queue';
import { buildProviders, syncDeps } from '../../src/compose.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { syncCalendar } from '../../src/usecases/sync-calendar.ts';
import { asPeopleRunIt } from './as-people-run-it.ts';
import { median, openBench, serveMicrosoft } from './microsoft-served.ts';

/**
 * What mailboxes cost: how much memory the first sync of a thousand of them takes, and what a poll costs that finds
 * nothing new, in requests and in processor time of our own.
 *
 *   node test/bench/microsoft-poll.ts [mailboxes]
 */
const POLLS = 300;
const ROUNDS = 5;
const SYNCS_AT_ONCE = 6;

async function bench(mailboxes: number): Promise<void> {
  const stand = await openBench(import.meta.filename, mailboxes / 2);
  const { workshop } = stand;
  try {
    const deps = syncDeps(workshop, buildProviders(workshop.settings, workshop.clock, silentLog()));
    const { rows } = await sql<{ id: number }>`
      select calendar_id as id from cadenced.calendar order by calendar_id`.execute(workshop.db);
    const signal = new AbortController().signal;
    const sync = async (calendarId: number) => {
      const report = await syncCalendar(deps, calendarId, {}, signal);
      if (!report?.complete) throw new Error(`a sync was not complete: ${report?.failure?.message}`);
    };
    const begun = performance.now();
    const queue = new PQueue({ concurrency: SYNCS_AT_ONCE });
    await Promise.all(rows.map(({ id }) => queue.add(() => sync(id))));
    const first = performance.now() - begun;
    const highest = process.resourceUsage().maxRSS * 1024;
    const sessions = await sql<{ count: number }>`
      select count(*)::int as count from cadenced.session`.execute(workshop.db);

    const before = await stand.requests();
    const cost: number[] = [];
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const cpu = process.cpuUsage();
      const start = performance.now();
      for (let poll = 0; poll < POLLS; poll += 1) await sync(rows[poll % rows.length]?.id ?? 0);
      const { user, system } = process.cpuUsage(cpu);
      cost.push((user + system) / 1_000 / POLLS);
      times.push((performance.now() - start) / POLLS);
    }
    const atRest = process.memoryUsage.rss();
    const requests = ((await stand.requests()) - before) / (POLLS * ROUNDS);
    process.stdout.write(
      `${rows.length} mailboxes, ${sessions.rows[0]?.count} sessions, read in ${(first / 1000).toFixed(1)} s: ` +
        `${megabytes(highest)} MB resident at most, ${megabytes(atRest)} after the polls (target 250)\n` +
        `a poll that finds nothing: ${requests.toFixed(2)} requests (target 1), ` +
        `${median(cost).toFixed(2)} ms of processor time (target 5), ${median(times).toFixed(1)} ms in all\n`,
    );
  } finally {
    await stand.close();
  }
}

const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);

asPeopleRunIt(import.meta.filename);
if (process.argv[2] === 'serve') await serveMicrosoft(Number(process.argv[3]));
else await bench(Number(process.argv[2] ?? 1_000));
