import type { Conference } from '../../domain/observation.ts';
import type { WireEvent } from './wire.ts';

const LINK = /https:\/\/[^\s"'<>\\]+/gi;
const MEET_CODE = /^\/(?:lookup\/)?([a-z]{3})-?([a-z]{4})-?([a-z]{3})\/?$/i;
const TEAMS_HOSTS = /(^|\.)teams\.microsoft\.(com|us)$/;
const OTHER_HOSTS = /(^|\.)(zoom\.us|zoom\.com|zoomgov\.com|webex\.com)$/;
const SAFE_LINKS = /\.safelinks\.protection\.(outlook|office365)\.(com|us)$/;

/**
 * Where an event takes place online. The join URL Graph names comes first; a meeting that Google or Zoom
 * organised carries its link only in the location or the body.
 */
export function conferenceOf(event: WireEvent): Conference | null {
  const named = [event.onlineMeeting?.joinUrl, event.onlineMeetingUrl].filter(Boolean).join('\n');
  const places = [event.location, ...(event.locations ?? [])]
    .flatMap((place) => [place?.locationUri, place?.displayName])
    .filter(Boolean)
    .join('\n');
  for (const source of [named, places, event.body?.content ?? '']) {
    for (const link of source.match(LINK) ?? []) {
      const conference = conferenceBehind(link);
      if (conference !== null) return conference;
    }
  }
  return null;
}

/** @param link as it stands in a text, perhaps with `&amp;` or behind Outlook's safe-links */
function conferenceBehind(link: string): Conference | null {
  const given = link.replaceAll('&amp;', '&').replace(/[).,;\]]+$/, '');
  const url = URL.parse(given);
  if (url === null) return null;
  if (SAFE_LINKS.test(url.hostname)) {
    const target = url.searchParams.get('url');
    return target === null || SAFE_LINKS.test(URL.parse(target)?.hostname ?? '')
      ? null
      : conferenceBehind(target);
  }
  if (url.hostname === 'meet.google.com') {
    const code = MEET_CODE.exec(url.pathname);
    return code === null ? null : { kind: 'meet', key: code.slice(1).join('').toLowerCase() };
  }
  if (TEAMS_HOSTS.test(url.hostname)) {
    // The same host serves the meeting's options and help pages, which invitations link to as well.
    return /^\/(l\/meetup-join|meet)\//.test(url.pathname) ? { kind: 'teams', key: given } : null;
  }
  // Teams for private accounts keeps no attendance that an organisation could read.
  if (url.hostname === 'teams.live.com' && url.pathname.startsWith('/meet/')) {
    return { kind: 'other', key: given };
  }
  return OTHER_HOSTS.test(url.hostname) && url.pathname.length > 1 ? { kind: 'other', key: given } : null;
}
