import { z } from 'zod';
import { ALERT_KINDS, ALERT_LEVELS, CADENCE_STATES } from '../domain/cadence.ts';
import { CALENDAR_STATES } from '../domain/calendar-state.ts';
import { RSVPS } from '../domain/observation.ts';
import { CANCELLERS } from '../domain/occurrence.ts';
import {
  OUTBOUND_EVENT_TYPES,
  type OutboundData,
  type OutboundEventType,
  schemaUri,
} from '../domain/outbound.ts';
import { ROLES } from '../domain/roster.ts';
import { ATTENDANCE_STATUSES, EVIDENCE_TIERS, OUTCOMES } from '../domain/verdict.ts';

/**
 * The published shape of every outbound event. It describes what we send, not what a receiver must reject:
 * objects stay open, because a field added to a `.v1` must not break anybody who validates.
 */
const text = z.string().min(1);
const instant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  .meta({ format: 'date-time', description: 'RFC 3339, in UTC' });
const reason = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/)
  .describe('A reason code. New codes may appear; treat an unknown one as one more reason.');

const person = z.looseObject({ participant_id: text, role: z.enum(ROLES), address: text });

const session = z.looseObject({
  session_id: text.describe('Never changes, however often the meeting moves'),
  occurrence_id: text.describe('Shared by the sessions of one meeting that serves several mentorships'),
  program: text,
  mentorship: text,
  scheduled_start: instant,
  scheduled_end: instant,
  title: z.string().nullable().describe('null when the calendar entry is private or has no title'),
  people: z.array(person),
});

const attendance = z.array(
  person.extend({
    status: z.enum(ATTENDANCE_STATUSES),
    rsvp: z.enum(RSVPS),
    minutes: z.number().nonnegative().nullable(),
    joined_at: instant.nullable(),
    left_at: instant.nullable(),
    evidence_tier: z.enum(EVIDENCE_TIERS),
  }),
);

const verdict = z.looseObject({ outcome: z.enum(OUTCOMES), outcome_reason: reason.nullable() });

const cadence = z.looseObject({
  program: text,
  mentorship: text,
  people: z.array(person),
  state: z.enum(CADENCE_STATES),
  due_at: instant.nullable(),
  last_held_at: instant.nullable(),
  next_session_at: instant.nullable(),
  at_risk: z.boolean(),
  reasons: z.array(reason),
  unverified_since: instant.nullable().describe('Since when only sessions that nobody could verify carry it'),
});

const alert = { alert_id: text, kind: z.enum(ALERT_KINDS), level: z.enum(ALERT_LEVELS), opened_at: instant };

const calendar = z.looseObject({
  calendar: text,
  owner: text.describe('Address of the owner'),
  provider: z.enum(['google', 'microsoft']),
  state: z.enum(CALENDAR_STATES),
});

const DATA: { readonly [K in OutboundEventType]: z.ZodType<OutboundData[K]> } = {
  'session.scheduled': session.extend({ plan_id: text.nullable(), reference: text.nullable() }),
  'session.rescheduled': session.extend({
    previous_start: instant,
    previous_end: instant,
    reschedules: z.int().positive(),
  }),
  'session.cancelled': session.extend({
    cancel_reason: reason,
    cancelled_at: instant,
    cancelled_by: z.enum(CANCELLERS).nullable(),
    notice_minutes: z.int().describe('Minutes before the scheduled start; negative when it came later'),
  }),
  'session.judged': session.extend({
    ...verdict.shape,
    ordinal: z.int().positive().nullable().describe('Which held session of its mentorship this is'),
    stage: text.nullable(),
    settled_at: instant,
    attendance,
  }),
  'attendance.changed': session.extend({
    ...verdict.shape,
    previous: verdict,
    because: text,
    decided_at: instant,
    attendance,
  }),
  'cadence.at_risk': cadence.extend(alert),
  'cadence.violated': cadence.extend(alert),
  'cadence.resolved': cadence.extend({ ...alert, resolved_at: instant }),
  'stage.reached': z.looseObject({
    program: text,
    mentorship: text,
    people: z.array(person),
    stage: text,
    ordinal: z.int().positive(),
    session_id: text,
    reached_at: instant,
  }),
  'calendar.disconnected': calendar.extend({
    reason,
    since: instant,
    last_complete_pass_at: instant.nullable(),
  }),
  'calendar.reconnected': calendar.extend({ disconnected_at: instant, reconnected_at: instant }),
};

/** The JSON Schema (draft 2020-12) of each event type, envelope included, as `config/webhooks/` holds them. */
export function outboundSchemas(): ReadonlyMap<OutboundEventType, Record<string, unknown>> {
  return new Map(
    OUTBOUND_EVENT_TYPES.map((type) => {
      const event = z.looseObject({
        specversion: z.literal('1.0'),
        id: z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,128}$/)
          .describe('The same over every retry and replay'),
        source: text,
        type: z.literal(type),
        time: instant.describe('When the fact became known, in UTC'),
        timestamp: instant.describe('Equal to time; the name that Standard Webhooks uses'),
        subject: text,
        sequence: z
          .string()
          .regex(/^\d{12,}$/)
          .describe('Orders the events of one subject, as text'),
        datacontenttype: z.literal('application/json'),
        dataschema: z.literal(schemaUri(type)),
        data: DATA[type],
      });
      const { $schema, ...rest } = z.toJSONSchema(event, { target: 'draft-2020-12' }) as Record<
        string,
        unknown
      >;
      return [type, { $schema, $id: schemaUri(type), title: `${type}.v1`, ...rest }];
    }),
  );
}
