import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT, packageOf, readSources } from './source-files.ts';

const sources = readSources();
/** Written by a program, read by nobody. */
const GENERATED = ['src/store/database.generated.ts'];

const WARN_ABOVE = 400;
const STOP_ABOVE = 600;

/** Names under which anything may be put, so that everything is. */
const NAMES_NOTHING = /(?:^|[-/])(?:utils?|helpers?|common|managers?|misc|shared|stuff)(?:[-./]|$)/i;

/**
 * Where time is what the test sends, not what it waits for. A test that sleeps is slow when it passes and wrong on
 * a busy machine: it waits for a signal instead.
 */
const TIMED_STIMULI: Readonly<Record<string, string>> = {
  'test/http/server.test.ts': 'a caller who drips a byte every few milliseconds',
  'test/providers/microsoft-client.test.ts': 'a server that takes its time, so that requests pile up',
};

describe('files', () => {
  it('tell one story each, which ends before line 600', async ({ annotate }) => {
    const long = sources.filter(({ path, lines }) => lines > WARN_ABOVE && !GENERATED.includes(path));
    for (const { path, lines } of long) await annotate(`${path} has ${lines} lines`, 'warning');
    expect(
      long.filter(({ lines }) => lines > STOP_ABOVE).map(({ path, lines }) => `${path}: ${lines}`),
    ).toEqual([]);
  });

  it('are named by what they hold', () => {
    expect(sources.map(({ path }) => path).filter((path) => NAMES_NOTHING.test(path))).toEqual([]);
  });

  it('log through the log', () => {
    expect(sources.filter(({ names }) => names.has('console')).map(({ path }) => path)).toEqual([]);
  });
});

describe('what a person is told to read', () => {
  it('is there', () => {
    const named = sources
      .filter(({ path }) => path.startsWith('src/'))
      .flatMap(
        ({ path }) =>
          readFileSync(join(PROJECT, path), 'utf8').match(
            /(?:src|sql|config|test)\/[\w./-]+\.(?:md|yaml|example|csv)\b/g,
          ) ?? [],
      );
    expect(named.length).toBeGreaterThan(5);
    expect([...new Set(named)].filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
  });
});

describe('tests', () => {
  const SELF = 'test/architecture/files.test.ts';
  const tests = sources.filter(({ path }) => path.startsWith('test/'));

  it('wait for signals, never for time', () => {
    const timed = tests
      .filter(({ names }) => ['setTimeout', 'setInterval', 'sleep'].some((name) => names.has(name)))
      .map(({ path }) => path)
      .filter((path) => path !== SELF);
    expect(timed.toSorted()).toEqual(Object.keys(TIMED_STIMULI).toSorted());
  });

  it('try the same values every time, unless asked to search', () => {
    const free = tests
      .map(({ path }) => ({ path, text: readFileSync(join(PROJECT, path), 'utf8') }))
      .filter(({ path, text }) => /numRuns: (?!runs\()|\bseed: (?:Date|Math)/.test(text) && path !== SELF)
      .map(({ path }) => path);
    expect(free).toEqual([]);
  });

  it('play providers with canned answers only where providers are tested', () => {
    const users = tests
      .filter(({ edges }) => edges.some(({ target }) => packageOf(target) === 'nock'))
      .map(({ path }) => path);
    expect(users.filter((path) => !/^test\/(?:providers|support)\//.test(path))).toEqual([]);
  });
});

describe('the lock file', () => {
  it('names no registry, so that an installation asks the one it was told to ask', () => {
    const lock = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>;
    };
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
    expect(packages.length).toBeGreaterThan(100);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
    expect(packages.filter(([, { integrity }]) => !integrity).map(([path]) => path)).toEqual([]);
  });
});
