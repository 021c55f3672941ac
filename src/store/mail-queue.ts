import { sql, type Transaction } from 'kysely';
import type { MailDraft } from '../domain/drafts.ts';
import type { DB } from './database.generated.ts';

/**
 * Queues mails in the caller's transaction.
 * @returns how many were new
 */
export async function queueMails(trx: Transaction<DB>, drafts: readonly MailDraft[]): Promise<number> {
  if (drafts.length === 0) return 0;
  const { rows } = await sql<{ queued: number }>`
    with queued as (
      insert into cadenced.mail
        (fact_key, kind, session_id, mentorship_id, alert_id, person_id, to_address, due_at, expires_at)
      select * from jsonb_to_recordset(${JSON.stringify(
        drafts.map((draft) => ({
          fact_key: draft.factKey,
          kind: draft.kind,
          session_id: draft.sessionId,
          mentorship_id: draft.mentorshipId,
          alert_id: draft.alertId,
          person_id: draft.personId,
          to_address: draft.toAddress,
          due_at: draft.dueAt.toISOString(),
          expires_at: draft.expiresAt?.toISOString() ?? null,
        })),
      )}::jsonb) as (fact_key text, kind text, session_id bigint, mentorship_id bigint, alert_id bigint,
                     person_id bigint, to_address text, due_at timestamptz, expires_at timestamptz)
      on conflict (fact_key) do nothing
      returning 1
    )
    select count(*)::int as queued from queued`.execute(trx);
  return rows[0]?.queued ?? 0;
}
