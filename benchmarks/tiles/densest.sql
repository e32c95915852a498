-- The tiles of a zoom that hold the most parcels.
select
    %(zoom)s::integer as z,
    floor((ST_X(centre) + %(reach)s) / side)::integer as x,
    floor((%(reach)s - ST_Y(centre)) / side)::integer as y
from peers.plain
cross join lateral ST_Centroid(geom) as centre
cross join (select 2 * %(reach)s / 2 ^ %(zoom)s as side) as matrix
group by 2, 3
order by count(*) desc, 2, 3
limit %(count)s
