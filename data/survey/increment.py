"""One year's change of a made-up survey: `DLTBGX`, the new parcels, and `DLTBGXGC`, what became of which."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import shapely

from data.sample.shapes import Flags, Floats, Ints, Texts
from data.survey.areas import cents, ellipsoidal_areas
from data.survey.attributes import LAYER_DIGITS, deducted, identifiers
from data.survey.classes import BUILT, NAMES, STATE_OWNED
from data.survey.picking import NOBODY, Picker, with_vertex
from data.survey.table import Column, Survey, Table

Kind = Literal["attributes", "boundary", "split", "join"]
BEHAVIOURS: dict[Kind, str] = {"attributes": "1", "boundary": "2", "split": "3", "join": "4"}  # BGXW
SHARES: dict[Kind, float] = {"attributes": 0.4, "boundary": 0.2, "split": 0.25, "join": 0.15}
_BECOMES = {"01": ("0601", "0702", "1202", "1104", "0307"), "02": ("0307", "0702"), "03": ("0404", "0201", "1006")}
_ELSE = ("0404", "1206")  # what any other class becomes


class Increment(NamedTuple):
    """The two layers, their year, and how many changes of each kind there are."""

    layers: dict[str, Table]
    year: int
    changes: dict[Kind, int]


class _Piece(NamedTuple):
    """Ground that an old parcel and the `after`-th new one share; area in cents."""

    before: int
    after: int
    shape: shapely.Geometry
    area: int


class _Change(NamedTuple):
    """New parcels as (an old one like it, shape, class), and the pieces; `after` counts within the change."""

    kind: Kind
    made: list[tuple[int, shapely.Geometry, str]]
    pieces: list[_Piece]


def build_increment(survey: Survey, changes: int, *, seed: int = 20261) -> Increment:
    """About `changes` changes of the year after the survey's, none beside another; areas balance to the cent.

    The new parcels of a change cover exactly what its old ones covered, vertex by vertex.
    """
    picker = Picker(np.random.default_rng([seed, survey.year, changes]), survey.parcels)
    areas = cents(survey.parcels["TBMJ"])
    made: list[_Change] = []
    for kind, share in SHARES.items():
        made += _some(picker, round(share * changes), partial(_MAKERS[kind], picker, survey, areas))
    counts = {kind: sum(one.kind == kind for one in made) for kind in SHARES}
    return Increment(_tables(survey, made), survey.year + 1, counts)


def applied(survey: Survey, increment: Increment) -> Table:
    """`DLTB` as it is after the increment: old parcels gone, new ones last."""
    new, gone = increment.layers["DLTBGX"], set(increment.layers["DLTBGXGC"]["BGQTBBSM"])
    kept = survey.parcels.where(np.array([key not in gone for key in survey.parcels["BSM"]]))
    columns = {name: np.concatenate([column, new[name]]) for name, column in kept.columns.items()}
    return Table(np.concatenate([kept.shapes, new.shapes]), "Polygon", columns)


def _some(picker: Picker, count: int, make: Callable[[int], _Change | None]) -> Iterator[_Change]:
    """The first `count` changes that can be made; their parcels are taken."""
    for parcel in picker.offers() if count else ():
        change = make(parcel)
        if change is not None:
            picker.take(*{piece.before for piece in change.pieces})
            yield change
            count -= 1
        if not count:
            return


def _new_attributes(picker: Picker, survey: Survey, areas: Ints, parcel: int) -> _Change:
    shape, code = picker.shapes[parcel], survey.parcels["DLBM"][parcel]
    choices = [one for one in _BECOMES.get(code[:2], _ELSE) if one != code]
    becomes = choices[int(picker.rng.integers(len(choices)))]
    return _Change("attributes", [(parcel, shape, becomes)], [_Piece(parcel, 0, shape, int(areas[parcel]))])


def _new_boundary(picker: Picker, survey: Survey, areas: Ints, parcel: int) -> _Change | None:
    """The parcel gains a corner of its neighbour's ground."""
    for bend in picker.bends(parcel):
        other = bend.neighbour
        if other == NOBODY or not picker.is_free(other) or picker.villages[other] != picker.villages[parcel]:
            continue
        move = picker.outward(bend, 12.0)
        if move is None:
            continue
        wider, smaller = (with_vertex(picker.shapes[one], bend.at, move.to) for one in (parcel, other))
        moved = int(cents(ellipsoidal_areas(np.array([move.piece])))[0])
        classes = survey.parcels["DLBM"]
        pieces = [
            _Piece(parcel, 0, picker.shapes[parcel], int(areas[parcel])),
            _Piece(other, 0, move.piece, moved),
            _Piece(other, 1, smaller, int(areas[other]) - moved),
        ]
        return _Change("boundary", [(parcel, wider, classes[parcel]), (other, smaller, classes[other])], pieces)
    return None


