import { sql } from 'kysely';
import { afterEach, describe, expect, test } from 'vitest';
import { PROJECT_SHARE } from '../../src/providers/google/client.ts';
import {
  addTag,
  attend,
  cancelMeeting,
  cancelOccurrence,
  convertSeriesToSingle,
  convertSingleToSeries,
  createMeeting,
  detachOccurrence,
  editMeeting,
  type MeetingInput,
  moveMeeting,
  moveOccurrence,
  removeTag,
  respond,
  setPersonState,
  splitSeries,
} from '../../src/sandbox/world/index.ts';
import { ADA, BO, DAY, type GoogleStage, HOUR, openGoogleStage } from './google-stage.ts';

let stage: GoogleStage;
afterEach(() => stage.close());

const book = (given: Partial<MeetingInput> = {}) =>
  createMeeting(stage.world, {
    organizer: ADA,
    guests: [BO],
    title: 'Talk #mentoring',
    start: '2026-09-15T10:00',
    minutes: 60,
    ...given,
  });
const weekly = (given: Partial<MeetingInput> = {}) =>
  book({ rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=6', ...given });

interface Row {
  readonly id: number;
  readonly start: string;
  readonly status: string;
  readonly reschedules: number;
}
const sessions = () =>
  stage.rows(sql<Row>`
    select session_id as id, to_char(scheduled_start at time zone 'UTC', 'MM-DD HH24:MI') as start, status, reschedules
      from mentoring.session order by scheduled_start, session_id`);
const events = (type: string) =>
  stage.rows(sql<{ subject: string }>`select subject from mentoring.outbound_event where type = ${type}`);
const starts = (rows: readonly Row[], status = 'scheduled') =>
  rows.filter((row) => row.status === status).map((row) => row.start);
const TUESDAYS = ['09-15', '09-22', '09-29', '10-06', '10-13', '10-20'];
const at = (days: readonly string[], time: string) => days.map((day) => `${day} ${time}`);
const listsOf = (address: string) =>
  stage.faults.log
    .entries()
    .filter(
      (entry) =>
        entry.mailbox === address && entry.path.endsWith('/primary/events') && entry.method === 'GET',
    );
const cursors = () =>
  stage.rows(sql<{ cursor: string | null }>`select cursor from cadenced.calendar order by calendar_id`);

describe('tokens and pages', () => {
  test('1., 3. and 4. Three-page full sync with an empty middle page, then an incremental one: what is sent, and when the token moves', async () => {
    stage = await openGoogleStage({ habits: { maxPage: 2 } });
    book();
    book({ title: 'Second #mentoring', start: '2026-09-16T10:00' });
    book({ title: 'Third #mentoring', start: '2026-09-17T10:00' });
    await sql`update cadenced.calendar set full_pass_wanted = true`.execute(stage.workshop.db);
    stage.faults.add({ path: 'pageToken=', mailbox: ADA, times: 1, fault: { kind: 'empty_page' } });
    stage.faults.log.clear();
    await stage.pollDue();
    // The first three: a poll that fell due by itself meanwhile may have begun another.
    const full = listsOf(ADA)
      .filter(({ query }) => query.syncToken === undefined && query.iCalUID === undefined)
      .slice(0, 3);
    expect(full.map(({ query }) => query.pageToken !== undefined)).toEqual([false, true, true]);
    for (const entry of full) {
      expect(entry.query).toMatchObject({
        singleEvents: ['false'],
        showDeleted: ['true'],
        maxResults: ['2500'],
      });
      expect(entry.query.syncToken).toBeUndefined();
      expect(entry.quotaUser).toMatch(/^[0-9a-f]{40}$/);
    }
    expect(await sessions()).toHaveLength(3);
    stage.faults.log.clear();
    for (const day of [21, 22, 23]) book({ start: `2026-09-${day}T10:00` });
    await stage.pollDue();
    const forbidden = [
      'iCalUID',
      'orderBy',
      'privateExtendedProperty',
      'q',
      'sharedExtendedProperty',
      'timeMin',
      'timeMax',
      'updatedMin',
    ];
    const [first, second] = listsOf(ADA).filter(({ query }) => query.syncToken !== undefined);
    expect(second?.query.syncToken).toEqual(first?.query.syncToken);
    expect(second?.query.pageToken).toBeDefined();
    for (const entry of listsOf(ADA).filter(({ query }) => query.syncToken !== undefined))
      expect(forbidden.filter((name) => name in entry.query)).toEqual([]);
    expect(stage.faults.log.entries().filter(({ status }) => status === 400)).toEqual([]);
    expect(await sessions()).toHaveLength(6);
  });

  test('2. Crash between pages: nothing is visible, the token stays, the next run brings everything once', async () => {
    stage = await openGoogleStage({ habits: { maxPage: 1 } });
    book();
    book({ start: '2026-09-16T10:00' });
    const before = await cursors();
    const rule = stage.faults.add({ path: 'pageToken=', fault: { kind: 'status', status: 501 } });
    await stage.pollDue();
    expect(await sessions()).toEqual([]);
    expect(await cursors()).toEqual(before);
    // The next run begins where the last whole one ended, not at the page that failed.
    stage.faults.remove(rule);
    stage.faults.log.clear();
    await stage.pollDue();
    const [again] = listsOf(ADA);
    expect(again?.query.syncToken).toEqual([before[0]?.cursor]);
    expect(again?.query.pageToken).toBeUndefined();
    expect(await sessions()).toHaveLength(2);
    expect(await cursors()).not.toEqual(before);
  }, 90_000);

  test('5. and 6. 410 at once and in the middle of paging: one full pass, past attendance and told events untouched', async () => {
    stage = await openGoogleStage({ habits: { maxPage: 2 } });
    const meeting = weekly({ conference: 'meet' });
    await stage.pollDue();
    await stage.advance(9 * DAY);
    attend(stage.world, {
      meeting: meeting.id,
      slot: '2026-09-15T08:00:00Z',
      people: [
        { person: ADA, minutes: [[0, 55]] },
        { person: BO, minutes: [[0, 55]] },
      ],
    });
    for (const hours of [1, 6, 48]) {
      await stage.advance(hours * HOUR);
      await stage.settled();
    }
    const outcome = () =>
      stage.rows(sql`select session_id, outcome, settled_at from mentoring.session order by 1`);
    const told = () => stage.rows(sql`select count(*)::int as count from mentoring.outbound_event`);
    const before = [await outcome(), await told(), await sessions()];
    expect(before[0]).toContainEqual(expect.objectContaining({ outcome: 'held' }));
    stage.world.expireTokens();
    stage.faults.log.clear();
    await stage.pollDue();
    const refused = listsOf(ADA).filter(({ status }) => status === 410);
    expect(refused).toHaveLength(1);
    expect(
      listsOf(ADA).filter(({ query }) => query.syncToken === undefined && query.pageToken === undefined),
    ).toHaveLength(1);
    expect([await outcome(), await told(), await sessions()]).toEqual(before);
    // In the middle: the second page of a change is refused.
    for (const day of [24, 25, 26]) book({ title: 'No tag', start: `2026-09-${day}T10:00` });
    stage.faults.add({ path: 'pageToken=', mailbox: ADA, times: 1, fault: { kind: 'expired_cursor' } });
    await stage.pollDue();
    expect([await outcome(), await told(), await sessions()]).toEqual(before);
    // A refusal in the full pass as well does not loop.
    stage.world.expireTokens();
    stage.faults.log.clear();
    stage.faults.add({ path: 'syncToken=|timeMin=', mailbox: ADA, fault: { kind: 'status', status: 410 } });
    await stage.pollDue();
    expect(listsOf(ADA).length).toBeLessThanOrEqual(4);
    expect(await sessions()).toEqual(before[2]);
  });

  test('5. What a full pass after 410 no longer shows is called off once; what it shows is told of to nobody', async () => {
    stage = await openGoogleStage({ habits: { tombstonesKeptMs: 0 } });
    book();
    const going = book({ start: '2026-09-16T10:00' });
    book({ start: '2026-09-17T10:00' });
    await stage.pollDue();
    const before = [await events('session.scheduled'), await sessions()] as const;
    cancelMeeting(stage.world, { meeting: going.id });
    stage.world.expireTokens();
    await stage.advance(HOUR);
    await stage.pollDue();
    await stage.pollDue();
    expect(await events('session.scheduled')).toEqual(before[0]);
    expect(await events('session.cancelled')).toHaveLength(1);
    expect((await sessions()).map(({ id, status }) => [id, status])).toEqual(
      before[1].map(({ id, start }) => [id, start.startsWith('09-16') ? 'cancelled' : 'scheduled']),
    );
  });

  test('7. 410 storm: every calendar is read again in full, side by side within the bounds', async () => {
    // Google's figures and our share of them, smaller and faster, so that a storm of seconds comes up against them.
    const [smaller, faster] = [50, 12];
    stage = await openGoogleStage({
      pairs: 99,
      tuning: {
        google: {
          projectShare: {
            perMinute: (PROJECT_SHARE.perMinute / smaller) * faster,
            burst: PROJECT_SHARE.burst / smaller,
          },
        },
      },
    });
    stage.google.habits.perProjectPerMinute = 10_000 / smaller;
    stage.google.habits.quotaMinuteMs = 60_000 / faster;
    stage.world.expireTokens();
    stage.faults.log.clear();
    await stage.pollDue();
    const full = stage.faults.log
      .entries()
      .filter(({ url }) => url.includes('timeMin=') && url.includes('/primary/events'));
    expect(full).toHaveLength(200);
    expect(stage.faults.log.entries().filter(({ status }) => status === 403 || status === 429)).toEqual([]);
    expect(stage.faults.log.maxTogether('google')).toBeLessThanOrEqual(16);
    const spread = await stage.rows(sql<{ least: number; most: number; healthy: number }>`
      select min(extract(epoch from next_poll_at - read_at))::float8 as least,
             max(extract(epoch from next_poll_at - read_at))::float8 as most,
             (count(*) filter (where state = 'active' and failures = 0))::int as healthy
      from cadenced.calendar, lateral (
        select last_complete_pass_at - (select ahead_by from cadenced.clock) as read_at) as real`);
    expect(spread[0]?.healthy).toBe(200);
    // 40. Poll instants of many calendars are spread by a quarter either way.
    expect(spread[0]?.least).toBeGreaterThan(300 * 0.74);
    expect(spread[0]?.least).toBeLessThan(300 * 0.85);
    expect(spread[0]?.most).toBeGreaterThan(300 * 1.15);
    expect(spread[0]?.most).toBeLessThan(300 * 1.26);
  }, 120_000);
});

describe('refusals', () => {
  test.each([
    ['forbidden', 403, 'denied', 'forbidden'],
    ['notACalendarUser', 403, 'denied', 'not_a_calendar_user'],
    ['quotaExceeded', 403, 'throttled', 'quota_exhausted'],
    ['accessNotConfigured', 403, 'active', 'api_not_enabled'],
    ['insufficientPermissions', 403, 'active', 'scope_missing'],
  ])(
    '9. %s: no hot retry, a state of its own, nobody else is touched',
    async (reason, status, state, because) => {
      stage = await openGoogleStage();
      book();
      await stage.pollDue();
      const before = await sessions();
      stage.faults.add({ mailbox: ADA, path: '/primary/events', fault: { kind: 'status', status, reason } });
      stage.faults.log.clear();
      await stage.pollDue();
      // Once, or twice where a poll fell due by itself meanwhile; a retry would be four more.
      expect(listsOf(ADA).length).toBeLessThan(4);
      const calendars = await stage.rows(sql<{ calendar: string; state: string; reason: string | null }>`
      select calendar, state, reason from mentoring.sync_health order by calendar`);
      expect(calendars).toEqual([
        { calendar: ADA, state, reason: because },
        { calendar: BO, state: 'active', reason: null },
      ]);
      const alarms = [
        ...(await events('calendar.disconnected')),
        ...stage.logged.filter((line) => /no calendar of a provider|quota is used up/.test(line)),
      ];
      expect(alarms).toHaveLength(1);
      expect(await sessions()).toEqual(before);
    },
  );

  test('10. 404 once changes nothing; three times over an hour the calendar is gone, its sessions stay; 200 goes on with the old token', async () => {
    stage = await openGoogleStage();
    book();
    await stage.pollDue();
    const before = [await sessions(), await cursors()];
    const state = () => stage.rows(sql`select state from mentoring.sync_health where calendar = ${ADA}`);
    const rule = stage.faults.add({
      mailbox: ADA,
      path: '/primary/events',
      fault: { kind: 'status', status: 404, reason: 'notFound' },
    });
    await stage.pollDue();
    expect(await state()).toEqual([{ state: 'active' }]);
    for (let time = 0; time < 2; time += 1) {
      await sql`update cadenced.calendar set first_strike_at = first_strike_at - interval '61 minutes'`.execute(
        stage.workshop.db,
      );
      await stage.pollDue();
    }
    expect(await state()).toEqual([{ state: 'gone' }]);
    expect([await sessions(), await cursors()]).toEqual(before);
    expect(await stage.rows(sql`select 1 from mentoring.alert`)).toEqual([]);
    stage.faults.remove(rule);
    stage.faults.log.clear();
    await sql`update cadenced.calendar set next_probe_at = now(), next_poll_at = now()`.execute(
      stage.workshop.db,
    );
    await stage.settled();
    expect(await state()).toEqual([{ state: 'active' }]);
    expect(listsOf(ADA)[0]?.query.syncToken).toBeDefined();
  });
});

describe('credentials', () => {
  test('14. A missing delegation is told once for everybody; a person without an account is that person alone', async () => {
    stage = await openGoogleStage({ pairs: 4 });
    stage.google.revokeAccessTokens();
    const granted = [...stage.google.grantedScopes];
    stage.google.grantedScopes.clear();
    await stage.pollDue();
    await stage.pollDue();
    const told = stage.logged.filter((line) => line.includes('no calendar of a provider can be read'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('delegation_missing');
    const states = () =>
      stage.rows(sql<{ state: string; calendars: number }>`
        select state, count(*)::int as calendars from cadenced.calendar group by state order by state`);
    expect(await states()).toEqual([{ state: 'active', calendars: 10 }]);
    expect(await events('calendar.disconnected')).toEqual([]);

    for (const scope of granted) stage.google.grantedScopes.add(scope);
    setPersonState(stage.world, { person: BO, state: 'suspended' });
    stage.google.revokeAccessTokens();
    for (let time = 0; time < 3; time += 1) {
      await sql`update cadenced.calendar set first_strike_at = first_strike_at - interval '61 minutes'`.execute(
        stage.workshop.db,
      );
      await stage.pollDue();
    }
    expect(await states()).toEqual([
      { state: 'active', calendars: 9 },
      { state: 'gone', calendars: 1 },
    ]);
    expect(await events('calendar.disconnected')).toHaveLength(1);
  });

  test('15. and 16. Neither the key nor a token nor a channel secret is ever logged, whatever fails', async () => {
    stage = await openGoogleStage({ push: true, habits: { webhooks: 'accepted' } });
    await stage.pushed();
    for (const status of [400, 401, 403, 404, 429, 500]) {
      stage.faults.add({ path: '.', times: 2, fault: { kind: 'status', status, retryAfter: 0 } });
    }
    await stage.pollDue();
    stage.google.grantedScopes.clear();
    stage.google.revokeAccessTokens();
    await stage.pollDue();
    const log = stage.logged.join('\n');
    expect(log.length).toBeGreaterThan(200);
    expect(log).not.toContain('ya29.');
    expect(log).not.toContain('BEGIN PRIVATE KEY');
    expect(log).not.toContain(stage.google.serviceAccountKey.private_key.slice(40, 90));
    for (const { token } of stage.google.push.channels()) expect(log).not.toContain(token);
  }, 90_000);
});

describe('what an edit becomes', () => {
  test.each([
    ['17. Cancelled exception, full form', 0],
    ['18. Cancelled exception, sparse', 1],
  ])('%s: that slot only', async (_, sparseTombstones) => {
    stage = await openGoogleStage({ habits: { sparseTombstones } });
    const meeting = weekly();
    await stage.pollDue();
    cancelOccurrence(stage.world, { meeting: meeting.id, slot: '2026-09-22T08:00:00Z' });
    await stage.pollDue();
    const rows = await sessions();
    expect(starts(rows, 'cancelled')).toEqual(['09-22 08:00']);
    expect(starts(rows)).toEqual(
      at(
        TUESDAYS.filter((day) => day !== '09-22'),
        '08:00',
      ),
    );
    expect(await events('session.cancelled')).toHaveLength(1);
  });

  test('19. Cancelled master: everything ahead once each, the past is kept', async () => {
    stage = await openGoogleStage();
    const meeting = weekly();
    await stage.pollDue();
    await stage.advance(10 * DAY);
    cancelMeeting(stage.world, { meeting: meeting.id });
    await stage.pollDue();
    await stage.pollDue();
    const rows = await sessions();
    expect(starts(rows, 'cancelled')).toEqual(at(TUESDAYS.slice(1), '08:00'));
    expect(starts(rows, 'ended')).toEqual(['09-15 08:00']);
    const told = await events('session.cancelled');
    expect(told).toHaveLength(5);
    expect(new Set(told.map(({ subject }) => subject)).size).toBe(5);
  });

  test('20. Moved instance: the same session at another time, its reminder with it', async () => {
    stage = await openGoogleStage();
    const meeting = weekly();
    await stage.pollDue();
    const before = await sessions();
    moveOccurrence(stage.world, {
      meeting: meeting.id,
      slot: '2026-09-15T08:00:00Z',
      start: '2026-09-16T13:00:00Z',
    });
    await stage.pollDue();
    const after = await sessions();
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(after[0]).toMatchObject({ start: '09-16 13:00', reschedules: 1, status: 'scheduled' });
    await stage.advance(7 * DAY);
    await stage.settled();
    const reminders = await stage.rows(sql<{ due: string; status: string }>`
      select distinct to_char(due_at at time zone 'UTC', 'MM-DD HH24:MI') as due, status
        from mentoring.reminder_log where session_id = ${after[0]?.id} and status <> 'suppressed'`);
    expect(reminders.map(({ due }) => due)).toEqual(['09-15 13:00']);
  });

  test.each([1, 2, 3, 4])(
    '21. This and following, in any order and across pages (seed %i): no duplicate, no gap',
    async (seed) => {
      stage = await openGoogleStage({ seed, habits: { maxPage: 1 } });
      const meeting = weekly();
      await stage.pollDue();
      const before = await sessions();
      splitSeries(stage.world, {
        meeting: meeting.id,
        slot: '2026-10-06T08:00:00Z',
        time: seed % 2 === 0 ? '11:00' : '10:00',
      });
      await stage.pollDue();
      const after = await sessions();
      expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
      const hour = seed % 2 === 0 ? '09:00' : '08:00';
      expect(starts(after)).toEqual([...at(TUESDAYS.slice(0, 3), '08:00'), ...at(TUESDAYS.slice(3), hour)]);
      expect(await events('session.cancelled')).toEqual([]);
      // One story: its count goes on, and nobody is said to have stopped meeting.
      expect(await stage.rows(sql`select distinct lineage from mentoring.session`)).toHaveLength(1);
      expect(await stage.rows(sql`select 1 from mentoring.alert`)).toEqual([]);
    },
  );

  test('22. Single to recurring and back: the first slot keeps its session', async () => {
    stage = await openGoogleStage();
    const meeting = book();
    await stage.pollDue();
    const [single] = await sessions();
    convertSingleToSeries(stage.world, { meeting: meeting.id, rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=3' });
    await stage.pollDue();
    const series = await sessions();
    expect(starts(series)).toEqual(at(TUESDAYS.slice(0, 3), '08:00'));
    expect(series[0]?.id).toBe(single?.id);
    convertSeriesToSingle(stage.world, { meeting: meeting.id, slot: '2026-09-15T08:00:00Z' });
    await stage.pollDue();
    const again = await sessions();
    expect(again.filter(({ status }) => status === 'scheduled').map(({ id }) => id)).toEqual([single?.id]);
  });

  test.each([
    ['as it stood', null, '09-22 08:00'],
    ['after it was moved', '2026-09-23T13:00:00Z', '09-23 13:00'],
  ])(
    '22. Instance to standalone, %s: it keeps its session, its place in the series stays empty',
    async (_, moved, start) => {
      stage = await openGoogleStage();
      const meeting = weekly({ rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=3' });
      const slot = '2026-09-22T08:00:00Z';
      if (moved !== null) moveOccurrence(stage.world, { meeting: meeting.id, slot, start: moved });
      await stage.pollDue();
      const before = await sessions();
      const told = await stage.rows(sql`select 1 from mentoring.outbound_event`);
      const own = detachOccurrence(stage.world, { meeting: meeting.id, slot });
      await stage.pollDue();
      expect(await sessions()).toEqual(before);
      for (const wish of ['full_pass_wanted', 'reconcile_wanted']) {
        await sql`update cadenced.calendar set ${sql.ref(wish)} = true`.execute(stage.workshop.db);
        await stage.pollDue();
        expect(await sessions()).toEqual(before);
      }
      expect(await stage.rows(sql`select 1 from mentoring.outbound_event`)).toEqual(told);
      // From now on each goes its own way.
      moveMeeting(stage.world, { meeting: own.id, start: '2026-09-24T10:00' });
      await stage.pollDue();
      const apart = await sessions();
      expect(apart.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
      expect(before[1]?.start).toBe(start);
      expect(apart[1]).toMatchObject({ start: '09-24 08:00', status: 'scheduled' });
      cancelMeeting(stage.world, { meeting: meeting.id });
      await stage.pollDue();
      expect((await sessions()).map(({ status }) => status)).toEqual(['cancelled', 'scheduled', 'cancelled']);
      cancelMeeting(stage.world, { meeting: own.id });
      await stage.pollDue();
      expect(starts(await sessions())).toEqual([]);
    },
  );

  test('23. Open-ended daily series: only inside the window, and the horizon moves without a delta', async () => {
    stage = await openGoogleStage();
    book({ rule: 'FREQ=DAILY' });
    await stage.pollDue();
    const first = await sessions();
    expect(first.length).toBeGreaterThan(100);
    expect(first.length).toBeLessThan(125);
    for (const entry of stage.faults.log.entries().filter(({ path }) => path.endsWith('/instances'))) {
      expect(entry.query.timeMin).toBeDefined();
      expect(entry.query.timeMax).toBeDefined();
    }
    await stage.advance(3 * DAY);
    await stage.settled();
    expect((await sessions()).length).toBe(first.length + 3);
  });

  test('23. A series that bears no tag is never listed, though one of its occurrences is moved or answered', async () => {
    stage = await openGoogleStage();
    const standUp = book({ title: 'Stand-up', start: '2026-09-08T09:00', rule: 'FREQ=DAILY;COUNT=20' });
    await stage.pollDue();
    stage.faults.log.clear();
    moveOccurrence(stage.world, {
      meeting: standUp.id,
      slot: Date.parse('2026-09-10T07:00:00Z'),
      start: Date.parse('2026-09-10T12:00:00Z'),
    });
    await stage.pollDue();
    expect(stage.asked('syncToken=')).toBeGreaterThan(0);
    expect(stage.asked('/instances')).toBe(0);
    expect(await sessions()).toEqual([]);
  });

  test('24. A weekly series across the end of summer time', async () => {
    stage = await openGoogleStage();
    weekly({ start: '2026-10-20T10:00', rule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=2' });
    await stage.pollDue();
    expect(starts(await sessions())).toEqual(['10-20 08:00', '10-27 09:00']);
  });

  test('25. and 30. All-day events and other kinds of entries are no sessions', async () => {
    stage = await openGoogleStage();
    book({ allDay: true });
    for (const eventType of [
      'focusTime',
      'outOfOffice',
      'workingLocation',
      'birthday',
      'fromGmail',
      'futureType',
    ]) {
      book({ eventType });
    }
    await stage.pollDue();
    expect(await sessions()).toEqual([]);
  });

  test('26. Tag appears, is split by markup, and disappears: detached, not called off by the mentor', async () => {
    stage = await openGoogleStage();
    const meeting = book({ title: 'Talk', body: '' });
    await stage.pollDue();
    expect(await sessions()).toEqual([]);
    addTag(stage.world, { meeting: meeting.id, tag: '#mentoring' });
    await stage.pollDue();
    expect(starts(await sessions())).toEqual(['09-15 08:00']);
    editMeeting(stage.world, {
      meeting: meeting.id,
      title: 'Talk',
      body: '<p>#men<b>toring</b>&nbsp;hour</p>',
    });
    await stage.pollDue();
    expect(starts(await sessions())).toEqual(['09-15 08:00']);
    removeTag(stage.world, { meeting: meeting.id, tag: '#mentoring' });
    editMeeting(stage.world, { meeting: meeting.id, body: '' });
    await stage.pollDue();
    expect(starts(await sessions())).toEqual([]);
    const gone = await stage.rows(
      sql<{ by: string | null }>`select cancelled_by as by from mentoring.session`,
    );
    expect(gone.map(({ by }) => by)).not.toContain('mentor');
  });

  test('28. and 29. One session on both calendars; an answer changes the answer and nothing else', async () => {
    stage = await openGoogleStage();
    const meeting = book();
    await stage.pollDue();
    const [before] = await sessions();
    respond(stage.world, { meeting: meeting.id, person: BO, response: 'declined' });
    await stage.pollDue();
    expect(await sessions()).toEqual([before]);
    const answers = await stage.rows(sql<{ email: string; rsvp: string }>`
      select email, rsvp from mentoring.attendance order by email`);
    expect(answers).toEqual([
      { email: ADA, rsvp: 'accepted' },
      { email: BO, rsvp: 'declined' },
    ]);
    expect(await events('session.rescheduled')).toEqual([]);
  });
});
