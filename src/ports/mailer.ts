/** A mail that is ready to leave. */
export type OutgoingMail = {
  /** Deterministic, with angle brackets: a repeat of the same mail carries the same id. */
  readonly messageId: string;
  /** Such as `reminder`; told in `X-Cadenced-Kind`, so that people can sort by it. */
  readonly kind: string;
  readonly to: { readonly name: string | null; readonly address: string };
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  /** Names the stream for filters, e.g. `reminder.oak-program`; the mailer completes it with its domain. */
  readonly listId: string;
  /** URL that ends the program's mails to this person by one POST (RFC 8058), null where people cannot opt out. */
  readonly unsubscribeUrl: string | null;
  /** BCP 47 tag. */
  readonly language: string;
};

/**
 * What became of a mail. `ambiguous`: the connection broke after the message had begun to leave, so the
 * server may or may not have taken it; it is sent again under the same Message-ID, which lets the receiving
 * side drop the copy. `code` is stable and short, never the server's own words.
 */
export type MailResult =
  | { readonly outcome: 'accepted'; readonly status: number | null }
  | { readonly outcome: 'refused'; readonly code: string; readonly status: number | null }
  | { readonly outcome: 'retry'; readonly code: string; readonly status: number | null }
  | { readonly outcome: 'ambiguous'; readonly code: string };

export type Mailer = {
  /** Never rejects. */
  send(mail: OutgoingMail): Promise<MailResult>;
  /** Connects and signs in without sending. Never rejects; null means that the server would take mail. */
  check(): Promise<{ readonly code: string; readonly status: number | null } | null>;
  /** Lets mails under way finish, then ends the connections. */
  close(): Promise<void>;
};
