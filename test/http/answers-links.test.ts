import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { createLinks } from '../../src/delivery/links.ts';
import type { LinkClaim } from '../../src/ports/links.ts';

const OLD = Buffer.alloc(32, 1).toString('base64');
const NEW = Buffer.alloc(32, 2).toString('base64');
const tokenOf = (url: string) => url.split('/').at(-1) ?? '';

const claims: fc.Arbitrary<LinkClaim> = fc.record({
  purpose: fc.constantFrom('answer' as const, 'unsubscribe' as const),
  subjectId: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  personId: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  expiresAt: fc
    .nat({ max: 2 ** 32 - 1 })
    .map((seconds): DateTime => DateTime.fromSeconds(seconds, { zone: 'utc' })),
});

describe('links in mails', () => {
  const links = createLinks('https://mentoring.example.org/c', [NEW, OLD]);

  it('say what was put into them, for their own purpose only', () => {
    fc.assert(
      fc.property(claims, (claim) => {
        const url = links.write(claim);
        expect(url).toMatch(/^https:\/\/mentoring\.example\.org\/c\/[au]\/[A-Za-z0-9_-]{72}$/);
        const read = links.read(claim.purpose, tokenOf(url));
        expect({ ...read, expiresAt: read?.expiresAt.toMillis() }).toEqual({
          ...claim,
          expiresAt: claim.expiresAt.toMillis(),
        });
        expect(links.read(claim.purpose === 'answer' ? 'unsubscribe' : 'answer', tokenOf(url))).toBeNull();
      }),
    );
  });

  it('are void when any character is another', () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    fc.assert(
      fc.property(
        claims,
        fc.nat({ max: 71 }),
        fc.constantFrom(...letters.split('')),
        (claim, place, letter) => {
          const token = tokenOf(links.write(claim));
          fc.pre(token[place] !== letter);
          expect(
            links.read(claim.purpose, token.slice(0, place) + letter + token.slice(place + 1)),
          ).toBeNull();
        },
      ),
    );
  });

  it('are void when they are any other text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String({ minLength: 60, maxLength: 80 })), (text) => {
        expect(links.read('answer', text)).toBeNull();
      }),
    );
  });

  it('are signed with the first key, and open as long as their key is kept', () => {
    const claim = {
      purpose: 'answer' as const,
      subjectId: 7,
      personId: 8,
      expiresAt: DateTime.fromISO('2026-03-17T10:00:00Z', { zone: 'utc' }),
    };
    const before = tokenOf(createLinks('https://a.example', [OLD]).write(claim));
    const after = tokenOf(links.write(claim));
    expect(after).toBe(tokenOf(createLinks('https://b.example', [NEW]).write(claim)));
    expect(links.read('answer', before)).toMatchObject({ subjectId: 7, personId: 8 });
    expect(createLinks('https://a.example', [OLD]).read('answer', after)).toBeNull();
  });

  it('cannot be made without a key', () => {
    expect(() => createLinks('https://a.example', [])).toThrow(RangeError);
  });
});
