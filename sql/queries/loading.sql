-- name: lock_load
-- One load at a time for a data set: true when the lock is ours until the transaction ends.
select pg_try_advisory_xact_lock(hashtextextended('chengtu load ' || %(id)s, 0)) as ours

-- name: straighten
-- Geometries (WKB) without arcs, triangulated surfaces and the like, all with the wanted ordinates, in their order.
select
    case when g.geom is not null then
        st_asbinary(case %(ordinates)s
            when 'ZM' then st_force4d(g.geom)
            when 'Z' then st_force3dz(g.geom)
            when 'M' then st_force3dm(g.geom)
            else st_force2d(g.geom)
        end, 'NDR')
    end as wkb
from unnest(%(wkb)s::bytea[]) with ordinality as source (wkb, row)
cross join lateral (select st_geomfromwkb(source.wkb) as geom) as raw
cross join lateral (
    select case
        when geometrytype(raw.geom) in ('TIN', 'POLYHEDRALSURFACE') then (
            select st_collect(st_makepolygon(st_exteriorring(part.geom)))
            from st_dump(raw.geom) as part
        )
        when geometrytype(raw.geom) = 'TRIANGLE' then st_makepolygon(st_exteriorring(raw.geom))
        when st_hasarc(raw.geom) or geometrytype(raw.geom) in (
            'COMPOUNDCURVE', 'CIRCULARSTRING', 'CURVEPOLYGON', 'MULTICURVE', 'MULTISURFACE'
        ) then st_curvetoline(raw.geom, %(tolerance)s, 1, 0)
        else raw.geom
    end as geom
) as g
order by source.row

-- name: create_parent
-- The table that readers see: its columns, and no rows of its own.
create table {table} ({columns}, ct_release bigint not null) partition by list (ct_release)

-- name: create_staging
-- The table of one release, filled before anyone sees it; its check lets it be attached without a scan.
create table {staging} ({columns}, ct_release bigint not null default {release}, check (ct_release = {release}))

-- name: clearance_column
-- How far the parts of a polygon are from each other: computed at each change, by whomever it is made.
{name} real generated always as (chengtu.clearance(geom)) stored

-- name: add_clearance
-- Compute it for all rows.
alter table {table} add column {column}

-- name: drop_clearance
-- Let it go, since the type of a column that another is computed from cannot change.
alter table {table} drop column if exists ct_clear

-- name: copy_staging
-- The fast road in: rows in binary, frozen, since nobody else can see the table yet.
copy {staging} ({columns}) from stdin with (format binary, freeze)

-- name: widen_staging
-- Give the geometries of a release a further ordinate (Z or M, zero where unknown).
alter table {staging} alter column geom type {type} using {force}(geom)

-- name: duplicate_keys
-- How many rows lack the key or share it with another, and a few of those values.
select
    coalesce(sum(n), 0)::bigint as rows,
    (array_agg(key order by n desc, key))[1:5] as examples
from (
    select
        {key}::text as key,
        count(*) as n
    from {staging}
    group by {key}
    having count(*) > 1 or {key} is null
) as d

-- name: staged_extent
-- The extent of a release in its own CRS (x east, y north), and how many rows it has.
select
    count(*) as rows,
    st_xmin(st_extent(geom)) as xmin,
    st_ymin(st_extent(geom)) as ymin,
    st_xmax(st_extent(geom)) as xmax,
    st_ymax(st_extent(geom)) as ymax
from {staging}

-- name: find_difference
-- What tells a release from the one being served, by key.
create temporary table {difference} on commit drop as
select
    coalesce(old.{key}, new.{key}) as key,
    case
        when old.{key} is null then 'I'
        when new.{key} is null then 'D'
        else 'U'
    end as op
from {old} as old
full join {staging} as new on old.{key} = new.{key}
where old.{key} is null or new.{key} is null or ({old_values}) is distinct from ({new_values})

-- name: count_difference
-- How many features a release adds, removes and changes.
select
    count(*) filter (where d.op = 'I') as added,
    count(*) filter (where d.op = 'D') as removed,
    count(*) filter (where d.op = 'U') as changed
from {difference} as d

-- name: log_difference
-- Write down what a release changes, feature by feature.
insert into chengtu.change_log (dataset, release, change, ordinal, op, key, old_box, new_box)
select
    {id},
    {release},
    0,
    row_number() over (),
    d.op,
    chengtu.key_text(d.key),
    chengtu.degrees_box(old.geom),
    chengtu.degrees_box(new.geom)
from {difference} as d
left join {old} as old on d.key = old.{key}
left join {staging} as new on d.key = new.{key}

-- name: forget_difference
-- Take back what was written down of a release.
delete from chengtu.change_log where dataset = %(id)s and release = %(release)s

-- name: log_release
-- Write down that everything must be read anew.
insert into chengtu.change_log (dataset, release, change, ordinal, op) values (%(id)s, %(release)s, 0, 1, 'R')

-- name: relation_columns
-- The columns of a table by name, with their types as PostgreSQL writes them; none when there is no such table.
select
    a.attname as name,
    format_type(a.atttypid, a.atttypmod) as type
from pg_attribute as a
where a.attrelid = to_regclass(%(table)s) and a.attnum > 0 and not a.attisdropped
order by a.attnum

-- name: partitions
-- The releases attached to a data set's table: one, but for a table made by hand.
select i.inhrelid::regclass::text as name
from pg_inherits as i
where i.inhparent = to_regclass(%(table)s)

-- name: drop_staging
-- Throw away a staging table whose rows are being served already.
drop table {staging}

-- name: staged_times
-- The first and the last moment of a release's time column, in UTC; null where it has none.
select case when min({time}) is not null then array[min({time})::timestamptz, max({time})::timestamptz] end as times
from {staging}

-- name: allow_search
-- What the index of words anywhere in texts is made by; its creation is any database owner's right.
create extension if not exists pg_trgm

-- name: search_index
-- The index of words anywhere in the texts of a release.
create index if not exists {name} on {release} using gin ({text} gin_trgm_ops)

-- name: change_number
-- How often features of a data set have changed since its release was loaded, and how often by hand.
select
    d.change,
    d.change - d.amended as edits
from chengtu.dataset as d
where d.id = %(id)s

-- name: watch
-- Note every change of a new data set's table from now on.
select chengtu.watch(%(table)s::regclass)

-- name: forget_refused
-- Drop the refused geometries of the release before.
delete from chengtu.refused_geometry where dataset = %(id)s

-- name: keep_refused
-- Keep a geometry that could not be stored.
insert into chengtu.refused_geometry (dataset, key, reason, geometry)
values (%(id)s, %(key)s, %(reason)s, %(geometry)s)
on conflict do nothing

-- name: placeless_index
-- What has no geometry belongs to every bounding box; a GiST index finds it only by reading the whole of itself.
create index on {release} ({key}) where {geometry} is null
