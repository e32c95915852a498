"""The contract self-check: replays QGIS's requests against any OGC API - Features service, and says what its user gets.

It knows the service by its HTTP answers alone, and nothing of how ours is made.
"""

from server.contract.client import Limits, NotAnAddress
from server.contract.report import Finding, Report
from server.contract.steps import check

__all__ = ["Finding", "Limits", "NotAnAddress", "Report", "check"]
