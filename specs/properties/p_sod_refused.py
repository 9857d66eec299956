"""P-SOD-EXACT: a command is refused for separation of duty exactly if somebody would break a set.

The check looks only at those that the command affects, on the state that it would leave. That
nobody else can come to break a set is the other half; together the check equals one of everybody.
"""

import z3

from grantproof.core.commands.bounds import over_limit
from grantproof.core.commands.guarding import named_by_guardrail
from grantproof.core.commands.refusal import _breaks_sod
from specs.definitions.duty import breached_at_some_start
from specs.kernel.membership import contains
from specs.kernel.sorts import Name
from specs.kernel.values import Clause, Symbolic, Term
from specs.kernel.view import View
from specs.properties.commands import About, Change, about_commands


def exactly(change: Change, affected: Symbolic) -> Clause:
    """Return that there is a witness exactly if one of those affected breaks a set after."""
    when, found = change.grounds["_breaks_sod"]
    principal = Term(z3.Const("one", Name), str)
    breaks = breached_at_some_start(change.after, principal)
    some = z3.Exists([principal.expr], z3.And(contains(affected, principal), breaks))
    told = "refused exactly if somebody breaks a set"
    return told, z3.Implies(when, View(found).there == some)


def refused_exactly(_command: type, change: Change) -> list[Clause]:
    """Return it of those affected, whoever they are, and that no ground breaks off."""
    return [exactly(change, change.affected), *change.owed]


GROUNDS = (named_by_guardrail, over_limit, _breaks_sod)
"""All that stand as symbols elsewhere: here each is read, for what its source owes on the way."""

about_commands(About("P-SOD-EXACT", refused_exactly, opened=GROUNDS, refused=True))
