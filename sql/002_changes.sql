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

-- Counts the statement, and keeps number, extent and time extent of the features right; extents only grow until the next release.
create or replace function chengtu.note_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    time_name text;
    added bigint := 0;
    removed bigint := 0;
    box box3d;
    times timestamptz [];
begin
    if tg_op <> 'INSERT' then
        select count(*) into removed from old_rows;
    end if;
    if tg_op <> 'DELETE' then
        select count(*), st_3dextent(st_transform(geom, 4326)) into added, box from new_rows;
        select d.time_column into time_name from chengtu.dataset as d where d.id = tg_table_name;
        if time_name is not null then
            execute format('select array[min(%1$I), max(%1$I)] from new_rows having min(%1$I) is not null', time_name) into times;
        end if;
    end if;
    if added = 0 and removed = 0 then
        return null;
    end if;
    update chengtu.dataset as d set
        change = d.change + 1,
        changed_at = clock_timestamp(),
        feature_count = d.feature_count + added - removed,
        extent = case
            when box is null then d.extent
            when d.extent is null then array[st_xmin(box), st_ymin(box), st_xmax(box), st_ymax(box)]
            else array[
                least(d.extent[1], st_xmin(box)), least(d.extent[2], st_ymin(box)),
                greatest(d.extent[3], st_xmax(box)), greatest(d.extent[4], st_ymax(box))
            ]
        end,
        time_extent = case
            when times is null then d.time_extent
            when d.time_extent is null then times
            else array[least(d.time_extent[1], times[1]), greatest(d.time_extent[2], times[2])]
        end
    where d.id = tg_table_name;
    return null;
end
$$;

-- A release is swapped in by DDL, which fires nothing: only what changes a release in place is noted.
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
end
$$;

comment on function chengtu.watch(regclass) is 'Notes every change of a data set''s table from now on.';

select chengtu.watch(c.oid)
from pg_class as c
where c.relnamespace = to_regnamespace('data') and c.relkind = 'p';
