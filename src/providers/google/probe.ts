import { asFailure, type Failure } from '../../domain/failure.ts';
import type { Call, GoogleClient } from './client.ts';
import { type Purpose, SCOPES } from './credentials.ts';
import { readActivities, readConferenceRecords, readDirectoryAddresses, readEventsPage } from './wire.ts';

/** One thing that was tried, in words for an administrator. */
export interface ProbeFinding {
  readonly check: string;
  readonly ok: boolean;
  readonly finding: string;
  /** What to do about it; empty when there is nothing to do. */
  readonly mend: string;
}

/** As the Cloud console lists them, where each is enabled by its name. */
const API_NAMES: { readonly [P in Purpose]: string } = {
  calendar: 'Google Calendar API',
  meet: 'Google Meet API',
  directory: 'Admin SDK API',
  reports: 'Admin SDK API',
};

const DELEGATION = 'Admin console > Security > API controls > Domain-wide delegation';

/** Tries each API once in the name of `address`. Never throws for what Google refuses. */
export async function probe(
  client: GoogleClient,
  {
    adminSubject,
    clientId,
  }: { readonly adminSubject: string | undefined; readonly clientId: string | undefined },
  address: string,
  signal: AbortSignal,
): Promise<ProbeFinding[]> {
  const calendar: Call<string> = {
    operation: 'events.list',
    purpose: 'calendar',
    subject: address,
    send: (apis, identity, options) =>
      apis.calendar.events.list({ calendarId: 'primary', maxResults: 1, ...identity }, options),
    read: (body) => `readable as ${readEventsPage(body, 'events.list', false).accessRole ?? 'unknown role'}`,
  };
  const meet: Call<string> = {
    operation: 'conferenceRecords.list',
    purpose: 'meet',
    subject: address,
    send: (apis, identity, options) =>
      apis.meet.conferenceRecords.list({ pageSize: 1, ...identity }, options),
    read: (body) => `${readConferenceRecords(body).entries.length > 0 ? 'some' : 'no'} records yet, readable`,
  };
  const directory: Call<string> = {
    operation: 'users.get',
    purpose: 'directory',
    subject: adminSubject ?? address,
    send: (apis, identity, options) =>
      apis.directory.users.get(
        {
          userKey: address,
          viewType: adminSubject === undefined ? 'domain_public' : 'admin_view',
          ...identity,
        },
        options,
      ),
    read: (body) => `found with ${readDirectoryAddresses(body).length} address(es)`,
  };
  const reports = (subject: string): Call<string> => ({
    operation: 'activities.list',
    purpose: 'reports',
    subject,
    send: (apis, identity, options) =>
      apis.reports.activities.list(
        { userKey: 'all', applicationName: 'meet', eventName: 'call_ended', maxResults: 1, ...identity },
        options,
      ),
    read: (body) => `${readActivities(body).entries.length > 0 ? 'some' : 'no'} calls yet, readable`,
  });
  const tried = async (check: string, call: Call<string>): Promise<ProbeFinding> => {
    try {
      return { check, ok: true, finding: await client.perform(call, signal), mend: '' };
    } catch (error) {
      const failed = asFailure(error);
      return {
        check,
        ok: false,
        finding: findingOf(failed),
        mend: mendOf(failed, call, adminSubject, clientId),
      };
    }
  };
  return Promise.all([
    tried('google calendar', calendar),
    tried('google meet records', meet),
    tried('google directory', directory),
    // Without an administrator the log is not asked.
    ...(adminSubject === undefined ? [] : [tried('google reports', reports(adminSubject))]),
  ]);
}

function findingOf(failed: Failure): string {
  const status = failed.status === undefined ? '' : `, HTTP ${failed.status}`;
  return `${failed.code.replaceAll('_', ' ')} (${failed.kind}${status})`;
}

function mendOf(
  failed: Failure,
  call: Call<string>,
  adminSubject: string | undefined,
  clientId: string | undefined,
): string {
  switch (failed.code) {
    case 'delegation_missing':
    case 'scope_missing':
      return `In ${DELEGATION}, authorise the service account's client id${clientId === undefined ? '' : ` ${clientId}`} for ${SCOPES[call.purpose]}; a grant may take minutes to reach every server.`;
    case 'policy_refused':
      return 'An organisation policy restricts this application: mark it as trusted under API controls.';
    case 'api_not_enabled':
      return `Enable the ${API_NAMES[call.purpose]} in the service account's Google Cloud project (APIs & Services > Library); it may take minutes.`;
    case 'quota_exhausted':
      return `The project's quota is used up: what waits for it is tried again by itself in an hour. If it happens again, have the quota of the ${API_NAMES[call.purpose]} raised (APIs & Services > Quotas).`;
    case 'key_refused':
      return 'The key of the service account was deleted or replaced: create a new one and mount it.';
    case 'clock_skew':
      return "This machine's clock is wrong by minutes: synchronise it.";
    case 'account_unknown':
      if (call.subject === adminSubject)
        return `CADENCED_GOOGLE_ADMIN_SUBJECT names ${call.subject}, which is no live primary address of the Workspace domain.`;
      return `${call.subject} is no live primary address of the Workspace domain: check the roster for an alias, a leaver or a suspended account.`;
    case 'token_refused':
      return call.purpose === 'reports'
        ? `Give ${call.subject} an administrator role with the privilege Reports (Admin console > Account > Admin roles).`
        : 'The token was refused although it is new: check that the key and the project belong together.';
    case 'not_a_calendar_user':
      return `Turn the Calendar service on for ${call.subject}.`;
    case 'forbidden':
      return call.purpose === 'reports'
        ? `Give ${call.subject} an administrator role with the privilege Reports (Admin console > Account > Admin roles).`
        : `${call.subject} has no right to this; for the Directory, set CADENCED_GOOGLE_ADMIN_SUBJECT to an administrator.`;
    case 'certificate_untrusted':
      return 'A proxy or a private endpoint shows a certificate this machine does not trust: add its authority to NODE_EXTRA_CA_CERTS.';
    default:
      return failed.kind === 'transient' || failed.kind === 'throttled'
        ? 'Try again in some minutes.'
        : 'Look the code up in the error guide of Google Calendar.';
  }
}
