import { join } from 'node:path';
import { Writable } from 'node:stream';
import { DateTime } from 'luxon';
import { afterEach, describe, expect, it } from 'vitest';
import { createLinks } from '../../src/delivery/links.ts';
import { loadPageRenderer } from '../../src/delivery/render-page.ts';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';
import type { AnswerStore } from '../../src/ports/answer-store.ts';
import { fixedClock } from '../../src/runtime/clock.ts';
import { createLog } from '../../src/runtime/log.ts';

const now = DateTime.fromISO('2026-03-05T12:00:00Z', { zone: 'utc' }) as DateTime<true>;
const links = createLinks('https://mentoring.example.org', [Buffer.alloc(32, 7).toString('base64')]);
const down = () => Promise.reject(new Error('the database is away'));
const away: AnswerStore = {
  loadQuestion: down,
  recordAnswer: down,
  loadSubscription: down,
  changeSubscription: down,
};

const running: HttpServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function serve(hasLinks = true) {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const pages = loadPageRenderer(join(import.meta.dirname, '../../config/pages'));
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: createLog({ format: 'json', level: 'info', destination }),
    acceptNotification: async () => ({ status: 202 }),
    isReady: async () => true,
    readFreshness: async () => ({ isFresh: true, calendars: 0, stale: 0, oldestCompletePassAt: null }),
    events: async () => [],
    eventsToken: null,
    metrics: null,
    answers: hasLinks ? { links, store: away, clock: fixedClock(now), pages } : null,
  });
  running.push(server);
  await server.listen();
  return { url: server.url, lines };
}

describe('the pages behind links', () => {
  it('ask for patience when the database is away, and write no link into the log', async () => {
    const { url, lines } = await serve();
    const claim = { subjectId: 1, personId: 2, expiresAt: now.plus({ days: 1 }) };
    for (const purpose of ['answer', 'unsubscribe'] as const) {
      const { pathname } = new URL(links.write({ ...claim, purpose }));
      for (const method of ['GET', 'POST']) {
        const body = method === 'POST' ? new URLSearchParams({ answer: 'met' }) : null;
        const response = await fetch(url + pathname, { method, body });
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
        expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(await response.text()).toContain('Not now, sorry');
      }
      expect(lines.join('')).not.toContain(pathname.slice(3));
    }
    expect(lines.join('')).toContain('/a/:token');
  });

  it('do not let a program guess for long, whichever of them it tries', async () => {
    const { url } = await serve();
    const statuses: number[] = [];
    for (let turn = 0; turn < 61; turn += 1) {
      for (const path of ['/a/x', '/u/x']) statuses.push((await fetch(url + path)).status);
    }
    expect(statuses.slice(0, 120)).toEqual(Array.from({ length: 120 }, () => 404));
    expect(statuses.slice(120)).toEqual([429, 429]);
    expect(await (await fetch(`${url}/a/x`)).text()).toContain('One moment, please');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('are not there when there are no links', async () => {
    const { url } = await serve(false);
    const response = await fetch(`${url}/a/x`);
    expect([response.status, await response.text()]).toEqual([404, '{"error":"not_found"}']);
  });
});
