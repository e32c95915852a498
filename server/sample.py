"""The sample city as files to load, each with what is said of it: real layers, a made-up town, a made-up land survey."""

from collections.abc import Iterator
from pathlib import Path

from core.language import Text
from data.sample import SampleSource, build
from data.survey.sample import DESCRIPTION, sample_survey
from loaders import Described, Options

_SURVEY = Text("Synthetic land survey", "模拟国土调查")
_SURVEYED = 1_500  # parcels


def sources(city: str, into: Path, *, large: bool) -> Iterator[tuple[Path, Options]]:
    """The files of the sample city, made where they are not there yet."""
    for source in build(city, into, large=large):
        yield Path(source.path), _options(source)
    described = Described(
        title_en=_SURVEY.en,
        title_zh=_SURVEY.zh,
        description_en=DESCRIPTION.en,
        description_zh=DESCRIPTION.zh,
        origin="synthetic",
    )
    yield sample_survey(city, into, parcels=_SURVEYED), Options(profile="land-survey", described=described)


def _options(source: SampleSource) -> Options:
    described = Described(
        title_en=source.title.en,
        title_zh=source.title.zh,
        description_en=source.description.en,
        description_zh=source.description.zh,
        licence=source.licence,
        attribution_en=source.attribution.en,
        attribution_zh=source.attribution.zh,
        update_period=source.update_period,
        origin=source.origin,
    )
    return Options(
        id=source.id, layer=source.layer, srs=source.srs, key=source.key, profile="none", described=described
    )
