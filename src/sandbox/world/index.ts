/** The sandbox's world: its own truth, changed by operations, read by the wire servers. */

export { createClock, type SandboxClock, toMilliseconds } from '../clock.ts';
export { addTag, removeTag, respond, setCategory, setProperty } from './answers.ts';
export type { OnMeeting, OnOccurrence } from './arguments.ts';
export type { GuestInput } from './bookkeeping.ts';
export { attend, type PresenceInput, participantKey } from './calls.ts';
export {
  googleInstanceId,
  localDate,
  uidAtGoogle,
  uidAtOutlook,
  withInstanceDate,
  wrapForeignUid,
} from './identifiers.ts';
export {
  addGuest,
  cancelMeeting,
  cancelOccurrence,
  changeOrganizer,
  createMeeting,
  deleteCopy,
  editMeeting,
  type MeetingInput,
  removeGuest,
  TENANT_ID,
} from './meetings.ts';
export {
  type CopyStatus,
  categoriesAt,
  copyStatus,
  guestsAt,
  hasSlot,
  occurrenceAt,
  occurrencesOf,
  ownResponse,
  type Span,
  timesAt,
} from './occurrences.ts';
export { renameAddress, setPersonState, shareCalendar } from './people.ts';
export { createRandom, guid, type Random } from './random.ts';
export { EDITS, type Edit, editAtRandom, type RandomEdits } from './random-edits.ts';
export { firstSlots, firstStart, instantOf, localOf, rulePart, slotsOf, withRulePart } from './recurrence.ts';
export {
  convertSeriesToSingle,
  convertSingleToSeries,
  detachOccurrence,
  moveMeeting,
  moveOccurrence,
  moveSeries,
  splitSeries,
} from './schedule.ts';
export { type TrueOccurrence, type TruePresence, truth } from './truth.ts';
export type * from './types.ts';
export { dragUnsent, isDraft, sendUnsent } from './unsent.ts';
export {
  type Calendar,
  type ConferenceHabits,
  type PersonInput,
  rowKey,
  World,
  type WorldOptions,
} from './world.ts';
