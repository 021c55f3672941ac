import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  completedFrom,
  isThin,
  readChange,
  readCopy,
  readListing,
} from '../../src/providers/microsoft/reading.ts';
import { ianaZone, instantOf } from '../../src/providers/microsoft/time.ts';
import { type WireEvent, wireEvent } from '../../src/providers/microsoft/wire.ts';

const OWNER = 'ada@south.example';
const GOID = '040000008200E00074C5B7101A82E008';
const TAIL = '719619244E7FD601000000000000000010000000CBDB268AA82E7E42A93F230F9F550B02';
const SERIES_UID = `${GOID}00000000${TAIL}`;

const at = (dateTime: string, timeZone = 'UTC') => ({ dateTime, timeZone });
const person = (address: string, response = 'none', type = 'required') => ({
  type,
  status: { response, time: '0001-01-01T00:00:00Z' },
  emailAddress: { name: 'Somebody', address },
});

function row(fields: Record<string, unknown> = {}): WireEvent {
  return wireEvent.parse({
    id: 'AAMk1',
    '@odata.etag': 'W/"1"',
    type: 'singleInstance',
    seriesMasterId: null,
    iCalUId: SERIES_UID,
    subject: 'Session #mentoring',
    body: { contentType: 'text', content: 'Talk' },
    categories: [],
    start: at('2026-11-24T10:00:00.0000000'),
    end: at('2026-11-24T11:00:00.0000000'),
    originalStartTimeZone: 'W. Europe Standard Time',
    isAllDay: false,
    isCancelled: false,
    isOrganizer: false,
    organizer: { emailAddress: { name: 'Bo', address: 'Bo@South.example' } },
    attendees: [person('Ada@South.example', 'accepted')],
    responseStatus: { response: 'accepted', time: '2026-11-01T00:00:00Z' },
    sensitivity: 'normal',
    lastModifiedDateTime: '2026-11-20T08:00:00.1234567Z',
    ...fields,
  });
}

function copy(fields: Record<string, unknown> = {}) {
  const read = readCopy(row(fields), OWNER);
  if (typeof read === 'string') throw new Error(read);
  return read;
}

describe('times', () => {
  it('read seven digits without an offset as UTC, whatever the zone of the process', () => {
    const before = process.env.TZ;
    process.env.TZ = 'America/New_York';
    try {
      expect(copy().start).toBe(Date.UTC(2026, 10, 24, 10));
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });

  it('read any other zone the answer names', () => {
    expect(instantOf(at('2026-07-01T09:00:00.0000000', 'W. Europe Standard Time'))).toBe(
      Date.UTC(2026, 6, 1, 7),
    );
    expect(instantOf(at('2026-07-01T09:00:00.0000000', 'Australia/Sydney'))).toBe(Date.UTC(2026, 5, 30, 23));
    expect(instantOf(at('2026-07-01T09:00:00.0000000', 'tzone://Microsoft/Custom'))).toBeNull();
  });

  it('agree with UTC for every instant Graph can write', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) }), (instant) => {
        const dateTime = `${new Date(instant).toISOString().slice(0, 23)}0000`;
        return instantOf(at(dateTime)) === instant;
      }),
    );
  });

  it.each([
    ['W. Europe Standard Time', 'Europe/Berlin'],
    ['Europe/Berlin', 'Europe/Berlin'],
    ['tzone://Microsoft/Utc', 'UTC'],
    ['UTC', 'UTC'],
    ['FLE Standard Time', 'Europe/Kyiv'],
    ['India Standard Time', 'Asia/Kolkata'],
    ['Kamchatka Standard Time', 'Asia/Kamchatka'],
    ['Mid-Atlantic Standard Time', 'Etc/GMT+2'],
    ['tzone://Microsoft/Custom', null],
    ['Customized Time Zone', null],
    ['', null],
    [null, null],
  ])('know the zone %s', (name, zone) => {
    expect(ianaZone(name)).toBe(zone);
  });

  it('leave out dates beyond any calendar, and count them apart from what cannot be read', () => {
    expect(readChange(row({ start: at('0001-01-01T00:00:00'), end: at('0001-01-02T00:00:00') }), OWNER)).toBe(
      'date_out_of_range',
    );
    expect(readChange(row({ end: at('2026-11-24T09:00:00') }), OWNER)).toBe('malformed');
    expect(readChange(row({ start: null }), OWNER)).toBe('malformed');
    expect(readChange({ type: 'singleInstance' }, OWNER)).toBe('malformed');
  });
});

