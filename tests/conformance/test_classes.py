"""The conformance classes that are declared are those that are tested, and those that docs/conformance.md lists."""

import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.settings import ROOT
from tests.ogc import SPEC, class_of, get

HERE = Path(__file__).parent
PAGE = (ROOT / "docs" / "conformance.md").read_text("utf-8")
ELSEWHERE = {  # classes that are tested in other folders, or by another name
    f"{SPEC}{standard}/1.0/conf/{name}": file
    for standard, names, file in (
        ("ogcapi-processes-1", "core json oas30 ogc-process-description", "tests/integration/test_process_api.py"),
        ("cql2", "basic-spatial-operators", "tests/conformance/test_cql2.py"),
        (
            "ogcapi-features-4",
            "create-replace-delete features optimistic-locking-etags update",
            "tests/integration/test_editing.py",
        ),
    )
    for name in names.split()
} | {
    f"{SPEC}tms/2.0/conf/{name}": "tests/conformance/test_tiles_1.py"
    for name in [
        "tilematrixset",
        "tilematrixsetlimits",
        "tilesetmetadata",
        "json-tilematrixset",
        "json-tilesetmetadata",
    ]
}


def requirements_tested() -> dict[str, dict[str, set[str]]]:
    """The requirements that tests here name: by class, with the files that they stand in."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in sorted(HERE.glob("test_*.py")):
        for requirement in requirements_of(path):
            found[class_of(requirement)][requirement.rpartition("/")[2]].add(f"tests/conformance/{path.name}")
    return found


def requirements_of(path: Path) -> Iterator[str]:
    """What the tests of a file are marked with, be it the whole test or one of its cases."""
    spec = spec_from_file_location(f"look_at_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, test in vars(module).items():
        for mark in getattr(test, "pytestmark", ()) if name.startswith("test_") else ():
            yield from named(mark)


def named(mark: Any) -> Iterator[str]:
    if mark.name == "requirement":
        yield from mark.args
    elif mark.name == "parametrize":
        for case in mark.args[1]:
            for one in getattr(case, "marks", ()):
                yield from named(getattr(one, "mark", one))


def documented() -> list[tuple[str, str, str]]:
    """The rows of the page's table: class, requirements, file."""
    return re.findall(r"^\| `([\w./-]+)` \| ([^|]*) \| `([\w/.]+)` \|$", PAGE, flags=re.MULTILINE)


def test_the_classes_that_are_declared_are_those_that_are_tested(api: httpx.Client) -> None:
    assert get(api, "/conformance")["conformsTo"] == sorted({*requirements_tested(), *ELSEWHERE})


def test_the_page_lists_each_class_with_its_requirements_and_tests() -> None:
    rows = [
        (class_.removeprefix(SPEC), ", ".join(requirements), file)
        for class_, requirements in requirements_tested().items()
        for file in sorted({one for files in requirements.values() for one in files})
    ]
    rows += [(class_.removeprefix(SPEC), "", file) for class_, file in ELSEWHERE.items()]
    assert sorted(documented()) == sorted(rows)


@pytest.mark.parametrize("file", sorted({file for _, _, file in documented()}))
def test_the_files_that_the_page_names_are_there(file: str) -> None:
    assert (ROOT / file).is_file()
