-- The parcels as the peers read them: with their id and two attributes in the CRS of the tiles, which is the best that a table
-- can be for them; and as they are loaded, with all attributes in EPSG:4490.
create schema peers;

create table peers.plain as
select fid, land_class, district_name, ST_Transform(geom, 3857)::geometry (geometry, 3857) as geom
from data.parcels;

create table peers.full as
select fid, parcel_code, land_class, address, district_name, height_max_m, area_m2, plot_ratio_max, registered, updated_at, geom
from data.parcels;

alter table peers.plain add primary key (fid);
alter table peers.full add primary key (fid);

create index on peers.plain using gist (geom);
create index on peers.full using gist (geom);

-- Ours with whole geometries at any zoom: with the same two attributes, and with those that the load has chosen.
update chengtu.dataset
set
    levels = null,
    portrayal = case when id = 'plain' then portrayal || '{"fields": ["land_class", "district_name"]}' else portrayal end
where id in ('plain', 'full');
