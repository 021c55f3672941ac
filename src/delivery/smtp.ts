import type { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import type { Mailer, MailResult, OutgoingMail } from '../ports/mailer.ts';

export type SmtpOptions = {
  /** `smtp://` (STARTTLS where offered) or `smtps://`, with percent-encoded credentials. */
  readonly url: string;
  /** `Mentoring <mentoring@example.org>` or a bare address. */
  readonly from: string;
  /** Relays throttle bursts; the rest waits in the pool. */
  readonly messagesPerSecond?: number;
  readonly connections?: number;
  readonly timeoutMs?: number;
};

const MESSAGES_PER_SECOND = 10;
const CONNECTIONS = 3;
const TIMEOUT_MS = 30_000;
const LOOPBACK_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;

/** The fields of a nodemailer error that decide; its message may quote credentials and is never read. */
type SmtpError = {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly permanent?: boolean;
};

/** A mailer over one pooled SMTP transport. @throws RangeError for a URL that is not SMTP or a sender without a domain. */
export function createSmtpMailer(options: SmtpOptions): Mailer {
  const domain = senderDomain(options.from);
  const timeout = options.timeoutMs ?? TIMEOUT_MS;
  const transport = createTransport({
    ...connection(options.url),
    pool: true,
    maxConnections: options.connections ?? CONNECTIONS,
    rateDelta: 1000,
    rateLimit: options.messagesPerSecond ?? MESSAGES_PER_SECOND,
    // The pool would send a mail again by itself when its connection closes; only we know whether that is safe.
    maxRequeues: 0,
    // Shorter than the idle limits of common relays, which otherwise drop the connection under the next mail.
    idleTimeout: 20_000,
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const sources = new WeakMap<object, Readable>();
  transport.use('stream', (mail, callback) => {
    const { message } = mail;
    const read = message.createReadStream.bind(message);
    message.createReadStream = (...args: Parameters<typeof read>) => {
      const source = read(...args);
      sources.set(mail.data.headers as object, source);
      return source;
    };
    callback();
  });
  const sending = new Set<Promise<unknown>>();

  return {
    async send(mail) {
      const headers = headersOf(mail);
      const sent = transport.sendMail({
        from: options.from,
        to: mail.to.name === null ? mail.to.address : { name: mail.to.name, address: mail.to.address },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        messageId: mail.messageId,
        headers,
        list: {
          id: { url: `${mail.listId}.${domain}` },
          ...(mail.unsubscribeUrl === null ? {} : { unsubscribe: mail.unsubscribeUrl }),
        },
      });
      const settled = sent.then(
        (info): MailResult => ({ outcome: 'accepted', status: Number(info.response.slice(0, 3)) || null }),
        (error: SmtpError) => classifyMailError(error, sources.get(headers)?.readableDidRead ?? false),
      );
      sending.add(settled);
      try {
        return await settled;
      } finally {
        sending.delete(settled);
      }
    },
    async check() {
      try {
        await transport.verify();
        return null;
      } catch (error) {
        const { code, responseCode } = error as SmtpError;
        return { code: connectionCode(code), status: responseCode ?? null };
      }
    },
    async close() {
      await Promise.allSettled(sending);
      transport.close();
    },
  };
}

/** The domain that Message-IDs and List-Ids of this sender carry. @throws RangeError when there is none. */
export function senderDomain(from: string): string {
  const domain = /@([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)>?\s*$/i.exec(from)?.[1];
  if (domain === undefined) throw new RangeError('the sender of mails is an address with a domain');
  return domain.toLowerCase();
}

/**
 * What a failure means for the mail. Refused for good only where the server judged this recipient or this
 * message: a refused login or sender concerns every mail and is mended by a person, so it is tried again.
 * `messageBegun`: at least one byte of the message had been handed to the connection.
 */
export function classifyMailError(error: SmtpError, messageBegun: boolean): MailResult {
  const status = error.responseCode ?? null;
  if (status === null && error.code === 'EENVELOPE')
    return { outcome: 'refused', code: 'address_invalid', status };
  if (status === null && error.code === 'EMESSAGE')
    return { outcome: 'refused', code: 'message_invalid', status };
  if (status !== null && (error.code === 'EENVELOPE' || error.code === 'EMESSAGE')) {
    if (error.permanent !== true) return { outcome: 'retry', code: 'deferred', status };
    if (error.command === 'MAIL FROM') return { outcome: 'retry', code: 'sender_refused', status };
    return {
      outcome: 'refused',
      code: error.code === 'EENVELOPE' ? 'recipient_refused' : 'message_refused',
      status,
    };
  }
  const code = connectionCode(error.code);
  if (messageBegun && status === null) return { outcome: 'ambiguous', code };
  return { outcome: 'retry', code, status };
}

const CONNECTION_CODES: Readonly<Record<string, string>> = {
  EAUTH: 'auth',
  ENOAUTH: 'auth',
  EOAUTH2: 'auth',
  EDNS: 'dns',
  ETLS: 'tls',
  EREQUIRETLS: 'tls',
  ETIMEDOUT: 'timeout',
  ESOCKET: 'connection_failed',
  ECONNECTION: 'connection_closed',
  EPROTOCOL: 'not_smtp',
};

function connectionCode(code: string | undefined): string {
  return CONNECTION_CODES[code ?? ''] ?? 'smtp_failed';
}

function headersOf(mail: OutgoingMail): Record<string, string> {
  return {
    'Content-Language': mail.language,
    'X-Cadenced-Kind': mail.kind,
    // RFC 3834: no machine answers a machine.
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
    // RFC 8058 allows one-click only over https. A relay that signs with DKIM must cover this header too.
    ...(mail.unsubscribeUrl?.startsWith('https:')
      ? { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
      : {}),
  };
}

function connection(text: string) {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '') {
    throw new RangeError('the mail server is given as smtp://host:port or smtps://host:port');
  }
  const secure = url.protocol === 'smtps:';
  const hasLogin = url.username !== '';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    // Without this a network that strips STARTTLS from the greeting would read the password.
    requireTLS: !secure && hasLogin && !LOOPBACK_HOST.test(url.hostname),
    ...(hasLogin
      ? { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }
      : {}),
  };
}
