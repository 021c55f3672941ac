import type { DeliveryState } from '../domain/delivery-schedule.ts';
import type { OutboundData, OutboundEventType } from '../domain/outbound.ts';
import type { WebhookEndpoint } from './webhook-transport.ts';

/** A delivery that was taken under a lease: nobody else attempts it until the lease runs out. */
export interface ClaimedDelivery {
  readonly begun: DeliveryState;
  readonly endpointId: number;
  readonly endpoint: WebhookEndpoint;
  readonly event: {
    readonly id: string;
    readonly type: OutboundEventType;
    readonly sequence: number;
    readonly occurredAt: Date;
    readonly data: OutboundData[OutboundEventType];
  };
}

export interface WebhookOutbox {
  /** Takes deliveries that are due, at most `limit`, under a lease of `leaseMs`. */
  claim(limit: number, leaseMs: number, now: Date): Promise<readonly ClaimedDelivery[]>;
  /** Records what an attempt came to; `disable` also switches the endpoint off. */
  settle(claimed: ClaimedDelivery, after: DeliveryState, disable: boolean): Promise<void>;
  /** When the next delivery falls due; `null` = none is pending. */
  nextDue(): Promise<Date | null>;
}
