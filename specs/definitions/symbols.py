"""Functions that a proof of another does not look into: each stands as a symbol of its arguments.

What they give is a matter of evidence or of tests, not of the decision; `docs/properties.md` lists
them as trusted or tested.
"""

from collections.abc import Callable
from typing import Any, Final

import z3

from grantproof.core import certificate
from grantproof.core.errors import BreaksSod, NamedByGuardrail, OverLimit
from specs.definitions.certificate import observed, resource_path
from specs.definitions.commands import administrated, proposed
from specs.definitions.constraints import distance
from specs.definitions.duty import how_held
from specs.definitions.policy import known_target
from specs.definitions.references import implicit
from specs.definitions.refusals import chain, lineage
from specs.kernel.shapes import located
from specs.kernel.values import NOTHING, Symbolic, cases
from specs.kernel.view import View


def issued(state: Symbolic, request: Symbolic, context: Symbolic, _claim: Symbolic) -> Symbolic:
    """Return some certificate; that it passes `check` is tested."""
    at = tuple(View(one)() for one in (state, request, context))
    return located("=issue", at, certificate.Certificate)


def optional(name: str, kind: type) -> Callable[..., Symbolic]:
    """Return a symbol that is nothing or something of the kind, of which nothing is known."""

    def stands(*arguments: Symbolic) -> Symbolic:
        return located(f"={name}", tuple(View(one)() for one in arguments), kind | None)

    return stands


def implicit_kind(state: Symbolic, resource: Symbolic) -> Symbolic:
    """Return some kind exactly where the resource is an implicit one: trusted, and tested."""
    at = (View(state)(), View(resource)())
    there = implicit(View(state), at[1])
    kind = located("=implicit_kind", at, str)
    return cases((there, kind), (z3.Not(there), NOTHING))


def cycle(child: Symbolic, parent: Symbolic, _parents: Symbolic) -> Symbolic:
    """Return the cycle that an edge would close, in words for people: tested."""
    return located("=cycle_through", (View(child)(), View(parent)()), tuple[str, ...])


SYMBOLS: Final[dict[str, Callable[..., Any]]] = {
    "grantproof.core.geodesy.distance": distance,
    "grantproof.core.matching.lineage": lineage,
    "grantproof.core.matching.resolve": known_target,
    "grantproof.core.administration.has_administrator": administrated,
    "grantproof.core.certificate.issue": issued,
    "grantproof.core.commands._proposed": proposed,
    "grantproof.core.commands.bounds.over_limit": optional("over_limit", OverLimit),
    "grantproof.core.commands.guarding.named_by_guardrail": optional(
        "named_by_guardrail", NamedByGuardrail
    ),
    "grantproof.core.commands.refusal._breaks_sod": optional("breaks_sod", BreaksSod),
    "grantproof.core.paths.cycle_through": cycle,
    "grantproof.core.paths.how_held": how_held,
    "grantproof.core.paths.longest_chain": chain,
    "grantproof.core.organization.implicit_kind": implicit_kind,
    "grantproof.core.certificate._observe_all": observed,
    "grantproof.core.certificate._resource_path": resource_path,
}
