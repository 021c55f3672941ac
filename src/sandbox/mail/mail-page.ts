import Fastify from 'fastify';
import { document, html, type Markup, PAGE_HEADERS, shortTime } from '../pages/document.ts';
import type { SunkMail } from './mail-sink.ts';

export interface MailPage {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Serves what the mail sink took, on loopback: `/` the list, `/mails/N` one mail, `/mails/N.eml` as it came,
 * `/mails.json` everything for programs (without the raw text).
 */
export async function startMailPage(mails: () => readonly SunkMail[]): Promise<MailPage> {
  const app = Fastify({ logger: false, forceCloseConnections: true });

  app.get('/', (_request, reply) => reply.headers(PAGE_HEADERS).send(listPage(mails())));
  app.get('/mails.json', (_request, reply) =>
    reply.send(mails().map(({ raw, ...mail }) => ({ ...mail, bytes: Buffer.byteLength(raw) }))),
  );
  app.get<{ Params: { name: string } }>('/mails/:name', (request, reply) => {
    const wanted = /^(\d+)(\.eml)?$/.exec(request.params.name);
    const mail = mails().find((candidate) => String(candidate.number) === wanted?.[1]);
    if (mail === undefined) return reply.code(404).headers(PAGE_HEADERS).send(missingPage());
    if (wanted?.[2] !== undefined) return reply.type('text/plain; charset=utf-8').send(mail.raw);
    return reply.headers(PAGE_HEADERS).send(mailPage(mail));
  });

  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
}

function kindTag(mail: SunkMail): Markup {
  return mail.kind === null ? html`` : html`<span class="tag">${mail.kind.replaceAll('_', ' ')}</span>`;
}

function listPage(mails: readonly SunkMail[]): string {
  const newestFirst = [...mails].reverse();
  const rows = newestFirst.map(
    (mail) => html`<li><a class="row" href="/mails/${mail.number}">
<span class="when">${shortTime(Date.parse(mail.receivedAt))}</span>
<span class="what">${mail.subject === '' ? '(no subject)' : mail.subject}</span>
${kindTag(mail)}
<span class="who">to ${mail.envelope.to.join(', ')}</span>
</a></li>`,
  );
  const body = html`<h1>Mail of the sandbox</h1>
<p class="lead">${mails.length === 1 ? '1 mail' : `${mails.length} mails`}, newest first. None of them left this machine. Times are UTC on the sandbox's clock.</p>
${mails.length === 0 ? html`<p class="empty">Nothing has been sent yet. This page looks again every few seconds.</p>` : html`<ol class="list">${rows}</ol>`}`;
  return document({ title: `Mail of the sandbox (${mails.length})`, body, refreshSeconds: 5 });
}

function mailPage(mail: SunkMail): string {
  const shown =
    mail.html === null
      ? html``
      : // No script, no form, no way out of the frame; links open a page of their own, so that an answer can be given.
        html`<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title="The mail as its reader sees it" srcdoc="${outwardLinks(mail.html)}"></iframe>`;
  const text = html`<pre>${mail.text ?? '(no text part)'}</pre>`;
  const attachments =
    mail.attachments.length === 0
      ? html``
      : html`<dt>Attached</dt><dd>${mail.attachments.map((file) => `${file.name} (${file.type})`).join(', ')}</dd>`;
  const body = html`<nav><a href="/">All mails</a></nav>
<h1>${mail.subject === '' ? '(no subject)' : mail.subject}</h1>
<p class="lead">${kindTag(mail)}</p>
<dl class="facts">
<dt>From</dt><dd>${mail.from}</dd>
<dt>To</dt><dd>${mail.envelope.to.join(', ')}</dd>
<dt>Taken</dt><dd>${shortTime(Date.parse(mail.receivedAt))} UTC</dd>
${attachments}
</dl>
${shown}
${mail.html === null ? html`<h2>Text</h2>${text}` : html`<details><summary>Text part</summary>${text}</details>`}
<details><summary>Headers</summary><pre>${mail.headers.map((header) => `${header.name}: ${header.value}\n`).join('')}</pre></details>
<p><a href="/mails/${mail.number}.eml">The message as it came</a></p>`;
  return document({ title: mail.subject, body });
}

/** Sends every link of a mail to a new page; inside the frame it could go nowhere. */
function outwardLinks(page: string): string {
  const base = '<base target="_blank">';
  return /<head[^>]*>/i.test(page) ? page.replace(/<head[^>]*>/i, (head) => head + base) : base + page;
}

function missingPage(): string {
  return document({
    title: 'No such mail',
    body: html`<nav><a href="/">All mails</a></nav><h1>No such mail</h1><p class="lead">It may belong to an earlier run: mails are kept in memory only.</p>`,
  });
}
