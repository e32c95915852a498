"""Made-up drawings are DXF as CASS writes it, hold what their truth says, and are clean where nothing was planted."""

from collections import Counter
from pathlib import Path

import ezdxf
import pytest
from ezdxf.document import Drawing

from data.topography import DrawingTruth, SheetsTruth, write_drawing, write_sheets
from data.topography.features import UNKNOWN
from data.topography.terrain import height

COUNT = 1_500


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DrawingTruth]:
    path = tmp_path_factory.mktemp("drawing") / "map.dxf"
    return path, write_drawing(path, COUNT)


@pytest.fixture(scope="module")
def document(drawn: tuple[Path, DrawingTruth]) -> Drawing:
    return ezdxf.readfile(drawn[0])


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SheetsTruth]:
    folder = tmp_path_factory.mktemp("sheets")
    return folder, write_sheets(folder, scale=1000, crossings=20, geometry=2, attribute=3)


def code_of(entity: ezdxf.entities.DXFEntity) -> str | None:
    return str(entity.get_xdata("SOUTH")[0].value) if entity.has_xdata("SOUTH") else None


def test_a_drawing_holds_what_its_truth_says(drawn: tuple[Path, DrawingTruth], document: Drawing) -> None:
    found = Counter((one.dxf.layer, one.dxftype()) for one in document.modelspace())
    told = {(layer, kind): n for layer, kinds in drawn[1].objects.items() for kind, n in kinds.items()}
    assert found == told
    assert sum(told.values()) == drawn[1].as_json()["total"] == COUNT
    assert sum(code_of(one) == UNKNOWN for one in document.modelspace()) == drawn[1].unmapped > 0
    layers = "KZD JMD DLDW DLSS SXSS GXYZ DMTZ DGX GCD ZBTZ ZJ JJ JZD TK ASSIST"
    assert {layer for layer, _ in told} == set(layers.split())
    assert {kind for _, kind in told} >= {
        "LINE",
        "LWPOLYLINE",
        "POLYLINE",
        "ARC",
        "CIRCLE",
        "SPLINE",
        "INSERT",
        "TEXT",
        "MTEXT",
    }


def test_a_drawing_is_sound_dxf_in_gbk(drawn: tuple[Path, DrawingTruth], document: Drawing) -> None:
    audit = document.audit()
    assert not audit.errors
    assert not audit.fixes
    assert document.dxfversion == "AC1015"
    assert document.header["$DWGCODEPAGE"] == "ANSI_936"
    assert "模拟数据".encode("gbk") in drawn[0].read_bytes()
    texts = document.modelspace().query("TEXT[layer=='ZJ']")
    assert any(one.dxf.rotation for one in texts)
    assert {one.dxf.height for one in texts} == {1.5, 2.0, 3.0}


def test_heights_are_those_of_one_terrain(drawn: tuple[Path, DrawingTruth], document: Drawing) -> None:
    west, south = drawn[1].corner
    space = document.modelspace()
    for one in space.query("INSERT[layer=='GCD']"):
        x, y, z = one.dxf.insert
        assert z == pytest.approx(height(x - west, y - south), abs=1e-3)
        assert float(one.attribs[0].dxf.text) == pytest.approx(z, abs=0.006)
    for one in space.query("LWPOLYLINE[layer=='DGX']"):
        for x, y in one.get_points("xy"):
            assert one.dxf.elevation == pytest.approx(height(x - west, y - south), abs=1e-3)
        assert (code_of(one) == "201102") == (one.dxf.elevation % 5 == 0)
    for one in space.query("POLYLINE[layer=='DGX']"):
        assert len({vertex.dxf.location.z for vertex in one.vertices}) == 1


def test_symbols_are_turned_and_scaled_and_lines_have_arcs(document: Drawing) -> None:
    space = document.modelspace()
    assert {one.dxf.xscale for one in space.query("INSERT[layer=='GXYZ']")} == {0.5, 1.0, 2.0}
    assert any(one.dxf.rotation for one in space.query("INSERT[layer=='GXYZ']"))
    assert any(one.has_arc for one in space.query("LWPOLYLINE[layer=='JMD']"))
    parcel = space.query("LWPOLYLINE[layer=='JZD']")[0].get_xdata("SOUTH")
    assert parcel[0].value == "300000"
    assert len(parcel) == 4


def test_the_same_seed_draws_the_same(drawn: tuple[Path, DrawingTruth], tmp_path: Path) -> None:
    def objects(path: Path) -> bytes:
        return path.read_bytes().partition(b"ENTITIES")[2].partition(b"ENDSEC")[0]

    assert write_drawing(tmp_path / "map.dxf", COUNT) == drawn[1]
    assert objects(tmp_path / "map.dxf") == objects(drawn[0])
    zoned = write_drawing(tmp_path / "zoned.dxf", 50, srid=4530)
    assert zoned.corner == (drawn[1].corner[0] + 42_000_000, drawn[1].corner[1])
    assert sorted(one.name for one in tmp_path.iterdir()) == ["map.dxf", "zoned.dxf"]


def test_neighbouring_sheets_match_at_their_edge_but_where_they_were_made_not_to(
    sheets: tuple[Path, SheetsTruth],
) -> None:
    folder, truth = sheets
    west, east = (ezdxf.readfile(folder / file) for file in truth.sheets.values())
    wrong: dict[str, list[float]] = {"geometry": [], "attribute": []}
    features = [[one for one in sheet.modelspace().query("LWPOLYLINE") if code_of(one)] for sheet in (west, east)]
    for one, other in zip(*features, strict=True):
        end, begin = one.get_points("xy")[-1], other.get_points("xy")[0]
        assert end[0] == begin[0] == truth.mismatches["geometry"][0]["x"]
        if abs(end[1] - begin[1]) > 0.01:
            wrong["geometry"].append(end[1])
        if (code_of(one), one.dxf.elevation) != (code_of(other), other.dxf.elevation):
            wrong["attribute"].append(end[1])
    for kind, found in wrong.items():
        assert found == pytest.approx([one["y"] for one in truth.mismatches[kind]], abs=1e-3)
    assert {kind: len(found) for kind, found in wrong.items()} == {"geometry": 2, "attribute": 3}
    assert truth.matching == 15


def test_sheets_are_named_by_their_corner_in_kilometres(sheets: tuple[Path, SheetsTruth], tmp_path: Path) -> None:
    assert list(sheets[1].sheets) == ["4857.0-545.0", "4857.0-545.5"]
    assert list(write_sheets(tmp_path, scale=500, srid=4530).sheets) == ["4857.00-545.00", "4857.00-545.25"]
