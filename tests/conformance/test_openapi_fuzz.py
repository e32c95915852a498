"""Requests made out of our own OpenAPI document, right ones and wrong ones: each answer is as the document says."""

from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

EXAMPLES = 12  # requests for each operation, right and wrong alike: the same in each run


@pytest.fixture(scope="module")
def described(live_server: str) -> schemathesis.BaseSchema:
    """The service as its document describes it; editing and the push, which never ends, have tests of their own."""
    document = schemathesis.openapi.from_url(f"{live_server}/openapi")
    return document.exclude(method=["PUT", "PATCH", "DELETE"]).exclude(path="/changes")


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_answers_are_as_the_document_says(
    described: schemathesis.BaseSchema, mode: GenerationMode, subtests: pytest.Subtests
) -> None:
    """No 5xx, no status, content type, header or body but those that are declared; what is wrong is refused.

    That what is right is taken goes too far: a text may be no CQL2, no date and no CRS, which no schema can say.
    """
    asked = 0
    for found in described.get_all_operations():
        operation = found.ok()
        with subtests.test(operation.label):
            try:
                asking(operation, mode)()
            except Unsatisfiable:
                continue  # it takes nothing that could be wrong
            asked += 1
    assert asked > 20


def asking(operation: schemathesis.APIOperation, mode: GenerationMode) -> Callable[[], None]:
    """Something that asks by an operation a few times."""
    lenient = operation.path.startswith(("/processes", "/jobs"))  # the host's own, which pass over a wrong `f`
    excluded = [positive_data_acceptance, *([negative_data_rejection] if lenient else [])]

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(timeout=30, excluded_checks=excluded)

    return ask
