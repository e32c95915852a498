"""Chengtu speaks Chinese and English: a text carries both, and a reader picks one."""

from contextvars import ContextVar
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]

# The language of the request, or of the person at the command line, that is being answered.
spoken: ContextVar[Language] = ContextVar("spoken", default="en")


class Text(NamedTuple):
    """The same sentence in English and in Chinese."""

    en: str
    zh: str

    def in_(self, language: Language) -> str:
        """Return the sentence in `language`."""
        return self.zh if language == "zh" else self.en


def from_locale(name: str | None) -> Language:
    """Chinese for a POSIX locale or BCP 47 tag that begins with zh, else English."""
    return "zh" if (name or "").lower().startswith("zh") else "en"


def is_spoken(tags: str) -> bool:
    """Whether a list of language tags names one that we speak."""
    return any(tag.strip().startswith(("zh", "en")) for tag in tags.lower().split(","))


def from_accept_language(header: str | None, default: Language) -> Language:
    """Pick by the first of zh and en that an `Accept-Language` header names (RFC 9110, 12.5.4)."""
    for tag in (header or "").lower().split(","):
        if tag.strip().startswith(("zh", "en")):
            return from_locale(tag.strip())
    return default
