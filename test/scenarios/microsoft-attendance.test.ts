import { sql } from 'kysely';
import PQueue from 'p-queue';
import { afterEach, expect, test } from 'vitest';
import { attend, cancelMeeting } from '../../src/sandbox/world/index.ts';
import { createEvidenceStore } from '../../src/store/evidence.ts';
import { createVerdictStore } from '../../src/store/verdict-store.ts';
import { collectEvidence } from '../../src/usecases/collect-evidence.ts';
import { judgeSessions } from '../../src/usecases/judge-sessions.ts';
import { ADA, BO, DAY, FAY, HOUR, type MicrosoftStage, openMicrosoftStage } from './microsoft-stage.ts';

/** Teams' attendance, from the meeting's end to the verdict. */

let stage: MicrosoftStage;
afterEach(() => stage.close());

async function harvest() {
  const { db, now, log, microsoft } = stage;
  const clock = { now };
  const sources = [microsoft.evidence];
  const queue = new PQueue({ concurrency: 2 });
  await collectEvidence(
    { store: createEvidenceStore(db), clock, log, sources, queue },
    new AbortController().signal,
  );
  await judgeSessions({ store: createVerdictStore(db), clock, log });
}
/** When something falls due after a meeting has ended, in hours from `start`. */
const LATER_HOURS = [0.25, 0.5, 1, 3, 3.5, 12, 12.5, 36, 36.5, 48.5, 72];
/** Lives through three days after an end: reads the calendars, asks Teams and judges whenever anything falls due. */
async function liveOn(end: string): Promise<void> {
  for (const hours of LATER_HOURS) {
    await stage.advance(Math.max(0, Date.parse(end) + hours * HOUR - stage.world.now()));
    await stage.syncAll(ADA, BO, FAY);
    await harvest();
  }
}
const outcomes = () =>
  stage.rows(sql<{ outcome: string | null; reason: string | null; settled: boolean }>`
    select outcome, outcome_reason as reason, settled_at <= cadenced.now() as settled
      from mentoring.session order by scheduled_start`);
const minutesOf = async (address: string) =>
  (
    await stage.rows(sql<{ minutes: number | null }>`
      select minutes::float as minutes from mentoring.attendance join mentoring.session using (session_id)
       where email = ${address} order by scheduled_start`)
  ).map(({ minutes }) => minutes);

test('13 410 for the cursor when a session is over and was taken off the calendar: what was recorded of it is kept', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single({ start: '2026-03-10T11:00', conference: 'teams' });
  stage.single({ start: '2026-03-20T11:00', conference: 'teams' });
  await stage.syncAll();
  await stage.advance(3 * HOUR);
  const whole: [number, number][] = [[0, 45]];
  attend(stage.world, {
    meeting: single.id,
    people: [ADA, BO].map((person) => ({ person, minutes: whole })),
  });
  await liveOn('2026-03-10T10:45:00Z');
  const recorded = async () => [
    await outcomes(),
    await minutesOf(ADA),
    await minutesOf(BO),
    await stage.rows(sql`select * from cadenced.evidence order by evidence_id`),
  ];
  const before = await recorded();
  expect(before[1]).toEqual([45, null]);
  stage.world.expireTokens();
  cancelMeeting(stage.world, { meeting: single.id });
  for (const address of [ADA, BO]) {
    expect(await stage.sync(address)).toMatchObject({ complete: true, kind: 'full' });
  }
  await harvest();
  expect(await recorded()).toEqual(before);
  expect(await stage.events('session.cancelled')).toEqual([]);
  expect(stage.fullPasses.filter((reason) => reason === 'cursor_lost')).toHaveLength(2);
});

test('41 no report at first, then one and a rejoin: one session, the intervals united, devices counted once', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single({ start: '2026-03-10T11:00', conference: 'teams' });
  await stage.syncAll();
  await stage.advance(3 * HOUR);
  attend(stage.world, {
    meeting: single.id,
    people: [
      {
        person: ADA,
        minutes: [
          [0, 40],
          [44, 47],
        ],
      },
      { person: BO, minutes: [[2, 30]] },
      { person: BO, minutes: [[20, 40]], device: 'phone' },
      { anonymous: 'Somebody', minutes: [[5, 6]] },
    ],
  });
  stage.world.habits.teamsLagMs = HOUR;
  // Fifteen minutes after the end the reports are not there yet.
  await harvest();
  expect(await stage.rows(sql`select last_answer as answer from cadenced.harvest`)).toEqual([
    { answer: 'nothing' },
  ]);
  await liveOn('2026-03-10T10:45:00Z');
  expect(await outcomes()).toEqual([{ outcome: 'held', reason: 'both_present', settled: true }]);
  expect(await minutesOf(ADA)).toEqual([43]);
  expect(await minutesOf(BO)).toEqual([38]);
  const reports = await stage.rows(
    sql`select distinct reference from cadenced.evidence where source = 'teams'`,
  );
  expect(reports.length).toBeGreaterThanOrEqual(2);
});

