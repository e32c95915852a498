-- name: sheet_rows
-- The features of a sheet as the data set that they go into has them.
create temporary table {rows} on commit drop as
select
    {columns},
    {geometry} as geom
from {staging} as s

-- name: keys_of_sheet
-- The features that a data set has of a sheet.
select t.id from {table} as t where t.sheet = {sheet}

-- name: any_sheet
-- A feature that is of a sheet.
select t.sheet from {table} as t where t.sheet is not null limit 1

-- name: fill_sheets
-- The index of sheets with one sheet in its newest state, and the ages of all as of today.
insert into {staging} (id, sheet, scale, system, edition, surveyed, producer, source, features, loaded, age_years, age, geom)
select
    i.id,
    i.sheet,
    i.scale,
    i.system,
    i.edition,
    i.surveyed,
    i.producer,
    i.source,
    i.features,
    i.loaded,
    extract(year from age(i.surveyed))::integer as age_years,
    case
        when i.surveyed is null then 'unknown'
        when i.surveyed > current_date - interval '5 years' then 'new'
        when i.surveyed > current_date - interval '10 years' then 'ageing'
        else 'old'
    end as age,
    i.geom
from (
    {before}
    select
        %(id)s::text as id,
        %(sheet)s::text as sheet,
        %(scale)s::bigint as scale,
        %(system)s::text as system,
        %(edition)s::text as edition,
        %(surveyed)s::date as surveyed,
        %(producer)s::text as producer,
        %(source)s::text as source,
        %(features)s::bigint as features,
        current_date as loaded,
        st_multi(st_geomfromwkb(%(outline)s, 4490)) as geom
) as i

-- name: other_sheets
-- All sheets of an index but one.
select
    t.id,
    t.sheet,
    t.scale,
    t.system,
    t.edition,
    t.surveyed,
    t.producer,
    t.source,
    t.features,
    t.loaded,
    t.geom
from {index} as t
where t.id <> {sheet}
union all

-- name: sheet_described
-- What the index says of a sheet.
select
    t.edition,
    t.surveyed,
    t.producer
from {index} as t
where t.id = %(sheet)s

-- name: indexed_sheets
-- Which of some sheets are in the index.
select t.id from {index} as t where t.id = any(%(sheets)s)

-- name: sheet_themes
-- The data sets that are served as themes of topographic maps, each with its layer of the profile.
select
    d.id,
    split_part(d.profile, '/', 2) as layer
from chengtu.dataset as d
where d.profile like %(profile)s

-- name: near_border
-- The features of a sheet that come near a border, in a plane, with what must be alike on both sides.
select
    t.id,
    t.gb_code,
    t.name,
    t.elevation,
    st_asbinary(st_transform(st_force2d(t.geom), %(plane)s::integer)) as wkb
from {table} as t
where t.sheet = %(sheet)s and t.geom && st_envelope(st_transform(st_buffer(st_geomfromwkb(%(border)s, %(plane)s), %(reach)s), st_srid(t.geom)))
order by t.id

-- name: other_edges
-- The mismatches at edges of other sheets.
insert into {staging} (id, rule, theme, sheet, other_sheet, feature, other, gap, note_en, note_zh, geom)
select
    t.id,
    t.rule,
    t.theme,
    t.sheet,
    t.other_sheet,
    t.feature,
    t.other,
    t.gap,
    t.note_en,
    t.note_zh,
    t.geom
from {edges} as t
where %(sheet)s not in (t.sheet, t.other_sheet)

-- name: add_edges
-- The mismatches at the edges of a sheet.
insert into {staging} (id, rule, theme, sheet, other_sheet, feature, other, gap, note_en, note_zh, geom)
select
    md5(concat_ws('|', e.rule, e.theme, e.sheet, e.other_sheet, e.feature, e.other, round(e.x::numeric, 3), round(e.y::numeric, 3))),
    e.rule,
    e.theme,
    e.sheet,
    e.other_sheet,
    e.feature,
    e.other,
    e.gap,
    e.note_en,
    e.note_zh,
    st_transform(st_setsrid(st_makepoint(e.x, e.y), e.plane), 4490)
from jsonb_to_recordset(%(edges)s) as e (
    rule text, theme text, sheet text, other_sheet text, feature text, other text, gap double precision, note_en text, note_zh text,
    plane integer, x double precision, y double precision
)
