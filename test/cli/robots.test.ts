import { describe, expect, it } from 'vitest';
import { forbids } from '../../src/cli/robots.ts';

const PATH = '/notifications/google';
const NAME = 'APIs-Google';
const file = (...lines: string[]) => lines.join('\n');

describe('what a robots.txt forbids', () => {
  it.each([
    ['nothing to somebody it does not name', ['User-agent: Googlebot', 'Disallow: /'], null],
    ['nothing to somebody before any name', ['Disallow: /'], null],
    ['nothing by an empty rule', ['User-agent: APIs-Google', 'Disallow:'], false],
    ['what is named', ['User-agent: APIs-Google', 'Disallow: /'], true],
    ['in any case and spacing, with remarks', ['uSER-AGENT :apis-google # it', '\tdisallow:/  # all'], true],
    ['no other path', ['User-agent: APIs-Google', 'Disallow: /private'], false],
    [
      'what the longest rule says, wherever it stands',
      ['User-agent: APIs-Google', 'Allow: /notifications/', 'Disallow: /'],
      false,
    ],
    [
      'what the longest rule says, also when it forbids',
      ['User-agent: APIs-Google', 'Allow: /', 'Disallow: /notif'],
      true,
    ],
    [
      'nothing where two as long contradict each other',
      ['User-agent: APIs-Google', 'Disallow: /notif', 'Allow: /notif'],
      false,
    ],
    [
      'by the rules after several names',
      ['User-agent: Googlebot', 'Crawl-delay: 1', 'User-agent: APIs-Google', 'Disallow: /'],
      true,
    ],
    [
      'not by the rules of the group before',
      ['User-agent: Googlebot', 'Disallow: /', 'User-agent: APIs-Google', 'Allow: /'],
      false,
    ],
    [
      'by all groups of that name together',
      [
        'User-agent: APIs-Google',
        'Allow: /a',
        'User-agent: x',
        'Allow: /',
        'User-agent: APIs-Google',
        'Disallow: /',
      ],
      true,
    ],
    ['by a star', ['User-agent: APIs-Google', 'Disallow: /*/google'], true],
    ['by a star only what follows it', ['User-agent: APIs-Google', 'Disallow: /*/microsoft'], false],
    ['up to the end', ['User-agent: APIs-Google', 'Disallow: /*google$'], true],
    ['not beyond the end', ['User-agent: APIs-Google', 'Disallow: /notifications$'], false],
    [
      'not the same letters twice',
      ['User-agent: APIs-Google', 'Disallow: /notifications/google*google$'],
      false,
    ],
  ])('%s', (_what, lines, expected) => {
    expect(forbids(file(...lines), NAME, PATH)).toBe(expected);
  });

  it('by lines that end as on any system, behind a mark of the byte order', () => {
    expect(forbids('\uFEFFUser-agent: *\r\nDisallow: /\r\n', '*', PATH)).toBe(true);
  });

  it('to all only where all are asked for', () => {
    const both = file('User-agent: *', 'Disallow: /', 'User-agent: APIs-Google', 'Disallow:');
    expect([forbids(both, NAME, PATH), forbids(both, '*', PATH)]).toEqual([false, true]);
  });

  it('letters beyond a URL as a URL writes them', () => {
    const lines = file('User-agent: *', 'Disallow: /büro/');
    expect(forbids(lines, '*', new URL('https://a.example/büro/notifications/google').pathname)).toBe(true);
  });
});
