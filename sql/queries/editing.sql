-- name: edit_patience
-- How long an edit waits for another one, or for a release to be swapped in.
select set_config('lock_timeout', '3s', true)

-- name: enter_table
-- Keep a release from being swapped in until the transaction ends; an edit that comes later meets the new one.
lock table {table} in row exclusive mode

-- name: edited_dataset
-- What an edit must hold itself to, now that no release can come between.
select
    d.release,
    d.editable
from chengtu.dataset as d
where d.id = %(dataset)s

-- name: numbering_dataset
-- The same for a new feature: editors take turns, so that each gets a number of its own.
select
    d.release,
    d.editable
from chengtu.dataset as d
where d.id = %(dataset)s
for no key update of d

-- name: highest_key
-- The highest number that a feature has, or ever was given through the API.
select greatest(coalesce(d.last_key, 0), coalesce((select max(f.{key}) from {table} as f), 0)) as highest
from chengtu.dataset as d
where d.id = %(dataset)s

-- name: remember_key
-- Never give a number again.
update chengtu.dataset as d set last_key = greatest(coalesce(d.last_key, 0), cast(%(key)s as bigint))
where d.id = %(dataset)s

-- name: lock_feature
-- The feature with a key, kept from all others until the transaction ends: its version, its geometry as it is served,
-- and whether the key in a body is its own.
select
    f.{key}::text as key,
    f.ct_release as release,
    f.xmin::text as version,
    {geometry} as geometry,
    {agrees} as agrees
from {table} as f
where f.{key} = cast(%(id)s as {key_type})
for update of f

-- name: written_feature
-- The key and the version of a feature that was written just now.
select
    f.{key}::text as key,
    f.ct_release as release,
    f.xmin::text as version
from {table} as f
where f.{key} = cast(%(id)s as {key_type})

-- name: insert_feature
-- Add a feature to the release that is being served.
insert into {table} ({columns}, ct_release) values ({values}, %(release)s)

-- name: update_feature
-- Change a feature.
update {table} as f set {assignments}
where f.{key} = cast(%(id)s as {key_type})

-- name: delete_feature
-- Take a feature away.
delete from {table} as f
where f.{key} = cast(%(id)s as {key_type})
