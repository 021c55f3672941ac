import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { DateTime } from 'luxon';
import type { LinkClaim, LinkPurpose, Links } from '../ports/links.ts';

/** The paths under the public URL. The first letters are the whole names: mail programs break long lines. */
const PATHS: Readonly<Record<LinkPurpose, string>> = { answer: 'a', unsubscribe: 'u' };
const PURPOSES: Readonly<Record<LinkPurpose, number>> = { answer: 1, unsubscribe: 2 };
const VERSION = 1;
/** Version, purpose, subject (8 bytes), person (8), seconds of the expiry (4). */
const CLAIM_BYTES = 22;
const MAC_BYTES = 32;
/** 54 bytes are 72 characters without a rest, so that one token has one spelling only. */
const TOKEN = /^[A-Za-z0-9_-]{72}$/;

/**
 * Links whose token is an HMAC-SHA256 over the claim, under a key that HKDF (RFC 5869) derives from a seal key for
 * this use alone: a token found in a mail tells nothing of what the seal key protects elsewhere.
 * @param publicUrl without a trailing slash; may have a path
 * @param sealKeys each 32 bytes in base64, at least one; the first signs, all verify, which is what a rotation needs
 */
export function createLinks(publicUrl: string, sealKeys: readonly string[]): Links {
  const keys = sealKeys.map((key) =>
    Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64'), '', 'cadenced links in mails v1', 32)),
  );
  const [signingKey] = keys;
  if (signingKey === undefined) throw new RangeError('links need a seal key');
  const sign = (key: Buffer, claim: Buffer) => createHmac('sha256', key).update(claim).digest();
  return {
    write(claim) {
      const bytes = bytesOf(claim);
      const token = Buffer.concat([bytes, sign(signingKey, bytes)]).toString('base64url');
      return `${publicUrl}/${PATHS[claim.purpose]}/${token}`;
    },
    read(purpose, token) {
      if (!TOKEN.test(token)) return null;
      const bytes = Buffer.from(token, 'base64url');
      const claim = bytes.subarray(0, CLAIM_BYTES);
      const given = bytes.subarray(CLAIM_BYTES, CLAIM_BYTES + MAC_BYTES);
      // Every key is tried, whichever fits: how long it takes tells nothing.
      const matches = keys.filter((key) => timingSafeEqual(sign(key, claim), given)).length;
      if (matches === 0) return null;
      if (claim.readUInt8(0) !== VERSION || claim.readUInt8(1) !== PURPOSES[purpose]) return null;
      return {
        purpose,
        subjectId: Number(claim.readBigUInt64BE(2)),
        personId: Number(claim.readBigUInt64BE(10)),
        expiresAt: DateTime.fromSeconds(claim.readUInt32BE(18), { zone: 'utc' }),
      };
    },
  };
}

function bytesOf(claim: LinkClaim): Buffer {
  const bytes = Buffer.alloc(CLAIM_BYTES);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt8(PURPOSES[claim.purpose], 1);
  bytes.writeBigUInt64BE(BigInt(claim.subjectId), 2);
  bytes.writeBigUInt64BE(BigInt(claim.personId), 10);
  bytes.writeUInt32BE(Math.floor(claim.expiresAt.toSeconds()), 18);
  return bytes;
}
