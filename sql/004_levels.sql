-- Generalised zooms: one table a data set in schema tiles, and what the catalogue says of them.

create schema if not exists tiles;

comment on schema tiles is
'One table a data set that is too large to be drawn whole at low zooms: the rows of its generalised zooms, in EPSG:3857.';

alter table chengtu.dataset
add column if not exists levels jsonb,
add column if not exists levels_change bigint not null default 0;

comment on column chengtu.dataset.levels is
'The generalised zooms of the release and what they cost; null: none, and features are drawn whole at every zoom.';
comment on column chengtu.dataset.levels_change is 'The change within the release that the generalised zooms include.';

create or replace function chengtu.drop_levels(id text) returns void
language plpgsql as $$
begin
    execute format('drop table if exists tiles.%I, tiles.%I, tiles.%I', id, id || '.member', id || '.cells');
    update chengtu.dataset as d set levels = null where d.id = drop_levels.id and d.levels is not null;
end
$$;

comment on function chengtu.drop_levels(text) is 'Takes away the generalised zooms of a data set.';
