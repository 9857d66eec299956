"""What is benchmarked answers the same questions the same way: floors, walk, index, reference."""

from dataclasses import replace

import pytest

from bench.engines import Disagreement, agree, engines
from bench.workload import SIZES, Workload, organization, workload
from grantproof.core.invariants import valid


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
