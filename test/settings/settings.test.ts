import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderMistake } from '../../src/settings/mistakes.ts';
import type { Need } from '../../src/settings/rules.ts';
import { loadSettings, renderMistakes, type Settings } from '../../src/settings/settings.ts';
import { selfSigned } from './self-signed.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const OTHER_KEY = Buffer.alloc(32, 9).toString('base64url');
const pair = selfSigned();

const FILES: Readonly<Record<string, string>> = {
  '/c.yaml':
    'programs: [{name: P, time_zone: UTC, tags: ["#m", {mailbox: m@example.org}], cadence: {every: P14D}}]',
  '/google.json': JSON.stringify({
    type: 'service_account',
    client_email: 'robot@project.iam.example.org',
    private_key: pair.privateKey,
  }),
  '/pair.pem': pair.certificate + pair.privateKey,
  '/foreign.pem': pair.certificate + selfSigned().privateKey,
  '/key': `${KEY}\n`,
  '/empty': ' \n',
};

function load(env: Record<string, string>, needs: Need[] = []) {
  const readText = (path: string) => {
    const text = FILES[path];
    if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return text;
  };
  return loadSettings({ env, needs, readText, uid: 1000 });
}

function settings(env: Record<string, string>): Settings {
  const loaded = load(env);
  if (!loaded.ok) throw new Error(renderMistakes(loaded.mistakes).join('\n'));
  return loaded.settings;
}

function mistakes(env: Record<string, string>, needs: Need[] = []): string[] {
  const loaded = load(env, needs);
  return loaded.ok ? [] : loaded.mistakes.map(renderMistake);
}

const GOOGLE = { CADENCED_GOOGLE_KEY_FILE: '/google.json' };
const MICROSOFT = {
  CADENCED_MICROSOFT_TENANT: 'contoso.example',
  CADENCED_MICROSOFT_CLIENT_ID: '3f0d',
  CADENCED_MICROSOFT_CLIENT_SECRET: 'shh~secret',
};

