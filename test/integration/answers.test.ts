import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { createLinks } from '../../src/delivery/links.ts';
import type { ProgramPolicy } from '../../src/domain/program.ts';
import { judgeSessions } from '../../src/usecases/judge-sessions.ts';
import { openPages, STRANGERS_KEY } from './answers-stage.ts';
import { createSeededWorld, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
let pages: Awaited<ReturnType<typeof openPages>>;
afterEach(async () => {
  await pages.server.close();
  await world.close();
});

/** Ada and Grace had a session on 3 March from 10 to 11 that nobody can prove; it settled as unknown on 5 March. */
async function unproven(policy: Partial<ProgramPolicy> = {}) {
  world = await createSeededWorld({ now: '2026-03-01T10:00', policy });
  pages = await openPages(world);
  const { session } = await world.session({ at: '2026-03-03T10:00' });
  await world.travelTo('2026-03-05T12:00');
  await judgeSessions(world.deps);
  expect(await pages.outcome(session)).toMatchObject({ outcome: 'unknown', reason: 'in_person' });
  const { mentor, mentee } = world.ids;
  return {
    session,
    ada: pages.answerPage(session, mentor, '2026-03-03T11:00'),
    grace: pages.answerPage(session, mentee, '2026-03-03T11:00'),
  };
}

const state = () =>
  world.rows(sql`
    select 'session' as it, session_id as id, xmin::text from cadenced.session
    union all select 'evidence', evidence_id, xmin::text from cadenced.evidence
    union all select 'feedback', feedback_id, xmin::text from cadenced.feedback
    union all select 'mail', mail_id, xmin::text from cadenced.mail
    union all select 'opt_out', person_id, xmin::text from cadenced.mail_opt_out order by 1, 2`);
const textOf = async (page: string) => (await fetch(page)).text();

describe('the page that asks', () => {
  it('changes nothing however often it is opened, and shows when and with whom in the zone of its reader', async () => {
    const { ada, grace } = await unproven();
    const before = await state();
    await fetch(grace, { method: 'HEAD' });
    const text = await textOf(grace);
    expect(await state()).toEqual(before);
    expect(text).toContain('Did you meet Ada?');
    expect(text).toContain('Tuesday, 3 March 2026');
    expect(text).toContain('04:00–05:00, Eastern Standard Time');
    expect(await textOf(ada)).toContain('10:00–11:00, Central European Standard Time');
  });

  it('speaks the language of its reader and names nobody in full', async () => {
    const { ada } = await unproven();
    await sql`update cadenced.person set language = 'de-AT' where person_id = ${world.ids.mentor}`.execute(
      world.db,
    );
    await sql`update cadenced.person set name = 'Grace Hopper <i>' where person_id = ${world.ids.mentee}`.execute(
      world.db,
    );
    const text = await textOf(ada);
    expect(text).toContain('Haben Sie Grace getroffen?');
    expect(text).toContain('Dienstag, 3. März 2026');
    expect(text).not.toContain('Hopper');
  });

  it('runs nothing, loads nothing, tells nobody where it was, and is kept by no cache', async () => {
    const { ada } = await unproven();
    const response = await fetch(ada);
    const text = await response.text();
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex, nofollow',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
    });
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(text).not.toMatch(/<script|\bsrc=|\bon\w+=|style="|https?:/i);
  });
});

