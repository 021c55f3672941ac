import { DAY, HOUR, Memory, NOW, SIGHT, weekly } from '../domain/planning-builders.ts';

/**
 * How planning grows with what a calendar holds: eight times the rows should take about eight times as long.
 *
 *   node test/bench/planning.ts
 */
const TUESDAY = Date.UTC(2026, 10, 10, 9);

function timed(lineages: number): { first: number; again: number } {
  const copies = Array.from({ length: lineages }, (_, at) =>
    weekly(`m${at}`, TUESDAY - 14 * DAY, 20, { lineage: `l${at}`, updatedAt: NOW - HOUR }),
  ).flat();
  const memory = new Memory();
  const input = { copies, complete: SIGHT };
  const begin = performance.now();
  const plan = memory.plan(input);
  const first = performance.now() - begin;
  // Ids without the search that the store in memory does for each.
  let id = 0;
  memory.occurrences = plan.changes.map(({ after }) => ({
    ...after,
    occurrenceId: ++id,
    copies: after.copies.map((copy) => ({ ...copy, copyId: ++id })),
    sessions: after.sessions.map((session) => ({ ...session, sessionId: ++id })),
  }));
  const resumed = performance.now();
  if (memory.plan(input).changes.length > 0) throw new Error('planning again had something to do');
  return { first, again: performance.now() - resumed };
}

timed(25);
const sizes = [50, 400].map((lineages) => ({ lineages, ...timed(lineages) }));
for (const { lineages, first, again } of sizes) {
  process.stdout.write(`${lineages * 20} rows: first ${first.toFixed(0)} ms, again ${again.toFixed(0)} ms\n`);
}
const [few, many] = sizes;
if (few && many)
  process.stdout.write(`eight times the rows take ${(many.again / few.again).toFixed(1)} times as long\n`);
