import { randomUUID } from 'node:crypto';
import {
  Client,
  type Context,
  type GraphRequest,
  HTTPMessageHandler,
  type Middleware,
  type MiddlewareOptions,
  ResponseType,
} from '@microsoft/microsoft-graph-client';
import { type FailureKind, failure } from '../../domain/failure.ts';
import type { TokenSource } from './credentials.ts';
import { answerFailure, thrownFailure, unreadable } from './failures.ts';
import type { Requester } from './request.ts';

/**
 * Sent with every request, links of a listing included: without it a later page would carry ids of the other
 * kind, and two `Prefer` headers would not add up because the client keeps the last
 * (https://learn.microsoft.com/graph/outlook-immutable-id).
 */
export const PREFER =
  'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text", odata.maxpagesize=100';

const REQUEST_TIMEOUT_MS = 30_000;
const VERSION = 'v1.0';

export type Answer = { readonly body: unknown; readonly headers: Headers };

export type Ask = {
  /** Whose limit it counts against. */
  readonly mailbox: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  /** Asked to learn whether it works now: not repeated where it fails. */
  readonly once?: boolean;
};

export type ChangeMethod = 'POST' | 'PATCH' | 'DELETE';

type Errand = {
  readonly method: 'GET' | ChangeMethod;
  readonly path: string;
  readonly body: object | null;
};

/** One request on the wire, for whoever counts them. */
export type RequestReport = {
  readonly provider: 'microsoft';
  /** `calendarView/delta`, `instances`, `users`…: never an id or an address. */
  readonly operation: string;
  readonly outcome: 'ok' | FailureKind;
};

export type Graph = {
  /**
   * GETs a path below the version, such as `/users/ada%40example.org/events/AAMk`, encoded already.
   * @throws Failure
   */
  get(path: string, ask: Ask): Promise<Answer>;
  /**
   * Changes something. POST is repeated only where Graph refused it (throttled, token renewed): a POST whose answer
   * was lost may have been done. An answer without a body has `body: null`.
   * @throws Failure
   */
  send(method: ChangeMethod, path: string, body: object | null, ask: Ask): Promise<Answer>;
  /**
   * The path and query of a link Graph gave, as `get` takes it.
   * @throws Failure `config`/`foreign_link` when it leads off the configured origin, as behind a proxy that
   *   rewrites only one way: no token goes there
   */
  pathOf(link: string): string;
};

