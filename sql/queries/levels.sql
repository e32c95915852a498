-- name: level_source
-- The features of a table by key, with a number that shuffles them the same way every time, and texts of their attributes.
select
    {key}::text,
    hashtextextended({key}::text, 0),
    st_asbinary(st_force2d(geom), 'NDR'),
    {columns}
from {table}
where geom is not null and not st_isempty(geom) and {condition}
order by {key}

-- name: level_source_keys
-- Those features of a table whose keys are given.
{key} = any(%(keys)s::text[]::{type}[])

-- name: encode_rows
-- A tile as it would be served, of shapes in its own units.
select st_asmvt(tile, 'layer', 4096, 'geom', 'id') as tile
from (
    select
        {key} as id,
        st_asmvtgeom(r.geom, box2d(st_makeenvelope(0, 0, 4096, 4096)), 4096, 64, true) as geom{names}
    from (
        select unnest(%(keys)s::text[]) as key, st_geomfromwkb(unnest(%(shapes)s::bytea[])) as geom{columns}
    ) as r
) as tile
where tile.geom is not null

-- name: create_levels
-- The table of a data set's generalised zooms.
create table {table} (
    zoom smallint not null,
    row_id bigint not null,
    {columns}
    members integer not null,
    parent bigint,
    geom geometry (geometry, 3857) not null
)

-- name: create_members
-- Which row of the finest generalised zoom a feature is part of.
create table {table} (key {type} not null, row_id bigint not null)

-- name: copy_levels
-- The fast road in: nobody else can see the table yet.
copy {table} ({columns}) from stdin with (freeze)

-- name: copy_members
-- Likewise.
copy {table} (key, row_id) from stdin with (freeze)

-- name: index_level
-- The places of one zoom: a tile asks for one zoom at a time, so each has an index of its own.
create index on {table} using gist (geom) where zoom = {zoom}

-- name: index_levels
-- The rows by number, and by the row that they went into at the zoom above.
alter table {table} add primary key (row_id);
create index on {table} (parent)

-- name: index_members
-- The features of a row, and the row of a feature.
alter table {table} add primary key (key);
create index on {table} (row_id)

-- name: record_levels
-- Say in the catalogue what generalised zooms there are; they include all changes up to now.
update chengtu.dataset as d set levels = %(levels)s, levels_change = d.change, level_step = d.level_step + 1 where d.id = %(id)s

-- name: drop_levels
-- Take away the generalised zooms of a data set.
select chengtu.drop_levels(%(id)s)

-- name: create_cells
-- How much of each class lies in the cells of a data set's mosaics, by districts of 16 by 16 cells.
create table {table} (
    zoom smallint not null,
    x integer not null,
    y integer not null,
    cells bytea not null,
    primary key (zoom, x, y)
)

-- name: put_cells
-- What a district's cells hold now.
insert into {table} (zoom, x, y, cells) values (%s, %s, %s, %b)
on conflict (zoom, x, y) do update set cells = excluded.cells

-- name: level_rows
-- Rows of a zoom: number, number of the row above, members, key, the number that shuffles keys, shape and attributes.
select
    row_id,
    parent,
    members,
    {key}::text,
    hashtextextended({key}::text, 0),
    st_asbinary(geom, 'NDR'){columns}
from {table}
where zoom = {zoom} and {condition}
order by row_id

-- name: rows_by_number
-- Those with some numbers.
row_id = any(%(numbers)s)

-- name: rows_by_parent
-- Those that went into some rows of the zoom above.
parent = any(%(numbers)s)

-- name: rows_by_place
-- Those that touch any of some boxes.
row_id in (
    select near.row_id
    from unnest(%(west)s::float8[], %(south)s::float8[], %(east)s::float8[], %(north)s::float8[]) as box (w, s, e, n)
    inner join {table} as near on near.zoom = {zoom} and near.geom && st_makeenvelope(box.w, box.s, box.e, box.n, 3857)
)

-- name: members_of
-- The features of some rows.
select
    key::text,
    row_id
from {table}
where row_id = any(%(numbers)s)

-- name: rows_of_members
-- The rows of some features.
select distinct row_id from {table} where key = any(%(keys)s::text[]::{type}[])

-- name: forget_members
-- Some features are part of no row.
delete from {table} where key = any(%(keys)s::text[]::{type}[])