describe('an answer', () => {
  it('is kept once, shown again, and judged: one word is enough where the program says so', async () => {
    const { session, grace } = await unproven();
    const response = await pages.say(grace, 'met');
    expect(response.status).toBe(303);
    const next = new URL(response.headers.get('location') ?? '', grace).href;
    expect(next).toBe(grace);
    await Promise.all([pages.say(grace, 'met'), pages.say(grace, 'met')]);
    expect(await pages.said(session)).toEqual([{ person: world.ids.mentee, kind: 'met' }]);
    const text = await textOf(next);
    expect(text).toContain('Thank you');
    expect(text).toContain('You said that you met');
    expect(await judgeSessions(world.deps)).toEqual({ judged: 1, settled: 0, restated: 1 });
    expect(await pages.outcome(session)).toEqual({
      outcome: 'held',
      reason: 'one_confirmed',
      tier: 'human_one',
    });
  });

  it('of one side alone leaves the session unknown where the program wants both, and both settle it', async () => {
    const { session, ada, grace } = await unproven({
      attendance: { minimum: { minutes: 5, share: 0.2 }, accept: ['conference_both', 'human_both'] },
    });
    await pages.say(grace, 'met');
    await judgeSessions(world.deps);
    expect(await pages.outcome(session)).toMatchObject({ outcome: 'unknown' });
    await pages.say(ada, 'met');
    await judgeSessions(world.deps);
    expect(await pages.outcome(session)).toEqual({
      outcome: 'held',
      reason: 'confirmed',
      tier: 'human_both',
    });
  });

  it.each(['not_met', 'absent'])(
    'that contradicts another (met, %s) is a dispute and proves nothing',
    async (other) => {
      const { session, ada, grace } = await unproven();
      await pages.say(grace, 'met');
      await pages.say(ada, other);
      await judgeSessions(world.deps);
      expect(await pages.outcome(session)).toMatchObject({ outcome: 'unknown', reason: 'disputed' });
    },
  );

  it('can be changed: the newest counts, and the earlier ones stay on record', async () => {
    const { session, ada, grace } = await unproven();
    await pages.say(ada, 'not_met');
    await pages.say(grace, 'met');
    await judgeSessions(world.deps);
    expect(await pages.outcome(session)).toMatchObject({ reason: 'disputed' });
    await pages.say(ada, 'met');
    await judgeSessions(world.deps);
    expect(await pages.outcome(session)).toMatchObject({ outcome: 'held', reason: 'confirmed' });
    await pages.say(ada, 'not_met');
    await pages.say(grace, 'not_met');
    await judgeSessions(world.deps);
    expect(await pages.outcome(session)).toMatchObject({ outcome: 'no_one', reason: 'both_absent' });
    expect((await pages.said(session)).map((row) => row.kind)).toEqual([
      'not_met',
      'met',
      'met',
      'not_met',
      'not_met',
    ]);
  });

  it('of somebody who was not there makes theirs the missing side and says nothing about the other', async () => {
    const { session, grace } = await unproven();
    await pages.say(grace, 'absent');
    await judgeSessions(world.deps);
    const people = await world.rows(sql<{ email: string; status: string }>`
      select email, status from mentoring.attendance where session_id = ${session} order by email`);
    expect(people).toEqual([
      { email: 'ada@example.org', status: 'unknown' },
      { email: 'grace@example.org', status: 'absent' },
    ]);
    expect(await pages.outcome(session)).toMatchObject({ outcome: 'one_sided', reason: 'mentee_absent' });
    expect(await textOf(grace)).toContain('You said that you were not there');
  });

  it('is given about one session of a meeting and not about its others', async () => {
    const { grace } = await unproven();
    const other = await world.another('ada-lin');
    const { occurrence } = await world
      .one(sql`select occurrence_id as id from cadenced.session`)
      .then((id) => ({ occurrence: id }));
    const second = await world.session({ at: '2026-03-03T10:00', mentorship: other, occurrence });
    await judgeSessions(world.deps);
    await pages.say(grace, 'met');
    await judgeSessions(world.deps);
    expect(await pages.said(second.session)).toEqual([]);
    expect(await pages.outcome(second.session)).toMatchObject({ outcome: 'unknown' });
  });
});

describe('feedback', () => {
  const feedback = () =>
    world.rows(sql`select role, rating, comment from mentoring.feedback order by role, rating`);

  it('is asked of whoever met, kept without a name, changed, and taken back with the answer', async () => {
    const { session, grace } = await unproven();
    expect(await textOf(grace)).not.toContain('name="rating"');
    await pages.say(grace, 'met');
    expect(await textOf(grace)).toContain('name="rating"');
    await pages.say(grace, 'met', {
      rating: '5',
      comment: '  Größer \u{1f333}\r\nals <b>gedacht</b>\u0007 ',
    });
    expect(await feedback()).toEqual([
      { role: 'mentee', rating: 5, comment: 'Größer \u{1f333}\nals <b>gedacht</b>' },
    ]);
    const text = await textOf(grace);
    expect(text).toContain('als &lt;b&gt;gedacht&lt;/b&gt;');
    expect(text).toMatch(/value="5" checked/);
    await pages.say(grace, 'met', { rating: '4', comment: '' });
    expect(await feedback()).toEqual([{ role: 'mentee', rating: 4, comment: null }]);
    // The buttons that change an answer send no feedback and leave it.
    await pages.say(grace, 'met');
    expect(await feedback()).toHaveLength(1);
    await pages.say(grace, 'not_met', { rating: '1', comment: 'x' });
    expect(await feedback()).toEqual([]);
    expect((await pages.said(session)).map((row) => row.kind)).toEqual(['met', 'not_met']);
  });

  it('is asked elsewhere where the program has a page for it', async () => {
    const { grace } = await unproven({ feedbackUrl: 'https://forms.example.org/f?a=1&b=2' });
    await pages.say(grace, 'met');
    const text = await textOf(grace);
    expect(text).toContain('href="https://forms.example.org/f?a&#x3D;1&amp;b&#x3D;2"');
    expect(text).not.toContain('name="rating"');
  });
});

