"""Small valid organizations: whatever `apply` makes of a few random commands, nothing else.

A command that misses an entity has it created first, so that organizations hold links and claims
from the first command on, and shrink to what a counterexample needs.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    AssignRole,
    CreateClaim,
    CreateGroup,
    CreateGuardrail,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    SingleCommand,
    SuspendPrincipal,
)
from grantproof.core.errors import Missing
from grantproof.core.identifiers import (
    GroupId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import INSTANT_MIN
from grantproof.core.model import ADMINISTER, Claim, Exactly, Resource, SodSet
from grantproof.core.organization import Organization
from tests.strategies.commands import creations, edits, links, removals
from tests.strategies.entities import claims, guardrails, sod_sets
from tests.strategies.names import FEW, Names, once
from tests.strategies.values import validities

ACTOR: Final = "tester"
LINKS_MAX: Final = 6
GRANTS_MAX: Final = 3
OTHERS_MAX: Final = 3
Drawn = TypeVar("Drawn")


def created(noun: str, name: str) -> SingleCommand | None:
    """The command that creates what is missing; nothing for what is no entity on its own."""
    match noun:
        case "principal":
            return CreatePrincipal(PrincipalId(name))
        case "group":
            return CreateGroup(GroupId(name))
        case "role":
            return CreateRole(RoleId(name))
        case "kind":
            return CreateKind(Kind(name))
        case "resource":
            return created_resource(name)
        case _:
            return None


def created_resource(name: str) -> SingleCommand | None:
    """The command that creates a resource inside the one its path says, or an implicit one."""
    kind, _, entity = name.partition(":")
    if entity and kind in {"role", "group"}:
        return created(kind, entity)
    if entity and kind == "sod-set":
        both = frozenset({RoleId("viewer"), RoleId("auditor")})
        return CreateSodSet(SodSet(SodSetId(entity), both, 2))
    if entity:
        return None
    parent, _, _ = name.rpartition("/")
    inside = ResourceId(parent) if parent else None
    return CreateResource(Resource(ResourceId(name), Kind("document"), inside))


def accepted(state: Organization, command: SingleCommand) -> Iterator[Accepted]:
    """The outcomes by which `state` comes to hold the command; none when it stays refused."""
    outcome = apply(state, command, actor=ACTOR, instant=INSTANT_MIN)
    if isinstance(outcome, Accepted):
        yield outcome
        return
    if not isinstance(outcome.refusal, Missing):
        return
    remedy = created(outcome.refusal.noun, outcome.refusal.ids[0])
    if remedy is None:
        return
    grown = state
    for step in accepted(state, remedy):
        grown = step.state
        yield step
    if grown is not state:
        yield from accepted(grown, command)


def settled(state: Organization, commands: Iterable[SingleCommand]) -> Iterator[Accepted]:
    """Apply the commands in turn, each after what it needs; pass over those that are refused."""
    for command in commands:
        for outcome in accepted(state, command):
            state = outcome.state
            yield outcome


@once
@st.composite
def grants(draw: st.DrawFn, names: Names) -> list[SingleCommand]:
    """A claim and somebody who holds its role: directly, or through a group."""
    claim, validity = draw(claims(names)), draw(validities(names))
    principal, group = draw(names.principals), draw(names.groups)
    direct: list[SingleCommand] = [AssignRole(principal, claim.role, validity)]
    through: list[SingleCommand] = [
        AddMember(principal, group),
        AssignGroupRole(group, claim.role, validity),
    ]
    held = draw(st.sampled_from([direct, through, direct]))
    return [CreateClaim(claim), *held]


@once
@st.composite
def divisions(draw: st.DrawFn, names: Names) -> list[SingleCommand]:
    """A separation-of-duty set, and a principal who is to hold all of it.

    A static set refuses that; a dynamic one lets sessions clash.
    """
    sod_set, principal = draw(sod_sets(names)), draw(names.principals)
    held = [AssignRole(principal, role) for role in sorted(sod_set.roles)]
    return [CreateSodSet(sod_set), *(held if draw(st.booleans()) else [])]


@once
@st.composite
def administrations(draw: st.DrawFn, names: Names) -> list[SingleCommand]:
    """A claim to administer the organization, and an administrator."""
    role, organization = draw(names.roles), draw(names.organizations)
    itself = Exactly(ResourceId(f"organization:{organization}"))
    claim = Claim(draw(names.claims), role, Exactly(ADMINISTER), itself)
    return [CreateClaim(claim), AssignRole(draw(names.principals), role)]


@once
@st.composite
def wishes(draw: st.DrawFn, names: Names) -> list[SingleCommand]:
    """Commands for one organization: granted claims, administrators, links, sets, then anything."""
    granted = draw(some(grants(names), least=1, most=GRANTS_MAX))
    administered = draw(some(administrations(names)))
    linked = draw(some(links(names), most=LINKS_MAX))
    divided = draw(some(divisions(names)))
    guarded = draw(some(guarding(names)))
    rest = draw(some(others(names), most=OTHERS_MAX))
    suspended = draw(suspensions(names))
    return [*chain(*granted, *administered, linked, *divided, guarded, rest, suspended)]


@once
def some(
    drawn: SearchStrategy[Drawn], *, least: int = 0, most: int = 1
) -> SearchStrategy[list[Drawn]]:
    """So many of what is drawn."""
    return st.lists(drawn, min_size=least, max_size=most)


@once
def guarding(names: Names) -> SearchStrategy[SingleCommand]:
    """Commands that create a guardrail."""
    return guardrails(names).map(CreateGuardrail)


@once
def suspensions(names: Names) -> SearchStrategy[list[SingleCommand]]:
    """In one organization of three a principal is suspended, if there is another administrator."""
    suspended = st.builds(SuspendPrincipal, names.principals).map(lambda command: [command])
    nobody: SearchStrategy[list[SingleCommand]] = st.just([])
    return st.one_of(nobody, nobody, suspended)


@once
def others(names: Names) -> SearchStrategy[SingleCommand]:
    """Commands of every type but links."""
    return st.one_of(creations(names), edits(names), removals(names))


@once
@st.composite
def histories(draw: st.DrawFn, names: Names = FEW) -> tuple[Organization, tuple[Accepted, ...]]:
    """An empty organization, and every step from it to a small one."""
    empty = Organization(draw(names.organizations))
    return empty, tuple(settled(empty, draw(wishes(names))))


@once
def organizations(names: Names = FEW) -> SearchStrategy[Organization]:
    """Small valid organizations, the empty one included."""
    return histories(names).map(lambda history: history[1][-1].state if history[1] else history[0])
