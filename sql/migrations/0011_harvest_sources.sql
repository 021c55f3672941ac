-- Why: the administrator's log of Meet is asked only where it was set up; elsewhere nobody may wait for it.
-- Lock cost: none, it makes a new table.

create table cadenced.harvest_source (
  source text primary key constraint harvest_source_may_be_set_up check (source in ('reports'))
);
comment on table cadenced.harvest_source is 'Sources of evidence that are asked only where they are set up. Written at every start.';
comment on column cadenced.harvest_source.source is 'reports: the administrator''s log of Meet calls.';
