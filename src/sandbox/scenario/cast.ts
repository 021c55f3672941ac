import type { DateTime } from 'luxon';
import type { Random } from '../world/random.ts';
import type { Person } from '../world/types.ts';
import type { World } from '../world/world.ts';

/** Who meets whom, by the part they play in the story. */
export type Part =
  | 'weekly_google'
  | 'weekly_outlook'
  | 'google_to_outlook'
  | 'outlook_to_google'
  | 'circle'
  | 'peers'
  | 'in_person'
  | 'moved'
  | 'no_show'
  | 'gone_quiet'
  | 'quiet_before'
  | 'lost_sight'
  | 'not_started'
  | 'declined'
  | 'joint_one'
  | 'joint_two';

export type Role = 'mentor' | 'mentee' | 'peer';

export interface Member {
  readonly person: Person;
  readonly role: Role;
}

/** One mentorship with the hour it keeps: a local time that stays the same across clock changes. */
export interface Mentorship {
  readonly part: Part;
  readonly name: string;
  readonly members: readonly Member[];
  /** Days from the scripted day to the first day of the mentorship. */
  readonly startsOn: number;
  readonly zone: string;
  /** `HH:mm` in `zone`. */
  readonly time: string;
}

export interface Cast {
  readonly mentorships: ReadonlyMap<Part, Mentorship>;
  readonly coordinator: string;
}

const GIVEN_NAMES = [
  ...[
    'Ada',
    'Bashir',
    'Chiara',
    'Dmitri',
    'Elin',
    'Farah',
    'Goran',
    'Hana',
    'Ines',
    'Jonas',
    'Kaya',
    'Leila',
  ],
  ...['Marek', 'Noor', 'Olu', 'Petra', 'Quentin', 'Rosa', 'Sami', 'Tove', 'Uma', 'Viktor', 'Wanda', 'Xenia'],
  ...[
    'Yusuf',
    'Zoe',
    'Anouk',
    'Bruno',
    'Celeste',
    'Dario',
    'Esra',
    'Filip',
    'Greta',
    'Hugo',
    'Ilse',
    'Jalal',
  ],
];
const FAMILY_NAMES = [
  ...['Adeyemi', 'Bergmann', 'Castellanos', 'Dvorak', 'Eriksen', 'Fontaine', 'Greco', 'Haddad', 'Ivanova'],
  ...['Jansen', 'Kowalski', 'Lindqvist', 'Moreau', 'Nakamura', 'Okafor', 'Petrov', 'Quintero', 'Rossi'],
  ...['Schneider', 'Takahashi', 'Ueda', 'Virtanen', 'Weber', 'Yilmaz', 'Zeman'],
];

/** The same invented organisation on both providers: its two halves came together by a merger. */
const DOMAINS = {
  google: 'fernhill.example',
  microsoft: 'oakmere.example',
  none: 'guildhall.example',
} as const;

const ZONES = ['Europe/Berlin', 'Europe/London', 'Europe/Athens', 'Asia/Kolkata'] as const;
const EUROPE = ['Europe/Berlin', 'Europe/Athens'] as const;
const NEW_YORK = ['America/New_York'] as const;

interface Casting {
  readonly part: Part;
  /** Provider of each member with a role, the organizer's side first. `known` names somebody cast before. */
  readonly members: readonly (readonly [
    role: Role,
    provider: Person['provider'],
    known?: `${Part}.${number}`,
  ])[];
  readonly startsOn?: number;
  readonly zones?: readonly string[];
  /** Earliest and latest start on the scripted day, in hours UTC. */
  readonly hours?: readonly [from: number, until: number];
}

