import { join } from 'node:path';
import { sql } from 'kysely';
import { createLinks } from '../../src/delivery/links.ts';
import { loadMailRenderer } from '../../src/delivery/render-mail.ts';
import { loadPageRenderer } from '../../src/delivery/render-page.ts';
import { answerableUntil } from '../../src/domain/answer.ts';
import { createHttpServer } from '../../src/http/server.ts';
import type { OutgoingMail } from '../../src/ports/mailer.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { createAnswerStore } from '../../src/store/answers.ts';
import { createMailOutbox } from '../../src/store/mail-outbox.ts';
import { deliverMails } from '../../src/usecases/deliver-mails.ts';
import { instantIn, type SeededWorld } from './seeded-world.ts';

const CONFIG = join(import.meta.dirname, '../../config');
const KEY = Buffer.alloc(32, 7).toString('base64');
export const STRANGERS_KEY = Buffer.alloc(32, 8).toString('base64');

/** The pages of a seeded world on a listening server, with what a person and a mail server would do to them. */
export async function openPages(world: SeededWorld) {
  const links = createLinks('https://mentoring.example.org', [KEY]);
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: silentLog(),
    acceptNotification: async () => ({ status: 202 }),
    isReady: async () => true,
    readFreshness: async () => ({ isFresh: true, calendars: 1, stale: 0, oldestCompletePassAt: null }),
    events: async () => [],
    eventsToken: null,
    metrics: null,
    answers: {
      links,
      store: createAnswerStore(world.db),
      clock: world.clock,
      pages: loadPageRenderer(join(CONFIG, 'pages')),
    },
  });
  await server.listen();
  const forms = loadMailRenderer(join(CONFIG, 'mail'));
  const here = (url: string) => `${server.url}${new URL(url).pathname}`;
  const send = (path: string, form: Record<string, string> | string): Promise<Response> =>
    fetch(path, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) });
  return {
    links,
    server,
    send,
    /** The address of the page that asks a person about a session that ended at `end` (local time). */
    answerPage: (sessionId: number, personId: number, end: string) =>
      here(
        links.write({
          purpose: 'answer',
          subjectId: sessionId,
          personId,
          expiresAt: answerableUntil(instantIn(end)),
        }),
      ),
    unsubscribePage: (personId: number, programId = world.ids.program) =>
      here(
        links.write({
          purpose: 'unsubscribe',
          subjectId: programId,
          personId,
          expiresAt: world.clock.now().plus({ days: 400 }),
        }),
      ),
    here,
    say: (page: string, answer: string, more: Record<string, string> = {}) => send(page, { answer, ...more }),
    /** Delivers what is due. @returns the mails that left, by recipient */
    async deliver(withLinks = true): Promise<OutgoingMail[]> {
      const left: OutgoingMail[] = [];
      await deliverMails(
        {
          outbox: createMailOutbox(world.db),
          mailer: {
            async send(mail) {
              left.push(mail);
              return { outcome: 'accepted', status: 250 };
            },
            check: async () => null,
            close: async () => undefined,
          },
          render: (model) => forms.render(model),
          links: withLinks ? links : null,
          domain: 'example.org',
          clock: world.clock,
          log: silentLog(),
        },
        new AbortController().signal,
      );
      return left.toSorted((one, other) => (one.to.address < other.to.address ? -1 : 1));
    },
    said: (sessionId: number) =>
      world.rows(sql<{ person: number; kind: string }>`
        select person_id as person, kind from cadenced.evidence
         where session_id = ${sessionId} and source = 'answer' order by evidence_id`),
    outcome: async (sessionId: number) =>
      (
        await world.rows(sql<{ outcome: string; reason: string; tier: string }>`
          select outcome, outcome_reason as reason, evidence_tier as tier
            from cadenced.session where session_id = ${sessionId}`)
      )[0],
    kept: (kind: string) =>
      world.rows(sql<{ status: string; reason: string | null; address: string }>`
        select status, reason, to_address as address from cadenced.mail where kind = ${kind} order by to_address`),
  };
}