/** The official client behind a chain of our own: its default one retries POST, has no timeout, hides headers. */
export function createGraph(
  settings: { readonly graphUrl: string },
  deps: {
    readonly tokens: TokenSource;
    readonly requester: Requester;
    readonly onRequest?: ((report: RequestReport) => void) | undefined;
  },
): Graph {
  const base = new URL(settings.graphUrl);
  const root = base.pathname.replace(/\/+$/, '');
  const client = Client.initWithMiddleware({
    baseUrl: `${base.origin}${root}`,
    defaultVersion: VERSION,
    middleware: [new BearerHandler(base.origin, deps.tokens), new TimeoutHandler(), new HTTPMessageHandler()],
  });

  async function reported(errand: Errand, ask: Ask): Promise<Answer> {
    const report = (outcome: RequestReport['outcome']) =>
      deps.onRequest?.({ provider: 'microsoft', operation: operationOf(errand.path), outcome });
    try {
      const answer = await attempt(errand, ask);
      report('ok');
      return answer;
    } catch (error) {
      report(thrownFailure(error).kind);
      throw error;
    }
  }

  async function attempt(errand: Errand, ask: Ask): Promise<Answer> {
    const { signal, timeoutMs = REQUEST_TIMEOUT_MS } = ask;
    signal.throwIfAborted();
    const exchange = new Exchange(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    try {
      const request = client
        .api(errand.path)
        .headers({ Prefer: PREFER, 'client-request-id': randomUUID() })
        .middlewareOptions([exchange])
        .responseType(ResponseType.RAW);
      const response = await sent(request, errand);
      const text = await response.text();
      if (response.ok && text === '' && errand.method !== 'GET') {
        return { body: null, headers: response.headers };
      }
      const body = parsed(text);
      if (response.status === 401 && exchange.token !== undefined) deps.tokens.refused(exchange.token);
      if (!response.ok) throw answerFailure(response.status, body, response.headers, Date.now());
      if (body === null) throw unreadable('not JSON', response.status);
      return { body, headers: response.headers };
    } catch (error) {
      // The client wraps whatever its chain throws and drops the cause; the exchange kept the original.
      throw thrownFailure(exchange.thrown ?? error);
    }
  }

  return {
    get: (path, ask) =>
      deps.requester.run(
        ask.mailbox,
        () => reported({ method: 'GET', path, body: null }, ask),
        ask.signal,
        ask.once ? 'once' : 'may_repeat',
      ),
    send: (method, path, body, ask) =>
      deps.requester.run(
        ask.mailbox,
        () => reported({ method, path, body }, ask),
        ask.signal,
        method === 'POST' ? 'once' : 'may_repeat',
      ),
    pathOf(link) {
      const url = URL.parse(link);
      const prefix = `${root}/${VERSION}/`;
      if (url === null || url.origin !== base.origin || !url.pathname.startsWith(prefix)) {
        throw failure.config('foreign_link', {
          provider: 'microsoft',
          detail: `a link leads to ${url?.origin ?? 'no address'}`,
        });
      }
      return `${url.pathname.slice(prefix.length - 1)}${url.search}`;
    },
  };
}

function sent(request: GraphRequest, { method, body }: Errand): Promise<Response> {
  switch (method) {
    case 'GET':
      return request.get();
    case 'POST':
      return request.post(body ?? {});
    case 'PATCH':
      return request.patch(body ?? {});
    case 'DELETE':
      return request.delete();
  }
}

/** What travels down the chain with one request, and comes back up. */
class Exchange implements MiddlewareOptions {
  readonly signal: AbortSignal;
  token: string | undefined;
  thrown: unknown;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }
}

function exchangeOf(context: Context): Exchange {
  const exchange = context.middlewareControl?.getMiddlewareOptions(Exchange);
  if (!(exchange instanceof Exchange)) throw failure.bug('request_without_exchange');
  return exchange;
}

abstract class Link implements Middleware {
  #next: Middleware | undefined;

  abstract execute(context: Context): Promise<void>;

  setNext(next: Middleware): void {
    this.#next = next;
  }

  protected async pass(context: Context): Promise<void> {
    await this.#next?.execute(context);
  }
}

/**
 * A fresh token for each attempt, and only for the configured origin. The client's own handler sends none at
 * all to an `http://` base, and knows Microsoft's hosts only.
 */
class BearerHandler extends Link {
  readonly #origin: string;
  readonly #tokens: TokenSource;

  constructor(origin: string, tokens: TokenSource) {
    super();
    this.#origin = origin;
    this.#tokens = tokens;
  }

  override async execute(context: Context): Promise<void> {
    const exchange = exchangeOf(context);
    try {
      const target = typeof context.request === 'string' ? context.request : context.request.url;
      if (new URL(target).origin !== this.#origin) throw failure.bug('foreign_origin');
      exchange.token = await this.#tokens.token();
      const headers = new Headers(context.options?.headers);
      headers.set('Authorization', `Bearer ${exchange.token}`);
      context.options = { ...context.options, headers };
      await this.pass(context);
    } catch (error) {
      exchange.thrown = error;
      throw error;
    }
  }
}

/** The signal covers connecting, headers and body. A redirect is an answer to judge, not an errand to run. */
class TimeoutHandler extends Link {
  override async execute(context: Context): Promise<void> {
    context.options = { ...context.options, signal: exchangeOf(context).signal, redirect: 'manual' };
    await this.pass(context);
  }
}

/** From the most particular to the least: each path is named by the first it holds. */
const OPERATIONS = [
  'calendarView/delta',
  'calendarView',
  'instances',
  'events',
  'attendanceReports',
  'onlineMeetings',
  'subscriptions',
  'users',
] as const;

function operationOf(path: string): string {
  const [place = ''] = path.split('?');
  return OPERATIONS.find((name) => `${place}/`.includes(`/${name}/`)) ?? 'other';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
