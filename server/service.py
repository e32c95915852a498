"""The typed model of pygeoapi-config.yml: what the service says of itself, and the processes it offers.

The host checks nothing and ignores what it does not know, so a misspelt key would be lost in silence.
Here an unknown key is an error.
"""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import BadSettings
from core.language import Text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """A text in English and in Chinese."""

    en: str
    zh: str

    @property
    def text(self) -> Text:
        """The same as the rest of the code knows it."""
        return Text(self.en, self.zh)


class WordLists(_Strict):
    """Keywords in English and in Chinese."""

    en: list[str]
    zh: list[str]


class Limits(_Strict):
    """How many features a page holds, and a file."""

    default_items: int = Field(100, ge=1, le=100_000)
    max_items: int = Field(10_000, ge=1, le=100_000)
    download_items: int = Field(500_000, ge=1, le=100_000_000)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.default_items > self.max_items:
            raise ValueError("default_items must not exceed max_items")
        return self


class Server(_Strict):
    """How the service answers."""

    languages: list[Literal["en", "zh"]] = Field(["en", "zh"], min_length=1)
    cors: bool = True
    limits: Limits = Limits()
    pretty_print: bool = False


class Identification(_Strict):
    """The service's name and subject."""

    title: Words
    description: Words
    keywords: WordLists
    terms_of_service: str | None = None
    url: str | None = None


class Named(_Strict):
    """A name, and where to read more."""

    name: str
    url: str | None = None


class Contact(_Strict):
    """Whom to ask."""

    name: str
    position: str | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    city: str | None = None
    postalcode: str | None = None
    country: str | None = None
    url: str | None = None
    hours: str | None = None


class Metadata(_Strict):
    """Who offers the service, and on what terms."""

    identification: Identification
    license: Named
    provider: Named
    contact: Contact


class Processor(BaseModel):
    """The class of a process by its dotted path, and whatever settings it takes."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str = Field(pattern=r"^[a-z_][\w.]*\.[A-Za-z_]\w*$")


class Process(_Strict):
    """A process that the service offers."""

    type: Literal["process"]
    processor: Processor


class Service(_Strict):
    """All of pygeoapi-config.yml."""

    server: Server = Server()
    metadata: Metadata
    resources: dict[str, Process] = {}


def read_service(path: Path) -> Service:
    """Read and check a configuration file; whatever is wrong becomes one `BadSettings` that names the key."""
    try:
        content: Any = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise BadSettings(where=str(path), problem=error.strerror) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadSettings(where=path.name, problem=" ".join(str(error).split())) from error
    try:
        return Service.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        problem = "no such key" if first["type"] == "extra_forbidden" else first["msg"]
        raise BadSettings(where=f"{path.name}: {where}", problem=problem) from error
