"""Somebody else's rules of administration, with the verdicts on them that come with the data."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from grantproof.analysis.reachability.bound import excluding
from grantproof.analysis.reachability.invariant import Invariant, violations
from grantproof.analysis.reachability.problem import Problem, Step, interpreted, reached
from grantproof.analysis.reachability.replay import replayed
from grantproof.analysis.reachability.rules import reach
from grantproof.analysis.reachability.slicing import sliced
from grantproof.analysis.reachability.verdicts import Reachable, Unreachable
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.policyfile.arbac_text import ArbacDocument, read_arbac
from grantproof.service.reach import problem_of

NAMES = [f"policy{number}.arbac" for number in range(4)]
SIGNS: dict[str, Literal["assign", "revoke"]] = {"+": "assign", "-": "revoke"}


@pytest.fixture(scope="module")
def verdicts(real_data: Path) -> dict[str, Any]:
    """What is said of each file."""
    told = json.loads((real_data / "arbac" / "verdicts.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = told["results"]
    return found


def read(real_data: Path, name: str) -> ArbacDocument:
    """The rules of a file."""
    document = read_arbac((real_data / "arbac" / name).read_text(encoding="utf-8"))
    assert isinstance(document, ArbacDocument), document
    return document


def traced(problem: Problem, trace: list[str]) -> tuple[Step, ...]:
    """The steps of a trace: `user + role admin`, by the first holder of that role."""
    steps: list[Step] = []
    for line in trace:
        user, sign, role, admin = line.split()
        state = interpreted(problem, steps)
        assert not isinstance(state, str), state
        author = min(one for one in state if RoleId(admin) in state[one])
        steps.append(Step(SIGNS[sign], author, PrincipalId(user), RoleId(role)))
    return tuple(steps)


def test_the_files_are_those_that_are_judged(verdicts: dict[str, Any]) -> None:
    """None is left out."""
    assert sorted(verdicts) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_read_whole(name: str, real_data: Path, verdicts: dict[str, Any]) -> None:
    """As many roles, users and rules are read as are counted in the verdict."""
    document, told = read(real_data, name), verdicts[name]
    counted = {
        "goal": str(document.goal),
        "roles": len(document.roles),
        "users": len(document.users),
        "can_assign": len(document.can_assign),
        "can_revoke": len(document.can_revoke),
    }
    assert counted == {key: told[key] for key in counted}


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_the_stated_one(
    name: str,
    real_data: Path,
    verdicts: dict[str, Any],
    record_property: Callable[[str, object], None],
) -> None:
    """Reachable in as many steps as the stated trace, which replays too; or proved out of reach."""
    problem = problem_of(read(real_data, name))
    began = time.perf_counter()
    answer = reach(problem)
    seconds = time.perf_counter() - began
    record_property("figure", f"{name}: {type(answer).__name__} in {seconds * 1_000:.1f} ms")
    if verdicts[name]["verdict"].startswith("REACHABLE"):
        stated = traced(problem, verdicts[name]["trace"])
        assert replayed(problem, stated) is None
        assert isinstance(answer, Reachable)
        assert (len(answer.steps), answer.shortest) == (len(stated), True)
        assert replayed(problem, answer.steps) is None
    else:
        assert isinstance(answer, Unreachable)
        assert answer.how == "over-approximation"


def test_the_forward_proof_agrees(real_data: Path, verdicts: dict[str, Any]) -> None:
    """The other over-approximation excludes the goal of the one file, and of no other."""
    excluded = set()
    for name in NAMES:
        problem = problem_of(read(real_data, name))
        proof = excluding(problem, sliced(problem), role_sets=1_000)
        if isinstance(proof, Invariant):
            assert violations(problem, proof) == ()
            excluded.add(name)
    stated = {name for name in NAMES if verdicts[name]["verdict"].startswith("UNREACHABLE")}
    assert excluded == stated == {"policy2.arbac"}


def test_the_stated_traces_end_at_the_goal(real_data: Path, verdicts: dict[str, Any]) -> None:
    """They do by our reading of the rules, so we mean the same by them."""
    for name in NAMES:
        if verdicts[name]["trace"] is not None:
            problem = problem_of(read(real_data, name))
            end = interpreted(problem, traced(problem, verdicts[name]["trace"]))
            assert not isinstance(end, str)
            assert reached(problem, end) is not None
