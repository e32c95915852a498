"""A layer becomes filled staging tables, each of which may become the release of a data set."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from core.catalogue import CLEARANCE, GEOMETRY, RELEASE, VALID_FROM, VALID_TO, Field, check_id
from core.crs import lookup
from core.database import Connection, query
from core.errors import ChengtuError
from core.language import Text
from loaders.comparison import Terms
from loaders.crs import CrsDecision, DatumShift, decide
from loaders.geometry import FAMILIES, Rules
from loaders.job import Job
from loaders.layer import Layer
from loaders.lives import Wish, has_history
from loaders.options import Described
from loaders.pipeline import Columns, Stream, family_of, straightener
from loaders.profiles.conform import conform
from loaders.release import served_release
from loaders.report import LayerRead
from loaders.source import Source
from loaders.staging import ROW_NUMBER, Place, Staging, postgres_type
from loaders.topographic import PROFILE, completed


class NoSuchField(ChengtuError):
    """--key or --time names a field that the layer lacks."""

    en = "The layer has no field {name}. Its fields: {fields}."
    zh = "图层中没有字段 {name}。可用字段:{fields}。"
    exit_code = 2


@dataclass(frozen=True)
class Candidate:
    """A filled staging table, and what the catalogue shall say of the data set that it becomes."""

    id: str
    staging: Staging
    title: Text  # where neither the user nor the catalogue has one
    described: Described
    source: str
    time: str | None = None
    period: str | None = None  # likewise
    profile: str | None = None
    about_fields: Mapping[str, Any] = field(default_factory=dict)
    wish: Wish = field(default_factory=Wish)  # for its history
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True)
class Staged:
    """What a job made: candidates, and what reading told."""

    job: Job
    read: LayerRead
    candidates: tuple[Candidate, ...]

    @property
    def main(self) -> Candidate:
        """The one that has the job's id, else the first."""
        return next((one for one in self.candidates if one.id == self.job.id), self.candidates[0])


def stage(
    connection: Connection,
    aside: Connection,
    source: Source,
    job: Job,
    shift: DatumShift | None,
    tell: Callable[[int, int | None], None],
) -> Staged:
    """Read a layer into staging tables, one for each family of geometries in it; `tell` hears rows so far, and in all."""
    options = job.options
    with source.open(job.layer) as opened:
        layer = _as_profiled(opened, job)
        bounds = _bounds(layer, options.batch)
        decision = decide(layer.crs, bounds, asked=options.srs, axes=options.axes, datum_shift=shift)
        stream = _stream(connection, aside, job, layer, decision)
        rows = stream.run(layer.batches(options.batch), lambda done: tell(done, layer.feature_count))
        read = _read(job, layer, decision, rows)
    return Staged(job, read, _candidates(connection, source, job, stream))


def _as_profiled(layer: Layer, job: Job) -> Layer:
    """The layer with the fields of its profile, and what those of a topographic map need besides."""
    if job.match is None:
        return layer
    layer = conform(layer, job.match)
    return completed(layer, job.sheet.key if job.sheet else None) if job.match.profile.id == PROFILE else layer


def _bounds(layer: Layer, size: int) -> tuple[float, float, float, float] | None:
    """The bounds of the raw coordinates: from the layer's header, else of its first batch that has any."""
    if layer.bounds is not None:
        return layer.bounds
    for batch in layer.batches(size):
        shapes = shapely.from_wkb(batch.column(batch.num_columns - 1).to_pylist(), on_invalid="ignore")
        west, south, east, north = map(float, shapely.total_bounds(shapes))
        if np.isfinite([west, south, east, north]).all():
            return west, south, east, north
    return None


def _stream(connection: Connection, aside: Connection, job: Job, layer: Layer, decision: CrsDecision) -> Stream:
    options = job.options
    place = Place(next_release(connection), decision.srid, options.generic)
    tolerance = options.curve_tolerance or (1e-7 if lookup(decision.srid).is_geographic else 0.01)
    rules = Rules(decision.move if decision.moves else None, straightener(aside, tolerance), options.generic)
    return Stream(connection, place, _columns(connection, job, layer), rules, family_of(layer.geometry_type))


def next_release(connection: Connection) -> int:
    """A number that no release has had."""
    row = connection.execute(query("next_release")).fetchone()
    return int(row["release"]) if row else 0


