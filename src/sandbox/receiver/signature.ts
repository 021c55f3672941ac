import { createHmac, timingSafeEqual } from 'node:crypto';

/** Why a delivery was not believed. */
export type SignatureFault =
  | 'headers_missing'
  | 'timestamp_malformed'
  | 'timestamp_out_of_tolerance'
  | 'signature_mismatch';

export type SignatureVerdict =
  | { readonly verified: true }
  | { readonly verified: false; readonly fault: SignatureFault };

const TOLERANCE_SECONDS = 300;

/**
 * Checks a delivery as an independent receiver would, from the text of Standard Webhooks 1.0
 * (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body` with the bytes behind `whsec_`; the
 * header holds any number of `v1,<base64>` separated by spaces and one match is enough; the timestamp may be five
 * minutes off. Written without the sender's library on purpose: two sides sharing one library would agree on its
 * mistakes.
 *
 * `now` is real time in epoch milliseconds: signatures are never made on a shifted clock.
 */
export function verifySignature(delivery: {
  readonly secrets: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly now: number;
}): SignatureVerdict {
  const id = single(delivery.headers['webhook-id']);
  const timestamp = single(delivery.headers['webhook-timestamp']);
  const signatures = single(delivery.headers['webhook-signature']);
  if (id === null || timestamp === null || signatures === null) {
    return { verified: false, fault: 'headers_missing' };
  }
  if (!/^\d{1,12}$/.test(timestamp)) return { verified: false, fault: 'timestamp_malformed' };
  if (Math.abs(delivery.now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    return { verified: false, fault: 'timestamp_out_of_tolerance' };
  }
  const offered = signatures
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => Buffer.from(part.slice(3), 'base64'));
  const matches = delivery.secrets.some((secret) => {
    const wanted = createHmac('sha256', secretBytes(secret))
      .update(`${id}.${timestamp}.`)
      .update(delivery.body)
      .digest();
    return offered.some((bytes) => bytes.length === wanted.length && timingSafeEqual(bytes, wanted));
  });
  return matches ? { verified: true } : { verified: false, fault: 'signature_mismatch' };
}

function secretBytes(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}

function single(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && header !== '' ? header : null;
}
