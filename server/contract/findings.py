"""The vocabulary of a check: everything that can be found, what QGIS's user notices of it, and what to do about it."""

from core.language import Language, Text
from server.contract.feature_kinds import FEATURE_KINDS
from server.contract.kinds import Kind
from server.contract.report import Finding
from server.contract.service_kinds import SERVICE_KINDS

KINDS: dict[str, Kind] = SERVICE_KINDS | FEATURE_KINDS


def finding(code: str, **facts: object) -> Finding:
    """A finding of the kind `code`, its sentences filled with facts."""
    kind = KINDS[code]
    return Finding(
        code, kind.state, _filled(kind.seen, facts), _filled(kind.consequence, facts), _filled(kind.advice, facts)
    )


def _filled(text: Text, facts: dict[str, object]) -> Text:
    def in_(language: Language) -> str:
        told = {name: fact.in_(language) if isinstance(fact, Text) else fact for name, fact in facts.items()}
        return text.in_(language).format(**told)

    return Text(in_("en"), in_("zh"))
