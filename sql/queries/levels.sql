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
{key}::text = any(%(keys)s)

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
