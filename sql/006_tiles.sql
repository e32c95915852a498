-- Which database this is: what is kept outside of it, such as finished tiles, must not be taken for another's.

create table if not exists chengtu.service (
    identity uuid primary key default gen_random_uuid()
);

comment on table chengtu.service is 'One row: by which copies outside of the database know whose they are.';

insert into chengtu.service select
where not exists (select from chengtu.service);

-- How far the parts of a polygon are from each other, at least, in units of its CRS: whoever rounds its corners by less leaves
-- it valid. Null where that is not known, and for one that is wound against the rule (OGC 06-103r4, 6.1.11.1).
create or replace function chengtu.clearance(geom geometry) returns real
language sql immutable parallel safe
return case
    when st_dimension(geom) = 2 and not st_isempty(geom) and st_ispolygonccw(geom)
        then least(greatest(st_minimumclearance(geom), 1e-30), 1e30)::real
end;