test('41 weekly occurrences behind one link: each report to its own date, none lost though only ten are kept', async () => {
  stage = await openMicrosoftStage();
  const series = stage.weekly({ start: '2026-03-10T11:00', rule: 'FREQ=WEEKLY;COUNT=13' });
  await stage.syncAll();
  for (let week = 0; week < 13; week += 1) {
    const slot = stage.world.occurrences(series.id)[week];
    if (!slot) throw new Error('the series is too short');
    while (stage.world.now() < slot.end + HOUR)
      await stage.advance(Math.min(DAY, slot.end + HOUR - stage.world.now()));
    attend(stage.world, {
      meeting: series.id,
      slot: slot.slot,
      people: [
        { person: ADA, minutes: [[0, 30 + week]] },
        { person: BO, minutes: [[0, 30 + week]] },
      ],
    });
    await harvest();
    await stage.advance(14 * HOUR);
    await harvest();
  }
  expect(await minutesOf(BO)).toEqual(Array.from({ length: 13 }, (_, week) => 30 + week));
});

test('41 somebody who opted out of reports was there without being listed: nobody is absent', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single({ start: '2026-03-10T11:00', conference: 'teams' });
  await stage.syncAll();
  await stage.advance(3 * HOUR);
  attend(stage.world, {
    meeting: single.id,
    people: [
      { person: ADA, minutes: [[0, 45]] },
      { person: BO, minutes: [[0, 45]], unlisted: true },
    ],
  });
  await liveOn('2026-03-10T10:45:00Z');
  expect(await outcomes()).toEqual([{ outcome: 'unknown', reason: 'no_record', settled: true }]);
  expect(await minutesOf(ADA)).toEqual([45]);
});

test('41 no policy, and no report ever: unknown, with the reason, and never an absence', async () => {
  stage = await openMicrosoftStage();
  stage.single({ start: '2026-03-10T11:00', conference: 'teams' });
  stage.single({ start: '2026-03-10T13:00', conference: 'teams', organizer: FAY, guests: [ADA] });
  await stage.syncAll(ADA, BO, FAY);
  stage.sandbox.habits.attendanceDenied.add(stage.people.ada.id);
  await liveOn('2026-03-10T13:00:00Z');
  expect(await outcomes()).toEqual([
    { outcome: 'unknown', reason: 'no_permission', settled: true },
    { outcome: 'unknown', reason: 'no_record', settled: true },
  ]);
  expect(await stage.rows(sql`select distinct status from mentoring.attendance order by 1`)).toEqual([
    { status: 'unknown' },
  ]);
  // Reading the calendar is another matter.
  expect(await stage.sync()).toMatchObject({ complete: true });
});

test('41 the policy that lets us ask comes two days late: unknown until then, and held from what Teams still keeps', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single({ start: '2026-03-10T11:00', conference: 'teams' });
  await stage.syncAll();
  stage.sandbox.habits.attendanceDenied.add(stage.people.ada.id);
  stage.world.clock.set('2026-03-10T10:00:00Z');
  const people = [ADA, BO].map((person) => ({ person, minutes: [[0, 40]] as [number, number][] }));
  attend(stage.world, { meeting: single.id, people });
  await liveOn('2026-03-10T10:45:00Z');
  expect(await outcomes()).toEqual([{ outcome: 'unknown', reason: 'no_permission', settled: true }]);
  stage.sandbox.habits.attendanceDenied.clear();
  await stage.advance(DAY);
  await harvest();
  expect(await outcomes()).toEqual([{ outcome: 'held', reason: 'both_present', settled: true }]);
});

test('42 a join URL that holds escapes and quotes of its own goes from the entry into the question byte by byte', async () => {
  stage = await openMicrosoftStage();
  const single = stage.single({ start: '2026-03-10T11:00', conference: 'teams' });
  if (single.conference?.kind !== 'teams') throw new Error('no conference');
  single.conference.joinUrl = `${single.conference.joinUrl}&tenant=a%20b&x='quoted'#at?&@(1).`;
  const { joinUrl } = single.conference;
  await stage.syncAll();
  stage.world.clock.set('2026-03-10T10:00:00Z');
  const people = [ADA, BO].map((person) => ({ person, minutes: [[0, 30]] as [number, number][] }));
  attend(stage.world, { meeting: single.id, people });
  await stage.advance(4 * HOUR);
  await harvest();
  expect(await minutesOf(BO)).toEqual([30]);
  const filter = stage.faults.log.entries().find(({ path }) => path.endsWith('/onlineMeetings'))
    ?.query.$filter;
  expect(filter).toEqual([`JoinWebUrl eq '${joinUrl.replaceAll("'", "''")}'`]);
});
