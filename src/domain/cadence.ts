import type { DateTime } from 'luxon';
import type { QuietHours } from './program.ts';
import { quietAround } from './reminders.ts';

/**
 * Who is told about a mentorship that fell off its cadence, and when. Where it stands is the view
 * `mentoring.cadence`; here stands only what follows from it.
 *
 * Two kinds of alert, opened and resolved independently: `violated` while the mentorship is overdue or lapsed, for
 * other programs; `at_risk` while it is that *and* nothing is booked, which is when people can do something and are
 * written to. Each climbs by itself: the pair at once, the coordinator's digest after a week or at the second missed
 * period, an escalation after three weeks.
 */

export const ALERT_KINDS = ['at_risk', 'violated'] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** The rungs of the alert ladder, in climbing order. */
export const ALERT_LEVELS = ['pair', 'coordinator', 'escalation'] as const;
export type AlertLevel = (typeof ALERT_LEVELS)[number];

export const CADENCE_STATES = [
  'not_started',
  'on_track',
  'due',
  'overdue',
  'lapsed',
  'paused',
  'ending',
  'ended',
  'unobservable',
] as const;
export type CadenceState = (typeof CADENCE_STATES)[number];

/** What the view says. */
export type Standing = {
  readonly state: CadenceState;
  readonly atRisk: boolean;
  readonly reasons: readonly string[];
  /** When it became overdue; `null` unless it is. */
  readonly overdueSince: DateTime | null;
};

export type OpenAlert = {
  readonly alertId: number;
  readonly kind: AlertKind;
  readonly level: AlertLevel;
  readonly openedAt: DateTime;
  readonly baselined: boolean;
  readonly reasons: readonly string[];
};

export type AlertAction =
  /** `tellPair`: recent enough that a mail still helps. */
  | {
      readonly action: 'open';
      readonly kind: AlertKind;
      readonly baselined: boolean;
      readonly tellPair: boolean;
    }
  | { readonly action: 'climb'; readonly alert: OpenAlert; readonly level: AlertLevel }
  | { readonly action: 'resolve'; readonly alert: OpenAlert }
  | { readonly action: 'explain'; readonly alert: OpenAlert };

const COORDINATOR_AFTER_DAYS = 7;
const ESCALATION_AFTER_DAYS = 21;
/** A pair is not written to about what went wrong while nobody was looking (an outage, a lost calendar). */
const PAIR_TOLD_WITHIN_DAYS = 14;

/**
 * What has to happen for the alerts of one mentorship to fit where it stands.
 * @param liveFrom violations that began before it are opened in silence
 */
export function alertActions(
  standing: Standing,
  open: readonly OpenAlert[],
  now: DateTime,
  liveFrom: DateTime,
): AlertAction[] {
  // Blindness neither accuses nor absolves: what was open stays open until it can be seen again.
  if (standing.state === 'unobservable') return [];
  const broken = standing.state === 'overdue' || standing.state === 'lapsed';
  const wanted: Readonly<Record<AlertKind, boolean>> = {
    violated: broken,
    at_risk: broken && standing.atRisk,
  };
  return ALERT_KINDS.flatMap((kind): AlertAction[] => {
    const alert = open.find((candidate) => candidate.kind === kind);
    if (!wanted[kind]) return alert === undefined ? [] : [{ action: 'resolve', alert }];
    const since = standing.overdueSince ?? now;
    if (alert === undefined) {
      const baselined = since < liveFrom;
      const recent = since >= now.minus({ days: PAIR_TOLD_WITHIN_DAYS });
      return [{ action: 'open', kind, baselined, tellPair: kind === 'at_risk' && !baselined && recent }];
    }
    const level = alert.baselined ? alert.level : levelOf(alert, standing.state, now);
    if (level !== alert.level) return [{ action: 'climb', alert, level }];
    return sameReasons(alert.reasons, standing.reasons) ? [] : [{ action: 'explain', alert }];
  });
}

/** An alert only climbs, one rung at a time: whoever stands on the next one has a day to see the last one work. */
function levelOf(alert: OpenAlert, state: CadenceState, now: DateTime): AlertLevel {
  const days = now.diff(alert.openedAt).as('days');
  if (alert.level === 'pair') {
    const second = state === 'lapsed' && days >= 1;
    return second || days >= COORDINATOR_AFTER_DAYS ? 'coordinator' : 'pair';
  }
  return days >= ESCALATION_AFTER_DAYS ? 'escalation' : alert.level;
}

function sameReasons(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((reason, index) => reason === other[index]);
}

/** When a mail that is made now may leave: at once, or when the night is over. */
export function outsideTheNight(now: DateTime, quiet: QuietHours | null, zone: string): DateTime {
  return (quiet === null ? null : quietAround(now, quiet, zone))?.until.toUTC() ?? now;
}