describe('settings from the environment', () => {
  it('have a safe default where nothing is set', () => {
    expect(settings({ HOME: '/home/ada' })).toMatchObject({
      configFile: null,
      programs: [],
      database: { kind: 'embedded', dataDir: '/home/ada/.local/state/cadenced' },
      google: null,
      microsoft: null,
      mail: null,
      http: {
        publicUrl: null,
        host: '127.0.0.1',
        port: 8080,
        metricsHost: '127.0.0.1',
        metricsPort: 9090,
        trustProxy: [],
        eventsToken: null,
      },
      webhookAllow: [],
      sealKeys: [],
      clock: null,
      logLevel: 'info',
    });
  });

  it('put data where the running user may write', () => {
    const dataDir = (env: Record<string, string>, uid: number) => {
      const loaded = loadSettings({ env, uid });
      return loaded.ok && loaded.settings.database.kind === 'embedded'
        ? loaded.settings.database.dataDir
        : null;
    };
    expect(dataDir({ HOME: '/root' }, 0)).toBe('/var/lib/cadenced');
    expect(dataDir({ HOME: '/home/ada', XDG_STATE_HOME: '/state' }, 1000)).toBe('/state/cadenced');
    expect(dataDir({ CADENCED_DATA_DIR: '/data' }, 0)).toBe('/data');
  });

  it('hold everything that was set, typed', () => {
    const all = settings({
      ...GOOGLE,
      ...MICROSOFT,
      DATABASE_URL: 'postgres://u:p@db.example.org/cadenced',
      CADENCED_SEAL_KEYS: `${KEY}, ${OTHER_KEY}`,
      CADENCED_SMTP_URL: 'smtps://u:p%40@mail.example.org:465',
      CADENCED_MAIL_FROM: 'Mentoring <m@example.org>',
      CADENCED_PUBLIC_URL: 'https://c.example.org/base/',
      CADENCED_PORT: '0',
      CADENCED_WEBHOOK_ALLOW: '10.1.2.3, fd00::/8,10.20.0.0/16',
      CADENCED_GOOGLE_ADMIN_SUBJECT: 'Admin@Example.org',
      CADENCED_MICROSOFT_GRAPH_URL: 'https://graph.microsoft.us',
      CADENCED_MICROSOFT_TOKEN_URL: 'https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token',
      CADENCED_EVENTS_TOKEN: 'e'.repeat(32),
      CADENCED_LOG_LEVEL: 'debug',
    });
    expect(all.sealKeys.map((key) => key.reveal())).toEqual([KEY, Buffer.alloc(32, 9).toString('base64')]);
    expect(all.webhookAllow).toEqual(['10.1.2.3/32', 'fd00::/8', '10.20.0.0/16']);
    expect(all.http).toMatchObject({ publicUrl: 'https://c.example.org/base', port: 0 });
    expect(all.google).toMatchObject({
      adminSubject: 'admin@example.org',
      key: { clientEmail: 'robot@project.iam.example.org' },
    });
    expect(all.microsoft).toMatchObject({
      tenant: 'contoso.example',
      graphUrl: 'https://graph.microsoft.us',
      tokenUrl: 'https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token',
    });
    expect(all.microsoft?.secrets.map((secret) => secret.reveal())).toEqual(['shh~secret']);
    expect(all.mail?.url.reveal()).toBe('smtps://u:p%40@mail.example.org:465');
    expect(all.database.kind === 'external' && all.database.url.reveal()).toBe(
      'postgres://u:p@db.example.org/cadenced',
    );
  });

  it('take a secret from a file and count an empty variable as absent', () => {
    const [key] = settings({ CADENCED_SEAL_KEYS: '', CADENCED_SEAL_KEYS_FILE: '/key' }).sealKeys;
    expect(key?.reveal()).toBe(KEY);
  });

  it('read a certificate with its key', () => {
    const { microsoft } = settings({
      CADENCED_MICROSOFT_TENANT: 't',
      CADENCED_MICROSOFT_CLIENT_ID: 'c',
      CADENCED_MICROSOFT_CERTIFICATE_FILE: '/pair.pem',
    });
    expect(microsoft?.secrets).toEqual([]);
    expect(microsoft?.certificate).toMatchObject({
      thumbprintSha256: expect.stringMatching(/^[\da-f]{64}$/),
      expiresAt: '2036-01-01T00:00:00.000Z',
    });
  });

  it('take two credentials while they are rotated', () => {
    const { microsoft } = settings({
      ...MICROSOFT,
      CADENCED_MICROSOFT_CLIENT_SECRET: 'old~1, new~2',
      CADENCED_MICROSOFT_CERTIFICATE_FILE: '/pair.pem',
      CADENCED_MICROSOFT_NEGATIVE_PROBE: 'CEO@Contoso.example',
    });
    expect(microsoft?.secrets.map((secret) => secret.reveal())).toEqual(['old~1', 'new~2']);
    expect(microsoft?.certificate).not.toBeNull();
    expect(microsoft?.negativeProbe).toBe('ceo@contoso.example');
    for (const secret of ['a,b,c', 'a,a', 'a b']) {
      expect(mistakes({ ...MICROSOFT, CADENCED_MICROSOFT_CLIENT_SECRET: secret })).not.toEqual([]);
    }
  });

  it.each([
    ['+P3D', { kind: 'offset', offset: 'P3D' }],
    ['-PT1H', { kind: 'offset', offset: 'PT-1H' }],
    ['2026-03-29T01:30:00+01:00', { kind: 'instant', instant: '2026-03-29T00:30:00.000Z' }],
  ])('move the clock by %s', (CADENCED_CLOCK, clock) => {
    expect(settings({ CADENCED_CLOCK }).clock).toEqual(clock);
  });

  it('cannot be changed', () => {
    const all = settings({ CADENCED_CONFIG: '/c.yaml' });
    expect(() => Object.assign(all.http, { port: 1 })).toThrow(TypeError);
    expect(() => (all.programs as unknown[]).push({})).toThrow(TypeError);
  });

  it('do not show a secret to whoever prints them', () => {
    const all = settings({
      ...GOOGLE,
      ...MICROSOFT,
      CADENCED_SEAL_KEYS: KEY,
      DATABASE_URL: 'postgres://u:pa55@h/d',
    });
    const printed = [JSON.stringify(all), inspect(all, { depth: 9 }), String(all.sealKeys[0])].join('\n');
    for (const secret of [KEY, 'shh~secret', 'pa55', 'PRIVATE KEY']) expect(printed).not.toContain(secret);
    expect(String(all.sealKeys[0])).toBe('(hidden, 44 characters)');
  });
});

