import type { AddressInfo, Socket } from 'node:net';
import PostalMime, { type Address, type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { createArrivals } from '../pages/waiting.ts';
import { type MailPage, startMailPage } from './mail-page.ts';

/** One accepted message, as it came over the wire and as a mail program would read it. */
export interface SunkMail {
  /** 1 for the first mail since the start; names the mail on the page. */
  readonly number: number;
  readonly receivedAt: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly messageId: string | null;
  /** What the mail is for: its `X-...-Kind` header, else the first word of the Message-ID. */
  readonly kind: string | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly html: string | null;
  readonly text: string | null;
  readonly headers: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  readonly attachments: ReadonlyArray<{ readonly name: string; readonly type: string }>;
  readonly raw: string;
}

export interface RecipientRefusal {
  /** Which recipient; case is ignored. */
  readonly recipient: string;
  readonly code: 450 | 550;
  /** How many tries are refused before the recipient is taken again. Absent = for ever. */
  readonly times?: number;
}

export interface MailSink {
  /** For the daemon: `smtp://127.0.0.1:port`. */
  readonly smtpUrl: string;
  /** For people. */
  readonly pageUrl: string;
  /** Everything accepted so far, oldest first. Repeats are kept: a repeat is a finding. */
  readonly mails: () => readonly SunkMail[];
  /** The first mail that fits, now or when it comes; rejects after `timeoutMs` (10 s). */
  readonly waitForMail: (wanted: (mail: SunkMail) => boolean, timeoutMs?: number) => Promise<SunkMail>;
  readonly refuse: (refusal: RecipientRefusal) => void;
  /**
   * Cuts the connection after the whole message arrived and before the answer left: the sender cannot know
   * whether it was taken. `kept` says which of the two it was.
   */
  readonly dropAfterData: (drop: { readonly times: number; readonly kept: boolean }) => void;
  readonly close: () => Promise<void>;
}

/**
 * A mail server on loopback that takes every mail, keeps it in memory and sends nothing on, with a page to read
 * them. `now` dates the mails (epoch milliseconds), so that the page tells the time the rest of the sandbox lives in.
 */
export async function startMailSink(options: { readonly now?: () => number } = {}): Promise<MailSink> {
  const now = options.now ?? Date.now;
  const arrivals = createArrivals<SunkMail>();
  const refusals = new Map<string, { code: 450 | 550; left: number }>();
  const sockets = new Map<number, Socket>();
  const drops: { kept: boolean }[] = [];
  let counter = 0;

  const smtp = new SMTPServer({
    name: 'mail.sandbox.invalid',
    banner: 'nothing leaves this server',
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    // The sandbox speaks without TLS on loopback; offering STARTTLS with a self-signed certificate would only
    // make a strict client refuse.
    disabledCommands: ['STARTTLS'],
    closeTimeout: 1_000,
    onAuth: (auth, _session, done) => done(null, { user: auth.username ?? 'anyone' }),
    onRcptTo: (address, _session, done) => {
      const refusal = refusals.get(address.address.toLowerCase());
      if (refusal === undefined || refusal.left <= 0) return done();
      refusal.left -= 1;
      const text =
        refusal.code === 550 ? '5.1.1 No such mailbox here' : '4.2.1 Mailbox busy, try again later';
      return done(Object.assign(new Error(text), { responseCode: refusal.code }));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', done);
      stream.on('end', () => {
        const drop = drops.shift();
        const raw = Buffer.concat(chunks);
        if (drop?.kept === false) {
          sockets.get(session.remotePort)?.destroy();
          return;
        }
        counter += 1;
        readMail({ raw, session, number: counter, receivedAt: now() }).then((mail) => {
          arrivals.add(mail);
          if (drop === undefined) done(null, `taken as mail ${mail.number}`);
          else sockets.get(session.remotePort)?.destroy();
        }, done);
      });
    },
  });
  // A sender that hangs up in the middle is an ordinary event for a mail server, not a failure of the sandbox.
  smtp.on('error', () => undefined);
  smtp.server.on('connection', (socket: Socket) => {
    const port = socket.remotePort;
    if (port === undefined) return;
    sockets.set(port, socket);
    socket.once('close', () => sockets.delete(port));
  });
  await new Promise<void>((resolve) => {
    smtp.listen(0, '127.0.0.1', resolve);
  });
  const page: MailPage = await startMailPage(arrivals.all);

  return {
    smtpUrl: `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
    pageUrl: page.url,
    mails: arrivals.all,
    waitForMail: (wanted, timeoutMs) => arrivals.waitFor(wanted, 'a mail', timeoutMs),
    refuse: ({ recipient, code, times }) => {
      refusals.set(recipient.toLowerCase(), { code, left: times ?? Number.POSITIVE_INFINITY });
    },
    dropAfterData: ({ times, kept }) => {
      for (let i = 0; i < times; i += 1) drops.push({ kept });
    },
    close: async () => {
      arrivals.end();
      for (const socket of sockets.values()) socket.destroy();
      await Promise.all([new Promise<void>((resolve) => smtp.close(resolve)), page.close()]);
    },
  };
}

async function readMail(came: {
  raw: Buffer;
  session: SMTPServerSession;
  number: number;
  receivedAt: number;
}): Promise<SunkMail> {
  const email = await PostalMime.parse(came.raw);
  const { mailFrom, rcptTo } = came.session.envelope;
  return {
    number: came.number,
    receivedAt: new Date(came.receivedAt).toISOString(),
    envelope: {
      from: mailFrom === false ? '' : mailFrom.address,
      to: rcptTo.map((recipient) => recipient.address),
    },
    messageId: email.messageId ?? null,
    kind: kindOf(email),
    from: addresses(email.from === undefined ? [] : [email.from]).join(', '),
    to: addresses(email.to ?? []),
    subject: email.subject ?? '',
    html: email.html ?? null,
    text: email.text ?? null,
    headers: email.headers.map((header) => ({ name: header.originalKey, value: header.value })),
    attachments: email.attachments.map((attachment) => ({
      name: attachment.filename ?? attachment.mimeType,
      type: attachment.mimeType,
    })),
    raw: came.raw.toString('utf8'),
  };
}

function kindOf(email: Email): string | null {
  const header = email.headers.find((candidate) => /^x-(?:[a-z0-9]+-)*kind$/.test(candidate.key));
  if (header !== undefined) return header.value.trim();
  return /^<?([a-z][a-z_]*)\./.exec(email.messageId ?? '')?.[1] ?? null;
}

function addresses(list: readonly Address[]): string[] {
  return list.flatMap((entry) =>
    entry.address === undefined ? entry.group.map((member) => member.address) : [entry.address],
  );
}
