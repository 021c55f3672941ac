import { DateTime } from 'luxon';
import { type AlertAction, alertActions, outsideTheNight } from '../domain/cadence.ts';
import { type MailDraft, type OutboundDraft, outboundDraft } from '../domain/drafts.ts';
import { type CadencePayload, instant } from '../domain/outbound.ts';
import type { AlertStep, CadenceStore, WatchedMentorship } from '../ports/cadence-store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

export type WatchCadenceDeps = { readonly store: CadenceStore; readonly clock: Clock; readonly log: Log };

/** An alert nobody could be sent for so long would only confuse. */
const ALERT_MAIL_EXPIRES_DAYS = 7;

/**
 * Compares where every mentorship stands with the open alerts, and opens, escalates or resolves. One watcher at a
 * time: another one that runs meanwhile does nothing.
 */
export async function watchCadence(
  deps: WatchCadenceDeps,
): Promise<{ opened: number; escalated: number; resolved: number }> {
  const now = deps.clock.now();
  const steps = await deps.store.watch(now.toJSDate(), (watched) =>
    watched.flatMap((one) => stepsOf(one, now)),
  );
  const count = (action: AlertAction['action']) => steps.filter((step) => step.action === action).length;
  const total = { opened: count('open'), escalated: count('climb'), resolved: count('resolve') };
  if (total.opened + total.escalated + total.resolved > 0) deps.log.info(total, 'cadence alerts changed');
  return total;
}

type Step = AlertStep & { readonly action: AlertAction['action'] };

function stepsOf(watched: WatchedMentorship, now: DateTime): Step[] {
  const standing = { ...watched, overdueSince: utcOrNull(watched.overdueSince) };
  const open = watched.alerts.map((alert) => ({
    ...alert,
    openedAt: DateTime.fromMillis(alert.openedAt, { zone: 'utc' }),
  }));
  return alertActions(standing, open, now, utc(watched.liveFrom)).map((step) => ({
    action: step.action,
    write: writeOf(watched, step),
    tell: (alertId) => ({
      events: eventsOf(watched, step, alertId, now),
      mails: mailsOf(watched, step, alertId, now),
    }),
  }));
}

function writeOf(watched: WatchedMentorship, step: AlertAction): AlertStep['write'] {
  const { mentorshipId, reasons } = watched;
  if (step.action === 'open') {
    const { kind, baselined, tellPair } = step;
    return { open: { mentorshipId, kind, baselined, reasons, told: tellPair } };
  }
  return {
    change: {
      alertId: step.alert.alertId,
      level: step.action === 'climb' ? step.level : step.alert.level,
      reasons,
      told: tellsCoordinator(watched, step),
      resolved: step.action === 'resolve',
    },
  };
}

/** A booked session means that there is nothing for a coordinator to do: then the alert climbs in silence. */
function tellsCoordinator(watched: WatchedMentorship, step: AlertAction): boolean {
  return step.action === 'climb' && step.alert.kind === 'at_risk' && watched.coordinator !== null;
}

function eventsOf(
  watched: WatchedMentorship,
  step: AlertAction,
  alertId: number,
  now: DateTime,
): OutboundDraft[] {
  const baselined = step.action === 'open' ? step.baselined : step.alert.baselined;
  // Who was not told that it began is not told that it is over.
  if (baselined || step.action === 'explain') return [];
  const kind = step.action === 'open' ? step.kind : step.alert.kind;
  const level = step.action === 'open' ? 'pair' : step.action === 'climb' ? step.level : step.alert.level;
  const openedAt = step.action === 'open' ? now : step.alert.openedAt;
  const data = {
    ...cadencePayload(watched),
    alert_id: String(alertId),
    kind,
    level,
    opened_at: instant(openedAt),
  };
  const at = now.toJSDate();
  if (step.action === 'resolve') {
    const resolved = { ...data, resolved_at: instant(now) };
    return [outboundDraft('cadence.resolved', `alert/${alertId}/resolved`, at, resolved)];
  }
  // The event carries the level, so a new level is a new fact.
  const type = kind === 'at_risk' ? 'cadence.at_risk' : 'cadence.violated';
  return [outboundDraft(type, `alert/${alertId}/${level}`, at, data)];
}

function mailsOf(watched: WatchedMentorship, step: AlertAction, alertId: number, now: DateTime): MailDraft[] {
  const base = { sessionId: null, mentorshipId: watched.mentorshipId };
  if (step.action === 'open' && step.tellPair) {
    return watched.people.map((person) => ({
      ...base,
      kind: 'cadence_alert',
      factKey: `cadence_alert/${alertId}/${person.personId}`,
      alertId,
      personId: person.personId,
      toAddress: person.address,
      dueAt: outsideTheNight(now, watched.quiet, person.zone ?? watched.zone).toJSDate(),
      expiresAt: now.plus({ days: ALERT_MAIL_EXPIRES_DAYS }).toJSDate(),
    }));
  }
  if (watched.coordinator === null || !tellsCoordinator(watched, step)) return [];
  // One digest a program and day, however many alerts climb: what it lists is read when it leaves.
  const day = now.setZone(watched.zone).toISODate();
  return [
    {
      ...base,
      kind: 'cadence_digest',
      factKey: `cadence_digest/${watched.programId}/${day}`,
      alertId: null,
      personId: null,
      toAddress: watched.coordinator,
      dueAt: outsideTheNight(now, watched.quiet, watched.zone).toJSDate(),
      expiresAt: now.plus({ days: 2 }).toJSDate(),
    },
  ];
}

function cadencePayload(watched: WatchedMentorship): CadencePayload {
  return {
    program: watched.program,
    mentorship: watched.mentorship,
    people: watched.people.map(({ personId, role, address }) => ({
      participant_id: String(personId),
      role,
      address,
    })),
    state: watched.state,
    due_at: instantOrNull(watched.dueAt),
    last_held_at: instantOrNull(watched.lastHeldAt),
    next_session_at: instantOrNull(watched.nextSessionAt),
    at_risk: watched.atRisk,
    reasons: watched.reasons,
    unverified_since: instantOrNull(watched.unverifiedSince),
  };
}

function utc(at: Date): DateTime {
  return DateTime.fromJSDate(at, { zone: 'utc' });
}

function utcOrNull(at: Date | null): DateTime | null {
  return at === null ? null : utc(at);
}

function instantOrNull(at: Date | null): string | null {
  return at === null ? null : instant(utc(at));
}
