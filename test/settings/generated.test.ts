import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseRoster } from '../../src/domain/parse-roster.ts';
import { renderMistake } from '../../src/settings/mistakes.ts';
import { NATIONAL_CLOUDS } from '../../src/settings/national-clouds.ts';
import { parsePolicy } from '../../src/settings/policy-file.ts';
import { loadSettings, renderMistakes } from '../../src/settings/settings.ts';
import { VARIABLE_GROUPS, VARIABLES } from '../../src/settings/variables.ts';
import { generatedFiles, writeGenerated } from '../../src/settings/write-schema.ts';

const CONFIG = new URL('../../config/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, CONFIG), 'utf8');

describe('the files an administrator begins with', () => {
  it('are as the code would write them', () => {
    expect(writeGenerated(CONFIG, true)).toEqual([]);
  });

  it('README.md names the addresses of every national cloud that is known, and no other', () => {
    const rows = read('README.md').matchAll(
      /^\| [^|]+ \| `(https:[^`]+)` \| `https:\/\/([^/]+)\/TENANT\/.+` \|$/gm,
    );
    expect([...rows].map(([, graph, login]) => [graph, login])).toEqual(
      NATIONAL_CLOUDS.map(({ graphUrl, logins: [login] }) => [graphUrl, login]),
    );
  });

  it('example.yaml is right and names its schema on the first line', () => {
    const text = read('example.yaml');
    const parsed = parsePolicy(text, 'example.yaml');
    expect(parsed.ok ? [] : parsed.mistakes.map(renderMistake)).toEqual([]);
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./cadenced.schema.json');
    const schema = JSON.parse(generatedFiles().get('cadenced.schema.json') ?? '') as object;
    const validate = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(
      schema,
    );
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  });

  it('example.yaml shows every key there is', () => {
    const schema = JSON.parse(generatedFiles().get('cadenced.schema.json') ?? '') as Schema;
    const text = read('example.yaml');
    const missing = [...keysOf(schema)].filter((key) => !new RegExp(`\\b${key}:`).test(text));
    expect(missing).toEqual([]);
  });

  it('roster.example.csv fits the programs of example.yaml', () => {
    const policy = parsePolicy(read('example.yaml'), 'example.yaml');
    const programs = policy.ok ? policy.policy.programs.map(({ name }) => name) : [];
    expect(parseRoster(read('roster.example.csv'), programs)).toMatchObject({ ok: true });
  });

  it('cadenced.env.example names every variable once, each with an example of the right form', () => {
    const grouped = VARIABLE_GROUPS.flatMap(([, names]) => [...names]);
    expect(grouped.toSorted()).toEqual(Object.keys(VARIABLES).toSorted());
    for (const name of grouped) {
      const { schema, example, secret } = VARIABLES[name];
      // Examples of random secrets are refused on purpose: nobody shall run with one that is published.
      if (!/^put-the-output/.test(example))
        expect(schema.safeParse(example), name).toMatchObject({ success: true });
      expect(secret && schema.safeParse('').success, `${name} has a default`).toBe(false);
    }
  });

  it('compose.yaml sets variables that exist, from secrets that it mounts', () => {
    const compose = parse(read('compose.yaml')) as {
      services: { cadenced: { environment: Record<string, string>; secrets: string[] } };
      secrets: Record<string, { file: string }>;
    };
    const { environment, secrets } = compose.services.cadenced;
    const texts: Record<string, string> = {
      '/etc/cadenced/cadenced.yaml':
        'programs: [{name: P, time_zone: UTC, tags: ["#m"], cadence: {every: P1W}}]',
      '/run/secrets/database_url': 'postgres://cadenced:x@postgres:5432/cadenced',
      '/run/secrets/seal_keys': Buffer.alloc(32, 1).toString('base64'),
      '/run/secrets/smtp_url': 'smtp://u:p@mail.example.org:587',
    };
    const loaded = loadSettings({
      env: environment,
      needs: ['programs', 'seal_keys', 'calendars'],
      readText: (path) => texts[path] ?? '{}',
    });
    // All but the key file itself, which nobody can have a made-up one of.
    const told = loaded.ok
      ? []
      : renderMistakes(loaded.mistakes).filter((line) => !line.includes('GOOGLE_KEY_FILE'));
    expect(told).toEqual(['The settings hold one mistake:']);
    const mounted = Object.values(environment).flatMap(
      (value) => /^\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? [],
    );
    expect(mounted.toSorted()).toEqual(secrets.toSorted());
    expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining(secrets));
  });

  it('README.md names only variables and files that exist', () => {
    const text = read('README.md');
    const known = new Set<string>(Object.keys(VARIABLES));
    const named = new Set(text.match(/\b(?:CADENCED_[A-Z_]+|DATABASE_URL(?:_FILE)?)\b/g));
    const unknown = [...named].filter((name) => !known.has(name) && !known.has(name.replace(/_FILE$/, '')));
    expect(unknown).toEqual([]);
  });
});

type Schema = {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
};

function keysOf(schema: Schema): Set<string> {
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.items ? [schema.items] : []),
    ...(schema.anyOf ?? []),
  ];
  return new Set([...Object.keys(schema.properties ?? {}), ...inner.flatMap((one) => [...keysOf(one)])]);
}
