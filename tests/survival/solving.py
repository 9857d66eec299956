"""The program with a door to its solver: `serve` as it is, and a route that asks what is wanted.

No guardrail is checked yet, so that nothing of the product asks the solver; this does as it will,
from a thread of a request, on the state that is followed.
"""

import signal
from collections.abc import Callable, Mapping
from functools import partial
from itertools import repeat
from types import MappingProxyType
from typing import Final

import z3

from grantproof.adapters.workers import Worker
from grantproof.api import app
from grantproof.api.running import Here
from grantproof.cli.main import main as run
from grantproof.core.identifiers import OrganizationId
from grantproof.core.organization import Organization
from grantproof.service.solving import Undetermined

DOOR: Final = "/solve/{how}/{organization}"

create_app = app.create_app


def proved(state: Organization) -> str:
    """Ask Z3 something small about what is there: no more people than there are."""
    people, solver = z3.Int("people"), z3.Solver()
    solver.add(people == len(state.principals), people > len(state.principals))
    return str(solver.check())


def hard(_: Organization) -> str:
    """Ask Z3 for the factors of a product, which takes it far too long."""
    one, other = z3.BitVecs("one other", 96)
    solver = z3.Solver()
    solver.add(one * other == 549755813881 * 549755813911, z3.ULT(one, other), z3.UGT(one, 1))
    solver.add(z3.ULT(other, 1 << 40))
    return str(solver.check())


def held(_: Organization) -> str:
    """Never let go of the interpreter's lock, outside of the interpreter."""
    return str(sum(repeat(0)))


def waiting(_: Organization) -> str:
    """Wait to be killed."""
    signal.pause()
    return ""


def taking(_: Organization) -> str:
    """Take memory until there is none."""
    taken = list[bytes]()
    while True:
        taken.append(b"x" * 1_048_576)


WORK: Final[Mapping[str, Callable[[Organization], str]]] = MappingProxyType(
    {"proved": proved, "hard": hard, "held": held, "waiting": waiting, "taking": taking}
)


def ask(how: str, organization: str, here: Here) -> dict[str, str]:
    """Ask the solver; what it answers, or why it does not."""
    index = here.services.snapshots.load(OrganizationId(organization))
    assert index is not None
    found = here.services.solver.ask(partial(WORK[how], index.state))
    if isinstance(found, Undetermined):
        return {"cause": found.cause, "why": found.why}
    return {"answer": found}


def with_door(worker: Worker | None = None) -> app.Application:
    """The application, with the door."""
    made = create_app(worker)
    made.administration.add_api_route(DOOR, ask, methods=["POST"])
    return made


def main() -> None:
    """Run the program."""
    app.create_app = with_door
    run()
