"""What exists, by the code, and what a page names.

Each walk is a pair of sets: names that exist, and names that a text tells. The tests hold them to
each other over all pages.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from grantproof.api.problems import KINDS
from grantproof.cli.main import program
from grantproof.core import limits
from grantproof.settings import Settings
from tests.api.routes import ROUTES
from tests.repository.checkout import python_files, read
from tests.repository.reference.commands_page import is_group, named, walk
from tests.repository.reference.markdown import typed
from tests.repository.reference.settings_page import OTHERS, variable
from tests.unit.adapters.test_telemetry import families, watching_everything
from tests.unit.test_runbook import OF_OTHERS

VARIABLE: Final = re.compile(r"\b(?:GRANTPROOF|OTEL)_[A-Z_]*[A-Z]\b(?!_)")
QUOTED: Final = re.compile(rf'"({VARIABLE.pattern})"')
LIBRARY: Final = frozenset({"OTEL_SERVICE_NAME"})
"""What a library reads for itself."""
ROUTE: Final = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.~:-]*[\w}])")
METRIC: Final = re.compile(r"\bgrantproof_[a-z_]*[a-z](?![\w.*])")
PROBLEM: Final = re.compile(r"\b([45]\d\d) `([a-z_]+)`")
LIMIT: Final = re.compile(r"`(?!GRANTPROOF_)([A-Z]+(?:_[A-Z]+)*_(?:MAX|MIN|DEFAULT))`")
OWN: Final = "tests/repository/reference"
"""Names variables to compare them, and reads none."""
BELOW: Final = "/v1/orgs/{}"
"""Pages about one organization leave this out of addresses, and say so."""
SPAN: Final = re.compile(r"(?<!`)`(grantproof [a-z-][^`]*)`")
SERIES: Final = ("bucket", "count", "sum")
NO_METRIC: Final = frozenset({"grantproof_version", "grantproof_console"})
"""A table of the database, and a cookie."""


@cache
def variables_read() -> frozenset[str]:
    """The environment variables that the product reads: settings, and what else it names."""
    told = {variable(name) for name in Settings.model_fields}
    return frozenset(told | _constants("src"))


@cache
def variables_of_tests() -> frozenset[str]:
    """Those that tests, proofs and tools read."""
    return frozenset(_constants("tests") | _constants("specs") | _constants("bench"))


def _constants(folder: str) -> set[str]:
    return {
        name
        for path in python_files(folder)
        if not path.is_relative_to(OWN)
        for name in QUOTED.findall(read(path))
    }


def variables_told(text: str) -> set[str]:
    """The environment variables that a text names, but for those of a library."""
    return set(VARIABLE.findall(text)) - LIBRARY


def variables_documented() -> set[str]:
    """Those that the page of settings has to tell."""
    return {variable(name) for name in Settings.model_fields} | set(OTHERS)


@cache
def routes() -> frozenset[str]:
    """Every route, with nothing in the place of what its address names."""
    return frozenset(f"{route.method} {emptied(route.template)}" for route in ROUTES)


def emptied(path: str) -> str:
    """An address with nothing between the braces."""
    return re.sub(r"{[^}]*}", "{}", path)


def routes_told(text: str) -> set[str]:
    """The routes that a text names by method and address."""
    return {f"{method} {path}" for method, path in ROUTE.findall(text)}


def is_route(told: str) -> bool:
    """Whether a route is there: by its template, or by an address that fits one."""
    if emptied(told) in routes():
        return True
    method, _, path = told.partition(" ")
    written = (emptied(path), BELOW + emptied(path))
    return any(_fits(one.split("/"), there) for there in _templates(method) for one in written)


def _templates(method: str) -> Iterator[list[str]]:
    for route in routes():
        if route.startswith(f"{method} "):
            yield route.partition(" ")[2].split("/")


def _fits(parts: list[str], template: list[str]) -> bool:
    return len(parts) == len(template) and all(
        there in {"{}", part} for part, there in zip(parts, template, strict=True)
    )


def commands() -> set[str]:
    """Every command."""
    return {named(path) for path, found in walk(program(), ()) if not is_group(found)}


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of every command line that a text shows, typed in a shell or between backticks."""
    yield from typed(text)
    for span in SPAN.findall(text):
        yield span.replace("|", " ").split()


def unknown_word(words: list[str]) -> str | None:
    """The first word of a command line that the program does not know, if there is one."""
    at: Any = program()
    options = {name: one for one in at.params for name in (*one.opts, *one.secondary_opts)}
    wanted = 0
    for word in words[1:]:
        if word in {"|", "&&", "||", ">", "<", "...", ";", "&", "2>&1"}:
            break
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0].strip("[]")
            if name not in {*options, "--help", "-h"}:
                return word
            wanted = 0 if name not in options or options[name].is_flag or "=" in word else 1
        elif wanted > 0:
            wanted -= 1
        elif is_group(at):
            if word not in at.commands:
                return None if word.isupper() or word.startswith("[") else word
            at = at.commands[word]
            options |= {name: one for one in at.params for name in (*one.opts, *one.secondary_opts)}
    return None


@cache
def metrics() -> frozenset[str]:
    """Every name that can be asked for."""
    told = families(watching_everything().written().decode())
    parts = {f"{name}_{part}" for name in told for part in SERIES}
    return frozenset({*told, *parts, *OF_OTHERS})


def is_metric(told: str) -> bool:
    """Whether a metric is there, or several that begin so, where a shell looks for them."""
    return any(each.startswith(told) for each in metrics())


def metrics_told(text: str) -> set[str]:
    """The metrics that a text names."""
    return set(METRIC.findall(text)) - NO_METRIC


def problems_told(text: str) -> set[tuple[int, str]]:
    """The codes of problems that a text names, with their status."""
    return {(int(status), code) for status, code in PROBLEM.findall(text)}


def problems() -> set[tuple[int, str]]:
    """Every code, with its status."""
    return {(status, code) for code, (status, _) in KINDS.items()}


def limits_told(text: str) -> set[str]:
    """The limits that a text names as the code does."""
    return set(LIMIT.findall(text))


def limits_named() -> set[str]:
    """Every limit of the core."""
    return {name for name in vars(limits) if name.isupper()}
