import { describe, expect, test } from 'vitest';
import { isNameless, type NamelessCopy, sharedLineages } from '../../src/domain/nameless.ts';

const ADA = 'ada@south.example';
const BO = 'bo@south.example';
const FAY = 'fay@south.example';
const NOON = Date.UTC(2026, 2, 20, 12);
const HOUR = 3_600_000;

const invited = (...addresses: string[]) =>
  addresses.map((address) => ({
    address,
    name: null,
    response: 'none' as const,
    organizer: address === ADA,
    optional: false,
  }));

/** Ada's invitation of Bo, as it stands on somebody's calendar. */
const copy = (fields: Partial<NamelessCopy> = {}): NamelessCopy => ({
  lineage: 'no-uid:ada:1',
  calendarId: 1,
  organizer: ADA,
  start: NOON,
  end: NOON + HOUR,
  title: 'Session',
  private: false,
  people: invited(ADA, BO),
  peopleOmitted: false,
  ownerAddresses: [ADA],
  ...fields,
});
const ofBo = (fields: Partial<NamelessCopy> = {}) =>
  copy({ lineage: 'no-uid:bo:1', calendarId: 2, ownerAddresses: [BO, 'bo@alias.example'], ...fields });

describe('what copies without a UID share', () => {
  test('is the lineage of the one that stands already, whichever of them that is', () => {
    expect([...sharedLineages([ofBo()], [], [copy()])]).toEqual([['no-uid:bo:1', 'no-uid:ada:1']]);
    expect([...sharedLineages([copy()], [], [ofBo()])]).toEqual([['no-uid:ada:1', 'no-uid:bo:1']]);
  });

  test.each<[string, Partial<NamelessCopy>]>([
    ['another organizer', { organizer: FAY }],
    ['no organizer', { organizer: null }],
    ['another start', { start: NOON + 60_000 }],
    ['another end', { end: NOON + 2 * HOUR }],
    ['another title', { title: 'Something else' }],
  ])('is nothing with %s', (_what, fields) => {
    expect(sharedLineages([ofBo(fields)], [], [copy()]).size).toBe(0);
    expect(sharedLineages([copy(fields)], [], [ofBo()]).size).toBe(0);
  });

  test('is nothing where one invites others than who keeps the other', () => {
    const people = invited(ADA, FAY);
    expect(sharedLineages([ofBo()], [], [copy({ people })]).size).toBe(0);
    expect(sharedLineages([copy({ people })], [], [ofBo()]).size).toBe(0);
  });

  test('does not ask a private one for its title', () => {
    expect(sharedLineages([ofBo({ private: true, title: null })], [], [copy()]).size).toBe(1);
    expect(sharedLineages([ofBo({ title: null })], [], [copy()]).size).toBe(0);
  });

  test('is found by any address of whoever keeps the calendar', () => {
    const people = invited(ADA, 'bo@alias.example');
    expect(sharedLineages([ofBo({ people })], [], [copy({ people })]).size).toBe(1);
  });

  test('is not denied by a list of people that is known to be short, and needs one that is not', () => {
    const hides = { people: invited(ADA), peopleOmitted: true };
    expect(sharedLineages([ofBo(hides)], [], [copy()]).size).toBe(1);
    const ofFay = copy({ lineage: 'no-uid:fay:1', calendarId: 3, ownerAddresses: [FAY], ...hides });
    expect(sharedLineages([ofBo(hides)], [], [ofFay]).size).toBe(0);
  });

  test('is nothing where two could be meant, on either calendar', () => {
    const second = { lineage: 'no-uid:second' };
    expect(sharedLineages([ofBo()], [], [copy(), copy(second)]).size).toBe(0);
    expect(sharedLineages([ofBo(), ofBo(second)], [], [copy()]).size).toBe(0);
    expect(sharedLineages([ofBo()], [ofBo(second)], [copy()]).size).toBe(0);
  });

  test('is not given away twice on one calendar', () => {
    const here = ofBo({ lineage: 'no-uid:ada:1' });
    expect(sharedLineages([ofBo()], [here], [copy()]).size).toBe(0);
  });
});

test('only single events without any name are nameless', () => {
  const bare = { uid: null, seriesId: null, originalStart: null, originalDate: null };
  expect(isNameless(bare)).toBe(true);
  expect(isNameless({ ...bare, uid: 'x' })).toBe(false);
  expect(isNameless({ ...bare, seriesId: 'x' })).toBe(false);
  expect(isNameless({ ...bare, originalStart: 1 })).toBe(false);
  expect(isNameless({ ...bare, originalDate: '2026-03-20' })).toBe(false);
});
