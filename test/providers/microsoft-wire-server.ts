import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createMicrosoft,
  type Microsoft,
  type MicrosoftSettings,
} from '../../src/providers/microsoft/index.ts';
import { silentLog } from '../../src/runtime/log.ts';

export const TENANT = '0b0b0b0b-1111-4222-8333-444444444444';

export type Asked = {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

/** Answers one request; whatever it does not end stays open. */
export type Script = (asked: Asked, response: ServerResponse) => void;

export type WireServer = {
  readonly url: string;
  readonly tokenUrl: string;
  /** Requests to Graph in order of arrival. */
  readonly asked: Asked[];
  /** Requests for tokens. */
  readonly tokensAsked: Asked[];
  /** How Graph answers from now on. */
  graph: Script;
  /** How Entra answers from now on. */
  entra: Script;
  close(): Promise<void>;
};

/** A real server on loopback that does exactly what a test says, down to the socket. */
export async function startWireServer(): Promise<WireServer> {
  const asked: Asked[] = [];
  const tokensAsked: Asked[] = [];
  let issued = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const entry = { method, url, headers, body: Buffer.concat(chunks).toString() };
      if (url.includes('/oauth2/')) {
        tokensAsked.push(entry);
        wire.entra(entry, response);
      } else {
        asked.push(entry);
        wire.graph(entry, response);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const wire: WireServer = {
    url,
    tokenUrl: `${url}/${TENANT}/oauth2/v2.0/token`,
    asked,
    tokensAsked,
    graph: (_asked, response) => json(response, 200, { value: [] }),
    entra: (_asked, response) => {
      issued += 1;
      json(response, 200, { token_type: 'Bearer', expires_in: 3599, access_token: `token-${issued}` });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return wire;
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** A refusal in Graph's words. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  json(response, status, { error: { code, message: 'told by a test', innerError: {} } }, headers);
}

export function settingsFor(wire: WireServer): MicrosoftSettings {
  return {
    tenant: TENANT,
    clientId: '5c5c5c5c-1111-4222-8333-444444444444',
    clientSecret: 'a secret',
    graphUrl: wire.url,
    tokenUrl: wire.tokenUrl,
    maxInFlight: 4,
  };
}

/** The adapter against a server, with waits that are written down instead of waited for. */
export function adapterFor(
  wire: WireServer,
  settings: Partial<MicrosoftSettings> = {},
): { readonly microsoft: Microsoft; readonly waits: number[] } {
  const waits: number[] = [];
  let elapsed = 0;
  const microsoft = createMicrosoft(
    { ...settingsFor(wire), ...settings },
    {
      log: silentLog(),
      random: () => 0,
      sleep: async (ms) => {
        waits.push(ms);
        elapsed += ms;
      },
      elapsed: () => elapsed,
    },
  );
  return { microsoft, waits };
}

export async function gathered<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

/** The error a promise is rejected with; a promise that is kept fails the test. */
export async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  const kept = Symbol('kept');
  const outcome = await promise.then(
    () => kept,
    (error: unknown) => error,
  );
  if (outcome === kept) throw new Error('expected a failure, and there was none');
  return outcome;
}
