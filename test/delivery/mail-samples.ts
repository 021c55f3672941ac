import { DateTime } from 'luxon';
import {
  type CadenceAlertInput,
  type CadenceDigestInput,
  cadenceAlertMail,
  cadenceDigestMail,
  type DidYouMeetInput,
  didYouMeetMail,
  type MailKind,
  type MailModel,
  type NudgeInput,
  nudgeMail,
  type Recipient,
  type ReminderInput,
  reminderMail,
} from '../../src/domain/mail.ts';

export const bob: Recipient = {
  participantId: '2',
  name: 'Bob Okafor',
  address: 'bob@mentees.example',
  timeZone: 'Europe/Berlin',
  language: 'en',
};
const now = DateTime.fromISO('2026-11-25T13:00:00Z', { zone: 'utc' });
const start = DateTime.fromISO('2026-11-26T14:00:00Z', { zone: 'utc' });
const common = {
  recipient: bob,
  program: 'Oak & Acorn Mentoring',
  unsubscribeUrl: 'https://cadenced.example/u/4fJw2T',
  now,
};
const slot = { start, end: start.plus({ hours: 1 }), others: ['Ada Lindqvist'] };

export const REMINDER: ReminderInput = {
  ...common,
  ...slot,
  sessionId: '41',
  offset: 'P1D',
  revision: 0,
  title: 'Mentoring: presenting to a large room',
  isPrivate: false,
  conferenceUrl: 'https://meet.example/abc-defg-hij',
  ordinal: 4,
  stage: 'Growing',
  talkingPoints: [
    'What went differently than you expected since you last met?',
    'Which decision are you putting off, and what would make it easier?',
    'One person Bob should meet before the spring.',
  ],
};
export const NUDGE: NudgeInput = { ...common, ...slot, planId: '8', tag: '#mentoring', reference: null };
export const DID_YOU_MEET: DidYouMeetInput = {
  ...common,
  ...slot,
  now: start.plus({ hours: 4 }),
  sessionId: '41',
  revision: 0,
  answerUrl: 'https://cadenced.example/a/9cQxT7',
};
export const CADENCE_ALERT: CadenceAlertInput = {
  ...common,
  others: slot.others,
  alertId: '9',
  level: 'pair',
  reasons: ['overdue', 'nothing_booked'],
  lastHeld: now.minus({ days: 24 }),
  due: now.minus({ days: 3 }),
  tag: '#mentoring',
  answerUrl: 'https://cadenced.example/a/9cQxT7',
  coordinator: 'carla@oak.example',
};
export const CADENCE_DIGEST: CadenceDigestInput = {
  ...common,
  recipient: { ...bob, participantId: 'coordinator', name: null, address: 'carla@oak.example' },
  unsubscribeUrl: null,
  resolved: 2,
  unreadableCalendars: 1,
  items: [
    {
      people: ['Ada Lindqvist', 'Bob Okafor'],
      state: 'overdue',
      level: 'coordinator',
      reasons: ['nothing_booked'],
      lastHeld: now.minus({ days: 24 }),
      nextSession: null,
    },
    {
      people: ['Maximiliane Freifrau von Oberndorff-Lichtenberg', 'Ngozi Adeyemi'],
      state: 'lapsed',
      level: 'escalation',
      reasons: ['never_met', 'moved_often'],
      lastHeld: null,
      nextSession: now.plus({ days: 9 }),
    },
  ],
};

export const MODELS: Readonly<Record<MailKind, (language: string) => MailModel>> = {
  reminder: (language) => reminderMail({ ...REMINDER, recipient: { ...bob, language } }),
  nudge: (language) => nudgeMail({ ...NUDGE, recipient: { ...bob, language } }),
  did_you_meet: (language) => didYouMeetMail({ ...DID_YOU_MEET, recipient: { ...bob, language } }),
  cadence_alert: (language) => cadenceAlertMail({ ...CADENCE_ALERT, recipient: { ...bob, language } }),
  cadence_digest: (language) =>
    cadenceDigestMail({ ...CADENCE_DIGEST, recipient: { ...CADENCE_DIGEST.recipient, language } }),
};
