import { conferenceInText, teamsConference } from '../../domain/conference-link.ts';
import type { Conference } from '../../domain/observation.ts';
import type { WireEvent } from './wire.ts';

/**
 * Where an event takes place online. The join URL Graph names comes first; a meeting that Google or Zoom
 * organised carries its link only in the location or the body.
 */
export function conferenceOf(event: WireEvent): Conference | null {
  const named = [event.onlineMeeting?.joinUrl, event.onlineMeetingUrl].filter(
    (url) => typeof url === 'string',
  );
  const places = [event.location, ...(event.locations ?? [])]
    .flatMap((place) => [place?.locationUri, place?.displayName])
    .filter(Boolean)
    .join('\n');
  return (
    named.map(teamsConference).find((conference) => conference !== null) ??
    conferenceInText(named.join('\n')) ??
    conferenceInText(places) ??
    conferenceInText(event.body?.content)
  );
}
