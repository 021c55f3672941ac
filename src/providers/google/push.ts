import { isFailure } from '../../domain/failure.ts';
import type { OpenChannel, PushService } from '../../ports/push-service.ts';
import type { GoogleClient } from './client.ts';
import { readChannel } from './wire.ts';

const DAY_MS = 86_400_000;
/** What Google grants by default; it gives less where its own limit is stricter, and its answer decides. */
const LONGEST_LIFE_MS = 7 * DAY_MS;

/**
 * Google's push channels: `events.watch` and `channels.stop`. They cannot be lengthened and are listed nowhere, so
 * every one is on record before it is asked for.
 * https://developers.google.com/workspace/calendar/api/guides/push
 */
export function createPushService(client: GoogleClient): PushService {
  return {
    provider: 'google',
    longestLifeMs: LONGEST_LIFE_MS,
    async open(calendar, request, signal) {
      return client.perform<OpenChannel>(
        {
          operation: 'events.watch',
          purpose: 'calendar',
          subject: calendar.address,
          // Asked twice under one id it would be refused as not unique, though the first may stand.
          repeatable: false,
          send: (apis, identity, options) =>
            apis.calendar.events.watch(
              {
                calendarId: 'primary',
                ...identity,
                requestBody: {
                  id: request.channelId,
                  type: 'web_hook',
                  address: request.url,
                  token: request.secret,
                  expiration: String(request.until),
                },
              },
              options,
            ),
          read: (body) => readChannel(body, request.channelId),
        },
        signal,
      );
    },
    renew: async () => null,
    async close(calendar, channel, signal) {
      if (channel.resourceId === null) return;
      const { externalId: id, resourceId } = channel;
      try {
        await client.perform(
          {
            operation: 'channels.stop',
            purpose: 'calendar',
            subject: calendar.address,
            send: (apis, identity, options) =>
              apis.calendar.channels.stop({ ...identity, requestBody: { id, resourceId } }, options),
            read: () => null,
          },
          signal,
        );
      } catch (problem) {
        // 404 "Channel not found for project" says that it is over; so does an account that is.
        if (!isFailure(problem, 'gone')) throw problem;
      }
    },
    list: async () => null,
  };
}
