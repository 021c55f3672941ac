import type { FastifyInstance } from 'fastify';
import type { Person } from '../world/types.ts';
import { authorise } from './access.ts';
import type { GoogleContext } from './context.ts';
import { refuse } from './errors.ts';

interface UserPath {
  userKey: string;
}

/** The Admin SDK's users.get: by primary address, alias or numeric id, for people of the organisation only. */
export function registerDirectory(app: FastifyInstance, context: GoogleContext): void {
  app.get<{ Params: UserPath; Querystring: { viewType?: string } }>(
    '/admin/directory/v1/users/:userKey',
    async (request) => {
      const reader = authorise(context, request, 'directory');
      const isAdmin = context.adminSubject === null || reader?.addresses.includes(context.adminSubject);
      if (isAdmin !== true && request.query.viewType !== 'domain_public') {
        return refuse({
          status: 403,
          reason: 'forbidden',
          message: 'Not Authorized to access this resource/api',
        });
      }
      const person = context.world.findPerson(request.params.userKey);
      if (person === undefined || person.provider !== 'google') {
        return refuse({ status: 404, reason: 'notFound', message: 'Resource Not Found: userKey' });
      }
      return userResource(person);
    },
  );
}

function userResource(person: Person): unknown {
  const [given = '', ...family] = person.name.split(' ');
  const [primary, ...aliases] = person.addresses;
  return {
    kind: 'admin#directory#user',
    id: person.providerUserId,
    etag: `"${person.providerUserId}/${person.addresses.length}"`,
    primaryEmail: primary,
    name: { givenName: given, familyName: family.join(' '), fullName: person.name },
    isAdmin: false,
    suspended: person.state === 'suspended',
    emails: person.addresses.map((address, index) =>
      index === 0 ? { address, primary: true } : { address },
    ),
    ...(aliases.length > 0 ? { aliases } : {}),
    customerId: 'C0sandbox',
    orgUnitPath: '/',
    isMailboxSetup: person.state !== 'no_mailbox',
  };
}
