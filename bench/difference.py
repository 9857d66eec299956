"""`python -m bench.difference`: what the semantic difference of two large states takes.

Each question runs in a process of its own, so that the most memory it took is its own. Half of the
claims have constraints: those of an even number.
"""

import argparse
import random
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from time import perf_counter, process_time
from typing import Final

from bench.workload import INSTANT, SIZES, make_tables, organization
from grantproof.analysis.difference import difference
from grantproof.analysis.solving import Solver
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.constraints import MaxUsage
from grantproof.core.identifiers import Action, ClaimId, RoleId
from grantproof.core.model import Claim, Exactly
from grantproof.core.organization import Organization, with_fact, without_fact

SHOWN: Final = 100
MIB_PER_KIB: Final = 1 / 1_024
Pair = tuple[Organization, Organization]


def twin(size: str, seed: int) -> Organization:
    """Return an organization of the size, half of its claims with constraints."""
    draw = random.Random(seed)
    tables = make_tables(SIZES[size], constrained=True, draw=draw)
    half = tuple(
        grant._replace(condition=grant.condition if number % 2 == 0 else None)
        for number, grant in enumerate(tables.grants)
    )
    return organization(replace(tables, grants=half))


def same(size: str) -> Pair:
    """Two organizations that were made apart and hold the same."""
    return twin(size, 1), twin(size, 1)


def edited_role(size: str) -> Pair:
    """One role has a claim more, one less, and one with another limit."""
    old = twin(size, 1)
    role = RoleId("role-1")
    first, second, *_ = sorted(old.claims_by_role[role])
    more = Claim(ClaimId("more"), role, Exactly(Action("write")), old.claims[first].resource)
    new = with_fact(without_fact(old, old.claims[first]), more)
    limited = replace(old.claims[second], constraints=(MaxUsage(5),))
    return old, with_fact(without_fact(new, old.claims[second]), limited)


def changed_claims(size: str) -> Pair:
    """One claim of a hundred has another limit."""
    old = new = twin(size, 1)
    for claim in sorted(old.claims)[::100]:
        limited = replace(old.claims[claim], constraints=(MaxUsage(5),))
        new = with_fact(without_fact(new, old.claims[claim]), limited)
    return old, new


def suspended(size: str) -> Pair:
    """One principal is suspended."""
    old = twin(size, 1)
    name = min(old.principals)
    person = replace(old.principals[name], active=False, attributes=NO_ATTRIBUTES)
    return old, with_fact(old, person)


def unrelated(size: str) -> Pair:
    """Two organizations that only share the names of principals, roles and resources."""
    return twin(size, 1), twin(size, 2)


QUESTIONS: Final[dict[str, Callable[[str], Pair]]] = {
    "the same, made apart": same,
    "one principal suspended": suspended,
    "one role edited": edited_role,
    "1 % of the claims changed": changed_claims,
    "unrelated": unrelated,
}


def asked(name: str, size: str) -> str:
    """Return a line with what the question took and came to."""
    old, new = QUESTIONS[name](size)
    before = peak_mib()
    solver = Solver()
    began, used = perf_counter(), process_time()
    found = difference(old, new, solver, now=INSTANT, limit=SHOWN)
    seconds, used = perf_counter() - began, process_time() - used
    changes = f"{found.gained.requests + found.lost.requests:,}"
    classes = found.gained.classes + found.lost.classes
    return " | ".join(
        (
            name,
            f"{used:.2f}",
            f"{seconds:.2f}",
            f"{peak_mib() - before:.0f}",
            f"{before:.0f}",
            found.verdict.value,
            f"{classes:,}",
            changes,
            f"{solver.asked:,}",
        )
    )


def peak_mib() -> float:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MIB_PER_KIB


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.difference", description=__doc__)
    parser.add_argument("--size", choices=tuple(SIZES), default="L")
    parser.add_argument("--only", choices=tuple(QUESTIONS), action="append")
    given = parser.parse_args()
    print("question | cpu s | wall s | MiB more | MiB of both", end="")
    print(" | verdict | classes | requests | asked of Z3")
    for name in given.only or QUESTIONS:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            print(apart.submit(asked, name, given.size).result(), flush=True)


if __name__ == "__main__":
    main()
