import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { CloudEvent, HTTP } from 'cloudevents';
import { DateTime } from 'luxon';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { signedHeaders } from '../../src/delivery/webhook.ts';
import { writeWebhookSchemas } from '../../src/delivery/write-webhook-schemas.ts';
import {
  noticeMinutes,
  OUTBOUND_EVENT_TYPES,
  outboundEvent,
  schemaName,
  sessionPayload,
} from '../../src/domain/outbound.ts';
import { locateProject } from '../../src/runtime/locate.ts';
import { people, SAMPLES, sampleEvent, session } from './outbound-samples.ts';

const folder = join(locateProject().config, 'webhooks');
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

async function validator(type: (typeof OUTBOUND_EVENT_TYPES)[number]) {
  const schema = JSON.parse(await readFile(join(folder, schemaName(type)), 'utf8'));
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  ajv.addFormat('date-time', (text: string) => DateTime.fromISO(text).isValid);
  return ajv.compile(schema);
}

describe('the published schemas', () => {
  it('are what the code says', async () => {
    expect(await writeWebhookSchemas(folder, true)).toEqual([]);
  });

  it.each(OUTBOUND_EVENT_TYPES)(
    '%s.v1 accepts its event and misses every field it promises',
    async (type) => {
      const validate = await validator(type);
      const event = sampleEvent(type);
      expect(validate(event), JSON.stringify(validate.errors)).toBe(true);
      for (const field of Object.keys(event.data)) {
        const { [field as never]: _dropped, ...rest } = event.data;
        expect(validate({ ...event, data: rest }), `${type} without ${field}`).toBe(false);
      }
      expect(validate({ ...event, data: { ...event.data, added_later: 1 } })).toBe(true);
    },
  );
});

describe('the envelope', () => {
  it.each(OUTBOUND_EVENT_TYPES)('%s is a CloudEvent and a Standard Webhook at once', (type) => {
    const event = sampleEvent(type);
    expect(new CloudEvent<unknown>(event).validate()).toBe(true);
    const body = JSON.stringify(event);
    const read = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body });
    expect(read).toMatchObject({ id: event.id, type, subject: event.subject, sequence: '000000000007' });

    const headers = signedHeaders(
      { secrets: [SECRET], contentType: 'application/cloudevents+json' },
      { id: event.id, body },
      DateTime.utc(),
    );
    expect(new Webhook(SECRET).verify(body, headers)).toEqual(event);
    expect(Buffer.byteLength(body)).toBeLessThan(20_000);
  });

  it('writes instants in UTC and names the subject by what the fact is about', () => {
    expect(sampleEvent('session.judged')).toMatchObject({
      time: '2026-11-21T18:15:00.250Z',
      timestamp: '2026-11-21T18:15:00.250Z',
      subject: 'session/41',
    });
    expect(session.scheduled_start).toBe('2026-11-26T14:00:00.000Z');
    expect(sampleEvent('cadence.violated').subject).toBe('mentorship/oak/ada-bob');
    expect(sampleEvent('stage.reached').subject).toBe('mentorship/oak/ada-bob');
    expect(sampleEvent('calendar.disconnected').subject).toBe('calendar/5');
  });

  it.each([
    ['an id with a dot, which would blur what is signed', { id: 'a.b' }],
    ['a sequence of zero', { sequence: 0 }],
    ['an instant that does not exist', { occurredAt: DateTime.fromISO('2026-02-30') }],
  ])('refuses %s', (_name, change) => {
    const stamp = {
      id: 'evt_1',
      source: 'urn:cadenced',
      occurredAt: DateTime.utc(2026),
      sequence: 1,
      ...change,
    };
    expect(() => outboundEvent('session.scheduled', SAMPLES['session.scheduled'], stamp)).toThrow(RangeError);
  });
});

describe('privacy', () => {
  it('a private entry leaves without its title, and people without anything else a row may carry', () => {
    const rows = people.map((person) => ({ ...person, name: 'Ada', comment: 'ill' }));
    const payload = sessionPayload({
      sessionId: '1',
      occurrenceId: '1',
      program: 'oak',
      mentorship: 'm',
      scheduledStart: DateTime.utc(2026),
      scheduledEnd: DateTime.utc(2026),
      title: 'About my illness',
      isPrivate: true,
      people: rows,
    });
    expect(payload.title).toBeNull();
    expect(JSON.stringify(payload)).not.toMatch(/illness|Ada|ill"/);
  });

  it('counts the notice of a cancellation from the scheduled start', () => {
    const start = DateTime.utc(2026, 11, 26, 14);
    expect(noticeMinutes(start.minus({ hours: 2 }), start)).toBe(120);
    expect(noticeMinutes(start.plus({ minutes: 3 }), start)).toBe(-3);
    expect(Object.is(noticeMinutes(start, start), 0)).toBe(true);
  });
});
