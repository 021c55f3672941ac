import type { Transaction } from 'kysely';
import type { Drafts } from '../domain/drafts.ts';
import type { DB } from './database.generated.ts';
import { queueMails } from './mail-queue.ts';
import { appendOutboundEvents } from './outbound.ts';

/** Queues what a fact gives to tell. Call it in the transaction that writes the fact, and as the last thing in it. */
export async function queueDrafts(trx: Transaction<DB>, { mails, events }: Drafts): Promise<void> {
  await queueMails(trx, mails);
  // Last, because the lock of outbound events is held until the transaction ends.
  await appendOutboundEvents(trx, events);
}
