import { BASE64URL, guid, type Random } from '../world/random.ts';
import type { Person } from '../world/types.ts';
import type { World } from '../world/world.ts';
import { refusals } from './graph-errors.ts';
import { namedPerson, readableMailbox } from './graph-server.ts';
import { eventsOfCopy, idOf } from './mailbox.ts';
import { createPostman, type Delivery, type NotificationHabits, type Post } from './notification-post.ts';
import { stamp } from './preferences.ts';

export interface SubscriptionHabits extends NotificationHabits {
  /** The longest life granted; 10,080 is documented for Outlook's events, 4,230 was the limit before. */
  subscriptionLifeMinutes: number;
  /** Active subscriptions a mailbox may have, over all applications. */
  subscriptionsPerMailbox: number;
  /** People (world keys) whose mailbox may be read but not watched. */
  subscriptionsDenied: Set<string>;
  /** A second subscription for the same mailbox and change types is refused; in the wild it is not always. */
  duplicatesRefused: boolean;
  /** Renewals validate the notification URL, as one field report has it. */
  renewalValidates: boolean;
  /** How long an endpoint may take to repeat the token, in real milliseconds. */
  validationTimeoutMs: number;
}

export interface Subscription {
  readonly id: string;
  /** World key of the person whose mailbox is watched. */
  readonly person: string;
  readonly resource: string;
  readonly changeType: string;
  readonly notificationUrl: string;
  readonly lifecycleUrl: string | null;
  readonly clientState: string | null;
  readonly immutableIds: boolean;
  expiresAt: number;
  /** Told that it must be authorized again: nothing is delivered until it is, and what happens meanwhile is lost. */
  paused: boolean;
}

export type LifecycleEvent = 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed';

/** What a test does with a tenant's subscriptions, beside what clients ask over the wire. */
export interface Subscriptions {
  /** Those that have not expired. */
  readonly active: () => Subscription[];
  /** Everything that was posted to notification URLs, handshakes included. */
  readonly deliveries: () => readonly Delivery[];
  /** Tells of a lifecycle event as Graph does: `reauthorizationRequired` pauses, `subscriptionRemoved` removes. */
  readonly tell: (event: LifecycleEvent, id: string) => void;
  /** Makes a subscription as an earlier life of the application left it. */
  readonly leaveBehind: (input: Omit<Subscription, 'id' | 'paused'>) => Subscription;
  /** Takes a subscription away without a word. */
  readonly lose: (id: string) => void;
  /** Posts items to a URL as Graph would: forged ones, too. */
  readonly post: (url: string, items: readonly unknown[]) => Promise<Delivery>;
  /** Resolves when nothing waits to be delivered. */
  readonly delivered: () => Promise<void>;
  readonly close: () => void;
}

/** The wire's side: what requests to `/subscriptions` do. Everything refuses as Graph does. */
export interface SubscriptionDesk {
  readonly create: (body: unknown, immutableIds: boolean) => Promise<Record<string, unknown>>;
  readonly renew: (id: string, body: unknown) => Promise<Record<string, unknown>>;
  readonly reauthorize: (id: string) => void;
  readonly remove: (id: string) => void;
  readonly read: (id: string) => Record<string, unknown>;
  readonly list: () => Record<string, unknown>[];
}

const SHORTEST_LIFE_MINUTES = 45;
const LONGEST_CLIENT_STATE = 128;
const MINUTE = 60_000;

