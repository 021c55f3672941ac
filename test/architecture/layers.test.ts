import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Edge, filesOnDisk, PROJECT, packageOf, readSources, type Source } from './source-files.ts';

/**
 * Who may know whom. The table is the architecture: a pass, a verdict or a mail can be understood from the domain
 * alone, and a provider, a database or a transport can be replaced without reading the others. Imports of types
 * count, because what a file must know of another is in its types.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  runtime: [],
  ports: ['domain'],
  usecases: ['domain', 'ports', 'runtime'],
  'providers/google': ['domain', 'ports', 'runtime'],
  'providers/microsoft': ['domain', 'ports', 'runtime'],
  store: ['domain', 'ports', 'runtime'],
  delivery: ['domain', 'ports', 'runtime'],
  report: ['domain', 'ports', 'runtime'],
  settings: ['domain', 'runtime'],
  jobs: ['usecases', 'domain', 'ports', 'runtime'],
  http: ['usecases', 'domain', 'ports', 'runtime'],
  // The stand-in and the daemon must not share one mind: a misunderstanding in both would look like a proof.
  sandbox: ['runtime'],
  'compose.ts': [
    'domain',
    'ports',
    'usecases',
    'providers/google',
    'providers/microsoft',
    'store',
    'delivery',
    'report',
    'settings',
    'jobs',
    'http',
    'runtime',
  ],
  cli: [
    'compose.ts',
    'domain',
    'ports',
    'usecases',
    'providers/google',
    'providers/microsoft',
    'store',
    'delivery',
    'report',
    'settings',
    'jobs',
    'http',
    'runtime',
  ],
  'main.ts': ['cli', 'compose.ts', 'settings', 'runtime'],
};

/** They run the sandbox beside the daemon. Loaded when that is asked for: no other command carries it along. */
const SANDBOX_GATE = /^src\/cli\/sandbox-[a-z-]+\.ts$/;

/** Packages that only some layers may know. What is not listed here (luxon, zod, p-queue) is no one's secret. */
const PACKAGE_OF: Readonly<Record<string, readonly string[]>> = {
  googleapis: ['providers/google'],
  '@azure/msal-node': ['providers/microsoft'],
  '@microsoft/microsoft-graph-client': ['providers/microsoft'],
  '@microsoft/microsoft-graph-types': ['providers/microsoft'],
  pg: ['store', 'cli'],
  kysely: ['store', 'compose.ts', 'cli'],
  'pg-boss': ['jobs'],
  fastify: ['http', 'sandbox'],
  '@fastify/rate-limit': ['http'],
  nodemailer: ['delivery'],
  handlebars: ['delivery'],
  mjml: ['delivery'],
  standardwebhooks: ['delivery'],
  'request-filtering-agent': ['delivery'],
  'ical-generator': ['delivery'],
  pino: ['runtime'],
  'prom-client': ['http', 'compose.ts'],
  yaml: ['settings'],
  commander: ['cli'],
};

/** Pure packages: they neither read a clock nor reach outside when called as the domain calls them. */
const DOMAIN_PACKAGES = ['luxon', 'htmlparser2', 'csv-parse'];

const MANIFEST = 'package.json';

const sources = readSources();
const ours = sources.filter(({ path }) => path.startsWith('src/'));

function layerOf(path: string): string {
  const [, first, second] = path.split('/') as [string, string, string?];
  return first === 'providers' ? `${first}/${second}` : first;
}

function mayImport(source: Source, edge: Edge): boolean {
  // `--version` tells what is installed.
  if (edge.target === MANIFEST) return layerOf(source.path) === 'cli';
  if (!edge.target.startsWith('src/')) return false;
  const [from, to] = [layerOf(source.path), layerOf(edge.target)];
  return (
    from === to ||
    (MAY_IMPORT[from]?.includes(to) ?? false) ||
    (SANDBOX_GATE.test(source.path) && to === 'sandbox')
  );
}

const told = (source: Source, edge: Edge): string => `${source.path}:${edge.line} -> ${edge.target}`;

