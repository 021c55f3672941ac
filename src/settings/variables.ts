import type { z } from 'zod';
import {
  addressRanges,
  databaseAddress,
  mailAddress,
  movedClock,
  oneOfWords,
  port,
  relayAddress,
  sealKeys,
  secrets,
  sender,
  text,
  webAddress,
} from './env-schemas.ts';

/**
 * Every environment variable the daemon reads, once: the parser, the complaint about unknown variables and
 * `config/cadenced.env.example` are all made from this table.
 */

type Variable = {
  readonly schema: z.ZodType<unknown, string>;
  /** Never printed, and may be given as `NAME_FILE` instead. None has a default. */
  readonly secret: boolean;
  /** What it does and when it is needed, for the example file. */
  readonly about: string;
  readonly example: string;
};

/** The groups of the example file, in its order. */
export const VARIABLE_GROUPS = [
  ['The program', ['CADENCED_CONFIG', 'CADENCED_SEAL_KEYS']],
  ['Database', ['DATABASE_URL', 'CADENCED_DATA_DIR']],
  [
    'Google Workspace',
    [
      'CADENCED_GOOGLE_KEY_FILE',
      'CADENCED_GOOGLE_ADMIN_SUBJECT',
      'CADENCED_GOOGLE_API_URL',
      'CADENCED_GOOGLE_TOKEN_URL',
    ],
  ],
  [
    'Microsoft 365',
    [
      'CADENCED_MICROSOFT_TENANT',
      'CADENCED_MICROSOFT_CLIENT_ID',
      'CADENCED_MICROSOFT_CLIENT_SECRET',
      'CADENCED_MICROSOFT_CERTIFICATE_FILE',
      'CADENCED_MICROSOFT_GRAPH_URL',
      'CADENCED_MICROSOFT_TOKEN_URL',
      'CADENCED_MICROSOFT_NEGATIVE_PROBE',
    ],
  ],
  ['Mail', ['CADENCED_SMTP_URL', 'CADENCED_MAIL_FROM']],
  [
    'Network',
    [
      'CADENCED_PUBLIC_URL',
      'CADENCED_HOST',
      'CADENCED_PORT',
      'CADENCED_METRICS_HOST',
      'CADENCED_METRICS_PORT',
      'CADENCED_TRUST_PROXY',
      'CADENCED_EVENTS_TOKEN',
      'CADENCED_WEBHOOK_ALLOW',
    ],
  ],
  ['Running', ['CADENCED_LOG_LEVEL', 'CADENCED_CLOCK']],
] as const satisfies readonly (readonly [string, readonly (keyof typeof VARIABLES)[]])[];

