"""Loaders: any vector source becomes a release of a data set."""

from loaders.load import load
from loaders.options import Described, Options
from loaders.release import remove
from loaders.report import Report

__all__ = ["Described", "Options", "Report", "load", "remove"]