/** Watches calendars of the world and tells subscribers. Subscriptions live by the world's clock. */
export function createSubscriptions(
  world: World,
  random: Random,
  habits: SubscriptionHabits,
  application: { readonly tenant: string; readonly clientId: string },
): Subscriptions & SubscriptionDesk {
  const all = new Map<string, Subscription>();
  const told = new Set<string>();
  const postman = createPostman(habits, random.fork('post'));
  for (const calendar of world.calendars.values()) {
    for (const meeting of calendar.copies.keys()) told.add(`${calendar.owner.id}/${meeting}`);
  }

  const active = () => [...all.values()].filter(({ expiresAt }) => expiresAt > world.now());
  const stopListening = world.onChange((person) => {
    const watching = active().filter((each) => each.person === person && !each.paused);
    const change = watching.length === 0 ? null : latestChange(world, person, told);
    for (const subscription of watching) {
      if (change === null || !subscription.changeType.split(',').includes(change.type)) continue;
      postman.queue(subscription.notificationUrl, notification(subscription, change));
    }
  });

  function notification(subscription: Subscription, change: Change): Post {
    const person = world.person(subscription.person);
    const id = subscription.immutableIds ? change.immutableId : change.id;
    const resource = `Users/${person.objectId}/Events/${id}`;
    return {
      subscriptionId: subscription.id,
      subscriptionExpirationDateTime: stamp(subscription.expiresAt),
      changeType: change.type,
      resource,
      resourceData: {
        '@odata.type': '#Microsoft.Graph.Event',
        '@odata.id': resource,
        '@odata.etag': `W/"${random.text(BASE64URL, 24)}"`,
        id,
      },
      clientState: subscription.clientState,
      tenantId: application.tenant,
    };
  }

  function known(id: string): Subscription {
    const found = active().find((subscription) => subscription.id === id);
    if (found === undefined) throw refusals.subscriptionMissing(id);
    return found;
  }

  function expirationOf(body: Fields): number {
    const asked = Date.parse(textOf(body, 'expirationDateTime') ?? '');
    if (!Number.isFinite(asked)) throw refusals.subscriptionInvalid('expirationDateTime is required.');
    const now = world.now();
    if (asked <= now) throw refusals.subscriptionInvalid('Expiration date must be in the future.');
    if (asked > now + habits.subscriptionLifeMinutes * MINUTE) {
      throw refusals.subscriptionInvalid(
        `Subscription expiration can only be ${habits.subscriptionLifeMinutes} minutes in the future.`,
      );
    }
    return Math.max(asked, now + SHORTEST_LIFE_MINUTES * MINUTE);
  }

  async function validate(url: string): Promise<void> {
    const token = `Validation: Testing client application reachability for subscription Request-Id: ${guid(random)} <&>+%`;
    const outcome = await postman.shakeHands(url, token, habits.validationTimeoutMs);
    if (outcome === 'timed out') throw refusals.validationTimedOut();
    if (outcome === 'refused') throw refusals.validationFailed();
  }

  function watchable(resource: string): Person {
    const name = /^\/?users\/([^/]+)\/events$/i.exec(resource)?.[1];
    if (name === undefined)
      throw refusals.subscriptionInvalid(`The resource '${resource}' is not supported.`);
    const person = namedPerson(world, decodeURIComponent(name));
    if (person?.state === 'no_mailbox') throw refusals.subscriptionMailboxMissing();
    readableMailbox(world, decodeURIComponent(name));
    if (person === null || habits.subscriptionsDenied.has(person.id)) throw refusals.subscriptionDenied();
    return person;
  }

  return {
    active,
    deliveries: postman.deliveries,
    delivered: postman.delivered,
    post: (url, items) => postman.post(url, items),
    tell(event, id) {
      const subscription = known(id);
      if (event === 'reauthorizationRequired') subscription.paused = true;
      if (event === 'subscriptionRemoved') all.delete(id);
      if (subscription.lifecycleUrl === null) return;
      postman.queue(subscription.lifecycleUrl, {
        subscriptionId: id,
        subscriptionExpirationDateTime: stamp(subscription.expiresAt),
        tenantId: application.tenant,
        clientState: subscription.clientState,
        lifecycleEvent: event,
        ...(event === 'missed' && { resource: subscription.resource, changeType: 'updated' }),
      });
    },
    leaveBehind(input) {
      const subscription = { ...input, id: guid(random), paused: false };
      all.set(subscription.id, subscription);
      return subscription;
    },
    lose: (id) => void all.delete(id),
    close() {
      stopListening();
      postman.close();
    },

    async create(body, immutableIds) {
      const fields = fieldsOf(body);
      const resource = textOf(fields, 'resource') ?? '';
      const changeType = (textOf(fields, 'changeType') ?? '').split(',').map((type) => type.trim());
      const url = textOf(fields, 'notificationUrl');
      const lifecycleUrl = textOf(fields, 'lifecycleNotificationUrl');
      const clientState = textOf(fields, 'clientState');
      if (url === null || URL.parse(url) === null) {
        throw refusals.subscriptionInvalid('notificationUrl must be an absolute URL.');
      }
      if (changeType.some((type) => !['created', 'updated', 'deleted'].includes(type))) {
        throw refusals.subscriptionInvalid('changeType holds a value that is not supported.');
      }
      if ((clientState?.length ?? 0) > LONGEST_CLIENT_STATE) {
        throw refusals.subscriptionInvalid(`clientState is longer than ${LONGEST_CLIENT_STATE} characters.`);
      }
      const expiresAt = expirationOf(fields);
      const person = watchable(resource);
      const same = active().filter((each) => each.person === person.id);
      const twin = same.find((each) => each.changeType === changeType.join(','));
      if (habits.duplicatesRefused && twin !== undefined) throw refusals.subscriptionExists(twin.id);
      if (same.length >= habits.subscriptionsPerMailbox) throw refusals.subscriptionQuota();
      await validate(url);
      if (lifecycleUrl !== null) await validate(lifecycleUrl);
      const subscription: Subscription = {
        id: guid(random),
        person: person.id,
        resource,
        changeType: changeType.join(','),
        notificationUrl: url,
        lifecycleUrl,
        clientState,
        immutableIds,
        expiresAt,
        paused: false,
      };
      all.set(subscription.id, subscription);
      return printed(subscription, application.clientId);
    },
    async renew(id, body) {
      const subscription = known(id);
      const expiresAt = expirationOf(fieldsOf(body));
      if (habits.renewalValidates) await validate(subscription.notificationUrl);
      subscription.expiresAt = expiresAt;
      subscription.paused = false;
      return printed(subscription, application.clientId);
    },
    reauthorize(id) {
      known(id).paused = false;
    },
    remove(id) {
      known(id);
      all.delete(id);
    },
    read: (id) => printed(known(id), application.clientId),
    list: () => active().map((each) => printed(each, application.clientId)),
  };
}

