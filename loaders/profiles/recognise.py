"""Which profile a source follows, told by the names of its layers and of their fields, with the reasons."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from core.language import Text
from loaders.layer import Layer
from loaders.profiles.model import FieldProfile, LayerProfile, Profile

_CUT = 10  # bytes of a name that a Shapefile keeps
_BY_FIELDS = 0.8  # of a layer's required fields that tell it when its name does not
_FEWEST = 4  # fields that may tell a layer by themselves


class Match(NamedTuple):
    """A layer of a source, and the layer of a profile that it is; `columns` maps the profile's names to the source's."""

    layer: str
    profile: Profile
    as_layer: LayerProfile
    columns: Mapping[str, str]
    reason: Text


class Shown(NamedTuple):
    """What of a source's layer is looked at: its name, its fields, its declared geometry type."""

    name: str
    fields: tuple[str, ...]
    geometry_type: str


def shown(layer: Layer) -> Shown:
    """What of an open layer is looked at."""
    return Shown(layer.name, tuple(one.name for one in layer.fields), layer.geometry_type)


def recognise(layers: Sequence[Shown], profiles: Iterable[Profile], *, insisted: bool = False) -> tuple[Match, ...]:
    """The layers that follow one profile: the one that most of them follow; none where none does.

    Where someone `insisted` on it, half of the fields tell a layer, whatever it is called.

    Of two layers that would be the same one, the one whose name says so, else the first, is it.
    """
    found = [_matches(layers, profile, insisted) for profile in profiles]
    return max(found, key=lambda matches: sum(len(one.columns) for one in matches), default=())


def _matches(layers: Sequence[Shown], profile: Profile, insisted: bool) -> tuple[Match, ...]:
    best: dict[str, tuple[float, Match]] = {}
    for layer in layers:
        scored = [(score, match) for one in profile.layers for score, match in _tried(layer, profile, one, insisted)]
        if not scored:
            continue
        score, match = max(scored, key=lambda pair: pair[0])
        if score > best.get(match.as_layer.name, (0.0, match))[0]:
            best[match.as_layer.name] = (score, match)
    return tuple(match for _, match in best.values())


def _tried(layer: Shown, profile: Profile, as_layer: LayerProfile, insisted: bool) -> list[tuple[float, Match]]:
    """How well a layer fits, with the reasons: by its name and some fields, or by nearly all that are required."""
    columns = columns_of(layer.fields, as_layer)
    required = [one.name for one in as_layer.required or as_layer.fields]
    have = [name for name in required if name in columns]
    share = len(have) / max(len(required), 1)
    named = _is_named(layer.name, as_layer)
    if not _fits(layer.geometry_type, as_layer) or not columns:
        return []
    if not ((named or insisted) and share >= 0.5) and not (share >= _BY_FIELDS and len(have) >= _FEWEST):
        return []
    return [
        (
            named + share + len(columns) / 1000,
            Match(layer.name, profile, as_layer, columns, _reason(named, have, required)),
        )
    ]


def _reason(named: bool, have: Sequence[str], required: Sequence[str]) -> Text:
    fields = ", ".join(have[:6]) + (" …" if len(have) > 6 else "")
    en = f"{len(have)} of {len(required)} required fields ({fields})"
    zh = f"{len(required)} 个必需字段中有 {len(have)} 个({fields})"
    return Text(f"by its name, and {en}", f"按图层名称,以及{zh}") if named else Text(f"by {en}", f"按{zh}")


def _is_named(name: str, as_layer: LayerProfile) -> bool:
    """Whether a name is the layer's, or has it between other words: DLTB, 220202DLTB, DLTB_2024."""
    last = name.replace("\\", "/").rsplit("/", maxsplit=1)[-1].upper()
    return any(_is_word(word.upper(), last) for word in (as_layer.name, *as_layer.aliases))


def _is_word(word: str, text: str) -> bool:
    start = text.find(word)
    around = text[:start][-1:] + text[start + len(word) :][:1]
    return start >= 0 and not any(one.isalpha() for one in around)


def _fits(geometry_type: str, as_layer: LayerProfile) -> bool:
    """Whether a layer's declared type does not speak against it."""
    declared = geometry_type.lower()
    families = {"point": "point", "line": "line", "curve": "line", "polygon": "polygon", "surface": "polygon"}
    named = {family for word, family in families.items() if word in declared}
    return as_layer.geometry == "any" or not named or as_layer.geometry in named


def columns_of(fields: Sequence[str], as_layer: LayerProfile) -> dict[str, str]:
    """For each field of the profile that a source has, the source's name of it: any case, also cut at ten bytes."""
    columns: dict[str, str] = {}
    for one in as_layer.fields:
        source = next((name for name in fields if name not in columns.values() and _is_called(name, one)), None)
        if source is not None:
            columns[one.name] = source
    return columns


def _is_called(name: str, one: FieldProfile) -> bool:
    return any(name.casefold() == spelt.casefold() or _is_cut(name, spelt) for spelt in (one.name, *one.aliases))


def _is_cut(name: str, whole: str) -> bool:
    """Whether a name is another one cut at ten bytes, in UTF-8 or in GBK."""
    for codec in ("utf-8", "gb18030"):
        raw = whole.encode(codec)
        if len(raw) > _CUT and name.casefold() == raw[:_CUT].decode(codec, "ignore").casefold():
            return True
    return False
