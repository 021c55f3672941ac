import type { Meeting, Occurrence } from '../world/types.ts';

/** Where a meeting is held, as Google shows it: its own conferences as data, others only as text. */
export interface ConferenceFields {
  location: string;
  description: string;
  hangoutLink?: string;
  conferenceData?: unknown;
}

export function conferenceFields(meeting: Meeting, occurrence: Occurrence): ConferenceFields {
  const { conference, location } = meeting;
  const description = occurrence.body;
  if (conference?.kind === 'meet') {
    const uri = `https://meet.google.com/${conference.code}`;
    return {
      location,
      description,
      hangoutLink: uri,
      conferenceData: {
        entryPoints: [{ entryPointType: 'video', uri, label: `meet.google.com/${conference.code}` }],
        conferenceSolution: {
          key: { type: 'hangoutsMeet' },
          name: 'Google Meet',
          iconUri: 'https://fonts.gstatic.com/s/i/productlogos/meet_2020q4/v6/web-512dp/logo.png',
        },
        conferenceId: conference.code,
      },
    };
  }
  if (conference?.kind === 'teams') {
    const invitation = `<a href="${conference.joinUrl}">Join the meeting now</a>`;
    return {
      location: location === '' ? 'Microsoft Teams Meeting' : location,
      description: `${description}<hr>Microsoft Teams meeting<br>${invitation}`,
    };
  }
  return { location, description };
}
