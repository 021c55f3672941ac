import type { GivenAnswer, Question, Subscription } from '../domain/answer.ts';
import type { AnswerStore } from '../ports/answer-store.ts';
import type { LinkClaim, LinkPurpose, Links } from '../ports/links.ts';
import type { Clock } from '../runtime/clock.ts';

export type AnswerDeps = {
  readonly links: Links;
  readonly store: AnswerStore;
  readonly clock: Clock;
};

/** Why a link opens nothing: it is none of ours or what it names is gone, or its time is over. */
export type Closed = 'unknown' | 'expired';

/**
 * What the link of a mail asks about. Changes nothing, because mail scanners open every link before its reader does.
 * @param token as it stands in the URL
 */
export async function readQuestion(deps: AnswerDeps, token: string): Promise<Question | Closed> {
  const claim = claimOf(deps, 'answer', token);
  if (typeof claim === 'string') return claim;
  const now = deps.clock.now().toJSDate();
  return (await deps.store.loadQuestion(claim.subjectId, claim.personId, now)) ?? 'unknown';
}

/** Keeps what a person says about a session and has it judged at once. A newer answer takes the place of the older. */
export async function recordAnswer(
  deps: AnswerDeps,
  token: string,
  answer: GivenAnswer,
): Promise<'recorded' | Closed> {
  const claim = claimOf(deps, 'answer', token);
  if (typeof claim === 'string') return claim;
  const kept = await deps.store.recordAnswer(
    {
      sessionId: claim.subjectId,
      personId: claim.personId,
      kind: answer.kind,
      // What did not take place was neither good nor bad.
      feedback: answer.kind === 'met' ? answer.feedback : null,
    },
    deps.clock.now().toJSDate(),
  );
  return kept ? 'recorded' : 'unknown';
}

/** Whether the person of an unsubscribe link gets mails of the program it names. */
export async function readSubscription(deps: AnswerDeps, token: string): Promise<Subscription | Closed> {
  const claim = claimOf(deps, 'unsubscribe', token);
  if (typeof claim === 'string') return claim;
  return (await deps.store.loadSubscription(claim.subjectId, claim.personId)) ?? 'unknown';
}

/** Ends or takes up the mails of a program for the person of the link. @returns how it stands afterwards */
export async function changeSubscription(
  deps: AnswerDeps,
  token: string,
  wanted: boolean,
): Promise<Subscription | Closed> {
  const claim = claimOf(deps, 'unsubscribe', token);
  if (typeof claim === 'string') return claim;
  const found = await deps.store.loadSubscription(claim.subjectId, claim.personId);
  if (found === null) return 'unknown';
  await deps.store.changeSubscription(claim.subjectId, claim.personId, wanted, deps.clock.now().toJSDate());
  return { ...found, wanted };
}

function claimOf(deps: AnswerDeps, purpose: LinkPurpose, token: string): LinkClaim | Closed {
  const claim = deps.links.read(purpose, token);
  if (claim === null) return 'unknown';
  return claim.expiresAt <= deps.clock.now() ? 'expired' : claim;
}
