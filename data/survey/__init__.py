"""A made-up land survey: a database right by construction, defects planted in it, and one year's increment."""

from data.survey.database import build_survey
from data.survey.defects import RULES, Truth, plant
from data.survey.files import write_tables
from data.survey.increment import Increment, build_increment
from data.survey.sample import Wish, increment_files, sample_survey, survey_files
from data.survey.spoiling import SPOILT, spoil
from data.survey.table import Survey, Table

__all__ = [
    "RULES",
    "SPOILT",
    "Increment",
    "Survey",
    "Table",
    "Truth",
    "Wish",
    "build_increment",
    "build_survey",
    "increment_files",
    "plant",
    "sample_survey",
    "spoil",
    "survey_files",
    "write_tables",
]
