-- The parcels as the peers read them: a plain table with the indexes that Chengtu's release has, and the same
-- labelled EPSG:4326, whose numbers are the same, for pygeoapi.
create schema peers;

create table peers.parcels as
select fid, parcel_code, land_class, address, district_name, height_max_m, area_m2, plot_ratio_max, registered, updated_at, geom
from data.parcels;

create table peers.parcels_wgs84 as select * from peers.parcels;
select UpdateGeometrySRID('peers', 'parcels_wgs84', 'geom', 4326);

alter table peers.parcels add primary key (fid);
alter table peers.parcels_wgs84 add primary key (fid);

create index on peers.parcels using gist (geom);
create index on peers.parcels_wgs84 using gist (geom);

-- MapServer asks for a feature by its id as text.
create index on peers.parcels ((fid::text));
