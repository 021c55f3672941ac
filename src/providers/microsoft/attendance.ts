import type { ConferenceParticipant } from '../../domain/conference-record.ts';
import type { Instant } from '../../domain/observation.ts';
import type { DirectoryUser } from './directory.ts';
import { instantOfText } from './time.ts';
import type { WireAttendanceRecord } from './wire.ts';

const PHONE_NUMBER = /^\+?[\d\s().*-]{6,}$/;

/**
 * One record of an attendance report.
 * @param user what the directory knows of the record's identity; `undefined` when there was nothing to ask by
 * @param ended when the report's call ended
 */
export function participantOf(
  record: WireAttendanceRecord,
  user: DirectoryUser | 'unknown' | 'denied' | undefined,
  ended: Instant,
): ConferenceParticipant {
  const address = record.emailAddress?.trim().normalize('NFC').toLowerCase();
  const known = typeof user === 'object' ? user.addresses : [];
  const addresses = [...new Set([...(address?.includes('@') ? [address] : []), ...known])];
  const displayName = record.identity?.displayName?.trim() || null;
  return {
    kind: participantKind(record, user, addresses, displayName),
    providerUserId: record.identity?.id || null,
    addresses,
    displayName,
    intervals: intervalsOf(record, ended),
  };
}

/**
 * An account counts as known when there is an address for it, or when it is the tenant's own. An id alone is
 * not enough: guests who joined by the link have one too, made for the call.
 */
function participantKind(
  record: WireAttendanceRecord,
  user: DirectoryUser | 'unknown' | 'denied' | undefined,
  addresses: readonly string[],
  displayName: string | null,
): ConferenceParticipant['kind'] {
  if (addresses.length > 0 || typeof user === 'object') return 'user';
  if (displayName !== null && PHONE_NUMBER.test(displayName)) return 'phone';
  const foreign = /azureCommunicationServices/i.test(record.identity?.['@odata.type'] ?? '');
  return user === 'denied' && record.identity?.tenantId && !foreign ? 'user' : 'anonymous';
}

/**
 * When data is lacking Graph writes null times and a duration of zero: such an interval tells nothing. A join
 * without a leave ends by its duration, else with the call. Where most of the time in total lies in intervals without
 * times, the few minutes that have some would pass for a short visit: then it is only known that the person came.
 */
function intervalsOf(record: WireAttendanceRecord, ended: Instant): ConferenceParticipant['intervals'] {
  const intervals: { from: Instant; until: Instant }[] = [];
  let untimed = false;
  for (const interval of record.attendanceIntervals ?? []) {
    const from = instantOfText(interval?.joinDateTime);
    if (from === null) {
      untimed = true;
      continue;
    }
    const seconds = interval?.durationInSeconds ?? 0;
    const left = instantOfText(interval?.leaveDateTime) ?? (seconds > 0 ? from + seconds * 1000 : ended);
    if (left > from) intervals.push({ from, until: left });
  }
  const timedMs = intervals.reduce((sum, { from, until }) => sum + until - from, 0);
  const totalMs = (record.totalAttendanceInSeconds ?? 0) * 1000;
  return untimed && timedMs * 2 < totalMs ? [] : intervals;
}
