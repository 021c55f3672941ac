/**
 * What keeps secrets out of the log. It works by the names of keys and by the shape of texts, not by a list of
 * places: a client library decides anew with every release where in its errors it keeps the request.
 */

const HIDDEN = '[redacted]';

// Compared without case, `-` and `_`, as a whole or as an ending: `x-goog-channel-token`, `refreshToken`.
const SECRET_ENDINGS = [
  'authorization',
  'token',
  'secret',
  'password',
  'passphrase',
  'passwd',
  'assertion',
  'cookie',
  'apikey',
  'privatekey',
  'sealkey',
  'sealkeys',
  'clientstate',
  'credential',
  'credentials',
  'signature',
];

// A depth and a breadth, because a client's error links to its sockets and parsers and they link back.
const MAX_DEPTH = 6;
const MAX_ITEMS = 50;
const MESSAGE_LIMIT = 200;
const FRAME_LIMIT = 8;

/** What the log tells about an error. `at` holds stack frames, only for errors nobody classified. */
export type ErrorReport = {
  readonly kind: string;
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly provider?: string;
  readonly retryAfterMs?: number;
  readonly at?: readonly string[];
};

/**
 * Any error in a few harmless fields. Failures are recognised by their shape (`name`, `kind`, `code`), so that
 * this module imports nothing. All else an error carries, its `config`, `response` or `cause`, stays behind.
 */
export function describeError(error: unknown): ErrorReport {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const message = scrub(messageOf(error, fields)).slice(0, MESSAGE_LIMIT);
  if (fields.name === 'Failure' && typeof fields.kind === 'string' && typeof fields.code === 'string') {
    const thrown = fields.kind === 'bug' && fields.cause instanceof Error ? fields.cause : error;
    return {
      kind: fields.kind,
      code: fields.code,
      message,
      ...(typeof fields.status === 'number' && { status: fields.status }),
      ...(typeof fields.provider === 'string' && { provider: fields.provider }),
      ...(typeof fields.retryAfterMs === 'number' && { retryAfterMs: fields.retryAfterMs }),
      ...(fields.kind === 'bug' && { at: frames(thrown) }),
    };
  }
  const status = fields.status ?? fields.statusCode;
  const named = error instanceof Error ? error.name : 'unknown';
  return {
    kind: 'unclassified',
    code: typeof fields.code === 'string' ? scrub(fields.code).slice(0, 60) : named,
    message,
    ...(typeof status === 'number' && { status }),
    at: frames(error),
  };
}

// What HTTP clients hang on their errors. Google's client makes the answer's whole body the message.
const CLIENT_FIELDS = ['response', 'config', 'request', 'body', 'headers', 'status', 'statusCode'];

function messageOf(error: unknown, fields: Readonly<Record<string, unknown>>): string {
  if (!(error instanceof Error)) return typeof error;
  const ofClient = fields.name !== 'Failure' && CLIENT_FIELDS.some((field) => field in fields);
  return ofClient ? 'message withheld: it may quote the request or the answer' : error.message;
}

/** Where it was thrown. Only lines that name a place: the head of a stack repeats the message. */
function frames(error: unknown): readonly string[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  return error.stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, FRAME_LIMIT)
    .map((line) => line.trim().slice(3));
}

/** A copy of `value` fit to print: secrets hidden at any depth, errors described, cycles and depths cut. */
export function withoutSecrets(value: unknown): unknown {
  return copy(value, 0);
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (hasToJson(value)) return value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (value instanceof URL) return value.href;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => copy(item, depth + 1));
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries
      .slice(0, MAX_ITEMS)
      .map(([key, item]) => [String(key), isSecretKey(String(key)) ? HIDDEN : copy(item, depth + 1)]),
  );
}

/** Dates and luxon's values print themselves well; a client's error that defines `toJSON` is not trusted. */
function hasToJson(value: object): boolean {
  return value instanceof Date || ('isLuxonDateTime' in value && value.isLuxonDateTime === true);
}

function isSecretKey(key: string): boolean {
  const plain = key.toLowerCase().replaceAll(/[-_\s]/g, '');
  return SECRET_ENDINGS.some((ending) => plain.endsWith(ending));
}

// Each class of characters leaves out the quote and the backslash, so that a finished JSON line stays JSON.
const SECRET_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${HIDDEN}`],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, HIDDEN],
  [/\bya29\.[\w-]{8,}/g, HIDDEN],
  [/\bwhsec_[\w+/=]{8,}/g, HIDDEN],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'\\]*:[^\s/@"'\\]*@/gi, `$1${HIDDEN}@`],
  [
    /\b((?:access_|refresh_|id_|channel_)?token|client_secret|client_assertion|assertion|password)=[^\s&"'\\]+/gi,
    `$1=${HIDDEN}`,
  ],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*?-----END [A-Z ]*PRIVATE KEY-----/g, HIDDEN],
];

/** A text without what has the shape of a token, a password in an address, or a private key. */
export function scrub(text: string): string {
  return SECRET_SHAPES.reduce((left, [shape, instead]) => left.replaceAll(shape, instead), text);
}
