import { failure } from '../../domain/failure.ts';
import type { Ask, Graph } from './client.ts';
import { pageOf, type WirePage } from './wire.ts';

/** A page holds 100 rows at most; a listing longer than this is a defect, ours or Graph's. */
const MAX_PAGES = 1_000;

/**
 * Every page of a listing, links followed on the configured origin only. The client's own iterator drops the
 * headers after the first page and does not wait for whoever reads.
 * @param first path and query of the first page
 * @param read checks a page's shape
 * @throws Failure, `transient`/`endless_pages` when a link comes back or the pages do not end
 */
export async function* pagesFrom(
  graph: Graph,
  first: string,
  ask: Ask,
  read: (body: unknown) => WirePage = pageOf,
): AsyncGenerator<WirePage, void, undefined> {
  const visited = new Set<string>();
  let path: string | undefined = first;
  while (path !== undefined) {
    if (visited.has(path) || visited.size >= MAX_PAGES) {
      throw failure.transient('endless_pages', { provider: 'microsoft' });
    }
    visited.add(path);
    const { body } = await graph.get(path, ask);
    const page = read(body);
    const next = page['@odata.nextLink'];
    path = next === undefined ? undefined : graph.pathOf(next);
    yield page;
  }
}
