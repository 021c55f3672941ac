import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageOf, readSources, type Source } from './source-files.ts';

/** The fences are worth what their reader sees: here it is shown every way in which a file can name another. */

const folder = mkdtempSync(join(tmpdir(), 'cadenced-reader-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string): Source {
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { module: 'nodenext', noEmit: true }, files: ['a.ts'] }),
  );
  writeFileSync(join(folder, 'a.ts'), text);
  const [source] = readSources(folder);
  if (!source) throw new Error('nothing was read');
  return source;
}

describe('the reader of source files', () => {
  it('sees every way to name another file, and whether it is loaded', () => {
    const source = read(`
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
    `);
    expect(source.edges.map(({ kind, target }) => `${kind} ${target}`)).toEqual([
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
    expect(source.edges.at(-1)?.ours).toBe(false);
    expect(source.opaque).toEqual([]);
  });

  it('reports an import that cannot be followed by reading', () => {
    expect(read(`const where = './x.ts';\nexport const load = () => import(where);`).opaque).toEqual([2]);
  });

  it('tells a clock that is read from an instant that is converted', () => {
    const { invocations } = read(`
      export const a = [new Date(), new Date(5), Date.now(), DateTime.utc(), DateTime.utc({ locale: 'de' }),
        DateTime.utc(2026, 3)];
    `);
    expect(invocations.map(({ what, first }) => `${what}: ${first}`)).toEqual([
      'new Date: none',
      'new Date: other',
      'Date.now: none',
      'DateTime.utc: none',
      'DateTime.utc: object',
      'DateTime.utc: other',
    ]);
  });

  it('sees the environment however it is reached, and no other use of the process', () => {
    expect([...read('export const a = process.env.HOME;').names]).toContain('process.env');
    expect([...read('export const { env } = process;').names]).toContain('process.env');
    expect([...read('export const a = look(process);').names]).toContain('process.env');
    const child = read('const process = spawn(); export const a = watch(process, process.pid);');
    expect([...child.names]).not.toContain('process.env');
    expect([...read('export const a = process.pid;').names]).not.toContain('process.env');
  });

  it('names a package by what is installed', () => {
    expect(packageOf('@azure/msal-node/dist/x.js')).toBe('@azure/msal-node');
    expect(packageOf('googleapis/build/src/apis/calendar/index.js')).toBe('googleapis');
    expect(packageOf('node:fs/promises')).toBe('node:fs');
    expect(packageOf('fs/promises')).toBe('node:fs');
  });
});
