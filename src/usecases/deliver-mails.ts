import { DateTime } from 'luxon';
import { answerableUntil } from '../domain/answer.ts';
import {
  cadenceAlertMail,
  cadenceDigestMail,
  didYouMeetMail,
  type MailModel,
  messageId,
  nudgeMail,
  reminderMail,
} from '../domain/mail.ts';
import type { Links } from '../ports/links.ts';
import type { MailFacts, MailOutbox, MailOutcome } from '../ports/mail-outbox.ts';
import type { Mailer, OutgoingMail } from '../ports/mailer.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { describeError } from '../runtime/redact.ts';

export interface DeliverMailsDeps {
  readonly outbox: MailOutbox;
  readonly mailer: Mailer;
  readonly render: (model: MailModel) => {
    readonly subject: string;
    readonly html: string;
    readonly text: string;
  };
  /** null without a public URL: mails carry no links to us then, and what is nothing without one is not sent. */
  readonly links: Links | null;
  /** Domain of the sender's address: the right side of every Message-ID. */
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Log;
}

const AT_ONCE = 20;
const LEASE_MS = 120_000;
/** A relay that refuses for now is asked again after these times; then the mail has failed. */
const RETRY_AFTER_MS = [60_000, 300_000, 900_000, 3_600_000, 7_200_000];

/** Sends the mails that are due and records what became of each. */
export async function deliverMails(
  deps: DeliverMailsDeps,
  signal: AbortSignal,
): Promise<{ sent: number; suppressed: number; failed: number }> {
  const counts = { sent: 0, suppressed: 0, failed: 0 };
  while (!signal.aborted) {
    const mails = await deps.outbox.claim(AT_ONCE, LEASE_MS);
    if (mails.length === 0) return counts;
    await Promise.all(
      mails.map(async (facts) => {
        const outcome = await deliver(deps, facts);
        await deps.outbox.settle(facts.mailId, outcome);
        if (outcome.status === 'sent') counts.sent += 1;
        else if (outcome.status === 'suppressed') counts.suppressed += 1;
        else {
          counts.failed += 1;
          deps.log.warn(
            { mail: facts.mailId, kind: facts.kind, code: outcome.reason },
            'a mail was not accepted',
          );
        }
      }),
    );
  }
  return counts;
}

async function deliver(deps: DeliverMailsDeps, facts: MailFacts): Promise<MailOutcome> {
  const model = modelOf(facts, deps.clock.now(), deps.links);
  if (typeof model === 'string') return { status: 'suppressed', reason: model };
  let mail: OutgoingMail;
  try {
    mail = {
      ...deps.render(model),
      kind: model.kind,
      messageId: messageId(model.messageKey, deps.domain),
      to: model.to,
      listId: model.listId,
      unsubscribeUrl: model.unsubscribeUrl,
      language: model.language,
    };
  } catch (problem) {
    // A mail with a hole in it is worse than none; it is our mistake and will not mend itself.
    deps.log.error({ mail: facts.mailId, problem: describeError(problem) }, 'a mail could not be written');
    return { status: 'failed', reason: 'mail_incomplete' };
  }
  const result = await deps.mailer.send(mail);
  switch (result.outcome) {
    case 'accepted':
      return { status: 'sent', messageId: mail.messageId };
    case 'refused':
      return { status: 'refused', reason: result.code };
    case 'retry':
    case 'ambiguous': {
      // Ambiguous: the server may have taken it. The same Message-ID lets the other side drop the copy.
      const wait = RETRY_AFTER_MS[facts.attempts - 1];
      return wait === undefined
        ? { status: 'failed', reason: result.code }
        : { status: 'queued', reason: result.code, againInMs: wait };
    }
  }
}

const utc = (iso: string): DateTime => DateTime.fromISO(iso, { zone: 'utc' });
const utcOrNull = (iso: string | null): DateTime | null => (iso === null ? null : utc(iso));

/** Who digs out an old mail to end them is to succeed; for ever would mean that a key can never be retired. */
const UNSUBSCRIBE_DAYS = 400;

/** What the mail says, or the reason why it is better not sent. */
export function modelOf(facts: MailFacts, now: DateTime, links: Links | null): MailModel | string {
  if (facts.optedOut) return 'opted_out';
  const common = {
    recipient: facts.to,
    program: facts.program,
    unsubscribeUrl: unsubscribeUrl(facts, now, links),
    now,
  };
  const { session, plan, alert, digest } = facts;
  switch (facts.kind) {
    case 'reminder':
      if (!session) return 'no_session';
      if (session.status === 'cancelled') return 'session_cancelled';
      return reminderMail({
        ...common,
        ...session,
        start: utc(session.start),
        end: utc(session.end),
        offset: facts.factKey.split('/')[3] ?? 'reminder',
      });
    case 'did_you_meet': {
      if (!session) return 'no_session';
      // Known by the other's word or a late record, or told already on the page of an alert.
      if (session.outcome !== 'unknown') return 'known_meanwhile';
      if (session.answered) return 'answered_meanwhile';
      const answer = answerUrl(facts, { ...session, sessionId: Number(session.sessionId) }, now, links);
      // It asks a question, and without the link there is nowhere to answer it.
      if (answer === null) return 'no_public_url';
      return didYouMeetMail({
        ...common,
        ...session,
        start: utc(session.start),
        end: utc(session.end),
        answerUrl: answer,
      });
    }
    case 'cadence_alert':
      if (!alert) return 'no_alert';
      if (alert.resolved) return 'resolved_meanwhile';
      return cadenceAlertMail({
        ...common,
        ...alert,
        lastHeld: utcOrNull(alert.lastHeld),
        due: utcOrNull(alert.due),
        tag: facts.tag,
        answerUrl: answerUrl(facts, alert.unverified, now, links),
        coordinator: facts.coordinator,
      });
    case 'cadence_digest':
      if (!digest || digest.items.length === 0) return 'nothing_to_tell';
      return cadenceDigestMail({
        ...common,
        ...digest,
        items: digest.items.map((item) => ({
          ...item,
          lastHeld: utcOrNull(item.lastHeld),
          nextSession: utcOrNull(item.nextSession),
        })),
      });
    case 'nudge':
      if (!plan) return 'no_plan';
      if (!plan.open) return 'booked_meanwhile';
      return nudgeMail({ ...common, ...plan, start: utc(plan.start), end: utc(plan.end), tag: facts.tag });
  }
}

/** Where this person says what became of a session; null without links, or when the time for it is over. */
function answerUrl(
  facts: MailFacts,
  session: { readonly sessionId: number; readonly end: string } | null,
  now: DateTime,
  links: Links | null,
): string | null {
  if (links === null || session === null || facts.personId === null) return null;
  const expiresAt = answerableUntil(utc(session.end));
  if (expiresAt <= now) return null;
  return links.write({
    purpose: 'answer',
    subjectId: session.sessionId,
    personId: facts.personId,
    expiresAt,
  });
}

/** A coordinator's digest is part of the office and has none. */
function unsubscribeUrl(facts: MailFacts, now: DateTime, links: Links | null): string | null {
  if (links === null || facts.personId === null) return null;
  return links.write({
    purpose: 'unsubscribe',
    subjectId: facts.programId,
    personId: facts.personId,
    expiresAt: now.plus({ days: UNSUBSCRIBE_DAYS }),
  });
}
