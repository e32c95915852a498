-- name: items_page
-- One page of features as GeoJSON objects, in a stable order, each with its key as `id`.
select json_build_object(
    'type', 'Feature',
    'id', f.{key},
    'geometry', {geometry},
    'properties', (select to_json(p) from (select {properties}) as p)
) as feature
from {table} as f
where {conditions}
order by {order}
limit %(limit)s offset %(offset)s

-- name: with_decimal_point
-- A column of floats for JSON, whole numbers with their point; from 1e15 on they have an exponent, which says as much.
case
    when {number} = trunc({number}) and abs({number}) < 1e15 then ({number}::double precision || '.0')::json
    else to_json({number})
end as {name}

-- name: items_of_release
-- A page together with how many features match, both of one release, since one statement sees one state.
select
    (select coalesce(json_agg(page.feature), '[]') from ({page}) as page) as features,
    {matched} as matched

-- name: matched_all
-- How many features an unfiltered data set holds: the catalogue says so, and changes with the release.
(select d.feature_count from chengtu.dataset as d where d.id = %(dataset)s)

-- name: matched_some
-- How many features a filter matches, counted no further than a limit; null means more than that.
(select nullif(count(*), %(count_limit)s + 1) from (select from {table} as f where {conditions} limit %(count_limit)s + 1) as counted)

-- name: one_item
-- The feature with a key, as a GeoJSON object.
select json_build_object(
    'type', 'Feature',
    'id', f.{key},
    'geometry', {geometry},
    'properties', (select to_json(p) from (select {properties}) as p)
) as feature
from {table} as f
where f.{key} = cast(%(id)s as {key_type})
