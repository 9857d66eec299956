"""P-DENY-DEFAULT: whatever is unknown, suspended, roleless or unlawful is not granted.

`evaluate` answers Allow exactly when the request is granted: P-SOUND and P-COMPLETE.
"""

import z3

from grantproof.core.constraints import Context
from grantproof.core.matching import Request
from grantproof.core.organization import Organization
from specs.definitions.duty import active_roles, any_breached
from specs.definitions.policy import granted, known_target
from specs.kernel.membership import is_empty
from specs.kernel.values import Term
from specs.kernel.view import View, literal
from specs.properties.registry import Stated, some, states


@states("P-DENY-DEFAULT")
def denied_unless_all_is_well() -> Stated:
    """Each thing that may be wrong is alone enough for a deny."""
    state, request = some(Organization, "state"), some(Request, "request")
    context = some(Context, "context")
    principal, dynamic = request.principal(), Term(literal("dynamic"), str)
    active = active_roles(state.value, request.value, context.instant.value)
    wrong = {
        "unknown principal": z3.Not(state.principals.has(principal)),
        "suspended principal": z3.Not(state.principals.at(principal).active()),
        "unknown resource": z3.Not(View(known_target(state.value, request.value)).there),
        "unlawful session": any_breached(state.value, active, dynamic),
        "no role": is_empty(active),
        "no claim": is_empty(state.claims.value),
    }
    allowed = granted(state.value, request.value, context.value)
    return [], [(name, z3.Implies(case, z3.Not(allowed))) for name, case in wrong.items()]
