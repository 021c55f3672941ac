import { expect, it } from 'vitest';
import { createFaults } from '../../../src/sandbox/faults.ts';
import { startMicrosoftSandbox } from '../../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { buildScenario } from '../../../src/sandbox/scenario/build-scenario.ts';
import { truth, World } from '../../../src/sandbox/world/index.ts';
import { type Row, tokenFrom } from '../microsoft/graph-calls.ts';

const DAY = 86_400_000;

it('shows every Outlook mailbox, after each step of the story, what is true of its owner', async () => {
  const world = new World({ seed: 3 });
  world.clock.stop();
  const scenario = buildScenario(world, { seed: 3 });
  const sandbox = await startMicrosoftSandbox(world, { faults: createFaults(), habits: { latencyMs: 0 } });
  const authorization = `Bearer ${await tokenFrom(sandbox)}`;
  const window = {
    from: Date.parse(scenario.startsAt) - 35 * DAY,
    until: Date.parse(scenario.endsAt) + 50 * DAY,
  };
  const query = new URLSearchParams({
    startDateTime: new Date(window.from).toISOString(),
    endDateTime: new Date(window.until).toISOString(),
    $top: '500',
  });

  /** Starts on one calendar by subject: what Graph lists against what is true. */
  async function compare(person: { id: string; objectId: string }, path: string): Promise<void> {
    const answer = await fetch(
      `${sandbox.graphUrl}/v1.0/users/${person.objectId}/${path}?${query.toString()}`,
      {
        headers: { authorization },
      },
    );
    const { value } = (await answer.json()) as { value: Row[] };
    const shown = value
      .filter((row) => row.isCancelled === false)
      .map((row) => `${row.start?.dateTime.slice(0, 16)} ${String(row.subject)}`);
    const own = truth(world, window)
      .filter(
        (occurrence) => !occurrence.cancelled && occurrence.people.some((one) => one.person === person.id),
      )
      .map((occurrence) => `${occurrence.start.slice(0, 16)} ${occurrence.title}`);
    expect(shown.sort()).toEqual(own.sort());
  }

  try {
    const readable = () =>
      [...world.people.values()].filter(
        ({ provider, state }) => provider === 'microsoft' && state === 'active',
      );
    for (const person of readable()) await compare(person, 'calendarView');
    for (const step of scenario.steps) {
      world.clock.set(step.at);
      step.run(world);
      for (const person of readable()) await compare(person, 'calendarView');
    }
    expect(readable()).toHaveLength(13);
  } finally {
    await sandbox.close();
  }
});
