import Fastify from 'fastify';
import { baseUrl } from './listening.ts';

/** What prom-client's Registry offers, as far as it is needed here. */
export type MetricsRegistry = { readonly contentType: string; metrics(): Promise<string> };

export type MetricsListener = {
  /** Loopback unless the operator says otherwise: metrics name calendars and programs. */
  readonly host?: string;
  readonly port: number;
  readonly registry: MetricsRegistry;
};

export type MetricsServer = {
  listen(): Promise<void>;
  close(): Promise<void>;
  readonly url: string;
};

/** `GET /metrics` on a listener of its own, so that opening the public port never opens this. */
export function createMetricsServer({ host = '127.0.0.1', port, registry }: MetricsListener): MetricsServer {
  const app = Fastify({ logger: false, requestTimeout: 10_000, forceCloseConnections: true });
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', registry.contentType).send(await registry.metrics()),
  );
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not_found' }));
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send({ error: 'unavailable' }));
  return {
    async listen() {
      await app.listen({ host, port });
    },
    async close() {
      await app.close();
    },
    get url() {
      return baseUrl(app);
    },
  };
}
