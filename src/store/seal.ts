import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { failure } from '../domain/failure.ts';

/**
 * Encrypts secrets that must be stored (signing secrets of webhook endpoints), so that a copy of the database alone
 * gives nobody a key. AES-256-GCM; the first key seals, every key opens, which is what a rotation needs.
 */
export interface Seal {
  seal(secret: string): string;
  /** @throws Failure `config/seal_key_missing` when none of the keys fits */
  open(sealed: string): string;
}

const VERSION = 's1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param keys each 32 bytes in base64 */
export function createSeal(keys: readonly string[]): Seal {
  const ring = keys.map((key) => Buffer.from(key, 'base64'));
  // Names the key without telling anything of it, so that opening tries one key instead of all.
  const nameOf = (key: Buffer) =>
    createHash('sha256').update('cadenced seal key').update(key).digest('hex').slice(0, 8);
  return {
    seal(secret) {
      const key = ring[0];
      if (!key)
        throw failure.config('seal_key_missing', { detail: 'set CADENCED_SEAL_KEYS to store secrets' });
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return [
        VERSION,
        nameOf(key),
        Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url'),
      ].join('.');
    },
    open(sealed) {
      const [version, name, body] = sealed.split('.');
      const key = ring.find((candidate) => nameOf(candidate) === name);
      if (version !== VERSION || !key || !body) {
        throw failure.config('seal_key_missing', {
          detail: 'no key of CADENCED_SEAL_KEYS opens a stored secret',
        });
      }
      const bytes = Buffer.from(body, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([
        decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
        decipher.final(),
      ]).toString('utf8');
    },
  };
}
