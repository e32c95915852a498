"""Checks: whether the data of a profile keep its rules, and which features do not."""

from loaders.quality.check import KINDS, check_quality
from loaders.quality.model import BadRule, Checked, Quality, RuleResult

__all__ = ["KINDS", "BadRule", "Checked", "Quality", "RuleResult", "check_quality"]
