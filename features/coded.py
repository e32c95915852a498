"""The values of a code list as JSON Schema has them, with their names."""

from typing import Any

from core.codelists import codelists
from core.language import Language

_MOST_CODES = 500  # that a schema lists


def coded(list_: str, type_: str, base: str, language: Language) -> dict[str, Any]:
    """The codes of a list for a property of a type (OGC API - Common 3, Codelists); of a long list only where it is."""
    found = codelists().get(list_)
    if found is None or type_ not in ("string", "integer"):
        return {}
    link = {"x-ogc-codelistUri": f"{base}/codelists/{list_}"}
    names = {one.code: one.name.in_(language) for one in found.codes if type_ == "string" or one.code.isdecimal()}
    if len(names) > _MOST_CODES:
        return link
    values = {code if type_ == "string" else int(code): name for code, name in names.items()}
    return {
        "oneOf": [{"const": value, "title": name} for value, name in values.items()],
        "enum": [*values],
        **link,
    }
