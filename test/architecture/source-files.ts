import { readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  isCallExpression,
  isExportDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isMetaProperty,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isObjectLiteralExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isStringLiteral,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

/**
 * What the compiler sees in our own files. Its parser is used rather than a pattern, because edges hide where
 * patterns do not look: `import type`, `export … from`, `import('x').T` in the middle of a type, `await import(…)`.
 */

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** `type` vanishes when types are stripped, `dynamic` loads only when it is reached, `static` with the file. */
export type EdgeKind = 'static' | 'type' | 'dynamic';

export interface Edge {
  readonly kind: EdgeKind;
  /** A path of ours from the project's root (`src/domain/tags.ts`), or the specifier of a package. */
  readonly target: string;
  readonly ours: boolean;
  readonly line: number;
}

/** A call or a construction, by the text before its parenthesis: `Date.now`, `new pg.Pool`. */
export interface Invocation {
  readonly what: string;
  /** The first argument: `none`, `object` for a literal one (options), `other`. */
  readonly first: 'none' | 'object' | 'other';
  readonly line: number;
}

export interface Source {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly lines: number;
  readonly edges: readonly Edge[];
  /** Imports whose target cannot be told by reading. */
  readonly opaque: readonly number[];
  readonly invocations: readonly Invocation[];
  /** Names that are read from the surroundings, property names not among them; `process.env` as one. */
  readonly names: ReadonlySet<string>;
}

/**
 * Reads every TypeScript file of a project, as its tsconfig.json lists them. About a second for ours.
 * @throws Error when the compiler opens nothing there
 */
export function readSources(root = PROJECT): Source[] {
  const api = new API({ cwd: root });
  try {
    const config = join(root, 'tsconfig.json');
    using snapshot = api.updateSnapshot({ openProjects: [config] });
    const project = snapshot.getProject(config);
    if (!project) throw new Error(`the compiler did not open ${config}`);
    return project.rootFiles.map((name) => {
      const file = project.program.getSourceFile(name);
      if (!file) throw new Error(`the compiler lists ${name} and cannot read it`);
      return describe(pathOf(name, root), file);
    });
  } finally {
    api.close();
  }
}

/** Every TypeScript file below a folder as the disk has it: an independent count of what the compiler lists. */
export function filesOnDisk(folder: string): string[] {
  return readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => pathOf(join(PROJECT, folder, name)));
}

const BUILT_IN = new Set(builtinModules);

/** `@azure/msal-node` of `@azure/msal-node/dist/x.js`; `node:fs` of `node:fs/promises` and of `fs`. */
export function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier.split('/', 1)[0] as string;
  const parts = specifier.split('/');
  if (BUILT_IN.has(parts[0] as string)) return `node:${parts[0]}`;
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

const pathOf = (absolute: string, root = PROJECT): string => relative(root, absolute).split(sep).join('/');

function describe(path: string, file: SourceFile): Source {
  const edges: Edge[] = [];
  const opaque: number[] = [];
  const invocations: Invocation[] = [];
  const names = new Set<string>();
  let handedOn = false;
  let shadowed = false;
  const lineOf = (node: Node) => file.getLineAndCharacterOfPosition(node.end).line + 1;
  const textOf = (node: Node) => file.text.slice(node.pos, node.end).trim();

  const addEdge = (kind: EdgeKind, specifier: Node | undefined, at: Node) => {
    if (!specifier || !(isStringLiteral(specifier) || isNoSubstitutionTemplateLiteral(specifier))) {
      opaque.push(lineOf(at));
      return;
    }
    const { text } = specifier;
    const ours = text.startsWith('.');
    const target = ours ? posix.join(posix.dirname(path), text) : text;
    edges.push({ kind, target, ours, line: lineOf(specifier) });
  };

  const visit = (node: Node, parent: Node | null): void => {
    if (isImportDeclaration(node)) {
      const typeOnly = node.importClause?.phaseModifier === SyntaxKind.TypeKeyword;
      addEdge(typeOnly ? 'type' : 'static', node.moduleSpecifier, node);
    } else if (isExportDeclaration(node) && node.moduleSpecifier) {
      addEdge(node.isTypeOnly ? 'type' : 'static', node.moduleSpecifier, node);
    } else if (isImportTypeNode(node)) {
      const { argument } = node as unknown as { argument: { literal?: Node } };
      addEdge('type', argument.literal, node);
    } else if (isCallExpression(node)) {
      if (node.expression.kind === SyntaxKind.ImportKeyword) addEdge('dynamic', node.arguments[0], node);
      invocations.push(invocation(textOf(node.expression), node.arguments));
    } else if (isNewExpression(node)) {
      invocations.push(invocation(`new ${textOf(node.expression)}`, node.arguments ?? []));
    } else if (isMetaProperty(node)) {
      names.add('import.meta');
    } else if (isPropertyAccessExpression(node) && isMetaProperty(node.expression)) {
      names.add(`import.meta.${node.name.text}`);
    }
    if (isIdentifier(node)) addName(node, parent);
    node.forEachChild((child) => {
      visit(child, node);
    });
  };

  function invocation(what: string, given: readonly Node[]): Invocation {
    const [first] = given;
    const kind = first === undefined ? 'none' : isObjectLiteralExpression(first) ? 'object' : 'other';
    return { what, first: kind, line: first ? lineOf(first) : 0 };
  }

  /** `owner.name`, `{ name: … }`, `interface { name: … }` name a member; everything else reads a name. */
  function addName(node: Node & { readonly text: string }, parent: Node | null): void {
    const owner = parent && isPropertyAccessExpression(parent) ? parent : null;
    const isName = parent !== null && 'name' in parent && (parent.name as Node) === node;
    if (isName && parent.kind !== SyntaxKind.ShorthandPropertyAssignment) {
      if (node.text === 'process' && !owner && !isPropertyAssignment(parent)) shadowed = true;
      return;
    }
    if (node.text !== 'process') names.add(node.text);
    else if (owner) names.add(`process.${owner.name.text}`);
    else handedOn = true;
  }

  visit(file, null);
  // A process that is handed on or taken apart may be asked for its environment elsewhere; one that the file
  // declares itself is a child process, which has none.
  if (handedOn && !shadowed) names.add('process.env');
  return { path, lines: file.text.split('\n').length - 1, edges, opaque, invocations, names };
}
