import { DateTime } from 'luxon';
import { compactUtc } from './recurrence.ts';
import { remembered } from './remembered.ts';
import type { Meeting, Person } from './types.ts';

/** The first sixteen bytes of every Global Object Id, [MS-OXOCAL] 2.2.1.27. */
const GLOBAL_OBJECT_ID_CLASS = '040000008200E00074C5B7101A82E008';
const FILETIME_EPOCH_OFFSET_MS = 11_644_473_600_000n;

/**
 * Builds an Outlook Global Object Id as upper-case hex.
 * `date` (yyyy-mm-dd) names the instance by its original date; without it the id is the "clean" one of a
 * series or single meeting. `data` is 16 bytes of GUID, or a wrapped foreign UID.
 */
export function globalObjectId(data: Buffer, createdAt: number | null, date: string | null): string {
  const head = Buffer.alloc(20);
  if (date !== null) {
    const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
    head.writeUInt16BE(year, 0);
    head.writeUInt8(month, 2);
    head.writeUInt8(day, 3);
  }
  if (createdAt !== null) {
    head.writeBigUInt64LE((BigInt(Math.floor(createdAt)) + FILETIME_EPOCH_OFFSET_MS) * 10_000n, 4);
  }
  const length = Buffer.alloc(4);
  length.writeUInt32LE(data.length);
  return GLOBAL_OBJECT_ID_CLASS + Buffer.concat([head, length, data]).toString('hex').toUpperCase();
}

/** A foreign UID as Outlook stores it inside a Global Object Id. */
export function wrapForeignUid(uid: string, date: string | null): string {
  const marker = Buffer.from('vCal-Uid\u0001\0\0\0', 'latin1');
  return globalObjectId(Buffer.concat([marker, Buffer.from(uid, 'utf8'), Buffer.from([0])]), null, date);
}

/** Names an instance inside a clean Global Object Id by its original local date. */
export function withInstanceDate(cleanId: string, date: string): string {
  const bytes = Buffer.from(cleanId, 'hex');
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  bytes.writeUInt16BE(year, 16);
  bytes.writeUInt8(month, 18);
  bytes.writeUInt8(day, 19);
  return bytes.toString('hex').toUpperCase();
}

/** The iCalUID a Google calendar shows for the meeting; the same on every copy and every occurrence. */
export function uidAtGoogle(meeting: Meeting, reader: Person): string {
  if (meeting.home === 'google') return meeting.uid;
  return reader.foreignUid === 'upper' ? meeting.uid : meeting.uid.toLowerCase();
}

/**
 * The iCalUId an Outlook mailbox shows. `slot` (original start) names an occurrence; null the series or single.
 * A meeting made at Google is shown raw, then without any date, or wrapped, by the mailbox's habit.
 */
export function uidAtOutlook(meeting: Meeting, reader: Person, slot: number | null): string {
  const date = slot === null ? null : localDate(slot, meeting.allDay ? 'UTC' : meeting.zone);
  if (meeting.home === 'google') {
    return reader.foreignUid === 'wrapped' ? wrapForeignUid(meeting.uid, date) : meeting.uid;
  }
  return date === null ? meeting.uid : withInstanceDate(meeting.uid, date);
}

/** Google's id of one occurrence: the prefix and the original start in UTC, or the date for all-day series. */
export function googleInstanceId(meeting: Meeting, slot: number): string {
  const stamp = compactUtc(slot);
  return `${meeting.instancePrefix}_${meeting.allDay ? stamp.slice(0, 8) : stamp}`;
}

/** The calendar date (yyyy-mm-dd) of an instant in a zone. */
export const localDate = remembered((instant: number, zone): string =>
  DateTime.fromMillis(instant, { zone }).toFormat('yyyy-MM-dd'),
);
