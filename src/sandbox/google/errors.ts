import type { FastifyReply } from 'fastify';

/** A refusal in Google's words, see https://developers.google.com/workspace/calendar/api/guides/errors. */
export interface GoogleRefusal {
  status: number;
  reason: string;
  message: string;
  domain?: string;
  location?: string;
  locationType?: string;
}

export const REFUSALS = {
  authError: {
    status: 401,
    reason: 'authError',
    message: 'Invalid Credentials',
    locationType: 'header',
    location: 'Authorization',
  },
  badRequest: { status: 400, reason: 'badRequest', message: 'Bad Request' },
  deleted: { status: 410, reason: 'deleted', message: 'Resource has been deleted' },
  forbidden: { status: 403, reason: 'forbidden', message: 'Forbidden' },
  fullSyncRequired: {
    status: 410,
    domain: 'calendar',
    reason: 'fullSyncRequired',
    message: 'Sync token is no longer valid, a full sync is required.',
    locationType: 'parameter',
    location: 'syncToken',
  },
  insufficientPermissions: {
    status: 403,
    reason: 'insufficientPermissions',
    message: 'Insufficient Permission: Request had insufficient authentication scopes.',
  },
  notACalendarUser: {
    status: 403,
    domain: 'calendar',
    reason: 'notACalendarUser',
    message: 'The user must be signed up for Google Calendar.',
  },
  notFound: { status: 404, reason: 'notFound', message: 'Not Found' },
  rateLimitExceeded: {
    status: 403,
    domain: 'usageLimits',
    reason: 'rateLimitExceeded',
    message: 'Rate Limit Exceeded',
  },
  timeRangeEmpty: {
    status: 400,
    domain: 'calendar',
    reason: 'timeRangeEmpty',
    message: 'The specified time range is empty.',
    locationType: 'parameter',
    location: 'timeMax',
  },
  updatedMinTooLongAgo: {
    status: 410,
    domain: 'calendar',
    reason: 'updatedMinTooLongAgo',
    message: 'The requested minimum modification time lies too far in the past.',
    locationType: 'parameter',
    location: 'updatedMin',
  },
} as const satisfies Record<string, GoogleRefusal>;

/** `400 invalid` about one parameter: a malformed token, or one that may not stand beside a sync token. */
export function invalidParameter(location: string, message = 'Invalid Value'): GoogleRefusal {
  return { status: 400, reason: 'invalid', message, locationType: 'parameter', location };
}

/** Thrown by routes, answered by the server's error handler. */
export class RefusedError extends Error {
  readonly refusal: GoogleRefusal;

  constructor(refusal: GoogleRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function refuse(refusal: GoogleRefusal): never {
  throw new RefusedError(refusal);
}

export interface GoogleErrorBody {
  error: { errors: Record<string, string>[]; code: number; message: string };
}

/** The body of Calendar's and the Directory's errors. */
export function errorBody(refusal: GoogleRefusal): GoogleErrorBody {
  const { status, domain, ...rest } = refusal;
  return {
    error: { errors: [{ domain: domain ?? 'global', ...rest }], code: status, message: refusal.message },
  };
}

/** The body of an error asked for by a fault rule. */
export function faultBody(status: number, reason: string | undefined): GoogleErrorBody {
  const named = Object.values(REFUSALS).find((refusal) => refusal.reason === reason);
  if (named !== undefined && named.status === status) return errorBody(named);
  const standard: Record<number, Omit<GoogleRefusal, 'status'>> = {
    400: REFUSALS.badRequest,
    401: REFUSALS.authError,
    403: REFUSALS.rateLimitExceeded,
    404: REFUSALS.notFound,
    410: REFUSALS.fullSyncRequired,
    429: REFUSALS.rateLimitExceeded,
    500: { reason: 'backendError', message: 'Backend Error' },
    503: { reason: 'backendError', message: 'The service is currently unavailable.' },
  };
  const refusal = standard[status] ?? { reason: 'backendError', message: 'Backend Error' };
  return errorBody({ ...refusal, status, reason: reason ?? refusal.reason });
}

const STATUS_WORDS: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/** The same error as newer APIs write it. */
export function grpcForm({ error }: GoogleErrorBody): unknown {
  return {
    error: { code: error.code, message: error.message, status: STATUS_WORDS[error.code] ?? 'UNKNOWN' },
  };
}

/** Meet answers errors in the newer form, with a gRPC status word and no reasons. */
export function meetError(reply: FastifyReply, status: number, word: string, message: string): FastifyReply {
  return reply.code(status).send({ error: { code: status, message, status: word } });
}
