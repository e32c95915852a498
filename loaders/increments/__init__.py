"""Increments: what a year changed in a survey (TD/T 1057-2020), applied to the state before it, and taken back."""

from loaders.increments.apply import Wish, apply_increment, list_amendments, undo_last
from loaders.increments.report import IncrementRefused, IncrementReport

__all__ = ["IncrementRefused", "IncrementReport", "Wish", "apply_increment", "list_amendments", "undo_last"]
