import type { Person } from '../world/types.ts';
import type { World } from '../world/world.ts';
import type { Row } from './event-rows.ts';
import { refusals } from './graph-errors.ts';
import { type GraphServer, namedPerson, readableMailbox } from './graph-server.ts';
import { contextOf, pageOf, select } from './odata.ts';
import { windowsZone } from './preferences.ts';

/** Adds the directory and the mailbox settings. */
export function addPeopleRoutes(server: GraphServer, world: World): void {
  server.get('/users', false, (request) => {
    const people = [...world.people.values()].filter((person) => person.provider === 'microsoft');
    const filter = request.query.get('$filter');
    const wanted = filter === undefined ? null : addressesIn(filter);
    const rows = people
      .filter((person) => wanted === null || person.addresses.some((one) => wanted.has(one.toLowerCase())))
      .map((person) => select(userRow(person), request.query));
    return pageOf(rows, request);
  });

  server.get('/users/:user', false, (request) => {
    const person = namedPerson(world, request.user);
    if (person === null) throw refusals.userUnknown(request.user);
    return { '@odata.context': `${contextOf(request)}/$entity`, ...select(userRow(person), request.query) };
  });

  server.get('/users/:user/mailboxSettings', true, (request) => {
    const person = readableMailbox(world, request.user);
    const zone = windowsZone(person.zone);
    const settings = {
      archiveFolder: 'AAMkAArchive=',
      timeZone: zone,
      delegateMeetingMessageDeliveryOptions: 'sendToDelegateOnly',
      dateFormat: 'yyyy-MM-dd',
      timeFormat: 'HH:mm',
      userPurpose: { value: 'user' },
      automaticRepliesSetting: { status: 'disabled', externalAudience: 'all' },
      language: { locale: 'en-GB', displayName: 'English (United Kingdom)' },
      workingHours: {
        daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
        startTime: '09:00:00.0000000',
        endTime: '17:00:00.0000000',
        timeZone: { name: zone },
      },
    };
    return { '@odata.context': contextOf(request), ...select(settings, request.query) };
  });
}

function userRow(person: Person): Row {
  const [primary = '', ...aliases] = person.addresses;
  const [given = '', ...family] = person.name.split(' ');
  return {
    id: person.objectId,
    userPrincipalName: primary,
    displayName: person.name,
    givenName: given,
    surname: family.join(' '),
    mail: primary,
    // The primary address is marked by capitals, which is all that sets it apart.
    proxyAddresses: [`SMTP:${primary}`, ...aliases.map((alias) => `smtp:${alias}`)],
    otherMails: [],
    accountEnabled: person.state !== 'suspended',
    preferredLanguage: null,
  };
}

/** The addresses a filter such as `mail eq 'a' or proxyAddresses/any(p:p eq 'smtp:a')` names. */
function addressesIn(filter: string): ReadonlySet<string> {
  const known =
    /^(?:[\s()]|\b(?:or|eq|mail|userPrincipalName|proxyAddresses\/any|[a-z]\s*:\s*[a-z])\b|'(?:[^']|'')*')*$/i;
  if (!known.test(filter)) throw refusals.badRequest('Unsupported or invalid query filter clause specified.');
  const literals = [...filter.matchAll(/'((?:[^']|'')*)'/g)].map(([, text = '']) =>
    text.replaceAll("''", "'"),
  );
  return new Set(literals.map((text) => text.replace(/^smtp:/i, '').toLowerCase()));
}
