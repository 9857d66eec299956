"""Why not: what would have to be otherwise for a denied request to be allowed.

Each remedy is tried before it is given: its commands are applied, its session is chosen, its
context supplied, and the request is decided again. What would help and is refused is told as such,
and so is a claim of which it is not known.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from grantproof.analysis.abilities import Question, Unclear, matching
from grantproof.analysis.formulas import Stored, conditions
from grantproof.analysis.solving import Impossible, Solver, Span, Undetermined
from grantproof.core.commands import Rejected, apply
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    ResumePrincipal,
    RevokeRole,
    SingleCommand,
)
from grantproof.core.constraints import Context, Observation, Situation, all_hold, observe
from grantproof.core.duty import active_roles, dynamic_clash
from grantproof.core.errors import Refusal
from grantproof.core.hierarchy import closure, effective_roles
from grantproof.core.identifiers import RoleId
from grantproof.core.matching import Request, Target, resolve, situate
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate, failing
from grantproof.core.rights import claims_of


@dataclass(frozen=True, slots=True)
class Remedy:
    """With the commands accepted, the claim allows the request, so asked, in the context.

    `request` chooses a session where that is what it takes. `context` is the one asked about unless
    constraints of the claim do not hold there: those are `failures`. `refusal` is why the commands
    are not accepted as things are: then nothing was tried.
    """

    claim: Claim
    commands: tuple[SingleCommand, ...]
    request: Request
    context: Context
    failures: tuple[Observation, ...] = ()
    refusal: Refusal | None = None


def remedies(
    state: Organization, request: Request, context: Context, *, solver: Solver
) -> tuple[Remedy | Unclear, ...]:
    """Return what would make the request be allowed, the least first; then what is not known.

    Least is what takes the fewest commands, then the fewest other conditions, then what gives the
    least beside. There is none for a principal or a resource that is unknown, for what no claim
    speaks of, and for what is allowed.
    """
    target = resolve(state, request)
    if request.principal not in state.principals or target is None:
        return ()
    if isinstance(evaluate(state, request, context), Allow):
        return ()
    found = tuple(_found(state, request, context, target=target, solver=solver))
    helping = (one for one in found if isinstance(one, Remedy))
    return (
        *sorted(helping, key=lambda remedy: _cost(state, remedy)),
        *(one for one in found if isinstance(one, Unclear)),
    )


def _cost(state: Organization, remedy: Remedy) -> tuple[bool, int, int, int, str]:
    role = remedy.claim.role
    beside = sum(len(tuple(claims_of(state, one))) for one in closure({role}, state.roles.parents))
    return (
        remedy.refusal is not None,
        len(remedy.commands),
        len(remedy.failures),
        beside,
        remedy.claim.id,
    )


def _found(
    state: Organization, request: Request, context: Context, *, target: Target, solver: Solver
) -> Iterator[Remedy | Unclear]:
    resume: tuple[SingleCommand, ...] = ()
    if not state.principals[request.principal].active:
        resume = (ResumePrincipal(request.principal),)
    for claim in matching(state, Question(request.action, target, request.kind)):
        commands, asked = _way(state, request, context, role=claim.role)
        wanted = Remedy(claim, (*resume, *commands), asked, context)
        remedy = _tried(state, wanted, target=target, solver=solver)
        if remedy is not None:
            yield remedy


def _way(
    state: Organization, request: Request, context: Context, *, role: RoleId
) -> tuple[tuple[SingleCommand, ...], Request]:
    """Return how the role would become active: by itself, chosen for a session, or assigned."""
    principal, chosen = request.principal, request.active_roles
    if role in active_roles(state, request, context.instant):
        return (), request
    if chosen is not None:
        request = replace(request, active_roles=chosen | {role})
    if role in effective_roles(state, principal, context.instant):
        return (), request
    assign = AssignRole(principal, role)
    if role in state.assignments.of(principal):
        # What is assigned for another time is assigned anew: there is one assignment at most.
        return (RevokeRole(principal, role), assign), request
    return (assign,), request


def _tried(
    state: Organization, wanted: Remedy, *, target: Target, solver: Solver
) -> Remedy | Unclear | None:
    """Return the remedy as it does work, or is refused; nothing where it does not work."""
    request, context, claim = wanted.request, wanted.context, wanted.claim
    if len(wanted.commands) > 0:
        change = ChangeSet(wanted.commands)
        outcome = apply(state, change, actor="why-not", instant=context.instant)
        if isinstance(outcome, Rejected):
            return replace(wanted, refusal=outcome.refusal)
        state = outcome.state
    if dynamic_clash(state, active_roles(state, request, context.instant)) is not None:
        request = replace(request, active_roles=frozenset({claim.role}))
    situation = situate(state, request, context, target=target)
    failures = tuple(observe(one, situation) for one in failing(claim, situation))
    if len(failures) > 0:
        fitting = _fitting(situation, claim, solver)
        if isinstance(fitting, Undetermined):
            return Unclear(claim, fitting.why)
        if isinstance(fitting, Impossible):
            return None
        context = fitting
    if not isinstance(evaluate(state, request, context), Allow):
        return None
    return replace(wanted, request=request, context=context, failures=failures)


def _fitting(
    situation: Situation, claim: Claim, solver: Solver
) -> Context | Impossible | Undetermined:
    """Return the context with as much changed as the claim's constraints ask for, if they can."""
    seen = Stored(
        situation.principal, situation.principal_attributes, situation.resource_attributes
    )
    asked = situation.context
    solution = solver.solve(conditions(claim.constraints, seen), Span(asked.instant))
    if isinstance(solution, Impossible | Undetermined):
        return solution
    found = solution.context
    kept = replace(
        found,
        region=found.region or asked.region,
        position=found.position or asked.position,
        usage=asked.usage if found.usage is None else found.usage,
        rate=asked.rate if found.rate is None else found.rate,
        attributes=asked.attributes.update(found.attributes),
        action_properties=asked.action_properties.update(found.action_properties),
        principal_properties=asked.principal_properties,
        resource_properties=asked.resource_properties,
    )
    timed = replace(
        kept, instant=asked.instant, hour=asked.hour, weekday=asked.weekday, year=asked.year
    )
    fitting = (
        one for one in (timed, kept) if all_hold(claim.constraints, replace(situation, context=one))
    )
    return next(fitting, found)
