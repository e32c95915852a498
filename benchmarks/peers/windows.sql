-- Squares as a map shows them, around the parcels of these ids, that each hold this many parcels and some more.
select ST_X(centre) - reach as west, ST_Y(centre) - reach as south, ST_X(centre) + reach as east, ST_Y(centre) + reach as north
from unnest(%(ids)s::bigint[]) with ordinality as chosen (id, turn)
join peers.parcels on fid = id
cross join lateral ST_Centroid(geom) as centre
cross join lateral (
    select max(near.distance) as reach
    from (
        select others.geom <-> centre as distance from peers.parcels as others
        order by others.geom <-> centre limit %(holding)s
    ) as near
) as farthest
order by turn
