import type { Conference } from '../../domain/observation.ts';
import type { WireEvent } from './wire.ts';

const MEET_CODE = /^([a-z]{3})-?([a-z]{4})-?([a-z]{3})$/i;
const MEET_LINK = /https?:\/\/meet\.google\.com\/([a-z]{3}-?[a-z]{4}-?[a-z]{3})(?![\w-])/i;
const URL_IN_TEXT = /https?:\/\/[^\s"'<>]+/gi;
const TEAMS_HOST = /(^|\.)teams\.(microsoft\.(com|us)|live\.com)$/i;
const TEAMS_JOIN = /^\/(l\/meetup-join|meet|dl\/launcher)\//i;
const OTHER_HOST = /(^|\.)(zoom\.us|zoomgov\.com|webex\.com)$/i;
const SAFE_LINK_HOST = /(^|\.)safelinks\.protection\.outlook\.com$/i;

/**
 * Finds where an event takes place online: what Google attached first, then links in the place and the text.
 * @returns the ten letters of a Meet code, a Teams join URL byte for byte, or another service's address without its
 * query, which may hold a passcode
 */
export function conferenceOf(event: WireEvent): Conference | null {
  return attached(event) ?? linked(event.location) ?? linked(event.description);
}

/** A meeting code as Meet's filter wants it: `abc-mnop-xyz`. `null` when the key is no code. */
export function dashedMeetCode(key: string): string | null {
  const parts = MEET_CODE.exec(key);
  return parts === null ? null : `${parts[1]}-${parts[2]}-${parts[3]}`.toLowerCase();
}

function attached(event: WireEvent): Conference | null {
  const data = event.conferenceData;
  if (data?.conferenceSolution?.key?.type === 'hangoutsMeet' && data.conferenceId) {
    const meet = meetOf(data.conferenceId);
    if (meet !== null) return meet;
  }
  const links = [event.hangoutLink, ...(data?.entryPoints ?? []).map((entry) => entry.uri)];
  for (const link of links) {
    const found = linked(link);
    if (found !== null) return found;
  }
  return null;
}

function meetOf(code: string): Conference | null {
  const parts = MEET_CODE.exec(code);
  return parts === null ? null : { kind: 'meet', key: `${parts[1]}${parts[2]}${parts[3]}`.toLowerCase() };
}

/** The first conference linked in a text, plain or HTML. A service with records goes before one without. */
function linked(given: string | null | undefined): Conference | null {
  if (!given) return null;
  const code = MEET_LINK.exec(given)?.[1];
  if (code !== undefined) return meetOf(code);
  const urls = (given.match(URL_IN_TEXT) ?? []).map(unwrapped);
  const teams = urls.find(({ url }) => TEAMS_HOST.test(url.hostname) && TEAMS_JOIN.test(url.pathname));
  if (teams !== undefined) return { kind: 'teams', key: teams.text };
  const other = urls.find(({ url }) => OTHER_HOST.test(url.hostname) && url.pathname.length > 1);
  return other === undefined ? null : { kind: 'other', key: `${other.url.origin}${other.url.pathname}` };
}

const NO_URL = new URL('about:blank');

/** A link as it was before HTML escaped its ampersands and a mail filter wrapped it. */
function unwrapped(raw: string): { readonly text: string; readonly url: URL } {
  const text = raw.replaceAll('&amp;', '&').replace(/[).,;\]]+$/, '');
  const url = URL.parse(text) ?? NO_URL;
  const inner = SAFE_LINK_HOST.test(url.hostname) ? url.searchParams.get('url') : null;
  if (inner === null) return { text, url };
  return { text: inner, url: URL.parse(inner) ?? NO_URL };
}
