import ipaddr from 'ipaddr.js';
import { DateTime, Duration } from 'luxon';
import { z } from 'zod';
import { ADDRESS_EXPECTED, isAddress, normalAddress } from '../domain/notation.ts';

/**
 * How the values of environment variables are read. A schema takes the text of the variable and gives the typed
 * value; when it refuses, the message is what was expected. No message repeats the text: it may be a secret.
 */

type Read<T> = (text: string) => T | null;

function readWith<T>(expected: string, read: Read<T>) {
  return z.string().transform((text, context): T => {
    const value = read(text);
    if (value !== null) return value;
    context.issues.push({ code: 'custom', message: expected, input: text });
    return z.NEVER;
  });
}

/** Whether a host name or literal address never leaves this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true;
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === 'loopback';
}

/** A trimmed text that matches. */
export function text(expected: string, pattern: RegExp) {
  return readWith(expected, (typed) => (pattern.test(typed) ? typed : null));
}

/**
 * An `https://` address, or `http://` on this machine, without credentials, query or fragment. With
 * `path: 'none'` it is an origin; a trailing slash is dropped in any case, so that paths can be appended.
 */
export function webAddress(expected: string, path: 'none' | 'optional' | 'required') {
  return readWith(expected, (typed) => {
    const url = URL.parse(typed);
    if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
      return null;
    }
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) return null;
    const hasPath = url.pathname !== '/';
    if ((path === 'none' && hasPath) || (path === 'required' && !hasPath)) return null;
    return url.href.replace(/\/+$/, '');
  });
}

/** The address of a Postgres database, as `pg` takes it. */
export function databaseAddress(expected: string) {
  return readWith(expected, (typed) => {
    const url = URL.parse(typed);
    const named = url !== null && url.pathname.length > 1;
    return named && ['postgres:', 'postgresql:'].includes(url.protocol) ? typed : null;
  });
}

/** The address of a mail relay, `smtp://` (STARTTLS where offered) or `smtps://`. */
export function relayAddress(expected: string) {
  return readWith(expected, (typed) => {
    const url = URL.parse(typed);
    if (url === null || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') return null;
    if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') return null;
    // A bare % in a password is the usual slip; it would surface only when the first mail is sent.
    if (/%(?![\dA-F]{2})/i.test(`${url.username}${url.password}`)) return null;
    return { url: typed, host: url.hostname };
  });
}

/** A TCP port; 0 lets the system choose a free one. */
export function port(expected: string) {
  return readWith(expected, (typed) => {
    const number = /^\d{1,5}$/.test(typed) ? Number(typed) : Number.NaN;
    return number <= 65_535 ? number : null;
  });
}

/** One plain mail address. */
export function mailAddress() {
  return readWith(ADDRESS_EXPECTED, (typed) => {
    const normal = normalAddress(typed);
    return isAddress(normal) ? normal : null;
  });
}

/** A sender: an address in ASCII, or a name with one in angle brackets. Its domain goes into header fields. */
export function sender(expected: string) {
  return readWith(expected, (typed) => {
    const [, name, bracketed] = /^([^<>"\r\n]*)<([^<>]+)>$/.exec(typed) ?? [];
    const plain = bracketed ?? typed;
    const named = bracketed === undefined || name?.trim() !== '';
    return named && /^[\x21-\x7e]+$/.test(plain) && isAddress(normalAddress(plain)) ? typed : null;
  });
}

/** One secret, or two separated by a comma: the credential that is being replaced and its successor. */
export function secrets(expected: string) {
  return readWith(expected, (typed) => {
    const given = listed(typed);
    const right = given.length >= 1 && given.length <= 2 && given.every((secret) => /^\S+$/.test(secret));
    return right && new Set(given).size === given.length ? given : null;
  });
}

/** Comma-separated keys of 32 bytes in base64 (plain or URL-safe), each in plain base64. */
export function sealKeys(expected: string) {
  return readWith(expected, (typed) => {
    const keys = listed(typed).map((key) => Buffer.from(key, 'base64'));
    const right = listed(typed).every((key) => /^[\w+/-]{43}=?$/.test(key));
    const texts = keys.map((key) => key.toString('base64'));
    // A key twice is a rotation that somebody believes to have happened.
    return right && keys.length > 0 && new Set(texts).size === texts.length ? texts : null;
  });
}

/** Comma-separated addresses and CIDR ranges, IPv4 or IPv6, normalised to ranges. The whole internet is none. */
export function addressRanges(expected: string) {
  return readWith(expected, (typed) => {
    const ranges = listed(typed).map((entry) => {
      if (ipaddr.isValidCIDR(entry)) {
        const [address, bits] = ipaddr.parseCIDR(entry);
        return bits === 0 ? null : `${address.toString()}/${bits}`;
      }
      if (!ipaddr.isValid(entry) || (/^[\d.]+$/.test(entry) && !ipaddr.IPv4.isValidFourPartDecimal(entry)))
        return null;
      const address = ipaddr.parse(entry);
      return `${address.toString()}/${address.kind() === 'ipv4' ? 32 : 128}`;
    });
    const right = ranges.filter((range) => range !== null);
    return right.length === ranges.length && right.length > 0 ? right : null;
  });
}

/** How the daemon's clock is moved: to an instant, or by a signed duration. */
export type MovedClock =
  | { readonly kind: 'instant'; readonly instant: string }
  | { readonly kind: 'offset'; readonly offset: string };

/** An instant with its offset (`2026-03-29T00:30:00Z`), or a signed ISO 8601 duration (`+P3D`, `-PT1H`). */
export function movedClock(expected: string) {
  return readWith<MovedClock>(expected, (typed) => {
    const signed = /^([+-])(P.+)$/.exec(typed);
    if (signed) {
      const duration = Duration.fromISO(signed[2] ?? '');
      if (!duration.isValid) return null;
      const offset = (signed[1] === '-' ? duration.negate() : duration).toISO();
      return offset === null ? null : { kind: 'offset', offset };
    }
    // Without an offset it would mean another instant on every machine.
    if (!/T.*(Z|[+-]\d\d(:?\d\d)?)$/i.test(typed)) return null;
    const instant = DateTime.fromISO(typed, { zone: 'utc' });
    return instant.isValid ? { kind: 'instant', instant: instant.toISO() } : null;
  });
}

export function oneOfWords<T extends string>(words: readonly T[]) {
  return readWith(`one of ${words.join(', ')}`, (typed) => words.find((word) => word === typed) ?? null);
}

function listed(typed: string): string[] {
  return typed
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
