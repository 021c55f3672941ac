import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { judgeSessions } from '../../src/usecases/judge-sessions.ts';
import { watchCadence } from '../../src/usecases/watch-cadence.ts';
import { openPages } from './answers-stage.ts';
import { createSeededWorld, type SeededWorld } from './seeded-world.ts';

let world: SeededWorld;
let pages: Awaited<ReturnType<typeof openPages>>;
afterEach(async () => {
  await pages.server.close();
  await world.close();
});

async function asked() {
  world = await createSeededWorld({ now: '2026-03-01T10:00' });
  pages = await openPages(world);
  const { session } = await world.session({ at: '2026-03-03T10:00', firstSeenAt: '2026-03-04T09:00' });
  await world.travelTo('2026-03-05T12:00');
  await judgeSessions(world.deps);
  return { session };
}

describe('the question after a session', () => {
  it('carries a link of its own for each person, which opens the page and no other', async () => {
    const { session } = await asked();
    const [toAda, toGrace] = await pages.deliver();
    expect([toAda?.subject, toGrace?.subject]).toEqual(['Did you meet Grace?', 'Did you meet Ada?']);
    const link = /https:\/\/mentoring\.example\.org\/a\/[\w-]+/;
    expect(toAda?.html).toMatch(link);
    const page = pages.here(link.exec(toGrace?.text ?? '')?.[0] ?? 'https://none.example/');
    expect(page).toBe(pages.answerPage(session, world.ids.mentee, '2026-03-03T11:00'));
    expect(await (await fetch(page)).text()).toContain('Did you meet Ada?');
  });

  it('is not sent without a public address, because there would be no way to answer', async () => {
    await asked();
    expect(await pages.deliver(false)).toEqual([]);
    expect(await pages.kept('did_you_meet')).toMatchObject([
      { status: 'suppressed', reason: 'no_public_url' },
      { status: 'suppressed', reason: 'no_public_url' },
    ]);
  });

  it('spares whoever need not be asked any more', async () => {
    const { session } = await asked();
    await pages.say(pages.answerPage(session, world.ids.mentee, '2026-03-03T11:00'), 'absent');
    await sql`update cadenced.mail set due_at = due_at + interval '1 hour'
               where person_id = ${world.ids.mentor}`.execute(world.db);
    expect(await pages.deliver()).toEqual([]);
    await pages.say(pages.answerPage(session, world.ids.mentee, '2026-03-03T11:00'), 'met');
    await judgeSessions(world.deps);
    await world.travelTo('2026-03-05T14:00');
    expect(await pages.deliver()).toEqual([]);
    expect(await pages.kept('did_you_meet')).toMatchObject([
      { address: 'ada@example.org', reason: 'known_meanwhile' },
      { address: 'grace@example.org', reason: 'answered_meanwhile' },
    ]);
  });

  it('is also in the alert of a quiet mentorship, about the last session that nobody could verify', async () => {
    world = await createSeededWorld({
      now: '2026-03-01T10:00',
      startsOn: '2026-02-20',
      policy: { unknown: 'not_held' },
    });
    pages = await openPages(world);
    const { session } = await world.session({ at: '2026-03-03T10:00', firstSeenAt: '2026-03-04T09:00' });
    await world.travelTo('2026-03-12T12:00');
    await judgeSessions(world.deps);
    await watchCadence(world.deps);
    const alerts = (await pages.deliver()).filter((mail) => mail.kind === 'cadence_alert');
    expect(alerts.map((mail) => mail.to.address)).toEqual(['ada@example.org', 'grace@example.org']);
    const link = pages.answerPage(session, world.ids.mentor, '2026-03-03T11:00');
    expect(alerts[0]?.text).toContain(new URL(link).pathname);
  });
});

describe('the unsubscribe link', () => {
  const oneClick = (page: string, init: RequestInit = {}) =>
    fetch(page, { method: 'POST', redirect: 'manual', ...init });
  const optedOut = () =>
    world.rows(sql<{ person: number }>`select person_id as person from cadenced.mail_opt_out`);

  it('stands in every mail to a person, and one POST ends the mails of that program for that person', async () => {
    world = await createSeededWorld({ now: '2026-03-01T10:00' });
    pages = await openPages(world);
    await world.session({ at: '2026-03-03T10:00' });
    await world.travelTo('2026-03-02T10:00');
    const [first] = (await pages.deliver()).filter((mail) => mail.to.address === 'grace@example.org');
    expect(first?.kind).toBe('reminder');
    expect(first?.html).toContain(first?.unsubscribeUrl?.replaceAll('=', '&#x3D;') ?? 'no link');
    const page = pages.here(first?.unsubscribeUrl ?? 'https://none.example/');

    expect(await (await fetch(page)).text()).toContain('No more mails from oak?');
    expect(await optedOut()).toEqual([]);
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    for (const init of [{ body }, { body }, {}]) {
      expect((await oneClick(page, init)).status).toBe(200);
    }
    expect(await optedOut()).toEqual([{ person: world.ids.mentee }]);

    await world.travelTo('2026-03-03T09:00');
    expect((await pages.deliver()).map((mail) => mail.to.address)).toEqual(['ada@example.org']);
    await world.travelTo('2026-03-05T12:00');
    await judgeSessions(world.deps);
    expect((await pages.deliver()).map((mail) => [mail.kind, mail.to.address])).toEqual([
      ['did_you_meet', 'ada@example.org'],
    ]);
    expect(await pages.kept('did_you_meet')).toMatchObject([
      { address: 'ada@example.org', status: 'sent' },
      { address: 'grace@example.org', status: 'suppressed', reason: 'opted_out' },
    ]);
  });

  it('takes whatever a mail program sends, and only our own button takes the mails up again', async () => {
    await asked();
    const page = pages.unsubscribePage(world.ids.mentee);
    const multipart = new FormData();
    multipart.set('List-Unsubscribe', 'One-Click');
    expect((await oneClick(page, { body: multipart })).status).toBe(200);
    expect(await optedOut()).toHaveLength(1);
    expect(await (await fetch(page)).text()).toContain('You get no more mails from oak');
    const again = await pages.send(page, { mails: 'on' });
    expect([again.status, again.headers.get('location')]).toEqual([303, `./${page.split('/').at(-1)}`]);
    expect(await optedOut()).toEqual([]);
    expect((await pages.send(page, { mails: 'off' })).status).toBe(303);
    expect(await optedOut()).toHaveLength(1);
  });

  it('reaches no other program', async () => {
    await asked();
    const other = await world.one(sql`
      insert into cadenced.program (name, time_zone, live_from)
      values ('elm', 'Europe/Berlin', '2020-01-01') returning program_id as id`);
    await oneClick(pages.unsubscribePage(world.ids.mentee, other));
    expect((await pages.deliver()).map((mail) => mail.to.address)).toEqual([
      'ada@example.org',
      'grace@example.org',
    ]);
  });
});
