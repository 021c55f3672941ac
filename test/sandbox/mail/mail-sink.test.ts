import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MailSink, startMailSink } from '../../../src/sandbox/mail/mail-sink.ts';

const MESSAGE = {
  from: 'Cadence <cadence@sandbox.example>',
  to: 'Ada Blum <ada@north.example>',
  subject: 'Tomorrow: your session with Bo <3',
  text: 'See you at ten.',
  html: '<p>See you at <b>ten</b>.</p><script>alert(1)</script>',
};

async function failureOf(sending: Promise<unknown>): Promise<{ responseCode?: number; code?: string }> {
  try {
    await sending;
  } catch (error) {
    return error as { responseCode?: number; code?: string };
  }
  throw new Error('the mail was accepted');
}

describe('mail sink', () => {
  let sink: MailSink;
  beforeEach(async () => {
    sink = await startMailSink({ now: () => Date.parse('2026-03-02T09:00:00Z') });
  });
  afterEach(() => sink.close());

  it('takes a mail without TLS or login and keeps what a reader would see', async () => {
    await createTransport(sink.smtpUrl).sendMail({
      ...MESSAGE,
      messageId: '<reminder.s1.PT24H.p2@sandbox.example>',
    });
    const [mail] = sink.mails();
    expect(mail).toMatchObject({
      number: 1,
      receivedAt: '2026-03-02T09:00:00.000Z',
      kind: 'reminder',
      from: 'cadence@sandbox.example',
      to: ['ada@north.example'],
      subject: 'Tomorrow: your session with Bo <3',
      envelope: { from: 'cadence@sandbox.example', to: ['ada@north.example'] },
    });
    expect(mail?.text?.trim()).toBe('See you at ten.');
  });

  it('takes a login when a client insists on one', async () => {
    const url = sink.smtpUrl.replace('smtp://', 'smtp://user:secret@');
    await createTransport(url).sendMail(MESSAGE);
    expect(sink.mails()).toHaveLength(1);
  });

  it('keeps repeats of one Message-ID apart', async () => {
    const transport = createTransport(sink.smtpUrl);
    await transport.sendMail({ ...MESSAGE, messageId: '<same@sandbox.example>' });
    await transport.sendMail({ ...MESSAGE, messageId: '<same@sandbox.example>' });
    expect(sink.mails().map((mail) => mail.messageId)).toEqual([
      '<same@sandbox.example>',
      '<same@sandbox.example>',
    ]);
  });

  it('refuses a recipient for ever with 550 and for a while with 450', async () => {
    sink.refuse({ recipient: 'ada@north.example', code: 550 });
    const transport = createTransport(sink.smtpUrl);
    expect((await failureOf(transport.sendMail(MESSAGE))).responseCode).toBe(550);

    sink.refuse({ recipient: 'ADA@north.example', code: 450, times: 1 });
    expect((await failureOf(transport.sendMail(MESSAGE))).responseCode).toBe(450);
    await transport.sendMail(MESSAGE);
    expect(sink.mails()).toHaveLength(1);
  });

  it.each([
    { kept: true, count: 1 },
    { kept: false, count: 0 },
  ])('leaves the sender in doubt after DATA (kept: $kept)', async ({ kept, count }) => {
    sink.dropAfterData({ times: 1, kept });
    const failure = await failureOf(createTransport(sink.smtpUrl).sendMail(MESSAGE));
    expect(failure.responseCode).toBeUndefined();
    expect(sink.mails()).toHaveLength(count);
  });

  it('wakes somebody who waits for a mail, and says so when it never comes', async () => {
    const coming = sink.waitForMail((mail) => mail.subject.startsWith('Tomorrow'));
    await createTransport(sink.smtpUrl).sendMail(MESSAGE);
    expect((await coming).number).toBe(1);
    await expect(sink.waitForMail(() => false, 20)).rejects.toThrow('waited 20 ms for a mail');
  });

  it('shows mails on a page that runs nothing out of them', async () => {
    await createTransport(sink.smtpUrl).sendMail({
      ...MESSAGE,
      headers: { 'X-Cadence-Kind': 'cadence_alert' },
    });
    const list = await (await fetch(sink.pageUrl)).text();
    expect(list).toContain('Tomorrow: your session with Bo &lt;3');
    expect(list).toContain('cadence alert');

    const answer = await fetch(`${sink.pageUrl}/mails/1`);
    const page = await answer.text();
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page).toContain('<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" ');
    expect(page).toContain('&lt;base target=&quot;_blank&quot;&gt;&lt;p&gt;See you');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toContain('<script>');

    const listed = (await (await fetch(`${sink.pageUrl}/mails.json`)).json()) as { kind: string }[];
    expect(listed.map((mail) => mail.kind)).toEqual(['cadence_alert']);
    expect((await fetch(`${sink.pageUrl}/mails/2`)).status).toBe(404);
    expect(await (await fetch(`${sink.pageUrl}/mails/1.eml`)).text()).toContain(
      'X-Cadence-Kind: cadence_alert',
    );
  });
});
