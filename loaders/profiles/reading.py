"""Profiles are TOML files: the shipped ones in data/profiles, a user's own wherever they are."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

from core.errors import ChengtuError
from core.language import Text
from core.settings import ROOT
from loaders.profiles.model import FieldProfile, LayerProfile, Profile, Rule, Severity, Shape, Type

_SHIPPED = ROOT / "data" / "profiles"
_PROFILE = {"id", "title", "description", "standard", "edition", "period", "layers"}
_LAYER = {"id", "title", "geometry", "aliases", "key", "class", "label", "area", "time", "history", "fields", "rules"}
_FIELD = {"name", "type", "title", "aliases", "length", "required", "codelist", "unit"}
_RULE = ("id", "kind", "severity", "clause", "title")


class NoSuchProfile(ChengtuError):
    """--profile names neither a shipped profile nor a file."""

    en = "There is no profile {name}. Those there are: {known}; or give the path of a TOML file of your own."
    zh = "没有数据规范 {name}。可用:{known};也可给出自定义 TOML 文件的路径。"
    exit_code = 2


class BadProfile(ChengtuError):
    """A profile's file is not as docs/profiles.md says."""

    en = "{where}: {problem}. docs/profiles.md shows what a profile looks like."
    zh = "{where}:{problem}。数据规范的写法见 docs/profiles.md。"
    exit_code = 2


@cache
def shipped_profiles() -> tuple[Profile, ...]:
    """The profiles of data/profiles, by id."""
    return tuple(read_profile(path) for path in sorted(_SHIPPED.glob("*.toml")))


def find_profile(name: str) -> Profile:
    """A shipped profile by its id, or one of the user's own by the path of its file."""
    for one in shipped_profiles():
        if one.id == name:
            return one
    if name.endswith(".toml"):
        return read_profile(Path(name))
    raise NoSuchProfile(name=name, known=", ".join(one.id for one in shipped_profiles()))


def read_profile(path: Path) -> Profile:
    """Read a profile from its file; whatever is not understood is a `BadProfile`."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise BadProfile(where=path, problem=str(error)) from error
    try:
        return _profile(content, path.name)
    except KeyError as error:
        raise BadProfile(where=path, problem=Text(f"{error} is missing", f"缺少 {error}")) from error
    except (TypeError, AttributeError) as error:
        raise BadProfile(
            where=path, problem=Text(f"a value of the wrong kind ({error})", f"值的类型不对({error})")
        ) from error


def _profile(given: Mapping[str, Any], where: str) -> Profile:
    _only(_PROFILE, given, where)
    title = _text(given["title"], where)
    return Profile(
        id=given["id"],
        title=title,
        description=_text(given["description"], where) if "description" in given else title,
        standard=given["standard"],
        edition=given.get("edition"),
        period=given.get("period"),
        layers=tuple(
            _layer(
                name, one | {"fields": _shared(given["layers"], one["fields"], f"{where}, {name}")}, f"{where}, {name}"
            )
            for name, one in given["layers"].items()
        ),
    )


def _layer(name: str, given: Mapping[str, Any], where: str) -> LayerProfile:
    _only(_LAYER, given, where)
    fields = tuple(_field(one, where) for one in given["fields"])
    for role in ("key", "class", "label", "area", "time"):
        _one_of({one.name for one in fields} | {None}, given.get(role), f"{where}, {role}")
    return LayerProfile(
        name=name,
        id=given["id"],
        title=_text(given["title"], where),
        geometry=_one_of(get_args(Shape.__value__), given["geometry"], f"{where}, geometry"),
        fields=fields,
        aliases=tuple(given.get("aliases", ())),
        key=given.get("key"),
        class_field=given.get("class"),
        label_field=given.get("label"),
        area_field=given.get("area"),
        time_field=given.get("time"),
        history=given.get("history", False),
        rules=_rules(given.get("rules", ()), where),
    )


def _shared(layers: Mapping[str, Any], fields: Any, where: str) -> Any:  # noqa: ANN401 — TOML's own values
    """The fields of a layer; those of another one where its name stands in their place."""
    if not isinstance(fields, str):
        return fields
    _one_of([name for name, one in layers.items() if not isinstance(one["fields"], str)], fields, f"{where}, fields")
    return layers[fields]["fields"]


def _field(given: Mapping[str, Any], where: str) -> FieldProfile:
    where = f"{where}, {given['name']}"
    _only(_FIELD, given, where)
    return FieldProfile(
        name=given["name"],
        type=_one_of(get_args(Type.__value__), given["type"], f"{where}, type"),
        title=_text(given["title"], where),
        aliases=tuple(given.get("aliases", ())),
        length=given.get("length"),
        required=given.get("required", False),
        codelist=given.get("codelist"),
        unit=given.get("unit"),
    )


def _rules(given: Iterable[Mapping[str, Any]], where: str) -> tuple[Rule, ...]:
    rules = tuple(_rule(one, where) for one in given)
    ids = [rule.id for rule in rules]
    if twice := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        raise BadProfile(where=where, problem=Text(f"two rules are called {twice[0]}", f"规则 {twice[0]} 重复"))
    return rules


def _rule(given: Mapping[str, Any], where: str) -> Rule:
    where = f"{where}, {given['id']}"
    return Rule(
        id=given["id"],
        kind=given["kind"],
        severity=_one_of(get_args(Severity.__value__), given["severity"], f"{where}, severity"),
        clause=given["clause"],
        title=_text(given["title"], where),
        parameters={name: value for name, value in given.items() if name not in _RULE},
    )


def _text(given: Mapping[str, str], where: str) -> Text:
    _only({"en", "zh"}, given, where)
    return Text(given["en"], given["zh"])


def _only(known: Iterable[str], given: Mapping[str, Any], where: str) -> None:
    """A word that is not understood is a slip of the pen, not something to pass over."""
    if unknown := sorted(given.keys() - set(known)):
        raise BadProfile(where=where, problem=Text(f"{unknown[0]} is not known here", f"不认识 {unknown[0]}"))


def _one_of(known: Iterable[Any], value: Any, where: str) -> Any:  # noqa: ANN401 — a TOML value becomes a Literal
    if value not in known:
        words = ", ".join(str(one) for one in known if one is not None)
        raise BadProfile(where=where, problem=Text(f"{value!r} is none of {words}", f"{value!r} 不在 {words} 之中"))
    return value
