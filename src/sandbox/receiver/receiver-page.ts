import { document, html, type Markup, shortTime } from '../pages/document.ts';
import type { ReceivedWebhook } from './receiver.ts';

function verdictTag(webhook: ReceivedWebhook): Markup {
  return webhook.verified
    ? html`<span class="tag">verified</span>`
    : html`<span class="tag bad">${webhook.fault ?? 'not verified'}</span>`;
}

function answerText(webhook: ReceivedWebhook): string {
  const answer = webhook.answered === 0 ? 'left unanswered' : `answered ${webhook.answered}`;
  return webhook.attempt === 1 ? answer : `${answer}, attempt ${webhook.attempt}`;
}

/** Every delivery so far, newest first. */
export function listPage(webhooks: readonly ReceivedWebhook[]): string {
  const rows = [...webhooks].reverse().map(
    (webhook) => html`<li><a class="row" href="/received/${webhook.number}">
<span class="when">${shortTime(Date.parse(webhook.receivedAt))}</span>
<span class="what">${webhook.type === '' ? '(no type)' : webhook.type}</span>
${verdictTag(webhook)}
<span class="who">${webhook.id}, ${answerText(webhook)}</span>
</a></li>`,
  );
  const body = html`<h1>Webhooks of the sandbox</h1>
<p class="lead">${webhooks.length === 1 ? '1 delivery' : `${webhooks.length} deliveries`}, newest first. Each signature was checked on arrival.</p>
${webhooks.length === 0 ? html`<p class="empty">Nothing was delivered yet. This page looks again every few seconds.</p>` : html`<ol class="list">${rows}</ol>`}`;
  return document({ title: `Webhooks of the sandbox (${webhooks.length})`, body, refreshSeconds: 5 });
}

/** One delivery with its headers and body. */
export function deliveryPage(webhook: ReceivedWebhook | undefined): string {
  if (webhook === undefined) {
    const body = html`<nav><a href="/">All webhooks</a></nav><h1>No such delivery</h1>`;
    return document({ title: 'No such delivery', body });
  }
  const shown = typeof webhook.body === 'string' ? webhook.body : JSON.stringify(webhook.body, null, 2);
  const body = html`<nav><a href="/">All webhooks</a></nav>
<h1>${webhook.type === '' ? '(no type)' : webhook.type}</h1>
<p class="lead">${verdictTag(webhook)}</p>
<dl class="facts">
<dt>Id</dt><dd>${webhook.id}</dd>
<dt>Came</dt><dd>${shortTime(Date.parse(webhook.receivedAt))} UTC</dd>
<dt>Answer</dt><dd>${answerText(webhook)}</dd>
</dl>
<pre>${shown}</pre>
<details><summary>Headers</summary><pre>${Object.entries(webhook.headers).map(([name, value]) => `${name}: ${value}\n`)}</pre></details>`;
  return document({ title: webhook.type, body });
}
