import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** The address a listening server can be reached at, with brackets where IPv6 needs them. */
export function baseUrl(app: FastifyInstance): string {
  const address = app.server.address() as AddressInfo | null;
  if (address === null) throw new Error('the server does not listen yet');
  const host = address.address.includes(':') ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
