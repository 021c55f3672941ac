import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { classifyMailError, createSmtpMailer, senderDomain } from '../../src/delivery/smtp.ts';
import type { Mailer, OutgoingMail } from '../../src/ports/mailer.ts';

const mail: OutgoingMail = {
  kind: 'reminder',
  messageId: '<reminder.41.P1D.2@mentoring.example>',
  to: { name: 'Bøb "the" Okafor', address: 'bob@mentees.example' },
  subject: 'Tomorrow, 15:00–16:00: mentoring with Ada',
  html: '<p>Grüße</p>',
  text: 'Grüße',
  listId: 'reminder.oak',
  unsubscribeUrl: 'https://cadenced.example/u/4fJw2T',
  language: 'en',
};

type Received = { email: Email; from: string; to: string[]; raw: string };
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A real SMTP server whose refusals the test scripts. */
async function smtp(options: SMTPServerOptions = {}): Promise<{ port: number; received: Received[] }> {
  const received: Received[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString();
        const sender = session.envelope.mailFrom;
        void PostalMime.parse(raw).then((email) => {
          received.push({
            email,
            raw,
            from: sender === false ? '' : sender.address,
            to: session.envelope.rcptTo.map(({ address }) => address),
          });
          done();
        });
      });
    },
    ...options,
  });
  // A connection that the other side cut is part of some tests, not a crash of the server.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, received };
}

function mailer(port: number, login = '', timeoutMs = 2000): Mailer {
  const made = createSmtpMailer({
    url: `smtp://${login}127.0.0.1:${port}`,
    from: 'Mentoring <hello@Mentoring.Example>',
    messagesPerSecond: 200,
    timeoutMs,
  });
  cleanups.push(() => made.close());
  return made;
}

const refusal = (code: number) => Object.assign(new Error(`${code} planted-words`), { responseCode: code });

describe('a mail that is accepted', () => {
  it('arrives as it was made, with the headers that keep machines and filters informed', async () => {
    const { port, received } = await smtp();
    expect(await mailer(port).send(mail)).toEqual({ outcome: 'accepted', status: 250 });
    const [{ email, from, to }] = received as [Received];
    expect([from, to]).toEqual(['hello@mentoring.example', ['bob@mentees.example']]);
    expect(email).toMatchObject({
      messageId: mail.messageId,
      subject: mail.subject,
      to: [{ name: 'Bøb "the" Okafor', address: 'bob@mentees.example' }],
    });
    expect(email.text?.trim()).toBe('Grüße');
    expect(email.html?.trim()).toBe('<p>Grüße</p>');
    const headers = Object.fromEntries(email.headers.map(({ key, value }) => [key, value]));
    expect(headers).toMatchObject({
      'auto-submitted': 'auto-generated',
      'x-auto-response-suppress': 'All',
      'content-language': 'en',
      'x-cadenced-kind': 'reminder',
      'list-id': '<reminder.oak.mentoring.example>',
      'list-unsubscribe': '<https://cadenced.example/u/4fJw2T>',
      'list-unsubscribe-post': 'List-Unsubscribe=One-Click',
    });
  });

  it('offers no unsubscribing where there is none', async () => {
    const { port, received } = await smtp();
    await mailer(port).send({ ...mail, unsubscribeUrl: null });
    expect(received[0]?.raw).not.toMatch(/list-unsubscribe/i);
  });

  it('cannot be given another header by what people are called or write', async () => {
    const { port, received } = await smtp();
    await mailer(port).send({
      ...mail,
      to: { name: 'Eve\r\nBcc: all@example.org', address: 'bob@mentees.example' },
      subject: 'One\r\nBcc: all@example.org',
    });
    expect(received[0]?.to).toEqual(['bob@mentees.example']);
    expect(received[0]?.email.bcc).toBeUndefined();
  });

  it('waits for those under way before it closes', async () => {
    const { port, received } = await smtp();
    const sender = mailer(port);
    const results = Array.from({ length: 20 }, (_, index) =>
      sender.send({ ...mail, messageId: `<m.${index}@mentoring.example>` }),
    );
    await sender.close();
    expect(new Set((await Promise.all(results)).map(({ outcome }) => outcome))).toEqual(
      new Set(['accepted']),
    );
    expect(new Set(received.map(({ email }) => email.messageId)).size).toBe(20);
  });
});

