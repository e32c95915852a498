"""A made-up land survey for load tests, made once and kept beside the sample city."""

from pathlib import Path

from core.settings import read_settings
from data.survey.sample import Wish, survey_files

PARCELS = 300_000
SRID = 4551


def large_survey() -> Path:
    """A GeoPackage of some 300 000 parcels, with their villages and districts, and twenty defects of each kind."""
    folder = read_settings().var / "sample" / f"survey-{PARCELS}"
    done = folder / "done"
    if not done.exists():
        defects = {"overlap": 20, "gap": 20, "near-edge": 20, "sliver": 20, "outside-boundary": 20, "self-crossing": 20}
        path = survey_files(Wish(parcels=PARCELS), folder, defects=defects, srid=SRID).data
        done.write_text(path.name, "utf-8")
    return folder / done.read_text("utf-8")
