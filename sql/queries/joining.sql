-- name: read_places
-- The keys of places, and what they may be found by, as text.
select {columns}
from {places}
order by {key}

-- name: create_joined
-- The rows of a table on their way to places.
create temporary table ct_joined ({columns}, ct_place text) on commit drop

-- name: copy_joined
-- Fill it.
copy ct_joined ({columns}) from stdin

-- name: fill_joined
-- Give each row the geometry of its place; a row without a place has none.
insert into {staging} ({columns}, geom)
select
    {row_columns},
    p.geom
from ct_joined as r
left join {places} as p on p.{key} = r.ct_place::{type}

-- name: count_placeless
-- How many rows of a release have no geometry.
select count(*) as rows from {staging} where geom is null
