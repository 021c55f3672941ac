-- Why: every mail carries a link that ends the mails of its program, and that choice has to be kept.
-- Lock cost: a new, empty table.

create table cadenced.mail_opt_out (
  person_id bigint not null references cadenced.person on delete cascade,
  program_id bigint not null references cadenced.program on delete cascade,
  since timestamptz not null,
  primary key (person_id, program_id)
);
comment on table cadenced.mail_opt_out is 'Who wants no mails from a program. A row ends reminders, questions, nudges and alerts; the coordinator''s digest is no one''s subscription and goes on.';
comment on column cadenced.mail_opt_out.person_id is 'Who.';
comment on column cadenced.mail_opt_out.program_id is 'From which program.';
comment on column cadenced.mail_opt_out.since is 'Since when (business time).';
