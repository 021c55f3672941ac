import { firstStart, placeOf, ruleSlots } from './recurrence.ts';
import type { Copy, CopySlot, Guest, Meeting, Occurrence, Override } from './types.ts';

/** A span of instants, the end excluded. */
export interface Span {
  from: number;
  until: number;
}

/**
 * The occurrences of a meeting, overrides applied and cancelled ones included, in order of their original
 * starts. With a span, those that overlap it by their present times.
 */
export function occurrencesOf(meeting: Meeting, now: number, span?: Span): Occurrence[] {
  const isWanted = (slot: number | null): boolean => {
    if (span === undefined) return true;
    const { start, end } = timesAt(meeting, slot);
    return start < span.until && end > span.from;
  };
  if (meeting.recurrence === null) return isWanted(null) ? [occurrence(meeting, null, 0)] : [];
  const { exdates } = meeting.recurrence;
  return ruleSlots(meeting, now).flatMap((slot, place) =>
    !exdates.includes(slot) && isWanted(slot) ? [occurrence(meeting, slot, place)] : [],
  );
}

/** One occurrence: `slot` is its original start, null for a single event. */
export function occurrenceAt(meeting: Meeting, slot: number | null, now: number): Occurrence {
  return occurrence(meeting, slot, slot === null ? 0 : (placeOf(meeting, slot, now) ?? 0));
}

/** When an occurrence presently is; `slot` is its original start, null for a single event. */
export function timesAt(meeting: Meeting, slot: number | null): { start: number; end: number } {
  const override = slot === null ? undefined : meeting.overrides.get(slot);
  const start = override?.start ?? slot ?? firstStart(meeting);
  return { start, end: override?.end ?? start + meeting.minutes * 60_000 };
}

function occurrence(meeting: Meeting, slot: number | null, index: number): Occurrence {
  const override = slot === null ? undefined : meeting.overrides.get(slot);
  return {
    meeting,
    slot,
    ordinal: meeting.ordinalOffset + index,
    ...timesAt(meeting, slot),
    title: override?.title ?? meeting.title,
    body: override?.body ?? meeting.body,
    cancelledAt: earliest(meeting.cancelledAt, override?.cancelledAt ?? null),
    guests: guestsAt(meeting, slot),
    isException: override !== undefined,
  };
}

/** Whether the meeting has an occurrence with this original start (null: whether it is a single event). */
export function hasSlot(meeting: Meeting, slot: number | null, now: number): boolean {
  if (slot === null) return meeting.recurrence === null;
  return placeOf(meeting, slot, now) !== undefined && !(meeting.recurrence?.exdates.includes(slot) ?? false);
}

/** The guests of one occurrence with the answers the organizer knows. */
export function guestsAt(meeting: Meeting, slot: number | null): Guest[] {
  const override = slot === null ? undefined : meeting.overrides.get(slot);
  const invited = meeting.guests.filter((guest) => !override?.removed.includes(guest.address));
  return [...invited, ...(override?.added ?? [])].map((guest) => {
    const answer = override?.responses.get(guest.address.toLowerCase());
    return answer === undefined ? guest : { ...guest, response: answer.response, respondedAt: answer.at };
  });
}

/** How one occurrence (or, with null, the single event or the whole series) stands on a person's calendar. */
export type CopyStatus =
  /** On the calendar. */
  | 'live'
  /** Called off by the organizer, or the owner was taken off the guest list. */
  | 'cancelled'
  /** Taken off this calendar by its owner. */
  | 'deleted'
  /** Never there. */
  | 'not_invited';

export function copyStatus(meeting: Meeting, copy: Copy, slot: number | null): CopyStatus {
  const own = slot === null ? undefined : copy.slots.get(slot);
  if (copy.deletedAt !== null || (own !== undefined && own.deletedAt !== null)) return 'deleted';
  if (slot === null && copy.occurrencesOnly) return 'not_invited';
  if (slot !== null && !copy.isOrganizer) {
    const override = meeting.overrides.get(slot);
    const invited = guestsAt(meeting, slot).some((guest) => guest.person === copy.person);
    if (!invited && override?.removed.includes(copy.invitedAs)) return 'cancelled';
    if (!invited && (copy.occurrencesOnly || copy.uninvitedAt === null)) return 'not_invited';
  }
  const cancelled =
    copy.uninvitedAt !== null ||
    meeting.cancelledAt !== null ||
    (slot !== null && meeting.overrides.get(slot)?.cancelledAt !== undefined);
  return cancelled ? 'cancelled' : 'live';
}

/** The owner's own answer to one occurrence, else to the whole. */
export function ownResponse(
  copy: Copy,
  slot: number | null,
): { response: Copy['response']; at: number | null } {
  const own = slot === null ? undefined : copy.slots.get(slot);
  return own?.response != null
    ? { response: own.response, at: own.respondedAt }
    : { response: copy.response, at: copy.respondedAt };
}

/** The owner's categories on one occurrence, else on the whole. */
export function categoriesAt(copy: Copy, slot: number | null): string[] {
  return (slot === null ? undefined : copy.slots.get(slot))?.categories ?? copy.categories;
}

/** The override of an occurrence, made when it is missing. */
export function overrideFor(meeting: Meeting, slot: number): Override {
  let override = meeting.overrides.get(slot);
  if (override === undefined) {
    override = { slot, added: [], removed: [], responses: new Map() };
    meeting.overrides.set(slot, override);
  }
  return override;
}

/** What the owner did to one occurrence, made when it is missing. */
export function copySlotFor(copy: Copy, slot: number): CopySlot {
  let own = copy.slots.get(slot);
  if (own === undefined) {
    own = { deletedAt: null, response: null, respondedAt: null, categories: null };
    copy.slots.set(slot, own);
  }
  return own;
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