describe('a mail that is not', () => {
  it.each([
    [550, 'refused', 'recipient_refused'],
    [450, 'retry', 'deferred'],
  ])('RCPT %i', async (code, outcome, expected) => {
    const { port } = await smtp({ onRcptTo: (_address, _session, done) => done(refusal(code)) });
    expect(await mailer(port).send(mail)).toEqual({ outcome, code: expected, status: code });
  });

  it.each([
    [554, 'refused', 'message_refused'],
    [452, 'retry', 'deferred'],
    [421, 'retry', 'deferred'],
  ])('DATA %i', async (code, outcome, expected) => {
    const { port } = await smtp({
      onData(stream, _session, done) {
        stream.resume();
        stream.on('end', () => done(refusal(code)));
      },
    });
    expect(await mailer(port).send(mail)).toEqual({ outcome, code: expected, status: code });
  });

  it('a refused sender concerns every mail: it is tried again', async () => {
    const { port } = await smtp({ onMailFrom: (_address, _session, done) => done(refusal(553)) });
    expect(await mailer(port).send(mail)).toEqual({ outcome: 'retry', code: 'sender_refused', status: 553 });
  });

  it('a refused login is tried again, and named by the check', async () => {
    const { port } = await smtp({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_a, _s, done) => done(refusal(535)),
    });
    const sender = mailer(port, 'user:planted-secret@');
    expect(await sender.send(mail)).toEqual({ outcome: 'retry', code: 'auth', status: 535 });
    expect(await sender.check()).toEqual({ code: 'auth', status: 535 });
  });

  it('an address that is none is refused without asking the server', async () => {
    const { port, received } = await smtp();
    const result = await mailer(port).send({ ...mail, to: { name: null, address: '' } });
    expect(result).toEqual({ outcome: 'refused', code: 'address_invalid', status: null });
    expect(received).toEqual([]);
  });

  it('nobody listening is tried again', async () => {
    const { port } = await smtp();
    await cleanups.pop()?.();
    expect(await mailer(port).send(mail)).toMatchObject({ outcome: 'retry', code: 'connection_failed' });
    expect(await mailer(port).check()).toMatchObject({ code: 'connection_failed' });
  });
});

/** A server that speaks just enough SMTP to die at a chosen moment. */
async function dyingServer(
  dieAt: 'greeting' | 'DATA' | 'message',
): Promise<{ port: number; messageIds: string[] }> {
  const messageIds: string[] = [];
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (dieAt === 'greeting') {
      socket.destroy();
      return;
    }
    let inMessage = false;
    let buffered = '';
    socket.write('220 ready\r\n');
    socket.on('data', (chunk) => {
      const text = chunk.toString();
      if (inMessage) {
        buffered += text;
        if (!buffered.includes('\r\n.\r\n')) return;
        messageIds.push(/^Message-ID: (.*)$/m.exec(buffered)?.[1]?.trim() ?? '');
        socket.destroy();
        return;
      }
      for (const line of text.split('\r\n').filter(Boolean)) {
        if (line.startsWith('EHLO')) socket.write('250 dying\r\n');
        else if (line.startsWith('DATA')) {
          if (dieAt === 'DATA') socket.destroy();
          else {
            inMessage = true;
            socket.write('354 go on\r\n');
          }
        } else socket.write('250 ok\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.address() as AddressInfo).port, messageIds };
}

describe('a connection that breaks', () => {
  it('after the message has left is ambiguous: one attempt only, the same id the next time', async () => {
    const { port, messageIds } = await dyingServer('message');
    const sender = mailer(port);
    expect(await sender.send(mail)).toEqual({ outcome: 'ambiguous', code: 'connection_closed' });
    expect(messageIds).toEqual([mail.messageId]);
    expect(await sender.send(mail)).toEqual({ outcome: 'ambiguous', code: 'connection_closed' });
    expect(messageIds).toEqual([mail.messageId, mail.messageId]);
  });

  it.each(['greeting', 'DATA'] as const)('before it has left (%s) is a plain retry', async (moment) => {
    const { port } = await dyingServer(moment);
    expect(await mailer(port).send(mail)).toMatchObject({ outcome: 'retry', status: null });
  });
});

describe('settings', () => {
  it.each([
    ['hello@Mentoring.Example', 'mentoring.example'],
    ['Mentoring <hello@mentoring.example>', 'mentoring.example'],
  ])('finds the domain of %s', (from, domain) => {
    expect(senderDomain(from)).toBe(domain);
  });

  it.each([
    ['http://mail.example', 'a@b.example', 'the mail server is given as'],
    ['smtp://mail.example', 'nobody', 'the sender of mails is an address'],
  ])('refuses %s from %s', (url, from, words) => {
    expect(() => createSmtpMailer({ url, from })).toThrow(words);
  });

  it('never says a password in the clear to another machine', async () => {
    const logins: unknown[] = [];
    const { port } = await smtp({
      allowInsecureAuth: true,
      onAuth: (auth, _session, done) => {
        logins.push(auth);
        done(null, { user: 'user' });
      },
    });
    // 0.0.0.0 reaches this machine and is no loopback address.
    const sender = createSmtpMailer({ url: `smtp://user:planted@0.0.0.0:${port}`, from: 'a@b.example' });
    cleanups.push(() => sender.close());
    expect(await sender.send(mail)).toMatchObject({ outcome: 'retry', code: 'tls' });
    expect(logins).toEqual([]);
  });

  it('takes 503, a session in the wrong state, for a passing trouble', () => {
    const error = { code: 'EENVELOPE', command: 'MAIL FROM', responseCode: 503, permanent: false };
    expect(classifyMailError(error, false)).toEqual({ outcome: 'retry', code: 'deferred', status: 503 });
  });
});
