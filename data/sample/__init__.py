"""The sample city: real layers from packages that ship them, and a synthetic town inside the real districts."""

from collections.abc import Callable
from pathlib import Path

from data.sample.city import DEFAULT, LARGE, build_city
from data.sample.errors import NoSuchCity, PackageMissing
from data.sample.source import SampleSource

__all__ = ["NoSuchCity", "PackageMissing", "SampleSource", "build"]


def build(
    city: str,
    into: Path,
    *,
    large: bool = False,
    seed: int = 20261,
    progress: Callable[[str], None] | None = None,
) -> list[SampleSource]:
    """Make, or find again, the sources of the city with a six-digit division code; `progress` hears each one's id.

    The same code, seed and size make the same features. `large` adds a million address points and makes 300 000 parcels.
    """
    return build_city(city, into, LARGE if large else DEFAULT, seed, progress or _silent)


def _silent(_: str) -> None:
    """Say nothing."""
