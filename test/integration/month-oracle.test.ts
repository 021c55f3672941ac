import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runs } from '../support/properties.ts';
import {
  factsOf,
  feedbackRow,
  invitationsOf,
  mailsOf,
  monthRow,
  participantRow,
  type Row,
  reminderRow,
} from './month-recount.ts';
import { type MonthWorld, type Pair, seedPairs, worlds, writeWorld } from './month-world.ts';
import { createSeededWorld, type SeededWorld } from './seeded-world.ts';

/* Every number of the monthly views and of those about people, against a recount from the definitions. */

let world: SeededWorld;
let client: pg.Client;
let pairs: Pair[];
beforeAll(async () => {
  world = await createSeededWorld({ now: '2026-05-01T12:00' });
  pairs = await seedPairs(world);
  client = new pg.Client({ connectionString: world.url });
  await client.connect();
  await client.query('set jit = off');
});
afterAll(async () => {
  await client.end();
  await world.close();
});

const VIEWS: Readonly<Record<string, readonly string[]>> = {
  program_month: ['program', 'month'],
  mentorship_month: ['program', 'mentorship', 'month'],
  mentor_month: ['program', 'participant_id', 'month'],
  participant_month: ['program', 'participant_id', 'role', 'month'],
  participant_attendance: ['program', 'participant_id', 'role'],
  role_month: ['program', 'role', 'month'],
  feedback_month: ['program', 'month'],
  reminder_outcome: ['program', 'month', 'kind'],
};
type Table = Map<string, Row>;

function expected(given: MonthWorld): Record<string, Table> {
  const facts = factsOf(given, pairs);
  const invitations = invitationsOf(facts);
  const grouped = <T>(all: readonly T[], key: (one: T) => string, row: (those: readonly T[]) => Row): Table =>
    new Map([...Map.groupBy(all, key)].map(([at, those]) => [at, row(those)]));
  const ofMonth = ({ pair, month }: (typeof facts)[number]) => `${pair.program} ${month}`;
  const reminded = Map.groupBy(invitations, (one) => `${ofMonth(one)} reminder`);
  return {
    program_month: grouped(facts, ofMonth, monthRow),
    mentorship_month: grouped(facts, ({ pair, month }) => `${pair.program} ${pair.key} ${month}`, monthRow),
    mentor_month: grouped(
      invitations.filter(({ member }) => member.role === 'mentor'),
      ({ pair, member, month }) => `${pair.program} ${member.personId} ${month}`,
      monthRow,
    ),
    participant_month: grouped(
      invitations,
      ({ pair, member, month }) => `${pair.program} ${member.personId} ${member.role} ${month}`,
      participantRow,
    ),
    participant_attendance: grouped(
      invitations,
      ({ pair, member }) => `${pair.program} ${member.personId} ${member.role}`,
      participantRow,
    ),
    role_month: grouped(
      invitations,
      ({ pair, member, month }) => `${pair.program} ${member.role} ${month}`,
      (those) => {
        const { hours: _, ...row } = participantRow(those);
        return { ...row, people: new Set(those.map(({ member }) => member.personId)).size };
      },
    ),
    feedback_month: grouped(facts, ofMonth, feedbackRow),
    reminder_outcome: new Map(
      [...Map.groupBy(mailsOf(given, pairs), ({ key }) => key)].map(([key, mails]) => [
        key,
        reminderRow(mails, reminded.get(key) ?? []),
      ]),
    ),
  };
}

async function shown(view: string, keys: readonly string[]): Promise<Table> {
  const { rows } = await client.query<Record<string, unknown>>(
    `select *${keys.includes('month') ? ', month::text as month' : ''} from mentoring.${view}`,
  );
  return new Map(
    rows.map((row) => [
      keys.map((key) => String(row[key])).join(' '),
      Object.fromEntries(
        Object.entries(row)
          .filter(
            ([name, value]) =>
              (!keys.includes(name) &&
                !['name', 'email'].includes(name) &&
                !/_reasons$/.test(name) &&
                typeof value !== 'object') ||
              value === null,
          )
          .map(([name, value]) => [name, value === null ? null : Number(value)]),
      ),
    ]),
  );
}

/** How far a rounded column may lie from the unrounded number: half of its last place, a tie falling either way. */
function tolerance(column: string): number {
  if (/_rate|coverage|attended_after/.test(column)) return 0.000_051;
  if (/hours|avg_moves|avg_rating/.test(column)) return 0.005_1;
  return /days|_min$/.test(column) ? 0.051 : 0;
}

function differences(view: string, is: Table, ought: Table): string[] {
  const keys = new Set([...is.keys(), ...ought.keys()]);
  return [...keys].flatMap((key) => {
    const [a, b] = [is.get(key), ought.get(key)];
    if (!a || !b) return [`${view} ${key}: ${a ? 'shown' : 'not shown'}`];
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((column) => {
      const [left, right] = [a[column], b[column]];
      const same =
        left === right ||
        (typeof left === 'number' &&
          typeof right === 'number' &&
          Math.abs(left - right) <= tolerance(column));
      return same ? [] : [`${view} ${key} ${column}: ${String(left)} instead of ${String(right)}`];
    });
  });
}

describe('the metrics of sessions, people and months', () => {
  it('are what a recount from their definitions gives, in every column', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (given) => {
        await client.query('begin');
        try {
          await writeWorld(client, given, pairs);
          const ought = expected(given);
          for (const [view, keys] of Object.entries(VIEWS)) {
            expect(differences(view, await shown(view, keys), ought[view] ?? new Map())).toEqual([]);
          }
        } finally {
          await client.query('rollback');
        }
      }),
      { numRuns: runs(40), endOnFailure: true },
    );
  });
});
