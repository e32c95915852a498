"""A made-up land survey: a database right by construction, defects planted in it, and one year's increment."""

from data.survey.database import build_survey
from data.survey.files import write_tables
from data.survey.table import Survey, Table

__all__ = ["Survey", "Table", "build_survey", "write_tables"]
