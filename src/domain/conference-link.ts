import type { Conference } from './observation.ts';

/**
 * Where a meeting takes place online, told by the links in its texts. Both providers' copies of a meeting are read by
 * these rules: were they read by two, one meeting would have two places, and which one is asked for attendance would
 * depend on whose calendar was read last.
 */

const LINK = /https?:\/\/[^\s"'<>\\]+/gi;
const MEET_CODE = /^([a-z]{3})-?([a-z]{4})-?([a-z]{3})$/i;
const MEET_PATH = /^\/(?:lookup\/)?([a-z]{3}-?[a-z]{4}-?[a-z]{3})\/?$/i;
const TEAMS_HOST = /(^|\.)teams\.microsoft\.(com|us)$/;
/** The same host serves a meeting's options and help pages, which invitations link to as well. */
const TEAMS_JOIN = /^\/(l\/meetup-join|meet)\/./;
const PRIVATE_TEAMS_HOST = 'teams.live.com';
const OTHER_HOST = /(^|\.)(zoom\.us|zoom\.com|zoomgov\.com|webex\.com)$/;
const SAFE_LINK_HOST = /\.safelinks\.protection\.(outlook|office365)\.(com|us)$/;

/** The conference of a Meet code, `abc-mnop-xyz` with or without dashes; `null` where it is none. */
export function meetConference(code: string): Conference | null {
  const parts = MEET_CODE.exec(code);
  return parts === null ? null : { kind: 'meet', key: parts.slice(1).join('').toLowerCase() };
}

/** A meeting code as Meet's filter wants it: `abc-mnop-xyz`. `null` when the key is no code. */
export function dashedMeetCode(key: string): string | null {
  const parts = MEET_CODE.exec(key);
  return parts === null ? null : parts.slice(1).join('-').toLowerCase();
}

/**
 * The first conference linked in a text, plain or HTML. A service that keeps a record goes before one that keeps none.
 * @returns the ten letters of a Meet code, a Teams join URL byte for byte, or another service's address without its
 *   query, which may hold a passcode
 */
export function conferenceInText(text: string | null | undefined): Conference | null {
  if (!text) return null;
  const found = (text.match(LINK) ?? [])
    .map((link) => conferenceBehind(link))
    .filter((conference) => conference !== null);
  return found.find(({ kind }) => kind !== 'other') ?? found[0] ?? null;
}

/**
 * The conference of a Teams join URL that a provider names in a field of its own; `null` where it is none. Taken byte for
 * byte: its meeting is found by all of it, and what ends a link in a text (a quote, a bracket) may belong to this one.
 */
export function teamsConference(joinUrl: string): Conference | null {
  const conference = conferenceAt(joinUrl);
  return conference?.kind === 'teams' ? conference : null;
}

/** @param link as it stands in a text, perhaps with `&amp;` or behind Outlook's safe links */
function conferenceBehind(link: string): Conference | null {
  const given = link.replaceAll('&amp;', '&').replace(/[).,;\]]+$/, '');
  const outer = URL.parse(given);
  const inner = outer && SAFE_LINK_HOST.test(outer.hostname) ? outer.searchParams.get('url') : null;
  // A safe link in a safe link is found in forwarded mails; one that wraps for ever is not followed.
  const twice = inner === null ? null : URL.parse(inner);
  const innermost = twice && SAFE_LINK_HOST.test(twice.hostname) ? twice.searchParams.get('url') : null;
  return conferenceAt(innermost ?? inner ?? given);
}

function conferenceAt(address: string): Conference | null {
  const url = URL.parse(address);
  if (url === null) return null;
  const { hostname, pathname, origin } = url;
  if (hostname === 'meet.google.com') return meetConference(MEET_PATH.exec(pathname)?.[1] ?? '');
  if (TEAMS_HOST.test(hostname)) {
    return TEAMS_JOIN.test(pathname) ? { kind: 'teams', key: address } : null;
  }
  // Teams for private accounts keeps no attendance that an organisation could read.
  const isElsewhere =
    (hostname === PRIVATE_TEAMS_HOST && pathname.startsWith('/meet/')) ||
    (OTHER_HOST.test(hostname) && pathname.length > 1);
  return isElsewhere ? { kind: 'other', key: `${origin}${pathname}` } : null;
}
