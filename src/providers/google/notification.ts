import type { Hint, ReadNotification } from '../../ports/notification.ts';

/** Longer ones are none of ours: a channel id is a UUID, a token 43 characters. */
const LONGEST = 256;

/**
 * Reads a notification of Google, which is nothing but headers. `X-Goog-Message-Number` has gaps by design and is not
 * looked at; an unknown state is taken for a change.
 * https://developers.google.com/workspace/calendar/api/guides/push#receive-notifications
 */
export const readNotification: ReadNotification = (headers) => {
  const channel = headers['x-goog-channel-id'];
  if (!channel || channel.length > LONGEST) return [];
  const secret = headers['x-goog-channel-token'] ?? null;
  const says: Hint['says'] = headers['x-goog-resource-state'] === 'sync' ? 'opened' : 'changed';
  return [
    {
      channel,
      secret: secret === null || secret.length > LONGEST ? null : secret,
      resourceId: headers['x-goog-resource-id'] ?? null,
      says,
    },
  ];
};