interface Change {
  readonly type: 'created' | 'updated' | 'deleted';
  readonly id: string;
  readonly immutableId: string;
}

/** What the latest change of a calendar is told as: a change of one occurrence is an update of its series. */
function latestChange(world: World, person: string, told: Set<string>): Change | null {
  const calendar = world.calendar(person);
  const row = world.changes(person, calendar.seq - 1)[0];
  const copy = row === undefined ? undefined : calendar.copies.get(row.meeting);
  if (row === undefined || copy === undefined) return null;
  const meeting = world.meeting(row.meeting);
  const isNew = !told.has(`${person}/${row.meeting}`);
  told.add(`${person}/${row.meeting}`);
  const remains = eventsOfCopy(world, calendar, copy, null).length > 0;
  return {
    type: remains ? (isNew ? 'created' : 'updated') : 'deleted',
    id: idOf(world, copy, meeting, null, false),
    immutableId: idOf(world, copy, meeting, null, true),
  };
}

/** A subscription as Graph prints it; the client state is given back to nobody. */
function printed(subscription: Subscription, applicationId: string): Record<string, unknown> {
  return {
    id: subscription.id,
    resource: subscription.resource,
    applicationId,
    changeType: subscription.changeType,
    clientState: null,
    notificationUrl: subscription.notificationUrl,
    notificationQueryOptions: null,
    lifecycleNotificationUrl: subscription.lifecycleUrl,
    expirationDateTime: stamp(subscription.expiresAt),
    creatorId: null,
    includeResourceData: null,
    latestSupportedTlsVersion: 'v1_2',
    encryptionCertificate: null,
    encryptionCertificateId: null,
    notificationUrlAppId: null,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(body: unknown): Fields {
  return typeof body === 'object' && body !== null ? (body as Fields) : {};
}

function textOf(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
}