def _new_parts(picker: Picker, survey: Survey, areas: Ints, parcel: int) -> _Change | None:
    """The parcel in two, cut from vertex to vertex; one part becomes another class."""
    halves = _cut(picker.rng, picker.shapes[parcel])
    if halves is None:
        return None
    code = survey.parcels["DLBM"][parcel]
    becomes = next(one for one in _BECOMES.get(code[:2], _ELSE) if one != code)
    first = int(cents(ellipsoidal_areas(np.array([halves[0]])))[0])
    pieces = [_Piece(parcel, 0, halves[0], first), _Piece(parcel, 1, halves[1], int(areas[parcel]) - first)]
    return _Change("split", [(parcel, halves[0], code), (parcel, halves[1], becomes)], pieces)


def _joined(picker: Picker, survey: Survey, areas: Ints, parcel: int) -> _Change | None:
    """The parcel and a neighbour as one."""
    for other in picker.neighbours(parcel):
        if not picker.is_free(other) or picker.villages[other] != picker.villages[parcel]:
            continue
        whole = shapely.coverage_union_all([picker.shapes[parcel], picker.shapes[other]])
        if whole.geom_type == "Polygon" and whole.is_valid:
            pieces = [_Piece(one, 0, picker.shapes[one], int(areas[one])) for one in (parcel, other)]
            return _Change("join", [(parcel, whole, survey.parcels["DLBM"][parcel])], pieces)
    return None


_MAKERS: dict[Kind, Callable[[Picker, Survey, Ints, int], _Change | None]] = {
    "attributes": _new_attributes,
    "boundary": _new_boundary,
    "split": _new_parts,
    "join": _joined,
}


def _cut(rng: np.random.Generator, shape: shapely.Polygon) -> tuple[shapely.Polygon, shapely.Polygon] | None:
    """Both sides of a chord between two vertices about half the outline apart; None where none is inside."""
    if shapely.get_num_interior_rings(shape):
        return None
    ring = shapely.get_coordinates(shape)[:-1]
    half = len(ring) // 2
    for begin in rng.permutation(len(ring)):
        turned = np.roll(ring, -int(begin), axis=0)
        chord = shapely.LineString([turned[0], turned[half]])
        inside = shapely.relate_pattern(chord, shape, "1FF*0****")  # touches the outline at its ends alone
        halves = shapely.Polygon(turned[: half + 1]), shapely.Polygon(np.concatenate([turned[half:], turned[:1]]))
        if inside and min(one.area for one in halves) > 0.2 * shape.area:
            return halves
    return None


def _tables(survey: Survey, changes: list[_Change]) -> dict[str, Table]:
    starts = np.cumsum([0, *(len(one.made) for one in changes)]).tolist()
    made = [new for change in changes for new in change.made]
    pieces = [
        piece._replace(after=start + piece.after)
        for start, one in zip(starts, changes, strict=False)
        for piece in one.pieces
    ]
    behaviours = [BEHAVIOURS[one.kind] for one in changes for _ in one.pieces]
    areas = np.bincount([piece.after for piece in pieces], [piece.area for piece in pieces], len(made)).astype(np.int64)
    new = _new_parcels(survey, made, areas)
    return {"DLTBGX": new, "DLTBGXGC": _process(survey, new, pieces, behaviours)}


def _new_parcels(survey: Survey, made: list[tuple[int, shapely.Geometry, str]], areas: Ints) -> Table:
    old = survey.parcels
    like = np.array([one for one, _, _ in made], dtype=np.int64)
    codes = _texts([code for _, _, code in made])
    shapes = np.array([shape for _, shape, _ in made] + [None], dtype=object)[:-1]
    table = old.where(like).having(
        shapes,
        BSM=_numbers_after(old["BSM"], old["ZLDWDM"][like]),
        **dict.fromkeys(("TBYBH", "TBBH"), _numbers_in_village(old, old["ZLDWDM"][like])),
        SJNF=np.full(len(made), survey.year + 1),
        GXSJ=_days(survey.year + 1, len(made)),
    )
    table = _reclassed(table, codes, table["DLBM"] != codes)
    taken = deducted(areas, table["KCXS"])
    return table.having(TBMJ=areas / 100, KCMJ=taken / 100, TBDLMJ=(areas - taken) / 100)


