-- name: list_datasets
-- Every data set, with what is really in the database under its name: columns, and whether we may read them.
select
    d.id,
    d.title_en,
    d.title_zh,
    d.description_en,
    d.description_zh,
    d.keywords,
    d.geometry_type,
    d.srid,
    d.key_column,
    d.time_column,
    d.fields,
    d.extent,
    d.feature_count,
    d.owner,
    d.update_period,
    d.licence,
    d.attribution_en,
    d.attribution_zh,
    d.sensitivity,
    d.origin,
    d.source,
    d.release,
    d.updated_at,
    d.editable,
    d.max_age,
    d.change,
    d.changed_at,
    d.style,
    d.portrayal,
    d.levels,
    d.profile,
    d.about_fields,
    exists (select from chengtu.quality as q where q.dataset = d.id) as judged,
    d.history,
    d.history_from,
    d.state_of,
    coalesce(has_table_privilege(to_regclass('history.' || quote_ident(d.id)), 'select'), false) as history_exists,
    case  -- infinity, and years that are no year of RFC 3339, are no bounds to tell
        when d.time_extent[1] >= '0001-01-01 00:00Z' and d.time_extent[2] < '10000-01-01 00:00Z' then d.time_extent
    end as time_extent,
    c.oid is not null as table_exists,
    coalesce(has_table_privilege(c.oid, 'select'), false) as readable,
    exists (select from pg_inherits as i where i.inhparent = c.oid) as has_release,
    coalesce(
        (
            select jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
            from pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        ), '{}'
    ) as columns
from chengtu.dataset as d
left join pg_namespace as n on n.nspname = 'data'
left join pg_class as c on c.relnamespace = n.oid and c.relname = d.id
order by d.id

-- name: dataset_states
-- What edits move in the data sets, or in one of them.
select
    d.id,
    d.feature_count,
    d.extent,
    case  -- infinity, and years that are no year of RFC 3339, are no bounds to tell
        when d.time_extent[1] >= '0001-01-01 00:00Z' and d.time_extent[2] < '10000-01-01 00:00Z' then d.time_extent
    end as time_extent,
    d.changed_at
from chengtu.dataset as d
where %(id)s::text is null or d.id = %(id)s

-- name: own_style
-- The style that a data set is drawn by, where it has one of its own.
select d.style from chengtu.dataset as d where d.id = %(id)s

-- name: catalogue_fingerprint
-- A short text that changes whenever a data set, or the shape of a table in `data`, does.
select md5(concat(
    (select string_agg(concat(d.id, d.release, d.updated_at), ',' order by d.id) from chengtu.dataset as d),
    (
        select string_agg(concat(a.attrelid, a.attname, a.atttypid, a.atttypmod, c.relacl), ',' order by a.attrelid, a.attnum)
        from pg_attribute as a
        inner join pg_class as c on c.oid = a.attrelid
        where c.relnamespace = to_regnamespace('data') and c.relkind = 'p' and a.attnum > 0 and not a.attisdropped
    )
)) as fingerprint

-- name: current_release
-- The release being served of one data set, its partition, and what it was compared by.
select
    d.release,
    d.key_column,
    d.fields,
    d.srid,
    d.geometry_type,
    d.search,
    i.inhrelid::regclass::text as partition,
    d.change
from chengtu.dataset as d
left join pg_inherits as i on i.inhparent = to_regclass('data.' || quote_ident(d.id))
where d.id = %(id)s

-- name: upsert_dataset
-- Publish a release: write what the catalogue says of the data set, keeping titles and the like that were not given.
insert into chengtu.dataset (
    id, title_en, title_zh, description_en, description_zh, keywords, geometry_type, srid, key_column, time_column,
    fields, extent, time_extent, feature_count, owner, update_period, licence, attribution_en, attribution_zh, origin, source,
    release, editable, max_age, search
) values (
    %(id)s, coalesce(%(title_en)s, %(default_title_en)s), coalesce(%(title_zh)s, %(default_title_zh)s),
    coalesce(%(description_en)s, ''), coalesce(%(description_zh)s, %(description_en)s, ''), coalesce(%(keywords)s::text[], '{}'),
    %(geometry_type)s, %(srid)s, %(key_column)s, %(time_column)s, %(fields)s, %(extent)s, %(time_extent)s::timestamptz[], %(feature_count)s,
    %(owner)s, coalesce(%(update_period)s, %(default_period)s), %(licence)s, %(attribution_en)s, %(attribution_zh)s, %(origin)s, %(source)s, %(release)s,
    coalesce(%(editable)s, false), coalesce(%(max_age)s, 0), coalesce(%(search)s, false)
)
on conflict (id) do update set
    title_en = coalesce(%(title_en)s, dataset.title_en),
    title_zh = coalesce(%(title_zh)s, dataset.title_zh),
    description_en = coalesce(%(description_en)s, dataset.description_en),
    description_zh = coalesce(%(description_zh)s, dataset.description_zh),
    keywords = coalesce(%(keywords)s::text[], dataset.keywords),
    geometry_type = excluded.geometry_type,
    srid = excluded.srid,
    key_column = excluded.key_column,
    time_column = excluded.time_column,
    fields = excluded.fields,
    extent = excluded.extent,
    time_extent = excluded.time_extent,
    feature_count = excluded.feature_count,
    owner = coalesce(%(owner)s, dataset.owner),
    update_period = coalesce(%(update_period)s, dataset.update_period),
    licence = coalesce(%(licence)s, dataset.licence),
    attribution_en = coalesce(%(attribution_en)s, dataset.attribution_en),
    attribution_zh = coalesce(%(attribution_zh)s, dataset.attribution_zh),
    origin = coalesce(%(origin)s, dataset.origin),
    source = excluded.source,
    release = excluded.release,
    editable = coalesce(%(editable)s, dataset.editable),
    max_age = coalesce(%(max_age)s, dataset.max_age),
    search = coalesce(%(search)s, dataset.search),
    change = 0,
    amended = 0,
    changed_at = now(),
    updated_at = now()

