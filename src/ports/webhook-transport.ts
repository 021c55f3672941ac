import type { DateTime } from 'luxon';
import type { DeliveryResult } from '../domain/delivery-schedule.ts';

/** Where an event goes and how it is proven to be ours. */
export type WebhookEndpoint = {
  readonly url: string;
  /** `whsec_...`, newest first. Several only while a rotation lasts: all of them sign. */
  readonly secrets: readonly string[];
  /** CloudEvents SDKs refuse their own events as plain `application/json`. */
  readonly contentType: 'application/json' | 'application/cloudevents+json';
};

/** `body` is signed and sent byte for byte as it is given; every attempt builds it from the same stored row. */
export type WebhookMessage = { readonly id: string; readonly body: string };

export type WebhookTransport = {
  /**
   * One attempt. Never rejects: whatever happens is a result. `now` must be the machine's clock, not the
   * business clock, because receivers refuse signatures older or newer than five minutes.
   */
  deliverOnce(endpoint: WebhookEndpoint, message: WebhookMessage, now: DateTime): Promise<DeliveryResult>;
};
