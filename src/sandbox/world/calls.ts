import { toMilliseconds } from '../clock.ts';
import { type OnOccurrence, slotOf } from './arguments.ts';
import { occurrenceAt } from './occurrences.ts';
import { BASE64URL } from './random.ts';
import type { ConferenceCall, Presence, Who } from './types.ts';
import type { World } from './world.ts';

export interface PresenceInput {
  /** One of the three says who it was; a person by key or address. */
  person?: string;
  anonymous?: string;
  phone?: string;
  /** Instants from and until. */
  intervals?: [from: number | string, until: number | string][];
  /** The same in minutes from the occurrence's present start: `[[0, 30]]`. */
  minutes?: [from: number, until: number][];
  device?: string;
  /** They opted out of Teams' attendance reports: counted there, and not listed. */
  unlisted?: boolean;
  /** How late Google's log tells of their leaving, in milliseconds. */
  reportsLagMs?: number;
}

/**
 * People meet. Each stretch in which somebody was there becomes a call of its own, as at both providers:
 * when everybody leaves and comes back, two records tell of it. `unrecorded` for meetings in person.
 */
export function attend(
  world: World,
  args: OnOccurrence & { people: PresenceInput[]; unrecorded?: boolean },
): ConferenceCall[] {
  const meeting = world.meeting(args.meeting);
  // What took place before the series was moved is no longer in its rule.
  const asked = args.slot == null ? null : toMilliseconds(args.slot);
  const past = meeting.history.find((occurrence) => occurrence.slot === asked);
  const slot = past === undefined ? slotOf(world, meeting, args.slot) : asked;
  const { start } = past ?? occurrenceAt(meeting, slot, world.now());
  const presences = args.people.map((input) => presenceFrom(world, input, start));
  const calls = stretches(presences).map(
    ([startedAt, endedAt]): ConferenceCall => ({
      id: world.random.text(BASE64URL.slice(0, 62), 24),
      meeting: meeting.id,
      slot,
      conference: meeting.conference,
      organizer: meeting.organizer,
      startedAt,
      endedAt,
      presences: presences
        .map((presence) => ({
          ...presence,
          intervals: presence.intervals.filter(([from]) => from >= startedAt && from < endedAt),
        }))
        .filter((presence) => presence.intervals.length > 0),
      unrecorded: args.unrecorded ?? false,
    }),
  );
  world.calls.push(...calls);
  return calls;
}

/** A key that tells participants apart: one person on two devices is one participant. */
export function participantKey(who: Who): string {
  if ('person' in who) return `person:${who.person}`;
  return 'phone' in who ? `phone:${who.phone}` : `anonymous:${who.anonymous}`;
}

function presenceFrom(world: World, input: PresenceInput, start: number): Presence {
  const who: Who =
    input.person !== undefined
      ? { person: world.person(input.person).id }
      : input.phone !== undefined
        ? { phone: input.phone }
        : { anonymous: input.anonymous ?? 'Guest' };
  const spans = [
    ...(input.intervals ?? []).map(([from, until]) => [toMilliseconds(from), toMilliseconds(until)] as const),
    ...(input.minutes ?? []).map(([from, until]) => [start + from * 60_000, start + until * 60_000] as const),
  ];
  const intervals = spans.map(([from, until]): [number, number] => {
    if (until <= from) throw new RangeError('a presence ends after it began');
    return [from, until];
  });
  return {
    who,
    intervals,
    device: input.device ?? 'web',
    ...(input.unlisted && { unlisted: true }),
    ...(input.reportsLagMs === undefined ? {} : { reportsLagMs: input.reportsLagMs }),
  };
}

function stretches(presences: Presence[]): [number, number][] {
  const merged: [number, number][] = [];
  const all = presences.flatMap((presence) => presence.intervals).sort(([one], [other]) => one - other);
  for (const [from, until] of all) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], until);
    else merged.push([from, until]);
  }
  return merged;
}
