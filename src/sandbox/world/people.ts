import type { Person, PersonState } from './types.ts';
import type { World } from './world.ts';

/** An account changes: suspended, its mailbox gone, its consent withdrawn, or well again. */
export function setPersonState(world: World, args: { person: string; state: PersonState }): void {
  world.person(args.person).state = args.state;
}

/** Renames a mailbox: the new address becomes the primary one, the old one an alias. */
export function renameAddress(world: World, args: { person: string; address: string }): void {
  const person = world.person(args.person);
  person.addresses = [args.address, ...person.addresses.filter((known) => known !== args.address)];
}

/** Lets one person read another's calendar, with less than an owner's eyes when `accessRole` says so. */
export function shareCalendar(
  world: World,
  args: { owner: string; reader: string; accessRole?: Person['accessRole'] },
): void {
  const owner = world.person(args.owner);
  owner.sharedWith.push(world.person(args.reader).id);
  owner.accessRole = args.accessRole ?? owner.accessRole;
}