describe('mistakes in the environment', () => {
  it('are told all together', () => {
    expect(
      mistakes({
        CADENCED_CONFIG: '/nowhere.yaml',
        CADENCED_PORT: '80800',
        CADENCED_SEAL_KEYS: 'short',
        CADENCED_SMPT_URL: 'smtp://user:hunter2@mail.example.org',
        CADENCED_MAIL_FROM: 'm@example.org',
      }),
    ).toEqual([
      'CADENCED_SMPT_URL: (hidden, 36 characters); expected a known variable; did you mean CADENCED_SMTP_URL?',
      'CADENCED_SEAL_KEYS: (hidden, 5 characters); expected 32 random bytes in base64 (openssl rand -base64 32); several different ones separated by commas',
      'CADENCED_PORT: "80800"; expected a port from 0 to 65535',
      'CADENCED_SMTP_URL: nothing there; expected to be set as well, because CADENCED_MAIL_FROM is',
      'CADENCED_CONFIG: "/nowhere.yaml"; expected the path of a file that can be read (ENOENT)',
    ]);
  });

  it.each([
    ['DATABASE_URL', 'mysql://h/d', 'postgres://USER:PASSWORD@HOST:PORT/DATABASE'],
    ['CADENCED_DATA_DIR', 'data', 'an absolute path of a folder'],
    ['CADENCED_PUBLIC_URL', 'http://c.example.org', 'an https:// address'],
    ['CADENCED_PUBLIC_URL', 'http://127.0.0.1.example.org', 'an https:// address'],
    ['CADENCED_PUBLIC_URL', 'https://c.example.org/?x=1', 'an https:// address'],
    ['CADENCED_SEAL_KEYS', `${KEY},${KEY}`, 'several different ones'],
    ['CADENCED_SMTP_URL', 'https://mail.example.org', 'smtp://'],
    ['CADENCED_SMTP_URL', 'smtp://u:100%@mail.example.org', 'smtp://'],
    ['CADENCED_MAIL_FROM', 'Mentoring', 'an address, or a name with'],
    ['CADENCED_MAIL_FROM', '<m@example.org>', 'an address, or a name with'],
    ['CADENCED_MAIL_FROM', 'm@bücher.example', 'an address, or a name with'],
    ['CADENCED_WEBHOOK_ALLOW', '10.0.0.0/8,0.0.0.0/0', 'addresses or ranges'],
    ['CADENCED_WEBHOOK_ALLOW', 'intranet.example.org', 'addresses or ranges'],
    ['CADENCED_WEBHOOK_ALLOW', '10.1', 'addresses or ranges'],
    ['CADENCED_CLOCK', 'P3D', 'a signed duration'],
    ['CADENCED_CLOCK', '2026-03-29T00:30:00', 'an instant such as'],
    ['CADENCED_CLOCK', '2026-02-30T00:00:00Z', 'an instant such as'],
    ['CADENCED_LOG_LEVEL', 'loud', 'one of fatal, error, warn'],
    ['CADENCED_EVENTS_TOKEN', 'tooshort', 'at least 32 characters'],
    ['CADENCED_HOST', 'my host', 'an address of this machine'],
  ])('%s=%s', (name, value, expected) => {
    const [first] = mistakes({ [name]: value });
    expect(first).toContain(`${name}: `);
    expect(first).toContain(expected);
  });

  it.each([
    ['a key file that is no JSON', { CADENCED_GOOGLE_KEY_FILE: '/key' }, 'this is no JSON'],
    ['a key file of something else', { CADENCED_GOOGLE_KEY_FILE: '/c.json' }, 'ENOENT'],
    [
      'a certificate with a foreign key',
      {
        CADENCED_MICROSOFT_TENANT: 't',
        CADENCED_MICROSOFT_CLIENT_ID: 'c',
        CADENCED_MICROSOFT_CERTIFICATE_FILE: '/foreign.pem',
      },
      'this key belongs to another certificate',
    ],
    [
      'a PEM file without a certificate',
      {
        CADENCED_MICROSOFT_TENANT: 't',
        CADENCED_MICROSOFT_CLIENT_ID: 'c',
        CADENCED_MICROSOFT_CERTIFICATE_FILE: '/key',
      },
      'this one has no certificate',
    ],
    ['an empty secret file', { CADENCED_SEAL_KEYS_FILE: '/empty' }, 'a file that is not empty'],
    [
      'a secret given twice',
      { CADENCED_SEAL_KEYS: KEY, CADENCED_SEAL_KEYS_FILE: '/key' },
      'either CADENCED_SEAL_KEYS or CADENCED_SEAL_KEYS_FILE, not both',
    ],
  ])('%s', (_, env, expected) => {
    expect(mistakes(env)).toEqual([expect.stringContaining(expected)]);
  });

  it('never show a password that was put into an address which takes none', () => {
    const told = mistakes({ CADENCED_PUBLIC_URL: 'https://ada:hunter2@c.example.org' }).join();
    expect(told).toContain('CADENCED_PUBLIC_URL');
    expect(told).not.toContain('hunter2');
  });

  it.each([
    [
      'database',
      { DATABASE_URL: 'postgres://h/d', CADENCED_DATA_DIR: '/d' },
      'either DATABASE_URL or CADENCED_DATA_DIR',
    ],
    [
      'a negative probe without Microsoft',
      {
        CADENCED_MICROSOFT_TENANT: 't',
        CADENCED_MICROSOFT_CLIENT_SECRET: 's',
        CADENCED_MICROSOFT_NEGATIVE_PROBE: 'ceo@contoso.example',
      },
      'CADENCED_MICROSOFT_CLIENT_ID: nothing there; expected to be set as well',
    ],
    [
      'half of Microsoft',
      { CADENCED_MICROSOFT_TENANT: 't', CADENCED_MICROSOFT_CLIENT_ID: 'c' },
      'CADENCED_MICROSOFT_CLIENT_SECRET or CADENCED_MICROSOFT_CERTIFICATE_FILE: nothing there; expected to be set as well, because CADENCED_MICROSOFT_TENANT is',
    ],
    [
      'rest of Google',
      { CADENCED_GOOGLE_API_URL: 'http://127.0.0.1:1' },
      'CADENCED_GOOGLE_KEY_FILE: nothing there; expected to be set as well, because CADENCED_GOOGLE_API_URL is',
    ],
    [
      'mail without a sender',
      { CADENCED_SMTP_URL: 'smtp://h' },
      'CADENCED_MAIL_FROM: nothing there; expected to be set as well, because CADENCED_SMTP_URL is',
    ],
    [
      'a mailbox that may be anywhere',
      { ...GOOGLE, ...MICROSOFT, CADENCED_CONFIG: '/c.yaml' },
      'program "P", tags: m@example.org; expected calendar: google or calendar: microsoft',
    ],
  ])('contradictory or incomplete: %s', (_, env, expected) => {
    expect(mistakes(env)).toEqual([expect.stringContaining(expected)]);
  });

  describe('for a national cloud of Microsoft', () => {
    const US = 'https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token';
    const CHINA = 'https://login.chinacloudapi.cn/contoso.example/oauth2/v2.0/token';
    const WORLD = 'https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token';
    const told = (graph: string | null, token: string | null) =>
      mistakes({
        ...MICROSOFT,
        ...(graph && { CADENCED_MICROSOFT_GRAPH_URL: graph }),
        ...(token && { CADENCED_MICROSOFT_TOKEN_URL: token }),
      });

    it.each([
      ['https://graph.microsoft.us', null, 'CADENCED_MICROSOFT_TOKEN_URL: nothing there', US],
      ['https://Graph.microsoft.us/', WORLD, 'CADENCED_MICROSOFT_TOKEN_URL: "', US],
      ['https://dod-graph.microsoft.us', CHINA, 'CADENCED_MICROSOFT_TOKEN_URL: "', US],
      ['https://microsoftgraph.chinacloudapi.cn', null, 'CADENCED_MICROSOFT_TOKEN_URL: nothing there', CHINA],
    ])('name the two lines to set where %s stands with %s', (graph, token, what, login) => {
      const origin = new URL(graph).origin;
      expect(told(graph, token)).toEqual([
        expect.stringMatching(
          `^${what}.*CADENCED_MICROSOFT_GRAPH_URL=${origin} and CADENCED_MICROSOFT_TOKEN_URL=${login}$`,
        ),
      ]);
    });

    it.each([null, 'https://graph.microsoft.com', 'https://graph-proxy.example.org'])(
      'name every Graph that a national token may be for, where Graph is %s',
      (graph) => {
        const [line = '', ...rest] = told(graph, US);
        expect(rest).toEqual([]);
        expect(line).toMatch(/^CADENCED_MICROSOFT_GRAPH_URL: /);
        expect(line).toContain('CADENCED_MICROSOFT_GRAPH_URL=https://graph.microsoft.us and');
        expect(line).toContain('or CADENCED_MICROSOFT_GRAPH_URL=https://dod-graph.microsoft.us and');
      },
    );

    it.each([
      ['https://dod-graph.microsoft.us', US],
      ['https://microsoftgraph.chinacloudapi.cn', CHINA],
      ['https://graph.microsoft.us', 'https://entra-proxy.example.org/token'],
      ['https://graph.microsoft.com', WORLD],
      ['https://graph-proxy.example.org', null],
    ])('take %s with %s', (graph, token) => {
      expect(told(graph, token)).toEqual([]);
    });
  });

  it('refuse a moved clock where anything could reach real people', () => {
    const real = {
      ...GOOGLE,
      ...MICROSOFT,
      CADENCED_CLOCK: '+P3D',
      CADENCED_MICROSOFT_GRAPH_URL: 'http://127.0.0.1:4001',
      CADENCED_SMTP_URL: 'smtp://mail.example.org',
      CADENCED_MAIL_FROM: 'm@example.org',
      CADENCED_WEBHOOK_ALLOW: '127.0.0.1,10.0.0.0/8',
    };
    const named = mistakes(real).map((line) => /unset, or (\w+) on this machine/.exec(line)?.[1]);
    expect(named).toEqual([
      'CADENCED_GOOGLE_API_URL',
      'CADENCED_GOOGLE_TOKEN_URL',
      'CADENCED_MICROSOFT_TOKEN_URL',
      'CADENCED_SMTP_URL',
      'CADENCED_WEBHOOK_ALLOW',
    ]);
    expect(
      mistakes({
        ...real,
        CADENCED_GOOGLE_API_URL: 'http://127.0.0.1:4000',
        CADENCED_GOOGLE_TOKEN_URL: 'http://localhost:4000/token',
        CADENCED_MICROSOFT_TOKEN_URL: 'http://[::1]:4001/token',
        CADENCED_SMTP_URL: 'smtp://127.0.0.1:2525',
        CADENCED_WEBHOOK_ALLOW: '127.0.0.1',
      }),
    ).toEqual([]);
  });

  it('name what the command needs and nobody gave, once', () => {
    const needs: Need[] = ['programs', 'calendars', 'seal_keys'];
    expect(mistakes({}, needs)).toEqual([
      'CADENCED_CONFIG: nothing there; expected the path of the configuration file; begin with config/example.yaml',
      'CADENCED_SEAL_KEYS: nothing there; expected a key; make one with: openssl rand -base64 32',
      'CADENCED_GOOGLE_KEY_FILE or CADENCED_MICROSOFT_TENANT: nothing there; expected access to the calendars of Google, Microsoft or both; see config/README.md',
    ]);
    expect(
      mistakes({ ...GOOGLE, CADENCED_CONFIG: '/c.yaml', CADENCED_SEAL_KEYS: 'short' }, needs),
    ).toHaveLength(1);
    expect(mistakes({ ...GOOGLE, CADENCED_CONFIG: '/c.yaml', CADENCED_SEAL_KEYS: KEY }, needs)).toEqual([]);
  });

  it('leave alone what is not ours', () => {
    expect(mistakes({ PATH: '/bin', PORT: 'x', CADENCED_CORPUS: '/corpus' })).toEqual([]);
  });
});
