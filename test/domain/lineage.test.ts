import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  baseOfGoogleId,
  instanceDateOfUid,
  lineageOfUid,
  lineageWithoutUid,
  seriesUidOf,
  splitStampOf,
} from '../../src/domain/lineage.ts';

// Two occurrences of one series as Microsoft's own page on a group's calendarView shows them: both "single".
const AUGUST_14 =
  '040000008200E00074C5B7101A82E00807E1080E824DDB122F0AD301000000000000000010000000824A8905B038D54AA7735F117B3442ED';
const AUGUST_16 =
  '040000008200E00074C5B7101A82E00807E10810824DDB122F0AD301000000000000000010000000824A8905B038D54AA7735F117B3442ED';
const CLEAN =
  '040000008200E00074C5B7101A82E00800000000824DDB122F0AD301000000000000000010000000824A8905B038D54AA7735F117B3442ED';

const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('');

/** A foreign UID as Outlook wraps it ([MS-OXOCAL] 2.2.1.27): behind `vCal-Uid`, a version, ended by a zero. */
function wrap(uid: string, date = '00000000'): string {
  const text = hexOf(new TextEncoder().encode(uid));
  const data = `7643616C2D55696401000000${text}00`;
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, data.length / 2, true);
  return `040000008200E00074C5B7101A82E008${date}${'0'.repeat(32)}${hexOf(new Uint8Array(length.buffer))}${data}`;
}

const date = fc.record({
  year: fc.integer({ min: 1970, max: 2200 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 28 }),
});
const dateBytes = ({ year, month, day }: { year: number; month: number; day: number }) =>
  hexOf(Uint8Array.of(year >> 8, year & 255, month, day));

describe('lineage of a UID', () => {
  test('occurrences of one Outlook series, its master and what Google shows of it share one lineage', () => {
    for (const uid of [AUGUST_14, AUGUST_16, CLEAN, CLEAN.toLowerCase(), ` ${AUGUST_14.toLowerCase()}\r\n`]) {
      expect(lineageOfUid(uid)).toBe(CLEAN);
    }
  });

  test("a foreign UID is the same raw and wrapped, whatever the instance's date", () => {
    const uid = 'qa87q2t552detf773508pdrchc@google.com';
    expect(lineageOfUid(uid)).toBe(uid);
    expect(lineageOfUid(wrap(uid))).toBe(uid);
    expect(lineageOfUid(wrap(uid, '07E1080E').toLowerCase())).toBe(uid);
    expect(lineageOfUid(wrap('q7@google.com', '07E1080E'))).toBe('q7@google.com');
    fc.assert(
      fc.property(
        fc
          .string({ minLength: 1, unit: 'grapheme' })
          .filter((text) => text.trim() === text && !text.includes('\0')),
        date,
        (text, day) => {
          const foreign = `x${text}@example.org`;
          expect(lineageOfUid(wrap(foreign, dateBytes(day)))).toBe(lineageOfUid(foreign));
        },
      ),
    );
  });

  test('the UID of a series names no single occurrence, and keeps the part of a split', () => {
    expect([AUGUST_14, AUGUST_16, CLEAN, CLEAN.toLowerCase()].map(seriesUidOf)).toEqual(Array(4).fill(CLEAN));
    const part = 'abc_R20261201T090000@google.com';
    const writings = [part, wrap(part), wrap(part, '07EA0C01')];
    expect(writings.map(seriesUidOf)).toEqual(Array(3).fill(part));
    expect(writings.map(splitStampOf)).toEqual(Array(3).fill('20261201T090000'));
    expect(splitStampOf('abc_R20261101_R20261201T090000@google.com')).toBe('20261201T090000');
    expect([null, CLEAN, 'abc@google.com', 'abc_Rest@google.com'].map(splitStampOf)).toEqual(
      Array(4).fill(''),
    );
  });

  test("what was Outlook's own before it was wrapped is Outlook's own again", () => {
    expect(lineageOfUid(wrap(AUGUST_14))).toBe(CLEAN);
  });

  test('both parts of a Google series that was split, once or again, share one lineage', () => {
    for (const split of [
      '_R20261201T100000',
      '_R20261201T100000Z',
      '_R20261201',
      '_R20261201T100000_R20270105',
    ]) {
      expect(lineageOfUid(`abc${split}@google.com`)).toBe('abc@google.com');
      expect(lineageOfUid(wrap(`abc${split}@google.com`))).toBe('abc@google.com');
      expect(baseOfGoogleId(`abc${split}`)).toBe('abc');
    }
    expect(baseOfGoogleId('abc')).toBe('abc');
  });

  test('letter case tells foreign UIDs apart, and what only looks like a split is none', () => {
    expect(lineageOfUid('ABC@google.com')).not.toBe(lineageOfUid('abc@google.com'));
    for (const uid of ['a_R2026@x', 'a_R20261201x@x', '_Room1@x']) expect(lineageOfUid(uid)).toBe(uid);
  });

  test('odd, short and malformed hex is taken as it is, and nothing is no lineage', () => {
    for (const uid of [`${CLEAN}0`, CLEAN.slice(0, 78), `${CLEAN}XY`, CLEAN.slice(2)]) {
      expect(lineageOfUid(uid)).toBe(uid);
      expect(instanceDateOfUid(uid)).toBeNull();
    }
    for (const none of [null, undefined, '', '  ']) expect(lineageOfUid(none)).toBeNull();
  });

  test('normalising twice is normalising once, whatever is given', () => {
    const hex = fc.string({ unit: fc.constantFrom(...'0123456789ABCDEFabcdef'.split('')), maxLength: 200 });
    const any = fc.oneof(
      fc.string(),
      hex.map((tail) => `040000008200E00074C5B7101A82E008${tail}`),
      fc.string().map((text) => wrap(text)),
    );
    fc.assert(
      fc.property(any, (uid) => {
        const once = lineageOfUid(uid);
        expect(lineageOfUid(once)).toBe(once);
      }),
    );
  });

  test('without a UID a copy matches nothing but itself', () => {
    expect(lineageWithoutUid('a@x.org', '1')).not.toBe(lineageWithoutUid('b@x.org', '1'));
    expect(lineageWithoutUid('a@x.org', '1')).toBe(lineageWithoutUid('a@x.org', '1'));
  });
});

describe('date of the instance', () => {
  test('is read from the bytes, and any date survives the way there and back', () => {
    expect(instanceDateOfUid(AUGUST_14)).toBe('2017-08-14');
    expect(instanceDateOfUid(AUGUST_16.toLowerCase())).toBe('2017-08-16');
    fc.assert(
      fc.property(date, (day) => {
        const uid = CLEAN.slice(0, 32) + dateBytes(day) + CLEAN.slice(40);
        const pad = (value: number) => String(value).padStart(2, '0');
        expect(instanceDateOfUid(uid)).toBe(`${day.year}-${pad(day.month)}-${pad(day.day)}`);
        expect(lineageOfUid(uid)).toBe(CLEAN);
      }),
    );
  });

  test('a series, a foreign UID and bytes that are no date have none', () => {
    for (const uid of [CLEAN, 'abc@google.com', null, CLEAN.replace('E00800000000', 'E00807E10D0E')]) {
      expect(instanceDateOfUid(uid)).toBeNull();
    }
  });
});
