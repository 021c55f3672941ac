import type { ConferenceParticipant, ConferenceRecord, Harvest } from '../../domain/conference-record.ts';
import { type Failure, failure, isFailure } from '../../domain/failure.ts';
import type { Window } from '../../domain/observation.ts';
import type { EvidenceSource } from '../../ports/evidence-source.ts';
import { participantOf } from './attendance.ts';
import type { Ask, Graph } from './client.ts';
import type { Directory } from './directory.ts';
import { pagesFrom } from './pages.ts';
import { instantOfText } from './time.ts';
import { resourceOf, wireAttendanceRecord, wireMeeting, wireReport, wireReportInFull } from './wire.ts';

/** Graph keeps a meeting's latest reports only; with this many, older ones may have been pushed out. */
const REPORTS_KEPT = 10;

const NOTHING: Harvest = { found: 'nothing' };

type CannotTell = Extract<Harvest, { found: 'cannot_tell' }>['reason'];

/**
 * Reads Teams' attendance reports. They exist once a meeting has ended, and answer its organizer only. Where a right is
 * missing it throws `config`/`policy_missing` or `config`/`directory_denied`, to be asked again.
 */
export function createEvidenceSource(
  settings: { readonly tenant: string },
  graph: Graph,
  directory: Directory,
): EvidenceSource {
  async function organizerId(address: string, joinUrl: string, signal: AbortSignal) {
    const invited = organizerInLink(joinUrl);
    if (invited !== null && isGuid(settings.tenant) && invited.tenant !== settings.tenant.toLowerCase()) {
      return 'unknown';
    }
    const user = await directory.userOf(address, signal);
    if (typeof user !== 'string') return { id: user.id };
    // Without the right to read users, the link itself still names its organizer.
    return user === 'denied' && invited !== null ? { id: invited.organizer } : user;
  }

  /** The reports that overlap the window, without their records. */
  async function reportsOf(meeting: string, window: Window, ask: Ask) {
    const found: { readonly id: string; readonly from: number; readonly until: number }[] = [];
    let listed = 0;
    let earliest = Number.POSITIVE_INFINITY;
    for await (const page of pagesFrom(graph, `${meeting}/attendanceReports`, ask)) {
      for (const row of page.value) {
        const report = resourceOf(wireReport, row);
        const from = instantOfText(report.meetingStartDateTime);
        const until = instantOfText(report.meetingEndDateTime);
        listed += 1;
        // A report without its times is of a call that has not ended.
        if (from === null || until === null) continue;
        earliest = Math.min(earliest, from);
        if (from < window.until && until > window.from) found.push({ id: report.id, from, until });
      }
    }
    return { found, pushedOut: listed >= REPORTS_KEPT && earliest >= window.until };
  }

  async function recordOf(
    meeting: string,
    report: { readonly id: string; readonly from: number; readonly until: number },
    ask: Ask,
  ): Promise<ConferenceRecord> {
    const path = `${meeting}/attendanceReports/${encodeURIComponent(report.id)}?$expand=attendanceRecords`;
    const full = resourceOf(wireReportInFull, (await graph.get(path, ask)).body);
    const records = [...full.attendanceRecords];
    const more = full['attendanceRecords@odata.nextLink'];
    if (more !== undefined) {
      for await (const page of pagesFrom(graph, graph.pathOf(more), ask)) {
        records.push(...page.value.map((row) => resourceOf(wireAttendanceRecord, row)));
      }
    }
    const participants: ConferenceParticipant[] = [];
    for (const record of records) {
      const id = record.identity?.id;
      const user = id && isGuid(id) ? await directory.userOf(id, ask.signal) : undefined;
      participants.push(participantOf(record, user, report.until));
    }
    // Whoever opted out of attendance reports was there without being listed:
    // https://learn.microsoft.com/microsoftteams/teams-analytics-and-reports/meeting-attendance-report
    const isPartial = (full.totalParticipantCount ?? Number.POSITIVE_INFINITY) > records.length;
    return {
      recordId: report.id,
      from: report.from,
      until: report.until,
      participants,
      ...(isPartial && { partial: true }),
    };
  }

  return {
    source: 'teams',
    async read({ organizer, conference, window }, signal) {
      if (conference.kind !== 'teams') return cannotTell('not_found');
      const owner = await organizerId(organizer, conference.key, signal);
      if (owner === 'unknown') return cannotTell('external_organizer');
      if (owner === 'denied') throw ungranted('directory_denied');
      const ask = { mailbox: organizer, signal };
      const meetings = `/users/${encodeURIComponent(owner.id)}/onlineMeetings`;
      try {
        const id = await meetingIdOf(graph, meetings, conference.key, ask);
        if (id === null) return cannotTell('not_found');
        const meeting = `${meetings}/${encodeURIComponent(id)}`;
        const { found, pushedOut } = await reportsOf(meeting, window, ask);
        if (pushedOut) return cannotTell('expired');
        const records: ConferenceRecord[] = [];
        for (const report of found) records.push(await recordOf(meeting, report, ask));
        // A report read too early is empty, and nobody could tell it from a call that nobody joined.
        const told = records.filter((record) => record.participants.length > 0);
        return told.length > 0 ? { found: 'records', records: told } : NOTHING;
      } catch (error) {
        // A refusal that a proxy made up is of another kind: only Graph's own word counts.
        if (isFailure(error) && error.code === 'access_denied')
          throw ungranted('policy_missing', error.detail);
        if (!isFailure(error, 'gone') || error.code === 'cursor_lost') throw error;
        // The meeting is not this organizer's, or not any more.
        directory.forget(organizer);
        return cannotTell('not_found');
      }
    },
  };
}

function cannotTell(reason: CannotTell): Harvest {
  return { found: 'cannot_tell', reason };
}

/**
 * A right that may be given any day, and takes half an hour to work once it was
 * (https://learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy). Taken for Graph's last
 * word, it would cost every session that ended before.
 */
function ungranted(code: 'policy_missing' | 'directory_denied', detail?: string): Failure {
  return failure.config(code, { provider: 'microsoft', status: 403, detail });
}

/**
 * The meeting behind a join URL. The filter wants the URL byte for byte; it holds escapes of its own already
 * (`%3a`, `%40`), which are escaped once more on the way.
 */
async function meetingIdOf(
  graph: Graph,
  meetings: string,
  joinUrl: string,
  ask: Ask,
): Promise<string | null> {
  const filter = `JoinWebUrl eq '${joinUrl.replaceAll("'", "''")}'`;
  const path = `${meetings}?$filter=${encodeURIComponent(filter)}`;
  for await (const page of pagesFrom(graph, path, ask)) {
    const [first] = page.value;
    if (first !== undefined) return resourceOf(wireMeeting, first).id;
  }
  return null;
}

/** `...?context={"Tid":"<tenant>","Oid":"<organizer's object id>"}`, in links of the long form. */
function organizerInLink(joinUrl: string): { readonly tenant: string; readonly organizer: string } | null {
  const context = URL.parse(joinUrl)?.searchParams.get('context') ?? '';
  const tenant = /"Tid"\s*:\s*"([^"]+)"/.exec(context)?.[1]?.toLowerCase();
  const organizer = /"Oid"\s*:\s*"([^"]+)"/.exec(context)?.[1]?.toLowerCase();
  return tenant && organizer && isGuid(tenant) && isGuid(organizer) ? { tenant, organizer } : null;
}

function isGuid(value: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}
