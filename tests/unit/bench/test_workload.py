"""The workload is what it says it is: counts, shares, and the same questions for the same seed."""

from dataclasses import replace

import pytest

from bench.peers.files import digest
from bench.workload import SIZES, Size, Workload, holds, workload

COUNTED = {
    "S": (10, 100, 50, 50),
    "M": (100, 10_000, 1_000, 500),
    "L": (1_000, 100_000, 10_000, 10_000),
    "XL": (10_000, 1_000_000, 100_000, 100_000),
}
"""Roles, principals, resources and claims of each size, as the issue of the benchmarks has them."""

PINNED = {
    ("S", False): "6b2988f4bd3087707721c3d19d8962c9ec194b1300dd1638075021c60d486a04",
    ("S", True): "f3e2f8911215bfaf4043e906b8ca09e918ede66207e0dd0a5a359101a59d86b1",
    ("M", False): "79e4349c4e4a5999b6a3f1058df338fb36bae3cd74992510f5b7b1e09d61e8f1",
    ("M", True): "cd17b7b0ecc7788aa0f90a027760bda200e89313a5b42ab4989afb37e513fad2",
}


def small(size: Size) -> Size:
    """A size that is drawn in milliseconds, with as many roles."""
    return replace(size, principals=10, resources=20, claims_per_role=1)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "constrained"])
def medium(request: pytest.FixtureRequest) -> Workload:
    """Size M, with questions."""
    return workload(SIZES["M"], constrained=request.param, count=400)


def test_the_sizes_are_those_that_are_published() -> None:
    """What a figure of a size means never changes silently."""
    assert {
        name: (
            size.roles,
            size.principals,
            size.resources,
            size.roles * size.claims_per_role,
        )
        for name, size in SIZES.items()
    } == COUNTED


def test_the_tables_have_as_many_as_the_size_says(medium: Workload) -> None:
    """Every role, principal, resource and claim of the size is there, once."""
    tables = medium.tables
    counts = len(tables.parents), len(tables.assigned), len(tables.resources), len(tables.grants)
    assert counts == COUNTED["M"]
    assert len(set(tables.grants)) == len(tables.grants)
    assert len(set(tables.resources)) == len(tables.resources)


def test_half_of_the_questions_allow(medium: Workload) -> None:
    """Exactly half, and of the others half fail a condition where there are conditions."""
    assert sum(medium.expected) == len(medium.questions) // 2
    failing = [
        question
        for question, allowed in zip(medium.questions, medium.expected, strict=True)
        if not allowed
        and any(
            grant[1:3] == question[1:3] and not holds(grant.condition, question)
            for grant in medium.tables.grants
        )
    ]
    assert (len(failing) >= len(medium.questions) // 4) == medium.constrained


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_roles_have_parents_of_the_layer_above_only(size: Size) -> None:
    """The graph is as deep as the size says: a role of layer n inherits from layer n - 1."""
    tables = workload(small(size), constrained=False, count=0).tables
    layer = {role: at * size.depth // size.roles for at, role in enumerate(tables.parents)}
    assert {
        layer[role] - layer[parent]
        for role, parents in tables.parents.items()
        for parent in parents
    } == {1}
    assert {role for role, parents in tables.parents.items() if not parents} == {
        role for role, at in layer.items() if at == 0
    }
    assert max(layer.values()) == size.depth - 1


@pytest.mark.parametrize(("name", "constrained"), PINNED)
def test_the_seed_draws_what_it_always_drew(name: str, *, constrained: bool) -> None:
    """Two figures of the same size are of the same questions, whenever they were taken."""
    load = workload(SIZES[name], constrained=constrained, count=200)
    assert digest(load) == PINNED[name, constrained]


def test_another_question_is_another_digest() -> None:
    """The digest is of the questions too."""
    one, other = (workload(SIZES["S"], constrained=True, count=count) for count in (20, 22))
    assert digest(one) != digest(other)
