-- name: feature
-- A feature as GeoJSON text: concatenated, which costs a quarter less than json_build_object.
'{{"type":"Feature","id":' || {id} || ',"geometry":' || coalesce({geometry}, 'null')
|| ',"properties":' || (select to_json(p) from (select {properties}) as p)::text || '}}'

-- name: feature_id
-- The id of a feature: its key.
to_json(f.{key})::text

-- name: version_id
-- The id of a version of a feature: the key of the one that holds, and with the day that it began one that holds no more.
case
    when {version}.valid_to is null then to_json({version}.{key})::text
    else to_json({version}.{key}::text || '@' || to_char({version}.valid_from, 'YYYY-MM-DD'))::text
end

-- name: with_decimal_point
-- A column of floats for JSON, whole numbers with their point; from 1e15 on they have an exponent, which says as much.
case
    when {number} = trunc({number}) and abs({number}) < 1e15 then ({number}::double precision || '.0')::json
    else to_json({number})
end as {name}

-- name: items_page
-- A page of features in a stable order, with the state of the data set that they belong to; one row without a feature
-- where there are none. One statement sees one release.
select
    d.release,
    d.change,
    d.feature_count,
    d.changed_at::text as changed_at,
    page.*
from chengtu.dataset as d
left join lateral (
    select
        {feature} as feature,
        {matched} as matched,
        {position}
    from {source} as f
    where {conditions}
    order by {order}
    limit {limit} {offset}
) as page on true
where d.id = %(dataset)s

-- name: counted_rows
-- All rows that match, fetched by their index, with their number.
(select f.*, count(*) over () as matched from {table} as f where {conditions})

-- name: skipped
-- How many features to pass over: for old clients, since PostgreSQL must read them all.
offset %(offset)s

-- name: position
-- A sort column's value in the words of a cursor.
{column}::text as {name}

-- name: meets
-- Whether a geometry meets an area, or there is none (OGC API - Features 1, 7.15.3, requirement 24 C).
(
    ({geometry} && st_geomfromwkb(%(area)s, {srid}) or {geometry} is null)
    and ({geometry} is null or st_intersects({geometry}, st_geomfromwkb(%(area)s, {srid})))
)

-- name: inside_or_meets
-- The same, plainly where its box lies in one inside the area, else by the exact test.
(
    ({geometry} && st_geomfromwkb(%(area)s, {srid}) or {geometry} is null)
    and (
        {geometry} is null
        or {geometry} @ st_makeenvelope(%(west)s, %(south)s, %(east)s, %(north)s, {srid})
        or st_intersects({geometry}, st_geomfromwkb(%(area)s, {srid}))
    )
)

-- name: items_rows
-- Features in a stable order as typed columns, for files.
select {columns}
from {table} as f
where {conditions}
order by {order}
limit %(limit)s offset %(offset)s

-- name: items_rows_before
-- The same for those before a place: the nearest of them, in the usual order.
select {columns}
from (
    select f.*
    from {table} as f
    where {conditions}
    order by {turned}
    limit %(limit)s offset %(offset)s
) as f
order by {order}

-- name: items_gaps
-- Whether any feature that matches has no geometry, or one without a point.
select exists (
    select from {table} as f
    where {conditions} and ({geometry} is null or st_isempty({geometry}))
) as gaps

-- name: csv_value
-- A text as CSV holds it (RFC 4180): nothing for null, quotes around what needs them and around the empty text.
case
    when {value} = '' or {value} ~ '[",\r\n]' then '"' || replace({value}, '"', '""') || '"'
    else coalesce({value}, '')
end

-- name: items_count
-- How many features match, and at which state of the data set.
select
    d.release,
    d.change,
    (select count(*) from {table} as f where {conditions}) as matched
from chengtu.dataset as d
where d.id = %(dataset)s

-- name: explain
-- What PostgreSQL expects a statement to cost.
explain (format json) {statement}

-- name: one_item
-- The feature with a key, and what tells this version of it from all others.
select
    {feature} as feature,
    f.ct_release as release,
    f.xmin::text as version
from {table} as f
where f.{key} = cast(%(id)s as {key_type}) and {condition}

-- name: dataset_state
-- What is being served now of a data set: release, change within it, number of features.
select
    d.release,
    d.change,
    d.feature_count,
    d.changed_at::text as changed_at
from chengtu.dataset as d
where d.id = %(dataset)s

-- name: round_trip
-- Where a place goes in another CRS, and where it comes back to.
select
    st_x(there.geom) as there_x,
    st_y(there.geom) as there_y,
    st_x(st_transform(there.geom, %(stored)s)) as x,
    st_y(st_transform(there.geom, %(stored)s)) as y
from (select st_transform(st_setsrid(st_makepoint(%(x)s, %(y)s), %(stored)s), %(target)s) as geom) as there

-- name: time_limit
-- How long the statements of this transaction may take.
select set_config('statement_timeout', %(milliseconds)s, true)
