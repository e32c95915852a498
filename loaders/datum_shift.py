"""Beijing 1954 and Xian 1980 to CGCS2000, with parameters that a city holds and that nobody else may see."""

import math
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.crs import CGCS2000, Srid, UnknownCrs, geographic_base, lookup, old_datum, parse_uri, transformer
from core.language import Text
from loaders.crs_declared import code_by_name
from loaders.crs_errors import BadShiftFile, ShiftForOtherCrs, ShiftHasNoTwin
from loaders.crs_numbers import described

Numbers = NDArray[np.float64]

_CGCS2000_3D, _CGCS2000_GEOCENTRIC = Srid(4480), Srid(4479)
_ROTATION_UNITS = {"radian": 1.0, "degree": math.pi / 180, "arcsecond": math.pi / 648_000}
_UNITS = {
    "translation_unit": ("metre",),
    "rotation_unit": tuple(_ROTATION_UNITS),
    "scale_unit": ("ppm", "factor"),
}
_CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "seven-parameter": {"convention": ("position_vector", "coordinate_frame"), **_UNITS},
    "four-parameter": {"first_axis": ("north", "east"), **_UNITS},
}
_NUMBERS = {
    "seven-parameter": ("dx", "dy", "dz", "rx", "ry", "rz", "scale"),
    "four-parameter": ("dx", "dy", "rotation", "scale"),
}


@dataclass(frozen=True, repr=False)
class _SevenParameters:
    """Bursa-Wolf between geocentric frames: metres, radians in the position vector sense, and 1 + scale."""

    translation: tuple[float, float, float]
    rotation: tuple[float, float, float]
    factor: float

    def apply(self, source: Srid, target: Srid, x: Numbers, y: Numbers, z: Numbers) -> tuple[Numbers, Numbers]:
        base = geographic_base(source)
        lon, lat = transformer(source, base).transform(x, y)
        frame = _geocentric(base, lon, lat, z)
        rx, ry, rz = self.rotation
        turn = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])  # small angles, as PROJ and the standard have it
        moved = np.array(self.translation)[:, None] + self.factor * (turn @ frame)
        lon, lat, _ = transformer(_CGCS2000_GEOCENTRIC, _CGCS2000_3D).transform(moved[0], moved[1], moved[2])
        east, north = transformer(CGCS2000, target).transform(lon, lat)
        return east, north


@dataclass(frozen=True, repr=False)
class _FourParameters:
    """A similarity of the plane: u' = du + k (u cos a - v sin a), v' = dv + k (u sin a + v cos a)."""

    translation: tuple[float, float]
    rotation: float
    factor: float
    north_first: bool

    def apply(self, source: Srid, target: Srid, x: Numbers, y: Numbers, z: Numbers) -> tuple[Numbers, Numbers]:
        u, v = (y, x) if self.north_first else (x, y)
        cosine, sine = self.factor * math.cos(self.rotation), self.factor * math.sin(self.rotation)
        u, v = self.translation[0] + u * cosine - v * sine, self.translation[1] + u * sine + v * cosine
        return (v, u) if self.north_first else (u, v)


@dataclass(frozen=True)
class DatumShift:
    """Secret parameters from one CRS on an old datum to the same projection on CGCS2000."""

    source: Srid
    notes: tuple[Text, ...] = ()
    _parameters: _SevenParameters | _FourParameters = field(kw_only=True, repr=False)

    @property
    def target(self) -> Srid:
        """The CRS that the shift leads to: the source's twin on CGCS2000."""
        return _twin(self.source)

    def between(self, source: Srid) -> "DatumShift":
        """The same shift for data in another CRS: seven parameters hold for all of a datum, four for one plane."""
        same_datum = old_datum(lookup(source)) == old_datum(lookup(self.source))
        if source != self.source and (isinstance(self._parameters, _FourParameters) or not same_datum):
            raise ShiftForOtherCrs(theirs=described(self.source), crs=described(source))
        return replace(self, source=source)

    def apply(self, x: Numbers, y: Numbers, z: Numbers | None = None) -> tuple[Numbers, Numbers]:
        """Bring x = east and y = north (or degrees) from `source` to `target`; heights only help, and stay."""
        heights = np.zeros_like(x) if z is None else np.nan_to_num(z)
        with np.errstate(invalid="ignore"):  # infinite coordinates stay so, for the checks that follow to find
            return self._parameters.apply(self.source, self.target, x, y, heights)


