import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { beginStory, openStage, type Pushed, playStep, type Stage } from '../../src/cli/sandbox-stage.ts';
import { createLog } from '../../src/runtime/log.ts';
import { dumpTables } from '../support/dump.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/**
 * The whole daemon over real wire protocols, from a tagged calendar event to attendance, mail, alert and webhook.
 * What must come out was worked out by the sandbox from its own truth, by the written rules alone.
 */
const SEEDS = [1, 4];

describe.each(SEEDS)('the story of seed %i', (seed) => {
  let database: TestDatabase;
  let stage: Stage;
  const ends: Array<() => Promise<unknown>> = [];
  const complaints: string[] = [];
  let webhooksAtStart = 0;
  const pushed: Pushed[] = [];

  beforeAll(async () => {
    expect(inject('postgres').url).toBeTruthy();
    database = await createTestDatabase();
    const log = createLog({
      format: 'json',
      level: 'error',
      destination: { write: (line) => complaints.push(line) },
    });
    stage = await openStage({
      seed,
      databaseUrl: database.url,
      log,
      atEnd: (_, stop) => ends.push(stop),
    });
    await beginStory(stage);
    webhooksAtStart = stage.receiver.received().length;
    for (const step of stage.scenario.steps) pushed.push(await playStep(stage, step));
  }, 180_000);

  afterAll(async () => {
    for (const stop of ends.toReversed()) await stop();
    await database.drop();
  });

  test('nothing went wrong on the way', () => {
    expect(complaints).toEqual([]);
  });

  test('both providers tell of every calendar, and what changed was read before anybody polled', async () => {
    const { rows } = await sql<{ provider: string; push: string | null }>`
      select distinct provider, push from mentoring.sync_health where state = 'active' order by provider`.execute(
      stage.workshop.db,
    );
    expect(rows).toEqual([
      { provider: 'google', push: 'verified' },
      { provider: 'microsoft', push: 'verified' },
    ]);
    const told = pushed.filter(({ google, microsoft }) => google + microsoft > 0);
    // At Google an answer, a booking, a move and a split; in Outlook a session called off. The answer is no event.
    expect(told.map(({ google, microsoft }) => [google, microsoft])).toEqual(
      expect.arrayContaining([
        [2, 0],
        [0, 2],
      ]),
    );
    expect(told.map(({ events }) => events).toSorted((one, other) => one - other)).toEqual([0, 1, 1, 1, 3]);
  });

  test('every session is there once, where it was held or not, with its verdict', async () => {
    const { rows } = await sql<{ session: object }>`
      select jsonb_build_object('mentorship', mentorship, 'start', scheduled_start, 'end', scheduled_end,
               'status', status, 'outcome', outcome, 'reschedules', reschedules) as session
        from mentoring.session order by scheduled_start, mentorship`.execute(stage.workshop.db);
    const iso = (value: unknown) => new Date(String(value)).toISOString();
    const found = rows.map(({ session }) => {
      const { start, end, ...rest } = session as Record<string, unknown>;
      return { ...rest, start: iso(start), end: iso(end) };
    });
    const wanted = stage.scenario.expected.sessions.map((session) => ({
      mentorship: session.mentorship,
      status: session.status,
      // A session ahead that was called off is judged when its time has come.
      outcome: session.outcome,
      reschedules: session.reschedules,
      start: iso(session.scheduledStart),
      end: iso(session.scheduledEnd),
    }));
    const key = (one: { start: string; mentorship?: unknown }) => `${one.start} ${String(one.mentorship)}`;
    expect(found.toSorted((a, b) => key(a).localeCompare(key(b)))).toEqual(
      wanted.toSorted((a, b) => key(a).localeCompare(key(b))),
    );
  });

  test('reasons and attendance are those that the story leaves no doubt about', async () => {
    const { rows } = await sql<{ key: string; reason: string | null; people: Record<string, string | null> }>`
      select session.mentorship || ' ' || to_char(session.scheduled_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS".000Z"') as key,
             session.outcome_reason as reason,
             (select jsonb_object_agg(email, attendance.status) from mentoring.attendance
               where attendance.session_id = session.session_id) as people
        from mentoring.session`.execute(stage.workshop.db);
    const found = new Map(rows.map((row) => [row.key, row]));
    let compared = 0;
    for (const session of stage.scenario.expected.sessions) {
      const row = found.get(`${session.mentorship} ${new Date(session.scheduledStart).toISOString()}`);
      if (session.reason !== null) {
        expect({ ...session, reason: row?.reason }).toEqual(session);
        compared += 1;
      }
      for (const [address, status] of Object.entries(session.attendance)) {
        expect({ session: session.mentorship, address, status: row?.people[address] }).toEqual({
          session: session.mentorship,
          address,
          status,
        });
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });

  test('every mail that was due left once, to the right person', async () => {
    const { expected } = stage.scenario;
    const { rows } = await sql<{ kind: string; to_address: string }>`
      select kind, to_address from cadenced.mail where status = 'sent'`.execute(stage.workshop.db);
    const reminders = rows.filter((row) => row.kind === 'reminder');
    expect(countBy(reminders, (row) => row.to_address)).toEqual(expected.remindersTo);
    expect(
      rows
        .filter((row) => row.kind === 'cadence_alert')
        .map((row) => row.to_address)
        .toSorted(),
    ).toEqual(expected.alerts.flatMap((alert) => alert.tellsTo).toSorted());
    // What the relay took is what the daemon says it sent, no more and no less.
    const relayed = stage.sink.mails().flatMap((mail) => mail.envelope.to);
    expect(relayed.toSorted()).toEqual(rows.map((row) => row.to_address).toSorted());
  });

  test('every reminder carries talking points', () => {
    const reminders = stage.sink.mails().filter((mail) => mail.kind === 'reminder');
    expect(reminders.length).toBeGreaterThan(0);
    for (const mail of reminders) expect(mail.text).toMatch(/talk/i);
  });

  test('other programs were told by signed webhooks, each fact once', async () => {
    const received = stage.receiver.received();
    expect(received.filter((webhook) => !webhook.verified)).toEqual([]);
    const type = (webhook: (typeof received)[number]) => (webhook.body as { type: string }).type;
    expect(countBy(received.slice(webhooksAtStart), type)).toEqual(stage.scenario.expected.webhooks);
    const ids = received.map((webhook) => webhook.id);
    expect(new Set(ids).size).toBe(ids.length);
    const { rows } = await sql<{ undelivered: number }>`
      select count(*)::int as undelivered from mentoring.webhook_delivery where status <> 'delivered'`.execute(
      stage.workshop.db,
    );
    expect(rows).toEqual([{ undelivered: 0 }]);
  });

  // The names in the questions are those of the first seed.
  if (seed === SEEDS[0]) {
    test('every question of sql/README.md has an answer here, as it stands there', async () => {
      const text = readFileSync(new URL('../../sql/README.md', import.meta.url), 'utf8');
      const questions = [...text.matchAll(/```sql\n([\s\S]*?)```/g)]
        .map((match) => match[1] ?? '')
        .filter((query) => /^(?:--.*\n)*(?:select(?! mentoring\.)|with)/.test(query));
      expect(questions.length).toBeGreaterThan(30);
      const unanswered: string[] = [];
      await stage.workshop.db.transaction().execute(async (trx) => {
        await sql`set local role mentoring_reader`.execute(trx);
        for (const question of questions) {
          const { rows } = await sql.raw(question).execute(trx);
          if (rows.length === 0) unanswered.push(/from (mentoring\.\w+)/.exec(question)?.[1] ?? question);
        }
      });
      // Untagged meetings are not looked for, nobody waits for a mentorship, and nobody paused.
      expect(unanswered).toEqual([
        'mentoring.candidate_event',
        'mentoring.enrolment',
        'mentoring.pause_history',
      ]);
    });
  }

  test('mentorships stand where they stand, and who was told what is on record', async () => {
    const { expected } = stage.scenario;
    const { rows: states } = await sql<{ mentorship: string; state: string; at_risk: boolean }>`
      select mentorship, state, at_risk from mentoring.cadence order by mentorship`.execute(
      stage.workshop.db,
    );
    expect(states).toEqual(
      expected.cadence
        .map((one) => ({ mentorship: one.mentorship, state: one.atEnd, at_risk: one.atRisk }))
        .toSorted((a, b) => (a.mentorship < b.mentorship ? -1 : 1)),
    );
    const { rows: alerts } = await sql<{ mentorship: string; baselined: boolean }>`
      select mentorship, baselined from mentoring.alert where kind = 'violated' and resolved_at is null
       order by mentorship`.execute(stage.workshop.db);
    expect(alerts).toEqual(
      expected.alerts
        .map(({ mentorship, baselined }) => ({ mentorship, baselined }))
        .toSorted((a, b) => (a.mentorship < b.mentorship ? -1 : 1)),
    );
  });

  test('calendars are as their providers left them, and what matched nothing is listed', async () => {
    const { expected } = stage.scenario;
    const { rows } = await sql<{ calendar: string; state: string }>`
      select calendar, state from mentoring.sync_health order by calendar`.execute(stage.workshop.db);
    const inState = (state: string) => rows.filter((row) => row.state === state).map((row) => row.calendar);
    expect({ active: inState('active'), denied: inState('denied') }).toEqual(expected.calendars);
    const { rows: unmatched } = await sql<{ events: number }>`
      select count(*)::int as events from mentoring.unmatched_event`.execute(stage.workshop.db);
    expect(unmatched).toEqual([{ events: expected.unmatched }]);
  });

  test('a second run of every sync, in full and as a reconcile, writes nothing', async () => {
    const { db } = stage.workshop;
    const before = await dumpTables(db);
    for (const how of ['changes', 'full', 'reconcile']) {
      await sql`
        update cadenced.calendar set next_poll_at = now(), full_pass_wanted = ${how === 'full'},
               reconcile_wanted = ${how === 'reconcile'} where state = 'active'`.execute(db);
      await stage.daemon.dispatcher.settled();
      expect(await dumpTables(db)).toEqual(before);
    }
    const { rows } = await sql<{ drifted: number; reconciled: number }>`
      select (count(*) filter (where drift > 0))::int as drifted, (count(*) filter (where drift = 0))::int as reconciled
        from mentoring.sync_health where state = 'active'`.execute(db);
    expect(rows).toEqual([{ drifted: 0, reconciled: stage.scenario.expected.calendars.active.length }]);
  });
});

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts;
}
