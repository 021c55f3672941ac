import { lookup as resolve } from 'node:dns/promises';
import { Agent as HttpAgent, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { RequestFilteringHttpsAgent } from 'request-filtering-agent';

/** How one request may leave, or why it may not. */
export type Egress =
  | { readonly allowed: true; readonly scheme: 'http' | 'https'; readonly options: RequestOptions }
  | { readonly allowed: false; readonly reason: 'url_not_allowed' | 'dns' };

export type EgressGuard = (url: string) => Promise<Egress>;

type Cidr = ReturnType<typeof ipaddr.parseCIDR>;

/**
 * Decides where webhooks may go, because their URLs are typed by people whom the network trusts less than
 * this process. Public addresses over https always; anything else only where the operator's list says so, and
 * plain http only to this machine itself.
 *
 * Public destinations go through request-filtering-agent, which judges every address that DNS gives at the
 * moment of connecting. The operator's list is not handed to that agent: it compares a CIDR of one family
 * with an address of the other by an exception, which prints a stack trace at each dual-stack receiver.
 * Listed destinations are resolved here instead and the connection is pinned to the addresses just judged,
 * so that a second DNS answer cannot swap them.
 *
 * @param allow CIDRs or single addresses, IPv4 or IPv6. @throws RangeError naming the entry that is neither.
 */
export function createEgressGuard(allow: readonly string[]): EgressGuard {
  const listed = allow.map(parseRange);
  const publicAgent = new RequestFilteringHttpsAgent();

  return async (text) => {
    const url = URL.parse(text);
    if (url === null || url.username !== '' || url.password !== '') return refused('url_not_allowed');
    const isPlain = url.protocol === 'http:';
    if (!isPlain && url.protocol !== 'https:') return refused('url_not_allowed');
    if (listed.length === 0) {
      // The agent refuses what is not public; plain http has no public use.
      return isPlain ? refused('url_not_allowed') : overPublic(publicAgent);
    }
    // The URL parser has already turned 2130706433, 0x7f.1 and 017700000001 into 127.0.0.1.
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(host) === 0 ? await resolveAll(host) : [host];
    if (addresses.length === 0) return refused('dns');
    const parsed = addresses.map((address) => ipaddr.process(address));
    const isListed = parsed.every((address) =>
      listed.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits)),
    );
    if (!isListed) return isPlain ? refused('url_not_allowed') : overPublic(publicAgent);
    if (isPlain && !parsed.every((address) => address.range() === 'loopback'))
      return refused('url_not_allowed');
    return overPinned(isPlain, addresses);
  };
}

function refused(reason: 'url_not_allowed' | 'dns'): Egress {
  return { allowed: false, reason };
}

function overPublic(agent: HttpsAgent): Egress {
  return { allowed: true, scheme: 'https', options: { agent } };
}

function overPinned(isPlain: boolean, addresses: readonly string[]): Egress {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
  const lookup: LookupFunction = (_host, options, callback) => {
    const first = pinned[0] as { address: string; family: number };
    if (options.all === true) callback(null, pinned);
    else callback(null, first.address, first.family);
  };
  // An agent of its own: a kept connection must not serve a later request that was judged differently.
  const agent = isPlain ? new HttpAgent({ lookup }) : new HttpsAgent({ lookup });
  return { allowed: true, scheme: isPlain ? 'http' : 'https', options: { agent, lookup } };
}

async function resolveAll(host: string): Promise<string[]> {
  try {
    return (await resolve(host, { all: true })).map(({ address }) => address);
  } catch {
    // A name that does not resolve now may resolve at the next attempt; the caller is told by the empty list.
    return [];
  }
}

function parseRange(text: string): Cidr {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (ipaddr.isValid(text)) {
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  }
  throw new RangeError(`${text} is neither an address nor a CIDR`);
}
