import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageOf, readSources, type Source } from './source-files.ts';

/** The fences are worth what their reader sees: here it is shown every way in which a file can name another. */

const TEXTS = {
  'edges.ts': `
    import { a } from './static.ts';
    import type { B } from './type.ts';
    import './bare.ts';
    export * from './star.ts';
    export type { C } from './type-export.ts';
    export { d } from './named.ts';
    export const e: Map<string, import('./inline.ts').T> = new Map([[a, null as B]]);
    export const f = () => import('./dynamic.ts');
    export type G = typeof import('./typeof.ts');
    import { h } from '@scope/package/deep.js';
  `,
  'opaque.ts': `const where = './x.ts';\nexport const load = () => import(where);`,
  'clock.ts': `
    export const a = [new Date(), new Date(5), Date.now(), DateTime.utc(), DateTime.utc({ locale: 'de' }),
      DateTime.utc(2026, 3)];
  `,
  'environment.ts': 'export const a = process.env.HOME;',
  'taken-apart.ts': 'export const { env } = process;',
  'handed-on.ts': 'export const a = look(process);',
  'child.ts': 'const process = spawn(); export const a = watch(process, process.pid);',
  'pid.ts': 'export const a = process.pid;',
};

function readTexts(): ReadonlyMap<string, Source> {
  const folder = mkdtempSync(join(tmpdir(), 'cadenced-reader-'));
  try {
    const options = { module: 'nodenext', noEmit: true };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: Object.keys(TEXTS) }),
    );
    for (const [name, text] of Object.entries(TEXTS)) writeFileSync(join(folder, name), text);
    return new Map(readSources(folder).map((source) => [source.path, source]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the reader of source files', () => {
  const sources = readTexts();
  const read = (name: keyof typeof TEXTS): Source => {
    const source = sources.get(name);
    if (!source) throw new Error(`${name} was not read`);
    return source;
  };

  it('sees every way to name another file, and whether it is loaded', () => {
    const { edges, opaque } = read('edges.ts');
    expect(edges.map(({ kind, target }) => `${kind} ${target}`)).toEqual([
      'static static.ts',
      'type type.ts',
      'static bare.ts',
      'static star.ts',
      'type type-export.ts',
      'static named.ts',
      'type inline.ts',
      'dynamic dynamic.ts',
      'type typeof.ts',
      'static @scope/package/deep.js',
    ]);
    expect(edges.map(({ ours }) => ours).lastIndexOf(false)).toBe(edges.length - 1);
    expect(opaque).toEqual([]);
  });

  it('reports an import that cannot be followed by reading', () => {
    expect(read('opaque.ts').opaque).toEqual([2]);
  });

  it('tells a clock that is read from an instant that is converted', () => {
    expect(read('clock.ts').invocations.map(({ what, first }) => `${what}: ${first}`)).toEqual([
      'new Date: none',
      'new Date: other',
      'Date.now: none',
      'DateTime.utc: none',
      'DateTime.utc: object',
      'DateTime.utc: other',
    ]);
  });

  it.each(['environment.ts', 'taken-apart.ts', 'handed-on.ts'] as const)(
    'sees the environment in %s',
    (name) => {
      expect([...read(name).names]).toContain('process.env');
    },
  );

  it.each(['child.ts', 'pid.ts'] as const)('sees no environment in %s', (name) => {
    expect([...read(name).names]).not.toContain('process.env');
  });

  it('names a package by what is installed', () => {
    expect(packageOf('@azure/msal-node/dist/x.js')).toBe('@azure/msal-node');
    expect(packageOf('googleapis/build/src/apis/calendar/index.js')).toBe('googleapis');
    expect(packageOf('node:fs/promises')).toBe('node:fs');
    expect(packageOf('fs/promises')).toBe('node:fs');
  });
});
