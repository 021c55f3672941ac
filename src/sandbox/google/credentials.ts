import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { DIGITS, HEX, type Random } from '../world/random.ts';

/** The content of a service account's key file, as the Cloud console hands it out. */
export interface ServiceAccountKey {
  type: 'service_account';
  project_id: string;
  private_key_id: string;
  private_key: string;
  client_email: string;
  client_id: string;
  auth_uri: string;
  token_uri: string;
  universe_domain: string;
}

export interface Credentials {
  key: ServiceAccountKey;
  publicKey: KeyObject;
}

/**
 * Makes a service account with a fresh key. Ids come from the seed; the RSA key does not, for a private key
 * that anybody can make again is none.
 */
export function createCredentials(random: Random): Credentials {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicKey,
    key: {
      type: 'service_account',
      project_id: 'sandbox-mentoring',
      private_key_id: random.text(HEX, 40),
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      client_email: 'reader@sandbox-mentoring.iam.gserviceaccount.com',
      client_id: `1${random.text(DIGITS, 20)}`,
      auth_uri: 'https://accounts.google.com/o/oauth2/auth',
      token_uri: 'https://oauth2.googleapis.com/token',
      universe_domain: 'googleapis.com',
    },
  };
}
