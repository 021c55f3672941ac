import type { ConferenceParticipant } from '../../domain/conference-record.ts';
import { type FailureKind, isFailure } from '../../domain/failure.ts';
import type { Log } from '../../runtime/log.ts';
import type { GoogleClient } from './client.ts';
import { normalisedAddress } from './reading.ts';
import { readDirectoryAddresses } from './wire.ts';

/** Finds the addresses behind Meet's user ids: Meet itself never names one. */
export interface Directory {
  /**
   * @param user Meet's name of an account, `users/1234`
   * @param organizer in whose name to ask where no administrator is set
   * @returns lower-case addresses, the primary one first; none for people outside the domain and where we may not ask,
   * which `withheld` says by the code of the refusal
   * @throws Failure `transient`, `throttled` or `auth`/`token_refused`: asked again, there may be an answer
   */
  addressesOf(
    user: string,
    organizer: string,
    signal: AbortSignal,
  ): Promise<Pick<ConferenceParticipant, 'addresses' | 'withheld'>>;
}

/** People keep their addresses for years; a bound keeps a large domain from growing the process. */
const REMEMBERED = 10_000;
const UNIDENTIFIED: ReadonlySet<FailureKind> = new Set(['gone', 'config', 'auth', 'permanent']);

/**
 * @param adminSubject an administrator whose view of the domain includes aliases; without one the organizer asks,
 * who sees the public view (https://developers.google.com/workspace/admin/directory/v1/guides/manage-users)
 */
export function createDirectory(client: GoogleClient, adminSubject: string | undefined, log: Log): Directory {
  const known = new Map<string, readonly string[]>();
  return {
    async addressesOf(user, organizer, signal) {
      const remembered = known.get(user);
      if (remembered !== undefined) return { addresses: remembered };
      try {
        const addresses = await client.perform(
          {
            operation: 'users.get',
            purpose: 'directory',
            subject: adminSubject ?? organizer,
            send: (apis, identity, options) =>
              apis.directory.users.get(
                {
                  userKey: user.replace(/^users\//, ''),
                  viewType: adminSubject === undefined ? 'domain_public' : 'admin_view',
                  fields: 'primaryEmail,aliases,nonEditableAliases',
                  ...identity,
                },
                options,
              ),
            read: readDirectoryAddresses,
          },
          signal,
        );
        const normalised = [...new Set(addresses.map(normalisedAddress))];
        if (known.size >= REMEMBERED) known.clear();
        known.set(user, normalised);
        return { addresses: normalised };
      } catch (error) {
        // Strangers are unknown to the Directory, and it may be closed to us. Both leave a person unidentified, which
        // the evidence says; neither is remembered, since an administrator can mend the second.
        if (!isFailure(error) || !UNIDENTIFIED.has(error.kind) || error.code === 'token_refused') throw error;
        const { kind, code } = error;
        if (kind === 'config' || kind === 'auth' || code === 'account_unknown')
          return { addresses: [], withheld: code };
        if (code !== 'not_found') log.warn({ kind, code }, 'google directory does not name a participant');
        return { addresses: [] };
      }
    },
  };
}
