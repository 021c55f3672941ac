import { failure, isFailure } from '../../domain/failure.ts';
import type { Ask, Graph } from './client.ts';
import type { Directory } from './directory.ts';

const KEPT = 5_000;

/**
 * A Graph that also finds the mailbox of somebody whose address is not their principal name, as `ada@` is not
 * where people sign in as `a.blum@`. Paths take principal names and object ids only, so a user Graph does not
 * know is looked up among all addresses once; reading users needs a permission that most mailboxes do without.
 * An id is good for as long as its account: one that was deleted and made anew has the old address and another id.
 */
export function byAnyAddress(graph: Graph, directory: Directory): Graph {
  const objectIds = new Map<string, string>();

  /** `path` with the mailbox's address replaced by its owner's object id, when that is known. */
  function located(path: string, address: string): string {
    const id = objectIds.get(address);
    const prefix = userPath(address);
    return id === undefined || !path.startsWith(prefix) ? path : `/users/${id}/${path.slice(prefix.length)}`;
  }

  /** @returns the object id of whoever has the address now; `null` where nobody has, or users may not be read */
  async function find(address: string, signal: AbortSignal): Promise<string | null> {
    const user = await directory.userOf(address, signal);
    if (typeof user === 'string') return null;
    if (objectIds.size >= KEPT) objectIds.clear();
    objectIds.set(address, user.id);
    return user.id;
  }

  return {
    pathOf: (link) => graph.pathOf(link),
    send: (method, path, body, ask) => graph.send(method, path, body, ask),
    async get(path: string, ask: Ask) {
      const asked = located(path, ask.mailbox);
      try {
        return await graph.get(asked, ask);
      } catch (error) {
        const name = userIn(asked);
        if (name === null || !isFailure(error, 'gone') || error.code !== 'user_gone') throw error;
        const isId = !asked.startsWith(userPath(ask.mailbox));
        if (isId) {
          objectIds.delete(ask.mailbox);
          directory.forget(ask.mailbox);
        }
        const id = await find(ask.mailbox, ask.signal);
        if (id === null || id === name) throw error;
        // What Graph keeps for its links it kept of a mailbox that is no more.
        if (isId && /[?&]\$(delta|skip)token=/i.test(asked)) {
          throw failure.gone('cursor_lost', {
            provider: 'microsoft',
            detail: 'another account has the address now',
            cause: error,
          });
        }
        return graph.get(asked.replace(USER, `/users/${id}/`), ask);
      }
    },
  };
}

// Graph's own links quote ids in either way.
const USER = /^\/users(?:\/([^/?]+)|\('([^']+)'\))\//i;

/** Whose mailbox a path leads to, by address or id; `null` where it leads to none. */
function userIn(path: string): string | null {
  const [, plain, quoted] = USER.exec(path) ?? [];
  const name = plain ?? quoted;
  return name === undefined ? null : decodeURIComponent(name);
}

function userPath(address: string): string {
  return `/users/${encodeURIComponent(address)}/`;
}