def _reclassed(table: Table, codes: Texts, changed: Flags) -> Table:
    """Other classes for the rows that have `changed`, with all that follows from a class that is not cultivated."""
    farmland = ("KCDLBM", "GDLX", "GDPDJB", "ZZSXDM", "ZZSXMC", "GDDB")
    columns: dict[str, Column] = {name: np.where(changed, None, table[name]) for name in farmland}  # type: ignore[call-overload]
    built = np.where(np.isin(codes.astype(str), BUILT), "203", None)  # type: ignore[call-overload]
    owned = np.where(np.isin(codes.astype(str), STATE_OWNED), "20", "30").astype(object)
    return table.having(
        **columns,
        DLBM=codes,
        DLMC=_texts([NAMES[code] for code in codes]),
        KCXS=np.where(changed, 0.0, table["KCXS"]),
        QSXZ=np.where(changed, owned, table["QSXZ"]),
        CZCSXM=np.where(changed, built, table["CZCSXM"]),
        XZDWKD=np.where(changed, np.nan, table["XZDWKD"]),
    )


def _process(survey: Survey, new: Table, pieces: list[_Piece], behaviours: list[str]) -> Table:
    before = np.array([piece.before for piece in pieces], dtype=np.int64)
    after = np.array([piece.after for piece in pieces], dtype=np.int64)
    areas = np.array([piece.area for piece in pieces], dtype=np.int64)
    units = survey.parcels["ZLDWDM"][before]
    columns = {
        "BSM": identifiers(units, "2111"),
        "YSDM": np.full(len(pieces), "2001010100", dtype=object),
        **_side("BGQ", survey.parcels, before, areas),
        **_side("BGH", new, after, areas),
        "TBBGMJ": areas / 100,
        "BGXW": _texts(behaviours),
        "GXSJ": _days(survey.year + 1, len(pieces)),
        "XZQTZLX": np.full(len(pieces), "0", dtype=object),
    }
    shapes = np.array([piece.shape for piece in pieces] + [None], dtype=object)[:-1]
    return Table(shapes, "Polygon", columns)


def _side(prefix: str, parcels: Table, rows: Ints, areas: Ints) -> dict[str, Column]:
    """The fields of one side, with the shares of what was deducted."""
    own = parcels.where(rows)
    taken = _shares(rows, areas, own["KCXS"], cents(own["KCMJ"]))
    names = {
        "TBBSM": "BSM",
        "TBBH": "TBBH",
        "DLBM": "DLBM",
        "DLMC": "DLMC",
        "QSXZ": "QSXZ",
        "ZLDWDM": "ZLDWDM",
        "KCXS": "KCXS",
    }
    fields = {f"{prefix}{name}": own[source] for name, source in names.items()}
    return {**fields, f"{prefix}KCMJ": taken / 100, f"{prefix}TBDLMJ": (areas - taken) / 100}


def _shares(rows: Ints, areas: Ints, ratio: Floats, totals: Ints) -> Ints:
    """Cents deducted of each piece; the last piece of a parcel takes what is left of the parcel's."""
    taken = deducted(areas, ratio)
    _, last = np.unique(rows[::-1], return_index=True)
    last = len(rows) - 1 - last
    sums = np.bincount(rows, weights=taken).astype(np.int64)
    taken[last] += totals[last] - sums[rows[last]]
    return taken


def _numbers_after(keys: Texts, villages: Texts) -> Texts:
    """Identifiers that go on after the highest of each county."""
    counties = _texts([code[:6] for code in villages])
    highest: dict[str, int] = {}
    for key in keys:
        highest[key[:6]] = max(highest.get(key[:6], 0), int(key[10:]))
    made = []
    for county in counties:
        highest[county] += 1
        made.append(f"{county}{LAYER_DIGITS}{highest[county]:08d}")
    return _texts(made)


def _numbers_in_village(old: Table, villages: Texts) -> Texts:
    highest: dict[str, int] = {}
    for village, number in zip(old["ZLDWDM"], old["TBBH"], strict=True):
        highest[village] = max(highest.get(village, 0), int(number))
    made = []
    for village in villages:
        highest[village] += 1
        made.append(f"{highest[village]:04d}")
    return _texts(made)


def _days(year: int, count: int) -> Column:
    return np.full(count, np.datetime64(f"{year}-12-31"))


def _texts(values: list[str]) -> Texts:
    return np.array(values, dtype=object)
