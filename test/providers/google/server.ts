import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGoogle, type Google, type GoogleDeps } from '../../../src/providers/google/index.ts';
import { silentLog } from '../../../src/runtime/log.ts';

/** A request as it reached the server. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

/** What the server does: answers, or misbehaves in a way that only a real socket can. */
export type Reply =
  | { readonly status?: number; readonly body: unknown; readonly headers?: Record<string, string> }
  | { readonly raw: string; readonly status?: number; readonly type?: string }
  | { readonly misbehave: 'stall' | 'stall in body' | 'reset' | 'reset in body' };

export type Handler = (seen: Seen) => Reply | Promise<Reply>;

export interface GoogleServer {
  readonly url: string;
  readonly requests: Seen[];
  /** Claims of every assertion, in order. */
  readonly assertions: Record<string, unknown>[];
  /** Called for everything but tokens; replaced by the tests. */
  handle: Handler;
  handleToken: (claims: Record<string, unknown>) => Reply;
  close(): Promise<void>;
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const KEY = {
  client_email: 'reader@project.iam.gserviceaccount.example',
  client_id: '123456789012345678901',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};

/** A server of one's own instead of an interceptor: it can stall, cut an answer off and drop the connection. */
export async function startGoogleServer(): Promise<GoogleServer> {
  const requests: Seen[] = [];
  const assertions: Record<string, unknown>[] = [];
  let tokens = 0;
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://server');
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (url.pathname === '/token') {
      const assertion = new URLSearchParams(body).get('assertion') ?? '';
      const claims = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString());
      assertions.push(claims);
      return send(response, self.handleToken(claims));
    }
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      authorization: request.headers.authorization,
    };
    requests.push(seen);
    return send(response, await self.handle(seen));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const self: GoogleServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    assertions,
    handle: () => ({ status: 500, body: {} }),
    handleToken: () => {
      tokens++;
      return { body: { access_token: `token-${tokens}`, expires_in: 3599, token_type: 'Bearer' } };
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return self;
}

function send(response: ServerResponse, reply: Reply): void {
  if ('misbehave' in reply) {
    if (reply.misbehave === 'reset') response.destroy();
    if (reply.misbehave.endsWith('in body')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
      response.write('{"kind":"calendar#events","items":[', () => {
        if (reply.misbehave === 'reset in body') response.destroy();
      });
    }
    return;
  }
  if ('raw' in reply) {
    response.writeHead(reply.status ?? 200, {
      'content-type': reply.type ?? 'application/json; charset=UTF-8',
    });
    response.end(reply.raw);
    return;
  }
  response.writeHead(reply.status ?? 200, {
    'content-type': 'application/json; charset=UTF-8',
    ...reply.headers,
  });
  response.end(JSON.stringify(reply.body));
}

export interface Waits {
  readonly waits: number[];
}

/** The adapter against a server, with waits that are noted instead of waited. */
export function googleAt(server: GoogleServer, deps: Partial<GoogleDeps> = {}): Google & Waits {
  const waits: number[] = [];
  const google = createGoogle(
    {
      serviceAccountKey: KEY,
      adminSubject: 'admin@school.example',
      apiUrl: server.url,
      tokenUrl: `${server.url}/token`,
      maxInFlight: 8,
    },
    {
      log: silentLog(),
      now: () => Date.parse('2026-11-21T12:00:00Z'),
      random: () => 0,
      sleep: async (milliseconds) => {
        waits.push(milliseconds);
      },
      ...deps,
    },
  );
  return { ...google, waits };
}

export function refusal(code: number, reason: string, location?: string): Reply {
  return {
    status: code,
    body: { error: { code, message: 'said in words', errors: [{ domain: 'global', reason, location }] } },
  };
}

export function eventsPage(items: readonly unknown[], tokens: Record<string, string>): Reply {
  return {
    body: {
      kind: 'calendar#events',
      timeZone: 'Europe/Berlin',
      accessRole: 'owner',
      items,
      ...tokens,
    },
  };
}
