-- The catalogue of data sets, and the history of their releases.
-- Every file in this folder is idempotent: it may run on an empty database, and again on a full one.

create extension if not exists postgis;

create schema if not exists chengtu;
create schema if not exists data;

comment on schema chengtu is 'Chengtu''s own tables: the catalogue, releases, refused geometries.';
comment on schema data is 'One partitioned table a data set; its one partition is the release being served.';

create table if not exists chengtu.dataset (
    id text primary key check (id ~ '^[a-z][a-z0-9_]{0,47}$'),
    title_en text not null,
    title_zh text not null,
    description_en text not null default '',
    description_zh text not null default '',
    keywords text[] not null default '{}',
    kind text not null default 'vector' check (kind in ('vector')),
    geometry_type text not null,
    srid integer not null,
    key_column text not null,
    time_column text,
    fields jsonb not null,
    extent double precision[] check (cardinality(extent) = 4),
    feature_count bigint not null,
    owner text,
    update_period text,
    licence text,
    attribution_en text,
    attribution_zh text,
    sensitivity text not null default 'public',
    origin text,
    source text not null,
    style jsonb,
    release bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

comment on table chengtu.dataset is 'What the city publishes: one row a data set. The table that holds it is data.<id>.';
comment on column chengtu.dataset.fields is 'The attributes served, in order: [{"name": ..., "type": ... as PostgreSQL writes it}].';
comment on column chengtu.dataset.extent is 'West, south, east, north in degrees (CRS84) of the release; null where there is no geometry.';
comment on column chengtu.dataset.update_period is 'How often the owner promises new data, as an ISO 8601 duration (P1Y, P1M).';

create sequence if not exists chengtu.release_id;

create table if not exists chengtu.release (
    dataset text not null references chengtu.dataset (id) on delete cascade,
    id bigint not null,
    loaded_at timestamptz not null default now(),
    source text not null,
    added bigint not null,
    removed bigint not null,
    changed bigint not null,
    report jsonb not null,
    primary key (dataset, id)
);

comment on table chengtu.release is 'Each loaded state of a data set, what it changed, and the report of its load.';

create table if not exists chengtu.refused_geometry (
    dataset text not null references chengtu.dataset (id) on delete cascade,
    key text not null,
    reason text not null,
    geometry bytea not null,
    primary key (dataset, key)
);

comment on table chengtu.refused_geometry is
'Geometries of the current release that could not be stored, as the source''s WKB: their features are served without geometry.';

create or replace function chengtu.tell_catalogue() returns trigger
language plpgsql as $$
begin
    perform pg_notify('chengtu_catalogue', '');
    return null;
end
$$;

-- Server processes rebuild what they serve when a data set is published or described anew, not at every edit of a feature.
drop trigger if exists tell on chengtu.dataset;
create trigger tell after insert or delete or truncate or update of updated_at on chengtu.dataset
for each statement execute function chengtu.tell_catalogue();
