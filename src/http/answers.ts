import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  ANSWERS,
  type AnswerKind,
  answerPage,
  COMMENT_LIMIT,
  type Feedback,
  type GivenAnswer,
  type Notice,
  type PageModel,
} from '../domain/answer.ts';
import type { Role } from '../domain/roster.ts';
import type { Log } from '../runtime/log.ts';
import { describeError } from '../runtime/redact.ts';
import {
  type AnswerDeps,
  type Closed,
  changeSubscription,
  readQuestion,
  readSubscription,
  recordAnswer,
} from '../usecases/record-answer.ts';

export type PageDeps = AnswerDeps & {
  readonly pages: {
    languageOf(...tags: readonly string[]): string;
    roleWord(language: string, role: Role): string;
    render(model: PageModel, language: string): string;
    readonly styleSource: string;
  };
};

/** What a form of ours sends is smaller (`COMMENT_LIMIT`). */
const FORM_LIMIT = 4096;
/** A whole office behind one address may answer after a meeting; a program that guesses links wants more. */
const REQUESTS_PER_MINUTE = 120;
const RATING = /^[1-5]$/;

type Params = { Params: { token: string } };

/**
 * The pages behind the links in mails. `GET` shows and changes nothing; `POST /a/<token>` keeps an answer and shows
 * the page again by 303, so that reloading does not send twice; `POST /u/<token>` ends the mails of a program, in
 * one step and without a page for mail programs (RFC 8058). Links that are forged, mistyped or for another purpose
 * get 404, expired ones 410, both the same page. No scripts, no cookies, nothing from elsewhere.
 */
export function answerRoutes(app: FastifyInstance, deps: PageDeps, log: Log): void {
  const { pages } = deps;
  // Mail programs may send multipart or nothing at all (RFC 8058 §3.2); only the route knows what to make of it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'content-security-policy':
        `default-src 'none'; style-src ${pages.styleSource}; form-action 'self'; base-uri 'none'; ` +
        "frame-ancestors 'none'",
      // The link is a key: it must not travel to where a link on the page leads.
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex, nofollow',
      'x-frame-options': 'DENY',
    });
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 429) return show(request, reply, 429, 'too_many');
    if (status === 413) return show(request, reply, 413, 'too_long');
    if (status >= 400 && status < 500) return show(request, reply, 400, 'not_understood');
    // The route's pattern, not its URL, which carries a token; no raw error, which may quote somebody's comment.
    log.error({ problem: describeError(error), route: request.routeOptions.url }, 'a page failed');
    return show(request, reply.header('retry-after', '5'), 503, 'unavailable');
  });

  const show = (request: FastifyRequest, reply: FastifyReply, status: number, notice: Notice) => {
    const language = pages.languageOf(...acceptedLanguages(request.headers['accept-language']));
    const page = pages.render({ kind: 'notice', data: { notice } }, language);
    return reply.code(status).type('text/html; charset=utf-8').send(page);
  };
  const closed = (request: FastifyRequest, reply: FastifyReply, why: Closed) =>
    show(request, reply, why === 'expired' ? 410 : 404, 'no_page');
  // One count for all pages; a limit given route by route would count each by itself.
  const onRequest = app.rateLimit({ max: REQUESTS_PER_MINUTE, timeWindow: '1 minute' });
  const limited = { onRequest, config: { rateLimit: false as const } };

  app.get<Params>('/a/:token', limited, async (request, reply) => {
    const question = await readQuestion(deps, request.params.token);
    if (typeof question === 'string') return closed(request, reply, question);
    const language = pages.languageOf(question.person.language);
    const model = answerPage(question, language, (role) => pages.roleWord(language, role));
    return reply.type('text/html; charset=utf-8').send(pages.render(model, language));
  });

  app.post<Params>('/a/:token', { ...limited, bodyLimit: FORM_LIMIT }, async (request, reply) => {
    const answer = readAnswer(formOf(request));
    if (answer === null) {
      // A stranger learns from a form that is no form only that the link is none.
      const question = await readQuestion(deps, request.params.token);
      return typeof question === 'string'
        ? closed(request, reply, question)
        : show(request, reply, 400, 'not_understood');
    }
    const outcome = await recordAnswer(deps, request.params.token, answer);
    if (outcome !== 'recorded') return closed(request, reply, outcome);
    return seeItself(request, reply);
  });

  app.get<Params>('/u/:token', limited, async (request, reply) => {
    const subscription = await readSubscription(deps, request.params.token);
    if (typeof subscription === 'string') return closed(request, reply, subscription);
    const language = pages.languageOf(subscription.language);
    const { program, wanted } = subscription;
    const page = pages.render({ kind: 'subscription', data: { program, wanted } }, language);
    return reply.type('text/html; charset=utf-8').send(page);
  });

  app.post<Params>('/u/:token', { ...limited, bodyLimit: FORM_LIMIT }, async (request, reply) => {
    const choice = formOf(request)?.get('mails');
    // Whatever a mail program sends, it wants out; only our own button asks for mails again.
    const subscription = await changeSubscription(deps, request.params.token, choice === 'on');
    if (typeof subscription === 'string') return closed(request, reply, subscription);
    if (choice === 'on' || choice === 'off') return seeItself(request, reply);
    // No redirect for mail programs: they need not follow one (RFC 8058 §3.1).
    return reply.code(200).type('text/plain; charset=utf-8').send('');
  });
}

/** To the same address by GET; relative, because a proxy may serve us under a path of its own. */
function seeItself(request: FastifyRequest<Params>, reply: FastifyReply): FastifyReply {
  return reply.code(303).header('location', `./${request.params.token}`).send();
}

/** The fields of a form; null when the body is none. */
function formOf(request: FastifyRequest): URLSearchParams | null {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded' || typeof request.body !== 'string') return null;
  return new URLSearchParams(request.body);
}

/** An answer that the page can have sent; null for everything else. */
function readAnswer(form: URLSearchParams | null): GivenAnswer | null {
  const kind = ANSWERS.find((answer): answer is AnswerKind => answer === form?.get('answer'));
  if (form === null || kind === undefined) return null;
  const feedback = readFeedback(form);
  return feedback === 'impossible' ? null : { kind, feedback };
}

/** undefined when the form did not ask for it. Without a rating and a comment there is nothing to keep. */
function readFeedback(form: URLSearchParams): Feedback | null | undefined | 'impossible' {
  if (!form.has('rating') && !form.has('comment')) return undefined;
  const rating = form.get('rating') ?? '';
  const comment = plainText(form.get('comment') ?? '');
  if ((rating !== '' && !RATING.test(rating)) || comment.length > COMMENT_LIMIT) return 'impossible';
  if (rating === '' && comment === '') return null;
  return { rating: rating === '' ? null : Number(rating), comment: comment === '' ? null : comment };
}

/** Without what no keyboard sends and no database or terminal should meet; line breaks stay. */
function plainText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .toWellFormed()
    .trim();
}

/** The languages a browser asks for, best first; only for pages that belong to nobody we know. */
function acceptedLanguages(header: string | undefined): string[] {
  return (header ?? '')
    .slice(0, 200)
    .split(',')
    .map((part) => {
      const [tag = '', weight = ''] = part.trim().split(';');
      return { tag, quality: weight === '' ? 1 : Number(weight.trim().replace(/^q=/, '')) || 0 };
    })
    .filter(({ tag, quality }) => /^[a-z]{2,3}(-|$)/i.test(tag) && quality > 0)
    .toSorted((one, other) => other.quality - one.quality)
    .map(({ tag }) => tag);
}
