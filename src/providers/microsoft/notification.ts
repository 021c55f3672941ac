import { z } from 'zod';
import type { Hint, ReadNotification } from '../../ports/notification.ts';

/** https://learn.microsoft.com/graph/api/resources/changenotification, and its lifecycle form. */
const wireItem = z.object({
  subscriptionId: z.string().min(1).max(200),
  clientState: z.string().max(1024).nullish(),
  lifecycleEvent: z.string().nullish(),
});
const wireBody = z.object({ value: z.array(z.unknown()) });

const LIFECYCLE: Readonly<Record<string, Hint['says']>> = {
  // Renewing authorizes again; asking for both within minutes is refused.
  reauthorizationRequired: 'renew',
  subscriptionRemoved: 'removed',
  missed: 'missed',
};

/**
 * What one POST of Graph says. It may hold hundreds of items of several subscriptions, changes and lifecycle events
 * mixed and repeated; each subscription is heard once for each thing it says. What changed is not read: a change of
 * one occurrence names the series only, and some changes are never told.
 */
export const readNotification: ReadNotification = (_headers, body) => {
  const posted = wireBody.safeParse(body);
  if (!posted.success) return [];
  const hints = new Map<string, Hint>();
  for (const each of posted.data.value) {
    const item = wireItem.safeParse(each);
    if (!item.success) continue;
    const { subscriptionId: channel, clientState, lifecycleEvent } = item.data;
    // An event made up after this was written is a reason to look, too.
    const says = lifecycleEvent ? (LIFECYCLE[lifecycleEvent] ?? 'missed') : 'changed';
    const hint: Hint = { channel, secret: clientState ?? null, resourceId: null, says };
    hints.set(JSON.stringify([channel, hint.secret, says]), hint);
  }
  return [...hints.values()];
};
