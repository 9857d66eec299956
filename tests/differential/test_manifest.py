"""The manifest of what is proved, held to what the proofs really read: every row there and true."""

import ast
from collections.abc import Iterator
from pathlib import Path

from specs.manifest import CORE, TESTED, rows
from specs.theorems import readers, statements
from tests.repository.checkout import python_files, read

CORE_FOLDER = Path("src/grantproof/core")


def public_functions() -> Iterator[str]:
    """Yield the dotted name of every public function and method of the core."""
    for path in python_files(str(CORE_FOLDER)):
        parts = path.relative_to(CORE_FOLDER).with_suffix("").parts
        module = CORE + "".join(f"{part}." for part in parts if part != "__init__")
        for node in ast.parse(read(path)).body:
            yield from (module + name for name in public_names(node))


def public_names(node: ast.stmt) -> Iterator[str]:
    """Yield the name of a public function, and of the public methods of a public class."""
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
        yield node.name
    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
        yield from (f"{node.name}.{name}" for inner in node.body for name in public_names(inner))


def test_every_public_function_of_the_core_has_a_row() -> None:
    """A new function comes with its proof, or with the tests and the reason why not."""
    assert set(public_functions()) - {row.function for row in rows()} == set()


def test_no_row_is_about_what_is_not_there() -> None:
    """A row goes when its function goes."""
    names = {CORE + name for name in TESTED}
    assert names - set(public_functions()) == set()


def test_what_is_said_to_be_only_tested_is_not_proved() -> None:
    """A function that is proved, or read in a proof, no longer counts as tested only."""
    proved = {name.removeprefix(CORE) for name in (*statements(), *readers())}
    assert set(TESTED) & proved == set()
