import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { compileMail } from '../../src/delivery/compile-mail.ts';
import { loadMailRenderer } from '../../src/delivery/render-mail.ts';
import { ALERT_LEVELS, CADENCE_STATES } from '../../src/domain/cadence.ts';
import { isFailure } from '../../src/domain/failure.ts';
import {
  cadenceAlertMail,
  cadenceDigestMail,
  didYouMeetMail,
  MAIL_KINDS,
  messageId,
  reminderMail,
} from '../../src/domain/mail.ts';
import { locateProject } from '../../src/runtime/locate.ts';
import { bob, CADENCE_ALERT, CADENCE_DIGEST, DID_YOU_MEET, MODELS, REMINDER } from './mail-samples.ts';

const folder = join(locateProject().config, 'mail');
const renderer = loadMailRenderer(folder);
const MAIL_LANGUAGES = renderer.languages;
const every = MAIL_KINDS.flatMap((kind) => MAIL_LANGUAGES.map((language) => [kind, language] as const));

describe('the committed HTML', () => {
  it('is what its MJML source compiles to', async () => {
    expect(await compileMail(folder, true)).toEqual([]);
  });
});

describe('every mail in every language', () => {
  it('means English and German', () => {
    expect(renderer.languages).toEqual(['de', 'en']);
  });

  it.each(every)('%s in %s is whole, in one voice, and says the same in both parts', (kind, language) => {
    const model = MODELS[kind](language);
    const { subject, html, text } = renderer.render(model);
    expect(subject).not.toBe('');
    expect(subject.length).toBeLessThan(100);
    expect(html).toContain(`lang="${language}"`);
    for (const part of [subject, html, text]) expect(part).not.toMatch(/\{\{|undefined|\[object|null/);
    const links = (part: string) => new Set(part.match(/https:\/\/[\w./-]+/g));
    expect(links(text)).toEqual(new Set([...links(html)].filter((url) => !url.includes('w3.org'))));
    expect(text.split('\n').every((line) => line === '-- ' || line === line.trimEnd())).toBe(true);
    expect(html).not.toMatch(/<img|<script|http:\/\/(?!www\.w3\.org)|tracking/);
  });

  it.each(every)('%s in %s refuses to leave with a hole', (kind, language) => {
    const model = MODELS[kind](language);
    for (const key of Object.keys(model.data)) {
      const { [key]: _dropped, ...data } = model.data;
      const attempt = () => renderer.render({ ...model, data });
      expect(attempt, `${kind} without ${key}`).toThrow(/mail_incomplete/);
    }
  });

  it.each(MAIL_LANGUAGES)('%s has a word for every state and level', (language) => {
    for (const state of CADENCE_STATES) {
      for (const level of ALERT_LEVELS) {
        const items = CADENCE_DIGEST.items.slice(0, 1).map((item) => ({ ...item, state, level }));
        const recipient = { ...CADENCE_DIGEST.recipient, language };
        const { text } = renderer.render(cadenceDigestMail({ ...CADENCE_DIGEST, recipient, items }));
        expect(text).not.toMatch(new RegExp(`^ {2}(${state}|${level})($|;)`, 'm'));
      }
    }
  });

  it('falls back from a region to its language, and from an unknown language to English', () => {
    expect(renderer.render(MODELS.nudge('de-AT')).subject).toContain('steht noch nicht');
    expect(renderer.render(MODELS.nudge('pt-BR')).subject).toContain('not in the calendar');
  });

  it('tells a reason that it has no words for instead of staying silent', () => {
    const { text } = renderer.render(cadenceAlertMail({ ...CADENCE_ALERT, reasons: ['brand_new_reason'] }));
    expect(text).toContain('- brand new reason');
  });

  it('finds a new language by its file and refuses one that is not whole', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'cadenced-mail-'));
    try {
      await cp(folder, copy, { recursive: true });
      await cp(join(folder, 'messages.de.json'), join(copy, 'messages.nl.json'));
      expect(loadMailRenderer(copy).languages).toEqual(['de', 'en', 'nl']);
      const words = JSON.parse(await readFile(join(folder, 'messages.de.json'), 'utf8'));
      delete words.kinds.nudge.subject;
      delete words.words.state.due;
      await writeFile(join(copy, 'messages.nl.json'), JSON.stringify(words));
      expect(() => loadMailRenderer(copy)).toThrow(
        'messages.nl.json lacks kinds.nudge.subject, words.state.due',
      );
    } finally {
      await rm(copy, { recursive: true });
    }
  });

  it('names what was missing and never a value', () => {
    const model = MODELS.reminder('en');
    const { others: _dropped, ...data } = model.data;
    try {
      renderer.render({ ...model, data });
      expect.unreachable();
    } catch (error) {
      expect(isFailure(error, 'bug')).toBe(true);
      expect((error as Error).message).toBe('bug/mail_incomplete: reminder: others');
    }
  });
});

