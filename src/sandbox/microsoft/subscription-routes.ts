import { refusals } from './graph-errors.ts';
import { GraphAnswer, type GraphRequest, type GraphServer } from './graph-server.ts';
import { pageOf } from './odata.ts';
import type { SubscriptionDesk } from './subscriptions.ts';

/** Adds `/subscriptions`. */
export function addSubscriptionRoutes(server: GraphServer, desk: SubscriptionDesk): void {
  const idOf = ({ params }: GraphRequest) => params.id ?? '';
  const entity = (request: GraphRequest, body: Record<string, unknown>) => ({
    '@odata.context': `${request.origin}/v1.0/$metadata#subscriptions/$entity`,
    ...body,
  });

  server.route('POST', '/subscriptions', async (request) => {
    const made = await desk.create(request.body, request.preferences.immutableIds);
    return new GraphAnswer(201, entity(request, made));
  });
  server.get('/subscriptions', false, (request) => {
    if (request.query.has('$filter')) throw refusals.badRequest('$filter is not supported.');
    return pageOf(desk.list(), request);
  });
  server.get('/subscriptions/:id', false, (request) => entity(request, desk.read(idOf(request))));
  server.route('PATCH', '/subscriptions/:id', async (request) =>
    entity(request, await desk.renew(idOf(request), request.body)),
  );
  server.route('DELETE', '/subscriptions/:id', (request) => {
    desk.remove(idOf(request));
    return new GraphAnswer(204, null);
  });
  server.route('POST', '/subscriptions/:id/reauthorize', (request) => {
    desk.reauthorize(idOf(request));
    return new GraphAnswer(204, null);
  });
}