describe('an instance of a series', () => {
  const instance = (fields: Record<string, unknown> = {}) =>
    copy({
      type: 'occurrence',
      seriesMasterId: 'AAMkMaster',
      originalStart: '2026-11-24T10:00:00Z',
      iCalUId: `${GOID}07EA0B18${TAIL}`,
      ...fields,
    });

  it('shares its lineage with the series and has the date in its UID as its original date', () => {
    expect(instance()).toMatchObject({
      lineage: SERIES_UID,
      seriesId: 'AAMkMaster',
      originalDate: '2026-11-24',
      originalStart: Date.UTC(2026, 10, 24, 10),
      timeZone: 'Europe/Berlin',
    });
  });

  it('takes the date from its original start in the zone of the series where the UID has none', () => {
    const late = { iCalUId: 'x@google.com', originalStartTimeZone: 'Tokyo Standard Time' };
    expect(instance({ ...late, originalStart: '2026-11-24T20:00:00Z' }).originalDate).toBe('2026-11-25');
    const twin = instance({ ...late, originalStart: '2026-11-24T15:00:00-05:00' });
    expect(twin).toMatchObject({ originalDate: '2026-11-25', originalStart: Date.UTC(2026, 10, 24, 20) });
  });

  it('takes the date from its start where nothing else is known', () => {
    const bare = { iCalUId: null, originalStart: null, originalStartTimeZone: 'tzone://Microsoft/Custom' };
    expect(instance(bare)).toMatchObject({
      originalDate: '2026-11-24',
      originalStart: Date.UTC(2026, 10, 24, 10),
      lineage: `no-uid:${OWNER}:AAMkMaster`,
      timeZone: null,
    });
    expect(instance({ ...bare, type: 'exception' }).originalStart).toBeNull();
  });

  it('falls back to the zone of the recurrence, and keeps a single event without a date', () => {
    const recurrence = { range: { recurrenceTimeZone: 'Tokyo Standard Time' } };
    expect(instance({ originalStartTimeZone: '', recurrence }).timeZone).toBe('Asia/Tokyo');
    expect(copy()).toMatchObject({ originalDate: null, originalStart: null, seriesId: null });
  });

  it('keeps its date when a mailbox was invited to it alone', () => {
    expect(copy({ iCalUId: `${GOID}07EA0B18${TAIL}` })).toMatchObject({
      seriesId: null,
      originalStart: null,
      originalDate: '2026-11-24',
      lineage: SERIES_UID,
    });
  });

  it('is filled from its master where it is thin, its own values first', () => {
    const master = row({ id: 'AAMkMaster', type: 'seriesMaster', start: at('2020-01-07T10:00:00') });
    const thin = wireEvent.parse({
      id: 'AAMk1',
      type: 'exception',
      seriesMasterId: 'AAMkMaster',
      subject: '',
      start: at('2026-11-25T10:00:00'),
      end: at('2026-11-25T11:00:00'),
      originalStart: '2026-11-24T10:00:00Z',
      categories: ['Own'],
    });
    expect(isThin(thin)).toBe(true);
    expect(isThin(master)).toBe(false);
    expect(readCopy(completedFrom(master, thin), OWNER)).toMatchObject({
      start: Date.UTC(2026, 10, 25, 10),
      originalStart: Date.UTC(2026, 10, 24, 10),
      lineage: SERIES_UID,
      organizer: 'bo@south.example',
      text: { title: 'Session #mentoring', body: 'Talk', categories: ['Own'] },
    });
  });
});

