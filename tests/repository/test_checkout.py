"""The repository tests look at every file, with and without git."""

from pathlib import Path

from grantproof.adapters.sql.audit_keys import beside
from tests.repository.checkout import (
    ROOT,
    code_files,
    ignored,
    listed_files,
    python_files,
    unpacked,
)


def test_the_listing_holds_what_it_should_and_nothing_ignored() -> None:
    """Source, tests and scripts are listed; environments and caches are not."""
    names = {str(path) for path in listed_files()}
    assert {"src/grantproof/__init__.py", "tests/conftest.py", ".ci/run", "Makefile"} <= names
    assert not any(".venv" in name or "__pycache__" in name for name in names)


def test_an_unpacked_archive_lists_the_same_files() -> None:
    """Without git, .gitignore decides, to the same end."""
    files = {path for path in unpacked() if (ROOT / path).is_file()}
    assert {path for path in files if ".git" not in path.parts} == set(listed_files())


def test_what_a_service_leaves_in_the_checkout_is_never_committed() -> None:
    """`make run` makes a database and its key there: `git add .` takes neither."""
    database = Path("grantproof.db")
    left = [database, Path("grantproof.db-wal"), Path("grantproof.db-shm"), beside(database)]
    assert [path for path in left if not ignored(path)] == []


def test_python_files_keeps_to_its_folder() -> None:
    """A folder's listing is not empty and holds nothing from outside it."""
    inside = python_files("tests/repository")
    assert inside
    assert all(path.is_relative_to("tests/repository") for path in inside)


def test_code_files_hold_scripts_and_configuration() -> None:
    """What has no suffix but is code is listed too; prose is not."""
    names = {str(path) for path in code_files()}
    assert {".ci/venv", "Makefile", "pyproject.toml"} <= names
    assert "README.md" not in names
