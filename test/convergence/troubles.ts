import type { Fault, FaultRule } from '../../src/sandbox/faults.ts';
import type { Random } from '../../src/sandbox/world/index.ts';

/** What goes wrong on the wire, each for as long as one step of a run. */
export const TROUBLES = [
  'lost cursor',
  'lost mid-round',
  'lost round twice',
  '429 with a wait',
  '429 with a long wait',
  '429 without a word',
  '500',
  '502 page',
  '401',
  '403',
  'down',
  'down mid-round',
  'truncated',
  'empty object',
  'empty page',
  'reset',
  '404',
  '503 with a wait',
  '504',
  'quota',
  'no token',
  'slow',
] as const;
export type Trouble = (typeof TROUBLES)[number];

const CURSOR = { google: 'syncToken=(?!.*pageToken)', microsoft: 'deltatoken=' } as const;
const PAGE = { google: 'pageToken=', microsoft: 'skiptoken=' } as const;
/** Requests for calendars, not for tokens: a token endpoint in trouble is every calendar's. */
const CALENDARS = { google: '/calendar/v3/', microsoft: '/v1.0/users/.*(calendarView|events)' } as const;

const STREAM = { google: '/events\\?', microsoft: 'calendarView/delta' } as const;
const TOKENS = { google: '^/token', microsoft: '/oauth2/v2.0/token' } as const;

/** The rule for one provider. The random source decides how many requests go well before. */
export function ruleFor(trouble: Trouble, provider: 'google' | 'microsoft', random: Random): FaultRule {
  const some = (times: number, fault: Fault): FaultRule => {
    return { provider, path: CALENDARS[provider], skip: random.below(5), times, fault };
  };
  switch (trouble) {
    case 'lost cursor':
      return { provider, path: CURSOR[provider], times: 1, fault: { kind: 'expired_cursor' } };
    case 'lost mid-round':
      return { provider, path: PAGE[provider], times: 1, fault: { kind: 'expired_cursor' } };
    case 'lost round twice':
      return { provider, path: PAGE[provider], times: 2, fault: { kind: 'expired_cursor' } };
    case '429 with a wait':
      return some(2, { kind: 'status', status: 429, retryAfter: 2 });
    case '429 with a long wait':
      return some(1, { kind: 'status', status: 429, retryAfter: 300 });
    case '429 without a word':
      return some(3, { kind: 'status', status: 429 });
    case '500':
      return some(2, { kind: 'status', status: 500 });
    case '502 page':
      return some(2, { kind: 'html', status: 502 });
    case '401':
      return some(1, { kind: 'status', status: 401 });
    case '403':
      return some(1, { kind: 'status', status: 403 });
    case 'down':
      return { provider, path: CALENDARS[provider], fault: { kind: 'status', status: 503 } };
    case 'down mid-round':
      return {
        provider,
        path: CALENDARS[provider],
        skip: 1 + random.below(4),
        fault: { kind: 'status', status: 503 },
      };
    case 'truncated':
      return some(1 + random.below(2), { kind: 'truncated' });
    case 'empty object':
      return some(1, { kind: 'empty_object' });
    case 'empty page':
      return some(2, { kind: 'empty_page' });
    case 'reset':
      return some(2, { kind: 'reset' });
    case '404':
      // Of the calendar, of a series' list, or of one event.
      return {
        provider,
        path: `${STREAM[provider]}|/events/`,
        skip: random.below(3),
        times: 1,
        fault: { kind: 'status', status: 404 },
      };
    case '503 with a wait':
      return some(2, { kind: 'status', status: 503, retryAfter: 1 });
    case '504':
      return some(1, { kind: 'html', status: 504 });
    case 'quota':
      return provider === 'google'
        ? some(2, { kind: 'status', status: 403, reason: 'rateLimitExceeded' })
        : some(2, { kind: 'status', status: 429, reason: 'ApplicationThrottled', retryAfter: 1 });
    case 'no token':
      return { provider, path: TOKENS[provider], fault: { kind: 'status', status: 503 } };
    case 'slow':
      // Some answers overtake others.
      return {
        provider,
        path: CALENDARS[provider],
        probability: 0.4,
        times: 6,
        fault: { kind: 'delay', ms: 4 },
      };
  }
}
