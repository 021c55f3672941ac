import type { Command } from 'commander';
import type { Io } from './io.ts';
import { paragraphs } from './paragraphs.ts';
import type { Finish } from './program.ts';

const WEBHOOK = `
Tells other programs what happened, by signed POST requests (Standard Webhooks 1.0; the body is a CloudEvents 1.0
event). config/webhooks/README.md says what a receiver can rely on. All of these need the database, and those that
touch a signing secret need CADENCED_SEAL_KEYS, because secrets are stored encrypted.

Exit codes: 0 done; 1 no such webhook, or not accepted; 2 wrong command line or settings.`;

const ADD = `
Adds a receiver and prints its signing secret, this once: give it to the receiver, it cannot be shown again.
The address must be https (http only on this machine). Addresses of a private network also need to be listed in
CADENCED_WEBHOOK_ALLOW of the daemon. Only what happens from now on is sent; "webhook replay" sends older events.
Needs the database and CADENCED_SEAL_KEYS.

Examples:
  cadenced webhook add https://crm.example.org/hooks/mentoring --name crm
  cadenced webhook add https://bus.example.org/in --types session.judged,cadence.violated --cloudevents

Exit codes: 0 added; 1 the name is taken; 2 wrong address, type or settings.`;

const TEST = `
Sends one signed event of type webhook.test to the receiver, now, whatever its state, and says what it answered.
The event is not stored, and receivers should answer 2xx to types they do not know.
Needs the database and CADENCED_SEAL_KEYS.

Example:
  cadenced webhook test crm

Exit codes: 0 accepted (2xx); 1 not accepted; 2 wrong settings.`;

const REPLAY = `
Sends events once more, under the same ids: those that were given up, or with --since everything since then,
whether it was delivered, given up or never sent. The daemon sends them. Needs the database.

Examples:
  cadenced webhook replay crm
  cadenced webhook replay crm --since 2026-03-01T00:00:00Z
  cadenced webhook replay crm --event evt_1b2c

Exit codes: 0 queued (also when there was nothing to queue); 1 no such webhook or event; 2 wrong command line.`;

const ROTATE = `
Makes a new signing secret and prints it, this once. From now on every request carries two signatures, by the new
and by the old secret, so that the receiver can change over at leisure; --finish then drops the old one.
Needs the database and CADENCED_SEAL_KEYS.

Examples:
  cadenced webhook rotate crm
  cadenced webhook rotate crm --finish

Exit codes: 0 done; 1 no such webhook; 2 wrong settings.`;

/** `cadenced webhook ...` */
export function addWebhookCommands(program: Command, io: Io, finish: Finish): void {
  const webhook = program
    .command('webhook')
    .summary('tell other programs what happened')
    .description(paragraphs(WEBHOOK));
  webhook
    .command('add')
    .summary('add a receiver and print its secret')
    .description(paragraphs(ADD))
    .argument('<url>', 'where to send')
    .option('--name <name>', 'what to call it here; default: its host')
    .option('--types <types>', 'only these event types, separated by commas; default: all')
    .option('--cloudevents', 'send as application/cloudevents+json instead of application/json')
    .action(async (url: string, options: { name?: string; types?: string; cloudevents?: true }) => {
      const { runWebhookAdd } = await import('./webhook.ts');
      const { name = null, types = null, cloudevents = false } = options;
      await finish(runWebhookAdd({ url, name, types, cloudevents }, io));
    });
  webhook
    .command('list')
    .summary('show the receivers and what waits for them')
    .description('Shows every receiver: its state, what waits, what was given up. Needs the database.')
    .action(async () => {
      const { runWebhookList } = await import('./webhook.ts');
      await finish(runWebhookList(io));
    });
  webhook
    .command('test')
    .summary('send one test event now')
    .description(paragraphs(TEST))
    .argument('<name>', 'the receiver')
    .action(async (name: string) => {
      const { runWebhookTest } = await import('./webhook.ts');
      await finish(runWebhookTest(name, io));
    });
  webhook
    .command('replay')
    .summary('send events once more')
    .description(paragraphs(REPLAY))
    .argument('<name>', 'the receiver')
    .option('--since <instant>', 'everything since then, such as 2026-03-01 or 2026-03-01T09:00:00Z (UTC)')
    .option('--event <id>', 'only this event')
    .action(
      async (
        name: string,
        { since = null, event = null }: { since?: string | null; event?: string | null },
      ) => {
        const { runWebhookReplay } = await import('./webhook.ts');
        await finish(runWebhookReplay({ name, since, event }, io));
      },
    );
  webhook
    .command('rotate')
    .summary('change the signing secret')
    .description(paragraphs(ROTATE))
    .argument('<name>', 'the receiver')
    .option('--finish', 'drop the old secret')
    .action(async (name: string, flags: { finish?: true }) => {
      const { runWebhookRotate } = await import('./webhook.ts');
      await finish(runWebhookRotate(name, flags.finish ?? false, io));
    });
  addSwitches(webhook, io, finish);
}

const SWITCHES = [
  [
    'pause',
    'hold events back for a while',
    'Holds everything back, loses nothing: "webhook resume" sends what happened meanwhile.',
  ],
  [
    'resume',
    'send again',
    'Switches a paused or disabled receiver on again and sends what happened during a pause.',
  ],
  [
    'disable',
    'switch it off',
    'Switches a receiver off and gives up what waits for it. "webhook resume" switches it on again, "webhook replay" sends what it missed.',
  ],
] as const;

function addSwitches(webhook: Command, io: Io, finish: Finish): void {
  for (const [verb, summary, description] of SWITCHES) {
    webhook
      .command(verb)
      .summary(summary)
      .description(
        `${description} Needs the database.\n\nExit codes: 0 done; 1 no such webhook; 2 wrong settings.`,
      )
      .argument('<name>', 'the receiver')
      .action(async (name: string) => {
        const { runWebhookSwitch } = await import('./webhook.ts');
        await finish(runWebhookSwitch(verb, name, io));
      });
  }
}
