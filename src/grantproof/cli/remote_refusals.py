"""Changes that a server refused, told as those that are refused here: the same line and witness."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from grantproof.cli.exits import Stop
from grantproof.cli.local import stale
from grantproof.cli.remote_http import Problem, ServerSays
from grantproof.cli.witness import guard_refused, refused_change
from grantproof.core.commands import Rejected
from grantproof.core.identifiers import GuardrailId
from grantproof.policyfile.witnesses import refusal_of
from grantproof.service.guarding import Broken, Unjudged
from grantproof.service.pap import NoOrganization
from grantproof.service.receipts import KeyReused

UNNAMED: Final = GuardrailId("unnamed")
"""Stands where a message names the guardrail already."""
SAID: Final = re.compile(
    r"whether guardrail `(?P<name>[^`]*)` would hold is not known: (?P<why>.*)"
)

if TYPE_CHECKING:
    from grantproof.service.pap import Proposed


@contextmanager
def changing(organization: str, *, several: bool = False) -> Iterator[None]:
    """Turn what a server says of a change into the end that it has locally.

    Where nobody typed `several` commands, positions would tell nobody anything.
    """
    try:
        yield
    except ServerSays as said:
        end = _end(said.problem, organization, several=several)
        if end is None:
            raise
        raise end from None


def proposed(problem: Problem) -> "Proposed | None":
    """Return what became of a change, or nothing where the problem is about no change."""
    match problem.code:
        case "forbidden_organization":
            return NoOrganization()
        case "idempotency_key_reused":
            return KeyReused()
        case "breaks_guardrail":
            return Broken(UNNAMED, problem.detail, _witness(problem))
        case "guardrail_undetermined":
            return _unjudged(problem)
        case _:
            refusal = refusal_of(_witness(problem))
            return None if refusal is None else Rejected(refusal)


def _end(problem: Problem, organization: str, *, several: bool) -> Stop | None:
    if problem.code == "stale":
        return stale(organization, (problem.tag or "").strip('"'))
    outcome = proposed(problem)
    match outcome:
        case Rejected(refusal):
            return refused_change(refusal, several=several)
        case Broken() | Unjudged():
            return guard_refused(outcome)
        case _:
            return None


def _unjudged(problem: Problem) -> Unjudged:
    """Return that a guardrail could not be judged, in the words of the server."""
    found = SAID.fullmatch(problem.detail)
    if found is None:
        return Unjudged(UNNAMED, problem.detail)
    return Unjudged(GuardrailId(found["name"]), found["why"])


def _witness(problem: Problem) -> dict[str, Any]:
    found = problem.document.get("witness")
    return found if isinstance(found, dict) else {}
