import { DateTime, IANAZone } from 'luxon';
import { findIana, findWindows } from 'windows-iana';
import { remembered } from '../world/remembered.ts';

/** What a request's `Prefer` header asks for. */
export interface Preferences {
  readonly immutableIds: boolean;
  /** As the caller wrote it; printed back beside every time. */
  readonly zoneName: string;
  /** The same as an IANA zone. */
  readonly zone: string;
  readonly textBody: boolean;
  readonly maxPageSize: number | null;
  /** What was honoured, for `Preference-Applied`. */
  readonly applied: readonly string[];
}

/** Reads `Prefer: IdType="ImmutableId", outlook.timezone="UTC", odata.maxpagesize=100`; unknown wishes are ignored. */
export function readPreferences(header: string | string[] | undefined): Preferences {
  const wishes = new Map<string, string>();
  for (const part of (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',')) {
    const [name, value] = part.trim().split('=');
    if (name !== undefined && value !== undefined) {
      wishes.set(name.trim().toLowerCase(), value.trim().replace(/^"|"$/g, ''));
    }
  }
  const applied: string[] = [];
  const immutableIds = wishes.get('idtype')?.toLowerCase() === 'immutableid';
  if (immutableIds) applied.push('IdType="ImmutableId"');
  const zoneAsked = wishes.get('outlook.timezone');
  const zone = zoneAsked === undefined ? null : ianaZone(zoneAsked);
  if (zone !== null) applied.push(`outlook.timezone="${zoneAsked}"`);
  const textBody = wishes.get('outlook.body-content-type')?.toLowerCase() === 'text';
  if (textBody) applied.push('outlook.body-content-type="text"');
  const size = Number(wishes.get('odata.maxpagesize'));
  const maxPageSize = Number.isInteger(size) && size > 0 ? size : null;
  if (maxPageSize !== null) applied.push(`odata.maxpagesize=${maxPageSize}`);
  return {
    immutableIds,
    zoneName: zone === null ? 'UTC' : (zoneAsked ?? 'UTC'),
    zone: zone ?? 'UTC',
    textBody,
    maxPageSize,
    applied,
  };
}

function ianaZone(name: string): string | null {
  if (name === 'UTC' || name === 'tzone://Microsoft/Utc') return 'UTC';
  if (IANAZone.isValidZone(name)) return name;
  return findIana(name)[0] ?? null;
}

/** The Windows name of an IANA zone, where one exists. */
export function windowsZone(zone: string): string {
  return zone === 'UTC' ? 'UTC' : windowsName(zone, 'windows');
}

const windowsName = remembered((zone: string): string => findWindows(zone)[0] ?? zone);

/** `dateTimeTimeZone`: seven fractional digits, no `Z`, the zone beside it. */
export function dateTimeIn(
  instant: number,
  preferences: Preferences,
  allDay: boolean,
): { dateTime: string; timeZone: string } {
  // All-day events are printed from midnight to midnight whatever zone is asked for.
  const zone = allDay ? 'UTC' : preferences.zone;
  return {
    dateTime: sevenDigits(instant, zone),
    timeZone: preferences.zoneName,
  };
}

const sevenDigits = remembered((instant: number, zone): string =>
  DateTime.fromMillis(instant, { zone }).toFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'0000'"),
);

/** An Edm.DateTimeOffset with seven fractional digits, `2026-11-21T09:00:00.1230000Z`. */
export function stamp(instant: number): string {
  return new Date(instant).toISOString().replace('Z', '0000Z');
}

/** The original start: UTC, or with an offset when another zone is preferred. */
export function originalStartIn(instant: number, preferences: Preferences): string {
  return preferences.zone === 'UTC'
    ? new Date(instant).toISOString().replace('.000Z', 'Z')
    : (DateTime.fromMillis(instant, { zone: preferences.zone }).toISO({ suppressMilliseconds: true }) ?? '');
}
