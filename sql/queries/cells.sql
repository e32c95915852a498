-- name: cells_of_dataset
-- How many features, and what area and length of them, lie in each cell; a row without a cell is of all together.
-- Cells come as arrays: their number (several parts may share one), the part that is asked for, the edges that
-- belong to a neighbour, and a box within it (NaN: none) whose points are the cell's alone: what lies in there
-- needs no cutting. Cells and features meet in the buckets of a coarse square grid, in the one that holds the
-- lower left corner of what their boxes share. Big shapes are cut into pieces before they meet the cells.
with target as materialized (
    select
        b.x,
        b.y,
        c.number,
        c.west,
        c.south,
        c.east,
        c.north,
        c.inner_west,
        c.inner_south,
        c.inner_east,
        c.inner_north,
        st_geomfromwkb(c.part, %(plane)s::integer) as part,
        st_geomfromwkb(c.lost, %(plane)s::integer) as lost
    from unnest(%(bucket_cell)s::integer [], %(bucket_x)s::bigint [], %(bucket_y)s::bigint []) as b (id, x, y)
    inner join unnest(
        %(numbers)s::integer [], %(parts)s::bytea [], %(losts)s::bytea [],
        %(wests)s::float8 [], %(souths)s::float8 [], %(easts)s::float8 [], %(norths)s::float8 [],
        %(inner_wests)s::float8 [], %(inner_souths)s::float8 [], %(inner_easts)s::float8 [], %(inner_norths)s::float8 []
    ) with ordinality as c (
        number, part, lost, west, south, east, north, inner_west, inner_south, inner_east, inner_north, id
    ) on c.id = b.id
),

feature as (
    select
        {key} as key,
        st_transform(st_force2d(f.geom), %(plane)s::integer) as shape
    from {table} as f
    where
        not st_isempty(f.geom)
        and (%(reach)s::bytea is null or f.geom && st_geomfromwkb(%(reach)s::bytea, {stored}))
        and {condition}
),

piece as (
    select
        f.key,
        d.dimension,
        p.shape,
        st_xmin(p.shape) as west,
        st_ymin(p.shape) as south,
        st_xmax(p.shape) as east,
        st_ymax(p.shape) as north
    from feature as f
    cross join unnest(%(dimensions)s::integer []) as d (dimension)
    cross join lateral st_collectionextract(f.shape, d.dimension + 1) as same (shape)
    cross join lateral (
        select st_subdivide(same.shape, %(vertices)s::integer) as shape
        where d.dimension = 2 and st_npoints(same.shape) <= %(vertices)s::integer
        union all
        select st_subdivide(st_makevalid(same.shape), %(vertices)s::integer)
        where d.dimension = 2 and st_npoints(same.shape) > %(vertices)s::integer
        union all
        select st_subdivide(same.shape, %(vertices)s::integer)
        where d.dimension = 1 and st_issimple(same.shape)
        union all
        -- A line that runs twice along the same way counts twice: an overlay would melt both into one.
        select (st_dumpsegments(same.shape)).geom
        where d.dimension = 1 and not st_issimple(same.shape)
        union all
        select (st_dump(same.shape)).geom
        where d.dimension = 0
    ) as p
    where not st_isempty(p.shape)
),

placed as materialized (
    select
        p.*,
        x.bucket as x,
        y.bucket as y
    from piece as p
    cross join generate_series(
        floor(greatest(p.west, %(west)s::float8) / %(bucket)s::float8)::bigint,
        floor(least(p.east, %(east)s::float8) / %(bucket)s::float8)::bigint
    ) as x (bucket)
    cross join generate_series(
        floor(greatest(p.south, %(south)s::float8) / %(bucket)s::float8)::bigint,
        floor(least(p.north, %(north)s::float8) / %(bucket)s::float8)::bigint
    ) as y (bucket)
),

pair as (
    select
        p.key,
        p.dimension,
        p.shape,
        t.number,
        t.part,
        t.lost,
        p.west >= t.inner_west and p.south >= t.inner_south
        and p.east < t.inner_east and p.north < t.inner_north as inside
    from placed as p
    inner join target as t on t.x = p.x and t.y = p.y
    where
        p.west <= t.east and p.east >= t.west and p.south <= t.north and p.north >= t.south
        and cast(floor(greatest(p.west, t.west) / %(bucket)s::float8) as bigint) = p.x
        and cast(floor(greatest(p.south, t.south) / %(bucket)s::float8) as bigint) = p.y
),

measured as materialized (
    select
        pair.key,
        pair.number,
        case
            when pair.dimension <> 0 then false
            when pair.inside then true
            else st_intersects(pair.shape, pair.part) and not st_intersects(pair.shape, pair.lost)
        end as is_there,
        case
            when pair.dimension <> 1 then 0
            when pair.inside then st_length(pair.shape)
            else (
                select st_length(cut) - st_length(st_intersection(cut, pair.lost))
                from st_intersection(pair.shape, pair.part) as cut
            )
        end as length,
        case
            when pair.dimension <> 2 then 0
            when pair.inside or st_coveredby(pair.shape, pair.part) then st_area(pair.shape)
            when not st_intersects(pair.shape, pair.part) then 0
            else st_area(st_intersection(st_makevalid(pair.shape), pair.part))
        end as area
    from pair
),

share as (
    select
        m.key,
        m.number,
        sum(m.length) as length,
        sum(m.area) as area,
        (bool_or(m.is_there) or sum(m.length) > %(least)s::float8 or sum(m.area) > %(least)s::float8) as counts
    from measured as m
    group by m.key, m.number
)

select
    s.number,
    count(distinct s.key) filter (where s.counts) as count,
    coalesce(sum(s.length), 0) as length_m,
    coalesce(sum(s.area), 0) as area_m2
from share as s
group by grouping sets ((s.number), ())
order by s.number