const RANGES_EXPECTED = 'addresses or ranges such as 10.1.2.3,10.20.0.0/16,fd00::/8, separated by commas';
const HOST_EXPECTED = 'an address of this machine such as 127.0.0.1, 0.0.0.0 or ::';
const HOST = /^(?:localhost|[\d.]+|[\da-f:]+)$/i;
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const VARIABLES = {
  CADENCED_CONFIG: {
    schema: text('the path of a YAML file', /\S/),
    secret: false,
    about: 'Path of the YAML file that names the programs and their rules (config/example.yaml).',
    example: '/etc/cadenced/cadenced.yaml',
  },
  CADENCED_SEAL_KEYS: {
    schema: sealKeys(
      '32 random bytes in base64 (openssl rand -base64 32); several different ones separated by commas',
    ),
    secret: true,
    about:
      'Keys that protect links in mails, channel tokens and webhook secrets. Make one with: openssl rand -base64 32. ' +
      'To rotate put a new key in front and keep the old ones: the first seals, all open.',
    example: 'put-the-output-of-openssl-rand-here',
  },
  DATABASE_URL: {
    schema: databaseAddress('postgres://USER:PASSWORD@HOST:PORT/DATABASE'),
    secret: true,
    about:
      'PostgreSQL 15 or newer. Without it the daemon starts a PostgreSQL of its own in CADENCED_DATA_DIR; ' +
      'the container image has none and needs this.',
    example: 'postgres://cadenced:PASSWORD@db.example.org:5432/cadenced',
  },
  CADENCED_DATA_DIR: {
    schema: text('an absolute path of a folder', /^(?:\/|[A-Za-z]:[\\/])/),
    secret: false,
    about:
      'Where the built-in PostgreSQL keeps its data; not together with DATABASE_URL. Default: /var/lib/cadenced for ' +
      'root, $XDG_STATE_HOME/cadenced (or ~/.local/state/cadenced) for others.',
    example: '/var/lib/cadenced',
  },
  CADENCED_GOOGLE_KEY_FILE: {
    schema: text('the path of a JSON key file', /\S/),
    secret: false,
    about:
      'Path of the JSON key of a service account with domain-wide delegation. Google is read if and only if this is set.',
    example: '/run/secrets/google-key.json',
  },
  CADENCED_GOOGLE_ADMIN_SUBJECT: {
    schema: mailAddress(),
    secret: false,
    about:
      'Administrator in whose name Google Reports and the directory are read; only attendance evidence needs it.',
    example: 'admin@example.org',
  },
  CADENCED_GOOGLE_API_URL: {
    schema: webAddress('an https:// origin without a path (http:// for loopback only)', 'none'),
    secret: false,
    about: 'One origin in place of all Google APIs: for a proxy or a test.',
    example: 'https://google-proxy.example.org',
  },
  CADENCED_GOOGLE_TOKEN_URL: {
    schema: webAddress('an https:// address with its path (http:// for loopback only)', 'required'),
    secret: false,
    about: "Full token endpoint in place of Google's: for a proxy or a test.",
    example: 'https://google-proxy.example.org/token',
  },
  CADENCED_MICROSOFT_TENANT: {
    schema: text('a tenant id or domain', /^[\w.-]+$/),
    secret: false,
    about:
      'Tenant id or domain. Microsoft is read if and only if this, the client id and one credential are set.',
    example: 'contoso.example',
  },
  CADENCED_MICROSOFT_CLIENT_ID: {
    schema: text('the application (client) id of the app registration', /^[\w.-]+$/),
    secret: false,
    about: 'Application (client) id of the app registration.',
    example: '00000000-0000-0000-0000-000000000000',
  },
  CADENCED_MICROSOFT_CLIENT_SECRET: {
    schema: secrets(
      'the value of a client secret, without blanks; two separated by a comma while they are rotated',
    ),
    secret: true,
    about:
      'Client secret (its value, not its id). A certificate is the better choice. While credentials are rotated give ' +
      'two secrets separated by a comma, or a secret and a certificate: the certificate is tried first.',
    example: 'put-the-secret-here',
  },
  CADENCED_MICROSOFT_CERTIFICATE_FILE: {
    schema: text('the path of a PEM file', /\S/),
    secret: false,
    about: 'Path of a PEM file holding a certificate and its unencrypted private key.',
    example: '/run/secrets/microsoft-certificate.pem',
  },
  CADENCED_MICROSOFT_GRAPH_URL: {
    schema: webAddress('an https:// origin without /v1.0 (http:// for loopback only)', 'none'),
    secret: false,
    about: 'Origin of Microsoft Graph, without /v1.0: for a national cloud, a proxy or a test.',
    example: 'https://graph.microsoft.us',
  },
  CADENCED_MICROSOFT_TOKEN_URL: {
    schema: webAddress('an https:// address with its path (http:// for loopback only)', 'required'),
    secret: false,
    about: 'Full token endpoint: for a national cloud, a proxy or a test.',
    example: 'https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token',
  },
  CADENCED_MICROSOFT_NEGATIVE_PROBE: {
    schema: mailAddress(),
    secret: false,
    about:
      'A mailbox of the tenant that this daemon must not be able to read. cadenced doctor tries it and fails when it can.',
    example: 'ceo@contoso.example',
  },
  CADENCED_SMTP_URL: {
    schema: relayAddress('smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465'),
    secret: true,
    about: 'Mail relay, credentials percent-encoded. Without it nobody gets mail; needs CADENCED_MAIL_FROM.',
    example: 'smtp://cadenced:PASSWORD@mail.example.org:587',
  },
  CADENCED_MAIL_FROM: {
    schema: sender('an address, or a name with the address in angle brackets'),
    secret: false,
    about: 'Sender of all mails.',
    example: 'Mentoring <mentoring@example.org>',
  },
  CADENCED_PUBLIC_URL: {
    schema: webAddress('an https:// address (http:// for loopback only)', 'optional'),
    secret: false,
    about:
      'Where the providers and the links in mails reach this daemon. Without it calendars are polled, and mails carry ' +
      'no answer links.',
    example: 'https://cadenced.example.org',
  },
  CADENCED_HOST: {
    schema: text(HOST_EXPECTED, HOST),
    secret: false,
    about: 'Address to listen on. Default 127.0.0.1; the container image says 0.0.0.0.',
    example: '0.0.0.0',
  },
  CADENCED_PORT: {
    schema: port('a port from 0 to 65535'),
    secret: false,
    about: 'Port to listen on; 0 takes a free one. Default 8080.',
    example: '8080',
  },
  CADENCED_METRICS_HOST: {
    schema: text(HOST_EXPECTED, HOST),
    secret: false,
    about:
      'Address of the metrics listener. Default 127.0.0.1; metrics have no login, so open it to your scraper only.',
    example: '0.0.0.0',
  },
  CADENCED_METRICS_PORT: {
    schema: port('a port from 0 to 65535'),
    secret: false,
    about: 'Port of the metrics listener; 0 takes a free one. Default 9090.',
    example: '9090',
  },
  CADENCED_TRUST_PROXY: {
    schema: addressRanges(RANGES_EXPECTED),
    secret: false,
    about: 'Reverse proxies whose X-Forwarded-For is believed. Default none.',
    example: '10.0.0.5',
  },
  CADENCED_EVENTS_TOKEN: {
    schema: text('at least 32 characters without blanks', /^\S{32,}$/),
    secret: true,
    about: 'Bearer token for GET /events. Without it only this machine itself may read them.',
    example: 'put-at-least-32-random-characters-here',
  },
  CADENCED_WEBHOOK_ALLOW: {
    schema: addressRanges(RANGES_EXPECTED),
    secret: false,
    about:
      'Private addresses that webhooks may be sent to. All others must be public and https. Default none.',
    example: '10.20.0.0/16',
  },
  CADENCED_LOG_LEVEL: {
    schema: oneOfWords(LEVELS),
    secret: false,
    about: `How much is logged: ${LEVELS.join(', ')}. Default info.`,
    example: 'info',
  },
  CADENCED_CLOCK: {
    schema: movedClock('an instant such as 2026-03-29T00:30:00Z, or a signed duration such as +P3D or -PT1H'),
    secret: false,
    about:
      'For trials only: moves the clock. Refused unless every provider and the mail relay are on this machine.',
    example: '+P3D',
  },
} as const satisfies { readonly [name: string]: Variable };

export type VariableName = keyof typeof VARIABLES;

/** The typed values of the variables that were given. */
export type Environment = { readonly [N in VariableName]?: z.output<(typeof VARIABLES)[N]['schema']> };

/** Variables of the project's own checks, which the processes under test inherit. */
export const TEST_VARIABLES: readonly string[] = ['CADENCED_CORPUS'];
