import { createSmtpMailer } from '../delivery/smtp.ts';
import { isFailure } from '../domain/failure.ts';
import type { Log } from '../runtime/log.ts';
import { renderMistake } from '../settings/mistakes.ts';
import { loadSettings, type Settings } from '../settings/settings.ts';
import { readUnread } from '../store/health.ts';
import { readCalendarTroubles } from '../store/status.ts';
import { calendarFindings, providerFindings } from './doctor-calendars.ts';
import { databaseFindings } from './doctor-database.ts';
import { pushFindings } from './doctor-push.ts';
import { webhookFindings } from './doctor-webhooks.ts';
import { renderProblem } from './failures.ts';
import { type Finding, fail, ok, renderFinding, warn } from './finding.ts';
import { EXIT, type Io } from './io.ts';
import { withLook } from './look.ts';
import { withSettings, withSignal } from './open.ts';
import { counted } from './wording.ts';

const OLDEST_NODE = [24, 18] as const;

/** `cadenced doctor`: tries what the daemon will need, one line for each thing, and changes nothing. */
export async function runDoctor(io: Io): Promise<number> {
  let failed = 0;
  let warned = 0;
  const tell = (findings: readonly Finding[]) => {
    for (const finding of findings) {
      if (finding.verdict === 'FAIL') failed += 1;
      if (finding.verdict === 'warn') warned += 1;
      io.stdout(renderFinding(finding));
    }
  };
  tell([nodeFinding(process.versions.node), ...settingsFindings(io)]);
  // With settings that cannot be read there is nothing to try.
  const readable = loadSettings({ env: io.env }).ok;
  const code = readable
    ? await withSettings(io, [], (settings, log) =>
        withSignal(io, async (signal) => {
          await examine(settings, log, tell, signal);
          return EXIT.ok;
        }),
      )
    : EXIT.failed;
  io.stdout('');
  io.stdout(
    failed > 0
      ? `${counted(failed, 'thing')} to mend, ${warned} to know about.`
      : `Nothing failed; ${warned} to know about.`,
  );
  return failed > 0 ? EXIT.failed : code;
}

async function examine(
  settings: Settings,
  log: Log,
  tell: (findings: readonly Finding[]) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    await withLook(settings, log, async (look) => {
      if (look === null) {
        tell([warn('database', 'none was made yet', 'cadenced start or cadenced migrate makes one')]);
        tell(sealFindings(settings, 0));
        tell(await mailFindings(settings));
        return EXIT.ok;
      }
      const { inspection, database, db } = look;
      tell(databaseFindings(inspection, database, settings));
      // A database of another version may lack what is asked for below.
      const prepared = inspection.pending.length === 0 && inspection.unknown.length === 0;
      const webhooks = prepared ? await webhookFindings(db, settings) : { endpoints: 0, findings: [] };
      tell(sealFindings(settings, webhooks.endpoints));
      tell(await mailFindings(settings));
      if (!prepared) return EXIT.ok;
      tell(await providerFindings(db, settings, log, signal));
      tell(await pushFindings(db, settings, signal));
      tell(webhooks.findings);
      tell(calendarFindings(await readCalendarTroubles(db), await readUnread(db)));
      return EXIT.ok;
    });
  } catch (problem) {
    if (signal.aborted) throw problem;
    const [first = 'it cannot be opened', ...rest] = renderProblem(problem);
    tell([
      isFailure(problem)
        ? fail('database', first, rest.join(' '))
        : fail('examination', first, rest.join(' ')),
    ]);
    tell(sealFindings(settings, 0));
    tell(await mailFindings(settings));
  }
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const recent = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return recent
    ? ok('Node', version)
    : fail(
        'Node',
        `this is ${version}`,
        `run it with Node ${OLDEST_NODE.join('.')} or newer; npm start does so by itself`,
      );
}

/** Every mistake; and, where there is none, what the daemon would still miss. */
function settingsFindings(io: Io): Finding[] {
  const loaded = loadSettings({ env: io.env, needs: ['programs', 'calendars', 'seal_keys'] });
  if (loaded.ok) {
    const { programs, configFile, google, microsoft } = loaded.settings;
    const providers = [google && 'Google', microsoft && 'Microsoft'].filter((name) => name !== null);
    return [
      ok('settings', `${counted(programs.length, 'program')} in ${configFile}; ${providers.join(' and ')}`),
    ];
  }
  return loaded.mistakes.map((mistake) =>
    fail('settings', renderMistake(mistake), 'config/README.md and config/cadenced.env.example explain it'),
  );
}

function sealFindings({ sealKeys }: Settings, endpoints: number): Finding[] {
  if (sealKeys.length > 0) {
    return [ok('seal keys', sealKeys.length === 1 ? 'one key' : `${sealKeys.length} keys, the first seals`)];
  }
  const mend = 'set CADENCED_SEAL_KEYS; make a key with: openssl rand -base64 32';
  return endpoints > 0
    ? [fail('seal keys', 'none, and stored webhook secrets need the key that sealed them', mend)]
    : [warn('seal keys', 'none', mend)];
}

async function mailFindings({ mail }: Settings): Promise<Finding[]> {
  if (mail === null) {
    return [warn('mail', 'no relay: nobody gets mail', 'set CADENCED_SMTP_URL and CADENCED_MAIL_FROM')];
  }
  const mailer = createSmtpMailer({ url: mail.url.reveal(), from: mail.from, timeoutMs: 10_000 });
  try {
    const refused = await mailer.check();
    if (refused === null) return [ok('mail', `the relay takes mail from ${mail.from}`)];
    const status = refused.status === null ? '' : `, SMTP ${refused.status}`;
    return [
      fail(
        'mail',
        `the relay does not take us (${refused.code}${status})`,
        MAIL_MENDS[refused.code] ?? MAIL_MEND,
      ),
    ];
  } finally {
    await mailer.close();
  }
}

const MAIL_MEND =
  'check host, port, user and password in CADENCED_SMTP_URL, and that this machine may reach the relay';
const MAIL_MENDS: Readonly<Record<string, string>> = {
  auth: 'check user and password in CADENCED_SMTP_URL: percent-encoded, and allowed to send',
  dns: 'check the host in CADENCED_SMTP_URL: its name does not resolve',
  tls: 'check the port (587 for smtp://, 465 for smtps://) and the certificate; NODE_EXTRA_CA_CERTS adds an authority',
  not_smtp: 'check the port in CADENCED_SMTP_URL: what answers there is no mail relay',
};
