-- name: increment_opening
-- The new features of an increment, under the names of the data set that it goes to.
create temporary table ct_opening on commit drop as
select {columns} from {staging} as s

-- name: increment_process
-- The process of an increment: which feature became which, what both were, and the area that they share in cents.
create temporary table ct_process on commit drop as
select
    {before}::text as before,
    {after}::text as after,
    {class_before}::text as class_before,
    {class_after}::text as class_after,
    {unit_before}::text as unit_before,
    {unit_after}::text as unit_after,
    round({area}::double precision * 100)::bigint as area
from {staging} as s

-- name: increment_served
-- The features that an increment ends, as they are served.
create temporary table ct_served on commit drop as
select
    {key} as key,
    {class} as class,
    {unit} as unit,
    {area} as area,
    t.geom
from {table} as t
where t.{key_column} in (select cast(p.before as {key_type}) from ct_process as p)

-- name: increment_new
-- The features that an increment begins, likewise.
create temporary table ct_new on commit drop as
select
    {key} as key,
    {class} as class,
    {unit} as unit,
    {area} as area,
    t.geom
from ct_opening as t

-- name: increment_dates
-- The different values of what an increment says of its day.
select distinct {date}::text as day from {staging} as s where {date} is not null order by 1 limit 3

-- name: increment_counties
-- The counties of an increment that the data set has no feature in, those that it has, and how many features are concerned.
with own as (
    select distinct left({unit}, 6) as code from {table} as t where {unit} is not null
),

given as (
    select left(n.unit, 6) as code, count(*) as number from ct_new as n where n.unit is not null group by 1
    union all
    select left(p.unit_before, 6), count(*) from ct_process as p where p.unit_before is not null group by 1
)

select
    coalesce(sum(g.number), 0) as number,
    array_agg(distinct g.code order by g.code) as ids,
    (select array_agg(o.code order by o.code) from own as o) as own
from given as g
where not exists (select from own as o where o.code = g.code) and exists (select from own)

-- name: increment_unknown
-- Features before, which are not served.
select distinct p.before as id from ct_process as p
where not exists (select from ct_served as s where s.key = p.before) and p.before is not null

-- name: increment_undescribed
-- Features after, of which there are no new ones.
select distinct p.after as id from ct_process as p
where not exists (select from ct_new as n where n.key = p.after) and p.after is not null

-- name: increment_unexplained
-- New features that came of nothing.
select n.key as id from ct_new as n
where not exists (select from ct_process as p where p.after = n.key)

-- name: increment_halves
-- Rows of the process without one of their two sides.
select coalesce(p.before, p.after, '?') as id from ct_process as p where p.before is null or p.after is null

-- name: increment_doubles
-- New features that share a key.
select coalesce(n.key, '?') as id from ct_new as n group by n.key having count(*) > 1 or n.key is null

-- name: increment_taken
-- New features whose key one has that is served and does not end.
select n.key as id
from ct_new as n
inner join {table} as t on t.{key_column} = cast(n.key as {key_type})
where not exists (select from ct_process as p where p.before = n.key)

-- name: increment_values
-- Features of which the process says another class or place than they have.
select distinct p.before as id
from ct_process as p
inner join ct_served as s on p.before = s.key
where (p.class_before is not null and p.class_before is distinct from s.class)
    or (p.unit_before is not null and p.unit_before is distinct from s.unit)
union
select distinct p.after
from ct_process as p
inner join ct_new as n on p.after = n.key
where (p.class_after is not null and p.class_after is distinct from n.class)
    or (p.unit_after is not null and p.unit_after is distinct from n.unit)

-- name: increment_balance
-- Features whose shares do not add up to their area, and by how many cents.
select
    s.key as id,
    coalesce(sum(p.area), 0) - s.area as cents
from ct_served as s
inner join ct_process as p on s.key = p.before
where s.area is not null
group by s.key, s.area
having coalesce(sum(p.area), 0) <> s.area
union all
select
    n.key,
    coalesce(sum(p.area), 0) - n.area
