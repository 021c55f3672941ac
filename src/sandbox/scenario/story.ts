import { respond } from '../world/answers.ts';
import { cancelOccurrence, createMeeting } from '../world/meetings.ts';
import { setPersonState } from '../world/people.ts';
import { moveMeeting, splitSeries } from '../world/schedule.ts';
import type { Person } from '../world/types.ts';
import type { Cast, Mentorship, Part } from './cast.ts';
import { type Booked, type Chronicle, meetingOf } from './chronicle.ts';
import { book, occurrenceOn } from './timetable.ts';

/** Writes the whole story down, mentorship by mentorship. README.md tells the same in plain words. */
export function tell(chronicle: Chronicle, cast: Cast): void {
  const part = (name: Part): Mentorship => {
    const mentorship = cast.mentorships.get(name);
    if (mentorship === undefined) throw new Error(`nobody plays ${name}`);
    return mentorship;
  };
  weeklyPairs(chronicle, part('weekly_google'), part('weekly_outlook'));
  mixedPairs(chronicle, part('google_to_outlook'), part('outlook_to_google'));
  circle(chronicle, part('circle'));
  peers(chronicle, part('peers'));
  inPerson(chronicle, part('in_person'));
  moved(chronicle, part('moved'));
  noShow(chronicle, part('no_show'));
  quietPairs(chronicle, part('gone_quiet'), part('quiet_before'));
  lostSight(chronicle, part('lost_sight'));
  newcomers(chronicle, part('not_started'));
  declined(chronicle, part('declined'));
  jointMeeting(chronicle, part('joint_one'), part('joint_two'));
  everydayLife(chronicle, part);
}

/** Two pairs who meet every week: one series is split on the scripted day, of the other one occurrence is called off. */
function weeklyPairs(chronicle: Chronicle, google: Mentorship, outlook: Mentorship): void {
  const { timetable } = chronicle;
  // More than thirty days ago: Meet has forgotten the call, whoever was in it.
  const kickOff = chronicle.book(google, { title: 'Kick-off #mentoring', conference: 'meet', first: -33 });
  chronicle.course(kickOff, -33, { outcome: 'unknown', reason: 'expired' });

  const weekly = chronicle.book(google, {
    title: `${google.name} #mentoring`,
    conference: 'meet',
    first: -28,
    series: { weeks: 1, count: 8 },
  });
  for (const day of [-28, -21, -14, -7]) chronicle.course(weekly, day, { outcome: 'held' });
  const later = laterTime(google.time, 2);
  chronicle.step(
    timetable.at(0, 6.75),
    `${google.name} move all meetings from next week on to ${later}.`,
    (world) => {
      const meeting = meetingOf(weekly);
      const { slot } = occurrenceOn(world, timetable, meeting, 7);
      splitSeries(world, { meeting: meeting.id, slot, time: later });
    },
  );
  chronicle.course(weekly, 0, { outcome: 'held', title: `${google.name} have met in Google Meet.` });
  for (const day of [7, 14, 21]) chronicle.ahead(weekly, day, { time: later, reschedules: 1 });

  const teams = chronicle.book(outlook, {
    title: `#mentoring ${outlook.name}`,
    conference: 'teams',
    first: -27,
    series: { weeks: 1, count: 8 },
  });
  for (const day of [-27, -20, -13, -6]) chronicle.course(teams, day, { outcome: 'held' });
  chronicle.step(
    timetable.at(0, 6.5),
    `${firstName(outlook, 0)} calls off the session of next week.`,
    (world) => {
      const meeting = meetingOf(teams);
      cancelOccurrence(world, { meeting: meeting.id, slot: occurrenceOn(world, timetable, meeting, 8).slot });
    },
  );
  chronicle.course(teams, 1, { outcome: 'held', title: `${outlook.name} have met in Teams.` });
  chronicle.ahead(teams, 8, { cancelled: true });
  for (const day of [15, 22]) chronicle.ahead(teams, day);
}

/** Across the providers a guest is a typed name and proves nothing, unless the address was confirmed. */
function mixedPairs(chronicle: Chronicle, atGoogle: Mentorship, atOutlook: Mentorship): void {
  const meet = chronicle.book(atGoogle, {
    title: `${atGoogle.name} [mentoring]`,
    body: '<p>Our fortnightly hour.</p>',
    conference: 'meet',
    first: -21,
    series: { weeks: 2, count: 5 },
  });
  for (const day of [-21, -7]) chronicle.course(meet, day, { outcome: 'unknown', reason: 'guest_only' });
  for (const day of [7, 21, 35]) chronicle.ahead(meet, day);

  const teams = chronicle.book(atOutlook, {
    title: `${atOutlook.name}: how things go`,
    body: '<p>What went well &amp; what did not</p><p>#mentoring</p>',
    conference: 'teams',
    first: -19,
    series: { weeks: 2, count: 4 },
  });
  for (const day of [-19, -5]) chronicle.course(teams, day, { outcome: 'held' });
  for (const day of [9, 23]) chronicle.ahead(teams, day);
}

