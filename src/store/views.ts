import pg, { type ClientBase } from 'pg';
import { problem } from './problem.ts';
import { type SqlFile, sha256 } from './sql-files.ts';

/** Schemas in which the files of sql/views may make views and functions. */
const SCHEMAS = ['cadenced', 'mentoring'];

/** What stood on our views and must stand again: an administrator's own views and the grants given by hand. */
export type Keepsake = {
  readonly views: readonly string[];
  readonly grants: readonly string[];
};

/** One hash for the whole set: views depend on each other, so they are made anew together. */
export function viewSetHash(files: readonly SqlFile[]): string {
  return sha256(files.map((file) => `${file.name}\n${file.sha256}\n`).join(''));
}

export async function appliedViewSet(client: ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ sha256: string }>('select sha256 from cadenced.view_set');
  return rows[0]?.sha256;
}

/**
 * Drops what sql/views made last time (exactly that: its list is kept) and returns what has to be put back around
 * the new set. Views of an administrator that read ours would make the drop fail, or vanish with `cascade`; both
 * are wrong, so their definitions are taken along. Throws when something else depends on them.
 */
export async function dropViewSet(client: ClientBase): Promise<Keepsake> {
  const { rows } = await client.query<{ objects: string[] }>('select objects from cadenced.view_set');
  const made = new Set(rows[0]?.objects ?? []);
  const present = (await listObjects(client)).filter((object) => made.has(object.identity));
  if (present.length === 0) return { views: [], grants: [] };
  const keepsake = await collectKeepsake(client, present);
  for (const { kind, identity } of present) {
    // Anything outside the set was found above; inside it `cascade` only spares us the order.
    await client.query(`drop ${kind} if exists ${identity} cascade`);
  }
  await client.query('delete from cadenced.view_set');
  return keepsake;
}

/** Runs the files, puts the keepsake back, and records the set. `run` executes one file. */
export async function createViewSet(
  client: ClientBase,
  files: readonly SqlFile[],
  keepsake: Keepsake,
  run: (file: SqlFile) => Promise<void>,
): Promise<void> {
  const before = new Set((await listObjects(client)).map((object) => object.identity));
  for (const file of files) await run(file);
  const made = (await listObjects(client)).map((object) => object.identity).filter((it) => !before.has(it));
  for (const statement of keepsake.views) await putBackView(client, statement);
  for (const statement of keepsake.grants) await putBackGrant(client, statement);
  await client.query('insert into cadenced.view_set (sha256, objects) values ($1, $2)', [
    viewSetHash(files),
    made,
  ]);
}

type ViewOrFunction = {
  readonly classid: number;
  readonly oid: number;
  readonly kind: 'view' | 'materialized view' | 'function' | 'procedure';
  readonly identity: string;
};

async function listObjects(client: ClientBase): Promise<ViewOrFunction[]> {
  const { rows } = await client.query<ViewOrFunction>(
    `select 'pg_catalog.pg_class'::regclass::oid::int4 as classid, c.oid::int8 as oid,
            case c.relkind when 'm' then 'materialized view' else 'view' end as kind,
            format('%I.%I', n.nspname, c.relname) as identity
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any ($1) and c.relkind in ('v', 'm')
     union all
     select 'pg_catalog.pg_proc'::regclass::oid::int4, p.oid::int8,
            case p.prokind when 'p' then 'procedure' else 'function' end,
            format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
       from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where n.nspname = any ($1) and p.prokind in ('f', 'p')
     order by 4`,
    [SCHEMAS],
  );
  return rows;
}

type Dependent = {
  readonly description: string;
  readonly definition: string | null;
};

/**
 * Everything that reads the set from outside, nearest first. A view depends on another through its rewrite rule,
 * and on a row type through pg_type, so both are walked.
 */
