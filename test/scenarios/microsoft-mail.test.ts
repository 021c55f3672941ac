import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { loadMailRenderer } from '../../src/delivery/render-mail.ts';
import { createSmtpMailer, senderDomain } from '../../src/delivery/smtp.ts';
import type { Mailer } from '../../src/ports/mailer.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type MailSink, startMailSink } from '../../src/sandbox/mail/mail-sink.ts';
import { createMailOutbox } from '../../src/store/mail-outbox.ts';
import { deliverMails } from '../../src/usecases/deliver-mails.ts';
import { createSeededWorld, type SeededWorld } from '../integration/seeded-world.ts';

const FROM = 'Mentoring <mentoring@example.org>';

let world: SeededWorld;
let sink: MailSink;
let mailer: Mailer;
afterEach(async () => {
  await mailer.close();
  await sink.close();
  await world.close();
});

async function deliver(): Promise<void> {
  const forms = loadMailRenderer(join(import.meta.dirname, '../../config/mail'));
  await sql`update cadenced.mail set next_attempt_at = null`.execute(world.db);
  await deliverMails(
    {
      outbox: createMailOutbox(world.db),
      mailer,
      render: (model) => forms.render(model),
      links: null,
      domain: senderDomain(FROM),
      clock: world.clock,
      log: silentLog(),
    },
    new AbortController().signal,
  );
}

test.each([
  ['taken', true, 2],
  ['not taken', false, 1],
])(
  '43 a connection that breaks after the mail has left, which was %s: written down as doubtful, and one mail to whoever reads ids',
  async (_what, kept, arrived) => {
    sink = await startMailSink();
    mailer = createSmtpMailer({ url: sink.smtpUrl, from: FROM });
    world = await createSeededWorld({ now: '2026-03-01T10:00', policy: { reminders: ['PT1H'] } });
    await world.session({ at: '2026-03-10T10:00' });
    await world.travelTo('2026-03-10T09:00');
    await sql`delete from cadenced.mail where person_id <> ${world.ids.mentor}`.execute(world.db);
    sink.dropAfterData({ times: 1, kept });
    await deliver();
    const mails = () =>
      world.rows(sql<{ status: string; reason: string | null; attempts: number }>`
      select status, reason, attempts from cadenced.mail`);
    expect(await mails()).toEqual([{ status: 'queued', reason: 'connection_closed', attempts: 1 }]);
    await deliver();
    expect(await mails()).toEqual([{ status: 'sent', reason: null, attempts: 2 }]);
    await deliver();
    expect(sink.mails()).toHaveLength(arrived);
    expect(new Set(sink.mails().map(({ messageId }) => messageId)).size).toBe(1);
  },
);
