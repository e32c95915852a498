-- What changes within a release: edits through the API and by hand in SQL are counted, and move what the catalogue says.

alter table chengtu.dataset
add column if not exists editable boolean not null default false,
add column if not exists max_age integer not null default 0 check (max_age >= 0),
add column if not exists change bigint not null default 0,
add column if not exists changed_at timestamptz not null default now(),
add column if not exists last_key bigint,
add column if not exists search boolean not null default false,
add column if not exists time_extent timestamptz[] check (cardinality(time_extent) = 2);

comment on column chengtu.dataset.editable is 'Whether features may be changed through the API (OGC API - Features 4).';
comment on column chengtu.dataset.max_age is 'Seconds that caches may serve an answer without asking again; 0: they ask each time.';
comment on column chengtu.dataset.change is 'How many statements have changed features since the release was loaded; 0 for one as loaded.';
comment on column chengtu.dataset.changed_at is 'When features changed last, by a release or within it.';
comment on column chengtu.dataset.last_key is 'The highest number ever given to a feature through the API, so that none is given twice.';
comment on column chengtu.dataset.search is 'Whether its releases get an index for words anywhere in their texts (`q`).';
comment on column chengtu.dataset.time_extent is 'The first and the last moment of the time column; null where it has none.';

-- The longitudes and latitudes that a geometry lies between: west, south, east, north; null where it has no place on Earth.
create or replace function chengtu.degrees_box(geom geometry) returns double precision[]
language plpgsql stable parallel safe set search_path = pg_catalog, public, pg_temp as $$
declare
    box constant box3d := st_transform(geom, 4326);
begin
    return case  -- more than a turn past the antimeridian is no longitude, and NaN is greater than all
        when greatest(abs(st_xmin(box)), abs(st_xmax(box))) <= 540 and greatest(abs(st_ymin(box)), abs(st_ymax(box))) <= 90
            then array[st_xmin(box), st_ymin(box), st_xmax(box), st_ymax(box)]
    end;
exception when internal_error then  -- PROJ knows no way for it
    return null;
end
$$;

-- The same for the extent of many geometries, by points along its edges: in degrees these are bent.
create or replace function chengtu.degrees_extent(extent box2d, srid integer) returns double precision[]
language sql stable as $$
    select chengtu.degrees_box(st_segmentize(
        st_setsrid(extent::geometry, srid),
        greatest(1e-9, st_xmax(extent) - st_xmin(extent), st_ymax(extent) - st_ymin(extent)) / 20
    ))
$$;

-- A key as text, which is the same in every session.
create or replace function chengtu.key_text(key anyelement) returns text
language sql stable parallel safe
set timezone = 'UTC' set datestyle = 'ISO' set extra_float_digits = 1 set bytea_output = 'hex' as $$
    select key::text
$$;

-- The SQL that tells what a statement changed, out of its transition tables: op, key, old_box, new_box. A feature whose
-- key changed is deleted, and another inserted. Of a table that has lost its key or its geometries, nothing can be told.
create or replace function chengtu.changed_rows(op text, target oid, key_column text) returns text
language plpgsql stable set search_path = pg_catalog, public, pg_temp as $$
declare
    columns constant text[] := array(
        select a.attname from pg_attribute as a where a.attrelid = target and a.attnum > 0 and not a.attisdropped
    );
begin
    return case
        when not array['geom', key_column] <@ columns then format(
            'select ''R'' as op, null as key, null::double precision[] as old_box, null::double precision[] as new_box from %s',
            case op when 'DELETE' then 'old_rows' else 'new_rows' end
        )
        when op = 'INSERT' then format(
            'select ''I'' as op, chengtu.key_text(n.%I) as key,'
            ' null::double precision[] as old_box, chengtu.degrees_box(n.geom) as new_box'
            ' from new_rows as n', key_column
        )
        when op = 'DELETE' then format(
            'select ''D'' as op, chengtu.key_text(o.%I) as key,'
            ' chengtu.degrees_box(o.geom) as old_box, null::double precision[] as new_box'
            ' from old_rows as o', key_column
        )
        else format(
            'select case when o.%1$I is null then ''I'' when n.%1$I is null then ''D'' else ''U'' end as op,'
            ' chengtu.key_text(coalesce(n.%1$I, o.%1$I)) as key,'
            ' chengtu.degrees_box(o.geom) as old_box, chengtu.degrees_box(n.geom) as new_box'
            ' from old_rows as o full join new_rows as n on o.%1$I = n.%1$I'
            ' where o.%1$I is null or n.%1$I is null or o *<> n', key_column
        )
    end;
end
$$;

