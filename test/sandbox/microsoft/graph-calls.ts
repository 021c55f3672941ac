import { createFaults, type Faults } from '../../../src/sandbox/faults.ts';
import {
  type MicrosoftHabits,
  type MicrosoftSandbox,
  startMicrosoftSandbox,
} from '../../../src/sandbox/microsoft/microsoft-sandbox.ts';
import { World } from '../../../src/sandbox/world/index.ts';

export type Row = Record<string, unknown> & { id: string; type?: string; start?: { dateTime: string } };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { value?: Row[]; error?: { code: string } };
}

/** A sandbox at a fixed instant, and plain HTTP calls against it: no client library may soften what it says. */
export interface GraphBench {
  readonly world: World;
  readonly faults: Faults;
  readonly sandbox: MicrosoftSandbox;
  /** `path` below `/v1.0`, or an absolute link. */
  readonly get: (path: string, prefer?: string) => Promise<Answer>;
  /** Follows a round to its end. */
  readonly round: (
    path: string,
    prefer?: string,
  ) => Promise<{ rows: Row[]; pages: number; deltaLink: string }>;
  readonly close: () => Promise<void>;
}

export async function startBench(now: string, habits: Partial<MicrosoftHabits> = {}): Promise<GraphBench> {
  const world = new World({ seed: 11, start: now });
  world.clock.stop();
  const faults = createFaults({ now: () => world.now() });
  const sandbox = await startMicrosoftSandbox(world, { faults, habits: { latencyMs: 0, ...habits } });
  const token = await tokenFrom(sandbox);

  async function get(path: string, prefer?: string): Promise<Answer> {
    const url = path.startsWith('http') ? path : `${sandbox.graphUrl}/v1.0${path}`;
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${token}`, ...(prefer === undefined ? {} : { prefer }) },
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
  }

  async function round(path: string, prefer?: string) {
    const rows: Row[] = [];
    let next: string | undefined = path;
    for (let pages = 1; ; pages += 1) {
      const answer: Answer = await get(next, prefer);
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.error?.code ?? ''}`);
      rows.push(...(answer.body.value ?? []));
      const deltaLink = answer.body['@odata.deltaLink'];
      if (typeof deltaLink === 'string') return { rows, pages, deltaLink };
      next = String(answer.body['@odata.nextLink']);
    }
  }

  return { world, faults, sandbox, get, round, close: () => sandbox.close() };
}

export async function tokenFrom(sandbox: MicrosoftSandbox): Promise<string> {
  const answer = await fetch(sandbox.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: sandbox.clientId,
      client_secret: sandbox.clientSecret,
      scope: 'https://graph.microsoft.com/.default',
    }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}
