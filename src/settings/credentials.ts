import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { Secret } from './secret.ts';

/** A service account of Google, as far as it is needed to sign in. */
export type GoogleKey = {
  readonly clientEmail: string;
  /** The number by which an administrator delegates; older key files may lack it. */
  readonly clientId: string | null;
  readonly privateKey: Secret;
};

/** A certificate to sign in at Microsoft with. */
export type MicrosoftCertificate = {
  /** SHA-256 over the certificate, 64 hex digits, as MSAL wants it. */
  readonly thumbprintSha256: string;
  readonly privateKey: Secret;
  /** The certificate in PEM, for the `x5c` header. */
  readonly certificate: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
};

/** Either what was read, or what was expected instead. Never a word of the file: it holds a private key. */
export type Credential<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string };

const googleKeySchema = z.object({
  type: z.literal('service_account'),
  client_email: z.string().includes('@'),
  client_id: z.string().regex(/^\d+$/).nullish().catch(null),
  private_key: z.string().refine((pem) => privateKey(pem) !== null),
});

/** Reads the JSON key file of a service account as the Cloud console hands it out. */
export function readGoogleKey(text: string): Credential<GoogleKey> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refused('a JSON key file of a service account; this is no JSON');
  }
  const parsed = googleKeySchema.safeParse(json);
  if (!parsed.success) {
    const wrong = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the whole'))];
    return refused(
      `the JSON key file of a service account; in this one ${wrong.join(', ')} ${wrong.length === 1 ? 'is' : 'are'} not right`,
    );
  }
  const { client_email, client_id, private_key } = parsed.data;
  const value = {
    clientEmail: client_email,
    clientId: client_id ?? null,
    privateKey: new Secret(private_key),
  };
  return { ok: true, value };
}

/** Reads a PEM file that holds a certificate and its private key, in any order. */
export function readMicrosoftCertificate(text: string): Credential<MicrosoftCertificate> {
  const certificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(text)?.[0];
  const pem = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+?-----END \1PRIVATE KEY-----/.exec(text)?.[0];
  if (certificate === undefined || pem === undefined) {
    const missing = certificate === undefined ? 'certificate' : 'private key';
    return refused(`a PEM file with a certificate and its private key; this one has no ${missing}`);
  }
  if (/ENCRYPTED/.test(pem)) return refused('a private key without a passphrase');
  const key = privateKey(pem);
  const parsed = parseCertificate(certificate);
  if (key === null || parsed === null) {
    return refused(`a PEM file whose ${key === null ? 'private key' : 'certificate'} can be read`);
  }
  if (!parsed.checkPrivateKey(key)) {
    return refused('a certificate with its own private key; this key belongs to another certificate');
  }
  return {
    ok: true,
    value: {
      thumbprintSha256: parsed.fingerprint256.replaceAll(':', '').toLowerCase(),
      privateKey: new Secret(pem),
      certificate,
      expiresAt: parsed.validToDate.toISOString(),
    },
  };
}

function privateKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null; // OpenSSL's own words would tell nobody more than that it is no key.
  }
}

function parseCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null; // As above.
  }
}

function refused(expected: string): { readonly ok: false; readonly expected: string } {
  return { ok: false, expected };
}
