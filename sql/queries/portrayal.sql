-- name: field_statistics
-- What PostgreSQL knows of the values of a table's columns since it was analyzed; `distinct_values` of the rows that have one.
select
    s.attname as name,
    s.null_frac as null_share,
    s.avg_width as width,
    case when s.n_distinct >= 0 then s.n_distinct else -s.n_distinct * c.reltuples end as distinct_values,
    c.reltuples as rows
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_stats as s on s.schemaname = n.nspname and s.tablename = c.relname
where c.oid = to_regclass(%(table)s) and not s.inherited

-- name: class_values
-- The values of a column, most frequent first, each with what stands beside it in its twin of the other language.
select
    {field}::text as value,
    mode() within group (order by {twin}::text) as twin
from {table}
where {field} is not null
group by {field}
order by count(*) desc, {field}::text
limit %(most)s

-- name: save_portrayal
-- Keep how a data set is drawn.
update chengtu.dataset set portrayal = %(portrayal)s where id = %(id)s

-- name: set_style
-- Draw a data set by a style of its own, or by the made one again; published at once.
update chengtu.dataset set style = %(style)s, portrayal = %(portrayal)s, updated_at = now() where id = %(id)s

-- name: name_points
-- A point well inside each area, in degrees, with the attributes that name it: where the names of a few large areas go.
select
    st_x(p.point) as east,
    st_y(p.point) as north,
    {properties} as properties
from {table} as t
cross join lateral (
    -- Simplified first: the circle of a boundary with all its bends is slow, and lies no better.
    select st_simplify(t.geom, greatest(st_xmax(t.geom) - st_xmin(t.geom), st_ymax(t.geom) - st_ymin(t.geom)) / 300) as shape
) as s
cross join lateral (
    select st_transform(
        case
            when st_area(s.shape) > 0 and st_isvalid(s.shape) then (st_maximuminscribedcircle(st_force2d(s.shape))).center
            else st_pointonsurface(t.geom)
        end, 4326
    ) as point
) as p
where {label} is not null and not st_isempty(t.geom)
order by {key}
limit %(most)s
