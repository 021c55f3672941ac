-- Last, because it lists what stands before it.

create view mentoring.metric_dictionary as
select relation.relname::text as view, coalesce(attribute.attname::text, '') as column_name,
       coalesce(description.description, '') as definition
  from pg_catalog.pg_class relation
  join pg_catalog.pg_namespace namespace on namespace.oid = relation.relnamespace and namespace.nspname = 'mentoring'
 cross join lateral (
   select 0::int2 as attnum, null::name as attname
    union all
   select column_of.attnum, column_of.attname from pg_catalog.pg_attribute column_of
    where column_of.attrelid = relation.oid and column_of.attnum > 0 and not column_of.attisdropped
 ) as attribute
  left join pg_catalog.pg_description description
    on description.objoid = relation.oid and description.objsubid = attribute.attnum
   and description.classoid = 'pg_catalog.pg_class'::regclass
 where relation.relkind = 'v'
 order by relation.relname, attribute.attnum;
comment on view mentoring.metric_dictionary is 'What every view and every column means, taken from the database itself.';
comment on column mentoring.metric_dictionary.view is 'Name of the view.';
comment on column mentoring.metric_dictionary.column_name is 'Name of the column; empty for the view as a whole.';
comment on column mentoring.metric_dictionary.definition is 'What it means.';