const DEPENDENTS = `
  with recursive reached (classid, objid, depth) as (
    select * from unnest($1::int8[]::oid[], $2::int8[]::oid[], array_fill(0, array[cardinality($1::int8[])]))
    union
    select case when r.oid is null then d.classid else 'pg_catalog.pg_class'::regclass::oid end,
           coalesce(r.ev_class, d.objid), reached.depth + 1
      from reached
      join pg_catalog.pg_depend d on d.refclassid = reached.classid and d.refobjid = reached.objid
      left join pg_catalog.pg_rewrite r on d.classid = 'pg_catalog.pg_rewrite'::regclass and r.oid = d.objid
     where d.deptype in ('n', 'a', 'i') and reached.depth < 50
       and coalesce(r.ev_class, d.objid) <> reached.objid
  ), outside as (
    select classid, objid, max(depth) as depth from reached
     where (classid, objid) not in (select * from unnest($1::int8[]::oid[], $2::int8[]::oid[]))
     group by 1, 2
  )
  select pg_describe_object(o.classid, o.objid, 0) as description,
         case when c.relkind = 'v' then format('create view %I.%I%s as %s', n.nspname, c.relname,
           ' with (' || array_to_string(c.reloptions, ', ') || ')', pg_get_viewdef(c.oid)) end as definition,
         o.classid::int8, o.objid::int8
    from outside o
    left join pg_catalog.pg_class c on o.classid = 'pg_catalog.pg_class'::regclass and c.oid = o.objid
    left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join pg_catalog.pg_trigger t on o.classid = 'pg_catalog.pg_trigger'::regclass and t.oid = o.objid
    left join pg_catalog.pg_attrdef a on o.classid = 'pg_catalog.pg_attrdef'::regclass and a.oid = o.objid
   where o.classid <> 'pg_catalog.pg_type'::regclass
     and not coalesce(coalesce(t.tgrelid, a.adrelid) = any ($2::int8[]::oid[]), false)
   order by o.depth, 1`;

async function collectKeepsake(client: ClientBase, set: readonly ViewOrFunction[]): Promise<Keepsake> {
  const oids = set.map((object) => object.oid);
  const { rows } = await client.query<Dependent & { objid: number }>(DEPENDENTS, [
    set.map((object) => object.classid),
    oids,
  ]);
  const stuck = rows.filter((dependent) => dependent.definition === null);
  if (stuck.length > 0) {
    throw problem(
      'config',
      'views_in_use',
      `The views of cadenced have to be renewed, but something stands on them that cannot be put back by itself: ` +
        `${stuck.map((dependent) => dependent.description).join('; ')}. Drop it, start again, then make it anew.`,
    );
  }
  const views = rows.map((dependent) => dependent.definition ?? '');
  const outside = rows.map((dependent) => dependent.objid);
  const restored = await client.query<{ statement: string }>(
    `select format('alter view %I.%I owner to %I', n.nspname, c.relname, o.rolname) as statement
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       join pg_catalog.pg_roles o on o.oid = c.relowner where c.oid = any ($1::int8[]::oid[])
     union all
     select format('comment on view %I.%I is %L', n.nspname, c.relname, obj_description(c.oid, 'pg_class'))
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.oid = any ($1::int8[]::oid[]) and obj_description(c.oid, 'pg_class') is not null`,
    [outside],
  );
  const grants = await client.query<{ statement: string }>(
    `select format('grant %s on %s to %I%s', g.privilege_type, g.target, r.rolname,
                   case when g.is_grantable then ' with grant option' else '' end) as statement
       from (select a.*, c.oid = any ($2::int8[]::oid[]) as ours, c.relowner as owner,
                    format('table %I.%I', n.nspname, c.relname) as target
               from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace,
                    aclexplode(c.relacl) a where c.oid = any ($1::int8[]::oid[])
             union all
             select a.*, true, p.proowner, format('routine %I.%I(%s)', n.nspname, p.proname,
                                            pg_get_function_identity_arguments(p.oid))
               from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace,
                    aclexplode(p.proacl) a where p.oid = any ($1::int8[]::oid[])) g
       join pg_catalog.pg_roles r on r.oid = g.grantee
      -- Our own roles get what the files of today say, not what those of yesterday said.
      where g.grantee <> g.owner and not (g.ours and r.rolname ^@ 'mentoring_')
      order by 1`,
    [[...oids, ...outside], oids],
  );
  return {
    views,
    grants: [...restored.rows, ...grants.rows].map((row) => row.statement),
  };
}

async function putBackView(client: ClientBase, statement: string): Promise<void> {
  try {
    await client.query(statement);
  } catch (error) {
    const name = /^create view (\S+)/.exec(statement)?.[1] ?? 'a view';
    throw problem(
      'config',
      'dependent_view_broken',
      `The view ${name} reads views of cadenced and no longer fits their new form ` +
        `(${error instanceof pg.DatabaseError ? error.message : 'unknown error'}). Drop it, start again, then make ` +
        'it anew. Nothing was changed.',
      error,
    );
  }
}

/** A grant on something that the new set no longer has is let go. */
async function putBackGrant(client: ClientBase, statement: string): Promise<void> {
  await client.query('savepoint put_back');
  try {
    await client.query(statement);
  } catch {
    await client.query('rollback to savepoint put_back');
  }
  await client.query('release savepoint put_back');
}
