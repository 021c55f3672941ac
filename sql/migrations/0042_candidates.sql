-- Why: untagged events that hold both sides of a mentorship are listed where a program asks for it. They are found
-- while a calendar is read and take effect with its pass, like everything else; occurrences of a series are known by it.
-- Lock cost: a column without a rewrite; one check of the staged rows, which are few.

alter table cadenced.candidate_event add column series_id text;
comment on column cadenced.candidate_event.series_id is 'The provider''s id of the series; NULL for a single event.';

alter table cadenced.staged_copy drop constraint staged_copy_kind_is_known;
alter table cadenced.staged_copy
  add constraint staged_copy_kind_is_known check (kind in ('copy', 'removed', 'candidate'));
comment on column cadenced.staged_copy.kind is 'copy (an event as it stands), removed (an id that is gone) or candidate (an untagged event with the mentorships whose sides it holds; with none it is a candidate no more).';
comment on column cadenced.staged_copy.payload is 'The observation without its text; of a candidate only mentorships, start and end.';
