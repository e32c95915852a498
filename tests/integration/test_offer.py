"""CRSs are offered only where places come out right in them."""

import pytest

from core.catalogue import get_dataset
from core.crs import Srid
from core.database import connect
from features.offer import RoundTrips
from features.table import Table


@pytest.mark.parametrize("id_", ["parcels", "places", "sites_wgs84", "sites_mercator"])
def test_every_crs_of_the_city_stands_the_trial(city_database: str, id_: str) -> None:
    with connect(city_database) as connection:
        table = Table(get_dataset(connection, id_))
        assert {4326, 4490, 4551, 3857} <= set(table.offered)
        assert RoundTrips().withheld(table, connection) == frozenset()


def test_a_crs_that_the_database_knows_otherwise_is_withheld(city_database: str) -> None:
    with connect(city_database) as connection:
        connection.execute(
            "update spatial_ref_sys set auth_name = '', auth_srid = 0, srtext = '',"
            " proj4text = '+proj=merc +lon_0=1 +type=crs' where srid = 3857"
        )
        table = Table(get_dataset(connection, "parcels"))
        withheld = RoundTrips().withheld(table, connection)
        assert withheld == {3857}
        assert Srid(3857) not in Table(table.dataset, withheld).offered
        connection.rollback()
