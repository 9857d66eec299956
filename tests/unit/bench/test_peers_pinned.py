"""Peers are taken by version: a figure is of a version, and so is what runs on the machine."""

import json
import re

import pytest

from bench.mined import MINED
from bench.peers.catalogue import LIBRARIES, Environment, left_out, libraries_for
from bench.peers.install import SOURCES
from bench.peers.running import SERVED
from bench.peers.served.shape import Served
from bench.workload import SIZES
from tests.repository.checkout import ROOT
from tests.repository.test_supply_chain import loose

EXACT = re.compile(r"\d+\.\d+\.\d+")
SERVERS = pytest.mark.parametrize("served", SERVED, ids=lambda served: served.name)


def test_python_peers_are_locked_by_version_and_hash() -> None:
    """What is wanted is what is locked, and nothing is locked without a hash."""
    folder = SOURCES / "python"
    lock = (folder / "requirements.txt").read_text(encoding="utf-8")
    wanted = (folder / "requirements.in").read_text(encoding="utf-8").split()
    assert loose(lock) == []
    assert all(f"\n{one} \\\n" in lock for one in wanted)
    assert all(EXACT.fullmatch(one.partition("==")[2]) for one in wanted)


def test_javascript_peers_and_what_they_need_are_exact() -> None:
    """No range that another day resolves otherwise, and no file with addresses."""
    folder = SOURCES / "javascript"
    told = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    versions = [*told["dependencies"].values(), *told["overrides"].values()]
    assert len(versions) > 1
    assert all(EXACT.fullmatch(version) for version in versions)
    assert list(folder.glob("*lock*")) == []


@SERVERS
def test_servers_are_of_a_version(served: type[Served]) -> None:
    """Each says which, and those of a folder of ours bring the hashes of all that they need."""
    assert EXACT.fullmatch(served().version().removeprefix("v"))
    folder = SOURCES / "go" / served.module
    assert not folder.is_dir() or (folder / "go.sum").is_file()


@SERVERS
def test_a_server_that_is_not_asked_about_a_size_says_why(served: type[Served]) -> None:
    """No size is left out without a reason, and none that does not exist is named."""
    assert (served.sizes is None) == (served.why == "")
    assert set(served.sizes or ()) <= {*SIZES, *MINED}


def test_every_library_has_a_program_and_knows_its_sizes() -> None:
    """A name that nothing answers to would only show when peers are compared."""
    endings = {Environment.PYTHON: "py", Environment.JAVASCRIPT: "mjs"}
    for one in LIBRARIES:
        folder = SOURCES / one.environment.value
        assert (folder / f"{one.module}.{endings[one.environment]}").is_file(), one.name
        assert set(one.leaves_out) <= set(SIZES), one.name


@pytest.mark.parametrize("size", [*SIZES, *MINED])
def test_every_library_is_asked_or_told_as_left_out(size: str) -> None:
    """None is silently missing from a table."""
    asked = [one.name for one in libraries_for(size)]
    assert sorted([*asked, *left_out(size)]) == sorted(one.name for one in LIBRARIES)


def test_the_page_names_every_peer() -> None:
    """Whoever reads of the comparison learns with whom it is."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8").lower()
    names = [one.name for one in LIBRARIES] + [one.name for one in SERVED]
    assert [name for name in names if name.split(",")[0].split(" ")[0].lower() not in page] == []