/** One mentor, three mentees; the third is invited by an alias and known to Teams as a guest only. */
function circle(chronicle: Chronicle, group: Mentorship): void {
  const [, ...mentees] = group.members.map(({ person }) => person);
  const guests = mentees.map((person, index) => person.addresses[index === 2 ? 1 : 0] ?? person.id);
  const series = chronicle.book(group, {
    title: `${group.name} #mentoring`,
    conference: 'teams',
    first: -26,
    series: { weeks: 2, count: 4 },
    guests,
  });
  chronicle.course(series, -26, {
    outcome: 'held',
    come: [
      [0, 0, 45],
      [1, 0, 40],
      [2, 5, 45],
      [3, 3, 45],
    ],
  });
  chronicle.course(series, -12, {
    outcome: 'held',
    come: [
      [0, 0, 45],
      [1, 2, 45],
    ],
  });
  chronicle.course(series, 2, {
    outcome: 'held',
    come: [
      [0, 0, 45],
      [1, 0, 45],
      [2, 0, 45],
      [3, 1, 45],
    ],
    title: `${group.name} has met, all four of them.`,
  });
  chronicle.ahead(series, 16);
}

/** Two colleagues who mentor each other book as they go. */
function peers(chronicle: Chronicle, pair: Mentorship): void {
  for (const day of [-15, -8]) {
    const single = chronicle.book(
      pair,
      { title: 'Swap notes #mentoring', conference: 'meet', first: day },
      { silent: true },
    );
    chronicle.course(single, day, { outcome: 'held' });
  }
  chronicle.step(chronicle.timetable.at(0, 6), `${pair.name} book their next session.`, (world) => {
    book(world, chronicle.timetable, pair, { title: 'Swap notes #mentoring', conference: 'meet', first: 13 });
  });
  chronicle.ahead({ mentorships: [pair] }, 13);
}

/** They meet in the library: no record will ever tell. */
function inPerson(chronicle: Chronicle, pair: Mentorship): void {
  const series = chronicle.book(pair, {
    title: `${pair.name} #mentoring`,
    location: 'Library, second floor',
    conference: null,
    first: -14,
    series: { weeks: 2, count: 3 },
  });
  const unseen = { outcome: 'unknown', reason: 'in_person', unrecorded: true } as const;
  chronicle.course(series, -14, unseen);
  chronicle.course(series, 0, {
    ...unseen,
    title: `${pair.name} have met in the library; no record can tell.`,
  });
  chronicle.ahead(series, 14);
}

/** Tomorrow's meeting becomes one of the day after: the same session, another day. */
function moved(chronicle: Chronicle, pair: Mentorship): void {
  const { timetable } = chronicle;
  for (const day of [-27, -13]) {
    const single = chronicle.book(pair, { title: `${pair.name} #mentoring`, conference: 'meet', first: day });
    chronicle.course(single, day, { outcome: 'held' });
  }
  const next = chronicle.book(pair, { title: `${pair.name} #mentoring`, conference: 'meet', first: 1 });
  chronicle.step(timetable.at(0, 6.25), `${pair.name} move tomorrow's session by a day.`, (world) => {
    moveMeeting(world, { meeting: meetingOf(next).id, start: timetable.local(pair, 2) });
  });
  chronicle.course(next, 2, {
    outcome: 'held',
    reschedules: 1,
    title: `${pair.name} have met, a day later than booked first.`,
  });
}

/** Tagged by a category on the mentor's copy alone. On the scripted day only the mentor comes. */
function noShow(chronicle: Chronicle, pair: Mentorship): void {
  const series = chronicle.book(
    pair,
    { title: `Catch-up ${pair.name}`, conference: 'teams', first: -28, series: { weeks: 2, count: 4 } },
    { category: 'Mentoring' },
  );
  chronicle.course(series, -28, {
    outcome: 'too_short',
    come: [
      [0, 0, 20],
      [1, 17, 20],
    ],
  });
  chronicle.course(series, -14, { outcome: 'held' });
  chronicle.course(series, 0, {
    outcome: 'one_sided',
    come: [[0, 0, 15]],
    title: `${firstName(pair, 0)} has waited fifteen minutes for ${firstName(pair, 1)}.`,
  });
  chronicle.ahead(series, 14);
}

/** One pair falls silent while the daemon watches; another had fallen silent before it came. */
function quietPairs(chronicle: Chronicle, now: Mentorship, before: Mentorship): void {
  for (const day of [-27, -20]) {
    const single = chronicle.book(now, { title: `${now.name} #mentoring`, conference: 'teams', first: day });
    chronicle.course(single, day, { outcome: 'held' });
  }
  const last = chronicle.book(before, { title: `${before.name} #Mentoring`, conference: 'meet', first: -26 });
  chronicle.course(last, -26, { outcome: 'held' });
}

