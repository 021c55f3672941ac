import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Item = Record<string, unknown> & {
  subscriptionId: string;
  clientState: string;
  changeType?: string;
  lifecycleEvent?: string;
  resourceData?: { id: string };
};

/** An endpoint that repeats tokens and keeps what it is told. Change `status` and `repeat` as it runs. */
export interface NotificationEndpoint {
  readonly url: string;
  /** Path and `from` parameter of each handshake. */
  readonly handshakes: string[];
  readonly bodies: Item[][];
  readonly items: () => Item[];
  status: number;
  /** What a token is answered with; nothing at all where it is null. */
  repeat: (token: string) => string | null;
  readonly close: () => Promise<void>;
}

export async function startNotificationEndpoint(): Promise<NotificationEndpoint> {
  const handshakes: string[] = [];
  const bodies: Item[][] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    const token = url.searchParams.get('validationToken');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (token !== null) {
        handshakes.push(`${url.pathname}${url.searchParams.get('from') ?? ''}`);
        const answer = endpoint.repeat(token);
        if (answer !== null) response.writeHead(200, { 'content-type': 'text/plain' }).end(answer);
        return;
      }
      bodies.push((JSON.parse(Buffer.concat(chunks).toString()) as { value: Item[] }).value);
      response.writeHead(endpoint.status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint: NotificationEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    handshakes,
    bodies,
    items: () => bodies.flat(),
    status: 202,
    repeat: (token) => token,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return endpoint;
}
