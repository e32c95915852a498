"""Loaders: any vector source becomes a release of a data set; a standard product is checked by its rules."""

from loaders.judging import QualityRefused
from loaders.load import load
from loaders.options import Described, Options, SheetOptions
from loaders.release import remove
from loaders.report import Report

__all__ = ["Described", "Options", "QualityRefused", "Report", "SheetOptions", "load", "remove"]