describe('a link that opens nothing', () => {
  it('gets one page, whatever is wrong with it, and records nothing', async () => {
    const { session, ada, grace } = await unproven();
    const { mentor, mentee, program } = world.ids;
    const stranger = await world.person('eve@example.org', 'Eve');
    const later = await world.session({ at: '2026-03-20T10:00' });
    const token = grace.split('/').at(-1) ?? '';
    const claim = {
      purpose: 'answer' as const,
      subjectId: session,
      personId: mentee,
      expiresAt: world.clock.now().plus({ days: 1 }),
    };
    const elsewhere = createLinks('https://x.example', [STRANGERS_KEY]);
    const wrong: readonly string[] = [
      grace.replace(token, `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`),
      grace.replace(token, `${token.slice(0, 40)}${token[40] === 'A' ? 'B' : 'A'}${token.slice(41)}`),
      grace.slice(0, -1),
      `${grace}A`,
      grace.replace(token, '%00'),
      pages.here(elsewhere.write(claim)),
      pages.answerPage(session, stranger, '2026-03-03T11:00'),
      pages.answerPage(session + 1000, mentee, '2026-03-03T11:00'),
      pages.answerPage(later.session, mentee, '2026-03-20T11:00'),
      pages.unsubscribePage(mentee).replace('/u/', '/a/'),
      ada.replace('/a/', '/u/'),
      pages.unsubscribePage(mentee, program + 1000),
      pages.unsubscribePage(mentor + 1000),
    ];
    const before = await state();
    const first = await textOf(wrong[0] ?? '');
    for (const page of wrong) {
      const shown = await fetch(page);
      expect([page, shown.status]).toEqual([page, 404]);
      expect(await shown.text()).toBe(first);
      const answered = await pages.say(page, 'met');
      expect([page, answered.status]).toEqual([page, 404]);
      expect(await answered.text()).toBe(first);
    }
    await world.travelTo('2026-03-17T11:00');
    for (const response of [await fetch(grace), await pages.say(grace, 'met')]) {
      expect(response.status).toBe(410);
      expect(await response.text()).toBe(first);
    }
    expect(await state()).toEqual(before);
  });

  it('speaks as the browser asks', async () => {
    await unproven();
    const headers = { 'accept-language': 'fr;q=0.9, de-AT;q=0.8, en;q=0.7' };
    expect(await (await fetch(`${pages.server.url}/a/x`, { headers })).text()).toContain('Hier ist nichts');
  });
});

describe('a body', () => {
  it.each([
    ['bigger than 4 KiB', 413, `answer=met&comment=${'x'.repeat(4097)}`],
    ['that is no answer', 400, 'answer=perhaps'],
    ['that is empty', 400, ''],
    ['with a rating of six', 400, 'answer=met&rating=6'],
    ['with a comment longer than the page allows', 400, `answer=met&comment=${'x'.repeat(401)}`],
  ])('%s is refused and records nothing', async (_name, status, body) => {
    const { grace } = await unproven();
    const before = await state();
    const response = await pages.send(grace, body);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain('<h1>');
    expect(await state()).toEqual(before);
  });

  it('of the longest comment fits, in the script that takes most room', async () => {
    const { grace } = await unproven();
    expect((await pages.say(grace, 'met', { rating: '3', comment: '\u6f22'.repeat(400) })).status).toBe(303);
  });
});