-- Counts a change, and keeps number, extent and time extent of the features right; extents only grow until the next release.
create or replace function chengtu.count_change(
    name text, features bigint, box double precision[] default null, times timestamptz[] default null
) returns void
language sql as $$
    update chengtu.dataset as d set
        change = d.change + 1,
        changed_at = clock_timestamp(),
        feature_count = features,
        extent = case
            when box is null then d.extent
            when d.extent is null then box
            else array[
                least(d.extent[1], box[1]), least(d.extent[2], box[2]), greatest(d.extent[3], box[3]), greatest(d.extent[4], box[4])
            ]
        end,
        time_extent = case
            when times is null then d.time_extent
            when d.time_extent is null then times
            else array[least(d.time_extent[1], times[1]), greatest(d.time_extent[2], times[2])]
        end
    where d.id = name
$$;

-- Counts a statement that changed features, and writes down each of them. The data set's row is locked first: changes
-- are numbered in the order that they are committed in, and whoever sees one sees all before it.
create or replace function chengtu.note_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    most constant integer := 20000;  -- features of a statement that are told one by one
    name constant text := chengtu.dataset_of(tg_relid);
    entry record;
    differing text;
    number record;
    box double precision[];
    times timestamptz [];
begin
    select d.key_column, d.time_column into entry from chengtu.dataset as d where d.id = name;
    if not found then
        return null;
    end if;
    differing := chengtu.changed_rows(tg_op, tg_relid, entry.key_column);
    execute format(
        'select count(*) as n, coalesce(sum((op = ''I'')::int - (op = ''D'')::int), 0) as more, bool_or(op = ''R'') as whole'
        ' from (%s) as c', differing
    ) into number;
    if number.n = 0 then
        return null;
    end if;
    select d.time_column, d.srid, d.release, d.change, d.feature_count into entry
    from chengtu.dataset as d where d.id = name for no key update;
    if number.whole or number.n > most then
        insert into chengtu.change_log (dataset, release, change, ordinal, op) values (name, entry.release, entry.change + 1, 1, 'R');
        if tg_op <> 'DELETE' and not number.whole then
            execute 'select chengtu.degrees_extent(st_extent(geom), $1) from new_rows' using entry.srid into box;
        end if;
    else
        execute format(
            'with told as ('
            ' insert into chengtu.change_log (dataset, release, change, ordinal, op, key, old_box, new_box)'
            ' select $1, $2, $3, row_number() over (), c.op, c.key, c.old_box, c.new_box from (%s) as c returning new_box)'
            ' select array[min(new_box[1]), min(new_box[2]), max(new_box[3]), max(new_box[4])] from told'
            ' having count(new_box) > 0', differing
        ) using name, entry.release, entry.change + 1 into box;
    end if;
    if tg_op <> 'DELETE' and entry.time_column is not null then
        execute format('select array[min(%1$I), max(%1$I)] from new_rows having min(%1$I) is not null', entry.time_column) into times;
    end if;
    perform chengtu.count_change(name, entry.feature_count + number.more, box, times);
    return null;
end
$$;

-- What is left after a TRUNCATE is soon read anew: there is nothing to tell one by one.
create or replace function chengtu.note_truncation() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    name constant text := chengtu.dataset_of(tg_relid);
    entry record;
    features bigint;
begin
    select d.release, d.change into entry from chengtu.dataset as d where d.id = name for no key update;
    if found then
        execute format('select count(*) from data.%I', name) into features;
        insert into chengtu.change_log (dataset, release, change, ordinal, op) values (name, entry.release, entry.change + 1, 1, 'R');
        perform chengtu.count_change(name, features);
    end if;
    return null;
end
$$;

-- The data set whose table, or a partition of it, this is.
create or replace function chengtu.dataset_of(target oid) returns text
language sql stable as $$
    select c.relname::text from pg_class as c where c.oid = coalesce(pg_partition_root(target), target)
$$;

-- A release is swapped in by DDL, which fires nothing: only what changes a release in place is noted. Of a statement,
-- only the table that it names hears, the whole or a release by its own name; but TRUNCATE tells each that it empties.
create or replace function chengtu.watch(target regclass) returns void
language plpgsql as $$
begin
    execute format(
        'create or replace trigger note_insert after insert on %s referencing new table as new_rows'
        ' for each statement execute function chengtu.note_change()', target
    );
    execute format(
        'create or replace trigger note_update after update on %s referencing old table as old_rows new table as new_rows'
        ' for each statement execute function chengtu.note_change()', target
    );
    execute format(
        'create or replace trigger note_delete after delete on %s referencing old table as old_rows'
        ' for each statement execute function chengtu.note_change()', target
    );
    if (select c.relispartition from pg_class as c where c.oid = target) then
        execute format(
            'create or replace trigger note_truncate after truncate on %s'
            ' for each statement execute function chengtu.note_truncation()', target
        );
    end if;
end
$$;

comment on function chengtu.watch(regclass) is 'Notes every change of a data set''s table, or of a release of it, from now on.';

select chengtu.watch(c.oid)
from pg_class as c
where c.relnamespace = to_regnamespace('data') and (c.relkind = 'p' or (c.relkind = 'r' and c.relispartition));
