import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { alertActions, type CadenceState, type OpenAlert, type Standing } from '../../src/domain/cadence.ts';

const NOW = DateTime.fromISO('2026-05-20T09:00:00Z', { zone: 'utc' });
const LIVE = NOW.minus({ days: 100 });

function standing(state: CadenceState, facts: Partial<Standing> = {}): Standing {
  const broken = state === 'overdue' || state === 'lapsed';
  return {
    state,
    atRisk: broken,
    reasons: broken ? [state] : [],
    overdueSince: broken ? NOW.minus({ days: 1 }) : null,
    ...facts,
  };
}

function alert(facts: Partial<OpenAlert> = {}): OpenAlert {
  return {
    alertId: 1,
    kind: 'at_risk',
    level: 'pair',
    openedAt: NOW.minus({ days: 1 }),
    baselined: false,
    reasons: ['overdue'],
    ...facts,
  };
}

const both = (facts: Partial<OpenAlert> = {}) => [
  alert(facts),
  alert({ alertId: 2, kind: 'violated', ...facts }),
];

describe('alerts', () => {
  it('open when a mentorship is overdue, and the pair is told when nothing is booked', () => {
    expect(alertActions(standing('overdue'), [], NOW, LIVE)).toEqual([
      { action: 'open', kind: 'at_risk', baselined: false, tellPair: true },
      { action: 'open', kind: 'violated', baselined: false, tellPair: false },
    ]);
    expect(alertActions(standing('overdue', { atRisk: false }), [], NOW, LIVE)).toEqual([
      { action: 'open', kind: 'violated', baselined: false, tellPair: false },
    ]);
  });

  it('that began before the program went live are opened in silence', () => {
    const actions = alertActions(
      standing('lapsed', { overdueSince: LIVE.minus({ days: 1 }) }),
      [],
      NOW,
      LIVE,
    );
    expect(actions.every((one) => one.action === 'open' && one.baselined && !one.tellPair)).toBe(true);
  });

  it('of an outage are not told to the pair', () => {
    const [first] = alertActions(
      standing('lapsed', { overdueSince: NOW.minus({ days: 20 }) }),
      [],
      NOW,
      LIVE,
    );
    expect(first).toMatchObject({ baselined: false, tellPair: false });
  });

  it.each<[CadenceState]>([['on_track'], ['due'], ['paused'], ['ending'], ['ended'], ['not_started']])(
    'resolve by themselves when the mentorship is %s',
    (state) => {
      expect(alertActions(standing(state), both(), NOW, LIVE).map((one) => one.action)).toEqual([
        'resolve',
        'resolve',
      ]);
    },
  );

  it('stay as they are while nothing can be seen', () => {
    expect(alertActions(standing('unobservable'), both(), NOW, LIVE)).toEqual([]);
  });

  it('of risk resolve when something is booked, while the violation stays', () => {
    const actions = alertActions(standing('overdue', { atRisk: false }), both(), NOW, LIVE);
    expect(actions).toMatchObject([{ action: 'resolve', alert: { kind: 'at_risk' } }]);
  });

  it.each([
    ['pair', 'overdue', 6, null],
    ['pair', 'overdue', 7, 'coordinator'],
    ['pair', 'lapsed', 1, 'coordinator'],
    ['coordinator', 'lapsed', 20, null],
    ['coordinator', 'lapsed', 21, 'escalation'],
    ['escalation', 'lapsed', 90, null],
  ] as const)('climb from %s while %s after %i days', (level, state, days, expected) => {
    const open = both({ level, openedAt: NOW.minus({ days }), reasons: [state] });
    const levels = alertActions(standing(state), open, NOW, LIVE).map(
      (one) => one.action === 'climb' && one.level,
    );
    expect(levels).toEqual(expected === null ? [] : [expected, expected]);
  });

  it('that were baselined never climb', () => {
    const open = both({ baselined: true, openedAt: NOW.minus({ days: 90 }), reasons: ['lapsed'] });
    expect(alertActions(standing('lapsed'), open, NOW, LIVE)).toEqual([]);
  });

  it('come to rest: what has been done is not done again', () => {
    const states = fc.constantFrom<CadenceState>(
      'on_track',
      'due',
      'overdue',
      'lapsed',
      'paused',
      'unobservable',
    );
    fc.assert(
      fc.property(states, fc.boolean(), fc.integer({ min: 0, max: 40 }), (state, atRisk, days) => {
        const now = standing(state, { atRisk: atRisk && state !== 'on_track' });
        let open: readonly OpenAlert[] = both({ openedAt: NOW.minus({ days }), reasons: now.reasons });
        for (let round = 0; round < 3; round += 1) open = applied(open, alertActions(now, open, NOW, LIVE));
        expect(alertActions(now, open, NOW, LIVE)).toEqual([]);
      }),
    );
  });
});

function applied(open: readonly OpenAlert[], actions: ReturnType<typeof alertActions>): OpenAlert[] {
  const next = new Map(open.map((one) => [one.kind, one]));
  for (const step of actions) {
    if (step.action === 'open') next.set(step.kind, alert({ kind: step.kind, openedAt: NOW }));
    else if (step.action === 'resolve') next.delete(step.alert.kind);
    else if (step.action === 'climb') next.set(step.alert.kind, { ...step.alert, level: step.level });
  }
  return [...next.values()];
}