-- name: describe_dataset
-- Change what the catalogue says of a data set whose features stay as they are; no row comes back when nothing changes.
update chengtu.dataset set
    title_en = coalesce(%(title_en)s, title_en),
    title_zh = coalesce(%(title_zh)s, title_zh),
    description_en = coalesce(%(description_en)s, description_en),
    description_zh = coalesce(%(description_zh)s, description_zh),
    keywords = coalesce(%(keywords)s::text[], keywords),
    owner = coalesce(%(owner)s, owner),
    update_period = coalesce(%(update_period)s, update_period),
    licence = coalesce(%(licence)s, licence),
    attribution_en = coalesce(%(attribution_en)s, attribution_en),
    attribution_zh = coalesce(%(attribution_zh)s, attribution_zh),
    origin = coalesce(%(origin)s, origin),
    editable = coalesce(%(editable)s, editable),
    max_age = coalesce(%(max_age)s, max_age),
    search = coalesce(%(search)s, search),
    updated_at = now()
where id = %(id)s and (
    title_en, title_zh, description_en, description_zh, keywords, coalesce(owner, ''), coalesce(update_period, ''),
    coalesce(licence, ''), coalesce(attribution_en, ''), coalesce(attribution_zh, ''), coalesce(origin, ''), editable, max_age, search
) is distinct from (
    coalesce(%(title_en)s, title_en), coalesce(%(title_zh)s, title_zh),
    coalesce(%(description_en)s, description_en), coalesce(%(description_zh)s, description_zh),
    coalesce(%(keywords)s::text[], keywords), coalesce(%(owner)s, owner, ''), coalesce(%(update_period)s, update_period, ''),
    coalesce(%(licence)s, licence, ''), coalesce(%(attribution_en)s, attribution_en, ''),
    coalesce(%(attribution_zh)s, attribution_zh, ''), coalesce(%(origin)s, origin, ''),
    coalesce(%(editable)s, editable), coalesce(%(max_age)s, max_age), coalesce(%(search)s, search)
)
returning id

-- name: profile_dataset
-- Write down what a data set was recognised as, and what is known of its fields.
update chengtu.dataset set profile = %(profile)s, about_fields = %(about_fields)s, updated_at = now()
where id = %(id)s and (profile, about_fields) is distinct from (%(profile)s, %(about_fields)s::jsonb)

-- name: insert_release
-- Record a release in the data set's history.
insert into chengtu.release (id, dataset, source, added, removed, changed, report)
values (%(id)s, %(dataset)s, %(source)s, %(added)s, %(removed)s, %(changed)s, %(report)s)

-- name: next_release
-- The number of the next release.
select nextval('chengtu.release_id') as release

-- name: last_report
-- The report of the newest release of a data set.
select report, loaded_at from chengtu.release where dataset = %(id)s order by id desc limit 1

-- name: delete_dataset
-- Take a data set out of the catalogue, with its history.
delete from chengtu.dataset where id = %(id)s

-- name: orphan_tables
-- Tables in `data` that no data set names: left by hand, never by us.
select c.relname
from pg_class as c
where
    c.relnamespace = to_regnamespace('data') and c.relkind in ('r', 'p') and not c.relispartition
    and not exists (select from chengtu.dataset as d where d.id = c.relname)
order by c.relname

-- name: versions
-- What the database runs on.
select
    current_setting('server_version') as postgresql,
    postgis_lib_version() as postgis

-- name: search_text
-- All texts of a feature in one, for words anywhere in them; what its index holds must be written exactly so.
({texts})

-- name: search_column
-- One of these texts.
coalesce({column}, '')