/** The mentee has no calendar here, and the mentor's is closed to the daemon on the scripted day. */
function lostSight(chronicle: Chronicle, pair: Mentorship): void {
  for (const day of [-27, -13]) {
    const single = chronicle.book(pair, {
      title: `${pair.name} #mentoring`,
      conference: 'teams',
      first: day,
    });
    chronicle.course(single, day, { outcome: 'held' });
  }
  chronicle.ahead(
    chronicle.book(pair, { title: `${pair.name} #mentoring`, conference: 'teams', first: 8 }),
    8,
  );
  const mentor = person(pair, 0);
  chronicle.step(
    chronicle.timetable.at(0, 7),
    `The calendar of ${mentor.name} is closed to the application.`,
    (world) => setPersonState(world, { person: mentor.id, state: 'forbidden' }),
  );
}

/** Matched three days ago; their first session is booked. */
function newcomers(chronicle: Chronicle, pair: Mentorship): void {
  chronicle.ahead(
    chronicle.book(pair, { title: 'Getting to know each other #mentoring', conference: 'teams', first: 6 }),
    6,
  );
}

/** The mentee declines one session of a series in time, and nobody comes. */
function declined(chronicle: Chronicle, pair: Mentorship): void {
  const { timetable } = chronicle;
  const series = chronicle.book(pair, {
    title: `${pair.name} #mentoring`,
    conference: 'meet',
    first: -20,
    series: { weeks: 1, count: 6 },
  });
  for (const day of [-20, -13, -6]) chronicle.course(series, day, { outcome: 'held' });
  const mentee = person(pair, 1);
  chronicle.step(
    timetable.at(0, 5.75),
    `${mentee.name} declines tomorrow's session with ${firstName(pair, 0)}.`,
    (world) => {
      const meeting = meetingOf(series);
      const { slot } = occurrenceOn(world, timetable, meeting, 1);
      respond(world, { meeting: meeting.id, slot, person: mentee.id, response: 'declined' });
    },
  );
  chronicle.course(series, 1, {
    outcome: 'cancelled',
    reason: 'declined_by_mentee',
    come: [],
    title: `The time of the session that ${firstName(pair, 1)} declined has passed; nobody came.`,
  });
  for (const day of [8, 15]) chronicle.ahead(series, day);
}

/** One meeting of a mentor with two mentees of two mentorships: one occurrence, two sessions. */
function jointMeeting(chronicle: Chronicle, one: Mentorship, other: Mentorship): void {
  const guests = [person(one, 1), person(other, 1)].map(({ addresses, id }) => addresses[0] ?? id);
  const hold = (first: number): Booked =>
    chronicle.book(
      one,
      { title: 'Together #mentoring', conference: 'meet', first, guests },
      { others: [other] },
    );
  chronicle.course(hold(-12), -12, { outcome: 'held' });
  chronicle.ahead(hold(9), 9);
}

/** What else is in calendars: none of it may become a session, and one tagged meeting belongs to nobody. */
function everydayLife(chronicle: Chronicle, part: (name: Part) => Mentorship): void {
  const { timetable } = chronicle;
  const host = person(part('weekly_google'), 0);
  const lead = person(part('circle'), 0);
  chronicle.past(-30, 8, (world) => {
    createMeeting(world, {
      organizer: lead.id,
      guests: [host.addresses[0] ?? '', person(part('circle'), 1).addresses[0] ?? ''],
      title: 'Stand-up',
      start: `${timetable.date(-28)}T09:00`,
      minutes: 15,
      rule: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH;COUNT=40',
      conference: 'teams',
    });
    createMeeting(world, {
      organizer: person(part('declined'), 0).id,
      title: 'Dentist',
      start: `${timetable.date(1)}T08:00`,
      minutes: 60,
      visibility: 'private',
    });
    createMeeting(world, {
      organizer: person(part('gone_quiet'), 0).id,
      title: 'Away',
      start: timetable.date(9),
      allDay: true,
    });
    createMeeting(world, {
      organizer: person(part('google_to_outlook'), 0).id,
      guests: ['visitor@elsewhere.example'],
      title: 'A talk about #mentoring',
      start: `${timetable.date(1)}T12:00`,
      minutes: 60,
      zone: 'UTC',
      conference: 'meet',
    });
  });
}

function person(mentorship: Mentorship, index: number): Person {
  const member = mentorship.members[index];
  if (member === undefined) throw new Error(`${mentorship.name} has no member ${index}`);
  return member.person;
}

function firstName(mentorship: Mentorship, index: number): string {
  return person(mentorship, index).name.split(' ')[0] ?? '';
}

function laterTime(time: string, hours: number): string {
  const [hour = '0', minute = '00'] = time.split(':');
  return `${String(Number(hour) + hours).padStart(2, '0')}:${minute}`;
}
