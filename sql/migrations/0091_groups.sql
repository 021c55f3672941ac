-- Why: people are invited by the address of a group (a distribution list) they belong to. Neither provider says of an
-- address that it is one, so the roster does; who was reached that way is invited, and never proven absent by a record.
-- Lock cost: a new column with a constant default (no rewrite), a new table.

create table cadenced.group_address (
  address text not null constraint group_address_is_lower_case check (address = lower(address)),
  person_id bigint not null references cadenced.person on delete cascade,
  primary key (address, person_id)
);
create index group_address_by_person on cadenced.group_address (person_id);
comment on table cadenced.group_address is 'Addresses of groups, and who of the roster they reach. The roster gives them as aliases with group: before them.';
comment on column cadenced.group_address.address is 'Lower-case address of the group; reaches any number of people.';
comment on column cadenced.group_address.person_id is 'Somebody it reaches.';

alter table cadenced.participant add column by_group boolean not null default false;
comment on column cadenced.participant.by_group is 'Invited by the address of a group they belong to, and not by name: a record that lacks them proves nothing about them.';
