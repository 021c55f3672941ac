import { DateTime } from 'luxon';
import {
  type OutboundData,
  type OutboundEvent,
  type OutboundEventType,
  outboundEvent,
  sessionPayload,
} from '../../src/domain/outbound.ts';

export const people = [
  { participant_id: '1', role: 'mentor', address: 'ada@mentors.example' },
  { participant_id: '2', role: 'mentee', address: 'bob@mentees.example' },
] as const;

export const session = sessionPayload({
  sessionId: '41',
  occurrenceId: '17',
  program: 'oak',
  mentorship: 'ada-bob',
  scheduledStart: DateTime.fromISO('2026-11-26T15:00:00+01:00', { setZone: true }),
  scheduledEnd: DateTime.fromISO('2026-11-26T16:00:00+01:00', { setZone: true }),
  title: '#mentoring Ada and Bob',
  isPrivate: false,
  people,
});

const at = '2026-11-21T18:15:00.000Z';
const verdict = { outcome: 'held', outcome_reason: null } as const;
const attendance = people.map((person) => ({
  ...person,
  status: 'attended' as const,
  rsvp: 'accepted' as const,
  minutes: 52.5,
  joined_at: at,
  left_at: at,
  evidence_tier: 'conference_both' as const,
}));
const cadence = {
  program: 'oak',
  mentorship: 'ada-bob',
  people,
  state: 'overdue',
  due_at: at,
  last_held_at: null,
  next_session_at: null,
  at_risk: true,
  reasons: ['nothing_booked'],
  unverified_since: null,
} as const;
const alert = { alert_id: '9', kind: 'violated', level: 'pair', opened_at: at } as const;
const calendar = { calendar: '5', owner: 'ada@mentors.example', provider: 'google' } as const;

/** One complete fact for each type. */
export const SAMPLES: OutboundData = {
  'session.scheduled': { ...session, plan_id: null, reference: 'crm-77' },
  'session.rescheduled': { ...session, previous_start: at, previous_end: at, reschedules: 2 },
  'session.cancelled': {
    ...session,
    cancel_reason: 'deleted',
    cancelled_at: at,
    cancelled_by: 'mentee',
    notice_minutes: -15,
  },
  'session.judged': { ...session, ...verdict, ordinal: 4, stage: 'grow', settled_at: at, attendance },
  'attendance.changed': {
    ...session,
    ...verdict,
    previous: { outcome: 'unknown', outcome_reason: 'no_record' },
    because: 'correction',
    decided_at: at,
    attendance,
  },
  'cadence.at_risk': { ...cadence, ...alert, kind: 'at_risk' },
  'cadence.violated': { ...cadence, ...alert },
  'cadence.resolved': { ...cadence, ...alert, resolved_at: at },
  'stage.reached': {
    program: 'oak',
    mentorship: 'ada-bob',
    people,
    stage: 'grow',
    ordinal: 4,
    session_id: '41',
    reached_at: at,
  },
  'calendar.disconnected': {
    ...calendar,
    state: 'denied',
    reason: 'mailbox_denied',
    since: at,
    last_complete_pass_at: null,
  },
  'calendar.reconnected': { ...calendar, state: 'active', disconnected_at: at, reconnected_at: at },
};

export function sampleEvent(type: OutboundEventType): OutboundEvent {
  return outboundEvent(type, SAMPLES[type], {
    id: 'evt_01JD',
    source: 'urn:cadenced',
    occurredAt: DateTime.fromISO('2026-11-21T19:15:00.250+01:00'),
    sequence: 7,
  });
}