from ct_new as n
inner join ct_process as p on n.key = p.after
where n.area is not null
group by n.key, n.area
having coalesce(sum(p.area), 0) <> n.area

-- name: increment_pairs
-- Which feature became which.
select
    p.before,
    p.after
from ct_process as p
where p.before is not null and p.after is not null

-- name: increment_groups
-- The features of each change, by a number: what became of each other belongs together.
create temporary table ct_group (key text not null, old boolean not null, number integer not null) on commit drop

-- name: fill_groups
-- They come out of the pairs.
copy ct_group (key, old, number) from stdin

-- name: increment_coverage
-- Changes whose new features do not cover what the old ones did, or cover it twice: a key of each, and the area by which.
with old as (
    select g.number, min(g.key) as key, st_union(s.geom) as geom
    from ct_group as g
    inner join ct_served as s on g.old and g.key = s.key
    group by g.number
),

new as (
    select g.number, min(g.key) as key, st_union(n.geom) as geom, sum(st_area(n.geom)) as area
    from ct_group as g
    inner join ct_new as n on not g.old and g.key = n.key
    group by g.number
),

differing as (
    select
        coalesce(old.key, new.key) as key,
        st_symdifference(old.geom, new.geom) as apart,
        new.area - st_area(new.geom) as twice,
        st_perimeter(new.geom) as perimeter,
        st_area(new.geom) as whole
    from old
    full join new on old.number = new.number
)

select
    d.key as id,
    st_area(d.apart) + abs(d.twice) as area
from differing as d
where st_area(d.apart) + abs(d.twice) > d.perimeter * %(width)s + d.whole * 1e-9
order by area desc

-- name: increment_transitions
-- From which class to which what area went, by village; in square metres.
select
    left(coalesce(p.unit_after, p.unit_before, ''), 12) as village,
    coalesce(p.class_before, '') as before,
    coalesce(p.class_after, '') as after,
    count(*) as pieces,
    sum(p.area) / 100.0 as area
from ct_process as p
group by 1, 2, 3
order by 1, 2, 3

-- name: increment_areas
-- The area of each class in the districts that an increment concerns, as they are served: in cents.
select
    left({unit}, 6) as district,
    {class} as class,
    sum({area})::bigint as area
from {table} as t
where left({unit}, 6) in (
    select left(p.unit_before, 6) from ct_process as p
    union
    select left(p.unit_after, 6) from ct_process as p
)
group by 1, 2
order by 1, 2

-- name: increment_exchange
-- What ends and what begins of each class in each district, as the features themselves say: in cents.
select
    e.district,
    e.class,
    sum(e.area)::bigint as area
from (
    select left(s.unit, 6) as district, s.class, -s.area as area from ct_served as s
    union all
    select left(n.unit, 6), n.class, n.area from ct_new as n
) as e
where e.district is not null
group by 1, 2

-- name: increment_flows
-- What each class lost and gained in each district by the process, in cents: not what stayed as it was.
with moved as (
    select * from ct_process as p
    where (p.class_before, left(p.unit_before, 6)) is distinct from (p.class_after, left(p.unit_after, 6))
)

select
    f.district,
    f.class,
    sum(f.lost)::bigint as lost,
    sum(f.gained)::bigint as gained
from (
    select left(p.unit_before, 6) as district, p.class_before as class, p.area as lost, 0 as gained from moved as p
    union all
    select left(p.unit_after, 6), p.class_after, 0, p.area from moved as p
) as f
where f.district is not null
group by 1, 2

-- name: increment_closing
-- The keys of the features that an increment ends.
select distinct p.before from ct_process as p where p.before is not null

-- name: increment_succession
-- Which feature became which, and by what area, in square metres.
select
    p.before,
    p.after,
    p.area / 100.0
from ct_process as p
where p.before is not null and p.after is not null

-- name: keep_report
-- Write down what was told of an amendment.
update chengtu.amendment set report = %(report)s where id = %(id)s
