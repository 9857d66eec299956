"""The page on the RBAC standard has every function of it, and names nothing that is not there."""

import json
import re
from pathlib import Path

from typer.core import TyperGroup

from grantproof.cli.main import program
from grantproof.core.commands import language
from grantproof.service import standard_review as review
from tests.unit.service import test_standard_rbac

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "nist-rbac.md").read_text("utf-8")
OPENAPI = DOCS / "openapi.json"
REVIEWED = {
    "CheckAccess",
    "CreateSession",
    "DeleteSession",
    "AddActiveRole",
    "DropActiveRole",
    "AssignedUsers",
    "AssignedRoles",
    "AuthorizedUsers",
    "AuthorizedRoles",
    "RolePermissions",
    "UserPermissions",
    "SessionRoles",
    "SessionPermissions",
    "RoleOperationsOnObject",
    "UserOperationsOnObject",
    *(f"{mode}RoleSet{what}" for mode in ("Ssd", "Dsd") for what in ("s", "Roles", "Cardinality")),
}
ROWS = re.findall(r"^\| `([A-Z]\w+)` \|(.*)\|$", PAGE, re.MULTILINE)


def test_the_page_has_a_row_for_every_function() -> None:
    """Each once; and each has a test, by its own name or as one of the administrative ones."""
    assert sorted(name for name, _ in ROWS) == sorted(
        [*test_standard_rbac.ADMINISTRATIVE, *REVIEWED]
    )
    tests = {name for name in vars(test_standard_rbac) if name.startswith("test_")}
    named = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in REVIEWED}
    untested = {name for name in named if f"test_{name}" not in tests}
    assert all(re.match("[sd]sd_role_set", name) for name in untested)


def test_everything_that_the_page_names_exists() -> None:
    """Commands of the core, routes of the document, commands of the program, functions."""
    routes = {
        f"{method.upper()} {path}"
        for path, methods in json.loads(OPENAPI.read_text())["paths"].items()
        for method in methods
    }
    for name, cells in ROWS:
        told = re.findall(r"`([^`]+)`", cells)
        assert told, name
        for one in told:
            match one.split():
                case ["GET" | "POST" | "PUT" | "PATCH" | "DELETE", *_]:
                    assert one in routes, one
                case ["grantproof", *words]:
                    assert is_command(words), one
                case [word] if word[0].isupper():
                    assert hasattr(language, word), one
                case _:
                    assert hasattr(review, one) or one in OTHER_NAMES, one


OTHER_NAMES = {"evaluate", "cascade", "refused_to_choose", "refused_to_add", "refused_to_drop"}


def is_command(words: list[str]) -> bool:
    """Whether the words lead to a command of the program; options are left aside."""
    here: object = program()
    for word in words:
        if word.startswith("-"):
            break
        if not isinstance(here, TyperGroup) or word not in here.commands:
            return False
        here = here.commands[word]
    return not isinstance(here, TyperGroup)
