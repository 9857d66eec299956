"""The examples are what an application may be: small, and knowing nothing but the client."""

import ast
import re
from pathlib import Path

from tests.repository.checkout import ROOT, listed_files, python_files, read

APPLICATION_LINES_MAX = 200


def names() -> set[str]:
    """The folders that hold an example."""
    return {path.parts[1] for path in listed_files() if path.match("examples/*/__main__.py")}


def taken_of_the_product(source: str) -> set[str]:
    """The modules of the product that a source imports."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.partition(".")[0] == "grantproof"}


def test_an_example_takes_nothing_of_the_product_but_its_client() -> None:
    """What an application installs is enough, also for what we show."""
    others = {
        f"{path}: {name}"
        for path in python_files("examples")
        for name in taken_of_the_product(read(path))
        if not name.startswith("grantproof.client.")
    }
    assert others == set()


def test_an_application_is_read_at_one_sitting() -> None:
    """Each module of an example stays under 200 lines."""
    lengths = {path: len(read(path).splitlines()) for path in python_files("examples")}
    assert {path for path, length in lengths.items() if length >= APPLICATION_LINES_MAX} == set()


def test_every_example_has_its_command_and_is_documented() -> None:
    """One `make` target starts it, and README.md names it; neither names one that is not there."""
    targets = re.findall(r"^example-(\w+):.*## ", read(Path("Makefile")), re.MULTILINE)
    page = read(Path("examples/README.md"))
    documented = re.findall(r"^\$ make example-(\w+)$", page, re.MULTILINE)
    assert set(targets) == set(documented) == names() != set()
    assert all(f"-m examples.{name}\n" in read(ROOT / "Makefile") for name in targets)


def test_taken_of_the_product_finds_either_form() -> None:
    """Both forms of an import are found, other packages are not."""
    source = "import grantproof.core\nfrom grantproof import bootstrap\nimport httpx2\n"
    assert taken_of_the_product(source) == {"grantproof.core", "grantproof.bootstrap"}
