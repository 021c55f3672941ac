import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Stands between the providers' notifiers and the daemon's HTTP face, and keeps what arrives until somebody says what
 * becomes of it: handed on, twice, later, never. Handshakes and opening words go straight through.
 */
export interface PostOffice {
  /** The address that channels of a provider are opened with. */
  url(provider: Provider): string;
  /** What has arrived and was neither handed on nor lost, oldest first. */
  held(): readonly Notification[];
  /** Hands one notification to the daemon, as it came. @throws when the daemon does not take it */
  handOn(notification: Notification): Promise<void>;
  /** Takes notifications out of the office: they are lost, or were handed on. */
  forget(notifications: Iterable<Notification>): void;
  close(): Promise<void>;
}

type Provider = 'google' | 'microsoft';

export interface Notification {
  readonly provider: Provider;
  /** The provider's name of the channel. */
  readonly channel: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param daemonUrl the origin of the daemon's HTTP server */
export async function openPostOffice(daemonUrl: string): Promise<PostOffice> {
  const held = new Set<Notification>();
  const server = createServer((request, response) => {
    void take(request, daemonUrl, held).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (provider) => `http://127.0.0.1:${port}/notifications/${provider}`,
    held: () => [...held],
    async handOn({ provider, headers, body }) {
      const { status } = await post(`${daemonUrl}/notifications/${provider}`, headers, body);
      if (status !== 202) throw new Error(`a notification was answered with ${status}`);
    },
    forget(notifications) {
      for (const one of notifications) held.delete(one);
    },
    close: () => closed(server),
  };
}

async function take(
  request: IncomingMessage,
  daemonUrl: string,
  held: Set<Notification>,
): Promise<{ status: number; body: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  const path = request.url ?? '/';
  if (request.method !== 'POST') return { status: 404, body: '' };
  const provider = path.includes('google') ? 'google' : 'microsoft';
  const headers = ownHeaders(request.headers);
  if (path.includes('validationToken') || headers['x-goog-resource-state'] === 'sync')
    return post(`${daemonUrl}${path}`, headers, body);
  if (provider === 'google') {
    held.add({ provider, channel: headers['x-goog-channel-id'] ?? '', headers, body });
    return { status: 202, body: '' };
  }
  // Several changes may come in one letter; each of them may be lost by itself.
  const { value } = JSON.parse(body) as { value: { subscriptionId: string }[] };
  for (const one of value) {
    held.add({ provider, channel: one.subscriptionId, headers, body: JSON.stringify({ value: [one] }) });
  }
  return { status: 202, body: '' };
}

/** Without those that belong to the connection it came by. */
function ownHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && (name.startsWith('x-goog-') || name === 'content-type')
        ? [[name, value]]
        : [],
    ),
  );
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<{ status: number; body: string }> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers },
    ...(body === '' ? {} : { body }),
  });
  return { status: answer.status, body: await answer.text() };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