describe('layers', () => {
  it('are read from every file there is', () => {
    // A reader that opens nothing would find nothing wrong.
    expect(ours.map(({ path }) => path).toSorted()).toEqual(filesOnDisk('src').toSorted());
    expect(ours.flatMap(({ edges }) => edges).length).toBeGreaterThan(500);
    const paths = new Set([...sources.map(({ path }) => path), MANIFEST]);
    const astray = sources.flatMap((source) =>
      source.edges
        .filter(({ ours: own, target }) => own && !paths.has(target))
        .map((edge) => told(source, edge)),
    );
    expect(astray).toEqual([]);
    expect(ours.flatMap(({ path, opaque }) => opaque.map((line) => `${path}:${line}`))).toEqual([]);
  });

  it('all have their line in the table', () => {
    expect(
      [...new Set(ours.map(({ path }) => layerOf(path)))].filter((layer) => !(layer in MAY_IMPORT)),
    ).toEqual([]);
  });

  it('import only what the table lets them', () => {
    const forbidden = ours.flatMap((source) =>
      source.edges.filter((edge) => edge.ours && !mayImport(source, edge)).map((edge) => told(source, edge)),
    );
    expect(forbidden).toEqual([]);
  });

  it('keep their packages to themselves', () => {
    const leaked = ours.flatMap((source) =>
      source.edges
        .filter(({ ours: own, target }) => {
          const owners = own ? undefined : PACKAGE_OF[packageOf(target)];
          return owners !== undefined && !owners.includes(layerOf(source.path));
        })
        .map((edge) => told(source, edge)),
    );
    expect(leaked).toEqual([]);
  });

  it('load at run time only what an installation for production has', () => {
    const manifest = JSON.parse(readFileSync(join(PROJECT, MANIFEST), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const missing = ours
      // The sandbox is for trying and testing, with everything installed; the image bundles what it needs.
      .filter(({ path }) => layerOf(path) !== 'sandbox')
      .flatMap((source) =>
        source.edges
          .filter(({ ours: own, kind, target }) => !own && kind === 'static' && !target.startsWith('node:'))
          .filter(({ target }) => !(packageOf(target) in manifest.dependencies))
          .map((edge) => told(source, edge)),
      );
    expect(missing).toEqual([]);
  });

  it('leave the sandbox behind its gate until it is asked for', () => {
    const carried = ours
      .filter(({ path }) => !SANDBOX_GATE.test(path))
      .flatMap((source) =>
        source.edges
          .filter(({ target, kind }) => SANDBOX_GATE.test(target) && kind === 'static')
          .map((edge) => told(source, edge)),
      );
    expect(carried).toEqual([]);
  });

  it('have no scripts inside: what runs when it is started by itself is imported by nobody', () => {
    // In a bundle every module believes to be the one that was started.
    const scripts = new Set(
      ours.filter(({ names }) => names.has('import.meta.main')).map(({ path }) => path),
    );
    expect(scripts.size).toBeGreaterThan(0);
    const imported = ours.flatMap((source) =>
      source.edges.filter(({ target }) => scripts.has(target)).map((edge) => told(source, edge)),
    );
    expect(imported).toEqual([]);
  });
});

describe('the domain', () => {
  const domain = ours.filter(({ path }) => layerOf(path) === 'domain');
  const pure = ours.filter(({ path }) => ['domain', 'ports'].includes(layerOf(path)));

  it('uses packages that compute and nothing that reaches outside', () => {
    expect(domain.length).toBeGreaterThan(20);
    const packages = new Set(
      pure.flatMap(({ edges }) => edges.filter((edge) => !edge.ours).map(({ target }) => packageOf(target))),
    );
    expect([...packages].filter((name) => !DOMAIN_PACKAGES.includes(name))).toEqual([]);
  });

  it('is told the time and the odds: it reads neither clock nor randomness nor process', () => {
    const reads = pure.flatMap(({ path, invocations, names }) => [
      ...invocations
        .filter(
          ({ what, first }) =>
            /^(?:Date\.now|Date|DateTime\.now|Math\.random)$/.test(what) ||
            // With figures these name a moment, without they ask for this one.
            (/^(?:new Date|DateTime\.utc|DateTime\.local)$/.test(what) && first !== 'other'),
        )
        .map(({ what, line }) => `${path}:${line} ${what}()`),
      ...[...names].filter((name) => OUTSIDE.test(name)).map((name) => `${path} ${name}`),
    ]);
    expect(reads).toEqual([]);
  });
});

const OUTSIDE =
  /^(?:process\..*|performance|crypto|fetch|globalThis|require|set(?:Timeout|Interval|Immediate)|queueMicrotask)$/;

describe('the outside', () => {
  const outside = (allowed: (path: string) => boolean) => ours.filter(({ path }) => !allowed(path));

  it('of the environment is read in settings and at the entry only', () => {
    const readers = outside((path) => path === 'src/main.ts' || /^src\/(?:settings|cli)\//.test(path));
    expect(readers.filter(({ names }) => names.has('process.env')).map(({ path }) => path)).toEqual([]);
    const imported = ours.flatMap((source) =>
      source.edges
        .filter(({ target }) => packageOf(target) === 'node:process')
        .map((edge) => told(source, edge)),
    );
    expect(imported).toEqual([]);
  });

  it('of the database is opened in the store, the composition and the commands only', () => {
    const opens = /^(?:new (?:pg\.)?(?:Pool|Client)|new Kysely|createPool|createDatabaseClient)$/;
    const offenders = outside(
      (path) => path === 'src/compose.ts' || /^src\/(?:store|cli)\//.test(path),
    ).flatMap(({ path, invocations }) =>
      invocations
        .filter(({ what }) => opens.test(what.replace(/<.*>/s, '')))
        .map(({ what }) => `${path} ${what}`),
    );
    expect(offenders).toEqual([]);
  });

  it('of the tests is unknown to the sources', () => {
    const edges = ours.flatMap((source) =>
      source.edges.filter(({ target }) => target.startsWith('test/')).map((edge) => told(source, edge)),
    );
    expect(edges).toEqual([]);
  });
});
