import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import type { AnswerKind, PageModel } from '../domain/answer.ts';
import type { Role } from '../domain/roster.ts';

/** The words of one language: `config/pages/messages.<language>.json`. */
type PageWords = {
  readonly answer: Texts;
  readonly subscription: Texts;
  readonly notice: Readonly<Record<string, Texts>>;
  readonly choices: Readonly<Record<AnswerKind, string>>;
  readonly said: Readonly<Record<AnswerKind, string>>;
  readonly roles: Readonly<Record<Role, string>>;
};
type Texts = Readonly<Record<string, string>>;

export type PageRenderer = {
  /** The first of the given BCP 47 tags whose language has words, else English. */
  languageOf(...tags: readonly string[]): string;
  roleWord(language: string, role: Role): string;
  /** A whole HTML document. @throws Error when a template needs what the model lacks */
  render(model: PageModel, language: string): string;
  /** The source that allows the style sheet and no other, for `style-src`. */
  readonly styleSource: string;
};

const DEFAULT_LANGUAGE = 'en';
const KINDS = ['answer', 'subscription', 'notice'] as const;

/**
 * Reads templates, style and words from `config/pages` once and compiles them.
 * @throws Error when a file is missing, RangeError naming file and entry when a language is incomplete
 */
export function loadPageRenderer(folder: string): PageRenderer {
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n');
  const style = read('style.css');
  const sources = new Map(KINDS.map((kind) => [kind, read(`${kind}.html`)]));
  const frame = Handlebars.compile(read('_page.html'), { strict: true });
  const languages = new Map(
    [...loadWords(folder)].map(([language, words]) => {
      const handlebars = Handlebars.create();
      handlebars.registerHelper('choice', (kind: AnswerKind) => words.choices[kind]);
      handlebars.registerHelper('said', (kind: AnswerKind) => words.said[kind]);
      const bodies = new Map(
        [...sources].map(([kind, source]) => [kind, handlebars.compile(source, { strict: true })]),
      );
      return [language, { words, bodies, plain: plainTexts(handlebars) }] as const;
    }),
  );
  const find = (tag: string) => {
    const spoken = tag.toLowerCase().split('-')[0] ?? '';
    return languages.get(spoken);
  };
  const spoken = (tag: string) => {
    const found = find(tag) ?? find(DEFAULT_LANGUAGE);
    if (found === undefined) throw new RangeError(`messages.${DEFAULT_LANGUAGE}.json is missing`);
    return found;
  };

  return {
    languageOf: (...tags) => tags.find((tag) => find(tag) !== undefined) ?? DEFAULT_LANGUAGE,
    roleWord: (language, role) => spoken(language).words.roles[role],
    render(model, language) {
      const { words, bodies, plain } = spoken(language);
      const texts = model.kind === 'notice' ? words.notice[model.data.notice] : words[model.kind];
      const body = bodies.get(model.kind);
      if (texts === undefined || body === undefined) throw new RangeError(`no words for a ${model.kind}`);
      const text = plain(texts, model.data);
      return frame({
        language,
        style,
        text: { title: text.title ?? text.heading },
        body: body({ ...model.data, text, language }),
      });
    },
    styleSource: `'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  };
}

/** Words with their variables filled in; escaped where the template prints them, and not twice. */
function plainTexts(handlebars: typeof Handlebars): (texts: Texts, data: object) => Record<string, string> {
  const compiled = new WeakMap<Texts, ReadonlyArray<readonly [string, Handlebars.TemplateDelegate]>>();
  return (texts, data) => {
    const known =
      compiled.get(texts) ??
      Object.entries(texts).map(
        ([name, source]) => [name, handlebars.compile(source, { strict: true, noEscape: true })] as const,
      );
    compiled.set(texts, known);
    return Object.fromEntries(known.map(([name, template]) => [name, template(data)]));
  };
}

function loadWords(folder: string): ReadonlyMap<string, PageWords> {
  const all = new Map<string, PageWords>();
  for (const name of readdirSync(folder).toSorted()) {
    const language = /^messages\.([a-z]{2,3})\.json$/.exec(name)?.[1];
    if (language === undefined) continue;
    all.set(language, JSON.parse(readFileSync(join(folder, name), 'utf8')) as PageWords);
  }
  const model = all.get(DEFAULT_LANGUAGE);
  if (model === undefined) throw new RangeError(`messages.${DEFAULT_LANGUAGE}.json is missing in ${folder}`);
  for (const [language, words] of all) {
    const has = new Set(entries(words));
    const missing = entries(model).filter((entry) => !has.has(entry));
    if (missing.length > 0)
      throw new RangeError(`pages/messages.${language}.json lacks ${missing.join(', ')}`);
  }
  return all;
}

function entries(words: object, above = ''): string[] {
  return Object.entries(words).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? entries(value, `${above}${name}.`) : [`${above}${name}`],
  );
}
