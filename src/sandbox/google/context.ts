import type { Random } from '../world/random.ts';
import type { Person } from '../world/types.ts';
import type { World } from '../world/world.ts';
import type { Credentials } from './credentials.ts';

/** Google's changeable habits. A test sets them on the running sandbox. */
export interface GoogleHabits {
  /** No page is longer, whatever `maxResults` asks for. */
  maxPage: number;
  /** The share of pages that come empty although more follow. */
  emptyPages: number;
  /** The share of cancelled entries that are nothing but an id and the status. */
  sparseTombstones: number;
  /** How long deleted events are still listed. */
  tombstonesKeptMs: number;
  /** Requests a minute for one quota user; the service account counts as one when none is named. Null: no limit. */
  perUserPerMinute: number | null;
  /** Requests a minute for all quota users of the project together. Null: no limit. */
  perProjectPerMinute: number | null;
  /** How long the minute lasts in which both are counted: a shorter one lets a storm be played in seconds. */
  quotaMinuteMs: number;
  /** How long a channel lives at most. */
  pushTtlMs: number;
  /** The shares of notifications that never come, and that come twice. */
  pushLost: number;
  pushTwice: number;
  /** Something stands between: channels are opened, and nothing that is posted arrives, not even the `sync` message. */
  firewall: boolean;
  /** How late notifications come, in real milliseconds. */
  pushDelayMs: number;
  /** The first of the growing real distances at which a notification is tried again. */
  pushRetryMs: number;
  /** The `sync` message comes before the watch is answered. */
  syncFirst: boolean;
  /** Whether an administrator's policy lets the address be written to. */
  webhooks: 'accepted' | 'unauthorized';
  /** How late Reports tells of somebody who left a call. */
  reportsLagMs: number;
  /** Whom Reports shows of a call that somebody outside organized. */
  reportsForeignCalls: 'everybody' | 'own people';
  /** Whether Reports says who organized a call. */
  reportsNameOrganizer: boolean;
  /** How the token endpoint refuses to speak for people outside. */
  foreignSubjects: 'unknown_user' | 'unauthorized_client';
  /** What those who are impersonated are shown of their own calendars. */
  ownRole: Person['accessRole'];
}

export interface GoogleContext {
  world: World;
  credentials: Credentials;
  habits: GoogleHabits;
  /** The scopes granted to the service account by domain-wide delegation, changeable. */
  grantedScopes: Set<string>;
  /** Who may read the whole directory; with null everybody may. */
  adminSubject: string | null;
  tokens: Map<string, AccessToken>;
  random: Random;
}

export interface AccessToken {
  /** The impersonated person's key; null when the service account speaks for itself. */
  person: string | null;
  scopes: string[];
  /** Real time, like every token's age. */
  expiresAt: number;
}

const AUTH = 'https://www.googleapis.com/auth';

export const SCOPES = {
  events: [
    `${AUTH}/calendar`,
    `${AUTH}/calendar.readonly`,
    `${AUTH}/calendar.events`,
    `${AUTH}/calendar.events.readonly`,
    `${AUTH}/calendar.events.owned`,
    `${AUTH}/calendar.events.owned.readonly`,
  ],
  meet: [`${AUTH}/meetings.space.readonly`, `${AUTH}/meetings.space.created`],
  reports: [`${AUTH}/admin.reports.audit.readonly`],
  directory: [`${AUTH}/admin.directory.user`, `${AUTH}/admin.directory.user.readonly`],
} as const;

/** What an administrator would grant a reader of calendars and attendance. */
export const DEFAULT_GRANT = [
  `${AUTH}/calendar.readonly`,
  `${AUTH}/calendar.events.readonly`,
  `${AUTH}/calendar.events.owned.readonly`,
  `${AUTH}/meetings.space.readonly`,
  `${AUTH}/admin.directory.user.readonly`,
  `${AUTH}/admin.reports.audit.readonly`,
];
