"""What is benchmarked answers the same questions the same way: floors, walk, index, reference."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.engines import Disagreement, agree, engines
from bench.mined import MINED, workload_named
from bench.workload import SIZES, Workload, organization, workload
from grantproof.core.invariants import valid
from tests.differential.role_mining import SHAPES


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "constrained"])
def load(request: pytest.FixtureRequest) -> Workload:
    """The smallest workload of the benchmarks."""
    return workload(SIZES["S"], constrained=request.param, count=800)


def test_every_engine_gives_the_expected_answers(load: Workload) -> None:
    """Each engine answers as the generator says; a wrong expectation is noticed in each."""
    wrong = replace(load, expected=tuple(not expected for expected in load.expected))
    for engine in engines(load):
        agree(load, engine)
        with pytest.raises(Disagreement):
            agree(wrong, engine)


def test_half_of_the_questions_are_allowed(load: Workload) -> None:
    """One question in two is allowed, and the questions are many different ones."""
    assert sum(load.expected) == len(load.questions) // 2
    assert len(set(load.questions)) > len(load.questions) // 2


def test_the_same_seed_draws_the_same_workload(load: Workload) -> None:
    """Equal seeds give equal workloads, another seed another one."""
    again = workload(load.tables.size, constrained=load.constrained, count=800)
    other = workload(load.tables.size, constrained=load.constrained, count=800, seed=1)
    assert again == load
    assert other != load


def test_the_organization_of_the_tables_is_valid(load: Workload) -> None:
    """The organization that is put together map by map is what its own facts make."""
    assert valid(organization(load.tables)) == ()


@pytest.mark.parametrize("name", ["L", "XL"])
def test_the_large_sizes_have_as_many_as_they_say(name: str) -> None:
    """Drawn whole: roles, principals, resources, and ten claims a role."""
    size = SIZES[name]
    load = workload(size, constrained=False, count=40)
    tables = load.tables
    assert (len(tables.parents), len(tables.assigned)) == (size.roles, size.principals)
    assert len(tables.resources) == size.resources
    assert len(set(tables.grants)) == size.roles * size.claims_per_role
    assert sum(load.expected) == 20


@pytest.mark.parametrize("constrained", [False, True], ids=["plain", "constrained"])
@pytest.mark.parametrize("name", MINED)
def test_engines_agree_about_real_matrices(
    name: str, real_data: Path, *, constrained: bool
) -> None:
    """The mined roles are read as they were published, and half of the questions allow."""
    assert (real_data / "hp-role-mining").is_dir()
    load = workload_named(name, constrained=constrained, count=100)
    users, permissions, _ = SHAPES[name.removeprefix("hp-")]
    assert (len(load.tables.assigned), len(load.tables.resources)) == (users, permissions)
    assert sum(load.expected) == 50
    for engine in engines(load):
        agree(load, engine)
