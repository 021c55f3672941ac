-- Why: Outlook shows the organizer's own copy as they left it, also where they have sent the change to nobody. Such a copy
-- stands, but what it says of time and people was agreed by no one.
-- Lock cost: a new column with a constant default (no rewrite).

alter table cadenced.event_copy add column unsent boolean not null default false;
comment on column cadenced.event_copy.unsent is 'The organizer changed or made it and has sent it to nobody yet (Outlook''s isDraft): it tells nothing that was agreed.';
