"""Every setting that a deployment may give, in one typed and frozen object read once from the environment."""

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import BadSettings
from core.language import Language, from_locale

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "CHENGTU_"


class Settings(BaseSettings):
    """Environment variables, each `CHENGTU_<NAME>` but for `DATABASE_URL`; docs/settings.md lists them."""

    # An error repeats no value: it may be a password, or the key.
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="Any PostGIS to use instead of the private cluster, as a libpq URL or key=value string.",
    )
    config: Path = Field(
        ROOT / "pygeoapi-config.yml", description="What the service says of itself, and its processes."
    )
    var: Path = Field(ROOT / "var", description="Where the private cluster, the sample city and temporary files live.")
    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 opens the service to the network.")
    port: int = Field(5000, ge=1, le=65535, description="Port to listen on.")
    url: str | None = Field(
        None, description="The public address when a proxy stands in front: links are built from it."
    )
    workers: int = Field(2, ge=1, le=64, description="Server processes.")
    pool: int = Field(
        8,
        ge=1,
        le=64,
        description="Database connections a server process may hold for features, and as many for all else.",
    )
    pool_wait: float = Field(2.0, gt=0, description="Seconds a request waits for a connection before it gets 503.")
    statement_timeout: float = Field(15.0, gt=0, description="Seconds a query of the server may run.")
    count_budget: float = Field(
        0.01,
        gt=0,
        description="Seconds that counting what a page's filter matches may be expected to take;"
        " `numberMatched` is else left out, and `resulttype=hits` tells it.",
    )
    body_limit: int = Field(4_000_000, ge=1024, description="Largest request body, in bytes.")
    catalogue_check: float = Field(
        10.0,
        gt=0,
        description="Seconds between looks at the tables behind the catalogue; loads are seen at once.",
    )
    stop_grace: float = Field(20.0, ge=0, description="Seconds that running requests get to finish on stop.")
    log: Literal["auto", "json", "pretty"] = Field(
        "auto", description="One JSON line a request, or a line for people; auto: pretty on a terminal."
    )
    lang: Language | None = Field(None, description="Language of the command line; else the locale decides.")
    temporary_limit: int = Field(20_000_000_000, ge=1, description="Most bytes that an archive may unpack to.")
    tile_budget: int = Field(500_000, ge=10_000, description="The most bytes of a vector tile of one data set.")
    tile_budget_gzip: int = Field(200_000, ge=4_000, description="The same, zipped.")
    tile_cache: int = Field(
        2_000_000_000, ge=0, description="The most bytes of finished tiles that are kept on disk; 0: none are kept."
    )
    tile_timeout: float = Field(3.0, gt=0, description="Seconds that making a tile may take.")
    tile_matrix_sets: str = Field(
        "WebMercatorQuad,WorldCRS84Quad,CGCS2000Quad",
        description="The tile matrix sets offered: these, and any quadtree of OGC's registry by its name.",
    )
    change_log_days: int = Field(30, ge=1, le=36_500, description="Days that the change log reaches back.")
    push_clients: int = Field(500, ge=0, description="Clients that a server process tells of changes by /changes.")
    tile_archives: Path = Field(
        ROOT / "var" / "archives", description="A folder of PMTiles archives to serve at /archives, each by its name."
    )
    tile_directory: Path | None = Field(
        None, description="A folder to write finished tiles into as well, for a web server in front; none without it."
    )
    wmts_scales: Literal["ogc", "tianditu"] = Field(
        "ogc",
        description="Scale denominators of WMTS's sets `c` and `w`: of pixels of 0.28 mm as OGC has them,"
        " or at 96 dpi as Tianditu does.",
    )
    edit_key: SecretStr | None = Field(
        None,
        description="The secret that lets a client change features, of 16 characters or more; without it, nobody can.",
    )
    require_if_match: bool = Field(
        False, description="Whether a change must name the version that it is made to, by `If-Match`."
    )

    @cached_property
    def language(self) -> Language:
        """The language to speak on the command line: the setting, else the POSIX locale."""
        return self.lang or command_line_language()

    @cached_property
    def base_url(self) -> str:
        """The address that links begin with, without a trailing slash."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 — compared, not bound
        return (self.url or f"http://{host}:{self.port}").rstrip("/")

    @field_validator("edit_key")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        """Long enough, and of characters that a header can carry."""
        if value is not None and not re.fullmatch(r"[!-~]{16,200}", value.get_secret_value()):
            raise ValueError("a key has 16 to 200 letters, digits and signs of ASCII, without blanks")
        return value

    @model_validator(mode="after")
    def _pools_fit(self) -> Self:
        """A hundred connections are PostgreSQL's default: leave ten for loads and people."""
        if self.database_url is None and self.workers * (2 * self.pool + 9) > 90:
            raise ValueError("workers x (2 x pool + 9) must not exceed 90, PostgreSQL's max_connections less ten")
        return self


def read_settings() -> Settings:
    """Read the environment; a name or value that is not a setting raises `BadSettings`."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    if unknown := sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        raise BadSettings(where=unknown[0], problem="no such setting")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{PREFIX}{'_'.join(map(str, first['loc'])).upper()}" if first["loc"] else "environment"
        raise BadSettings(where=where, problem=first["msg"]) from error


def command_line_language() -> Language:
    """The language of help texts, which are fixed while the command line is being imported."""
    names = (os.environ.get(name) for name in (f"{PREFIX}LANG", "LC_ALL", "LC_MESSAGES", "LANG"))
    return from_locale(next((name for name in names if name), None))


def hand_down(database_url: str, url: str) -> None:
    """Let the server processes that we start know where the database is and what address they have."""
    os.environ["DATABASE_URL"] = database_url
    os.environ[f"{PREFIX}URL"] = url
