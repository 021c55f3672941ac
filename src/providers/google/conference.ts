import { conferenceInText, meetConference } from '../../domain/conference-link.ts';
import type { Conference } from '../../domain/observation.ts';
import type { WireEvent } from './wire.ts';

/** Where an event takes place online: what Google attached first, then links in the place and the text. */
export function conferenceOf(event: WireEvent): Conference | null {
  return attached(event) ?? conferenceInText(event.location) ?? conferenceInText(event.description);
}

function attached(event: WireEvent): Conference | null {
  const data = event.conferenceData;
  if (data?.conferenceSolution?.key?.type === 'hangoutsMeet' && data.conferenceId) {
    const meet = meetConference(data.conferenceId);
    if (meet !== null) return meet;
  }
  const links = [event.hangoutLink, ...(data?.entryPoints ?? []).map((entry) => entry.uri)];
  return conferenceInText(links.filter(Boolean).join('\n'));
}
