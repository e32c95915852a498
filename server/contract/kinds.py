"""What a finding's three sentences are made of."""

from typing import NamedTuple

from core.language import Text
from server.contract.report import State


class Kind(NamedTuple):
    """Three sentences about one thing that can be found; its facts stand in braces."""

    state: State
    seen: Text
    consequence: Text
    advice: Text


DOWNLOADS_ALL = Text(
    "QGIS downloads the whole collection and filters it on the user's machine.",
    "QGIS 会下载整个集合,再在用户机器上过滤。",
)
