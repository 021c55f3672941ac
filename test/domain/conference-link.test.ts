import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conferenceInText, dashedMeetCode, meetConference } from '../../src/domain/conference-link.ts';

const TEAMS =
  'https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%22Tid%22%3a%22a%22%7d&x=1';
const safe = (url: string, host = 'nam02.safelinks.protection.outlook.com') =>
  `https://${host}/?url=${encodeURIComponent(url)}&data=05`;
const teams = { kind: 'teams', key: TEAMS };

describe('a text', () => {
  test.each<[string, string | null, unknown]>([
    ['with nothing in it', null, null],
    ['without a link', 'Room 1, bring cake', null],
    ['with a Teams link', `Join: ${TEAMS}`, teams],
    ['with the link in HTML', `<a href="${TEAMS.replaceAll('&', '&amp;')}">Join</a>`, teams],
    ['with a full stop after it', `Join (${TEAMS}).`, teams],
    ['with a safe link', safe(TEAMS), teams],
    ['with a safe link of another cloud', safe(TEAMS, 'gcc02.safelinks.protection.office365.us'), teams],
    ['with a safe link in a safe link', safe(safe(TEAMS)), teams],
    ['with a safe link around nothing', 'https://x.safelinks.protection.outlook.com/?data=1', null],
    [
      'with a short Teams link',
      'https://teams.microsoft.com/meet/123?p=abc',
      {
        kind: 'teams',
        key: 'https://teams.microsoft.com/meet/123?p=abc',
      },
    ],
    [
      'with Teams for private accounts',
      'https://teams.live.com/meet/9?p=secret',
      {
        kind: 'other',
        key: 'https://teams.live.com/meet/9',
      },
    ],
    [
      'with a Meet link',
      'see http://meet.google.com/abc-mnop-xyz?authuser=0',
      { kind: 'meet', key: 'abcmnopxyz' },
    ],
    [
      'with a Meet look-up link',
      'https://meet.google.com/lookup/abcmnopxyz',
      { kind: 'meet', key: 'abcmnopxyz' },
    ],
    ['with a longer code', 'https://meet.google.com/abc-mnop-xyzq', null],
    [
      'with Zoom and its passcode',
      'Room 1, https://us02web.zoom.us/j/123?pwd=secret.',
      {
        kind: 'other',
        key: 'https://us02web.zoom.us/j/123',
      },
    ],
    ['with Zoom first and Teams after', `https://acme.zoom.us/j/1 or ${TEAMS}`, teams],
    ['with Teams options and help only', 'https://teams.microsoft.com/meetingOptions/?organizerId=1', null],
    ['with home pages', 'https://zoom.us/ and https://teams.microsoft.com/', null],
    ['with look-alikes', 'https://notzoom.us/j/1 https://teams.microsoft.com.evil.example/meet/1', null],
  ])('%s', (_what, text, expected) => {
    expect(conferenceInText(text)).toEqual(expected);
  });

  test('of any kind is read without a fault, and no passcode of another service is kept', () => {
    const pieces = fc.constantFrom(
      'https://',
      'acme.zoom.us/j/1',
      '?pwd=',
      TEAMS,
      '&amp;',
      '%',
      '<',
      ' ',
      safe(''),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => {
        const found = conferenceInText(parts.join(''));
        if (found?.kind === 'other') expect(found.key).not.toContain('?');
      }),
    );
  });
});

test('a Meet code is the same with dashes and without', () => {
  expect(meetConference('ABC-mnop-xyz')).toEqual(meetConference('abcmnopxyz'));
  expect(dashedMeetCode('abcmnopxyz')).toBe('abc-mnop-xyz');
  expect(meetConference('abc-mnop')).toBeNull();
  expect(dashedMeetCode('https://teams.microsoft.com')).toBeNull();
});
