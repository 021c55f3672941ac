/** A seeded source of identifiers: the same seed tells the same story, so a failing run can be repeated. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [0, limit). */
  below(limit: number): number;
  /** One of the values. */
  pick<T>(values: readonly T[]): T;
  /** `length` characters of an alphabet. */
  text(alphabet: string, length: number): string;
  /** An independent source, so that asking for one more id here does not shift the ids elsewhere. */
  fork(name: string): Random;
}

export const BASE32HEX = '0123456789abcdefghijklmnopqrstuv';
export const HEX = '0123456789abcdef';
export const DIGITS = '0123456789';
export const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
export const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Builds a source from a 32-bit seed (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    pick<T>(values: readonly T[]): T {
      if (values.length === 0) throw new RangeError('nothing to pick from');
      return values[below(values.length)] as T;
    },
    text: (alphabet, length) =>
      Array.from({ length }, () => alphabet.charAt(below(alphabet.length))).join(''),
    fork: (name) => createRandom(hash(name) ^ Math.floor(seed)),
  };
}

/** A GUID in the usual 8-4-4-4-12 form. */
export function guid(random: Random): string {
  return [8, 4, 4, 4, 12].map((length) => random.text(HEX, length)).join('-');
}

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 16_777_619);
  }
  return value >>> 0;
}
