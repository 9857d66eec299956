"""No clock, chance or invented id outside the adapters, and a core that is pure."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.repository.checkout import python_files, read

ADAPTERS = "src/grantproof/adapters"
MACHINE = Path("src/grantproof/client/machine.py")
"""The port of the client, which may not import adapters."""
CORE = "src/grantproof/core"
IMPURE_MODULES = {"random", "secrets", "time", "uuid"}
# What reads the clock or draws chance in a module that is otherwise welcome.
IMPURE_NAMES = {"os.getrandom", "os.urandom"}
IMPURE_ATTRIBUTES = {
    "datetime": {"now", "today", "utcnow"},
    "os": {"getrandom", "urandom"},
}
CORE_LIBRARIES = {"grantproof", "immutables"}
WORLDLY_MODULES = {
    "asyncio",
    "datetime",
    "io",
    "logging",
    "os",
    "pathlib",
    "socket",
    "subprocess",
    "sys",
    "threading",
    "zoneinfo",
} | IMPURE_MODULES


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each imported name as (dotted origin, name it is bound to)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.name if alias.asname else top), alias.asname or top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield f"{node.module}.{alias.name}", alias.asname or alias.name


def top_level(dotted: str) -> str:
    """The top-level module of a dotted name."""
    return dotted.partition(".")[0]


def root_name(node: ast.expr) -> str | None:
    """`a` of the expression `a.b.c`, None for anything but a chain of names."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def impure_attributes(tree: ast.AST) -> Iterator[str]:
    """The uses of a clock or of chance through an imported name, as in `datetime.now`."""
    origins = {bound: top_level(dotted) for dotted, bound in imports(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            origin = origins.get(root_name(node) or "", "")
            if node.attr in IMPURE_ATTRIBUTES.get(origin, set()):
                yield ast.unparse(node)


def impurities(source: str) -> set[str]:
    """The clocks, sources of chance and makers of ids that the source reaches for."""
    tree = ast.parse(source)
    imported = {
        dotted
        for dotted, _ in imports(tree)
        if top_level(dotted) in IMPURE_MODULES or dotted in IMPURE_NAMES
    }
    return imported | set(impure_attributes(tree))


def worldly_imports(source: str) -> set[str]:
    """The imports that a pure module may not have: other libraries, and the world."""
    allowed = (sys.stdlib_module_names - WORLDLY_MODULES) | CORE_LIBRARIES
    return {dotted for dotted, _ in imports(ast.parse(source)) if top_level(dotted) not in allowed}


def outside_adapters() -> list[Path]:
    """The modules of the product that are not adapters, nor the client's port to the machine."""
    return [
        path
        for path in python_files("src")
        if not path.is_relative_to(ADAPTERS) and path != MACHINE
    ]


def test_no_clock_chance_or_id_outside_the_adapters() -> None:
    """Instants, random numbers and new ids come in through a port."""
    found = {
        str(path): reached for path in outside_adapters() if (reached := impurities(read(path)))
    }
    assert found == {}


def test_the_core_imports_only_pure_modules() -> None:
    """The core stands on the pure part of the standard library and on immutables."""
    found = {
        str(path): worldly
        for path in python_files(CORE)
        if (worldly := worldly_imports(read(path)))
    }
    assert found == {}


def test_impurities_finds_each_way_to_the_clock_and_to_chance() -> None:
    """Imports in any form, calls through any alias and inside functions are found."""
    source = """
import os
import time as t
from datetime import date, datetime as dt
import datetime
from uuid import uuid4
from os import urandom as dice

def f():
    import random
    return dt.now(), date.today(), datetime.datetime.utcnow(), os.urandom(8)
"""
    assert impurities(source) == {
        "time",
        "uuid.uuid4",
        "os.urandom",
        "random",
        "dt.now",
        "date.today",
        "datetime.datetime.utcnow",
    }


def test_impurities_lets_ports_and_conversions_pass() -> None:
    """A clock port may have a method `now`, and an instant may be converted."""
    source = """
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

def hour(clock, zone):
    return datetime.fromtimestamp(clock.now(), tz=ZoneInfo(zone)).hour
"""
    assert impurities(source) == set()


def test_worldly_imports_finds_libraries_and_the_world() -> None:
    """Third-party libraries and impure parts of the standard library are found."""
    source = "import re\nimport z3\nimport os.path\nfrom datetime import date\nimport immutables\n"
    assert worldly_imports(source) == {"z3", "os", "datetime.date"}
