-- name: tile
-- A vector tile of one data set, with the position that it shows: one statement sees one state. Null where nothing is in it.
select
    d.release,
    d.change,
    d.level_step,
    (
        select st_asmvt(t.*, {layer}, 4096, 'geom'{id})
        from (
            select
                {shape} as geom
                {columns}
            from {source}
            where {conditions}
            {limit}
        ) as t
    ) as tile
from chengtu.dataset as d
where d.id = %(dataset)s

-- name: tile_source
-- Features as they are stored.
{table} as f

-- name: tile_source_transformed
-- Features moved to the tile's CRS, since an affine map from their own would stray.
(select f0.*, st_transform(f0.geom, {srid}) as moved from {table} as f0 where f0.geom && %(fetch)s::geometry offset 0) as f

-- name: tile_fetch
-- What may be in the tile or its buffer, by the index.
f.geom && %(fetch)s::geometry

-- name: tile_level
-- The generalised features of a zoom.
f.zoom = {zoom}

-- name: tile_affine
-- In tile units, y downwards.
st_affine({geometry}, %(a)s::float8, %(b)s::float8, %(d)s::float8, %(e)s::float8, %(x0)s::float8, %(y0)s::float8)

-- name: tile_area
-- A polygon in tile units. What keeps its shape when it is rounded, for nothing of it comes too near to another part, needs
-- no second look: within the tile, ST_AsMVT itself rounds it down, half a unit further on. All others are clipped and mended.
-- The axis that is turned round turns the rings round too, hence `wound` (MVT 2.1, 4.3.4.4).
case
    when {clear} and {geometry} @ %(inside)s::geometry
        then {wound}(st_affine(
            {geometry},
            %(a)s::float8, %(b)s::float8, %(d)s::float8, %(e)s::float8, %(x0)s::float8 + 0.5, %(y0)s::float8 + 0.5
        ))
    when {clear} and {geometry} @ %(near)s::geometry
        then {wound}(st_snaptogrid({placed}, 1))
    else st_asmvtgeom({upright}, %(square)s::box2d, 4096, 64, true)
end

-- name: tile_line
-- A line in tile units. One so short that rounding might leave nothing of it is left to be judged.
case
    when {geometry} @ %(near)s::geometry
    and greatest(st_xmax({geometry}) - st_xmin({geometry}), st_ymax({geometry}) - st_ymin({geometry})) > %(long)s::float8
        then st_snaptogrid({placed}, 1)
    else st_asmvtgeom({upright}, %(square)s::box2d, 4096, 64, true)
end

-- name: tile_point
-- Points in tile units.
case
    when {geometry} @ %(near)s::geometry then st_snaptogrid({placed}, 1)
    else st_asmvtgeom({upright}, %(square)s::box2d, 4096, 64, true)
end

-- name: tile_any
-- Any geometry in tile units: clipped, rounded and mended.
st_asmvtgeom({upright}, %(square)s::box2d, 4096, 64, true)

-- name: tile_upright
-- In tile units from the lower left corner, y upwards, as ST_AsMVTGeom takes it.
st_affine({geometry}, %(a)s::float8, %(b)s::float8, -%(d)s::float8, -%(e)s::float8, %(x0)s::float8, 4096.0 - %(y0)s::float8)

-- name: tile_clear
-- Whether rounding keeps a polygon valid.
f.ct_clear > %(clear)s::real

-- name: tile_order
-- Always the same, however they are found.
order by f.{key}

-- name: tile_rank_area
-- The largest first.
order by st_area(f.geom) desc, f.{key} limit {limit}

-- name: tile_rank_length
-- The longest first.
order by st_length(f.geom) desc, f.{key} limit {limit}

-- name: tile_rank_any
-- In an order that has nothing to do with where they lie, and is always the same.
order by hashtextextended(f.{key}::text, 0), f.{key} limit {limit}

-- name: database_identity
-- A text that no other database has, not even a copy beside this one.
select concat(s.identity, d.oid) as identity
from chengtu.service as s
inner join pg_database as d on d.datname = current_database()