describe('a reminder', () => {
  it('tells day and time where the reader is', () => {
    const lima = renderer.render(
      reminderMail({ ...REMINDER, recipient: { ...bob, timeZone: 'America/Lima' } }),
    );
    expect(lima.text).toContain('Thursday, 26 November 2026, 09:00–10:00 (Peru Standard Time)');
    const us = { ...bob, timeZone: 'America/New_York', language: 'en-US' };
    const american = renderer.render(reminderMail({ ...REMINDER, recipient: us }));
    expect(american.text).toMatch(/Thursday, November 26, 2026, 9:00\s–\s10:00\sAM/);
  });

  it.each([
    ['2026-11-25T22:30:00Z', 'Europe/Berlin', 'Tomorrow you meet'],
    ['2026-11-25T23:30:00Z', 'Europe/Berlin', 'Today you meet'],
    ['2026-11-24T09:00:00Z', 'Europe/Berlin', 'You will meet'],
  ])('at %s in %s says "%s"', (now, timeZone, words) => {
    const recipient = { ...bob, timeZone };
    const { text } = renderer.render(
      reminderMail({ ...REMINDER, recipient, now: DateTime.fromISO(now, { zone: 'utc' }) }),
    );
    expect(text.startsWith(words)).toBe(true);
  });

  it('shows both days of a session over midnight', () => {
    const recipient = { ...bob, timeZone: 'Asia/Tokyo' };
    const { text } = renderer.render(
      reminderMail({ ...REMINDER, recipient, end: REMINDER.start.plus({ hours: 2 }) }),
    );
    expect(text).toMatch(/26.*23:00.*27.*01:00/);
  });

  it('of a private entry shows no title anywhere', () => {
    const { subject, html, text } = renderer.render(
      reminderMail({ ...REMINDER, title: 'Burnout, strictly private', isPrivate: true }),
    );
    expect(subject + html + text).not.toContain('Burnout');
    expect(text).toContain('https://meet.example/abc-defg-hij');
  });

  it('escapes what others wrote, and makes a button of web addresses only', () => {
    const { subject, html, text } = renderer.render(
      reminderMail({
        ...REMINDER,
        others: ['Eve\r\nBcc: all@example.org'],
        title: '<script>alert(1)</script> {{name}}',
        conferenceUrl: 'javascript:alert(1)',
      }),
    );
    expect(subject).not.toMatch(/[\r\n]/);
    expect(html).not.toContain('<script');
    expect(html).not.toContain('javascript:');
    expect(text).toContain('<script>alert(1)</script> {{name}}');
  });
});

describe('the digest', () => {
  it.each([
    [1, 'en', '1 mentorship needs a look'],
    [2, 'en', '2 mentorships need a look'],
    [1, 'de', '1 Mentorschaft braucht einen Blick'],
    [2, 'de', '2 Mentorschaften brauchen einen Blick'],
  ])('%i in %s', (count, language, words) => {
    const recipient = { ...CADENCE_DIGEST.recipient, language };
    const items = CADENCE_DIGEST.items.slice(0, count);
    expect(renderer.render(cadenceDigestMail({ ...CADENCE_DIGEST, recipient, items })).subject).toContain(
      words,
    );
  });

  it('is one mail a day', () => {
    const morning = cadenceDigestMail({ ...CADENCE_DIGEST, now: DateTime.fromISO('2026-11-25T06:00:00Z') });
    const evening = cadenceDigestMail({ ...CADENCE_DIGEST, now: DateTime.fromISO('2026-11-25T18:00:00Z') });
    const next = cadenceDigestMail({ ...CADENCE_DIGEST, now: DateTime.fromISO('2026-11-26T06:00:00Z') });
    expect(evening.messageKey).toEqual(morning.messageKey);
    expect(next.messageKey).not.toEqual(morning.messageKey);
  });
});

describe('the Message-ID', () => {
  it('is the same for the same mail and another for another person, offset, kind or new time', () => {
    const ids = [
      reminderMail(REMINDER),
      reminderMail({ ...REMINDER, recipient: { ...bob, participantId: '1' } }),
      reminderMail({ ...REMINDER, offset: 'PT1H' }),
      reminderMail({ ...REMINDER, revision: 1 }),
      didYouMeetMail(DID_YOU_MEET),
    ].map(({ messageKey }) => messageId(messageKey, 'example.org'));
    expect(ids[0]).toBe('<reminder.41.P1D.2@example.org>');
    expect(new Set(ids).size).toBe(ids.length);
    expect(messageId(reminderMail(REMINDER).messageKey, 'example.org')).toBe(ids[0]);
  });

  it('never makes one id of two keys, whatever the parts hold', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 });
    const key = fc.record({
      kind: fc.constantFrom(...MAIL_KINDS),
      subject: part,
      occasion: fc.oneof(part, fc.constantFrom('P1D', 'P1D-r1', 'P1D_r1')),
      person: part,
      revision: fc.nat({ max: 2 }),
    });
    fc.assert(
      fc.property(key, key, (one, other) => {
        const [first, second] = [messageId(one, 'example.org'), messageId(other, 'example.org')];
        expect(first).toMatch(/^<[A-Za-z0-9_.-]+@example\.org>$/);
        expect(first === second).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });
});
