/** An answer other than 2xx, as Graph words it. */
export class GraphRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Graph's error body. `innerError` is spelled either way in the wild; clients must accept both. */
export function errorBody(refusal: GraphRefusal, at: number, requestId: string): unknown {
  const inner = {
    date: new Date(at).toISOString().slice(0, 19),
    'request-id': requestId,
    'client-request-id': requestId,
  };
  const innerName = refusal.status === 410 || refusal.status === 429 ? 'innererror' : 'innerError';
  return { error: { code: refusal.code, message: refusal.message, [innerName]: inner } };
}

export const refusals = {
  tokenRefused: () =>
    new GraphRefusal(
      401,
      'InvalidAuthenticationToken',
      'Lifetime validation failed, the token is expired or it was never issued.',
      {
        'www-authenticate':
          'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"',
      },
    ),
  mailboxDenied: () => new GraphRefusal(403, 'ErrorAccessDenied', 'Access to OData is disabled.'),
  mailboxMissing: () =>
    new GraphRefusal(
      404,
      'MailboxNotEnabledForRESTAPI',
      'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
    ),
  mailboxUnknown: (user: string) =>
    new GraphRefusal(404, 'ErrorInvalidUser', `The requested user '${user}' is invalid.`),
  userUnknown: (user: string) =>
    new GraphRefusal(
      404,
      'Request_ResourceNotFound',
      `Resource '${user}' does not exist or one of its queried reference-property objects are not present.`,
    ),
  itemMissing: () =>
    new GraphRefusal(404, 'ErrorItemNotFound', 'The specified object was not found in the store.'),
  idMalformed: () => new GraphRefusal(400, 'ErrorInvalidIdMalformed', 'Id is malformed.'),
  concurrency: (retryAfter: string | null) =>
    new GraphRefusal(
      429,
      'ApplicationThrottled',
      'Application is over its MailboxConcurrency limit.',
      retryAfter === null ? {} : { 'retry-after': retryAfter },
    ),
  syncStateLost: (generation: number, location: string) =>
    new GraphRefusal(
      410,
      'SyncStateNotFound',
      `The sync state generation is not found; generation=${generation};[highest=${generation + 1}][${generation + 1}].`,
      { location },
    ),
  windowMissing: () =>
    new GraphRefusal(
      400,
      'ErrorInvalidParameter',
      'This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.',
    ),
  windowMalformed: (name: string) =>
    new GraphRefusal(
      400,
      'ErrorInvalidParameter',
      `The value of the parameter '${name}' is not a date and time.`,
    ),
  notForDelta: () =>
    new GraphRefusal(
      400,
      'ErrorInvalidUrlQuery',
      "The following parameters are not supported with change tracking over the 'CalendarView' resource: '$orderby, $filter, $select, $expand, $search, $top'.",
    ),
  subscriptionMissing: (id: string) =>
    new GraphRefusal(404, 'ResourceNotFound', `The object was not found. Subscription '${id}'.`),
  subscriptionInvalid: (message: string) => new GraphRefusal(400, 'InvalidRequest', message),
  validationFailed: () =>
    new GraphRefusal(
      400,
      'ValidationError',
      'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.',
    ),
  validationTimedOut: () =>
    new GraphRefusal(400, 'InvalidRequest', 'Subscription validation request timed out.'),
  subscriptionExists: (id: string) =>
    new GraphRefusal(409, 'Conflict', `Subscription Id ${id} already exists for the requested combination.`),
  subscriptionQuota: () =>
    new GraphRefusal(403, 'ExtensionError', 'The mailbox has reached its limit of active subscriptions.'),
  subscriptionDenied: () =>
    new GraphRefusal(
      403,
      'ExtensionError',
      'Operation: Create; Exception: [Status Code: Forbidden; Reason: Access is denied. Check credentials and try again.]',
    ),
  subscriptionMailboxMissing: () =>
    new GraphRefusal(
      404,
      'ExtensionError',
      'Operation: Create; Exception: [Status Code: NotFound; Reason: REST API is not yet supported for this mailbox.]',
    ),
  badRequest: (message: string) => new GraphRefusal(400, 'BadRequest', message),
  overwhelmed: () => new GraphRefusal(503, 'UnknownError', ''),
  tookTooLong: () => new GraphRefusal(504, 'UnknownError', ''),
  teamsDenied: (user: string) =>
    new GraphRefusal(
      403,
      'Forbidden',
      `No application access policy found for this app on the user ${user}.`,
    ),
  teamsMissing: () => new GraphRefusal(404, 'NotFound', '3004: Meeting not found.'),
  noSuchSegment: (path: string) =>
    new GraphRefusal(400, 'BadRequest', `Resource not found for the segment '${path}'.`),
} as const;

const FAULT_CODES: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ['BadRequest', 'The request is malformed.'],
  401: ['InvalidAuthenticationToken', 'Access token has expired or is not yet valid.'],
  403: ['ErrorAccessDenied', 'Access is denied. Check credentials and try again.'],
  404: ['ErrorItemNotFound', 'The specified object was not found in the store.'],
  410: ['SyncStateNotFound', 'The sync state generation is not found.'],
  429: ['ApplicationThrottled', 'Application is over its MailboxConcurrency limit.'],
  503: ['MailboxInfoStale', "The mailbox is hosted on a database that is currently on backend 'Unknown'."],
};

/** What Graph says for a status that was ordered from outside; `reason` replaces the code. */
export function faultRefusal(status: number, reason: string | undefined): GraphRefusal {
  const [code, message] = FAULT_CODES[status] ?? ['UnknownError', ''];
  return new GraphRefusal(status, reason ?? code, message);
}
