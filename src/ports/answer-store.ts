import type { AnswerKind, Feedback, Question, Subscription } from '../domain/answer.ts';

export interface AnswerStore {
  /** null when the session does not exist, has not ended, or the person was not invited to it. */
  loadQuestion(sessionId: number, personId: number, now: Date): Promise<Question | null>;
  /**
   * Keeps an answer as evidence and has the session judged, in one transaction. The last answer of a person counts;
   * the same one again adds nothing. Feedback: undefined leaves it, null removes it, else it replaces what was said.
   * @returns false when there is nothing to answer (see loadQuestion)
   */
  recordAnswer(
    answer: {
      readonly sessionId: number;
      readonly personId: number;
      readonly kind: AnswerKind;
      readonly feedback: Feedback | null | undefined;
    },
    now: Date,
  ): Promise<boolean>;
  /** null when the program or the person is gone. */
  loadSubscription(programId: number, personId: number): Promise<Subscription | null>;
  /** Ends or takes up the mails of a program for a person; a second call changes nothing. */
  changeSubscription(programId: number, personId: number, wanted: boolean, now: Date): Promise<void>;
}
