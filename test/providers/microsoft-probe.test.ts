import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adapterFor, json, startWireServer, type WireServer } from './microsoft-wire-server.ts';

const signal = new AbortController().signal;

/** Tenants as nobody has seen them yet, and as nothing says that they are not. */
describe('what doctor tells of a tenant that is not as the others', () => {
  let wire: WireServer;
  beforeEach(async () => {
    wire = await startWireServer();
  });
  afterEach(() => wire.close());

  const told = async (check: string, rows: readonly object[], master: object | null = null) => {
    wire.graph = ({ url }, response) => {
      if (url.includes('/calendarView')) json(response, 200, { value: rows });
      else if (url.includes('/events/') && master !== null) json(response, 200, master);
      else json(response, 404, { error: { code: 'ErrorItemNotFound' } });
    };
    const { microsoft } = adapterFor(wire);
    return (await microsoft.probe('ada@south.example', signal)).find((finding) => finding.check === check);
  };

  it('occurrences that name their series by another id than it has', async () => {
    const rows = [{ id: 'O1', type: 'occurrence', seriesMasterId: 'S-changeable', subject: 'Session' }];
    expect(await told('series ids', rows, { id: 'S-immutable', type: 'seriesMaster' })).toMatchObject({
      ok: true,
      finding: expect.stringContaining('another id'),
    });
    expect(await told('series ids', rows, { id: 'S-changeable', type: 'seriesMaster' })).toMatchObject({
      finding: 'series go by immutable ids, too',
    });
    expect(await told('series ids', rows)).toMatchObject({
      ok: false,
      finding: expect.stringMatching('^gone/item_not_found'),
    });
  });

  it('private events without words', async () => {
    const rows = [{ id: 'E1', type: 'singleInstance', sensitivity: 'private', subject: '' }];
    expect(await told('private events', rows)).toMatchObject({
      ok: true,
      finding: 'show no words: tag them by category or mailbox',
    });
  });

  it('a proxy that takes the wish for immutable ids away', async () => {
    expect(await told('immutable ids', [])).toMatchObject({
      ok: false,
      mend: expect.stringContaining('Prefer'),
    });
  });
});