describe('people', () => {
  it('are lower-case, without rooms, with the organizer whom Graph names apart', () => {
    const attendees = [
      person('Ada@South.example', 'tentativelyAccepted'),
      person('room@south.example', 'accepted', 'resource'),
      person('Cleo@South.example', 'notResponded', 'optional'),
    ];
    expect(copy({ attendees }).people).toEqual([
      {
        address: 'ada@south.example',
        name: 'Somebody',
        response: 'tentative',
        organizer: false,
        optional: false,
      },
      { address: 'cleo@south.example', name: 'Somebody', response: 'none', organizer: false, optional: true },
      { address: 'bo@south.example', name: 'Bo', response: 'accepted', organizer: true, optional: false },
    ]);
  });

  it('count the organizer as coming though every calendar says "none" of them', () => {
    const [bo] = copy({ attendees: [person('bo@south.example', 'none')] }).people;
    expect(bo).toMatchObject({ organizer: true, response: 'accepted' });
  });

  it.each([
    ['hidden from guests', { hideAttendees: true }, true],
    ['hidden, read by the organizer', { hideAttendees: true, isOrganizer: true }, false],
    ['absent', { attendees: undefined }, true],
    ['partly nameless', { attendees: [person('/O=EXCHANGELABS/OU=X/CN=Y')] }, true],
    ['all there', {}, false],
  ])('%s: the list says whether it is complete', (_what, fields, omitted) => {
    expect(copy(fields).peopleOmitted).toBe(omitted);
  });
});

describe('a copy', () => {
  it.each([
    [{ isCancelled: true, subject: 'Canceled: Session' }, 'cancelled'],
    [{ isDraft: true }, 'confirmed'],
    [{ showAs: 'tentative' }, 'confirmed'],
  ])('with %o is %s', (fields, status) => {
    expect(copy(fields).status).toBe(status);
  });

  it.each([
    ['tzone://Microsoft/Custom', 'America/Los_Angeles', '2026-03-03'],
    ['', 'America/Los_Angeles', '2026-03-03'],
    ['Pacific Standard Time', 'Europe/Berlin', '2026-03-03'],
    ['tzone://Microsoft/Custom', null, '2026-03-04'],
  ])('of a series in zone "%s", whose owner lives in %s, is dated %s', (zone, ownersZone, date) => {
    const evening = {
      iCalUId: 'raw@google.com',
      type: 'occurrence',
      seriesMasterId: 'm',
      start: at('2026-03-04T01:30:00'),
      end: at('2026-03-04T02:15:00'),
      originalStart: '2026-03-04T01:30:00Z',
      originalStartTimeZone: zone,
    };
    const [read] = readListing([row(evening)], OWNER, ownersZone).copies;
    expect(read?.originalDate).toBe(date);
  });

  it.each([
    ['of its organizer', { isDraft: true, isOrganizer: true }, true],
    ['of a guest', { isDraft: true, isOrganizer: false }, false],
    ['of its organizer, who has sent everything', { isDraft: false, isOrganizer: true }, false],
    ['of which Graph does not say', { isDraft: null, isOrganizer: true }, false],
  ])('%s tells whether it was sent', (_what, fields, unsent) => {
    expect(copy(fields)).toMatchObject({ unsent, status: 'confirmed' });
  });

  it.each([
    ['private', true],
    ['personal', true],
    ['confidential', true],
    ['normal', false],
    [null, false],
  ])('of sensitivity %s is private: %s', (sensitivity, expected) => {
    expect(copy({ sensitivity }).private).toBe(expected);
  });

  it.each([
    ['organizer', 'accepted'],
    ['tentativelyAccepted', 'tentative'],
    ['declined', 'declined'],
    ['notResponded', 'none'],
    ['none', 'none'],
  ])('tells the owner answered %s as %s', (response, rsvp) => {
    expect(copy({ responseStatus: { response } }).ownerResponse).toBe(rsvp);
  });

  it('is never unchanged by mistake when Graph names no revision', () => {
    const bare = { '@odata.etag': null, changeKey: null, lastModifiedDateTime: null };
    expect(copy(bare).revision).not.toBe(copy({ ...bare, subject: 'Other' }).revision);
    expect(copy().revision).toBe('W/"1"');
  });
});