const CASTINGS: readonly Casting[] = [
  {
    part: 'weekly_google',
    members: [
      ['mentor', 'google'],
      ['mentee', 'google'],
    ],
    zones: EUROPE,
    hours: [8.5, 10],
  },
  {
    part: 'weekly_outlook',
    members: [
      ['mentor', 'microsoft'],
      ['mentee', 'microsoft'],
    ],
    zones: NEW_YORK,
    hours: [13.5, 14],
  },
  {
    part: 'google_to_outlook',
    members: [
      ['mentor', 'google'],
      ['mentee', 'microsoft'],
    ],
  },
  {
    part: 'outlook_to_google',
    members: [
      ['mentor', 'microsoft'],
      ['mentee', 'google'],
    ],
  },
  {
    part: 'circle',
    members: [
      ['mentor', 'microsoft'],
      ['mentee', 'microsoft'],
      ['mentee', 'microsoft'],
      ['mentee', 'google'],
    ],
  },
  {
    part: 'peers',
    members: [
      ['peer', 'google'],
      ['peer', 'google'],
    ],
  },
  // The mentor of one pair is the mentee of another.
  {
    part: 'in_person',
    members: [
      ['mentor', 'microsoft'],
      ['mentee', 'google', 'weekly_google.0'],
    ],
    zones: EUROPE,
    hours: [11.5, 14],
  },
  {
    part: 'moved',
    members: [
      ['mentor', 'google'],
      ['mentee', 'google'],
    ],
  },
  {
    part: 'no_show',
    members: [
      ['mentor', 'microsoft'],
      ['mentee', 'microsoft'],
    ],
  },
  {
    part: 'gone_quiet',
    members: [
      ['mentor', 'microsoft'],
      ['mentee', 'microsoft'],
    ],
    zones: EUROPE,
  },
  {
    part: 'quiet_before',
    members: [
      ['mentor', 'google'],
      ['mentee', 'google'],
    ],
  },
  {
    part: 'lost_sight',
    members: [
      ['mentor', 'microsoft'],
      ['mentee', 'none'],
    ],
  },
  {
    part: 'not_started',
    members: [
      ['mentor', 'microsoft'],
      ['mentee', 'google'],
    ],
    startsOn: -3,
  },
  {
    part: 'declined',
    members: [
      ['mentor', 'google'],
      ['mentee', 'google'],
    ],
  },
  {
    part: 'joint_one',
    members: [
      ['mentor', 'google'],
      ['mentee', 'google'],
    ],
  },
  {
    part: 'joint_two',
    members: [
      ['mentor', 'google', 'joint_one.0'],
      ['mentee', 'google'],
    ],
  },
];

/** Casts the story: people get names, addresses, zones, and each mentorship its hour. Same chance, same cast. */
export function castPeople(world: World, random: Random, day: DateTime): Cast {
  const given = shuffled(GIVEN_NAMES, random);
  const mentorships = new Map<Part, Mentorship>();
  for (const casting of CASTINGS) {
    const slot = pickSlot(random, day, casting);
    const members = casting.members.map(([role, provider, known]): Member => {
      if (known !== undefined) {
        const [part, index] = known.split('.') as [Part, string];
        const person = mentorships.get(part)?.members[Number(index)]?.person;
        if (person === undefined) throw new Error(`nobody plays ${known} yet`);
        return { person, role };
      }
      const name = `${given.pop() ?? 'Robin'} ${random.pick(FAMILY_NAMES)}`;
      return { person: addPerson(world, random, name, provider, zoneOf(random, slot.zone)), role };
    });
    mentorships.set(casting.part, {
      part: casting.part,
      name: nameOf(members),
      members,
      startsOn: casting.startsOn ?? -34,
      zone: slot.zone,
      time: slot.time,
    });
  }
  return { mentorships, coordinator: `mentoring.office@${DOMAINS.microsoft}` };
}

function addPerson(
  world: World,
  random: Random,
  name: string,
  provider: Person['provider'],
  zone: string,
): Person {
  const [first = '', family = ''] = name.toLowerCase().split(' ');
  const domain = DOMAINS[provider];
  return world.addPerson({
    name,
    address: `${first}.${family}@${domain}`,
    aliases: provider === 'none' ? [] : [`${first}@${domain}`],
    provider,
    zone,
    // Outlook mailboxes differ in how they show a meeting made at Google, Google's in how they write an Outlook id.
    foreignUid: provider === 'google' ? random.pick(['lower', 'upper']) : random.pick(['raw', 'wrapped']),
  });
}

/** Nobody is put where the reminder an hour ahead would fall into the night: the story counts every mail. */
function zoneOf(random: Random, pairZone: string): string {
  return pairZone === 'America/New_York' || random.below(3) > 0 ? pairZone : random.pick(ZONES);
}

function pickSlot(random: Random, day: DateTime, casting: Casting): { zone: string; time: string } {
  const [from, until] = casting.hours ?? [8.5, 14];
  const slots = (casting.zones ?? ZONES).flatMap((zone) =>
    Array.from({ length: 4 * 24 }, (_, quarter) => {
      const at = day.plus({ minutes: quarter * 15 }).setZone(zone);
      const utc = quarter / 4;
      const local = at.hour + at.minute / 60;
      const fits = utc >= from && utc <= until && local >= 8.5 && local <= 18;
      return fits ? [{ zone, time: at.toFormat('HH:mm') }] : [];
    }).flat(),
  );
  return random.pick(slots);
}

function nameOf(members: readonly Member[]): string {
  const names = members.map(({ person }) => person.name.split(' ')[0] ?? person.name);
  return members.length > 2 ? `${names[0]}'s circle` : names.join(' & ');
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const left = [...values];
  for (let index = left.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    [left[index], left[other]] = [left[other] as T, left[index] as T];
  }
  return left;
}
