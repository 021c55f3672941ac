import { isFailure } from '../../domain/failure.ts';
import type { Ask, Graph } from './client.ts';
import { pageOf, resourceOf, type WireUser, wireUser } from './wire.ts';

/** A person of the tenant. */
export type DirectoryUser = {
  /** Entra's object id. */
  readonly id: string;
  /** All addresses, lower-case. */
  readonly addresses: readonly string[];
};

export type Directory = {
  /**
   * Finds a user by object id, principal name or any address.
   * @returns `unknown` for somebody outside of the tenant, `denied` where the application may not read users
   * @throws Failure where the answer is neither
   */
  userOf(key: string, signal: AbortSignal): Promise<DirectoryUser | 'unknown' | 'denied'>;
  /** Forgets a user whose id led nowhere. */
  forget(key: string): void;
};

const FIELDS = '$select=id,mail,userPrincipalName,proxyAddresses';
const KEPT = 5_000;

/** The tenant's users, each asked for once while the process lives. */
export function createDirectory(graph: Graph): Directory {
  const known = new Map<string, DirectoryUser>();

  async function find(key: string, ask: Ask): Promise<WireUser | undefined> {
    try {
      const { body } = await graph.get(`/users/${encodeURIComponent(key)}?${FIELDS}`, ask);
      return resourceOf(wireUser, body);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (!key.includes('@')) return undefined;
    // The path takes ids and principal names; other addresses of a person are found through a filter only.
    const filter = encodeURIComponent(`proxyAddresses/any(a:a eq 'smtp:${key.replaceAll("'", "''")}')`);
    try {
      const { body } = await graph.get(`/users?$filter=${filter}&${FIELDS}`, ask);
      const [first] = pageOf(body).value;
      return first === undefined ? undefined : resourceOf(wireUser, first);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  return {
    async userOf(key, signal) {
      const held = known.get(key);
      if (held !== undefined) return held;
      try {
        const found = await find(key, { mailbox: 'directory', signal });
        if (found === undefined) return 'unknown';
        const user = { id: found.id, addresses: addressesOf(found) };
        if (known.size >= KEPT) known.clear();
        known.set(key, user);
        return user;
      } catch (error) {
        if (isFailure(error) && error.code === 'access_denied') return 'denied';
        throw error;
      }
    },
    forget(key) {
      known.delete(key);
    },
  };
}

function isNotFound(error: unknown): boolean {
  return isFailure(error, 'gone') && error.code === 'user_gone';
}

/** Guests of the tenant have a made-up principal name, `ada_example.org#EXT#@tenant`, that is no address. */
function addressesOf(user: WireUser): string[] {
  const proxies = (user.proxyAddresses ?? []).map((proxy) => /^smtp:(.+)$/i.exec(proxy)?.[1]);
  const all = [user.mail, user.userPrincipalName, ...proxies]
    .filter((address) => typeof address === 'string')
    .map((address) => address.trim().normalize('NFC').toLowerCase())
    .filter((address) => address.includes('@') && !address.includes('#ext#'));
  return [...new Set(all)];
}
