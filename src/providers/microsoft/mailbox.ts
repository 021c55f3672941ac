import { isFailure } from '../../domain/failure.ts';
import type { Ask, Graph } from './client.ts';
import type { Directory } from './directory.ts';

const KEPT = 5_000;

/**
 * A Graph that also finds the mailbox of somebody whose address is not their principal name, as `ada@` is not
 * where people sign in as `a.blum@`. Paths take principal names and object ids only, so a user Graph does not
 * know is looked up among all addresses once; reading users needs a permission that most mailboxes do without.
 */
export function byAnyAddress(graph: Graph, directory: Directory): Graph {
  const objectIds = new Map<string, string>();

  /** `path` with the mailbox's address replaced by its owner's object id, when that is known. */
  function located(path: string, address: string): string {
    const id = objectIds.get(address);
    const prefix = userPath(address);
    return id === undefined || !path.startsWith(prefix) ? path : `/users/${id}/${path.slice(prefix.length)}`;
  }

  async function find(address: string, signal: AbortSignal): Promise<boolean> {
    const user = await directory.userOf(address, signal);
    if (typeof user === 'string') return false;
    if (objectIds.size >= KEPT) objectIds.clear();
    objectIds.set(address, user.id);
    return true;
  }

  return {
    pathOf: (link) => graph.pathOf(link),
    send: (method, path, body, ask) => graph.send(method, path, body, ask),
    async get(path: string, ask: Ask) {
      const asked = located(path, ask.mailbox);
      try {
        return await graph.get(asked, ask);
      } catch (error) {
        const unknown = isFailure(error, 'gone') && error.code === 'user_gone';
        const byAddress = asked.startsWith(userPath(ask.mailbox));
        if (!unknown || !byAddress || !(await find(ask.mailbox, ask.signal))) throw error;
        return graph.get(located(path, ask.mailbox), ask);
      }
    },
  };
}

function userPath(address: string): string {
  return `/users/${encodeURIComponent(address)}/`;
}
