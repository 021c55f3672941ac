import { createSign } from 'node:crypto';
import { createClock } from '../../src/sandbox/clock.ts';
import {
  type GoogleSandbox,
  type GoogleSandboxOptions,
  startGoogleSandbox,
} from '../../src/sandbox/google/server.ts';
import { createMeeting, type Meeting, World } from '../../src/sandbox/world/index.ts';

/** The first instant of the world in these tests; its clock stands still until a test moves it. */
export const BEGINNING = '2026-10-05T06:00:00Z';

const AUTH = 'https://www.googleapis.com/auth';
export const SCOPES = [
  `${AUTH}/calendar.events.readonly`,
  `${AUTH}/meetings.space.readonly`,
  `${AUTH}/admin.directory.user.readonly`,
];

export interface Answer {
  status: number;
  text: string;
  headers: Headers;
}

export interface EventsPage {
  kind: string;
  items: Record<string, unknown>[];
  nextPageToken?: string;
  nextSyncToken?: string;
  accessRole?: string;
  timeZone?: string;
}

export interface Bench {
  world: World;
  google: GoogleSandbox;
  /** A GET as somebody, with parameters; repeated ones as lists. */
  get(path: string, query?: Record<string, string | string[]>, as?: string): Promise<Answer>;
  /** A page of `ada`'s events. */
  page(query?: Record<string, string | string[]>, as?: string): Promise<EventsPage>;
  /** Every page of a listing: all items, and the sync token of the last page. */
  all(
    query?: Record<string, string>,
    as?: string,
  ): Promise<{ items: EventsPage['items']; token: string; pages: number }>;
  weekly(extra?: Partial<Parameters<typeof createMeeting>[1]>): Meeting;
  close(): Promise<void>;
}

/** A sandbox with Ada and Cyd at Google, Ben at Outlook, Dee outside; quiet habits unless a test wants others. */
export async function openBench(options: GoogleSandboxOptions = {}): Promise<Bench> {
  const clock = createClock(BEGINNING);
  clock.stop();
  const world = new World({ seed: 11, clock });
  world.addPerson({ name: 'Ada North', address: 'ada@north.example', aliases: ['ada.n@north.example'] });
  world.addPerson({ name: 'Cyd North', address: 'cyd@north.example' });
  world.addPerson({ name: 'Ben South', address: 'ben@south.example', provider: 'microsoft' });
  world.addPerson({ name: 'Dee Away', address: 'dee@away.example', provider: 'none' });
  const google = await startGoogleSandbox(world, {
    ...options,
    habits: { emptyPages: 0, sparseTombstones: 0, ...options.habits },
  });
  const tokens = new Map<string, string>();

  const get: Bench['get'] = async (path, query = {}, as = 'ada@north.example') => {
    const token = tokens.get(as) ?? (await accessToken(google, as));
    tokens.set(as, token);
    const parameters = new URLSearchParams(
      Object.entries(query).flatMap(([name, value]) =>
        [value].flat().map((one): [string, string] => [name, one]),
      ),
    );
    const response = await fetch(`${google.url}${path}?${parameters.toString()}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const page: Bench['page'] = async (query = {}, as = 'ada@north.example') => {
    const answer = await get(`/calendar/v3/calendars/${encodeURIComponent(as)}/events`, query, as);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as EventsPage;
  };
  return {
    world,
    google,
    get,
    page,
    async all(query = {}, as = 'ada@north.example') {
      const items: EventsPage['items'] = [];
      let current = await page(query, as);
      let pages = 1;
      for (items.push(...current.items); current.nextPageToken !== undefined; items.push(...current.items)) {
        current = await page({ ...query, pageToken: current.nextPageToken }, as);
        pages += 1;
      }
      return { items, token: current.nextSyncToken ?? '', pages };
    },
    weekly: (extra = {}) =>
      createMeeting(world, {
        organizer: 'ada@north.example',
        guests: ['cyd@north.example'],
        title: 'Catch-up #mentoring',
        start: '2026-10-06T10:00',
        rule: 'FREQ=WEEKLY;BYDAY=TU',
        conference: 'meet',
        ...extra,
      }),
    close: () => google.close(),
  };
}

/** Asks for an access token as a client library would; the assertion can be bent. */
export async function askForToken(
  google: GoogleSandbox,
  subject: string | undefined,
  bend: { claims?: Record<string, unknown>; scopes?: string[]; key?: string } = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: google.serviceAccountKey.client_email,
    scope: (bend.scopes ?? SCOPES).join(' '),
    aud: 'https://oauth2.googleapis.com/token',
    iat: now,
    exp: now + 3600,
    ...(subject === undefined ? {} : { sub: subject }),
    ...bend.claims,
  };
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'RS256' })}.${encode(claims)}`;
  const signature = createSign('RSA-SHA256')
    .update(signed)
    .sign(bend.key ?? google.serviceAccountKey.private_key, 'base64url');
  const response = await fetch(google.tokenUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: `${signed}.${signature}`,
    }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function accessToken(google: GoogleSandbox, subject: string): Promise<string> {
  const { status, body } = await askForToken(google, subject);
  if (status !== 200 || typeof body.access_token !== 'string') {
    throw new Error(`no token for ${subject}: ${status} ${JSON.stringify(body)}`);
  }
  return body.access_token;
}

/** The first error entry of a Calendar answer. */
export function reasonOf(answer: Answer): { reason: string; location?: string } {
  const parsed = JSON.parse(answer.text) as { error: { errors: { reason: string; location?: string }[] } };
  const [first] = parsed.error.errors;
  if (first === undefined) throw new Error(`no error in ${answer.text}`);
  return first;
}
