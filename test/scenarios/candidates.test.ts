import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addTag, cancelMeeting, moveMeeting, removeTag } from '../../src/sandbox/world/index.ts';
import { parsePolicy } from '../../src/settings/policy-file.ts';
import { writePrograms } from '../../src/store/programs.ts';
import { ADA, BO, DANA, DAY, type MicrosoftStage, openMicrosoftStage } from './microsoft-stage.ts';

/** Untagged events over the real wire: Ada and Bo keep Outlook calendars, Dana one at Google. */

let stage: MicrosoftStage;
beforeEach(async () => {
  stage = await openMicrosoftStage({ google: true });
  const asking = parsePolicy(
    `programs:
  - name: Pathways
    time_zone: Europe/Berlin
    live_from: 2026-01-01
    tags: ["#mentoring", {category: Mentoring}]
    cadence: { every: P14D }
    candidates: true
`,
    'the scenario',
  );
  if (!asking.ok) throw new Error(JSON.stringify(asking));
  await writePrograms(stage.db, asking.policy.programs, null, stage.now().toJSDate());
});
afterEach(() => stage.close());

const listed = async () =>
  (
    await stage.rows(sql<{ what: string }>`
      select mentorship || ' ' || to_char(starts_at at time zone 'utc', 'MM-DD"T"HH24:MI') as what
        from mentoring.candidate_event order by starts_at, mentorship`)
  ).map((row) => row.what);

describe('candidates', () => {
  test('of Outlook and Google are listed once, move, and go when they are tagged or called off', async () => {
    const bo = stage.single({ title: 'Coffee' });
    const dana = stage.single({ title: 'Lunch', guests: [DANA], start: '2026-03-23T12:00' });
    stage.single({ title: 'Private', start: '2026-03-24T12:00', visibility: 'private' });
    await stage.syncAll(ADA, BO, DANA);
    expect(await listed()).toEqual(['Ada & bo 03-20T13:00', 'Ada & dana 03-23T11:00']);
    expect(await stage.occurrences()).toBe(0);

    moveMeeting(stage.world, { meeting: bo.id, start: '2026-03-21T14:00' });
    addTag(stage.world, { meeting: dana.id, tag: '#mentoring' });
    await stage.syncAll(ADA, BO, DANA);
    await stage.syncAll(ADA, BO, DANA);
    expect(await listed()).toEqual(['Ada & bo 03-21T13:00']);
    expect(await stage.booked('Ada & dana')).toHaveLength(1);

    removeTag(stage.world, { meeting: dana.id, tag: '#mentoring' });
    cancelMeeting(stage.world, { meeting: bo.id });
    await stage.syncAll(ADA, BO, DANA);
    await stage.syncAll(ADA, BO, DANA);
    expect(await listed()).toEqual(['Ada & dana 03-23T11:00']);
    expect(await stage.booked('Ada & dana')).toEqual([]);
  });

  test('of an endless series are those of the window, found by the daily comparison', async () => {
    stage.weekly({ title: 'Coffee', rule: 'FREQ=WEEKLY' });
    await stage.sync(ADA, { reconcile: true });
    await stage.sync(ADA, { reconcile: true });
    const ahead = await listed();
    expect(ahead[0]).toBe('Ada & bo 03-17T09:00');
    expect(ahead.length).toBeGreaterThan(14);
    expect(ahead.length).toBeLessThan(19);
    await stage.advance(DAY);
    await stage.sync(BO, { reconcile: true });
    expect(await listed()).toEqual(expect.arrayContaining(ahead));
    expect(await stage.occurrences()).toBe(0);
  });
});
