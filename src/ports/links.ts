import type { DateTime } from 'luxon';

/** What a link is good for. One link serves one purpose: an unsubscribe link in a forwarded mail answers nothing. */
export type LinkPurpose = 'answer' | 'unsubscribe';

/** What a link says, and all that it says. `subjectId`: the session (answer) or the program (unsubscribe). */
export interface LinkClaim {
  readonly purpose: LinkPurpose;
  readonly subjectId: number;
  readonly personId: number;
  /** In business time, in whole seconds. */
  readonly expiresAt: DateTime;
}

/** Links in mails: what they may do stands in them, signed, so that nothing has to be stored for them. */
export interface Links {
  /** The whole URL. */
  write(claim: LinkClaim): string;
  /** The claim of a token of ours with this purpose, however old; null for every other text. */
  read(purpose: LinkPurpose, token: string): LinkClaim | null;
}
