"""`python -m bench.questions`: what each question about a policy takes of a large organization.

Each is put to the use case that the API and the command line put it to, on a state in memory. Those
about a person or a thing are asked several times; the others look at all of the policy. Each kind
has a process of its own, so that the most memory it took is its own. Linux only.
"""

import argparse
import random
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from time import process_time
from typing import Final

from bench.capacity import EVERY_SIZE
from bench.difference import edited_role, peak_mib
from bench.workload import ACTIONS, INSTANT, SEED, Tables, make_tables, organization
from grantproof.analysis.reachability.question import Holds
from grantproof.core.identifiers import Action, ClaimId, PrincipalId, ResourceId, RoleId
from grantproof.core.model import Claim, Exactly
from grantproof.core.organization import Organization, with_fact
from grantproof.policyfile.policy_text import write_json
from grantproof.service import inquiries
from grantproof.service.reach import in_organization
from grantproof.service.solving import IN_PROCESS
from grantproof.service.verification import Base, Files, Terms, verify
from tests.documents import from_organization

ASKED: Final = 11
PEOPLE: Final = 10
"""So many people conspire; their own role may assign one role of ten."""

Times = Iterator[tuple[float, str]]
"""Seconds of processor, and what was answered, of each time it was asked."""


def timed(ask: Callable[[], object]) -> tuple[float, str]:
    """Return the seconds of processor that the question takes, and its answer."""
    began = process_time()
    answer = ask()
    return process_time() - began, str(answer)


def _told(question: Callable[..., inquiries.Finding], *about: object) -> bool | None:
    return question(*about, now=INSTANT).yes


def who_can(tables: Tables, draw: random.Random) -> Times:
    """Who can do an action on a resource, in whatever context."""
    state = organization(tables)
    for _ in range(ASKED):
        deed = inquiries.Deed(
            Action(draw.choice(ACTIONS)), ResourceId(draw.choice(tables.resources))
        )
        yield timed(partial(_told, inquiries.who_can, state, deed, None))


def what_can(tables: Tables, draw: random.Random) -> Times:
    """What a principal can do, in whatever context."""
    state = organization(tables)
    for name in draw.sample(sorted(tables.assigned), ASKED):
        who = PrincipalId(name)
        yield timed(partial(_told, inquiries.what_can, state, who))


def dead_claims(tables: Tables, _: random.Random) -> Times:
    """Which claims nobody can use, and which roles nobody can hold."""
    state = organization(tables)
    yield timed(lambda: inquiries.dead(state, now=INSTANT).yes)


def reachable(tables: Tables, draw: random.Random) -> Times:
    """Whether people who may assign some of the roles can bring it about that one holds another."""
    state = administered(organization(tables), draw)
    people = [PrincipalId(name) for name in sorted(tables.assigned)[:PEOPLE]]
    for name in draw.sample(sorted(state.roles), ASKED):
        yield timed(partial(_collusion, state, Holds(RoleId(name)), people))


def _collusion(state: Organization, goal: Holds, people: list[PrincipalId]) -> str:
    found = in_organization(
        state,
        goal,
        people=people,
        principal=people[0],
        instant=INSTANT,
        hour=None,
        weekday=None,
        solver=IN_PROCESS,
    )
    return type(found).__name__


def administered(state: Organization, draw: random.Random) -> Organization:
    """Return the organization in which the roles of some people may assign one role of ten."""
    held = min(state.roles)
    for number, role in enumerate(draw.sample(sorted(state.roles), len(state.roles) // 10)):
        on = Exactly(ResourceId(f"role:{role}"))
        claim = Claim(ClaimId(f"assigns-{number}"), held, Exactly(Action("assign")), on)
        state = with_fact(state, claim)
    return state


def difference(tables: Tables, _: random.Random) -> Times:
    """What an edited role changes: who gains and who loses what."""
    before, after = edited_role(tables.size.name)
    yield timed(lambda: inquiries.compared(before, after, now=INSTANT).yes)


def verified(tables: Tables, _: random.Random) -> Times:
    """`grantproof verify` of the whole policy as a file, against what stood before the edit."""
    before, after = edited_role(tables.size.name)
    files = Files({"policy.json": write_json(from_organization(after))}, {})
    base = Base("before", before)
    yield timed(lambda: verify(files, Terms(), base=base, now=INSTANT).outcome)


QUESTIONS: Final[dict[str, Callable[[Tables, random.Random], Times]]] = {
    "who can": who_can,
    "what can": what_can,
    "dead claims": dead_claims,
    "reachability": reachable,
    "difference": difference,
    "verify": verified,
}


def asked(name: str, size: str) -> str:
    """Return a line with what the question took and came to."""
    draw = random.Random(SEED)
    tables = make_tables(EVERY_SIZE[size], constrained=True, draw=draw)
    seconds, answers = zip(*QUESTIONS[name](tables, draw), strict=True)
    told = ", ".join(f"{answers.count(one)} {one}" for one in sorted(set(answers)))
    times = (f"{len(seconds)}", f"{statistics.median(seconds):.3f}", f"{max(seconds):.3f}")
    return " | ".join((name, *times, f"{peak_mib():.0f}", told))


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.questions", description=__doc__)
    parser.add_argument("--size", default="L", choices=tuple(EVERY_SIZE))
    parser.add_argument("--only", choices=tuple(QUESTIONS), action="append")
    given = parser.parse_args()
    print("question | asked | median cpu s | most cpu s | MiB at most | answers")
    for name in given.only or QUESTIONS:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            print(apart.submit(asked, name, given.size).result(), flush=True)


if __name__ == "__main__":
    main()
