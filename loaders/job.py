"""What a load is going to do: which layers of the source become which data sets, and by which profile."""

import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from core.catalogue import check_id
from core.errors import ChengtuError
from core.language import Text
from loaders.layer import Note
from loaders.options import Options
from loaders.profiles import Match, Profile, find_profile, recognise, shipped_profiles
from loaders.profiles.recognise import Shown, shown
from loaders.sheets.naming import Sheet, find_sheet
from loaders.source import Source

AS_IT_IS = "none"  # --profile: the source follows none, whatever it looks like


class Job(NamedTuple):
    """One layer to load, the id of its data set, and what it was recognised as."""

    id: str
    layer: str
    options: Options
    match: Match | None
    notes: tuple[Note, ...] = ()
    heading: Text | None = None  # what the user calls all of it, where it becomes several data sets
    sheet: Sheet | None = None  # the map sheet that the source is


class SheetInPart(ChengtuError):
    """--sheet with --layer."""

    en = "A map sheet is loaded whole, not its layer {layer} alone. Leave --layer or --sheet out."
    zh = "图幅须整体加载,不能只加载图层 {layer}。请去掉 --layer 或 --sheet。"
    exit_code = 2


class NotThisProduct(ChengtuError):
    """--profile names a profile that nothing in the source follows."""

    en = "No layer of {path} is one of {profile}: there are {layers}. `chengtu profiles show {profile}` tells what it has."
    zh = "{path} 中没有符合 {profile} 的图层(现有 {layers})。其要求见 `chengtu profiles show {profile}`。"
    exit_code = 2


def plan(source: Source, options: Options) -> tuple[Job, ...]:
    """The layers to load: all that follow one profile, else the one that there is.

    Raises `NoSuchProfile`, `NotThisProduct`, `BadDatasetId` and what `Source.choose` does.
    """
    matches = _recognised(source, options)
    sheet, told = find_sheet(source.path, matches, options.sheet) if options.layer is None else (None, ())
    if options.layer is not None and options.sheet.name is not None:
        raise SheetInPart(layer=options.layer)
    if not matches:
        name, notes = source.choose(options.layer)
        return (Job(_id(source, name, options), name, options, None, notes),)
    aside = (*told, *(_left_aside(source, matches) if options.layer is None else ()))
    single = sheet is None and (len(source.spatial) == 1 or options.layer is not None)
    heading, options = (None, options) if single else _headed(options)
    return tuple(
        Job(
            _id_of(match, options, single),
            match.layer,
            _with_key(options, match),
            match,
            () if n else aside,
            heading,
            sheet,
        )
        for n, match in enumerate(matches)
    )


def id_from(source: Path, layer: str) -> str:
    """An id made of the file's name, and of the layer's where the file holds several; `check_id` judges it."""
    stem = source.name.split(".")[0]
    name = stem if layer.lower() in (stem.lower(), "entities", "") else f"{stem}_{layer}"
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") if name.isascii() else name


def _recognised(source: Source, options: Options) -> tuple[Match, ...]:
    """What follows the profile that was asked for, or the one that is recognised."""
    if options.profile == AS_IT_IS:
        return ()
    insisted = options.profile is not None
    names = source.spatial if options.layer is None else (source.choose(options.layer)[0],)
    profiles = (find_profile(options.profile),) if options.profile else shipped_profiles()
    matches = recognise([_shown(source, name) for name in names], profiles, insisted=insisted)
    if insisted and not matches:
        raise NotThisProduct(path=source.path, profile=options.profile, layers=", ".join(names[:20]) or "-")
    return _in_order(matches, profiles)


def _shown(source: Source, name: str) -> Shown:
    """What of a layer is looked at, under the name that the source opens it by."""
    with source.open(name) as layer:
        return shown(layer)._replace(name=name)


def _in_order(matches: tuple[Match, ...], profiles: tuple[Profile, ...]) -> tuple[Match, ...]:
    """As the profile lists its layers."""
    order = {one.name: place for profile in profiles for place, one in enumerate(profile.layers)}
    return tuple(sorted(matches, key=lambda match: order[match.as_layer.name]))


def _left_aside(source: Source, matches: tuple[Match, ...]) -> tuple[Note, ...]:
    taken = {match.layer for match in matches}
    left = ", ".join(name for name, _ in source.layers if name not in taken)
    text = Text(f"Layers that the profile does not know were left aside: {left}.", f"未加载规范之外的图层:{left}。")
    return (Note("layers-left-aside", text),) if left else ()


def _headed(options: Options) -> tuple[Text | None, Options]:
    """A title for several data sets stands before that of each."""
    en, zh = options.described.title_en, options.described.title_zh
    untitled = replace(options, described=replace(options.described, title_en=None, title_zh=None))
    return (Text(en or zh or "", zh or en or ""), untitled) if en or zh else (None, options)


def _id(source: Source, layer: str, options: Options) -> str:
    return check_id(options.id or id_from(source.path, layer))


def _id_of(match: Match, options: Options, single: bool) -> str:
    """A single layer is called as asked; several by the profile's ids, behind the name that was asked for."""
    if options.id is None:
        return check_id(match.as_layer.id)
    return check_id(options.id if single else f"{options.id}_{match.as_layer.id}")


def _with_key(options: Options, match: Match) -> Options:
    """What the user says goes before what the profile says."""
    return replace(options, key=options.key or match.as_layer.key, time=options.time or match.as_layer.time_field)
