import { didYouMean } from '../domain/did-you-mean.ts';
import { type Mistake, shownValue } from './mistakes.ts';
import { hiddenText } from './secret.ts';
import { type Environment, TEST_VARIABLES, VARIABLES, type VariableName } from './variables.ts';

/** The environment of a process, or a part of it. */
export type RawEnvironment = { readonly [name: string]: string | undefined };

/** Reads a text file; throws an error with a `code` such as ENOENT when it cannot. */
export type ReadText = (path: string) => string;

const FILE = '_FILE';

/**
 * Reads every variable by its own rule. A variable set to nothing counts as absent, as in a compose file that
 * passes through what its host does not have. Mistakes come all together and never show a secret.
 */
export function readEnvironment(
  raw: RawEnvironment,
  readText: ReadText,
): { readonly values: Environment; readonly mistakes: readonly Mistake[] } {
  const values: Record<string, unknown> = {};
  const mistakes: Mistake[] = unknownVariables(raw);
  for (const name of Object.keys(VARIABLES) as VariableName[]) {
    const { schema, secret } = VARIABLES[name];
    const given = secret ? secretText(name, raw, readText, mistakes) : textOf(raw, name);
    if (given === null) continue;
    const parsed = schema.safeParse(given);
    if (parsed.success) values[name] = parsed.data;
    else {
      mistakes.push({
        source: secret && textOf(raw, name) === null ? name + FILE : name,
        expected: parsed.error.issues[0]?.message ?? 'another value',
        value: secret ? hiddenText(given) : shownValue(withoutPassword(given)),
      });
    }
  }
  return { values: values as Environment, mistakes };
}

function textOf(raw: RawEnvironment, name: string): string | null {
  return raw[name]?.trim() || null;
}

/** A secret's text from its variable or from the file that `NAME_FILE` names, never from both. */
function secretText(
  name: string,
  raw: RawEnvironment,
  readText: ReadText,
  mistakes: Mistake[],
): string | null {
  const direct = textOf(raw, name);
  const path = textOf(raw, name + FILE);
  if (path === null) return direct;
  if (direct !== null) {
    const expected = `either ${name} or ${name}${FILE}, not both`;
    mistakes.push({ source: name + FILE, expected, value: shownValue(path) });
    return null;
  }
  const content = readFile(name + FILE, path, readText, mistakes)?.trim();
  if (content === '') {
    mistakes.push({
      source: name + FILE,
      expected: 'the path of a file that is not empty',
      value: shownValue(path),
    });
  }
  return content || null;
}

/** The text of a file that a variable names, or null and a mistake when it cannot be read. */
export function readFile(
  variable: string,
  path: string,
  readText: ReadText,
  mistakes: Mistake[],
): string | null {
  try {
    return readText(path);
  } catch (error) {
    const { code } = error as { code?: string };
    const expected = `the path of a file that can be read (${code ?? 'unreadable'})`;
    mistakes.push({ source: variable, expected, value: shownValue(path) });
    return null;
  }
}

/** A mistyped variable would otherwise do nothing in silence. Its value is hidden: it may be a secret. */
function unknownVariables(raw: RawEnvironment): Mistake[] {
  const names = Object.entries(VARIABLES).flatMap(([name, { secret }]) =>
    secret ? [name, name + FILE] : [name],
  );
  const known = new Set([...names, ...TEST_VARIABLES]);
  return Object.keys(raw)
    .filter((name) => name.startsWith('CADENCED_') && !known.has(name))
    .toSorted()
    .map((source) => {
      const near = didYouMean(source, names);
      const expected =
        near === null
          ? 'a variable of config/cadenced.env.example'
          : `a known variable; did you mean ${near}?`;
      return { source, expected, value: hiddenText(raw[source] ?? '') };
    });
}

/** People put credentials into addresses that take none; the complaint about it must not spread them. */
function withoutPassword(value: string): string {
  return value.replace(/\/\/[^/@]*@/, '//(hidden)@');
}