describe('a conference', () => {
  const TEAMS =
    'https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%22Tid%22%3a%22a%22%7d';
  const body = (content: string) => ({ onlineMeeting: null, body: { contentType: 'html', content } });

  it.each<[string, Record<string, unknown>, unknown]>([
    ['Graph names', { onlineMeeting: { joinUrl: TEAMS } }, { kind: 'teams', key: TEAMS }],
    ...["&x='quoted'#at", '&x=(a)', '&x=a.', '&x=a,', '&x=[a]', '&x="a"<b>', '&amp;x=1'].map(
      (end): [string, Record<string, unknown>, unknown] => [
        `Graph names, and that ends in ${end},`,
        { onlineMeeting: { joinUrl: TEAMS + end } },
        { kind: 'teams', key: TEAMS + end },
      ],
    ),
    [
      'Graph names in the older field',
      { onlineMeeting: { joinUrl: 'https://meet.lync.com/x' }, onlineMeetingUrl: `${TEAMS})` },
      { kind: 'teams', key: `${TEAMS})` },
    ],
    ['the body links to', body(`<a href="${TEAMS}">Join</a>`), { kind: 'teams', key: TEAMS }],
    [
      'hides behind a safe link',
      body(`<https://nam02.safelinks.protection.outlook.com/?url=${encodeURIComponent(TEAMS)}&amp;data=05>`),
      { kind: 'teams', key: TEAMS },
    ],
    [
      'Google wrote into the location',
      { location: { displayName: 'https://meet.google.com/abc-defg-hij' } },
      { kind: 'meet', key: 'abcdefghij' },
    ],
    [
      'Zoom wrote into the text',
      body('Join: https://acme.zoom.us/j/123?pwd=a.'),
      { kind: 'other', key: 'https://acme.zoom.us/j/123' },
    ],
    ['is none: Teams options', body('https://teams.microsoft.com/meetingOptions/?organizerId=1'), null],
    ['is none: a home page', body('https://zoom.us/ and https://notzoom.us/j/1'), null],
    ['is none', {}, null],
  ])('%s is found', (_what, fields, expected) => {
    expect(copy(fields).conference).toEqual(expected);
  });
});

describe('a row of delta', () => {
  it('that is a stub says which series was touched', () => {
    const stub = { id: 'o1', type: 'occurrence', seriesMasterId: 'm', start: at('2026-11-24T10:00:00') };
    expect(readChange(stub, OWNER)).toEqual({ kind: 'occurrence', sourceId: 'o1', seriesId: 'm' });
  });

  it('that says "removed" only asks to look', () => {
    expect(readChange({ id: 'x', '@removed': { reason: 'deleted' } }, OWNER)).toMatchObject({
      kind: 'removed',
      certainty: 'look',
      seriesId: null,
    });
  });

  it('that is a master is no session', () => {
    expect(readChange(row({ type: 'seriesMaster' }), OWNER)).toMatchObject({
      kind: 'series',
      series: { seriesId: 'AAMk1', lineage: SERIES_UID },
    });
  });

  it('says who is invited to a series, and to an exception of it', () => {
    const invited = { attendees: [{ emailAddress: { address: 'Program@X.org' }, type: 'optional' }] };
    const people = expect.arrayContaining([expect.objectContaining({ address: 'program@x.org' })]);
    expect(readChange(row({ type: 'seriesMaster', ...invited }), OWNER)).toMatchObject({
      series: { people },
    });
    expect(readChange(row({ type: 'exception', seriesMasterId: 'm', ...invited }), OWNER)).toMatchObject({
      kind: 'exception',
      people,
    });
    expect(
      readChange(row({ type: 'exception', seriesMasterId: 'm', attendees: null, organizer: null }), OWNER),
    ).toMatchObject({
      people: [],
    });
  });

  it('that is an instance without a series cannot be used', () => {
    expect(readChange(row({ type: 'occurrence' }), OWNER)).toBe('malformed');
  });
});

describe('a complete list', () => {
  it('leaves masters out, and refuses to go on without a row it cannot read', () => {
    expect(readListing([row({ type: 'seriesMaster' }), row()], OWNER).copies).toHaveLength(1);
    expect(() => readListing([row({ start: null })], OWNER)).toThrow('malformed_event');
  });
});