-- name: place_members
-- Features are part of rows now.
insert into {table} (key, row_id)
select
    n.name::{type},
    n.row_id
from unnest(%(names)s::text[], %(parents)s::bigint[]) as n (name, row_id)
where n.row_id is not null

-- name: move_rows
-- Rows are part of others of the zoom above now, or of none.
update {table} as t set parent = n.parent
from unnest(%(names)s::bigint[], %(parents)s::bigint[]) as n (row_id, parent)
where t.row_id = n.row_id and t.parent is distinct from n.parent

-- name: delete_rows
-- Rows that are no more, or are about to be written anew.
delete from {table} where row_id = any(%(numbers)s)

-- name: copy_rows
-- New rows.
copy {table} ({columns}) from stdin

-- name: last_row
-- The highest row number given so far.
select coalesce(max(row_id), 0) as last from {table}

-- name: keys_near
-- The features that touch any of some boxes in the data's own CRS.
select distinct f.{key}::text as key
from unnest(%(west)s::float8[], %(south)s::float8[], %(east)s::float8[], %(north)s::float8[]) as box (w, s, e, n)
inner join {table} as f on f.geom && st_makeenvelope(box.w, box.s, box.e, box.n, {srid})

-- name: cells_near
-- What lies in some districts of cells.
select c.cells
from unnest(%(x)s::integer[], %(y)s::integer[]) as d (x, y)
inner join {table} as c on c.zoom = %(zoom)s and c.x = d.x and c.y = d.y

-- name: drop_cells
-- Districts that are about to be written anew, or hold nothing any more.
delete from {table} as c using unnest(%(x)s::integer[], %(y)s::integer[]) as d (x, y)
where c.zoom = %(zoom)s and c.x = d.x and c.y = d.y

-- name: lock_levels
-- One at a time changes the generalised zooms of a data set: until the transaction ends.
select pg_advisory_xact_lock(hashtextextended('chengtu levels ' || %(id)s, 0))

-- name: levels_behind
-- How a data set stands whose generalised zooms do not include all its changes; nothing where they do.
select
    d.release,
    d.change,
    d.levels,
    d.levels_change,
    (d.log_release, d.log_change) > (d.release, d.levels_change) as lost
from chengtu.dataset as d
where
    d.id = %(id)s and d.levels -> 'zooms' -> 0 is not null
    and (d.levels_change <> d.change or d.levels -> 'portrayal' is distinct from d.portrayal)

-- name: hold_release
-- Keep releases out until the transaction ends, while readers and editors go on.
lock table {table} in access share mode

-- name: levels_log
-- What changed within a release since some change of it.
select
    l.op,
    l.key,
    l.old_box,
    l.new_box
from chengtu.change_log as l
where l.dataset = %(id)s and l.release = %(release)s and l.change > %(since)s
order by l.change, l.ordinal
limit %(most)s

-- name: record_patch
-- The generalised zooms include the changes up to one.
update chengtu.dataset set levels_change = %(change)s, level_step = level_step + 1 where id = %(id)s

-- name: tell_level
-- Where a generalised zoom changed at the last step.
insert into chengtu.level_change (dataset, step, zoom, box)
select
    d.id,
    d.level_step,
    %(zoom)s,
    %(box)s::double precision[]
from chengtu.dataset as d
where d.id = %(id)s

-- name: level_step
-- How often the generalised zooms of a data set were rebuilt, and what they are.
select
    d.level_step,
    d.levels
from chengtu.dataset as d
where d.id = %(id)s

-- name: level_differences
-- Where rows of some zooms are in one of two tables only, in metres; no boxes where there are too many.
select
    r.zoom,
    case when count(*) <= %(most)s then array_agg(array[st_xmin(r.geom), st_ymin(r.geom), st_xmax(r.geom), st_ymax(r.geom)]) end as boxes
from (
    (
        select zoom, geom, {columns} from {old} where zoom = any(%(zooms)s)
        except
        select zoom, geom, {columns} from {new} where zoom = any(%(zooms)s)
    )
    union all
    (
        select zoom, geom, {columns} from {new} where zoom = any(%(zooms)s)
        except
        select zoom, geom, {columns} from {old} where zoom = any(%(zooms)s)
    )
) as r
group by r.zoom
