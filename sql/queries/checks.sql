-- name: make_findings
-- What the checks of this transaction find: a row each, with the geometry to look at.
create temporary table ct_findings (
    rule text not null,
    layer text not null,
    key text,
    other text,
    stated double precision,
    measured double precision,
    note_en text not null,
    note_zh text not null,
    geom geometry
) on commit drop

-- name: make_located
-- Features that do not lie in the unit they name, or name none that there is, and the unit that they lie in.
create temporary table ct_located (
    layer text not null,
    key text,
    named text,
    unit text not null
) on commit drop

-- name: drop_findings
-- Those of checks that this transaction made before.
drop table if exists pg_temp.ct_findings, pg_temp.ct_located

-- name: count_findings
-- How often each rule is broken.
select f.layer, f.rule, count(*) as n
from pg_temp.ct_findings as f
group by f.layer, f.rule

-- name: number_of_text
-- A text as the number that it says, null where it says none.
case when {text} ~ '^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$' then {text}::double precision end

-- name: check_rows
-- The rows that break any of a layer's rules, each with every rule that it breaks.
insert into pg_temp.ct_findings (rule, layer, key, stated, measured, note_en, note_zh, geom)
select
    f.rule,
    {layer},
    t.ct_key,
    f.stated,
    f.measured,
    f.note_en,
    f.note_zh,
    t.geom
from (
    select
        {key} as ct_key,
        t.*
    from {table} as t
    where {any_broken}
    offset 0
) as t
cross join lateral (values {each}) as f (rule, broken, stated, measured, note_en, note_zh)
where f.broken

-- name: check_unique
-- The values that more than one row has.
insert into pg_temp.ct_findings (rule, layer, key, measured, note_en, note_zh, geom)
select
    {rule},
    {layer},
    (array_agg({key}))[1],
    count(*),
    format({words_en}, {values}, count(*)),
    format({words_zh}, {values}, count(*)),
    st_collect(t.geom)
from {table} as t
where {given}
group by {values}
having count(*) > 1

-- name: check_sums
-- Units whose stated area is not what the areas of their parts add up to; not those with parts that state none.
insert into pg_temp.ct_findings (rule, layer, key, stated, measured, note_en, note_zh, geom)
with part as (
    select
        coalesce(l.unit, t.code) as code,
        sum(t.area) as total,
        bool_or(t.area is null) as lacks
    from (
        select
            {part_key} as ct_key,
            left({part_code}, {digits}) as code,
            {part_area} as area
        from {parts} as t
    ) as t
    left join pg_temp.ct_located as l
        on l.layer = {part_layer} and t.ct_key = l.key and t.code is not distinct from l.named
    group by coalesce(l.unit, t.code)
),

unit as (
    select
        {key} as ct_key,
        {code} as code,
        {stated} as stated,
        t.geom
    from {table} as t
),

summed as (
    select
        u.ct_key,
        u.stated,
        sum(p.total) as total,
        u.geom
    from unit as u
    left join part as p on starts_with(p.code, u.code)
    group by u.ct_key, u.code, u.stated, u.geom
    having not coalesce(bool_or(p.lacks), false)
)

select
    {rule},
    {layer},
    s.ct_key,
    s.stated,
    coalesce(s.total, 0),
    format({words_en}, trim_scale(round(s.stated::numeric, 4)), trim_scale(round(coalesce(s.total, 0)::numeric, 4))),
    format({words_zh}, trim_scale(round(s.stated::numeric, 4)), trim_scale(round(coalesce(s.total, 0)::numeric, 4))),
    s.geom
from summed as s
where abs(s.stated - coalesce(s.total, 0)) > {tolerance}

-- name: values_of
-- All values of a field.
select distinct {value} as value
from {table} as t
where {value} is not null

-- name: shapes_of
-- A layer's polygons with what names them and what they state.
select
    {key} as key,
    st_asbinary(t.geom, 'NDR') as wkb
    {values}
from {table} as t
where t.geom is not null and not st_isempty(t.geom)

-- name: copy_findings
-- Findings that were made outside the database, on their way in.
copy pg_temp.ct_findings (rule, layer, key, other, stated, measured, note_en, note_zh, geom) from stdin

-- name: copy_located
-- Likewise of the features that lie in another unit.
copy pg_temp.ct_located (layer, key, named, unit) from stdin
