import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAIL_KINDS, type MailKind } from '../domain/mail.ts';

/** The words of one language: `config/mail/messages.<language>.json`. */
export type MailWords = {
  readonly language: string;
  /** Words that several kinds share. */
  readonly common: Readonly<Record<string, string>>;
  readonly kinds: Readonly<Record<MailKind, Readonly<Record<string, string>>>>;
  /** Words for codes: states, levels, reasons. */
  readonly words: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** Answers for every language without a file of its own, and says what a file must hold. */
export const DEFAULT_LANGUAGE = 'en';

/**
 * Every language that has a file, so that a file is all that a new one takes.
 * @throws RangeError naming file and entry when a language lacks what the default one has: better at the start
 * than in the first mail of its kind.
 */
export function loadMailWords(folder: string): ReadonlyMap<string, MailWords> {
  const all = new Map<string, MailWords>();
  for (const name of readdirSync(folder).sort()) {
    const language = /^messages\.([a-z]{2,3})\.json$/.exec(name)?.[1];
    if (language === undefined) continue;
    const file = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Omit<MailWords, 'language'>;
    all.set(language, { ...file, language });
  }
  const model = all.get(DEFAULT_LANGUAGE);
  if (model === undefined) throw new RangeError(`messages.${DEFAULT_LANGUAGE}.json is missing in ${folder}`);
  for (const words of all.values()) {
    const missing = entries(model).filter((entry) => !new Set(entries(words)).has(entry));
    if (missing.length > 0)
      throw new RangeError(`messages.${words.language}.json lacks ${missing.join(', ')}`);
  }
  return all;
}

function entries(words: MailWords): string[] {
  return [
    ...Object.keys(words.common ?? {}).map((name) => `common.${name}`),
    ...MAIL_KINDS.flatMap((kind) =>
      Object.keys(words.kinds?.[kind] ?? {}).map((name) => `kinds.${kind}.${name}`),
    ),
    ...Object.entries(words.words ?? {}).flatMap(([list, codes]) =>
      Object.keys(codes).map((code) => `words.${list}.${code}`),
    ),
  ];
}
