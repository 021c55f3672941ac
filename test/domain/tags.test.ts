import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TagText } from '../../src/domain/observation.ts';
import type { TagRule } from '../../src/domain/program.ts';
import { matchTags, visibleText } from '../../src/domain/tags.ts';

const text = (parts: Partial<TagText>): TagText => ({
  title: null,
  body: null,
  categories: [],
  properties: [],
  ...parts,
});
const hash: TagRule = { kind: 'text', text: '#mentoring' };
const bracket: TagRule = { kind: 'text', text: '[Mentoring]' };

function found(given: Partial<TagText>, rules: TagRule[], references: string[] = [], people: string[] = []) {
  return matchTags(
    text(given),
    people.map((address) => ({ address })),
    [{ program: 'first', rules, references }],
  ).map((match) => match.rule);
}

describe('text tags', () => {
  test.each([
    ['plain title', '#mentoring'],
    ['letter case', 'Weekly #MENTORING'],
    ['inline markup inside the tag', '<p>#men<b>toring</b></p>'],
    ['no-break space around', 'Anna&nbsp;#mentoring&nbsp;Ben'],
    ['entity for the hash', '&#35;mentoring'],
    ['hexadecimal entity', '&#x23;mentor&#105;ng'],
    ['full-width forms', '＃ｍｅｎｔｏｒｉｎｇ'],
    ['zero-width space inside', '#men\u200btoring'],
    ['soft hyphen inside', '#men&shy;toring'],
    ['punctuation after', 'Talk (#mentoring), 10:00'],
    ['line break before', 'Anna<br>#mentoring<br/>Ben'],
    ['less-than sign before', 'me <3 this #mentoring'],
    [
      'outlook page',
      '<html><head><meta charset="utf-8"><style>p{}</style><body><div>#mentoring</div></body></html>',
    ],
    ['head never closed', '<html><head><meta charset="utf-8"><body>#mentoring'],
  ])('%s', (_, body) => {
    expect(found({ body }, [hash])).toEqual(['#mentoring']);
    expect(found({ title: body }, [hash])).toEqual(['#mentoring']);
  });

  test.each([
    ['longer word', '#mentoringsession'],
    ['shorter word', '#mentor'],
    ['underscore', '#mentoring_2'],
    ['word before', 'x#mentoring'],
    ['no hash', 'mentoring'],
    ['only in an attribute', '<a href="https://x.org/?q=#mentoring">link</a>'],
    ['only in a style', '<style>#mentoring{color:red}</style>'],
    ['only in a comment', '<!-- #mentoring -->'],
    ['split by a block', '<p>#men</p><p>toring</p>'],
    ['split by a line break', '#men<br>toring'],
  ])('not: %s', (_, body) => {
    expect(found({ body }, [hash])).toEqual([]);
  });

  test('title and body are searched each on its own', () => {
    expect(found({ title: '#men', body: 'toring' }, [hash])).toEqual([]);
  });

  test('brackets need no white space around them', () => {
    expect(found({ title: 'x[mentoring]y' }, [bracket])).toEqual(['[Mentoring]']);
    expect(found({ title: '[mentoring 2]' }, [bracket])).toEqual([]);
  });

  test('a tag between any words and any inline markup is found, and never inside a longer word', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abcäß 0,.!?-'.split('')), maxLength: 12 });
    const cut = fc.integer({ min: 1, max: 9 });
    const element = fc.constantFrom('b', 'span', 'i', 'font', 'u');
    fc.assert(
      fc.property(word, word, cut, element, (before, after, at, name) => {
        const tag = `#mentoring`;
        const marked = `${tag.slice(0, at)}<${name}>${tag.slice(at)}</${name}>`;
        expect(found({ body: `${before} ${marked} ${after}` }, [hash])).toEqual(['#mentoring']);
        expect(found({ body: `${before} x${marked} ${after}` }, [hash])).toEqual([]);
        expect(found({ body: `${before} ${marked}s ${after}` }, [hash])).toEqual([]);
      }),
    );
  });

  test('any text is searched without an exception and gives words without markup spaces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (body) => {
        const seen = visibleText(body);
        expect(seen).toBe(seen.trim());
        expect(seen).not.toMatch(/\s\s/);
      }),
    );
  });
});

describe('other rules', () => {
  test('a category, in any letter case', () => {
    const rule: TagRule = { kind: 'category', category: 'Mentoring' };
    expect(found({ categories: ['Blue', 'MENTORING '] }, [rule])).toEqual(['category:Mentoring']);
    expect(found({ categories: ['Mentoring 2'], title: 'Mentoring' }, [rule])).toEqual([]);
  });

  test('a property with its value', () => {
    const rule: TagRule = { kind: 'property', property: 'program', value: 'Mentoring' };
    expect(found({ properties: [{ name: 'program', value: 'mentoring' }] }, [rule])).toEqual([
      'property:program',
    ]);
    expect(found({ properties: [{ name: 'program', value: 'sales' }] }, [rule])).toEqual([]);
    expect(found({ properties: [{ name: 'other', value: 'mentoring' }] }, [rule])).toEqual([]);
  });

  test('an invited program mailbox', () => {
    const rule: TagRule = { kind: 'mailbox', mailbox: 'mentoring@x.org' };
    expect(found({}, [rule], [], ['a@x.org', 'mentoring@x.org'])).toEqual(['mailbox:mentoring@x.org']);
    expect(found({ body: 'mentoring@x.org' }, [rule], [], ['a@x.org'])).toEqual([]);
  });

  test('a reference of a planned session as a whole word', () => {
    expect(found({ body: 'see <b>PLAN-12</b>.' }, [], ['plan-12', 'plan-1'])).toEqual(['plan:plan-12']);
  });

  test('an empty or invisible reference is found nowhere', () => {
    for (const reference of ['', ' ', '\u200b', '\u00ad\ufeff'])
      expect(found({ title: 'dentist', body: 'private' }, [], [reference])).toEqual([]);
    expect(found({ title: 'dentist' }, [{ kind: 'text', text: '\u200b' }])).toEqual([]);
  });

  test('every rule of every program that matches is named, in order', () => {
    const matches = matchTags(
      text({ title: '#mentoring', categories: ['m'] }),
      [],
      [
        { program: 'a', rules: [{ kind: 'category', category: 'M' }, hash], references: [] },
        { program: 'b', rules: [hash], references: ['#mentoring'] },
      ],
    );
    expect(matches).toEqual([
      { program: 'a', rule: 'category:M' },
      { program: 'a', rule: '#mentoring' },
      { program: 'b', rule: '#mentoring' },
      { program: 'b', rule: 'plan:#mentoring' },
    ]);
  });
});
