-- Roles for people and programs that read or write through schema mentoring. They cannot sign in: grant them to the
-- users who do, for example: grant mentoring_reader to grafana.
-- Roles belong to the whole server, so a careful administrator may prefer to run this by hand.
create role mentoring_reader nologin;
create role mentoring_planner nologin;
create role mentoring_evidence nologin;
