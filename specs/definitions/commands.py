"""What becomes of a command: refused with a witness, or accepted with the next revision. P-REJECT.

What is proposed, and whether a state has an administrator, are symbols here: what a single command
proposes is proved under P-REF and its like, who administers is tested.
"""

import typing

import z3

from grantproof.core import commands
from grantproof.core.errors import Refusal
from grantproof.core.model import Administered
from specs.definitions.facts import kept_but
from specs.definitions.registry import describes
from specs.kernel.expressions import isinstance_of
from specs.kernel.membership import is_empty, same
from specs.kernel.shapes import located
from specs.kernel.sorts import tag_is
from specs.kernel.values import Facts, Made, Symbolic, Term, guarded
from specs.kernel.view import View

PROPOSAL: typing.Final[type] = vars(commands)["_Proposal"]


def proposed(state: Symbolic, command: Symbolic) -> Symbolic:
    """Return the proposal or the refusal that a command comes to on a state."""
    at = (View(state)(), View(command)())
    return located("=proposed", at, PROPOSAL | Refusal)


def administrated(state: Symbolic) -> Symbolic:
    """Return whether somebody administers the organization."""
    return located("=has_administrator", (View(state)(),), bool)


@describes(commands.apply, "P-REJECT")
def apply(
    result: Symbolic,
    state: Symbolic,
    command: Symbolic,
    *origin: Symbolic,
) -> z3.BoolRef:
    """Rejected exactly if refused or if the last administrator goes; else the next revision."""
    s, outcome = View(state), typing.cast(Term, proposed(state, command))
    proposal = View(Term(outcome.expr, PROPOSAL))
    after, change = proposal.after, proposal.change
    kept = View(administrated(after.value))()
    removes = z3.Not(is_empty(change.removed.value))
    loses = z3.And(s.administered(), removes, z3.Not(kept))
    refused = z3.Or(z3.Not(tag_is(outcome.expr, PROPOSAL)), loses)
    parts = [isinstance_of(Facts(), result, (commands.Rejected,)) == refused]
    for guard, item in guarded(result):
        if isinstance(item, Made) and item.kind is commands.Accepted:
            clauses = _next(s, after, View(item), (command, *origin))
            first = z3.And(z3.Not(s.administered()), kept)
            known = View(item).state.administered() == z3.Or(after.administered(), first)
            parts.append(z3.Implies(guard, z3.And(*clauses, known)))
    return z3.And(parts)


def _next(
    state: View, after: View, accepted: View, asked: tuple[Symbolic, ...]
) -> list[z3.BoolRef]:
    """Return that the revision is one more, the facts are the proposal's, the event says so."""
    event, revision = accepted.event, state.revision() + 1
    command, actor, instant, request_id, reason = asked
    others = kept_but(
        after.value, accepted.state.value, lambda cls, _keys: z3.BoolVal(cls is Administered)
    )
    return [
        accepted.state.revision() == revision,
        event.revision() == revision,
        event.organization() == state.id(),
        event.command() == View(command)(),
        event.actor() == View(actor)(),
        event.instant() == View(instant)(),
        same(event.request_id.value, request_id),
        same(event.reason.value, reason),
        *(clause for _, clause in others),
    ]