def _wish(job: Job) -> Wish:
    """What the user, and the profile, say of its history."""
    by_profile = job.match.as_layer.history if job.match else False
    return Wish(job.options.history, job.options.state_of, by_profile)


def _terms(job: Job) -> Terms:
    """The fields that tell class and area, as the profile says."""
    layer = job.match.as_layer if job.match else None
    return Terms(layer.class_field, layer.area_field) if layer else Terms()


def _columns(connection: Connection, job: Job, layer: Layer) -> Columns:
    """The table's columns: the layer's own names, but for those that the table needs for itself."""
    key, time = job.options.key, job.options.time
    names = [one.name for one in layer.fields]
    kept = {VALID_FROM, VALID_TO} if has_history(connection, job.id, _wish(job)) else set()
    for wanted in (key, time):
        if wanted is not None and wanted not in names:
            raise NoSuchField(name=wanted, fields=", ".join(names))
    reserved = {GEOMETRY, RELEASE, CLEARANCE} | kept | ({ROW_NUMBER} if key is None else set())
    taken = set(names) | reserved
    fields, sources = [], {}
    for one in layer.fields:
        if one.name == layer.fid and one.name != key:
            continue
        name = one.name if one.name not in reserved else _free(one.name, taken)
        fields.append(Field(name, postgres_type(one.type)))
        sources[name] = one.name
    judged = job.match is not None and bool(job.match.as_layer.rules)
    return Columns(key or ROW_NUMBER, tuple(fields), sources, judged)


def _free(name: str, taken: set[str]) -> str:
    """`name` with the first number behind it that no other column has."""
    free = next(candidate for n in itertools.count(2) if (candidate := f"{name}_{n}") not in taken)
    taken.add(free)
    return free


def _candidates(connection: Connection, source: Source, job: Job, stream: Stream) -> tuple[Candidate, ...]:
    as_layer = job.match.as_layer if job.match else None
    for one in stream.stagings.values():
        one.class_field = as_layer.class_field if as_layer else None
    return tuple(
        Candidate(
            id=id_,
            staging=staging,
            title=_title(source, job, id_),
            described=job.options.described,
            source=source.path.name,
            time=job.options.time,
            period=job.match.profile.period if job.match else None,
            profile=f"{job.match.profile.id}/{job.match.as_layer.name}" if job.match else None,
            about_fields=as_layer.about_fields if as_layer else {},
            wish=_wish(job),
            terms=_terms(job),
        )
        for id_, staging in _named(connection, job, list(stream.stagings.values())).items()
    )


def _named(connection: Connection, job: Job, stagings: list[Staging]) -> dict[str, Staging]:
    """Give each family's table its data set's id: the plain one if it is alone, or had it before, or the profile says so."""
    if len(stagings) == 1:
        return {job.id: stagings[0]}
    served = served_release(connection, job.id)
    plain = family_of(served.geometry_type) if served else family_of(job.match.as_layer.geometry) if job.match else None
    return {
        job.id if staging.family == plain else check_id(f"{job.id}_{FAMILIES[staging.family]}s"): staging
        for staging in stagings
    }


def _title(source: Source, job: Job, id_: str) -> Text:
    """What the user calls it, else the profile, else the file or its layer; each family but the plain one says which it is."""
    described = job.options.described
    given = described.title_zh or described.title_en
    name = source.path.name.split(".")[0] if job.layer in ("", "entities") else job.layer
    plain = Text(given, given) if given else job.match.as_layer.title if job.match else Text(name, name)
    plain = Text(f"{job.heading.en}: {plain.en}", f"{job.heading.zh}:{plain.zh}") if job.heading else plain
    if id_ == job.id:
        return plain
    family = id_.removeprefix(f"{job.id}_")
    return Text(f"{plain.en} ({family})", f"{plain.zh} ({family})")


def _read(job: Job, layer: Layer, decision: CrsDecision, rows: int) -> LayerRead:
    return LayerRead(
        layer=layer.name,
        driver=layer.driver,
        rows=rows,
        encoding=layer.encoding,
        encoding_reason=layer.encoding_reason,
        sample_text=layer.sample_text,
        crs_reason=decision.reason,
        crs_certain=decision.certain,
        profile=f"{job.match.profile.id}/{job.match.as_layer.name}" if job.match else None,
        profile_reason=job.match.reason if job.match else None,
        notes=(*(note.text for note in (*layer.notes, *job.notes)), *decision.notes),
    )