def read_datum_shift(path: Path) -> DatumShift:
    """Read parameters from a TOML file; conventions and units must be spelt out, for no data would show them."""
    table = _table(path)
    kind = _choice(path, table, "kind", tuple(_CHOICES))
    choice = {key: _choice(path, table, key, options) for key, options in _CHOICES[kind].items()}
    number = {key: _number(path, table, key) for key in _NUMBERS[kind]}
    if unknown := table.keys() - {"kind", "source", *choice, *number}:
        keys = ", ".join(sorted(unknown))
        raise _bad(path, f"It has keys that mean nothing here: {keys}.", f"含有未知的键:{keys}。")
    angle = _ROTATION_UNITS[choice["rotation_unit"]]
    factor = 1 + number["scale"] * 1e-6 if choice["scale_unit"] == "ppm" else number["scale"]
    if not 0.99 < factor < 1.01:
        raise _bad(path, "Its scale is far from 1; mind scale_unit.", "尺度因子与 1 相差过大,请检查 scale_unit。")
    source = _source(path, table, kind)
    parameters = (_seven if kind == "seven-parameter" else _four)(path, choice, number, angle, factor)
    return DatumShift(source, _permissions(path), _parameters=parameters)


def _seven(
    path: Path, choice: Mapping[str, str], number: Mapping[str, float], angle: float, factor: float
) -> _SevenParameters:
    sense = angle if choice["convention"] == "position_vector" else -angle
    rx, ry, rz = (number[key] * sense for key in ("rx", "ry", "rz"))
    if max(abs(rx), abs(ry), abs(rz)) > 0.01:
        raise _bad(
            path, "Its rotations exceed half a degree; mind rotation_unit.", "旋转角超过半度,请检查 rotation_unit。"
        )
    return _SevenParameters((number["dx"], number["dy"], number["dz"]), (rx, ry, rz), factor)


def _four(
    path: Path, choice: Mapping[str, str], number: Mapping[str, float], angle: float, factor: float
) -> _FourParameters:
    north_first = choice["first_axis"] == "north"
    return _FourParameters((number["dx"], number["dy"]), number["rotation"] * angle, factor, north_first)


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"It cannot be read ({error.strerror}).", f"无法读取({error.strerror})。"
    except ValueError as error:
        line = re.search(r"line (\d+)", str(error))
        at, place = (f" at line {line[1]}", f"(第 {line[1]} 行)") if line else ("", "")
        problem = f"It is not valid TOML{at}.", f"不是有效的 TOML 文件{place}。"
    raise _bad(path, *problem)  # raised out here, so that no cause which may quote the file hangs on to it


def _choice(path: Path, table: Mapping[str, Any], key: str, options: tuple[str, ...]) -> str:
    value = table.get(key)
    if value not in options:
        known = ", ".join(f'"{option}"' for option in options)
        raise _bad(path, f"{key} must be given, as one of {known}.", f"必须给出 {key},可取值:{known}。")
    return str(value)


def _number(path: Path, table: Mapping[str, Any], key: str) -> float:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _bad(path, f"{key} must be given, as a number.", f"必须给出 {key},且为数值。")
    return float(value)


def _source(path: Path, table: Mapping[str, Any], kind: str) -> Srid:
    try:
        source = parse_uri(str(table.get("source")))
        datum = old_datum(lookup(source))
    except UnknownCrs:
        datum = None
    if datum is None or (kind == "four-parameter" and lookup(source).is_geographic):
        example = "EPSG:4610" if kind == "seven-parameter" else "EPSG:2385"
        raise _bad(
            path,
            f'source must be given, as the CRS on Beijing 1954 or Xian 1980 that it is for, such as "{example}".',
            f'必须给出 source,即参数所适用的北京 54 或西安 80 坐标系,例如 "{example}"。',
        )
    return source


def _permissions(path: Path) -> tuple[Text, ...]:
    if not path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return ()
    return (
        Text(
            f"{path} can be read by others than its owner: run `chmod 600 {path}`. Its parameters are secret.",
            f"{path} 可被其他用户读取,请执行 `chmod 600 {path}`。转换参数属于涉密信息。",
        ),
    )


def _bad(path: Path, en: str, zh: str) -> BadShiftFile:
    return BadShiftFile(path=path, problem=Text(en, zh))


def _geocentric(base: Srid, lon: Numbers, lat: Numbers, height: Numbers) -> Numbers:
    """Degrees on the ellipsoid of `base` to X, Y, Z in metres, as three rows."""
    ellipsoid = lookup(base).ellipsoid
    if ellipsoid is None:
        raise UnknownCrs(crs=f"EPSG:{base}")
    flattening = 1 / ellipsoid.inverse_flattening
    eccentricity = flattening * (2 - flattening)
    sine, cosine = np.sin(np.radians(lat)), np.cos(np.radians(lat))
    normal = ellipsoid.semi_major_metre / np.sqrt(1 - eccentricity * sine**2)
    across = (normal + height) * cosine
    up = (normal * (1 - eccentricity) + height) * sine
    return np.stack([across * np.cos(np.radians(lon)), across * np.sin(np.radians(lon)), up])


def _twin(source: Srid) -> Srid:
    if lookup(source).is_geographic:
        return CGCS2000
    twin = code_by_name(re.sub(r"^[^/]*", "CGCS2000 ", lookup(source).name))
    if twin is None:
        raise ShiftHasNoTwin(crs=described(source))
    return twin
