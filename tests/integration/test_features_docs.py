"""docs/features.md: its examples run, and it tells of every parameter."""

import re

import httpx

from core.settings import ROOT
from features.search import PARAMETERS

PAGE = (ROOT / "docs" / "features.md").read_text("utf-8")


def test_every_example_answers(api: httpx.Client) -> None:
    examples = re.findall(r"^GET (.+)$", PAGE, re.MULTILINE)
    assert len(examples) > 5
    for one in examples:
        answer = api.get(one)
        assert answer.status_code == 200, f"{one}: {answer.text}"
        body = answer.json()
        assert body.get("numberMatched", 1) > 0, one


def test_every_parameter_is_told_of() -> None:
    untold = {name for name in PARAMETERS if f"`{name}`" not in PAGE} - {"api-key", "cursor"}
    assert untold == set()
